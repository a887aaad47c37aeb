//! How does the index catch up with a work tree?
//!
//! Several threads read, parse and embed files; the calling one, which must be the elected writer, writes what they made in
//! short transactions. A file that is read again and has the content it had costs no parsing. Nothing is lost when it is
//! broken off: what was not reached is found by the next scan, because folders are noted last.

use std::collections::HashSet;
use std::io::{self, Read as _};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant, SystemTime};

use crate::base::clock::{Clock as _, SystemClock};
use crate::base::look::Look;
use crate::base::path::open_regular;
use crate::db::open::Db;
use crate::db::work::Work;
use crate::index::document::{Document, Key, Reader, key};
use crate::index::embed::Embedder;
use crate::index::error::IndexError;
use crate::index::files::{self, Passed};
use crate::index::scan::{Scan, stamp};
use crate::index::store::frequent;
use crate::index::store::packed::Packed;
use crate::index::store::write::{Outcome, Stamp, Writer};
use crate::index::vectors::kept::Kept;
use crate::index::vectors::{self, Choice};

/// Files written in one transaction: of fewer, the lists of words would be merged again and again. Readers do not wait for
/// it, and other writers wait for the lock anyway.
const BATCH_FILES: usize = 1000;
/// A transaction under way longer than this is ended, so that no more is lost when it is broken off.
const BATCH_TIME: Duration = Duration::from_secs(1);
/// Files read ahead of the writer, who now and then is busy for longer.
const AHEAD: usize = 256;
/// Files after which it is said how far it is.
const STEP: usize = 50;
/// With fewer changed files only the keys of their own documents are looked up before, not those of all.
const FEW: usize = 16;
/// Documents without a file are counted once in so many updates, or when many files changed.
const STRAYS_EVERY: u64 = 32;
/// Times a file that changes while it is read is read again.
const TRIES: u32 = 3;
/// The log is carried over into the file when it is larger.
pub const LOG_BYTES: u64 = 32 << 20;
/// Pages held by the writer, in bytes.
const CACHE_BYTES: u64 = 64 << 20;
/// Documents without a file are kept, for when a branch comes back, up to so many pieces, or half of the others.
const SPARE_CHUNKS: u64 = 20_000;
/// Pieces of a file, to know before it is read how many there will be; measured over several projects.
const PIECES_PER_FILE: u64 = 6;

/// How far an update is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Files done.
    pub n_done: usize,
    /// Files to be done.
    pub n_files: usize,
    /// Pieces written.
    pub n_chunks: usize,
}

/// What an update did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Updated {
    /// Files that were read.
    pub n_read: usize,
    /// Of them, those whose content was parsed: it was not known.
    pub n_parsed: usize,
    /// Files that are gone.
    pub n_gone: usize,
    /// Pieces written.
    pub n_chunks: usize,
    /// Files not reached in the time that was given.
    pub n_left: usize,
    /// Files and folders that could not be read.
    pub n_unreadable: usize,
    /// Files that changed again and again while they were read.
    pub n_restless: usize,
}

/// What an update may take and whom it tells.
pub struct Limits<'l> {
    /// When it is broken off.
    pub deadline: Option<Instant>,
    /// Is told how far it is.
    pub progress: &'l dyn Fn(Progress),
    /// Where vectors are to be kept.
    pub vectors: Choice,
}

/// What became of a file.
enum Read {
    Document(Key, Box<(Document, Packed)>),
    Known(Key),
    Passed(Passed),
    Gone,
}

struct Done {
    path: String,
    stamp: Stamp,
    read: Read,
}

/// Brings the tables up to date with a scan.
pub fn update(
    db: &mut Db,
    root: &Path,
    scan: &Scan,
    by: &dyn Embedder,
    limits: &Limits<'_>,
) -> Result<Updated, IndexError> {
    db.hold(CACHE_BYTES)?;
    let known = db.read(|work| known(work, root, scan))?;
    let reading =
        Reading { root, paths: &scan.changed, known: &known, next: AtomicUsize::new(0), deadline: limits.deadline, by };
    let n_threads =
        std::thread::available_parallelism().map_or(1, usize::from).min(scan.changed.len() / 8 + 1).clamp(1, 8);
    let kept = db.write(|work| {
        let n_new = scan.changed.len() as u64 * PIECES_PER_FILE;
        vectors::choose(work, (by.id(), by.dimensions()), limits.vectors, n_new)
    })?;
    let batch = Batch::new(root, kept);
    let mut updated = Updated { n_gone: scan.gone.len(), n_unreadable: scan.n_unreadable, ..Updated::default() };
    let written = std::thread::scope(|scope| {
        let (sender, receiver) = sync_channel(AHEAD);
        for _ in 0..n_threads {
            let sender = sender.clone();
            let reading = &reading;
            scope.spawn(move || reading.run(&sender));
        }
        drop(sender);
        write_all(db, &batch, &receiver, scan, &mut updated, limits)
    });
    written?;
    updated.n_left = scan.changed.len() - updated.n_read;
    finish(db, &batch, scan, &updated)?;
    Ok(updated)
}

