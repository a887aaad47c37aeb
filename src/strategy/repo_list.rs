//! Which repositories of a list are mine, and which of them are done?
//!
//! For arrays of jobs: each takes its share of one list, writes down each result as soon as it has it, and skips on a second
//! run what was done before, by whichever job. A line that was cut off by a crash counts as not written. Must not run
//! anything itself.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::base::entry::open_lock;
use crate::base::fault::{Explain, Kind};
use crate::base::path::{create_private_dir, open_append};
use crate::protocol::fix_report::FixReport;

/// Version of the form of results.
pub const VERSION: u32 = 1;
/// Ending of a file of results.
const RESULTS: &str = "jsonl";
/// Codes after which another run may well come to something else: configuration, server, sandbox, a bug, signals, a folder
/// that is not there.
const PASSING: [u8; 7] = [2, 3, 4, 6, 70, 130, 143];

/// Why a list cannot be worked off.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    /// It cannot be read.
    #[error("cannot read the list `{path}`")]
    Read {
        /// The list.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// It names the same work twice.
    #[error("line {line} of the list names `{path}` a second time")]
    Twice {
        /// The line, from 1.
        line: usize,
        /// The repository.
        path: String,
    },
    /// The results cannot be kept.
    #[error("cannot keep results in `{path}`")]
    Keep {
        /// The folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Somebody works on the same share.
    #[error("another process works on share {share} of this list")]
    Busy {
        /// The share.
        share: Shard,
    },
}

impl Explain for ListError {
    fn kind(&self) -> Kind {
        match self {
            Self::Read { .. } | Self::Twice { .. } => Kind::Usage,
            Self::Keep { .. } | Self::Busy { .. } => Kind::Task,
        }
    }
}

/// A share of a list: this one of so many, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shard {
    /// Which.
    pub index: usize,
    /// Of how many.
    pub of: usize,
}

impl Shard {
    /// The whole list.
    pub const WHOLE: Self = Self { index: 1, of: 1 };

    /// Reads `I/N`; for clap.
    ///
    /// # Errors
    /// It is none, or not one of them.
    pub fn parse(text: &str) -> Result<Self, String> {
        let numbers = text.split_once('/').and_then(|(index, of)| Some((index.parse().ok()?, of.parse().ok()?)));
        match numbers {
            Some((index, of)) if (1..=of).contains(&index) => Ok(Self { index, of }),
            _ => Err("write it as `I/N`, with I from 1 to N: `2/8`".to_owned()),
        }
    }

    /// Says whether the line of work counted from 0 is in this share.
    fn has(self, at: usize) -> bool {
        at % self.of == self.index - 1
    }
}

impl std::fmt::Display for Shard {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}/{}", self.index, self.of)
    }
}

/// A repository to be worked on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// Its folder, as the list names it.
    pub path: String,
    /// Its check; none for what is found there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
}

/// What a repository has come to: one line of the results.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Done {
    /// [`VERSION`] of the writer.
    pub v: u32,
    /// The repository.
    #[serde(flatten)]
    pub item: Item,
    /// Its report.
    pub report: FixReport,
}

/// Reads a list: one repository a line, its path, and its check behind a tab or, where the path has none, a blank. Empty
/// lines and those that begin with `#` are left out.
///
/// # Errors
/// It cannot be read, or names the same work twice.
pub fn read(path: &Path) -> Result<Vec<Item>, ListError> {
    let text = std::fs::read_to_string(path);
    let text = text.map_err(|source| ListError::Read { path: path.to_path_buf(), source })?;
    let mut items: Vec<Item> = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let line = line.trim_matches([' ', '\r']);
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let (path, command) = line.split_once('\t').or_else(|| line.split_once(' ')).unwrap_or((line, ""));
        let command = Some(command.trim().to_owned()).filter(|command| !command.is_empty());
        let item = Item { path: path.trim().to_owned(), command };
        if items.contains(&item) {
            return Err(ListError::Twice { line: at + 1, path: item.path });
        }
        items.push(item);
    }
    Ok(items)
}

/// Returns the share of a list.
pub fn share(items: &[Item], shard: Shard) -> Vec<Item> {
    items.iter().enumerate().filter(|(at, _)| shard.has(*at)).map(|(_, item)| item.clone()).collect()
}

/// The results of all shares of a list.
pub struct Results {
    folder: PathBuf,
    shard: Shard,
    /// Says that this process works on the share.
    _lock: std::fs::File,
}

impl Results {
    /// Opens the results of a list, in a folder beside it, for one who works on a share.
    ///
    /// # Errors
    /// The folder cannot be made, or somebody else works on the share.
    pub fn open(folder: &Path, shard: Shard) -> Result<Self, ListError> {
        let failed = |source| ListError::Keep { path: folder.to_path_buf(), source };
        create_private_dir(folder).map_err(failed)?;
        let lock = open_lock(&folder.join(format!("{}.lock", name(shard)))).map_err(failed)?;
        match lock.try_lock() {
            Err(std::fs::TryLockError::WouldBlock) => Err(ListError::Busy { share: shard }),
            // A file system without locks: the scheduler keeps jobs apart.
            _ => Ok(Self { folder: folder.to_path_buf(), shard, _lock: lock }),
        }
    }

