//! What project are we in, and what does it say about itself?
//!
//! The root folder, instruction files, git facts, and which files a session has read. Must not change anything.

pub mod git;
pub mod git_parse;
pub mod instructions;
pub mod walk;

use std::path::{Path, PathBuf};

use crate::base::path::{Resolved, resolve};

/// The folder a session works in.
#[derive(Debug, Clone)]
pub struct Workspace {
    /// Canonical path of the folder.
    root: PathBuf,
}

impl Workspace {
    /// Opens the folder; fails when it does not exist or cannot be entered.
    pub fn open(folder: &Path) -> std::io::Result<Self> {
        let root = folder.canonicalize()?;
        std::fs::read_dir(&root)?;
        Ok(Self { root })
    }

    /// Returns the canonical path of the folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Resolves a path a model or user named against the workspace, following links.
    pub fn resolve(&self, given: &str) -> Resolved {
        resolve(&self.root, Path::new(given))
    }
}
