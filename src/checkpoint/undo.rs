//! How are files put back without harming what others did meanwhile?
//!
//! First a plan: a path goes back only as far as each change left what the next one found, and only when it is now as the
//! last change left it; anything else is a conflict and stays untouched. What is about to be replaced is kept, so that a plan
//! can itself be taken back. Then the plan is carried out: first what goes, the deepest first, then what comes, the
//! shallowest first. A second run after a crash finishes the first.

use std::collections::BTreeMap;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::base::entry::{make_folder, remove_folder, write_link};
use crate::base::hash;
use crate::base::path::{PRIVATE_FILE, create_parents, create_private_dir, remove_file, set_mode, write_atomic};
use crate::checkpoint::error::CheckpointError;
use crate::checkpoint::node::{Delta, Node, PERMISSIONS, are_alike};
use crate::checkpoint::pack::Packed;
use crate::checkpoint::store::{Shelf, Store, is_absent};

/// Mode of a file whose own is not known: what a usual umask gives.
const USUAL_FILE: u32 = 0o644;

/// Why a path was left alone. Its text is for the user.
#[derive(Debug)]
pub enum Conflict {
    /// It is not as the change left it.
    Changed,
    /// It is gone.
    Deleted,
    /// Somebody made something where the change removed it.
    Created,
    /// It lies behind a symbolic link now, or is of a kind that is not kept.
    Moved,
    /// Only the later of its changes could be taken back: between them somebody else changed it.
    InPart,
    /// Somebody changed its permissions since; its content is as it was.
    Mode,
    /// A folder that a change made holds what is not of the changes.
    NotEmpty,
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
            Self::Mode => out.write_str("its permissions were changed since and stay; its content is as it was"),
            Self::NotEmpty => out.write_str("the folder stays, because other files are in it"),
            Self::Lost(error) => write!(out, "its old content is gone: {error}"),
            Self::Refused(error) => write!(out, "it cannot be read or written: {error}"),
        }
    }
}

/// A path that was left alone.
#[derive(Debug)]
pub struct Left {
    /// The path.
    pub path: PathBuf,
    /// Why.
    pub why: Conflict,
    /// What should have been there; none when nothing should.
    pub wanted: Option<Node>,
    /// The file in which that is kept for the user.
    pub kept_at: Option<PathBuf>,
}

impl std::fmt::Display for Left {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.why.fmt(out)?;
        match &self.kept_at {
            Some(path) => write!(out, "; as it was before is in {}", path.display()),
            None => Ok(()),
        }
    }
}

/// What is to be done, found without touching anything of the user's.
#[derive(Debug, Default)]
pub struct Plan {
    /// What is to become of each path, from what is there now.
    pub moves: Vec<Delta>,
    /// Paths that are already as they should be.
    pub fine: Vec<PathBuf>,
    /// Paths that are left alone, wholly or in part.
    pub left: Vec<Left>,
    /// Paths that give way to a folder, and hide nothing of that folder.
    giving_way: Vec<PathBuf>,
}

/// What became of each path.
#[derive(Debug, Default)]
pub struct Report {
    /// Paths that are as they were before the changes.
    pub restored: Vec<PathBuf>,
    /// Paths left alone, wholly or in part.
    pub left: Vec<Left>,
    /// What was really changed.
    pub done: Vec<Delta>,
}

/// Plans to take the changes back, which must come in the order they were made. What is about to be replaced is in the store
/// when this returns.
pub fn plan(store: &Store, deltas: &[Delta]) -> Result<Plan, CheckpointError> {
    let mut by_path: BTreeMap<&Path, Vec<&Delta>> = BTreeMap::new();
    for delta in deltas {
        by_path.entry(&delta.path).or_default().push(delta);
    }
    let mut plan = Plan::default();
    for (path, deltas) in by_path {
        plan_path(path, &deltas, &mut plan);
    }
    keep_present(store, &plan.moves)?;
    Ok(plan)
}

