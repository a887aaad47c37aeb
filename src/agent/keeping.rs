//! How is what a call changes kept, and how is that told?
//!
//! Around a command the whole workspace is looked at, on a thread of its own; around an edit its files have been kept before
//! ([`crate::agent::dispatch`]), and are compared after it. Surprising: a command runs also where nothing can be kept, because it
//! is still the user's wish; they are told.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::base::fault::Fault;
use crate::base::text::{count, one_line_name};
use crate::checkpoint::error::CheckpointError;
use crate::checkpoint::keeper::{Keeper, Open};
use crate::checkpoint::step::{About, Cause, NotKept, Step};
use crate::checkpoint::store::Kept;
use crate::protocol::diff::Change;
use crate::protocol::event::Event;
use crate::protocol::tool::{ToolOutcome, ToolReport};
use crate::protocol::tree::TreeChange;

/// Paths an event names; a command may change any number.
const MAX_NAMES: usize = 20;
/// Paths a warning names.
const MAX_WARNED: usize = 3;

/// A file as it was before a call, to be compared once the call has ended.
#[derive(Debug, Clone)]
pub struct PreImage {
    /// Absolute path.
    pub path: PathBuf,
    /// What was kept of it.
    pub kept: Kept,
}

/// How a call is watched.
pub struct Watch {
    /// Keeps what changes.
    pub keeper: Arc<Keeper>,
    /// What the call is about.
    pub about: About,
    /// The files an edit names, as they are.
    pub images: Vec<PreImage>,
}

/// What a call did to the files.
#[derive(Debug, Default)]
pub struct Effects {
    /// Files changed by an edit.
    pub changes: Vec<Change>,
    /// What a command changed.
    pub step: Option<Box<Step>>,
    /// Why something was not kept.
    pub trouble: Option<String>,
}

/// Runs a call and finds out what it changed.
pub async fn around(
    watch: Option<Watch>,
    cancel: &CancellationToken,
    run: impl Future<Output = ToolReport>,
) -> (ToolReport, Effects) {
    let Some(Watch { keeper, about, images }) = watch else { return (run.await, Effects::default()) };
    if about.cause == Cause::Edit {
        let report = run.await;
        let effects = blocking(move || Ok(after_edit(&keeper, about, &images))).await.unwrap_or_else(Effects::failed);
        return (report, effects);
    }
    let Some(opened) = before_command(&keeper, about, cancel).await else {
        return (ToolReport::of(ToolOutcome::Cancelled, "cancelled"), Effects::default());
    };
    let report = run.await;
    let open = match opened {
        Ok(open) => open,
        Err(error) => return (report, Effects::failed(error)),
    };
    match blocking(move || keeper.end(open)).await {
        Ok(step) => (report, Effects { step: step.map(Box::new), ..Effects::default() }),
        Err(error) => (report, Effects::failed(error)),
    }
}

/// Looks at the workspace before a command; none when it was interrupted meanwhile.
pub async fn before_command(
    keeper: &Arc<Keeper>,
    about: About,
    cancel: &CancellationToken,
) -> Option<Result<Open, CheckpointError>> {
    let own = keeper.clone();
    let mut opening = tokio::spawn(blocking(move || own.begin(about)));
    tokio::select! {
        biased;
        opened = &mut opening => Some(opened.unwrap_or(Err(CheckpointError::Ended))),
        () = cancel.cancelled() => {
            // The first look at a large workspace takes seconds; it ends by itself, and no command follows it.
            let keeper = keeper.clone();
            tokio::spawn(async move {
                if let Ok(Ok(open)) = opening.await {
                    keeper.settle(open.id());
                }
            });
            None
        }
    }
}

/// Runs work with the disk on a thread of its own.
pub async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, CheckpointError> + Send + 'static,
) -> Result<T, CheckpointError> {
    tokio::task::spawn_blocking(work).await.unwrap_or(Err(CheckpointError::Ended))
}

fn after_edit(keeper: &Keeper, about: About, images: &[PreImage]) -> Effects {
    let changed = images.iter().filter_map(|image| image.kept.change(&image.path).ok().flatten());
    let changes: Vec<Change> = changed.collect();
    // What the session file says of an edit is enough to take it back; the step is for the list, and for the store to know
    // what is needed.
    let trouble = keeper.note_edit(about, &changes).err().map(words);
    Effects { changes, step: None, trouble }
}

impl Effects {
    fn failed(error: CheckpointError) -> Self {
        Self { trouble: Some(words(error)), ..Self::default() }
    }
}

fn words(error: CheckpointError) -> String {
    format!("what this call changes cannot be taken back: {}", Fault::from(error).words())
}

/// Says what a command changed.
pub fn tree_change(step: &Step, root: &Path) -> TreeChange {
    let name = |path: &Path| path.strip_prefix(root).unwrap_or(path).to_string_lossy().into_owned();
    let not_kept = step.skipped.iter().map(|skipped| format!("{}: {}", name(&skipped.path), skipped.why));
    TreeChange {
        checkpoint: step.id.clone(),
        changed: step.deltas.iter().take(MAX_NAMES).map(|delta| name(&delta.path)).collect(),
        n_changed: step.deltas.len(),
        n_ignored: step.n_ignored,
        not_kept: not_kept.take(MAX_NAMES).collect(),
    }
}

/// Makes the event of what a command changed.
pub fn tree_changed(step: &Step, root: &Path) -> Event {
    Event::TreeChanged { turn: step.turn, call: step.call.clone(), change: tree_change(step, root) }
}

/// What the user has been told cannot be taken back.
#[derive(Debug, Default)]
pub struct Told(BTreeSet<String>);

impl Told {
    /// Returns a warning the first time.
    pub fn once(&mut self, text: String) -> Option<Event> {
        self.0.insert(text.clone()).then_some(Event::Warning { text })
    }

    /// Warns of changes that are not kept, once for each reason: a build makes such files by the hundred, and
    /// `mimi checkpoint show` lists them all.
    pub fn not_kept(&mut self, step: &Step, root: &Path) -> Vec<Event> {
        let mut reasons: Vec<&str> = step.skipped.iter().map(|skipped| skipped.why.as_str()).collect();
        reasons.sort_unstable();
        reasons.dedup();
        let untold = reasons.into_iter().filter(|why| self.0.insert((*why).to_owned()));
        untold.map(|why| Event::Warning { text: warning(&step.skipped, why, root) }).collect()
    }
}

fn warning(skipped: &[NotKept], why: &str, root: &Path) -> String {
    let of_it: Vec<&NotKept> = skipped.iter().filter(|skipped| skipped.why == why).collect();
    let name = |skipped: &&NotKept| {
        let path = skipped.path.strip_prefix(root).unwrap_or(&skipped.path).to_string_lossy().into_owned();
        format!("`{}`", one_line_name(&path))
    };
    let mut names: Vec<String> = of_it.iter().take(MAX_WARNED).map(name).collect();
    if of_it.len() > MAX_WARNED {
        names.push(count(of_it.len() - MAX_WARNED, "more path"));
    }
    format!("not kept, so taking the turn back leaves it as it is: {} ({why})", names.join(", "))
}
