//! What comes to the full screen, and what is to be done because of it?
//!
//! Plain data: [`Msg`] goes in, [`Cmd`] comes out. To add something that can be done: a variant of [`Cmd`] and an arm in
//! `tui::run`.

use crate::protocol::event::Record;
use crate::protocol::op::Op;
use crate::tui::key::Key;
use crate::tui::state::outside::{Given, Want};

/// Something that happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Msg {
    /// The screen is there.
    Begun,
    /// A key was pressed.
    Key(Key),
    /// Text was pasted.
    Paste(String),
    /// The terminal came to the front, or went behind others.
    Focus(bool),
    /// The wheel was turned so many notches; up when negative.
    Wheel(i32),
    /// The mouse was clicked.
    Click(Clicked),
    /// The agent reported something.
    Record(Box<Record>),
    /// Time passed: milliseconds since the Unix epoch.
    Tick(u64),
    /// The editor was left, with the text as it is now; none when it was left with an error or did not start.
    Edited {
        /// What was edited.
        what: Editing,
        /// The text.
        text: Option<String>,
    },
    /// What was wanted is there.
    Given(Given),
    /// Full screen is there: what is to be shown first is asked for.
    Begin,
    /// Something failed outside of the agent.
    Failed(String),
}

/// What the mouse was clicked on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clicked {
    /// This row of what is to be chosen from, from 0.
    Row(usize),
    /// This entry of the conversation, by its id.
    Entry(u64),
    /// Anything else.
    Nothing,
}

/// What is written in the user's editor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Editing {
    /// The words to be sent.
    Words,
    /// A piece of a change.
    Piece,
    /// Something in a review.
    Review(Revising),
}

/// What of a review is written in the user's editor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revising {
    /// What stands in the place of a hunk.
    Hunk,
    /// The message of a commit.
    Commit,
}

/// What of a review is written in the composer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Noting {
    /// What is searched.
    Search,
    /// Something about a line.
    Comment,
    /// Why a hunk is rejected.
    Reason,
    /// A line of the file.
    Line,
}

/// Something that others do on the terminal itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hand {
    /// Commits what is staged, with this message.
    Commit(String),
}

/// Something that is to be done outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cmd {
    /// The agent is asked for something.
    Send(Op),
    /// The end; the session is kept.
    Leave,
    /// Into the background.
    Suspend,
    /// Everything is drawn anew.
    Redraw,
    /// The user's editor is opened.
    Edit {
        /// What is edited.
        what: Editing,
        /// The text to begin with.
        text: String,
        /// The name of a file of that kind, for the editor's sake.
        name: String,
    },
    /// Others have the terminal for a moment.
    Hand(Hand),
    /// Something is wanted; it comes back as a message when it is there.
    Want(Want),
    /// Words were sent: kept in the history.
    Remember(String),
    /// What is being written is kept in case mimi ends; nothing is kept of empty words.
    KeepDraft(String),
    /// The person is told of something while they look elsewhere.
    Notify(String),
    /// A text is put into the clipboard.
    Copy(String),
    /// The transcript is scrolled.
    Scroll(Scroll),
}

/// How far the transcript is scrolled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scroll {
    /// By rows; back when negative.
    Rows(i32),
    /// By pages; back when negative.
    Pages(i32),
    /// To the beginning.
    Top,
    /// To the end, where it stays.
    Bottom,
    /// To words that were found: the last ones, or so many places on; back when negative.
    Found(i32),
}
