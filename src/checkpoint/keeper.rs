//! How does everything one session changes come to be kept, whoever changes it?
//!
//! Around a command the whole workspace is looked at: what it changed is what differs. Around an edit only its files are.
//! What the user changed between two calls belongs to neither, because each call begins with a look of its own; what they
//! change while a command runs cannot be told from what it does. What another session wrote down as its own meanwhile is
//! left to it. Several processes may keep the same workspace at once.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::base::clock::{Clock, new_id};
use crate::base::entry::write_private;
use crate::base::hash;
use crate::base::path::{create_private_dir, touch};
use crate::checkpoint::error::CheckpointError;
use crate::checkpoint::history::Mark;
use crate::checkpoint::node::{Delta, Node};
use crate::checkpoint::scan::{Limits, Scanner};
use crate::checkpoint::step::{About, Cause, NotKept, Step, Steps};
use crate::checkpoint::store::Store;
use crate::checkpoint::tree::Tree;
use crate::checkpoint::undo::{self, Report, inverse};
use crate::protocol::diff::Change;
use crate::workspace::ignored::Ignored;

/// So many changed paths make it worth writing the tree right after a command: below that, reading them again costs less.
const MANY_CHANGES: usize = 200;

/// Where and how things are kept.
#[derive(Clone)]
pub struct Place {
    /// The store.
    pub store: Store,
    /// Canonical path of the workspace.
    pub workspace: PathBuf,
    /// The folder of mimi's own state, which is never kept even where it lies in the workspace.
    pub state: PathBuf,
    /// What is kept.
    pub limits: Limits,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
}

/// Keeps what one session changes.
pub struct Keeper {
    place: Place,
    steps: Steps,
    session: String,
    /// The locked file that says the session is in use, once there is something to keep.
    lease: Mutex<Option<std::fs::File>>,
}

/// A command that is about to run, or runs.
#[derive(Debug)]
pub struct Open {
    step: Step,
    mark: Mark,
}

impl Open {
    /// Returns the name under which it is kept.
    pub fn id(&self) -> &str {
        &self.step.id
    }
}

/// A step that was under way when mimi ended.
#[derive(Debug)]
pub struct Unsettled {
    /// What it did.
    pub step: Step,
    /// What became of the files, where it was an undo, a redo or the like.
    pub report: Option<Report>,
}

impl Keeper {
    /// Keeps for a session; touches nothing yet.
    pub fn new(place: Place, session: &str) -> Self {
        let steps = Steps::new(place.store.folder().join("steps"));
        Self { place, steps, session: session.to_owned(), lease: Mutex::new(None) }
    }

    /// Returns the store.
    pub fn store(&self) -> &Store {
        &self.place.store
    }

    /// Returns the steps of all sessions.
    pub fn steps(&self) -> &Steps {
        &self.steps
    }

    /// Looks at the workspace before a command. When this returns, all of it is on disk, and so is the fact that the command
    /// is about to run.
    pub fn begin(&self, about: About) -> Result<Open, CheckpointError> {
        // Until the step names it, nothing of the workspace may be deleted from the store.
        let _shelf = self.place.store.shelf()?;
        self.take_lease()?;
        let path = self.tree_path();
        let old = self.tree(&path);
        let tree = self.scanner().scan(&old)?;
        if tree != old || !path.exists() {
            self.save(&path, &tree)?;
        } else {
            // Whoever deletes old trees sees that this one is used.
            drop(touch(&path, std::time::SystemTime::now()));
        }
        let step = self.step(about);
        self.steps.begin(&step, Some(&path))?;
        Ok(Open { step, mark: Mark::of(&self.place.workspace) })
    }

    /// Looks again after the command and keeps what it changed; none when that is nothing. Call [`Keeper::settle`] once the
    /// session has taken note.
    pub fn end(&self, open: Open) -> Result<Option<Step>, CheckpointError> {
        let has_moved_git = open.mark != Mark::of(&self.place.workspace);
        self.finish(Step { has_moved_git, ..open.step })
    }

