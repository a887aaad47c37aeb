//! How is a turn taken back, or done again, in a session that nobody else writes?
//!
//! Joins what the session says belongs to a turn with the files that are kept. Each operation is one event; once that is in the
//! session file, [`Rewound::checkpoint`] is settled, so that a crash in between is finished at the next start.

use std::path::Path;

use crate::base::fault::Fault;
use crate::base::path::remove_left_overs;
use crate::base::text::count;
use crate::checkpoint::error::CheckpointError;
use crate::checkpoint::keeper::{Keeper, Unsettled};
use crate::checkpoint::node::Delta;
use crate::checkpoint::step::{About, Cause, Step};
use crate::checkpoint::store;
use crate::checkpoint::undo::Report;
use crate::context::prompt;
use crate::protocol::diff::Change;
use crate::protocol::event::Event;
use crate::session::rewind::News;
use crate::session::transcript::{Kept, Transcript, Unfinished};

use crate::agent::keeping::tree_changed;

/// Names a note for the model spells out; the others are counted.
const MAX_NAMES: usize = 30;
/// What stands among the conflicts when commits, branches or the stash moved.
const GIT_STAYS: &str = ".git: what git recorded stays as it is: commits, branches, the stash";

/// An event to be recorded, and what to settle then.
#[derive(Debug)]
pub struct Rewound {
    /// The event.
    pub event: Event,
    /// Names the step that is no longer under way once the event is recorded.
    pub checkpoint: Option<String>,
}

impl From<Event> for Rewound {
    fn from(event: Event) -> Self {
        Self { event, checkpoint: None }
    }
}

/// Takes back the last turn that still stands.
pub fn undo(keeper: &Keeper, transcript: &Transcript, root: &Path) -> Result<Rewound, Fault> {
    let turn = transcript.undoable()?;
    let mut gathered = Gathered::default();
    for kept in transcript.kept_since(turn) {
        gathered.add(keeper, kept);
    }
    let about = About { turn, call: None, cause: Cause::Undo, what: format!("undo turn {turn}") };
    let (step, report) = keeper.take_back(about, &gathered.deltas)?;
    let (restored, mut conflicts) = told(&report, root);
    conflicts.extend(gathered.conflicts);
    let checkpoint = Some(step.id);
    let event = Event::Undone { turn, restored, conflicts, checkpoint: checkpoint.clone() };
    Ok(Rewound { event, checkpoint })
}

/// What is said of a file that stays although its turn goes.
const STAYS: &str = "it stays as it is, as you wished";

/// Takes back the last turn that still stands, but for its files.
pub fn unsay(transcript: &Transcript, root: &Path) -> Result<Rewound, Fault> {
    let turn = transcript.undoable()?;
    let mut conflicts: Vec<String> = Vec::new();
    for kept in transcript.kept_since(turn) {
        let line = match kept {
            Kept::File(change) => {
                format!("{}: {STAYS}", change.path.strip_prefix(root).unwrap_or(&change.path).display())
            }
            Kept::Tree(name) => format!("checkpoint {name}: {STAYS}"),
        };
        if !conflicts.contains(&line) {
            conflicts.push(line);
        }
    }
    Ok(Event::Undone { turn, restored: Vec::new(), conflicts, checkpoint: None }.into())
}

/// Does again what was taken back last.
pub fn redo(keeper: &Keeper, transcript: &Transcript, root: &Path) -> Result<Rewound, Fault> {
    let (turn, undone) = transcript.redoable()?;
    let mut gathered = Gathered::default();
    if let Some(name) = undone {
        gathered.add(keeper, Kept::Tree(name));
    }
    let about = About { turn, call: None, cause: Cause::Redo, what: format!("redo turn {turn}") };
    let (step, report) = keeper.take_back(about, &gathered.deltas)?;
    let (restored, mut conflicts) = told(&report, root);
    conflicts.extend(gathered.conflicts);
    let checkpoint = Some(step.id);
    let event = Event::Redone { turn, restored, conflicts, checkpoint: checkpoint.clone() };
    Ok(Rewound { event, checkpoint })
}

/// Changes in order, and what stands in the way of some.
#[derive(Default)]
struct Gathered {
    deltas: Vec<Delta>,
    conflicts: Vec<String>,
}

