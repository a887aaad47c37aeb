//! Are the files that are made from the program the ones it would make today?
//!
//! `completions/` and `man/` are written by `mimi completions` and `mimi man`; `MIMI_UPDATE=1` (or `cargo regen`) writes
//! them anew. README is written by hand, so its tables are only compared.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use mimi::base::fault::Kind;

use crate::support::Env;

/// The shells there are completions for, each with its file.
const SHELLS: [(&str, &str); 3] = [("bash", "mimi.bash"), ("zsh", "_mimi"), ("fish", "mimi.fish")];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Compares a folder with the files it should hold, or rewrites it when asked to.
fn check_folder(folder: &Path, expected: &BTreeMap<String, String>) {
    if std::env::var_os("MIMI_UPDATE").is_some() {
        if folder.exists() {
            std::fs::remove_dir_all(folder).unwrap();
        }
        std::fs::create_dir_all(folder).unwrap();
        for (name, text) in expected {
            std::fs::write(folder.join(name), text).unwrap();
        }
        return;
    }
    let present = read_folder(folder);
    let names: BTreeSet<&String> = present.keys().chain(expected.keys()).collect();
    let stale: Vec<&&String> = names.iter().filter(|name| present.get(**name) != expected.get(**name)).collect();
    assert!(stale.is_empty(), "not current in {}: {stale:?}; run: cargo regen", folder.display());
}

/// Reads the files of a folder by name; an absent folder is an empty one.
fn read_folder(folder: &Path) -> BTreeMap<String, String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return BTreeMap::new() };
    let read = |path: PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        (name, std::fs::read_to_string(path).unwrap())
    };
    entries.map(|entry| read(entry.unwrap().path())).collect()
}

fn readme() -> String {
    std::fs::read_to_string(root().join("README.md")).unwrap_or_default()
}

/// Returns the rows of all tables in a text, cell by cell, without back-ticks around a cell.
fn table_rows(text: &str) -> Vec<Vec<String>> {
    let cells = |line: &str| {
        let inner = line.trim().trim_start_matches('|').trim_end_matches('|');
        inner.split('|').map(|cell| cell.trim().trim_matches('`').to_owned()).collect()
    };
    text.lines().filter(|line| line.trim_start().starts_with('|')).map(cells).collect()
}

/// Returns the words that come right after `mimi ` in the first cells of README's tables.
fn documented_commands(readme: &str) -> BTreeSet<String> {
    let first = table_rows(readme).into_iter().filter_map(|row| row.into_iter().next());
    let named = first.filter_map(|cell| cell.strip_prefix("mimi ")?.split_whitespace().next().map(str::to_owned));
    named.filter(|word| word.starts_with(|c: char| c.is_ascii_lowercase())).collect()
}

/// Returns the names under `Commands:` in a help text.
fn commands_in_help(help: &str) -> BTreeSet<String> {
    let section = help.lines().skip_while(|line| line.trim() != "Commands:").skip(1);
    // Descriptions that are wrapped stand deeper than names.
    let names = section.take_while(|line| !line.trim().is_empty()).filter(|line| !line.starts_with("   "));
    names.filter_map(|line| line.split_whitespace().next().map(str::to_owned)).filter(|name| name != "help").collect()
}

#[test]
fn completions_are_current() {
    let env = Env::new();
    let mut expected = BTreeMap::new();
    for (shell, file) in SHELLS {
        let text = env.run(["completions", shell]).outcome().success().raw_stdout;
        assert!(text.contains("mimi"), "`mimi completions {shell}` printed no completions:\n{text}");
        expected.insert(file.to_owned(), text);
    }
    check_folder(&root().join("completions"), &expected);
}

#[test]
fn man_pages_are_current() {
    let env = Env::new();
    let folder = env.work().join("man");
    env.run(["man", "--dir", &folder.to_string_lossy()]).outcome().success();
    let pages = read_folder(&folder);
    assert!(pages.contains_key("mimi.1"), "no `mimi.1` among {:?}", pages.keys());
    assert!(pages.keys().all(|name| name.ends_with(".1")), "{:?}", pages.keys());
    check_folder(&root().join("man"), &pages);
}

#[test]
fn readme_lists_every_exit_code() {
    let rows = table_rows(&readme());
    for (_, code, meaning) in Kind::TABLE {
        let is_there = rows.iter().any(|row| row.len() >= 2 && row[0] == code.to_string() && row[1] == meaning);
        assert!(is_there, "README.md lacks the row: | {code} | {meaning} |");
    }
}

#[test]
fn readme_lists_every_command() {
    let help = Env::new().run(["--help"]).outcome().success().raw_stdout;
    let (shown, documented) = (commands_in_help(&help), documented_commands(&readme()));
    assert!(!shown.is_empty(), "`mimi --help` lists no commands:\n{help}");
    let missing: Vec<&String> = shown.difference(&documented).collect();
    let gone: Vec<&String> = documented.difference(&shown).collect();
    assert!(missing.is_empty(), "README.md lacks a table row that starts with `mimi NAME` for: {missing:?}");
    assert!(gone.is_empty(), "README.md lists commands that `mimi --help` does not: {gone:?}");
}

#[test]
fn tables_and_help_are_read_right() {
    let text = "| Command | |\n| --- | --- |\n| `mimi run TASK` | x |\n| `mimi fix` | y |\n| `mimi --version` | z |\n| 3 | `a` |\n";
    assert_eq!(documented_commands(text), BTreeSet::from(["fix".to_owned(), "run".to_owned()]));
    assert!(table_rows(text).contains(&vec!["3".to_owned(), "a".to_owned()]));
    let help = "A agent\n\nUsage: mimi\n\nCommands:\n  run   Does it\n          and more\n  fix   Fixes\n  help  Prints\n\nOptions:\n  -h\n";
    assert_eq!(commands_in_help(help), BTreeSet::from(["fix".to_owned(), "run".to_owned()]));
}
