//! Where does a path in a command lead?
//!
//! By its text and by the links on the disk, whichever is worse. `/proc/self/root` and its kind are seen through.

use std::path::{Component, Path, PathBuf};

use crate::policy::path::Names;

/// What is looked up on the disk while a command is judged. Nothing is changed.
pub trait Disk: Send + Sync {
    /// Follows the links of the part of an absolute path that exists.
    fn follow(&self, path: &Path) -> PathBuf;
    /// Lists the names in a folder and says which are folders; at most `max` of them, none when there are more.
    fn list(&self, folder: &Path, max: usize) -> Option<Vec<(String, bool)>>;
    /// Returns where a program is found, links followed.
    fn program(&self, name: &str) -> Option<PathBuf>;
    /// Reads a small text file.
    fn text(&self, path: &Path) -> Option<String>;
    /// Says whether something is there.
    fn exists(&self, path: &Path) -> bool;
}

/// Where a command runs, and what is special there.
pub struct World<'a> {
    /// The workspace, links followed.
    pub root: &'a Path,
    /// The folder the command starts in.
    pub cwd: &'a Path,
    /// What `~` stands for.
    pub home: &'a Path,
    /// Folders outside the workspace that may be read.
    pub readable: &'a [PathBuf],
    /// Folders nobody but mimi itself writes.
    pub guarded: &'a [PathBuf],
    /// Names with a meaning.
    pub names: &'a Names,
    /// The disk.
    pub disk: &'a dyn Disk,
}

/// Where a path leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// `/dev/null`, `-` and the like.
    Nowhere,
    /// Into the workspace or a folder that may be read.
    Inside,
    /// To a place of the system whose names anybody may see.
    Listed,
    /// Elsewhere.
    Outside,
    /// To something that holds secrets.
    Secret,
}

/// A path and where it leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Absolute, links followed.
    pub path: PathBuf,
    /// Where it leads.
    pub place: Place,
}

impl World<'_> {
    /// Finds where `text` leads from the folder `cwd`.
    pub fn find(&self, cwd: &Path, text: &str) -> Found {
        if matches!(text, "-" | "/dev/null" | "/dev/stdin" | "/dev/stdout" | "/dev/stderr") {
            return Found { path: PathBuf::from(text), place: Place::Nowhere };
        }
        let plain = tidy(&cwd.join(text));
        // As written, because `link/..` is not the folder of the link.
        let is_own = plain.starts_with("/proc/self") || plain.starts_with("/proc/thread-self");
        // The process meant by these is not the one that follows them.
        let real = if is_own { plain.clone() } else { tidy(&self.disk.follow(&cwd.join(text))) };
        let place = match self.place(&plain).max(self.place(&real)) {
            // Only what is named as a place of the system is one.
            Place::Listed if !text.starts_with('/') => Place::Outside,
            place => place,
        };
        Found { path: real, place }
    }

    fn place(&self, path: &Path) -> Place {
        let inside = path.strip_prefix(self.root).ok();
        if self.names.is_secret(inside.unwrap_or(path)) || self.names.is_secret_place(path) {
            return Place::Secret;
        }
        if inside.is_some() || self.readable.iter().any(|folder| path.starts_with(folder)) {
            return Place::Inside;
        }
        if self.names.is_listed(path) { Place::Listed } else { Place::Outside }
    }

    /// Says whether a path is one that only mimi or git itself may write.
    pub fn is_guarded(&self, path: &Path) -> bool {
        let real = self.disk.follow(path);
        [path, real.as_path()].iter().any(|path| {
            self.guarded.iter().any(|folder| path.starts_with(folder))
                || self.names.is_guarded(path.strip_prefix(self.root).unwrap_or(path))
        })
    }
}

/// Removes `.`, `..`, doubled slashes, and the ways round by `/proc/self/root`.
pub fn tidy(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                out.pop();
            }
            other => out.push(other),
        }
        if is_root_of_process(&out) {
            out = PathBuf::from("/");
        }
    }
    out
}

fn is_root_of_process(path: &Path) -> bool {
    let Ok(rest) = path.strip_prefix("/proc") else { return false };
    // `/proc/PID/root`, `/proc/PID/task/TID/root`
    rest.ends_with("root") && matches!(rest.components().count(), 2 | 4)
}
