//! What becomes of a call whose change the user takes in part?
//!
//! Pure: the drafts of the call and the user's answers in; what is written, shown and told to the model out. The call itself
//! runs as it was asked for, and the writer writes what was settled here instead.

use std::path::Path;

use crate::base::hash;
use crate::base::text::{clip_middle, one_line_name};
use crate::context::prompt;
use crate::edit::diff::draft_diff;
use crate::edit::review::text_after;
use crate::edit::text_file::TextFile;
use crate::edit::writer::Ruled;
use crate::protocol::diff::{FileDiff, Hunk, Kind};
use crate::protocol::review::{Draft, HunkAnswer, Ruling};
use crate::protocol::tool::{ToolOutcome, ToolReport};

/// Bytes of one piece the model is reminded of.
const MAX_PIECE_BYTES: usize = 1500;
/// Bytes of all pieces it is reminded of.
const MAX_WORDS_BYTES: usize = 12_000;
/// Stands for a reason nobody gave.
const NO_REASON: &str = "no reason given";

/// What the user made of the drafts of a call.
#[derive(Debug, Clone)]
pub struct Settled {
    files: Vec<File>,
    words: String,
}

/// What the user made of one draft.
#[derive(Debug, Clone)]
struct File {
    draft: Draft,
    outcome: Outcome,
}

#[derive(Debug, Clone)]
enum Outcome {
    /// As it was asked for.
    Asked,
    /// The file gets another text.
    Text(String),
    /// The file is left alone.
    Nothing,
}

/// Says what is wrong with answers that do not fit the changes shown; none when they do.
pub fn misfit(previews: &[FileDiff], answers: &[HunkAnswer]) -> Option<String> {
    for answer in answers {
        let name = one_line_name(&answer.path);
        let Some(diff) = previews.iter().find(|diff| diff.path == answer.path) else {
            return Some(format!("this call does not change `{name}`"));
        };
        if !diff.hunks.iter().any(|hunk| hunk.id == answer.hunk) {
            return Some(format!("the change of `{name}` has no piece `{}`", one_line_name(&answer.hunk)));
        }
        if diff.kind == Kind::Deleted && matches!(answer.ruling, Ruling::Edit { .. }) {
            return Some(format!("`{name}` would be deleted: that can be taken or left, not changed"));
        }
    }
    None
}

/// Says whether nothing of the changes is left to be made.
pub fn is_refusal(previews: &[FileDiff], answers: &[HunkAnswer]) -> bool {
    let is_left = |diff: &FileDiff, hunk: &Hunk| matches!(ruling(&diff.path, hunk, answers), Ruling::Leave { .. });
    let is_refused = |diff: &FileDiff| {
        !diff.hunks.is_empty() && diff.kind != Kind::Renamed && diff.hunks.iter().all(|hunk| is_left(diff, hunk))
    };
    !previews.is_empty() && previews.iter().all(is_refused)
}

/// Tells the model that everything was refused, and why.
pub fn refusal(previews: &[FileDiff], answers: &[HunkAnswer]) -> String {
    prompt::REVIEW_NONE.render(&[&parts(previews, answers)])
}

/// Works out what is written instead of the drafts; `previews` are their changes as they were shown.
pub fn settle(drafts: &[Draft], previews: &[FileDiff], answers: &[HunkAnswer]) -> Settled {
    let file =
        |(draft, diff): (&Draft, &FileDiff)| File { draft: draft.clone(), outcome: outcome(draft, diff, answers) };
    let parts = parts(previews, answers);
    let words = if parts.is_empty() { parts } else { prompt::REVIEW_PART.render(&[&parts]) };
    Settled { files: drafts.iter().zip(previews).map(file).collect(), words }
}

fn outcome(draft: &Draft, diff: &FileDiff, answers: &[HunkAnswer]) -> Outcome {
    let Some(after) = draft.after.as_deref() else {
        let is_left = |hunk: &Hunk| matches!(ruling(&draft.name, hunk, answers), Ruling::Leave { .. });
        return if diff.hunks.iter().any(is_left) { Outcome::Nothing } else { Outcome::Asked };
    };
    let before = draft.before.as_deref().unwrap_or_default();
    let text = text_after(before, after, &diff.hunks, |hunk| ruling(&draft.name, hunk, answers));
    let is_as_before = match &draft.before {
        Some(before) => *before == text && draft.from.is_none(),
        None => text.is_empty(),
    };
    match () {
        () if text == after => Outcome::Asked,
        () if is_as_before => Outcome::Nothing,
        () => Outcome::Text(text),
    }
}

