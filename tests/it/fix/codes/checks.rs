//! What when the check itself is the trouble?

use super::{ends, fix, make_executable, program, read, red, write, writes};

#[test]
fn it_hangs() {
    let env = red("[]");
    let outcome = env.run(["fix", "--test", "sleep 600 & wait", "--set", "fix.test_timeout_s=1"]).outcome();
    ends(&env, &outcome, 8, &["did not end within 1 seconds", "fix.test_timeout_s=3600"]);
}

#[test]
fn it_hangs_after_a_change() {
    let env = red(&format!("[{}]", writes(&[("answer.txt", "loop\n")])));
    let check = "grep -q loop answer.txt && sleep 600; grep -q good answer.txt";
    let outcome = env.run(["fix", "--test", check, "--max-rounds", "1", "--set", "fix.test_timeout_s=1"]).outcome();
    ends(&env, &outcome, 1, &["still fails after 1 round", "did not end within 1 seconds"]);
}

#[test]
fn it_kills_itself() {
    let env = red("[{say: no}]");
    let outcome = env.run(["fix", "--test", "echo oh; kill -9 $$", "--max-rounds", "1"]).outcome();
    ends(&env, &outcome, 1, &["fails with signal 9", "caused by: oh"]);
}

#[test]
fn it_is_not_executable() {
    let env = red("[]");
    let outcome = env.run(["fix", "--test", "./answer.txt"]).outcome();
    ends(&env, &outcome, 8, &["it is not executable"]);
}

#[test]
fn its_program_does_not_exist() {
    let env = red("[]");
    let outcome = env.run(["fix", "--test", "nosuchprogram --all"]).outcome();
    ends(&env, &outcome, 8, &["nosuchprogram: command not found"]);
}

#[test]
fn none_is_found() {
    let env = red("[]");
    let outcome = env.run(["fix"]).outcome();
    ends(&env, &outcome, 8, &["no check was found in `[WORK]`", "hint: name it: mimi fix --test 'make check'"]);
}

#[test]
fn the_program_of_the_one_that_is_found_is_missing() {
    let env = red("[]");
    env.write("phpunit.xml", "<phpunit/>");
    let bin = env.home().join("bin");
    std::fs::create_dir(&bin).unwrap();
    let outcome = env.run(["fix", "--sandbox", "none"]).env("PATH", bin.display().to_string()).outcome();
    ends(&env, &outcome, 8, &["it needs `phpunit`, which is not on PATH", "hint: install `phpunit`"]);
}

#[test]
fn the_build_was_broken_and_stays_so() {
    let env = red("[{say: no}]");
    let check = "echo 'src/a.c:3:1: error: expected expression'; exit 2";
    let outcome = env.run(["fix", "--test", check, "--max-rounds", "1"]).outcome();
    ends(&env, &outcome, 8, &["the project did not build before, and does not after 1 round"]);
}

#[test]
fn a_build_that_was_asked_for_fails_as_any_check() {
    let env = red("[{say: no}]");
    let check = "echo 'src/a.c:3:1: error: expected expression'; exit 2";
    let outcome = env.run(["fix", "--build", check, "--test", "true", "--max-rounds", "1"]).outcome();
    ends(&env, &outcome, 1, &["still fail after 1 round"]);
}

/// Fails every other time it runs.
const FLAKY: &str = "n=$(cat n 2>/dev/null || echo 0); echo $((n + 1)) > n; if [ $((n % 2)) = 0 ]; then echo 'not ok 1 moody'; exit 1; fi";

#[test]
fn it_passes_when_it_runs_again() {
    let env = red("[]");
    let outcome = env.run(["fix", "--test", FLAKY]).outcome();
    ends(&env, &outcome, 9, &["passes", "only flaky failures in", "moody", "with nothing changed in between"]);
}

#[test]
fn one_test_is_moody_and_another_fails_for_good() {
    let env = red(&format!("[{}]", writes(&[("answer.txt", "good\n")])));
    let check = "n=$(cat n 2>/dev/null || echo 0); echo $((n + 1)) > n; code=0
        if [ $n = 0 ]; then echo 'not ok 1 moody'; code=1; fi
        if ! grep -q good answer.txt; then echo 'not ok 2 sure'; code=1; fi; exit $code";
    let outcome = env.run(["fix", "--test", check]).outcome();
    ends(&env, &outcome, 0, &["fixed in 1 round"]);
}

#[test]
fn ten_thousand_tests_fail() {
    let env = red("[{say: no}]");
    let check = "for i in $(seq 10000); do echo \"not ok $i case number $i\"; done; exit 1";
    let outcome = env.run(["fix", "--test", check, "--max-rounds", "1"]).outcome();
    ends(&env, &outcome, 1, &["and 9990 more", "still fails after 1 round"]);
    assert!(outcome.stderr.len() < 20_000, "{} bytes", outcome.stderr.len());
}

