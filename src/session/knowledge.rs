//! Which files has the model of a session seen, and of which changes was it told?
//!
//! A pure fold like the transcript, of which it is a part: what a turn taught goes when the turn is taken back.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::protocol::diff::FileState;

/// What a model knows of files: for each path the hash of its content, or none for no file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Knowledge {
    /// Contents it was shown.
    pub seen: BTreeMap<PathBuf, Option<String>>,
    /// Later states it was told of without seeing them.
    pub told: BTreeMap<PathBuf, Option<String>>,
}

impl Knowledge {
    /// Takes in that the model was shown these files, or itself removed those without a hash.
    pub fn see(&mut self, files: &[FileState]) {
        for FileState { path, hash } in files {
            self.told.remove(path);
            match hash {
                Some(_) => self.seen.insert(path.clone(), hash.clone()),
                None => self.seen.remove(path),
            };
        }
    }

    /// Takes in that the model was told that these files are different now.
    pub fn tell(&mut self, files: &[FileState]) {
        self.told.extend(files.iter().map(|FileState { path, hash }| (path.clone(), hash.clone())));
    }
}
