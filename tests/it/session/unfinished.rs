//! Can a change be taken back when mimi was killed before it could say that it had made it?

use std::path::PathBuf;

use mimi::protocol::event::Event;

use crate::session::resumed::Resumed;
use crate::support::Env;
use crate::support::wire::WireServer;

/// Runs an edit of `a.txt`, then cuts the session file behind the record of the file as it was: what a kill leaves.
fn killed_in_edit(script: &str, before: Option<&str>) -> (Env, PathBuf) {
    let server = WireServer::script(script);
    let mut env = Env::new();
    env.set("MIMI_SERVER_URL", server.url());
    if let Some(text) = before {
        env.write("a.txt", text);
    }
    env.run(["run", "--mode", "auto", "change a.txt"]).outcome().success();
    let folder = env.home().join(".local/state/mimi/sessions");
    let path = std::fs::read_dir(folder).unwrap().next().unwrap().unwrap().path();
    let text = std::fs::read_to_string(&path).unwrap();
    let at = text.find("\"type\":\"file_kept\"").unwrap();
    let end = at + text[at..].find('\n').unwrap() + 1;
    assert!(text[end..].contains("\"type\":\"checkpointed\""), "the record comes before the change");
    std::fs::write(&path, &text[..end]).unwrap();
    (env, path)
}

const EDIT: &str = "{model: qwen3-coder:30b, turns: [
    {calls: [{name: read_file, arguments: {path: a.txt}}]},
    {calls: [{name: edit_file, arguments: {path: a.txt, old_string: one, new_string: two}}]},
    {say: done}]}";
const WRITE: &str = "{model: qwen3-coder:30b, turns: [
    {calls: [{name: write_file, arguments: {path: a.txt, content: made}}]}, {say: done}]}";

const SINCE: &str = "a.txt: it changed since";

/// Goes on with the session and takes the turn back; returns files restored and left alone.
fn take_back(env: &Env, path: &std::path::Path) -> (Vec<String>, Vec<String>) {
    let id = path.file_stem().unwrap().to_str().unwrap();
    let mut resumed = Resumed::start(env, id, "turns: []");
    match resumed.undo() {
        Event::Undone { restored, conflicts, .. } => {
            let reason = |conflict: &String| conflict.split(';').next().unwrap().to_owned();
            (restored, conflicts.iter().map(reason).collect())
        }
        other => panic!("{other:?}"),
    }
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn a_change_that_happened_goes_back_and_one_that_did_not_is_no_trouble() {
    let table = [
        ("it happened", EDIT, Some("one\n"), Some("two\n"), Some("one\n"), names(&["a.txt"]), names(&[])),
        ("it did not", EDIT, Some("one\n"), Some("one\n"), Some("one\n"), names(&[]), names(&[])),
        ("somebody else", EDIT, Some("one\n"), Some("mine\n"), Some("mine\n"), names(&[]), names(&[SINCE])),
        ("it was made", WRITE, None, Some("made"), None, names(&["a.txt"]), names(&[])),
        ("it was not made", WRITE, None, None, None, names(&[]), names(&[])),
        ("somebody else made it", WRITE, None, Some("mine"), Some("mine"), names(&[]), names(&[SINCE])),
    ];
    for (what, script, before, found, after, restored, conflicts) in table {
        let (env, path) = killed_in_edit(script, before);
        match found {
            Some(text) => drop(env.write("a.txt", text)),
            None => std::fs::remove_file(env.work().join("a.txt")).unwrap(),
        }
        env.write(".a.txt.mimi-2000000000", "half of it");
        assert_eq!(take_back(&env, &path), (restored, conflicts), "{what}");
        assert_eq!(std::fs::read_to_string(env.work().join("a.txt")).ok().as_deref(), after, "{what}");
        assert!(!env.work().join(".a.txt.mimi-2000000000").exists(), "{what}: what the killed write left is removed");
    }
}
