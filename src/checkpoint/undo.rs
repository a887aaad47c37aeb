//! How are files put back without harming what others did meanwhile?
//!
//! A file goes back only when its content is exactly what the change left behind; anything else is a conflict and stays
//! untouched. Each file is written once, whatever the number of changes. A second run after a crash finishes the first.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use crate::base::hash;
use crate::base::path::{PRIVATE_FILE, create_parents, remove_file, set_mode, write_atomic};
use crate::checkpoint::error::CheckpointError;
use crate::checkpoint::store::{Store, is_absent};
use crate::protocol::diff::Change;

/// Mode of a file whose own is not known: what a usual umask gives.
const USUAL_FILE: u32 = 0o644;

/// Why a file was left alone. Its text is for the user.
#[derive(Debug)]
pub enum Conflict {
    /// Its content is not what the change left behind.
    Changed,
    /// The file is gone.
    Deleted,
    /// Somebody made a file where the change removed one.
    Created,
    /// It is, or lies behind, a symbolic link, or is no regular file any more.
    Moved,
    /// Only the later of its changes could be taken back: between them somebody else changed it.
    InPart,
    /// Its old content is not in the store.
    Lost(CheckpointError),
    /// The system refused.
    Refused(io::Error),
}

impl std::fmt::Display for Conflict {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Changed => out.write_str("it changed since"),
            Self::Deleted => out.write_str("it was deleted since"),
            Self::Created => out.write_str("there is a new file of that name"),
            Self::Moved => out.write_str("it is no longer a regular file in the same folder"),
            Self::InPart => {
                out.write_str("somebody else changed it between two changes; only the later ones went back")
            }
            Self::Lost(error) => write!(out, "its old content is gone: {error}"),
            Self::Refused(error) => write!(out, "it cannot be read or written: {error}"),
        }
    }
}

/// What became of each file.
#[derive(Debug, Default)]
pub struct UndoReport {
    /// Files that are as they were before the changes.
    pub restored: Vec<PathBuf>,
    /// Files left alone, and why.
    pub conflicts: Vec<(PathBuf, Conflict)>,
}

/// Takes the changes back. They must come in the order they were made.
pub fn undo(store: &Store, changes: &[Change]) -> UndoReport {
    let mut by_path: BTreeMap<&Path, Vec<&Change>> = BTreeMap::new();
    for change in changes {
        by_path.entry(&change.path).or_default().push(change);
    }
    let mut report = UndoReport::default();
    for (path, changes) in by_path {
        match undo_file(store, path, &changes) {
            Ok(()) => report.restored.push(path.to_path_buf()),
            Err(conflict) => report.conflicts.push((path.to_path_buf(), conflict)),
        }
    }
    report
}

fn undo_file(store: &Store, path: &Path, changes: &[&Change]) -> Result<(), Conflict> {
    let current = current(path)?;
    let Some(oldest) = changes.first() else {
        return Ok(());
    };
    // Also the state in which an undo that was cut off left the file.
    if current == oldest.before {
        return Ok(());
    }
    // Back from the newest change as far as each one left what the next one found.
    let mut target: Option<&Change> = None;
    for change in changes.iter().rev() {
        if target.map_or(&current, |later| &later.before) != &change.after {
            break;
        }
        target = Some(change);
    }
    let Some(target) = target else {
        return Err(why_not(current.as_deref(), changes.last().and_then(|last| last.after.as_deref())));
    };
    put_back(store, target)?;
    if std::ptr::eq(target, *oldest) { Ok(()) } else { Err(Conflict::InPart) }
}

fn why_not(current: Option<&str>, expected: Option<&str>) -> Conflict {
    match (current, expected) {
        (None, _) => Conflict::Deleted,
        (Some(_), None) => Conflict::Created,
        (Some(_), Some(_)) => Conflict::Changed,
    }
}

/// Hashes the file as it is, none when there is none; refuses links, also where a folder above has become one.
fn current(path: &Path) -> Result<Option<String>, Conflict> {
    if is_behind_link(path).map_err(Conflict::Refused)? {
        return Err(Conflict::Moved);
    }
    match std::fs::symlink_metadata(path) {
        Ok(meta) if meta.is_file() => hash::of_file(path).map(Some).map_err(Conflict::Refused),
        Ok(_) => Err(Conflict::Moved),
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(Conflict::Refused(error)),
    }
}

/// Says whether the nearest existing folder above the file is reached through a link; recorded paths never are.
fn is_behind_link(path: &Path) -> io::Result<bool> {
    for folder in path.ancestors().skip(1) {
        match folder.canonicalize() {
            Ok(real) => return Ok(real != folder),
            // A dangling link is absent to `canonicalize` and would be followed when folders are made.
            Err(error) if is_absent(&error) && !folder.is_symlink() => {}
            Err(error) if is_absent(&error) => return Ok(true),
            Err(error) => return Err(error),
        }
    }
    Ok(true)
}

fn put_back(store: &Store, change: &Change) -> Result<(), Conflict> {
    let Some(before) = &change.before else {
        return remove_file(&change.path).map_err(Conflict::Refused);
    };
    let bytes = store.load(before).map_err(Conflict::Lost)?;
    if change.after.is_some() {
        // Its mode is of today: whoever changed that since meant it.
        return write_atomic(&change.path, &bytes, USUAL_FILE).map_err(Conflict::Refused);
    }
    create_parents(&change.path)
        .and_then(|()| write_atomic(&change.path, &bytes, PRIVATE_FILE))
        .and_then(|()| set_mode(&change.path, change.mode.unwrap_or(USUAL_FILE)))
        .map_err(Conflict::Refused)
}
