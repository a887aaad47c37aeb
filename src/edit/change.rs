//! What does a model want done to which files, whatever way it had of saying so?
//!
//! Plain values between those who read a dialect ([`crate::edit::parse`]) and those who carry it out
//! ([`crate::edit::plan`]). Must not know a dialect's syntax, and nothing of the disk.

use crate::edit::replace::Extent;
use crate::protocol::profile::EditDialect;

/// Everything one call wants done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeSet {
    /// How it was said.
    pub dialect: EditDialect,
    /// File by file, in the order given.
    pub files: Vec<FileChange>,
}

impl ChangeSet {
    /// Lets relative paths start in `folder`.
    pub fn put_below(&mut self, folder: &str) {
        let below = |path: &mut String| *path = std::path::Path::new(folder).join(&path).to_string_lossy().into_owned();
        for file in &mut self.files {
            below(&mut file.path);
            if let What::Move { to, .. } = &mut file.what {
                below(to);
            }
        }
    }
}

/// What is to become of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileChange {
    /// Its path as the model wrote it.
    pub path: String,
    /// What becomes of it.
    pub what: What,
}

/// What is to become of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// Parts of it are exchanged.
    Edit(Vec<Replacement>),
    /// This is its whole content from now on, whether it is there or not.
    Write(String),
    /// This is its content; it must not be there yet.
    Create(String),
    /// It goes; with a text, only if that is what it holds.
    Delete(Option<String>),
    /// It gets another name, and parts of it are exchanged.
    Move {
        /// The new path as the model wrote it.
        to: String,
        /// What is exchanged; may be empty.
        edits: Vec<Replacement>,
    },
}

/// One text exchanged for another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replacement {
    /// What is there.
    pub old: String,
    /// What comes instead.
    pub new: String,
    /// How many places are meant.
    pub extent: Extent,
    /// What the texts consist of.
    pub unit: Unit,
    /// What else was said of the place.
    pub hint: Hint,
}

/// What the texts of a replacement consist of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Characters: it may begin and end inside a line.
    Text,
    /// Whole lines, each with its line end.
    Lines,
}

/// What a dialect says of a place besides the text there. Decides between places that all have the text; never finds one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hint {
    /// Lines that stand above the place, outermost first.
    pub anchors: Vec<String>,
    /// The line it starts at, counted from 1; none where the dialect has no numbers or they are not to be believed.
    pub line: Option<usize>,
    /// Whether it is at the end of the file.
    pub is_at_end: bool,
    /// Whether it comes after the places of the replacements before it.
    pub is_in_order: bool,
}

impl Replacement {
    /// Exchanges text that is there once, with nothing else said.
    pub fn text(old: impl Into<String>, new: impl Into<String>) -> Self {
        let (extent, unit, hint) = (Extent::One, Unit::Text, Hint::default());
        Self { old: old.into(), new: new.into(), extent, unit, hint }
    }

    /// Exchanges whole lines that are there once.
    pub fn lines(old: impl Into<String>, new: impl Into<String>, hint: Hint) -> Self {
        Self { unit: Unit::Lines, hint, ..Self::text(old, new) }
    }
}
