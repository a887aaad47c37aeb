//! What was found out about each server before, so that a start need not ask again?
//!
//! One JSON file in the cache folder, readable by its owner alone, keyed by base URL. A file that is missing, torn or of
//! another version counts as empty: everything in it can be found out again. Several processes write it; each reads it
//! anew before it writes, and of two that write at once the later wins, which costs the other a probe. Does not know the network.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::base::path::{PRIVATE_FILE, create_private_dir, write_atomic};
use crate::protocol::server::ServerFacts;

/// Version of the file; one of another version is not read.
const VERSION: u32 = 1;
/// Most servers that are kept; the ones not met for longest go first.
const MAX_SERVERS: usize = 64;

/// How long facts are believed without looking whether it is still the same server.
pub const CHECK_AFTER: Duration = Duration::from_secs(60);
/// How long facts are believed at all: settings of a server change with a restart that keeps its version.
pub const MAX_AGE: Duration = Duration::from_secs(24 * 60 * 60);

/// What is kept of one server.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// What it said.
    pub facts: ServerFacts,
    /// When it said all this, in milliseconds since 1970.
    pub probed_ms: u64,
    /// When it was last seen to be the same, in milliseconds since 1970.
    pub checked_ms: u64,
    /// Windows learned from refusals, by model.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub learned: BTreeMap<String, u64>,
    /// Whether it did not let us look at its numbers.
    #[serde(default)]
    pub is_closed: bool,
}

/// What is to be done about an entry before it is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// Use it.
    Fresh,
    /// Look whether it is still the same server.
    Check,
    /// Ask everything again.
    Stale,
}

