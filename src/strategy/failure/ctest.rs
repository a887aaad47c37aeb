//! What does ctest print about what failed?

use std::sync::LazyLock;

use regex::Regex;

use crate::protocol::failure::{Failure, FailureKind};
use crate::strategy::failure::block::{self, Block, clip, pattern};
use crate::strategy::failure::engine::{Note, UNTOLD};

static COMPLAINS: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?i)expected|assert|error|fail|unable|mismatch"));
static PLACE: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?:^|\s)([\w./-]+\.\w+):(\d+):"));

/// The program's own words, when ctest shows them, stand behind its line.
pub fn test(block: &Block) -> Option<Failure> {
    let how = block.first.split_once("***").map_or(UNTOLD, |(_, how)| how);
    let how = how.split("  ").next().unwrap_or(how).trim();
    let is_crash = how.contains("Exception") || how.contains("aborted");
    let kind = if is_crash { FailureKind::Crash } else { FailureKind::Test };
    let message = block.words().find(|line| COMPLAINS.is_match(line)).unwrap_or(how);
    let failure = Failure { id: Some(block.title.clone()), ..Failure::new(kind, clip(message)) };
    Some(block::at(failure, block.frames(&PLACE)))
}

/// Adds what only the list at the end names.
pub fn settle(failures: &mut Vec<Failure>, notes: &[Note]) {
    for note in notes {
        let Some(id) = note.get("id") else { continue };
        if !failures.iter().any(|failure| failure.id.as_ref() == Some(id)) {
            let message = note.get("message").map_or(UNTOLD, String::as_str);
            failures.push(Failure { id: Some(id.clone()), ..Failure::new(FailureKind::Test, clip(message)) });
        }
    }
    for failure in failures {
        failure.rerun = failure.id.as_ref().map(|id| {
            let name = crate::base::text::shell_quoted(&format!("^{}$", regex::escape(id)));
            format!("ctest --output-on-failure -R {name}")
        });
    }
}
