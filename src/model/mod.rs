//! How are words exchanged with a model, whatever server it runs on?
//!
//! A [`Provider`] turns one request into one stream of [`StreamEvent`]s. The gateway picks the provider for a task,
//! retries, meters and cancels; nobody else calls a provider, and nobody else knows keys. Must not know tools, policy
//! or the agent.
//! To add a server that speaks the OpenAI dialect: a row in `config/providers.yaml`. To add another wire: a file in
//! `providers/` and a row.

pub mod around;
pub mod ask;
pub mod assemble;
pub mod cache;
pub mod calls;
pub mod catalog;
pub mod chunk;
pub mod discover;
pub mod embed;
pub mod embedding;
pub mod error;
pub mod fallback;
pub mod fim;
pub mod gateway;
pub mod guard;
pub mod met;
pub mod meter;
pub mod metrics;
pub mod ndjson;
pub mod outlets;
pub mod present;
pub mod probe;
pub mod profile;
pub mod providers;
pub mod recover;
pub mod retry;
pub mod route;
pub mod seats;
pub mod settings;
pub mod sight;
pub mod slots;
pub mod sse;
pub mod think;
pub mod vectors;
pub mod vigil;
pub mod watch;

use std::sync::Arc;

use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use crate::model::error::{Cause, ModelError};
use crate::protocol::message::{Message, ToolCall, Usage};
use crate::protocol::task::{Class, Task};
use crate::protocol::tool::ToolSpec;
use crate::protocol::usage::Stats;

/// One question to a model. Its serialised form must put what grows (the messages) last, so that each request of a
/// session starts with all bytes of the one before.
#[derive(Debug, Clone)]
pub struct Request {
    /// The model's name on the server.
    pub model: String,
    /// The tools on offer; the same list for every request of a session.
    pub tools: Arc<[ToolSpec]>,
    /// The conversation, system message first.
    pub messages: Arc<[Message]>,
    /// Upper bound of the answer. Always sent, because servers' own defaults range from 16 tokens to the whole window.
    pub max_tokens: u32,
    /// Sampling temperature; the server's own when none.
    pub temperature: Option<f32>,
    /// JSON schema the answer must follow, for servers that can hold the model to it.
    pub answer_schema: Option<Arc<serde_json::Value>>,
    /// Whether the answer is asked for in pieces.
    pub delivery: Delivery,
    /// Whether the model must call a tool.
    pub tool_choice: ToolChoice,
    /// How many calls one answer may make.
    pub calls: Calls,
    /// What it is for.
    pub task: Task,
    /// Who waits for it.
    pub class: Class,
}

/// How an answer arrives.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Delivery {
    /// Piece by piece, as it is written.
    #[default]
    Streamed,
    /// In one piece. Only to find out what a server can do: nobody wants to wait for it.
    Whole,
}

/// Whether the model is free to answer in words, and who reads its calls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToolChoice {
    /// It may call tools or answer.
    #[default]
    Auto,
    /// It must call one of the tools.
    Required,
    /// It may call tools or answer, and the server is to leave its calls in the text, from which [`recover`] takes them:
    /// for servers that cannot read what this model writes.
    Text,
}

/// How many calls one answer may make.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Calls {
    /// As many as the model likes.
    #[default]
    Many,
    /// One: more were seen to get lost on the way.
    One,
}

/// One piece of a tool call as it arrives. Pieces with the same `index` belong together.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolPiece {
    /// Position among the calls of the answer.
    pub index: usize,
    /// The call's id, on the first piece.
    pub id: Option<String>,
    /// The tool's name, on the first piece.
    pub name: Option<String>,
    /// The next part of the arguments' JSON text.
    pub arguments: String,
}

/// Why the model stopped writing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Finish {
    /// It was done, or called tools: which of the two is decided by the calls, because servers disagree.
    Stop,
    /// It ran into `max_tokens` or the window; a last call may be cut off.
    Length,
    /// The server gave up (`abort`, `repetition`, content filters and whatever else it names).
    Aborted,
}

/// What a server says of its own times, in milliseconds; none where it is silent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Timing {
    /// In its queue, and until the model was loaded.
    pub queue_ms: Option<u64>,
    /// Reading the prompt.
    pub prefill_ms: Option<u64>,
    /// Writing the answer.
    pub decode_ms: Option<u64>,
}

/// One event of an answer. A stream never fails half way: an error is its last event, and a stream that ends with
/// neither [`StreamEvent::Finish`] nor [`StreamEvent::Error`] is a failed one.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StreamEvent {
    /// Words.
    Text(String),
    /// Thoughts.
    Reasoning(String),
    /// Part of a tool call.
    Tool(ToolPiece),
    /// The server reads the prompt; what it has in its cache counts as read.
    Prefill {
        /// Tokens read so far.
        done_tokens: u64,
        /// Tokens of the whole prompt.
        total_tokens: u64,
    },
    /// Token counts, as often as the server sends them; the last one counts.
    Usage(Usage),
    /// Times as the server measured them; the last ones count.
    Timing(Timing),
    /// The model stopped.
    Finish(Finish),
    /// The request failed.
    Error(ModelError),
}

/// A complete answer.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Answer {
    /// All it said.
    pub text: String,
    /// All it thought.
    pub reasoning: String,
    /// The calls it made, complete, in its order.
    pub tool_calls: Vec<ToolCall>,
    /// A call that was cut off by a length stop: its tool name. Never to be run.
    pub cut_call: Option<String>,
    /// A call that the server took out of an example, which breaks off there: its tool name. Never to be run.
    pub quoted_call: Option<String>,
    /// A call at the end of the words that cannot be run as it is written. Only in an answer without other calls.
    pub failed_call: Option<FailedCall>,
    /// Token counts; zero where the server sent none.
    pub usage: Usage,
    /// Whether the answer ran into `max_tokens` or the window.
    pub is_cut: bool,
    /// How it came about.
    pub stats: Stats,
}

/// What was meant as a call and is none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FailedCall {
    /// The tool's name as the model wrote it; may be empty.
    pub tool: String,
    /// What is wrong, in words.
    pub why: String,
}

/// A server that answers requests. Implementors must not retry, log bodies, or panic on anything a server sends.
pub trait Provider: Send + Sync {
    /// Sends the request and streams the answer. Dropping the stream, or cancelling, ends the request at once.
    fn stream(&self, request: Request, cancel: CancellationToken) -> BoxStream<'static, StreamEvent>;

    /// Lists the names of the models the server has.
    fn models(&self) -> BoxFuture<'_, Result<Vec<ModelInfo>, ModelError>>;

    /// Turns texts into vectors, one each, in their order. Providers without embeddings refuse.
    fn embed(&self, model: String, texts: Vec<String>) -> BoxFuture<'_, Result<Vec<Vec<f32>>, ModelError>> {
        let source = Cause(format!("it cannot turn {} into vectors", crate::base::text::count(texts.len(), "text")));
        let error = ModelError::Refused { url: model, status: 501, source };
        Box::pin(std::future::ready(Err(error)))
    }

    /// Fills a gap in a text, at temperature 0. Providers that cannot refuse.
    fn fill(&self, fill: fim::Fill) -> BoxFuture<'_, Result<fim::Filling, ModelError>> {
        let source = Cause("it cannot fill gaps in a text".to_owned());
        let error = ModelError::Refused { url: fill.model, status: 501, source };
        Box::pin(std::future::ready(Err(error)))
    }
}

/// What a server says of one of its models.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelInfo {
    /// The name requests use.
    pub id: String,
    /// Tokens it takes as served, where the server says so.
    pub window_tokens: Option<u64>,
}
