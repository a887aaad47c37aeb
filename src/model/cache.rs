//! Has this very question been answered before?
//!
//! Kept in SQLite in the cache folder, by the hash of the whole request, and only for questions that have one answer. Opened
//! when it is first asked, on a thread that may wait. A cache that cannot be used never fails a request: it is told once and
//! done without. To be deleted at any time; see [`crate::model::vectors`] for what keeps vectors from being made twice.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::{self, BoxStream};
use serde::{Deserialize, Serialize};

use crate::base::clock::Clock;
use crate::base::fault::Fault;
use crate::base::hash;
use crate::db::error::DbError;
use crate::db::open::{Damaged, Db, Plan};
use crate::db::place;
use crate::db::work::Work;
use crate::model::ask::Progress;
use crate::model::fim::Fill;
use crate::model::route::Route;
use crate::model::{Answer, Request};
use crate::protocol::task::Task;

/// The name of its file in the cache folder.
const FILE: &str = "responses.db";
/// A use is noted when the last note is older than this: reading must not become writing each time.
const USE_GRAIN_MS: u64 = 60 * 60 * 1000;
/// When it is full, so much of its size is kept, in percent: making room once for many entries.
const KEPT_PERCENT: u64 = 90;
/// Bytes an entry takes besides its content: key, numbers, two indexes.
const OVERHEAD_BYTES: u64 = 256;

/// How the file is opened. Other processes hold it for milliseconds; nobody is to wait longer for what only saves time.
const PLAN: Plan = Plan {
    what: "response cache",
    migrations: MIGRATIONS,
    damaged: Damaged::Delete,
    patience: Duration::from_secs(1),
    page_bytes: 4096,
};

const MIGRATIONS: &[&str] = &["
CREATE TABLE entry (
    key TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, model TEXT NOT NULL,
    value BLOB NOT NULL, bytes INTEGER NOT NULL, used_ms INTEGER NOT NULL
);
CREATE INDEX entry_used ON entry(used_ms);
CREATE TABLE total (bytes INTEGER NOT NULL);
INSERT INTO total VALUES (0);
CREATE TRIGGER entry_in AFTER INSERT ON entry BEGIN UPDATE total SET bytes = bytes + new.bytes; END;
CREATE TRIGGER entry_out AFTER DELETE ON entry BEGIN UPDATE total SET bytes = bytes - old.bytes; END;
CREATE TABLE claim (key TEXT PRIMARY KEY, owner TEXT NOT NULL, until_ms INTEGER NOT NULL) WITHOUT ROWID;
"];

/// What an entry is, for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    /// Words.
    Words,
    /// A vector.
    Vector,
}

impl EntryKind {
    /// Returns the name in the file and in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Words => "words",
            Self::Vector => "vectors",
        }
    }
}

/// What the cache holds of one model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Part {
    /// `words` or `vectors`.
    pub kind: String,
    /// The model.
    pub model: String,
    /// How many.
    pub entries: u64,
    /// Their size, overhead included.
    pub bytes: u64,
}

enum State {
    Unopened,
    Open(Box<Db>),
    /// Cannot be used in this process.
    Broken,
}

/// The kept answers.
pub struct Cache {
    folder: PathBuf,
    max_bytes: u64,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    trouble: Mutex<Option<String>>,
    has_failed: AtomicBool,
}

impl Cache {
    /// Names the cache folder; nothing is opened yet.
    pub fn new(folder: PathBuf, max_bytes: u64, clock: Arc<dyn Clock>) -> Self {
        Self {
            folder,
            max_bytes,
            clock,
            state: Mutex::new(State::Unopened),
            trouble: Mutex::default(),
            has_failed: AtomicBool::new(false),
        }
    }

    /// Returns, once, what the user should know of the cache.
    pub fn trouble(&self) -> Option<String> {
        lock(&self.trouble).take()
    }

