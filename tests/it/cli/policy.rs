//! Does a person see which rules hold, why a command is judged as it is, and what is wrong with a file of rules?

use super::{json, run_task, scripted};
use crate::support::{Env, machine_confines};

const RULES: &str = ".config/mimi/policy.yaml";

const MAKE: &str = "rules:
  - allow: [make, [test, lint]]
    where: any
    match: [make test]
    not_match: [make, make install]
";

fn user_rules(env: &Env, text: &str) {
    let file = env.home().join(RULES);
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(file, text).unwrap();
}

#[test]
fn rules_are_listed_with_where_they_stand() {
    let env = Env::new();
    user_rules(&env, MAKE);
    env.write(
        ".mimi/policy.yaml",
        "rules:\n  - ask: [git, push, \"...\"]\n    match: [git push]\n    not_match: [git status]\n",
    );
    let listed = json(&env.run(["policy", "list", "--json"]).outcome().success());
    let find =
        |rule: &str| listed.as_array().unwrap().iter().find(|row| row["rule"] == rule).cloned().unwrap_or_default();
    let make = find("make (test|lint)");
    assert_eq!((&make["verdict"], &make["where"]), (&"allow".into(), &"any".into()));
    assert!(make["origin"].as_str().unwrap().ends_with("policy.yaml line 2"), "{make}");
    assert_eq!(find("git push ...")["verdict"], "ask");
    let text = env.run(["policy", "list"]).outcome().success();
    assert!(text.stdout.contains("allow make (test|lint)\n") && text.stdout.contains("deny "), "{text}");
}

#[test]
fn a_command_is_judged_and_explained() {
    let env = Env::new();
    user_rules(&env, MAKE);
    let table = [
        ("ls", "allow: every command in it only looks or is covered by a rule\n"),
        ("make test && ls", "allow: every command in it only looks or is covered by a rule\n"),
        ("make", "ask: `make` may do more than look\n"),
        ("rm -rf /", "deny: it removes the root, the home folder or a part of the system\n"),
    ];
    for (command, expected) in table {
        assert_eq!(env.run(["policy", "test", command]).outcome().success().stdout, expected, "{command}");
    }
    let test = json(&env.run(["policy", "test", "--json", "make"]).outcome().success());
    assert_eq!(test["verdict"], "ask");
    let explained = json(&env.run(["policy", "explain", "--json", "ls && make test && make"]).outcome().success());
    let verdicts: Vec<&str> =
        explained["parts"].as_array().unwrap().iter().map(|part| part["verdict"].as_str().unwrap()).collect();
    assert_eq!(verdicts, ["allow", "allow", "ask"]);
    assert_eq!(explained["rules"][0], "shell:ls && make test && make");
    let text = env.run(["policy", "explain", "make test"]).outcome().success();
    assert!(text.stdout.contains("make test: the rule `make (test|lint)`"), "{text}");
}

#[test]
fn a_file_that_is_wrong_stops_everything_and_names_the_line() {
    let env = scripted("turns: [{say: hi}]");
    user_rules(&env, &MAKE.replace("[make test]", "[make all]"));
    for outcome in [run_task(&env, &[]), env.run(["policy", "list"]).outcome(), env.run(["config", "check"]).outcome()]
    {
        assert_eq!(outcome.code, 3, "{outcome}");
        assert!(outcome.stderr.contains("line 2: the rule does not match its own example `make all`"), "{outcome}");
        assert!(outcome.stderr.contains("hint: $EDITOR +2 "), "{outcome}");
    }
}

#[test]
fn a_project_can_only_narrow() {
    let env = scripted("turns: [{say: hi}]");
    env.write(".mimi/policy.yaml", MAKE);
    let outcome = run_task(&env, &[]).fails_with(3);
    assert!(outcome.stderr.contains("line 2: a project may only ask and refuse"), "{outcome}");
    let env = scripted("turns: [{calls: [{name: shell, arguments: {command: ls}}]}, {say: Hm.}]");
    env.write(
        ".mimi/policy.yaml",
        "rules:\n  - deny: [ls, \"...\"]\n    why: nobody looks here\n    match: [ls]\n    not_match: [cat x]\n",
    );
    let outcome = run_task(&env, &["--allow", "shell:ls"]).success();
    assert!(outcome.stderr.starts_with("x Run ls: refused: nobody looks here"), "{outcome}");
}

#[test]
fn a_rule_of_the_users_file_lets_a_run_go_on() {
    let env = scripted("turns: [{calls: [{name: shell, arguments: {command: 'tee b.txt <<< x'}}]}, {say: Done.}]");
    user_rules(
        &env,
        "rules:\n  - allow: [tee, \"b.*\"]\n    where: any\n    match: [tee b.txt]\n    not_match: [tee c, tee -a b.txt]\n",
    );
    run_task(&env, &[]).success();
    assert_eq!(env.read("b.txt"), "x\n");
}

#[test]
fn what_was_never_agreed_to_cannot_be_forgotten() {
    let env = Env::new();
    let outcome = env.run(["policy", "forget", "shell:x"]).outcome().fails_with(2);
    assert!(
        outcome.stderr.contains("no rule `shell:x` was agreed to") && outcome.stderr.contains("mimi policy list"),
        "{outcome}"
    );
    assert_eq!(json(&env.run(["policy", "forget", "--all", "--json"]).outcome().success()), serde_json::json!([]));
}

#[test]
fn in_auto_mode_a_run_needs_no_rule_for_what_is_confined_and_one_for_everything_where_nothing_confines() {
    let call = |command: &str| {
        format!("turns: [{{calls: [{{name: shell, arguments: {{command: '{command}'}}}}]}}, {{say: Done.}}]")
    };
    if machine_confines() {
        let env = scripted(&call("touch made.txt && ls"));
        run_task(&env, &["--mode", "auto"]).success();
        assert!(env.work().join("made.txt").exists());
        let env = scripted(&call("curl -s http://127.0.0.1:1/"));
        let outcome = run_task(&env, &["--mode", "auto"]).fails_with(5);
        assert!(outcome.stderr.contains("it needs the network for `curl`, and the sandbox has none"), "{outcome}");
        assert!(outcome.stderr.contains("--allow 'shell:curl -s http://127.0.0.1:1/'"), "{outcome}");
        let told = env.run(["policy", "test", "--mode", "auto", "make"]).outcome().success().stdout;
        assert!(told.starts_with("allow: it is confined (") && told.contains("mode `auto`"), "{told}");
    }
    let env = scripted(&call("touch made.txt && ls"));
    let outcome = run_task(&env, &["--mode", "auto", "--sandbox", "none"]).fails_with(5);
    assert!(outcome.stderr.contains("`touch` may do more than look, and nothing confines it here"), "{outcome}");
    assert!(outcome.stderr.contains("--allow 'shell:touch made.txt && ls'"), "{outcome}");
    assert!(!env.work().join("made.txt").exists());
}
