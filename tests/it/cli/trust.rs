//! Does what a project brought count only for who trusted it, byte for byte?

use super::{json, run_task, scripted};
use crate::support::Env;

const CONFIG: &str = ".mimi/config.yaml";
const RULES: &str = ".mimi/policy.yaml";

const TEE: &str = "rules:
  - allow: [tee, \"b.*\"]
    where: any
    match: [tee b.txt]
    not_match: [tee c]
";

/// A project whose own rule lets the call of the script run.
fn wishing() -> Env {
    let env = scripted("turns: [{calls: [{name: shell, arguments: {command: 'tee b.txt <<< x'}}]}, {say: Done.}]");
    env.write(RULES, TEE);
    env.write(CONFIG, "fix: {test_command: 'grep -q x b.txt', max_rounds: 2}\n");
    env
}

fn hash(env: &Env) -> String {
    json(&env.run(["trust", "show", "--json"]).outcome().success())["hash"].as_str().unwrap().to_owned()
}

#[test]
fn without_a_person_it_is_ignored_in_one_line_that_says_how_to_trust_it() {
    let env = wishing();
    let outcome = run_task(&env, &[]).fails_with(5);
    let expected = format!(
        "warning: not used, because you have not trusted this project with it: fix.test_command, allow \
         (mimi trust show; for one run: --trust-project {})",
        hash(&env)
    );
    assert_eq!(outcome.stderr.lines().filter(|line| line.contains("trust")).collect::<Vec<_>>(), [expected]);
    assert!(!env.work().join("b.txt").exists());
    let detected = env.run(["fix", "--detect"]).outcome();
    assert!(!detected.stdout.contains("grep"), "{detected}");
}

#[test]
fn the_hash_on_the_command_line_trusts_these_bytes_for_one_run() {
    let env = wishing();
    let hash = hash(&env);
    run_task(&env, &["--trust-project", &hash]).success();
    assert_eq!(env.read("b.txt"), "x\n");
    std::fs::remove_file(env.work().join("b.txt")).unwrap();
    run_task(&env, &[]).fails_with(5);
    let detected = env.run(["fix", "--detect", "--trust-project", &hash]).outcome().success();
    assert!(detected.stdout.contains("  grep -q x b.txt\n"), "{detected}");
    env.write(RULES, TEE.replace("b.*", "*.txt"));
    let outcome = run_task(&env, &["--trust-project", &hash]).fails_with(5);
    assert!(outcome.stderr.contains("(they are not the files --trust-project names: mimi trust show)"), "{outcome}");
    let outcome = run_task(&env, &["--trust-project", "abc"]).fails_with(2);
    assert!(outcome.stderr.contains("takes a hash of 64 characters"), "{outcome}");
}

#[test]
fn what_was_accepted_by_its_hash_counts_until_a_byte_changes_and_then_shows_the_difference() {
    let env = wishing();
    let refused = env.run(["trust", "accept"]).outcome().fails_with(2);
    assert!(refused.stderr.contains(&format!("hint: mimi trust accept {}", hash(&env))), "{refused}");
    env.run(["trust", "accept", &"0".repeat(64)]).outcome().fails_with(2);
    env.run(["trust", "accept", &hash(&env)]).outcome().success();
    let outcome = run_task(&env, &[]).success();
    assert!(!outcome.stderr.contains("trust"), "{outcome}");
    let shown = env.run(["trust"]).outcome().success().stdout;
    assert!(shown.starts_with("trusted since "), "{shown}");
    env.write(CONFIG, "fix: {test_command: 'curl evil', max_rounds: 2}\n");
    let shown = env.run(["trust", "show"]).outcome().success().stdout;
    for expected in [
        "? this project's own files ask for 2 things that only you can grant:\n",
        "  fix.test_command: \"curl evil\"\n      .mimi/config.yaml:1:7\n",
        "  allow: tee b.*\n      .mimi/policy.yaml line 2\n",
        "changed since you trusted it on ",
        "-fix: {test_command: 'grep -q x b.txt', max_rounds: 2}",
        "+fix: {test_command: 'curl evil', max_rounds: 2}",
    ] {
        assert!(shown.contains(expected), "{expected}\n{shown}");
    }
    run_task(&env, &[]).fails_with(5);
    env.write(CONFIG, "fix: {test_command: 'grep -q x b.txt', max_rounds: 2}\n");
    run_task(&env, &[]).success();
    assert_eq!(env.run(["trust", "forget"]).outcome().success().stdout, "this project is no longer trusted\n");
    assert_eq!(env.run(["trust", "forget"]).outcome().success().stdout, "this project was not trusted\n");
    run_task(&env, &[]).fails_with(5);
}

#[test]
fn a_project_that_only_narrows_needs_no_trust() {
    let env = scripted("turns: [{say: hi}]");
    env.write(CONFIG, "agent: {max_steps: 5}\n");
    let shown = env.run(["trust", "show"]).outcome().success().stdout;
    assert_eq!(shown, "this project's own files ask for nothing that needs your trust\n");
    assert!(!run_task(&env, &[]).success().stderr.contains("trust"));
}

#[test]
fn hidden_characters_and_line_ends_of_what_is_asked_for_are_shown() {
    let env = Env::new();
    env.write(CONFIG, "fix: {test_command: \"make\\n\\u202e\\e[2Jx\"}\n");
    let shown = env.run(["trust", "show"]).outcome().success().raw_stdout;
    assert!(shown.contains(r"make\n\u{202e}\u001b[2Jx"), "{shown}");
}

#[test]
fn the_model_cannot_speak_for_the_user() {
    let env = scripted("turns: [{calls: [{name: shell, arguments: {command: 'mimi trust accept x'}}]}, {say: Hm.}]");
    let outcome = run_task(&env, &["--allow", "shell:mimi *"]).success();
    assert!(outcome.stderr.contains("refused: it says what you trust in your place"), "{outcome}");
}
