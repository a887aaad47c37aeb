//! How does the agent work on what is left, round by round?
//!
//! Each round it is told what fails, and what of its last changes was taken back; after it the guard looks, then the checks. The
//! best state so far is remembered: when the work ends without green, the workspace goes back to it, unless what came later was
//! never measured and nothing better is known. Surprising: a server that dies still gets a last look at the checks, because what
//! it did before may be enough.

use tokio_util::sync::CancellationToken;

use crate::agent::handle::TurnSummary;
use crate::base::fault::{Fault, Kind};
use crate::protocol::event::{Event, Record, TurnEnd};
use crate::protocol::op::Op;
use crate::strategy::fix::engine::{Fixing, Halt};
use crate::strategy::fix::guard::Breach;
use crate::strategy::fix::standing::{Measure, Standing};
use crate::strategy::fix::world::Look;
use crate::strategy::fix::{Ending, Progress, Worker, budget};

/// The state with the fewest failures.
struct Best {
    measure: Measure,
    standing: Standing,
    look: Look,
}

/// How a round ended.
struct Round {
    turn: TurnSummary,
    breaches: Vec<Breach>,
    /// Whether it changed a file.
    has_changed: bool,
    /// Whether the checks ran after it.
    is_measured: bool,
}

impl Fixing<'_> {
    /// Lets the agent work until the checks pass or it has to stop.
    pub(super) async fn rounds(
        &mut self,
        start_agent: impl AsyncFnOnce() -> Result<Worker, Fault>,
    ) -> Result<Ending, Halt> {
        if self.job.limits.max_rounds == 0 {
            return Ok(self.not_fixed());
        }
        let stop = self.stop.clone();
        let started = tokio::select! {
            started = start_agent() => started,
            () = stop.cancelled() => return Err(self.halt()),
        };
        let mut worker = match started {
            Ok(worker) => worker,
            // Nobody works, and what the fixers did stays.
            Err(fault) => return Ok(Ending::Failed(fault)),
        };
        let mut best = self.best().await?;
        let ending = self.work(&mut worker, &mut best).await;
        worker.handle.close().await;
        if !matches!(ending, Ok(Some(Ending::Fixed))) {
            self.go_to_best(best).await;
        }
        Ok(ending?.unwrap_or_else(|| self.not_fixed()))
    }

    async fn best(&self) -> Result<Best, Halt> {
        let Ok(world) = &self.world else { return Err(self.halt()) };
        Ok(Best {
            measure: self.standing.measure(&self.flaky),
            standing: self.standing.clone(),
            look: world.look().await?,
        })
    }

    /// Returns none when the rounds are used up.
    async fn work(&mut self, worker: &mut Worker, best: &mut Best) -> Result<Option<Ending>, Halt> {
        let mut breaches = Vec::new();
        for round in 1..=self.job.limits.max_rounds {
            self.round = round;
            for changed in self.untold.drain(..) {
                drop(worker.handle.ops.send(changed).await);
            }
            let done = self.round(worker, &breaches).await?;
            if done.is_measured {
                if self.standing.is_green() {
                    return Ok(Some(Ending::Fixed));
                }
                if self.standing.is_flaky_only(&self.flaky) {
                    return Ok(Some(Ending::Flaky { tests: self.flaky.iter().cloned().collect() }));
                }
                let measure = self.standing.measure(&self.flaky);
                if measure <= best.measure {
                    *best = self.best().await?;
                }
            }
            if let Some(ending) = self.gives_up(&done) {
                return Ok(Some(ending));
            }
            breaches = done.breaches;
        }
        Ok(None)
    }

    /// One round: the agent, the guard, the checks.
    async fn round(&mut self, worker: &mut Worker, breaches: &[Breach]) -> Result<Round, Halt> {
        let words = self.words(breaches).await;
        let Ok(world) = &self.world else { return Err(self.halt()) };
        let before = world.look().await?;
        let turn = self.turn(worker, words).await?;
        self.answer.clone_from(&turn.answer);
        if let Ok(world) = &mut self.world {
            world.take_over(&before).await?;
        }
        let breaches = self.guard_against(&before).await?;
        let Ok(world) = &self.world else { return Err(self.halt()) };
        let has_changed = !world.between(&before, &world.look().await?).is_empty();
        if self.cancel.is_cancelled() {
            return Err(Halt::Interrupted);
        }
        let is_measured = !self.stop.is_cancelled();
        if is_measured {
            self.measure().await?;
        }
        Ok(Round { turn, breaches, has_changed, is_measured })
    }

    /// Has the agent work until it is done, or has to be stopped.
    async fn turn(&mut self, worker: &mut Worker, words: String) -> Result<TurnSummary, Halt> {
        let stop = self.stop.child_token();
        let ops = worker.handle.ops.clone();
        let (mut edited, mut spent) = (Vec::new(), self.spent);
        let (limits, prices, provider) = (self.job.limits, &self.bench.prices, &worker.provider);
        let listen = &mut *self.listen;
        let see = |record: &Record| {
            if let Event::Checkpointed { path, .. } = &record.event {
                edited.push(path.clone());
            }
            spent.see(&record.event, provider, prices);
            if spent.has_cost_too_much(&limits) {
                stop.cancel();
            }
            listen(Progress::Agent(record));
        };
        let turn = tokio::select! {
            turn = worker.handle.turn(words, see) => turn,
            never = interrupt_when(&stop, ops) => match never {},
        };
        self.spent = spent;
        if let Ok(world) = &mut self.world {
            world.edited(edited);
        }
        self.tell_budgets();
        turn.ok_or_else(|| Fault::new(Kind::Bug, "the agent ended in the middle of its work").into())
    }

    /// Says whether another round would only repeat what stopped this one.
    fn gives_up(&self, round: &Round) -> Option<Ending> {
        let out = |what: String| Some(Ending::OutOfBudget { what, has_progress: round.has_changed });
        if self.stop.is_cancelled() {
            return out(budget::time_words(&self.job.limits));
        }
        match &round.turn.end {
            TurnEnd::ModelFailed { message, hints } => {
                return Some(Ending::Failed(Fault {
                    kind: Kind::Model,
                    message: message.clone(),
                    causes: Vec::new(),
                    hints: hints.clone(),
                }));
            }
            TurnEnd::Limit { what } => return out(what.clone()),
            _ => {}
        }
        if let Some(what) = self.spent.reached(&self.job.limits) {
            return out(what);
        }
        let is_refused = round.turn.refused > 0 && !round.has_changed && round.breaches.is_empty();
        is_refused.then(|| Ending::Refused { rules: round.turn.missing_rules.clone() })
    }

    /// The rounds are used up, or there are none.
    fn not_fixed(&self) -> Ending {
        if self.standing.is_unbuilt(&self.job.checks) && self.first.blocking > 0 {
            return Ending::BuildBroken;
        }
        let is_better = self.standing.measure(&self.flaky) < self.first;
        match is_better && self.round > 0 {
            true => {
                let what = format!("{} (--max-rounds)", crate::base::text::count(self.round as usize, "round"));
                Ending::OutOfBudget { what, has_progress: true }
            }
            false => Ending::NotFixed,
        }
    }

    /// Goes back to the best state, where something worse came after it. What was never measured stays where nothing
    /// better than the start is known: it may be most of the work.
    async fn go_to_best(&mut self, best: Best) {
        let is_known = !self.stop.is_cancelled();
        let now = self.standing.measure(&self.flaky);
        let is_worse = if is_known { now > best.measure } else { best.measure < self.first };
        if !is_worse || self.cancel.is_cancelled() {
            return;
        }
        self.go_back(&best.look).await;
        self.trouble("what came after the best state was taken back; mimi checkpoint list shows it".to_owned());
        self.accept(best.standing);
    }
}

/// Interrupts the agent once the work is stopped. Never ends by itself: the turn does.
async fn interrupt_when(stop: &CancellationToken, ops: tokio::sync::mpsc::Sender<Op>) -> std::convert::Infallible {
    stop.cancelled().await;
    drop(ops.send(Op::Interrupt).await);
    std::future::pending().await
}
