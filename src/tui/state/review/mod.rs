//! What is known while changes are reviewed?
//!
//! The files with what was decided of each hunk, where the person is, what they said. Pure: what a decision does to files is
//! ordered ([`orders`]) and may fail, and then the decision is as if it had not been made. To add something that can be decided: a
//! method in [`decide`], a row in `tui::keymap` and `config/keymap.yaml`, an arm in [`keys`].

pub mod colours;
mod commit;
mod decide;
pub mod file;
mod go;
mod keys;
mod orders;
pub mod tree;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::protocol::changes::{ChangeSet, Kept, Remark, Said, Source};
use crate::protocol::diff::Hunk;
use crate::tui::keymap::Action;
use crate::tui::state::review::colours::Colours;
use crate::tui::state::review::file::{File, Mark, Piece};
use crate::tui::state::review::orders::Orders;
use crate::tui::state::review::tree::Branch;

/// Changes under review.
#[derive(Debug, Clone, PartialEq)]
pub struct Review {
    /// Where they come from.
    pub source: Source,
    /// How far they are read.
    pub reading: Reading,
    /// What was compared, for a person.
    pub what: String,
    /// What should be known about it.
    pub notes: Vec<String>,
    /// The files, by path.
    pub files: Vec<File>,
    /// The same as a tree.
    pub tree: Vec<Branch>,
    /// Where the person is.
    pub at: At,
    /// Whether keys go through files rather than lines.
    pub is_in_tree: bool,
    /// How lines stand.
    pub shape: Shape,
    /// Whether the tree is shown where there is room.
    pub has_tree: bool,
    /// What was said, in the order it was said.
    pub remarks: Vec<Remark>,
    /// What is searched.
    pub search: Option<String>,
    /// Counts what changes how the files look, so that a view knows when what it laid out is out of date.
    pub version: u32,
    /// The colours of files, by path; none of those that were asked for and have not come.
    pub colours: BTreeMap<String, Option<Arc<Colours>>>,
    /// How far the message of a commit is written.
    pub wording: Wording,
    /// What is to be done as soon as what was decided is done.
    pub next: Option<Action>,
    orders: Orders,
}

/// How far changes are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    /// They are being read.
    Underway,
    /// They are here.
    Done,
    /// They cannot be read, and why.
    Failed(String),
}

/// How far a model has come with the message of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wording {
    /// Nobody asked, or the message is there.
    Rests,
    /// It writes, since then: milliseconds since the Unix epoch.
    Underway {
        /// When it was asked.
        from_ms: u64,
    },
    /// There is none, and why.
    Failed(String),
}

/// A place in the changes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct At {
    /// Which file, from 0.
    pub file: usize,
    /// Which of its hunks.
    pub hunk: usize,
    /// Which of the lines of that.
    pub line: usize,
}

/// How the lines of a change stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// As there is room.
    Auto,
    /// Under each other.
    Unified,
    /// Old and new beside each other.
    Beside,
}

impl Review {
    /// Begins with nothing read.
    pub fn new(source: Source) -> Self {
        Self {
            source,
            reading: Reading::Underway,
            what: String::new(),
            notes: Vec::new(),
            files: Vec::new(),
            tree: Vec::new(),
            at: At::default(),
            is_in_tree: false,
            shape: Shape::Auto,
            has_tree: true,
            remarks: Vec::new(),
            search: None,
            version: 0,
            colours: BTreeMap::new(),
            wording: Wording::Rests,
            next: None,
            orders: Orders::default(),
        }
    }

    /// Takes the changes that were read. Where the person was in the same changes before, they are again.
    pub(in crate::tui::state) fn take(&mut self, set: ChangeSet) {
        let was =
            self.files.get(self.at.file).map(|file| (file.diff.path.clone(), self.hunk().map(|hunk| hunk.id.clone())));
        let ChangeSet { what, files, notes, kept } = set;
        let file = |changed: crate::protocol::changes::Changed| {
            let pieces = vec![Piece::default(); changed.diff.hunks.len().max(1)];
            File { diff: changed.diff, by: changed.by, pieces }
        };
        self.files = files.into_iter().map(file).collect();
        (self.what, self.notes, self.reading) = (what, notes, Reading::Done);
        self.tree = tree::branches(&self.files);
        self.orders = Orders::default();
        self.colours.clear();
        self.recall(kept);
        self.version += 1;
        self.at = At::default();
        self.go_to_change();
        if let Some((path, hunk)) = was {
            self.go_to(&path, hunk.as_deref());
        }
    }

