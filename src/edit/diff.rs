//! How is the change of a file shown?
//!
//! As a heading, counts, the unified format, and pieces that can be judged. Must not read files: it is told both sides.

use crate::base::text::{clip_middle, one_line_name};
use crate::edit::hunks::Compared;
use crate::protocol::diff::{FileDiff, Kind, Sides};
use crate::protocol::review::Draft;

/// Bytes of a diff in unified format that are kept; nobody reads more of one file.
const MAX_DIFF_BYTES: usize = 200_000;

/// Compares the text of the file called `path` before and after; `None` for a file that is not there.
pub fn file_diff(path: &str, before: Option<&str>, after: Option<&str>) -> FileDiff {
    Described { path, text: Sides { before, after }, ..Described::default() }.diff()
}

/// Compares what a call would make of a file with what it is.
pub fn draft_diff(draft: &Draft) -> FileDiff {
    let text = Sides { before: draft.before.as_deref(), after: draft.after.as_deref() };
    Described { path: &draft.name, from: draft.from.as_deref(), text, ..Described::default() }.diff()
}

/// All that is known of a change of one file.
#[derive(Debug, Clone, Copy, Default)]
pub struct Described<'a> {
    /// Path relative to the workspace, or absolute outside it.
    pub path: &'a str,
    /// Its path before, when it was renamed.
    pub from: Option<&'a str>,
    /// Its text; none where there is no file, or none that is text.
    pub text: Sides<&'a str>,
    /// Its permission bits; none where there is no file, or nobody asks.
    pub mode: Sides<u32>,
    /// Its length in bytes, when it is not text.
    pub binary: Option<Sides<u64>>,
}

impl Described<'_> {
    /// Compares both sides.
    pub fn diff(&self) -> FileDiff {
        let sides = match self.binary {
            Some(binary) => (binary.before.is_some(), binary.after.is_some()),
            None => (self.text.before.is_some(), self.text.after.is_some()),
        };
        let kind = match sides {
            (false, true) => Kind::Created,
            (true, false) => Kind::Deleted,
            _ if self.from.is_some() => Kind::Renamed,
            _ => Kind::Changed,
        };
        let compared = Compared::new(self.text.before.unwrap_or_default(), self.text.after.unwrap_or_default());
        let (added, removed) = compared.counts();
        let pieces = compared.unified();
        let unified = [self.heading(), self.sides(kind, !pieces.is_empty()), pieces].concat();
        FileDiff {
            path: self.path.to_owned(),
            kind,
            from: self.from.map(str::to_owned),
            mode: self.changed_mode(),
            binary: self.binary,
            added,
            removed,
            unified: clip_middle(&unified, MAX_DIFF_BYTES, "").into_owned(),
            hunks: compared.hunks(),
        }
    }

    fn changed_mode(&self) -> Option<Sides<u32>> {
        let is_changed = self.mode.before.is_some() && self.mode.after.is_some() && self.mode.before != self.mode.after;
        is_changed.then_some(self.mode)
    }

    /// Says what changed besides the lines, in git's words.
    fn heading(&self) -> String {
        let mut lines = Vec::new();
        if let Some(Sides { before: Some(before), after: Some(after) }) = self.changed_mode() {
            lines.push(format!("old mode 100{before:03o}\nnew mode 100{after:03o}\n"));
        }
        if let Some(from) = self.from {
            lines.push(format!("rename from {}\nrename to {}\n", one_line_name(from), one_line_name(self.path)));
        }
        lines.concat()
    }

    /// Names both sides, above lines or instead of them.
    fn sides(&self, kind: Kind, has_lines: bool) -> String {
        let (from, to) = (one_line_name(self.from.unwrap_or(self.path)), one_line_name(self.path));
        let old = if kind == Kind::Created { "/dev/null".to_owned() } else { format!("a/{from}") };
        let new = if kind == Kind::Deleted { "/dev/null".to_owned() } else { format!("b/{to}") };
        match (self.binary, has_lines) {
            (Some(_), _) => format!("Binary files {old} and {new} differ\n"),
            (None, true) => format!("--- {old}\n+++ {new}\n"),
            (None, false) => String::new(),
        }
    }
}
