//! Which settings are there, and of what type? The defaults stand in `config/default.yaml`, not here.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::config::ui::UiConfig;
use crate::protocol::notice::Severity;
use crate::protocol::op::Mode;
use crate::protocol::task::{Class, Task};

/// All settings after merging every layer.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// One server for everything.
    pub server: ServerConfig,
    /// Named servers.
    pub providers: BTreeMap<String, ProviderConfig>,
    /// Which provider and model carries out which task.
    pub routes: BTreeMap<Task, Places>,
    /// Limits of model requests.
    pub model: ModelConfig,
    /// Limits of the agent.
    pub agent: AgentConfig,
    /// Rules.
    pub policy: PolicyConfig,
    /// Keys and passwords in what is sent.
    pub secrets: SecretsConfig,
    /// Limits of tools.
    pub tools: ToolsConfig,
    /// What commands can see and change.
    pub sandbox: SandboxConfig,
    /// `mimi fix`.
    pub fix: FixConfig,
    /// `mimi review`.
    pub review: ReviewConfig,
    /// `mimi commit`.
    pub commit: CommitConfig,
    /// Session files.
    pub session: SessionConfig,
    /// Files as they were.
    pub checkpoint: CheckpointConfig,
    /// Kept answers.
    pub cache: CacheConfig,
    /// The index of projects' code.
    pub index: IndexConfig,
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
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ProviderKind {
    /// Chat completions over HTTP with server-sent events.
    #[default]
    Openai,
    /// Ollama's own wire.
    Ollama,
    /// KServe's protocol version 2, as Triton speaks it: embeddings only.
    Triton,
    /// Plays a script of model turns from a file; for tests and the demo.
    Script,
}

/// One named server: a row of `config/providers.yaml` or of the user's `providers`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ProviderConfig {
    /// The wire it speaks.
    pub kind: ProviderKind,
    /// Base URL up to and including `/v1`, for `ollama` and `triton` without it; for `script` the path of the script.
    pub base_url: String,
    /// Environment variable that holds its key.
    #[serde(default)]
    pub api_key_env: String,
    /// Further headers sent with each request. Not for secrets.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// What people call it; its own name when empty.
    #[serde(default)]
    pub title: String,
    /// Its place among the servers that are asked when none is named, from 1; 0 when it is not asked. A row without it
    /// comes before those with one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search: Option<u32>,
    /// Limits in place of those of `model`.
    #[serde(default)]
    pub timeouts: Timeouts,
    /// How the server is told who waits; none when it is not to be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<Priority>,
    /// Address of its metrics, where that is not on its own port; empty for there.
    #[serde(default)]
    pub metrics_url: String,
    /// Address of a proxy that leads to it; empty to connect to it directly, whatever the environment says.
    #[serde(default)]
    pub proxy: String,
    /// For `triton`: the input that takes texts; empty to find it out.
    #[serde(default)]
    pub text_tensor: String,
    /// For `triton`: the output that gives vectors; empty to find it out.
    #[serde(default)]
    pub vector_tensor: String,
    /// Tokens of the window Ollama is made to allocate; none for its own setting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub num_ctx: Option<u64>,
    /// Whether the models of an Ollama think before they answer; none for the model's own way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub think: Option<Think>,
}

impl ProviderConfig {
    /// Builds a row with nothing but the wire and the address.
    pub fn new(kind: ProviderKind, base_url: impl Into<String>) -> Self {
        Self {
            kind,
            base_url: base_url.into(),
            api_key_env: String::new(),
            headers: BTreeMap::new(),
            title: String::new(),
            search: None,
            timeouts: Timeouts::default(),
            priority: None,
            metrics_url: String::new(),
            proxy: String::new(),
            text_tensor: String::new(),
            vector_tensor: String::new(),
            num_ctx: None,
            think: None,
        }
    }
}

/// How much a model thinks before it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Think {
    /// Not at all.
    Off,
    /// As much as it likes.
    On,
    /// Little; for models that know degrees.
    Low,
    /// More.
    Medium,
    /// Most.
    High,
}