    /// Returns the workspace as it was when `open` began.
    pub fn seen_at(&self, open: &Open) -> Tree {
        self.tree(&self.steps.tree(&self.session, open.id()))
    }

    /// Returns what differs between two looks at the workspace, without what git ignores.
    pub fn difference(&self, before: &Tree, after: &Tree) -> Vec<Delta> {
        let (mut deltas, n_ignored) = self.ignored_last(before.difference(after, &self.place.workspace).deltas);
        deltas.truncate(deltas.len() - n_ignored);
        deltas
    }

    fn finish(&self, step: Step) -> Result<Option<Step>, CheckpointError> {
        let before = self.tree(&self.steps.tree(&self.session, &step.id));
        let after = self.scanner().scan(&before)?;
        let found = before.difference(&after, &self.place.workspace);
        if found.deltas.len() > MANY_CHANGES {
            self.save(&self.tree_path(), &after)?;
        }
        let skipped = found.skipped.into_iter().map(|(path, why)| NotKept { path, why: why.to_string() }).collect();
        let (deltas, n_ignored) = self.ignored_last(self.unclaimed(found.deltas, &step));
        let step = Step { deltas, n_ignored, skipped, ..step };
        if step.is_empty() {
            self.steps.settle(&self.session, &step.id);
            return Ok(None);
        }
        self.steps.end(&step)?;
        Ok(Some(step))
    }

    /// Writes down what an edit changed, whose contents are in the store already; none where that is nothing.
    pub fn note_edit(&self, about: About, changes: &[Change]) -> Result<Option<Step>, CheckpointError> {
        if changes.is_empty() {
            return Ok(None);
        }
        let _shelf = self.place.store.shelf()?;
        self.take_lease()?;
        let deltas = changes.iter().cloned().map(Delta::from).collect();
        let step = Step { deltas, ..self.step(about) };
        self.steps.end(&step)?;
        Ok(Some(step))
    }

    /// Takes changes back, which must come in the order they were made. What it does is itself a step, whose inverse does
    /// them again: [`Keeper::take_back`] with its deltas. Call [`Keeper::settle`] once the session has taken note.
    pub fn take_back(&self, about: About, deltas: &[Delta]) -> Result<(Step, Report), CheckpointError> {
        let _shelf = self.place.store.shelf()?;
        self.take_lease()?;
        let plan = undo::plan(&self.place.store, deltas)?;
        let step = Step { deltas: plan.moves.clone(), ..self.step(about) };
        self.steps.begin(&step, None)?;
        self.carry_out(step, plan)
    }

    fn carry_out(&self, step: Step, plan: undo::Plan) -> Result<(Step, Report), CheckpointError> {
        let rescue = self.place.store.folder().join("conflicts").join(&step.id);
        let report = undo::carry_out(&self.place.store, plan, &self.place.workspace, &rescue)?;
        let step = Step { deltas: report.done.clone(), ..step };
        self.steps.end(&step)?;
        Ok((step, report))
    }

    /// Finishes what was under way when mimi ended, and says what that did. What a command had not done by then is what the
    /// user did since, as far as anybody can tell.
    pub fn unsettled(&self) -> Vec<Unsettled> {
        let open = self.steps.open(&self.session);
        let finished = open.into_iter().filter_map(|step| {
            let id = step.id.clone();
            let found = self.finish_open(step);
            if !matches!(found, Ok(Some(_))) {
                self.steps.settle(&self.session, &id);
            }
            found.ok().flatten()
        });
        finished.collect()
    }

