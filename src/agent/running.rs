//! Which calls run, and which of them go on behind the turn?
//!
//! Holds every running call with what ends it, and hears what they print. A command that the user puts behind the turn stays here
//! as it is: same supervisor, same limits. Only its name changes, and that an interrupt no longer ends it. Must not decide.

use std::collections::BTreeMap;
use std::time::Instant;

use futures_util::future::{BoxFuture, FutureExt as _};
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::agent::dispatch::Finished;
use crate::agent::handle::RECORDS_CAPACITY;
use crate::base::clock;
use crate::exec::so_far::SoFar;
use crate::protocol::message::CallId;

/// Bytes of a call's output that are shown, and so kept in the session file, while it runs. Its outcome is not cut by this.
const MAX_SHOWN_BYTES: usize = 256 * 1024;
/// Pieces of output of a call that may wait to be shown.
const PIECES: usize = 16;

/// What a call is held by while it runs.
pub struct Leash {
    /// Takes what it prints.
    pub progress: mpsc::Sender<String>,
    /// Ends it.
    pub cancel: CancellationToken,
    /// Shows what it printed so far.
    pub so_far: SoFar,
}

/// A running call.
struct Run {
    /// Its name; another one once it is behind the turn.
    call: CallId,
    /// What it is about.
    what: String,
    is_behind: bool,
    /// Whether it goes behind as soon as it has begun.
    is_awaited: bool,
    cancel: CancellationToken,
    so_far: SoFar,
    started: Instant,
}

/// A run by its number, and how it ends.
type Job = BoxFuture<'static, (u64, Finished)>;
/// What a run tells, by its number.
type Told = (u64, Note);

/// All calls that run.
pub struct Running {
    calls: FuturesUnordered<Job>,
    /// By a number of their own: ids of calls may repeat.
    runs: BTreeMap<u64, Run>,
    n_runs: u64,
    notes: (mpsc::Sender<Told>, mpsc::Receiver<Told>),
}

/// What a running call tells while it runs.
enum Note {
    Printed(String),
    /// Its command runs.
    Begun,
}

/// Something that is heard of a running call.
pub enum Heard {
    /// It printed something.
    Printed(CallId, String),
    /// Its command has begun, and is to go behind the turn.
    Begun(CallId),
    /// It ended.
    Ended(Box<Ended>),
}

/// What became of the wish that a call goes behind the turn.
pub enum Wish {
    /// It is there.
    Granted(Behind),
    /// It goes there as soon as its command has begun.
    Kept,
    /// There is no such call.
    Unknown,
}

/// A call that ended.
pub struct Ended {
    /// How.
    pub finished: Finished,
    /// Its name and what it was about, where it ended behind the turn.
    pub behind: Option<(CallId, String)>,
}

/// A command that went behind the turn.
pub struct Behind {
    /// How it is named from now on.
    pub name: CallId,
    /// The command.
    pub command: String,
    /// What it printed so far.
    pub text: String,
    /// How long it has run.
    pub duration_ms: u64,
}

impl Default for Running {
    fn default() -> Self {
        Self {
            calls: FuturesUnordered::new(),
            runs: BTreeMap::new(),
            n_runs: 0,
            notes: mpsc::channel(RECORDS_CAPACITY),
        }
    }
}

