//! What did each call do to the files, and where is that written down?
//!
//! One file a step, in a folder for its session. A step is written twice: as open before anything is changed, and whole
//! afterwards; the open one goes when the session has taken note. What is open after a crash says what was under way.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::base::entry::{open_lock, second_name, write_private};
use crate::base::path::{create_private_dir, remove_file};
use crate::checkpoint::error::CheckpointError;
use crate::checkpoint::node::Delta;
use crate::checkpoint::store::{entries, is_absent};
use crate::protocol::message::CallId;

/// Version of the form of a step's file.
const VERSION: u32 = 1;
/// Ending of a step that is done.
const DONE: &str = "json";
/// Ending of a step that is under way.
const OPEN: &str = "open";
/// Ending of the workspace as it was before a step that is under way.
const TREE: &str = "tree";
/// The file in a session's folder that is locked while a process works with the session. Holds the workspace's path.
const LEASE: &str = "lease";

/// Who changed the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// A tool that names the files it changes.
    Edit,
    /// A command of the model.
    Command,
    /// A check of `mimi fix`.
    Check,
    /// Taking a turn back.
    Undo,
    /// Doing again what was taken back.
    Redo,
    /// Somebody who wanted files of a step back.
    Restore,
}

impl Cause {
    /// Returns its name, as it stands in files and lists.
    pub fn name(self) -> &'static str {
        match self {
            Self::Edit => "edit",
            Self::Command => "command",
            Self::Check => "check",
            Self::Undo => "undo",
            Self::Redo => "redo",
            Self::Restore => "restore",
        }
    }
}

/// What a step is about, known before it begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// The turn it belongs to.
    pub turn: u32,
    /// The call, if it is one.
    pub call: Option<CallId>,
    /// Who changes the files.
    pub cause: Cause,
    /// What it does, in a few words: `shell make test`.
    pub what: String,
}

/// A path whose change is not kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotKept {
    /// Absolute path.
    #[serde(with = "crate::protocol::path")]
    pub path: PathBuf,
    /// Why: `too large`.
    pub why: String,
}

/// What one call, check or undo did to the files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Version of the form.
    pub v: u32,
    /// Names it; the text order of ids is that of time.
    pub id: String,
    /// The session it belongs to.
    pub session: String,
    /// Canonical path of the folder the session works in.
    #[serde(with = "crate::protocol::path")]
    pub workspace: PathBuf,
    /// The turn it belongs to.
    pub turn: u32,
    /// The call, if it was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<CallId>,
    /// Who changed the files.
    pub cause: Cause,
    /// What it did, in a few words.
    pub what: String,
    /// When it began, in milliseconds since the Unix epoch.
    pub at_ms: u64,
    /// What became of each path; those git ignores last.
    pub deltas: Vec<Delta>,
    /// How many of them git ignores.
    #[serde(default)]
    pub n_ignored: usize,
    /// Paths that changed and are not kept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skipped: Vec<NotKept>,
    /// Whether what git records changed as well: commits, branches, the stash.
    #[serde(default)]
    pub has_moved_git: bool,
}

impl Step {
    /// Begins a step.
    pub fn new(id: String, session: &str, workspace: &Path, about: About, at_ms: u64) -> Self {
        Self {
            v: VERSION,
            id,
            session: session.to_owned(),
            workspace: workspace.to_path_buf(),
            turn: about.turn,
            call: about.call,
            cause: about.cause,
            what: about.what,
            at_ms,
            deltas: Vec::new(),
            n_ignored: 0,
            skipped: Vec::new(),
            has_moved_git: false,
        }
    }

    /// Says whether it has nothing to tell.
    pub fn is_empty(&self) -> bool {
        self.deltas.is_empty() && self.skipped.is_empty() && !self.has_moved_git
    }
}

/// The steps of all sessions of one user.
#[derive(Debug, Clone)]
pub struct Steps {
    folder: PathBuf,
}

impl Steps {
    /// Names the folder; nothing is made before the first step.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Returns the folder of a session's steps.
    pub fn of_session(&self, session: &str) -> PathBuf {
        // An id is a file's name; whatever else somebody hands over must not lead out of here.
        self.folder.join(session.replace('/', "_").trim_start_matches('.'))
    }

    /// Says that this process works with the session until the file is dropped, so that its steps stay.
    pub fn lease(&self, session: &str, workspace: &Path) -> Result<std::fs::File, CheckpointError> {
        let folder = self.of_session(session);
        let path = folder.join(LEASE);
        let take = || {
            create_private_dir(&folder)?;
            let is_new = path.metadata().map_or(true, |meta| meta.len() == 0);
            if is_new {
                write_private(&path, workspace.as_os_str().as_encoded_bytes())?;
            }
            let file = open_lock(&path)?;
            // Without locks nothing is ever deleted.
            drop(file.lock_shared());
            Ok(file)
        };
        take().map_err(|source| CheckpointError::Write { path: path.clone(), source })
    }

    /// Says whether a process works with the session whose folder this is.
    pub(crate) fn is_leased(folder: &Path) -> bool {
        let path = folder.join(LEASE);
        path.exists() && open_lock(&path).is_ok_and(|file| file.try_lock().is_err())
    }

    /// Returns the workspace of the session whose folder this is.
    pub(crate) fn workspace_of(folder: &Path) -> Option<PathBuf> {
        std::fs::read(folder.join(LEASE)).ok().map(|bytes| crate::checkpoint::tree::path_of(&bytes))
    }

