//! Which kind of server gives these answers?
//!
//! Pure: answers in, a kind out. The order matters: proxies and wrappers show the marks of what they wrap, so they are
//! looked for first. A mark is a field with the right content, never a status alone: many servers answer every path
//! with their web page.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::model::probe::fetch::Reply;
use crate::protocol::server::ServerKind;

/// What came back from each path.
pub type Replies = BTreeMap<&'static str, Reply>;

/// What is asked of an unknown server, all at once. `models` lies below the base URL, the others below the root.
pub const PATHS: [&str; 8] =
    ["models", "/api/version", "/props", "/version", "/model_info", "/v1/metadata", "/v2", "/health/liveliness"];

/// What an unknown server turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The kind.
    pub kind: ServerKind,
    /// Its version.
    pub version: Option<String>,
    /// `rust` or `python` for vLLM.
    pub front_end: Option<String>,
    /// Whether this will be so tomorrow.
    pub is_sure: bool,
}

/// Judges the answers; `None` when there were none, or none that a model server would give.
pub fn identify(replies: &Replies) -> Option<Identity> {
    let json =
        |path: &str| replies.get(path).filter(|reply| reply.is_success()).map_or(&Value::Null, |reply| &reply.json);
    let text = |path: &str, key: &str| json(path).get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let models = replies.get("models");
    let owner = owner(json("models"));
    let is_alive = json("/health/liveliness").as_str().is_some_and(|words| words.contains("alive"));
    let has_version = !text("/version", "version").is_empty();
    let is_locked_vllm =
        || has_version && models.is_some_and(|reply| reply.status == 401 && reply.json["error"].is_string());
    let kind = if !text("/api/version", "version").is_empty() {
        ServerKind::Ollama
    } else if is_alive {
        ServerKind::LiteLlm
    } else if text("/v2", "name") == "triton" {
        ServerKind::Triton
    } else if json("/props").get("total_slots").is_some() || owner == "llamacpp" {
        ServerKind::LlamaCpp
    } else if json("/v1/metadata").is_object() && json("/v1/metadata") != json("models") {
        ServerKind::Nim
    } else if owner == "sglang" || json("/model_info").get("model_path").is_some() {
        ServerKind::Sglang
    } else if owner == "tensorrt_llm" {
        ServerKind::TensorRtLlm
    } else if owner.starts_with("vllm") || is_locked_vllm() {
        ServerKind::Vllm
    } else if lists_models(json("models")) {
        ServerKind::Openai
    } else {
        return None;
    };
    let front_end = (kind == ServerKind::Vllm && !owner.is_empty())
        .then(|| if owner.contains("-rs") { "rust" } else { "python" }.to_owned());
    let version = mark(kind).and_then(|path| version(kind, json(path)).flatten());
    Some(Identity { kind, version, front_end, is_sure: is_sure(kind, replies) })
}

/// Returns the path by which a kind is recognised again.
pub fn mark(kind: ServerKind) -> Option<&'static str> {
    match kind {
        ServerKind::Ollama => Some("/api/version"),
        ServerKind::Vllm | ServerKind::TensorRtLlm => Some("/version"),
        ServerKind::Sglang => Some("/model_info"),
        ServerKind::LlamaCpp => Some("/props"),
        ServerKind::Nim => Some("/v1/metadata"),
        ServerKind::Triton => Some("/v2"),
        ServerKind::LiteLlm => Some("/health/liveliness"),
        ServerKind::Openai => None,
    }
}

/// Reads the version from the answer to [`mark`]; the outer `None` means that another kind of server answered.
pub fn version(kind: ServerKind, json: &Value) -> Option<Option<String>> {
    let text = |key: &str| json.get(key).and_then(Value::as_str).map(str::to_owned);
    match kind {
        ServerKind::Ollama | ServerKind::Vllm | ServerKind::TensorRtLlm => text("version").map(Some),
        ServerKind::Triton => (text("name")? == "triton").then(|| text("version")),
        ServerKind::LlamaCpp => json.get("total_slots").map(|_| text("build_info")),
        ServerKind::Sglang => json.get("model_path").map(|_| text("version")),
        ServerKind::Nim => json.is_object().then(|| text("version").or_else(|| text("release"))),
        ServerKind::LiteLlm => json.as_str().is_some_and(|words| words.contains("alive")).then_some(None),
        ServerKind::Openai => Some(None),
    }
}

fn owner(models: &Value) -> String {
    let first = models.get("data").and_then(|rows| rows.get(0));
    first.and_then(|row| row.get("owned_by")?.as_str()).unwrap_or_default().to_lowercase()
}

fn lists_models(json: &Value) -> bool {
    ["data", "models"].iter().any(|key| json.get(*key).is_some_and(Value::is_array))
}

/// A kind without a mark of its own is believed only when every question was answered: a server that starts up, or one
/// that is too busy to answer in time, looks the same.
fn is_sure(kind: ServerKind, replies: &Replies) -> bool {
    let lists = replies.get("models").is_some_and(|reply| lists_models(&reply.json));
    match kind {
        ServerKind::Openai => {
            lists && replies.values().all(|reply| (200..500).contains(&reply.status) || reply.status == 501)
        }
        ServerKind::Triton | ServerKind::Ollama => true,
        _ => lists,
    }
}

#[cfg(test)]
#[path = "identify_tests.rs"]
mod tests;
