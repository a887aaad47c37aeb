//! What does the workspace look like now, and what of it is new?
//!
//! A walk tells which paths look otherwise than last time; only those are opened, and what they hold goes to the store. A
//! file that changed within the last moment before it was read is read again next time, because the clock of the file
//! system is too coarse to show another change. A file that changes while it is read is read again.

use std::io::{self, Read as _};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use rustix::fs::{FileType, Mode, OFlags};

use crate::base::hash;
use crate::checkpoint::error::CheckpointError;
use crate::checkpoint::pack::Packed;
use crate::checkpoint::store::{MAX_FILE_BYTES, Shelf, Store};
use crate::checkpoint::tree::{Content, Entry, Stat, Tree, Unkept, path_of};
use crate::checkpoint::walk::{Bounds, Closed, Seen, WalkError, n_threads, open_folder, stat, walk};
use crate::workspace::ignored::Ignored;

/// Two changes of a file within this time may get the same time stamp: two ticks of a slow kernel clock.
const TICK_NS: i64 = 20_000_000;
/// The same for file systems that count whole or even seconds.
const COARSE_TICK_NS: i64 = 2_000_000_000;
const SECOND_NS: i64 = 1_000_000_000;
/// Times a file that changes meanwhile is read.
const MAX_READS: u32 = 3;
/// Contents that may wait for the disk.
const MAX_WAITING: usize = 64;

/// What is kept of a workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Paths beyond which the workspace is not watched at all.
    pub max_paths: usize,
    /// Largest file git ignores that is kept, in bytes.
    pub max_ignored_file_bytes: u64,
    /// Bytes of all files git ignores that are kept.
    pub max_ignored_bytes: u64,
}

/// A workspace to be looked at.
#[derive(Debug)]
pub struct Scanner<'s> {
    /// Canonical path of the folder.
    pub root: &'s Path,
    /// A folder below it that is left out: mimi's own.
    pub skip: Option<PathBuf>,
    /// What is kept.
    pub limits: Limits,
    /// Where it is kept.
    pub store: &'s Store,
}

/// A path that has to be looked into.
struct ToRead {
    seen: Seen,
    /// Bytes of it that are kept already as an ignored file's: these have their room.
    known_bytes: Option<u64>,
}

/// What became of a path that had to be looked into.
enum Look {
    Found(Box<Entry>),
    Gone,
}

/// What the threads that read files share.
struct Reading<'r> {
    root: OwnedFd,
    shelf: Shelf<'r>,
    ignored: Ignored,
    limits: Limits,
    /// Bytes of ignored files kept so far.
    ignored_bytes: AtomicU64,
    started_ns: i64,
}

impl Scanner<'_> {
    /// Looks at the workspace and keeps what is new since `old`. When this returns all of it is on disk.
    pub fn scan(&self, old: &Tree) -> Result<Tree, CheckpointError> {
        let started_ns = now_ns();
        let bounds = Bounds { skip: self.skip.as_deref(), max_paths: self.limits.max_paths };
        let seen = walk(self.root, bounds).map_err(|error| self.failed(error))?;
        let (mut entries, to_read) = compare(old, seen);
        if !to_read.is_empty() {
            let reading = Reading {
                root: open_folder(self.root).map_err(|source| self.failed(WalkError::Root(source)))?,
                shelf: self.store.shelf()?,
                ignored: Ignored::new(self.root),
                limits: self.limits,
                ignored_bytes: AtomicU64::new(ignored_bytes(&entries, &to_read)),
                started_ns,
            };
            entries.extend(read_all(&reading, self.store, &to_read)?);
            entries.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        }
        Ok(Tree { entries })
    }

    fn failed(&self, error: WalkError) -> CheckpointError {
        let path = self.root.to_path_buf();
        match error {
            WalkError::TooMany => CheckpointError::TooManyFiles { path, max: self.limits.max_paths },
            WalkError::Root(source) => CheckpointError::Read { path, source },
        }
    }
}

fn now_ns() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(i64::MAX, |time| time.as_nanos() as i64)
}