#[test]
fn it_prints_a_megabyte_without_a_line_end() {
    let env = red("[{say: no}]");
    let outcome =
        env.run(["fix", "--test", "head -c 1000000 /dev/zero | tr '\\0' x; exit 3", "--max-rounds", "1"]).outcome();
    ends(&env, &outcome, 1, &["fails with exit code 3"]);
    assert!(outcome.stderr.len() < 20_000, "{} bytes", outcome.stderr.len());
}

#[test]
fn its_report_is_broken() {
    let env = red("[{say: no}]");
    let script = "mkdir -p build/test-results/test; echo '<testsuite><testcase name=\"a\">' > build/test-results/test/a.xml; echo '<oh' >> build/test-results/test/a.xml; echo failed; exit 1";
    program(&env, "gradlew", script);
    let outcome = env.run(["fix", "--max-rounds", "1"]).outcome();
    ends(&env, &outcome, 1, &["warning: the report `build/test-results/test/a.xml` cannot be read: its XML is broken"]);
}

#[test]
fn its_report_says_what_its_output_does_not() {
    let env = red(&format!("[{{expect: [adds it, expected 2], say: no}}, {{say: {}}}]", "no"));
    let xml = "<testsuite><testcase classname=\"Calc\" name=\"adds it\"><failure message=\"expected 2\">x</failure></testcase></testsuite>";
    program(
        &env,
        "gradlew",
        &format!("mkdir -p build/test-results/test; echo '{xml}' > build/test-results/test/a.xml; echo failed; exit 1"),
    );
    let outcome = env.run(["fix", "--max-rounds", "1"]).outcome();
    ends(&env, &outcome, 1, &["adds it"]);
}

#[test]
fn the_report_of_any_check_can_be_named() {
    let env = red("[{expect: [it is bad], say: no}]");
    let sarif = r#"{"version": "2.1.0", "runs": [{"results": [{"ruleId": "R1", "level": "error", "message": {"text": "it is bad"}, "locations": [{"physicalLocation": {"artifactLocation": {"uri": "a.c"}, "region": {"startLine": 3}}}]}]}]}"#;
    let check = format!("echo '{sarif}' > out.sarif; exit 1");
    let outcome = env.run(["fix", "--lint", &check, "--failures-from", "*.sarif", "--max-rounds", "1"]).outcome();
    ends(&env, &outcome, 1, &["a.c:3: [R1] it is bad"]);
}

#[test]
fn several_checks_are_run_in_their_order_and_all_must_pass() {
    let env = red(&format!("[{}]", writes(&[("answer.txt", "good\n")])));
    let outcome = env.run(["fix", "--lint", "true", "--test", "grep -q good answer.txt", "--test", "true"]).outcome();
    ends(&env, &outcome, 0, &["fixed in 1 round: `true`, `grep -q good answer.txt` and `true` pass"]);
}

#[test]
fn what_a_check_leaves_behind_is_nobodys_change() {
    let env = red(&format!("[{{calls: [{}, {}]}}, {{say: done}}]", read("answer.txt"), write("answer.txt", "good\n")));
    env.git_init();
    let outcome = env.run(["fix", "--test", "date > stamp; grep -q good answer.txt"]).outcome();
    ends(&env, &outcome, 0, &["fixed in 1 round"]);
    assert!(env.work().join("stamp").exists() && !outcome.stderr.contains("dropped"), "{outcome}");
}

#[test]
fn an_approval_is_missing() {
    let turns = "[{calls: [{name: shell, arguments: {command: tee answer.txt <<< good}}]}, {say: I may not.}]";
    let env = red(turns);
    let outcome = fix(&env, &["--sandbox", "none"]);
    ends(&env, &outcome, 5, &["needed an approval nobody could give", "--allow 'shell:tee"]);
}

#[test]
fn there_is_no_sandbox() {
    let env = red("[]");
    let bin = env.home().join("bin");
    std::fs::create_dir(&bin).unwrap();
    std::os::unix::fs::symlink("/bin/bash", bin.join("bash")).unwrap();
    let outcome =
        env.run(["fix", "--test", "false", "--sandbox", "full"]).env("PATH", bin.display().to_string()).outcome();
    ends(&env, &outcome, 6, &["--sandbox none"]);
}

#[test]
fn the_command_line_is_wrong() {
    let env = red("[]");
    for (arguments, words) in [
        (&["--test", " "][..], "the check is empty"),
        (&["--max-time", "soon"], "a time is written like [TIME], 20m or 2h"),
        (&["--max-cost", "-1"], "error:"),
        (&["--nonsense"], "--nonsense"),
    ] {
        let outcome = env.run(["fix"].iter().chain(arguments).copied()).outcome();
        ends(&env, &outcome, 2, &[words]);
    }
}

#[test]
fn the_configuration_is_wrong() {
    let env = red("[]");
    let config = env.read(env.home().join(".config/mimi/config.yaml"));
    for (more, words) in [
        ("fix: {checks: [make test]}\n", "does not say what it is for"),
        ("fix: {max_rounds: many}\n", "fix.max_rounds"),
    ] {
        env.write_home(".config/mimi/config.yaml", config.clone() + more);
        ends(&env, &env.run(["fix"]).outcome(), 3, &[words]);
    }
    let script = env.write("ok.sh", "");
    make_executable(&script);
}
