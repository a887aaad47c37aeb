//! What do rspec, PHPUnit and `dotnet test` print about what failed?

use std::sync::LazyLock;

use regex::Regex;

use crate::base::text::shell_quoted;
use crate::protocol::failure::{Failure, FailureKind, Frame};
use crate::strategy::failure::block::{self, Block, clip, difference, pattern};
use crate::strategy::failure::engine::Note;

static RUBY: LazyLock<Regex> = LazyLock::new(|| pattern(r"^\s*# (\S+\.rb):(\d+):in "));
static PHP: LazyLock<Regex> = LazyLock::new(|| pattern(r"^(\S+\.php):(\d+)$"));
static DOTNET: LazyLock<Regex> = LazyLock::new(|| pattern(r"^\s*at .* in (.+):line (\d+)$"));
static PHP_VALUES: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^Failed asserting that (.+) (?:matches expected|is identical to) (.+?)\.$"));

/// Reads one failure of rspec. Only a block that says `Failure/Error` is one: mocha numbers its failures alike.
pub fn rspec(block: &Block) -> Option<Failure> {
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
    let mut frames: Vec<Frame> = block.frames(&RUBY);
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
pub fn settle_rspec(failures: &mut Vec<Failure>, notes: &[Note]) {
    for failure in failures {
        let note = notes.iter().find(|note| note.get("message") == failure.id.as_ref());
        if let Some(place) = note.and_then(|note| note.get("id")) {
            failure.rerun = Some(format!("rspec {}", shell_quoted(place)));
            failure.id = Some(place.clone());
        }
    }
}

/// Reads one failure of PHPUnit.
pub fn phpunit(block: &Block) -> Option<Failure> {
    if matches!(block.heading.as_str(), "risky" | "skipped" | "incomplete" | "warning" | "deprecation" | "notice") {
        return None;
    }
    let message = block.words().next()?;
    // A set of data without a name is shown by its values, and a filter takes none.
    let id = block.title.rsplit_once(" (").map_or(block.title.as_str(), |(name, _)| name);
    let mut failure = Failure { id: Some(id.to_owned()), ..Failure::new(FailureKind::Test, clip(message)) };
    (failure.expected, failure.actual) = difference(block, "--- Expected", "+++ Actual");
    if let Some(values) = block.words().find_map(|line| PHP_VALUES.captures(line)) {
        failure.actual = Some(values[1].to_owned());
        failure.expected = Some(values[2].to_owned());
    }
    failure.rerun = Some(format!("vendor/bin/phpunit --filter {}", shell_quoted(&format!("/^{}/", regex::escape(id)))));
    Some(block::at(failure, block.frames(&PHP)))
}

/// Reads one failure of `dotnet test`.
pub fn dotnet(block: &Block) -> Option<Failure> {
    let mut lines = block.words().skip_while(|line| *line != "Error Message:").skip(1);
    let message = lines.next()?;
    let failure = Failure {
        id: Some(block.title.clone()),
        expected: block.labelled(&["Expected: "]),
        actual: block.labelled(&["Actual:   ", "Actual: "]),
        ..Failure::new(FailureKind::Test, clip(message))
    };
    Some(block::at(failure, block.frames(&DOTNET)))
}
