//! What is under review, what is done about it, and what does a person say of it?
//!
//! Plain data between a front end, which shows changes and takes decisions, and whoever reads and carries them out
//! (`app::reviewing`).

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::protocol::diff::FileDiff;

/// Lines of a hunk that go with a remark: a reader who has the file needs no more to find the place.
const MAX_REMARK_LINES: usize = 40;

/// Where changes come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "from", content = "which", rename_all = "snake_case")]
pub enum Source {
    /// What the last turn changed, against the files as they are now.
    Turn,
    /// What a session changed, likewise; the one at hand when none is named.
    Session(Option<String>),
    /// The index of git and the work tree, with the files git does not know.
    WorkTree,
    /// The last commit and the index.
    Staged,
    /// A commit and its first parent, or the two ends of a range.
    Revision(String),
}

impl Source {
    /// Reads what a person typed behind `/diff`: nothing, one of four words, else a revision.
    pub fn named(word: &str) -> Self {
        match word.trim() {
            "" | "tree" | "worktree" => Self::WorkTree,
            "turn" => Self::Turn,
            "session" => Self::Session(None),
            "staged" => Self::Staged,
            revision => Self::Revision(revision.to_owned()),
        }
    }

    /// Names it in a few words.
    pub fn words(&self) -> String {
        match self {
            Self::Turn => "the last turn".to_owned(),
            Self::Session(None) => "this session".to_owned(),
            Self::Session(Some(id)) => format!("session {id}"),
            Self::WorkTree => "the working tree".to_owned(),
            Self::Staged => "what is staged".to_owned(),
            Self::Revision(revision) => revision.clone(),
        }
    }

    /// Says whether what is rejected of it is taken back in the files.
    pub fn is_in_files(&self) -> bool {
        matches!(self, Self::Turn | Self::Session(_) | Self::WorkTree)
    }
}

/// Changes to be looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChangeSet {
    /// What was compared, for a person.
    pub what: String,
    /// The files, by path.
    pub files: Vec<Changed>,
    /// What should be known about it.
    pub notes: Vec<String>,
    /// What was decided in an earlier review of the same and is not sent yet.
    pub kept: Kept,
}

/// One file of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// The change.
    pub diff: Arc<FileDiff>,
    /// What can be decided about it.
    pub by: By,
}

/// In which portions a change can be decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum By {
    /// Hunk by hunk.
    Hunk,
    /// Only as a whole.
    File,
    /// It can only be looked at and remarked on.
    Nobody(String),
}

impl Changed {
    /// A change that can be decided as far as its form allows.
    pub fn new(diff: FileDiff) -> Self {
        use crate::protocol::diff::Kind;
        let is_whole = diff.hunks.is_empty() || matches!(diff.kind, Kind::Created | Kind::Deleted);
        let by = if is_whole { By::File } else { By::Hunk };
        Self { diff: Arc::new(diff), by }
    }
}

/// What stands in the place of a hunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// The new lines.
    New,
    /// The old lines.
    Old,
    /// What a person wrote, line feeds at the ends of lines.
    Text(String),
}

/// Into the index or out of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Staged.
    In,
    /// Unstaged.
    Out,
}

/// Something to be done about changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// Lists the files where there are many, which is quick.
    Peek(Source),
    /// Reads them.
    Load(Source),
    /// Gives the hunks of a file other lines; one place for each hunk.
    Settle {
        /// The file.
        file: Arc<FileDiff>,
        /// What stands there now, or nothing is done.
        from: Vec<Place>,
        /// What is to stand there.
        to: Vec<Place>,
    },
    /// Puts a file back as it was before the change.
    Revert {
        /// Where the change comes from.
        source: Source,
        /// The file.
        file: Arc<FileDiff>,
    },
    /// Undoes a [`Order::Revert`], by the name it was kept under.
    Unrevert(String),
    /// Stages or unstages a hunk, or the file as it is.
    Stage {
        /// The file.
        file: Arc<FileDiff>,
        /// Which hunk, and what stands there; the whole file when none.
        hunk: Option<(usize, Place)>,
        /// Lines by which earlier hunks of the file, staged already, have moved this one in the index.
        shift: isize,
        /// Whereto.
        way: Way,
    },
    /// Keeps what was decided, so that a review that ends early can be gone on with.
    Keep(Source, Kept),
    /// Has a model write the message of a commit of what is staged.
    WordCommit,
    /// Words the remarks for the model.
    Tell(Source, Vec<Remark>),
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The files of the changes, not read yet; none where there are few.
    Peeked(Source, Option<ChangeSet>),
    /// The changes.
    Loaded(Source, Result<ChangeSet, String>),
    /// A decision was carried out, or why not. A text names what can be undone.
    Done(Result<Option<String>, String>),
    /// The remarks in words.
    Told(String),
    /// The message for what is staged, or why there is none.
    Worded(Result<String, String>),
    /// A commit was made, or why not.
    Committed(Result<(), String>),
    /// Nothing to say.
    Nothing,
}

/// What was decided in a review and is not on disk otherwise.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// Hunks that were accepted: path and id.
    #[serde(default)]
    pub accepted: Vec<(String, String)>,
    /// What was said.
    #[serde(default)]
    pub remarks: Vec<Remark>,
}

/// What a person said of a place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remark {
    /// The file.
    pub path: String,
    /// The hunk, by its id; empty for the file.
    pub hunk: String,
    /// Which of the lines of the hunk, from 0.
    pub at: usize,
    /// The number of the line in the file, from 1; none for the file.
    pub line: Option<usize>,
    /// What sort of remark.
    pub said: Said,
    /// The words; empty for a rejection without a reason.
    pub words: String,
    /// The lines it is about, behind their signs, cut to a few.
    pub lines: Vec<String>,
}

/// What sort of remark it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Said {
    /// Words about a line.
    Comment,
    /// The change was not wanted.
    Rejected,
    /// The person wrote something else there.
    Edited,
}

impl Remark {
    /// Speaks of a line of a hunk of a file.
    pub fn new(diff: &FileDiff, (hunk, at): (usize, usize), said: Said, words: &str) -> Self {
        let found = diff.hunks.get(hunk);
        let lines: Vec<String> = match (found, said) {
            (Some(hunk), Said::Comment) => hunk.lines.get(at).into_iter().cloned().collect(),
            (Some(hunk), _) => hunk.lines.iter().take(MAX_REMARK_LINES).cloned().collect(),
            (None, _) => Vec::new(),
        };
        Self {
            path: diff.path.clone(),
            hunk: found.map_or_else(String::new, |hunk| hunk.id.clone()),
            at,
            line: found.map(|hunk| hunk.number(at)),
            said,
            words: words.to_owned(),
            lines,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_behind_the_command_names_where_changes_come_from() {
        let table = [
            ("", Source::WorkTree),
            (" turn ", Source::Turn),
            ("session", Source::Session(None)),
            ("staged", Source::Staged),
            ("main..HEAD", Source::Revision("main..HEAD".into())),
        ];
        for (word, expected) in table {
            assert_eq!(Source::named(word), expected, "{word}");
        }
    }
}
