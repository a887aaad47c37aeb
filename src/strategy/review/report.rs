//! What does a review say, as data?
//!
//! The data follows `config/review.schema.json`; every other form is made of the same report.

use serde::{Deserialize, Serialize};

use crate::base::secrets;
use crate::base::text::count;
use crate::protocol::finding::Finding;
use crate::protocol::notice::Severity;
use crate::strategy::review::Outcome;
use crate::workspace::git_changes::Changes;

/// Version of the form; readers accept later ones and skip what they do not know.
pub const VERSION: u32 = 1;

/// All that a review has to say.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Report {
    /// [`VERSION`].
    pub v: u32,
    /// What was reviewed: `the staged changes`.
    pub what: String,
    /// The model, `provider/model`; none when there was nothing to ask.
    pub model: Option<String>,
    /// Files that changed.
    pub files: usize,
    /// Lines added in them.
    pub added: usize,
    /// Lines removed in them.
    pub removed: usize,
    /// What was found, the gravest first.
    pub findings: Vec<Finding>,
    /// How many of each severity.
    pub counts: Counts,
    /// What became of what the model said beside that.
    pub recovered: Recovered,
    /// Parts the change was cut into, and those of them that were reviewed.
    pub parts: Share,
    /// What no model saw.
    pub left_out: Vec<Left>,
    /// What should be known about it.
    pub notes: Vec<String>,
    /// What ended the review before its end.
    pub failure: Option<String>,
}

/// Findings by severity.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Errors.
    pub error: usize,
    /// Warnings.
    pub warning: usize,
    /// Notes.
    pub note: usize,
}

/// What became of findings that were not right as they were.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recovered {
    /// Their place was set right.
    pub moved: usize,
    /// Dropped: about something that is not part of the change.
    pub outside: usize,
    /// Dropped: without a place or a reason.
    pub unreadable: usize,
    /// Dropped: said before.
    pub repeated: usize,
    /// Calls of the model that were refused, because a review only reads.
    pub refused_calls: u32,
}

/// How much was done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// Of so many.
    pub all: usize,
    /// So many.
    pub done: usize,
}

/// A file no model saw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Left {
    /// The file.
    pub file: String,
    /// Why.
    pub why: String,
}

impl Report {
    /// Puts together what is to be said.
    pub fn new(changes: &Changes, model: Option<String>, outcome: Outcome) -> Self {
        let lines = changes.files.iter().map(crate::workspace::git_patch::FilePatch::counts);
        let (added, removed) = lines.fold((0, 0), |all, one| (all.0 + one.0, all.1 + one.1));
        let settled = outcome.settled;
        let n = |severity| settled.findings.iter().filter(|finding| finding.severity == severity).count();
        Self {
            v: VERSION,
            what: changes.what.clone(),
            model,
            files: changes.files.len() + changes.left_out.len(),
            added,
            removed,
            counts: Counts { error: n(Severity::Error), warning: n(Severity::Warning), note: n(Severity::Note) },
            recovered: Recovered {
                moved: settled.n_moved,
                outside: settled.n_outside,
                unreadable: outcome.n_unreadable,
                repeated: settled.n_repeated,
                refused_calls: outcome.n_refused,
            },
            findings: settled.findings.into_iter().map(harmless).collect(),
            parts: Share { all: outcome.n_parts, done: outcome.n_done },
            left_out: outcome.left_out.into_iter().map(|left| Left { file: left.path, why: left.why }).collect(),
            notes: changes.notes.clone(),
            failure: outcome.failure.map(|fault| fault.line()),
        }
    }

    /// Returns how many findings are of this severity or graver.
    pub fn reaching(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|finding| finding.severity <= severity).count()
    }

    /// Sums it up on one line.
    pub fn summary(&self) -> String {
        let size = format!("{}, +{} -{}", count(self.files, "file"), self.added, self.removed);
        if self.files == 0 {
            return format!("nothing to review in {}", self.what);
        }
        if self.parts.all == 0 {
            return format!("nothing to review in {} ({size}): no text to be shown", self.what);
        }
        let found = match self.findings.len() {
            0 => "nothing found".to_owned(),
            n => {
                let rows = [(self.counts.error, "error"), (self.counts.warning, "warning"), (self.counts.note, "note")];
                let rows = rows.iter().filter(|row| row.0 > 0).map(|(n, noun)| count(*n, noun));
                format!("{} ({})", count(n, "finding"), rows.collect::<Vec<_>>().join(", "))
            }
        };
        format!("{found} in {} ({size})", self.what)
    }

    /// Says what should be known beside the findings, a line each.
    pub fn remarks(&self) -> Vec<String> {
        let mut all = self.notes.clone();
        all.extend(self.left_out.iter().map(|left| format!("not reviewed: {}: {}", left.file, left.why)));
        let Recovered { moved, outside, unreadable, repeated, refused_calls } = self.recovered;
        let rows = [
            (moved, "finding", "moved to the nearest line of the change"),
            (outside, "finding", "dropped: not about a line of the change"),
            (unreadable, "finding", "dropped: without a place or a reason"),
            (repeated, "finding", "dropped: said before"),
            (refused_calls as usize, "call", "refused: a review only reads"),
        ];
        all.extend(rows.iter().filter(|row| row.0 > 0).map(|(n, noun, what)| format!("{} {what}", count(*n, noun))));
        all
    }
}

/// Keeps secrets that a model quotes out of what others come to read.
fn harmless(finding: Finding) -> Finding {
    let safe = |text: String| secrets::redact(&text).into_owned();
    Finding { why: safe(finding.why), suggestion: finding.suggestion.map(safe), ..finding }
}
