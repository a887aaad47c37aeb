//! How does one file take the place of another so that nothing is torn, lost or left behind?
//!
//! In two steps, so that several files can change together: [`Swap::prepare`] writes and syncs the new content beside the
//! old, [`Swap::commit`] exchanges the two names at once and then looks at what came out. If that is not what was expected,
//! somebody wrote in between, and the names are exchanged back: unseen content is never lost. Until [`Done`] is dropped the
//! old file lies beside the new one and can be put back as it was, the very same inode.

use std::ffi::{OsStr, OsString};
use std::fs::{File, Metadata, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::sync::Arc;

use crate::base::attributes::{self, NotKept};
use crate::base::beneath::{Folder, Found, Made, is_link_met};
use crate::base::hash;
use crate::base::pending::{Noted, Pending};
use crate::base::umask;

/// Mode of a temporary file until it has that of the file it replaces.
const UNFINISHED: u32 = 0o600;
/// Set-user-id, set-group-id: not for a file whose owner could not be kept.
const SET_ID: u32 = 0o6000;

/// Saves by somebody else that are followed while a change is taken back.
const MAX_ROUNDS: u32 = 100;

/// What a file must be for a change to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Before {
    /// Nothing may be there.
    Nothing,
    /// This content.
    Content(Content),
}

/// A content by which a file is recognised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// Its hash.
    pub hash: String,
    /// Its length.
    pub bytes: u64,
}

impl Content {
    /// Recognises these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self { hash: hash::of_bytes(bytes), bytes: bytes.len() as u64 }
    }
}

/// What a file is to become.
#[derive(Debug, Clone, Copy)]
pub enum After<'a> {
    /// Nothing: it goes.
    Nothing,
    /// This content. A file that was there keeps its mode, owner and attributes; a new one gets `mode` less the user's umask.
    Content {
        /// The content.
        bytes: &'a [u8],
        /// Permission bits of a new file.
        mode: u32,
    },
}

/// Why a file was not changed. Nothing of it has.
#[derive(Debug, thiserror::Error)]
pub enum SwapError {
    /// It is not what it was expected to be.
    #[error("it changed meanwhile")]
    Changed,
    /// It, or a folder above it, is a symbolic link.
    #[error("it lies behind a symbolic link")]
    Link,
    /// Nobody may write it.
    #[error("it is read-only")]
    ReadOnly,
    /// It has other names, which would keep the old content.
    #[error("it has {0} hard links")]
    HardLinked(u64),
    /// It has no content of its own.
    #[error("it is {0}")]
    NotAFile(&'static str),
    /// Something about it would be lost.
    #[error(transparent)]
    Attribute(#[from] NotKept),
    /// The system refused.
    #[error(transparent)]
    System(io::Error),
}

impl From<io::Error> for SwapError {
    fn from(error: io::Error) -> Self {
        if is_link_met(&error) { Self::Link } else { Self::System(error) }
    }
}

/// A change that is ready to be made. Dropped, it leaves nothing behind.
#[derive(Debug)]
pub struct Swap {
    folder: Folder,
    name: OsString,
    temporary: OsString,
    before: Before,
    /// The new content; none when the file is to go.
    after: Option<Content>,
    made: Made,
    /// Whether the folders that were made hold nothing.
    is_vain: bool,
    /// Whether the file of the temporary name is wanted by nobody.
    is_spare: bool,
    way: Way,
    /// Last, because it is struck out when the file is gone.
    noted: Noted,
}

/// How the new file gets into the place of the old one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// Both names are exchanged at once.
    Exchange,
    /// The old file gets a second name first: for file systems that cannot exchange names, NFS among them.
    Link,
    /// It is replaced, and there is no way back: for file systems that know no second names either.
    Replace,
}

/// A change that was made. Dropped, it is final.
#[derive(Debug)]
pub struct Done {
    swap: Swap,
    /// Whether the old file can be put back.
    is_revertible: bool,
}

impl Swap {
    /// Checks the file at `path` (absolute, links followed) and writes what it is to become beside it.
    pub fn prepare(path: &Path, before: Before, after: After<'_>, pending: &Arc<Pending>) -> Result<Self, SwapError> {
        let invalid = || SwapError::System(io::ErrorKind::InvalidInput.into());
        let (parent, name) = (path.parent().ok_or_else(invalid)?, path.file_name().ok_or_else(invalid)?);
        let (folder, made) = match before {
            Before::Nothing => Folder::open_or_make(parent)?,
            Before::Content(_) => (Folder::open(parent)?, Made::default()),
        };
        let (temporary, noted) = pending.note(folder.path(), name);
        let name = name.to_owned();
        let mut swap = Self {
            folder,
            name,
            temporary,
            before,
            after: None,
            made,
            is_vain: true,
            is_spare: true,
            way: Way::Exchange,
            noted,
        };
        let old = swap.check()?;
        if let After::Content { bytes, mode } = after {
            swap.write(bytes, mode, old.as_ref())?;
        }
        Ok(swap)
    }

