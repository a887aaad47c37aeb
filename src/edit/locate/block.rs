//! How are the lines that a model names compared with those of the file, and which of them really change?

use similar::{Algorithm, DiffOp, capture_diff_slices};

use crate::edit::locate::normal::plain;
use crate::edit::locate::{Place, Splice};

/// The lines a model wants exchanged, and what it wants instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// The lines it names; never empty, and not all blank.
    pub old: Vec<String>,
    /// The lines that come instead.
    pub new: Vec<String>,
}

impl Block {
    /// Splits both texts into lines. `None` when `old` has nothing but blanks, which could be anywhere.
    ///
    /// A line end at the end of `old` means that it consists of whole lines; `new` loses its own, if it has one, so that
    /// none is doubled.
    pub fn of(old: &str, new: &str) -> Option<Self> {
        let (old, new) = match old.strip_suffix('\n') {
            Some(whole) => (whole, new.strip_suffix('\n').map_or_else(|| lines_or_none(new), lines)),
            None => (old, lines(new)),
        };
        let old = lines(old);
        old.iter().any(|line| !line.trim().is_empty()).then_some(Self { old, new })
    }

    /// Finds every run of lines that is equal to the old ones under `is_same`, and makes the change there.
    pub fn places(&self, lines: &[&str], is_same: impl Fn(&str, &str) -> bool) -> Vec<Place> {
        let starts = self.starts(lines, is_same);
        starts.into_iter().map(|first| self.place(first, |line| line.to_owned())).collect()
    }

    /// Returns the first line of every run that is equal to the old ones under `is_same`.
    pub fn starts(&self, lines: &[&str], is_same: impl Fn(&str, &str) -> bool) -> Vec<usize> {
        let n = self.old.len();
        if n > lines.len() {
            return Vec::new();
        }
        let fits = |first: &usize| self.old.iter().zip(&lines[*first..]).all(|(old, line)| is_same(old, line));
        (0..=lines.len() - n).filter(fits).collect()
    }

    /// Makes the change at `first`: lines that old and new share keep the file's bytes, new ones pass through `write`.
    pub fn place(&self, first: usize, write: impl Fn(&str) -> String) -> Place {
        let mut splices = Vec::new();
        for op in capture_diff_slices(Algorithm::Myers, &self.old, &self.new) {
            let (at, n_lines, new) = match op {
                DiffOp::Equal { .. } => continue,
                DiffOp::Delete { old_index, old_len, new_index } => (old_index, old_len, new_index..new_index),
                DiffOp::Insert { old_index, new_index, new_len } => (old_index, 0, new_index..new_index + new_len),
                DiffOp::Replace { old_index, old_len, new_index, new_len } => {
                    (old_index, old_len, new_index..new_index + new_len)
                }
            };
            let lines = self.new[new].iter().map(|line| write(line)).collect();
            splices.push(Splice { first: first + at, n_lines, lines });
        }
        Place { first, splices, is_possible: true }
    }
}

/// Splits into lines; an empty text is one empty line.
fn lines(text: &str) -> Vec<String> {
    text.split('\n').map(str::to_owned).collect()
}

/// Splits into lines; an empty text is none.
fn lines_or_none(text: &str) -> Vec<String> {
    if text.is_empty() { Vec::new() } else { lines(text) }
}

/// The rung that ignores blanks at the ends of lines.
pub fn ignoring_trailing_blanks(lines: &[&str], block: &Block) -> Vec<Place> {
    block.places(lines, |old, line| old.trim_end() == line.trim_end())
}

/// Adds every place that could be meant when a line was miscopied in any forgiven way: once the text is known not to be
/// exact, a place is only certain when there is no other like it. Sorted; nothing is added to nothing.
pub fn with_look_alikes(lines: &[&str], block: &Block, mut found: Vec<Place>) -> Vec<Place> {
    if found.is_empty() {
        return found;
    }
    for first in block.starts(lines, |old, line| plain(old.trim()) == plain(line.trim())) {
        if found.iter().all(|place| place.first != first) {
            found.push(Place { first, splices: Vec::new(), is_possible: false });
        }
    }
    found.sort_by_key(|place| place.first);
    found
}
