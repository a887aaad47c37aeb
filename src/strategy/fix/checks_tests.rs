use super::*;
use crate::protocol::failure::Failure;
use crate::strategy::failure::Complaints;

fn run(ids: &[&str]) -> CheckRun {
    let failure = |id: &&str| Failure {
        id: Some((*id).to_owned()),
        rerun: Some(format!("alone {id}")),
        ..Failure::new(FailureKind::Test, "it failed")
    };
    CheckRun {
        is_green: ids.is_empty(),
        ending: "exit code 1".to_owned(),
        text: String::new(),
        complaints: Complaints { failures: ids.iter().map(failure).collect(), n_more: 0 },
        duration_ms: 0,
        notes: Vec::new(),
    }
}

fn silent() -> CheckRun {
    CheckRun { is_green: false, ..run(&[]) }
}

#[test]
fn what_fails_in_one_of_two_runs_fails_at_random() {
    let table: [(CheckRun, CheckRun, &[&str]); 6] = [
        (run(&["a", "b"]), run(&["a", "b"]), &[]),
        (run(&["a", "b"]), run(&["b"]), &["a"]),
        (run(&["a"]), run(&["b"]), &["a", "b"]),
        (run(&["a"]), run(&[]), &["a"]),
        (run(&["a"]), silent(), &[]),
        (silent(), run(&[]), &[]),
    ];
    for (first, again, expected) in table {
        assert_eq!(differing(&first, &again).into_iter().collect::<Vec<_>>(), expected, "{first:?} {again:?}");
    }
}

#[test]
fn failed_tests_are_run_alone_where_their_runner_can() {
    let only = Check { only: "pytest {ids}".to_owned(), ..Check::default() };
    let many: Vec<String> = (0..60).map(|n| format!("t{n}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let table = [
        (&only, run(&["a.py::t", "b[x y]"]), Some("pytest a.py::t 'b[x y]'")),
        (&only, silent(), None),
        (&only, run(&["flaky", "a"]), Some("pytest a")),
        (&only, run(&many), None),
        (&Check::default(), run(&["a"]), Some("alone a")),
        (&Check::default(), run(&["a", "b"]), Some("set -e\nalone a\nalone b")),
        (&Check::default(), run(&["a", "b", "c", "d", "e", "f"]), None),
    ];
    let flaky = BTreeSet::from(["flaky".to_owned()]);
    for (check, run, expected) in table {
        assert_eq!(alone(check, &run, &flaky).as_deref(), expected, "{run:?}");
    }
}