    /// Carries out `work` on the open cache, on a thread that may wait; none when the cache cannot be used.
    pub(crate) async fn with<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnMut(&Self, &mut Db) -> Result<T, DbError> + Send + 'static,
    ) -> Option<T> {
        let cache = self.clone();
        tokio::task::spawn_blocking(move || cache.try_work(work)).await.ok().flatten()
    }

    /// Carries out `work` here and now. What fails is told once; a damaged file is built anew and the work tried again.
    pub(crate) fn try_work<T>(&self, mut work: impl FnMut(&Self, &mut Db) -> Result<T, DbError>) -> Option<T> {
        let mut state = lock(&self.state);
        if matches!(*state, State::Unopened) {
            *state = self.settle(Db::open(&file(&self.folder), PLAN));
        }
        let State::Open(db) = &mut *state else { return None };
        let error = match work(self, db) {
            Ok(done) => return Some(done),
            Err(error) => error,
        };
        if !error.is_corrupt() {
            self.tell(error);
            return None;
        }
        let State::Open(db) = std::mem::replace(&mut *state, State::Broken) else { return None };
        *state = self.settle(db.mend());
        let State::Open(db) = &mut *state else { return None };
        work(self, db).map_err(|error| self.tell(error)).ok()
    }

    fn settle(&self, opened: Result<Db, DbError>) -> State {
        match opened {
            Ok(mut db) => {
                if let Some(note) = db.take_note() {
                    *lock(&self.trouble) = Some(note);
                }
                State::Open(Box::new(db))
            }
            Err(error) => {
                self.tell(error);
                State::Broken
            }
        }
    }

    /// Told once: the same trouble at each question would bury the conversation.
    fn tell(&self, error: DbError) {
        if !self.has_failed.swap(true, Ordering::Relaxed) {
            let why = Fault::from(error).words();
            *lock(&self.trouble) = Some(format!("answers are not kept for the next time: {why}"));
        }
    }

    /// Returns the words kept for a question.
    pub async fn find(self: &Arc<Self>, key: &str) -> Option<Words> {
        let key = key.to_owned();
        let bytes = self.with(move |cache, db| {
            let found = db.read(|work| cache.get(work, &key))?;
            if let Some((_, true)) = &found {
                cache.touch(db, std::slice::from_ref(&key))?;
            }
            Ok(found.map(|(bytes, _)| bytes))
        });
        serde_json::from_slice(&bytes.await??).ok()
    }

    /// Keeps the words that answer a question.
    pub async fn keep(self: &Arc<Self>, key: String, model: String, words: Words) {
        let Ok(value) = serde_json::to_vec(&words) else { return };
        if !words.text.is_empty() {
            self.with(move |cache, db| db.write(|work| cache.put(work, &key, (EntryKind::Words, &model), &value)))
                .await;
        }
    }

    /// Returns the present time, in milliseconds since 1970.
    pub(crate) fn now_ms(&self) -> u64 {
        self.clock.now_ms()
    }

    /// Returns a kept value and notes that it was used.
    pub(crate) fn get(&self, work: &Work<'_>, key: &str) -> Result<Option<(Vec<u8>, bool)>, DbError> {
        let stale_ms = self.now_ms().saturating_sub(USE_GRAIN_MS);
        work.first("SELECT value, used_ms < ?2 FROM entry WHERE key = ?1", &[key.into(), stale_ms.into()], |row| {
            Ok((row.bytes(0)?, row.count(1)? > 0))
        })
    }

    /// Notes that entries were used.
    pub(crate) fn touch(&self, db: &mut Db, keys: &[String]) -> Result<(), DbError> {
        let now_ms = self.now_ms();
        db.write(|work| {
            for key in keys {
                work.run("UPDATE entry SET used_ms = ?2 WHERE key = ?1", &[key.as_str().into(), now_ms.into()])?;
            }
            Ok(())
        })
    }

    /// Keeps a value; what was not used for longest makes room for it.
    pub(crate) fn put(&self, work: &Work<'_>, key: &str, what: (EntryKind, &str), value: &[u8]) -> Result<(), DbError> {
        let bytes = value.len() as u64 + OVERHEAD_BYTES;
        if bytes > self.max_bytes {
            return Ok(());
        }
        // Not `OR REPLACE`, which would pass by the trigger that counts what is deleted.
        work.run("DELETE FROM entry WHERE key = ?1", &[key.into()])?;
        work.run(
            "INSERT INTO entry (key, kind, model, value, bytes, used_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            &[key.into(), what.0.name().into(), what.1.into(), value.into(), bytes.into(), self.now_ms().into()],
        )?;
        self.make_room(work)
    }

    fn make_room(&self, work: &Work<'_>) -> Result<(), DbError> {
        let total = work.first("SELECT bytes FROM total", &[], |row| row.count(0))?.unwrap_or_default();
        if total <= self.max_bytes {
            return Ok(());
        }
        let mut left = total - self.max_bytes / 100 * KEPT_PERCENT;
        let oldest = "SELECT rowid, bytes FROM entry ORDER BY used_ms, rowid LIMIT 1000";
        let rows = work.rows(oldest, &[], |row| Ok((row.count(0)?, row.count(1)?)))?;
        for (row, bytes) in rows {
            work.run("DELETE FROM entry WHERE rowid = ?1", &[row.into()])?;
            left = left.saturating_sub(bytes);
            if left == 0 {
                break;
            }
        }
        Ok(())
    }
}

