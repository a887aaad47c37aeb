//! How is one question asked until it is answered, although servers are busy, break off and go away?
//!
//! Assembles the answer, sends the same bytes again after failures that may pass, spreads these repetitions in time so
//! that a hundred clients do not return at once (full jitter), and stops at once when cancelled. Everything else is
//! reported as it is. Must not change the request between attempts, or the server's prefix cache would be lost.

use std::collections::VecDeque;
use std::sync::Arc;

use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream};
use tokio::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

use crate::base::clock;
use crate::model::assemble::Assembler;
use crate::model::error::ModelError;
use crate::model::meter::Account;
use crate::model::recover::Recoverer;
use crate::model::vigil::{Look, Vigil};
use crate::model::{Answer, Finish, Provider, Request, StreamEvent};
use crate::protocol::wait::Wait;

/// Longest wait a server may impose by `Retry-After`.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(60);

/// What happens on the way to an answer. [`Progress::Done`] or [`Progress::Failed`] is the last.
#[derive(Debug, Clone)]
pub enum Progress {
    /// Words.
    Text(String),
    /// Thoughts.
    Reasoning(String),
    /// What was shown of the answer is void, because it is asked for again.
    Reset,
    /// Nothing comes, and this is why.
    Waiting(Wait),
    /// The server turned out to give the model another window than was thought.
    Window {
        /// Tokens it takes.
        tokens: u64,
    },
    /// Something the user should know and that stops nothing.
    Note {
        /// One sentence.
        text: String,
    },
    /// The request failed in a way that may pass and will be sent again.
    Retrying {
        /// Counts from one.
        attempt: u32,
        /// Until it is sent again.
        wait_ms: u64,
        /// What failed.
        error: String,
    },
    /// The complete answer.
    Done(Box<Answer>),
    /// It failed for good.
    Failed(ModelError),
}

/// When and how often a request is sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// Times a request is sent again.
    pub max: u32,
    /// Upper bound of the first wait; doubles each time.
    pub base: Duration,
    /// Upper bound of every wait.
    pub cap: Duration,
    /// No repetition after this time since the request was first sent: who waited that long in a queue has helped to
    /// fill it, and sending again would make it longer.
    pub within: Duration,
    /// After how long without a sign of life the user is told.
    pub notice: Duration,
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            max: 4,
            base: Duration::from_millis(500),
            cap: Duration::from_secs(30),
            within: Duration::from_secs(600),
            notice: Duration::from_secs(5),
        }
    }
}

impl Retry {
    /// Returns how long to wait before repetition number `attempt`, which counts from one.
    pub fn wait(&self, attempt: u32, error: &ModelError, fraction: f64) -> Duration {
        let ceiling = self.base.saturating_mul(1 << attempt.saturating_sub(1).min(20)).min(self.cap);
        let asked = match error {
            ModelError::Busy { retry_after: Some(least), .. } => (*least).min(MAX_RETRY_AFTER),
            _ => Duration::ZERO,
        };
        // The jitter comes on top of what the server asks for: all its clients were told the same number.
        asked + ceiling.mul_f64(fraction)
    }
}

/// One question with all that is needed to ask it.
pub struct Question {
    /// Who is asked.
    pub provider: Arc<dyn Provider>,
    /// Its address or name, for errors.
    pub url: String,
    /// What is asked.
    pub request: Request,
    /// Makes the ids of calls unique that the server sends without; see [`Assembler::new`].
    pub id_prefix: String,
    /// How often.
    pub retry: Retry,
    /// Notes what it takes.
    pub account: Account,
    /// Looks at the server while nothing comes; none where there is nothing to be seen.
    pub look: Option<Look>,
    /// Asked before it is sent for what the user should know first.
    pub before: Option<BoxFuture<'static, Option<String>>>,
    /// Asked once the answer is there for the window the model really got.
    pub after: Option<BoxFuture<'static, Option<u64>>>,
    /// Ends it.
    pub cancel: CancellationToken,
}

/// Asks. Dropping the stream ends the request.
pub fn ask(question: Question) -> BoxStream<'static, Progress> {
    let run = Run::new(question);
    Box::pin(stream::unfold(run, |mut run| async {
        let progress = run.next().await?;
        Some((progress, run))
    }))
}

enum Stage {
    Send,
    Read(BoxStream<'static, StreamEvent>),
    Pause(Instant),
    Over,
}

struct Run {
    question: Question,
    stage: Stage,
    assembler: Assembler,
    recoverer: Recoverer,
    finish: Option<Finish>,
    started: Instant,
    vigil: Vigil,
    attempt: u32,
    queue: VecDeque<Progress>,
}

impl Run {
    fn new(question: Question) -> Self {
        let recoverer = Recoverer::new(&question.request, &question.id_prefix);
        Self {
            vigil: watch_over(&question),
            question,
            stage: Stage::Send,
            assembler: Assembler::default(),
            recoverer,
            finish: None,
            started: Instant::now(),
            attempt: 0,
            queue: VecDeque::new(),
        }
    }

    async fn next(&mut self) -> Option<Progress> {
        loop {
            if let Some(progress) = self.queue.pop_front() {
                return Some(progress);
            }
            match std::mem::replace(&mut self.stage, Stage::Over) {
                Stage::Over => return None,
                Stage::Send => self.send().await,
                Stage::Read(events) => self.read(events).await,
                Stage::Pause(until) => self.pause(until).await,
            }
        }
    }