/// How long one server may take, in seconds; what is none is taken from [`ModelConfig`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Timeouts {
    /// Wait for a connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connect_s: Option<u64>,
    /// Wait for the first byte of an answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_byte_s: Option<u64>,
    /// Wait between two pieces of an answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle_s: Option<u64>,
}

/// How a server is told whose request goes first: a number for each class, in the body or in a header. Whether small or
/// large numbers go first is the server's affair.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Priority {
    /// Key of the request's body that takes the number; empty for a header.
    #[serde(default)]
    pub field: String,
    /// Header that takes the number; empty for the body.
    #[serde(default)]
    pub header: String,
    /// When a person waits.
    pub interactive: i32,
    /// When a script waits.
    pub ci: i32,
    /// When nobody waits.
    pub background: i32,
}

impl Priority {
    /// Returns the number for a class.
    pub fn of(&self, class: Class) -> i32 {
        match class {
            Class::Interactive => self.interactive,
            Class::Ci => self.ci,
            Class::Background => self.background,
        }
    }
}

/// Where a task goes: one `provider/model`, or several in the order in which they are tried.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(from = "OneOrMore", into = "OneOrMore")]
pub struct Places(pub Vec<String>);

#[derive(Clone, Deserialize, Serialize)]
#[serde(untagged)]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

impl From<OneOrMore> for Places {
    fn from(written: OneOrMore) -> Self {
        match written {
            OneOrMore::One(place) => Self(vec![place]),
            OneOrMore::More(places) => Self(places),
        }
    }
}

impl From<Places> for OneOrMore {
    fn from(places: Places) -> Self {
        match <[String; 1]>::try_from(places.0) {
            Ok([place]) => Self::One(place),
            Err(places) => Self::More(places),
        }
    }
}

impl From<&str> for Places {
    fn from(place: &str) -> Self {
        Self(vec![place.to_owned()])
    }
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
    /// Requests that the processes of one terminal or job may have under way at a server at once.
    pub max_in_flight: u32,
}

/// Limits of the agent.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct AgentConfig {
    /// How much it may do without asking.
    #[serde(deserialize_with = "lasting")]
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
    /// Rules that ask, whatever else allows.
    pub ask: Vec<String>,
    /// Rules that refuse.
    pub deny: Vec<String>,
    /// Days for which a rule agreed to for always counts.
    pub always_days: u64,
}

/// Reads a mode that may last: all but the one that is confirmed each time.
fn lasting<'de, D: serde::Deserializer<'de>>(input: D) -> Result<Mode, D::Error> {
    #[derive(Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Lasting {
        Plan,
        Ask,
        Auto,
    }
    Ok(match Lasting::deserialize(input)? {
        Lasting::Plan => Mode::Plan,
        Lasting::Ask => Mode::Ask,
        Lasting::Auto => Mode::Auto,
    })
}

/// What becomes of secrets in the texts that are sent to a model.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum InRequests {
    /// They are sent, and the user is told.
    Warn,
    /// A placeholder is sent in their place.
    #[default]
    Redact,
    /// The text that holds one is not sent at all.
    Refuse,
    /// They are sent.
    Allow,
}

/// Keys and passwords in what is sent.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SecretsConfig {
    /// What becomes of them.
    pub in_requests: InRequests,
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

/// How commands are to be confined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SandboxTier {
    /// As well as this machine can.
    Auto,
    /// In namespaces of their own.
    Full,
    /// By Landlock and a filter of system calls.
    Landlock,
    /// Not by mimi: the whole machine is the boundary.
    External,
    /// Not at all.
    None,
}

