//! How does a decision change a file so that it can be undone and nothing of anybody else is lost?
//!
//! The new content goes into the store first, then the checkpoints put it in the place of the old, if that is still there. So
//! the step is kept before it is taken, and what was there can be had again.

use std::path::{Path, PathBuf};

use crate::base::fault::{Fault, Kind};
use crate::base::hash;
use crate::checkpoint::keeper::Keeper;
use crate::checkpoint::node::{Delta, Node};
use crate::checkpoint::step::{About, Cause};
use crate::checkpoint::undo::look;
use crate::edit::places::{self, PlaceError};
use crate::edit::text_file::TextFile;
use crate::protocol::changes::Place;
use crate::protocol::diff::{self, FileDiff, Sides};

/// Permission bits of a file that comes again, where nobody knows those it had.
const USUAL_MODE: u32 = 0o644;
/// The bits that let a file be run.
const EXECUTABLE: u32 = 0o111;

/// What a file was before the change.
pub(super) enum Was {
    /// Its bytes, as git has them; none where there was none.
    Content(Option<Vec<u8>>),
    /// What the checkpoints know of it.
    Node(Option<Node>),
}

/// Gives the hunks of a file other lines.
pub(super) fn settle(keeper: &Keeper, path: &Path, diff: &FileDiff, from: &[Place], to: &[Place]) -> Result<(), Fault> {
    let file = TextFile::load(path, &diff.path)?;
    let text = places::settled(&file.text, diff, from, to).map_err(|error| of_place(&diff.path, &error))?;
    let bytes = file.check_rewrite(&text)?;
    let hash = hash::to_hex(&keeper.store().put(&bytes)?);
    let node = |hash: &str| Some(Node::File { hash: hash.to_owned(), mode: Some(file.mode()) });
    let delta = Delta { path: path.to_path_buf(), before: node(&hash), after: node(&file.hash) };
    take_back(keeper, &diff.path, &[delta]).map(drop)
}

fn of_place(name: &str, error: &PlaceError) -> Fault {
    Fault::new(Kind::Task, format!("`{name}`: {error}"))
}

/// Puts a file back as it was; returns the name under which the step is kept. `paths`: the file, and its name before where it
/// was renamed.
pub(super) fn revert(
    keeper: &Keeper,
    (path, from): (PathBuf, Option<PathBuf>),
    diff: &FileDiff,
    was: Was,
) -> Result<String, Fault> {
    check_shown(&path, diff)?;
    let now = look(&path).map_err(|why| Fault::new(Kind::Task, format!("`{}`: {why}", diff.path)))?;
    let before = match was {
        Was::Node(node) => node,
        Was::Content(None) => None,
        Was::Content(Some(bytes)) => Some(node_of(keeper, &bytes, diff, now.as_ref())?),
    };
    let deltas = match from.filter(|_| diff.kind == diff::Kind::Renamed) {
        None => vec![Delta { path, before, after: now }],
        Some(from) => vec![Delta { path: from, before, after: None }, Delta { path, before: None, after: now }],
    };
    take_back(keeper, &diff.path, &deltas)
}

/// Fails where a file that is shown by its lines is not what was shown.
fn check_shown(path: &Path, diff: &FileDiff) -> Result<(), Fault> {
    if diff.kind == diff::Kind::Deleted || diff.hunks.is_empty() || path.is_symlink() {
        return Ok(());
    }
    let stale = || Fault::new(Kind::Task, format!("`{}` has changed since it was shown", diff.path));
    let file = TextFile::load(path, &diff.path)?;
    let new = vec![Place::New; diff.hunks.len()];
    let same = places::settled(&file.text, diff, &new, &new).map_err(|_| stale())?;
    let is_whole = diff.kind == diff::Kind::Created && !diff.hunks[0].is_cut;
    if is_whole && places::sides(&diff.hunks[0]).1 != same {
        return Err(stale());
    }
    Ok(())
}

/// Makes what git has of a file one that can be put in its place.
fn node_of(keeper: &Keeper, bytes: &[u8], diff: &FileDiff, now: Option<&Node>) -> Result<Node, Fault> {
    if matches!(now, Some(Node::Link { .. })) {
        let target = PathBuf::from(std::ffi::OsString::from(String::from_utf8_lossy(bytes).into_owned()));
        return Ok(Node::Link { target });
    }
    let hash = hash::to_hex(&keeper.store().put(bytes)?);
    let present = now.and_then(Node::mode);
    let mode = match diff.mode {
        // Git knows only whether it can be run.
        Some(Sides { before: Some(before), .. }) if before & EXECUTABLE != 0 => {
            present.unwrap_or(USUAL_MODE) | EXECUTABLE
        }
        Some(Sides { before: Some(_), .. }) => present.unwrap_or(USUAL_MODE) & !EXECUTABLE,
        _ => present.unwrap_or(USUAL_MODE),
    };
    Ok(Node::File { hash, mode: Some(mode) })
}

/// Undoes a [`revert`].
pub(super) fn unrevert(keeper: &Keeper, session: &str, step: &str) -> Result<(), Fault> {
    let step = keeper.steps().load(session, step)?;
    take_back(keeper, &step.what, &step.deltas).map(drop)
}

fn take_back(keeper: &Keeper, name: &str, deltas: &[Delta]) -> Result<String, Fault> {
    let about = About { turn: 0, call: None, cause: Cause::Restore, what: format!("review {name}") };
    let (step, report) = keeper.take_back(about, deltas)?;
    keeper.settle(&step.id);
    match report.left.first() {
        Some(left) => Err(Fault::new(Kind::Task, format!("`{name}` is left alone: {left}"))),
        None => Ok(step.id),
    }
}
