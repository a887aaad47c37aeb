//! Which files does the model know, and which of them are no longer as it knows them?
//!
//! By the hash of what it was shown. A file that changed is named once for each change, until it is as the model knows it
//! again. Looking costs one look at each file's times; only those that moved are read. Must not decide what may be changed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use crate::base::beneath::{Folder, Found};
use crate::base::hash;
use crate::protocol::diff::FileState;

/// Bytes that are read in one look; what is beyond is not noticed now, and an edit finds it out all the same.
const MAX_BYTES: u64 = 256_000_000;
/// Age from which the times of a file tell that it did not change: some file systems keep them to two seconds.
const SETTLED: Duration = Duration::from_secs(2);

/// What the model knows of files.
#[derive(Debug, Default)]
pub struct Seen {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    files: BTreeMap<PathBuf, Known>,
    /// What became known since somebody asked.
    fresh: Vec<FileState>,
}

/// A file as the model knows it.
#[derive(Debug, Clone)]
struct Known {
    hash: String,
    /// The other state it was told of; none when it was told of no change.
    told: Option<Told>,
    looked: Option<Look>,
}

/// A state the model was told of without seeing it: the hash, or none when the file is gone.
type Told = Option<String>;

/// What was found the last time, and what to recognise it by.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Look {
    modified: SystemTime,
    inode: u64,
    bytes: u64,
    hash: String,
}

impl Seen {
    /// Remembers that the model has seen the file at `path` (absolute, links followed) with this content hash.
    pub fn note(&self, path: &Path, hash: &str) {
        let mut state = self.lock();
        state.fresh.push(FileState { path: path.to_path_buf(), hash: Some(hash.to_owned()) });
        state.files.insert(path.to_path_buf(), Known { hash: hash.to_owned(), told: None, looked: None });
    }

    /// Forgets a file that a call of the model removed, or did not make after all: that it is not there is no news.
    pub fn forget(&self, path: &Path) {
        let mut state = self.lock();
        if state.files.remove(path).is_some() {
            state.fresh.push(FileState { path: path.to_path_buf(), hash: None });
        }
    }

    /// Returns the content hash of the file at `path` as the model last saw it, if it did.
    pub fn hash(&self, path: &Path) -> Option<String> {
        self.lock().files.get(path).map(|known| known.hash.clone())
    }

    /// Returns what became known since this was asked last.
    pub fn take_fresh(&self) -> Vec<FileState> {
        std::mem::take(&mut self.lock().fresh)
    }

    /// Knows exactly these files, and that the model was told of these other states.
    pub fn recall(&self, seen: &BTreeMap<PathBuf, Option<String>>, told: &BTreeMap<PathBuf, Option<String>>) {
        let known = |(path, hash): (&PathBuf, &Option<String>)| {
            let known = Known { hash: hash.clone()?, told: told.get(path).cloned(), looked: None };
            Some((path.clone(), known))
        };
        let mut state = self.lock();
        state.files = seen.iter().filter_map(known).collect();
        state.fresh.clear();
    }

    /// Returns the files that are not as the model knows them, each once for each change; the model is told of them now.
    pub fn changed(&self) -> Vec<FileState> {
        let known: Vec<(PathBuf, Known)> =
            self.lock().files.iter().map(|(path, known)| (path.clone(), known.clone())).collect();
        let mut left_bytes = MAX_BYTES;
        let mut changed = Vec::new();
        for (path, mut known) in known {
            let Some(now) = now(&path, &mut known, &mut left_bytes) else { continue };
            let is_as_known = now.as_ref() == Some(&known.hash);
            if !is_as_known && known.told.as_ref() != Some(&now) {
                changed.push(FileState { path: path.clone(), hash: now.clone() });
            }
            known.told = (!is_as_known).then_some(now);
            // Not if the model saw it again meanwhile.
            if let Some(entry) = self.lock().files.get_mut(&path).filter(|entry| entry.hash == known.hash) {
                *entry = known;
            }
        }
        changed
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A poisoned lock only means that some thread died between two whole states of the map.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the hash of the file as it is, or none for a file that is gone; nothing where that cannot be told.
fn now(path: &Path, known: &mut Known, left_bytes: &mut u64) -> Option<Option<String>> {
    use std::os::unix::fs::MetadataExt as _;
    let (folder, name) = (path.parent()?, path.file_name()?);
    let found = Folder::open(folder).and_then(|folder| folder.look(name));
    let (file, meta) = match found {
        Ok(Found::File(file, meta)) => (file, meta),
        Ok(Found::Nothing | Found::Other(_)) => return Some(None),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Some(None),
        Err(_) => return None,
    };
    let modified = meta.modified().ok()?;
    let (inode, bytes) = (meta.ino(), meta.len());
    if let Some(look) = &known.looked
        && (look.modified, look.inode, look.bytes) == (modified, inode, bytes)
    {
        return Some(Some(look.hash.clone()));
    }
    *left_bytes = left_bytes.checked_sub(bytes)?;
    let hash = hash::of_reader(file).ok()?;
    let is_settled = modified.elapsed().is_ok_and(|age| age > SETTLED);
    known.looked = is_settled.then(|| Look { modified, inode, bytes, hash: hash.clone() });
    Some(Some(hash))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(changed: &[FileState]) -> Vec<(String, bool)> {
        let name = |state: &FileState| state.path.file_name().unwrap().to_str().unwrap().to_owned();
        changed.iter().map(|state| (name(state), state.hash.is_some())).collect()
    }

    #[test]
    fn each_change_is_named_once_until_the_file_is_as_known_again() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().canonicalize().unwrap();
        let seen = Seen::default();
        let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).unwrap();
        for name in ["a", "b"] {
            write(name, "one");
            seen.note(&folder.join(name), &hash::of_bytes(b"one"));
        }
        write("unknown", "one");
        assert_eq!(names(&seen.changed()), []);
        write("a", "two");
        std::fs::remove_file(folder.join("b")).unwrap();
        write("unknown", "two");
        assert_eq!(names(&seen.changed()), [("a".to_owned(), true), ("b".to_owned(), false)]);
        assert_eq!(names(&seen.changed()), [], "once");
        write("a", "six");
        write("b", "one");
        assert_eq!(names(&seen.changed()), [("a".to_owned(), true)], "another change; the other is as known");
        std::fs::remove_file(folder.join("b")).unwrap();
        assert_eq!(names(&seen.changed()), [("b".to_owned(), false)], "gone again");
        seen.note(&folder.join("a"), &hash::of_bytes(b"six"));
        assert_eq!(names(&seen.changed()), []);
        // Written again with the same content: nothing the model does not know.
        write("a", "six");
        assert_eq!(names(&seen.changed()), []);
    }

    #[test]
    fn what_is_recalled_replaces_what_was_known() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().canonicalize().unwrap();
        std::fs::write(folder.join("a"), "now").unwrap();
        let (path, other) = (folder.join("a"), Some(hash::of_bytes(b"before")));
        let seen = Seen::default();
        seen.note(&folder.join("gone"), "x");
        let map = |hash: Option<String>| BTreeMap::from([(path.clone(), hash)]);
        seen.recall(&map(other.clone()), &map(Some(hash::of_bytes(b"now"))));
        assert_eq!((seen.hash(&path), names(&seen.changed())), (other.clone(), vec![]), "the model was told already");
        seen.recall(&map(other), &BTreeMap::new());
        assert_eq!(names(&seen.changed()), [("a".to_owned(), true)]);
        assert_eq!(seen.hash(&folder.join("gone")), None);
    }
}
