//! What stands in a transcript?
//!
//! Plain data, made from the agent's records. How it looks is the views' matter.

use std::collections::BTreeMap;

use crate::base::text::count;
use crate::protocol::diff::FileDiff;
use crate::protocol::event::TurnEnd;
use crate::protocol::message::CallId;
use crate::protocol::plan::Plan;
use crate::protocol::tool::ToolOutcome;
use crate::tui::look::Look;

/// How a tool's work is called: the words of its manifest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verbs {
    /// What it would do: `Edit`.
    pub ask: String,
    /// What it does: `Editing`.
    pub doing: String,
    /// What it did: `Edited`.
    pub done: String,
}

/// The verbs of every tool, by its registered name.
pub type VerbTable = BTreeMap<String, Verbs>;

/// One entry of a transcript.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// Names it within the transcript, counted from 0.
    pub id: u64,
    /// Counts its changes, so that a view knows when what it laid out is out of date.
    pub version: u32,
    /// What it is.
    pub what: What,
}

/// What an entry is.
#[derive(Debug, Clone, PartialEq)]
pub enum What {
    /// Words of the person.
    Person(String),
    /// Words of the model, in Markdown.
    Words {
        /// All it said so far.
        text: String,
        /// Whether more may come.
        is_open: bool,
    },
    /// What the model thought.
    Thought {
        /// All it thought so far.
        text: String,
        /// When it began and when it ended, in milliseconds since the Unix epoch.
        from_ms: u64,
        /// None while it thinks.
        to_ms: Option<u64>,
    },
    /// A call of a tool.
    Call(Box<Call>),
    /// The plan as it was when this turn last touched it.
    Plan(Plan),
    /// What a turn changed.
    Changed {
        /// Files.
        files: usize,
        /// Lines that came; as far as is known of what commands did, too.
        added: usize,
        /// Lines that went.
        removed: usize,
    },
    /// A remark of mimi, line by line.
    Note {
        /// How it looks.
        look: Look,
        /// The lines.
        text: String,
    },
}

/// A call of a tool.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// Names the call.
    pub id: CallId,
    /// The tool, under its registered name.
    pub tool: String,
    /// How its work is called.
    pub verbs: Verbs,
    /// What it is about.
    pub target: String,
    /// How far it is.
    pub state: CallState,
    /// The last of what it printed, for a person who opens it.
    pub output: String,
    /// Bytes it printed in all.
    pub n_output_bytes: u64,
    /// The files it changed.
    pub diffs: Vec<FileDiff>,
}

/// How far a call is.
#[derive(Debug, Clone, PartialEq)]
pub enum CallState {
    /// Checked, not begun.
    Proposed,
    /// It waits for the person.
    Asked,
    /// It runs, since then: milliseconds since the Unix epoch.
    Running {
        /// When it began.
        from_ms: u64,
    },
    /// It ended.
    Ended {
        /// How.
        outcome: ToolOutcome,
        /// The result in a few words.
        summary: String,
        /// How long it ran.
        duration_ms: u64,
    },
}

/// Says what a turn changed.
pub fn changed(files: usize, added: usize, removed: usize) -> String {
    format!("{} changed, +{added} -{removed}", count(files, "file"))
}

/// Says why a turn ended, unless it simply answered.
pub fn ending(end: &TurnEnd) -> Option<(Look, String)> {
    match end {
        TurnEnd::Answered => None,
        TurnEnd::Interrupted => Some((Look::Notice, "! interrupted".to_owned())),
        TurnEnd::Limit { what } => Some((Look::Notice, format!("! stopped: {what}"))),
        TurnEnd::Stuck { tool } => Some((Look::Notice, format!("! stopped: the same call of `{tool}` kept failing"))),
        TurnEnd::ModelFailed { message, hints } => {
            let hints = hints.iter().map(|hint| format!("\nhint: {hint}"));
            Some((Look::Bad, format!("error: {message}{}", hints.collect::<String>())))
        }
    }
}
