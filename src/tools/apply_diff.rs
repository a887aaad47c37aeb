//! How does a model change files by a unified diff?

use serde::Deserialize;
use serde_json::Value;

use crate::tools::stating::{Statement, Stating};

/// Changes files by a unified diff.
pub type ApplyDiff = Stating<Arguments>;

/// Its arguments, by the names models give them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Arguments {
    #[serde(alias = "patch", alias = "udiff", alias = "text")]
    diff: String,
}

impl Statement for Arguments {
    fn into_change(self) -> Value {
        Value::String(self.diff)
    }
}
