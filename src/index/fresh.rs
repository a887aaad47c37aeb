//! How does somebody in a hurry ask an index that may not be there yet?
//!
//! It is brought up to date for so long and no longer; what is left is done by a thread of this process, and the answer comes
//! from what is there. So the first question in a large project is answered from a part of it, and says so, and the next from
//! all. Must not be used where somebody waits on purpose: that is [`Index::settle`].

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::index::engine::{Index, Settling};
use crate::index::error::IndexError;

/// How long a call of the model, or a mention, waits for the index: two thousand files that were never read.
pub const BUDGET: Duration = Duration::from_secs(2);
/// How long the thread waits for another process that writes.
const PATIENCE: Duration = Duration::from_secs(60);

/// An index, as up to date as the time allowed.
pub struct Fresh {
    /// The index.
    pub index: Index,
    /// What whoever reads the answer should know.
    pub notes: Vec<String>,
}

/// Projects a thread of this process is busy with.
static BUSY: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// Brings the index of the project at `root`, below the cache folder, up to date for as long as `budget`.
pub fn within(cache: &Path, root: &Path, budget: Duration) -> Result<Fresh, IndexError> {
    let index = Index::of(cache, root)?;
    let deadline = Some(Instant::now() + budget);
    let settled = index.settle(&Settling { deadline, ..Settling::PLAIN })?;
    if settled.updated.n_left > 0 {
        go_on(cache, root);
    }
    Ok(Fresh { index, notes: settled.notes })
}

/// Does the rest beside everything else, once for each project. The process may end at any moment: what was written stays.
fn go_on(cache: &Path, root: &Path) {
    if !BUSY.lock().unwrap_or_else(PoisonError::into_inner).insert(root.to_path_buf()) {
        return;
    }
    let (cache, root) = (cache.to_path_buf(), root.to_path_buf());
    std::thread::spawn(move || {
        // Whoever asks next meets the same trouble and says it.
        drop(
            Index::of(&cache, &root)
                .and_then(|index| index.settle(&Settling { patience: PATIENCE, ..Settling::PLAIN })),
        );
        BUSY.lock().unwrap_or_else(PoisonError::into_inner).remove(&root);
    });
}
