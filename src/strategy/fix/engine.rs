//! In which order are the steps of fixing taken, and how do they end?
//!
//! Holds what all steps share. A step that is stopped puts back what it was trying before it returns; what was kept stays.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use crate::base::fault::{Fault, Kind};
use crate::protocol::fix_report::{Step, What};
use crate::protocol::op::Op;
use crate::strategy::fix::budget::{self, Spent};
use crate::strategy::fix::standing::{Measure, Standing};
use crate::strategy::fix::world::{self, World};
use crate::strategy::fix::{Bench, Ending, Job, Outcome, Progress, Worker};

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
    pub(super) job: &'a Job,
    pub(super) bench: &'a Bench<'a>,
    /// Cancelled by the user.
    pub(super) cancel: CancellationToken,
    /// Cancelled by the user or when the time is up.
    pub(super) stop: CancellationToken,
    pub(super) listen: &'a mut dyn FnMut(Progress<'_>),
    pub(super) began_at: Instant,
    pub(super) spent: Spent,
    /// The workspace at the start; the reason why it cannot be kept otherwise.
    pub(super) world: Result<World, Fault>,
    /// The rounds begun.
    pub(super) round: u32,
    pub(super) answer: String,
    pub(super) flaky: BTreeSet<String>,
    /// What the checks show now.
    pub(super) standing: Standing,
    /// What they showed at the start.
    pub(super) first: Measure,
    /// Changes of checks the session has not been told of.
    pub(super) untold: Vec<Op>,
}

impl<'a> Fixing<'a> {
    /// Prepares the work; looks at the workspace.
    pub(super) async fn begin(
        job: &'a Job,
        bench: &'a Bench<'a>,
        cancel: CancellationToken,
        listen: &'a mut dyn FnMut(Progress<'_>),
    ) -> Self {
        Self {
            job,
            bench,
            stop: cancel.child_token(),
            cancel,
            listen,
            began_at: Instant::now(),
            spent: Spent::default(),
            world: world::open(bench.keeper.clone(), job).await,
            round: 0,
            answer: String::new(),
            flaky: BTreeSet::new(),
            standing: Standing::default(),
            first: Measure::default(),
            untold: Vec::new(),
        }
    }

    /// Does it.
    pub(super) async fn run(
        mut self,
        start_agent: impl AsyncFnOnce() -> Result<Worker, Fault>,
    ) -> Result<Outcome, Fault> {
        let timer = budget::timer(&self.job.limits, &self.stop);
        let ending = self.carry_out(start_agent).await;
        let outcome = self.finish(ending).await;
        if let Some(timer) = timer {
            timer.abort();
        }
        outcome
    }

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
    pub(super) fn step(&mut self, what: What, since: Instant) {
        let step = Step { what, duration_ms: since.elapsed().as_millis() as u64 };
        (self.listen)(Progress::Step(&step));
    }

    pub(super) fn trouble(&mut self, words: impl Into<String>) {
        self.step(What::Trouble { words: words.into() }, Instant::now());
    }

    /// Says why a run that was cancelled was.
    pub(super) fn halt(&self) -> Halt {
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

    pub(super) fn tell_budgets(&mut self) {
        self.spent.rounds = self.round;
        for budget in budget::all(&self.job.limits, &self.spent, self.began_at.elapsed()) {
            (self.listen)(Progress::Budget(&budget));
        }
    }
}