impl Gathered {
    fn add(&mut self, keeper: &Keeper, kept: Kept) {
        let name = match kept {
            Kept::File(change) => return self.deltas.push(change.into()),
            Kept::Tree(name) => name,
        };
        // By its id alone, because a copied session names steps of the one it was copied from.
        match keeper.steps().find(&name) {
            Ok(step) => self.add_step(step),
            Err(CheckpointError::NotFound { .. }) => {
                self.conflicts.push(format!("checkpoint {name}: what a command changed is no longer kept"));
            }
            Err(error) => self.conflicts.push(format!("checkpoint {name}: {}", Fault::from(error).line())),
        }
    }

    fn add_step(&mut self, step: Step) {
        self.deltas.extend(step.deltas);
        if step.has_moved_git && !self.conflicts.iter().any(|conflict| conflict == GIT_STAYS) {
            self.conflicts.push(GIT_STAYS.to_owned());
        }
    }
}

/// Names what was put back and what was not.
fn told(report: &Report, root: &Path) -> (Vec<String>, Vec<String>) {
    let name = |path: &Path| path.strip_prefix(root).unwrap_or(path).display().to_string();
    let restored = report.restored.iter().map(|path| name(path)).collect();
    (restored, report.left.iter().map(|left| format!("{}: {left}", name(&left.path))).collect())
}

/// Finishes what was under way when mimi ended, and says what it did.
///
/// Of an edit nobody recorded the end of: a file that reads as before was not changed. One that reads otherwise is taken to be
/// what the call promised to write: if somebody else wrote it, taking the change back finds that out and leaves the file alone.
pub fn settle(keeper: &Keeper, transcript: &Transcript, root: &Path) -> Vec<Rewound> {
    let mut events: Vec<Rewound> = transcript.unfinished.iter().filter_map(|open| edited(keeper, open)).collect();
    for Unsettled { step, report } in keeper.unsettled() {
        // The event is recorded; only the mark that it was under way was left.
        if transcript.noted.contains(&step.id) {
            keeper.settle(&step.id);
            continue;
        }
        let (turn, checkpoint) = (step.turn, Some(step.id.clone()));
        let (restored, conflicts) = report.as_ref().map(|report| told(report, root)).unwrap_or_default();
        let event = match step.cause {
            Cause::Undo => Event::Undone { turn, restored, conflicts, checkpoint: checkpoint.clone() },
            Cause::Redo => Event::Redone { turn, restored, conflicts, checkpoint: checkpoint.clone() },
            Cause::Restore => {
                keeper.settle(&step.id);
                continue;
            }
            Cause::Edit | Cause::Command | Cause::Check => tree_changed(&step, root),
        };
        events.push(Rewound { event, checkpoint });
    }
    events
}

fn edited(keeper: &Keeper, open: &Unfinished) -> Option<Rewound> {
    let Unfinished { call, turn, change } = open;
    remove_left_overs(&change.path);
    if store::hash_now(&change.path).ok()? == change.before {
        return None;
    }
    let what = format!("edit {}", change.path.display());
    let about = About { turn: *turn, call: Some(call.clone()), cause: Cause::Edit, what };
    // The session file alone is enough to take it back.
    drop(keeper.note_edit(about, std::slice::from_ref(change)));
    let Change { path, before, after, mode } = change.clone();
    Some(Event::Checkpointed { turn: *turn, path, before, after, mode }.into())
}

/// Returns what the model has to be told of turns taken back, or done again, behind its back.
pub fn note(news: &[News]) -> Option<String> {
    let parts = [false, true].into_iter().filter_map(|is_redone| {
        let news: Vec<&News> = news.iter().filter(|news| news.is_redone == is_redone).collect();
        let turns = count(news.len(), "turn");
        let files = named(news.iter().flat_map(|news| &news.restored));
        let left = named(news.iter().flat_map(|news| &news.conflicts));
        let template = if is_redone { prompt::NOTE_REDONE } else { prompt::NOTE_UNDONE };
        (!news.is_empty()).then(|| template.render(&[&turns, &files, &left]))
    });
    let parts: Vec<String> = parts.collect();
    (!parts.is_empty()).then(|| parts.join("\n"))
}

fn named<'n>(names: impl Iterator<Item = &'n String>) -> String {
    let mut names: Vec<&str> = names.map(String::as_str).collect();
    names.sort_unstable();
    names.dedup();
    let n_more = names.len().saturating_sub(MAX_NAMES);
    names.truncate(MAX_NAMES);
    match (names.is_empty(), n_more) {
        (true, _) => "none".to_owned(),
        (false, 0) => names.join(", "),
        (false, n_more) => format!("{} and {n_more} more", names.join(", ")),
    }
}
