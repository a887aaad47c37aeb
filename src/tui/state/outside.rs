//! What does full screen ask of the world, and what comes back?
//!
//! The state does no I/O: it wants something ([`Want`]), somebody else finds it without holding up the screen, and it comes
//! back as a message ([`Given`]). What comes late is taken or dropped by whoever asked; nothing waits for it.
//! To add something: a variant of each, an arm in [`State::take_given`] and one where the full screen is put together.

use crate::protocol::changes::{Order, Outcome};
use crate::tui::state::{Cmd, State};

/// Something to be found or done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Want {
    /// The project's files and folders.
    Files,
    /// Something about changes under review.
    Review(Box<Order>),
}

/// What was found or done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Given {
    /// Files and folders below the project's, by path; folders end with a slash.
    Files(Vec<String>),
    /// It could not be done: said to the person.
    Failed(String),
    /// What came of an order of a review.
    Review(Box<Outcome>),
}

impl State {
    pub(super) fn take_given(&mut self, given: Given) -> Vec<Cmd> {
        match given {
            Given::Files(files) => self.files = files,
            Given::Failed(wrong) => self.hint = Some(wrong),
            Given::Review(outcome) => return self.review_given(*outcome),
        }
        Vec::new()
    }
}
