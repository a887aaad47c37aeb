//! Does each room use only rooms below it?
//!
//! The compiler stops circles only between crates, and mimi is one crate.

use crate::tidy::source::{Source, inline_modules, paths};
use crate::tidy::{assert_none, root};

/// The rooms from the ground up. A room may use only rooms on a line before its own. The map in `src/lib.rs` shows the
/// same table.
const LAYERS: &[&[&str]] = &[
    &["base"],
    &["protocol"],
    &["config", "db", "exec"],
    &["workspace", "model", "edit", "policy", "mcp", "telemetry"],
    &["index", "session", "checkpoint", "tape"],
    &["context", "tools"],
    &["agent", "fim"],
    &["strategy"],
    &["app"],
    &["tui", "serve"],
    &["cli"],
];

/// What stricter rule than its layer a room follows: the front ends see the engine through events alone.
const ONLY: &[(&str, &[&str])] =
    &[("tui", &["base", "protocol", "config", "app"]), ("serve", &["base", "protocol", "config", "app"])];

/// What `src/main.rs` may name of the library: it hands over to `cli`, or to `exec` when this process is the supervisor of
/// another, and returns the exit code.
const MAIN_USES: &[&str] = &["cli", "exec"];

fn layer(room: &str) -> Option<usize> {
    LAYERS.iter().position(|rooms| rooms.contains(&room))
}

/// Says what is wrong with `from` using `to`, if anything.
fn judge(from: &str, to: &str) -> Option<String> {
    let (Some(own), Some(other)) = (layer(from), layer(to)) else {
        return Some(format!("`{to}` is no room: write `crate::room::Item`, or add the room to LAYERS"));
    };
    if from == to {
        return None;
    }
    if other >= own {
        return Some(format!(
            "`{from}` (layer {own}) uses `{to}` (layer {other}): move the type they share down to `protocol`, \
             or declare a trait in `{from}` and fill it in `app`"
        ));
    }
    let only = ONLY.iter().find(|row| row.0 == from)?.1;
    (!only.contains(&to)).then(|| format!("`{from}` may use only {}, not `{to}`", only.join(", ")))
}

fn upward_paths(sources: &[Source]) -> Vec<String> {
    let mut breaches = Vec::new();
    for source in sources {
        let Some(room) = source.room() else { continue };
        for path in paths(&source.code).iter().filter(|path| path.parts[0] == "crate") {
            let to = path.parts.get(1).map_or("*", String::as_str);
            breaches.extend(judge(room, to).map(|what| source.breach(path.at, what)));
        }
    }
    breaches
}

fn unknown_rooms(sources: &[Source]) -> Vec<String> {
    let unknown = |source: &&Source| source.room().is_some_and(|room| layer(room).is_none());
    let say = |source: &Source| {
        let room = source.room().unwrap_or_default();
        source.breach(0, format!("`{room}` is no room: move the file into one, or give `{room}` a line in LAYERS"))
    };
    sources.iter().filter(unknown).map(say).collect()
}

fn paths_through_super(sources: &[Source]) -> Vec<String> {
    let mut breaches = Vec::new();
    for source in sources {
        let inline = inline_modules(&source.shipped);
        for path in paths(&source.shipped).iter().filter(|path| path.parts[0] == "super") {
            let leaves_file = path.contains("super::super") || !inline.iter().any(|range| range.contains(&path.at));
            if leaves_file {
                breaches.push(source.breach(path.at, "write `crate::room::...` instead of `super::...`"));
            }
        }
    }
    breaches
}

fn reexports(sources: &[Source]) -> Vec<String> {
    let mut breaches = Vec::new();
    for source in sources {
        for path in paths(&source.shipped).iter().filter(|path| path.is_reexport && path.parts[0] == "crate") {
            let name = path.parts.join("::");
            breaches.push(source.breach(path.at, format!("no re-exports: let callers write `{name}` themselves")));
        }
    }
    breaches
}

