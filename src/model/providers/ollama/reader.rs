//! What does one line of an Ollama answer say?
//!
//! Reads leniently, as `chunk` does for the other wire. What fails an answer: an error line (a runner that crashed, a call
//! the server's own parser could not read), a line that is not JSON, and an end without `done`. Calls come whole, their
//! arguments as objects; these are kept as text byte for byte, except that Go's escapes of `<`, `>` and `&` are undone.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::model::error::ModelError;
use crate::model::ndjson::Lines;
use crate::model::providers::exchange::Reading;
use crate::model::providers::status::{self, Origin};
use crate::model::sse::EventTooLong;
use crate::model::think::{Part, Splitter};
use crate::model::{Finish, StreamEvent, Timing, ToolPiece};
use crate::protocol::message::Usage;

/// Reads the lines of one answer.
pub struct Reader {
    origin: Origin,
    lines: Lines,
    words: Words,
    n_calls: usize,
    finish: Option<Finish>,
    has_failed: bool,
}

/// What the content is.
enum Words {
    /// Words for the reader, thoughts among them.
    Free(Splitter),
    /// A call, written as JSON because the request held the model to it.
    Call(String),
}

impl Reader {
    /// Starts reading an answer of `origin`.
    pub fn new(origin: Origin) -> Self {
        let words = Words::Free(Splitter::default());
        Self { origin, lines: Lines::default(), words, n_calls: 0, finish: None, has_failed: false }
    }

    /// As [`Reader::new`], for an answer whose content is a call as JSON.
    pub fn of_call(origin: Origin) -> Self {
        Self { words: Words::Call(String::new()), ..Self::new(origin) }
    }

    fn with_lines(
        &mut self,
        out: &mut Vec<StreamEvent>,
        feed: impl FnOnce(&mut Lines, &mut dyn FnMut(Cow<'_, str>)) -> Result<(), EventTooLong>,
    ) -> Result<(), EventTooLong> {
        let mut lines = std::mem::take(&mut self.lines);
        let result = feed(&mut lines, &mut |line| match line {
            Cow::Borrowed(line) => self.read(line, out),
            // Something in it was replaced; what is replaced could end up in somebody's file.
            Cow::Owned(line) if !self.is_done() => {
                self.fail(self.broken(format!("a line of it is not UTF-8: {}", status::clean(&line))), out);
            }
            Cow::Owned(_) => {}
        });
        self.lines = lines;
        result
    }

    /// Reads one line. What comes after the end is ignored.
    pub fn read(&mut self, line: &str, out: &mut Vec<StreamEvent>) {
        if self.is_done() {
            return;
        }
        // Nearly every line is one token and no more; building a tree for each would cost most of the time.
        if let Ok(TokenLine { message, done: false, tool_calls: None, error: None }) = serde_json::from_str(line)
            && message.tool_calls.is_none()
        {
            return self.read_words(message.thinking.as_deref(), message.content.as_deref(), out);
        }
        match serde_json::from_str::<Value>(line) {
            Ok(Value::Object(map)) if status::holds_error(&map) => {
                self.fail(status::from_stream(&self.origin, &Value::Object(map)), out);
            }
            Ok(Value::Object(map)) => self.read_map(&map, line, out),
            Ok(_) => {}
            Err(error) => {
                self.fail(self.broken(format!("a line of it is not JSON ({error}): {}", status::clean(line))), out);
            }
        }
    }

    fn read_map(&mut self, map: &Map<String, Value>, line: &str, out: &mut Vec<StreamEvent>) {
        if let Some(message) = map.get("message") {
            let text = |key: &str| message.get(key).and_then(Value::as_str);
            self.read_words(text("thinking"), text("content"), out);
            let calls = message.get("tool_calls").and_then(Value::as_array);
            if calls.is_some_and(|calls| !calls.is_empty()) {
                self.read_calls(line, out);
            }
        }
        if map.get("done").and_then(Value::as_bool) == Some(true) {
            out.extend(read_usage(map).map(StreamEvent::Usage));
            out.extend(read_timing(map).map(StreamEvent::Timing));
            self.finish = Some(finish_of(map.get("done_reason").and_then(Value::as_str).unwrap_or_default()));
        }
    }

    fn read_words(&mut self, thinking: Option<&str>, content: Option<&str>, out: &mut Vec<StreamEvent>) {
        if let Some(thought) = thinking.filter(|text| !text.is_empty()) {
            out.push(StreamEvent::Reasoning(thought.to_owned()));
        }
        if let Some(content) = content.filter(|text| !text.is_empty()) {
            self.read_content(content, out);
        }
    }

    fn read_content(&mut self, content: &str, out: &mut Vec<StreamEvent>) {
        match &mut self.words {
            Words::Free(splitter) => {
                let mut parts = Vec::new();
                splitter.push(content, &mut parts);
                out.extend(parts.into_iter().map(event_of));
            }
            Words::Call(json) => {
                if json.is_empty() {
                    // Without a name it is no call yet, only a sign that the model is at work.
                    out.push(StreamEvent::Tool(ToolPiece { index: self.n_calls, ..ToolPiece::default() }));
                }
                json.push_str(content);
            }
        }
    }

    fn read_calls(&mut self, line: &str, out: &mut Vec<StreamEvent>) {
        let calls = match serde_json::from_str::<CallLine<'_>>(line) {
            Ok(line) => line.message.tool_calls,
            Err(error) => return self.fail(self.broken(format!("a call of it cannot be read ({error})")), out),
        };
        for call in calls {
            let arguments = call.function.arguments.map_or_else(String::new, text_of);
            let name = call.function.name;
            self.push_call(ToolPiece { index: 0, id: call.id, name, arguments }, out);
        }
    }

    fn push_call(&mut self, piece: ToolPiece, out: &mut Vec<StreamEvent>) {
        out.push(StreamEvent::Tool(ToolPiece { index: self.n_calls, ..piece }));
        self.n_calls += 1;
    }

    /// Turns the JSON of a forced call into a call. What is none stays what the model said.
    fn read_forced(&mut self, json: &str, out: &mut Vec<StreamEvent>) {
        if let Ok(call) = serde_json::from_str::<Forced<'_>>(json) {
            let arguments = call.arguments.map_or_else(String::new, text_of);
            self.push_call(ToolPiece { index: 0, id: None, name: Some(call.name), arguments }, out);
        } else if self.finish == Some(Finish::Length) {
            // Its name tells the model which call was cut off; the call itself is never run.
            let name = begun_name(json).unwrap_or("unknown").to_owned();
            self.push_call(ToolPiece { index: 0, id: None, name: Some(name), arguments: json.to_owned() }, out);
        } else {
            out.push(StreamEvent::Text(json.to_owned()));
        }
    }

