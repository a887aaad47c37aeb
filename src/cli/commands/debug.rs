//! How can an outside test suite drive one component of mimi alone?
//!
//! Hidden: lines of JSON in, one line of JSON out for each, written at once, so that a program can hold a conversation. A
//! line that cannot be read gives `{"error": ...}` and the next is read. No configuration, no server; no files but those of `apply-patch`.

use std::io::BufRead as _;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::base::fault::{Fault, Kind};
use crate::cli::commands::{debug_edit, debug_policy};
use crate::cli::output::Out;
use crate::model::recover::trial::{self, Chunks, Outcome};
use crate::model::{Finish, StreamEvent};
use crate::protocol::tool::ToolSpec;
use crate::session::export::escape_hidden;

/// Arguments of `mimi debug`.
#[derive(Debug, clap::Args)]
pub struct DebugArgs {
    /// The component
    #[command(subcommand)]
    pub component: Component,
}

/// What can be driven.
#[derive(Debug, clap::Subcommand)]
pub enum Component {
    /// Tool-call recovery: reads {text, tools, chunk, finish, reasoning}, writes {content, calls, dropped}
    Recover,
    /// Permission of commands: reads {command, cwd, rules}, writes {verdict, why}
    Policy,
    /// The edit engine: reads {files, call}, writes {files} or {error}; every file counts as read
    Edit,
    /// A V4A patch from standard input, applied in the current folder as the format's own program does
    ApplyPatch,
}

/// Reads lines and answers each until there are no more.
///
/// # Errors
/// Standard input cannot be read, or standard output not written.
pub fn run(out: &Out, args: &DebugArgs) -> Result<(), Fault> {
    let answer = match args.component {
        Component::Recover => recover,
        Component::Policy => debug_policy::judge,
        Component::Edit => debug_edit::answer,
        Component::ApplyPatch => return debug_edit::apply_patch(out),
    };
    for line in std::io::stdin().lock().split(b'\n') {
        let line = line.map_err(|error| Fault::io(Kind::Task, "cannot read standard input", &error))?;
        let line = String::from_utf8_lossy(&line);
        if line.trim().is_empty() {
            continue;
        }
        let said = answer(&line).unwrap_or_else(|why| json!({ "error": why }));
        // What is judged is said as it is.
        out.text(&format!("{}\n", escape_hidden(&said.to_string())))?;
    }
    Ok(())
}

/// A line for [`Component::Recover`].
#[derive(Debug, Deserialize)]
struct Case {
    text: String,
    #[serde(default)]
    tools: Vec<Value>,
    #[serde(default)]
    chunk: Value,
    #[serde(default)]
    finish: Option<String>,
    #[serde(default)]
    reasoning: Option<String>,
}

fn recover(line: &str) -> Result<Value, String> {
    let case: Case = serde_json::from_str(line).map_err(|error| error.to_string())?;
    let tools = case.tools.iter().map(tool).collect::<Result<Vec<ToolSpec>, String>>()?;
    let chunks = chunks(&case.chunk)?;
    let finish = match case.finish.as_deref() {
        None | Some("stop" | "tool_calls") => Finish::Stop,
        Some("length") => Finish::Length,
        Some(other) => return Err(format!("`finish` is `stop` or `length`, not `{other}`")),
    };
    let mut events: Vec<StreamEvent> = case.reasoning.into_iter().map(StreamEvent::Reasoning).collect();
    events.extend(chunks.cut(&case.text).into_iter().map(|piece| StreamEvent::Text(piece.to_owned())));
    Ok(render(&trial::play(tools.into(), events, finish)))
}

/// Reads a tool: its name, its description, or one in the form of a request.
fn tool(value: &Value) -> Result<ToolSpec, String> {
    let function = value.get("function").unwrap_or(value);
    let name = value.as_str().or_else(|| function.get("name")?.as_str());
    let name = name.ok_or_else(|| format!("a tool without a name: {value}"))?;
    let any = || json!({"type": "object", "properties": {}});
    let parameters = function.get("parameters").filter(|schema| schema.is_object()).cloned().unwrap_or_else(any);
    let description = function.get("description").and_then(Value::as_str).unwrap_or_default();
    Ok(ToolSpec { name: name.to_owned(), description: description.to_owned(), parameters })
}

fn chunks(value: &Value) -> Result<Chunks, String> {
    let bad = || format!("`chunk` is a number of characters or a list of them, not {value}");
    let size = |value: &Value| value.as_u64().map(|size| size as usize);
    match value {
        Value::Null => Ok(Chunks::Whole),
        Value::Array(sizes) => sizes.iter().map(size).collect::<Option<_>>().map(Chunks::Sizes).ok_or_else(bad),
        other => match size(other).ok_or_else(bad)? {
            0 => Ok(Chunks::Whole),
            size => Ok(Chunks::Each(size)),
        },
    }
}

fn render(outcome: &Outcome) -> Value {
    let calls = outcome.answer.tool_calls.iter().map(|call| {
        let arguments: Value = serde_json::from_str(&call.arguments).unwrap_or_default();
        json!({"name": call.name, "arguments": arguments})
    });
    let dropped = outcome.dropped.iter().map(|dropped| match &dropped.name {
        Some(name) => json!({"why": dropped.why, "name": name, "text": dropped.text}),
        None => json!({"why": dropped.why, "text": dropped.text}),
    });
    json!({
        "content": outcome.answer.text,
        "calls": calls.collect::<Vec<_>>(),
        "dropped": dropped.collect::<Vec<_>>(),
    })
}
