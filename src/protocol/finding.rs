//! What is wrong with a change, and where?

use serde::{Deserialize, Serialize};

use crate::protocol::notice::{Notice, Severity};

/// One thing that is wrong, at a place of the new text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// How much it matters.
    pub severity: Severity,
    /// The file, relative to the workspace, with `/`.
    pub file: String,
    /// The line there, from 1; none for the file as a whole: one that is gone, or has no lines.
    #[serde(default)]
    pub line: Option<u32>,
    /// What is wrong, and what follows from it.
    pub why: String,
    /// What should stand in place of the line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suggestion: Option<String>,
}

impl Finding {
    /// Renders its place: `src/lib.rs:12`.
    pub fn place(&self) -> String {
        self.line.map_or_else(|| self.file.clone(), |line| format!("{}:{line}", self.file))
    }
}

impl From<&Finding> for Notice {
    fn from(finding: &Finding) -> Self {
        Self {
            severity: finding.severity,
            rule: format!("review/{}", finding.severity.name()),
            title: crate::base::text::first_line(&finding.why, 80),
            message: finding.why.clone(),
            file: Some(finding.file.clone()),
            line: finding.line,
            end_line: None,
            suggestion: finding.suggestion.clone(),
        }
    }
}

impl Severity {
    /// All, the gravest first.
    pub const ALL: [Self; 3] = [Self::Error, Self::Warning, Self::Note];

    /// Returns the name used in files and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}
