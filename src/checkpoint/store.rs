//! Where does the content of a file wait in case it is wanted back?
//!
//! Under its own hash, once however often it is kept, compressed, in private files outside every workspace: a few contents
//! as files of their own, many as a pack. Whoever writes or reads holds a shared lock, and whoever deletes an exclusive one,
//! so that nothing goes away between being found and being named. Surprising: links, devices and very large files are not
//! kept but named as such, because "not kept" must never be read as "did not exist".

use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::SystemTime;

use crate::base::clock::new_id;
use crate::base::entry::{open_lock, write_private};
use crate::base::hash::{self, Digest};
use crate::base::path::{create_private_dir, open_regular, touch};
use crate::checkpoint::error::CheckpointError;
use crate::checkpoint::pack::{self, Pack, Packed};
use crate::protocol::diff::Change;

/// Largest file that is kept. Sources are far below; build products and data sets would fill the disk unseen.
pub const MAX_FILE_BYTES: u64 = 64 << 20;
/// So many contents at once become files of their own: each costs a sync or two, and many small packs are slow to search.
const MAX_LOOSE: usize = 8;
/// Ending of a compressed content that is a file of its own; without it the file is the content itself.
const PACKED: &str = ".lz4";
/// Ending of a pack.
pub(crate) const PACK: &str = "pack";
/// Content up to this size is looked at before it is taken to be kept already: a power cut may have spoiled it.
const TRUSTED_BYTES: usize = 1 << 20;

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

    /// Returns the folder.
    pub fn folder(&self) -> &Path {
        &self.folder
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
        Ok(Kept::Content { hash: hash::to_hex(&self.put(&bytes)?), mode: meta.permissions().mode() & 0o7777 })
    }

    /// Keeps one content; when this returns it is on disk.
    pub fn put(&self, bytes: &[u8]) -> Result<Digest, CheckpointError> {
        let digest = hash::digest(bytes);
        let shelf = self.shelf()?;
        if !shelf.holds(&digest, bytes.len())? {
            self.put_loose(&Packed::of(digest, bytes))?;
        }
        Ok(digest)
    }

    /// Keeps the contents that come, one at a time in memory; when this returns they are on disk.
    pub fn put_all(&self, mut contents: impl Iterator<Item = Packed>) -> Result<(), CheckpointError> {
        let first: Vec<Packed> = contents.by_ref().take(MAX_LOOSE + 1).collect();
        if first.len() <= MAX_LOOSE {
            return first.iter().try_for_each(|packed| self.put_loose(packed));
        }
        let folder = self.packs();
        let path = folder.join(format!("{}.{PACK}", new_id()));
        create_private_dir(&folder)
            .and_then(|()| pack::write(&path, first.into_iter().chain(contents)))
            .map(drop)
            .map_err(|source| CheckpointError::Write { path, source })
    }

    /// Returns the content kept under `hash`; fails when it is gone or damaged.
    pub fn load(&self, hash: &str) -> Result<Vec<u8>, CheckpointError> {
        self.shelf()?.load(hash)
    }

    /// Opens the store for looking up: nothing is deleted from it until the shelf is dropped.
    pub fn shelf(&self) -> Result<Shelf<'_>, CheckpointError> {
        let file = self.lock_file()?;
        // Where the file system knows no locks nothing is ever deleted.
        drop(file.lock_shared());
        Ok(Shelf { store: self, packs: OnceLock::new(), _lock: file })
    }

    /// Opens the file whose lock keeps those who delete apart from all others.
    pub(crate) fn lock_file(&self) -> Result<File, CheckpointError> {
        let path = self.folder.join("lock");
        open_lock(&path).map_err(|source| CheckpointError::Write { path, source })
    }

    /// Returns the folder of the packs.
    pub(crate) fn packs(&self) -> PathBuf {
        self.folder.join("packs")
    }

    fn put_loose(&self, packed: &Packed) -> Result<(), CheckpointError> {
        let path = self.loose(&packed.digest, if packed.is_plain() { "" } else { PACKED });
        let bytes = match packed.is_plain() {
            true => packed.bytes.clone(),
            false => [&packed.raw_bytes.to_le_bytes(), packed.bytes.as_slice()].concat(),
        };
        create_private_dir(path.parent().unwrap_or(&self.folder))
            // Before the file itself is changed: a power cut must not take both.
            .and_then(|()| write_private(&path, &bytes))
            .map_err(|source| CheckpointError::Write { path, source })
    }

    /// Returns where a content lies that is a file of its own.
    fn loose(&self, digest: &Digest, ending: &str) -> PathBuf {
        let hash = hash::to_hex(digest);
        self.folder.join(&hash[..2]).join(format!("{hash}{ending}"))
    }
}