/// Returns the bytes of files git ignores whose content is kept.
fn ignored_bytes(entries: &[Entry], to_read: &[ToRead]) -> u64 {
    let known = to_read.iter().filter_map(|path| path.known_bytes).sum::<u64>();
    entries.iter().filter_map(kept_bytes).sum::<u64>() + known
}

/// Returns the size of a file git ignores whose content is kept; none for anything else.
fn kept_bytes(entry: &Entry) -> Option<u64> {
    (entry.is_ignored && matches!(entry.content, Content::File(_))).then_some(entry.stat.size)
}

/// Takes over what looks as before, and returns beside it what has to be looked into.
fn compare(old: &Tree, seen: Vec<Seen>) -> (Vec<Entry>, Vec<ToRead>) {
    let unreadable = |seen: &&Seen| seen.closed == Some(Closed::Unreadable);
    let closed: Vec<Box<[u8]>> = seen.iter().filter(unreadable).map(|seen| seen.path.clone()).collect();
    let is_hidden = |path: &[u8]| closed.iter().any(|folder| is_below(path, folder));
    let mut old = old.entries.iter().peekable();
    let (mut entries, mut to_read) = (Vec::with_capacity(seen.len()), Vec::new());
    for seen in seen {
        while let Some(gone) = old.next_if(|entry| entry.path < seen.path) {
            // What cannot be seen any more is not gone.
            entries.extend(is_hidden(&gone.path).then(|| gone.clone()));
        }
        let known = old.next_if(|entry| entry.path == seen.path);
        match (known, FileType::from_raw_mode(seen.stat.mode)) {
            _ if seen.closed == Some(Closed::Foreign) => entries.push(plain(seen, Content::Unkept(Unkept::Foreign))),
            (_, FileType::Directory) => entries.push(plain(seen, Content::Folder)),
            (Some(known), _) if known.stat == seen.stat && !known.is_fresh => {
                let Entry { stat, content, is_fresh, is_ignored, .. } = known;
                let (content, stat) = (content.clone(), *stat);
                entries.push(Entry { path: seen.path, stat, content, is_fresh: *is_fresh, is_ignored: *is_ignored });
            }
            (known, FileType::RegularFile | FileType::Symlink) => {
                to_read.push(ToRead { seen, known_bytes: known.and_then(kept_bytes) });
            }
            _ => entries.push(plain(seen, Content::Unkept(Unkept::Foreign))),
        }
    }
    entries.extend(old.filter(|gone| is_hidden(&gone.path)).cloned());
    (entries, to_read)
}

fn is_below(path: &[u8], folder: &[u8]) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.first() == Some(&b'/'))
}

fn plain(seen: Seen, content: Content) -> Entry {
    Entry { path: seen.path, stat: seen.stat, content, is_fresh: false, is_ignored: false }
}

/// Looks into the paths on several threads, and writes on this one.
fn read_all(reading: &Reading<'_>, store: &Store, paths: &[ToRead]) -> Result<Vec<Entry>, CheckpointError> {
    let (next, found) = (AtomicUsize::new(0), Mutex::new(Vec::with_capacity(paths.len())));
    let (sender, receiver) = sync_channel::<Packed>(MAX_WAITING);
    let work = |sender: SyncSender<Packed>| {
        while let Some(path) = paths.get(next.fetch_add(1, Ordering::Relaxed)) {
            let look = reading.look(path, &sender);
            found.lock().unwrap_or_else(PoisonError::into_inner).push(look);
        }
    };
    let work = &work;
    std::thread::scope(|scope| {
        for _ in 0..n_threads().min(paths.len()) {
            let sender = sender.clone();
            scope.spawn(move || work(sender));
        }
        drop(sender);
        store.put_all(receiver.into_iter())
    })?;
    let found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    let entries = found.into_iter().map(|look| match look {
        Ok(Look::Found(entry)) => Ok(Some(*entry)),
        Ok(Look::Gone) => Ok(None),
        Err(error) => Err(error),
    });
    entries.filter_map(Result::transpose).collect()
}

