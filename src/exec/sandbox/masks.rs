//! How is a name kept from coming to be, without leaving anything behind?
//!
//! A mount needs something to stand on: an empty folder under each protected name that is missing. It is there while
//! commands run and taken away by the last of them: each holds a shared lock, and whoever can turn it into an exclusive one
//! is the last. What was made is written down first, so that the next command tidies up after one that was killed. A folder
//! in which somebody put something meanwhile stays.

use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

use crate::base::hash;
use crate::base::path::{create_private_dir, open_append};

/// Mode of a mask: nothing can be put into it by mistake.
const MODE: u32 = 0o555;

/// The masks of one project, held by one command.
pub(crate) struct Masks {
    folder: PathBuf,
    path: PathBuf,
    register: File,
}

impl Masks {
    /// Enters among those who use the masks of `folder`; none where no register can be kept.
    pub(crate) fn enter(locks: &Path, folder: &Path) -> Option<Self> {
        if locks.as_os_str().is_empty() {
            return None;
        }
        create_private_dir(locks).ok()?;
        let name = hash::of_bytes(folder.as_os_str().as_encoded_bytes());
        let path = locks.join(format!("{name}.masks"));
        let register = open_append(&path).ok()?;
        flock(&register, FlockOperation::LockShared).ok()?;
        Some(Self { folder: folder.to_path_buf(), path, register })
    }

    /// Makes what is missing of `paths`. Where nothing can be made, a command cannot make anything either.
    pub(crate) fn put(&mut self, paths: &[PathBuf]) -> std::io::Result<()> {
        let names = paths.iter().filter_map(|path| path.file_name().and_then(|name| name.to_str()));
        let lines: String = names.map(|name| format!("{name}\n")).collect();
        self.register.write_all(lines.as_bytes())?;
        for path in paths {
            match std::fs::DirBuilder::new().mode(MODE).create(path) {
                Err(error) if !is_expected(&error) => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    /// Takes away what was made.
    fn remove(&mut self) -> std::io::Result<()> {
        let names = std::fs::read_to_string(&self.path)?;
        let is_plain = |name: &&str| !name.is_empty() && !name.contains('/') && *name != "..";
        for name in names.lines().filter(is_plain) {
            // Fails where somebody uses it, which is why it is this and not more.
            drop(std::fs::remove_dir(self.folder.join(name)));
        }
        self.register.set_len(0)
    }
}

impl Drop for Masks {
    fn drop(&mut self) {
        if flock(&self.register, FlockOperation::NonBlockingLockExclusive).is_ok() {
            drop(self.remove());
        }
    }
}

fn is_expected(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{AlreadyExists, PermissionDenied, ReadOnlyFilesystem};
    matches!(error.kind(), AlreadyExists | PermissionDenied | ReadOnlyFilesystem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_go_with_the_last_who_uses_them_and_never_with_something_in_them() {
        let (locks, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let names = [".git", ".mimi", "kept"].map(|name| folder.path().join(name));
        let enter = || Masks::enter(locks.path(), folder.path()).unwrap();
        let mut first = enter();
        first.put(&names).unwrap();
        let second = enter();
        drop(first);
        assert!(names.iter().all(|path| path.is_dir()));
        std::fs::remove_dir(&names[2]).unwrap();
        std::fs::create_dir(&names[2]).unwrap();
        std::fs::write(names[2].join("mine"), "").unwrap();
        drop(second);
        assert_eq!(names.map(|path| path.exists()), [false, false, true]);
    }

    #[test]
    fn what_a_killed_command_left_is_taken_away_by_the_next() {
        let (locks, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let mut killed = Masks::enter(locks.path(), folder.path()).unwrap();
        killed.put(&[folder.path().join(".git")]).unwrap();
        // As the kernel lets go of a dead process's lock.
        flock(&killed.register, FlockOperation::Unlock).unwrap();
        std::mem::forget(killed);
        drop(Masks::enter(locks.path(), folder.path()).unwrap());
        assert!(!folder.path().join(".git").exists());
    }
}
