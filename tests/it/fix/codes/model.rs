//! What when the model does what it must not, or nothing?

use super::{ends, fix, program, read, red, write, writes};
use crate::support::{Env, Outcome};

/// A project in another language than the check's own: tests of a shell script.
const TEST: &str = "@test \"two\" {\n  [ \"$(bash add.sh 1 1)\" = 2 ]\n}\n";

/// A test that fails, run by a small runner of the project's own.
fn tested(turns: &str) -> Env {
    let env = red(turns);
    env.write("add.sh", "echo $(($1 - $2))\n");
    env.write("tests/add.bats", TEST);
    program(
        &env,
        "bin/bats",
        "sed -n 's/^  \\[/[/p' \"$1\" > /tmp/t; while read -r line; do eval \"$line\" || { echo \"not ok 1 two\"; exit 1; }; done < /tmp/t",
    );
    env
}

fn run(env: &Env, arguments: &[&str]) -> Outcome {
    let rounds = if arguments.contains(&"--max-rounds") { &[][..] } else { &["--max-rounds", "1"] };
    let fixed = ["fix", "--test", "bin/bats tests/add.bats"];
    env.run(fixed.iter().chain(rounds).chain(arguments).copied()).outcome()
}

#[test]
fn it_edits_the_test() {
    let env = tested(&format!("[{}]", writes(&[("tests/add.bats", &TEST.replace("= 2", "= 0"))])));
    let outcome = run(&env, &[]);
    ends(&env, &outcome, 1, &["taken back: tests/add.bats: an assertion was changed or removed", "(--allow-tests)"]);
    assert_eq!(env.read("tests/add.bats"), TEST);
}

#[test]
fn it_edits_the_test_and_may() {
    let env = tested(&format!("[{}]", writes(&[("tests/add.bats", &TEST.replace("= 2", "= 0"))])));
    let outcome = run(&env, &["--allow-tests"]);
    ends(&env, &outcome, 0, &["fixed in 1 round"]);
}

#[test]
fn it_deletes_the_test_and_mends_nothing() {
    let delete = "{calls: [{name: shell, arguments: {command: rm tests/add.bats}}]}, {say: done}";
    let env = tested(&format!("[{delete}]"));
    let outcome = run(&env, &["--allow", "shell:rm *"]);
    ends(&env, &outcome, 1, &["taken back: tests/add.bats: 1 tests of 1 are gone"]);
    assert_eq!(env.read("tests/add.bats"), TEST);
}

#[test]
fn it_skips_the_test() {
    let env = tested(&format!("[{}]", writes(&[("tests/add.bats", &TEST.replace("{\n", "{\n  skip\n"))])));
    let outcome = run(&env, &[]);
    ends(&env, &outcome, 1, &["a test is skipped, or ends early"]);
    assert_eq!(env.read("tests/add.bats"), TEST);
}

#[test]
fn it_changes_the_runner_of_the_check() {
    let env = tested(&format!("[{}]", writes(&[("bin/bats", "#!/bin/bash\nexit 0\n")])));
    let before = env.read("bin/bats");
    let outcome = run(&env, &[]);
    ends(&env, &outcome, 1, &["taken back: bin/bats: it is the check itself"]);
    assert_eq!(env.read("bin/bats"), before);
}

#[test]
fn only_the_breach_is_taken_back_and_the_model_is_told_of_it() {
    let broken = writes(&[("tests/add.bats", &TEST.replace("= 2", "= 0")), ("add.sh", "echo $(($1 * $2))\n")]);
    let mended = writes(&[("add.sh", "echo $(($1 + $2))\n")]);
    let mended = mended.replacen("{calls", "{expect: [were taken back, 'tests/add.bats: an assertion'], calls", 1);
    let env = tested(&format!("[{broken}, {mended}]"));
    let outcome = run(&env, &["--max-rounds", "2"]);
    ends(&env, &outcome, 0, &["taken back: tests/add.bats", "fixed in 2 rounds"]);
    assert_eq!((env.read("tests/add.bats").as_str(), env.read("add.sh").as_str()), (TEST, "echo $(($1 + $2))\n"));
}

#[test]
fn it_touches_a_lockfile() {
    let files = [("Cargo.lock", "new\n"), ("answer.txt", "good\n")];
    let env = red(&format!("[{}]", writes(&files)));
    env.write("Cargo.lock", "old\n");
    let outcome = fix(&env, &[]);
    ends(&env, &outcome, 0, &["taken back: Cargo.lock: it is a lockfile (--allow-lockfiles)", "fixed in 1 round"]);
    assert_eq!(env.read("Cargo.lock"), "old\n");
}

