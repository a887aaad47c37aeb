//! How does a model change files by blocks of lines to search for and lines that replace them?

use serde::Deserialize;
use serde_json::{Value, json};

use crate::tools::stating::{Statement, Stating};

/// Changes a file by SEARCH/REPLACE blocks.
pub type ApplyBlocks = Stating<Arguments>;

/// Its arguments, by the names models give them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Arguments {
    #[serde(alias = "file_path", alias = "filepath", alias = "filename", alias = "file")]
    path: String,
    #[serde(alias = "diff", alias = "block", alias = "text")]
    blocks: String,
}

impl Statement for Arguments {
    fn into_change(self) -> Value {
        json!({ "path": self.path, "blocks": self.blocks })
    }
}
