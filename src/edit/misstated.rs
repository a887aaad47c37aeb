//! What can be wrong with the way a change is stated, before any file is looked at or beyond what one file can tell?
//!
//! Facts with their places; the words for the model that say what would work are in `tools::refusal`.

use crate::edit::excerpt::Excerpt;

/// Why a stated change cannot be carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Misstated {
    /// It is not in the form of its dialect.
    #[error("the {what} cannot be read: line {line}: {why}")]
    Form {
        /// The dialect, as it is called.
        what: &'static str,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong there.
        why: String,
    },
    /// It is in no form that is known.
    #[error("the text states no change in a form that is known")]
    Unknown,
    /// It says nothing.
    #[error("the call names no change")]
    Nothing,
    /// A name no file should have.
    #[error("`{name}` cannot be the name of a file: {why}")]
    Name {
        /// The name, on one line.
        name: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// One file is named twice.
    #[error("`{name}` is changed in two places of the same call")]
    Twice {
        /// The file.
        name: String,
    },
    /// Two replacements touch the same text.
    #[error("two of the changes overlap, at lines {first} and {second}")]
    Overlap {
        /// Where the first starts.
        first: usize,
        /// Where the second starts.
        second: usize,
    },
    /// A file is to be made that is there.
    #[error("`{name}` already exists")]
    Exists {
        /// The file.
        name: String,
    },
    /// A new name that differs only in capitals.
    #[error("`{from}` and `{to}` differ only in upper and lower case")]
    CaseOnly {
        /// The old name.
        from: String,
        /// The new name.
        to: String,
    },
    /// The line that should stand above the place is nowhere.
    #[error("the line `{anchor}` after `@@` is not in the file")]
    NoAnchor {
        /// The line.
        anchor: String,
        /// What comes nearest.
        nearest: Option<Excerpt>,
    },
    /// The text is there, but above the line that should stand above it.
    #[error("the old text is at line {line}, which is not below `{anchor}`")]
    AboveAnchor {
        /// The line that should stand above.
        anchor: String,
        /// Where the text is, counted from 1.
        line: usize,
    },
    /// Lines are added without any that are there.
    #[error("the change only adds lines and does not say where: it has no lines of the file around them")]
    NoContext,
    /// A file is to go that has more in it than was said.
    #[error("`{name}` does not hold what the diff removes; it differs from line {line} on")]
    OtherContent {
        /// The file.
        name: String,
        /// The first line that differs, counted from 1.
        line: usize,
    },
    /// The path leads out of the workspace.
    #[error("`{name}` is outside the workspace")]
    Outside {
        /// The path.
        name: String,
    },
}
