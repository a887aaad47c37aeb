//! What is wrong with a change, in the eyes of a model?
//!
//! The change is cut into parts that fit the model's window ([`part`]); for each an agent that may only read looks at the code
//! around it and states findings, which are read whatever they look like ([`reading`]) and held to the change ([`settle`]).
//! Must not print, nor believe a place. To add a form of the result: an arm in `cli::report::review`.

pub mod part;
pub mod reading;
pub mod report;
pub mod settle;

use tokio_util::sync::CancellationToken;

use crate::agent::handle::Handle;
use crate::base::fault::{Fault, Kind};
use crate::context::prompt;
use crate::protocol::event::{Event, Record};
use crate::protocol::op::Op;
use crate::protocol::tool::ToolOutcome;
use crate::strategy::answer::{self, Wanted};
use crate::strategy::review::part::{Part, Parts};
use crate::strategy::review::reading::Reading;
use crate::strategy::review::settle::{Settled, settle};
use crate::workspace::git_changes::{Changes, LeftOut};

/// What happens while reviewing.
#[derive(Debug, Clone, Copy)]
pub enum Progress<'a> {
    /// A part is about to be shown to the model; counted from 1.
    Part {
        /// Which.
        number: usize,
        /// Of how many.
        of: usize,
        /// The files in it.
        files: &'a [String],
    },
    /// The agent reported something.
    Agent(&'a Record),
}

/// The result of reviewing.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// What was found, and what did not hold.
    pub settled: Settled,
    /// Findings that said neither where nor what.
    pub n_unreadable: usize,
    /// Parts there are.
    pub n_parts: usize,
    /// Parts that were reviewed.
    pub n_done: usize,
    /// Calls that were refused, because a review only reads.
    pub n_refused: u32,
    /// What no model saw.
    pub left_out: Vec<LeftOut>,
    /// What ended it before its end.
    pub failure: Option<Fault>,
}

/// Has each part reviewed by an agent of its own, so that none begins with a window full of others. What was found before a
/// failure is kept. Cancelled, it ends as soon as the agent has.
pub async fn review(
    changes: &Changes,
    parts: Parts,
    start_agent: impl AsyncFn() -> Result<Handle, Fault>,
    cancel: CancellationToken,
    mut listen: impl FnMut(Progress<'_>),
) -> Outcome {
    let Parts { parts, left_out } = parts;
    let (of, mut stated) = (parts.len(), Vec::new());
    let all_left = changes.left_out.iter().cloned().chain(left_out).collect();
    let mut outcome = Outcome { n_parts: of, left_out: all_left, ..Outcome::default() };
    for (at, part) in parts.iter().enumerate() {
        listen(Progress::Part { number: at + 1, of, files: &part.files });
        let words = words(&changes.what, part, (at + 1, of));
        let turn = async {
            let mut agent = start_agent().await?;
            let read = ask(&mut agent, words, &cancel, &mut listen).await;
            agent.close().await;
            read
        };
        match turn.await {
            Ok((reading, refused)) => {
                outcome.n_done += 1;
                outcome.n_refused += refused;
                outcome.n_unreadable += reading.n_unreadable;
                stated.extend(reading.stated);
            }
            Err(fault) => {
                // Another part may fare better, unless nobody is there to answer.
                let is_over = !matches!(fault.kind, Kind::Task | Kind::Budget);
                let unseen = if is_over { &parts[at..] } else { &parts[at..=at] };
                let left = unseen.iter().flat_map(|part| &part.files);
                outcome.left_out.extend(left.map(|path| LeftOut { path: path.clone(), why: fault.line() }));
                outcome.failure.get_or_insert(fault);
                if is_over {
                    break;
                }
            }
        }
    }
    outcome.left_out.dedup();
    outcome.settled = settle(stated, &changes.files);
    outcome
}

async fn ask(
    agent: &mut Handle,
    words: String,
    cancel: &CancellationToken,
    listen: &mut impl FnMut(Progress<'_>),
) -> Result<(Reading, u32), Fault> {
    let mut refused = 0;
    let listen = |record: &Record| {
        if let Event::ToolFinished { outcome: ToolOutcome::Denied { .. }, .. } = &record.event {
            refused += 1;
        }
        listen(Progress::Agent(record));
    };
    let ops = agent.ops.clone();
    let wanted = Wanted { read: reading::read, again: prompt::TASK_REVIEW_AGAIN };
    let asked = tokio::select! {
        asked = answer::ask(agent, words, wanted, listen) => asked?,
        never = interrupt_when(cancel, ops) => match never {},
    };
    match asked {
        (_, Some(Ok(reading))) => Ok((reading, refused)),
        (_, Some(Err(why))) => Err(Fault::new(Kind::Task, "the model's answer is no list of findings").cause(why)),
        (turn, None) => Err(answer::end_fault(turn.end)),
    }
}

/// Interrupts the agent once the work is cancelled. Never ends by itself: the turn does.
async fn interrupt_when(cancel: &CancellationToken, ops: tokio::sync::mpsc::Sender<Op>) -> std::convert::Infallible {
    cancel.cancelled().await;
    drop(ops.send(Op::Interrupt).await);
    std::future::pending().await
}

fn words(what: &str, part: &Part, (number, of): (usize, usize)) -> String {
    let which = match of {
        0 | 1 => String::new(),
        _ => prompt::TASK_REVIEW_PART.render(&[&number.to_string(), &of.to_string()]),
    };
    prompt::TASK_REVIEW.render(&[what, &which, &part.text])
}