impl Reading<'_> {
    fn look(&self, path: &ToRead, sender: &SyncSender<Packed>) -> Result<Look, CheckpointError> {
        let ToRead { seen, known_bytes } = path;
        if FileType::from_raw_mode(seen.stat.mode) == FileType::Symlink {
            return Ok(self.link(seen));
        }
        let is_ignored = self.ignored.covers(&path_of(&seen.path), false);
        let entry = |stat: Stat, content: Content| {
            let is_fresh = self.is_fresh(&stat);
            Ok(Look::Found(Box::new(Entry { path: seen.path.clone(), stat, content, is_fresh, is_ignored })))
        };
        if seen.stat.size > MAX_FILE_BYTES {
            return entry(seen.stat, Content::Unkept(Unkept::TooLarge));
        }
        if is_ignored && !self.has_room(seen.stat.size, known_bytes.unwrap_or_default()) {
            return entry(seen.stat, Content::Unkept(Unkept::Ignored));
        }
        match self.read(&seen.path) {
            Ok((stat, Some(bytes))) => entry(stat, Content::File(self.keep(&bytes, sender)?)),
            Ok((stat, None)) => entry(stat, Content::Unkept(Unkept::TooLarge)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Look::Gone),
            Err(_) => entry(seen.stat, Content::Unkept(Unkept::Unreadable)),
        }
    }

    fn link(&self, seen: &Seen) -> Look {
        let content = match rustix::fs::readlinkat(&self.root, path_of(&seen.path).as_path(), Vec::new()) {
            Ok(target) => Content::Link(target.into_bytes().into()),
            Err(rustix::io::Errno::NOENT) => return Look::Gone,
            Err(_) => Content::Unkept(Unkept::Unreadable),
        };
        Look::Found(Box::new(Entry { is_fresh: self.is_fresh(&seen.stat), ..plain(seen.clone(), content) }))
    }

    /// Reads a file whole, with what the file system says of it; no bytes when it is too large.
    fn read(&self, path: &[u8]) -> io::Result<(Stat, Option<Vec<u8>>)> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let mut left = MAX_READS;
        loop {
            let fd = rustix::fs::openat(&self.root, path_of(path).as_path(), flags, Mode::empty())?;
            let before = rustix::fs::fstat(&fd)?;
            if FileType::from_raw_mode(before.st_mode) != FileType::RegularFile {
                return Err(io::ErrorKind::InvalidInput.into());
            }
            let file = std::fs::File::from(fd);
            let mut bytes = Vec::with_capacity((before.st_size as usize).min(MAX_FILE_BYTES as usize) + 1);
            (&file).take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes)?;
            let after = stat(&rustix::fs::fstat(&file)?);
            left -= 1;
            if after == stat(&before) || left == 0 {
                let is_small = bytes.len() as u64 <= MAX_FILE_BYTES;
                return Ok((after, is_small.then_some(bytes)));
            }
        }
    }

    fn keep(&self, bytes: &[u8], sender: &SyncSender<Packed>) -> Result<hash::Digest, CheckpointError> {
        let digest = hash::digest(bytes);
        if !self.shelf.holds(&digest, bytes.len())? {
            // The writer goes away only when it failed, and then says so itself.
            drop(sender.send(Packed::of(digest, bytes)));
        }
        Ok(digest)
    }

    /// Says whether an ignored file may be kept, and takes the room for it; `known` bytes of it have theirs.
    fn has_room(&self, bytes: u64, known: u64) -> bool {
        if bytes > self.limits.max_ignored_file_bytes {
            return false;
        }
        let more = bytes.saturating_sub(known);
        let taken = self.ignored_bytes.fetch_add(more, Ordering::Relaxed) + more;
        let fits = more == 0 || taken <= self.limits.max_ignored_bytes;
        if !fits {
            self.ignored_bytes.fetch_sub(more, Ordering::Relaxed);
        }
        fits
    }

    fn is_fresh(&self, stat: &Stat) -> bool {
        let is_coarse = stat.mtime_ns % SECOND_NS == 0 && stat.ctime_ns % SECOND_NS == 0;
        let tick = if is_coarse { COARSE_TICK_NS } else { TICK_NS };
        stat.ctime_ns.max(stat.mtime_ns) >= self.started_ns.saturating_sub(tick)
    }
}
