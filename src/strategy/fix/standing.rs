//! What do all checks of a job show together, and is that better than before?
//!
//! Pure. What does not compile hides what its tests would say, so that fewer such failures are better whatever comes to light
//! behind them; else fewer failures are. A check that fails without a word of what counts as one failure.

use std::collections::BTreeSet;

use crate::protocol::failure::{Failure, FailureKind};
use crate::strategy::fix::Check;
use crate::strategy::runner::CheckRun;

/// How bad it is; less is better.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Measure {
    /// Checks that were not run, because a build before them failed.
    pub not_run: usize,
    /// Failures that keep tests from running.
    pub blocking: usize,
    /// All failures.
    pub failures: usize,
}

/// The last run of each check.
#[derive(Debug, Clone, Default)]
pub struct Standing {
    /// In the order of the job; none where a build before failed.
    pub runs: Vec<Option<CheckRun>>,
}

/// Says whether a failure keeps others from showing.
pub fn is_blocking(failure: &Failure) -> bool {
    matches!(failure.kind, FailureKind::Compile | FailureKind::Setup)
}

/// Says whether a run failed only where tests are known to fail at random.
pub fn is_flaky_only(run: &CheckRun, flaky: &BTreeSet<String>) -> bool {
    let failures = &run.complaints.failures;
    let is_known = |failure: &Failure| failure.id.as_ref().is_some_and(|id| flaky.contains(id));
    !run.is_green && !failures.is_empty() && run.complaints.n_more == 0 && failures.iter().all(is_known)
}

impl Standing {
    /// Says whether every check passes.
    pub fn is_green(&self) -> bool {
        !self.runs.is_empty() && self.runs.iter().all(|run| run.as_ref().is_some_and(|run| run.is_green))
    }

    /// Says whether nothing fails but tests that fail at random.
    pub fn is_flaky_only(&self, flaky: &BTreeSet<String>) -> bool {
        let is_fine =
            |run: &Option<CheckRun>| run.as_ref().is_some_and(|run| run.is_green || is_flaky_only(run, flaky));
        !self.is_green() && !self.runs.is_empty() && self.runs.iter().all(is_fine)
    }

    /// Measures it; tests that fail at random do not count.
    pub fn measure(&self, flaky: &BTreeSet<String>) -> Measure {
        let mut measure =
            Measure { not_run: self.runs.iter().filter(|run| run.is_none()).count(), ..Measure::default() };
        for run in self.runs.iter().flatten().filter(|run| !run.is_green) {
            let failures = &run.complaints.failures;
            let n_flaky = failures.iter().filter(|one| one.id.as_ref().is_some_and(|id| flaky.contains(id))).count();
            measure.blocking += failures.iter().filter(|failure| is_blocking(failure)).count();
            measure.failures += run.n_failures() - n_flaky;
        }
        measure
    }

    /// Returns the checks that fail, each with its place in the job.
    pub fn red(&self) -> impl Iterator<Item = (usize, &CheckRun)> {
        let runs = self.runs.iter().enumerate().filter_map(|(at, run)| Some((at, run.as_ref()?)));
        runs.filter(|(_, run)| !run.is_green)
    }

    /// Says whether a check that runs tests only failed to be built.
    pub fn is_unbuilt(&self, checks: &[Check]) -> bool {
        use crate::protocol::fix_report::CheckKind;
        let is_test = |at: usize| checks.get(at).is_some_and(|check| check.spec.kind == CheckKind::Test);
        self.red().any(|(at, run)| {
            let failures = &run.complaints.failures;
            is_test(at) && !failures.is_empty() && failures.iter().all(|one| one.kind == FailureKind::Compile)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::fix_report::{CheckKind, CheckSpec};
    use crate::strategy::failure::Complaints;

    fn run(failures: &[(FailureKind, &str)]) -> Option<CheckRun> {
        let failures =
            failures.iter().map(|(kind, id)| Failure { id: Some((*id).to_owned()), ..Failure::new(*kind, "x") });
        let complaints = Complaints { failures: failures.collect(), n_more: 0 };
        let (ending, text) = (String::new(), String::new());
        Some(CheckRun { is_green: false, ending, text, complaints, duration_ms: 0, notes: Vec::new() })
    }

    fn green() -> Option<CheckRun> {
        run(&[]).map(|run| CheckRun { is_green: true, ..run })
    }

    use FailureKind::{Compile, Lint, Test};

    #[test]
    fn a_build_that_works_is_better_than_one_that_does_not_whatever_its_tests_say() {
        // From the worst to the best.
        let rows = [
            vec![run(&[(Compile, "a")]), None],
            vec![run(&[(Compile, "a"), (Compile, "b")])],
            vec![run(&[(Compile, "a"), (Test, "b")])],
            vec![run(&[(Compile, "a")])],
            vec![run(&[(Test, "a"), (Test, "b"), (Lint, "c")])],
            vec![run(&[(Test, "a")]), run(&[(Test, "b")])],
            vec![run(&[]), green()],
            vec![green(), green()],
        ];
        let measures = rows.map(|runs| Standing { runs }.measure(&BTreeSet::new()));
        for pair in measures.windows(2) {
            assert!(pair[0] > pair[1], "{pair:?}");
        }
    }

    #[test]
    fn tests_that_fail_at_random_do_not_count() {
        let flaky = BTreeSet::from(["a".to_owned()]);
        let table = [
            (vec![run(&[(Test, "a")])], true, 0),
            (vec![run(&[(Test, "a"), (Test, "b")])], false, 1),
            (vec![run(&[])], false, 1),
            (vec![green()], false, 0),
            (vec![run(&[(Test, "a")]), None], false, 0),
            (vec![run(&[(Test, "a")]), green()], true, 0),
        ];
        for (runs, expected, failures) in table {
            let standing = Standing { runs };
            assert_eq!(
                (standing.is_flaky_only(&flaky), standing.measure(&flaky).failures),
                (expected, failures),
                "{standing:?}"
            );
        }
    }

    #[test]
    fn a_test_that_was_never_built_is_told_from_one_that_failed() {
        let check = |kind| Check { spec: CheckSpec { kind, ..CheckSpec::default() }, ..Check::default() };
        let table = [
            (CheckKind::Test, run(&[(Compile, "a")]), true),
            (CheckKind::Build, run(&[(Compile, "a")]), false),
            (CheckKind::Test, run(&[(Compile, "a"), (Test, "b")]), false),
            (CheckKind::Test, run(&[]), false),
        ];
        for (kind, run, expected) in table {
            assert_eq!(Standing { runs: vec![run] }.is_unbuilt(&[check(kind)]), expected, "{kind:?}");
        }
    }
}
