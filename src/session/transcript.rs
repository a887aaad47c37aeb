//! What do the events of a session add up to?
//!
//! A pure fold: the running agent applies each record as it is written, a resumed one applies those in the file, and both
//! hold the same conversation. Must not do I/O. At every moment each call of the model has exactly one outcome behind it,
//! in the model's order; one that is not known yet stands as cancelled, so that a crash needs no repair.

use std::sync::Arc;

use crate::base::text::first_line;
use crate::protocol::attached::Attached;
use crate::protocol::diff::{Change, FileDiff};
use crate::protocol::event::{Author, Event, Record, TurnEnd};
use crate::protocol::message::{CallId, Message, ToolCall, Usage};
use crate::protocol::op::Mode;
use crate::protocol::plan::Plan;
use crate::protocol::tool::ToolOutcome;
use crate::session::error::SessionError;
use crate::session::knowledge::Knowledge;
use crate::session::rewind::{Mark, News, Taken};

/// Longest title, in characters: one line of a list.
pub const MAX_TITLE_CHARS: usize = 80;

/// Something that can be taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept {
    /// The change of one file by a call that named it.
    File(Change),
    /// What a command changed, by the name under which it is kept.
    Tree(String),
}

/// Something that can be taken back, and the turn it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The turn.
    pub turn: u32,
    /// What it is.
    pub kept: Kept,
}

/// A change a call was about to make when the file ends: it may have happened or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfinished {
    /// The call.
    pub call: CallId,
    /// The turn.
    pub turn: u32,
    /// The change as it would be. Where nobody knows the content it leads to, it claims to lead to the content before, so
    /// that a file which looks different is left alone.
    pub change: Change,
}

/// A command behind the turns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Background {
    /// Its name there.
    pub name: CallId,
    /// The command.
    pub command: String,
    /// How it ended, with that in a few words; none while it runs.
    pub ended: Option<(ToolOutcome, String)>,
}

/// A session as of its last record.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Transcript {
    /// The conversation exactly as the model must see it next, without the system message.
    pub messages: Vec<Message>,
    /// What the model streamed and never finished, for display; none of it is in `messages`.
    pub partial: Option<String>,
    /// The model's plan.
    pub plan: Option<Plan>,
    /// The mode last chosen.
    pub mode: Option<Mode>,
    /// The model last chosen.
    pub model: Option<String>,
    /// The model that answered last.
    pub answered_by: Option<String>,
    /// Number of the latest turn ever begun, taken back or not; the next turn is this plus one.
    pub turns: u32,
    /// Tokens of all requests. Taking a turn back does not give its tokens back.
    pub usage: Usage,
    /// Tokens the conversation took at the last request.
    pub context_tokens: u64,
    /// Tokens the model can take.
    pub window_tokens: u64,
    /// The facts about the project as the model was told them; none when it has to be told again.
    pub opening: Option<String>,
    /// First line of the person's first words.
    pub title: Option<String>,
    /// The person's last request that still stands, with what they added while it was carried out.
    pub last_user_text: Option<String>,
    /// Words kept for later and not yet delivered.
    pub queued: Vec<String>,
    /// Files changed by turns that stand, in the order of their first change.
    pub files_changed: Vec<String>,
    /// File changes that can be taken back, oldest first.
    pub checkpoints: Vec<Checkpoint>,
    /// Which files the model has seen.
    pub knowledge: Arc<Knowledge>,
    /// Changes of calls that have not ended.
    pub unfinished: Vec<Unfinished>,
    /// Commands behind the turns that run, or whose end the model has not been told.
    pub background: Vec<Background>,
    /// Turns taken back or done again since the person last spoke.
    pub news: Vec<News>,
    /// Names of what is kept that the session has taken note of.
    pub noted: Vec<String>,
    /// Turns that can be done again, the last one taken back at the end.
    pub(super) taken: Vec<Taken>,
    /// When the last record was written, in milliseconds since the Unix epoch.
    pub last_at_ms: u64,
    /// Calls of the latest answer and the places of their outcomes.
    pub(super) open: Vec<OpenCall>,
    /// Where each turn that can be taken back began.
    pub(super) marks: Vec<Mark>,
    /// Where the next turn began, when a message came before its `TurnStarted`.
    pub(super) early: Option<Mark>,
    pub(super) is_in_turn: bool,
    /// Whether the person has spoken in this turn: more words add to the request instead of replacing it.
    pub(super) has_request: bool,
    /// Whether the last message is facts about the project, a summary not sent yet or a note before the person's words, which
    /// join it.
    pub(super) ends_in_facts: bool,
    /// The latest turn that went into a summary.
    summarised: Option<u32>,
}

/// A call and the place of its outcome among the messages.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct OpenCall {
    id: CallId,
    at: usize,
    is_answered: bool,
}