/// Keeps the contents a plan replaces.
fn keep_present(store: &Store, moves: &[Delta]) -> Result<(), CheckpointError> {
    let shelf = store.shelf()?;
    let mut trouble = None;
    let contents = moves.iter().filter(|step| matches!(step.before, Some(Node::File { .. }))).map_while(|step| {
        let packed = present(&shelf, &step.path);
        packed.map_err(|error| trouble = Some(error)).ok()
    });
    store.put_all(contents.flatten())?;
    trouble.map_or(Ok(()), Err)
}

fn present(shelf: &Shelf<'_>, path: &Path) -> Result<Option<Packed>, CheckpointError> {
    let bytes = std::fs::read(path).map_err(|source| CheckpointError::Read { path: path.to_path_buf(), source })?;
    let digest = hash::digest(&bytes);
    Ok((!shelf.holds(&digest, bytes.len())?).then(|| Packed::of(digest, &bytes)))
}

fn plan_path(path: &Path, deltas: &[&Delta], plan: &mut Plan) {
    let (Some(oldest), Some(newest)) = (deltas.first(), deltas.last()) else { return };
    let wanted = oldest.before.clone();
    let mut leave = |why, wanted: Option<Node>| {
        plan.left.push(Left { path: path.to_path_buf(), why, wanted, kept_at: None });
    };
    let is_hidden = plan.giving_way.iter().any(|way| path.starts_with(way));
    let now = match look(path) {
        _ if is_hidden => None,
        Ok(now) => now,
        // A folder above is gone, and so is the path: nothing is where nothing should be.
        Err(Conflict::Moved) if wanted.is_none() && path.symlink_metadata().is_err() => None,
        Err(why) => return leave(why, wanted),
    };
    let Some((target, is_whole)) = back(now.as_ref(), deltas, wanted.as_ref()) else {
        return leave(why_not(now.as_ref(), newest.after.as_ref()), wanted);
    };
    // Its permissions are those of the beginning, also where a change in between made other ones.
    let target = if are_alike(target, wanted.as_ref()) { wanted.as_ref() } else { target };
    let (target, has_other_mode) = with_mode(target.cloned(), now.as_ref(), deltas);
    // Somebody who gave a new file other permissions meant to keep it.
    if target.is_none() && has_other_mode {
        return leave(Conflict::Changed, None);
    }
    if !is_whole {
        leave(Conflict::InPart, wanted);
    } else if has_other_mode {
        leave(Conflict::Mode, None);
    }
    if target == now && is_whole {
        plan.fine.push(path.to_path_buf());
    } else if target != now {
        let step = Delta { path: path.to_path_buf(), before: now, after: target };
        plan.giving_way.extend(makes_folder(&step).then(|| step.path.clone()));
        plan.moves.push(step);
    }
}

/// Goes back from what is there now as far as each change left what the next one found. Returns where that leads, and whether
/// it is the beginning; nothing when not even the last change left what is there.
fn back<'d>(now: Option<&'d Node>, deltas: &[&'d Delta], wanted: Option<&Node>) -> Option<(Option<&'d Node>, bool)> {
    if are_alike(now, wanted) {
        return Some((now, true));
    }
    // What did not change the content neither links nor breaks.
    let is_change = |delta: &&&'d Delta| !are_alike(delta.before.as_ref(), delta.after.as_ref());
    let mut changes = deltas.iter().rev().filter(is_change).peekable();
    if changes.peek().is_some_and(|newest| !are_alike(now, newest.after.as_ref())) {
        return None;
    }
    let mut target = now;
    while let Some(delta) = changes.next_if(|delta| are_alike(target, delta.after.as_ref())) {
        target = delta.before.as_ref();
    }
    Some((target, changes.peek().is_none()))
}

