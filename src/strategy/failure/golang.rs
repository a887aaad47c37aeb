//! What does `go test` print about what failed?

use std::sync::LazyLock;

use regex::Regex;

use crate::protocol::failure::{Failure, FailureKind};
use crate::strategy::failure::block::{self, Block, clip, pattern};
use crate::strategy::failure::engine::{Note, UNTOLD};

static PLACE: LazyLock<Regex> = LazyLock::new(|| pattern(r"^\s+([\w./-]+_test\.go):(\d+): ?"));
static MESSAGE: LazyLock<Regex> = LazyLock::new(|| pattern(r"^\s+[\w./-]+\.go:\d+: ?(.*)$"));
static COMPLAINS: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?i)\b(got|want|expected|differs?|mismatch|error|fail|unexpected|not)\b|!="));
static FRAME: LazyLock<Regex> = LazyLock::new(|| pattern(r"^\s+(\S+\.go):(\d+)(?: \+0x[0-9a-f]+)?$"));
static GOT_WANT: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?i)(?:=|got:?|actual:?) *(.+?)[,;]? *(?:want|wanted|expected)(?: to be)?:? *(.+)$"));

/// Reads one test that failed. Its own lines stand behind it when it runs, and before it does for a test in parallel.
pub fn test(block: &Block) -> Option<Failure> {
    let panicked = block.lines.iter().find_map(|line| line.strip_prefix("panic: "));
    let message = panicked.map(str::to_owned).or_else(|| complaint(block));
    let frames = if panicked.is_some() { block.frames(&FRAME) } else { block.frames(&PLACE) };
    let mut failure = Failure {
        id: Some(block.title.clone()),
        expected: block.labelled(&["want: "]),
        actual: block.labelled(&["got: "]),
        ..Failure::new(if panicked.is_some() { FailureKind::Crash } else { FailureKind::Test }, UNTOLD)
    };
    if let Some(message) = message {
        say(&mut failure, &message);
    }
    Some(block::at(failure, frames))
}

fn say(failure: &mut Failure, message: &str) {
    if let Some(values) = GOT_WANT.captures(message) {
        failure.actual = Some(clip(&values[1]));
        failure.expected = Some(clip(&values[2]));
    }
    failure.message = clip(message);
}

/// Returns the first message that complains; what `t.Log` says looks alike.
fn complaint(block: &Block) -> Option<String> {
    let said: Vec<String> = block.lines.iter().filter_map(|line| Some(MESSAGE.captures(line)?[1].to_owned())).collect();
    said.iter().find(|message| COMPLAINS.is_match(message)).or(said.first()).cloned()
}

/// Finds what a test said before its end (`-v`), drops a test that failed only because its sub-tests did, and gives each a
/// command of its own: a pattern for each level.
pub fn settle(failures: &mut Vec<Failure>, notes: &[Note]) {
    for failure in failures.iter_mut().filter(|failure| failure.file.is_none()) {
        let mut said = notes.iter().filter(|note| note.get("heading") == failure.id.as_ref());
        let Some(last) = said.next_back() else { continue };
        let message = last.get("message").cloned().unwrap_or_default();
        failure.file = last.get("file").cloned();
        failure.line = last.get("line").and_then(|line| line.parse().ok());
        say(failure, &message);
    }
    let ids: Vec<String> = failures.iter().filter_map(|failure| failure.id.clone()).collect();
    failures.retain(|failure| {
        let is_parent = |id: &String| {
            ids.iter().any(|other| other.strip_prefix(id.as_str()).is_some_and(|rest| rest.starts_with('/')))
        };
        failure.file.is_some() || !failure.id.as_ref().is_some_and(is_parent)
    });
    for failure in failures {
        let Some(id) = &failure.id else { continue };
        let levels: Vec<String> = id.split('/').map(|level| format!("^{}$", regex::escape(level))).collect();
        failure.rerun = Some(format!("go test ./... -run {}", crate::base::text::shell_quoted(&levels.join("/"))));
    }
}