/// The store while it is looked at.
#[derive(Debug)]
pub struct Shelf<'s> {
    store: &'s Store,
    packs: OnceLock<Vec<Pack>>,
    _lock: File,
}

impl Shelf<'_> {
    /// Returns the content kept under `hash`; fails when it is gone or damaged.
    pub fn load(&self, hash: &str) -> Result<Vec<u8>, CheckpointError> {
        let digest = hash::from_hex(hash).ok_or_else(|| CheckpointError::BadHash { hash: hash.to_owned() })?;
        if let Some((path, packed)) = self.read_loose(&digest)? {
            return packed.content().ok_or(CheckpointError::Damaged { path });
        }
        for pack in self.packs() {
            if let Some(row) = pack.find(&digest) {
                let read = pack.read(row);
                let packed = read.map_err(|source| CheckpointError::Load { path: pack.path.clone(), source })?;
                return packed.content().ok_or_else(|| CheckpointError::Damaged { path: pack.path.clone() });
            }
        }
        let path = self.store.loose(&digest, PACKED);
        Err(CheckpointError::Load { path, source: io::ErrorKind::NotFound.into() })
    }

    /// Says whether a content is kept, and marks it as used: it must outlive the time after which what nobody names is
    /// deleted.
    pub fn holds(&self, digest: &Digest, n_bytes: usize) -> Result<bool, CheckpointError> {
        for ending in [PACKED, ""] {
            let path = self.store.loose(digest, ending);
            let is_trusted = n_bytes > TRUSTED_BYTES && path.metadata().is_ok_and(|meta| meta.len() > 0);
            let is_sound = || {
                let packed = self.read_loose_at(&path, digest, ending).ok().flatten();
                packed.and_then(Packed::content).is_some()
            };
            if (is_trusted || is_sound()) && touch(&path, SystemTime::now()).is_ok() {
                return Ok(true);
            }
        }
        let pack = self.packs().iter().find(|pack| pack.find(digest).is_some());
        Ok(pack.is_some_and(|pack| touch(&pack.path, SystemTime::now()).is_ok()))
    }

    /// Returns the packs; one that cannot be read is as good as none.
    pub fn packs(&self) -> &[Pack] {
        self.packs.get_or_init(|| {
            let is_pack = |path: &PathBuf| path.extension().is_some_and(|ending| ending == PACK);
            entries(&self.store.packs()).into_iter().filter(is_pack).filter_map(|path| Pack::open(&path).ok()).collect()
        })
    }

    fn read_loose(&self, digest: &Digest) -> Result<Option<(PathBuf, Packed)>, CheckpointError> {
        for ending in [PACKED, ""] {
            let path = self.store.loose(digest, ending);
            if let Some(packed) = self.read_loose_at(&path, digest, ending)? {
                return Ok(Some((path, packed)));
            }
        }
        Ok(None)
    }

    fn read_loose_at(&self, path: &Path, digest: &Digest, ending: &str) -> Result<Option<Packed>, CheckpointError> {
        let mut bytes = match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if is_absent(&error) => return Ok(None),
            Err(source) => return Err(CheckpointError::Load { path: path.to_path_buf(), source }),
        };
        let raw_bytes = match (ending, bytes.first_chunk::<4>()) {
            ("", _) => bytes.len() as u32,
            (_, Some(head)) => u32::from_le_bytes(*head),
            (_, None) => return Err(CheckpointError::Damaged { path: path.to_path_buf() }),
        };
        if u64::from(raw_bytes) > MAX_FILE_BYTES {
            return Err(CheckpointError::Damaged { path: path.to_path_buf() });
        }
        bytes.drain(..if ending.is_empty() { 0 } else { 4 });
        Ok(Some(Packed { digest: *digest, raw_bytes, bytes }))
    }
}

/// Reads a file, or nothing of it when it is too large; its size may change while it is read.
fn read_capped(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let (file, meta) = open_regular(path)?;
    if meta.len() > MAX_FILE_BYTES {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= MAX_FILE_BYTES).then_some(bytes))
}

/// Lists a folder; one that cannot be read is empty.
pub(crate) fn entries(folder: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(folder).map(|found| found.flatten().map(|entry| entry.path()).collect()).unwrap_or_default()
}
