//! What do cargo's tests and rustc print about what failed?
//!
//! A test of the standard harness prints under `---- NAME stdout ----`; nextest prints the same panic without that line, so
//! that the panic itself is the block there, and names its thread after the test.

use std::sync::LazyLock;

use regex::Regex;

use crate::protocol::failure::{Failure, FailureKind, Frame};
use crate::strategy::failure::block::{self, Block, clip, pattern, tidy};
use crate::strategy::failure::engine::{Note, UNTOLD};

static PANIC: LazyLock<Regex> = LazyLock::new(|| pattern(r"^thread '.*' (?:\(\d+\) )?panicked at (.+?):(\d+):\d+:$"));
static OLD_PANIC: LazyLock<Regex> = LazyLock::new(|| pattern(r"^thread '.*' panicked at '(.*)', (.+?):(\d+):\d+$"));
static DOC_TEST: LazyLock<Regex> = LazyLock::new(|| pattern(r"^(\S+\.rs) - .*\(line (\d+)\)$"));
static ARROW: LazyLock<Regex> = LazyLock::new(|| pattern(r"^ *--> (.+?):(\d+):\d+$"));
static LINT: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?:`-D |`#\[deny\()([\w:-]+)"));
static LINT_PAGE: LazyLock<Regex> = LazyLock::new(|| pattern(r"rust-clippy/.*index\.html#(\w+)$"));
static MISSED: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^note: (test did not panic as expected) at (.+?):(\d+):\d+$"));

/// Reads what one test of the standard harness printed.
pub fn harness(block: &Block) -> Option<Failure> {
    let mut failure = panic(block).unwrap_or_else(|| {
        let words = block.words().find(|line| !line.starts_with("note: ")).unwrap_or(UNTOLD);
        Failure::new(FailureKind::Test, clip(words))
    });
    if let Some(missed) = block.lines.iter().find_map(|line| MISSED.captures(line)) {
        failure = Failure { line: missed[3].parse().ok(), ..Failure::new(FailureKind::Test, &missed[1]) };
        failure.file = Some(tidy(&missed[2]));
    }
    if let Some(place) = DOC_TEST.captures(&block.title) {
        failure.file = Some(place[1].to_owned());
        failure.line = place[2].parse().ok();
    }
    failure.expected = failure.expected.or_else(|| block.labelled(&["expected substring: "]));
    failure.actual = failure.actual.or_else(|| block.labelled(&["panic message: "]));
    failure.kind = FailureKind::Test;
    failure.id = Some(block.title.clone());
    Some(failure)
}

/// Reads a panic outside of the harness' blocks; `title` is the thread.
pub fn lone_panic(block: &Block) -> Option<Failure> {
    let thread = block.title.as_str();
    let lines = std::iter::once(&block.first).chain(&block.lines).map(|line| line.trim_start().to_owned()).collect();
    let mut failure = panic(&Block { lines, ..Block::default() })?;
    let is_test = !matches!(thread, "main" | "<unnamed>");
    failure.kind = if is_test { FailureKind::Test } else { FailureKind::Crash };
    failure.id = is_test.then(|| thread.to_owned());
    Some(failure)
}

/// Finds the panic in the lines of a block.
fn panic(block: &Block) -> Option<Failure> {
    if let Some(old) = block.lines.iter().find_map(|line| OLD_PANIC.captures(line)) {
        let frame = Frame { file: tidy(&old[2]), line: old[3].parse().ok()? };
        return Some(block::at(Failure::new(FailureKind::Test, clip(&old[1])), vec![frame]));
    }
    let at = block.lines.iter().position(|line| PANIC.is_match(line))?;
    let place = PANIC.captures(&block.lines[at])?;
    let frame = Frame { file: tidy(&place[1]), line: place[2].parse().ok()? };
    let message = block.lines.get(at + 1).map_or("", |line| line.as_str());
    let failure = Failure {
        actual: block.labelled(&["left: ", "left:"]),
        expected: block.labelled(&["right: ", "right:"]),
        ..Failure::new(FailureKind::Test, clip(message))
    };
    Some(block::at(failure, vec![frame]))
}

/// Adds the tests that are listed as failed and printed nothing, and a process that was killed.
pub fn settle(failures: &mut Vec<Failure>, notes: &[Note]) {
    if let Some(death) = notes.iter().find_map(|note| note.get("message")) {
        failures.push(Failure::new(FailureKind::Crash, clip(death)));
    }
    for id in notes.iter().filter_map(|note| note.get("id").or_else(|| note.get("name"))) {
        if !failures.iter().any(|failure| failure.id.as_ref() == Some(id)) {
            let failure = Failure { id: Some(id.clone()), ..Failure::new(FailureKind::Test, UNTOLD) };
            failures.push(failure);
        }
    }
}

/// Reads one error of rustc or clippy.
pub fn diagnostic(block: &Block) -> Option<Failure> {
    let (code, message) = match block.title.split_once(": ") {
        Some((code, message)) if code.starts_with('[') => (Some(code.trim_matches(['[', ']']).to_owned()), message),
        Some(("", message)) => (None, message),
        _ => (None, block.title.trim_start_matches(": ")),
    };
    let lint = block.find(&LINT).or_else(|| block.find(&LINT_PAGE).map(|name| format!("clippy::{name}")));
    let kind = if lint.is_some() { FailureKind::Lint } else { FailureKind::Compile };
    let frames = block.frames(&ARROW);
    let first = frames.into_iter().next();
    // What has neither a place nor a code only sums up what was said; a linker has no place.
    if first.is_none() && code.is_none() && !message.starts_with("linking with") {
        return None;
    }
    let failure =
        Failure { code: code.or(lint.map(|lint| lint.replace('-', "_"))), ..Failure::new(kind, clip(message)) };
    Some(block::at(failure, first.into_iter().collect()))
}