/// What commands can see and change.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SandboxConfig {
    /// How they are confined.
    pub tier: SandboxTier,
    /// Further paths they may read.
    pub readable: Vec<String>,
    /// Further paths they may change.
    pub writable: Vec<String>,
    /// Caches they may change, by the names in `config/sandbox.yaml`.
    pub caches: Vec<String>,
    /// Devices they may use, by the names in `config/sandbox.yaml`.
    pub devices: Vec<String>,
    /// Hosts they may reach, with a port where it is not one of the web's.
    pub hosts: Vec<String>,
    /// Megabytes one command may move over the network; 0: no limit.
    pub network_mb: u64,
    /// Most processes at once.
    pub max_processes: u64,
    /// Size of their temporary folders.
    pub tmp_mb: u64,
    /// Megabytes of memory one process may address.
    pub max_memory_mb: u64,
    /// Megabytes a file may grow to.
    pub max_file_mb: u64,
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
    /// The checks in their order: `build: make`, `test: make test`; empty when detected.
    pub checks: Vec<String>,
    /// Requests to the model in all rounds; 0 for no limit.
    pub max_steps: u32,
    /// Tokens read and written in all rounds; 0 for no limit.
    pub max_tokens: u64,
    /// Seconds from the start to the end; 0 for no limit.
    pub max_seconds: u64,
    /// Seconds that may be spent on dropping what was not needed; 0 for none.
    pub minimise_s: u64,
    /// Seconds between two signs of life; 0 for none.
    pub heartbeat_s: u64,
    /// Who commits what was changed: `Name <address>`; empty for whom git knows.
    pub commit_author: String,
    /// The last line of the message; empty for none.
    pub commit_trailer: String,
}

/// `mimi review`.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ReviewConfig {
    /// The severity from which on findings fail the command.
    pub fail_on: FailOn,
    /// Most parts a change is cut into.
    pub max_parts: usize,
    /// Names of files that are not shown to the model.
    pub skip: Vec<String>,
}

/// From which severity on findings fail the command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FailOn {
    /// Errors.
    Error,
    /// Warnings too.
    Warning,
    /// Any.
    Note,
    /// None.
    Never,
}

impl FailOn {
    /// Returns the severity; none for never.
    pub fn severity(self) -> Option<Severity> {
        match self {
            Self::Error => Some(Severity::Error),
            Self::Warning => Some(Severity::Warning),
            Self::Note => Some(Severity::Note),
            Self::Never => None,
        }
    }
}

/// `mimi commit`.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct CommitConfig {
    /// How messages begin.
    pub style: CommitStyle,
    /// Types of conventional messages.
    pub types: Vec<String>,
    /// Most characters of the first line.
    pub max_subject: usize,
    /// Lines at the end of each message.
    pub trailers: Vec<String>,
}

/// How messages of commits begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CommitStyle {
    /// With a type: `fix(parser): words`.
    Conventional,
    /// With words.
    Plain,
}

/// Session files.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SessionConfig {
    /// Days after which finished sessions are deleted; 0 for never.
    pub keep_days: u64,
}

/// Files as they were before they were changed.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct CheckpointConfig {
    /// Size of all that is kept, in megabytes; 0 for no limit.
    pub max_mb: u64,
    /// Days for which it is kept; 0 for ever.
    pub keep_days: u64,
    /// Files and folders beyond which a workspace is not watched while commands run; 0 never to watch.
    pub max_files: usize,
    /// Largest file git ignores that is kept, in kilobytes.
    pub max_ignored_file_kb: u64,
    /// Size of all files git ignores that are kept of one workspace, in megabytes.
    pub max_ignored_mb: u64,
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

/// The index of projects' code.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct IndexConfig {
    /// Size of the indexes of all projects, in megabytes.
    pub max_mb: u64,
    /// How vectors are kept.
    pub vectors: VectorsChoice,
    /// Who makes vectors besides the built-in table.
    pub embedder: EmbedderChoice,
}

/// Who makes the vectors of an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EmbedderChoice {
    /// The built-in table alone.
    Static,
    /// The model of `routes.embed` as well.
    Server,
}

/// How the vectors of an index are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum VectorsChoice {
    /// By how many there are.
    Auto,
    /// Codes of one bit a dimension with a second look.
    Codes,
    /// Exactly, in tables of sqlite-vec.
    Vec0,
}

impl IndexConfig {
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
