//! Does `mimi fix` make a check pass, and say truly when it does not?

use mimi::protocol::event::Record;

use super::{scripted, types};
use crate::support::{Env, Outcome};

/// Fails until the file says `good`, and shows what it says.
const CHECK: &str = "cat answer.txt; grep -q good answer.txt";

const WRITES_GOOD: &str = "{name: write_file, arguments: {path: answer.txt, content: \"good\\n\"}}";
const WRITES_BETTER: &str = "{name: write_file, arguments: {path: answer.txt, content: \"better\\n\"}}";

/// A project whose check fails, and a model that says these turns.
fn red(turns: &str) -> Env {
    let env = scripted(&format!("turns: {turns}"));
    env.write("answer.txt", "bad\n");
    env
}

fn fix(env: &Env, arguments: &[&str]) -> Outcome {
    env.run(["fix", "--test", CHECK].iter().chain(arguments).copied()).outcome()
}

fn reads_and(call: &str) -> String {
    format!("{{calls: [{{name: read_file, arguments: {{path: answer.txt}}}}, {call}]}}")
}

#[test]
fn what_passes_is_left_alone() {
    let env = red("[]");
    env.write("answer.txt", "good\n");
    let expected =
        format!("nothing to fix: `{CHECK}` passes\n------- stderr -------\ncheck `{CHECK}` passes ([TIME])\n");
    assert_eq!(fix(&env, &[]).to_string(), expected);
    assert_eq!(fix(&env, &["--quiet"]).to_string(), format!("nothing to fix: `{CHECK}` passes\n"));
    // No agent was needed, so there is no session, and no model either.
    assert_eq!(env.run(["session", "list", "--all", "--json"]).outcome().stdout, "[]\n");
    let outcome = fix(&env, &["--set", "server.url=http://127.0.0.1:1/v1", "--model", "auto/x"]);
    assert_eq!(outcome.code, 0, "{outcome}");
}

#[test]
fn red_turns_green() {
    let env = red(&format!("[{}, {{say: It said bad.}}]", reads_and(WRITES_GOOD)));
    let expected = format!(
        "fixed in 1 round: `{CHECK}` passes\n\nIt said bad.\n------- stderr -------\n\
         check `{CHECK}` fails with exit code 1 ([TIME])\n\
         - Read answer.txt: 1 line ([TIME])\n\
         - Wrote answer.txt: replaced, 1 line ([TIME])\n    @@ -1 +1 @@\n    -bad\n    +good\n\
         check `{CHECK}` passes ([TIME])\n"
    );
    assert_eq!(fix(&env, &[]).to_string(), expected);
    assert_eq!(env.read("answer.txt"), "good\n");
}

#[test]
fn the_second_round_is_told_what_is_still_wrong() {
    let env = red(&format!(
        "[{}, {{say: Done., expect: ''}}, {{expect: [still fails after your changes, better], calls: [{WRITES_GOOD}]}}, {{say: Now.}}]",
        reads_and(WRITES_BETTER)
    ));
    let outcome = fix(&env, &[]).success();
    assert_eq!(outcome.stdout, format!("fixed in 2 rounds: `{CHECK}` passes\n\nNow.\n"));
}

#[test]
fn a_check_that_stays_red_is_said_with_its_output() {
    let env = red("[{say: It is fine.}, {say: 'It is fine, really.'}]");
    let outcome = fix(&env, &["--max-rounds", "2"]).fails_with(1);
    assert_eq!(outcome.stdout, "");
    let expected = format!(
        "error: the check `{CHECK}` still fails after 2 rounds\ncaused by: bad\n\
         hint: give it more rounds: mimi fix --max-rounds 10\n"
    );
    assert!(outcome.stderr.ends_with(&expected), "{outcome}");
}

#[test]
fn a_refusal_ends_it_and_names_the_rule_that_helps() {
    let turns = "[{calls: [{name: shell, arguments: {command: tee answer.txt <<< good}}]}, {say: I may not.}]";
    // In a sandbox it would need no approval.
    let outcome = fix(&red(turns), &["--sandbox", "none"]).fails_with(5);
    let rule = "shell:tee answer.txt <<< good";
    let expected = format!(
        "error: the check `{CHECK}` still fails after 1 round; the agent needed an approval nobody could give\n\
         hint: allow it: mimi fix --allow '{rule}'\n"
    );
    assert!(outcome.stderr.ends_with(&expected), "{outcome}");
    fix(&red(turns), &["--sandbox", "none", "--allow", rule]).success();
}

#[test]
fn the_check_itself_may_be_run_by_the_agent() {
    let call = format!("{{name: shell, arguments: {{command: \"{CHECK}\"}}}}");
    let env = red(&format!("[{}, {{calls: [{call}]}}, {{say: ok}}]", reads_and(WRITES_GOOD)));
    let outcome = fix(&env, &[]).success();
    assert!(outcome.stderr.contains(&format!("- Ran {CHECK}: 1 line")), "{outcome}");
}

#[test]
fn a_limit_ends_it_with_the_work_kept() {
    let env = red(&format!("[{}, {{say: more}}]", reads_and(WRITES_BETTER)));
    let outcome = fix(&env, &["--set", "agent.max_steps=1"]).fails_with(7);
    let expected = format!(
        "error: the check `{CHECK}` still fails after 1 round; stopped at a limit: \
         1 model request in one turn (agent.max_steps)\ncaused by: better\n"
    );
    assert!(outcome.stderr.ends_with(&expected), "{outcome}");
    assert_eq!(env.read("answer.txt"), "better\n");
    // A limit that is reached just after the work was done is no failure.
    let env = red(&format!("[{}]", reads_and(WRITES_GOOD)));
    fix(&env, &["--set", "agent.max_steps=1"]).success();
}

