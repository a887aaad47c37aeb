//! What is in this project, at a glance?
//!
//! The map of the index, within a budget of tokens. As [`crate::tools::search_code`] it waits only so long for an index.

use futures_util::future::BoxFuture;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::base::text::{count, one_line_name};
use crate::index::error::IndexError;
use crate::index::fresh::{self, BUDGET};
use crate::index::map::Request;
use crate::protocol::tool::{Intent, ToolReport};
use crate::tools::bad_call::BadCall;
use crate::tools::blocking::{self, Leaving};
use crate::tools::manifest::Manifest;
use crate::tools::search_code::unusable;
use crate::tools::target::{missing, read_actions};
use crate::tools::{Tool, ToolBug, ToolContext, lenient, parse_arguments};

/// Tokens unless others are asked for; what is handed to the model is bounded anyway.
const DEFAULT_TOKENS: usize = 1500;
const MIN_TOKENS: usize = 100;
const MAX_TOKENS: usize = 2500;

/// Draws the map.
pub struct RepoMap {
    manifest: Manifest,
}

impl RepoMap {
    /// Builds the tool.
    pub fn new(manifest: Manifest) -> Self {
        Self { manifest }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    #[serde(default, alias = "paths", alias = "path", deserialize_with = "paths")]
    focus: Vec<String>,
    #[serde(default, alias = "tokens", deserialize_with = "lenient::count")]
    max_tokens: Option<usize>,
}

/// Reads a list of paths, or one.
fn paths<'de, D: Deserializer<'de>>(source: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Paths {
        Many(Vec<String>),
        One(String),
        None(()),
    }
    Ok(match Paths::deserialize(source)? {
        Paths::Many(many) => many,
        Paths::One(one) => vec![one],
        Paths::None(()) => Vec::new(),
    })
}

impl Tool for RepoMap {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    fn intent(&self, cx: &ToolContext, arguments: &Value) -> Result<Intent, BadCall> {
        let call: Arguments = parse_arguments(&self.manifest, arguments)?;
        Ok(Intent {
            target: call.focus.iter().map(|path| one_line_name(path).into_owned()).collect::<Vec<_>>().join(" "),
            actions: read_actions(cx, &cx.workspace.resolve(".")),
            is_parallel_safe: true,
            ..Intent::default()
        })
    }

    fn run<'a>(&'a self, cx: &'a ToolContext, arguments: Value) -> BoxFuture<'a, Result<ToolReport, ToolBug>> {
        blocking::run(&self.manifest, (cx, arguments), Leaving::Behind, map)
    }
}

fn map(cx: &ToolContext, call: &Arguments) -> ToolReport {
    let mut focus = Vec::new();
    for path in &call.focus {
        let target = cx.workspace.resolve(path);
        match target.relative.filter(|_| target.absolute.exists()) {
            Some(relative) => focus.push(relative.to_string_lossy().into_owned()),
            None => return ToolReport::failed(missing(&cx.workspace, path)),
        }
    }
    drawn(cx, focus, call.max_tokens).unwrap_or_else(unusable)
}

fn drawn(cx: &ToolContext, focus: Vec<String>, tokens: Option<usize>) -> Result<ToolReport, IndexError> {
    let fresh = fresh::within(&cx.cache, cx.workspace.root(), BUDGET)?;
    let max_tokens = tokens.unwrap_or(DEFAULT_TOKENS).clamp(MIN_TOKENS, MAX_TOKENS);
    let mut map = fresh.index.map(&Request { focus, names: Vec::new(), max_tokens })?;
    map.files.retain(|file| !(cx.may_hold_secrets)(std::path::Path::new(&file.path)));
    let notes: String = fresh.notes.iter().map(|note| format!("; {note}")).collect();
    if map.files.is_empty() {
        return Ok(ToolReport::ok(
            format!("nothing is defined in this project{notes}; `list_files` shows its files"),
            "nothing",
        ));
    }
    let all = count(map.n_files, "file");
    let shown = map.files.len();
    let text =
        format!("{}[{shown} of {all} with definitions, the most used first; line numbers in front{notes}]", map.text());
    Ok(ToolReport::ok(text, format!("{shown} of {all}")))
}
