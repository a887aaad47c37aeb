//! Where in the project is the code that does this?
//!
//! Asks the index, which is brought up to date first, for so long and no longer: where there is none yet, the answer comes from
//! what could be read meanwhile and says so, and the rest is read beside the conversation. Must not show lines of files that
//! may hold secrets.

use std::fmt::Write as _;
use std::path::Path;

use futures_util::future::BoxFuture;
use serde::Deserialize;
use serde_json::Value;

use crate::base::fault::Fault;
use crate::base::text::{clip_line, count, one_line_name};
use crate::index::error::IndexError;
use crate::index::fresh::{self, BUDGET};
use crate::index::search::route::Query;
use crate::index::search::{Hit, Sides, snippet};
use crate::protocol::tool::{Intent, ToolReport};
use crate::tools::bad_call::BadCall;
use crate::tools::blocking::{self, Leaving};
use crate::tools::manifest::Manifest;
use crate::tools::target::read_actions;
use crate::tools::{Tool, ToolBug, ToolContext, lenient, parse_arguments};

/// Places returned unless others are asked for, and at most.
const DEFAULT_PLACES: usize = 8;
const MAX_PLACES: usize = 20;
/// Lines shown of a place.
const MAX_LINES: usize = 24;
/// Bytes returned: with the closing note below the 10 kB a call hands to the model.
const MAX_BYTES: usize = 9_000;
/// Bytes of a question that count.
const MAX_QUERY_BYTES: usize = 4_000;

/// Searches the index.
pub struct SearchCode {
    manifest: Manifest,
}

impl SearchCode {
    /// Builds the tool.
    pub fn new(manifest: Manifest) -> Self {
        Self { manifest }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    #[serde(alias = "question", alias = "text")]
    query: String,
    #[serde(default, alias = "limit", alias = "n", deserialize_with = "lenient::count")]
    max_results: Option<usize>,
}

impl Tool for SearchCode {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    fn intent(&self, cx: &ToolContext, arguments: &Value) -> Result<Intent, BadCall> {
        let call: Arguments = parse_arguments(&self.manifest, arguments)?;
        if call.query.trim().is_empty() {
            return Err(BadCall::Impossible("the query is empty; say what the code does".to_owned()));
        }
        Ok(Intent {
            target: format!("`{}`", one_line_name(&clip_line(&call.query, 200))),
            actions: read_actions(cx, &cx.workspace.resolve(".")),
            is_parallel_safe: true,
            ..Intent::default()
        })
    }

    fn run<'a>(&'a self, cx: &'a ToolContext, arguments: Value) -> BoxFuture<'a, Result<ToolReport, ToolBug>> {
        blocking::run(&self.manifest, (cx, arguments), Leaving::Behind, search)
    }
}

fn search(cx: &ToolContext, call: &Arguments) -> ToolReport {
    match found(cx, call) {
        Ok(report) => report,
        Err(error) => unusable(error),
    }
}

/// Reports an index that cannot be used: the other tools need none.
pub fn unusable(error: IndexError) -> ToolReport {
    ToolReport::failed(format!("{}; use `search` and `list_files` instead", Fault::from(error).line()))
}

fn found(cx: &ToolContext, call: &Arguments) -> Result<ToolReport, IndexError> {
    let fresh = fresh::within(&cx.cache, cx.workspace.root(), BUDGET)?;
    let query = Query::parse(&clip_line(&call.query, MAX_QUERY_BYTES));
    if let Some(unknown) = query.unknown_languages.first() {
        let named = one_line_name(&clip_line(unknown, 100)).into_owned();
        return Ok(ToolReport::failed(format!(
            "no language is called `{named}`; leave `lang:` out or use `path:*.ENDING`"
        )));
    }
    let n = call.max_results.unwrap_or(DEFAULT_PLACES).clamp(1, MAX_PLACES);
    let index = match &cx.embedder {
        Some(server) => fresh.index.served_by(server.clone()),
        None => fresh.index,
    };
    let answer = index.ask(&query, n, Sides::All)?;
    let mut hits = answer.hits;
    hits.retain(|hit| !(cx.may_hold_secrets)(Path::new(&hit.path)));
    let notes: String = fresh.notes.iter().map(|note| format!("; {note}")).collect();
    if hits.is_empty() {
        let text = format!(
            "no code found for `{}`{notes}; try other words, or `search` for a text",
            one_line_name(&clip_line(&call.query, 200))
        );
        return Ok(ToolReport::ok(text, "nothing found"));
    }
    let (mut text, mut n_shown) = (String::new(), 0);
    for hit in &hits {
        let place = place(cx.workspace.root(), hit, &query.text);
        if n_shown > 0 && text.len() + place.len() > MAX_BYTES {
            break;
        }
        text.push_str(&place);
        n_shown += 1;
    }
    let places = count(n_shown, "place");
    let left_out = if n_shown < hits.len() { format!("; {} left out", hits.len() - n_shown) } else { String::new() };
    Ok(ToolReport::ok(format!("{text}[{places}, the best first{left_out}{notes}]"), places))
}

fn place(root: &Path, hit: &Hit, question: &str) -> String {
    let mut text = format!("{}:{}-{}", one_line_name(&hit.path), hit.line, hit.end_line);
    let names: Vec<&str> = std::iter::once(hit.scope.as_str())
        .chain(hit.names.iter().map(String::as_str).take(4))
        .filter(|name| !name.is_empty())
        .collect();
    if !names.is_empty() {
        let _ = write!(text, "  {}", names.join(", "));
    }
    text.push('\n');
    for (line, shown) in snippet::lines(root, hit, question, MAX_LINES) {
        let _ = writeln!(text, "{line:>5}  {shown}");
    }
    text.push('\n');
    text
}
