//! What does the Test Anything Protocol say about what failed?
//!
//! Versions 13 and 14 put a YAML document below the line (node), others only comments (bats).

use std::sync::LazyLock;

use regex::Regex;

use crate::protocol::failure::{Failure, FailureKind, Frame};
use crate::strategy::failure::block::{self, Block, clip, pattern, tidy};
use crate::strategy::failure::engine::UNTOLD;

/// The directive of a test that may fail: it is still to be done, or skipped. Harnesses write it in either case.
static EXCUSED: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?i)#\s*(?:todo|skip)\b"));
static LOCATION: LazyLock<Regex> = LazyLock::new(|| pattern(r"^\s*location: '?(?:file://)?(.+?):(\d+):\d+'?$"));
static IN_FILE: LazyLock<Regex> = LazyLock::new(|| pattern(r"^#.*\bin (?:test )?file (\S+?), line (\d+)[,)]"));
static STACK: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^\s+(?:.* )?\(?(?:file://)?([^\s()]+?\.[cm]?[jt]sx?):(\d+):\d+\)?$"));

/// Reads one line `not ok` with what stands below it.
pub fn not_ok(block: &Block) -> Option<Failure> {
    let title = block.title.trim_start_matches("- ").trim();
    if EXCUSED.is_match(title) {
        return None;
    }
    let kind = block.labelled(&["failureType: "]);
    if kind.is_some_and(|kind| kind.contains("subtestsFailed")) {
        return None;
    }
    let mut failure = Failure { id: Some(title.to_owned()), ..Failure::new(FailureKind::Test, message(block)) };
    failure.expected = value(block, &["expected: ", "# expected: "]);
    failure.actual = value(block, &["actual: ", "# actual: ", "# output: "]);
    if failure.message == "test failed" {
        failure.kind = FailureKind::Setup;
    }
    let mut frames = block.frames(&STACK);
    frames.extend(block.frames(&IN_FILE));
    frames.extend(place(block));
    frames.dedup();
    Some(block::at(failure, frames))
}

fn message(block: &Block) -> String {
    if let Some(error) = block.labelled(&["error: ", "message: "]) {
        if !matches!(error.as_str(), "|-" | "|" | ">-" | ">") {
            return clip(&unquoted(&error));
        }
        let mut below =
            block.words().skip_while(|line| !line.starts_with("error: ") && !line.starts_with("message: ")).skip(1);
        return clip(below.next().unwrap_or(UNTOLD));
    }
    let comment = block
        .words()
        .filter_map(|line| line.strip_prefix("# "))
        .map(str::trim)
        .find(|line| !line.starts_with('(') && !line.starts_with("in "));
    let plain = || block.words().find(|line| !line.starts_with("---") && !line.contains(": "));
    clip(comment.or_else(plain).unwrap_or(UNTOLD))
}

/// Reads a value: on its line, or the first line below of one that spans several.
fn value(block: &Block, labels: &[&str]) -> Option<String> {
    let value = block.labelled(labels)?;
    if !matches!(value.as_str(), "|-" | "|" | ">-" | ">") {
        return Some(unquoted(&value));
    }
    let is_label = |line: &&str| labels.iter().any(|label| line.starts_with(label));
    block.words().skip_while(|line| !is_label(line)).nth(1).map(clip)
}

fn place(block: &Block) -> Option<Frame> {
    let found = block.lines.iter().find_map(|line| LOCATION.captures(line))?;
    Some(Frame { file: tidy(&found[1]), line: found[2].parse().ok()? })
}

fn unquoted(text: &str) -> String {
    let text = text.trim();
    let inner = text.strip_prefix(['\'', '"']).and_then(|text| text.strip_suffix(['\'', '"']));
    inner.unwrap_or(text).to_owned()
}
