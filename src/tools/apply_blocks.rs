//! How does a model change files by blocks of lines to search for and lines that replace them?
//!
//! Offered to models that write it best; understood from all. Everything happens in [`change`].

use futures_util::future::BoxFuture;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::edit::change::ChangeSet;
use crate::protocol::tool::{Intent, ToolReport};
use crate::tools::bad_call::BadCall;
use crate::tools::change::{self, stated};
use crate::tools::manifest::Manifest;
use crate::tools::{Tool, ToolBug, ToolContext, parse_arguments};

/// Changes a file by SEARCH/REPLACE blocks.
pub struct ApplyBlocks {
    manifest: Manifest,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    #[serde(alias = "file_path", alias = "filepath", alias = "filename", alias = "file")]
    path: String,
    #[serde(alias = "diff", alias = "block", alias = "text")]
    blocks: String,
}

impl ApplyBlocks {
    /// Builds the tool.
    pub fn new(manifest: Manifest) -> Self {
        Self { manifest }
    }

    fn read(&self, arguments: &Value) -> Result<ChangeSet, BadCall> {
        match parse_arguments::<Arguments>(&self.manifest, arguments) {
            Ok(call) => stated(&json!({ "path": call.path, "blocks": call.blocks })),
            Err(bad) => stated(arguments).map_err(|_| bad),
        }
    }
}

impl Tool for ApplyBlocks {
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
