//! A server refused or failed: what did it say, and what is to be done about it?
//!
//! Every server wraps its errors in another shape: `{"error":{..}}`, `{"error":"text"}`, flat objects, FastAPI's
//! `detail`, plain text, web pages of a proxy. The words are found, cleaned and capped here, and the variant of
//! [`ModelError`] chosen. Must not do I/O.

use std::time::Duration;

use serde_json::{Map, Value};

use crate::base::text;
use crate::config::schema::ProviderKind;
use crate::model::error::{Cause, ModelError};
use crate::model::providers::http::Endpoint;
use crate::model::providers::overflow;

/// Longest piece of a server's words that is shown, in bytes.
const MAX_WORDS_BYTES: usize = 600;

/// Words of failures that come with a status of the 5xx kind and yet will be the same next time.
const LASTING: &[&str] = &[
    "tool parsing is",
    "failed to parse the request json",
    "chat template error",
    "tool call arguments as json",
    // llama.cpp's way of saying that a request is no JSON, lacks a key, or has a schema that it does not know.
    "json.exception.",
    "json schema error",
];

/// Words of failures of the server's own reader of its model's words, from llama.cpp; the status is 500.
const GARBLED: &[&str] =
    &["unexpected empty grammar stack", "does not match the expected peg-", "error parsing tool call"];

/// What an error needs to know about the request it is about.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    /// The base URL.
    pub url: String,
    /// The model asked for.
    pub model: String,
    /// Environment variable that would hold the key.
    pub key_env: String,
    /// The name the key is stored under.
    pub provider: String,
    /// The wire spoken there.
    pub kind: ProviderKind,
}

impl Origin {
    /// Begins the origin of a request to this server; its model is still to be named.
    pub fn of(endpoint: &Endpoint) -> Self {
        Self {
            url: endpoint.url.clone(),
            model: String::new(),
            key_env: endpoint.key_env.clone(),
            provider: endpoint.provider.clone(),
            kind: endpoint.kind,
        }
    }
}

/// The head and body of an answer that is not what was asked for.
#[derive(Debug, Clone, Default)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The least time the server asks to wait.
    pub retry_after: Option<Duration>,
    /// Where it redirects to.
    pub location: Option<String>,
    /// The body, or its beginning.
    pub body: String,
}

/// Sorts an answer with an HTTP status other than success.
pub fn from_reply(origin: &Origin, reply: &Reply) -> ModelError {
    let mut words = Words::of_body(&reply.body);
    if let Some(location) = &reply.location {
        words.text = format!("it redirects to {}; mimi does not follow, name that address instead", clean(location));
    }
    if reply.status == 404 && !words.is_about_model() {
        words.text = format!("{}; {}", words.text_or(reply.status), address_question(origin.kind));
    }
    sort(origin, Some(reply), &words)
}

/// Asks the question that helps when a server does not know the path.
fn address_question(kind: ProviderKind) -> &'static str {
    match kind {
        ProviderKind::Ollama => {
            "is it Ollama? any other server is of the kind `openai`, with a base URL that ends in /v1"
        }
        _ => "is the base URL complete? most end in /v1",
    }
}

/// Sorts an error object that came in place of a piece of the answer.
pub fn from_stream(origin: &Origin, value: &Value) -> ModelError {
    sort(origin, None, &Words::of_value(value))
}

/// Says whether an object of a stream is an error rather than a piece of an answer.
pub fn holds_error(chunk: &Map<String, Value>) -> bool {
    let is_set = |value: &Value| match value {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        Value::Object(map) => !map.is_empty(),
        _ => true,
    };
    chunk.get("error").is_some_and(is_set)
        || chunk.get("object").and_then(Value::as_str) == Some("error")
        || (!chunk.contains_key("choices") && chunk.contains_key("detail"))
}

/// Makes a server's words fit for one line of a terminal.
pub fn clean(words: &str) -> String {
    let line = words.split_whitespace().collect::<Vec<_>>().join(" ");
    text::clip_line(&text::visible(&line), MAX_WORDS_BYTES).into_owned()
}

fn sort(origin: &Origin, reply: Option<&Reply>, words: &Words) -> ModelError {
    // Inside a stream the status line has long been 200; the error's own code takes its place.
    let status = reply.map(|reply| reply.status).or(words.code).unwrap_or(0);
    let source = Cause(words.text_or(status));
    let url = origin.url.clone();
    let overflow = overflow::recognise(&words.all());
    if overflow.is_some() || status == 413 {
        let window_tokens = words.window_tokens.or(overflow.and_then(|overflow| overflow.window_tokens));
        return ModelError::TooLong { model: origin.model.clone(), window_tokens, source };
    }
    if words.is_no_model(status) {
        return ModelError::NoModel { url, model: origin.model.clone(), available: Vec::new() };
    }
    if GARBLED.iter().any(|part| words.text.to_lowercase().contains(part)) {
        return ModelError::Garbled { url, source };
    }
    let lasts = LASTING.iter().any(|part| words.text.to_lowercase().contains(part));
    match status {
        401 | 403 => ModelError::Auth {
            url,
            status,
            key_env: origin.key_env.clone(),
            provider: origin.provider.clone(),
            source: (!words.text.is_empty()).then_some(source),
        },
        408 | 425 | 429 | 499 | 500 | 502..=599 if !lasts => ModelError::Busy {
            url,
            status: status_line(status),
            source,
            retry_after: reply.and_then(|reply| reply.retry_after),
        },
        0 => ModelError::Broken { url, what: source.0 },
        _ => ModelError::Refused { url, status, source },
    }
}

