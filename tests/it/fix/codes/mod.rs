//! Does `mimi fix` end with its documented code, say why, and lose nothing, whatever goes wrong?
//!
//! Each test is one way of failing, played on the real program. What belongs to the user must be as it was afterwards.

mod checks;
mod limits;
mod model;
mod places;
mod servers;
mod signals;

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::support::{Env, Outcome};

/// Fails until the file says `good`, and shows what it says.
const CHECK: &str = "cat answer.txt; grep -q good answer.txt";
const MINE: &str = "work of the user that is not committed\n";

/// A project whose check fails, with work of the user in it, and a model that says these turns.
fn red(turns: &str) -> Env {
    let env = Env::new();
    let script = env.write_home("script.yaml", format!("turns: {turns}"));
    let config = format!(
        "providers: {{played: {{kind: script, base_url: {}}}}}\nroutes: {{chat: played/script, fix: played/script}}\n",
        script.display()
    );
    env.write_home(".config/mimi/config.yaml", config);
    env.write("answer.txt", "bad\n");
    env.write("mine.txt", MINE);
    env
}

fn fix(env: &Env, arguments: &[&str]) -> Outcome {
    env.run(["fix", "--test", CHECK].iter().chain(arguments).copied()).outcome()
}

/// Fails unless it ended with the code and said these words, once, without a bug showing, and left the user's work alone.
#[track_caller]
fn ends(env: &Env, outcome: &Outcome, code: i32, words: &[&str]) {
    assert_eq!(outcome.code, code, "\n{outcome}");
    for word in words {
        assert!(outcome.stderr.contains(word) || outcome.stdout.contains(word), "`{word}` is not said:\n{outcome}");
    }
    let n_errors = outcome.stderr.lines().filter(|line| line.starts_with("error:")).count();
    assert_eq!(n_errors, usize::from(code != 0), "\n{outcome}");
    assert!(!outcome.stderr.contains("a bug in mimi"), "\n{outcome}");
    assert_eq!(env.read("mine.txt"), MINE, "\n{outcome}");
}

/// A call of the model that writes a file.
fn write(path: &str, content: &str) -> String {
    let arguments = serde_json::json!({ "path": path, "content": content });
    format!("{{name: write_file, arguments: {arguments}}}")
}

/// A call of the model that reads a file, without which it may not replace it.
fn read(path: &str) -> String {
    format!("{{name: read_file, arguments: {{path: {path}}}}}")
}

/// Turns that write the files, and then say that it is done.
fn writes(files: &[(&str, &str)]) -> String {
    let calls: Vec<String> = files.iter().flat_map(|(path, content)| [read(path), write(path, content)]).collect();
    format!("{{calls: [{}]}}, {{say: done}}", calls.join(", "))
}

/// Writes a program of the project.
fn program(env: &Env, path: &str, text: &str) {
    let path = env.write(path, format!("#!/bin/bash\n{text}\n"));
    make_executable(&path);
}

fn make_executable(path: &Path) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}
