//! How does a session leave mimi?
//!
//! As Markdown for people, as JSON for programs. Streams: one record in memory at a time. Every piece passes one place,
//! [`write`], and leaves it without secrets; the file itself keeps them. Nothing a terminal acts on comes through in any format.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::Path;

use crate::base::clock::format_utc;
use crate::base::secrets::redact;
use crate::base::secrets::stream::Redactor;
use crate::base::text::{first_line, is_hidden, visible};
use crate::protocol::diff::FileDiff;
use crate::protocol::event::{Author, Event, TurnEnd};
use crate::protocol::message::CallId;
use crate::protocol::review::{HunkAnswer, Ruling};
use crate::protocol::tool::ToolOutcome;
use crate::session::error::SessionError;
use crate::session::header::Header;
use crate::session::reader::{Line, Reader, id_of};
use crate::session::title;

/// Longest target or summary of a call, in characters: one line of a page.
const MAX_LINE_CHARS: usize = 200;

/// What an exported session looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Markdown, to read.
    Markdown,
    /// One JSON array of records.
    Json,
    /// The lines of the file that can be read, header first.
    Jsonl,
}

/// Exports the session at `path` line by line to `emit`, which gets each line without its newline.
pub fn write<E: From<SessionError>>(
    path: &Path,
    format: Format,
    mut emit: impl FnMut(&str) -> Result<(), E>,
) -> Result<(), E> {
    let mut reader = Reader::open(path)?;
    match format {
        Format::Markdown => write_markdown(&mut reader, path, &mut emit),
        Format::Json => write_json(&mut reader, &mut emit),
        Format::Jsonl => write_jsonl(&mut reader, &mut emit),
    }
}

fn write_jsonl<E: From<SessionError>>(
    reader: &mut Reader<std::fs::File>,
    emit: &mut impl FnMut(&str) -> Result<(), E>,
) -> Result<(), E> {
    let mut redactor = Redactor::default();
    while let Some(line) = reader.next_line()? {
        if line != Line::Unreadable {
            json_of(reader, &mut redactor).iter().try_for_each(|line| emit(line))?;
        }
    }
    redactor.finish().iter().try_for_each(|value| emit(&escape_hidden(&value.to_string())))
}

fn write_json<E: From<SessionError>>(
    reader: &mut Reader<std::fs::File>,
    emit: &mut impl FnMut(&str) -> Result<(), E>,
) -> Result<(), E> {
    emit("[")?;
    let mut held: Option<String> = None;
    let mut redactor = Redactor::default();
    let mut put = |next: String| match held.replace(next) {
        Some(record) => emit(&format!("{record},")),
        None => Ok(()),
    };
    while let Some(line) = reader.next_line()? {
        if matches!(line, Line::Record(_) | Line::Unknown { .. }) {
            json_of(reader, &mut redactor).into_iter().try_for_each(&mut put)?;
        }
    }
    redactor.finish().iter().try_for_each(|value| put(escape_hidden(&value.to_string())))?;
    if let Some(record) = held {
        emit(&record)?;
    }
    emit("]")
}

/// Takes the line that was just read and returns those that can be shown by now, without secrets.
fn json_of(reader: &Reader<std::fs::File>, redactor: &mut Redactor) -> Vec<String> {
    let line = String::from_utf8_lossy(reader.raw());
    let ready = match serde_json::from_str(&line) {
        Ok(value) => redactor.push(value),
        // A line that was read is JSON; should it not be, its text is all there is.
        Err(_) => vec![serde_json::Value::String(redact(&line).into_owned())],
    };
    ready.iter().map(|value| escape_hidden(&value.to_string())).collect()
}

/// Writes characters a terminal or reader could be fooled by as JSON escapes. In JSON text they stand in strings only.
pub fn escape_hidden(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if is_hidden(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(c);
        }
    }
    out
}

fn write_markdown<E: From<SessionError>>(
    reader: &mut Reader<std::fs::File>,
    path: &Path,
    emit: &mut impl FnMut(&str) -> Result<(), E>,
) -> Result<(), E> {
    let mut page = Page::default();
    let mut header = Some(Header::unknown(&id_of(path)));
    while let Some(line) = reader.next_line()? {
        match line {
            Line::Header(mut found) => {
                found.title = title::of(path).or(found.title);
                header = header.map(|_| found);
            }
            Line::Record(record) => {
                // Held back until here, because the header may stand behind a torn line.
                if let Some(header) = header.take() {
                    emit_block(&heading(&header), emit)?;
                }
                for block in page.render(&record.event) {
                    emit_block(&block, emit)?;
                }
            }
            Line::Opened(_) | Line::Unknown { .. } | Line::Unreadable => {}
        }
    }
    if let Some(header) = header {
        emit_block(&heading(&header), emit)?;
    }
    page.cut_off().map_or(Ok(()), |block| emit_block(&block, emit))
}

fn emit_block<E>(block: &str, emit: &mut impl FnMut(&str) -> Result<(), E>) -> Result<(), E> {
    for line in visible(&redact(block)).trim_end().lines() {
        emit(line)?;
    }
    emit("")
}

fn heading(header: &Header) -> String {
    let mut text = format!("# Session {}\n\n- began: {}\n", header.id, format_utc(header.created_ms));
    let facts = [
        ("workspace", Some(header.workspace.display().to_string()).filter(|path| !path.is_empty())),
        ("title", header.title.clone()),
        ("copied from", header.forked_from.clone()),
    ];
    for (name, value) in facts {
        if let Some(value) = value {
            let _ = writeln!(text, "- {name}: {}", code(&value));
        }
    }
    text
}

/// What must be remembered between the events of a page.
#[derive(Default)]
struct Page {
    targets: HashMap<CallId, String>,
    partial: String,
}