    fn fail(&mut self, error: ModelError, out: &mut Vec<StreamEvent>) {
        self.has_failed = true;
        out.push(StreamEvent::Error(error));
    }

    fn broken(&self, what: String) -> ModelError {
        ModelError::Broken { url: self.origin.url.clone(), what }
    }
}

impl Reading for Reader {
    fn feed(&mut self, bytes: &[u8], out: &mut Vec<StreamEvent>) -> Result<(), EventTooLong> {
        self.with_lines(out, |lines, on_line| lines.feed(bytes, on_line))
    }

    fn finish(&mut self, out: &mut Vec<StreamEvent>) -> Result<(), EventTooLong> {
        self.with_lines(out, |lines, on_line| lines.finish(on_line))
    }

    fn close(&mut self, out: &mut Vec<StreamEvent>) {
        if self.has_failed {
            return;
        }
        let Some(finish) = self.finish else {
            return self.fail(self.broken("it ended without a finish reason".to_owned()), out);
        };
        match std::mem::replace(&mut self.words, Words::Free(Splitter::default())) {
            Words::Free(mut splitter) => {
                let mut parts = Vec::new();
                splitter.finish(&mut parts);
                out.extend(parts.into_iter().map(event_of));
            }
            Words::Call(json) if json.trim().is_empty() => {}
            Words::Call(json) => self.read_forced(&json, out),
        }
        out.push(StreamEvent::Finish(finish));
    }

    fn read_whole(&mut self, text: &str, out: &mut Vec<StreamEvent>) -> bool {
        let text = text.trim_start_matches('\u{feff}');
        let first = serde_json::Deserializer::from_str(text).into_iter::<Value>().next();
        let Some(Ok(Value::Object(map))) = first else { return false };
        let is_answer = map.contains_key("message") || map.contains_key("done") || status::holds_error(&map);
        if is_answer && serde_json::from_str::<Value>(text).is_ok() {
            self.read(text, out);
        } else if is_answer {
            text.lines().filter(|line| !line.trim().is_empty()).for_each(|line| self.read(line, out));
        }
        is_answer
    }

    fn is_stream(&self, content_type: &str) -> bool {
        content_type.contains("ndjson") || !(content_type.contains("json") || content_type.contains("html"))
    }

    fn has_finished(&self) -> bool {
        self.finish.is_some()
    }

    /// Counts come with the last line, so there is nothing to wait for behind it.
    fn is_done(&self) -> bool {
        self.finish.is_some() || self.has_failed
    }
}

/// A line in the middle of an answer. Whatever does not fit is read as a tree.
#[derive(Deserialize)]
struct TokenLine<'a> {
    #[serde(borrow)]
    message: TokenMessage<'a>,
    #[serde(default)]
    done: bool,
    // Anything under these names is for the other way of reading.
    tool_calls: Option<IgnoredAny>,
    error: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct TokenMessage<'a> {
    #[serde(borrow, default)]
    thinking: Option<Borrowed<'a>>,
    #[serde(borrow, default)]
    content: Option<Borrowed<'a>>,
    tool_calls: Option<IgnoredAny>,
}

/// A string that is copied only when it holds escapes; serde borrows a `Cow` inside of an `Option` only through a type of its own.
#[derive(Deserialize)]
struct Borrowed<'a>(#[serde(borrow)] Cow<'a, str>);

impl std::ops::Deref for Borrowed<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

