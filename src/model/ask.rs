//! How is one question asked until it is answered, although servers are busy, break off and go away?
//!
//! Waits for a slot, assembles the answer, sends the same bytes again after failures that may pass (when, and how often in
//! all, is for [`retry`](crate::model::retry)), and stops at once when cancelled. Everything else is reported as it is. Must
//! not change the request between attempts, or the server's prefix cache would be lost.

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
use crate::model::retry::{Budget, Retry};
use crate::model::slots::{Gate, Permit};
use crate::model::vigil::{Look, Vigil};
use crate::model::{Answer, Finish, Provider, Request, StreamEvent};
use crate::protocol::wait::{Wait, WaitState};

/// Time without a slot after which it is said what is waited for; less is not worth a word.
const HOLD_NOTICE: Duration = Duration::from_secs(1);

/// Why a request that may pass is not sent again although it could be.
const SPENT: &str = "not asked again, too many requests to this server failed lately";

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
        /// Times it is sent again at most.
        max: u32,
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
    /// What the process may still repeat at this server.
    pub budget: Arc<Budget>,
    /// Lets it through when this user's other requests leave room.
    pub gate: Gate,
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
    Hold(BoxFuture<'static, Permit>),
    Send(Permit),
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
    /// When it was first sent, or asked for a slot.
    started: Instant,
    /// Held while a request is under way, not between two.
    permit: Option<Permit>,
    garbled: u32,
    vigil: Vigil,
    attempt: u32,
    queue: VecDeque<Progress>,
}

impl Run {
    fn new(question: Question) -> Self {
        let recoverer = Recoverer::new(&question.request, &question.id_prefix);
        Self {
            vigil: watch_over(&question),
            stage: Stage::Hold(question.gate.take(question.request.class)),
            question,
            assembler: Assembler::default(),
            recoverer,
            finish: None,
            started: Instant::now(),
            permit: None,
            garbled: 0,
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
                Stage::Hold(permit) => self.hold(permit).await,
                Stage::Send(permit) => self.send(permit).await,
                Stage::Read(events) => self.read(events).await,
                Stage::Pause(until) => self.pause(until).await,
            }
        }
    }

    /// Waits until this user's other requests leave room.
    async fn hold(&mut self, mut permit: BoxFuture<'static, Permit>) {
        let cancel = self.question.cancel.clone();
        tokio::select! {
            biased;
            () = cancel.cancelled() => self.over(ModelError::Cancelled),
            permit = &mut permit => {
                // Waiting in this queue is no load on the server's.
                if self.attempt == 0 {
                    self.started = Instant::now();
                    self.question.budget.earn();
                }
                self.stage = Stage::Send(permit);
            }
            () = tokio::time::sleep(HOLD_NOTICE) => {
                let waited_ms = self.started.elapsed().as_millis() as u64;
                self.queue.push_back(Progress::Waiting(Wait { waited_ms, ..Wait::new(WaitState::Held) }));
                self.stage = Stage::Hold(permit);
            }
        }
    }

    async fn send(&mut self, permit: Permit) {
        self.permit = Some(permit);
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
            () = tokio::time::sleep_until(until) => {
                self.stage = Stage::Hold(self.question.gate.take(self.question.request.class));
            }
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
        self.permit = None;
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
        self.permit = None;
        let retry = self.question.retry;
        let max = self.garbled_or(retry.max, &error);
        let is_in_time = self.started.elapsed() < retry.within;
        // Waits grow, so that even a patient client asks no more than a few times a minute.
        let is_waited_for = matches!(error, ModelError::Busy { .. }) && self.started.elapsed() < retry.patience;
        if !error.is_transient() || !is_waited_for && (self.attempt >= max || !is_in_time) {
            return self.over(error);
        }
        if !self.question.budget.spend() && !is_waited_for {
            return self.over(error.with_words(SPENT));
        }
        self.attempt += 1;
        let max = max.max(self.attempt);
        let wait = retry.wait(self.attempt, &error, clock::random_fraction());
        if !self.assembler.is_empty() {
            self.queue.push_back(Progress::Reset);
        }
        let wait_ms = wait.as_millis() as u64;
        self.queue.push_back(Progress::Retrying { attempt: self.attempt, max, wait_ms, error: in_one_line(&error) });
        self.stage = Stage::Pause(Instant::now() + wait);
    }

    /// Returns how often a request that failed so may be sent again: what the server could not read of its model's words may
    /// come out well a second time, and hardly a third.
    fn garbled_or(&mut self, max: u32, error: &ModelError) -> u32 {
        if !matches!(error, ModelError::Garbled { .. }) {
            return max;
        }
        self.garbled += 1;
        if self.garbled > 1 { self.attempt } else { max.min(self.attempt + 1) }
    }

    fn over(&mut self, error: ModelError) {
        self.permit = None;
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
