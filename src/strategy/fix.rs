//! How does a failing check turn green?
//!
//! Run the check; hand its failures to the agent; run it again; at most so many rounds. Only the check decides whether the
//! work is done, never the model's words.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use crate::agent::handle::Handle;
use crate::agent::keeping::{before_command, blocking, tree_change};
use crate::base::fault::{Fault, Kind};
use crate::checkpoint::keeper::{Keeper, Open};
use crate::checkpoint::step::{About, Cause};
use crate::context::prompt;
use crate::exec::run::Runner;
use crate::protocol::event::{Event, Record, TurnEnd};
use crate::protocol::fix_report::{Budget, Ran, Scope, Step, What};
use crate::protocol::op::Op;
use crate::strategy::failure::digest;
use crate::strategy::runner::{self, Check, CheckRun};
use crate::tape::{CheckSeen, Tape};

/// Bytes of the failures as a list that a model is told; the output itself follows.
const MAX_TOLD_BYTES: usize = 6_000;

/// What is to be fixed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Job {
    /// The check, as bash reads it.
    pub command: String,
    /// Folder it runs in.
    pub folder: PathBuf,
    /// Times the agent is handed the failures.
    pub max_rounds: u32,
    /// Seconds one run of the check may take.
    pub timeout_s: u64,
    /// Folder for outputs that are too long to be held.
    pub spill_dir: PathBuf,
}

/// What checks are run with.
#[derive(Clone)]
pub struct Bench<'r> {
    /// Starts processes.
    pub runner: &'r Runner,
    /// Keeps what checks change; none where nothing can be kept.
    pub keeper: Option<Arc<Keeper>>,
    /// Records how checks end, or compares it with a recording.
    pub tape: Tape,
}