/// Says what permission bits the target gets: those of before where the changes changed them and nobody did since, else those
/// that are there now. The second value says whether somebody else's stay although the changes changed them too.
fn with_mode(target: Option<Node>, now: Option<&Node>, deltas: &[&Delta]) -> (Option<Node>, bool) {
    let mode = |node: Option<&Node>| node.and_then(Node::mode);
    let (present, before) = (mode(now), mode(deltas.first().and_then(|delta| delta.before.as_ref())));
    // Nobody looked at the permissions of a file an edit made; those of one that was removed before are not the user's.
    let is_remade = deltas.iter().any(|delta| delta.after.is_none());
    let after = mode(deltas.last().and_then(|delta| delta.after.as_ref())).or(present.filter(|_| is_remade));
    let is_theirs = present.zip(after).is_some_and(|(present, after)| present != after) && present != before;
    let Some(target) = target else { return (None, is_theirs) };
    let is_same_kind = now.is_some_and(|now| std::mem::discriminant(now) == std::mem::discriminant(&target));
    let Some(present) = present.filter(|_| is_same_kind) else { return (Some(target), false) };
    match before.zip(after).filter(|(before, after)| before != after) {
        Some((before, after)) if present == after => (Some(target.with_mode(before)), false),
        Some(_) => (Some(target.with_mode(present)), is_theirs),
        None => (Some(target.with_mode(present)), false),
    }
}

fn why_not(now: Option<&Node>, expected: Option<&Node>) -> Conflict {
    match (now, expected) {
        (None, _) => Conflict::Deleted,
        (Some(_), None) => Conflict::Created,
        (Some(_), Some(_)) => Conflict::Changed,
    }
}

/// Looks at what is at a path; refuses to look through links, also where a folder above has become one.
pub fn look(path: &Path) -> Result<Option<Node>, Conflict> {
    if is_behind_link(path).map_err(Conflict::Refused)? {
        return Err(Conflict::Moved);
    }
    let meta = match std::fs::symlink_metadata(path) {
        Ok(meta) => meta,
        Err(error) if is_absent(&error) => return Ok(None),
        Err(error) => return Err(Conflict::Refused(error)),
    };
    let mode = meta.permissions().mode() & PERMISSIONS;
    if meta.is_dir() {
        return Ok(Some(Node::Folder { mode }));
    }
    if meta.is_symlink() {
        return path.read_link().map(|target| Some(Node::Link { target })).map_err(Conflict::Refused);
    }
    if !meta.is_file() {
        return Err(Conflict::Moved);
    }
    hash::of_file(path).map(|hash| Some(Node::File { hash, mode: Some(mode) })).map_err(Conflict::Refused)
}

/// Says whether the nearest existing folder above the path is reached through a link; recorded paths never are.
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

/// Carries a plan out. `rescue` is the folder in which old versions of what is left alone are kept for the user.
pub fn carry_out(store: &Store, plan: Plan, root: &Path, rescue: &Path) -> Result<Report, CheckpointError> {
    let shelf = store.shelf()?;
    let mut report = Report { restored: plan.fine, left: plan.left, done: Vec::new() };
    let (gone, mut coming): (Vec<Delta>, Vec<Delta>) = plan.moves.into_iter().partition(|step| step.after.is_none());
    let failed = |step: &Delta, why: Conflict| {
        let (path, wanted) = (step.path.clone(), step.after.clone());
        Left { path, why, wanted, kept_at: None }
    };
    // Where a folder gives way to a file, or the other way round, the old one goes with what goes.
    let mut going: Vec<&Delta> = gone.iter().chain(coming.iter().filter(|step| must_make_way(step))).collect();
    going.sort_by(|a, b| b.path.cmp(&a.path));
    let mut stuck: Vec<PathBuf> = Vec::new();
    for step in going {
        match remove(step) {
            Ok(()) if step.after.is_none() => {
                report.done.push(step.clone());
                report.restored.push(step.path.clone());
            }
            Ok(()) => {}
            Err(why) => {
                stuck.push(step.path.clone());
                report.left.push(failed(step, why));
            }
        }
    }
    coming.retain(|step| !stuck.contains(&step.path));
    for step in coming {
        match put(&shelf, &step) {
            Ok(()) => {
                report.restored.push(step.path.clone());
                report.done.push(step);
            }
            Err(why) => report.left.push(failed(&step, why)),
        }
    }
    report.restored.sort();
    let is_whole =
        |path: &PathBuf| report.left.iter().all(|left| left.path != *path || matches!(left.why, Conflict::Mode));
    report.restored.retain(is_whole);
    rescue_all(&shelf, &mut report.left, root, rescue);
    Ok(report)
}

