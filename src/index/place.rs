//! Where does the index of this project lie, and who shares it?
//!
//! In the cache folder, one folder for each repository identity: the address of `origin` where there is one, else the folder
//! that holds the repository's objects, else the project's own folder; always with the user. So branches, work trees and clones
//! share documents. That is safe for a repository that claims another's address, too: a search shows only documents whose
//! content lies in the searched tree itself. Never inside the work tree.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use crate::base::entry::open_lock;
use crate::base::hash;
use crate::base::path::{create_private_dir, remove_tree, touch, user_id};
use crate::db::place;
use crate::index::error::IndexError;

/// The folder of all indexes below the cache folder.
pub const FOLDER: &str = "index";
/// Pause between two tries of a lock.
const PAUSE: Duration = Duration::from_millis(10);
/// A use noted so recently is not noted again.
const FRESH: Duration = Duration::from_secs(3600);
/// A file of configuration larger than this is not read.
const MAX_CONFIG_BYTES: u64 = 1 << 20;

/// Where the index of one project lies.
#[derive(Debug, Clone)]
pub struct Place {
    /// The folder with the database and its lock.
    pub folder: PathBuf,
    /// Canonical path of the project.
    pub root: PathBuf,
}

impl Place {
    /// Finds the place for a project below the cache folder; on a network file system a folder of this machine instead.
    pub fn of(cache: &Path, root: &Path) -> Result<Self, IndexError> {
        let broken = |source| IndexError::Root { path: root.to_path_buf(), source };
        let root = root.canonicalize().map_err(broken)?;
        std::fs::read_dir(&root).map_err(broken)?;
        let user = user_id().to_le_bytes();
        let id = hash::of_parts(&[identity(&root).as_bytes(), &user]);
        let all = place::local(&cache.join(FOLDER), Path::new(place::LOCAL));
        Ok(Self { folder: all.join(&id[..24]), root })
    }

    /// Returns the database file.
    pub fn database(&self) -> PathBuf {
        self.folder.join("index.db")
    }

    /// Returns the database of a mimi whose index holds this version of contents, where another one uses [`Place::database`].
    pub fn database_of(&self, version: u64) -> PathBuf {
        self.folder.join(format!("index.{version}.db"))
    }

    fn lock_file(&self) -> PathBuf {
        self.folder.join("index.lock")
    }

    /// Elects this process as the writer; none when another one is and stays so for `patience`. The system gives the lock
    /// back when a process ends, however it ends.
    pub fn elect(&self, patience: Duration) -> Result<Option<Elected>, IndexError> {
        let broken = |source| IndexError::Lock { path: self.lock_file(), source };
        create_private_dir(&self.folder).map_err(broken)?;
        let file = open_lock(&self.lock_file()).map_err(broken)?;
        let until = Instant::now() + patience;
        loop {
            match file.try_lock() {
                // The error: a file system without locks. Nobody can be kept out, and SQLite keeps the file whole.
                Ok(()) | Err(TryLockError::Error(_)) => return Ok(Some(Elected { _file: file })),
                Err(TryLockError::WouldBlock) if Instant::now() < until => std::thread::sleep(PAUSE),
                Err(TryLockError::WouldBlock) => return Ok(None),
            }
        }
    }

    /// Says that it was used, so that others are deleted before it. Once an hour is enough.
    pub fn note_use(&self) {
        let (path, now) = (self.lock_file(), SystemTime::now());
        let noted = path.metadata().and_then(|meta| meta.modified()).ok();
        if noted.and_then(|noted| now.duration_since(noted).ok()).is_none_or(|age| age > FRESH) {
            // What cannot be noted only looks older than it is.
            drop(touch(&path, now));
        }
    }

    /// Deletes the indexes used least recently until all together are no larger than `max_bytes`; never this one, nor one
    /// that is being written. Returns how many were deleted.
    pub fn make_room(&self, max_bytes: u64) -> usize {
        let Some(all) = self.folder.parent() else { return 0 };
        let mut others: Vec<(SystemTime, u64, PathBuf)> = Vec::new();
        let mut total = size_of(&self.folder);
        for folder in std::fs::read_dir(all).into_iter().flatten().flatten().map(|entry| entry.path()) {
            if folder != self.folder && folder.is_dir() {
                let used = folder.join("index.lock").metadata().and_then(|meta| meta.modified());
                let size = size_of(&folder);
                total += size;
                others.push((used.unwrap_or(SystemTime::UNIX_EPOCH), size, folder));
            }
        }
        others.sort();
        let mut n_deleted = 0;
        for (_, size, folder) in others {
            if total <= max_bytes {
                break;
            }
            let other = Self { folder, root: PathBuf::new() };
            if let Ok(Some(_elected)) = other.elect(Duration::ZERO)
                && remove_tree(&other.folder).is_ok()
            {
                total = total.saturating_sub(size);
                n_deleted += 1;
            }
        }
        n_deleted
    }
}

