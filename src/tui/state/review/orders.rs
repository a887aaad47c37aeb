//! How do decisions that change files become real, one after the other, and how are they undone?
//!
//! A decision is shown at once and ordered; one order is under way at a time. One that fails takes its decision back, and those
//! that were ordered after it. Must not order the next before the last is answered: it builds on it.

use std::collections::VecDeque;

use crate::protocol::changes::{Order, Remark};
use crate::tui::state::review::Review;
use crate::tui::state::review::file::Piece;

/// What was ordered, and what can be undone.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Orders {
    waiting: VecDeque<Job>,
    is_underway: bool,
    done: Vec<Entry>,
    next_id: u64,
}

/// How things were before a decision.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Before {
    /// Pieces by file and hunk.
    pub(super) pieces: Vec<((usize, usize), Piece)>,
    /// All that was said.
    pub(super) remarks: Vec<Remark>,
}

/// An order and what to do when it fails.
#[derive(Debug, Clone, PartialEq)]
struct Job {
    order: Order,
    before: Before,
    entry: Option<u64>,
}

/// A decision that can be undone.
#[derive(Debug, Clone, PartialEq)]
struct Entry {
    id: u64,
    before: Before,
    inverse: Option<Order>,
    /// Whether what it ordered is done.
    is_done: bool,
}

impl Review {
    /// Notes a decision that was made, with what it orders and what takes that back. Returns what is to be ordered now.
    pub(super) fn decided(&mut self, before: Before, order: Option<Order>, inverse: Option<Order>) -> Option<Order> {
        self.version += 1;
        let id = self.orders.next_id;
        self.orders.next_id += 1;
        self.orders.done.push(Entry { id, before: before.clone(), inverse, is_done: order.is_none() });
        let job = order.map(|order| Job { order, before, entry: Some(id) })?;
        self.orders.waiting.push_back(job);
        self.next_order()
    }

    /// Orders what comes next, unless something is under way.
    fn next_order(&mut self) -> Option<Order> {
        if self.orders.is_underway {
            return None;
        }
        let order = self.orders.waiting.front().map(|job| job.order.clone());
        self.orders.is_underway = order.is_some();
        order
    }

    /// Says whether something is being done.
    pub fn is_working(&self) -> bool {
        self.orders.is_underway
    }

    /// Takes what came of the order that is under way; returns the next one, or why it failed.
    pub(super) fn answered(&mut self, outcome: Result<Option<String>, String>) -> Result<Option<Order>, String> {
        self.orders.is_underway = false;
        let Some(job) = self.orders.waiting.pop_front() else { return Ok(None) };
        match outcome {
            Ok(name) => {
                let entry = self.orders.done.iter_mut().find(|entry| Some(entry.id) == job.entry);
                if let Some(entry) = entry {
                    entry.is_done = true;
                    entry.inverse = name.map(Order::Unrevert).or(entry.inverse.take());
                }
                Ok(self.next_order())
            }
            Err(why) => {
                let failed: Vec<Job> = std::iter::once(job).chain(self.orders.waiting.drain(..)).collect();
                for job in failed.into_iter().rev() {
                    self.put_back(&job.before);
                    self.orders.done.retain(|entry| Some(entry.id) != job.entry);
                }
                Err(why)
            }
        }
    }

    /// Undoes the last decision; none when there is nothing to undo, or it is still being done.
    pub(super) fn undo(&mut self) -> Option<Option<Order>> {
        self.orders.done.last().filter(|entry| entry.is_done)?;
        let entry = self.orders.done.pop()?;
        let places: Vec<(usize, usize)> = entry.before.pieces.iter().map(|(place, _)| *place).collect();
        let now = self.before(&places);
        self.put_back(&entry.before);
        if let Some((file, hunk)) = places.first() {
            self.at = crate::tui::state::review::At { file: *file, hunk: *hunk, line: 0 };
            self.go_to_change();
        }
        let Some(order) = entry.inverse else { return Some(None) };
        self.orders.waiting.push_back(Job { order, before: now, entry: None });
        Some(self.next_order())
    }

    /// Remembers how some places are.
    pub(super) fn before(&self, places: &[(usize, usize)]) -> Before {
        let piece = |place: &(usize, usize)| self.files.get(place.0)?.pieces.get(place.1).cloned();
        let pieces = places.iter().filter_map(|place| piece(place).map(|piece| (*place, piece))).collect();
        Before { pieces, remarks: self.remarks.clone() }
    }

    fn put_back(&mut self, before: &Before) {
        for ((file, hunk), was) in &before.pieces {
            if let Some(piece) = self.files.get_mut(*file).and_then(|file| file.pieces.get_mut(*hunk)) {
                piece.clone_from(was);
            }
        }
        self.remarks.clone_from(&before.remarks);
        self.version += 1;
    }
}
