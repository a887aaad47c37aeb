//! How does a model change files by a patch?

use serde::Deserialize;
use serde_json::Value;

use crate::tools::stating::{Statement, Stating};

/// Changes files by a patch.
pub type ApplyPatch = Stating<Arguments>;

/// Its arguments, by the names models give them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Arguments {
    #[serde(alias = "input", alias = "patch_text", alias = "patchText", alias = "text")]
    patch: String,
}

impl Statement for Arguments {
    fn into_change(self) -> Value {
        Value::String(self.patch)
    }
}
