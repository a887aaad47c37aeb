//! How is what a map is drawn from kept from one question to the next?
//!
//! Putting all definitions of a thousand files in order takes over a tenth of a second, and most questions are asked of the
//! same files. Kept are places and names, never lines of files: those may hold keys. A file of its own beside the database
//! for each set of files and each choice of what is in play; what cannot be kept or read is worked out anew.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::base::hash;
use crate::base::path::{remove_file, write_atomic};
use crate::db::work::Work;
use crate::index::error::IndexError;

/// So many are kept of one project.
const MAX_KEPT: usize = 8;
/// Nothing larger is read.
const MAX_BYTES: u64 = 8 << 20;
/// Beginning and ending of their names.
const NAME: (&str, &str) = ("map.", ".json");

/// Returns what the order of a map depends on, in short: the files with their contents, what is asked for, and this program.
pub(super) fn key(work: &Work<'_>, tree: u64, asked: &[&[String]]) -> Result<String, IndexError> {
    let mut all = Vec::new();
    let sql = "SELECT f.path, b.key FROM file f JOIN blob b ON b.id = f.blob WHERE f.tree = ?1 ORDER BY f.path";
    work.each(sql, &[tree.into()], |row| {
        all.extend_from_slice(row.text(0)?.as_bytes());
        all.push(0);
        all.extend_from_slice(row.lend(1)?);
        Ok(std::ops::ControlFlow::Continue(()))
    })?;
    let asked = asked.iter().map(|names| names.join("\0")).collect::<Vec<_>>().join("\u{1}");
    let weights = [include_str!("../../config/map.yaml"), include_str!("../../config/ranking.yaml")].concat();
    let parts = [all.as_slice(), asked.as_bytes(), weights.as_bytes(), env!("CARGO_PKG_VERSION").as_bytes()];
    Ok(hash::of_parts(&parts)[..32].to_owned())
}

fn file(folder: &Path, key: &str) -> PathBuf {
    folder.join(format!("{}{key}{}", NAME.0, NAME.1))
}

/// Reads what was kept.
pub(super) fn read<T: DeserializeOwned>(folder: &Path, key: &str) -> Option<T> {
    let path = file(folder, key);
    path.metadata().ok().filter(|meta| meta.is_file() && meta.len() <= MAX_BYTES)?;
    serde_json::from_slice(&std::fs::read(path).ok()?).ok()
}

/// Keeps something, and forgets what was kept longest ago.
pub(super) fn write<T: Serialize>(folder: &Path, key: &str, kept: &T) {
    let Ok(text) = serde_json::to_vec(kept) else { return };
    // Who may not write here has it worked out each time.
    if write_atomic(&file(folder, key), &text, 0o600).is_err() {
        return;
    }
    let is_kept = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        name.starts_with(NAME.0) && name.ends_with(NAME.1)
    };
    let all = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).filter(is_kept);
    let age = |path: &PathBuf| path.metadata().and_then(|meta| meta.modified()).unwrap_or(SystemTime::UNIX_EPOCH);
    let mut all: Vec<(SystemTime, PathBuf)> = all.map(|path| (age(&path), path)).collect();
    all.sort();
    for (_, old) in all.iter().take(all.len().saturating_sub(MAX_KEPT)) {
        // Another process may have done so.
        drop(remove_file(old));
    }
}
