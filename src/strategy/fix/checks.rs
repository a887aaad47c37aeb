//! What do the checks show, before anything is done and after each change?
//!
//! At the start every check runs, and one that fails runs again: what passes then, or fails elsewhere, fails at random and is not
//! for an agent. Later, tests that had failed run first, where their runner can run them alone; only where something has
//! changed for the better, or nothing can be told so, does the whole check follow. Surprising: a check that could not be run
//! at all is an error only at the start; after a change it is as red as can be.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use crate::agent::keeping::{before_command, blocking, tree_change};
use crate::base::fault::Fault;
use crate::base::text::shell_quoted;
use crate::checkpoint::keeper::{Keeper, Open};
use crate::checkpoint::step::{About, Cause, Step};
use crate::protocol::failure::FailureKind;
use crate::protocol::fix_report::{CheckKind, Ran, Scope, What};
use crate::protocol::op::Op;
use crate::strategy::fix::engine::{Fixing, Halt};
use crate::strategy::fix::standing::{Standing, is_blocking, is_flaky_only};
use crate::strategy::fix::{Check, Ending, Progress};
use crate::strategy::runner::{self, CheckError, CheckRun};
use crate::tape::CheckSeen;

/// Tests that are run alone at once; with more of them the whole check is as good.
const MAX_ALONE: usize = 50;
/// Tests that are run one by one, where each has a command of its own.
const MAX_ONE_BY_ONE: usize = 5;

/// What becomes of a check that cannot be run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trust {
    /// It is an error: nothing was changed.
    None,
    /// It is red: something was changed.
    Red,
}

