//! What does the agent report while it works?
//!
//! One stream feeds the terminal, `--json`, the session file and everything later. The conversation can be rebuilt from
//! it alone (`session::transcript`), so an event that changes the conversation carries all it needs.

use serde::{Deserialize, Serialize};

use crate::protocol::attached::Attached;
use crate::protocol::diff::{FileDiff, FileState};
use crate::protocol::message::{CallId, ToolCall, Usage};
use crate::protocol::op::{Grant, Mode, Offer};
use crate::protocol::plan::Plan;
use crate::protocol::review::HunkAnswer;
use crate::protocol::tool::{Action, Question, ToolOutcome};
use crate::protocol::tree::TreeChange;
use crate::protocol::usage::Stats;
use crate::protocol::wait::Wait;

/// Version of the event schema; readers accept records of later versions and skip kinds they do not know.
pub const SCHEMA_VERSION: u32 = 1;

/// Where in the loop the agent is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Waiting for, or reading, what the model thinks of the situation.
    Analyse,
    /// The model is writing or changing its plan.
    Plan,
    /// Tools are at work.
    Act,
}

/// Why a turn ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum TurnEnd {
    /// The model gave its answer.
    Answered,
    /// The user interrupted.
    Interrupted,
    /// A limit on steps, tokens or time was reached.
    Limit {
        /// Which limit, with its value and the setting that moves it.
        what: String,
    },
    /// The same call failed the same way too often.
    Stuck {
        /// The tool.
        tool: String,
    },
    /// The model server failed.
    ModelFailed {
        /// What failed.
        message: String,
        /// What to type next.
        #[serde(default)]
        hints: Vec<String>,
    },
}

/// Who wrote a user-role message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Author {
    /// The person.
    User,
    /// Facts about the project, put before the first words of the person.
    Project,
    /// A note of mimi: a limit, a steering rule, what changed meanwhile.
    Mimi,
}

