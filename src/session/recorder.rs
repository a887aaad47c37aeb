//! How do events get into the session file, and what if the disk is full?
//!
//! The journal is written first. When it cannot be, the session goes on in memory and the user is told once.

use std::sync::Arc;

use crate::base::clock::Clock;
use crate::base::fault::Fault;
use crate::protocol::event::{Event, Record, SCHEMA_VERSION};
use crate::session::journal::Journal;

/// Gives events their place and keeps them.
pub struct Recorder {
    journal: Option<Journal>,
    clock: Arc<dyn Clock>,
    next_seq: u64,
}

impl Recorder {
    /// Starts recording; without a journal events are only numbered.
    pub fn new(journal: Option<Journal>, clock: Arc<dyn Clock>) -> Self {
        let next_seq = journal.as_ref().map_or(1, Journal::next_seq);
        Self { journal, clock, next_seq }
    }

    /// Records an event. The second record, if any, is the warning that from now on nothing is kept.
    pub fn record(&mut self, event: Event) -> (Record, Option<Record>) {
        let Some(journal) = &mut self.journal else {
            return (self.number(event), None);
        };
        match journal.append(&event) {
            Ok(record) => {
                self.next_seq = record.seq + 1;
                (record, None)
            }
            Err(error) => {
                self.journal = None;
                let record = self.number(event);
                let text = format!("from here on the session is not kept: {}", Fault::from(error).words());
                (record, Some(self.number(Event::Warning { text })))
            }
        }
    }

    fn number(&mut self, event: Event) -> Record {
        let seq = self.next_seq;
        self.next_seq += 1;
        Record { v: SCHEMA_VERSION, seq, at_ms: self.clock.now_ms(), event }
    }
}