    /// Finds the old file in the state a change needs.
    fn check(&self) -> Result<Option<(File, Metadata)>, SwapError> {
        match (self.folder.look(&self.name)?, &self.before) {
            (Found::Nothing, Before::Nothing) => Ok(None),
            (Found::File(file, meta), Before::Content(old)) if meta.len() == old.bytes => {
                // A rename would replace even a file nobody may write; its mode is the owner's word.
                if meta.permissions().mode() & 0o222 == 0 || !self.folder.may_write(&self.name) {
                    return Err(SwapError::ReadOnly);
                }
                match meta.nlink() {
                    0 | 1 => Ok(Some((file, meta))),
                    links => Err(SwapError::HardLinked(links)),
                }
            }
            (Found::Other(kind), _) => Err(SwapError::NotAFile(kind)),
            _ => Err(SwapError::Changed),
        }
    }

    fn write(&mut self, bytes: &[u8], mode: u32, old: Option<&(File, Metadata)>) -> Result<(), SwapError> {
        let mut file = self.folder.create(&self.temporary, if old.is_some() { UNFINISHED } else { mode })?;
        file.write_all(bytes)?;
        if let Some((old, meta)) = old {
            take_over(&file, old, meta)?;
        } else {
            umask::apply(&file, mode)?;
        }
        sync(&file)?;
        self.after = Some(Content::of(bytes));
        Ok(())
    }

    /// Makes the change, if the file still is what it was expected to be.
    pub fn commit(mut self) -> Result<Done, SwapError> {
        let is_revertible = match (self.before.clone(), self.after.is_some()) {
            (Before::Nothing, false) => true,
            (Before::Nothing, true) => self.appear().map(|()| true)?,
            (Before::Content(old), is_content) => {
                self.ensure(&self.name, &old)?;
                let is_revertible = if is_content { self.exchange()? } else { self.set_aside()? };
                // What came out is what was replaced, whatever it was a moment ago.
                if is_revertible && self.ensure(&self.temporary, &old).is_err() {
                    self.put_back()?;
                    return Err(SwapError::Changed);
                }
                is_revertible
            }
        };
        (self.is_vain, self.is_spare) = (false, true);
        Ok(Done { swap: self, is_revertible })
    }

