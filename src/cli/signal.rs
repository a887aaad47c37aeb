//! What do Ctrl-C, SIGTERM and a hang-up do?
//!
//! The first one asks the work to stop in good order; a second Ctrl-C within the same work ends the process at once. Commands
//! below mimi end with it in any case, because their supervisor notices.

use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::base::fault::{Fault, Kind};

/// SIGXFSZ on Linux and macOS. Caught, so that a file that may not grow is an error of its write and not the end of mimi.
const FILE_SIZE: i32 = 25;
/// Time the agent has to end in good order.
pub const GRACE: Duration = Duration::from_millis(700);

/// Which signal came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// SIGINT.
    Interrupt,
    /// SIGTERM or SIGHUP.
    Terminate,
}

impl Stop {
    /// Returns the failure a command ends with when it was stopped by this signal.
    pub fn fault(self) -> Fault {
        match self {
            Self::Interrupt => Fault::new(Kind::Interrupted, "interrupted"),
            Self::Terminate => Fault::new(Kind::Terminated, "ended by a signal"),
        }
    }
}

/// Listens for Ctrl-\, which puts a running command into the background where no key can be read meanwhile.
pub struct Aside(Signal);

impl Aside {
    /// Starts listening; from now on the signal no longer ends the process.
    pub fn listen() -> Result<Self, Fault> {
        let listening = signal(SignalKind::quit());
        listening.map(Self).map_err(|error| Fault::io(Kind::Bug, "cannot listen for signals", &error))
    }

    /// Waits for the next one.
    pub async fn next(&mut self) {
        self.0.recv().await;
    }
}

/// Listens for the signals that end work.
pub struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
    _file_size: Signal,
}

impl Signals {
    /// Starts listening; from now on these signals no longer end the process by themselves.
    pub fn listen() -> Result<Self, Fault> {
        let on = |kind| signal(kind).map_err(|error| Fault::io(Kind::Bug, "cannot listen for signals", &error));
        Ok(Self {
            interrupt: on(SignalKind::interrupt())?,
            terminate: on(SignalKind::terminate())?,
            hangup: on(SignalKind::hangup())?,
            _file_size: on(SignalKind::from_raw(FILE_SIZE))?,
        })
    }

    /// Waits for `work` to end after it was told to: for a while, and no longer than to the next signal. Returns what it
    /// ended with, if it did.
    pub async fn last_words<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            ended = work => Some(ended),
            _ = self.next() => None,
            () = tokio::time::sleep(GRACE) => None,
        }
    }

    /// Waits for the next one.
    pub async fn next(&mut self) -> Stop {
        tokio::select! {
            _ = self.interrupt.recv() => Stop::Interrupt,
            _ = self.terminate.recv() => Stop::Terminate,
            _ = self.hangup.recv() => Stop::Terminate,
        }
    }
}