    /// Returns what is done, of all shares: of several results of one repository one that stands, where there is one.
    pub fn done(&self) -> Vec<Done> {
        let mut files: Vec<PathBuf> =
            std::fs::read_dir(&self.folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
        files.retain(|path| path.extension().is_some_and(|ending| ending == RESULTS));
        files.sort();
        let mut all: Vec<Done> = Vec::new();
        for file in files {
            let text = std::fs::read(&file).unwrap_or_default();
            for line in String::from_utf8_lossy(&text).lines() {
                let Ok(done) = serde_json::from_str::<Done>(line) else { continue };
                // What stands is not replaced by what a share met that could not even begin.
                if stands(&done) || !all.iter().any(|other| other.item == done.item && stands(other)) {
                    all.retain(|other| other.item != done.item);
                    all.push(done);
                }
            }
        }
        all
    }

    /// Writes a result down; when this returns it is on disk.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn add(&self, done: &Done) -> Result<(), ListError> {
        let path = self.folder.join(format!("{}.{RESULTS}", name(self.shard)));
        let write = || {
            use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
            let mut file = open_append(&path)?;
            // Behind a line that a crash cut off, so that only that one is lost.
            let mut last = [b'\n'];
            let mut read = std::fs::File::open(&path)?;
            if read.seek(SeekFrom::End(-1)).is_ok() {
                read.read_exact(&mut last)?;
            }
            let gap = if last == [b'\n'] { "" } else { "\n" };
            let line = serde_json::to_string(done).map_err(std::io::Error::from)?;
            file.write_all(format!("{gap}{line}\n").as_bytes())?;
            file.sync_data()
        };
        write().map_err(|source| ListError::Keep { path: self.folder.clone(), source })
    }
}

/// Says whether a result stands: another run would come to the same.
pub fn stands(done: &Done) -> bool {
    !PASSING.contains(&done.report.ending.code)
}

fn name(shard: Shard) -> String {
    format!("{}-of-{}", shard.index, shard.of)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(path: &str, command: Option<&str>) -> Item {
        Item { path: path.to_owned(), command: command.map(str::to_owned) }
    }

    #[test]
    fn lists_are_read_as_people_write_them() {
        let folder = tempfile::tempdir().unwrap();
        let list = folder.path().join("list");
        std::fs::write(&list, "# all\n\na\nb make  test\n  c\tmake a\nwith blank\t\nd e\tmake\n").unwrap();
        let expected = [
            item("a", None),
            item("b", Some("make  test")),
            item("c", Some("make a")),
            // A tab behind it tells that the blank is part of the path.
            item("with blank", None),
            item("d e", Some("make")),
        ];
        assert_eq!(read(&list).unwrap(), expected);
        std::fs::write(&list, "a\nb\na\n").unwrap();
        assert!(matches!(read(&list), Err(ListError::Twice { line: 3, .. })));
    }

    #[test]
    fn shares_are_disjoint_and_all_of_the_list() {
        let items: Vec<Item> = (0..7).map(|n| item(&n.to_string(), None)).collect();
        let of = 3;
        let mut all: Vec<String> =
            (1..=of).flat_map(|index| share(&items, Shard { index, of })).map(|i| i.path).collect();
        assert_eq!(all[..3], ["0", "3", "6"]);
        all.sort();
        assert_eq!(all, ["0", "1", "2", "3", "4", "5", "6"]);
        for (text, expected) in
            [("1/1", true), ("8/8", true), ("0/2", false), ("3/2", false), ("1", false), ("a/b", false)]
        {
            assert_eq!(Shard::parse(text).is_ok(), expected, "{text}");
        }
    }

    #[test]
    fn a_line_that_was_cut_off_costs_only_itself() {
        let folder = tempfile::tempdir().unwrap();
        let results = Results::open(folder.path(), Shard::WHOLE).unwrap();
        let done = |path: &str| Done { v: VERSION, item: item(path, None), report: FixReport::default() };
        results.add(&done("a")).unwrap();
        let file = folder.path().join("1-of-1.jsonl");
        let mut text = std::fs::read_to_string(&file).unwrap();
        text.push_str("{\"v\":1,\"path\":\"b\",\"rep");
        std::fs::write(&file, text).unwrap();
        results.add(&done("c")).unwrap();
        let paths: Vec<String> = results.done().into_iter().map(|done| done.item.path).collect();
        assert_eq!(paths, ["a", "c"]);
        assert!(matches!(Results::open(folder.path(), Shard::WHOLE), Err(ListError::Busy { .. })));
        drop(results);
        Results::open(folder.path(), Shard::WHOLE).map(drop).unwrap();
    }
}
