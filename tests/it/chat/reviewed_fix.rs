//! Can a person take only some of what `mimi fix` changed?

use crate::support::Env;
use crate::support::pty::Pty;

const CHECK: &str = "grep good answer.txt";

/// A model that mends one place, and changes another that is far from it; the check wants only the first.
fn two_places(check: &str) -> (Env, Pty) {
    let env = Env::new();
    let far = "\n1\n2\n3\n4\n5\n6\n7\n8\n9\n";
    let (old, new) = (format!("bad{far}end\n"), format!("good{far}END\n"));
    let call = serde_json::json!({"name": "write_file", "arguments": {"path": "answer.txt", "content": new}});
    let read = serde_json::json!({"name": "read_file", "arguments": {"path": "answer.txt"}});
    let turns = serde_json::json!({"turns": [{"calls": [read, call]}, {"say": "done"}]}).to_string();
    let script = env.write_home("script.yaml", turns);
    let config = format!(
        "providers: {{played: {{kind: script, base_url: {}}}}}\nroutes: {{fix: played/script}}\n",
        script.display()
    );
    env.write_home(".config/mimi/config.yaml", config);
    env.write("answer.txt", old);
    let pty = Pty::start(&env, ["fix", "--test", check, "--review", "--set", "fix.minimise_s=0"]);
    (env, pty)
}

#[test]
fn what_is_left_goes_back_and_the_checks_decide_again() {
    let (env, mut pty) = two_places(CHECK);
    pty.wait_for("? piece 1 of 2: answer.txt").wait_for("d leave them").send("y");
    pty.wait_for("? piece 2 of 2: answer.txt").wait_for("d leave them").send("n");
    pty.wait_for("passes after your review");
    assert_eq!(pty.wait_exit(), 0);
    assert!(env.read("answer.txt").starts_with("good\n") && env.read("answer.txt").ends_with("end\n"));
    // The other way round the check fails.
    let (env, mut pty) = two_places(CHECK);
    pty.wait_for("? piece 1 of 2: answer.txt").wait_for("d leave them").send("d");
    pty.wait_for("fails after your review");
    assert_eq!(pty.wait_exit(), 1);
    assert!(env.read("answer.txt").starts_with("bad\n") && env.read("answer.txt").ends_with("end\n"));
}

#[test]
fn without_a_terminal_it_is_wrong_usage() {
    let env = Env::new();
    let outcome = env.run(["fix", "--test", "false", "--review"]).outcome().fails_with(2);
    assert!(outcome.stderr.contains("`--review` needs a terminal to ask on"), "{outcome}");
}