/// Returns the keys of documents that need not be parsed again.
fn known(work: &Work<'_>, root: &Path, scan: &Scan) -> Result<HashSet<Key>, IndexError> {
    let rows = if scan.changed.len() > FEW {
        work.rows("SELECT key FROM blob", &[], |row| row.bytes(0))?
    } else {
        let table = files::table()?;
        let key_of = |path: &String| {
            let (whole, path) = (root.join(path), Path::new(path));
            // What may hold keys is not opened here either.
            let is_read = table.by_path(path, whole.symlink_metadata().ok()?.len()).is_none();
            let (bytes, ..) = is_read.then(|| read_file(&whole, table.max_bytes).ok()).flatten()?;
            Some(key(path, &bytes))
        };
        let mut rows = Vec::new();
        for key in scan.changed.iter().filter_map(key_of) {
            rows.extend(work.rows("SELECT key FROM blob WHERE key = ?1", &[key[..].into()], |row| row.bytes(0))?);
        }
        rows
    };
    Ok(rows.into_iter().filter_map(|key| Key::try_from(key.as_slice()).ok()).collect())
}

/// Takes what the readers made until they are done.
fn write_all(
    db: &mut Db,
    batch: &Batch,
    receiver: &Receiver<Result<Done, IndexError>>,
    scan: &Scan,
    updated: &mut Updated,
    limits: &Limits<'_>,
) -> Result<(), IndexError> {
    let tell = |updated: &Updated| {
        let (n_done, n_files) = (updated.n_read, scan.changed.len());
        (limits.progress)(Progress { n_done, n_files, n_chunks: updated.n_chunks });
    };
    while let Ok(first) = receiver.recv() {
        db.write(|work| {
            batch.write(work, first, receiver, &mut |read| {
                updated.note(read);
                if updated.n_read.is_multiple_of(STEP) {
                    tell(updated);
                }
            })
        })?;
        db.trim_log(LOG_BYTES).or_else(|error| if error.is_busy() { Ok(()) } else { Err(error) })?;
        tell(updated);
    }
    Ok(())
}

impl Updated {
    fn note(&mut self, read: &Read) {
        self.n_read += 1;
        if let Read::Document(_, parsed) = read {
            self.n_parsed += 1;
            self.n_chunks += parsed.0.chunks.len();
        }
        self.n_unreadable += usize::from(matches!(read, Read::Passed(Passed::Unreadable)));
        self.n_restless += usize::from(matches!(read, Read::Passed(Passed::Restless)));
    }
}

/// Takes away what is gone, notes folders when everything was reached, and forgets what is too much.
fn finish(db: &mut Db, batch: &Batch, scan: &Scan, updated: &Updated) -> Result<(), IndexError> {
    db.write(|work| {
        let mut writer = Writer::new(work)?;
        let tree = writer.tree(&batch.root, SystemClock.now_ms())?;
        for path in &scan.gone {
            writer.remove_file(tree, path)?;
        }
        if updated.n_left == 0 {
            writer.set_folders(tree, &scan.gone_folders, &scan.folders)?;
        }
        if updated.n_parsed + scan.gone.len() > FEW || writer.generation(tree)?.is_multiple_of(STRAYS_EVERY) {
            let strays = strays(work, SPARE_CHUNKS)?;
            writer.remove_blobs(&strays)?;
            if !strays.is_empty() {
                writer.remove_stray_texts()?;
            }
            frequent::count(work)?;
        }
        writer.finish(&batch.kept)
    })
}

/// Returns documents no file has, the oldest first, as far as they are more than is kept to spare.
pub fn strays(work: &Work<'_>, spare: u64) -> Result<Vec<u64>, IndexError> {
    let count = |sql: &str| work.first(sql, &[], |row| row.count(0)).map(Option::unwrap_or_default);
    let all = count("SELECT coalesce(sum(n_chunks), 0) FROM blob")?;
    let sql =
        "SELECT id, n_chunks FROM blob WHERE id NOT IN (SELECT blob FROM file WHERE blob IS NOT NULL) ORDER BY id";
    let strays = work.rows(sql, &[], |row| Ok((row.count(0)?, row.count(1)?)))?;
    let n_stray: u64 = strays.iter().map(|(_, n_chunks)| n_chunks).sum();
    let spare = if spare == 0 { 0 } else { spare.max((all - n_stray.min(all)) / 2) };
    let mut left = n_stray;
    let too_much = strays.into_iter().take_while(|(_, n_chunks)| {
        let is_too_much = left > spare || spare == 0;
        left -= n_chunks;
        is_too_much
    });
    Ok(too_much.map(|(blob, _)| blob).collect())
}

/// What is written in one transaction.
struct Batch {
    root: String,
    kept: Kept,
}

impl Batch {
    fn new(root: &Path, kept: Kept) -> Self {
        Self { root: root.to_string_lossy().into_owned(), kept }
    }

