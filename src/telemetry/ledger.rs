//! How is each request kept without anybody waiting for it?
//!
//! A thread of its own opens the file when the first request is sent, so while the server works, and writes each record as
//! it comes. A full queue drops records rather than block a turn. What cannot be kept is told once. `kill -9` loses what
//! was not yet written, a millisecond's worth; a file of a newer mimi is left alone, a damaged one is set aside.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::base::clock::{Clock as _, SystemClock};
use crate::base::fault::Fault;
use crate::db::error::DbError;
use crate::db::open::{Damaged, Db, Plan};
use crate::db::work::Work;
use crate::protocol::usage::RequestRecord;

/// Records that may wait to be written; no turn ends so many requests while a disk is slow.
const QUEUE: usize = 1024;
/// Records written in one transaction.
const BATCH: usize = 64;
/// How long the end of mimi waits for what is still to be written.
const LAST_WORDS: Duration = Duration::from_millis(500);
const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// How the file is opened: patiently, because nobody waits for the thread that writes.
pub const PLAN: Plan = Plan {
    what: "usage ledger",
    migrations: MIGRATIONS,
    damaged: Damaged::SetAside,
    patience: Duration::from_secs(10),
    page_bytes: 4096,
};

/// From version to version; only ever added to.
pub const MIGRATIONS: &[&str] = &["
CREATE TABLE request (
    id INTEGER PRIMARY KEY,
    at_ms INTEGER NOT NULL,
    provider TEXT NOT NULL, model TEXT NOT NULL, task TEXT NOT NULL, class TEXT NOT NULL,
    project TEXT NOT NULL, session TEXT,
    input_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL, cached_tokens INTEGER NOT NULL,
    first_token_ms INTEGER, total_ms INTEGER NOT NULL, queue_ms INTEGER, prefill_ms INTEGER, decode_ms INTEGER,
    retries INTEGER NOT NULL, is_answered INTEGER NOT NULL
);
CREATE INDEX request_at ON request(at_ms);
CREATE TABLE recovered (
    request INTEGER NOT NULL REFERENCES request(id) ON DELETE CASCADE, kind TEXT NOT NULL, n INTEGER NOT NULL,
    PRIMARY KEY (request, kind)
) WITHOUT ROWID;
CREATE TABLE counter (
    day TEXT NOT NULL, model TEXT NOT NULL, name TEXT NOT NULL, n INTEGER NOT NULL,
    PRIMARY KEY (day, model, name)
) WITHOUT ROWID;
"];

/// Where the ledger is and what it is about.
#[derive(Debug, Clone)]
pub struct Place {
    /// The file.
    pub path: PathBuf,
    /// The folder worked in.
    pub project: String,
    /// Days for which records are kept; 0 for ever.
    pub keep_days: u64,
}

/// What the thread is asked to do.
enum Order {
    Record(Box<(RequestRecord, Option<String>)>),
    Count {
        model: String,
        name: &'static str,
    },
    /// Answer when all before is written.
    Flush(SyncSender<()>),
}

/// Takes records and returns at once.
pub struct Ledger {
    place: Place,
    session: Mutex<Option<String>>,
    orders: Mutex<Option<SyncSender<Order>>>,
    trouble: Arc<Mutex<Option<String>>>,
    is_quiet: AtomicBool,
}

impl Ledger {
    /// Names the file; nothing is opened yet.
    pub fn new(place: Place) -> Self {
        Self {
            place,
            session: Mutex::default(),
            orders: Mutex::default(),
            trouble: Arc::default(),
            is_quiet: AtomicBool::new(false),
        }
    }

    /// Says which session the next records belong to.
    pub fn enter_session(&self, id: &str) {
        *lock(&self.session) = Some(id.to_owned());
    }

    /// Says nothing of trouble any more: the user has been told of a greater one with the same cause.
    pub fn keep_quiet(&self) {
        self.is_quiet.store(true, Ordering::Relaxed);
    }

    /// Starts the thread that writes, unless it runs.
    pub fn prepare(&self) {
        drop(self.orders());
    }

    /// Keeps a record.
    pub fn record(&self, record: RequestRecord) {
        let session = lock(&self.session).clone();
        self.order(Order::Record(Box::new((record, session))));
    }

    /// Adds one to what is counted of a model by name and day: how often something failed in a way worth comparing.
    pub fn count(&self, model: &str, name: &'static str) {
        self.order(Order::Count { model: model.to_owned(), name });
    }

    /// Waits, not for long, until all is written.
    pub fn flush(&self) {
        let Some(orders) = lock(&self.orders).clone() else { return };
        let (done, is_done) = sync_channel(1);
        if orders.try_send(Order::Flush(done)).is_ok() {
            // What a slow disk has not taken by then is lost, as with a kill.
            let _ = is_done.recv_timeout(LAST_WORDS);
        }
    }

    /// Returns, once, what the user should know of the ledger.
    pub fn trouble(&self) -> Option<String> {
        lock(&self.trouble).take().filter(|_| !self.is_quiet.load(Ordering::Relaxed))
    }

    fn order(&self, order: Order) {
        if let Err(TrySendError::Full(_)) = self.orders().try_send(order) {
            *lock(&self.trouble) = Some("the usage of some requests is not kept: the disk is too slow".to_owned());
        }
    }

    fn orders(&self) -> SyncSender<Order> {
        let mut orders = lock(&self.orders);
        orders.get_or_insert_with(|| self.start()).clone()
    }

    fn start(&self) -> SyncSender<Order> {
        let (sender, receiver) = sync_channel(QUEUE);
        let writer = Writer { place: self.place.clone(), trouble: self.trouble.clone(), db: None, has_failed: false };
        std::thread::spawn(move || writer.run(&receiver));
        sender
    }
}

impl Drop for Ledger {
    fn drop(&mut self) {
        self.flush();
    }
}

struct Writer {
    place: Place,
    trouble: Arc<Mutex<Option<String>>>,
    db: Option<Db>,
    has_failed: bool,
}

impl Writer {
    fn run(mut self, orders: &Receiver<Order>) {
        self.open();
        while let Ok(first) = orders.recv() {
            let (mut batch, mut flushed) = (Vec::new(), Vec::new());
            for order in std::iter::once(first).chain(orders.try_iter()) {
                match order {
                    Order::Flush(done) => flushed.push(done),
                    order => batch.push(order),
                }
                if batch.len() >= BATCH {
                    break;
                }
            }
            self.write(&batch);
            for done in flushed {
                // Who no longer waits need not be told.
                let _ = done.send(());
            }
        }
    }

    fn open(&mut self) {
        match Db::open(&self.place.path, PLAN) {
            Ok(db) => self.take(db),
            Err(error) => self.fail(error),
        }
        self.forget_old();
    }

    fn take(&mut self, mut db: Db) {
        if let Some(note) = db.take_note() {
            *lock(&self.trouble) = Some(note);
        }
        self.db = Some(db);
    }

    fn forget_old(&mut self) {
        let Some(age_ms) = self.place.keep_days.checked_mul(DAY_MS).filter(|age_ms| *age_ms > 0) else { return };
        let before_ms = SystemClock.now_ms().saturating_sub(age_ms);
        let Some(db) = &mut self.db else { return };
        let is_there = db.read(|work| {
            work.first("SELECT 1 FROM request WHERE at_ms < ?1 LIMIT 1", &[before_ms.into()], |row| row.count(0))
        });
        if let Ok(Some(_)) = is_there {
            let sql = "DELETE FROM request WHERE at_ms < ?1";
            if let Err(error) = db.write(|work| work.run(sql, &[before_ms.into()])) {
                self.fail(error);
            }
        }
    }

    fn write(&mut self, batch: &[Order]) {
        match self.try_write(batch) {
            Err(error) if error.is_corrupt() => {
                match self.db.take().map(Db::mend) {
                    Some(Ok(db)) => self.take(db),
                    Some(Err(error)) => self.fail(error),
                    None => {}
                }
                if let Err(error) = self.try_write(batch) {
                    self.fail(error);
                }
            }
            Err(error) => self.fail(error),
            Ok(()) => {}
        }
    }

    fn try_write(&mut self, batch: &[Order]) -> Result<(), DbError> {
        let (Some(db), false) = (&mut self.db, batch.is_empty()) else { return Ok(()) };
        let project = &self.place.project;
        db.write(|work| {
            batch.iter().try_for_each(|order| match order {
                Order::Record(kept) => insert(work, &kept.0, project, kept.1.as_deref()),
                Order::Count { model, name } => count(work, model, name),
                Order::Flush(_) => Ok(()),
            })
        })
    }

    /// Told once: the same trouble at each request would bury the conversation.
    fn fail(&mut self, error: DbError) {
        if !std::mem::replace(&mut self.has_failed, true) {
            let why = Fault::from(error).words();
            *lock(&self.trouble) = Some(format!("what requests take is not kept: {why}"));
        }
    }
}

fn insert(work: &Work<'_>, record: &RequestRecord, project: &str, session: Option<&str>) -> Result<(), DbError> {
    let RequestRecord { usage, stats, .. } = record;
    work.run(
        "INSERT INTO request (at_ms, provider, model, task, class, project, session, input_tokens, output_tokens,
         cached_tokens, first_token_ms, total_ms, queue_ms, prefill_ms, decode_ms, retries, is_answered)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)",
        &[
            record.at_ms.into(),
            record.provider.as_str().into(),
            record.model.as_str().into(),
            record.task.name().into(),
            record.class.name().into(),
            project.into(),
            session.into(),
            usage.input_tokens.into(),
            usage.output_tokens.into(),
            usage.cached_tokens.into(),
            stats.first_token_ms.into(),
            stats.total_ms.into(),
            stats.queue_ms.into(),
            stats.prefill_ms.into(),
            stats.decode_ms.into(),
            u64::from(stats.retries).into(),
            u64::from(record.is_answered).into(),
        ],
    )?;
    let request = work.inserted().unsigned_abs();
    for (kind, n) in &stats.recovered {
        let sql = "INSERT INTO recovered (request, kind, n) VALUES (?1, ?2, ?3)";
        work.run(sql, &[request.into(), kind.as_str().into(), u64::from(*n).into()])?;
    }
    Ok(())
}

fn count(work: &Work<'_>, model: &str, name: &str) -> Result<(), DbError> {
    let sql = "INSERT INTO counter (day, model, name, n) VALUES (date('now', 'localtime'), ?1, ?2, 1)
               ON CONFLICT (day, model, name) DO UPDATE SET n = n + 1";
    work.run(sql, &[model.into(), name.into()]).map(drop)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
