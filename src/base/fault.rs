//! How does a failure reach the person at the terminal?
//!
//! Rooms define their own `thiserror` enums and implement [`Explain`]; a [`Fault`] carries the result upward and is
//! printed once, at the edge: heading, numbered causes, hints. The exit code follows from the [`Kind`] alone.

use std::fmt;

/// What sort of failure it is; decides the exit code of the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The task was carried out and did not succeed, for example tests still fail.
    Task,
    /// The command line was wrong.
    Usage,
    /// A configuration file, key or environment variable is wrong.
    Config,
    /// The model server could not be reached or would not answer.
    Model,
    /// Policy refused, or approval was needed and nobody could give it.
    Denied,
    /// There is no working sandbox, and nobody said that none is needed.
    Sandbox,
    /// A budget (rounds, steps, tokens, time) ended first.
    Budget,
    /// The check could not be run at all.
    Check,
    /// Only what fails at random fails.
    Flaky,
    /// A bug in mimi.
    Bug,
    /// Ended by Ctrl-C.
    Interrupted,
    /// Ended by SIGTERM or SIGHUP.
    Terminated,
    /// The reader of our output went away; not an error for the user.
    BrokenPipe,
}

impl Kind {
    /// Every kind with its exit code and meaning: the table behind README and the man page.
    pub const TABLE: [(Self, u8, &'static str); 13] = [
        (Self::BrokenPipe, 0, "done, also when the reader of the output closed it early"),
        (Self::Task, 1, "the task failed, or tests still fail"),
        (Self::Usage, 2, "wrong usage"),
        (Self::Config, 3, "configuration or key"),
        (Self::Model, 4, "model server or network"),
        (Self::Denied, 5, "refused by policy, or approval needed and nobody to give it"),
        (Self::Sandbox, 6, "no working sandbox, and nobody said that none is needed"),
        (Self::Budget, 7, "a budget ended first; partial work is kept"),
        (Self::Check, 8, "the check could not be run: a tool is missing, or the build was broken before and still is"),
        (Self::Flaky, 9, "only tests fail that pass when they run again"),
        (Self::Bug, 70, "a bug in mimi"),
        (Self::Interrupted, 130, "interrupted"),
        (Self::Terminated, 143, "ended by SIGTERM or SIGHUP"),
    ];

    /// Returns the process exit code.
    pub fn exit_code(self) -> u8 {
        Self::TABLE.iter().find(|row| row.0 == self).map_or(70, |row| row.1)
    }
}

/// Lets a room's error say what kind it is and what the user can type next.
pub trait Explain: std::error::Error {
    /// Returns the kind, which decides the exit code.
    fn kind(&self) -> Kind;

    /// Returns what to do next, each a command or setting that can be pasted.
    fn hints(&self) -> Vec<String> {
        Vec::new()
    }
}

/// A failure on its way to the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Decides the exit code.
    pub kind: Kind,
    /// What failed: lower case, no full stop.
    pub message: String,
    /// Why, outermost first.
    pub causes: Vec<String>,
    /// What to type next.
    pub hints: Vec<String>,
}

impl Fault {
    /// Builds a fault without causes or hints.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), causes: Vec::new(), hints: Vec::new() }
    }

    /// Adds a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Adds a cause below the ones already there.
    #[must_use]
    pub fn cause(mut self, cause: impl Into<String>) -> Self {
        self.causes.push(cause.into());
        self
    }

    /// Returns message and causes as one line, without the hints.
    pub fn line(&self) -> String {
        std::iter::once(&self.message).chain(&self.causes).map(String::as_str).collect::<Vec<_>>().join(": ")
    }

    /// Renders it on one line, for a reader that is no person: message, causes, hints.
    pub fn words(&self) -> String {
        let hints = self.hints.iter().map(|hint| format!("hint: {hint}"));
        std::iter::once(self.line()).chain(hints).collect::<Vec<_>>().join("; ")
    }

    /// Builds a fault from an operating-system error, keeping a closed pipe apart from real failures.
    pub fn io(kind: Kind, message: impl Into<String>, error: &std::io::Error) -> Self {
        let kind = if error.kind() == std::io::ErrorKind::BrokenPipe { Kind::BrokenPipe } else { kind };
        Self::new(kind, message).cause(error.to_string())
    }
}

impl<E: Explain> From<E> for Fault {
    fn from(error: E) -> Self {
        let mut causes = Vec::new();
        let mut next = error.source();
        while let Some(cause) = next {
            causes.push(cause.to_string());
            next = cause.source();
        }
        Self { kind: error.kind(), message: error.to_string(), causes, hints: error.hints() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "error: {}", self.message)?;
        for (index, cause) in self.causes.iter().enumerate() {
            if self.causes.len() == 1 {
                write!(out, "\ncaused by: {cause}")?;
            } else {
                write!(out, "\ncaused by {}: {cause}", index + 1)?;
            }
        }
        for hint in &self.hints {
            write!(out, "\nhint: {hint}")?;
        }
        Ok(())
    }
}
