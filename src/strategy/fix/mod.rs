//! How does a failing check turn green?
//!
//! Run the checks ([`checks`]); tell flaky tests from failing ones; let programs that need no model mend what they can
//! ([`fixers`]); hand what is left to the agent, round by round ([`rounds`]), and take back what it must not do ([`guard`]); drop
//! what was not needed ([`minimise`]). Only the checks decide whether the work is done, never the model's words. All of it is
//! kept within limits ([`budget`]), and everything changed can be told from what was there before ([`world`]). Must not print:
//! it reports to its listener.
//! To add a step: a file here that adds a method to [`engine::Fixing`], and a variant of [`What`](crate::protocol::fix_report::What).

pub mod budget;
pub mod checks;
pub mod engine;
pub mod fixers;
pub mod guard;
pub mod minimise;
pub mod rounds;
pub mod standing;
pub mod statement;
pub mod suggestions;
pub mod tell;
pub mod world;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use crate::agent::handle::Handle;
use crate::base::fault::Fault;
use crate::checkpoint::keeper::Keeper;
use crate::checkpoint::node::Delta;
use crate::exec::run::Runner;
use crate::protocol::event::Record;
use crate::protocol::fix_report::{Budget, CheckSpec, Step};
use crate::strategy::fix::budget::Limits;
use crate::strategy::fix::engine::Fixing;
use crate::strategy::fix::guard::Rules;
use crate::strategy::runner::CheckRun;
use crate::tape::Tape;
use crate::telemetry::price::Prices;

/// What is to be fixed. Plain data, so that it can be kept and done again.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Job {
    /// The checks, in the order they run.
    pub checks: Vec<Check>,
    /// Folder the agent works in; everything lies below it.
    pub folder: PathBuf,
    /// How long it may go on.
    pub limits: Limits,
    /// What must not be changed.
    #[serde(default)]
    pub rules: Rules,
    /// Seconds one run of a check may take.
    pub timeout_s: u64,
    /// Seconds that may be spent on dropping what was not needed; 0: nothing is dropped.
    #[serde(default)]
    pub minimise_s: u64,
    /// Folder for outputs that are too long to be held.
    pub spill_dir: PathBuf,
    /// Files that mimi itself writes meanwhile, and that are nobody's change.
    #[serde(default)]
    pub outputs: BTreeSet<PathBuf>,
}

/// One check of a job.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// What it is.
    pub spec: CheckSpec,
    /// The command that runs only the tests named by `{ids}`; empty where there is none.
    #[serde(default)]
    pub only: String,
    /// Files it writes for programs to read, as patterns.
    #[serde(default)]
    pub reports: Vec<String>,
}

impl Job {
    /// Returns what its checks are, in their order.
    pub fn specs(&self) -> Vec<CheckSpec> {
        self.checks.iter().map(|check| check.spec.clone()).collect()
    }

    /// Names the commands of its checks, for a person.
    pub fn words(&self) -> String {
        let names: Vec<String> = self.checks.iter().map(|check| format!("`{}`", check.spec.command)).collect();
        names.join(", ")
    }

    /// Returns the folder a check runs in.
    pub fn folder_of(&self, check: &Check) -> PathBuf {
        if check.spec.folder.is_empty() { self.folder.clone() } else { self.folder.join(&check.spec.folder) }
    }
}

/// What is worked with.
#[derive(Clone)]
pub struct Bench<'r> {
    /// Starts processes.
    pub runner: &'r Runner,
    /// Keeps what checks and fixers change; none where nothing can be kept.
    pub keeper: Option<Arc<Keeper>>,
    /// What models cost.
    pub prices: Prices,
    /// Records how checks end, or compares it with a recording.
    pub tape: Tape,
}

/// An agent that is ready to work.
pub struct Worker {
    /// Both ends of the conversation.
    pub handle: Handle,
    /// The name of its server in the configuration, for its price.
    pub provider: String,
}

/// What happens while fixing.
#[derive(Debug, Clone)]
pub enum Progress<'a> {
    /// A check is about to run; round 0 is before the agent did anything.
    CheckStarted {
        /// Which of the job's checks, counted from 0.
        check: usize,
        /// The round.
        round: u32,
    },
    /// The whole check ran, and what it shows stands.
    CheckDone {
        /// Which of the job's checks, counted from 0.
        check: usize,
        /// The round.
        round: u32,
        /// What it showed.
        run: &'a CheckRun,
    },
    /// The agent reported something.
    Agent(&'a Record),
    /// A step is done.
    Step(&'a Step),
    /// How much of a limit is used now.
    Budget(&'a Budget),
}

/// How fixing ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// The checks passed from the start.
    NothingToDo,
    /// The checks pass now.
    Fixed,
    /// The rounds are used up and a check still fails, as badly as before.
    NotFixed,
    /// What failed passes when it is run again, or would.
    Flaky {
        /// The tests, where their names are known.
        tests: Vec<String>,
    },
    /// The project could not be built at the start, nor can it be now: what its tests say is not known.
    BuildBroken,
    /// A limit was reached and a check still fails.
    OutOfBudget {
        /// The limit.
        what: String,
        /// Whether something was changed that is kept.
        has_progress: bool,
    },
    /// The agent needed an approval nobody could give and changed nothing, and a check still fails.
    Refused {
        /// The rules that would have allowed it.
        rules: Vec<String>,
    },
    /// Something failed on the way: no server, a signal. What was done until then is kept.
    Failed(Fault),
}

/// The result of fixing.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// How it ended.
    pub ending: Ending,
    /// Rounds the agent worked.
    pub rounds: u32,
    /// The agent's last words.
    pub answer: String,
    /// The last run of each check; none of those that were not run because a build before them failed.
    pub runs: Vec<Option<CheckRun>>,
    /// Tests that failed at one time and passed at another with nothing changed in between.
    pub flaky: Vec<String>,
    /// What differs from the start: changes of fixers and of the agent, without what checks leave behind.
    pub changes: Vec<Delta>,
}

impl Outcome {
    /// Returns the last run of the first check that is not green, else of the first.
    pub fn last_run(&self) -> Option<&CheckRun> {
        let runs = || self.runs.iter().flatten();
        runs().find(|run| !run.is_green).or_else(|| runs().next())
    }
}

/// Runs the job to its end. The agent is started only if something is left for it. Cancelled, it ends as soon as the check or
/// the agent's turn has been brought to an end.
///
/// # Errors
/// A check cannot be run at all, or nothing can be kept; nothing was changed then.
pub async fn fix(
    job: &Job,
    bench: &Bench<'_>,
    start_agent: impl AsyncFnOnce() -> Result<Worker, Fault>,
    cancel: CancellationToken,
    mut listen: impl FnMut(Progress<'_>),
) -> Result<Outcome, Fault> {
    Fixing::begin(job, bench, cancel, &mut listen).await.run(start_agent).await
}
