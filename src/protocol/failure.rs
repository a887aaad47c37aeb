//! What does a check complain of?

use serde::{Deserialize, Serialize};

/// What kind of trouble it is. In the order in which one causes the other: what does not compile is not tested.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// A compiler refuses the code.
    Compile,
    /// A type checker does.
    Type,
    /// Tests could not be loaded or prepared.
    Setup,
    /// The program died outside of a test.
    Crash,
    /// A test failed.
    Test,
    /// A linter or formatter objects.
    Lint,
}

/// One complaint, as far as the output of the check tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// What kind of trouble it is.
    pub kind: FailureKind,
    /// The test, as its runner names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Where: as the check wrote it, relative to the folder it ran in where it lies below that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The line there, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// The first line of what it says.
    pub message: String,
    /// What should have come out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// What came out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actual: Option<String>,
    /// The compiler's or linter's name for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Calls that led there, innermost first; only those in files of the project.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stack: Vec<Frame>,
    /// The command that runs only this test, where its runner has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rerun: Option<String>,
}

/// One call on the way to a failure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frame {
    /// The file, as in [`Failure::file`].
    pub file: String,
    /// The line there, from 1.
    pub line: u32,
}

impl Failure {
    /// Starts a failure of which only kind and message are known.
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            id: None,
            file: None,
            line: None,
            message: message.into(),
            expected: None,
            actual: None,
            code: None,
            stack: Vec::new(),
            rerun: None,
        }
    }

    /// Renders it on one line: where, which test, what.
    pub fn line(&self) -> String {
        let place = match (&self.file, self.line) {
            (Some(file), Some(line)) => format!("{file}:{line}: "),
            (Some(file), None) => format!("{file}: "),
            _ => String::new(),
        };
        let id = self.id.as_ref().map_or_else(String::new, |id| format!("{id}: "));
        let code = self.code.as_ref().map_or_else(String::new, |code| format!("[{code}] "));
        format!("{place}{id}{code}{}", self.message)
    }
}
