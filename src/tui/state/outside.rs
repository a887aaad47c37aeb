//! What does full screen ask of the world, and what comes back?
//!
//! The state does no I/O: it wants something ([`Want`]), somebody else finds it without holding up the screen, and it comes
//! back as a message ([`Given`]). What comes late is taken or dropped by whoever asked; nothing waits for it.
//! To add something: a variant of each, an arm in [`State::take_given`] and one where the full screen is put together.

use crate::tui::state::around::{Ask, Told};
use crate::tui::state::{Cmd, State};

/// Something to be found or done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Want {
    /// The project's files and folders.
    Files,
    /// Something around the conversation.
    Around(Ask),
}

/// What was found or done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Given {
    /// Files and folders below the project's, by path; folders end with a slash.
    Files(Vec<String>),
    /// Something around the conversation.
    Around(Told),
    /// It could not be done: said to the person.
    Failed(String),
}

impl State {
    pub(super) fn take_given(&mut self, given: Given) -> Vec<Cmd> {
        match given {
            Given::Files(files) => self.files = files,
            Given::Around(told) => return self.take_told(told),
            Given::Failed(wrong) => self.hint = Some(wrong),
        }
        Vec::new()
    }
}
