//! How does a model change several places of a file in one call?

use serde::Deserialize;
use serde_json::{Value, json};

use crate::tools::stating::{Statement, Stating};

/// Replaces texts in a file.
pub type MultiEdit = Stating<Arguments>;

/// Its arguments, by the names models give them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Arguments {
    #[serde(alias = "file_path", alias = "filepath", alias = "filename", alias = "file")]
    path: String,
    #[serde(alias = "changes", alias = "replacements")]
    edits: Value,
}

impl Statement for Arguments {
    fn into_change(self) -> Value {
        json!({ "path": self.path, "edits": self.edits })
    }
}
