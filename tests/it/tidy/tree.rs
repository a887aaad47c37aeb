//! Is everything where the house says it is, and nothing else?

use std::collections::BTreeSet;
use std::path::Path;

use crate::tidy::source::{Source, file_modules};
use crate::tidy::{assert_none, root};

/// The top level, besides dotfiles.
const TOP_LEVEL: &[&str] = &[
    "CHANGELOG.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "README.md",
    "completions",
    "config",
    "man",
    "prompts",
    "src",
    "tests",
    "tools",
];

/// Entries of the top level that are still to come. An entry that is there must be struck from this list.
const TO_COME: &[&str] = &[];

/// Folders that say what goes in them.
const EXPLAINED: &[&str] = &["config", "prompts", "tests", "tools"];

/// Lists the top level without dotfiles, cargo's own folder, and folders that hold nothing (git does not keep those).
fn top_level(root: &Path) -> BTreeSet<String> {
    let holds_something = |path: &Path| !path.is_dir() || std::fs::read_dir(path).unwrap().next().is_some();
    let entries = std::fs::read_dir(root).unwrap().map(|entry| entry.unwrap());
    let kept = entries.filter(|entry| holds_something(&entry.path()));
    let names = kept.map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.filter(|name| !name.starts_with('.') && name != "target").collect()
}

fn top_level_breaches(present: &BTreeSet<String>, to_come: &[&str]) -> Vec<String> {
    let mut breaches = Vec::new();
    for name in present {
        if !TOP_LEVEL.contains(&name.as_str()) {
            breaches.push(format!("{name}: does not belong at the top level: move it, or make it a dotfile"));
        }
        if to_come.contains(&name.as_str()) {
            breaches.push(format!("{name}: is there now: strike it from TO_COME in tests/it/tidy/tree.rs"));
        }
    }
    let is_missing = |name: &&str| !present.contains(*name) && !to_come.contains(name);
    breaches.extend(TOP_LEVEL.iter().filter(|name| is_missing(name)).map(|name| format!("{name}: is missing")));
    breaches
}

/// Follows `mod` lines from the files where compiling starts and names the files that none of them reaches.
fn forgotten_files(sources: &[Source], starts: &[&str]) -> Vec<String> {
    let mut reached = BTreeSet::new();
    let mut open: Vec<String> = starts.iter().map(|start| (*start).to_owned()).collect();
    while let Some(path) = open.pop() {
        let Some(source) = sources.iter().find(|source| source.path == path) else { continue };
        if !reached.insert(path.clone()) {
            continue;
        }
        let (folder, file) = path.rsplit_once('/').unwrap();
        let own = match file {
            "main.rs" | "lib.rs" | "mod.rs" => folder.to_owned(),
            _ => path.trim_end_matches(".rs").to_owned(),
        };
        for (name, named) in file_modules(source) {
            match named {
                Some(file) => open.push(format!("{folder}/{file}")),
                None => open.extend([format!("{own}/{name}.rs"), format!("{own}/{name}/mod.rs")]),
            }
        }
    }
    let is_forgotten = |source: &&Source| !reached.contains(&source.path);
    let say = |source: &Source| {
        format!("{}: nothing of it is compiled: add its `mod` line in its door, or delete it", source.path)
    };
    sources.iter().filter(is_forgotten).map(say).collect()
}

#[test]
fn top_level_is_fixed() {
    assert_none("The top level is what a newcomer sees first.", &top_level_breaches(&top_level(&root()), TO_COME));
}

#[test]
fn every_test_file_runs() {
    let sources = Source::read_all(&root(), "tests/it");
    assert_none("A test file that is not declared never runs.", &forgotten_files(&sources, &["tests/it/main.rs"]));
}

#[test]
fn every_source_file_is_compiled() {
    let mut sources = Source::read_all(&root(), "src");
    let map = sources.iter().find(|source| source.path == "src/lib.rs").map(file_modules).unwrap_or_default();
    // A checkout in which some rooms are still to be declared is judged by the others.
    sources.retain(|source| source.room().is_none_or(|room| map.iter().any(|(name, _)| name == room)));
    assert_none("What is not compiled is not checked.", &forgotten_files(&sources, &["src/lib.rs", "src/main.rs"]));
}

#[test]
fn folders_explain_themselves() {
    let says_nothing = |folder: &&str| {
        let text = std::fs::read_to_string(root().join(folder).join("README.md")).unwrap_or_default();
        text.lines().count() < 3
    };
    let say = |folder: &str| format!("{folder}/README.md: say what goes here, what checks it, and how to override it");
    let breaches: Vec<String> =
        EXPLAINED.iter().filter(|folder| says_nothing(folder)).map(|folder| say(folder)).collect();
    assert_none("Folders of text explain themselves.", &breaches);
}

#[test]
fn strangers_at_the_top_level_are_found() {
    let all: BTreeSet<String> = TOP_LEVEL.iter().map(|name| (*name).to_owned()).collect();
    assert!(top_level_breaches(&all, &[]).is_empty());
    assert_eq!(top_level_breaches(&all, &["man"]).len(), 1);
    let with_stranger: BTreeSet<String> = all.iter().cloned().chain(["docs".to_owned()]).collect();
    assert_eq!(top_level_breaches(&with_stranger, &[]).len(), 1);
    let without_man: BTreeSet<String> = all.into_iter().filter(|name| name != "man").collect();
    assert_eq!(top_level_breaches(&without_man, &[]), ["man: is missing"]);
    assert!(top_level_breaches(&without_man, &["man"]).is_empty());
}

#[test]
fn forgotten_test_files_are_found() {
    let file = |path: &str, text: &str| Source::of(path, text);
    let sources = [
        file("tests/it/main.rs", "mod cli;\nmod tidy;\n#[path = \"odd.rs\"]\nmod named;\n// mod gone;\n"),
        file("tests/it/cli/mod.rs", "mod run;\n"),
        file("tests/it/cli/run.rs", "mod deep;"),
        file("tests/it/cli/run/deep.rs", ""),
        file("tests/it/tidy.rs", ""),
        file("tests/it/odd.rs", ""),
        file("tests/it/cli/gone.rs", ""),
        file("tests/it/gone.rs", ""),
    ];
    let found = forgotten_files(&sources, &["tests/it/main.rs"]);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].starts_with("tests/it/cli/gone.rs: ") && found[1].starts_with("tests/it/gone.rs: "), "{found:?}");
}
