//! How is YAML read so that a mistake in it can be pointed at?
//!
//! The only importer of the YAML crate. One document per text, YAML 1.2 words only (`no` is text), keys are unique, and
//! anchors, aliases, tags and merge keys are refused: a small file must not unfold into a large one. Text, nesting and
//! node count are bounded. Messages never repeat what stands in the text beyond key names, because keys may be in there.

use std::collections::HashSet;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_path_to_error::{Path, Segment};
use serde_yaml::granit_parser::{Event, Marker, Parser, ScalarStyle, Span, StrInput};

/// Largest text that is parsed. The files of the project are below 20 kB.
pub const MAX_BYTES: usize = 1024 * 1024;
/// Deepest nesting that is parsed; keeps the recursion below far from the end of a thread's stack.
pub const MAX_DEPTH: usize = 64;
/// Most nodes a text may hold.
pub const MAX_NODES: usize = 50_000;

/// A value and where it stands. Lines and columns count from 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Line of its first character.
    pub line: usize,
    /// Column of its first character.
    pub column: usize,
    /// What it is.
    pub value: Value,
}

/// What a node holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Nothing, `~` or `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number with a fraction or exponent; always finite.
    Float(f64),
    /// Everything else that is not a list or map.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// A map, in the order of the text.
    Map(Vec<Entry>),
}

/// One key of a map with its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The key; never empty, unique in its map.
    pub key: String,
    /// Line of the key.
    pub line: usize,
    /// Column of the key.
    pub column: usize,
    /// The value.
    pub value: Node,
}

impl Node {
    /// Returns the entries of a map; none for everything else.
    pub fn entries(&self) -> &[Entry] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    /// Returns the value of `key` when the node is a map that has it.
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.entries().iter().find(|entry| entry.key == key).map(|entry| &entry.value)
    }

    /// Names the sort of value for messages, without showing it.
    pub fn kind(&self) -> &'static str {
        match self.value {
            Value::Null => "nothing",
            Value::Bool(_) => "true or false",
            Value::Int(_) => "a whole number",
            Value::Float(_) => "a number with a fraction",
            Value::Text(_) => "text",
            Value::List(_) => "a list",
            Value::Map(_) => "a map of keys",
        }
    }
}

/// Why a text was refused, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {}{message}", if path.is_empty() { String::new() } else { format!("`{path}`: ") })]
pub struct YamlError {
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1.
    pub column: usize,
    /// Path of the key, like `agent.max_steps` or `policy.deny[2]`; empty when the text itself is broken.
    pub path: String,
    /// What is wrong.
    pub message: String,
}

/// Parses one document; an empty text is [`Value::Null`].
///
/// # Errors
/// Broken YAML, several documents, duplicate or non-text keys, aliases, tags, or a text beyond the bounds above.
pub fn parse(text: &str) -> Result<Node, YamlError> {
    if text.len() > MAX_BYTES {
        return Err(broken(1, 1, format!("the text is longer than {MAX_BYTES} bytes")));
    }
    let mut reader = Reader { events: Parser::new_from_str(text), n_nodes: 0 };
    let mut document = None;
    while let Some((event, span)) = reader.next()? {
        match event {
            Event::StreamStart | Event::StreamEnd | Event::DocumentStart(..) | Event::DocumentEnd => {}
            _ if document.is_some() => return Err(at(span, "a second document starts here; one is expected")),
            event => document = Some(reader.node(event, span, 0)?),
        }
    }
    Ok(document.unwrap_or(Node { line: 1, column: 1, value: Value::Null }))
}

/// Returns the value without its places.
pub fn to_json(node: &Node) -> serde_json::Value {
    match &node.value {
        Value::Null => serde_json::Value::Null,
        Value::Bool(value) => (*value).into(),
        Value::Int(value) => (*value).into(),
        Value::Float(value) => (*value).into(),
        Value::Text(value) => value.as_str().into(),
        Value::List(items) => items.iter().map(to_json).collect(),
        Value::Map(entries) => entries.iter().map(|entry| (entry.key.clone(), to_json(&entry.value))).collect(),
    }
}

/// Parses a text into a type.
///
/// # Errors
/// As [`parse`]; also values that do not fit the type, located at the value.
pub fn from_str<T: DeserializeOwned>(text: &str) -> Result<T, YamlError> {
    from_node(&parse(text)?)
}

