//! How does a model that is shown few tools reach the others?
//!
//! Through this one: without arguments it lists them, with a name it stands for the call of that tool. It never runs one
//! itself: `Registry::unwrap` takes the inner call out first, so that policy judges what really happens.

use futures_util::future::BoxFuture;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::protocol::tool::{Intent, ToolReport};
use crate::tools::bad_call::BadCall;
use crate::tools::manifest::Manifest;
use crate::tools::{Tool, ToolBug, ToolContext, parse_arguments};

/// The name of the door.
pub const NAME: &str = "more_tools";

/// Keys models use for the arguments of the inner call.
const INNER_KEYS: [&str; 4] = ["arguments", "args", "parameters", "input"];

/// The door to the tools a model is not shown.
pub struct MoreTools {
    manifest: Manifest,
    /// Name, arguments and description of every tool behind it.
    listing: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    #[serde(default, alias = "name", alias = "tool_name")]
    tool: Option<String>,
    #[serde(default, alias = "args", alias = "parameters", alias = "input")]
    arguments: Option<Value>,
}

impl MoreTools {
    /// Builds the door to the tools with these manifests.
    pub fn new(manifest: Manifest, hidden: &[Manifest]) -> Self {
        let rows = hidden.iter().map(|tool| format!("{}: {}\n  {}\n", tool.name, tool.signature(), tool.description));
        Self { manifest, listing: rows.collect() }
    }
}

/// Takes the inner call out of the door's arguments: tool and arguments, or nothing when a list is wanted.
pub fn inner_call(manifest: &Manifest, arguments: &Value) -> Result<Option<(String, Value)>, BadCall> {
    let arguments: Arguments = parse_arguments(manifest, &gathered(arguments))?;
    let Some(tool) = arguments.tool.filter(|tool| !tool.trim().is_empty()) else { return Ok(None) };
    let inner = match arguments.arguments {
        None | Some(Value::Null) => Value::Object(Map::new()),
        // Some models write an object inside an object as text.
        Some(Value::String(text)) if text.trim().is_empty() => Value::Object(Map::new()),
        Some(Value::String(text)) => serde_json::from_str(&text).unwrap_or(Value::String(text)),
        Some(other) => other,
    };
    Ok(Some((tool, inner)))
}

/// Gathers arguments put beside `tool` instead of inside `arguments`.
fn gathered(arguments: &Value) -> Value {
    let is_gathered = |fields: &Map<String, Value>| INNER_KEYS.iter().any(|key| fields.contains_key(*key));
    match arguments.as_object() {
        Some(fields) if fields.contains_key("tool") && !is_gathered(fields) => {
            let beside = fields.iter().filter(|(key, _)| *key != "tool");
            let beside: Map<String, Value> = beside.map(|(key, value)| (key.clone(), value.clone())).collect();
            serde_json::json!({ "tool": fields["tool"], "arguments": beside })
        }
        _ => arguments.clone(),
    }
}

impl Tool for MoreTools {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    fn intent(&self, _cx: &ToolContext, arguments: &Value) -> Result<Intent, BadCall> {
        inner_call(&self.manifest, arguments)?;
        Ok(Intent { is_parallel_safe: true, ..Intent::default() })
    }

    fn run<'a>(&'a self, _cx: &'a ToolContext, arguments: Value) -> BoxFuture<'a, Result<ToolReport, ToolBug>> {
        let report = match inner_call(&self.manifest, &arguments) {
            Ok(None) => ToolReport::ok(self.listing.clone(), "listed the other tools"),
            Ok(Some((tool, _))) => ToolReport::failed(format!("`{tool}` cannot be run here; call it by its own name")),
            Err(bad) => ToolReport::failed(bad.to_string()),
        };
        Box::pin(std::future::ready(Ok(report)))
    }
}
