//! What does full screen know, and what changes it?
//!
//! [`State::update`] is a function of messages: keys, records, the clock's ticks; what is to be done comes out as [`Cmd`]s. It does
//! no I/O and reads no clock. It holds no truth: built from the records of a session it shows the same transcript. To add
//! something that can be done: a variant of [`Cmd`] and an arm in `tui::run`.

pub mod around;
pub mod asking;
pub mod choices;
pub mod composer;
pub mod item;
mod keys;
pub mod looking;
pub mod message;
pub mod outside;
mod palette;
mod pastes;
pub mod picks;
mod queueing;
pub mod review;
mod rewinding;
pub mod saying;
pub mod status;
mod suggesting;
pub mod transcript;
mod update;
pub mod vim;

use std::collections::{BTreeSet, VecDeque};

use crate::protocol::message::CallId;
use crate::protocol::op::Mode;
use crate::tui::keymap::Keymap;
use crate::tui::state::around::board::Board;
use crate::tui::state::around::viewer::Viewer;
use crate::tui::state::around::{Around, Writing};
use crate::tui::state::asking::{Asked, Pieces};
use crate::tui::state::choices::{Choice, Choices};
use crate::tui::state::composer::{Aside, Composer};
use crate::tui::state::looking::Looking;
use crate::tui::state::message::Noting;
use crate::tui::state::picks::Picks;
use crate::tui::state::review::Review;
use crate::tui::state::rewinding::Rewinding;
use crate::tui::state::status::Status;
use crate::tui::state::suggesting::TurnFacts;
use crate::tui::state::transcript::Transcript;

/// What the words in the composer are for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Purpose {
    /// For the model.
    Words,
    /// Why a call is refused.
    Reason(CallId),
    /// Why a piece is left.
    PieceReason,
    /// The answer to a question of the model.
    Answer(CallId),
    /// Something in a review.
    Review(Noting),
    /// The word that confirms the mode in which nothing is asked.
    Yolo,
    /// Something around the conversation.
    Line(Writing),
}

/// What is in front.
#[derive(Debug, Clone, PartialEq)]
pub enum Front {
    /// The conversation.
    Chat,
    /// A change, piece by piece.
    Pieces(Box<Pieces>),
    /// Changes under review: [`State::review`].
    Review,
    /// A text to read: the keys, the commands.
    Reader {
        /// What it is called.
        title: String,
        /// Its lines.
        text: String,
        /// Rows scrolled.
        at: usize,
    },
    /// A list to choose from.
    List(Choices),
    /// A list whose rows are looked into.
    Board(Box<Board>),
    /// A file, or anything long.
    Viewer(Box<Viewer>),
    /// The conversation, with words found in it.
    Find,
    /// What waits for later turns, and which of it is chosen.
    Queue(usize),
}

/// All that full screen knows.
#[derive(Debug, Clone)]
pub struct State {
    /// What was said and done.
    pub transcript: Transcript,
    /// The words being written.
    pub composer: Composer,
    /// What they are for.
    pub purpose: Purpose,
    /// Words set aside while something else is asked for.
    aside: Option<Aside>,
    /// What waits for the person, oldest first.
    pub asked: Vec<Asked>,
    /// Words for later turns, oldest first.
    pub queue: Vec<String>,
    /// Words that are being sent, in order: the first waits for what it mentions.
    saying: VecDeque<String>,
    /// Turns that are being taken back.
    rewinding: Option<Rewinding>,
    /// Whether Esc was pressed just before.
    may_rewind: bool,
    /// What the turn did, and what is offered once it is over.
    turn_facts: TurnFacts,
    /// What is offered to be done next.
    pub suggested: Vec<Choice>,
    /// The command that runs the project's tests, once it was looked for.
    tests: Option<String>,
    has_asked_tests: bool,
    /// Whether the person looks, and how they are told of things.
    pub looking: Looking,
    /// When the words were last changed and not kept since.
    touched_ms: Option<u64>,
    /// How the work stands.
    pub status: Status,
    /// What is in front.
    pub front: Front,
    /// The changes under review; kept when the conversation comes in front.
    pub review: Option<Box<Review>>,
    /// Whether there is nothing but the review: leaving it is the end.
    pub is_alone: bool,
    /// Words for the model that a review without a conversation left.
    pub outbox: Option<String>,
    /// What was in front before a list or a text covered it.
    behind: Option<Box<Front>>,
    /// The project's files and folders by path, as last told; folders end with a slash.
    pub files: Vec<String>,
    /// When they were last asked for.
    files_asked_ms: Option<u64>,
    /// What is offered for the word at the cursor.
    pub picks: Option<Picks>,
    /// Where the word begins for which the offer was closed.
    shut_picks: Option<(usize, usize)>,
    /// What was found outside for which word.
    found: (String, Vec<Choice>),
    /// Whether thoughts and results are open.
    pub shows_details: bool,
    /// Entries of which the opposite holds, by their ids.
    turned: BTreeSet<u64>,
    /// What is there around the conversation.
    pub around: Around,
    /// A remark that goes with the next key.
    pub hint: Option<String>,
    /// The keys.
    pub keymap: Keymap,
    /// Milliseconds since the Unix epoch, as last told.
    pub now_ms: u64,
    /// When the question in front appeared.
    asked_at_ms: u64,
    /// Whether Ctrl-C was pressed just before.
    may_leave: bool,
    /// The mode to come back to from plan mode.
    usual_mode: Mode,
}

#[cfg(test)]
#[path = "state_tests.rs"]
mod tests;