/// Holding it is being the writer.
#[derive(Debug)]
pub struct Elected {
    _file: File,
}

fn size_of(folder: &Path) -> u64 {
    let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
    files.filter_map(|entry| entry.metadata().ok()).map(|meta| meta.len()).sum()
}

/// Returns what makes work trees those of one repository.
fn identity(root: &Path) -> String {
    let Some(git) = root.ancestors().map(|above| above.join(".git")).find(|git| git.exists()) else {
        return format!("folder {}", root.display());
    };
    let common = common_folder(&git);
    match origin(&common) {
        Some(address) => format!("origin {address}"),
        None => format!("git {}", common.canonicalize().unwrap_or(common).display()),
    }
}

/// A work tree beside the first one has a file in place of the folder, which leads to its own folder and that to the common.
fn common_folder(git: &Path) -> PathBuf {
    let read = |path: &Path| small_text(path).map(|text| text.trim().to_owned());
    let Some(own) = git.is_file().then(|| read(git)).flatten() else { return git.to_path_buf() };
    let Some(own) = own.strip_prefix("gitdir:") else { return git.to_path_buf() };
    let own = git.parent().unwrap_or(Path::new("/")).join(own.trim());
    match read(&own.join("commondir")) {
        Some(common) => own.join(common),
        None => own,
    }
}

fn small_text(path: &Path) -> Option<String> {
    let is_small = path.metadata().is_ok_and(|meta| meta.is_file() && meta.len() <= MAX_CONFIG_BYTES);
    is_small.then(|| std::fs::read_to_string(path).ok()).flatten()
}

/// Reads the address of `origin` without what may be a key, so that clones by different people's names are one.
fn origin(common: &Path) -> Option<String> {
    let text = small_text(&common.join("config"))?;
    let mut is_inside = false;
    for line in text.lines().map(str::trim) {
        if line.starts_with('[') {
            is_inside = line.replace(' ', "") == "[remote\"origin\"]";
        } else if let Some((key, value)) = line.split_once('=').filter(|_| is_inside)
            && key.trim() == "url"
        {
            let address = value.trim().trim_end_matches('/').trim_end_matches(".git");
            let address = address.split_once("://").map_or(address, |(_, rest)| rest);
            let address = address.rsplit_once('@').map_or(address, |(_, rest)| rest);
            return Some(address.replacen(':', "/", 1).to_lowercase()).filter(|address| !address.is_empty());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(path: &Path, text: &str) {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    #[test]
    fn work_trees_and_clones_share_and_others_do_not() {
        let folder = tempfile::tempdir().unwrap();
        let top = folder.path().canonicalize().unwrap();
        let config = |address: &str| format!("[core]\n\tbare = false\n[remote \"origin\"]\n\turl = {address}\n");
        write(&top.join("one/.git/config"), &config("git@host.example:team/App.git"));
        write(&top.join("two/.git/config"), &config("https://user:word@host.example/team/app"));
        write(&top.join("three/.git/config"), "[core]\n");
        write(&top.join("beside/.git"), "gitdir: ../three/.git/worktrees/beside\n");
        write(&top.join("three/.git/worktrees/beside/commondir"), "../..\n");
        write(&top.join("plain/a.rs"), "");
        let id = |name: &str| Place::of(&top.join("cache"), &top.join(name)).unwrap().folder;
        assert_eq!(id("one"), id("two"));
        assert_eq!(id("three"), id("beside"));
        let different: std::collections::BTreeSet<PathBuf> = ["one", "three", "plain"].map(id).into();
        assert_eq!(different.len(), 3);
        assert!(Place::of(&top.join("cache"), &top.join("none")).is_err());
    }

    #[test]
    fn one_process_is_the_writer_until_it_lets_go() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::of(&folder.path().join("cache"), folder.path()).unwrap();
        let elected = place.elect(Duration::ZERO).unwrap();
        assert!(elected.is_some());
        assert!(place.elect(Duration::ZERO).unwrap().is_none());
        drop(elected);
        assert!(place.elect(Duration::ZERO).unwrap().is_some());
    }

    #[test]
    fn the_index_used_longest_ago_makes_room() {
        let folder = tempfile::tempdir().unwrap();
        let all = folder.path().join("index");
        for (name, age_s) in [("old", 900), ("older", 9000), ("own", 99_000)] {
            write(&all.join(name).join("index.db"), &"x".repeat(1000));
            write(&all.join(name).join("index.lock"), "");
            touch(&all.join(name).join("index.lock"), SystemTime::now() - Duration::from_secs(age_s)).unwrap();
        }
        let place = Place { folder: all.join("own"), root: folder.path().to_path_buf() };
        assert_eq!(place.make_room(3000), 0);
        assert_eq!(place.make_room(2500), 1);
        assert!(all.join("old").exists() && !all.join("older").exists());
        assert_eq!(place.make_room(0), 1);
        assert!(all.join("own").exists(), "its own stays");
    }
}
