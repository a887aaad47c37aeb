//! How does mimi work without any model: what does a script of model turns look like, and how is it played?
//!
//! A normal provider, used by tests and the demo: it streams in small chunks, breaks off, stalls and fails like a server
//! does. Each request takes the next turn; a turn with `when` is kept for the request that matches it. A script that does
//! not fit what is asked fails loudly, naming the turn. The keys of a turn are the fields of [`Turn`].

use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream};
use serde::Deserialize;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::base::yaml;
use crate::model::error::{Cause, ModelError};
use crate::model::providers::player::{Player, Seen};
use crate::model::providers::status::{self, Origin, Reply};
use crate::model::{Finish, ModelInfo, Provider, Request, StreamEvent, ToolPiece};
use crate::protocol::message::Usage;

/// Bytes per chunk where a turn does not say: small and odd, so that every boundary is met.
const CHUNK_BYTES: usize = 7;

/// What a model will say, turn by turn.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Script {
    /// The name of the model it plays.
    #[serde(default = "default_model")]
    pub model: String,
    /// Tokens the model takes, as a server would report it.
    #[serde(default)]
    pub window_tokens: Option<u64>,
    /// The turns, in order.
    pub turns: Vec<Turn>,
}

fn default_model() -> String {
    "script".to_owned()
}

/// One answer of the model.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Turn {
    /// Text, or list of texts, that the messages since the last answer must contain.
    pub expect: Texts,
    /// Keeps the turn for the first request whose last user message or system message contains this text.
    pub when: Option<String>,
    /// What it thinks first.
    pub think: String,
    /// What it says.
    pub say: String,
    /// The tools it calls.
    pub calls: Vec<ScriptCall>,
    /// Why it stops.
    pub finish: End,
    /// The token counts it reports.
    pub usage: Option<Count>,
    /// Fails: instead of an answer, or after the words when there are any.
    pub error: Option<Failure>,
    /// Bytes per chunk.
    pub chunk: Option<usize>,
    /// Ends the stream after this many events, without a finish reason.
    pub drop_after: Option<usize>,
    /// Sends nothing more after the words, and keeps the stream open until it is cancelled.
    pub stall: bool,
}

/// One text or several.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum Texts {
    /// One.
    One(String),
    /// Several.
    Many(Vec<String>),
}

impl Default for Texts {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

impl Texts {
    /// Returns them all.
    pub fn as_slice(&self) -> &[String] {
        match self {
            Self::One(text) => std::slice::from_ref(text),
            Self::Many(texts) => texts,
        }
    }
}

/// A call of a tool.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScriptCall {
    /// The tool.
    pub name: String,
    /// The arguments: a map, or a string that is sent as it stands, valid or not.
    #[serde(default)]
    pub arguments: Value,
    /// The call's id; none where left out, as some servers do.
    #[serde(default)]
    pub id: Option<String>,
}

/// Why a scripted turn stops.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// It is done.
    #[default]
    Stop,
    /// It ran into the length limit.
    Length,
    /// The server gave up.
    Abort,
    /// The stream ends without saying.
    None,
}

/// Token counts of a scripted turn.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Count {
    /// Tokens read.
    pub input: u64,
    /// Tokens written.
    pub output: u64,
    /// Of those read, tokens that were in the prefix cache.
    pub cached: u64,
}

/// How a scripted turn fails.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum Failure {
    /// Nobody answers: the word `offline`.
    Word(Offline),
    /// The server answers with an error.
    Reply {
        /// The HTTP status.
        status: u16,
        /// The body: JSON or text.
        #[serde(default)]
        body: Value,
        /// Seconds for the `Retry-After` header.
        #[serde(default)]
        retry_after_s: Option<u64>,
    },
}

/// The word `offline`.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Offline {
    /// Nobody answers.
    Offline,
}

impl Script {
    /// Reads a script from YAML text.
    pub fn parse(text: &str) -> Result<Self, ModelError> {
        yaml::from_str(text).map_err(|error| unreadable("the script", &error.to_string()))
    }
}

fn unreadable(what: &str, why: &str) -> ModelError {
    ModelError::Misconfigured {
        what: format!("cannot read {what}"),
        hint: "a script is a list: `turns: [{say: hello}]`".to_owned(),
        source: Cause(why.to_owned()),
    }
}

impl Turn {
    /// Returns the events of the turn up to where it fails, stalls or breaks off.
    pub fn events(&self) -> Vec<StreamEvent> {
        let size = self.chunk.unwrap_or(CHUNK_BYTES).max(1);
        let mut events = Vec::new();
        events.extend(pieces(&self.think, size).map(StreamEvent::Reasoning));
        events.extend(pieces(&self.say, size).map(StreamEvent::Text));
        for (index, call) in self.calls.iter().enumerate() {
            events.extend(call.pieces(index, size).map(StreamEvent::Tool));
        }
        let is_whole = self.error.is_none() && !self.stall && self.drop_after.is_none();
        if let Some(count) = self.usage.filter(|_| is_whole) {
            events.push(StreamEvent::Usage(Usage {
                input_tokens: count.input,
                output_tokens: count.output,
                cached_tokens: count.cached,
            }));
        }
        if let Some(finish) = self.finish.event().filter(|_| is_whole) {
            events.push(finish);
        }
        events.truncate(self.drop_after.unwrap_or(usize::MAX));
        events
    }

