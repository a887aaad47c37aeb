//! Where is kept what `mimi doctor` measured about a model, and who reads it?
//!
//! One small file for each model on each server, below the cache folder: losing it costs a minute of measuring. A profile
//! only ever narrows what is sent (fewer tools, one call at a time, whole files): two users of a server who measured the
//! same thing send the same bytes, and one who measured nothing sends what the catalog says.

use std::path::{Path, PathBuf};

use crate::base::{hash, path};
use crate::protocol::profile::Profile;

/// The folder of profiles.
#[derive(Debug, Clone)]
pub struct Profiles {
    folder: PathBuf,
}

impl Profiles {
    /// Uses `folder`, which need not exist.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Returns what was measured about `model` at `url`. What cannot be read counts as not measured.
    pub fn load(&self, url: &str, model: &str) -> Option<Profile> {
        let bytes = std::fs::read(self.file(url, model)).ok()?;
        serde_json::from_slice(&bytes).ok()
    }

    /// Keeps what was measured.
    ///
    /// # Errors
    /// The folder cannot be made or the file not written.
    pub fn save(&self, url: &str, model: &str, profile: &Profile) -> std::io::Result<()> {
        path::create_private_dir(&self.folder)?;
        let bytes = serde_json::to_vec_pretty(profile)?;
        path::write_atomic(&self.file(url, model), &bytes, path::PRIVATE_FILE)
    }

    /// Returns the folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn file(&self, url: &str, model: &str) -> PathBuf {
        self.folder.join(format!("{}.json", hash::of_bytes(format!("{url}\n{model}").as_bytes())))
    }
}
