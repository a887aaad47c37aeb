//! How did a file change?

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// The change of one file, ready to show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileDiff {
    /// Path relative to the workspace, or absolute outside it.
    pub path: String,
    /// Lines added.
    pub added: usize,
    /// Lines removed.
    pub removed: usize,
    /// The change in unified format with three lines of context, headings included.
    pub unified: String,
}

/// What a call did to one file, by content hash: enough to take it back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Absolute path, links followed.
    #[serde(with = "crate::protocol::path")]
    pub path: PathBuf,
    /// Hash of the content before; none when the file did not exist.
    pub before: Option<String>,
    /// Hash of the content after; none when the call removed it.
    pub after: Option<String>,
    /// Permission bits before; none when the file did not exist, or the writer did not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<u32>,
}
