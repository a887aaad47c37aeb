//! What did a command change in the workspace?

use serde::{Deserialize, Serialize};

/// What a command or check changed, and the name under which the files as they were are kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TreeChange {
    /// Names what is kept, for `mimi checkpoint show`.
    pub checkpoint: String,
    /// Paths that changed, relative to the workspace; the first of them when there are many, those git ignores last.
    pub changed: Vec<String>,
    /// How many changed.
    pub n_changed: usize,
    /// How many of these git ignores.
    #[serde(default)]
    pub n_ignored: usize,
    /// Paths that changed and are not kept, each with the reason; the first of them when there are many.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_kept: Vec<String>,
}
