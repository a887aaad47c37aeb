//! What differs from the start, and how does the workspace go back to how it was?
//!
//! Every look is kept by the checkpoint keeper outside of the project, until the work is over. What checks leave behind is told
//! from what fixers and the agent change: a path that only checks have touched belongs to nobody's change. What git ignores is
//! never looked at. Must not overwrite what somebody else changed meanwhile: the keeper leaves such paths alone and says so.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::agent::keeping::blocking;
use crate::base::fault::{Fault, Kind};
use crate::base::hash;
use crate::checkpoint::error::CheckpointError;
use crate::checkpoint::keeper::{Keeper, Open};
use crate::checkpoint::node::{Delta, Node};
use crate::checkpoint::step::{About, Cause};
use crate::checkpoint::tree::Tree;
use crate::strategy::fix::Job;

/// Names of folders and files that tools leave behind, and that are nobody's work where nothing ignores them.
const PRODUCTS: [&str; 12] = [
    "__pycache__",
    ".pytest_cache",
    ".mypy_cache",
    ".ruff_cache",
    ".hypothesis",
    ".coverage",
    "node_modules",
    "target",
    ".gradle",
    ".phpunit.result.cache",
    ".phpunit.cache",
    ".eslintcache",
];

/// The workspace at one moment.
#[derive(Debug, Clone)]
pub struct Look {
    tree: Arc<Tree>,
}

/// The workspace since the start.
pub struct World {
    keeper: Arc<Keeper>,
    root: PathBuf,
    base: Look,
    /// Names of the looks, which are kept until the work is over.
    open: Mutex<Vec<Open>>,
    /// Paths that checks have changed.
    by_checks: BTreeSet<PathBuf>,
    /// Paths that edits of the agent have changed.
    edited: BTreeSet<PathBuf>,
    /// Paths that changed while the agent or a fixer worked. All others are not ours, whoever changes them.
    own: BTreeSet<PathBuf>,
    /// Files that mimi itself writes.
    outputs: BTreeSet<PathBuf>,
}

/// Looks at the workspace for the first time.
///
/// # Errors
/// Nothing can be kept.
pub async fn open(keeper: Option<Arc<Keeper>>, job: &Job) -> Result<World, Fault> {
    let Some(keeper) = keeper else {
        return Err(Fault::new(Kind::Config, "files cannot be kept as they are, so nothing is changed")
            .hint("set `XDG_STATE_HOME` to a folder you can write to"));
    };
    let (open, look) = look(&keeper).await.map_err(Fault::from)?;
    Ok(World {
        keeper,
        root: job.folder.clone(),
        base: look,
        open: Mutex::new(vec![open]),
        by_checks: BTreeSet::new(),
        edited: BTreeSet::new(),
        own: BTreeSet::new(),
        outputs: job.outputs.clone(),
    })
}

async fn look(keeper: &Arc<Keeper>) -> Result<(Open, Look), CheckpointError> {
    let keeper = keeper.clone();
    blocking(move || {
        let open = keeper.begin(about(Cause::Check, "a look of mimi fix"))?;
        let tree = Arc::new(keeper.seen_at(&open));
        Ok((open, Look { tree }))
    })
    .await
}

fn about(cause: Cause, what: &str) -> About {
    About { turn: 0, call: None, cause, what: what.to_owned() }
}

impl World {
    /// Returns the workspace at the start.
    pub fn base(&self) -> Look {
        self.base.clone()
    }

    /// Looks at the workspace as it is now.
    pub async fn look(&self) -> Result<Look, Fault> {
        let (open, look) = look(&self.keeper).await?;
        self.open.lock().unwrap_or_else(PoisonError::into_inner).push(open);
        Ok(look)
    }

    /// Notes what a check has changed.
    pub fn changed_by_check(&mut self, paths: impl IntoIterator<Item = PathBuf>) {
        self.by_checks.extend(paths);
    }

    /// Notes what an edit has changed.
    pub fn edited(&mut self, paths: impl IntoIterator<Item = PathBuf>) {
        self.edited.extend(paths);
    }

