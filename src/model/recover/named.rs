//! How is a call read that begins with its tool's name?
//!
//! `NAME[ARGS]{...}` and its cousins, in which marks of a family stand between name and object; `NAME` with GLM's
//! `<arg_key>` tags; and `NAME(key="value")` as in Python.

use serde_json::{Map, Value};

use crate::model::recover::json::{self, Broken};
use crate::model::recover::toolbox::is_name_char;
use crate::model::recover::wrapper;

/// What may stand between a name and its arguments.
const BETWEEN: &[&str] = &[
    "[ARGS]",
    "<|tool_call_argument_begin|>",
    "<｜tool▁sep｜>",
    "<|constrain|>",
    "<|channel|>",
    "<|message|>",
    "commentary",
    "analysis",
    "```json",
    "```",
    "json",
    "code",
];
/// What may stand after the arguments of such a call.
const AFTER: &[&str] = &["```"];
/// Longest id between `[CALL_ID]` and `[ARGS]`, in bytes.
const MAX_CALL_ID: usize = 64;

/// A call that begins with its name.
#[derive(Debug, Clone, PartialEq)]
pub struct Named<'a> {
    /// The name as written.
    pub name: &'a str,
    /// Its arguments.
    pub arguments: Map<String, Value>,
    /// The byte after it.
    pub end: usize,
    /// The name its recovery is counted under.
    pub kind: &'static str,
    /// Whether its JSON had to be repaired.
    pub is_repaired: bool,
}

/// What stands at a place.
#[derive(Debug, Clone, PartialEq)]
pub enum At<'a> {
    /// A whole call.
    Whole(Named<'a>),
    /// A call of this name that breaks off.
    Cut(&'a str),
    /// No call.
    Nothing,
}

/// Reads the name at byte `at`: the text of it and where it ends. DeepSeek puts the word `function` before it.
pub fn name_at(text: &str, at: usize) -> (&str, usize) {
    let at = text[at..].strip_prefix("function<｜tool▁sep｜>").map_or(at, |rest| text.len() - rest.len());
    let end = text[at..].find(|c: char| !is_name_char(c)).map_or(text.len(), |n| at + n);
    (&text[at..end], end)
}

/// Reads the call whose name begins at byte `at`.
pub fn read(text: &str, at: usize) -> At<'_> {
    let (name, end) = name_at(text, at);
    if name.is_empty() {
        return At::Nothing;
    }
    let next = end + wrapper::spaces(&text[end..]);
    let rest = &text[next..];
    if rest.starts_with("<arg_key>") || (rest.starts_with("</tool_call>") && next > at) {
        return glm(text, name, next);
    }
    if rest.starts_with('(') {
        return python_call(text, at);
    }
    let object = skip_between(text, end);
    match text[object..].chars().next() {
        Some('{') => {}
        // The end of the text, or a mark that has only begun.
        None => return At::Cut(name),
        Some('<') if !text[object..].contains(['>', '\n']) => return At::Cut(name),
        Some(_) => return At::Nothing,
    }
    let read = match json::read(text, object) {
        Ok(read) => read,
        Err(Broken::Truncated) => return At::Cut(name),
        Err(Broken::Malformed) => return At::Nothing,
    };
    let Some(arguments) = json::object_of(read.value) else { return At::Nothing };
    let mut end = read.end;
    let after = end + wrapper::spaces(&text[end..]);
    if let Some(mark) = AFTER.iter().find(|mark| text[after..].starts_with(**mark)) {
        end = after + mark.len();
    }
    At::Whole(Named { name, arguments, end, kind: "named_json", is_repaired: read.is_repaired })
}

fn skip_between(text: &str, at: usize) -> usize {
    let mut at = at;
    loop {
        at += wrapper::spaces(&text[at..]);
        let rest = &text[at..];
        if let Some(id) = rest.strip_prefix("[CALL_ID]") {
            let end = id.find('[').unwrap_or(id.len()).min(MAX_CALL_ID);
            at += "[CALL_ID]".len() + id.floor_char_boundary(end);
            continue;
        }
        match BETWEEN.iter().find(|mark| rest.starts_with(**mark)) {
            Some(mark) => at += mark.len(),
            None => return at,
        }
    }
}

