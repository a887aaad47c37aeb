//! How does a conversation go back to before a turn, and forward again?
//!
//! Part of the fold in [`crate::session::transcript`], so no I/O here either. A turn that is taken back is set aside whole until
//! the person speaks again; doing it again puts it in its place. Of a turn that went into a summary only the files move.

use std::sync::Arc;

use crate::protocol::event::Event;
use crate::protocol::message::{Image, Message};
use crate::protocol::plan::Plan;
use crate::session::error::SessionError;
use crate::session::knowledge::Knowledge;
use crate::session::transcript::{Checkpoint, Transcript};

/// The state to return to when a turn is taken back.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Mark {
    pub(super) turn: u32,
    pub(super) n_messages: usize,
    /// Length of the last message, because the person's words may be joined to it.
    pub(super) last_bytes: usize,
    /// Images it shows, for the same reason.
    pub(super) n_images: usize,
    pub(super) ends_in_facts: bool,
    pub(super) plan: Option<Plan>,
    pub(super) last_user_text: Option<String>,
    pub(super) n_files: usize,
    pub(super) knowledge: Arc<Knowledge>,
}

/// A turn that was taken back, as it was.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Taken {
    turn: u32,
    checkpoint: Option<String>,
    points: Vec<Checkpoint>,
    /// Its part of the conversation; none when it is in a summary.
    words: Option<Words>,
}

#[derive(Debug, Clone, PartialEq)]
struct Words {
    messages: Vec<Message>,
    /// What was joined to the message before.
    joined: String,
    joined_images: Vec<Image>,
    marks: Vec<Mark>,
    files_changed: Vec<String>,
    knowledge: Arc<Knowledge>,
    plan: Option<Plan>,
    last_user_text: Option<String>,
    opening: Option<String>,
    ends_in_facts: bool,
    partial: Option<String>,
}

/// What the model does not know yet: files that were put back, or changed again, behind its back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct News {
    /// The turn.
    pub turn: u32,
    /// Whether it was done again rather than taken back.
    pub is_redone: bool,
    /// Files put back.
    pub restored: Vec<String>,
    /// Files left alone, each with the reason.
    pub conflicts: Vec<String>,
}

impl Transcript {
    /// Returns the turn `Op::Redo` would do again, and the name under which what its undo replaced is kept.
    pub fn redoable(&self) -> Result<(u32, Option<String>), SessionError> {
        let taken = self.taken.last().ok_or(SessionError::NothingToRedo)?;
        Ok((taken.turn, taken.checkpoint.clone()))
    }

    /// Takes a turn back or does one again, as the event says.
    pub(super) fn rewind(&mut self, event: &Event) {
        let (Event::Undone { turn, restored, conflicts, checkpoint }
        | Event::Redone { turn, restored, conflicts, checkpoint }) = event
        else {
            return;
        };
        let is_redone = matches!(event, Event::Redone { .. });
        if is_redone {
            self.give_back(*turn);
        } else {
            self.take_back(*turn, conflicts, checkpoint.clone());
        }
        self.noted.extend(checkpoint.clone());
        // One takes the other back, as far as the model is concerned.
        if self.news.last().is_some_and(|news| news.turn == *turn && news.is_redone != is_redone) {
            self.news.pop();
        } else if !restored.is_empty() || !conflicts.is_empty() {
            let (restored, conflicts) = (restored.clone(), conflicts.clone());
            self.news.push(News { turn: *turn, is_redone, restored, conflicts });
        }
    }

    pub(super) fn mark(&self) -> Mark {
        Mark {
            turn: 0,
            n_messages: self.messages.len(),
            last_bytes: self.messages.last().map_or(0, |message| message.text().len()),
            n_images: match self.messages.last() {
                Some(Message::User { images, .. }) => images.len(),
                _ => 0,
            },
            ends_in_facts: self.ends_in_facts,
            plan: self.plan.clone(),
            last_user_text: self.last_user_text.clone(),
            n_files: self.files_changed.len(),
            knowledge: self.knowledge.clone(),
        }
    }

    /// Returns the conversation to where the turn began.
    fn take_back(&mut self, turn: u32, conflicts: &[String], checkpoint: Option<String>) {
        let points = std::mem::take(&mut self.checkpoints);
        let (points, left) = points.into_iter().partition(|point| point.turn >= turn);
        self.checkpoints = left;
        self.unfinished.clear();
        let words = self.cut(turn, conflicts);
        self.taken.push(Taken { turn, checkpoint, points, words });
    }

    fn cut(&mut self, turn: u32, conflicts: &[String]) -> Option<Words> {
        let at = self.marks.iter().position(|mark| mark.turn >= turn)?;
        let marks = self.marks.split_off(at);
        let mark = marks.first()?.clone();
        let mut words = Words {
            messages: self.messages.split_off(mark.n_messages.min(self.messages.len())),
            joined: String::new(),
            joined_images: Vec::new(),
            marks,
            files_changed: self.files_changed.clone(),
            knowledge: self.knowledge.clone(),
            plan: self.plan.take(),
            last_user_text: self.last_user_text.take(),
            opening: self.opening.clone(),
            ends_in_facts: self.ends_in_facts,
            partial: self.partial.take(),
        };
        if self.messages.is_empty() {
            self.opening = None;
        }
        if let Some(Message::User { text, images }) = self.messages.last_mut() {
            words.joined_images = images.split_off(mark.n_images.min(images.len()));
            words.joined = text.get(mark.last_bytes..).unwrap_or_default().to_owned();
            text.truncate(mark.last_bytes);
        }
        let files = self.files_changed.split_off(mark.n_files.min(self.files_changed.len()));
        self.files_changed
            .extend(files.into_iter().filter(|file| conflicts.iter().any(|conflict| names(conflict, file))));
        self.plan = mark.plan;
        self.knowledge = mark.knowledge;
        self.last_user_text = mark.last_user_text;
        self.ends_in_facts = mark.ends_in_facts;
        self.early = None;
        self.open.clear();
        (self.is_in_turn, self.has_request) = (false, false);
        Some(words)
    }

    /// Puts the turn taken back last in its place again. Does nothing when that was another one.
    fn give_back(&mut self, turn: u32) {
        let Some(taken) = self.taken.pop_if(|taken| taken.turn == turn) else { return };
        self.checkpoints.extend(taken.points);
        let Some(words) = taken.words else { return };
        if let Some(Message::User { text, images }) = self.messages.last_mut() {
            images.extend(words.joined_images);
            text.push_str(&words.joined);
        }
        self.messages.extend(words.messages);
        self.marks.extend(words.marks);
        self.files_changed = words.files_changed;
        self.plan = words.plan;
        self.knowledge = words.knowledge;
        self.last_user_text = words.last_user_text;
        self.opening = words.opening;
        self.ends_in_facts = words.ends_in_facts;
        self.partial = words.partial;
        self.early = None;
        self.open.clear();
        (self.is_in_turn, self.has_request) = (false, false);
    }
}

/// Says whether a conflict, `src/a.rs` or `src/a.rs: it changed since`, is about the file.
fn names(conflict: &str, file: &str) -> bool {
    conflict.strip_prefix(file).is_some_and(|rest| rest.is_empty() || rest.starts_with(": "))
}