impl Entry {
    /// Judges by age. A clock that went back makes an entry stale.
    pub fn trust(&self, now_ms: u64) -> Trust {
        let age = |since_ms: u64| now_ms.checked_sub(since_ms).map(Duration::from_millis);
        match (age(self.probed_ms), age(self.checked_ms)) {
            (Some(probed), Some(checked)) if probed < MAX_AGE && checked < CHECK_AFTER => Trust::Fresh,
            (Some(probed), Some(_)) if probed < MAX_AGE => Trust::Check,
            _ => Trust::Stale,
        }
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct File {
    version: u32,
    servers: BTreeMap<String, Entry>,
}

/// All entries, in memory and in the file.
#[derive(Debug, Default)]
pub struct Book {
    file: Option<PathBuf>,
    /// None until the file was read.
    servers: Mutex<Option<BTreeMap<String, Entry>>>,
}

impl Book {
    /// Keeps entries in memory only.
    pub fn in_memory() -> Self {
        Self::default()
    }

    /// Keeps entries in `file`, which is read when first needed.
    pub fn at(file: PathBuf) -> Self {
        Self { file: Some(file), servers: Mutex::default() }
    }

    /// Returns what is known about the server at `url`.
    pub fn get(&self, url: &str) -> Option<Entry> {
        let mut servers = self.lock();
        servers.get_or_insert_with(|| self.read()).get(url).cloned()
    }

    /// Changes what is known about the server at `url`; returns the new entry. A file that cannot be written is no failure.
    pub fn update(&self, url: &str, change: impl FnOnce(&mut Entry)) -> Entry {
        let mut guard = self.lock();
        let servers = guard.get_or_insert_with(BTreeMap::new);
        // What other processes learned meanwhile is kept; of this server ours is the newest.
        let own = servers.get(url).cloned();
        servers.extend(self.read().into_iter().filter(|(other, _)| other != url || own.is_none()));
        let entry = servers.entry(url.to_owned()).or_default();
        change(entry);
        let entry = entry.clone();
        while servers.len() > MAX_SERVERS {
            let oldest = servers.iter().min_by_key(|(_, entry)| entry.checked_ms).map(|(url, _)| url.clone());
            oldest.and_then(|url| servers.remove(&url));
        }
        self.write(servers);
        entry
    }

    /// Forgets what a server said, because it turned out not to be so.
    pub fn forget(&self, url: &str) {
        let mut guard = self.lock();
        let servers = guard.get_or_insert_with(|| self.read());
        if servers.remove(url).is_some() {
            self.write(servers);
        }
    }

    fn read(&self) -> BTreeMap<String, Entry> {
        let bytes = self.file.as_ref().and_then(|file| std::fs::read(file).ok()).unwrap_or_default();
        let file: File = serde_json::from_slice(&bytes).unwrap_or_default();
        if file.version == VERSION { file.servers } else { BTreeMap::new() }
    }

    fn write(&self, servers: &BTreeMap<String, Entry>) {
        let Some(path) = &self.file else { return };
        let file = File { version: VERSION, servers: servers.clone() };
        let Ok(bytes) = serde_json::to_vec(&file) else { return };
        let folder = path.parent().map_or(Ok(()), create_private_dir);
        // A full or read-only disk costs a probe at the next start, nothing else.
        drop(folder.and_then(|()| write_atomic(path, &bytes, PRIVATE_FILE)));
    }

    fn lock(&self) -> MutexGuard<'_, Option<BTreeMap<String, Entry>>> {
        self.servers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::server::ServerKind;

    const HOUR_MS: u64 = 60 * 60 * 1000;

    #[test]
    fn facts_are_checked_after_a_minute_and_asked_for_again_after_a_day() {
        let now_ms = 1000 * HOUR_MS;
        let table = [
            (0, 0, Trust::Fresh),
            (2 * HOUR_MS, 30_000, Trust::Fresh),
            (2 * HOUR_MS, 60_000, Trust::Check),
            (24 * HOUR_MS, 0, Trust::Stale),
        ];
        for (probed_ago_ms, checked_ago_ms, expected) in table {
            let entry =
                Entry { probed_ms: now_ms - probed_ago_ms, checked_ms: now_ms - checked_ago_ms, ..Entry::default() };
            assert_eq!(entry.trust(now_ms), expected, "{probed_ago_ms} {checked_ago_ms}");
        }
        let tomorrow = Entry { probed_ms: now_ms + 1, checked_ms: now_ms + 1, ..Entry::default() };
        assert_eq!(tomorrow.trust(now_ms), Trust::Stale, "the clock went back");
    }

    #[test]
    fn what_is_kept_is_private_and_shared_between_processes() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mimi/servers.json");
        let (one, other) = (Book::at(path.clone()), Book::at(path.clone()));
        assert_eq!(one.get("a"), None);
        one.update("a", |entry| entry.facts.kind = ServerKind::Vllm);
        other.update("b", |entry| entry.facts.kind = ServerKind::Ollama);
        one.update("a", |entry| {
            entry.learned.insert("m".to_owned(), 8192);
        });
        let third = Book::at(path.clone());
        assert_eq!(third.get("a").map(|entry| (entry.facts.kind, entry.learned["m"])), Some((ServerKind::Vllm, 8192)));
        assert_eq!(third.get("b").map(|entry| entry.facts.kind), Some(ServerKind::Ollama));
        third.forget("a");
        assert_eq!(Book::at(path.clone()).get("a"), None);
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_file_that_cannot_be_used_is_an_empty_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("servers.json");
        for text in ["", "{", "[1]", r#"{"version":99,"servers":{"a":{}}}"#, "\u{0}\u{1}"] {
            write_atomic(&path, text.as_bytes(), PRIVATE_FILE).unwrap();
            assert_eq!(Book::at(path.clone()).get("a"), None, "{text}");
        }
        Book::at(path.clone()).update("a", |_| {});
        assert!(Book::at(path).get("a").is_some());
        let nowhere = Book::at("/proc/none/servers.json".into());
        nowhere.update("a", |_| {});
        assert!(nowhere.get("a").is_some(), "kept in memory all the same");
    }

    #[test]
    fn servers_not_met_for_longest_are_dropped() {
        let book = Book::in_memory();
        for n in 0..=MAX_SERVERS as u64 {
            book.update(&n.to_string(), |entry| entry.checked_ms = 1000 - n);
        }
        assert!(book.get(&MAX_SERVERS.to_string()).is_none(), "the oldest went");
        assert!(book.get("0").is_some());
    }
}