    fn finish_open(&self, step: Step) -> Result<Option<Unsettled>, CheckpointError> {
        let done = self.steps.load(&self.session, &step.id).ok();
        match step.cause {
            Cause::Edit | Cause::Command | Cause::Check => {
                let step = match done {
                    Some(step) => Some(step),
                    None => self.finish(step)?,
                };
                Ok(step.map(|step| Unsettled { step, report: None }))
            }
            Cause::Undo | Cause::Redo | Cause::Restore => {
                // What was done before the crash is fine already.
                let plan = undo::plan(&self.place.store, &inverse(&step.deltas))?;
                let all = step.deltas.clone();
                let (mut step, report) = self.carry_out(step, plan)?;
                step.deltas = done.map_or(all, |done| done.deltas);
                step.deltas.retain(|delta| report.restored.contains(&delta.path));
                self.steps.end(&step)?;
                Ok(Some(Unsettled { step, report: Some(report) }))
            }
        }
    }

    /// Forgets that a step was under way, because the session has taken note of what it did.
    pub fn settle(&self, id: &str) {
        self.steps.settle(&self.session, id);
    }

    fn step(&self, about: About) -> Step {
        Step::new(new_id(), &self.session, &self.place.workspace, about, self.place.clock.now_ms())
    }

    fn scanner(&self) -> Scanner<'_> {
        let Place { store, workspace, state, limits, .. } = &self.place;
        let skip = state.strip_prefix(workspace).ok().map(Path::to_path_buf);
        Scanner { root: workspace, skip, limits: *limits, store }
    }

    fn take_lease(&self) -> Result<(), CheckpointError> {
        let mut lease = self.lease.lock().unwrap_or_else(PoisonError::into_inner);
        if lease.is_none() {
            *lease = Some(self.steps.lease(&self.session, &self.place.workspace)?);
        }
        Ok(())
    }

    fn tree_path(&self) -> PathBuf {
        let name = hash::of_bytes(self.place.workspace.as_os_str().as_encoded_bytes());
        self.place.store.folder().join("trees").join(format!("{}.tree", &name[..32]))
    }

    /// Reads a tree; an unknown one is empty, so that everything is looked into.
    fn tree(&self, path: &Path) -> Tree {
        let read = std::fs::read(path).ok().and_then(|bytes| Tree::decode(&bytes));
        read.filter(|(root, _)| *root == self.place.workspace).map(|(_, tree)| tree).unwrap_or_default()
    }

    fn save(&self, path: &Path, tree: &Tree) -> Result<(), CheckpointError> {
        let folder = path.parent().unwrap_or(path);
        create_private_dir(folder)
            .and_then(|()| write_private(path, &tree.encode(&self.place.workspace)))
            .map_err(|source| CheckpointError::Write { path: path.to_path_buf(), source })
    }

    /// Puts what git ignores behind the rest, and counts it.
    fn ignored_last(&self, deltas: Vec<Delta>) -> (Vec<Delta>, usize) {
        let ignored = Ignored::new(&self.place.workspace);
        let is_ignored = |delta: &Delta| {
            let is_folder =
                [&delta.before, &delta.after].into_iter().flatten().any(|node| matches!(node, Node::Folder { .. }));
            delta.path.strip_prefix(&self.place.workspace).is_ok_and(|path| ignored.covers(path, is_folder))
        };
        let (last, mut first): (Vec<Delta>, Vec<Delta>) = deltas.into_iter().partition(is_ignored);
        let n_ignored = last.len();
        first.extend(last);
        (first, n_ignored)
    }

    /// Leaves out what others have written down as their own since this step began: each change as it is, and several of one path
    /// as what they come to together.
    fn unclaimed(&self, mut deltas: Vec<Delta>, step: &Step) -> Vec<Delta> {
        if deltas.is_empty() {
            return deltas;
        }
        let mut together: BTreeMap<PathBuf, Delta> = BTreeMap::new();
        for theirs in self.steps.others_since(step).into_iter().flat_map(|other| other.deltas) {
            deltas.retain(|delta| !theirs.is_same(delta));
            match together.get_mut(&theirs.path) {
                Some(known) => known.after = theirs.after,
                None => drop(together.insert(theirs.path.clone(), theirs)),
            }
        }
        deltas.retain(|delta| !together.get(&delta.path).is_some_and(|theirs| theirs.is_same(delta)));
        deltas
    }
}
