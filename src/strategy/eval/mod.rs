//! How well does a model do on a folder of tasks, and better or worse than before?
//!
//! [`task`] reads what a task is, [`run`] has `mimi fix` work on a fresh copy of it, [`tally`] counts what its events tell, and
//! [`compare`] holds two results side by side. Each task is a process of its own, so that one that dies takes no other along.
//! Must not touch the folders of the tasks.
//! To add a figure: a field of [`tally::Counts`], what adds it up there, and a column in `cli::commands::eval`.

pub mod compare;
pub mod run;
pub mod tally;
pub mod task;

use serde::{Deserialize, Serialize};

/// Version of the results; [`compare`] refuses a later one.
pub const VERSION: u32 = 1;

/// How the work on a task ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// The check failed before and passes now.
    Fixed,
    /// The check fails still.
    NotFixed,
    /// The check passed from the start: the task is no task here.
    NothingToFix,
    /// A program that it needs is missing here.
    Skipped,
    /// Its time was up.
    TimedOut,
    /// mimi died, or could not be started.
    Crashed,
    /// It was not begun, or not brought to its end, because somebody interrupted.
    Interrupted,
}

impl Ending {
    /// Returns its word in a table.
    pub fn word(self) -> &'static str {
        match self {
            Self::Fixed => "fixed",
            Self::NotFixed => "not fixed",
            Self::NothingToFix => "nothing to fix",
            Self::Skipped => "skipped",
            Self::TimedOut => "out of time",
            Self::Crashed => "crashed",
            Self::Interrupted => "interrupted",
        }
    }

    /// Says whether it tells nothing about the model.
    pub fn is_void(self) -> bool {
        matches!(self, Self::Skipped | Self::Interrupted)
    }
}

/// What came of one task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TaskResult {
    /// The task: the name of its folder.
    pub name: String,
    /// What it is written in.
    #[serde(default)]
    pub language: String,
    /// How it ended.
    pub ending: Ending,
    /// Why, where that is not plain from the ending.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// The exit code of `mimi fix`; none where it did not end by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,
    /// What was counted.
    #[serde(flatten)]
    pub counts: tally::Counts,
}

/// What came of a folder of tasks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Results {
    /// [`VERSION`] of the writer.
    pub v: u32,
    /// Version of mimi.
    pub mimi: String,
    /// Milliseconds since the Unix epoch.
    pub at_ms: u64,
    /// The model, as it was asked for; none for the configured one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Whether the model's words came from the scripts of the tasks.
    pub is_scripted: bool,
    /// The tasks, in the order of their names.
    pub tasks: Vec<TaskResult>,
}

impl Results {
    /// Counts the tasks with this ending.
    pub fn count(&self, ending: Ending) -> usize {
        self.tasks.iter().filter(|task| task.ending == ending).count()
    }

    /// Counts the tasks that tell something about the model.
    pub fn n_told(&self) -> usize {
        self.tasks.iter().filter(|task| !task.ending.is_void()).count()
    }
}