fn beyond_main(sources: &[Source]) -> Vec<String> {
    let mut breaches = Vec::new();
    for source in sources.iter().filter(|source| source.path == "src/main.rs") {
        for path in paths(&source.shipped).iter().filter(|path| path.parts[0] == "mimi") {
            if !path.parts.get(1).is_some_and(|room| MAIN_USES.contains(&room.as_str())) {
                let what = format!("main uses only `mimi::{}`: move this there", MAIN_USES.join("`, `mimi::"));
                breaches.push(source.breach(path.at, what));
            }
        }
    }
    breaches
}

#[test]
fn rooms_use_only_lower_rooms() {
    assert_none(
        "A room may use only rooms on a lower line of LAYERS.",
        &upward_paths(&Source::read_all(&root(), "src")),
    );
}

#[test]
fn every_room_has_a_layer() {
    assert_none("Every file in src/ belongs to a room of LAYERS.", &unknown_rooms(&Source::read_all(&root(), "src")));
}

#[test]
fn paths_name_their_room() {
    assert_none("Paths show where a thing lives.", &paths_through_super(&Source::read_all(&root(), "src")));
}

#[test]
fn nothing_is_reexported() {
    assert_none("A thing has one name.", &reexports(&Source::read_all(&root(), "src")));
}

#[test]
fn main_only_hands_over() {
    assert_none("Everything else has a room.", &beyond_main(&Source::read_all(&root(), "src")));
}

#[test]
fn upward_and_sideways_use_is_found() {
    let table = [
        ("src/base/text.rs", "use crate::protocol::op::Op;", 1),
        ("src/exec/run.rs", "fn f() { crate::config::load(); }", 1),
        ("src/model/mod.rs", "use crate::{base::text, tools::Tool, agent};", 2),
        ("src/tui/mod.rs", "use crate::exec::run;", 1),
        ("src/tui/mod.rs", "use crate::app::App;", 0),
        ("src/agent/mod.rs", "use crate::tools::Tool; use crate::agent::machine;", 0),
        ("src/base/text.rs", "use crate::prelude::*;", 1),
        ("src/base/text.rs", "// crate::cli\nlet a = \"crate::cli\";", 0),
        ("src/app.rs", "use crate::cli::run;", 1),
        ("src/lib.rs", "pub use crate::cli::run;", 0),
    ];
    for (path, text, expected) in table {
        let breaches = upward_paths(&[Source::of(path, text)]);
        assert_eq!(breaches.len(), expected, "{path}: {text}: {breaches:?}");
        assert!(breaches.iter().all(|breach| breach.starts_with(&format!("{path}:1: "))), "{breaches:?}");
    }
    assert_eq!(unknown_rooms(&[Source::of("src/utils/x.rs", ""), Source::of("src/helper.rs", "")]).len(), 2);
}

#[test]
fn hidden_origins_are_found() {
    let table = [
        ("use super::machine::State;", 1),
        ("mod inner { use super::State; }", 0),
        ("mod inner { use super::super::State; }", 1),
        ("pub(super) fn f() {}", 0),
        ("#[cfg(test)]\nmod tests { use super::*; }", 0),
    ];
    for (text, expected) in table {
        assert_eq!(paths_through_super(&[Source::of("src/agent/driver.rs", text)]).len(), expected, "{text}");
    }
    let pubs = [
        ("pub use crate::base::fault::Fault;", 1),
        ("pub(crate) use crate::{base::fault, db};", 2),
        ("pub use run::Run;", 0),
    ];
    for (text, expected) in pubs {
        assert_eq!(reexports(&[Source::of("src/exec/mod.rs", text)]).len(), expected, "{text}");
    }
    let main = "use mimi::cli; fn main() { mimi::agent::run(); }";
    assert_eq!(beyond_main(&[Source::of("src/main.rs", main)]).len(), 1);
}