impl Fixing<'_> {
    /// Runs every check before anything is done; returns how it ends when there is nothing to do.
    pub(super) async fn reproduce(&mut self) -> Result<Option<Ending>, Halt> {
        self.run_all(Trust::None).await?;
        if self.standing.is_green() {
            return Ok(Some(Ending::NothingToDo));
        }
        self.look_for_flaky().await?;
        self.first = self.standing.measure(&self.flaky);
        if self.standing.is_green() || self.standing.is_flaky_only(&self.flaky) {
            return Ok(Some(Ending::Flaky { tests: self.flaky.iter().cloned().collect() }));
        }
        Ok(None)
    }

    /// Runs what failed once more, with nothing changed in between.
    async fn look_for_flaky(&mut self) -> Result<(), Halt> {
        for at in 0..self.job.checks.len() {
            let Some(first) = self.standing.runs[at].clone().filter(|run| !run.is_green) else { continue };
            // What a compiler says it says again.
            let is_certain = !first.complaints.failures.is_empty() && first.complaints.failures.iter().all(is_blocking);
            if self.job.checks[at].spec.kind != CheckKind::Test || is_certain {
                continue;
            }
            let since = Instant::now();
            let again = self.run_whole(at, Trust::Red).await?;
            self.step(What::FlakyRun(ran(at, &again)), since);
            self.flaky.extend(differing(&first, &again));
            // What failed and fails for good is what there is to do.
            let stays = if again.is_green || is_flaky_only(&first, &self.flaky) { again } else { first };
            self.standing.runs[at] = Some(stays);
        }
        // A build that failed at random may have hidden others.
        if self.standing.runs.iter().any(Option::is_none) && self.standing.runs.iter().flatten().all(|run| run.is_green)
        {
            self.run_all(Trust::None).await?;
        }
        Ok(())
    }

    /// Runs the checks in their order; those behind a build that fails are left out.
    async fn run_all(&mut self, trust: Trust) -> Result<(), Halt> {
        let mut runs = Vec::new();
        let mut is_built = true;
        for at in 0..self.job.checks.len() {
            if !is_built {
                runs.push(None);
                continue;
            }
            let since = Instant::now();
            (self.listen)(Progress::CheckStarted { check: at, round: self.round });
            let run = self.run_whole(at, trust).await?;
            (self.listen)(Progress::CheckDone { check: at, round: self.round, run: &run });
            let (round, ran) = (self.round, ran(at, &run));
            let what = match trust {
                Trust::None => What::Reproduce(ran),
                Trust::Red => What::Rerun { round, scope: Scope::Whole, ran },
            };
            self.step(what, since);
            for note in &run.notes {
                self.trouble(note.clone());
            }
            is_built = run.is_green || self.job.checks[at].spec.kind != CheckKind::Build;
            runs.push(Some(run));
        }
        self.standing = Standing { runs };
        Ok(())
    }

    /// Finds out what the checks show now: first the tests that had failed, then everything.
    pub(super) async fn measure(&mut self) -> Result<(), Halt> {
        if self.is_as_before().await? {
            return Ok(());
        }
        self.run_all(Trust::Red).await?;
        if !self.flaky.is_empty() && self.standing.is_flaky_only(&self.flaky) {
            self.run_all(Trust::Red).await?;
        }
        Ok(())
    }

    /// Finds out what the checks show without telling anybody: for trials that may be taken back. Ends at the first that
    /// is worse than it has to be.
    pub(super) async fn try_out(&mut self) -> Result<Standing, Halt> {
        let mut runs = Vec::new();
        let mut is_built = true;
        for at in 0..self.job.checks.len() {
            if !is_built {
                runs.push(None);
                continue;
            }
            let run = self.run_whole(at, Trust::Red).await?;
            is_built = run.is_green || self.job.checks[at].spec.kind != CheckKind::Build;
            runs.push(Some(run));
        }
        Ok(Standing { runs })
    }

    /// Runs the tests that had failed alone, and says whether all of them still fail, so that the rest need not be run.
    async fn is_as_before(&mut self) -> Result<bool, Halt> {
        let red: Vec<(usize, CheckRun)> = self.standing.red().map(|(at, run)| (at, run.clone())).collect();
        let mut is_as_before = !red.is_empty();
        for (at, before) in red {
            let Some(command) = alone(&self.job.checks[at], &before, &self.flaky) else { return Ok(false) };
            let since = Instant::now();
            let run = match self.run_command(at, &command).await {
                Err(CheckError::Interrupted) => return Err(self.halt()),
                // Whatever it is that cannot be run, the whole check tells.
                Err(_) => return Ok(false),
                Ok(run) => run,
            };
            let ran = ran(at, &run);
            self.step(What::Rerun { round: self.round, scope: Scope::Failing, ran }, since);
            let (old, new) = (tests(&before), tests(&run));
            is_as_before &= !run.is_green && !new.is_empty() && old.is_subset(&new);
            if is_as_before {
                // What it says now is about the code as it is now.
                self.standing.runs[at] = Some(run);
            }
        }
        Ok(is_as_before)
    }

    async fn run_whole(&mut self, at: usize, trust: Trust) -> Result<CheckRun, Halt> {
        let command = self.job.checks[at].spec.command.clone();
        match self.run_command(at, &command).await {
            Ok(run) => Ok(run),
            Err(CheckError::Interrupted) if !self.cancel.is_cancelled() && trust == Trust::None => {
                // Not even what is wrong is known.
                let limit_s = self.job.limits.max_ms / 1000;
                Err(Fault::from(CheckError::TooSlow { command, limit_s }).into())
            }
            Err(CheckError::Interrupted) => Err(self.halt()),
            Err(error @ (CheckError::NotRunnable { .. } | CheckError::TooSlow { .. })) if trust == Trust::Red => {
                Ok(CheckRun::broken(&error))
            }
            Err(error) => Err(Fault::from(error).into()),
        }
    }

    /// Runs a command in the place of a check. What it changes is kept beside the session, and noted as nobody's work.
    async fn run_command(&mut self, at: usize, command: &str) -> Result<CheckRun, CheckError> {
        let check = &self.job.checks[at];
        let folder = self.job.folder_of(check);
        let about = About { turn: self.round, call: None, cause: Cause::Check, what: format!("check {command}") };
        let open = match &self.bench.keeper {
            Some(keeper) => match before_command(keeper, about, &self.stop).await {
                None => return Err(CheckError::Interrupted),
                Some(opened) => opened.ok().map(|open| (keeper.clone(), open)),
            },
            None => None,
        };
        let (limit_s, spill_dir) = (self.job.timeout_s, &self.job.spill_dir);
        let now = runner::Check { command, folder: &folder, limit_s, spill_dir, reports: &check.reports };
        let run = runner::run(self.bench.runner, &now, self.stop.child_token()).await;
        // Also what a check changed that did not end well goes back.
        if let Some((keeper, open)) = open {
            self.note_check(keeper, open).await;
        }
        if let Ok(run) = &run {
            self.bench.tape.check(CheckSeen {
                round: self.round,
                command,
                is_green: run.is_green,
                ending: &run.ending,
                text: &run.text,
                failures: &run.complaints.failures,
            });
        }
        run
    }

    /// Keeps what a check changed. Where that fails the agent's own commands meet the same trouble, and say so.
    async fn note_check(&mut self, keeper: Arc<Keeper>, open: Open) {
        let Some(step) = end(keeper, open).await else { return };
        self.untold.push(Op::Changed(tree_change(&step, &self.job.folder)));
        if let Ok(world) = &mut self.world {
            world.changed_by_check(step.deltas.into_iter().map(|delta| delta.path));
        }
    }
}

