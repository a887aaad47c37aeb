//! How is something wrong told to programs that show it beside the code?
//!
//! Failures of checks and findings of reviews alike become notices, of which SARIF, JUnit and annotations are written.

use serde::{Deserialize, Serialize};

use crate::protocol::failure::{Failure, FailureKind};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// It has to be mended.
    Error,
    /// It should be.
    Warning,
    /// It is worth knowing.
    Note,
}

/// Something wrong, at a place or at none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// How bad it is.
    pub severity: Severity,
    /// What kind it is, for grouping: `test`, `clippy::unwrap_used`.
    pub rule: String,
    /// What it is about in a few words: the test's name.
    pub title: String,
    /// What is wrong; may have several lines.
    pub message: String,
    /// Where: relative to the folder worked in, where it lies below that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The first line, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// The last line, where there are several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_line: Option<u32>,
    /// What would mend it, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suggestion: Option<String>,
}

impl FailureKind {
    /// Returns its name, as it stands in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Compile => "compile",
            Self::Type => "type",
            Self::Setup => "setup",
            Self::Crash => "crash",
            Self::Test => "test",
            Self::Lint => "lint",
        }
    }
}

impl From<&Failure> for Notice {
    fn from(failure: &Failure) -> Self {
        let sides = [("expected", &failure.expected), ("actual", &failure.actual)];
        let sides = sides.iter().filter_map(|(name, text)| text.as_ref().map(|text| format!("\n{name}: {text}")));
        let title = failure.id.clone().unwrap_or_else(|| failure.message.clone());
        Self {
            severity: if failure.kind == FailureKind::Lint { Severity::Warning } else { Severity::Error },
            rule: failure.code.clone().unwrap_or_else(|| failure.kind.name().to_owned()),
            title,
            message: std::iter::once(failure.message.clone()).chain(sides).collect(),
            file: failure.file.clone(),
            line: failure.line,
            end_line: None,
            suggestion: failure.rerun.as_ref().map(|command| format!("run only this: {command}")),
        }
    }
}
