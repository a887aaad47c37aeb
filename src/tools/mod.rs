//! What can the model do, one file each?
//!
//! A tool says what it would touch ([`Tool::intent`]) and does it ([`Tool::run`]). It must not decide whether it may:
//! that is policy, and the only caller of `run` is `agent::dispatch`. It must not know models.
//! To add one: `tools/<name>.yaml` (all the model sees), `src/tools/<name>.rs`, one row in [`registry`].

pub mod apply_blocks;
pub mod apply_diff;
pub mod apply_patch;
pub mod ask_user;
pub mod bad_call;
pub mod blocking;
pub mod change;
pub mod edit_file;
pub mod git;
pub mod lenient;
pub mod list_files;
pub mod manifest;
pub mod more_tools;
pub mod multi_edit;
pub mod read_file;
pub mod refusal;
pub mod registry;
pub mod repo_map;
pub mod search;
pub mod search_code;
pub mod shell;
pub mod stating;
pub mod target;
pub mod update_plan;
pub mod write_file;

use std::path::Path;
use std::time::Duration;

use futures_util::future::BoxFuture;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::protocol::tool::{Intent, ToolReport};
use crate::tools::bad_call::{BadCall, Malformed};
use crate::tools::manifest::Manifest;

/// Where a tool works and under which limits.
#[derive(Clone)]
pub struct ToolContext {
    /// The workspace and what is known of its files.
    pub workspace: std::sync::Arc<crate::workspace::Workspace>,
    /// Writes the user's files: of a running call only those it was judged for.
    pub writer: crate::edit::writer::Writer,
    /// Starts processes.
    pub runner: crate::exec::run::Runner,
    /// Folder for outputs too long for the model, private to the session. The model may read it.
    pub spill_dir: std::path::PathBuf,
    /// Where what can be made again is kept: the index lies there.
    pub cache: std::path::PathBuf,
    /// The model on a server that embeds questions to the index, where the settings name one. It waits: only for threads that may.
    pub embedder: Option<std::sync::Arc<dyn crate::index::embed::server::Server>>,
    /// Ends the call.
    pub cancel: CancellationToken,
    /// Takes what the call prints while it runs, for the person watching; losing some is no error.
    pub progress: mpsc::Sender<String>,
    /// Lets others look at what a command of the call printed so far; a call that may go on behind the turn fills it.
    pub so_far: crate::exec::so_far::SoFar,
    /// How much a call may take.
    pub limits: Limits,
    /// Says whether a file may hold secrets, by its path relative to the workspace: for what a call comes upon without
    /// having named it. What it names is for the policy to judge.
    pub may_hold_secrets: fn(&Path) -> bool,
}

/// How much a call may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of output handed to the model.
    pub max_output_bytes: usize,
    /// Time a command may run unless its call asks for another.
    pub shell_timeout: Duration,
}

impl Default for Limits {
    /// For tests; a session takes its limits from the configuration.
    fn default() -> Self {
        Self { max_output_bytes: 10_000, shell_timeout: Duration::from_secs(120) }
    }
}

/// A bug in mimi met while running a tool. Everything the world can do wrong is a report instead.
#[derive(Debug, thiserror::Error)]
#[error("the tool `{tool}` failed inside mimi")]
pub struct ToolBug {
    /// The tool.
    pub tool: String,
    /// What broke.
    #[source]
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

/// One ability of the agent. Implementors must not touch anything in `intent`, nor anything in `run` beyond what
/// `intent` named, must end soon after `cancel`, and must cap what they return.
pub trait Tool: Send + Sync {
    /// Returns what the model is told about the tool.
    fn manifest(&self) -> &Manifest;

    /// Checks the arguments and says what the call would touch.
    fn intent(&self, cx: &ToolContext, arguments: &Value) -> Result<Intent, BadCall>;

    /// Does it.
    fn run<'a>(&'a self, cx: &'a ToolContext, arguments: Value) -> BoxFuture<'a, Result<ToolReport, ToolBug>>;
}

/// Reads a tool's arguments into its own struct; unknown, missing and wrong fields are a call in the wrong form.
pub fn parse_arguments<T: serde::de::DeserializeOwned>(manifest: &Manifest, arguments: &Value) -> Result<T, BadCall> {
    serde_path_to_error::deserialize(arguments).map_err(|error| {
        let path = error.path().to_string();
        let place = if path == "." { String::new() } else { path };
        Malformed::Arguments { form: manifest.form(), place, why: error.inner().to_string() }.into()
    })
}
