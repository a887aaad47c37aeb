//! What is the model told of files that are not what it expects?

use std::os::unix::fs::symlink;

use super::{run_task, served, told};
use crate::support::Env;

/// Makes one of every kind of file.
fn zoo(env: &Env) {
    env.write("notes.txt", "hi\n");
    env.write("binary.bin", b"\x7fELF\x00\x01\x02\x00");
    env.write("latin.txt", b"caf\xe9\n");
    env.write("folder/inside.txt", "in\n");
    env.write("empty.txt", "");
    env.write(env.home().join("outside.txt"), "private\n");
    std::fs::File::create(env.work().join("huge.log")).unwrap().set_len(1 << 30).unwrap();
    rustix::fs::mknodat(rustix::fs::CWD, env.work().join("pipe"), rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
    symlink("notes.txt", env.work().join("link.txt")).unwrap();
    symlink(env.home().join("outside.txt"), env.work().join("escape.txt")).unwrap();
    symlink("loop.txt", env.work().join("loop.txt")).unwrap();
    symlink("gone.txt", env.work().join("dangling.txt")).unwrap();
}

#[test]
fn reading_says_what_is_there_instead() {
    let table = [
        ("notes.txt", "notes.txt, lines 1-1 of 1:\n    1\thi\n"),
        ("note.txt", "`note.txt` does not exist; did you mean `notes.txt`?"),
        ("binary.bin", "`binary.bin` is an ELF program or library (8 bytes), not text"),
        ("latin.txt", "caf\u{e9}"),
        ("folder", "`folder` is a folder"),
        ("empty.txt", "`empty.txt` is empty"),
        ("huge.log", "huge.log"),
        ("pipe", "`pipe` is a FIFO, not a file"),
        ("link.txt", "hi\n"),
        ("loop.txt", "`loop.txt`"),
        ("dangling.txt", "`dangling.txt` does not exist"),
        ("../home/outside.txt", "was refused, because it reads outside the workspace"),
        ("escape.txt", "was refused, because it reads outside the workspace"),
        ("/etc/shadow", "was refused"),
        ("", "`.` is a folder"),
    ];
    let calls: Vec<String> =
        table.iter().map(|(path, _)| format!("{{name: read_file, arguments: {{path: '{path}'}}}}")).collect();
    let (env, server) = served(&format!("turns: [{{calls: [{}]}}, {{say: I see.}}]", calls.join(", ")));
    zoo(&env);
    run_task(&env, &[]).fails_with(5);
    let told = told(&server);
    for ((path, expected), text) in table.iter().zip(&told) {
        assert!(text.contains(expected), "{path}: {text}");
        assert!(!text.contains("private") && text.len() < 20_000, "{path}: {text}");
    }
    assert_eq!(told.len(), table.len());
}

#[test]
fn writing_keeps_to_the_workspace() {
    let table = [
        ("folder", "`folder` is a folder"),
        ("pipe", "`pipe` is a FIFO, not a file"),
        ("notes.txt", "has not been read in this session"),
        ("notes.txt/below", "nothing can be below `notes.txt`, because that is a file"),
        ("../home/outside.txt", "was refused, because it writes outside the workspace"),
        ("escape.txt", "was refused, because it writes outside the workspace"),
        ("new/deep/file.txt", "new/deep/file.txt"),
    ];
    let calls: Vec<String> = table
        .iter()
        .map(|(path, _)| format!("{{name: write_file, arguments: {{path: '{path}', content: new}}}}"))
        .collect();
    let (env, server) = served(&format!("turns: [{{calls: [{}]}}, {{say: I see.}}]", calls.join(", ")));
    zoo(&env);
    run_task(&env, &["--mode", "auto"]).fails_with(5);
    let told = told(&server);
    for ((path, expected), text) in table.iter().zip(&told) {
        assert!(text.contains(expected), "{path}: {text}");
    }
    assert_eq!(env.read("notes.txt"), "hi\n");
    assert_eq!(env.read(env.home().join("outside.txt")), "private\n");
    assert_eq!(env.read("new/deep/file.txt"), "new");
}

#[test]
fn a_folder_without_git_is_said() {
    let (env, server) = served("turns: [{calls: [{name: git, arguments: {action: status}}]}, {say: I see.}]");
    run_task(&env, &[]).success();
    assert!(told(&server)[0].contains("is not in a git repository; hint: git init"), "{:?}", told(&server));
}
