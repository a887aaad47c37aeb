//! How did a file change?

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// The change of one file, ready to show and to be judged piece by piece.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileDiff {
    /// Path relative to the workspace, or absolute outside it.
    pub path: String,
    /// What happened to the file as a whole; left out when it was only changed.
    #[serde(default, skip_serializing_if = "Kind::is_changed")]
    pub kind: Kind,
    /// Its path before, when it was renamed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Its permission bits before and after, when they changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<Sides<u32>>,
    /// Its length in bytes before and after, when it is not text; there are no hunks then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub binary: Option<Sides<u64>>,
    /// Lines added.
    pub added: usize,
    /// Lines removed.
    pub removed: usize,
    /// The change in unified format with three lines of context, headings included; cut in the middle when it is very long.
    pub unified: String,
    /// The same in pieces that can be taken or left, in the order of the file. All of them, also where `unified` is cut.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hunks: Vec<Hunk>,
}

/// What happened to a file as a whole.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// It was there before and is still.
    #[default]
    Changed,
    /// It was not there before.
    Created,
    /// It is not there any more.
    Deleted,
    /// It has another name; its content may have changed too.
    Renamed,
}

impl Kind {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
    fn is_changed(&self) -> bool {
        *self == Self::Changed
    }
}

/// Something before and after; none where there was no file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sides<T> {
    /// Before.
    pub before: Option<T>,
    /// After.
    pub after: Option<T>,
}

impl<T> Default for Sides<T> {
    fn default() -> Self {
        Self { before: None, after: None }
    }
}

/// A piece of a change: lines that go or come, with the lines around them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hunk {
    /// Names it, by what it says: it keeps its name when others are taken or left.
    pub id: String,
    /// Its first line in the old text, counted from 1; where it has none there, the line it stands before.
    pub old_start: usize,
    /// Lines it has in the old text.
    pub old_lines: usize,
    /// Its first line in the new text, counted likewise.
    pub new_start: usize,
    /// Lines it has in the new text.
    pub new_lines: usize,
    /// Its lines without line feeds, each behind its sign: a blank, `-` or `+`; a note behind a line that is not ended has a
    /// backslash. A carriage return stays, long lines are cut.
    pub lines: Vec<String>,
    /// What changed within lines that were replaced.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub words: Vec<Words>,
    /// Lines that are not in `lines`, because there are too many.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub left_out: usize,
    /// Whether `lines` is not all of it: some are left out or cut.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_cut: bool,
}

/// What stands in [`Hunk::lines`] behind a last line that is not ended.
pub const NO_END: &str = "\\ No newline at end of file";

impl Hunk {
    /// Returns the number of one of its lines, from 1: in the new text, or in the old one for a line that goes.
    pub fn number(&self, at: usize) -> usize {
        let before = self.lines.get(..at).unwrap_or(&self.lines);
        let signs = |wanted: [char; 2]| before.iter().filter(|line| line.starts_with(wanted)).count();
        if self.lines.get(at).is_some_and(|line| line.starts_with('-')) {
            self.old_start + signs([' ', '-'])
        } else {
            self.new_start + signs([' ', '+'])
        }
    }

    /// Returns its lines in the new text, each with a line feed, for a person to change; none where not all are here.
    pub fn new_text(&self) -> Option<String> {
        let new = self.lines.iter().filter_map(|line| line.strip_prefix([' ', '+']));
        (!self.is_cut).then(|| new.map(|line| format!("{}\n", line.strip_suffix('\r').unwrap_or(line))).collect())
    }
}

/// The changed words of one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Words {
    /// Which of [`Hunk::lines`], counted from 0.
    pub line: usize,
    /// Where the words begin and end: bytes of that line, its sign included.
    pub ranges: Vec<(usize, usize)>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
fn is_zero(n: &usize) -> bool {
    *n == 0
}

/// A file by its content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileState {
    /// Absolute path, links followed.
    #[serde(with = "crate::protocol::path")]
    pub path: PathBuf,
    /// Hash of its content; none when there is no file.
    pub hash: Option<String>,
}

/// What a call did to one file, by content hash: enough to take it back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Absolute path, links followed.
    #[serde(with = "crate::protocol::path")]
    pub path: PathBuf,
    /// Hash of the content before; none when the file did not exist.
    pub before: Option<String>,
    /// Hash of the content after; none when the call removed it.
    pub after: Option<String>,
    /// Permission bits before; none when the file did not exist, or the writer did not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<u32>,
}
