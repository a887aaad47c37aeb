//! What do pytest and unittest print about what failed?

use std::sync::LazyLock;

use regex::Regex;

use crate::protocol::failure::{Failure, FailureKind, Frame};
use crate::strategy::failure::block::{self, Block, clip, pattern, tidy};
use crate::strategy::failure::engine::{Note, UNTOLD};

static PLACE: LazyLock<Regex> = LazyLock::new(|| pattern(r"^(\S+\.py):(\d+): ?(?:in .*|\w[\w.]*|Failed.*)?$"));
static COMPARED: LazyLock<Regex> = LazyLock::new(|| pattern(r"^(?:AssertionError: )?assert (.+) == (.+)$"));
static UNEQUAL: LazyLock<Regex> = LazyLock::new(|| pattern(r"^AssertionError: (.+) != (.+?)(?: : .*)?$"));
static FRAME: LazyLock<Regex> = LazyLock::new(|| pattern(r#"^\s*File "(.+)", line (\d+)"#));
static QUOTED: LazyLock<Regex> = LazyLock::new(|| pattern(r#"^E\s+File "(.+)", line (\d+)"#));
static ARROW: LazyLock<Regex> = LazyLock::new(|| pattern(r"^\s*--> (.+?):(\d+):\d+$"));
static ERROR: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^(?:[\w.]+(?:Error|Exception|Exit|Warning|Interrupt)\b|assert )"));
static METHOD: LazyLock<Regex> = LazyLock::new(|| pattern(r"^(\w+) \((.+)\)$"));

/// Reads one section of pytest's report of failures.
pub fn pytest(block: &Block) -> Option<Failure> {
    let kind = if block.title.starts_with("ERROR ") { FailureKind::Setup } else { FailureKind::Test };
    let mut said = block.lines.iter().filter_map(|line| line.strip_prefix("E  ")).map(str::trim);
    // A syntax error shows its place before it says what it is.
    let first = said.clone().find(|line| ERROR.is_match(line)).or_else(|| said.next());
    let other = || block.words().find(|line| !line.starts_with('_') && !line.starts_with('-'));
    let message = first.or_else(other)?;
    // A collection error says on its first line only that there is one.
    let mut failure = Failure::new(kind, clip(message));
    let said = block.lines.iter().filter_map(|line| line.strip_prefix("E  ")).map(str::trim);
    if let Some(values) = said.clone().find_map(|line| COMPARED.captures(line)) {
        failure.actual = Some(clip(&values[1]));
        failure.expected = Some(clip(&values[2]));
    }
    failure.id = Some(block.title.clone());
    let mut frames: Vec<Frame> = block.frames(&PLACE);
    if frames.is_empty() {
        frames = block.frames(&QUOTED);
    }
    frames.reverse();
    Some(block::at(failure, frames))
}

/// Puts the full name of each test, which only the summary has, in place of the title of its section. What only the summary
/// tells is added.
pub fn settle(failures: &mut Vec<Failure>, notes: &[Note]) {
    let mut is_named = vec![false; failures.len()];
    for note in notes {
        let (Some(id), message) = (note.get("id"), note.get("message")) else { continue };
        let names = |failure: &Failure| failure.id.as_ref().is_some_and(|title| is_title_of(title, id));
        let found = failures
            .iter()
            .enumerate()
            .position(|(n, failure)| !is_named.get(n).copied().unwrap_or(true) && names(failure));
        match found {
            Some(n) => {
                is_named[n] = true;
                failures[n].id = Some(id.clone());
                failures[n].file = failures[n].file.take().or_else(|| id.split("::").next().map(tidy));
            }
            None if failures.iter().any(|failure| failure.id.as_ref() == Some(id)) => {}
            None => failures.push(Failure {
                id: Some(id.clone()),
                file: id.split("::").next().map(tidy),
                ..Failure::new(FailureKind::Test, clip(message.map_or(UNTOLD, String::as_str)))
            }),
        }
    }
}

/// Says whether a section's title is short for the name of a test: `TestCalc.test_add[1]` for `tests/a.py::TestCalc::test_add[1]`.
fn is_title_of(title: &str, id: &str) -> bool {
    let title = ["ERROR at setup of ", "ERROR at teardown of ", "ERROR collecting "]
        .iter()
        .find_map(|prefix| title.strip_prefix(prefix))
        .unwrap_or(title);
    let (name, parameters) = title.split_once('[').map_or((title, ""), |(name, rest)| (name, rest));
    let name = name.replace('.', "::");
    let short = if parameters.is_empty() { name } else { format!("{name}[{parameters}") };
    id == title || id == short || id.ends_with(&format!("::{short}"))
}

/// Reads one finding of ruff in its long form.
pub fn ruff(block: &Block) -> Option<Failure> {
    let (code, message) = block.title.split_once(' ')?;
    let frames = block.frames(&ARROW);
    let failure = Failure {
        code: Some(code.trim_end_matches(':').to_owned()),
        ..Failure::new(FailureKind::Lint, clip(message.trim_start_matches("[*] ")))
    };
    (!frames.is_empty()).then(|| block::at(failure, frames))
}

/// Reads one failure of unittest.
pub fn unittest(block: &Block) -> Option<Failure> {
    let (word, title) = block.title.split_once(": ")?;
    let names = METHOD.captures(title);
    let id = names.map_or_else(|| title.to_owned(), |names| full_name(&names[1], &names[2]));
    let mut frames = block.frames(&FRAME);
    frames.reverse();
    let message = message_behind_frames(&block.lines)?;
    let mut failure = Failure { id: Some(id), ..Failure::new(FailureKind::Test, clip(message)) };
    if let Some(values) = UNEQUAL.captures(message) {
        failure.actual = Some(clip(&values[1]));
        failure.expected = Some(clip(&values[2]));
    }
    // A module that cannot be imported becomes a test of that name.
    if word == "ERROR" && title.contains("unittest.loader") {
        failure.kind = FailureKind::Setup;
        failure.id = failure.id.and_then(|id| id.rsplit('.').next().map(str::to_owned));
    }
    Some(block::at(failure, frames))
}

/// Older versions name the class only.
fn full_name(method: &str, class: &str) -> String {
    if class.rsplit('.').next() == Some(method) { class.to_owned() } else { format!("{class}.{method}") }
}

/// Reads a traceback outside of any test.
pub fn traceback(block: &Block) -> Option<Failure> {
    let message = message_behind_frames(&block.lines)?;
    let mut frames = block.frames(&FRAME);
    frames.reverse();
    (!frames.is_empty()).then(|| block::at(Failure::new(FailureKind::Crash, clip(message)), frames))
}

/// Returns the first line behind the frames of a traceback: the exception.
fn message_behind_frames(lines: &[String]) -> Option<&str> {
    let start = lines.iter().position(|line| FRAME.is_match(line))?;
    let is_message = |line: &&String| !line.starts_with(' ') && !line.is_empty();
    lines[start..].iter().find(is_message).map(String::as_str)
}
