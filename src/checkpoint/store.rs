//! Where does the content of a file wait in case it is wanted back?
//!
//! Under its own hash, once however often it is kept, in private files outside every workspace. Surprising: links, devices
//! and very large files are not kept but named as such, because "not kept" must never be read as "did not exist".

use std::io::{self, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::base::hash;
use crate::base::path::{PRIVATE_FILE, create_private_dir, remove_file, sync_parent, touch, write_atomic};
use crate::checkpoint::error::CheckpointError;
use crate::protocol::diff::Change;

/// Largest file that is kept. Sources are far below; build products and data sets would fill the disk unseen.
pub const MAX_FILE_BYTES: u64 = 64 << 20;
/// Length of a BLAKE3 hash in hex.
const HASH_CHARS: usize = 64;

/// A file as it was before a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept {
    /// There was no file.
    Missing,
    /// Its content is in the store.
    Content {
        /// Hash of the content.
        hash: String,
        /// Permission bits.
        mode: u32,
    },
    /// It cannot be taken back.
    Skipped(Skipped),
}

/// Why a file is not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Skipped {
    /// It is larger than [`MAX_FILE_BYTES`].
    TooLarge {
        /// Its size.
        bytes: u64,
    },
    /// It is a symbolic link.
    Link,
    /// It is a folder, device, pipe or socket.
    NotAFile,
}

impl std::fmt::Display for Skipped {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::TooLarge { bytes } => write!(out, "it has {} MiB, more than {}", bytes >> 20, MAX_FILE_BYTES >> 20),
            Self::Link => out.write_str("it is a symbolic link"),
            Self::NotAFile => out.write_str("it is not a regular file"),
        }
    }
}

impl Kept {
    /// Returns hash and permission bits of the file; nothing where there was none, or none was kept.
    pub fn content(&self) -> (Option<String>, Option<u32>) {
        match self {
            Self::Missing | Self::Skipped(_) => (None, None),
            Self::Content { hash, mode } => (Some(hash.clone()), Some(*mode)),
        }
    }

    /// Compares the file with what was kept of it, after the call: the change to record, or none when nothing changed
    /// or nothing was kept.
    pub fn change(&self, path: &Path) -> Result<Option<Change>, CheckpointError> {
        if matches!(self, Self::Skipped(_)) {
            return Ok(None);
        }
        let (before, mode) = self.content();
        let after = hash_now(path)?;
        if after == before {
            return Ok(None);
        }
        Ok(Some(Change { path: path.to_path_buf(), before, after, mode }))
    }
}

/// Hashes the file as it is; none when there is no regular file of that name.
pub fn hash_now(path: &Path) -> Result<Option<String>, CheckpointError> {
    match std::fs::symlink_metadata(path) {
        Ok(meta) if meta.is_file() => hash::of_file(path).map(Some).map_err(|source| unreadable(path, source)),
        Ok(_) => Ok(None),
        Err(error) if is_absent(&error) => Ok(None),
        Err(source) => Err(unreadable(path, source)),
    }
}

/// Says whether the name leads to nothing, also where a parent is no folder.
pub(crate) fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

fn unreadable(path: &Path, source: io::Error) -> CheckpointError {
    CheckpointError::Read { path: path.to_path_buf(), source }
}

/// The contents kept for one user, by hash.
#[derive(Debug, Clone)]
pub struct Store {
    folder: PathBuf,
}

impl Store {
    /// Opens the store in `folder`, which is made when missing.
    pub fn open(folder: &Path) -> Result<Self, CheckpointError> {
        create_private_dir(folder).map_err(|source| CheckpointError::Folder { path: folder.to_path_buf(), source })?;
        Ok(Self { folder: folder.to_path_buf() })
    }

    /// Keeps a file as it is now. When this returns its content is on disk; after an error the user must be told that a
    /// change cannot be taken back.
    pub fn keep(&self, path: &Path) -> Result<Kept, CheckpointError> {
        let meta = match std::fs::symlink_metadata(path) {
            Ok(meta) => meta,
            Err(error) if is_absent(&error) => return Ok(Kept::Missing),
            Err(source) => return Err(unreadable(path, source)),
        };
        if meta.is_symlink() {
            return Ok(Kept::Skipped(Skipped::Link));
        }
        if !meta.is_file() {
            return Ok(Kept::Skipped(Skipped::NotAFile));
        }
        let Some(bytes) = read_capped(path).map_err(|source| unreadable(path, source))? else {
            return Ok(Kept::Skipped(Skipped::TooLarge { bytes: meta.len() }));
        };
        Ok(Kept::Content { hash: self.put(&bytes)?, mode: meta.permissions().mode() & 0o7777 })
    }

    /// Returns the content kept under `hash`; fails when it is gone or damaged.
    pub fn load(&self, hash: &str) -> Result<Vec<u8>, CheckpointError> {
        let path = self.place(hash)?;
        let bytes = std::fs::read(&path).map_err(|source| CheckpointError::Load { path: path.clone(), source })?;
        if hash::of_bytes(&bytes) != hash {
            return Err(CheckpointError::Damaged { path });
        }
        Ok(bytes)
    }

    /// Deletes contents nobody kept again for `keep_days` before `now_ms`, and returns how many. Zero days keep all.
    ///
    /// What cannot be read or deleted stays.
    pub fn prune(&self, keep_days: u64, now_ms: u64) -> usize {
        let kept = Duration::from_secs(keep_days.saturating_mul(24 * 60 * 60));
        let Some(limit) = Duration::from_millis(now_ms).checked_sub(kept).filter(|_| keep_days > 0) else {
            return 0;
        };
        let limit = UNIX_EPOCH + limit;
        let is_old = |path: &PathBuf| {
            std::fs::metadata(path).is_ok_and(|meta| meta.is_file() && meta.modified().is_ok_and(|at| at < limit))
        };
        let folders = entries(&self.folder).into_iter().filter(|path| path.is_dir());
        folders.flat_map(|folder| entries(&folder)).filter(is_old).filter(|path| remove_file(path).is_ok()).count()
    }

    fn put(&self, bytes: &[u8]) -> Result<String, CheckpointError> {
        let hash = hash::of_bytes(bytes);
        let path = self.place(&hash)?;
        let is_there = std::fs::metadata(&path).is_ok_and(|meta| meta.len() == bytes.len() as u64);
        // Kept again: it must outlive the day that [`Store::prune`] counts from the first time.
        if is_there && touch(&path, SystemTime::now()).is_ok() {
            return Ok(hash);
        }
        let folder = path.parent().unwrap_or(&self.folder);
        create_private_dir(folder)
            .and_then(|()| write_atomic(&path, bytes, PRIVATE_FILE))
            .map_err(|source| CheckpointError::Write { path: path.clone(), source })?;
        // Before the file itself is changed: a power cut must not take both.
        sync_parent(&path);
        Ok(hash)
    }

    /// Returns where `hash` is kept; the text comes from a file and must not lead out of the store.
    fn place(&self, hash: &str) -> Result<PathBuf, CheckpointError> {
        let is_hex = hash.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if hash.len() != HASH_CHARS || !is_hex {
            return Err(CheckpointError::BadHash { hash: hash.to_owned() });
        }
        Ok(self.folder.join(&hash[..2]).join(hash))
    }
}

/// Reads a file, or nothing of it when it is too large; its size may change while it is read.
fn read_capped(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let file = std::fs::File::open(path)?;
    if file.metadata()?.len() > MAX_FILE_BYTES {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= MAX_FILE_BYTES).then_some(bytes))
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(folder).map(|found| found.flatten().map(|entry| entry.path()).collect()).unwrap_or_default()
}