    async fn send(&mut self) {
        if let Some(before) = self.question.before.take() {
            let cancel = self.question.cancel.clone();
            let note = tokio::select! {
                biased;
                () = cancel.cancelled() => None,
                note = before => note,
            };
            self.queue.extend(note.map(|text| Progress::Note { text }));
        }
        self.assembler = Assembler::new(self.question.id_prefix.clone());
        self.recoverer = Recoverer::new(&self.question.request, &self.question.id_prefix);
        self.finish = None;
        self.question.account.sent();
        self.vigil = watch_over(&self.question);
        let events = self.question.provider.stream(self.question.request.clone(), self.question.cancel.clone());
        self.stage = Stage::Read(events);
    }

    async fn pause(&mut self, until: Instant) {
        let cancel = self.question.cancel.clone();
        tokio::select! {
            biased;
            () = cancel.cancelled() => self.over(ModelError::Cancelled),
            () = tokio::time::sleep_until(until) => self.stage = Stage::Send,
        }
    }

    async fn read(&mut self, mut events: BoxStream<'static, StreamEvent>) {
        let cancel = self.question.cancel.clone();
        tokio::select! {
            biased;
            () = cancel.cancelled() => self.over(ModelError::Cancelled),
            event = events.next() => match event {
                None => self.end().await,
                Some(StreamEvent::Error(error)) => self.fail(error),
                Some(event) => {
                    // Also of words that are held back: the server is at work.
                    self.question.account.heard(&event);
                    self.queue.extend(self.vigil.hear(&event).map(Progress::Waiting));
                    let passed = self.recoverer.pass(event);
                    passed.into_iter().for_each(|event| self.take(event));
                    self.stage = Stage::Read(events);
                }
            },
            wait = self.vigil.next() => {
                self.queue.push_back(Progress::Waiting(wait));
                self.stage = Stage::Read(events);
            }
        }
    }

    fn take(&mut self, event: StreamEvent) {
        self.assembler.push(&event);
        match event {
            StreamEvent::Text(text) => self.queue.push_back(Progress::Text(text)),
            StreamEvent::Reasoning(text) => self.queue.push_back(Progress::Reasoning(text)),
            StreamEvent::Finish(finish) => self.finish = Some(finish),
            StreamEvent::Tool(_)
            | StreamEvent::Prefill { .. }
            | StreamEvent::Usage(_)
            | StreamEvent::Timing(_)
            | StreamEvent::Error(_) => {}
        }
    }

    /// The stream is at its end: what it said last decides whether there is an answer.
    async fn end(&mut self) {
        let url = self.question.url.clone();
        let broken = |what: &str| ModelError::Broken { url, what: what.to_owned() };
        match self.finish {
            Some(Finish::Aborted) => self.fail(broken("the server gave up before its end")),
            None => self.fail(broken("it ended without a finish reason")),
            Some(finish) => {
                let waiting = self.recoverer.end();
                waiting.into_iter().for_each(|event| self.take(event));
                let mut answer = std::mem::take(&mut self.assembler).finish(finish);
                self.recoverer.settle(finish, &mut answer);
                self.question.account.answered(&mut answer);
                self.note_trouble();
                if let Some(after) = self.question.after.take() {
                    self.queue.extend(after.await.map(|tokens| Progress::Window { tokens }));
                }
                self.queue.push_back(Progress::Done(Box::new(answer)));
            }
        }
    }

    fn fail(&mut self, error: ModelError) {
        let retry = self.question.retry;
        let is_in_time = self.started.elapsed() < retry.within;
        if !error.is_transient() || self.attempt >= retry.max || !is_in_time {
            self.over(error);
            return;
        }
        self.attempt += 1;
        let wait = retry.wait(self.attempt, &error, clock::random_fraction());
        if !self.assembler.is_empty() {
            self.queue.push_back(Progress::Reset);
        }
        let wait_ms = wait.as_millis() as u64;
        self.queue.push_back(Progress::Retrying { attempt: self.attempt, wait_ms, error: in_one_line(&error) });
        self.stage = Stage::Pause(Instant::now() + wait);
    }

    fn over(&mut self, error: ModelError) {
        self.stage = Stage::Over;
        self.question.account.failed();
        self.note_trouble();
        self.queue.push_back(Progress::Failed(error));
    }

    fn note_trouble(&mut self) {
        self.queue.extend(self.question.account.trouble().map(|text| Progress::Note { text }));
    }
}

fn watch_over(question: &Question) -> Vigil {
    Vigil::new(question.look.clone(), &question.request.model, question.retry.notice)
}

/// Renders an error with its cause, for a status line.
fn in_one_line(error: &ModelError) -> String {
    match std::error::Error::source(error) {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::error::Cause;

    #[test]
    fn waits_grow_to_a_cap_and_never_fall_below_what_the_server_asks() {
        let retry = Retry::default();
        let busy = |retry_after_s: Option<u64>| ModelError::Busy {
            url: String::new(),
            status: "503".to_owned(),
            source: Cause(String::new()),
            retry_after: retry_after_s.map(Duration::from_secs),
        };
        let table = [
            (1, None, 1.0, 500),
            (2, None, 1.0, 1000),
            (3, None, 0.5, 1000),
            (9, None, 1.0, 30_000),
            (99, None, 0.0, 0),
            (1, Some(7), 0.0, 7000),
            (1, Some(7), 1.0, 7500),
            (1, Some(9999), 0.0, 60_000),
        ];
        for (attempt, retry_after_s, fraction, expected_ms) in table {
            let wait = retry.wait(attempt, &busy(retry_after_s), fraction);
            assert_eq!(wait.as_millis(), expected_ms, "{attempt} {retry_after_s:?} {fraction}");
        }
    }
}