/// Turns a tree into a type.
///
/// # Errors
/// Values that do not fit the type, with their place in the tree and their key path.
pub fn from_node<T: DeserializeOwned>(node: &Node) -> Result<T, YamlError> {
    serde_path_to_error::deserialize(to_json(node)).map_err(|error| misfit(node, error.path(), error.inner()))
}

/// Writes a value as YAML that YAML 1.1 readers read the same way.
///
/// # Errors
/// Values YAML cannot hold, such as maps with composite keys.
pub fn to_string<T: Serialize>(value: &T) -> Result<String, YamlError> {
    let options = serde_yaml::ser_options! { prefer_block_scalars: false };
    serde_yaml::to_string_with_options(value, options).map_err(|error| broken(1, 1, error.to_string()))
}

/// Builds the tree from the parser's events.
struct Reader<'a> {
    events: Parser<'a, StrInput<'a>>,
    n_nodes: usize,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Result<Option<(Event<'a>, Span)>, YamlError> {
        self.events.next_event().transpose().map_err(|error| {
            let (line, column) = place(*error.marker());
            broken(line, column, error.info())
        })
    }

    /// Returns the event that must follow inside a list or map.
    fn inner(&mut self, opened: Span) -> Result<(Event<'a>, Span), YamlError> {
        self.next()?.ok_or_else(|| at(opened, "this list or map does not end"))
    }

    fn node(&mut self, event: Event<'a>, span: Span, depth: usize) -> Result<Node, YamlError> {
        self.n_nodes += 1;
        if self.n_nodes > MAX_NODES {
            return Err(at(span, format!("more than {MAX_NODES} values")));
        }
        if depth > MAX_DEPTH {
            return Err(at(span, format!("nested deeper than {MAX_DEPTH} levels")));
        }
        refuse_unfolding(&event, span)?;
        let value = match event {
            Event::Scalar(text, ScalarStyle::Plain, ..) => plain(&text, span)?,
            Event::Scalar(text, ..) => Value::Text(text.into_owned()),
            Event::SequenceStart(..) => self.list(span, depth)?,
            Event::MappingStart(..) => self.map(span, depth)?,
            _ => return Err(at(span, "a value is expected here")),
        };
        let (line, column) = place(span.start);
        Ok(Node { line, column, value })
    }

    fn list(&mut self, opened: Span, depth: usize) -> Result<Value, YamlError> {
        let mut items = Vec::new();
        loop {
            match self.inner(opened)? {
                (Event::SequenceEnd, _) => return Ok(Value::List(items)),
                (event, span) => items.push(self.node(event, span, depth + 1)?),
            }
        }
    }

    fn map(&mut self, opened: Span, depth: usize) -> Result<Value, YamlError> {
        let mut entries = Vec::new();
        loop {
            let (event, span) = self.inner(opened)?;
            if matches!(event, Event::MappingEnd) {
                break;
            }
            let key = key(event, span)?;
            let (event, value_span) = self.inner(span)?;
            let (line, column) = place(span.start);
            let mut value = self.node(event, value_span, depth + 1)?;
            if value.value == Value::Null {
                // A value that is not there has no place of its own; people look for its key.
                (value.line, value.column) = (line, column);
            }
            entries.push(Entry { key, line, column, value });
        }
        refuse_duplicates(&entries)?;
        Ok(Value::Map(entries))
    }
}

/// Refuses anchors, aliases and tags.
fn refuse_unfolding(event: &Event<'_>, span: Span) -> Result<(), YamlError> {
    if event.is_alias() || event.anchor_id().is_some() {
        return Err(at(span, "anchors (`&`) and aliases (`*`) are not supported; write the value out or quote it"));
    }
    if event.tag().is_some() {
        return Err(at(span, "tags (`!`) are not supported; quote the value if it is text"));
    }
    Ok(())
}

fn key(event: Event<'_>, span: Span) -> Result<String, YamlError> {
    refuse_unfolding(&event, span)?;
    match event {
        Event::Scalar(text, ScalarStyle::Plain, ..) if text == "<<" => {
            Err(at(span, "merge keys (`<<`) are not supported; write the keys out"))
        }
        Event::Scalar(text, ..) if !text.is_empty() => Ok(text.into_owned()),
        _ => Err(at(span, "a key must be text that is not empty")),
    }
}

fn refuse_duplicates(entries: &[Entry]) -> Result<(), YamlError> {
    let mut seen = HashSet::with_capacity(entries.len());
    match entries.iter().find(|entry| !seen.insert(entry.key.as_str())) {
        Some(entry) => Err(broken(entry.line, entry.column, format!("duplicate key `{}`", shown(&entry.key)))),
        None => Ok(()),
    }
}

