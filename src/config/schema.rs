//! Which settings are there, and of what type? The defaults stand in `config/default.yaml`, not here.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::protocol::op::Mode;
use crate::protocol::task::Task;

/// All settings after merging every layer.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// One server for everything.
    pub server: ServerConfig,
    /// Named servers.
    pub providers: BTreeMap<String, ProviderConfig>,
    /// Which provider and model carries out which task, as `provider/model`.
    pub routes: BTreeMap<Task, String>,
    /// Limits of model requests.
    pub model: ModelConfig,
    /// Limits of the agent.
    pub agent: AgentConfig,
    /// Rules.
    pub policy: PolicyConfig,
    /// Limits of tools.
    pub tools: ToolsConfig,
    /// `mimi fix`.
    pub fix: FixConfig,
    /// Session files.
    pub session: SessionConfig,
    /// Kept answers.
    pub cache: CacheConfig,
    /// The usage ledger.
    pub usage: UsageConfig,
    /// What models cost, by `provider/model` or `model` with `*` for any text.
    pub prices: BTreeMap<String, PriceConfig>,
    /// The terminal.
    pub ui: UiConfig,
}

/// One server for everything.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ServerConfig {
    /// Base URL; empty when mimi should look on localhost.
    pub url: String,
    /// Model on that server; empty for the routes' own.
    pub model: String,
}

/// The wire a provider speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ProviderKind {
    /// Chat completions over HTTP with server-sent events.
    Openai,
    /// Plays a script of model turns from a file; for tests and the demo.
    Script,
}

/// One named server: a row of `config/providers.yaml` or of the user's `providers`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ProviderConfig {
    /// The wire it speaks.
    pub kind: ProviderKind,
    /// Base URL up to and including `/v1`; for `script` the path of the script.
    pub base_url: String,
    /// Environment variable that holds its key.
    #[serde(default)]
    pub api_key_env: String,
    /// Further headers sent with each request. Not for secrets.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
}

/// Limits of model requests.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ModelConfig {
    /// Upper bound of one answer.
    pub max_output_tokens: u32,
    /// Tokens the model takes; 0 when to be found out.
    pub window_tokens: u64,
    /// Wait for a connection.
    pub connect_timeout_s: u64,
    /// Wait for the first byte of an answer.
    pub first_byte_timeout_s: u64,
    /// Wait between two pieces of an answer.
    pub idle_timeout_s: u64,
    /// Times a request is sent again.
    pub max_retries: u32,
}

/// Limits of the agent.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct AgentConfig {
    /// How much it may do without asking.
    pub mode: Mode,
    /// Model requests in one turn.
    pub max_steps: u32,
    /// Tokens in one turn; 0 for no limit.
    pub max_tokens: u64,
    /// Seconds in one turn; 0 for no limit.
    pub max_seconds: u64,
    /// Times the same call may fail in the same way.
    pub max_same_failures: u32,
}

/// Rules.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyConfig {
    /// Rules that allow what would be asked about.
    pub allow: Vec<String>,
    /// Rules that refuse.
    pub deny: Vec<String>,
}

/// Limits of tools.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ToolsConfig {
    /// Bytes of output a call hands to the model.
    pub max_output_bytes: usize,
    /// Seconds a shell command may run.
    pub shell_timeout_s: u64,
    /// Further environment variables handed to commands.
    pub pass_env: Vec<String>,
}

/// `mimi fix`.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct FixConfig {
    /// The check; empty when detected.
    pub test_command: String,
    /// Times the agent is handed the failures.
    pub max_rounds: u32,
    /// Seconds one run of the check may take.
    pub test_timeout_s: u64,
}

/// Session files.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SessionConfig {
    /// Days after which finished sessions are deleted; 0 for never.
    pub keep_days: u64,
}

/// Kept answers of models.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct CacheConfig {
    /// Size in megabytes; 0 for none.
    pub max_mb: u64,
}

impl CacheConfig {
    /// Returns the size in bytes.
    pub fn max_bytes(&self) -> u64 {
        self.max_mb.saturating_mul(1_000_000)
    }
}

/// The usage ledger.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct UsageConfig {
    /// Days for which requests are kept; 0 for ever.
    pub keep_days: u64,
}

/// What a model costs, in the currency its user thinks in. What is left out costs nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct PriceConfig {
    /// A million tokens read.
    pub input_per_mtok: f64,
    /// A million tokens the server had in its prefix cache; as any other token read when none.
    pub cached_per_mtok: Option<f64>,
    /// A million tokens written.
    pub output_per_mtok: f64,
    /// A second in which the server works on the request.
    pub per_gpu_second: f64,
}

/// When output is coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ColorChoice {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The terminal.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct UiConfig {
    /// When output is coloured.
    pub color: ColorChoice,
}