impl Settled {
    /// Returns what is written instead of what the call asks for.
    pub fn ruled(&self) -> Vec<Ruled> {
        self.files.iter().filter_map(File::ruled).collect()
    }

    /// Returns the hash the file will have, where one file is written and that is known.
    pub fn promised(&self) -> Option<String> {
        let [File { draft, outcome }] = self.files.as_slice() else { return None };
        let text = match outcome {
            Outcome::Asked => draft.after.as_deref()?,
            Outcome::Text(text) => text,
            Outcome::Nothing => return None,
        };
        match draft.before {
            Some(_) => promise(&draft.path, text),
            None => Some(hash::of_bytes(text.as_bytes())),
        }
    }

    /// Makes the report of the call tell what was really done.
    pub fn told(&self, mut report: ToolReport) -> ToolReport {
        let ToolOutcome::Ok { text } = &mut report.outcome else { return report };
        if self.words.is_empty() {
            return report;
        }
        text.push('\n');
        text.push_str(&self.words);
        report.diffs.retain(|diff| !self.files.iter().any(|file| file.draft.name == diff.path));
        report.diffs.extend(self.files.iter().filter_map(File::diff));
        let (added, removed) = report.diffs.iter().fold((0, 0), |sum, diff| (sum.0 + diff.added, sum.1 + diff.removed));
        report.summary = format!("in part, +{added} -{removed}");
        report
    }
}

impl File {
    fn ruled(&self) -> Option<Ruled> {
        let text = match &self.outcome {
            Outcome::Asked => return None,
            Outcome::Text(text) => Some(text.clone()),
            Outcome::Nothing => None,
        };
        Some(Ruled { path: self.draft.path.clone(), asked: self.draft.after.clone(), text })
    }

    /// Returns the change that is made; none where none is.
    fn diff(&self) -> Option<FileDiff> {
        match &self.outcome {
            Outcome::Asked => Some(draft_diff(&self.draft)),
            Outcome::Text(text) => Some(draft_diff(&Draft { after: Some(text.clone()), ..self.draft.clone() })),
            Outcome::Nothing => None,
        }
    }
}

fn promise(path: &Path, text: &str) -> Option<String> {
    TextFile::load(path, "").ok()?.promise(text)
}

fn ruling(path: &str, hunk: &Hunk, answers: &[HunkAnswer]) -> Ruling {
    // The last word counts.
    let answer = answers.iter().rev().find(|answer| answer.path == path && answer.hunk == hunk.id);
    answer.map_or(Ruling::Take, |answer| answer.ruling.clone())
}

/// Tells of every piece that is not made as asked.
fn parts(previews: &[FileDiff], answers: &[HunkAnswer]) -> String {
    let mut parts = Vec::new();
    for diff in previews {
        let name = one_line_name(&diff.path);
        for hunk in &diff.hunks {
            let line = hunk.old_start.to_string();
            let lines = clip_middle(&hunk.lines.join("\n"), MAX_PIECE_BYTES, "").into_owned();
            match ruling(&diff.path, hunk, answers) {
                Ruling::Take => {}
                Ruling::Leave { why } => {
                    let why = why.filter(|why| !why.trim().is_empty());
                    let why = why.as_deref().unwrap_or(NO_REASON);
                    parts.push(prompt::REVIEW_LEFT.render(&[&name, &line, why, &lines]));
                }
                Ruling::Edit { text } => {
                    let lines = clip_middle(text.trim_end_matches('\n'), MAX_PIECE_BYTES, "").into_owned();
                    parts.push(prompt::REVIEW_EDITED.render(&[&name, &line, &lines]));
                }
            }
        }
    }
    clip_middle(&parts.join("\n"), MAX_WORDS_BYTES, "").into_owned()
}
