//! Does taking back restore what was there, and nothing else?

mod keep;
mod undo;

use std::path::PathBuf;

use mimi::checkpoint::store::Store;
use mimi::protocol::diff::Change;

/// A workspace and a store outside it.
pub struct Place {
    folder: tempfile::TempDir,
    pub store: Store,
}

impl Place {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("work")).unwrap();
        let store = Store::open(&folder.path().join("state/checkpoints")).unwrap();
        Self { folder, store }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().canonicalize().unwrap().join("work").join(name)
    }

    pub fn kept(&self) -> PathBuf {
        self.folder.path().join("state/checkpoints")
    }

    pub fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub fn read(&self, name: &str) -> Option<String> {
        std::fs::read_to_string(self.path(name)).ok()
    }

    /// Carries out a change the way the agent does: kept, made, compared.
    pub fn change(&self, name: &str, text: Option<&str>) -> Change {
        let path = self.path(name);
        let kept = self.store.keep(&path).unwrap();
        match text {
            Some(text) => self.write(name, text),
            None => std::fs::remove_file(&path).unwrap(),
        }
        kept.change(&path).unwrap().unwrap()
    }
}
