//! What stands in the line for what was pasted, and how does it stay whole?
//!
//! A chip, `[pasted #1: 120 lines]`, stands for a long paste until the words are sent. Whoever writes or deletes inside of it would
//! lose the paste: the cursor goes behind it first, and a chip is deleted as one sign.

use std::ops::Range;

use crate::base::text::count;

/// What was pasted, in the order it was.
#[derive(Debug, Clone, Default)]
pub struct Pastes(Vec<Paste>);

#[derive(Debug, Clone)]
struct Paste {
    chip: String,
    text: String,
}

impl Pastes {
    /// Keeps a paste; returns what stands for it.
    pub fn fold(&mut self, text: String) -> String {
        let chip = format!("[pasted #{}: {}]", self.0.len() + 1, count(text.lines().count(), "line"));
        self.0.push(Paste { chip: chip.clone(), text });
        chip
    }

    /// Says whether nothing was pasted.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns lines with what their chips stand for.
    pub fn unfolded(&self, lines: &[String]) -> String {
        let mut whole = lines.join("\n");
        for paste in &self.0 {
            whole = whole.replace(&paste.chip, &paste.text);
        }
        whole
    }

    /// Returns where chips stand in a line, as ranges of its characters.
    pub fn in_line(&self, line: &str) -> Vec<Range<usize>> {
        let range = |paste: &Paste| {
            let at = line.find(&paste.chip)?;
            let start = line[..at].chars().count();
            Some(start..start + paste.chip.chars().count())
        };
        self.0.iter().filter_map(range).collect()
    }

    /// Says whether a change of the lines left a part of a chip.
    pub fn are_broken(&self, before: &[String], after: &[String]) -> bool {
        let n = |lines: &[String], part: &str| lines.iter().map(|line| line.matches(part).count()).sum::<usize>();
        self.0.iter().any(|paste| {
            let Some((head, tail)) = paste.chip.split_once(':') else { return false };
            let is_gone = n(before, &paste.chip) > n(after, &paste.chip);
            is_gone && (n(after, head) + 1 > n(before, head) || n(after, tail) + 1 > n(before, tail))
        })
    }
}