impl Transcript {
    /// Adds one record. Records must come in the order they were written.
    pub fn apply(&mut self, record: &Record) {
        self.last_at_ms = record.at_ms;
        match &record.event {
            Event::TurnStarted { turn } => self.start_turn(*turn),
            Event::TurnDone { end, .. } => self.end_turn(end),
            Event::UserMessage { author, text } => self.hear(*author, text),
            Event::Attached { attached } => {
                // Whatever has ended goes along with the first that is attached.
                self.background.retain(|one| one.ended.is_none());
                attached.iter().for_each(|one| self.attach(one));
            }
            Event::Queued { text } => self.queued.push(text.clone()),
            Event::TextDelta { text } => self.partial.get_or_insert_default().push_str(text),
            Event::StreamReset => self.partial = None,
            Event::AssistantMessage { text, tool_calls, .. } => self.answer(text, tool_calls),
            Event::ToolFinished { call, outcome, diffs, seen, .. } => {
                if !seen.is_empty() {
                    Arc::make_mut(&mut self.knowledge).see(seen);
                }
                self.finish(call, outcome, diffs);
            }
            Event::FilesChanged { files, text } => {
                Arc::make_mut(&mut self.knowledge).tell(files);
                self.add_facts(text);
            }
            Event::PlanUpdated { plan } => self.plan = Some(plan.clone()),
            Event::Usage { usage, model, context_tokens, window_tokens, .. } => {
                self.usage += *usage;
                self.answered_by = Some(model.clone());
                self.context_tokens = *context_tokens;
                self.window_tokens = *window_tokens;
            }
            Event::ModeChanged { mode } => self.mode = Some(*mode),
            Event::ModelChanged { model } => self.model = Some(model.clone()),
            Event::FileKept { turn, call, path, before, promised, mode } => {
                let after = promised.clone().or_else(|| before.clone());
                let change = Change { path: path.clone(), before: before.clone(), after, mode: *mode };
                self.unfinished.push(Unfinished { call: call.clone(), turn: *turn, change });
            }
            Event::Checkpointed { turn, path, before, after, mode } => {
                self.unfinished.retain(|open| open.change.path != *path);
                let (path, before, after) = (path.clone(), before.clone(), after.clone());
                let kept = Kept::File(Change { path, before, after, mode: *mode });
                self.checkpoints.push(Checkpoint { turn: *turn, kept });
            }
            Event::TreeChanged { turn, change, .. } => {
                self.noted.push(change.checkpoint.clone());
                self.checkpoints.push(Checkpoint { turn: *turn, kept: Kept::Tree(change.checkpoint.clone()) });
            }
            Event::Backgrounded { behind, command, .. } => {
                self.background.push(Background { name: behind.clone(), command: command.clone(), ended: None });
            }
            Event::BackgroundEnded { behind, outcome, summary, .. } => {
                let running = self.background.iter_mut().filter(|one| one.name == *behind);
                running.for_each(|one| one.ended = Some((outcome.clone(), summary.clone())));
            }
            Event::Undone { .. } | Event::Redone { .. } => self.rewind(&record.event),
            Event::Dropped { call, text, freed_tokens } => self.leave_out(call, text, *freed_tokens),
            Event::Compacted { text, after_tokens, .. } => self.compact(text, *after_tokens),
            Event::PhaseChanged { .. }
            | Event::Waiting(_)
            | Event::Retrying { .. }
            | Event::ReasoningDelta { .. }
            | Event::ToolProposed { .. }
            | Event::ApprovalAsked { .. }
            | Event::Approved { .. }
            | Event::Reviewed { .. }
            | Event::QuestionAsked { .. }
            | Event::ToolStarted { .. }
            | Event::ToolOutput { .. }
            | Event::Warning { .. } => {}
        }
    }

    /// Returns the turn `Op::Undo` would take back; fails when there is none, or when it went into a summary.
    pub fn undoable(&self) -> Result<u32, SessionError> {
        match (self.marks.last(), self.summarised) {
            (Some(mark), _) => Ok(mark.turn),
            (None, Some(turn)) => Err(SessionError::Summarised { turn }),
            (None, None) => Err(SessionError::NothingToUndo),
        }
    }

    /// Returns what can be taken back of `turn` and later ones, oldest first.
    pub fn kept_since(&self, turn: u32) -> Vec<Kept> {
        self.checkpoints.iter().filter(|point| point.turn >= turn).map(|point| point.kept.clone()).collect()
    }

    fn start_turn(&mut self, turn: u32) {
        let mark = self.early.take().unwrap_or_else(|| self.mark());
        self.taken.clear();
        self.marks.push(Mark { turn, ..mark });
        self.turns = self.turns.max(turn);
        self.is_in_turn = true;
        self.has_request = false;
        self.partial = None;
        // Whoever began this turn has looked at them.
        self.unfinished.clear();
        // An outcome that comes later than this would change what the model has been told.
        self.open.clear();
    }

    fn end_turn(&mut self, end: &TurnEnd) {
        (self.is_in_turn, self.has_request) = (false, false);
        if *end == TurnEnd::Interrupted
            && let Some(text) = self.partial.take()
        {
            // The model must know what the person has seen of its answer.
            self.answer(&text, &[]);
        }
    }

