//! What is known about a model server: what it is, what it serves, how busy it is?
//!
//! Plain data. Found out by `model::probe` and `model::load`, kept in the cache folder between runs, shown by
//! `mimi status`. "Not known" is `None` and never a guess: a window that a server did not tell stays empty here.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::protocol::task::Task;

/// Which program serves the models.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ServerKind {
    /// Ollama, with its own wire beside the common one.
    Ollama,
    /// vLLM, with its Python or its Rust front end.
    Vllm,
    /// SGLang.
    Sglang,
    /// `llama-server` of llama.cpp.
    LlamaCpp,
    /// `trtllm-serve` of TensorRT-LLM.
    TensorRtLlm,
    /// NVIDIA NIM: vLLM behind other paths.
    Nim,
    /// Triton, for embeddings.
    Triton,
    /// LiteLLM, a proxy in front of others.
    LiteLlm,
    /// Something that speaks OpenAI's chat completions and does not say what it is.
    #[default]
    Openai,
}

impl ServerKind {
    /// Every kind with what people call it.
    pub const TABLE: [(Self, &'static str); 9] = [
        (Self::Ollama, "Ollama"),
        (Self::Vllm, "vLLM"),
        (Self::Sglang, "SGLang"),
        (Self::LlamaCpp, "llama.cpp"),
        (Self::TensorRtLlm, "TensorRT-LLM"),
        (Self::Nim, "NIM"),
        (Self::Triton, "Triton"),
        (Self::LiteLlm, "LiteLLM"),
        (Self::Openai, "OpenAI-compatible"),
    ];

    /// Says whether the model still reads of the tools when its calls are left in the text (`tool_choice: none`). SGLang and
    /// Ollama take the tools out of the prompt then; of the others it is not known.
    pub fn keeps_tools_in_prompt(self) -> bool {
        matches!(self, Self::Vllm | Self::Nim | Self::LlamaCpp)
    }

    /// Returns what people call it.
    pub fn title(self) -> &'static str {
        Self::TABLE.iter().find(|row| row.0 == self).map_or("", |row| row.1)
    }
}

/// What a server said about itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerFacts {
    /// Which program it is.
    pub kind: ServerKind,
    /// Its version in its own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Which of two front ends answers, where it matters: `rust` or `python` for vLLM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub front_end: Option<String>,
    /// How many requests it works on at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slots: Option<u64>,
    /// What finds tool calls in the model's words there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool_parser: Option<String>,
    /// Its models, in its order.
    #[serde(default)]
    pub models: Vec<ModelFacts>,
}

impl ServerFacts {
    /// Finds a model by its name. `name` and `name:latest` are the same to Ollama.
    pub fn model(&self, name: &str) -> Option<&ModelFacts> {
        let bare = |id: &str| id.strip_suffix(":latest").unwrap_or(id).to_owned();
        let exact = self.models.iter().find(|model| model.id == name);
        exact.or_else(|| self.models.iter().find(|model| bare(&model.id) == bare(name)))
    }
}

/// What a server said about one of its models.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelFacts {
    /// The name requests use.
    pub id: String,
    /// Tokens one request may take as served now: never what the model was trained for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window_tokens: Option<u64>,
    /// Whether it is in memory; none where the server has only what is loaded or does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_loaded: Option<bool>,
    /// Whether it completes code between two texts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fills_in: Option<bool>,
    /// Numbers in one of its vectors, for a model that turns text into vectors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub embedding_size: Option<u64>,
    /// What it can do in the server's own words: `completion`, `tools`, `insert`, `vision`, `embedding`, `thinking`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub capabilities: Vec<String>,
}

/// How busy a server is at this moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Load {
    /// Requests it works on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub running: Option<u64>,
    /// Requests that wait for their turn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting: Option<u64>,
    /// Part of the KV cache in use, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kv_used: Option<f64>,
    /// Part of all prompt tokens so far that were found in the prefix cache, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_hits: Option<f64>,
    /// Tokens it writes a second, over all requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens_per_s: Option<f64>,
}

impl Load {
    /// Says whether the server told anything at all.
    pub fn is_known(&self) -> bool {
        *self != Self::default()
    }
}

/// One configured server as it is now.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ServerStatus {
    /// The provider's name.
    pub name: String,
    /// Its base URL.
    pub url: String,
    /// Whether somebody named it; the others are looked for on this machine.
    pub is_named: bool,
    /// What it said about itself; none when it did not answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facts: Option<ServerFacts>,
    /// Why it did not answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// How busy it is.
    #[serde(default)]
    pub load: Load,
    /// Windows learned from its refusals, by model: smaller than what it said.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub learned: BTreeMap<String, u64>,
}

/// What would carry out a task now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteStatus {
    /// The task.
    pub task: Task,
    /// The model that is set for it, by the configuration or by its default; empty for any.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub wanted: String,
    /// The provider's name; none when nothing would.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// The model's name there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Tokens it takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window_tokens: Option<u64>,
    /// A stand-in that was taken, or why nothing would carry it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}
