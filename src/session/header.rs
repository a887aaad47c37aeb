//! Where and when did a session begin?
//!
//! The first line of a session file, and the line each process adds when it opens the file for writing. Reading is
//! lenient: a header of a later version, or one with fields missing, still names the session by its file.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::base::clock::{Clock, new_id};
use crate::protocol::event::SCHEMA_VERSION;

/// Tells the header from all other lines.
const SESSION: &str = "session";
/// Tells the line of a writer from all other lines.
const OPENED: &str = "opened";

/// The first line of a session file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Header {
    /// Schema version of the writer.
    pub v: u32,
    kind: &'static str,
    /// Names the session, and its file.
    pub id: String,
    /// When it began, in milliseconds since the Unix epoch.
    pub created_ms: u64,
    /// Canonical path of the folder it works in; empty when the header cannot be read.
    #[serde(with = "crate::protocol::path")]
    pub workspace: PathBuf,
    /// Version of mimi that began it.
    pub mimi_version: String,
    /// How commands were confined when it began; none when not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sandbox: Option<String>,
    /// A name given by the user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The session it was copied from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub forked_from: Option<String>,
}

impl Header {
    /// Builds the header of a session that begins now, under a fresh id.
    pub fn new(workspace: &Path, clock: &dyn Clock) -> Self {
        Self {
            created_ms: clock.now_ms(),
            workspace: workspace.to_path_buf(),
            mimi_version: env!("CARGO_PKG_VERSION").to_owned(),
            ..Self::unknown(&new_id())
        }
    }

    /// Builds the header of a session of which only the name of the file is known.
    pub fn unknown(id: &str) -> Self {
        Self {
            v: SCHEMA_VERSION,
            kind: SESSION,
            id: id.to_owned(),
            created_ms: 0,
            workspace: PathBuf::new(),
            mimi_version: String::new(),
            sandbox: None,
            title: None,
            forked_from: None,
        }
    }

    /// Reads what can be read of a header line; none when the line is something else.
    ///
    /// The id is that of the file, because a copied or renamed file is found under its new name.
    pub fn read(line: &Value, id: &str) -> Option<Self> {
        if line.get("kind")?.as_str()? != SESSION {
            return None;
        }
        let text = |key: &str| line.get(key).and_then(Value::as_str).map(str::to_owned);
        let number = |key: &str| line.get(key).and_then(Value::as_u64);
        Some(Self {
            v: number("v").and_then(|v| u32::try_from(v).ok()).unwrap_or(SCHEMA_VERSION),
            created_ms: number("created_ms").unwrap_or_default(),
            workspace: line
                .get("workspace")
                .and_then(|value| crate::protocol::path::deserialize(value).ok())
                .unwrap_or_default(),
            mimi_version: text("mimi_version").unwrap_or_default(),
            sandbox: text("sandbox"),
            title: text("title"),
            forked_from: text("forked_from"),
            ..Self::unknown(id)
        })
    }
}

/// Names this machine, where the system says: Linux only; elsewhere the process id alone must do.
pub fn machine() -> Option<String> {
    std::fs::read_to_string("/proc/sys/kernel/hostname").ok().map(|name| name.trim().to_owned())
}

/// The line a process writes when it begins to write a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opened {
    v: u32,
    kind: String,
    /// The process.
    pub pid: u32,
    /// Its machine, where known; sessions may lie on a shared home.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// When, in milliseconds since the Unix epoch.
    pub at_ms: u64,
    /// Its version of mimi.
    #[serde(default)]
    pub mimi_version: String,
}

impl Opened {
    /// Builds the line for this process.
    pub fn now(clock: &dyn Clock) -> Self {
        let host = machine();
        Self {
            v: SCHEMA_VERSION,
            kind: OPENED.to_owned(),
            pid: std::process::id(),
            host,
            at_ms: clock.now_ms(),
            mimi_version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }

    /// Reads the line of a writer; none when the line is something else.
    pub fn read(line: &Value) -> Option<Self> {
        Self::deserialize(line).ok().filter(|opened| opened.kind == OPENED)
    }
}

impl std::fmt::Display for Opened {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "process {}", self.pid)?;
        match &self.host {
            Some(host) => write!(out, " on {}", crate::base::text::visible(host)),
            None => Ok(()),
        }
    }
}
