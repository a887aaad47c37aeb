//! How do the agent's records become what a person reads?
//!
//! A pure reduction: the same records give the same transcript, whether they come one by one or from the session file. Records
//! only ever add an item or change one of the last; nothing is removed but what was taken back.

use std::collections::BTreeSet;

use crate::base::text::{count, one_line_name, suffix, visible};
use crate::protocol::diff::FileDiff;
use crate::protocol::event::{Author, Event, Record};
use crate::protocol::message::CallId;
use crate::protocol::plan::Plan;
use crate::protocol::tool::ToolOutcome;
use crate::protocol::tree::TreeChange;
use crate::tui::links::place;
use crate::tui::look::Look;
use crate::tui::state::item::{Call, CallState, Item, VerbTable, Verbs, What, ending};

/// The tool that replaces the plan; the plan itself is shown instead.
const PLAN_TOOL: &str = "update_plan";
/// Bytes of what a running command printed that are kept for looking at. The whole is in the session's folder.
const MAX_OUTPUT_BYTES: usize = 16_000;
/// Paths named of those a command changed.
const MAX_CHANGED: usize = 4;

/// What was said and done.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Transcript {
    items: Vec<Item>,
    next_id: u64,
    verbs: VerbTable,
    /// What the present turn changed so far.
    touched: Touched,
    /// The plan as last updated.
    pub plan: Option<Plan>,
    /// The running or last turn.
    turn: u32,
    /// What the person said that can be taken back, and what was taken back and may be done again.
    said: Vec<Said>,
    unsaid: Vec<Said>,
    /// What goes along with the words that come next.
    attached: Vec<String>,
    /// Files that calls were about, as they name them.
    paths: BTreeSet<String>,
}

/// Words of the person that still stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// The turn they belong to.
    pub turn: u32,
    /// The words.
    pub text: String,
}

/// What a turn changed.
#[derive(Debug, Clone, Default, PartialEq)]
struct Touched {
    files: BTreeSet<String>,
    added: usize,
    removed: usize,
}

impl Transcript {
    /// Starts an empty one.
    pub fn new(verbs: VerbTable) -> Self {
        Self { verbs, ..Self::default() }
    }

    /// Returns every item, oldest first.
    pub fn items(&self) -> &[Item] {
        &self.items
    }

    /// Returns what the person said that can be taken back, oldest first.
    pub fn messages(&self) -> &[Said] {
        &self.said
    }

    /// Says whether a call was about a file of this name.
    pub fn has_touched(&self, name: &str) -> bool {
        self.paths.contains(name)
    }

    /// Says how the work of a tool is called.
    pub fn verbs_of(&self, tool: &str) -> Verbs {
        let own = || Verbs { ask: tool.to_owned(), doing: tool.to_owned(), done: tool.to_owned() };
        self.verbs.get(tool).cloned().unwrap_or_else(own)
    }

    /// Adds a remark of the front end.
    pub fn note(&mut self, look: Look, text: impl Into<String>) {
        self.push(What::Note { look, text: text.into() });
    }

    /// Takes one record.
    pub fn take(&mut self, record: &Record) {
        let now = record.at_ms;
        self.count_turns(&record.event);
        match &record.event {
            Event::TextDelta { text } => self.words(text, now),
            Event::ReasoningDelta { text } => self.thought(text, now),
            Event::AssistantMessage { text, reasoning, .. } => self.said(text, reasoning, now),
            Event::ToolProposed { call, tool, target, .. } if tool != PLAN_TOOL => self.proposed(call, tool, target),
            Event::ApprovalAsked { call, .. } => self.call(call, |call| call.state = CallState::Asked),
            Event::ToolStarted { call, .. } => {
                self.call(call, |call| call.state = CallState::Running { from_ms: now });
            }
            Event::ToolOutput { call, text } => self.call(call, |call| call.print(text)),
            Event::ToolFinished { call, tool, outcome, summary, diffs, duration_ms, .. } => {
                self.touch(diffs);
                if self.find(call).is_none() && tool != PLAN_TOOL {
                    self.proposed(call, tool, "");
                }
                self.call(call, |call| {
                    call.diffs.clone_from(diffs);
                    call.state = CallState::Ended {
                        outcome: outcome.clone(),
                        summary: summary.clone(),
                        duration_ms: *duration_ms,
                    };
                });
                if tool == PLAN_TOOL && !matches!(outcome, ToolOutcome::Ok { .. }) {
                    self.note(Look::Bad, format!("x the plan was not changed: {summary}"));
                }
            }
            _ => self.remark(&record.event, now),
        }
    }

