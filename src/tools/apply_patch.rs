//! How does a model change files by a patch?
//!
//! Offered to models that write it best; understood from all. Everything happens in [`change`].

use futures_util::future::BoxFuture;
use serde::Deserialize;
use serde_json::Value;

use crate::edit::change::ChangeSet;
use crate::protocol::tool::{Intent, ToolReport};
use crate::tools::bad_call::BadCall;
use crate::tools::change::{self, stated};
use crate::tools::manifest::Manifest;
use crate::tools::{Tool, ToolBug, ToolContext, parse_arguments};

/// Changes files by a patch.
pub struct ApplyPatch {
    manifest: Manifest,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    #[serde(alias = "input", alias = "patch_text", alias = "patchText", alias = "text")]
    patch: String,
}

impl ApplyPatch {
    /// Builds the tool.
    pub fn new(manifest: Manifest) -> Self {
        Self { manifest }
    }

    fn read(&self, arguments: &Value) -> Result<ChangeSet, BadCall> {
        match parse_arguments::<Arguments>(&self.manifest, arguments) {
            Ok(call) => stated(&Value::String(call.patch)),
            Err(bad) => stated(arguments).map_err(|_| bad),
        }
    }
}

impl Tool for ApplyPatch {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    fn intent(&self, cx: &ToolContext, arguments: &Value) -> Result<Intent, BadCall> {
        change::intent(cx, &self.read(arguments)?)
    }

    fn run<'a>(&'a self, cx: &'a ToolContext, arguments: Value) -> BoxFuture<'a, Result<ToolReport, ToolBug>> {
        change::run_later(cx, &self.manifest, self.read(&arguments))
    }
}