fn makes_folder(step: &Delta) -> bool {
    matches!(step.after, Some(Node::Folder { .. })) && !matches!(step.before, Some(Node::Folder { .. }))
}

fn must_make_way(step: &Delta) -> bool {
    let is_folder = |node: &Option<Node>| matches!(node, Some(Node::Folder { .. }));
    step.before.is_some() && is_folder(&step.before) != is_folder(&step.after)
}

fn remove(step: &Delta) -> Result<(), Conflict> {
    check_still(step)?;
    let removed = match step.before {
        Some(Node::Folder { .. }) => remove_folder(&step.path),
        _ => remove_file(&step.path),
    };
    removed.map_err(|error| match error.kind() {
        io::ErrorKind::DirectoryNotEmpty => Conflict::NotEmpty,
        _ => Conflict::Refused(error),
    })
}

/// Looks once more, right before something is replaced: the user may have saved a file since the plan was made.
fn check_still(step: &Delta) -> Result<(), Conflict> {
    let now = look(&step.path)?;
    match are_alike(now.as_ref(), step.before.as_ref()) {
        true => Ok(()),
        false => Err(why_not(now.as_ref(), step.before.as_ref())),
    }
}

fn put(shelf: &Shelf<'_>, step: &Delta) -> Result<(), Conflict> {
    if !must_make_way(step) {
        check_still(step)?;
    }
    let path = &step.path;
    match &step.after {
        None => Ok(()),
        Some(Node::Folder { mode }) if matches!(step.before, Some(Node::Folder { .. })) => {
            set_mode(path, *mode).map_err(Conflict::Refused)
        }
        Some(Node::Folder { mode }) => {
            create_parents(path).and_then(|()| make_folder(path, *mode)).map_err(Conflict::Refused)
        }
        Some(Node::Link { target }) => {
            create_parents(path).and_then(|()| write_link(path, target)).map_err(Conflict::Refused)
        }
        Some(after @ Node::File { hash, mode }) => {
            if !step.before.as_ref().is_some_and(|before| before.is_like(after)) {
                let bytes = shelf.load(hash).map_err(Conflict::Lost)?;
                // A link would be followed.
                if matches!(step.before, Some(Node::Link { .. })) {
                    remove_file(path).map_err(Conflict::Refused)?;
                }
                let written = create_parents(path).and_then(|()| write_atomic(path, &bytes, PRIVATE_FILE));
                written.map_err(Conflict::Refused)?;
            }
            set_mode(path, mode.unwrap_or(USUAL_FILE)).map_err(Conflict::Refused)
        }
    }
}

/// Writes old versions of files that are left alone where the user finds them.
fn rescue_all(shelf: &Shelf<'_>, left: &mut [Left], root: &Path, rescue: &Path) {
    for left in left {
        let Some(Node::File { hash, .. }) = &left.wanted else { continue };
        let below = left.path.strip_prefix(root).ok();
        let name =
            below.map_or_else(|| left.path.strip_prefix("/").unwrap_or(&left.path).to_path_buf(), Path::to_path_buf);
        let path = rescue.join(name);
        let written = shelf.load(hash).ok().is_some_and(|bytes| {
            let folder = path.parent().unwrap_or(rescue);
            create_private_dir(folder).and_then(|()| write_atomic(&path, &bytes, PRIVATE_FILE)).is_ok()
        });
        left.kept_at = written.then_some(path);
    }
}

/// Turns what was done round, so that taking it back does it again.
pub fn inverse(deltas: &[Delta]) -> Vec<Delta> {
    let turn =
        |delta: &Delta| Delta { path: delta.path.clone(), before: delta.after.clone(), after: delta.before.clone() };
    deltas.iter().map(turn).collect()
}