impl Running {
    /// Starts a call that is about `what`; `run` makes what runs of what it is held by.
    pub fn start<F>(&mut self, call: &CallId, what: String, run: impl FnOnce(Leash) -> F)
    where
        F: Future<Output = Finished> + Send + 'static,
    {
        self.n_runs += 1;
        let (n, cancel, so_far) = (self.n_runs, CancellationToken::new(), SoFar::default());
        let (progress, mut pieces) = mpsc::channel::<String>(PIECES);
        let (output, telling) = (self.notes.0.clone(), self.notes.0.clone());
        let run = run(Leash { progress, cancel: cancel.clone(), so_far: so_far.clone() });
        let forward = async move {
            let mut left_bytes = MAX_SHOWN_BYTES;
            while let Some(text) = pieces.recv().await {
                let Some(left) = left_bytes.checked_sub(text.len()) else { continue };
                left_bytes = left;
                // Only for the person watching: what does not fit is dropped rather than waited for.
                drop(output.try_send((n, Note::Printed(text))));
            }
        };
        let begins = so_far.clone();
        let begun = async move {
            begins.begun().await;
            drop(telling.send((n, Note::Begun)).await);
            std::future::pending::<Finished>().await
        };
        let run = async move { tokio::join!(run, forward).0 };
        let (call, started) = (call.clone(), Instant::now());
        self.runs.insert(n, Run { call, what, is_behind: false, is_awaited: false, cancel, so_far, started });
        let all = async move {
            tokio::select! {
                finished = run => (n, finished),
                finished = begun => (n, finished),
            }
        };
        self.calls.push(all.boxed());
    }

    /// Waits for the next that is heard; without a running call for ever. May be dropped and called again.
    pub async fn next(&mut self) -> Heard {
        loop {
            tokio::select! {
                biased;
                Some((n, note)) = self.notes.1.recv() => {
                    match (self.runs.get(&n), note) {
                        (Some(run), Note::Printed(text)) => return Heard::Printed(run.call.clone(), text),
                        (Some(run), Note::Begun) if run.is_awaited => return Heard::Begun(run.call.clone()),
                        _ => {}
                    }
                }
                Some((n, finished)) = self.calls.next() => {
                    let run = self.runs.remove(&n).filter(|run| run.is_behind);
                    let behind = run.map(|run| (run.call, run.what));
                    return Heard::Ended(Box::new(Ended { finished, behind }));
                }
            }
        }
    }

    /// Returns what has been printed and not been heard yet.
    pub fn printed(&mut self) -> Vec<(CallId, String)> {
        let (mut all, mut begun) = (Vec::new(), Vec::new());
        while let Ok((n, note)) = self.notes.1.try_recv() {
            match (self.runs.get(&n), note) {
                (Some(run), Note::Printed(text)) => all.push((run.call.clone(), text)),
                (Some(_), Note::Begun) => begun.push(n),
                (None, _) => {}
            }
        }
        // Heard in its turn; there is room for what was taken out.
        begun.into_iter().for_each(|n| drop(self.notes.0.try_send((n, Note::Begun))));
        all
    }

    /// Puts a running command behind the turn, or notes that it is to go there: the look at the files before it may take a while.
    pub fn put_behind(&mut self, call: &CallId) -> Wish {
        let Some(run) = self.runs.values_mut().find(|run| run.call == *call && !run.is_behind) else {
            return Wish::Unknown;
        };
        // What the user runs themselves has no turn that waits for it: it may be behind before it has begun.
        let Some(text) = run.so_far.text().or_else(|| run.call.is_of_user().then(String::new)) else {
            run.is_awaited = true;
            return Wish::Kept;
        };
        run.is_behind = true;
        run.call = CallId::behind(&clock::new_id());
        let duration_ms = run.started.elapsed().as_millis() as u64;
        Wish::Granted(Behind { name: run.call.clone(), command: run.what.clone(), text, duration_ms })
    }

    /// Returns the commands behind the turn, the oldest first.
    pub fn behind(&self) -> Vec<&str> {
        self.runs.values().filter(|run| run.is_behind).map(|run| run.what.as_str()).collect()
    }

    /// Ends one call.
    pub fn stop(&self, call: &CallId) {
        self.runs.values().filter(|run| run.call == *call).for_each(|run| run.cancel.cancel());
    }

    /// Ends the calls of the turn, and the user's own that are not behind it.
    pub fn stop_turn(&self) {
        self.runs.values().filter(|run| !run.is_behind).for_each(|run| run.cancel.cancel());
    }

    /// Ends all.
    pub fn stop_all(&self) {
        self.runs.values().for_each(|run| run.cancel.cancel());
    }
}
