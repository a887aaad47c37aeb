//! How did a file change?

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