/// One report of the agent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// A turn began.
    TurnStarted {
        /// Counts from one within the session.
        turn: u32,
    },
    /// A message of the user role entered the conversation.
    UserMessage {
        /// Who wrote it.
        author: Author,
        /// The words.
        text: String,
    },
    /// Things go along with the words of the person that follow.
    Attached {
        /// What.
        attached: Vec<Attached>,
    },
    /// Words were kept for later.
    Queued {
        /// The words.
        text: String,
    },
    /// The agent moved on.
    PhaseChanged {
        /// Where it is now.
        phase: Phase,
    },
    /// The model said something. A following [`Event::AssistantMessage`] repeats it whole.
    TextDelta {
        /// The piece.
        text: String,
    },
    /// The model thought something.
    ReasoningDelta {
        /// The piece.
        text: String,
    },
    /// The answer so far is void, because the request is sent again.
    StreamReset,
    /// The model finished one answer. Enters the conversation.
    AssistantMessage {
        /// All it said.
        text: String,
        /// All it thought.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        reasoning: String,
        /// All it called, in its order.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        tool_calls: Vec<ToolCall>,
    },
    /// A call passed its checks and is known to the policy.
    ToolProposed {
        /// The call.
        call: CallId,
        /// The tool, under its registered name.
        tool: String,
        /// What it is about, in a few words.
        target: String,
        /// What it would touch.
        actions: Vec<Action>,
    },
    /// A call waits for the user.
    ApprovalAsked {
        /// The call.
        call: CallId,
        /// The tool.
        tool: String,
        /// What it is about.
        target: String,
        /// What it would touch.
        actions: Vec<Action>,
        /// The change it would make.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        preview: Option<Box<FileDiff>>,
        /// The changes it would make to further files.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        more: Vec<FileDiff>,
        /// Why it is asked.
        why: String,
        /// The rule that can be agreed to for always.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        always: Option<Offer>,
    },
    /// The user let a call run.
    Approved {
        /// The call.
        call: CallId,
        /// How far the approval reaches.
        grant: Grant,
    },
    /// The user judged the change of a call piece by piece. Follows [`Event::Approved`] unless nothing was taken.
    Reviewed {
        /// The call.
        call: CallId,
        /// What was said to which piece.
        answers: Vec<HunkAnswer>,
    },
    /// The model asks the user.
    QuestionAsked {
        /// The call.
        call: CallId,
        /// What it asks.
        question: Question,
    },
    /// A call began to run.
    ToolStarted {
        /// The call.
        call: CallId,
        /// The tool.
        tool: String,
        /// What it is about.
        target: String,
    },
    /// A running call printed something.
    ToolOutput {
        /// The call.
        call: CallId,
        /// What it printed; not part of the conversation.
        text: String,
    },
    /// A call ended. Enters the conversation, in the model's order.
    ToolFinished {
        /// The call.
        call: CallId,
        /// The tool as the model named it.
        tool: String,
        /// How it ended.
        outcome: ToolOutcome,
        /// The result in a few words.
        summary: String,
        /// The files it changed.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        diffs: Vec<FileDiff>,
        /// Files of which the model knows the content now; without a hash those it removed.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        seen: Vec<FileState>,
        /// How long it ran.
        duration_ms: u64,
    },
    /// A running command was put behind the turn by the user and goes on there. Follows the [`Event::ToolFinished`] that tells
    /// the model so.
    Backgrounded {
        /// The call, which is over for the model.
        call: CallId,
        /// How the command is named from now on: ids of calls may repeat, and this one lives on beside later ones.
        behind: CallId,
        /// The command.
        command: String,
    },
    /// A command behind the turn ended. The model learns of it with what is attached to the next step or the next words.
    BackgroundEnded {
        /// Its name since [`Event::Backgrounded`].
        behind: CallId,
        /// How it ended.
        outcome: ToolOutcome,
        /// The result in a few words.
        summary: String,
        /// How long it ran in all.
        duration_ms: u64,
    },
    /// Files the model has seen were changed by somebody else. Enters the conversation before the words of the user.
    FilesChanged {
        /// As they are now.
        files: Vec<FileState>,
        /// What the model is told.
        text: String,
    },
    /// The model replaced its plan.
    PlanUpdated {
        /// The plan.
        plan: Plan,
    },
    /// The model server lets us wait; replaces the report before. Over when anything of the answer comes.
    Waiting(Wait),
    /// A request failed in a way that may pass and is sent again after a wait. Over when anything else comes.
    Retrying {
        /// Counts from one.
        attempt: u32,
        /// Times it is sent again at most.
        max: u32,
        /// Until it is sent again.
        wait_ms: u64,
        /// What failed.
        error: String,
    },
    /// One model request was answered.
    Usage {
        /// Tokens of this request.
        usage: Usage,
        /// Which model answered.
        model: String,
        /// Tokens the conversation takes now.
        context_tokens: u64,
        /// Tokens the model can take.
        window_tokens: u64,
        /// How the answer came about.
        #[serde(default)]
        stats: Stats,
    },
    /// The mode changed.
    ModeChanged {
        /// The new mode.
        mode: Mode,
    },
    /// The model changed.
    ModelChanged {
        /// The new model.
        model: String,
    },
    /// A file was kept as it is, right before a call that may change it. [`Event::Checkpointed`] follows when it did; after a
    /// crash in between, going on with the session compares the file and says so then.
    FileKept {
        /// The turn it belongs to.
        turn: u32,
        /// The call.
        call: CallId,
        /// Absolute path.
        #[serde(with = "crate::protocol::path")]
        path: std::path::PathBuf,
        /// Hash of the content; none when the file does not exist.
        before: Option<String>,
        /// Hash of the content the call is going to write, where that is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        promised: Option<String>,
        /// Permission bits, where the file exists.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mode: Option<u32>,
    },
    /// A file was changed by a call; as it was before, it is kept.
    Checkpointed {
        /// The turn it belongs to.
        turn: u32,
        /// Absolute path.
        #[serde(with = "crate::protocol::path")]
        path: std::path::PathBuf,
        /// Hash of the content before; none when the file did not exist.
        before: Option<String>,
        /// Hash of the content after; none when the call removed it.
        after: Option<String>,
        /// Permission bits before, where the file existed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mode: Option<u32>,
    },
    /// A command or check changed files of the workspace; as they were before, they are kept.
    TreeChanged {
        /// The turn it belongs to.
        turn: u32,
        /// The call; none for a check that mimi itself ran.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        call: Option<CallId>,
        /// What changed.
        #[serde(flatten)]
        change: TreeChange,
    },
    /// A turn was taken back. The conversation continues as before it.
    Undone {
        /// The turn.
        turn: u32,
        /// Files put back.
        restored: Vec<String>,
        /// Files left alone, each with the reason: `src/a.rs: it changed since`.
        conflicts: Vec<String>,
        /// Names what was replaced, so that it can be done again.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        checkpoint: Option<String>,
    },
    /// The turn taken back last was done again: its files and its place in the conversation.
    Redone {
        /// The turn.
        turn: u32,
        /// Files changed again.
        restored: Vec<String>,
        /// Files left alone, each with the reason.
        conflicts: Vec<String>,
        /// Names what was replaced.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        checkpoint: Option<String>,
    },
    /// The conversation so far was replaced by a summary.
    Compacted {
        /// The summary, plan, files and last request, as the model sees them from now on.
        text: String,
        /// Tokens before.
        before_tokens: u64,
        /// Tokens after.
        after_tokens: u64,
    },
    /// The result of a call was taken out of what the model sees, as the user wished; what follows it has to be read again.
    Dropped {
        /// The call.
        call: CallId,
        /// What stands in its place.
        text: String,
        /// Tokens that are free then, as estimated.
        freed_tokens: u64,
    },
    /// Something the user should know.
    Warning {
        /// What.
        text: String,
    },
    /// A turn ended.
    TurnDone {
        /// The turn.
        turn: u32,
        /// Why.
        end: TurnEnd,
        /// Model requests it took.
        steps: u32,
        /// Tokens of the turn.
        usage: Usage,
        /// Calls refused because nobody could approve them.
        #[serde(default)]
        refused: u32,
    },
}

/// An event with its place in a session: one line of `--json` output and of the session file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// [`SCHEMA_VERSION`] of the writer.
    pub v: u32,
    /// Counts up from one within a session.
    pub seq: u64,
    /// Milliseconds since the Unix epoch.
    pub at_ms: u64,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
}
