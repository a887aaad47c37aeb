//! How do very many files of one tree look, asked as cheaply as the system allows?
//!
//! A path is gone through from its beginning at every question, which takes most of the time of one; here the folder is kept
//! open and only the name is asked for. Links are seen as links. Must not open files.

use std::fs::Metadata;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat, open, openat, statat};

/// What the system says of a file or folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// When its content changed: seconds since 1970, and nanoseconds.
    pub modified: (i64, i64),
    /// When anything of it changed, mode and name too.
    pub changed: (i64, i64),
    /// Bytes.
    pub size: u64,
    /// Its number on its device.
    pub number: u64,
    /// Its device.
    pub device: u64,
    /// Whether it is a symbolic link.
    pub is_link: bool,
}

impl From<&Metadata> for Look {
    fn from(meta: &Metadata) -> Self {
        Self {
            modified: (meta.mtime(), meta.mtime_nsec()),
            changed: (meta.ctime(), meta.ctime_nsec()),
            size: meta.size(),
            number: meta.ino(),
            device: meta.dev(),
            is_link: meta.is_symlink(),
        }
    }
}

impl From<&Stat> for Look {
    #[allow(clippy::unnecessary_cast, reason = "the types of the fields differ between systems")]
    fn from(stat: &Stat) -> Self {
        Self {
            modified: (stat.st_mtime as i64, stat.st_mtime_nsec as i64),
            changed: (stat.st_ctime as i64, stat.st_ctime_nsec as i64),
            size: stat.st_size as u64,
            number: stat.st_ino as u64,
            device: stat.st_dev as u64,
            is_link: FileType::from_raw_mode(stat.st_mode) == FileType::Symlink,
        }
    }
}

/// Looks at files below a folder, quickest in the order of their paths.
pub struct Looker {
    root: OwnedFd,
    /// The folder looked into last; none when it cannot be entered.
    folder: (String, Option<OwnedFd>),
}

impl Looker {
    /// Opens the folder all paths are below.
    pub fn new(root: &Path) -> io::Result<Self> {
        Ok(Self { root: open(root, FOLDER, Mode::empty())?, folder: (String::new(), None) })
    }

    /// Returns how the file or folder at a path looks; none when there is nothing to be seen. The empty path is the root.
    pub fn look(&mut self, path: &str) -> Option<Look> {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let name = if name.is_empty() { "." } else { name };
        let fd = if folder.is_empty() {
            Some(&self.root)
        } else {
            if self.folder.0 != folder {
                self.folder = (folder.to_owned(), openat(&self.root, folder, FOLDER, Mode::empty()).ok());
            }
            self.folder.1.as_ref()
        };
        statat(fd?, name, AtFlags::SYMLINK_NOFOLLOW).ok().map(|stat| Look::from(&stat))
    }
}

/// How folders are opened: only to be gone through where the system knows that.
#[cfg(target_os = "linux")]
const FOLDER: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
#[cfg(not(target_os = "linux"))]
const FOLDER: OFlags = OFlags::DIRECTORY.union(OFlags::CLOEXEC);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_looks_the_same_whoever_asks() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        std::fs::create_dir_all(root.join("a/b")).unwrap();
        std::fs::write(root.join("a/b/c.txt"), "text").unwrap();
        std::fs::write(root.join("d.txt"), "").unwrap();
        std::os::unix::fs::symlink("c.txt", root.join("a/b/link")).unwrap();
        let mut looker = Looker::new(root).unwrap();
        for path in ["", "a", "a/b", "a/b/c.txt", "d.txt", "a/b/link"] {
            let expected = Look::from(&root.join(path).symlink_metadata().unwrap());
            assert_eq!(looker.look(path), Some(expected), "`{path}`");
        }
        assert!(looker.look("a/b/link").unwrap().is_link);
        for path in ["none", "none/e", "d.txt/e", "a/none"] {
            assert_eq!(looker.look(path), None, "`{path}`");
        }
        assert!(Looker::new(&root.join("none")).is_err());
    }
}
