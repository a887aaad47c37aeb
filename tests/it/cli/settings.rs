//! Are settings shown with their origin, and mistakes in them refused with their place?

use super::{run_task, scripted};
use crate::support::Env;

const FILE: &str = ".config/mimi/config.yaml";

#[test]
fn every_mistake_is_named_with_its_place_and_what_to_type() {
    let table = [
        (
            "agent: {max_step: 3}",
            "unknown key `agent.max_step` ([HOME]/.config/mimi/config.yaml:1:9)\nhint: did you mean `agent.max_steps`?\n",
        ),
        (
            "agents:\n  max_steps: 3",
            "unknown key `agents` ([HOME]/.config/mimi/config.yaml:1:1)\nhint: did you mean `agent`?\n",
        ),
        (
            "agent:\n  max_steps: many",
            "`agent.max_steps` must be a whole number, found text ([HOME]/.config/mimi/config.yaml:2:14)\nhint: mimi config edit\n",
        ),
        (
            "agent: {mode: fast}",
            "`agent.mode` must be one of `plan`, `ask`, `auto` ([HOME]/.config/mimi/config.yaml:1:15)\nhint: mimi config edit\n",
        ),
        (
            "server: http://dgx",
            "`server` must be a map of keys, found text ([HOME]/.config/mimi/config.yaml:1:9)\nhint: mimi config edit\n",
        ),
        ("policy: {allow: [make]}", "the rule `make` is not understood: "),
    ];
    for (text, expected) in table {
        let env = Env::new();
        env.write_home(FILE, text);
        let outcome = run_task(&env, &[]).fails_with(3);
        assert!(outcome.stderr.starts_with(&format!("error: {expected}")), "{text}\n{outcome}");
        assert_eq!(outcome.stdout, "");
    }
}

#[test]
fn broken_yaml_names_the_line() {
    for (text, line) in
        [("server: {url: x", 1), ("server:\n\turl: x", 2), ("a: 1\nb: [1, 2\nc: 3\n", 3), ("- 1\n- 2\n", 1)]
    {
        let env = Env::new();
        env.write_home(FILE, text);
        let outcome = run_task(&env, &[]).fails_with(3);
        assert!(outcome.stderr.contains(&format!("([HOME]/{FILE}:{line}")), "{text}\n{outcome}");
    }
    let env = Env::new();
    env.write_home(FILE, b"server:\n  url: \xff\n");
    let outcome = run_task(&env, &[]).fails_with(3);
    assert!(
        outcome.stderr.starts_with("error: `[HOME]/.config/mimi/config.yaml` is not UTF-8 text (line 2)\n"),
        "{outcome}"
    );
}

#[test]
fn several_mistakes_are_counted_here_and_listed_there() {
    let env = Env::new();
    env.write_home(FILE, "agents: {}\nfixx: {}\n");
    let outcome = run_task(&env, &[]).fails_with(3);
    assert!(outcome.stderr.ends_with("hint: mimi config check lists all 2 problems\n"), "{outcome}");
    let outcome = env.run(["config", "check"]).outcome().fails_with(3);
    for key in ["unknown key `agents`", "unknown key `fixx`"] {
        assert!(outcome.to_string().contains(key), "{outcome}");
    }
}

#[test]
fn a_rule_that_is_not_understood_is_found_wherever_settings_are_read() {
    let env = Env::new();
    env.write_home(FILE, "policy: {deny: ['make it']}");
    let commands: [&[&str]; 3] = [&["run", "x"], &["config", "check"], &["fix", "--detect"]];
    for arguments in commands {
        let outcome = env.run(arguments.to_vec()).outcome().fails_with(3);
        assert!(
            outcome.stderr.starts_with("error: the rule `make it` is not understood: "),
            "{arguments:?}: {outcome}"
        );
        assert!(outcome.stderr.contains("\nhint: rules look like `shell:cargo test`"), "{arguments:?}: {outcome}");
    }
}

#[test]
fn a_project_can_only_narrow() {
    let env = scripted("turns: [{say: ok}]");
    env.write(".mimi/config.yaml", "server: {url: 'http://evil/v1'}");
    let expected = "error: `server.url` cannot be set by a project (.mimi/config.yaml:1:10)\nhint: only you may say so: move \
                    the line to [HOME]/.config/mimi/config.yaml\nhint: mimi config edit\n";
    assert_eq!(run_task(&env, &[]).fails_with(3).stderr, expected);
    // What it may ask for counts once it is trusted, and is named until then.
    let wishes = [
        ("agent: {mode: auto}", "agent.mode"),
        ("policy: {allow: ['shell:*']}", "policy.allow"),
        ("agent:\n  max_steps: 1000", "agent.max_steps"),
    ];
    for (text, key) in wishes {
        let env = scripted("turns: [{say: ok}]");
        env.write(".mimi/config.yaml", text);
        let outcome = run_task(&env, &[]).success();
        let expected = format!("warning: not used, because you have not trusted this project with it: {key}");
        assert!(outcome.stderr.starts_with(&expected), "{outcome}");
    }
    let env = scripted("turns: [{say: ok}]");
    env.write(".mimi/config.yaml", "agent: {max_steps: 5}\npolicy: {deny: ['shell:git push *']}\n");
    run_task(&env, &[]).success();
}

#[test]
fn a_setting_is_shown_with_where_it_comes_from() {
    let mut env = Env::new();
    env.write_home(FILE, "agent: {max_same_failures: 5}\n");
    env.set("MIMI_AGENT_MAX_STEPS", "7");
    let shown = env.run(["config", "show", "--origin", "--set", "fix.max_rounds=2"]).outcome().success();
    for (key, origin) in [
        ("max_steps: 7", "MIMI_AGENT_MAX_STEPS"),
        ("max_same_failures: 5", "[HOME]/.config/mimi/config.yaml:1"),
        ("max_rounds: 2", "command line"),
        ("max_output_tokens: 8192", "default"),
    ] {
        let line = shown.stdout.lines().find(|line| line.contains(key)).unwrap_or_else(|| panic!("{key}: {shown}"));
        assert!(line.contains(origin), "{line}");
    }
    env.run(["config", "check"]).outcome().success();
    let path = env.run(["config", "path"]).outcome().success();
    assert!(path.stdout.contains("[HOME]/.config/mimi/config.yaml"), "{path}");
}

#[test]
fn variables_are_checked_like_files() {
    let table = [
        (
            "MIMI_AGENT_MAX_STEPS",
            "many",
            "error: `agent.max_steps` must be a whole number, found text (MIMI_AGENT_MAX_STEPS)\n",
        ),
        ("MIMI_AGENT_MODE", "fast", "error: `agent.mode` must be one of `plan`, `ask`, `auto` (MIMI_AGENT_MODE)\n"),
        (
            "MIMI_SERVER_URL",
            "dgx:8000",
            "`server.url` must start with http:// or https://, like http://dgx:8000/v1 (MIMI_SERVER_URL)\n",
        ),
    ];
    for (name, value, expected) in table {
        let outcome = Env::new().run(["run", "x"]).env(name, value).outcome().fails_with(3);
        assert!(outcome.stderr.contains(expected), "{name}={value}: {outcome}");
    }
    // A later mimi may know it, so it is no error.
    let outcome = scripted("turns: [{say: ok}]").run(["run", "x"]).env("MIMI_AGENT_MAX_STEP", "3").outcome().success();
    let warning = "warning: the variable `MIMI_AGENT_MAX_STEP` is not a setting and was ignored; did you mean `MIMI_AGENT_MAX_STEPS`?\n";
    assert_eq!(outcome.stderr, warning);
}
