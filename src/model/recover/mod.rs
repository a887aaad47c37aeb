//! Which tool calls stand in the words of an answer, because the server failed to take them out?
//!
//! Every answer passes here on its way to the assembler. A call is believed when it names a tool on offer, begins a line,
//! stands outside of fences, inline code, quotes, examples and thoughts, fits the tool's schema after harmless repairs,
//! and is whole. JSON without marks must end the message; in a fence it must be all of it. Everything else stays words.
//! Believed calls leave the words before anybody sees them and join the server's own, whose arguments are repaired too.
//! Must never complete what broke off, nor touch arguments that are fine: their bytes are the prompt's prefix.
//! To add a family: rows in `wrapper`, and a reader only for a new way to write arguments.

pub mod alias;
pub mod block;
pub mod coerce;
pub mod explain;
pub mod json;
pub mod named;
pub mod peek;
pub mod repair;
pub mod scan;
pub mod schema;
pub mod stream;
pub mod toolbox;
pub mod trial;
pub mod wrapper;
pub mod xml;

use std::collections::BTreeMap;

use crate::model::recover::stream::{Dropped, Findings, Words};
use crate::model::recover::toolbox::Toolbox;
use crate::model::{Answer, FailedCall, Finish, Request, StreamEvent, ToolPiece};
use crate::protocol::message::{CallId, ToolCall};

/// Takes the calls out of the words of one answer.
pub struct Recoverer {
    toolbox: Toolbox,
    id_prefix: String,
    words: Words,
    /// Calls that the server took out of examples, by their index.
    quoted: BTreeMap<usize, ToolPiece>,
}

impl Recoverer {
    /// Starts an answer to `request`. Calls found become `call_<prefix>_r<n>`; see `Assembler::new`.
    pub fn new(request: &Request, id_prefix: &str) -> Self {
        let toolbox = Toolbox::new(request.tools.clone());
        // An answer that has to be JSON is no call, even when it looks like one.
        let words = Words::new(toolbox.clone(), request.answer_schema.is_none());
        Self { toolbox, id_prefix: id_prefix.to_owned(), words, quoted: BTreeMap::new() }
    }

    /// Passes an event on, words only as far as they may be shown by now.
    pub fn pass(&mut self, event: StreamEvent) -> Option<StreamEvent> {
        match event {
            StreamEvent::Text(piece) => {
                let shown = self.words.push(&piece);
                (!shown.is_empty()).then_some(StreamEvent::Text(shown))
            }
            StreamEvent::Tool(piece) => self.pass_call(piece),
            other => Some(other),
        }
    }

    /// Servers look for calls everywhere, so that they make one of each that is explained, which the words around it show.
    fn pass_call(&mut self, piece: ToolPiece) -> Option<StreamEvent> {
        let is_new = piece.index >= self.words.n_structured;
        if self.quoted.contains_key(&piece.index) || (is_new && self.words.shows_example()) {
            let kept = self.quoted.entry(piece.index).or_default();
            kept.name = kept.name.take().or(piece.name);
            kept.arguments.push_str(&piece.arguments);
            return None;
        }
        self.words.n_structured = self.words.n_structured.max(piece.index + 1);
        Some(StreamEvent::Tool(piece))
    }

    /// Ends the stream; returns the words that had to wait.
    pub fn end(&mut self) -> Option<StreamEvent> {
        let shown = self.words.finish();
        (!shown.is_empty()).then_some(StreamEvent::Text(shown))
    }

    /// Completes the assembled answer: adds the calls that were found, repairs the server's own, counts both. Returns
    /// what looked like a call and is none.
    pub fn settle(&mut self, finish: Finish, answer: &mut Answer) -> Vec<Dropped> {
        let Findings { mut calls, mut dropped, cut, stray_closers } = std::mem::take(&mut self.words.findings);
        let quoted: Vec<ToolPiece> = std::mem::take(&mut self.quoted).into_values().collect();
        if self.words.shows_example() {
            answer.quoted_call = quoted.first().map(|piece| piece.name.clone().unwrap_or_default());
        }
        let why = "an example shows it".to_owned();
        let refused =
            |piece: ToolPiece| Dropped { why: why.clone(), name: piece.name, text: piece.arguments, is_meant: false };
        dropped.extend(quoted.into_iter().map(refused));
        let mut counts: BTreeMap<String, u32> = BTreeMap::new();
        let mut count = |kind: &str| *counts.entry(kind.to_owned()).or_default() += 1;
        for call in &mut answer.tool_calls {
            repair::repair(&self.toolbox, call, &mut count);
        }
        let mut cut = cut;
        if finish == Finish::Length
            && cut.is_none()
            && let Some(last) = calls.pop()
        {
            dropped.push(Dropped {
                why: "the answer was cut off at its length limit".to_owned(),
                name: Some(last.call.name.clone()),
                text: last.call.arguments,
                is_meant: false,
            });
            cut = Some(last.call.name);
        }
        let (mut merged, mut structured) = (Vec::new(), std::mem::take(&mut answer.tool_calls).into_iter());
        for (n, found) in calls.into_iter().enumerate() {
            let n_before = found.after.saturating_sub(n_of_server(&merged, &self.id_prefix));
            merged.extend(structured.by_ref().take(n_before));
            let (name, arguments) = (found.call.name, found.call.arguments);
            let id = CallId(format!("call_{}_r{n}", self.id_prefix));
            let is_same = |call: &ToolCall| call.name == name && repair::is_same(&call.arguments, &arguments);
            if merged.iter().chain(structured.as_slice()).filter(|call| !is_ours(call, &self.id_prefix)).any(is_same) {
                let why = "the server reported the same call".to_owned();
                dropped.push(Dropped { why, name: Some(name), text: arguments, is_meant: false });
                continue;
            }
            count(found.call.kind);
            merged.push(ToolCall { id, name, arguments });
        }
        merged.extend(structured);
        answer.tool_calls = merged;
        if stray_closers > 0 {
            counts.insert("stray_closer".to_owned(), stray_closers);
        }
        answer.cut_call = answer.cut_call.take().or(cut);
        answer.stats.recovered.extend(counts);
        if finish == Finish::Stop && answer.tool_calls.is_empty() && answer.cut_call.is_none() {
            answer.failed_call = dropped.last().and_then(|last| failed(last, &answer.text));
        }
        dropped
    }
}

/// Returns what was dropped as a call that failed, if it was meant as one and `text` ends with it: what words follow on is
/// more likely an explanation.
fn failed(dropped: &Dropped, text: &str) -> Option<FailedCall> {
    let is_end = !dropped.text.is_empty() && text.trim_end().ends_with(dropped.text.trim_end());
    let failed = || FailedCall { tool: dropped.name.clone().unwrap_or_default(), why: dropped.why.clone() };
    (dropped.is_meant && is_end).then(failed)
}

fn is_ours(call: &ToolCall, prefix: &str) -> bool {
    call.id.0.strip_prefix("call_").and_then(|id| id.strip_prefix(prefix)).is_some_and(|id| id.starts_with("_r"))
}

fn n_of_server(calls: &[ToolCall], prefix: &str) -> usize {
    calls.iter().filter(|call| !is_ours(call, prefix)).count()
}