/// Reads GLM's keys and values up to the end of the call.
fn glm<'a>(text: &'a str, name: &'a str, at: usize) -> At<'a> {
    let mut at = at;
    let mut arguments = Map::new();
    loop {
        at += wrapper::spaces(&text[at..]);
        let Some(rest) = text[at..].strip_prefix("<arg_key>") else { break };
        let Some((key, rest)) = rest.split_once("</arg_key>") else { return At::Cut(name) };
        let rest = rest.trim_start();
        let Some(value) = rest.strip_prefix("<arg_value>") else {
            return if "<arg_value>".starts_with(rest) { At::Cut(name) } else { At::Nothing };
        };
        let start = text.len() - value.len();
        let Some(end) = glm_value_end(text, start) else { return At::Cut(name) };
        arguments.insert(key.trim().to_owned(), Value::String(text[start..end].to_owned()));
        at = end + "</arg_value>".len();
    }
    let rest = &text[at..];
    if matches!(wrapper::closer(rest), wrapper::Found::No) && !rest.is_empty() {
        return At::Nothing;
    }
    At::Whole(Named { name, arguments, end: at, kind: "glm", is_repaired: false })
}

/// A value ends at the first closing tag that a key, the end of the call, or nothing follows.
fn glm_value_end(text: &str, start: usize) -> Option<usize> {
    let mut from = start;
    while let Some(n) = text[from..].find("</arg_value>") {
        let end = from + n;
        from = end + "</arg_value>".len();
        let rest = text[from..].trim_start();
        if rest.starts_with("<arg_key>") || wrapper::closer(rest) != wrapper::Found::No {
            return Some(end);
        }
    }
    None
}

/// Reads `NAME(key=value, ...)`; Llama writes `NAME.call(...)`.
pub fn python_call(text: &str, at: usize) -> At<'_> {
    let (written, end) = name_at(text, at);
    let name = written.strip_suffix(".call").unwrap_or(written);
    if name.is_empty() {
        return At::Nothing;
    }
    let Some(rest) = text[end..].trim_start().strip_prefix('(') else {
        return if text[end..].trim().is_empty() { At::Cut(name) } else { At::Nothing };
    };
    let mut at = text.len() - rest.len();
    let mut arguments = Map::new();
    loop {
        at += text[at..].len() - text[at..].trim_start_matches(|c: char| c.is_whitespace() || c == ',').len();
        let rest = &text[at..];
        if rest.starts_with(')') {
            return At::Whole(Named { name, arguments, end: at + 1, kind: "pythonic", is_repaired: false });
        }
        let Some(length) = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')) else { return At::Cut(name) };
        let Some(value) = rest[length..].trim_start().strip_prefix('=').filter(|_| length > 0) else {
            return At::Nothing;
        };
        match python_value(text, text.len() - value.len()) {
            Ok((value, end)) => {
                arguments.insert(rest[..length].to_owned(), value);
                at = end;
            }
            Err(Broken::Truncated) => return At::Cut(name),
            Err(Broken::Malformed) => return At::Nothing,
        }
    }
}

/// Reads a value followed by a comma or the closing bracket. A string is read as the item of a list is, whose closing
/// quote those two follow.
fn python_value(text: &str, at: usize) -> Result<(Value, usize), Broken> {
    let read = json::read(text, at + wrapper::spaces(&text[at..]))?;
    match text[read.end..].trim_start().chars().next() {
        Some(',' | ')') => Ok((read.value, read.end)),
        None => Err(Broken::Truncated),
        Some(_) => Err(Broken::Malformed),
    }
}

/// Reads `[NAME(...), NAME(...)]`, the list that begins at byte `at`.
pub fn python_list(text: &str, at: usize) -> (Vec<At<'_>>, usize) {
    let mut at = at + 1;
    let mut calls = Vec::new();
    loop {
        at += text[at..].len() - text[at..].trim_start_matches(|c: char| c.is_whitespace() || c == ',').len();
        if text[at..].starts_with(']') {
            return (calls, at + 1);
        }
        let call = if text[at..].is_empty() { At::Cut("") } else { python_call(text, at) };
        let end = match &call {
            At::Whole(call) => call.end,
            _ => text.len(),
        };
        let is_over = !matches!(call, At::Whole(_));
        calls.push(call);
        if is_over {
            return (calls, end);
        }
        at = end;
    }
}

#[cfg(test)]
#[path = "named_tests.rs"]
mod tests;