/// A line that holds calls, read for the exact text of their arguments.
#[derive(Deserialize)]
struct CallLine<'a> {
    #[serde(borrow)]
    message: CallMessage<'a>,
}

#[derive(Deserialize)]
struct CallMessage<'a> {
    #[serde(borrow)]
    tool_calls: Vec<WireCall<'a>>,
}

#[derive(Deserialize)]
struct WireCall<'a> {
    #[serde(default)]
    id: Option<String>,
    #[serde(borrow)]
    function: WireFunction<'a>,
}

#[derive(Deserialize)]
struct WireFunction<'a> {
    #[serde(default)]
    name: Option<String>,
    #[serde(borrow, default)]
    arguments: Option<&'a RawValue>,
}

/// What a model writes that is held to a call.
#[derive(Deserialize)]
struct Forced<'a> {
    name: String,
    #[serde(borrow, default)]
    arguments: Option<&'a RawValue>,
}

/// Returns arguments as JSON text; shims send them as a string that holds it.
fn text_of(raw: &RawValue) -> String {
    match serde_json::from_str::<String>(raw.get()) {
        Ok(inner) => inner,
        Err(_) => unescape_html(raw.get()),
    }
}

/// Undoes what Go's JSON writer does to `<`, `>` and `&`: JSON that holds the characters themselves means the same, is
/// shorter in the prompt, and is what the model wrote.
fn unescape_html(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    let mut rest = json;
    while let Some(at) = rest.find('\\') {
        let plain = match rest.get(at..at + 6) {
            Some("\\u003c") => Some('<'),
            Some("\\u003e") => Some('>'),
            Some("\\u0026") => Some('&'),
            _ => None,
        };
        text.push_str(&rest[..at]);
        // Any other escape is at least two bytes; the second may itself be a backslash.
        let length = if plain.is_some() { 6 } else { rest.ceil_char_boundary(at + 2) - at };
        match plain {
            Some(plain) => text.push(plain),
            None => text.push_str(&rest[at..at + length]),
        }
        rest = &rest[at + length..];
    }
    text + rest
}

/// Finds the name in the beginning of a forced call.
fn begun_name(json: &str) -> Option<&str> {
    let value = json.split_once("\"name\"")?.1.trim_start().strip_prefix(':')?.trim_start();
    value.strip_prefix('"')?.split_once('"').map(|(name, _)| name)
}

fn event_of(part: Part) -> StreamEvent {
    match part {
        Part::Text(text) => StreamEvent::Text(text),
        Part::Reasoning(text) => StreamEvent::Reasoning(text),
    }
}

/// Sorts the reasons. `load` and `unload` mean that the model was moved and has not answered.
fn finish_of(reason: &str) -> Finish {
    match reason {
        "" | "stop" => Finish::Stop,
        "length" => Finish::Length,
        _ => Finish::Aborted,
    }
}

/// Reads the counts of the last line; `prompt_eval_count` includes what was in the cache, and old versions leave it out
/// when all was.
fn read_usage(map: &Map<String, Value>) -> Option<Usage> {
    let count = |key: &str| map.get(key).and_then(Value::as_u64);
    let (input, output) = (count("prompt_eval_count"), count("eval_count"));
    (input.is_some() || output.is_some()).then(|| Usage {
        input_tokens: input.unwrap_or(0),
        output_tokens: output.unwrap_or(0),
        ..Usage::default()
    })
}

/// Reads the times of the last line, which are in nanoseconds. What it calls the time to load is all that passed before
/// the prompt was read: waiting for a place, too.
fn read_timing(map: &Map<String, Value>) -> Option<Timing> {
    let ms = |key: &str| map.get(key).and_then(Value::as_u64).map(|ns| ns / 1_000_000);
    let timing = Timing {
        queue_ms: ms("load_duration"),
        prefill_ms: ms("prompt_eval_duration"),
        decode_ms: ms("eval_duration"),
    };
    (timing != Timing::default()).then_some(timing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn go_s_escapes_are_undone_and_no_others() {
        let table = [
            (r#"{"a":"\u003cb\u003e \u0026"}"#, r#"{"a":"<b> &"}"#),
            (r#"{"a":"\\u003c \\\u003c"}"#, r#"{"a":"\\u003c \\<"}"#),
            (r#"{"a":"\u003C \n \u00e9 \""}"#, r#"{"a":"\u003C \n \u00e9 \""}"#),
            (r#"{"é":"\é"}"#, r#"{"é":"\é"}"#),
            ("{}", "{}"),
            ("\\", "\\"),
        ];
        for (json, expected) in table {
            assert_eq!(unescape_html(json), expected, "{json}");
        }
    }

    #[test]
    fn the_name_of_a_call_that_was_cut_off_is_found() {
        let table = [
            (r#"{"name": "write_file", "arguments": {"pa"#, Some("write_file")),
            (r#"{"name":"writ"#, None),
            (r#"{"arguments": {"#, None),
        ];
        for (json, expected) in table {
            assert_eq!(begun_name(json), expected, "{json}");
        }
    }
}
