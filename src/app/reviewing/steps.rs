//! What did a turn or a session change, as far as it still stands?
//!
//! Compares each file as it was before the first step that touched it with what is there now: what was taken back since does
//! not show, and what a person wrote into the same file does. What git ignores is left out.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::app::App;
use crate::base::fault::Fault;
use crate::checkpoint::node::{Node, are_alike};
use crate::checkpoint::step::{Cause, Steps};
use crate::checkpoint::store::{Shelf, Store};
use crate::checkpoint::undo::look;
use crate::edit::diff::Described;
use crate::edit::encoding::{HEAD_BYTES, binary_kind, decode_owned};
use crate::edit::text_file::MAX_TEXT_BYTES;
use crate::protocol::changes::{By, ChangeSet, Changed, Source};
use crate::protocol::diff::{FileDiff, Sides};

/// Where things are.
#[derive(Debug, Clone)]
pub(super) struct Place {
    store: Store,
    root: PathBuf,
}

impl Place {
    pub(super) fn of(app: &App) -> Result<Self, Fault> {
        Ok(Self { store: Store::open(&app.dirs.checkpoints())?, root: app.workspace.root().to_path_buf() })
    }
}

/// What was at paths before.
type Before = BTreeMap<PathBuf, Option<Node>>;

/// Returns what was at each path before the last turn that changed anything, or before the session; with the number of the turn.
fn before(place: &Place, session: &str, source: &Source) -> (Before, u32) {
    let steps = Steps::new(place.store.folder().join("steps"));
    let mut steps = steps.in_workspace(&place.root);
    steps.retain(|step| step.session == session);
    let is_work = |cause: Cause| matches!(cause, Cause::Edit | Cause::Command | Cause::Check);
    let turn = steps.iter().filter(|step| is_work(step.cause)).map(|step| step.turn).max().unwrap_or(0);
    if *source == Source::Turn {
        steps.retain(|step| step.turn == turn);
    }
    let mut before = Before::new();
    for step in &steps {
        let shown = step.deltas.len().saturating_sub(step.n_ignored);
        for delta in &step.deltas[..shown] {
            before.entry(delta.path.clone()).or_insert_with(|| delta.before.clone());
        }
    }
    (before, turn)
}

/// Returns what was at one path.
pub(super) fn was(place: &Place, session: &str, source: &Source, path: &Path) -> Result<Option<Node>, Fault> {
    Ok(before(place, session, source).0.remove(path).flatten())
}

/// Compares what was with what is.
pub(super) fn changes(place: &Place, session: &str, source: &Source) -> Result<ChangeSet, Fault> {
    let (before, turn) = before(place, session, source);
    let shelf = place.store.shelf()?;
    let what = if *source == Source::Turn { format!("turn {turn}") } else { source.words() };
    let mut set = ChangeSet { what, ..ChangeSet::default() };
    for (path, was) in before {
        let Ok(now) = look(&path) else { continue };
        let is_folder = [&was, &now].into_iter().flatten().any(|node| matches!(node, Node::Folder { .. }));
        let mode = |node: &Option<Node>| node.as_ref().and_then(Node::mode);
        let has_mode = mode(&was).is_some() && mode(&now).is_some() && mode(&was) != mode(&now);
        if is_folder || (are_alike(was.as_ref(), now.as_ref()) && !has_mode) {
            continue;
        }
        set.files.push(changed(&shelf, &place.root, &path, &Sides { before: was, after: now }));
    }
    set.files.sort_by(|a, b| a.diff.path.cmp(&b.diff.path));
    Ok(set)
}

fn changed(shelf: &Shelf<'_>, root: &Path, path: &Path, nodes: &Sides<Node>) -> Changed {
    let name = path.strip_prefix(root).unwrap_or(path).display().to_string();
    let was = nodes.before.as_ref().map(|node| content(node, |hash| shelf.load(hash).ok()));
    let now = nodes.after.as_ref().map(|node| content(node, |_| std::fs::read(path).ok()));
    let mode = |node: &Option<Node>| node.as_ref().and_then(Node::mode);
    let mode = Sides { before: mode(&nodes.before), after: mode(&nodes.after) };
    let is_link = [&nodes.before, &nodes.after].into_iter().flatten().any(|node| matches!(node, Node::Link { .. }));
    let diff = match (&was, &now) {
        (None | Some(Content::Text(_)), None | Some(Content::Text(_))) => {
            let text =
                Sides { before: was.as_ref().and_then(Content::text), after: now.as_ref().and_then(Content::text) };
            FileDiff { unified: String::new(), ..Described { path: &name, text, mode, ..Described::default() }.diff() }
        }
        _ => {
            let binary = Sides { before: was.as_ref().map(Content::size), after: now.as_ref().map(Content::size) };
            Described { path: &name, mode, binary: Some(binary), ..Described::default() }.diff()
        }
    };
    let mut changed = Changed::new(diff);
    if is_link {
        changed.by = By::File;
    }
    changed
}

/// What a file holds.
enum Content {
    Text(String),
    Bytes(u64),
}

impl Content {
    fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Bytes(_) => None,
        }
    }

    fn size(&self) -> u64 {
        match self {
            Self::Text(text) => text.len() as u64,
            Self::Bytes(n) => *n,
        }
    }
}

fn content(node: &Node, load: impl Fn(&str) -> Option<Vec<u8>>) -> Content {
    match node {
        Node::Link { target } => Content::Text(target.display().to_string()),
        Node::Folder { .. } => Content::Bytes(0),
        Node::File { hash, .. } => {
            let bytes = load(hash).unwrap_or_default();
            let n_bytes = bytes.len() as u64;
            if binary_kind(&bytes[..bytes.len().min(HEAD_BYTES)]).is_some() || n_bytes > MAX_TEXT_BYTES {
                return Content::Bytes(n_bytes);
            }
            let decoded = decode_owned(bytes);
            if decoded.is_lossy { Content::Bytes(n_bytes) } else { Content::Text(decoded.text) }
        }
    }
}
