//! What stands on each line of a recording?
//!
//! The format, as README describes it. Each line is a JSON object with a `type`; the first is the [`Head`]. Lines of types
//! this version does not know are skipped, so that a recording of a later mimi with the same version number can be played.

use serde::{Deserialize, Serialize};

use crate::model::catalog;
use crate::model::route::Route;
use crate::model::{Calls, StreamEvent, ToolChoice};
use crate::protocol::diff::{FileDiff, FileState};
use crate::protocol::event::Event;
use crate::protocol::failure::Failure;
use crate::protocol::message::{CallId, Message, ToolCall};
use crate::protocol::op::{Mode, Op};
use crate::protocol::plan::Plan;
use crate::protocol::profile::{EditDialect, Profile};
use crate::protocol::server::ServerFacts;
use crate::protocol::task::{Class, Task};
use crate::protocol::tool::{Action, ToolOutcome, ToolSpec};
use crate::tape::CheckSeen;

/// Version of the format; a reader refuses a later one.
pub const VERSION: u32 = 1;
/// What the `type` of the first line says, so that no other file is taken for a recording.
pub const MAGIC: &str = "mimi_recording";

/// The first line: what was run, where, and with which limits.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Head {
    /// [`MAGIC`].
    #[serde(rename = "type")]
    pub magic: String,
    /// [`VERSION`] of the writer.
    pub v: u32,
    /// Version of mimi.
    pub mimi: String,
    /// Milliseconds since the Unix epoch.
    pub at_ms: u64,
    /// The command: `fix` or `run`.
    pub command: String,
    /// The folder worked in.
    pub root: String,
    /// The user's home folder.
    pub home: String,
    /// Where mimi kept what belongs to the session.
    pub state: String,
    /// What `mimi fix` was to do, as its engine takes it; none for other commands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<serde_json::Value>,
    /// Rules that the command line allowed. Playing does not take them over: a recording may come from anywhere.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allow: Vec<String>,
    /// The limits that decide how a run goes on.
    pub limits: Limits,
}

/// Settings that decide how a run goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Model requests in one turn.
    pub max_steps: u32,
    /// Tokens in one turn; 0 for no limit.
    pub max_tokens: u64,
    /// Times the same call may fail in the same way.
    pub max_same_failures: u32,
    /// Upper bound of one answer, in tokens.
    pub max_output_tokens: u32,
    /// Bytes of output that a call hands to the model.
    pub max_output_bytes: usize,
}

/// One line after the first.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Entry {
    /// An agent began.
    Agent(Box<Agent>),
    /// The agent was asked to do something.
    Op(Op),
    /// The model was asked. Written before the request is sent.
    Request {
        /// Counts from one; the answer has the same.
        n: u64,
        /// What was asked.
        #[serde(flatten)]
        asked: Box<Asked>,
    },
    /// What the model sent, piece by piece.
    Answer {
        /// That of the request.
        n: u64,
        /// The pieces in their order.
        events: Vec<StreamEvent>,
        /// Whether nobody waited for its end.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        is_cut: bool,
        /// Time it took.
        duration_ms: u64,
    },
    /// A call was checked.
    Call {
        /// The call.
        call: ToolCall,
        /// What came of it.
        judged: Judged,
    },
    /// A call ran and came back.
    Ran(Box<Ran>),
    /// It was looked whether files changed behind the model's back.
    Looked {
        /// What the model is told; none when nothing changed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        event: Option<Box<Event>>,
    },
    /// The conversation went on at another server.
    Moved(Box<Moved>),
    /// The server gave the model another window than was thought.
    Window {
        /// Tokens it takes.
        tokens: u64,
    },
    /// A check ran.
    Check(CheckRan),
    /// The command ended.
    End {
        /// Its exit code.
        code: u8,
        /// What it said.
        words: String,
    },
    /// Of a kind that this version does not know.
    #[serde(other)]
    Unknown,
}

/// With what an agent begins.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Agent {
    /// What its model is asked to do.
    pub task: Task,
    /// Who waits for its answers.
    pub class: Class,
    /// How much it may do without asking.
    pub mode: Mode,
    /// Which model, where.
    pub route: RouteKept,
    /// How the model is told to change files.
    pub dialect: EditDialect,
    /// The project's facts, as the model is told them.
    pub opening: String,
}

