//! How do the events of a stream become one answer that can be acted on and kept in the history?
//!
//! Arguments are kept byte for byte, because servers render them into the next prompt. Nothing is repaired here: a call
//! whose arguments are not valid JSON is handed on as it is and the agent decides; only a call that was cut off by the
//! length limit is taken out, because its arguments may look whole and still lack their end.

use crate::model::calls::grow_name;
use crate::model::{Answer, Finish, StreamEvent, Timing, ToolPiece};
use crate::protocol::message::{CallId, ToolCall, Usage};
use crate::protocol::usage::Stats;

/// Says whether `arguments` can stand in the history: a JSON object. Servers answer anything else with status 400 on
/// every later request of the session.
pub fn is_valid_arguments(arguments: &str) -> bool {
    serde_json::from_str::<serde_json::Value>(arguments).is_ok_and(|value| value.is_object())
}

/// Collects the events of one answer.
#[derive(Debug, Default)]
pub struct Assembler {
    prefix: String,
    text: String,
    reasoning: String,
    calls: Vec<Building>,
    usage: Usage,
    timing: Timing,
}

impl Assembler {
    /// Starts an answer. Calls without an id become `call_<prefix>_<n>`; the prefix must be new for every answer of a
    /// session, so that ids never repeat.
    pub fn new(prefix: impl Into<String>) -> Self {
        Self { prefix: prefix.into(), ..Self::default() }
    }

    /// Adds an event. [`StreamEvent::Finish`] and [`StreamEvent::Error`] are the caller's to act on.
    pub fn push(&mut self, event: &StreamEvent) {
        match event {
            StreamEvent::Text(piece) => self.text.push_str(piece),
            StreamEvent::Reasoning(piece) => self.reasoning.push_str(piece),
            StreamEvent::Tool(piece) => self.push_call(piece),
            StreamEvent::Usage(usage) => self.usage = *usage,
            StreamEvent::Timing(timing) => self.timing = *timing,
            StreamEvent::Prefill { .. } | StreamEvent::Finish(_) | StreamEvent::Error(_) => {}
        }
    }

    /// Says whether nothing of an answer has arrived.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty() && self.reasoning.is_empty() && self.calls.is_empty()
    }

    /// Ends the answer.
    pub fn finish(mut self, finish: Finish) -> Answer {
        self.calls.sort_by_key(|call| call.index);
        self.calls.retain(|call| !(call.name.is_empty() && call.arguments.is_empty()));
        let is_cut = finish == Finish::Length;
        // Servers that translate calls from XML close the JSON of a cut call themselves, so whole-looking arguments
        // prove nothing.
        let cut_call = if is_cut { self.calls.pop().map(|call| call.name) } else { None };
        let tool_calls = name_calls(self.calls, &self.prefix);
        let Timing { queue_ms, prefill_ms, decode_ms } = self.timing;
        Answer {
            text: self.text,
            reasoning: self.reasoning,
            tool_calls,
            cut_call,
            quoted_call: None,
            failed_call: None,
            usage: self.usage,
            is_cut,
            stats: Stats { queue_ms, prefill_ms, decode_ms, ..Stats::default() },
        }
    }

    fn push_call(&mut self, piece: &ToolPiece) {
        let at = self.calls.iter().position(|call| call.index == piece.index).unwrap_or_else(|| {
            self.calls.push(Building { index: piece.index, ..Building::default() });
            self.calls.len() - 1
        });
        let call = &mut self.calls[at];
        if call.id.is_none() {
            call.id = piece.id.clone().filter(|id| !id.is_empty());
        }
        // A name that comes after arguments have begun is a repetition in another spelling, never a part.
        if let Some(name) = piece.name.as_deref().filter(|_| call.arguments.is_empty()) {
            grow_name(&mut call.name, name);
        }
        call.arguments.push(&piece.arguments);
    }
}

/// Folds a finished stream; `None` when it broke off or failed.
pub fn fold(events: &[StreamEvent], prefix: &str) -> Option<Answer> {
    let mut assembler = Assembler::new(prefix);
    let mut finish = None;
    for event in events {
        match event {
            StreamEvent::Finish(reason) => finish = Some(*reason),
            StreamEvent::Error(_) => return None,
            other => assembler.push(other),
        }
    }
    finish.filter(|reason| *reason != Finish::Aborted).map(|reason| assembler.finish(reason))
}

/// Gives every call an id that no other call of the answer has.
fn name_calls(building: Vec<Building>, prefix: &str) -> Vec<ToolCall> {
    let mut calls: Vec<ToolCall> = Vec::with_capacity(building.len());
    for (n, call) in building.into_iter().enumerate() {
        let given = call.id.filter(|id| calls.iter().all(|earlier| earlier.id.0 != *id));
        let id = CallId(given.unwrap_or_else(|| format!("call_{prefix}_{n}")));
        calls.push(ToolCall { id, name: call.name, arguments: call.arguments.into_text() });
    }
    calls
}

#[derive(Debug, Default)]
struct Building {
    index: usize,
    id: Option<String>,
    name: String,
    arguments: Arguments,
}

/// How the pieces of the arguments add up.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Growth {
    /// Not known yet: at most two pieces, the second of which may contain the first.
    #[default]
    Open,
    /// Each piece is the next part.
    Parts,
    /// Each piece is all of it so far, as some gateways send.
    Whole,
}

/// The arguments of one call while they arrive.
#[derive(Debug, Default)]
struct Arguments {
    growth: Growth,
    joined: String,
    /// The last piece, while every piece so far starts with the one before.
    last: String,
    pieces: usize,
}

impl Arguments {
    fn is_empty(&self) -> bool {
        self.joined.is_empty()
    }

    fn push(&mut self, piece: &str) {
        if piece.is_empty() {
            return;
        }
        self.pieces += 1;
        if self.growth == Growth::Whole {
            piece.clone_into(&mut self.joined);
            return;
        }
        if self.growth == Growth::Open {
            self.judge(piece);
        }
        if self.growth == Growth::Whole {
            piece.clone_into(&mut self.joined);
        } else {
            self.joined.push_str(piece);
        }
    }

    /// Two pieces may start alike by chance (`{"a":` and `{"a":1}` of a nested object); three do not.
    fn judge(&mut self, piece: &str) {
        if !piece.starts_with(self.last.as_str()) {
            self.growth = Growth::Parts;
            self.last = String::new();
            return;
        }
        piece.clone_into(&mut self.last);
        if self.pieces == 3 {
            self.growth = Growth::Whole;
        }
    }

    fn into_text(self) -> String {
        let doubtful = self.growth == Growth::Open && self.pieces == 2 && !is_valid_arguments(&self.joined);
        let text = if doubtful && is_valid_arguments(&self.last) { self.last } else { self.joined };
        if matches!(text.trim(), "" | "null") { "{}".to_owned() } else { text }
    }
}
