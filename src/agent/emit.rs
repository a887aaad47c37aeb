//! In which events does the machine speak?
//!
//! Small pure makers of events, so that [`machine`](crate::agent::machine) reads as decisions only.

use crate::agent::step::Effect;
use crate::base::text::first_line;
use crate::context::prompt;
use crate::protocol::attached::Attached;
use crate::protocol::event::{Author, Event};
use crate::protocol::message::{CallId, ToolCall};
use crate::protocol::tool::ToolReport;

/// Says something to the model.
pub fn say(author: Author, text: String, out: &mut Vec<Effect>) {
    out.push(Effect::Emit(Event::UserMessage { author, text }));
}

/// The tool that runs what the user typed.
const SHELL: &str = "shell";
/// Characters of a command in a label.
const MAX_LABEL_CHARS: usize = 60;

/// Makes a call of a command that the user typed.
pub fn own_call(id: CallId, command: &str) -> ToolCall {
    let arguments = serde_json::json!({ "command": command }).to_string();
    ToolCall { id, name: SHELL.to_owned(), arguments }
}

/// Words for the model what a command of the user's came to.
pub fn own_outcome(call: &ToolCall, report: &ToolReport) -> Attached {
    let arguments: serde_json::Value = serde_json::from_str(&call.arguments).unwrap_or_default();
    let command = arguments["command"].as_str().unwrap_or_default();
    let text = prompt::OWN_COMMAND.render(&[command, report.outcome.text()]);
    Attached { label: format!("! {}: {}", first_line(command, MAX_LABEL_CHARS), report.summary), text, image: None }
}

/// Says what the model is told of a call that is not run, if there is one.
pub fn left_out(cut: Option<&str>, quoted: Option<&str>, out: &mut Vec<Effect>) -> Option<String> {
    if let Some(tool) = cut {
        return Some(prompt::NOTE_CUT_CALL.render(&[tool]));
    }
    let tool = quoted?;
    warn(&format!("a call of `{tool}` that the model showed as an example was not run"), out);
    Some(prompt::NOTE_QUOTED_CALL.render(&[tool]))
}

/// Tells the user something that stops nothing.
pub fn warn(text: &str, out: &mut Vec<Effect>) {
    out.push(Effect::Emit(Event::Warning { text: text.to_owned() }));
}

/// Reports a call that ended.
pub fn report_call(call: ToolCall, report: ToolReport, duration_ms: u64, out: &mut Vec<Effect>) {
    if let Some(plan) = report.plan {
        out.push(Effect::Emit(Event::PlanUpdated { plan }));
    }
    out.push(Effect::Emit(Event::ToolFinished {
        call: call.id,
        tool: call.name,
        outcome: report.outcome,
        summary: report.summary,
        diffs: report.diffs,
        seen: report.seen,
        duration_ms,
    }));
}

/// Makes a call with unreadable arguments harmless: history must hold valid JSON, because servers refuse every later
/// request otherwise. What was received is judged, so that the model is told.
pub fn harmless(call: &ToolCall) -> ToolCall {
    let mut call = call.clone();
    if !crate::model::assemble::is_valid_arguments(&call.arguments) {
        call.arguments = "{}".to_owned();
    }
    call
}