/// Renders a status with its name, for example `503 Service Unavailable`.
fn status_line(status: u16) -> String {
    let name = reqwest::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    name.map_or_else(|| status.to_string(), |name| format!("{status} {name}"))
}

/// What an error body says.
#[derive(Debug, Default)]
struct Words {
    text: String,
    kind: String,
    code: Option<u16>,
    window_tokens: Option<u64>,
}

impl Words {
    fn of_body(body: &str) -> Self {
        match serde_json::from_str::<Value>(body) {
            Ok(value) => Self::of_value(&value),
            Err(_) => Self { text: clean(&web_page_title(body).unwrap_or_else(|| body.to_owned())), ..Self::default() },
        }
    }

    fn of_value(value: &Value) -> Self {
        // A flat object is its own error; a list is Google's way of wrapping one.
        let value = value.as_array().and_then(|list| list.first()).unwrap_or(value);
        let inner = value.get("error").filter(|error| !error.is_null()).unwrap_or(value);
        let text = |key: &str| inner.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let code = ["code", "status_code", "status"].iter().find_map(|key| status_code(inner.get(*key)?));
        Self {
            text: clean(&message(inner)),
            kind: format!("{} {}", text("type"), text("code")),
            code,
            window_tokens: inner.get("n_ctx").and_then(Value::as_u64),
        }
    }

    fn all(&self) -> String {
        format!("{} {}", self.text, self.kind)
    }

    /// Returns the words, or the name of the status when the server had none.
    fn text_or(&self, status: u16) -> String {
        match (self.text.is_empty(), status) {
            (false, _) => self.text.clone(),
            (true, 0) => "it reported an error without words".to_owned(),
            (true, status) => format!("{} without further words", status_line(status)),
        }
    }

    fn is_about_model(&self) -> bool {
        self.text.to_lowercase().contains("model")
    }

    fn is_no_model(&self, status: u16) -> bool {
        let text = self.text.to_lowercase();
        let says_missing =
            ["not found", "does not exist", "not exist", "invalid model name", "unknown model", "no such"]
                .iter()
                .any(|part| text.contains(part));
        self.is_about_model() && says_missing && matches!(status, 400 | 404)
    }
}

/// Finds the sentence in an error object of any shape.
fn message(error: &Value) -> String {
    if let Some(text) = error.as_str() {
        return text.to_owned();
    }
    let found = ["message", "detail", "error", "msg", "title"].iter().find_map(|key| match error.get(*key)? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        // FastAPI lists what is wrong with each field.
        Value::Array(list) => Some(list.iter().map(field_complaint).collect::<Vec<_>>().join("; ")),
        object @ Value::Object(_) => Some(message(object)),
        _ => None,
    });
    found.unwrap_or_else(|| match error {
        Value::Null => String::new(),
        other => other.to_string(),
    })
}

fn field_complaint(complaint: &Value) -> String {
    let place = complaint.get("loc").and_then(Value::as_array).map(|path| {
        path.iter()
            .map(|part| part.as_str().map_or_else(|| part.to_string(), str::to_owned))
            .collect::<Vec<_>>()
            .join(".")
    });
    let text = complaint.get("msg").and_then(Value::as_str).map_or_else(|| complaint.to_string(), str::to_owned);
    place.map_or_else(|| text.clone(), |place| format!("{place}: {text}"))
}

/// Reads an HTTP status out of a code that may be a number or its digits.
fn status_code(value: &Value) -> Option<u16> {
    let code = value.as_u64().or_else(|| value.as_str().and_then(|text| text.parse().ok()))?;
    u16::try_from(code).ok().filter(|code| (400..600).contains(code))
}

/// Returns the title of a web page, or its words without tags; `None` when the text is no web page.
pub fn web_page_title(body: &str) -> Option<String> {
    let start = text::prefix(body.trim_start(), 9).to_ascii_lowercase();
    if !["<!doctype", "<html", "<head", "<?xml", "<center"].iter().any(|tag| start.starts_with(tag)) {
        return None;
    }
    let lower = body.to_ascii_lowercase();
    let title = lower.find("<title").and_then(|at| {
        let from = at + lower[at..].find('>')? + 1;
        Some(body[from..from + lower[from..].find("</title")?].trim().to_owned())
    });
    Some(format!(
        "a web page titled `{}`",
        title.filter(|title| !title.is_empty()).unwrap_or_else(|| "untitled".into())
    ))
}

#[cfg(test)]
#[path = "status_tests.rs"]
mod tests;
