//! What does one piece of a chat-completions stream say, in whichever dialect the server writes it?
//!
//! Reads leniently: unknown keys, missing keys, nulls and other spellings never fail a turn. What does fail it: an error
//! object in any shape, text that is not JSON, and an end without a finish reason, because that is how Ollama and
//! llama.cpp break off. `[DONE]` proves nothing either way.

use serde_json::{Map, Value};

use crate::model::calls::{Calls, Clue, Slot};
use crate::model::error::ModelError;
use crate::model::providers::status::{self, Origin};
use crate::model::sse::Event;
use crate::model::think::{Part, Splitter};
use crate::model::{Finish, StreamEvent, Timing, ToolPiece};
use crate::protocol::message::Usage;

/// Reads the chunks of one answer.
pub struct Reader {
    origin: Origin,
    think: Splitter,
    calls: Calls,
    finish: Option<Finish>,
    has_content: bool,
    is_done: bool,
    has_failed: bool,
}

impl Reader {
    /// Starts reading an answer of `origin`.
    pub fn new(origin: Origin) -> Self {
        Self {
            origin,
            think: Splitter::default(),
            calls: Calls::default(),
            finish: None,
            has_content: false,
            is_done: false,
            has_failed: false,
        }
    }

    /// Says whether nothing further needs to be read: the server said so, or the answer failed.
    pub fn is_done(&self) -> bool {
        self.is_done || self.has_failed
    }

    /// Says whether the model has said why it stopped; only token counts may still come.
    pub fn has_finished(&self) -> bool {
        self.finish.is_some()
    }

    /// Reads one event. Bytes that are no text fail the answer: replaced ones could end up in somebody's file.
    pub fn read_event(&mut self, event: &Event<'_>, out: &mut Vec<StreamEvent>) {
        if event.is_utf8 || self.is_done() {
            return self.read(&event.name, &event.data, out);
        }
        let what = format!("a piece of it is not UTF-8: {}", status::clean(&event.data));
        self.fail(ModelError::Broken { url: self.origin.url.clone(), what }, out);
    }

    /// Reads the data of one event. What comes after the end is ignored.
    pub fn read(&mut self, event_name: &str, data: &str, out: &mut Vec<StreamEvent>) {
        let data = data.trim();
        if self.is_done() || data.is_empty() || event_name == "ping" {
            return;
        }
        if data == "[DONE]" {
            self.is_done = true;
            return;
        }
        // Some shims forget the blank line between events, so that one event holds several documents.
        for value in serde_json::Deserializer::from_str(data).into_iter::<Value>() {
            match value {
                Ok(value) if event_name == "error" => self.fail(status::from_stream(&self.origin, &value), out),
                Ok(value) => self.read_value(&value, out),
                Err(_) if event_name == "error" => {
                    self.fail(status::from_stream(&self.origin, &Value::from(data)), out);
                }
                Err(error) => {
                    let what = format!("a piece of it is not JSON ({error}): {}", status::clean(data));
                    self.fail(ModelError::Broken { url: self.origin.url.clone(), what }, out);
                }
            }
            if self.is_done() {
                return;
            }
        }
    }

    /// Ends the answer: the last event tells why the model stopped, or what is wrong with the stream.
    pub fn close(&mut self, out: &mut Vec<StreamEvent>) {
        if self.has_failed {
            return;
        }
        let mut parts = Vec::new();
        self.think.finish(&mut parts);
        out.extend(parts.into_iter().map(event_of));
        match self.finish.take() {
            Some(finish) => out.push(StreamEvent::Finish(finish)),
            None => {
                let what = "it ended without a finish reason".to_owned();
                self.fail(ModelError::Broken { url: self.origin.url.clone(), what }, out);
            }
        }
        self.is_done = true;
    }

    fn fail(&mut self, error: ModelError, out: &mut Vec<StreamEvent>) {
        self.has_failed = true;
        out.push(StreamEvent::Error(error));
    }

    fn read_value(&mut self, value: &Value, out: &mut Vec<StreamEvent>) {
        let Some(chunk) = value.as_object() else {
            return;
        };
        if status::holds_error(chunk) {
            self.fail(status::from_stream(&self.origin, value), out);
            return;
        }
        if let Some(prefill) = chunk.get("prompt_progress").and_then(read_prefill) {
            out.push(prefill);
        }
        if let Some(choice) = chunk.get("choices").and_then(|choices| choices.get(0)) {
            self.read_choice(choice, out);
        }
        if let Some(usage) = read_usage(chunk) {
            out.push(StreamEvent::Usage(usage));
        }
        if let Some(timing) = chunk.get("timings").and_then(read_timing) {
            out.push(StreamEvent::Timing(timing));
        }
    }

    fn read_choice(&mut self, choice: &Value, out: &mut Vec<StreamEvent>) {
        if let Some(delta) = choice.get("delta").and_then(Value::as_object) {
            self.read_delta(delta, out);
        }
        // A whole message: either the body is no stream at all, or the last chunk repeats or completes what came.
        if let Some(message) = choice.get("message").and_then(Value::as_object) {
            self.read_message(message, out);
        }
        if let Some(reason) = choice.get("finish_reason").and_then(Value::as_str).filter(|reason| !reason.is_empty()) {
            self.finish = Some(finish_of(reason));
        }
    }

