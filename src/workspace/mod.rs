//! What project are we in, and what does it say about itself?
//!
//! The root folder, instruction files, git facts, and which files a session has read. Must not change anything.
//! To add one: a file here for each new source of facts.

pub mod git;
pub mod git_changes;
pub mod git_hunks;
pub mod git_parse;
pub mod git_patch;
pub mod git_review;
pub mod ignored;
pub mod instructions;
pub mod seen;
pub mod walk;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::base::path::{Resolved, resolve};
use crate::workspace::seen::Seen;

/// The folder a session works in. Clones share what is known of its files.
#[derive(Debug, Clone)]
pub struct Workspace {
    /// Canonical path of the folder.
    root: PathBuf,
    /// What the model has seen: a file it has not seen, or not as it is now, is not changed.
    seen: Arc<Seen>,
}

impl Workspace {
    /// Opens the folder; fails when it does not exist or cannot be entered.
    pub fn open(folder: &Path) -> std::io::Result<Self> {
        let root = folder.canonicalize()?;
        std::fs::read_dir(&root)?;
        Ok(Self { root, seen: Arc::default() })
    }

    /// Returns the same folder for another session, whose model has seen nothing yet.
    #[must_use]
    pub fn unseen(&self) -> Self {
        Self { root: self.root.clone(), seen: Arc::default() }
    }

    /// Returns the canonical path of the folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Resolves a path a model or user named against the workspace, following links.
    pub fn resolve(&self, given: &str) -> Resolved {
        resolve(&self.root, Path::new(given))
    }

    /// Remembers that the model has seen the file at `path` (absolute, links followed) with this content hash.
    pub fn note_read(&self, path: &Path, hash: &str) {
        self.seen.note(path, hash);
    }

    /// Returns the content hash of the file at `path` as the model last saw it, if it did.
    pub fn seen(&self, path: &Path) -> Option<String> {
        self.seen.hash(path)
    }

    /// Returns all that is known of what the model has seen.
    pub fn memory(&self) -> &Arc<Seen> {
        &self.seen
    }
}
