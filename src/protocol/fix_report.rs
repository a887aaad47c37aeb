//! What did `mimi fix` do, from the first run of the check to its end?
//!
//! The whole report as plain data: every other form of it (text, Markdown, JUnit, SARIF, annotations) is made from this one.
//! Its JSON is a contract, written down in `config/fix_report.schema.json` and checked against it: fields are added, never renamed.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::protocol::failure::Failure;
use crate::protocol::message::Usage;

/// Version of the form.
pub const VERSION: u32 = 1;

/// What one run of `mimi fix` did.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct FixReport {
    /// [`VERSION`] of the writer.
    pub v: u32,
    /// Version of mimi.
    pub mimi: String,
    /// When it began: `2026-01-31T12:00:00Z`.
    pub started_at: String,
    /// How long it took.
    pub duration_ms: u64,
    /// What was to be done.
    pub job: Job,
    /// How it ended.
    pub ending: Ending,
    /// What was done, in its order.
    pub steps: Vec<Step>,
    /// What the checks complained of before anything was done.
    pub at_start: Failures,
    /// What they complain of now.
    pub at_end: Failures,
    /// Files that are not as they were at the start; by-products of the checks are not among them.
    pub files: Vec<FileChange>,
    /// Limits, and how much of each was used.
    pub budgets: Vec<Budget>,
    /// Who worked; none where no model was needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<ModelUse>,
    /// How commands were confined.
    pub sandbox: String,
    /// The session, for `mimi session` and `mimi undo`; none where no agent was started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// The file with the changes as a patch; none where nothing changed.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "crate::protocol::path::optional")]
    pub patch: Option<PathBuf>,
    /// The commit that was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<Commit>,
    /// The model's last words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub answer: String,
    /// What else the reader should know.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// What to do next, each a command or setting that can be typed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub next: Vec<String>,
}

/// What was to be done.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// The folder worked in.
    #[serde(with = "crate::protocol::path")]
    pub folder: PathBuf,
    /// The checks, in the order they run.
    pub checks: Vec<CheckSpec>,
}

/// One check.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckSpec {
    /// What it is for.
    pub kind: CheckKind,
    /// The command, as bash reads it.
    pub command: String,
    /// The folder it runs in, relative to the job's; empty for that one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub folder: String,
}

/// What a check is for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckKind {
    /// It runs tests.
    #[default]
    Test,
    /// It looks at style and likely mistakes.
    Lint,
    /// It compiles.
    Build,
}

impl CheckKind {
    /// Returns its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Test => "test",
            Self::Lint => "lint",
            Self::Build => "build",
        }
    }
}

/// How it ended.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ending {
    /// The exit code.
    pub code: u8,
    /// The same in a word: `fixed`, `nothing_to_do`, `not_fixed`.
    pub word: String,
    /// What failed; empty where nothing did.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// Why, outermost first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub causes: Vec<String>,
}

/// What checks complain of.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failures {
    /// Each once, what causes others first.
    pub failures: Vec<Failure>,
    /// How many more there are, of which nothing was kept.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub more: usize,
}

impl Failures {
    /// Returns how many there are.
    pub fn count(&self) -> usize {
        self.failures.len() + self.more
    }
}

/// One step, done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// What was done.
    #[serde(flatten)]
    pub what: What,
    /// How long it took.
    pub duration_ms: u64,
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum What {
    /// A check ran before anything was done.
    Reproduce(Ran),
    /// A check that failed ran again, with nothing changed in between.
    FlakyRun(Ran),
    /// A program that mends without a model.
    Fixer {
        /// What it is called: `cargo fix`.
        name: String,
        /// The command.
        command: String,
        /// Whether its changes were kept.
        is_kept: bool,
        /// Failures before.
        before: usize,
        /// Failures after.
        after: usize,
    },
    /// The model worked on the failures.
    Agent(AgentRound),
    /// A check ran after changes.
    Rerun {
        /// The round it ended.
        round: u32,
        /// How much of the check ran.
        scope: Scope,
        /// How it went.
        #[serde(flatten)]
        ran: Ran,
    },
    /// The model changed what it must not, and that was taken back.
    Guard {
        /// The round.
        round: u32,
        /// The file, relative to the folder worked in.
        file: String,
        /// What it broke, in words: `a test was deleted`.
        rule: String,
    },
    /// Changes that were not needed for the check to pass were dropped.
    Minimise {
        /// What was dropped: files, or places in them.
        dropped: Vec<String>,
    },
    /// Something did not go as it should, and work went on.
    Trouble {
        /// What.
        words: String,
    },
    /// Work stood still.
    Waited {
        /// For what.
        why: String,
    },
    /// The person took the changes piece by piece.
    Review {
        /// Pieces that were taken.
        taken: usize,
        /// Pieces that were left.
        left: usize,
        /// Pieces that were rewritten.
        edited: usize,
    },
}

/// How a run of a check went.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ran {
    /// Which of the job's checks, counted from 0.
    pub check: usize,
    /// Whether it passed.
    pub is_green: bool,
    /// How it ended, in words: `exit code 1`.
    pub ending: String,
    /// Failures it told of.
    pub failures: usize,
}

/// How much of a check ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Only the tests that had failed.
    Failing,
    /// All of it.
    Whole,
}

/// What one round of the model took.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentRound {
    /// Counts from 1.
    pub round: u32,
    /// Why it ended, in words: `answered`.
    pub end: String,
    /// Requests to the model.
    pub requests: u32,
    /// Tokens of them.
    pub usage: Usage,
    /// Calls of tools.
    pub calls: u32,
    /// Of those, calls that were found in the model's words.
    pub recovered: u32,
    /// Edits that were made.
    pub edits: u32,
    /// Edits that did not fit the file.
    pub edits_refused: u32,
    /// Calls that would have needed an approval.
    pub denied: u32,
}

/// How one file changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileChange {
    /// Its path, relative to the folder worked in.
    pub path: String,
    /// What happened to it.
    pub kind: FileKind,
    /// Lines added; 0 where it is no text.
    pub added: usize,
    /// Lines removed.
    pub removed: usize,
    /// Whether it is no text.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_binary: bool,
}

/// What happened to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileKind {
    /// It is new.
    Created,
    /// Its content is another.
    Changed,
    /// It is gone.
    Deleted,
    /// Its permissions are others, and nothing else.
    Mode,
}

impl FileKind {
    /// Returns the word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Changed => "changed",
            Self::Deleted => "deleted",
            Self::Mode => "mode",
        }
    }
}

/// A limit, and how much of it was used.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Budget {
    /// What is counted: `rounds`, `steps`, `tokens`, `seconds`, `cost`.
    pub name: String,
    /// How much was used.
    pub used: f64,
    /// How much there was; none for no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<f64>,
}

/// What was used of the model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelUse {
    /// Its name on its server.
    pub name: String,
    /// The server's name in the configuration.
    pub provider: String,
    /// The server's address; empty for one that has none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub url: String,
    /// Requests that were answered.
    pub requests: u32,
    /// Their tokens.
    pub usage: Usage,
    /// What they cost; none where the model has no price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<f64>,
}

/// A commit that was made of the changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commit {
    /// Its hash.
    pub hash: String,
    /// The branch it is on; none where no branch was checked out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
fn is_zero(n: &usize) -> bool {
    *n == 0
}