    /// Writes a file, and those that come behind it, as many as a transaction may hold.
    fn write(
        &self,
        work: &Work<'_>,
        first: Result<Done, IndexError>,
        others: &Receiver<Result<Done, IndexError>>,
        note: &mut dyn FnMut(&Read),
    ) -> Result<(), IndexError> {
        let since = Instant::now();
        let mut writer = Writer::new(work)?;
        let tree = writer.tree(&self.root, SystemClock.now_ms())?;
        let mut next = Some(first);
        let mut n_written = 0;
        while let Some(done) = next {
            let done = done?;
            note(&done.read);
            Self::put(&mut writer, tree, done)?;
            n_written += 1;
            let is_full = n_written >= BATCH_FILES || since.elapsed() > BATCH_TIME;
            next = if is_full { None } else { others.recv().ok() };
        }
        writer.finish(&self.kept)
    }

    fn put(writer: &mut Writer<'_>, tree: u64, done: Done) -> Result<(), IndexError> {
        let Done { path, stamp, read } = done;
        let outcome = match read {
            Read::Gone => return writer.remove_file(tree, &path),
            Read::Passed(why) => Outcome::Passed(why),
            Read::Known(key) => match writer.known(&key)? {
                Some(blob) => Outcome::Blob(blob),
                // Forgotten meanwhile: the next scan reads it again.
                None => return Ok(()),
            },
            Read::Document(key, parsed) => match writer.known(&key)? {
                Some(blob) => Outcome::Blob(blob),
                None => {
                    let (document, names) = *parsed;
                    Outcome::Blob(writer.put(&key, document, &names)?)
                }
            },
        };
        writer.set_file(tree, &path, stamp, outcome)
    }
}

/// What the reading threads share.
struct Reading<'r> {
    root: &'r Path,
    paths: &'r [String],
    known: &'r HashSet<Key>,
    next: AtomicUsize,
    deadline: Option<Instant>,
    by: &'r dyn Embedder,
}

impl Reading<'_> {
    fn run(&self, sender: &SyncSender<Result<Done, IndexError>>) {
        let mut reader = match Reader::new(self.by) {
            Ok(reader) => reader,
            Err(error) => return drop(sender.send(Err(error))),
        };
        while self.deadline.is_none_or(|deadline| Instant::now() < deadline) {
            let Some(path) = self.paths.get(self.next.fetch_add(1, Ordering::Relaxed)) else { return };
            let (stamp, read) = self.read(&mut reader, path);
            // Nobody listens any more when the writer failed.
            if sender.send(Ok(Done { path: path.clone(), stamp, read })).is_err() {
                return;
            }
        }
    }

    fn read(&self, reader: &mut Reader<'_>, path: &str) -> (Stamp, Read) {
        let whole = self.root.join(path);
        let Ok(meta) = whole.symlink_metadata() else { return (GONE, Read::Gone) };
        if !meta.is_file() {
            return (GONE, Read::Gone);
        }
        let mut stamped = stamp(&Look::from(&meta), SystemTime::now());
        let Ok(table) = files::table() else { return (stamped, Read::Passed(Passed::Unreadable)) };
        if let Some(why) = table.by_path(Path::new(path), meta.len()) {
            return (stamped, Read::Passed(why));
        }
        for _ in 0..TRIES {
            match read_file(&whole, table.max_bytes) {
                Ok((bytes, before, after)) if before.value == after.value => {
                    stamped = after;
                    return (stamped, self.judge(reader, Path::new(path), &bytes, table));
                }
                Ok(_) => {}
                Err(_) => return (stamped, Read::Passed(Passed::Unreadable)),
            }
        }
        (Stamp { is_racy: true, ..stamped }, Read::Passed(Passed::Restless))
    }

    fn judge(&self, reader: &mut Reader<'_>, path: &Path, bytes: &[u8], table: &files::Table) -> Read {
        if bytes.len() as u64 > table.max_bytes {
            return Read::Passed(Passed::Huge);
        }
        let key = key(path, bytes);
        if self.known.contains(&key) {
            return Read::Known(key);
        }
        match table.by_content(path, bytes) {
            Some(why) => Read::Passed(why),
            None => {
                let mut document = reader.read(path, bytes);
                let names = Packed::of(&std::mem::take(&mut document.symbols));
                Read::Document(key, Box::new((document, names)))
            }
        }
    }
}

/// The stamp of nothing.
const GONE: Stamp = Stamp { value: 0, is_racy: true };

/// Reads at most a little more than `max_bytes` of a file, with its stamps before and after.
pub fn read_file(path: &Path, max_bytes: u64) -> io::Result<(Vec<u8>, Stamp, Stamp)> {
    let (mut file, before) = open_regular(path)?;
    let mut bytes = Vec::with_capacity(usize::try_from(before.len().min(max_bytes)).unwrap_or_default() + 1);
    (&mut file).take(max_bytes + 1).read_to_end(&mut bytes)?;
    let after = file.metadata()?;
    let now = SystemTime::now();
    Ok((bytes, stamp(&Look::from(&before), now), stamp(&Look::from(&after), now)))
}
