//! What does full screen ask of the world, and what comes back?
//!
//! The state does no I/O: it wants something ([`Want`]), somebody else finds it without holding up the screen, and it comes
//! back as a message ([`Given`]). What comes late is taken or dropped by whoever asked; nothing waits for it.
//! To add something: a variant of each, an arm in [`State::take_given`] and one where the full screen is put together.

use std::sync::Arc;

use crate::protocol::attached::Attached;
use crate::protocol::changes::{Order, Outcome, Source};
use crate::protocol::diff::FileDiff;
use crate::protocol::op::Op;
use crate::protocol::tree::TreeChange;
use crate::tui::look::Look;
use crate::tui::state::around::{Ask, Told};
use crate::tui::state::choices::{Choice, Choices};
use crate::tui::state::message::Cmd;
use crate::tui::state::picks::PickKind;
use crate::tui::state::review::colours::Colours;
use crate::tui::state::{Front, State};

/// Something to be found or done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Want {
    /// The project's files and folders.
    Files,
    /// Something about changes under review.
    Review(Box<Order>),
    /// The colours of a file under review.
    Colours {
        /// Where the change comes from.
        source: Source,
        /// The file.
        file: Arc<FileDiff>,
    },
    /// Something around the conversation.
    Around(Ask),
    /// What a word that is being written may mean.
    Picks {
        /// What is looked for.
        kind: PickKind,
        /// What was typed of it.
        typed: String,
        /// The word as it stands, which comes back with what was found.
        token: String,
    },
    /// What words mention, to go along with them; files, changes, symbols, images.
    Attach {
        /// The words.
        text: String,
        /// The model they are for.
        model: String,
    },
    /// A note is kept for later sessions.
    Note(Note),
    /// The command that runs the project's tests.
    Tests,
    /// The models that can be chosen.
    Models,
}

/// A note for later sessions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The note, in one line.
    pub text: String,
    /// Where it is kept.
    pub place: NotePlace,
    /// The turn with which it goes back.
    pub turn: u32,
}

/// Where a note is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotePlace {
    /// `AGENTS.md` of the project.
    Project,
    /// `AGENTS.md` of the user, for all projects.
    User,
}

/// What was found or done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Given {
    /// Files and folders below the project's, by path; folders end with a slash.
    Files(Vec<String>),
    /// Something around the conversation.
    Around(Told),
    /// What a word may mean.
    Picks {
        /// The word.
        token: String,
        /// What is offered; each row writes its words.
        rows: Vec<Choice>,
    },
    /// What goes along with the words that wait, and a line for each mention of which nothing was found.
    Attached {
        /// What.
        attached: Vec<Attached>,
        /// What was not found, and why.
        trouble: Vec<String>,
    },
    /// The words that wait cannot be sent with what they mention.
    Refused(String),
    /// The command that runs the project's tests; none where none is known.
    Tests(Option<String>),
    /// Something was done: said to the person.
    Done(String),
    /// A note was kept.
    Noted {
        /// Said to the person.
        said: String,
        /// What it changed, for the session to take note of; none where it cannot be taken back.
        change: Option<TreeChange>,
    },
    /// A list to choose from, put in front where nothing else is.
    Choices(Choices),
    /// It could not be done: said to the person.
    Failed(String),
    /// What came of an order of a review.
    Review(Box<Outcome>),
    /// The colours of a file under review; nothing in them where they cannot be had.
    Colours {
        /// The file.
        path: String,
        /// Line by line.
        colours: Colours,
    },
}

impl State {
    pub(super) fn take_given(&mut self, given: Given) -> Vec<Cmd> {
        match given {
            Given::Files(files) => {
                self.files = files;
                return self.look_for_picks();
            }
            Given::Attached { attached, trouble } => return self.take_attached(attached, &trouble),
            Given::Refused(why) => return self.take_refused(&why),
            Given::Tests(command) => self.take_tests(command),
            Given::Noted { said, change } => {
                self.transcript.note(Look::Dim, said);
                return change.map(|change| Cmd::Send(Op::Changed(change))).into_iter().collect();
            }
            Given::Done(said) => self.transcript.note(Look::Dim, said),
            Given::Picks { token, rows } => return self.take_found(token, rows),
            Given::Choices(choices) if self.front == Front::Chat => self.cover(Front::List(choices)),
            Given::Choices(_) => {}
            Given::Around(told) => return self.take_told(told),
            Given::Colours { path, colours } => self.take_colours(&path, colours),
            Given::Failed(wrong) => {
                if let Front::Board(board) = &mut self.front {
                    board.is_searching = false;
                }
                self.hint = Some(wrong);
            }
            Given::Review(outcome) => return self.review_given(*outcome),
        }
        Vec::new()
    }
}