    /// Shows the files before they are read.
    pub(in crate::tui::state) fn show(&mut self, set: ChangeSet) {
        self.take(set);
        self.reading = Reading::Underway;
    }

    /// Takes what was decided before and is not on disk otherwise.
    fn recall(&mut self, kept: Kept) {
        for (path, id) in &kept.accepted {
            if let Some(piece) = self.find(path, id).and_then(|(file, hunk)| self.files[file].pieces.get_mut(hunk)) {
                piece.mark = Mark::Accepted;
            }
        }
        let is_in_files = self.source.is_in_files() || self.source == Source::Staged;
        for remark in kept.remarks {
            let found = self.find(&remark.path, &remark.hunk);
            match (remark.said, found) {
                (Said::Comment | Said::Edited, _) | (_, None) => self.remarks.push(remark),
                // It came back, whoever saw to that: it is to be decided anew.
                (Said::Rejected, Some(_)) if is_in_files => {}
                (Said::Rejected, Some((file, hunk))) => {
                    self.files[file].pieces[hunk].mark = Mark::Rejected;
                    self.remarks.push(remark);
                }
            }
        }
    }

    /// Finds a hunk by its id; the place of the file's only piece for an empty one.
    fn find(&self, path: &str, id: &str) -> Option<(usize, usize)> {
        let file = self.files.binary_search_by(|file| file.diff.path.as_str().cmp(path)).ok()?;
        let hunks = &self.files[file].diff.hunks;
        let hunk = if id.is_empty() { Some(0) } else { hunks.iter().position(|hunk| hunk.id == id) };
        hunk.map(|hunk| (file, hunk))
    }

    /// Returns what is to be kept of it.
    pub(in crate::tui::state) fn kept(&self) -> Kept {
        let mut accepted = Vec::new();
        for file in &self.files {
            for (at, piece) in file.pieces.iter().enumerate() {
                if piece.mark == Mark::Accepted {
                    let id = file.diff.hunks.get(at).map_or_else(String::new, |hunk| hunk.id.clone());
                    accepted.push((file.diff.path.clone(), id));
                }
            }
        }
        Kept { accepted, remarks: self.remarks.clone() }
    }

    /// Returns the file the person is at.
    pub fn file(&self) -> Option<&File> {
        self.files.get(self.at.file)
    }

    /// Returns the hunk the person is at.
    pub fn hunk(&self) -> Option<&Hunk> {
        self.file()?.diff.hunks.get(self.at.hunk)
    }

    /// Returns what was decided where the person is.
    pub fn piece(&self) -> Option<&Piece> {
        self.file()?.pieces.get(self.at.hunk)
    }

    /// Counts what is decided, and what there is to decide.
    pub fn progress(&self) -> (usize, usize) {
        let pieces = || self.files.iter().flat_map(|file| &file.pieces);
        (pieces().filter(|piece| piece.is_decided()).count(), pieces().count())
    }

    /// Counts lines added and removed.
    pub fn counts(&self) -> (usize, usize) {
        self.files.iter().fold((0, 0), |sum, file| (sum.0 + file.diff.added, sum.1 + file.diff.removed))
    }

    /// Returns the remarks on a file, each with its place among all.
    pub fn remarks_on<'r>(&'r self, path: &'r str) -> impl Iterator<Item = (usize, &'r Remark)> {
        self.remarks.iter().enumerate().filter(move |(_, remark)| remark.path == path)
    }
}

#[cfg(test)]
#[path = "review_tests.rs"]
pub(crate) mod tests;
