//! Did a command change what git records?
//!
//! Commits, branches and the stash are git's own to keep and are never taken back here; the user is told when they moved.
//! Only looked at, and only as far as a few small files tell: every commit, checkout, reset and fetch leaves a trace in them.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Files of a repository that change with its history.
const TRACES: [&str; 5] = ["HEAD", "logs/HEAD", "packed-refs", "refs/stash", "FETCH_HEAD"];

/// Where a repository stands. Equal for two looks when its history did not move.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mark(Vec<Option<(u64, SystemTime)>>);

impl Mark {
    /// Looks at the repository the workspace lies in; without one every mark is equal.
    pub fn of(workspace: &Path) -> Self {
        let Some(folder) = git_folder(workspace) else { return Self::default() };
        let trace = |name: &&str| {
            let meta = folder.join(name).metadata().ok()?;
            Some((meta.len(), meta.modified().ok()?))
        };
        Self(TRACES.iter().map(trace).collect())
    }
}

fn git_folder(workspace: &Path) -> Option<PathBuf> {
    let found = workspace.ancestors().map(|above| above.join(".git")).find(|path| path.exists())?;
    if found.is_dir() {
        return Some(found);
    }
    // A further work tree names its folder in a file.
    let text = std::fs::read_to_string(&found).ok()?;
    Some(found.parent()?.join(text.strip_prefix("gitdir:")?.trim()))
}
