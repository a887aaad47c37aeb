//! What is there around the conversation, and how does a person get to it?
//!
//! Sessions, checkpoints, running commands, what was made, what fills the window: each is a [`board`], a list whose rows are
//! looked into and acted on. A file is a [`viewer`]; words said before are found by [`find`]; how much of all this is on the
//! screen is a [`level`]. Nothing here does anything: it asks ([`Ask`]) and is told ([`Told`]).
//! To add a board: a variant of [`board::Kind`], its keys, and an arm in `cli::desk`.

pub mod board;
pub mod find;
pub mod go;
mod keys;
pub mod level;
mod line;
pub mod made;
mod taking;
pub mod viewer;

use std::collections::VecDeque;

use crate::tui::diff_view::Spans;
use crate::tui::state::around::board::{Kind, Row};
use crate::tui::state::around::find::Find;
use crate::tui::state::around::level::Kept;
use crate::tui::state::around::viewer::Viewer;

/// Something to be found or done around the conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// The rows of a board; of sessions those in which these words were said.
    Rows {
        /// Which board.
        kind: Kind,
        /// What is looked for; empty for everything.
        words: String,
    },
    /// What is in a row.
    Beside {
        /// Which board.
        kind: Kind,
        /// Which row.
        id: String,
    },
    /// A copy of a session, up to the end of a turn.
    Fork {
        /// Which session.
        id: String,
        /// The last turn that is copied; all without it.
        turn: Option<u32>,
    },
    /// Another name for a session.
    Rename {
        /// Which session.
        id: String,
        /// Its name; none with nothing in it.
        title: String,
    },
    /// A session as Markdown, in a file.
    Export {
        /// Which session.
        id: String,
        /// The file, from the project's folder on.
        path: String,
    },
    /// The end of a session's file.
    Delete {
        /// Which session.
        id: String,
    },
    /// The files of a checkpoint as they were before it.
    Restore {
        /// Which checkpoint.
        id: String,
    },
    /// A file, to be looked at.
    Open {
        /// The file, from the project's folder on.
        path: String,
        /// The line to begin with, from 1.
        line: Option<usize>,
    },
    /// How much is on the screen, kept for the next time.
    Keep(Kept),
    /// The branch that is checked out.
    Branch,
    /// How the model's server stands, after so many milliseconds.
    Server {
        /// Time to wait before.
        after_ms: u64,
    },
    /// What the user's command makes of these facts, as JSON.
    Line {
        /// The facts.
        facts: String,
    },
}

/// What was found or done around the conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// The rows of a board.
    Rows {
        /// Which board.
        kind: Kind,
        /// What was looked for.
        words: String,
        /// The rows.
        rows: Vec<Row>,
    },
    /// What is in a row.
    Beside {
        /// Which board.
        kind: Kind,
        /// Which row.
        id: String,
        /// Its lines.
        lines: Vec<Spans>,
    },
    /// A session was copied, and the conversation goes on in the copy.
    Forked {
        /// The copy.
        id: String,
    },
    /// Something was done; the board is not as it was.
    Done {
        /// What was done.
        words: String,
    },
    /// A file.
    File(Box<Viewer>),
    /// How the model's server stands, line by line.
    Server(Vec<Spans>),
    /// The line the user's command printed; none when it failed, and why.
    Line(Result<String, String>),
    /// The branch that is checked out; none outside of git.
    Branch(Option<String>),
    /// Nothing to say.
    Nothing,
}

/// Where the conversation goes on when the screen is left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// In another session.
    Session(String),
    /// In a new one.
    New,
}

/// What is written for something around the conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Writing {
    /// The new name of a session.
    Name(String),
    /// The file a session is exported to.
    ExportTo(String),
    /// Words to find in the conversation.
    Find,
    /// Words to find in the open file.
    FindInFile,
}

/// All that full screen knows of what is around the conversation.
#[derive(Debug, Clone, Default)]
pub struct Around {
    /// What was looked for in the conversation last.
    pub find: Option<Find>,
    /// How much is on the screen.
    pub kept: Kept,
    /// Where the conversation goes on when the screen is left; mimi ends without it.
    pub next: Option<Next>,
    /// The newest records as they came, for those who look at them.
    pub raw: VecDeque<String>,
    /// How the model's server stands, as last told.
    pub server: Vec<Spans>,
    /// The line of the user's command, in the place of the status line.
    pub line: Option<String>,
    /// Whether there is such a command.
    pub has_line: bool,
    /// Whether the server is being asked.
    is_asking: bool,
    /// Whether the command runs.
    is_lining: bool,
    /// The board to come back to from a file.
    behind: Option<Box<board::Board>>,
}

#[cfg(test)]
#[path = "around_tests.rs"]
mod tests;
