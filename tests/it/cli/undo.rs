//! Do `mimi undo`, `mimi redo` and `mimi checkpoint` work on what a run changed, and say clearly what they cannot?

use serde_json::Value;

use crate::support::wire::WireServer;
use crate::support::{Env, Outcome};

const WORK: &str = "{model: qwen3-coder:30b, turns: [
    {calls: [{name: shell, arguments: {command: 'sh work.sh'}}]},
    {calls: [{name: write_file, arguments: {path: made.txt, content: made}}]},
    {say: done}]}";

/// A workspace in which a run has changed `a.txt`, removed `gone.txt` and made two files.
fn worked() -> (WireServer, Env) {
    let server = WireServer::script(WORK);
    let mut env = Env::new();
    env.set("MIMI_SERVER_URL", server.url());
    env.write("work.sh", "echo two > a.txt; rm gone.txt; mkdir sub; echo new > sub/new.txt");
    env.write("a.txt", "one\n");
    env.write("gone.txt", "still here\n");
    env.run(["run", "--mode", "auto", "--allow", "shell:sh *", "work"]).outcome().success();
    assert_eq!(env.read("a.txt"), "two\n");
    (server, env)
}

fn json(outcome: &Outcome) -> Value {
    serde_json::from_str(&outcome.raw_stdout).unwrap_or_else(|error| panic!("{error}: {outcome}"))
}

