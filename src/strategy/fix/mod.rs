//! How does a failing check turn green?
//!
//! Run the checks ([`checks`]); tell flaky tests from failing ones; let programs that need no model mend what they can
//! ([`fixers`]); hand what is left to the agent, round by round ([`rounds`]), and take back what it must not do ([`guard`]); drop
//! what was not needed ([`minimise`]). Only the checks decide whether the work is done, never the model's words. All of it is
//! kept within limits ([`budget`]), and everything changed can be told from what was there before ([`world`]). Must not print:
//! it reports to its listener.
//! To add a step: a file here that adds a method to [`Fixing`], and a variant of [`What`](crate::protocol::fix_report::What).

pub mod budget;
pub mod checks;
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
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use crate::agent::handle::Handle;
use crate::base::fault::{Fault, Kind};
use crate::checkpoint::keeper::Keeper;
use crate::checkpoint::node::Delta;
use crate::exec::run::Runner;
use crate::protocol::event::Record;
use crate::protocol::fix_report::{Budget, CheckSpec, Step, What};
use crate::protocol::op::Op;
use crate::strategy::fix::budget::{Limits, Spent};
use crate::strategy::fix::guard::Rules;
use crate::strategy::fix::standing::{Measure, Standing};
use crate::strategy::fix::world::World;
use crate::strategy::runner::CheckRun;
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

/// Why the work stops before its end.
#[derive(Debug)]
pub enum Halt {
    /// It was cancelled.
    Interrupted,
    /// The time is up.
    TimeUp,
    /// Something failed.
    Fault(Fault),
}

impl From<Fault> for Halt {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// The work on one job.
pub struct Fixing<'a> {
    job: &'a Job,
    bench: &'a Bench<'a>,
    /// Cancelled by the user.
    cancel: CancellationToken,
    /// Cancelled by the user or when the time is up.
    stop: CancellationToken,
    listen: &'a mut dyn FnMut(Progress<'_>),
    began_at: Instant,
    spent: Spent,
    /// The workspace at the start; the reason why it cannot be kept otherwise.
    world: Result<World, Fault>,
    /// The rounds begun.
    round: u32,
    answer: String,
    flaky: BTreeSet<String>,
    /// What the checks show now.
    standing: Standing,
    /// What they showed at the start.
    first: Measure,
    /// Changes of checks the session has not been told of.
    untold: Vec<Op>,
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
    let stop = cancel.child_token();
    let timer = budget::timer(&job.limits, &stop);
    let mut fixing = Fixing {
        job,
        bench,
        cancel,
        stop,
        listen: &mut listen,
        began_at: Instant::now(),
        spent: Spent::default(),
        world: world::open(bench.keeper.clone(), &job.folder).await,
        round: 0,
        answer: String::new(),
        flaky: BTreeSet::new(),
        standing: Standing::default(),
        first: Measure::default(),
        untold: Vec::new(),
    };
    let ending = fixing.carry_out(start_agent).await;
    let outcome = fixing.finish(ending).await;
    if let Some(timer) = timer {
        timer.abort();
    }
    outcome
}

impl Fixing<'_> {
    async fn carry_out(&mut self, start_agent: impl AsyncFnOnce() -> Result<Worker, Fault>) -> Result<Ending, Halt> {
        if let Some(ending) = self.reproduce().await? {
            return Ok(ending);
        }
        self.need_writable().await?;
        if let Err(fault) = &self.world {
            return Err(fault.clone().into());
        }
        self.fixers().await?;
        if !self.standing.is_green() {
            let ending = self.rounds(start_agent).await?;
            if ending != Ending::Fixed {
                return Ok(ending);
            }
        }
        self.minimise().await;
        Ok(Ending::Fixed)
    }

    /// Fails where nothing can be changed anyway: a file system that is mounted for reading only, somebody else's folder.
    async fn need_writable(&self) -> Result<(), Fault> {
        let argv = ["test", "-w", "."].map(str::to_owned);
        let asked = self.bench.runner.run_quiet(&argv, &self.job.folder, Duration::from_secs(10)).await;
        let is_closed = asked.is_ok_and(|answer| answer.ending == crate::exec::run::Ending::Exited(1));
        let folder = self.job.folder.display();
        if is_closed {
            return Err(Fault::new(
                Kind::Task,
                format!("{} fails, and nothing can be changed in `{folder}`", self.job.words()),
            )
            .cause("the folder is closed to us, or its file system is read-only")
            .hint(format!(
                "mount it for writing, or work in a copy: cp -r {folder} /tmp/copy && mimi fix -C /tmp/copy"
            )));
        }
        Ok(())
    }

    /// Tells the listener of a step that took from `since` until now.
    fn step(&mut self, what: What, since: Instant) {
        let step = Step { what, duration_ms: since.elapsed().as_millis() as u64 };
        (self.listen)(Progress::Step(&step));
    }

    fn trouble(&mut self, words: impl Into<String>) {
        self.step(What::Trouble { words: words.into() }, Instant::now());
    }

    /// Says why a run that was cancelled was.
    fn halt(&self) -> Halt {
        if self.cancel.is_cancelled() { Halt::Interrupted } else { Halt::TimeUp }
    }

    /// Words the ending, and gathers what was done.
    async fn finish(mut self, ending: Result<Ending, Halt>) -> Result<Outcome, Fault> {
        let has_begun = self.round > 0;
        let ending = match ending {
            Ok(ending) => ending,
            Err(Halt::Interrupted) => Ending::Failed(Fault::new(Kind::Interrupted, "interrupted")),
            Err(Halt::TimeUp) => self.out_of_time(),
            Err(Halt::Fault(fault)) if has_begun => Ending::Failed(fault),
            Err(Halt::Fault(fault)) => {
                self.settle();
                return Err(fault);
            }
        };
        self.tell_budgets();
        let changes = match &mut self.world {
            Ok(world) if ending != Ending::NothingToDo => world.changes().await.unwrap_or_default(),
            _ => Vec::new(),
        };
        let ending = match ending {
            Ending::OutOfBudget { what, .. } => Ending::OutOfBudget { what, has_progress: !changes.is_empty() },
            other => other,
        };
        self.settle();
        let (rounds, runs, flaky) = (self.round, self.standing.runs, self.flaky.into_iter().collect());
        Ok(Outcome { ending, rounds, answer: self.answer, runs, flaky, changes })
    }

    fn out_of_time(&self) -> Ending {
        let what = budget::time_words(&self.job.limits);
        Ending::OutOfBudget { what, has_progress: false }
    }

    fn settle(&self) {
        if let Ok(world) = &self.world {
            world.settle();
        }
    }

    fn tell_budgets(&mut self) {
        self.spent.rounds = self.round;
        for budget in budget::all(&self.job.limits, &self.spent, self.began_at.elapsed()) {
            (self.listen)(Progress::Budget(&budget));
        }
    }
}
