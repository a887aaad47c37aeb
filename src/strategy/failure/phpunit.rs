//! What does PHPUnit print about what failed?

use std::sync::LazyLock;

use regex::Regex;

use crate::base::text::shell_quoted;
use crate::protocol::failure::{Failure, FailureKind};
use crate::strategy::failure::block::{self, Block, clip, difference, pattern};

static FRAME: LazyLock<Regex> = LazyLock::new(|| pattern(r"^(\S+\.php):(\d+)$"));
static VALUES: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^Failed asserting that (.+) (?:matches expected|is identical to) (.+?)\.$"));

/// Reads one failure of PHPUnit.
pub fn test(block: &Block) -> Option<Failure> {
    if matches!(block.heading.as_str(), "risky" | "skipped" | "incomplete" | "warning" | "deprecation" | "notice") {
        return None;
    }
    let message = block.words().next()?;
    // A set of data without a name is shown by its values, and a filter takes none.
    let id = block.title.rsplit_once(" (").map_or(block.title.as_str(), |(name, _)| name);
    let mut failure = Failure { id: Some(id.to_owned()), ..Failure::new(FailureKind::Test, clip(message)) };
    (failure.expected, failure.actual) = difference(block, "--- Expected", "+++ Actual");
    if let Some(values) = block.words().find_map(|line| VALUES.captures(line)) {
        failure.actual = Some(values[1].to_owned());
        failure.expected = Some(values[2].to_owned());
    }
    failure.rerun = Some(format!("vendor/bin/phpunit --filter {}", shell_quoted(&format!("/^{}/", regex::escape(id)))));
    Some(block::at(failure, block.frames(&FRAME)))
}
