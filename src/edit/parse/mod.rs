//! What change does a model state, in whichever dialect it states it?
//!
//! Each dialect is a file that turns text into a [`ChangeSet`]; all are understood whatever dialect the model was offered.
//! Forgives what does not matter to the meaning (fences around, wrong counts, decorated file names) and refuses what has
//! two readings. Must not look at files.
//! To add a dialect: a file here, a row in [`stated`], a variant of `protocol::profile::EditDialect`, cases in
//! `tests/fixtures/edit`.

pub mod blocks;
pub mod call;
pub mod heredoc;
pub mod patch;
pub mod unified;

use crate::edit::EditError;
use crate::edit::change::ChangeSet;
use crate::edit::misstated::Misstated;

/// Reads a change from text in the dialect it is written in. `path` is the file meant where the text names none.
///
/// # Errors
/// [`Misstated`] when it is in no dialect, or not in the form of the one it begins like.
pub fn stated(text: &str, path: Option<&str>) -> Result<ChangeSet, EditError> {
    if patch::is_like(text) {
        patch::parse(text)
    } else if blocks::is_like(text) {
        blocks::parse(text, path)
    } else if unified::is_like(text) {
        unified::parse(text, path)
    } else {
        Err(Misstated::Unknown.into())
    }
}

/// Says whether a text states a change in a dialect, rather than being content.
pub fn is_stated(text: &str) -> bool {
    patch::is_like(text) || blocks::is_like(text) || unified::is_like(text)
}

/// A text whose lines are counted while it is read.
struct Lines<'a> {
    lines: Vec<&'a str>,
    at: usize,
}

impl<'a> Lines<'a> {
    /// Cuts a text into lines, each without its line end.
    fn new(text: &'a str) -> Self {
        Self { lines: text.lines().collect(), at: 0 }
    }

    fn peek(&self) -> Option<&'a str> {
        self.lines.get(self.at).copied()
    }

    /// Looks `ahead` lines further than [`Self::peek`].
    fn peek_at(&self, ahead: usize) -> Option<&'a str> {
        self.lines.get(self.at + ahead).copied()
    }

    fn rest(&self) -> &[&'a str] {
        &self.lines[self.at.min(self.lines.len())..]
    }

    fn next(&mut self) -> Option<&'a str> {
        let line = self.peek()?;
        self.at += 1;
        Some(line)
    }

    /// Returns the number of the line that was read last, counted from 1.
    fn number(&self) -> usize {
        self.at.max(1)
    }
}

/// Returns the path that a model wrote with decorations: quotes, backticks, bold, a colon, `./` in front.
fn bare_path(given: &str) -> &str {
    let path =
        given.trim().trim_matches(['`', '"', '\'', '*']).trim_end_matches(':').trim_matches(['`', '"', '\'', '*']);
    let path = path.trim();
    path.strip_prefix("./").filter(|rest| !rest.is_empty()).unwrap_or(path)
}
