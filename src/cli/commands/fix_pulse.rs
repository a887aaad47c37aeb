//! How does a log show that `mimi fix` is still alive when nothing else is said for a while?
//!
//! A line on standard error every so often, since CI systems end jobs that fall silent. Part of `fix`.

use std::time::{Duration, Instant};

use crate::base::clock::format_duration;
use crate::base::text::{count, visible};
use crate::protocol::event::Event;
use crate::strategy::fix::{Job, Progress};

/// What is going on.
pub(super) struct Pulse {
    began_at: Instant,
    every: Option<Duration>,
    doing: String,
    round: u32,
    n_requests: usize,
}

impl Pulse {
    /// Begins; every so many seconds, or never.
    pub(super) fn new(every_s: u64) -> Self {
        let every = (every_s > 0).then(|| Duration::from_secs(every_s));
        Self { began_at: Instant::now(), every, doing: "starting".to_owned(), round: 0, n_requests: 0 }
    }

    /// Takes note of what happens.
    pub(super) fn see(&mut self, job: &Job, progress: &Progress<'_>) {
        match progress {
            Progress::CheckStarted { check, round } => {
                self.round = *round;
                let command = job.checks.get(*check).map_or("", |check| &check.spec.command);
                self.doing = format!("running `{}`", visible(command));
            }
            Progress::CheckDone { .. } => "looking at what fails".clone_into(&mut self.doing),
            Progress::Agent(record) => self.see_agent(&record.event),
            Progress::Step(_) | Progress::Budget(_) => {}
        }
    }

    fn see_agent(&mut self, event: &Event) {
        match event {
            Event::TurnStarted { turn } => {
                self.round = *turn;
                "waiting for the model".clone_into(&mut self.doing);
            }
            Event::Usage { .. } => self.n_requests += 1,
            Event::Waiting(wait) => self.doing = format!("waiting for the model: {wait}"),
            Event::Retrying { error, .. } => self.doing = format!("waiting for the model: {}", visible(error)),
            Event::ToolStarted { tool, target, .. } => self.doing = format!("{tool} {}", visible(target)),
            Event::ToolFinished { .. } => "waiting for the model".clone_into(&mut self.doing),
            _ => {}
        }
    }

    /// Waits until the next line is due; for ever where none is wanted.
    pub(super) async fn next(every: Option<Duration>) {
        match every {
            Some(every) => tokio::time::sleep(every).await,
            None => std::future::pending().await,
        }
    }

    /// Returns the time between two lines.
    pub(super) fn every(&self) -> Option<Duration> {
        self.every
    }

    /// Says what is going on.
    pub(super) fn words(&self) -> String {
        let time = format_duration(self.began_at.elapsed().as_millis() as u64);
        let round = if self.round > 0 { format!("round {}, ", self.round) } else { String::new() };
        format!("still at it ({time}): {round}{}, {}", count(self.n_requests, "model request"), self.doing)
    }
}
