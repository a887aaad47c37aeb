//! Does taking back restore what was there, and nothing else?

mod command;
mod keep;
mod sequences;
mod store;
mod undo;

use std::path::PathBuf;
use std::sync::Arc;

use mimi::base::clock::SystemClock;
use mimi::checkpoint::keeper::{Keeper, Place as KeeperPlace};
use mimi::checkpoint::scan::Limits;
use mimi::checkpoint::step::{About, Cause};
use mimi::checkpoint::store::Store;
use mimi::protocol::diff::Change;

/// More than any test needs, except for files git ignores.
const LIMITS: Limits = Limits { max_paths: 100_000, max_ignored_file_bytes: 100, max_ignored_bytes: 1000 };

/// What a command of a turn is about.
pub fn command(turn: u32) -> About {
    About { turn, call: None, cause: Cause::Command, what: format!("shell of turn {turn}") }
}

/// A workspace and a store outside it.
pub struct Place {
    folder: tempfile::TempDir,
    pub store: Store,
}

impl Place {
    pub fn new() -> Self {
        // Where memory serves as a disk a sync costs nothing, and these tests make thousands.
        let memory = std::path::Path::new("/dev/shm");
        let folder = tempfile::tempdir_in(memory).or_else(|_| tempfile::tempdir()).unwrap();
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

    /// The folder of old versions of files that were left alone.
    pub fn rescue(&self) -> PathBuf {
        self.folder.path().join("state/rescue")
    }

    /// Keeps what a session changes.
    pub fn keeper(&self, session: &str) -> Keeper {
        self.keeper_within(session, LIMITS)
    }

    pub fn keeper_within(&self, session: &str, limits: Limits) -> Keeper {
        let workspace = self.path("").components().collect();
        let (store, state) = (self.store.clone(), self.folder.path().canonicalize().unwrap().join("state"));
        let clock = Arc::new(SystemClock);
        Keeper::new(KeeperPlace { store, workspace, state, limits, clock }, session)
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