/// A [`Route`] as far as it can be written down.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RouteKept {
    /// The provider's name.
    pub provider: String,
    /// The model's name.
    pub model: String,
    /// Tokens it takes.
    pub window_tokens: u64,
    /// What was measured about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<Profile>,
    /// What the server said about itself.
    pub server: ServerFacts,
}

impl From<&Route> for RouteKept {
    fn from(route: &Route) -> Self {
        Self {
            provider: route.provider.clone(),
            model: route.model.clone(),
            window_tokens: route.window_tokens,
            profile: route.profile.clone(),
            server: (*route.server).clone(),
        }
    }
}

impl From<RouteKept> for Route {
    fn from(kept: RouteKept) -> Self {
        let row = catalog::row(&kept.model);
        Self {
            provider: kept.provider,
            // Nobody is asked there again, and an address may hold what is nobody's business.
            url: String::new(),
            model: kept.model,
            window_tokens: kept.window_tokens,
            row,
            rank: None,
            profile: kept.profile,
            server: std::sync::Arc::new(kept.server),
            note: None,
        }
    }
}

/// A request as what is new in it, so that a long conversation is not written again for each answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Asked {
    /// The model's name.
    pub model: String,
    /// Upper bound of the answer.
    pub max_tokens: u32,
    /// Sampling temperature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f32>,
    /// Whether it must call a tool.
    pub tool_choice: ToolChoice,
    /// How many calls one answer may make.
    pub calls: Calls,
    /// The tools on offer; none when they are those of the request before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tools: Option<Vec<ToolSpec>>,
    /// Messages taken over from the request before, from the first on.
    pub kept: usize,
    /// The messages after those.
    pub messages: Vec<Message>,
}

/// What the checks of a call found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Judged {
    /// It may run.
    Run(Proposed),
    /// It may not or cannot run.
    Refused {
        /// The call, as far as it could be made out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        proposed: Option<Proposed>,
        /// Why.
        why: Why,
        /// How that is reported.
        report: Report,
    },
    /// Somebody is asked.
    Asked,
}

/// Why a call may not or cannot run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// It is not in the form a call must have.
    Malformed,
    /// It cannot be done, or policy forbids it.
    Refused,
    /// Only because nobody is there to approve it.
    NeedsApproval,
}

/// A call whose checks found it possible.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Proposed {
    /// The tool under its registered name.
    pub tool: String,
    /// What it is about.
    pub target: String,
    /// What it would touch.
    pub actions: Vec<Action>,
    /// Whether it may run beside others.
    pub is_parallel_safe: bool,
}

/// What a call reported.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// How it ended.
    pub outcome: ToolOutcome,
    /// The result in a few words.
    pub summary: String,
    /// The files it changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub diffs: Vec<FileDiff>,
    /// Files of which the model knows the content now.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub seen: Vec<FileState>,
    /// The plan, when the call replaced it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<Plan>,
}

/// What a call that ran came back with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ran {
    /// The call.
    pub call: CallId,
    /// What it reported.
    pub report: Report,
    /// What it did to the files, as it is told.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub effects: Vec<Event>,
    /// Time it took.
    pub duration_ms: u64,
}

/// Where the conversation went on.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Moved {
    /// Which model, where.
    pub route: RouteKept,
    /// What the user was told.
    pub text: String,
}

/// How a check ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckRan {
    /// The round; 0 is before the agent did anything.
    pub round: u32,
    /// The check.
    pub command: String,
    /// Whether it passed.
    pub is_green: bool,
    /// How it ended, in words.
    pub ending: String,
    /// What it printed, clipped.
    pub text: String,
    /// What it complained of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failures: Vec<Failure>,
}

impl From<CheckSeen<'_>> for CheckRan {
    fn from(seen: CheckSeen<'_>) -> Self {
        Self {
            round: seen.round,
            command: seen.command.to_owned(),
            is_green: seen.is_green,
            ending: seen.ending.to_owned(),
            text: seen.text.to_owned(),
            failures: seen.failures.to_vec(),
        }
    }
}
