//! Is each outside crate used in one room only?
//!
//! A crate with one home can be replaced, and its surprises are known to one room.

use crate::tidy::source::{Source, paths};
use crate::tidy::{assert_none, root};

/// Crates that are vocabulary rather than machinery.
const EVERYWHERE: &[&str] = &["serde", "serde_json", "thiserror", "tokio", "tokio_util", "futures_util"];

/// The rooms of every other crate, by the name code uses. More than one room needs a reason beside it.
const HOMES: &[(&str, &[&str])] = &[
    ("aho_corasick", &["base"]),
    ("async_openai", &["model"]),
    // Images for models, and what a terminal is asked to copy.
    ("base64", &["app", "tui"]),
    ("blake3", &["base"]),
    // A schema check for whoever takes structured answers, and for arguments of calls.
    ("boon", &["strategy", "cli", "context", "model"]),
    ("clap", &["cli"]),
    ("clap_complete", &["cli"]),
    ("clap_mangen", &["cli"]),
    // The width of a terminal and single keys; the full screen.
    ("crossterm", &["cli", "tui"]),
    ("encoding_rs", &["edit"]),
    // Patches of binary files.
    ("flate2", &["strategy"]),
    // Patterns over names of files.
    ("globset", &["policy"]),
    ("humantime", &["base"]),
    ("ignore", &["workspace"]),
    ("imagesize", &["app"]),
    ("indicatif", &["cli"]),
    ("keyring", &["config"]),
    ("lz4_flex", &["checkpoint"]),
    ("memchr", &["edit", "index"]),
    ("pulldown_cmark", &["tui"]),
    // Reports of tests in the format of JUnit: read where checks leave them, written where results are shown.
    ("quick_xml", &["strategy", "cli"]),
    // Forms of secrets, the search tool, recovering calls from what models write instead of them, scripts inside of commands, what
    // checks print, what differs between any two runs, and words in session files.
    ("regex", &["base", "tools", "model", "policy", "strategy", "index", "tape", "session"]),
    ("reqwest", &["model"]),
    // System calls of different kinds: processes, locks, file modes, kinds of file systems, and walks that must be quick.
    ("rustix", &["base", "checkpoint", "config", "db", "exec", "session", "tui"]),
    ("ratatui_core", &["tui"]),
    ("ratatui_textarea", &["tui"]),
    ("rusqlite", &["db"]),
    ("sqlite_vec", &["db"]),
    ("rustls", &["model"]),
    ("rustyline", &["cli"]),
    // The path of a wrong value, where what others wrote is read.
    ("serde_path_to_error", &["base", "config", "tools"]),
    // async-openai takes keys as its type.
    ("secrecy", &["model"]),
    ("serde_yaml", &["base"]),
    // The names of contents in patches.
    ("sha1_smol", &["strategy"]),
    ("signal_hook", &["exec"]),
    ("similar", &["edit"]),
    ("strsim", &["base"]),
    ("tower", &["model"]),
    // Shell commands are judged by their syntax; files are cut by theirs.
    ("tree_sitter", &["policy", "index"]),
    ("tree_sitter_bash", &["policy", "index"]),
    ("tree_sitter_c", &["index"]),
    ("tree_sitter_cpp", &["index"]),
    ("tree_sitter_css", &["index"]),
    ("tree_sitter_go", &["index"]),
    ("tree_sitter_html", &["index"]),
    ("tree_sitter_java", &["index"]),
    ("tree_sitter_javascript", &["index"]),
    ("tree_sitter_json", &["index"]),
    ("tree_sitter_lua", &["index"]),
    ("tree_sitter_md", &["index"]),
    ("tree_sitter_php", &["index"]),
    ("tree_sitter_python", &["index"]),
    ("tree_sitter_ruby", &["index"]),
    ("tree_sitter_rust", &["index"]),
    ("tree_sitter_toml_ng", &["index"]),
    ("tree_sitter_typescript", &["index"]),
    ("tree_sitter_yaml", &["index"]),
    ("tree_sitter_c_sharp", &["index"]),
    ("tree_sitter_kotlin_ng", &["index"]),
    ("tree_sitter_scala", &["index"]),
    ("tree_sitter_swift", &["index"]),
    ("unicode_segmentation", &["tui"]),
    ("unicode_width", &["tui"]),
    ("uuid", &["base"]),
    // Walls around commands.
    ("close_fds", &["exec"]),
    ("landlock", &["exec"]),
    ("libc", &["exec"]),
    ("seccompiler", &["exec"]),
];

