//! What does `dotnet test` print about what failed?

use std::sync::LazyLock;

use regex::Regex;

use crate::protocol::failure::{Failure, FailureKind};
use crate::strategy::failure::block::{self, Block, clip, pattern};

static FRAME: LazyLock<Regex> = LazyLock::new(|| pattern(r"^\s*at .* in (.+):line (\d+)$"));

/// Reads one failure of `dotnet test`.
pub fn test(block: &Block) -> Option<Failure> {
    let mut lines = block.words().skip_while(|line| *line != "Error Message:").skip(1);
    let message = lines.next()?;
    let failure = Failure {
        id: Some(block.title.clone()),
        expected: block.labelled(&["Expected: "]),
        actual: block.labelled(&["Actual:   ", "Actual: "]),
        ..Failure::new(FailureKind::Test, clip(message))
    };
    Some(block::at(failure, block.frames(&FRAME)))
}
