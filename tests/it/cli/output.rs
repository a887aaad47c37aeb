//! Is output coloured where it is wanted and nowhere else, and is it always harmless?

use super::{run_task, scripted};
use crate::support::Env;
use crate::support::pty::Pty;

const READS: &str = "turns: [{calls: [{name: list_files}]}, {say: \"ok\\n\"}]";

fn is_coloured(text: &str) -> bool {
    text.contains("\u{1b}[")
}

fn user(settings: &str) -> Env {
    let env = scripted(READS);
    let path = env.home().join(".config/mimi/config.yaml");
    env.write(&path, std::fs::read_to_string(&path).unwrap() + settings);
    env
}

#[test]
fn colour_follows_flag_then_settings_then_environment() {
    type Case = (&'static str, &'static [(&'static str, &'static str)], &'static str, bool);
    let table: [Case; 11] = [
        ("a pipe", &[], "", false),
        ("NO_COLOR", &[("NO_COLOR", "1")], "", false),
        ("an empty NO_COLOR", &[("NO_COLOR", ""), ("CLICOLOR_FORCE", "1")], "", true),
        ("forced", &[("CLICOLOR_FORCE", "1")], "", true),
        ("not forced", &[("CLICOLOR_FORCE", "0")], "", false),
        ("both", &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], "", false),
        ("flag against NO_COLOR", &[("NO_COLOR", "1")], "--color=always", true),
        ("flag against force", &[("CLICOLOR_FORCE", "1")], "--color=never", false),
        ("auto on a pipe", &[], "--color=auto", false),
        ("settings", &[], "--set=ui.color=always", true),
        ("settings against force", &[("CLICOLOR_FORCE", "1")], "--set=ui.color=never", false),
    ];
    for (case, variables, flag, expected) in table {
        let env = user("");
        let mut run = env.run(["run", "x"].into_iter().chain((!flag.is_empty()).then_some(flag))).without("NO_COLOR");
        for (name, value) in variables {
            run = run.env(name, *value);
        }
        let outcome = run.outcome().success();
        assert_eq!(is_coloured(&outcome.raw_stderr), expected, "{case}: {outcome:?}");
        assert_eq!(outcome.raw_stdout, "ok\n", "{case}");
    }
}

#[test]
fn the_flag_comes_before_the_settings_and_failures_are_coloured_too() {
    let env = user("ui: {color: always}\n");
    assert!(is_coloured(&run_task(&env, &[]).raw_stderr));
    assert!(!is_coloured(&run_task(&env, &["--color", "never"]).raw_stderr));
    let fault = run_task(&env, &["--color", "always", "--allow", "?"]).fails_with(2);
    assert!(fault.raw_stderr.starts_with("\u{1b}[31merror:\u{1b}[0m the rule"), "{fault:?}");
}

#[test]
fn on_a_terminal_there_is_colour_unless_it_is_dumb() {
    for (term, expected) in [("xterm-256color", true), ("dumb", false)] {
        let mut env = user("");
        env.set("NO_COLOR", "").set("TERM", term);
        let mut pty = Pty::start(&env, ["run", "x"]);
        assert_eq!(pty.wait_exit(), 0);
        let raw = String::from_utf8_lossy(pty.raw()).into_owned();
        assert_eq!(is_coloured(&raw), expected, "{term}: {raw}");
    }
}

#[test]
fn what_the_model_and_its_tools_say_cannot_steer_the_terminal() {
    let turns = "turns: [{say: \"a\\e]0;owned\\a\\e[2Jb\\u202Ec\\n\", calls: [{name: \"x\\e[2J\"}, {name: read_file, arguments: {path: \"\\e[2J\"}}]}, {say: ok}]";
    let outcome = run_task(&scripted(turns), &[]).success();
    assert_eq!(outcome.stdout, "a\\x1b]0;owned\\x07\\x1b[2Jb\\u{202e}c\nok\n");
    assert!(!outcome.raw_stderr.contains('\u{1b}'), "{outcome:?}");
}