impl Page {
    /// Returns the paragraphs an event adds.
    fn render(&mut self, event: &Event) -> Vec<String> {
        match event {
            Event::TurnStarted { turn } => self.cut_off().into_iter().chain([format!("## Turn {turn}")]).collect(),
            Event::UserMessage { author, text } => vec![said(*author, text)],
            Event::Attached { attached } => attached.iter().map(|one| format!("*Attached: {}*", one.label)).collect(),
            Event::TextDelta { text } => {
                self.partial.push_str(text);
                Vec::new()
            }
            Event::StreamReset => {
                self.partial.clear();
                Vec::new()
            }
            Event::AssistantMessage { text, .. } => {
                self.partial.clear();
                Some(text)
                    .filter(|text| !text.trim().is_empty())
                    .map(|text| format!("**mimi:**\n\n{text}"))
                    .into_iter()
                    .collect()
            }
            Event::ToolStarted { call, target, .. } | Event::ToolProposed { call, target, .. } => {
                self.targets.insert(call.clone(), target.clone());
                Vec::new()
            }
            Event::ToolFinished { call, tool, outcome, summary, diffs, .. } => {
                let target = self.targets.remove(call).unwrap_or_default();
                std::iter::once(called(tool, &target, outcome, summary)).chain(diffs.iter().map(fenced)).collect()
            }
            Event::TurnDone { end, .. } => self.cut_off().into_iter().chain(ended(end)).collect(),
            other => note(other).map(|note| format!("> {note}")).into_iter().collect(),
        }
    }

    /// Returns what the model had said when it was stopped.
    fn cut_off(&mut self) -> Option<String> {
        let text = std::mem::take(&mut self.partial);
        (!text.trim().is_empty()).then(|| format!("**mimi** (cut off):\n\n{text}"))
    }
}

fn said(author: Author, text: &str) -> String {
    match author {
        Author::User => format!("**you:**\n\n{text}"),
        Author::Project => {
            format!("> facts about the project, {}", crate::base::text::count(text.lines().count(), "line"))
        }
        Author::Mimi => format!("> {}", text.trim().replace('\n', "\n> ")),
    }
}

fn called(tool: &str, target: &str, outcome: &ToolOutcome, summary: &str) -> String {
    let end = match outcome {
        ToolOutcome::Ok { .. } => "",
        ToolOutcome::Failed { .. } => " failed",
        ToolOutcome::Denied { .. } => " was refused",
        ToolOutcome::Cancelled => " was interrupted",
        ToolOutcome::TimedOut { .. } => " took too long",
    };
    let target = if target.is_empty() { String::new() } else { format!(" {}", code(target)) };
    let summary = first_line(summary, MAX_LINE_CHARS);
    let summary = if summary.is_empty() { summary } else { format!(": {summary}") };
    format!("- {}{target}{end}{summary}", code(tool))
}

fn ended(end: &TurnEnd) -> Option<String> {
    match end {
        TurnEnd::Answered => None,
        TurnEnd::Interrupted => Some("> interrupted".to_owned()),
        TurnEnd::Limit { what } => Some(format!("> stopped at a limit: {what}")),
        TurnEnd::Stuck { tool } => Some(format!("> stopped: {} kept failing the same way", code(tool))),
        TurnEnd::ModelFailed { message, .. } => Some(format!("> the model failed: {message}")),
    }
}

fn note(event: &Event) -> Option<String> {
    match event {
        Event::PlanUpdated { plan } => Some(format!("plan:\n> {}", plan.to_string().trim_end().replace('\n', "\n> "))),
        Event::ModeChanged { mode } => Some(format!("mode: {}", mode.name())),
        Event::ModelChanged { model } => Some(format!("model: {}", code(model))),
        Event::Undone { turn, conflicts, .. } if conflicts.is_empty() => Some(format!("turn {turn} was taken back")),
        Event::Undone { turn, conflicts, .. } => {
            Some(format!("turn {turn} was taken back, except for {}", conflicts.join(", ")))
        }
        Event::Redone { turn, conflicts, .. } if conflicts.is_empty() => Some(format!("turn {turn} was done again")),
        Event::Redone { turn, conflicts, .. } => {
            Some(format!("turn {turn} was done again, except for {}", conflicts.join(", ")))
        }
        Event::Compacted { before_tokens, after_tokens, .. } => {
            Some(format!("the conversation was summarised: {before_tokens} to {after_tokens} tokens"))
        }
        Event::Backgrounded { command, .. } => Some(format!("put into the background: {}", code(command))),
        Event::BackgroundEnded { summary, .. } => Some(format!("the command in the background ended: {summary}")),
        Event::FilesChanged { text, .. } => Some(text.trim().replace('\n', "\n> ")),
        Event::Reviewed { answers, .. } => {
            let is_left = |answer: &&HunkAnswer| answer.ruling != Ruling::Take;
            let n_pieces = answers.iter().filter(is_left).count();
            Some(format!(
                "{} of this change left or rewritten by the user",
                crate::base::text::count(n_pieces, "piece")
            ))
        }
        Event::Warning { text } => Some(format!("warning: {}", first_line(text, MAX_LINE_CHARS))),
        _ => None,
    }
}

/// Puts text on one line in code marks that it cannot close.
fn code(text: &str) -> String {
    let text = first_line(text, MAX_LINE_CHARS);
    if text.contains('`') { format!("`` {text} ``") } else { format!("`{text}`") }
}

fn fenced(diff: &FileDiff) -> String {
    let mut fence = "```".to_owned();
    while diff.unified.contains(&fence) {
        fence.push('`');
    }
    format!("{fence}diff\n{}\n{fence}", diff.unified.trim_end())
}