    fn appear(&self) -> Result<(), SwapError> {
        self.folder.rename_to_free(&self.temporary, &self.name).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => SwapError::Changed,
            _ => error.into(),
        })
    }

    /// Puts the new file in the place of the old and the old under the temporary name; false where only the first was possible.
    fn exchange(&mut self) -> io::Result<bool> {
        if self.way == Way::Exchange && self.folder.exchange(&self.temporary, &self.name)?.is_some() {
            self.is_spare = false;
            return Ok(true);
        }
        let (second, noted) = self.noted.another(self.folder.path(), &self.name);
        self.way = if self.folder.link(&self.name, &second).is_ok() { Way::Link } else { Way::Replace };
        if let Err(error) = self.folder.rename(&self.temporary, &self.name) {
            drop(self.folder.remove(&second));
            return Err(error);
        }
        (self.temporary, self.noted) = (second, noted);
        self.is_spare = false;
        Ok(self.way == Way::Link)
    }

    fn set_aside(&mut self) -> io::Result<bool> {
        self.folder.rename_to_free(&self.name, &self.temporary)?;
        self.is_spare = false;
        Ok(true)
    }

    /// Undoes [`Self::exchange`] and [`Self::set_aside`]. Says whether the old file is in its place: a save since then stays
    /// there instead. When it fails the old file stays under the temporary name.
    fn put_back(&mut self) -> io::Result<bool> {
        self.is_spare = false;
        let came_back = match (self.after.clone(), self.way) {
            (Some(new), Way::Exchange) => self.exchange_back(&new).ok(),
            (Some(_), Way::Link | Way::Replace) => {
                self.folder.rename(&self.temporary, &self.name).is_ok().then_some(true)
            }
            (None, _) => None,
        };
        if came_back.is_none() {
            self.folder.rename_to_free(&self.temporary, &self.name)?;
        }
        self.is_spare = true;
        Ok(came_back.unwrap_or(true))
    }

    /// Exchanges the names back. What comes out should be what was put there; if not, somebody saved in between, and whoever
    /// saved last has the last word. Says whether it is the old file that is in its place.
    fn exchange_back(&self, new: &Content) -> io::Result<bool> {
        let mut put_there = None;
        for round in 0..MAX_ROUNDS {
            let next = self.file_id(&self.temporary)?;
            if self.folder.exchange(&self.temporary, &self.name)?.is_none() {
                break;
            }
            let is_ours = match put_there {
                None => self.ensure(&self.temporary, new).is_ok(),
                Some(id) => self.file_id(&self.temporary)? == id,
            };
            if is_ours {
                return Ok(round == 0);
            }
            put_there = Some(next);
        }
        Err(io::ErrorKind::ResourceBusy.into())
    }

    /// Tells the file of that name from every other.
    fn file_id(&self, name: &OsStr) -> io::Result<(u64, u64)> {
        match self.folder.look(name)? {
            Found::File(_, meta) => Ok((meta.dev(), meta.ino())),
            _ => Err(io::ErrorKind::NotFound.into()),
        }
    }

    /// Fails unless the file of that name has this content.
    fn ensure(&self, name: &OsStr, content: &Content) -> Result<(), SwapError> {
        let Found::File(file, meta) = self.folder.look(name)? else { return Err(SwapError::Changed) };
        match meta.len() == content.bytes && hash::of_reader(file)? == content.hash {
            true => Ok(()),
            false => Err(SwapError::Changed),
        }
    }
}

impl Drop for Swap {
    fn drop(&mut self) {
        if self.is_spare {
            drop(self.folder.remove(&self.temporary));
        }
        if self.is_vain {
            std::mem::take(&mut self.made).unmake();
        }
    }
}

impl Done {
    /// Returns the hash of the new content; none when the file went.
    pub fn hash(&self) -> Option<&str> {
        self.swap.after.as_ref().map(|content| content.hash.as_str())
    }

    /// Puts everything back as it was; fails when somebody has changed the file since, and where the file system keeps no
    /// way back. The change then stands.
    pub fn revert(mut self) -> Result<(), SwapError> {
        let swap = &mut self.swap;
        if let Some(after) = &swap.after {
            swap.ensure(&swap.name, after)?;
        }
        match swap.before {
            Before::Nothing if swap.after.is_none() => {}
            Before::Nothing => swap.folder.rename_to_free(&swap.name, &swap.temporary)?,
            Before::Content(_) if self.is_revertible => {
                if !swap.put_back()? {
                    return Err(SwapError::Changed);
                }
            }
            Before::Content(_) => return Err(SwapError::System(io::ErrorKind::Unsupported.into())),
        }
        swap.is_vain = true;
        Ok(())
    }
}

impl Drop for Done {
    fn drop(&mut self) {
        // Before the folder is synced, so that its end is durable too.
        if self.swap.is_spare {
            drop(self.swap.folder.remove(&self.swap.temporary));
        }
        self.swap.folder.sync();
    }
}

/// Has the content of a file on disk; file systems that cannot say so are no reason to fail.
fn sync(file: &File) -> io::Result<()> {
    match file.sync_all() {
        Err(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => Ok(()),
        result => result,
    }
}

/// Gives the new file what the old one has besides its content.
fn take_over(new: &File, old: &File, meta: &Metadata) -> Result<(), SwapError> {
    let mut mode = meta.permissions().mode() & 0o7777;
    // Only root may give a file away, and others a group they are in. Before the mode: a change of owner clears its set-id
    // bits.
    let is_given = std::os::unix::fs::fchown(new, Some(meta.uid()), Some(meta.gid())).is_ok();
    if !is_given {
        let is_in_group = std::os::unix::fs::fchown(new, None, Some(meta.gid())).is_ok();
        let now = new.metadata()?;
        // With another owner they would lend out another's rights than the file did.
        if !is_in_group || now.uid() != meta.uid() {
            mode &= !SET_ID;
        }
    }
    attributes::copy(old, new)?;
    new.set_permissions(Permissions::from_mode(mode))?;
    Ok(())
}

#[cfg(test)]
#[path = "swap_tests.rs"]
mod tests;
