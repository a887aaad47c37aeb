//! What is known of one file under review?
//!
//! Its difference, and of each piece what was decided. Must not order anything: that is for `orders`.

use std::sync::Arc;

use crate::protocol::changes::{By, Place};
use crate::protocol::diff::FileDiff;

/// A file and what was decided.
#[derive(Debug, Clone, PartialEq)]
pub struct File {
    /// The change.
    pub diff: Arc<FileDiff>,
    /// What can be decided about it.
    pub by: By,
    /// One for each hunk; one where there are none.
    pub pieces: Vec<Piece>,
}

/// What was decided of a hunk, or of a file without any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Piece {
    /// What becomes of it.
    pub mark: Mark,
    /// Whether it was staged in this review.
    pub is_staged: bool,
}

/// What becomes of a hunk.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Mark {
    /// Nobody said.
    #[default]
    Open,
    /// It stays.
    Accepted,
    /// It goes.
    Rejected,
    /// This stands there instead.
    Edited(String),
}

impl Piece {
    /// Says whether anything was decided.
    pub fn is_decided(&self) -> bool {
        self.mark != Mark::Open || self.is_staged
    }

    /// Names what was decided, in words that stand beside a hunk.
    pub fn words(&self) -> String {
        let mark = match self.mark {
            Mark::Open => "",
            Mark::Accepted => "accepted",
            Mark::Rejected => "rejected",
            Mark::Edited(_) => "edited",
        };
        let words: Vec<&str> = [mark, if self.is_staged { "staged" } else { "" }].into_iter().collect();
        words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(", ")
    }

    pub(in crate::tui::state) fn place(&self) -> Place {
        match &self.mark {
            Mark::Rejected => Place::Old,
            Mark::Edited(text) => Place::Text(text.clone()),
            Mark::Open | Mark::Accepted => Place::New,
        }
    }
}

impl File {
    /// Counts what is decided, and what there is to decide.
    pub fn progress(&self) -> (usize, usize) {
        (self.pieces.iter().filter(|piece| piece.is_decided()).count(), self.pieces.len())
    }

    pub(in crate::tui::state) fn places(&self) -> Vec<Place> {
        self.pieces.iter().map(Piece::place).collect()
    }
}