    /// Says whether the turn has words or calls before whatever happens to it.
    pub fn has_content(&self) -> bool {
        !(self.think.is_empty() && self.say.is_empty() && self.calls.is_empty())
    }
}

impl End {
    fn event(self) -> Option<StreamEvent> {
        match self {
            Self::Stop => Some(StreamEvent::Finish(Finish::Stop)),
            Self::Length => Some(StreamEvent::Finish(Finish::Length)),
            Self::Abort => Some(StreamEvent::Finish(Finish::Aborted)),
            Self::None => None,
        }
    }
}

impl ScriptCall {
    fn pieces(&self, index: usize, size: usize) -> impl Iterator<Item = ToolPiece> {
        let arguments = match &self.arguments {
            Value::Null => "{}".to_owned(),
            Value::String(raw) => raw.clone(),
            other => other.to_string(),
        };
        let (id, name) = (self.id.clone(), Some(self.name.clone()));
        let first = ToolPiece { index, id, name, arguments: String::new() };
        let rest: Vec<String> = pieces(&arguments, size).collect();
        let rest = rest.into_iter().map(move |arguments| ToolPiece { index, arguments, ..ToolPiece::default() });
        std::iter::once(first).chain(rest)
    }
}

/// Cuts `text` into pieces of about `size` bytes, between characters.
fn pieces(text: &str, size: usize) -> impl Iterator<Item = String> + '_ {
    let mut rest = text;
    std::iter::from_fn(move || {
        let end = rest.ceil_char_boundary(size);
        let (piece, left) = rest.split_at(end);
        rest = left;
        (!piece.is_empty()).then(|| piece.to_owned())
    })
}

/// A provider that plays a script.
#[derive(Debug)]
pub struct ScriptProvider {
    player: Player,
    requests: Mutex<Vec<Request>>,
}

impl ScriptProvider {
    /// Plays `script` from its first turn.
    pub fn new(script: Script) -> Self {
        Self { player: Player::new(script), requests: Mutex::new(Vec::new()) }
    }

    /// Reads the script in the file `path`.
    pub fn open(path: &str) -> Result<Self, ModelError> {
        let what = format!("the script {path}");
        let text = std::fs::read_to_string(Path::new(path)).map_err(|error| unreadable(&what, &error.to_string()))?;
        let script = yaml::from_str(&text).map_err(|error| unreadable(&what, &error.to_string()))?;
        Ok(Self::new(script))
    }

    /// Returns all requests so far.
    pub fn requests(&self) -> Vec<Request> {
        self.lock().clone()
    }

    /// Returns how many turns nobody has asked for.
    pub fn unused(&self) -> usize {
        self.player.unused()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Request>> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn play(&self, request: &Request) -> Play {
        let origin = Origin { url: "script".to_owned(), model: request.model.clone(), ..Origin::default() };
        let turn = match self.player.next(&Seen::of(&request.messages)) {
            Ok(turn) => turn,
            Err(why) => return Play::failing(ModelError::Refused { url: origin.url, status: 400, source: Cause(why) }),
        };
        let mut events: VecDeque<StreamEvent> = turn.events().into();
        if let Some(failure) = &turn.error {
            events.push_back(StreamEvent::Error(failure.error(&origin, turn.has_content())));
        }
        Play { events, stalls: turn.stall }
    }
}

impl Failure {
    /// Returns the error as the HTTP provider would report it.
    fn error(&self, origin: &Origin, inside_stream: bool) -> ModelError {
        match self {
            Self::Word(Offline::Offline) => {
                ModelError::Offline { url: origin.url.clone(), source: Cause("connection refused".to_owned()) }
            }
            Self::Reply { body, .. } if inside_stream => status::from_stream(origin, body),
            Self::Reply { status, body, retry_after_s } => {
                let body = body.as_str().map_or_else(|| body.to_string(), str::to_owned);
                let retry_after = retry_after_s.map(Duration::from_secs);
                status::from_reply(origin, &Reply { status: *status, retry_after, location: None, body })
            }
        }
    }
}

/// One turn being played.
struct Play {
    events: VecDeque<StreamEvent>,
    stalls: bool,
}

impl Play {
    fn failing(error: ModelError) -> Self {
        Self { events: VecDeque::from([StreamEvent::Error(error)]), stalls: false }
    }

    async fn next(&mut self, cancel: &CancellationToken) -> Option<StreamEvent> {
        if !cancel.is_cancelled() {
            if let Some(event) = self.events.pop_front() {
                return Some(event);
            }
            if !self.stalls {
                return None;
            }
            cancel.cancelled().await;
        }
        let was_open = self.stalls || !self.events.is_empty();
        self.events.clear();
        self.stalls = false;
        was_open.then_some(StreamEvent::Error(ModelError::Cancelled))
    }
}

impl Provider for ScriptProvider {
    fn stream(&self, request: Request, cancel: CancellationToken) -> BoxStream<'static, StreamEvent> {
        let play = self.play(&request);
        self.lock().push(request);
        Box::pin(stream::unfold((play, cancel), |(mut play, cancel)| async {
            let event = play.next(&cancel).await?;
            Some((event, (play, cancel)))
        }))
    }

    fn models(&self) -> BoxFuture<'_, Result<Vec<ModelInfo>, ModelError>> {
        let script = self.player.script();
        let model = ModelInfo { id: script.model.clone(), window_tokens: script.window_tokens };
        Box::pin(std::future::ready(Ok(vec![model])))
    }
}