    fn hear(&mut self, author: Author, text: &str) {
        if !self.is_in_turn && self.early.is_none() {
            self.early = Some(self.mark());
            self.taken.clear();
        }
        if author == Author::Project {
            self.opening = Some(text.to_owned());
        }
        if author == Author::User {
            self.news.clear();
            self.title.get_or_insert_with(|| first_line(text, MAX_TITLE_CHARS));
            self.last_user_text = match self.last_user_text.take() {
                Some(asked) if self.has_request => Some(format!("{asked}\n\n{text}")),
                _ => Some(text.to_owned()),
            };
            self.has_request = self.is_in_turn;
            // Several kept pieces may be delivered as one message.
            self.queued.retain(|kept| !text.contains(kept.as_str()));
        }
        // A note for the model goes with the person's words that follow.
        let is_note = author == Author::Mimi && self.is_in_turn && !self.has_request;
        match self.messages.last_mut() {
            Some(Message::User { text: facts, .. }) if self.ends_in_facts && (author == Author::User || is_note) => {
                facts.push_str("\n\n");
                facts.push_str(text);
            }
            _ => self.messages.push(Message::user(text)),
        }
        self.ends_in_facts = is_note || author == Author::Project;
    }

    /// Puts facts before the words of the person, which join them.
    fn add_facts(&mut self, text: &str) {
        match self.messages.last_mut() {
            Some(Message::User { text: facts, .. }) if self.ends_in_facts => {
                facts.push_str("\n\n");
                facts.push_str(text);
            }
            _ => self.messages.push(Message::user(text)),
        }
        self.ends_in_facts = true;
    }

    /// Puts what the person attached before their words.
    fn attach(&mut self, attached: &Attached) {
        self.add_facts(&attached.text);
        if let Some(Message::User { images, .. }) = self.messages.last_mut() {
            images.extend(attached.image.clone());
        }
    }

    fn answer(&mut self, text: &str, tool_calls: &[ToolCall]) {
        self.partial = None;
        self.open.clear();
        if text.trim().is_empty() && tool_calls.is_empty() {
            return;
        }
        self.ends_in_facts = false;
        self.messages.push(Message::Assistant { text: text.to_owned(), tool_calls: tool_calls.to_vec() });
        for call in tool_calls {
            self.open.push(OpenCall { id: call.id.clone(), at: self.messages.len(), is_answered: false });
            let text = ToolOutcome::Cancelled.text().to_owned();
            self.messages.push(Message::Tool { call_id: call.id.clone(), name: call.name.clone(), text });
        }
    }

    /// Puts an outcome in its place. One without a call in the latest answer is left out: servers refuse such.
    fn finish(&mut self, call: &CallId, outcome: &ToolOutcome, diffs: &[FileDiff]) {
        self.unfinished.retain(|open| open.call != *call);
        for diff in diffs {
            if !self.files_changed.contains(&diff.path) {
                self.files_changed.push(diff.path.clone());
            }
        }
        // Ids may repeat within one answer of a careless server; outcomes then come in the order of the calls.
        let Some(open) = self.open.iter_mut().find(|open| open.id == *call && !open.is_answered) else {
            return;
        };
        open.is_answered = true;
        if let Some(Message::Tool { text, .. }) = self.messages.get_mut(open.at) {
            outcome.text().clone_into(text);
        }
    }

    /// Puts something short in the place of a result.
    fn leave_out(&mut self, call: &CallId, instead: &str, freed_tokens: u64) {
        let results = self.messages.iter_mut().rev();
        for message in results {
            if let Message::Tool { call_id, text, .. } = message
                && call_id == call
            {
                instead.clone_into(text);
                self.context_tokens = self.context_tokens.saturating_sub(freed_tokens);
                break;
            }
        }
    }

    fn compact(&mut self, summary: &str, after_tokens: u64) {
        let begins_here = self.marks.pop().filter(|mark| self.is_in_turn && self.is_at(mark));
        self.summarised = Some(self.turns).filter(|turns| *turns > 0);
        self.messages = vec![Message::user(summary)];
        self.context_tokens = after_tokens;
        // Nobody has been sent it yet, so that the person's next words can join it.
        self.ends_in_facts = !self.is_in_turn;
        self.partial = None;
        self.early = None;
        self.open.clear();
        self.marks.clear();
        self.taken.clear();
        // A turn that has said nothing yet begins behind the summary.
        if let Some(mark) = begins_here {
            self.summarised = Some(mark.turn.saturating_sub(1)).filter(|turn| *turn > 0);
            self.marks.push(Mark { turn: mark.turn, ..self.mark() });
        }
    }

    fn is_at(&self, mark: &Mark) -> bool {
        let last_bytes = self.messages.last().map_or(0, |message| message.text().len());
        (mark.n_messages, mark.last_bytes) == (self.messages.len(), last_bytes)
    }
}

#[cfg(test)]
#[path = "transcript_tests.rs"]
mod tests;
