//! What do jest, vitest, mocha and node's own runner print about what failed?

use std::sync::LazyLock;

use regex::Regex;

use crate::base::text::shell_quoted;
use crate::protocol::failure::{Failure, FailureKind, Frame};
use crate::strategy::failure::block::{self, Block, clip, difference, pattern, signed, tidy};

static FRAME: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^\s+at (?:.*\()?(?:file://)?([^\s()]+?\.[cm]?[jt]sx?):(\d+):\d+\)?$"));
static POINTER: LazyLock<Regex> = LazyLock::new(|| pattern(r"^\s*❯ (?:.* )?([^\s()]+?\.[cm]?[jt]sx?):(\d+):\d+$"));
static IN_MESSAGE: LazyLock<Regex> = LazyLock::new(|| pattern(r"\((/\S+\.[cm]?[jt]sx?)\)$"));
static UNEQUAL: LazyLock<Regex> = LazyLock::new(|| pattern(r"^\s*(\S+) !== (\S+)$"));
static HEADED: LazyLock<Regex> = LazyLock::new(|| pattern(r"^(.+?):(\d+):\d+$"));
static TIMED: LazyLock<Regex> = LazyLock::new(|| pattern(r"^(.*?)(?: \(\d+(?:\.\d+)?ms\))?$"));

/// Reads one failure of jest: `● group › test`, below the line that names its file.
pub fn jest(block: &Block) -> Option<Failure> {
    let id = block.title.replace(" › ", " ");
    let suite = block.title == "Test suite failed to run";
    let kind = if suite { FailureKind::Setup } else { FailureKind::Test };
    let (expected, actual) = difference(block, "- Expected", "+ Received");
    let failure = Failure {
        id: Some(if suite { tidy(&block.heading) } else { id.clone() }),
        expected: block.labelled(&["Expected: ", "Expected value: "]).or(expected),
        actual: block.labelled(&["Received: ", "Received value: "]).or(actual),
        rerun: (!suite).then(|| format!("npx jest {} -t {}", shell_quoted(&tidy(&block.heading)), shell_quoted(&id))),
        ..Failure::new(kind, clip(block.words().next()?))
    };
    Some(placed(failure, block.frames(&FRAME), &block.heading))
}

/// Reads one failure of vitest: `FAIL file > group > test`.
pub fn vitest(block: &Block) -> Option<Failure> {
    let (file, id) = block.title.split_once(" > ").map_or((block.title.as_str(), None), |(file, id)| (file, Some(id)));
    let file = file.split(" [").next().unwrap_or(file);
    let message = block.words().next()?;
    let kind = if id.is_some() { FailureKind::Test } else { FailureKind::Setup };
    let short = id.map(|id| id.replace(" > ", " "));
    let (expected, actual) = difference(block, "- Expected", "+ Received");
    let failure = Failure {
        rerun: short.as_ref().map(|id| format!("npx vitest run {} -t {}", shell_quoted(file), shell_quoted(id))),
        id: short,
        expected,
        actual,
        ..Failure::new(kind, clip(message))
    };
    Some(placed(failure, block.frames(&POINTER), file))
}

/// Reads one failure of mocha: a number, the titles down to the test, which ends with a colon, and what it threw.
pub fn mocha(block: &Block) -> Option<Failure> {
    let mut titles = vec![block.title.as_str()];
    let mut rest = block.lines.iter();
    while !titles.last()?.ends_with(':') {
        titles.push(rest.next().map(|line| line.trim()).filter(|line| !line.is_empty())?);
    }
    let id = titles.join(" ").trim_end_matches(':').to_owned();
    let lines: Vec<String> = rest.cloned().collect();
    let body = Block { lines, ..Block::default() };
    let message = body.words().next()?;
    let values = body.lines.iter().find_map(|line| UNEQUAL.captures(line));
    let (expected, actual) = match values {
        Some(values) => (Some(values[2].to_owned()), Some(values[1].to_owned())),
        None => mocha_values(&body),
    };
    let kind = if id.contains("\" hook") { FailureKind::Setup } else { FailureKind::Test };
    let failure = Failure {
        rerun: Some(format!("npx mocha -g {}", shell_quoted(&id))),
        id: Some(id),
        expected,
        actual,
        ..Failure::new(kind, clip(message))
    };
    let file = body.find(&IN_MESSAGE).unwrap_or_default();
    Some(placed(failure, body.frames(&FRAME), &file))
}

/// mocha says on one line which sign is whose: `+ expected - actual`.
fn mocha_values(block: &Block) -> (Option<String>, Option<String>) {
    let Some(at) = block.lines.iter().position(|line| line.trim() == "+ expected - actual") else {
        return (None, None);
    };
    signed(&block.lines[at + 1..], '+', '-')
}

/// Reads one failure of `node --test`; the line above the title says where the test stands.
pub fn node(block: &Block) -> Option<Failure> {
    let mut lines = block.lines.iter();
    let title = lines.next()?.trim().strip_prefix("✖ ")?.to_owned();
    let id = TIMED.captures(&title).map_or(title.clone(), |groups| groups[1].to_owned());
    let body = Block { lines: lines.cloned().collect(), ..Block::default() };
    let message = body.words().next()?.trim_matches('\'');
    // A file that cannot be loaded fails as a test of its own.
    let kind = if message == "test failed" { FailureKind::Setup } else { FailureKind::Test };
    let values = body.lines.iter().find_map(|line| UNEQUAL.captures(line));
    let failure = Failure {
        actual: values.as_ref().map(|values| values[1].to_owned()),
        expected: values.as_ref().map(|values| values[2].to_owned()),
        rerun: Some(format!("node --test --test-name-pattern={}", shell_quoted(&id))),
        id: Some(id),
        ..Failure::new(kind, clip(message))
    };
    let mut frames = body.frames(&FRAME);
    if frames.is_empty()
        && let Some(place) = HEADED.captures(&block.title)
    {
        frames.extend(place[2].parse().ok().map(|line| Frame { file: tidy(&place[1]), line }));
    }
    Some(placed(failure, frames, ""))
}

/// Puts a failure at its innermost frame in the project, else into the file of its tests.
fn placed(mut failure: Failure, frames: Vec<Frame>, file: &str) -> Failure {
    if frames.is_empty() && !file.is_empty() {
        failure.file = Some(tidy(file));
        return failure;
    }
    block::at(failure, frames)
}
