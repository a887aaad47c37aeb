//! What can happen to the agent, and what can it want done?
//!
//! The words between the machine, which decides, and the driver, which carries out. Plain data: nothing here acts.

use crate::agent::batch::Proposal;
use crate::model::{Answer, ToolChoice};
use crate::protocol::attached::Attached;
use crate::protocol::event::Event;
use crate::protocol::message::{CallId, ToolCall, Usage};
use crate::protocol::op::{Mode, Op};
use crate::protocol::review::HunkAnswer;
use crate::protocol::tool::{Question, ToolReport};

/// Something that happened.
#[derive(Debug, Clone)]
pub enum Input {
    /// A front end asks for something.
    Op(Op),
    /// The model's answer is complete.
    Answered(Box<Answer>),
    /// The model request failed for good.
    ModelFailed {
        /// What failed.
        message: String,
        /// What to type next.
        hints: Vec<String>,
    },
    /// The next request would not fit the window.
    ContextFull,
    /// A call has been checked.
    Judged {
        /// The call.
        call: CallId,
        /// What came of it.
        verdict: Verdict,
    },
    /// A running call ended.
    Finished {
        /// The call.
        call: CallId,
        /// How it ended.
        report: Box<ToolReport>,
        /// How long it ran.
        duration_ms: u64,
    },
    /// A running call was put behind the turn: for the model it is over.
    Backgrounded {
        /// The call.
        call: CallId,
        /// How it is named from now on.
        behind: CallId,
        /// The command.
        command: String,
        /// What the model is told.
        report: Box<ToolReport>,
        /// How long it had run.
        duration_ms: u64,
    },
    /// A command behind the turn is over.
    BackgroundEnded(Attached),
    /// The server refused the [`ToolChoice`] it was sent, so the model was not asked.
    ChoiceRefused,
    /// The server cannot read the calls its model writes, not at a second try either.
    CallsGarbled {
        /// What failed.
        message: String,
        /// What to type next.
        hints: Vec<String>,
    },
    /// The request for a summary is over.
    Compacted {
        /// The summary, or why there is none.
        result: Result<Compaction, String>,
        /// What it cost.
        usage: Usage,
    },
    /// The time of the turn is up.
    TimeUp,
}

/// The tools as a model is told of them in words.
#[derive(Debug, Clone, Default)]
pub struct Offer {
    /// Each with its arguments, a line each.
    pub list: String,
    /// Whether the server tells the model of them as well, even while it leaves calls in the text.
    pub stays_in_prompt: bool,
}

/// A finished compaction.
#[derive(Debug, Clone)]
pub struct Compaction {
    /// What replaces the conversation.
    pub text: String,
    /// Tokens before.
    pub before_tokens: u64,
    /// Tokens after.
    pub after_tokens: u64,
}

/// What the checks of a call found.
#[derive(Debug, Clone)]
pub enum Verdict {
    /// It may run.
    Run(Proposal),
    /// The user must approve it.
    Ask {
        /// The call.
        proposal: Proposal,
        /// Why it is asked.
        why: String,
    },
    /// It asks the user something; the answer is its outcome.
    Question(Question),
    /// It may not or cannot run.
    Refuse {
        /// The call, as far as it could be made out.
        proposal: Option<Proposal>,
        /// What the model and the person watching are told.
        report: Box<ToolReport>,
        /// Why.
        why: Refusal,
    },
}

/// Why a call may not or cannot run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// It is not in the form a call must have.
    Malformed,
    /// It cannot be done, or policy forbids it.
    Refused,
    /// Only because nobody is there to approve it.
    NeedsApproval,
}

/// Something to carry out.
#[derive(Debug, Clone)]
pub enum Effect {
    /// Record and show an event.
    Emit(Event),
    /// Ask the model, which is free to call tools or must.
    CallModel(ToolChoice),
    /// Stop the stream of the answer.
    StopModel,
    /// Check a call; answer with [`Input::Judged`].
    Judge(ToolCall),
    /// Run a call that was judged; answer with [`Input::Finished`].
    Run(CallId),
    /// Check and run a command of the user's own, without asking; answer with [`Input::Finished`].
    RunOwn {
        /// The command.
        call: ToolCall,
        /// Whether it goes behind the turn at once.
        is_behind: bool,
    },
    /// End all running calls but those behind the turn; each still answers.
    CancelCalls,
    /// Put a running call behind the turn; answer with [`Input::Backgrounded`] if that can be done.
    Background(CallId),
    /// Allow what a call would do for the rest of the session.
    Grant(CallId),
    /// Keep the rule that was offered for a call, for always.
    Agree(CallId),
    /// Make a judged call change only what the user takes of it.
    Review(CallId, Vec<HunkAnswer>),
    /// Summarise the conversation; answer with [`Input::Compacted`].
    Compact,
    /// End one running call.
    StopCall(CallId),
    /// Take the result of a call out of the conversation.
    Drop(CallId),
    /// Tell the model of files that changed behind its back.
    LookAround,
    /// Take back the last turn that still stands.
    Undo,
    /// Take back the last turn's place in the conversation alone.
    Unsay,
    /// Do again what was taken back last.
    Redo,
    /// Tell the policy the mode.
    SetMode(Mode),
    /// Use another model from the next request on.
    SetModel(String),
    /// Start the clock of a turn.
    StartClock,
    /// The turn is over; its clock must not end what comes after it.
    StopClock,
}