    /// Writes down that a step is about to begin; `tree` is the workspace as it is, which may be replaced later.
    pub fn begin(&self, step: &Step, tree: Option<&Path>) -> Result<(), CheckpointError> {
        if let Some(tree) = tree {
            let path = self.path(&step.session, &step.id, TREE);
            second_name(tree, &path).map_err(|source| CheckpointError::Write { path, source })?;
        }
        self.write(step, OPEN)
    }

    /// Writes down what a step did.
    pub fn end(&self, step: &Step) -> Result<(), CheckpointError> {
        self.write(step, DONE)
    }

    /// Forgets that a step was under way. What it did stays.
    pub fn settle(&self, session: &str, id: &str) {
        for ending in [OPEN, TREE] {
            let path = self.path(session, id, ending);
            if path.symlink_metadata().is_ok() {
                drop(remove_file(&path));
            }
        }
    }

    /// Returns where the workspace as it was before a step lies while the step is under way.
    pub fn tree(&self, session: &str, id: &str) -> PathBuf {
        self.path(session, id, TREE)
    }

    /// Reads a step of a session that is done.
    pub fn load(&self, session: &str, id: &str) -> Result<Step, CheckpointError> {
        let path = self.path(session, id, DONE);
        read(&path).map_err(|error| match error {
            CheckpointError::Load { source, .. } if is_absent(&source) => {
                CheckpointError::NotFound { prefix: id.to_owned() }
            }
            other => other,
        })
    }

    /// Reads the steps of a session that are under way, the oldest first.
    pub fn open(&self, session: &str) -> Vec<Step> {
        let mut paths = with_ending(&self.of_session(session), OPEN);
        paths.sort();
        paths.iter().filter_map(|path| read(path).ok()).collect()
    }

    /// Returns the files of all steps that are done, the oldest first.
    pub fn all(&self) -> Vec<PathBuf> {
        let mut paths: Vec<PathBuf> =
            entries(&self.folder).iter().flat_map(|session| with_ending(session, DONE)).collect();
        paths.sort_by(|a, b| a.file_name().cmp(&b.file_name()));
        paths
    }

    /// Reads the steps in a workspace that are done, the oldest first; those that cannot be read are left out.
    pub fn in_workspace(&self, workspace: &Path) -> Vec<Step> {
        let is_here = |path: &PathBuf| {
            // A session works in one workspace; what its lease says saves reading its steps.
            let lease = path.parent().and_then(Self::workspace_of);
            lease.is_none_or(|lease| lease.as_os_str().is_empty() || lease == workspace)
        };
        let steps = self.all().into_iter().filter(is_here).filter_map(|path| read(&path).ok());
        steps.filter(|step| step.workspace == workspace).collect()
    }

    /// Reads what else was done in the same workspace since a step began, in the order it began: by other sessions, and by other
    /// calls of the same one, while a command goes on behind the turn.
    pub fn others_since(&self, step: &Step) -> Vec<Step> {
        let is_later = |path: &PathBuf| path.file_stem().is_some_and(|id| *id.to_string_lossy() > *step.id);
        let names = entries(&self.folder).into_iter().flat_map(|folder| with_ending(&folder, DONE)).filter(is_later);
        let others = names.filter_map(|path| read(&path).ok());
        let mut others: Vec<Step> = others.filter(|other| other.workspace == step.workspace).collect();
        others.sort_by(|a, b| a.id.cmp(&b.id));
        others
    }

    /// Finds the one step whose id is, or begins with, `prefix`.
    pub fn find(&self, prefix: &str) -> Result<Step, CheckpointError> {
        let id = |path: &PathBuf| path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let mut found = self.all();
        found.retain(|path| !prefix.is_empty() && id(path).starts_with(prefix));
        match found.as_slice() {
            [] => Err(CheckpointError::NotFound { prefix: prefix.to_owned() }),
            [path] => read(path),
            several => {
                Err(CheckpointError::Ambiguous { prefix: prefix.to_owned(), ids: several.iter().map(id).collect() })
            }
        }
    }

    fn path(&self, session: &str, id: &str, ending: &str) -> PathBuf {
        self.of_session(session).join(format!("{}.{ending}", id.replace('/', "_")))
    }

    fn write(&self, step: &Step, ending: &str) -> Result<(), CheckpointError> {
        let path = self.path(&step.session, &step.id, ending);
        let failed = |source| CheckpointError::Write { path: path.clone(), source };
        let bytes = serde_json::to_vec(step).map_err(|error| failed(error.into()))?;
        create_private_dir(&self.of_session(&step.session)).map_err(failed)?;
        write_private(&path, &bytes).map_err(failed)
    }
}

/// Reads a step's file.
pub(crate) fn read(path: &Path) -> Result<Step, CheckpointError> {
    let bytes = std::fs::read(path).map_err(|source| CheckpointError::Load { path: path.to_path_buf(), source })?;
    serde_json::from_slice(&bytes).map_err(|_| CheckpointError::Damaged { path: path.to_path_buf() })
}

/// Lists the files of a folder with this ending.
pub(crate) fn with_ending(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = entries(folder);
    found.retain(|path| path.extension().is_some_and(|own| own == ending));
    found
}

/// Endings of the files that name contents: steps, done or under way.
pub(crate) const NAMING: [&str; 2] = [DONE, OPEN];
/// Ending of a workspace's tree.
pub(crate) const TREE_ENDING: &str = TREE;