    fn read_message(&mut self, message: &Map<String, Value>, out: &mut Vec<StreamEvent>) {
        let mut rest = message.clone();
        if self.has_content {
            for key in ["content", "reasoning", "reasoning_content"] {
                rest.remove(key);
            }
        }
        if !self.calls.is_empty() {
            rest.remove("tool_calls");
        }
        self.read_delta(&rest, out);
    }

    fn read_delta(&mut self, delta: &Map<String, Value>, out: &mut Vec<StreamEvent>) {
        // Servers that changed the name of the field send both for a while; taking both would double every thought.
        let thought = ["reasoning", "reasoning_content", "thinking"].iter().find_map(|key| words(delta.get(*key)));
        if let Some(thought) = thought {
            self.has_content = true;
            out.push(StreamEvent::Reasoning(thought));
        }
        if let Some(content) = words(delta.get("content")) {
            self.has_content = true;
            let mut parts = Vec::new();
            self.think.push(&content, &mut parts);
            out.extend(parts.into_iter().map(event_of));
        }
        let calls = delta.get("tool_calls").and_then(Value::as_array);
        for (position, call) in calls.into_iter().flatten().enumerate() {
            self.read_call(position, call, out);
        }
    }

    fn read_call(&mut self, position: usize, call: &Value, out: &mut Vec<StreamEvent>) {
        let text =
            |value: Option<&Value>| value.and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned);
        let function = call.get("function").unwrap_or(call);
        let id = text(call.get("id"));
        let name = text(function.get("name"));
        let arguments = match function.get("arguments") {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(arguments)) => arguments.clone(),
            Some(other) => other.to_string(),
        };
        let slot = call.get("index").and_then(Value::as_u64).map_or(Slot::Position(position), Slot::Index);
        let clue = Clue { id: id.as_deref(), name: name.as_deref(), arguments: &arguments };
        let index = self.calls.place(slot, clue);
        out.push(StreamEvent::Tool(ToolPiece { index, id, name, arguments }));
    }
}

fn event_of(part: Part) -> StreamEvent {
    match part {
        Part::Text(text) => StreamEvent::Text(text),
        Part::Reasoning(text) => StreamEvent::Reasoning(text),
    }
}

/// Returns the words of a field that is a string or a list of text parts; `None` when there are none.
fn words(value: Option<&Value>) -> Option<String> {
    let text = match value? {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts.iter().filter_map(|part| part.get("text").and_then(Value::as_str)).collect(),
        _ => String::new(),
    };
    (!text.is_empty()).then_some(text)
}

/// Sorts the reasons servers give. What nobody has heard of counts as giving up: to run with half an answer would be
/// worse than to ask again.
fn finish_of(reason: &str) -> Finish {
    match reason {
        "stop" | "tool_calls" | "function_call" | "tool_use" | "eos" | "eos_token" | "end_turn" | "stop_sequence"
        | "complete" | "completed" => Finish::Stop,
        "length" | "max_tokens" | "max_length" | "model_length" | "max_output_tokens" => Finish::Length,
        _ => Finish::Aborted,
    }
}

/// Reads the token counts of a chunk, under whichever names they stand; `None` when it has none.
fn read_usage(chunk: &Map<String, Value>) -> Option<Usage> {
    let timings = chunk.get("timings");
    let timing = |key: &str| timings.and_then(|timings| timings.get(key)).and_then(number);
    let Some(usage) = chunk.get("usage").and_then(Value::as_object).filter(|usage| !usage.is_empty()) else {
        let (cached_tokens, read) = (timing("cache_n").unwrap_or(0), timing("prompt_n")?);
        return Some(Usage {
            input_tokens: cached_tokens + read,
            output_tokens: timing("predicted_n")?,
            cached_tokens,
        });
    };
    let count = |keys: &[&str]| keys.iter().find_map(|key| usage.get(*key).and_then(number));
    let details = ["prompt_tokens_details", "input_tokens_details"].iter().find_map(|key| usage.get(*key)?.as_object());
    let cached = details.and_then(|details| details.get("cached_tokens")).and_then(number);
    Some(Usage {
        input_tokens: count(&["prompt_tokens", "input_tokens"]).unwrap_or(0),
        output_tokens: count(&["completion_tokens", "output_tokens"]).unwrap_or(0),
        cached_tokens: cached
            .or_else(|| count(&["cached_tokens", "prompt_cache_hit_tokens"]))
            .or_else(|| timing("cache_n"))
            .unwrap_or(0),
    })
}

/// Reads how far llama.cpp is with the prompt (`return_progress`): `processed` includes what its cache held.
fn read_prefill(progress: &Value) -> Option<StreamEvent> {
    let count = |key: &str| progress.get(key).and_then(number);
    let total_tokens = count("total")?;
    Some(StreamEvent::Prefill { done_tokens: count("processed")?.min(total_tokens), total_tokens })
}

/// Reads llama.cpp's `timings`; they come in the last chunk, or with `timings_per_token` in each.
fn read_timing(timings: &Value) -> Option<Timing> {
    let (prefill_ms, decode_ms) = (number(timings.get("prompt_ms")?), number(timings.get("predicted_ms")?));
    Some(Timing { queue_ms: None, prefill_ms, decode_ms })
}

/// Reads a count; some servers write it as a float.
fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_f64().filter(|n| *n >= 0.0).map(|n| n as u64))
}