async fn end(keeper: Arc<Keeper>, open: Open) -> Option<Step> {
    let own = keeper.clone();
    let step = blocking(move || own.end(open)).await.ok()??;
    // It stands in the list of checkpoints, whether or not a session takes note.
    keeper.settle(&step.id);
    Some(step)
}

fn ran(check: usize, run: &CheckRun) -> Ran {
    let failures = if run.is_green { 0 } else { run.n_failures() };
    Ran { check, is_green: run.is_green, ending: run.ending.clone(), failures }
}

/// Returns the names of the tests that failed.
fn tests(run: &CheckRun) -> BTreeSet<String> {
    let is_test = |kind| matches!(kind, FailureKind::Test | FailureKind::Crash);
    run.complaints.failures.iter().filter(|one| is_test(one.kind)).filter_map(|one| one.id.clone()).collect()
}

/// Returns the tests that failed in one of two runs only.
fn differing(first: &CheckRun, again: &CheckRun) -> BTreeSet<String> {
    let (first_tests, again_tests) = (tests(first), tests(again));
    // Where one of them says nothing of its tests, nothing can be compared.
    if !again.is_green && (again_tests.is_empty() || again.complaints.n_more > 0 || first.complaints.n_more > 0) {
        return BTreeSet::new();
    }
    first_tests.symmetric_difference(&again_tests).cloned().collect()
}

/// Makes the command that runs only the tests that failed; none where there is none, or not everything that failed is a test.
fn alone(check: &Check, run: &CheckRun, flaky: &BTreeSet<String>) -> Option<String> {
    let failures = &run.complaints.failures;
    let ids: Vec<&String> =
        failures.iter().filter_map(|one| one.id.as_ref()).filter(|id| !flaky.contains(*id)).collect();
    if ids.is_empty() || failures.iter().any(|one| one.id.is_none()) || run.complaints.n_more > 0 {
        return None;
    }
    if !check.only.is_empty() && ids.len() <= MAX_ALONE {
        let words: Vec<String> = ids.iter().map(|id| quoted(id)).collect();
        return Some(check.only.replace("{ids}", &words.join(" ")));
    }
    let each: Option<Vec<&str>> = failures.iter().map(|one| one.rerun.as_deref()).collect();
    each.filter(|each| each.len() <= MAX_ONE_BY_ONE)
        .map(|each| each.join("\n"))
        .map(|commands| if commands.contains('\n') { format!("set -e\n{commands}") } else { commands })
}

/// Quotes only what needs it, so that the command reads as a person would write it.
fn quoted(id: &str) -> String {
    let is_plain = id.chars().all(|c| c.is_ascii_alphanumeric() || "_:./-".contains(c)) && !id.starts_with('-');
    if is_plain { id.to_owned() } else { shell_quoted(id) }
}

#[cfg(test)]
#[path = "checks_tests.rs"]
mod tests;
