//! Is everything that mimi starts confined by some profile?
//!
//! Processes are started in few places, each with the profile that confines what it starts, and commands get their runner
//! from one place, where it is put into the sandbox. A new place must be entered here, with its profile.

use crate::tidy::source::Source;
use crate::tidy::{assert_none, root};

/// Each place that starts a process, how often, and what confines what it starts.
const PLACES: &[(&str, usize, &str)] = &[
    ("src/exec/lifeline.rs", 1, "the sandbox of the runner, which the supervisor started here puts up"),
    ("src/exec/supervise.rs", 1, "below a supervisor without an order: nothing, on the tiers external and none"),
    ("src/exec/sandbox/confine.rs", 2, "bubblewrap, or mimi itself that puts Landlock up"),
    ("src/exec/sandbox/inside.rs", 1, "already inside"),
    ("src/exec/sandbox/probe.rs", 1, "the sandbox that is tried, around `true`"),
    ("src/exec/interactive.rs", 1, "none: the user's own editor, on the user's own word"),
];

/// The one place that makes runners, and the one that puts them into the sandbox.
const RUNNERS: &str = "src/app/parts.rs";

/// Makes one for mimi itself, which confines what it starts.
const OWN: &str = "src/cli/commands/eval.rs";

fn count(source: &Source, word: &str) -> usize {
    let is_whole = |at: usize| !source.shipped[..at].ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
    let is_clap = |at: usize| source.shipped[..at].ends_with("clap::");
    source.shipped.match_indices(word).filter(|(at, _)| is_whole(*at) && !is_clap(*at)).count()
}

fn unknown_starts(sources: &[Source]) -> Vec<String> {
    let mut breaches = Vec::new();
    for source in sources {
        let known = PLACES.iter().find(|place| place.0 == source.path).map_or(0, |place| place.1);
        let found = count(source, "Command::new(");
        if found != known {
            let what = format!("starts {found} processes where {known} are known: name the profile that confines them");
            breaches.push(source.breach(0, what));
        }
        let n_runners = count(source, "Runner::new(");
        if n_runners != usize::from(source.path == RUNNERS || source.path == OWN) {
            breaches.push(source.breach(0, "runners are made in one place, which puts them into the sandbox"));
        }
        if source.path == RUNNERS && count(source, "within(sandbox(") != n_runners {
            breaches.push(source.breach(0, "a runner that starts commands is put into the sandbox"));
        }
    }
    breaches
}

#[test]
fn every_start_names_what_confines_it() {
    let sources = Source::read_all(&root(), "src");
    let is_there = |path: &str| sources.iter().any(|source| source.path == path);
    let gone: Vec<&str> = PLACES.iter().map(|place| place.0).filter(|path| !is_there(path)).collect();
    assert!(gone.is_empty(), "gone: {gone:?}");
    assert_none("Everything that is started is confined by some profile.", &unknown_starts(&sources));
}

#[test]
fn a_start_that_nobody_entered_is_seen() {
    let table = [
        ("src/tools/x.rs", "fn f() { std::process::Command::new(a).spawn(); }", 1),
        ("src/tools/x.rs", "fn f() { tokio::process::Command::new(a); Command::new(b); }", 1),
        ("src/tools/x.rs", "fn f() { clap::Command::new(a); SubCommand::new(b); }", 0),
        ("src/tools/x.rs", "#[cfg(test)]\nmod tests { fn f() { Command::new(a); } }", 0),
        ("src/tools/x.rs", "fn f() { Runner::new(a, b); }", 1),
        ("src/app/parts.rs", "fn f() { Runner::new(a, b); runner(a, b)?.within(sandbox(c)); }", 0),
        ("src/app/parts.rs", "fn f() { Runner::new(a, b); }", 1),
        ("src/exec/interactive.rs", "fn f() { Command::new(a); }", 0),
        ("src/exec/interactive.rs", "fn f() { Command::new(a); Command::new(b); }", 1),
    ];
    for (path, text, expected) in table {
        let found = unknown_starts(&[Source::of(path, text)]);
        assert_eq!(found.len(), expected, "{text}: {found:?}");
    }
}
