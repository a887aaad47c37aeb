//! Who is writing this session?
//!
//! An advisory lock on the session file itself. The system drops it when the process ends, however it ends, so that
//! there is no stale lock to clean up. Who holds it is read from the last writer's line in the file.

use std::fs::{File, TryLockError};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::Duration;

use crate::session::error::SessionError;
use crate::session::reader::{Line, Reader, id_of};

/// Times a lock that somebody has is tried; together a fraction of a second.
const TRIES: u32 = 20;
const PAUSE: Duration = Duration::from_millis(10);

/// Whether a session file is ours alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lock {
    /// No other process can write it.
    Held,
    /// The file system knows no locks (some network ones); nobody guards the file.
    Unsupported,
}

/// Locks the open session file; fails when another process has it, or when it was deleted meanwhile.
pub fn take(file: &File, path: &Path) -> Result<Lock, SessionError> {
    let mut n_tries = 0;
    let lock = loop {
        n_tries += 1;
        match file.try_lock() {
            Ok(()) => break Lock::Held,
            Err(TryLockError::Error(_)) => break Lock::Unsupported,
            // A process that is just being started holds its parent's locks until its program runs, also when the parent
            // is gone by then.
            Err(TryLockError::WouldBlock) if n_tries < TRIES => std::thread::sleep(PAUSE),
            Err(TryLockError::WouldBlock) => {
                return Err(SessionError::InUse { id: id_of(path), holder: holder(path) });
            }
        }
    };
    if is_still_at(file, path) {
        return Ok(lock);
    }
    // Deleted by the process that held the lock before: what we wrote would vanish with the last handle.
    Err(SessionError::NotFound { prefix: id_of(path) })
}

fn is_still_at(file: &File, path: &Path) -> bool {
    match (file.metadata(), std::fs::metadata(path)) {
        (Ok(ours), Ok(theirs)) => (ours.dev(), ours.ino()) == (theirs.dev(), theirs.ino()),
        _ => false,
    }
}

/// Names the process that opened the session last, in words.
fn holder(path: &Path) -> String {
    let mut last = None;
    if let Ok(mut reader) = Reader::open(path) {
        while let Ok(Some(line)) = reader.next_line() {
            if let Line::Opened(opened) = line {
                last = Some(opened.to_string());
            }
        }
    }
    last.unwrap_or_else(|| "another process".to_owned())
}
