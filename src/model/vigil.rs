//! A request was sent and nothing comes back: what is the user told, and when?
//!
//! Looks at the server one second after sending and then every two, until the first piece of the answer; reports only
//! what changed. Without a server that can be looked at, or one that tells nothing, it says after a while that nothing
//! has come. Never delays the answer: looking goes on beside reading and is dropped when the answer begins.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use tokio::time::{Duration, Instant};

use crate::model::StreamEvent;
use crate::model::watch::{EVERY, Glance};
use crate::protocol::wait::{Wait, WaitState};

/// Time until the first look: most answers have begun by then.
const FIRST_LOOK: Duration = Duration::from_secs(1);
/// Least time between two reports of how much of the prompt was read.
const PREFILL_EVERY: Duration = Duration::from_secs(1);

/// Looks at the server of a request once.
pub type Look = Arc<dyn Fn() -> BoxFuture<'static, Option<Glance>> + Send + Sync>;

/// Watches over one request.
pub struct Vigil {
    look: Option<Look>,
    model: String,
    notice: Duration,
    sent: Instant,
    /// When the last piece of the answer came; none before the first.
    heard: Option<Instant>,
    /// When to say or look next.
    next: Instant,
    looking: Option<BoxFuture<'static, Option<Glance>>>,
    place: Place,
    said: Option<Wait>,
    said_at: Instant,
    /// The server itself tells how much of the prompt it has read.
    is_told: bool,
}

/// Where in the server's queue the request is, as far as counts of waiting requests tell.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Place {
    ahead: Option<u64>,
    has_left: bool,
}

impl Place {
    /// Takes in how many requests wait, this one included while it does. Who came later stands behind it, so that the
    /// number of those ahead never grows.
    fn see(&mut self, waiting: u64) -> Option<u64> {
        self.has_left |= waiting == 0;
        if self.has_left {
            return None;
        }
        let ahead = self.ahead.unwrap_or(u64::MAX).min(waiting - 1);
        self.ahead = Some(ahead);
        self.ahead
    }
}

impl Vigil {
    /// Begins when a request for `model` is sent.
    pub fn new(look: Option<Look>, model: &str, notice: Duration) -> Self {
        let now = Instant::now();
        let first = if look.is_some() { FIRST_LOOK.min(notice) } else { notice };
        Self {
            look,
            model: model.to_owned(),
            notice,
            sent: now,
            heard: None,
            next: now + first,
            looking: None,
            place: Place::default(),
            said: None,
            said_at: now,
            is_told: false,
        }
    }

    /// Takes in what came; returns a report when that is one.
    pub fn hear(&mut self, event: &StreamEvent) -> Option<Wait> {
        let now = Instant::now();
        match event {
            StreamEvent::Prefill { done_tokens, total_tokens } => {
                self.is_told = true;
                self.looking = None;
                let wait = Wait {
                    read_tokens: Some(*done_tokens),
                    prompt_tokens: Some(*total_tokens),
                    ..Wait::new(WaitState::Prefilling)
                };
                // A prompt that is read within a second needs no words.
                let is_due = now - self.sent >= PREFILL_EVERY && now - self.said_at >= PREFILL_EVERY;
                if is_due { self.report(wait, now - self.sent) } else { None }
            }
            StreamEvent::Text(_) | StreamEvent::Reasoning(_) | StreamEvent::Tool(_) => {
                self.heard = Some(now);
                self.next = now + self.notice;
                (self.said, self.looking) = (None, None);
                None
            }
            _ => None,
        }
    }

    /// Waits until there is something new to say. May be dropped and called again at any time.
    pub async fn next(&mut self) -> Wait {
        loop {
            if let Some(looking) = &mut self.looking {
                let glance = looking.await;
                self.looking = None;
                if let Some(wait) = self.judge(glance) {
                    return wait;
                }
            }
            tokio::time::sleep_until(self.next).await;
            if let Some(wait) = self.wake() {
                return wait;
            }
        }
    }

    fn wake(&mut self) -> Option<Wait> {
        let now = Instant::now();
        if let Some(heard) = self.heard {
            self.next = now + self.notice;
            return self.report(Wait::new(WaitState::Paused), now - heard);
        }
        self.next = now + EVERY;
        match &self.look {
            Some(look) if !self.is_told => self.looking = Some(look()),
            _ => return self.judge(None),
        }
        None
    }

    /// Turns what was seen into words; where nothing was, that is said after a while.
    fn judge(&mut self, glance: Option<Glance>) -> Option<Wait> {
        let waited = self.sent.elapsed();
        let glance = glance.unwrap_or_default();
        if glance.loaded.is_some() && glance.find(&self.model).is_none() {
            return self.report(Wait::new(WaitState::Loading), waited);
        }
        let wait = match glance.load.waiting {
            Some(waiting) => match self.place.see(waiting) {
                Some(ahead) => Wait { ahead: Some(ahead), ..Wait::new(WaitState::Queued) },
                None => Wait::new(WaitState::Prefilling),
            },
            None if self.is_told || waited < self.notice => return None,
            None => Wait { running: glance.load.running, ..Wait::new(WaitState::Silent) },
        };
        self.report(wait, waited)
    }

    fn report(&mut self, wait: Wait, waited: Duration) -> Option<Wait> {
        let wait = Wait { waited_ms: waited.as_millis() as u64, ..wait };
        if !wait.says_more_than(self.said.as_ref()) {
            return None;
        }
        self.said = Some(wait);
        self.said_at = Instant::now();
        self.said
    }
}

#[cfg(test)]
#[path = "vigil_tests.rs"]
mod tests;
