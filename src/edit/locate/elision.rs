//! Did the model write `...` for lines it did not want to repeat?
//!
//! Each stretch between such lines must be in the file exactly once, one after the other, and the text must begin and end
//! with a real line, so that what is left out is bounded on both sides. The new text must leave out the same stretches.

use crate::edit::locate::Place;
use crate::edit::locate::block::Block;

/// The rung that lets `...` stand for the lines of the file between.
pub fn around_elisions(lines: &[&str], block: &Block) -> Vec<Place> {
    let (old, new) = (stretches(&block.old), stretches(&block.new));
    let is_bounded = old.len() > 1 && old.iter().all(|stretch| stretch.iter().any(|line| !line.trim().is_empty()));
    if !is_bounded || old.len() != new.len() {
        return Vec::new();
    }
    let (mut splices, mut first, mut free) = (Vec::new(), None, 0);
    for (old, new) in old.into_iter().zip(new) {
        let n_lines = old.len();
        let stretch = Block { old, new };
        let starts = stretch.starts(lines, |old, line| old.trim_end() == line.trim_end());
        let [start] = starts.as_slice() else { return Vec::new() };
        if *start < free {
            return Vec::new();
        }
        splices.extend(stretch.place(*start, str::to_owned).splices);
        first.get_or_insert(*start);
        free = start + n_lines;
    }
    first.map(|first| Place { first, splices, is_possible: true }).into_iter().collect()
}

/// Cuts the lines at those that stand for others.
fn stretches(lines: &[String]) -> Vec<Vec<String>> {
    lines.split(|line| is_elision(line)).map(<[String]>::to_vec).collect()
}

fn is_elision(line: &str) -> bool {
    let line = line.trim();
    let bare = ["//", "#", "--", ";", "%"].iter().find_map(|start| line.strip_prefix(start)).unwrap_or(line);
    matches!(bare.trim(), "..." | "…")
}