    /// Notes what has changed since `before` as ours: the agent or a fixer has worked since.
    pub async fn take_over(&mut self, before: &Look) -> Result<(), Fault> {
        let now = self.look().await?;
        let deltas = self.keeper.difference(&before.tree, &now.tree);
        let ours: Vec<PathBuf> =
            deltas.into_iter().filter(|delta| self.is_work(delta)).map(|delta| delta.path).collect();
        self.own.extend(ours);
        Ok(())
    }

    /// Returns what differs between two looks and is ours; folders are left out.
    pub fn between(&self, from: &Look, to: &Look) -> Vec<Delta> {
        let mut deltas = self.keeper.difference(&from.tree, &to.tree);
        let is_folder = |node: &Option<Node>| matches!(node, Some(Node::Folder { .. }));
        deltas.retain(|delta| !is_folder(&delta.before) && !is_folder(&delta.after) && self.own.contains(&delta.path));
        deltas
    }

    fn is_work(&self, delta: &Delta) -> bool {
        let is_product =
            || delta.before.is_none() && delta.path.iter().any(|part| PRODUCTS.iter().any(|name| part == *name));
        if self.outputs.contains(&delta.path) {
            return false;
        }
        self.edited.contains(&delta.path) || !(self.by_checks.contains(&delta.path) || is_product())
    }

    /// Returns what differs from the start.
    pub async fn changes(&mut self) -> Result<Vec<Delta>, Fault> {
        let now = self.look().await?;
        Ok(self.between(&self.base, &now))
    }

    /// Makes those of our paths that `wanted` names as they were at `look`; returns what had to be left alone, in words.
    pub async fn go_to(&self, look: &Look, wanted: impl Fn(&Path) -> bool) -> Result<Vec<String>, Fault> {
        let now = self.look().await?;
        let mut deltas = self.keeper.difference(&look.tree, &now.tree);
        deltas.retain(|delta| self.own.contains(&delta.path) && wanted(&delta.path));
        self.take_back(deltas).await
    }

    /// Returns what is at a path in a look.
    pub fn node(&self, look: &Look, path: &Path) -> Option<Node> {
        let name = path.strip_prefix(&self.root).ok()?.as_os_str().as_encoded_bytes();
        let at = look.tree.entries.binary_search_by(|entry| entry.path.as_ref().cmp(name)).ok()?;
        look.tree.entries[at].node()
    }

    /// Gives a file this content; it must be now as `now` says.
    pub async fn put(&self, path: &Path, now: &Node, text: &str) -> Result<Vec<String>, Fault> {
        let digest = self.keeper.store().put(text.as_bytes()).map_err(Fault::from)?;
        let wanted = Node::File { hash: hash::to_hex(&digest), mode: now.mode() };
        self.take_back(vec![Delta { path: path.to_path_buf(), before: Some(wanted), after: Some(now.clone()) }]).await
    }

    async fn take_back(&self, deltas: Vec<Delta>) -> Result<Vec<String>, Fault> {
        if deltas.is_empty() {
            return Ok(Vec::new());
        }
        let keeper = self.keeper.clone();
        let (step, report) = blocking(move || {
            let done = keeper.take_back(about(Cause::Restore, "mimi fix takes back"), &deltas)?;
            keeper.settle(&done.0.id);
            Ok(done)
        })
        .await
        .map_err(Fault::from)?;
        drop(step);
        Ok(report.left.iter().map(|left| format!("{}: {left}", self.name(&left.path))).collect())
    }

    /// Returns the text of a file as it was; none where there was none, or none that is text.
    pub fn text(&self, node: Option<&Node>) -> Option<String> {
        let bytes = self.keeper.store().load(node?.hash()?).ok()?;
        String::from_utf8(bytes).ok()
    }

    /// Returns the name of a path as seen from the workspace.
    pub fn name(&self, path: &Path) -> String {
        path.strip_prefix(&self.root).unwrap_or(path).to_string_lossy().into_owned()
    }

    /// Lets go of every look.
    pub fn settle(&self) {
        for open in self.open.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            self.keeper.settle(open.id());
        }
    }
}
