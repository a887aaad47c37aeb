//! Several places have the text: which one was meant?
//!
//! What the dialect says of the place decides when it leaves exactly one: an anchor above it, its line number, the end of
//! the file, the order of the hunks. A place that an anchor rules out is never taken, not even when it is the only one.

use crate::edit::EditError;
use crate::edit::change::Replacement;
use crate::edit::locate::normal::plain;
use crate::edit::misstated::Misstated;
use crate::edit::nearest::nearest;
use crate::edit::seek::Scope;

/// Characters from which the start of a line is enough to name it as an anchor; diffs cut long headings short.
const MIN_ANCHOR_CHARS: usize = 4;

/// How one place is chosen among several.
#[derive(Debug)]
pub struct Choice<'a> {
    lines: Vec<&'a str>,
    /// Rows of the innermost anchor, counted from 0; none when there is no anchor.
    anchors: Option<Vec<usize>>,
    /// The innermost anchor as given.
    anchor: String,
    row: Option<usize>,
    is_at_end: bool,
    after: Option<usize>,
}

impl<'a> Choice<'a> {
    /// Reads the hints of a replacement against the text.
    ///
    /// # Errors
    /// [`Misstated::NoAnchor`] when an anchor is nowhere.
    pub fn new(text: &'a str, wanted: &Replacement, scope: Scope) -> Result<Self, EditError> {
        let hint = &wanted.hint;
        let needs_lines = hint.is_at_end || !hint.anchors.is_empty();
        let lines: Vec<&str> = if needs_lines { text.split('\n').collect() } else { Vec::new() };
        let after = (hint.is_in_order && scope.after > 0).then_some(scope.after);
        let anchors = anchor_rows(text, &lines, &hint.anchors, after.unwrap_or(0))?;
        let anchor = hint.anchors.last().cloned().unwrap_or_default();
        let row = hint.line.filter(|_| scope.trusts_numbers).and_then(|line| line.checked_sub(1));
        Ok(Self { lines, anchors, anchor, row, is_at_end: hint.is_at_end, after })
    }

    /// Returns the row that was meant among `rows`, which rise, for a text of `n_lines`.
    pub fn of(&self, rows: &[usize], n_lines: usize) -> Option<usize> {
        if let Some(anchors) = &self.anchors {
            return self.below(anchors, rows);
        }
        if let [row] = rows {
            return Some(*row);
        }
        let at_end = || {
            let n_file = self.lines.len() - usize::from(self.lines.last().is_some_and(|line| line.is_empty()));
            only(rows, |row| row + n_lines >= n_file)
        };
        let numbered = self.row.and_then(|wanted| only(rows, |row| row == wanted));
        let last = if self.is_at_end { at_end() } else { None };
        numbered.or(last).or_else(|| self.after.and_then(|after| only(rows, |row| row >= after)))
    }

    /// Chooses by the anchor: inside the block that it opens, where it opens one, else the next place below it. An anchor that
    /// is there several times only rules out what is above them all.
    fn below(&self, anchors: &[usize], rows: &[usize]) -> Option<usize> {
        let first = anchors.first()?;
        let below: Vec<usize> = rows.iter().copied().filter(|row| row >= first).collect();
        match (below.as_slice(), anchors) {
            ([row], _) => Some(*row),
            (several, [anchor]) => match self.block(*anchor) {
                Some(end) => only(several, |row| row < end),
                None => several.first().copied(),
            },
            _ => None,
        }
    }

    /// Returns the row after the block that the line `anchor` opens by indentation; none when it opens none.
    fn block(&self, anchor: usize) -> Option<usize> {
        let depth = |line: &str| line.len() - line.trim_start().len();
        let base = depth(self.lines.get(anchor)?);
        let mut rest = self.lines.iter().enumerate().skip(anchor + 1).filter(|(_, line)| !line.trim().is_empty());
        if rest.next().is_none_or(|(_, line)| depth(line) <= base) {
            return None;
        }
        Some(rest.find(|(_, line)| depth(line) <= base).map_or(self.lines.len(), |(row, _)| row))
    }

    /// Returns the row of the anchor, or, when several lines are like it, those lines; none without an anchor.
    pub fn anchor(&self) -> Option<Result<usize, Vec<usize>>> {
        let anchors = self.anchors.as_ref()?;
        Some(match anchors.as_slice() {
            [row] => Ok(*row),
            several => Err(several.iter().map(|row| row + 1).collect()),
        })
    }

    /// Says why none of the places at `lines` was taken.
    pub fn refusal(&self, lines: &[usize]) -> EditError {
        match lines {
            [line] => Misstated::AboveAnchor { anchor: self.anchor.clone(), line: *line }.into(),
            several => EditError::Ambiguous { lines: several.to_vec() },
        }
    }
}

/// Returns the only one of `rows` that fits.
fn only(rows: &[usize], fits: impl Fn(usize) -> bool) -> Option<usize> {
    let mut found = rows.iter().copied().filter(|row| fits(*row));
    let first = found.next()?;
    found.next().is_none().then_some(first)
}

/// Finds the innermost anchor below the outer ones; rows from `after` on come before others.
fn anchor_rows(text: &str, lines: &[&str], anchors: &[String], after: usize) -> Result<Option<Vec<usize>>, EditError> {
    let mut rows: Option<Vec<usize>> = None;
    for anchor in anchors {
        let all = rows_like(lines, anchor);
        let found: Vec<usize> = match &rows {
            None => all,
            // The next line like it below each of the outer ones.
            Some(outer) => {
                let mut next: Vec<usize> =
                    outer.iter().filter_map(|row| all.iter().find(|inner| *inner > row).copied()).collect();
                next.dedup();
                next
            }
        };
        if found.is_empty() {
            return Err(Misstated::NoAnchor { anchor: anchor.clone(), nearest: nearest(text, anchor) }.into());
        }
        rows = Some(found);
    }
    Ok(rows.map(|rows| {
        let later: Vec<usize> = rows.iter().copied().filter(|row| *row >= after).collect();
        if later.is_empty() { rows } else { later }
    }))
}

/// Returns the rows of the lines an anchor names: equal to it but for blanks around and look-alikes, else beginning with it.
fn rows_like(lines: &[&str], anchor: &str) -> Vec<usize> {
    let wanted = plain(anchor.trim());
    let rows = |fits: &dyn Fn(&str) -> bool| -> Vec<usize> {
        lines.iter().enumerate().filter(|(_, line)| fits(&plain(line.trim()))).map(|(row, _)| row).collect()
    };
    let equal = rows(&|line| line == wanted);
    match equal.is_empty() && wanted.chars().count() >= MIN_ANCHOR_CHARS {
        true => rows(&|line| line.starts_with(wanted.as_ref())),
        false => equal,
    }
}