/// The ids of all checkpoints, the oldest first.
fn ids(env: &Env) -> Vec<String> {
    let list = json(&env.run(["checkpoint", "list", "--json"]).outcome().success());
    list.as_array().unwrap().iter().rev().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_run_is_taken_back_and_done_again_without_a_server() {
    let (server, mut env) = worked();
    drop(server);
    env.set("MIMI_SERVER_URL", "http://127.0.0.1:1/v1");
    let outcome = env.run(["undo"]).outcome().success();
    assert!(outcome.stdout.contains("turn 1 taken back; restored: a.txt, gone.txt, made.txt, sub"), "{outcome}");
    assert_eq!((env.read("a.txt").as_str(), env.read("gone.txt").as_str()), ("one\n", "still here\n"));
    assert!(!env.work().join("sub").exists() && !env.work().join("made.txt").exists());
    let again = env.run(["undo"]).outcome();
    assert_eq!(again.code, 2, "{again}");
    assert!(again.stderr.contains("there is no turn to take back"), "{again}");
    let outcome = env.run(["redo", "--json"]).outcome().success();
    assert_eq!(json(&outcome)["type"], "redone", "{outcome}");
    assert_eq!((env.read("a.txt").as_str(), env.read("sub/new.txt").as_str()), ("two\n", "new\n"));
    let again = env.run(["redo"]).outcome();
    assert_eq!(again.code, 2, "{again}");
    assert!(again.stderr.contains("nothing to do again"), "{again}");
}

#[test]
fn what_the_user_wrote_since_stays_and_the_exit_code_says_so() {
    let (_server, env) = worked();
    env.write("a.txt", "mine\n");
    let outcome = env.run(["undo"]).outcome();
    assert_eq!(outcome.code, 1, "{outcome}");
    assert!(outcome.stdout.contains("! left alone: a.txt: it changed since; as it was before is in "), "{outcome}");
    assert!(outcome.stderr.contains("1 path was left alone"), "{outcome}");
    assert_eq!((env.read("a.txt").as_str(), env.read("gone.txt").as_str()), ("mine\n", "still here\n"));
}

#[test]
fn several_runs_go_back_one_after_the_other_and_a_missing_session_is_named() {
    let (_server, env) = worked();
    let server = WireServer::script(
        "{model: qwen3-coder:30b, turns: [{calls: [{name: write_file, arguments: {path: b.txt, content: b}}]}, {say: done}]}",
    );
    let url = server.url();
    env.run(["run", "--set", &format!("server.url={url}"), "--mode", "auto", "more"]).outcome().success();
    env.run(["undo"]).outcome().success();
    assert!(!env.work().join("b.txt").exists());
    env.run(["undo"]).outcome().success();
    assert_eq!(env.read("a.txt"), "one\n");
    for arguments in [["undo", "--session", "nothing-of-that-name"].as_slice(), &["undo", "0"], &["undo", "x"]] {
        assert_eq!(env.run(arguments.iter().copied()).outcome().code, 2, "{arguments:?}");
    }
    let outcome = Env::new().run(["undo"]).outcome();
    assert_eq!(outcome.code, 2, "{outcome}");
    assert!(outcome.stderr.contains("no session of this folder"), "{outcome}");
}

#[test]
fn checkpoints_are_listed_shown_and_compared() {
    let (_server, env) = worked();
    let ids = ids(&env);
    assert_eq!(ids.len(), 2);
    let list = env.run(["checkpoint", "list"]).outcome().success();
    assert!(list.stdout.contains("shell sh work.sh") && list.stdout.contains("write_file made.txt"), "{list}");
    let show = env.run(["checkpoint", "show", &ids[0]]).outcome().success();
    for line in ["  M  a.txt", "  D  gone.txt", "  A  sub", "  A  sub/new.txt"] {
        assert!(show.stdout.lines().any(|shown| shown == line), "{line} in {show}");
    }
    assert_eq!(json(&env.run(["checkpoint", "show", &ids[0], "--json"]).outcome().success())["cause"], "command");
    let diff = env.run(["checkpoint", "diff", &ids[0], "a.txt", "sub"]).outcome().success();
    assert!(diff.stdout.contains("-one\n+two\n") && diff.stdout.contains("+new"), "{diff}");
    assert!(!diff.stdout.contains("still here"), "{diff}");
    for arguments in [["show", "nothing"].as_slice(), &["diff", &ids[0], "other.txt"], &["show", ""]] {
        let outcome = env.run(["checkpoint"].iter().chain(arguments).copied()).outcome();
        assert_eq!(outcome.code, 2, "{outcome}");
    }
    let elsewhere = env.run(["-C", env.home().to_str().unwrap(), "checkpoint", "list", "--json"]).outcome().success();
    assert_eq!(json(&elsewhere), Value::Array(Vec::new()));
}

#[test]
fn single_files_are_restored_and_what_is_theirs_only_by_force() {
    let (_server, env) = worked();
    let ids = ids(&env);
    env.run(["checkpoint", "restore", &ids[0], "gone.txt"]).outcome().success();
    assert_eq!((env.read("gone.txt").as_str(), env.read("a.txt").as_str()), ("still here\n", "two\n"));
    env.write("a.txt", "mine\n");
    let refused = env.run(["checkpoint", "restore", &ids[0], "a.txt"]).outcome();
    assert_eq!((refused.code, env.read("a.txt").as_str()), (1, "mine\n"), "{refused}");
    assert!(refused.stderr.contains("restore --force"), "{refused}");
    let forced = json(&env.run(["checkpoint", "restore", &ids[0], "a.txt", "--force", "--json"]).outcome().success());
    assert_eq!(env.read("a.txt"), "one\n");
    // What was there is kept now.
    let id = forced["checkpoint"].as_str().unwrap();
    env.run(["checkpoint", "restore", id]).outcome().success();
    assert_eq!(env.read("a.txt"), "mine\n");
}

#[test]
fn room_is_made_as_configured() {
    let (_server, env) = worked();
    let pruned = json(&env.run(["checkpoint", "prune", "--json"]).outcome().success());
    assert_eq!((pruned["sessions"].as_u64(), pruned["contents"].as_u64()), (Some(0), Some(0)), "{pruned}");
    let text = env.run(["checkpoint", "prune", "--set", "checkpoint.max_mb=1"]).outcome().success();
    assert!(text.stdout.starts_with("deleted 0 contents"), "{text}");
    env.run(["undo"]).outcome().success();
}

#[test]
fn deleting_a_session_deletes_what_it_kept() {
    let (_server, env) = worked();
    let list = json(&env.run(["session", "list", "--json"]).outcome().success());
    let id = list[0]["id"].as_str().unwrap();
    env.run(["session", "delete", id, "--yes"]).outcome().success();
    assert_eq!(ids(&env), [] as [&str; 0]);
    assert_eq!(env.run(["undo"]).outcome().code, 2);
}
