//! Can sessions that the program made be listed, read, copied and deleted?

use super::{run_task, scripted};
use crate::support::Env;

/// A user with one session, and its id.
fn worked() -> (Env, String) {
    let env =
        scripted("turns: [{say: I look., calls: [{name: read_file, arguments: {path: a.txt}}]}, {say: It says hi.}]");
    env.write("a.txt", "hi\n");
    run_task(&env, &[]).success();
    let id = ids(&env).remove(0);
    (env, id)
}

fn ids(env: &Env) -> Vec<String> {
    let listed = super::json(&env.run(["session", "list", "--json"]).outcome().success());
    listed.as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn sessions_are_listed_by_what_was_asked() {
    let (env, id) = worked();
    let listed = env.run(["session", "list"]).outcome().success();
    assert!(listed.stdout.starts_with(&id[..8]) && listed.stdout.contains("1 turn  do it"), "{listed}");
    std::fs::create_dir(env.work().join("other")).unwrap();
    let elsewhere = env.run(["-C", "other", "session", "list"]).outcome().success();
    let expected =
        "------- stderr -------\nNo sessions here. `mimi session list --all` lists those of other folders.\n";
    assert_eq!(elsewhere.to_string(), expected);
    let all = env.run(["-C", "other", "session", "list", "--all"]).outcome().success();
    assert!(all.stdout.contains("[WORK]"), "{all}");
}

#[test]
fn a_session_is_shown_and_exported_whole() {
    let (env, id) = worked();
    for arguments in [["session", "show", &id[..12]], ["session", "export", &id]] {
        let page = env.run(arguments).outcome().success();
        for part in ["do it", "I look.", "`read_file` `a.txt`: 1 line", "It says hi."] {
            assert!(page.stdout.contains(part), "{part} is missing:\n{page}");
        }
    }
    let records = super::json(&env.run(["session", "show", &id, "--json"]).outcome().success());
    assert_eq!(records.as_array().unwrap().last().unwrap()["type"], "turn_done");
    env.run(["session", "export", &id, "--format", "json", "-o", "out.json"]).outcome().success();
    assert_eq!(serde_json::from_str::<serde_json::Value>(&env.read("out.json")).unwrap(), records);
}

#[test]
fn a_copy_is_a_session_of_its_own() {
    let (env, id) = worked();
    env.run(["session", "fork", &id]).outcome().success();
    let both = ids(&env);
    assert_eq!(both.len(), 2);
    let outputs = env.home().join(".local/state/mimi/out").join(&id);
    std::fs::create_dir_all(&outputs).unwrap();
    env.run(["session", "delete", &id, "--yes"]).outcome().success();
    assert!(!outputs.exists(), "the outputs kept for a session go with it");
    let left = ids(&env);
    assert_eq!(left.len(), 1);
    assert_ne!(left[0], id);
    let page = env.run(["session", "show", &left[0]]).outcome().success();
    assert!(page.stdout.contains("It says hi."), "{page}");
}

#[test]
fn a_session_is_found_by_what_was_said_and_called_by_its_name() {
    let (env, id) = worked();
    let found = env.run(["session", "search", "SAYS", "hi"]).outcome().success();
    assert!(found.stdout.contains("answer  It says hi."), "{found}");
    let json = super::json(&env.run(["session", "search", "a.txt", "--json"]).outcome().success());
    assert_eq!((&json[0]["session"], &json[0]["who"]), (&id.as_str().into(), &"call".into()));
    let none = env.run(["session", "search", "hi", "unsaid"]).outcome().success();
    assert!(none.stdout.is_empty() && none.stderr.contains("Nobody said that here"), "{none}");
    env.run(["session", "rename", &id, "the greeting"]).outcome().success();
    let listed = env.run(["session", "list"]).outcome().success();
    assert!(listed.stdout.contains("the greeting"), "{listed}");
    env.run(["session", "fork", &id]).outcome().success();
    assert_eq!(env.run(["session", "list"]).outcome().success().stdout.matches("the greeting").count(), 2);
    env.run(["session", "rename", &id]).outcome().success();
    assert!(env.run(["session", "list"]).outcome().success().stdout.contains("do it"));
}

#[test]
fn deleting_asks_first() {
    let (env, id) = worked();
    let outcome = env.run(["session", "delete", &id]).stdin("y\n").outcome().fails_with(5);
    let expected = "error: nobody is there to confirm the deletion\nhint: add `--yes` to delete without asking\n";
    assert_eq!(outcome.stderr, expected);
    assert_eq!(ids(&env), [id]);
}

#[test]
fn a_session_that_is_not_there_is_said() {
    let (env, _) = worked();
    let table: [&[&str]; 4] = [
        &["session", "show", "ffff"],
        &["session", "export", "ffff"],
        &["session", "fork", "ffff"],
        &["session", "delete", "ffff", "--yes"],
    ];
    for arguments in table {
        let outcome = env.run(arguments.to_vec()).outcome().fails_with(2);
        assert_eq!(outcome.stdout, "");
        assert!(outcome.stderr.starts_with("error: there is no session `ffff`\n"), "{arguments:?}: {outcome}");
        assert!(outcome.stderr.contains("\nhint: mimi session list --all\n"), "{arguments:?}: {outcome}");
    }
}