/// Reads the names of the dependencies (not those of tests) as code writes them.
fn dependencies(manifest: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut is_inside = false;
    for line in manifest.lines().map(str::trim) {
        if let Some(section) = line.strip_prefix('[') {
            let section = section.trim_end_matches(']');
            is_inside =
                section == "dependencies" || (section.starts_with("target.") && section.ends_with(".dependencies"));
            // `[dependencies.name]`
            names.extend(section.strip_prefix("dependencies.").map(|name| name.replace('-', "_")));
        } else if is_inside
            && !line.starts_with('#')
            && let Some((name, _)) = line.split_once('=')
        {
            let name = name.split('.').next().unwrap_or(name).trim();
            names.push(name.replace('-', "_"));
        }
    }
    names
}

fn table_breaches(dependencies: &[String]) -> Vec<String> {
    let mut breaches = Vec::new();
    for name in dependencies {
        let rows =
            HOMES.iter().filter(|row| row.0 == name).count() + EVERYWHERE.iter().filter(|row| *row == name).count();
        if rows == 0 {
            breaches.push(format!("Cargo.toml: `{name}` has no home: add a row to HOMES in tests/it/tidy/homes.rs"));
        }
        if rows > 1 {
            breaches.push(format!("tests/it/tidy/homes.rs: `{name}` stands there twice: keep one row"));
        }
    }
    for name in HOMES.iter().map(|row| row.0).chain(EVERYWHERE.iter().copied()) {
        if !dependencies.iter().any(|dependency| dependency == name) {
            breaches.push(format!("tests/it/tidy/homes.rs: `{name}` is not in Cargo.toml: strike its row"));
        }
    }
    breaches
}

fn uses_away_from_home(sources: &[Source]) -> Vec<String> {
    let mut breaches = Vec::new();
    for source in sources {
        let room = source.room().unwrap_or("main");
        for path in paths(&source.code) {
            let Some((name, homes)) = HOMES.iter().find(|row| row.0 == path.parts[0]) else { continue };
            if !homes.contains(&room) {
                let what = format!("`{name}` lives in `{}`: ask that room for what you need", homes.join("`, `"));
                breaches.push(source.breach(path.at, what));
            } else if path.is_reexport {
                breaches.push(source.breach(path.at, format!("`{name}` must not leave `{room}`: wrap the type")));
            }
        }
    }
    breaches
}

#[test]
fn every_dependency_has_a_home() {
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    assert_none("The table of homes and Cargo.toml name the same crates.", &table_breaches(&dependencies(&manifest)));
}

#[test]
fn crates_are_used_at_home_only() {
    assert_none("Each outside crate has one home.", &uses_away_from_home(&Source::read_all(&root(), "src")));
}

#[test]
fn crates_away_from_home_are_found() {
    let table = [
        ("src/agent/mod.rs", "use reqwest::Client;", 1),
        ("src/agent/mod.rs", "fn f() -> ::uuid::Uuid { uuid::Uuid::now_v7() }", 2),
        ("src/model/sse.rs", "use reqwest::{Client, header};", 0),
        ("src/model/sse.rs", "pub use reqwest::StatusCode;", 1),
        ("src/tools/search.rs", "use regex::Regex; use serde_json::Value;", 0),
        ("src/main.rs", "use clap::Parser;", 1),
        ("src/agent/mod.rs", "use crate::ignore::x; /* regex::Regex */", 0),
    ];
    for (path, text, expected) in table {
        let breaches = uses_away_from_home(&[Source::of(path, text)]);
        assert_eq!(breaches.len(), expected, "{path}: {text}: {breaches:?}");
    }
}

#[test]
fn missing_and_stale_rows_are_found() {
    let manifest = "[package]\nname = \"x\"\n[dependencies]\n# clap = 1\nserde = \"1\"\nserde-yaml.workspace = true\n\
        [dependencies.tokio-util]\nversion = \"1\"\n[target.'cfg(unix)'.dependencies]\nrustix = \"1\"\n[dev-dependencies]\ninsta = \"1\"\n";
    let names = dependencies(manifest);
    assert_eq!(names, ["serde", "serde_yaml", "tokio_util", "rustix"]);
    assert!(table_breaches(&names).iter().any(|breach| breach.contains("`clap` is not in Cargo.toml")));
    let more = [names, vec!["left_pad".to_owned()]].concat();
    assert!(table_breaches(&more).iter().any(|breach| breach.contains("`left_pad` has no home")));
}
