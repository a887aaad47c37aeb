//! How are lines of a file shown to the model, so that it can name them again?
//!
//! One form everywhere: the line number right-aligned to five places, a tab, the line. Whoever takes text back from the
//! model can rely on it to strip numbers that were copied along.

use std::fmt;
use std::fmt::Write as _;

use crate::base::text::clip_line;

/// Bytes of one line shown; minified files have lines of megabytes.
pub const MAX_LINE_BYTES: usize = 2000;
/// Lines an excerpt shows at most.
const MAX_EXCERPT_LINES: usize = 30;

/// Some lines of a file with their numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt {
    /// Number of the first line, counted from 1.
    pub first_line: usize,
    /// The lines, without their ends.
    pub lines: Vec<String>,
}

impl Excerpt {
    /// Cuts out the lines `first..=last` (counted from 1) and `margin` more on each side, as far as they exist.
    pub fn around(text: &str, first: usize, last: usize, margin: usize) -> Self {
        let first_line = first.saturating_sub(margin).max(1);
        let n_lines = (last.max(first) + margin + 1 - first_line).min(MAX_EXCERPT_LINES);
        let lines = text.lines().skip(first_line - 1).take(n_lines).map(str::to_owned).collect();
        Self { first_line, lines }
    }
}

impl fmt::Display for Excerpt {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        for (index, line) in self.lines.iter().enumerate() {
            push_numbered(&mut text, self.first_line + index, line);
        }
        out.write_str(&text)
    }
}

/// Appends one line with its number, cut at [`MAX_LINE_BYTES`].
pub fn push_numbered(out: &mut String, number: usize, line: &str) {
    let _ = writeln!(out, "{number:>5}\t{}", clip_line(line, MAX_LINE_BYTES));
}
