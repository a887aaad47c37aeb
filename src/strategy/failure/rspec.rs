//! What does rspec print about what failed?

use std::sync::LazyLock;

use regex::Regex;

use crate::base::text::shell_quoted;
use crate::protocol::failure::{Failure, FailureKind, Frame};
use crate::strategy::failure::block::{self, Block, clip, pattern};
use crate::strategy::failure::engine::Note;

static FRAME: LazyLock<Regex> = LazyLock::new(|| pattern(r"^\s*# (\S+\.rb):(\d+):in "));

/// Reads one failure of rspec. Only a block that says `Failure/Error` is one: mocha numbers its failures alike.
pub fn example(block: &Block) -> Option<Failure> {
    if block.heading == "Pending" {
        return None;
    }
    let at = block.lines.iter().position(|line| line.trim_start().starts_with("Failure/Error: "))?;
    let values = || block.lines[at + 1..].iter().map(|line| line.trim());
    let mut said = values().filter(|line| !line.is_empty());
    let first = said.next()?;
    // The class of an error stands on a line of its own.
    let message =
        if first.ends_with(':') { format!("{first} {}", said.next().unwrap_or_default()) } else { first.to_owned() };
    let mut frames: Vec<Frame> = block.frames(&FRAME);
    frames.truncate(8);
    let failure = Failure {
        id: Some(block.title.clone()),
        expected: block.labelled(&["expected: "]),
        actual: block.labelled(&["got: "]),
        ..Failure::new(FailureKind::Test, clip(&message))
    };
    Some(block::at(failure, frames))
}

/// Names each example by its place, which rspec lists at the end with the command for it.
pub fn settle(failures: &mut Vec<Failure>, notes: &[Note]) {
    for failure in failures {
        let note = notes.iter().find(|note| note.get("message") == failure.id.as_ref());
        if let Some(place) = note.and_then(|note| note.get("id")) {
            failure.rerun = Some(format!("rspec {}", shell_quoted(place)));
            failure.id = Some(place.clone());
        }
    }
}
