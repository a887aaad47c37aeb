//! In which events does the machine speak?
//!
//! Small pure makers of events, so that [`machine`](crate::agent::machine) reads as decisions only.

use crate::agent::step::Effect;
use crate::base::text::{first_line, gap_note, suffix};
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
/// Bytes that are told of what a command behind the turn printed last.
const MAX_LAST_BYTES: usize = 4000;
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

/// Makes the report of a command that goes on behind the turn.
pub fn behind_report(duration_ms: u64, so_far: &str) -> ToolReport {
    let text = prompt::NOTE_BACKGROUND.render(&[&(duration_ms / 1000).to_string(), so_far]);
    ToolReport::ok(text, "goes on in the background")
}

/// Words for the model what a command behind the turn came to: the last of its output, since it was told the first.
pub fn behind_ended(command: &str, report: &ToolReport) -> Attached {
    let text = report.outcome.text();
    let last = suffix(text, MAX_LAST_BYTES);
    let last = if last.len() < text.len() { last.split_once('\n').map_or(last, |(_, whole)| whole) } else { last };
    let cut = &text[..text.len() - last.len()];
    let gap = match cut.len() {
        0 => String::new(),
        n_bytes => gap_note(cut.matches('\n').count() as u64, n_bytes as u64, "") + "\n",
    };
    let text = prompt::NOTE_BACKGROUND_ENDED.render(&[command, &format!("{gap}{last}")]);
    Attached { label: format!("{}: {}", first_line(command, MAX_LABEL_CHARS), report.summary), text, image: None }
}

/// Words for the model that a command behind the turn ended with the session.
pub fn behind_lost(command: &str) -> Attached {
    let label = format!("{}: ended with the session", first_line(command, MAX_LABEL_CHARS));
    Attached { label, text: prompt::NOTE_BACKGROUND_LOST.render(&[command]), image: None }
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