#[test]
fn a_model_that_dies_in_the_middle_leaves_the_edits() {
    let env = red(&format!("[{}, {{error: {{status: 400, body: gone}}}}]", reads_and(WRITES_BETTER)));
    let outcome = fix(&env, &[]).fails_with(4);
    let end = "error: the model server at script refused the request (400): gone\nhint: mimi doctor\n";
    assert!(outcome.stderr.ends_with(end), "{outcome}");
    assert_eq!(outcome.stderr.matches("error:").count(), 1, "{outcome}");
    assert_eq!(env.read("answer.txt"), "better\n");
}

#[test]
fn a_check_that_cannot_be_run_is_no_red_check() {
    let env = red("[]");
    let table = [
        (
            "nosuchprogram --all",
            "cannot be run: bash: line 1: nosuchprogram: command not found",
            "name another: mimi fix --test 'COMMAND'",
        ),
        ("./answer.txt", "cannot be run: it is not executable", "name another: mimi fix --test 'COMMAND'"),
        (
            "./gone.sh",
            "cannot be run: bash: line 1: ./gone.sh: No such file or directory",
            "name another: mimi fix --test 'COMMAND'",
        ),
        (
            "read line; sleep 600 & wait",
            "did not end within 1 seconds",
            "give it longer: mimi fix --set fix.test_timeout_s=3600",
        ),
    ];
    for (command, problem, hint) in table {
        let outcome = env.run(["fix", "--test", command, "--set", "fix.test_timeout_s=1"]).outcome();
        let expected = format!("error: the check `{command}` {problem}\nhint: {hint}\n");
        assert_eq!((outcome.stderr.as_str(), outcome.code), (expected.as_str(), 8), "{outcome}");
    }
    let outcome = env.run(["fix", "--test", " "]).outcome();
    assert_eq!(
        outcome.to_string(),
        "------- stderr -------\nerror: the check is empty\nhint: name it: mimi fix --test 'make check'\n[exit code: 2]"
    );
}

#[test]
fn the_check_is_found_by_the_files_of_the_project() {
    let table: [(&[(&str, &str)], &str); 12] = [
        (&[("Cargo.toml", "")], "cargo test"),
        (&[("go.mod", "")], "go test ./..."),
        (&[("package.json", r#"{"scripts": {"test": "jest"}}"#)], "npm test --silent"),
        (&[("pyproject.toml", "")], "python -m pytest -q"),
        (&[("setup.py", "")], "python -m pytest -q"),
        (&[("pytest.ini", "")], "python -m pytest -q"),
        (&[("gradlew", "")], "./gradlew test --console=plain"),
        (&[("pom.xml", "")], "mvn -q -B test"),
        (&[("Makefile", "test: all\n")], "make test"),
        (&[("Makefile", "test:\n"), ("Cargo.toml", "")], "cargo test"),
        (&[("package.json", "{}"), ("Makefile", "test:\n")], "make test"),
        (&[("package.json", "{}"), ("sub/Cargo.toml", "")], ""),
    ];
    for (files, expected) in table {
        let env = scripted("turns: []");
        files.iter().for_each(|(name, text)| drop(env.write(name, text)));
        let outcome = env.run(["fix", "--detect"]).outcome();
        if expected.is_empty() {
            let problem = "error: no check was found in `[WORK]`\nhint: name it: mimi fix --test 'make check'\n";
            assert_eq!((outcome.stderr.as_str(), outcome.code), (problem, 8), "{files:?}");
        } else {
            assert_eq!(outcome.to_string(), format!("{expected}\n"), "{files:?}");
        }
    }
}

#[test]
fn flags_come_before_settings_and_settings_before_detection() {
    let env = scripted("turns: []");
    env.write("Cargo.toml", "");
    let config = std::fs::read_to_string(env.home().join(".config/mimi/config.yaml")).unwrap();
    env.write_home(".config/mimi/config.yaml", config + "fix: {test_command: make all}\n");
    assert_eq!(env.run(["fix", "--detect"]).outcome().stdout, "make all\n");
    assert_eq!(env.run(["fix", "--detect", "--test", "true"]).outcome().stdout, "true\n");
}

#[test]
fn programs_can_follow() {
    let env = red(&format!("[{}, {{say: It said bad.}}]", reads_and(WRITES_GOOD)));
    let outcome = fix(&env, &["--json"]).success();
    assert_eq!(outcome.stderr, "");
    let types = types(&outcome);
    assert_eq!((types[0].as_str(), types[1].as_str()), ("check_done", "turn_started"));
    assert_eq!(types[types.len() - 3..], ["turn_done", "check_done", "fix_report"]);
    let lines = outcome.json_lines();
    let (first, last) = (&lines[0], &lines[lines.len() - 2]);
    assert_eq!(
        (&first["is_green"], &first["ending"], &first["round"]),
        (&false.into(), &"exit code 1".into(), &0.into())
    );
    assert_eq!((&last["is_green"], &last["round"], &last["output"]), (&true.into(), &1.into(), &"good\n".into()));
    for (line, name) in
        outcome.raw_stdout.lines().zip(&types).filter(|(_, name)| !matches!(name.as_str(), "check_done" | "fix_report"))
    {
        serde_json::from_str::<Record>(line).unwrap_or_else(|error| panic!("{name}: {error}: {line}"));
    }
}