    /// Follows which words of the person can be taken back.
    fn count_turns(&mut self, event: &Event) {
        match event {
            Event::TurnStarted { turn } => {
                self.turn = *turn;
                self.touched = Touched::default();
                self.unsaid.clear();
            }
            Event::UserMessage { author: Author::User, text } => {
                self.said.push(Said { turn: self.turn, text: text.clone() });
            }
            Event::Undone { turn, .. } => {
                let (gone, kept) = std::mem::take(&mut self.said).into_iter().partition(|said| said.turn >= *turn);
                self.said = kept;
                self.unsaid.splice(0..0, gone);
            }
            Event::Redone { turn, .. } => {
                let (back, kept) = std::mem::take(&mut self.unsaid).into_iter().partition(|said| said.turn <= *turn);
                self.unsaid = kept;
                self.said.extend::<Vec<Said>>(back);
            }
            Event::Compacted { .. } => self.said.clear(),
            _ => {}
        }
    }

    /// Takes what is said about the conversation rather than in it.
    fn remark(&mut self, event: &Event, now: u64) {
        match event {
            Event::UserMessage { author: Author::User, text } => {
                self.push(What::Person(text.clone()));
                for label in std::mem::take(&mut self.attached) {
                    self.note(Look::Dim, format!("  + {label}"));
                }
            }
            Event::Attached { attached } => {
                self.attached.extend(attached.iter().map(|one| visible(&one_line_name(&one.label)).into_owned()));
            }
            Event::StreamReset => self.reset(),
            Event::PlanUpdated { plan } => self.planned(plan),
            Event::FilesChanged { files, .. } => {
                let names: Vec<String> = files.iter().map(|file| file.path.display().to_string()).collect();
                self.note(Look::Dim, format!("changed since the model saw it: {}", names.join(", ")));
            }
            Event::TreeChanged { call: Some(_), change, .. } => {
                let n_shown = change.changed.len().min(change.n_changed.saturating_sub(change.n_ignored));
                self.touched.files.extend(change.changed[..n_shown].iter().cloned());
                self.tree_changed(change);
            }
            Event::Undone { turn, restored, conflicts, .. } => {
                self.moved_in_time(&format!("turn {turn} taken back; restored"), restored, conflicts);
            }
            Event::Redone { turn, restored, conflicts, .. } => {
                self.moved_in_time(&format!("turn {turn} done again; changed"), restored, conflicts);
            }
            Event::Compacted { before_tokens, after_tokens, .. } => {
                self.note(Look::Notice, format!("conversation summarised: {before_tokens} to {after_tokens} tokens"));
            }
            Event::Dropped { freed_tokens, .. } => {
                self.note(Look::Dim, format!("a result was taken out of the window: about {freed_tokens} tokens"));
            }
            Event::ModeChanged { mode } => self.note(Look::Dim, format!("mode: {}", mode.name())),
            Event::ModelChanged { model } => self.note(Look::Dim, format!("model: {model}")),
            Event::Warning { text } => self.note(Look::Notice, format!("! {text}")),
            Event::TurnDone { end, .. } => {
                self.close(now);
                if let Some((look, text)) = ending(end) {
                    self.note(look, text);
                }
                let Touched { files, added, removed } = std::mem::take(&mut self.touched);
                if !files.is_empty() {
                    self.push(What::Changed { files: files.len(), added, removed });
                }
            }
            _ => {}
        }
    }

    fn touch(&mut self, diffs: &[FileDiff]) {
        for diff in diffs {
            self.paths.insert(diff.path.clone());
            self.touched.files.insert(diff.path.clone());
            self.touched.added += diff.added;
            self.touched.removed += diff.removed;
        }
    }

    fn push(&mut self, what: What) {
        self.items.push(Item { id: self.next_id, version: 0, what });
        self.next_id += 1;
    }

    fn last(&mut self) -> Option<&mut Item> {
        self.items.last_mut()
    }

    fn words(&mut self, more: &str, now: u64) {
        if more.is_empty() {
            return;
        }
        self.end_thought(now);
        match self.last() {
            Some(Item { what: What::Words { text, is_open: true }, version, .. }) => {
                text.push_str(more);
                *version += 1;
            }
            _ => self.push(What::Words { text: more.to_owned(), is_open: true }),
        }
    }

    fn thought(&mut self, more: &str, now: u64) {
        match self.last() {
            Some(Item { what: What::Thought { text, to_ms: None, .. }, version, .. }) => {
                text.push_str(more);
                *version += 1;
            }
            _ => self.push(What::Thought { text: more.to_owned(), from_ms: now, to_ms: None }),
        }
    }

