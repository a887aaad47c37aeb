//! Where does a command without namespaces keep its temporary files, and who takes them away?
//!
//! Each has a folder of its own below the system's temporary one, locked by the supervisor for as long as it lives. What a
//! supervisor that was killed left behind is found by the lock that nobody holds, and goes when the next one comes.

use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

use crate::base::clock::new_id;
use crate::base::path::{create_private_dir, remove_tree, user_id};

/// What the names of these folders begin with.
const PREFIX: &str = "mimi-command-";
/// Tries to make a folder; somebody who sweeps may take one that is not locked yet.
const MAX_TRIES: usize = 3;

/// A folder that goes when the command is over.
pub(crate) struct Temporary {
    path: PathBuf,
    _lock: File,
}

impl Temporary {
    /// Takes away what is left of others and makes a folder below `base`.
    ///
    /// # Errors
    /// No folder can be made there.
    pub(crate) fn below(base: &Path) -> io::Result<Self> {
        sweep(base);
        for _ in 0..MAX_TRIES {
            let path = base.join(format!("{PREFIX}{}", new_id()));
            create_private_dir(&path)?;
            if let Some(lock) = locked(&path) {
                return Ok(Self { path: path.canonicalize()?, _lock: lock });
            }
        }
        Err(io::Error::other(format!("folders below `{}` do not stay", base.display())))
    }

    /// Returns the folder; no part of it is a link.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        drop(remove_tree(&self.path));
    }
}

/// Locks a folder; none when somebody else holds it or it is gone.
fn locked(path: &Path) -> Option<File> {
    let folder = File::open(path).ok()?;
    flock(&folder, FlockOperation::NonBlockingLockExclusive).ok()?;
    path.is_dir().then_some(folder)
}

/// Removes folders of this user that nobody holds. Failing is no harm: the next one tries again.
fn sweep(base: &Path) {
    let entries = std::fs::read_dir(base).into_iter().flatten().flatten();
    let is_named = |name: &std::ffi::OsStr| name.to_str().is_some_and(|name| name.starts_with(PREFIX));
    for entry in entries.filter(|entry| is_named(&entry.file_name())) {
        let is_own = entry.metadata().is_ok_and(|metadata| metadata.is_dir() && metadata.uid() == user_id());
        if is_own && let Some(_lock) = locked(&entry.path()) {
            drop(remove_tree(&entry.path()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_goes_with_its_command_and_what_a_killed_one_left_with_the_next() {
        let base = tempfile::tempdir().unwrap();
        let n_left = || std::fs::read_dir(base.path()).unwrap().count();
        let one = Temporary::below(base.path()).unwrap();
        std::fs::write(one.path().join("file"), "text").unwrap();
        std::fs::create_dir(base.path().join(format!("{PREFIX}killed"))).unwrap();
        std::fs::create_dir(base.path().join("of-others")).unwrap();
        let two = Temporary::below(base.path()).unwrap();
        assert!(one.path().join("file").exists(), "a folder in use was taken");
        assert_eq!(n_left(), 3, "what the killed one left is still there");
        drop((one, two));
        assert_eq!(n_left(), 1);
    }
}
