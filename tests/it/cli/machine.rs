//! Does the program cope with machines that lack something?

use super::{run_task, scripted};
use crate::support::{Env, PROGRAM};

const ANSWER: &str = "turns: [{say: ok}]";

#[test]
fn a_home_is_needed_and_asked_for() {
    let env = scripted(ANSWER);
    let table = [(None, "is not set"), (Some(""), "is empty"), (Some("relative"), "is not an absolute path")];
    for (home, problem) in table {
        let run = env.run(["run", "x"]);
        let run = match home {
            Some(home) => run.env("HOME", home),
            None => run.without("HOME"),
        };
        let expected = format!(
            "------- stderr -------\nerror: `HOME` {problem}\nhint: export HOME=/path/to/your/home\n[exit code: 3]"
        );
        assert_eq!(run.outcome().to_string(), expected);
    }
}

#[test]
fn a_home_that_is_not_there_is_made_when_needed() {
    let env = scripted(ANSWER);
    let config = env.home().join(".config").display().to_string();
    let home = env.home().join("new/home");
    let run = env.run(["run", "x"]).env("HOME", home.display().to_string()).env("XDG_CONFIG_HOME", config);
    assert_eq!(run.outcome().to_string(), "ok\n");
    assert!(home.join(".local/state/mimi/sessions").is_dir());
}

#[test]
fn sessions_that_cannot_be_kept_are_said_and_the_work_is_done() {
    let env = scripted(ANSWER);
    env.write("a-file", "");
    // Also where the tests run as root, whom permissions do not stop.
    let places = ["/dev/null".to_owned(), "/proc".to_owned(), env.work().join("a-file").display().to_string()];
    for place in places {
        let outcome = env.run(["run", "x"]).env("XDG_STATE_HOME", &*place).outcome().success();
        assert_eq!(outcome.stdout, "ok\n", "{place}");
        assert!(
            outcome.stderr.starts_with("! this session is not kept, and nothing can be taken back later: "),
            "{place}: {outcome}"
        );
        assert_eq!(outcome.stderr.lines().count(), 1, "{place}: {outcome}");
    }
}

#[test]
fn bytes_that_are_no_text_on_the_command_line_are_wrong_usage() {
    let env = scripted(ANSWER);
    for words in ["run $'caf\\xe9'", "$'\\xff'", "run x --model $'\\xff'", "run x --set $'a=\\xff'"] {
        let outcome = env.program("bash", ["-c", &format!("\"$0\" {words}"), PROGRAM]).outcome().fails_with(2);
        assert!(outcome.stderr.starts_with("error: "), "{words}: {outcome}");
        assert!(!outcome.stderr.contains("bug"), "{words}: {outcome}");
    }
    // A path may hold any bytes.
    let script = "mkdir $'caf\\xe9' && \"$0\" -C $'caf\\xe9' run x";
    assert_eq!(env.program("bash", ["-c", script, PROGRAM]).outcome().success().stdout, "ok\n");
}

#[test]
fn variables_that_are_no_text_do_no_harm() {
    let env = scripted(ANSWER);
    let script = "ODD=$'\\xff' EDITOR=$'\\xff' LANG=$'\\xff' \"$0\" run x";
    assert_eq!(env.program("bash", ["-c", script, PROGRAM]).outcome().to_string(), "ok\n");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let env = scripted("turns: [{say: \"one\\ntwo\\n\", calls: [{name: list_files}]}, {say: \"three\\n\"}]");
    let table = [
        ("run x", "one\n"),
        ("run x --json", ""),
        ("--help", "Coding agent for the terminal that works with your own model server\n"),
        ("completions bash", "_mimi() {\n"),
        ("man", ""),
        ("config show", ""),
        ("doctor --quick", ""),
    ];
    for (words, expected) in table {
        for reader in ["head -n 1", "true"] {
            let script = format!("\"$0\" {words} | {reader}; echo ${{PIPESTATUS[0]}} >&2");
            let outcome = env.program("bash", ["-c", &script, PROGRAM]).outcome().success();
            assert!(outcome.stderr.ends_with("0\n"), "{words} | {reader}: {outcome}");
            assert!(!outcome.stderr.contains("error") && !outcome.stderr.contains("panic"), "{words}: {outcome}");
            assert!(reader == "true" || outcome.stdout.starts_with(expected), "{words}: {outcome}");
        }
    }
}

#[test]
fn closed_streams_do_no_harm() {
    let env = scripted(ANSWER);
    for (redirect, code) in [("2>&-", 0), ("<&-", 0), ("2>/dev/full", 0)] {
        let script = format!("\"$0\" run x {redirect}");
        let outcome = env.program("bash", ["-c", &script, PROGRAM]).outcome().fails_with(code);
        assert_eq!(outcome.stdout, "ok\n", "{redirect}");
    }
    let outcome = env.program("bash", ["-c", "\"$0\" run x >/dev/full", PROGRAM]).outcome().fails_with(1);
    let expected = "error: cannot write to standard output\ncaused by: No space left on device (os error 28)\n";
    assert!(outcome.stderr.ends_with(expected), "{outcome}");
}

#[test]
fn a_narrow_terminal_is_enough() {
    let env = scripted(ANSWER);
    for arguments in
        [vec!["run", "--help"], vec!["fix", "-h"], vec!["doctor", "--quick"], vec!["session", "list"], vec!["run", "x"]]
    {
        let outcome = env.run(arguments.clone()).env("COLUMNS", "20").outcome().success();
        assert!(!outcome.to_string().contains("panic"), "{arguments:?}: {outcome}");
    }
    run_task(&env, &[]).success();
    let help = env.run(["run", "--help"]).env("COLUMNS", "20").outcome();
    // Only words that cannot be broken are wider.
    let is_wide = |line: &&str| {
        line.len() > 20
            && line.trim().trim_start_matches("- ").contains(' ')
            && !line.ends_with("values:")
            && !line.contains("--")
            && !line.starts_with("Usage")
    };
    assert_eq!(help.stdout.lines().find(is_wide), None, "{help}");
}

#[test]
fn the_folder_may_be_gone() {
    let env = Env::new();
    let script = "mkdir gone && cd gone && rmdir ../gone && \"$0\" run x";
    let outcome = env.program("bash", ["-c", script, PROGRAM]).outcome().fails_with(2);
    assert!(outcome.stderr.starts_with("error: the present folder is gone\ncaused by: "), "{outcome}");
}
