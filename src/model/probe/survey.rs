//! Which facts about a server are believed, and when is it asked again?
//!
//! Facts come from the [`Book`] as long as they are young; then one cheap question tells whether the server is still the
//! same, and a server of another kind or version is asked about everything anew. A server that does not answer keeps its
//! old facts: whether it can be reached is for the request itself to say.

use std::sync::Arc;

use crate::base::clock::Clock;
use crate::model::probe::book::{Book, Entry, Trust};
use crate::model::probe::{self, Found};
use crate::model::providers::http::{Endpoint, Http};
use crate::protocol::server::ServerFacts;

/// Finds out about servers and remembers.
pub struct Survey {
    book: Book,
    clock: Arc<dyn Clock>,
}

/// Facts and where they come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// The facts.
    pub facts: ServerFacts,
    /// Whether the server said all this just now.
    pub is_new: bool,
}

impl Survey {
    /// Builds a survey that keeps what it finds in `book`.
    pub fn new(book: Book, clock: Arc<dyn Clock>) -> Self {
        Self { book, clock }
    }

    /// Returns what is known about the server at `endpoint`, asking it where nothing is known, or no longer.
    pub async fn facts(&self, http: &Http, endpoint: &Endpoint) -> Option<Known> {
        let Some(entry) = self.book.get(&endpoint.url) else {
            return self.ask(http, endpoint).await;
        };
        match entry.trust(self.clock.now_ms()) {
            Trust::Fresh => Some(Known { facts: entry.facts, is_new: false }),
            Trust::Check => self.check(http, endpoint, entry).await,
            Trust::Stale => {
                let asked = self.ask(http, endpoint).await;
                Some(asked.unwrap_or(Known { facts: entry.facts, is_new: false }))
            }
        }
    }

    /// Asks the server about everything, whatever is remembered; `None` when it does not answer.
    pub async fn ask(&self, http: &Http, endpoint: &Endpoint) -> Option<Known> {
        let Found { facts, is_sure } = probe::probe(http, endpoint).await?;
        if is_sure {
            self.keep(endpoint, &facts);
        }
        Some(Known { facts, is_new: true })
    }

    /// Returns what is remembered, without asking.
    pub fn remembered(&self, url: &str) -> Option<Entry> {
        self.book.get(url)
    }

    /// Has the server asked about everything before its facts are believed again; what was learned stays.
    pub fn doubt(&self, url: &str) {
        if self.book.get(url).is_some() {
            self.book.update(url, |entry| (entry.probed_ms, entry.checked_ms) = (0, 0));
        }
    }

    /// Keeps a window that a refusal gave away. Forgotten when the server becomes another one.
    pub fn learn_window(&self, url: &str, model: &str, tokens: u64) {
        if self.book.get(url).is_some() {
            self.book.update(url, |entry| {
                entry.learned.insert(model.to_owned(), tokens);
            });
        }
    }

    /// Forgets all about a server, because it turned out to be another one.
    pub fn forget(&self, url: &str) {
        self.book.forget(url);
    }

    /// Keeps that a server does not let us look at its numbers. Forgotten when it is asked about everything again.
    pub fn close_numbers(&self, url: &str) {
        if self.book.get(url).is_some_and(|entry| !entry.is_closed) {
            self.book.update(url, |entry| entry.is_closed = true);
        }
    }

    async fn check(&self, http: &Http, endpoint: &Endpoint, entry: Entry) -> Option<Known> {
        let mut facts = entry.facts.clone();
        let is_same = probe::is_same(http, endpoint, &entry.facts);
        let (is_same, ()) = tokio::join!(is_same, probe::refresh(http, endpoint, &mut facts));
        match is_same {
            Some(true) => {
                self.keep_checked(endpoint, &facts);
                Some(Known { facts, is_new: false })
            }
            Some(false) => {
                self.book.forget(&endpoint.url);
                self.ask(http, endpoint).await
            }
            None => Some(Known { facts, is_new: false }),
        }
    }

    fn keep(&self, endpoint: &Endpoint, facts: &ServerFacts) {
        let now_ms = self.clock.now_ms();
        self.book.update(&endpoint.url, |entry| {
            let window = |facts: &ServerFacts, id: &str| facts.model(id).and_then(|model| model.window_tokens);
            let is_same_server = entry.facts.kind == facts.kind && entry.facts.version == facts.version;
            // A window that was set anew makes what was learned about the old one void.
            entry.learned.retain(|id, _| is_same_server && window(&entry.facts, id) == window(facts, id));
            entry.facts = facts.clone();
            entry.is_closed = false;
            (entry.probed_ms, entry.checked_ms) = (now_ms, now_ms);
        });
    }

    fn keep_checked(&self, endpoint: &Endpoint, facts: &ServerFacts) {
        let now_ms = self.clock.now_ms();
        self.book.update(&endpoint.url, |entry| {
            entry.facts = facts.clone();
            entry.checked_ms = now_ms;
        });
    }
}
