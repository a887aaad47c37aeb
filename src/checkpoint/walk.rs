//! What is in the workspace right now, as far as the file system tells without opening a file?
//!
//! Several threads, one folder each at a time. Everything is listed, hidden or ignored: only `.git` folders (their history is
//! git's own), mimi's own folders and other file systems are left out. Links are listed, never followed.

use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::sync::{Condvar, Mutex, PoisonError};

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags};

use crate::checkpoint::tree::{MAX_PATH_BYTES, Stat, path_of};

/// More threads than this only wait for each other.
const MAX_THREADS: usize = 4;
/// Folder of a repository, whose content git manages itself. A work tree of another has a file of that name.
const GIT: &[u8] = b".git";

/// A path as the file system shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Relative to the workspace.
    pub path: Box<[u8]>,
    /// What is said of it.
    pub stat: Stat,
    /// Why a folder was not looked into; none where it was, and for all else.
    pub closed: Option<Closed>,
}

/// Why a folder was not looked into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closed {
    /// It cannot be read.
    Unreadable,
    /// It is of another file system.
    Foreign,
}

/// Where a walk goes.
#[derive(Debug, Clone, Copy)]
pub struct Bounds<'b> {
    /// A folder that is left out, relative to the workspace.
    pub skip: Option<&'b Path>,
    /// The walk fails when there are more paths.
    pub max_paths: usize,
}

/// Why there is no list.
#[derive(Debug)]
pub enum WalkError {
    /// There are more paths than allowed.
    TooMany,
    /// The workspace itself cannot be read.
    Root(io::Error),
}

/// The folders still to be listed, and how many threads may add to them.
struct Queue {
    folders: Vec<Box<[u8]>>,
    n_busy: usize,
    n_seen: usize,
    is_over: bool,
}

struct Walk<'b> {
    root: OwnedFd,
    device: u64,
    bounds: Bounds<'b>,
    queue: Mutex<Queue>,
    ready: Condvar,
}

/// Returns a number of threads that suits this machine.
pub fn n_threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from).min(MAX_THREADS)
}

/// Opens a folder, which must not be a link.
pub fn open_folder(root: &Path) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    Ok(rustix::fs::open(root, flags, Mode::empty())?)
}

/// Lists everything below `root`, sorted by path.
pub fn walk(root: &Path, bounds: Bounds<'_>) -> Result<Vec<Seen>, WalkError> {
    let root = open_folder(root).map_err(WalkError::Root)?;
    let device = rustix::fs::fstat(&root).map_err(|error| WalkError::Root(error.into()))?.st_dev;
    let queue = Queue { folders: vec![Box::default()], n_busy: 0, n_seen: 0, is_over: false };
    let walk = Walk { root, device, bounds, queue: Mutex::new(queue), ready: Condvar::new() };
    let mut seen = std::thread::scope(|scope| {
        let others: Vec<_> = (1..n_threads()).map(|_| scope.spawn(|| walk.work())).collect();
        let mut seen = walk.work();
        for other in others {
            match (&mut seen, other.join().ok().flatten()) {
                (Some(seen), Some(more)) => seen.extend(more),
                // Also a thread that died: what it did not list would show as gone.
                _ => seen = None,
            }
        }
        seen
    })
    .ok_or(WalkError::TooMany)?;
    seen.sort_unstable_by(|a, b| a.path.cmp(&b.path));
    Ok(seen)
}

impl Walk<'_> {
    /// Lists folders until there are none; none when there are too many paths.
    fn work(&self) -> Option<Vec<Seen>> {
        let mut seen = Vec::new();
        while let Some(folder) = self.next() {
            let from = seen.len();
            let below = self.list(&folder, &mut seen);
            self.done(below, seen.len() - from);
        }
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        (queue.n_seen <= self.bounds.max_paths).then_some(seen)
    }

    fn next(&self) -> Option<Box<[u8]>> {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if queue.is_over {
                return None;
            }
            if let Some(folder) = queue.folders.pop() {
                queue.n_busy += 1;
                return Some(folder);
            }
            queue = self.ready.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn done(&self, below: Vec<Box<[u8]>>, n_new: usize) {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        queue.folders.extend(below);
        queue.n_busy -= 1;
        queue.n_seen += n_new;
        queue.is_over |= queue.n_seen > self.bounds.max_paths || (queue.n_busy == 0 && queue.folders.is_empty());
        self.ready.notify_all();
    }

    /// Lists one folder and returns the folders in it that are to be listed too.
    fn list(&self, folder: &[u8], seen: &mut Vec<Seen>) -> Vec<Box<[u8]>> {
        let mut below = Vec::new();
        // The folder itself is listed here, so that it is listed once and with what was found of it.
        let own = |closed| Seen { path: folder.into(), stat: self.stat(folder), closed };
        let opened = self.open(folder).and_then(|fd| Dir::read_from(&fd).map(|names| (fd, names)));
        let Ok((fd, mut names)) = opened else {
            seen.push(own(Some(Closed::Unreadable)));
            return below;
        };
        if !folder.is_empty() {
            seen.push(own(None));
        }
        while let Some(Ok(entry)) = names.read() {
            let name = entry.file_name();
            if matches!(name.to_bytes(), b"." | b"..") {
                continue;
            }
            let path =
                [folder, if folder.is_empty() { b"" } else { b"/" }, name.to_bytes()].concat().into_boxed_slice();
            if path.len() > MAX_PATH_BYTES || self.bounds.skip.is_some_and(|skip| skip.as_os_str().as_bytes() == &*path)
            {
                continue;
            }
            let Ok(found) = rustix::fs::statat(fd.as_fd(), name, AtFlags::SYMLINK_NOFOLLOW) else { continue };
            let is_folder = FileType::from_raw_mode(found.st_mode) == FileType::Directory;
            match (is_folder, found.st_dev == self.device) {
                (true, _) if name.to_bytes() == GIT => {}
                (true, true) => below.push(path),
                (true, false) => seen.push(Seen { path, stat: stat(&found), closed: Some(Closed::Foreign) }),
                (false, _) => seen.push(Seen { path, stat: stat(&found), closed: None }),
            }
        }
        below
    }

    fn open(&self, folder: &[u8]) -> rustix::io::Result<OwnedFd> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let name = if folder.is_empty() { b".".as_slice() } else { folder };
        rustix::fs::openat(&self.root, path_of(name).as_path(), flags, Mode::empty())
    }

    fn stat(&self, folder: &[u8]) -> Stat {
        let found = rustix::fs::statat(&self.root, path_of(folder).as_path(), AtFlags::SYMLINK_NOFOLLOW);
        found.map(|found| stat(&found)).unwrap_or_default()
    }
}

/// Takes what matters of what the system says.
pub fn stat(found: &rustix::fs::Stat) -> Stat {
    let ns = |seconds: i64, nanoseconds: i64| seconds.wrapping_mul(1_000_000_000).wrapping_add(nanoseconds);
    Stat {
        mode: found.st_mode,
        size: found.st_size as u64,
        mtime_ns: ns(found.st_mtime, found.st_mtime_nsec as i64),
        ctime_ns: ns(found.st_ctime, found.st_ctime_nsec as i64),
        ino: found.st_ino,
    }
}