    fn end_thought(&mut self, now: u64) {
        if let Some(Item { what: What::Thought { to_ms: to_ms @ None, .. }, version, .. }) = self.last() {
            *to_ms = Some(now);
            *version += 1;
        }
    }

    /// Takes a whole message: what came in pieces stands already, what did not is added.
    fn said(&mut self, text: &str, reasoning: &str, now: u64) {
        self.end_thought(now);
        let open =
            self.items.iter_mut().rev().take(2).find(|item| matches!(item.what, What::Words { is_open: true, .. }));
        match open {
            Some(item) => {
                item.what = What::Words { text: text.to_owned(), is_open: false };
                item.version += 1;
            }
            None => {
                let thinks = matches!(self.items.last(), Some(Item { what: What::Thought { .. }, .. }));
                if !reasoning.is_empty() && !thinks {
                    self.push(What::Thought { text: reasoning.to_owned(), from_ms: now, to_ms: Some(now) });
                }
                if !text.trim().is_empty() {
                    self.push(What::Words { text: text.to_owned(), is_open: false });
                }
            }
        }
        // What was nothing but a call leaves no empty words behind.
        self.items.retain(|item| !matches!(&item.what, What::Words { text, .. } if text.trim().is_empty()));
    }

    /// The answer broke off and comes again: what stood of it goes.
    fn reset(&mut self) {
        while matches!(
            self.items.last(),
            Some(Item { what: What::Words { is_open: true, .. } | What::Thought { to_ms: None, .. }, .. })
        ) {
            self.items.pop();
        }
        self.note(Look::Notice, "(the answer broke off; asking again)");
    }

    fn close(&mut self, now: u64) {
        self.end_thought(now);
        if let Some(Item { what: What::Words { is_open, .. }, version, .. }) = self.last() {
            *is_open = false;
            *version += 1;
        }
    }

    fn proposed(&mut self, call: &CallId, tool: &str, target: &str) {
        let verbs = self.verbs_of(tool);
        // A command is no name; whether the file is there is its reader's matter.
        let (name, _) = place(target);
        if name.contains(['.', '/']) && !name.contains(char::is_whitespace) {
            self.paths.insert(name.to_owned());
        }
        self.push(What::Call(Box::new(Call {
            id: call.clone(),
            tool: tool.to_owned(),
            verbs,
            target: target.to_owned(),
            state: CallState::Proposed,
            output: String::new(),
            n_output_bytes: 0,
            diffs: Vec::new(),
        })));
    }

    fn find(&mut self, id: &CallId) -> Option<&mut Item> {
        self.items.iter_mut().rev().find(|item| matches!(&item.what, What::Call(call) if call.id == *id))
    }

    /// Changes a call, if it is there.
    fn call(&mut self, id: &CallId, change: impl FnOnce(&mut Call)) {
        if let Some(Item { what: What::Call(call), version, .. }) = self.find(id) {
            change(call);
            *version += 1;
        }
    }

    fn planned(&mut self, plan: &Plan) {
        self.plan = Some(plan.clone());
        match self.last() {
            Some(Item { what: What::Plan(shown), version, .. }) => {
                shown.clone_from(plan);
                *version += 1;
            }
            _ => self.push(What::Plan(plan.clone())),
        }
    }

    /// Names what a command changed; build products that git ignores would say nothing.
    fn tree_changed(&mut self, change: &TreeChange) {
        let n = change.n_changed.saturating_sub(change.n_ignored);
        let names = &change.changed[..change.changed.len().min(n).min(MAX_CHANGED)];
        if n > 0 {
            let more = n - names.len();
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            self.note(Look::Dim, format!("  changed {}{more}", names.join(", ")));
        }
    }

    fn moved_in_time(&mut self, what: &str, files: &[String], conflicts: &[String]) {
        let shown: Vec<_> = files.iter().take(10).map(|name| one_line_name(name)).collect();
        let text = match files.len() {
            0 => format!("{what}: no files"),
            n if n > shown.len() => format!("{what}: {} of {}", shown.join(", "), count(n, "file")),
            _ => format!("{what}: {}", shown.join(", ")),
        };
        self.note(Look::Plain, text);
        for conflict in conflicts {
            self.note(Look::Notice, format!("! left alone: {conflict}"));
        }
    }
}

impl Call {
    fn print(&mut self, text: &str) {
        self.n_output_bytes += text.len() as u64;
        self.output.push_str(text);
        // Cut seldom and by half, so that a command that prints without end costs little.
        if self.output.len() > MAX_OUTPUT_BYTES {
            self.output = suffix(&self.output, MAX_OUTPUT_BYTES / 2).to_owned();
        }
    }
}

#[cfg(test)]
#[path = "transcript_tests.rs"]
mod tests;