/// Words as an entry holds them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Words {
    /// What was said.
    pub text: String,
    /// What was thought.
    pub reasoning: String,
    /// Whether it ran into its bound.
    pub is_cut: bool,
}

/// Answers from the cache, or asks and keeps the answer.
pub fn through(
    cache: Arc<Cache>,
    key: String,
    model: String,
    asked: BoxStream<'static, Progress>,
) -> BoxStream<'static, Progress> {
    let found = async move {
        if let Some(Words { text, reasoning, is_cut }) = cache.find(&key).await {
            // No tokens were used this time.
            let answer = Answer { text: text.clone(), reasoning, is_cut, ..Answer::default() };
            let text = Progress::Text(text);
            return stream::iter([text, Progress::Done(Box::new(answer))]).boxed();
        }
        let kept = asked.then(move |progress| {
            let (cache, key, model) = (cache.clone(), key.clone(), model.clone());
            async move {
                // Nothing said is no answer to a question.
                if let Progress::Done(answer) = &progress
                    && !answer.text.is_empty()
                    && answer.tool_calls.is_empty()
                    && answer.cut_call.is_none()
                {
                    let Answer { text, reasoning, is_cut, .. } = (**answer).clone();
                    cache.keep(key, model, Words { text, reasoning, is_cut }).await;
                }
                let note = cache.trouble().map(|text| Progress::Note { text });
                stream::iter(note.into_iter().chain([progress]))
            }
        });
        kept.flatten().boxed()
    };
    stream::once(found).flatten().boxed()
}

/// Returns the key of a question that has one answer; none for all others.
pub fn key(route: &Route, request: &Request) -> Option<String> {
    // A conversation is not asked twice, and who asks a person's question again wants another answer.
    let is_repeated = match request.task {
        Task::Title | Task::Commit | Task::Fim | Task::Embed => true,
        Task::Chat | Task::Fix | Task::Plan | Task::Review | Task::Compact | Task::Vision => false,
    };
    if !is_repeated || request.temperature != Some(0.0) || !request.tools.is_empty() {
        return None;
    }
    let body = serde_json::to_vec(&(&*request.messages, request.max_tokens, &request.answer_schema)).ok()?;
    Some(key_of(EntryKind::Words, route, &[request.model.as_bytes(), &body]))
}

/// Returns the key of a gap that is to be filled.
pub fn key_of_fill(route: &Route, fill: &Fill) -> String {
    let bound = fill.max_tokens.to_le_bytes();
    let stop: Vec<&[u8]> = fill.stop.iter().map(String::as_bytes).collect();
    let gap: [&[u8]; 4] = [b"fill", fill.prefix.as_bytes(), fill.suffix.as_bytes(), &bound];
    key_of(EntryKind::Words, route, &[&gap[..], &stop].concat())
}

/// Returns the key of a question to the server and the model of a route.
pub fn key_of(kind: EntryKind, route: &Route, question: &[&[u8]]) -> String {
    let place = [kind.name(), &route.provider, &route.url, &route.model].map(str::as_bytes);
    hash::of_parts(&[&place, question].concat())
}

/// Returns the file of the answers kept for a cache folder: in it, unless it lies on a network file system.
pub fn file(folder: &Path) -> PathBuf {
    place::local(folder, Path::new(place::LOCAL)).join(FILE)
}

/// Returns what the cache file holds, by kind and model, the largest first; nothing when there is no file.
///
/// # Errors
/// The file cannot be read.
pub fn parts(path: &Path) -> Result<Vec<Part>, DbError> {
    if !path.exists() {
        return Ok(Vec::new());
    }
    let sql = "SELECT kind, model, count(*), sum(bytes) FROM entry GROUP BY kind, model ORDER BY 4 DESC, 1, 2";
    Db::open(path, PLAN)?.read(|work| {
        work.rows(sql, &[], |row| {
            Ok(Part { kind: row.text(0)?, model: row.text(1)?, entries: row.count(2)?, bytes: row.count(3)? })
        })
    })
}

/// Deletes all entries and gives the room back; returns how many there were.
///
/// # Errors
/// The file cannot be opened or written.
pub fn clear(path: &Path) -> Result<usize, DbError> {
    if !path.exists() {
        return Ok(0);
    }
    let mut db = Db::open(path, PLAN)?;
    let n_entries = db.write(|work| work.run("DELETE FROM entry", &[]))?;
    // Others may be reading; then the room is used again instead of given back.
    drop(db.shrink());
    Ok(n_entries)
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
