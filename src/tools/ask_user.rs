//! How does the model ask the user something?
//!
//! The question travels in the intent, and whoever talks to the user answers it; the tool itself has nobody to ask.

use futures_util::future::BoxFuture;
use serde::Deserialize;
use serde_json::Value;

use crate::base::text::first_line;
use crate::protocol::tool::{Intent, Question, ToolReport};
use crate::tools::bad_call::BadCall;
use crate::tools::manifest::Manifest;
use crate::tools::{Tool, ToolBug, ToolContext, parse_arguments};

/// Answers offered at most: as many as have a digit key.
const MAX_OPTIONS: usize = 9;

/// Asks the user.
pub struct AskUser {
    manifest: Manifest,
}

impl AskUser {
    /// Builds the tool.
    pub fn new(manifest: Manifest) -> Self {
        Self { manifest }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    question: String,
    #[serde(default, alias = "choices")]
    options: Option<Vec<String>>,
}

impl Tool for AskUser {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    fn intent(&self, _cx: &ToolContext, arguments: &Value) -> Result<Intent, BadCall> {
        let arguments: Arguments = parse_arguments(&self.manifest, arguments)?;
        let options = arguments.options.unwrap_or_default();
        if arguments.question.trim().is_empty() {
            return Err(BadCall::Impossible("the question is empty; say what you need to know".to_owned()));
        }
        if options.len() > MAX_OPTIONS {
            return Err(BadCall::Impossible(format!(
                "{} options are too many; offer at most {MAX_OPTIONS}",
                options.len()
            )));
        }
        let target = first_line(&arguments.question, 80);
        let question = Some(Question { question: arguments.question, options });
        Ok(Intent { target, question, ..Intent::default() })
    }

    fn run<'a>(&'a self, _cx: &'a ToolContext, _arguments: Value) -> BoxFuture<'a, Result<ToolReport, ToolBug>> {
        let report = ToolReport::failed("nobody can answer here; decide by what you know and say what you assumed");
        Box::pin(std::future::ready(Ok(report)))
    }
}
