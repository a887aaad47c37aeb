//! What did a request take, and who is told?
//!
//! An [`Account`] accompanies one request from its first sending to its end, however it ends: answered, failed, cancelled,
//! or dropped half way. Must not know where the records go, and must not wait: a [`Meter`] takes a record and returns.

use std::sync::Arc;

use tokio::time::Instant;

use crate::base::clock::{Clock as _, SystemClock};
use crate::model::{Answer, StreamEvent};
use crate::protocol::message::Usage;
use crate::protocol::task::{Class, Task};
use crate::protocol::usage::{RequestRecord, Stats};

/// Keeps the records. Implementors must return at once, and must not fail: what goes wrong is told by [`Meter::trouble`].
pub trait Meter: Send + Sync {
    /// A request is about to be sent: time to get ready while the server works.
    fn prepare(&self);

    /// A request has ended.
    fn record(&self, record: RequestRecord);

    /// Adds one to what is counted of a model by name.
    fn count(&self, model: &str, name: &'static str);

    /// Returns, once, what the user should know of the keeping.
    fn trouble(&self) -> Option<String>;
}

/// Keeps nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoMeter;

impl Meter for NoMeter {
    fn prepare(&self) {}

    fn record(&self, _record: RequestRecord) {}

    fn count(&self, _model: &str, _name: &'static str) {}

    fn trouble(&self) -> Option<String> {
        None
    }
}

/// Who is asked what for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Purpose {
    /// The provider's name.
    pub provider: String,
    /// The model's name on that server.
    pub model: String,
    /// What it is for.
    pub task: Task,
    /// Who waits.
    pub class: Class,
}

/// What one request took so far.
pub struct Account {
    meter: Arc<dyn Meter>,
    purpose: Purpose,
    /// When it was first sent, in milliseconds since 1970; none while it was not.
    at_ms: Option<u64>,
    started: Instant,
    sent: Instant,
    first_piece: Option<Instant>,
    usage: Usage,
    retries: u32,
    is_closed: bool,
}

impl Account {
    /// Opens an account; nothing was sent yet.
    pub fn new(meter: Arc<dyn Meter>, purpose: Purpose) -> Self {
        let now = Instant::now();
        let (at_ms, first_piece, usage, retries, is_closed) = (None, None, Usage::default(), 0, false);
        Self { meter, purpose, at_ms, started: now, sent: now, first_piece, usage, retries, is_closed }
    }

    /// The request is sent, for the first time or again.
    pub fn sent(&mut self) {
        self.sent = Instant::now();
        if self.at_ms.is_none() {
            self.meter.prepare();
            self.at_ms = Some(SystemClock.now_ms());
            self.started = self.sent;
        } else {
            self.retries += 1;
        }
        self.first_piece = None;
        self.usage = Usage::default();
    }

    /// An event of the answer has come.
    pub fn heard(&mut self, event: &StreamEvent) {
        match event {
            StreamEvent::Text(_) | StreamEvent::Reasoning(_) | StreamEvent::Tool(_) => {
                self.first_piece.get_or_insert_with(Instant::now);
            }
            StreamEvent::Usage(usage) => self.usage = *usage,
            StreamEvent::Prefill { .. } | StreamEvent::Timing(_) | StreamEvent::Finish(_) | StreamEvent::Error(_) => {}
        }
    }

    /// The answer is complete: adds what was measured to what the server told, and reports it.
    pub fn answered(&mut self, answer: &mut Answer) {
        self.complete(&mut answer.stats);
        self.close(answer.usage, answer.stats.clone(), true);
    }

    /// The request has ended without an answer that could be used.
    pub fn failed(&mut self) {
        let mut stats = Stats::default();
        self.complete(&mut stats);
        self.close(self.usage, stats, false);
    }

    /// Returns what the user should know of the keeping.
    pub fn trouble(&self) -> Option<String> {
        self.meter.trouble()
    }

    fn complete(&self, stats: &mut Stats) {
        let now = Instant::now();
        stats.total_ms = now.duration_since(self.started).as_millis() as u64;
        stats.retries = self.retries;
        if let Some(first) = self.first_piece {
            stats.first_token_ms = Some(first.duration_since(self.sent).as_millis() as u64);
            stats.decode_ms = stats.decode_ms.or(Some(now.duration_since(first).as_millis() as u64));
        }
    }

    fn close(&mut self, usage: Usage, stats: Stats, is_answered: bool) {
        let Some(at_ms) = self.at_ms.filter(|_| !self.is_closed) else { return };
        self.is_closed = true;
        let Purpose { provider, model, task, class } = self.purpose.clone();
        self.meter.record(RequestRecord { at_ms, provider, model, task, class, usage, stats, is_answered });
    }
}

impl Drop for Account {
    /// Who stops listening to an answer has still used the server.
    fn drop(&mut self) {
        self.failed();
    }
}