/// What happens while fixing.
#[derive(Debug, Clone)]
pub enum Progress<'a> {
    /// The check is about to run; round 0 is before the agent did anything.
    CheckStarted {
        /// The round.
        round: u32,
    },
    /// The check ran.
    CheckDone {
        /// Which of the checks, counted from 0.
        check: usize,
        /// The round.
        round: u32,
        /// What it showed.
        run: &'a CheckRun,
    },
    /// A step is done; the agent's own work is told by its records.
    Step(&'a Step),
    /// So much of a budget was used by now.
    Budget(&'a Budget),
    /// The agent reported something.
    Agent(&'a Record),
}

/// How fixing ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// The check passed from the start.
    NothingToDo,
    /// The check passes now.
    Fixed,
    /// The rounds are used up and the check still fails.
    NotFixed,
    /// A turn ended at a limit and the check still fails.
    OutOfBudget {
        /// The limit.
        what: String,
    },
    /// The agent needed an approval nobody could give and changed nothing, and the check still fails.
    Refused {
        /// The rules that would have allowed it.
        rules: Vec<String>,
    },
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
    /// The last run of the check.
    pub last_run: CheckRun,
}

/// Runs the job to its end. The agent is started only if the check fails. Cancelled, it ends as soon as the check or the
/// agent's turn has been brought to an end.
pub async fn fix(
    job: &Job,
    bench: &Bench<'_>,
    start_agent: impl AsyncFnOnce() -> Result<Handle, Fault>,
    cancel: CancellationToken,
    mut listen: impl FnMut(Progress<'_>),
) -> Result<Outcome, Fault> {
    let (mut last_run, changed) = check(job, bench, 0, &cancel, &mut listen).await?;
    let outcome = |ending, rounds, answer, last_run| Ok(Outcome { ending, rounds, answer, last_run });
    if last_run.is_green {
        return outcome(Ending::NothingToDo, 0, String::new(), last_run);
    }
    let mut agent = start_agent().await?;
    note(&agent, changed).await;
    let mut answer = String::new();
    for round in 1..=job.max_rounds {
        let limit = Some(f64::from(job.max_rounds));
        listen(Progress::Budget(&Budget { name: "rounds".to_owned(), used: f64::from(round), limit }));
        let words = task_words(job, round, &last_run);
        let mut has_changed = false;
        let listen_agent = |record: &Record| {
            has_changed |= matches!(&record.event, Event::ToolFinished { diffs, .. } if !diffs.is_empty())
                || matches!(&record.event, Event::TreeChanged { call: Some(_), change, .. } if change.n_changed > change.n_ignored);
            listen(Progress::Agent(record));
        };
        let interrupt = interrupt_when(&cancel, agent.ops.clone());
        let turn = tokio::select! {
            turn = agent.turn(words, listen_agent) => turn,
            never = interrupt => match never {},
        };
        let Some(turn) = turn else {
            return Err(Fault::new(Kind::Bug, "the agent ended in the middle of its work"));
        };
        answer = turn.answer;
        match turn.end {
            TurnEnd::Interrupted => return Err(Fault::new(Kind::Interrupted, "interrupted")),
            TurnEnd::ModelFailed { message, hints } => {
                return Err(Fault { kind: Kind::Model, message, causes: Vec::new(), hints });
            }
            _ => {}
        }
        let (run, changed) = check(job, bench, round, &cancel, &mut listen).await?;
        last_run = run;
        note(&agent, changed).await;
        if last_run.is_green {
            agent.close().await;
            return outcome(Ending::Fixed, round, answer, last_run);
        }
        let refusal = (turn.refused > 0 && !has_changed).then_some(turn.missing_rules);
        if let Some(ending) = gives_up(turn.end, refusal) {
            agent.close().await;
            return outcome(ending, round, answer, last_run);
        }
    }
    agent.close().await;
    outcome(Ending::NotFixed, job.max_rounds, answer, last_run)
}

/// Interrupts the agent once the work is cancelled. Never ends by itself: the turn does.
async fn interrupt_when(cancel: &CancellationToken, ops: tokio::sync::mpsc::Sender<Op>) -> std::convert::Infallible {
    cancel.cancelled().await;
    drop(ops.send(Op::Interrupt).await);
    std::future::pending().await
}

/// Says whether another round would only repeat what stopped this one.
fn gives_up(end: TurnEnd, refusal: Option<Vec<String>>) -> Option<Ending> {
    match (end, refusal) {
        (TurnEnd::Limit { what }, _) => Some(Ending::OutOfBudget { what }),
        (_, Some(rules)) => Some(Ending::Refused { rules }),
        _ => None,
    }
}

fn task_words(job: &Job, round: u32, run: &CheckRun) -> String {
    let template = if round == 1 { prompt::TASK_FIX } else { prompt::TASK_FIX_AGAIN };
    let told = digest::words(&run.complaints, MAX_TOLD_BYTES);
    let told = if told.is_empty() { String::new() } else { format!("\nIt complains of:\n{told}") };
    template.render(&[&job.command, &run.ending, &told, run.text.trim()])
}

/// Has the session take note of what a check changed.
async fn note(agent: &Handle, changed: Option<Op>) {
    if let Some(changed) = changed {
        drop(agent.ops.send(changed).await);
    }
}

/// Runs the check, and says what it changed, if it did.
async fn check(
    job: &Job,
    bench: &Bench<'_>,
    round: u32,
    cancel: &CancellationToken,
    listen: &mut impl FnMut(Progress<'_>),
) -> Result<(CheckRun, Option<Op>), Fault> {
    listen(Progress::CheckStarted { round });
    let about = About { turn: round, call: None, cause: Cause::Check, what: format!("check {}", job.command) };
    let open = match &bench.keeper {
        Some(keeper) => before_command(keeper, about, cancel).await.and_then(Result::ok).map(|open| (keeper, open)),
        None => None,
    };
    let now = Check { command: &job.command, folder: &job.folder, limit_s: job.timeout_s, spill_dir: &job.spill_dir };
    let run = runner::run(bench.runner, &now, cancel.child_token()).await;
    // Also what a check changed that did not end well goes back.
    let changed = match open {
        Some((keeper, open)) => after_check(keeper.clone(), open, &job.folder).await,
        None => None,
    };
    let run = run?;
    bench.tape.check(CheckSeen {
        round,
        command: &job.command,
        is_green: run.is_green,
        ending: &run.ending,
        text: &run.text,
        failures: &run.complaints.failures,
    });
    listen(Progress::CheckDone { check: 0, round, run: &run });
    listen(Progress::Step(&step_of(round, &run)));
    Ok((run, changed))
}

/// Tells a run of the check as a step.
fn step_of(round: u32, run: &CheckRun) -> Step {
    let failures = run.complaints.failures.len() + run.complaints.n_more;
    let ran = Ran { check: 0, is_green: run.is_green, ending: run.ending.clone(), failures };
    let what = if round == 0 { What::Reproduce(ran) } else { What::Rerun { round, scope: Scope::Whole, ran } };
    Step { what, duration_ms: run.duration_ms }
}

/// Keeps what a check changed. Where that fails the agent's own commands meet the same trouble, and say so.
async fn after_check(keeper: Arc<Keeper>, open: Open, folder: &Path) -> Option<Op> {
    let own = keeper.clone();
    let step = blocking(move || own.end(open)).await.ok()??;
    // It stands in the list of checkpoints, whether or not a session takes note.
    keeper.settle(&step.id);
    Some(Op::Changed(tree_change(&step, folder)))
}
