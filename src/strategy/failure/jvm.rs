//! What do Gradle and Maven print about what failed?

use std::sync::LazyLock;

use regex::Regex;

use crate::base::text::shell_quoted;
use crate::protocol::failure::{Failure, FailureKind, Frame};
use crate::strategy::failure::block::{self, Block, clip, pattern};
use crate::strategy::failure::engine::Note;

static FRAME: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^\s+at (?:.*\()?([\w$]+\.(?:java|kt|scala|groovy)):(\d+)\)?"));
static SHORT: LazyLock<Regex> = LazyLock::new(|| pattern(r" at (\w+\.(?:java|kt|groovy)):(\d+)$"));
static VALUES: LazyLock<Regex> = LazyLock::new(|| pattern(r"expected: ?<(.*?)> but was: ?<(.*?)>"));
static WORDS: LazyLock<Regex> = LazyLock::new(|| pattern(r"expected:? ?<(.*?)> but was:? ?<(.*?)>"));

/// Reads one test that Gradle says failed: `CalcTest > adds() FAILED`.
pub fn gradle(block: &Block) -> Option<Failure> {
    let message = block.words().next()?;
    let id = name(&block.title);
    let mut failure = Failure { id: Some(id.clone()), ..Failure::new(FailureKind::Test, clip(message)) };
    compare(&mut failure);
    failure.rerun = Some(format!("./gradlew test --tests {}", shell_quoted(&id)));
    let own =
        Block { lines: block.lines.iter().filter(|line| !is_library(line)).cloned().collect(), ..Block::default() };
    let mut frames = own.frames(&FRAME);
    if frames.is_empty()
        && let Some(place) = SHORT.captures(message)
    {
        frames.extend(place[2].parse().ok().map(|line| Frame { file: place[1].to_owned(), line }));
    }
    Some(block::at(failure, frames))
}

/// Names a test by its class and method; of a test with parameters Gradle prints both twice.
fn name(title: &str) -> String {
    let mut names = Vec::new();
    for part in title.split(" > ") {
        names.push(part.split('(').next().unwrap_or(part));
        if part.contains('(') {
            break;
        }
    }
    names.join(".")
}

fn is_library(line: &str) -> bool {
    let call = line.trim_start().strip_prefix("at ").unwrap_or_default();
    let call = call.rsplit('/').next().unwrap_or(call);
    ["org.junit.", "org.opentest4j.", "org.hamcrest.", "org.assertj.", "java.", "jdk.", "sun.", "org.gradle."]
        .iter()
        .any(|package| call.starts_with(package))
}

/// Takes the tests of Maven's summary: `[ERROR]   CalcTest.adds:12 expected: <6> but was: <5>`.
pub fn settle_maven(failures: &mut Vec<Failure>, notes: &[Note]) {
    for note in notes {
        let (Some(id), Some(message)) = (note.get("id"), note.get("message")) else { continue };
        let (class, method) = id.rsplit_once('.').unwrap_or((id, ""));
        let id = format!("{class}#{method}");
        let class = class.split('$').next().unwrap_or(class);
        let mut failure = Failure {
            file: Some(format!("{}.java", class.rsplit('.').next().unwrap_or(class))),
            line: note.get("line").and_then(|line| line.parse().ok()),
            rerun: Some(format!("mvn -q -B test -Dtest={}", shell_quoted(&id))),
            id: Some(id),
            ..Failure::new(FailureKind::Test, clip(message))
        };
        compare(&mut failure);
        failures.push(failure);
    }
}

fn compare(failure: &mut Failure) {
    let values = VALUES.captures(&failure.message).or_else(|| WORDS.captures(&failure.message));
    if let Some(values) = values {
        failure.expected = Some(values[1].to_owned());
        failure.actual = Some(values[2].to_owned());
    }
}

/// Maven says everything in its summary.
pub fn no_block(_: &Block) -> Option<Failure> {
    None
}
