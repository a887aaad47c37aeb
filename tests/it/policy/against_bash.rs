//! Does what is allowed leave no trace when bash really runs it?
//!
//! Texts are put together at random from pieces that programs, quotes and operators are made of, among them ones that leave
//! a file behind. Those that are allowed are run by bash in a folder of their own, and everything around must be as before.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};

use mimi::cli::commands::debug_policy::judge;

/// Texts that are tried, and the fewest of them that must turn out to be allowed for the test to say anything.
const TEXTS: usize = 2000;
const FEWEST: usize = 150;

const PROGRAMS: &[&str] = &[
    "ls",
    "cat a.txt",
    "echo x",
    "echo",
    "printf '%s\\n' y",
    "sort a.txt",
    "uniq a.txt",
    "head -1 a.txt",
    "wc -l a.txt",
    "true",
    "pwd",
    "seq 3",
    "grep -n a a.txt",
    "find . -name a.txt",
    "sed -n 1p a.txt",
    "sed s/a/b/ a.txt",
    "tr a b",
    "cut -c1 a.txt",
    "test -f a.txt",
    "[ -f a.txt ]",
    "env",
    "timeout 5",
    "nice",
    "bash -c",
    "command",
    "cd sub",
    "diff a.txt b.txt",
    "stat a.txt",
    "date +%F",
    "basename x/y",
    "xxd a.txt",
    "tac a.txt",
];
const ENDS: &[&str] = &[
    "",
    "",
    "",
    "",
    "\n",
    "; ",
    " && ",
    " || ",
    " | ",
    " & ",
    " |& ",
    " ;; ",
    " < a.txt",
    " 2>&1",
    " >/dev/null",
    " 2>/dev/null",
    " > canary",
    " >> canary",
    " >| canary",
    " <> canary",
    " &> canary",
    " >&canary",
    " -o canary",
    " --output=canary",
    " canary",
    " -exec touch canary ;",
    " -delete",
    " -i",
    " w canary",
    " -fprint canary",
    " $(touch canary)",
    " `touch canary`",
    " \"$(touch canary)\"",
    " '$(touch canary)'",
    " <(touch canary)",
    " >(touch canary)",
    " ${x:=$(touch canary)}",
    "; touch canary",
    " && touch canary",
    " | touch canary",
    " | xargs touch",
    " # touch canary",
    " \\; touch canary",
    " \\\n touch canary",
    " <<E\n$(touch canary)\nE\n",
    " <<'E'\n$(touch canary)\nE\n",
    " <<E\nE\ntouch canary\n",
    " <<-E\n\tE\n",
    " <<< 'touch canary'",
    " <<< $(touch canary)",
    " $'a\\'; touch canary #'",
    " 'a'\\''b'",
    " \"a;touch canary\"",
    " {a,b}",
    " {1..3}",
    " *",
    " *.txt",
    " ?.txt",
    " [ab].txt",
    " ~",
    " $HOME",
    " -- canary",
    " a.txt b.txt",
    " -n",
    " -e '\\x41'",
    " $'\\n'touch canary",
    "\ntouch canary",
    "\r\ntouch canary",
    "' ; touch canary",
    "\" ; touch canary",
    " 'touch canary",
    " (touch canary)",
    " ) touch canary",
    " } touch canary",
    " ! touch canary",
    " X=1 touch canary",
    " a[$(touch canary)]",
    " -v 'a[$(touch canary)]'",
    " '1e touch canary'",
    " 's/a/touch canary/e'",
    " a\\",
    " \\",
    " \"\\$(touch canary)\"",
    " \"\\`touch canary\\`\"",
    " 'touch canary'",
    " \"touch canary\"",
    " touch canary",
    " -c 'touch canary'",
    " 'ls; touch canary'",
    " 'ls'",
    " ls",
    "\u{a0}touch canary",
    " é",
];

/// What stands in a folder: names, kinds and contents.
fn picture(folder: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let meta = path.symlink_metadata().unwrap();
            let content =
                if meta.is_file() { std::fs::read_to_string(&path).unwrap_or_default() } else { String::new() };
            found.insert(path.display().to_string(), format!("{:?} {} {content}", meta.permissions(), meta.len()));
            if meta.is_dir() {
                open.push(path);
            }
        }
    }
    found
}

fn next(state: &mut u64, below: usize) -> usize {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    (*state % below as u64) as usize
}

#[test]
fn what_is_allowed_leaves_no_trace() {
    let stage = tempfile::tempdir().unwrap();
    let (work, home) = (stage.path().join("work"), stage.path().join("home"));
    std::fs::create_dir_all(work.join("sub")).unwrap();
    std::fs::create_dir_all(&home).unwrap();
    std::fs::write(work.join("a.txt"), "alpha\nbeta\n").unwrap();
    std::fs::write(work.join("b.txt"), "beta\n").unwrap();
    let before = picture(stage.path());
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut n_run = 0;
    for _ in 0..TEXTS {
        let mut text = String::new();
        for _ in 0..=next(&mut state, 3) {
            text.push_str(PROGRAMS[next(&mut state, PROGRAMS.len())]);
            for _ in 0..next(&mut state, 3) {
                text.push_str(ENDS[next(&mut state, ENDS.len())]);
            }
            text.push_str(["; ", " && ", " | ", "\n", " "][next(&mut state, 5)]);
        }
        let case = serde_json::json!({"command": text, "cwd": work, "home": home});
        if judge(&case.to_string()).unwrap()["verdict"] != "allow" {
            continue;
        }
        n_run += 1;
        let mut bash = Command::new("timeout");
        bash.args(["10", "bash", "--noprofile", "--norc", "-c", "--", &text]);
        bash.current_dir(&work).env_clear().env("HOME", &home).env("PATH", "/usr/local/bin:/usr/bin:/bin");
        bash.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        bash.status().unwrap();
        assert_eq!(picture(stage.path()), before, "it was allowed and left something behind: {text:?}");
    }
    println!("{n_run} of {TEXTS} texts were allowed and run, and left no trace");
    assert!(n_run >= FEWEST, "only {n_run} were allowed");
}