#[test]
fn it_touches_the_ci() {
    let env = red(&format!("[{}]", writes(&[("azure-pipelines.yml", "new\n")])));
    env.write("azure-pipelines.yml", "old\n");
    let outcome = fix(&env, &["--max-rounds", "1"]);
    ends(&env, &outcome, 1, &["it belongs to the CI (--allow-ci)"]);
    assert_eq!(env.read("azure-pipelines.yml"), "old\n");
}

#[test]
fn it_leaves_the_paths_it_was_given() {
    let env = red(&format!("[{}]", writes(&[("answer.txt", "good\n")])));
    let outcome = fix(&env, &["--paths", "src/**", "--max-rounds", "1"]);
    ends(&env, &outcome, 1, &["taken back: answer.txt: it is outside of --paths src/**"]);
    assert_eq!(env.read("answer.txt"), "bad\n");
}

#[test]
fn it_repeats_a_call_that_fails() {
    let call = "{calls: [{name: edit_file, arguments: {path: answer.txt, old_string: nowhere, new_string: x}}]}";
    let env = red(&format!("[{{calls: [{}]}}, {call}, {call}, {call}]", read("answer.txt")));
    let outcome = fix(&env, &["--max-rounds", "1"]);
    ends(&env, &outcome, 1, &["still fails after 1 round"]);
}

#[test]
fn it_repeats_a_call_that_works_for_ever() {
    let call = format!("{{calls: [{}]}}", read("answer.txt"));
    let env = red(&format!("[{}]", vec![call; 20].join(", ")));
    let outcome = fix(&env, &["--max-steps", "6"]);
    ends(&env, &outcome, 1, &["stopped at a limit: 6 model requests in all (--max-steps)"]);
}

#[test]
fn it_says_nothing() {
    let env = red("[{say: ''}, {say: ''}, {say: ''}]");
    let outcome = fix(&env, &["--max-rounds", "1"]);
    ends(&env, &outcome, 1, &["still fails after 1 round"]);
}

#[test]
fn it_claims_to_be_done() {
    let env = red("[{say: 'All tests pass now!'}, {say: 'Really.'}]");
    let outcome = fix(&env, &["--max-rounds", "2"]);
    ends(&env, &outcome, 1, &["still fails after 2 rounds"]);
    assert_eq!(env.read("answer.txt"), "bad\n");
}

#[test]
fn it_makes_it_worse_and_the_best_state_comes_back() {
    let check = "for n in 1 2 3; do grep -q fixed$n answer.txt || echo \"not ok $n case $n\"; done; [ $(grep -c fixed answer.txt) = 3 ]";
    let turns = [writes(&[("answer.txt", "fixed1\nfixed2\n")]), writes(&[("answer.txt", "nothing\n")])];
    let env = red(&format!("[{}]", turns.join(", ")));
    let outcome = env.run(["fix", "--test", check, "--max-rounds", "2"]).outcome();
    ends(&env, &outcome, 7, &["what came after the best state was taken back", "2 rounds (--max-rounds)"]);
    assert_eq!(env.read("answer.txt"), "fixed1\nfixed2\n");
}

#[test]
fn it_changes_more_than_is_needed() {
    let files = [("answer.txt", "good\n"), ("extra.txt", "an essay\n"), ("notes.md", "more\n")];
    let env = red(&format!(
        "[{{calls: [{}, {}, {}, {}]}}, {{say: done}}]",
        read("answer.txt"),
        write(files[0].0, files[0].1),
        write(files[1].0, files[1].1),
        write(files[2].0, files[2].1)
    ));
    let outcome = fix(&env, &[]);
    ends(&env, &outcome, 0, &["not needed and dropped: extra.txt, notes.md"]);
    assert!(!env.work().join("extra.txt").exists() && !env.work().join("notes.md").exists());
    assert_eq!(env.read("answer.txt"), "good\n");
}

#[test]
fn it_changes_more_places_than_are_needed() {
    let lines = |first: &str, last: &str| format!("{first}\n{}{last}\n", "same\n".repeat(20));
    let env = red(&format!("[{}]", writes(&[("answer.txt", &lines("good", "else"))])));
    env.write("answer.txt", lines("bad", "end"));
    let outcome = fix(&env, &[]);
    ends(&env, &outcome, 0, &["not needed and dropped: answer.txt:19"]);
    assert_eq!(env.read("answer.txt"), lines("good", "end"));
}
