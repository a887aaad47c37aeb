//! What stands between the line that begins a failure and the one that ends it?

use std::sync::LazyLock;

use regex::Regex;

use crate::protocol::failure::{Failure, Frame};

/// Lines kept of one block: messages, differences and stacks are shorter; what is longer is the test's own output.
pub const MAX_LINES: usize = 400;
/// Frames kept of one stack.
const MAX_FRAMES: usize = 8;
/// Bytes kept of one message or value.
const MAX_TEXT_BYTES: usize = 400;

/// The lines of one failure.
#[derive(Debug, Default)]
pub struct Block {
    /// What the line that begins it names.
    pub title: String,
    /// What was named last above it that counts for several blocks: a file, a package.
    pub heading: String,
    /// That line itself.
    pub first: String,
    /// The lines behind it.
    pub lines: Vec<String>,
}

impl Block {
    /// Returns the lines without blanks around them, without the empty ones.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().map(|line| line.trim()).filter(|line| !line.is_empty())
    }

    /// Returns what follows the first of `labels` that begins a line.
    pub fn labelled(&self, labels: &[&str]) -> Option<String> {
        labels.iter().find_map(|label| self.words().find_map(|line| line.strip_prefix(label))).map(clip)
    }

    /// Returns the first line that matches, with what its first group holds.
    pub fn find(&self, pattern: &Regex) -> Option<String> {
        self.lines.iter().find_map(|line| Some(pattern.captures(line)?.get(1)?.as_str().to_owned()))
    }

    /// Returns the places in the lines, in their order, that match `pattern` (file, line) and lie in the project.
    pub fn frames(&self, pattern: &Regex) -> Vec<Frame> {
        let place = |line: &String| {
            let found = pattern.captures(line)?;
            let file = tidy(found.get(1)?.as_str());
            let line = found.get(2)?.as_str().parse().ok()?;
            is_own(&file).then_some(Frame { file, line })
        };
        let mut frames: Vec<Frame> = self.lines.iter().filter_map(place).collect();
        frames.dedup();
        frames.truncate(MAX_FRAMES);
        frames
    }
}

/// Reads the first lines that differ, below a legend of two lines that begin so; the first sign of each is that of its lines.
pub fn difference(block: &Block, expected: &str, actual: &str) -> (Option<String>, Option<String>) {
    let lines = &block.lines;
    let is = |line: &String| [expected, actual].iter().any(|legend| line.trim().starts_with(legend));
    let at = lines.iter().position(is).filter(|at| lines.get(at + 1).is_some_and(is));
    let sign = |legend: &str| legend.chars().next().unwrap_or(' ');
    at.map_or((None, None), |at| signed(&lines[at + 2..], sign(expected), sign(actual)))
}

/// Returns the first line of each sign.
pub fn signed(lines: &[String], expected: char, actual: char) -> (Option<String>, Option<String>) {
    let first = |sign: char| lines.iter().find_map(|line| line.trim().strip_prefix(sign)).map(|text| clip(text.trim()));
    (first(expected), first(actual))
}

/// Puts a failure at the first of its frames.
#[must_use]
pub fn at(mut failure: Failure, frames: Vec<Frame>) -> Failure {
    if let Some(first) = frames.first() {
        failure.file = Some(first.file.clone());
        failure.line = Some(first.line);
    }
    failure.stack = if frames.len() > 1 { frames } else { Vec::new() };
    failure
}

/// Bounds a message or value.
pub fn clip(text: &str) -> String {
    crate::base::text::clip_line(text.trim(), MAX_TEXT_BYTES).into_owned()
}

/// Takes away what different tools put in front of the same path.
pub fn tidy(path: &str) -> String {
    let path = path.trim().trim_start_matches("file://");
    path.strip_prefix("./").unwrap_or(path).to_owned()
}

/// Says whether a path of a stack is one of the project rather than of a library or of the language.
fn is_own(path: &str) -> bool {
    static FOREIGN: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(
            r"(^|/)(node_modules|site-packages|dist-packages|\.cargo/registry|rustlib|\.venv|vendor|gems|lib/python[\d.]+)/|^/rustc/|^node:|^internal/|^<|^/usr/(lib|share|local/go)|(^|/)go/src/",
        )
        .ok()
    });
    FOREIGN.as_ref().is_none_or(|foreign| !foreign.is_match(path))
}

/// A pattern that matches no line. Like all others it holds on to the beginning of a line, so that a set of them gives most
/// lines up after a few bytes: one that looks further on makes the whole set read every line to its end.
pub const NOTHING: &str = r"^\z.";

/// Compiles a pattern that is compiled in.
#[expect(clippy::expect_used, reason = "the patterns are compiled in, and the tests use every one")]
pub fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a compiled-in pattern parses")
}
