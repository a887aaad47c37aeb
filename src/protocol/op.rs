//! What can a front end ask of the agent?

use serde::{Deserialize, Serialize};

use crate::protocol::attached::Attached;
use crate::protocol::message::CallId;
use crate::protocol::review::HunkAnswer;
use crate::protocol::tree::TreeChange;

/// How much the agent may do without asking.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Reads only; everything else is refused.
    Plan,
    /// Reads freely, asks before writing or running.
    #[default]
    Ask,
    /// Also writes in the workspace without asking; commands still ask unless a rule allows them.
    Auto,
    /// Does everything that is not refused without asking. Chosen only at a terminal, for one session.
    Yolo,
}

impl Mode {
    /// Returns the name used in configuration and on the screen.
    pub fn name(self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::Ask => "ask",
            Self::Auto => "auto",
            Self::Yolo => "yolo",
        }
    }
}

/// How far an approval reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grant {
    /// This call only.
    Once,
    /// The same action for the rest of the session.
    Session,
    /// What the offered rule covers, in this repository, until the rule ends.
    Always,
}

/// A rule the user may agree to for always.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// The rule, as it will be kept.
    pub rule: String,
    /// What else it covers; empty when nothing.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub also: String,
}

/// A request from a front end to the agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
pub enum Op {
    /// Starts a turn with the user's words; queues them when one is running.
    Submit {
        /// The words.
        text: String,
    },
    /// Gives the running turn more words, delivered after the running tools; starts a turn when none is running.
    Steer {
        /// The words.
        text: String,
    },
    /// Keeps words for the next turn.
    Queue {
        /// The words.
        text: String,
    },
    /// Goes along with the next words, whether they start a turn, are kept or steer one.
    Attach {
        /// What.
        attached: Vec<Attached>,
    },
    /// Runs a command of the person's own, without asking, beside the turn if one runs. What it prints goes along with their
    /// next words.
    Run {
        /// The command line.
        command: String,
    },
    /// Stops the stream and the running commands; the conversation stays usable.
    Interrupt,
    /// Lets a waiting call run.
    Approve {
        /// The call.
        call: CallId,
        /// How far the approval reaches.
        grant: Grant,
    },
    /// Lets a waiting call run, its change in part: pieces that are not named are taken.
    Review {
        /// The call.
        call: CallId,
        /// What becomes of which piece.
        answers: Vec<HunkAnswer>,
    },
    /// Refuses a waiting call.
    Deny {
        /// The call.
        call: CallId,
        /// What the model is told.
        reason: Option<String>,
    },
    /// Answers a question of the model.
    Answer {
        /// The call that asked.
        call: CallId,
        /// The answer.
        text: String,
    },
    /// Changes how much may be done without asking, from the next call on.
    SetMode {
        /// The new mode.
        mode: Mode,
    },
    /// Changes the model for the next request.
    SetModel {
        /// `model` or `provider/model`.
        model: String,
    },
    /// Takes back the last turn: its files and its place in the conversation.
    Undo,
    /// Takes back the last turn's place in the conversation alone; its files stay as they are.
    Unsay,
    /// Does again what was taken back last, if nothing was said since.
    Redo,
    /// Has the session take note of files that a check of the front end changed, so that they go back with the turn.
    Changed(TreeChange),
    /// Summarises the conversation now.
    Compact,
    /// Ends one running call; the turn goes on with what came of it.
    Stop {
        /// The call.
        call: CallId,
    },
    /// Puts a running command behind the turn, which goes on at once; the command does, too.
    Background {
        /// The call.
        call: CallId,
    },
    /// Takes the result of a call out of what the model sees.
    Drop {
        /// The call.
        call: CallId,
    },
}