/// Resolves an unquoted word by the YAML 1.2 core schema (10.3.2); `.inf` and `.nan` stay text, no setting wants them.
fn plain(text: &str, span: Span) -> Result<Value, YamlError> {
    Ok(match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ if is_digits(text.strip_prefix(['-', '+']).unwrap_or(text)) => {
            Value::Int(text.parse().map_err(|_| at(span, "this number is too large; quote it if it is text"))?)
        }
        _ => number(text).unwrap_or_else(|| Value::Text(text.to_owned())),
    })
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Reads hexadecimal, octal and floating numbers.
fn number(text: &str) -> Option<Value> {
    if let Some(digits) = text.strip_prefix("0x") {
        return i64::from_str_radix(digits, 16).ok().filter(|_| !digits.starts_with(['+', '-'])).map(Value::Int);
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return i64::from_str_radix(digits, 8).ok().filter(|_| !digits.starts_with(['+', '-'])).map(Value::Int);
    }
    // Rust reads words such as `inf` and `nan` as numbers; YAML does not.
    let looks_like = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    let starts = text.trim_start_matches(['+', '-']).starts_with(|c: char| c.is_ascii_digit() || c == '.');
    (looks_like && starts).then(|| text.parse::<f64>().ok()).flatten().filter(|n| n.is_finite()).map(Value::Float)
}

/// Locates an error of serde in the tree and says it without showing the value.
fn misfit(root: &Node, path: &Path, error: &serde_json::Error) -> YamlError {
    let text = error.to_string();
    let unknown = |entry: &&Entry| text.starts_with(&format!("unknown field `{}`", entry.key));
    let (mut node, mut name) = (root, String::new());
    for segment in path.iter() {
        let next = match (segment, &node.value) {
            (Segment::Seq { index }, Value::List(items)) => items.get(*index).map(|item| (item, format!("[{index}]"))),
            // The place of an unknown key is in its map, not at its value.
            (Segment::Map { .. }, Value::Map(entries)) if entries.iter().any(|entry| unknown(&entry)) => None,
            (Segment::Map { key } | Segment::Enum { variant: key }, _) => {
                let dot = if name.is_empty() { "" } else { "." };
                node.get(key).map(|value| (value, format!("{dot}{}", shown(key))))
            }
            _ => None,
        };
        let Some((next, step)) = next else { break };
        node = next;
        name.push_str(&step);
    }
    let key = node.entries().iter().find(unknown);
    let (line, column) = key.map_or((node.line, node.column), |entry| (entry.line, entry.column));
    YamlError { line, column, path: name, message: without_value(&text, node) }
}

/// Rewrites serde's sentences that quote the value.
fn without_value(text: &str, node: &Node) -> String {
    let quotes = ["invalid type: ", "invalid value: ", "invalid length ", "unknown variant "];
    if !quotes.iter().any(|start| text.starts_with(start)) {
        return shown(text);
    }
    // The value comes first, so that the last `expected` is serde's own.
    let expected = text.rsplit_once(", expected ").map_or("another value", |(_, expected)| expected);
    format!("expected {}, found {}", in_words(expected), node.kind())
}

/// Says the names serde has for Rust types in words of the file.
fn in_words(expected: &str) -> &str {
    match expected {
        "u8" => "a whole number from 0 to 255",
        "u16" => "a whole number from 0 to 65535",
        "u32" => "a whole number from 0 to 4294967295",
        "u64" | "usize" => "a whole number that is not negative",
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        "f32" | "f64" => "a number",
        "a string" => "text",
        "a boolean" => "true or false",
        "a sequence" => "a list",
        "a map" => "a map of keys",
        _ if expected.starts_with("struct ") => "a map of keys",
        _ => expected,
    }
}

/// Makes a key fit for a message: nothing a terminal acts on, never long.
fn shown(key: &str) -> String {
    crate::base::text::clip_line(&crate::base::text::visible(key), 200).replace('\n', "\\n")
}

fn place(marker: Marker) -> (usize, usize) {
    (marker.line().max(1), marker.col() + 1)
}

fn at(span: Span, message: impl Into<String>) -> YamlError {
    let (line, column) = place(span.start);
    broken(line, column, message)
}

fn broken(line: usize, column: usize, message: impl Into<String>) -> YamlError {
    YamlError { line, column, path: String::new(), message: message.into() }
}

#[cfg(test)]
#[path = "yaml_tests.rs"]
mod tests;
