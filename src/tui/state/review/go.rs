//! How does a person get from one place of the changes to another?
//!
//! By lines, hunks, files, what is still open, and words. A place is always one that is there.

use crate::protocol::diff::Hunk;
use crate::tui::state::review::{At, Review};

/// Lines a page is: state does not know how high the screen is.
const PAGE: usize = 15;

impl Review {
    fn n_hunks(&self, file: usize) -> usize {
        self.files.get(file).map_or(0, |file| file.diff.hunks.len())
    }

    fn n_lines(&self, file: usize, hunk: usize) -> usize {
        self.files.get(file).and_then(|file| file.diff.hunks.get(hunk)).map_or(0, |hunk| hunk.lines.len())
    }

    /// To the first line of the hunk that changes anything.
    pub(super) fn go_to_change(&mut self) {
        self.at.line = self.hunk().map_or(0, first_change);
    }

    /// So many lines on or back; over the ends of hunks and files.
    pub(super) fn go_lines(&mut self, by: isize) {
        for _ in 0..by.unsigned_abs() {
            let moved = if by > 0 { self.line_on() } else { self.line_back() };
            if !moved {
                return;
            }
        }
    }

    pub(super) fn go_pages(&mut self, by: isize) {
        self.go_lines(by * PAGE.cast_signed());
    }

    fn line_on(&mut self) -> bool {
        let At { file, hunk, line } = self.at;
        if line + 1 < self.n_lines(file, hunk) {
            self.at.line += 1;
        } else if hunk + 1 < self.n_hunks(file) {
            self.at = At { file, hunk: hunk + 1, line: 0 };
        } else if file + 1 < self.files.len() {
            self.at = At { file: file + 1, hunk: 0, line: 0 };
        } else {
            return false;
        }
        true
    }

    fn line_back(&mut self) -> bool {
        let At { file, hunk, line } = self.at;
        let last = |review: &Self, file: usize, hunk: usize| review.n_lines(file, hunk).saturating_sub(1);
        if line > 0 {
            self.at.line -= 1;
        } else if hunk > 0 {
            self.at = At { file, hunk: hunk - 1, line: last(self, file, hunk - 1) };
        } else if file > 0 {
            let hunk = self.n_hunks(file - 1).saturating_sub(1);
            self.at = At { file: file - 1, hunk, line: last(self, file - 1, hunk) };
        } else {
            return false;
        }
        true
    }

    /// To the next hunk, or the one before; over the ends of files.
    pub(super) fn go_hunk(&mut self, by: isize) {
        let At { file, hunk, .. } = self.at;
        if by > 0 && hunk + 1 < self.n_hunks(file) {
            self.at.hunk += 1;
        } else if by > 0 && file + 1 < self.files.len() {
            self.at = At { file: file + 1, hunk: 0, line: 0 };
        } else if by < 0 && hunk > 0 {
            self.at.hunk -= 1;
        } else if by < 0 && file > 0 {
            self.at = At { file: file - 1, hunk: self.n_hunks(file - 1).saturating_sub(1), line: 0 };
        }
        self.go_to_change();
    }

    pub(super) fn go_file(&mut self, by: isize) {
        let file = self.at.file.saturating_add_signed(by).min(self.files.len().saturating_sub(1));
        self.go_to_file(file);
    }

    pub(super) fn go_to_file(&mut self, file: usize) {
        if file != self.at.file && file < self.files.len() {
            self.at = At { file, hunk: 0, line: 0 };
            self.go_to_change();
        }
    }

    /// To a file by its path, and there to a hunk, where they are still there.
    pub(super) fn go_to(&mut self, path: &str, hunk: Option<&str>) {
        let after = self.files.partition_point(|file| file.diff.path.as_str() < path);
        let file = after.min(self.files.len().saturating_sub(1));
        let hunks = self.files.get(file).map(|file| file.diff.hunks.as_slice()).unwrap_or_default();
        let hunk = hunks.iter().position(|other| Some(other.id.as_str()) == hunk).unwrap_or(0);
        self.at = At { file, hunk, line: 0 };
        self.go_to_change();
    }

    pub(super) fn go_end(&mut self, by: isize) {
        let file = if by > 0 { self.files.len().saturating_sub(1) } else { 0 };
        let hunk = if by > 0 { self.n_hunks(file).saturating_sub(1) } else { 0 };
        self.at = At { file, hunk, line: 0 };
        self.go_to_change();
    }

    /// To the next hunk nothing was decided of, from the beginning again where there is none behind; says whether there is any.
    pub(super) fn go_open(&mut self) -> bool {
        let here = (self.at.file, self.at.hunk);
        let places = self.files.iter().enumerate();
        let open = places.flat_map(|(file, found)| {
            let pieces = found.pieces.iter().enumerate().filter(|(_, piece)| !piece.is_decided());
            pieces.map(move |(hunk, _)| (file, hunk))
        });
        let open: Vec<(usize, usize)> = open.collect();
        let next = open.iter().find(|place| **place > here).or(open.first());
        if let Some((file, hunk)) = next {
            self.at = At { file: *file, hunk: *hunk, line: 0 };
            self.go_to_change();
        }
        next.is_some()
    }

    /// To the next line with the words that are searched, or the one before; says whether there is any. Capital letters count
    /// only where the words have some.
    pub(super) fn go_match(&mut self, by: isize) -> bool {
        let Some(words) = self.search.clone().filter(|words| !words.is_empty()) else { return false };
        let is_exact = words.chars().any(char::is_uppercase);
        let has = |line: &str| if is_exact { line.contains(&words) } else { line.to_lowercase().contains(&words) };
        let in_file = |file: usize| {
            let hunks = self.files[file].diff.hunks.iter().enumerate();
            let lines = hunks.flat_map(move |(hunk, found)| (0..found.lines.len()).map(move |line| (hunk, line)));
            lines.map(move |(hunk, line)| At { file, hunk, line })
        };
        let text = |at: &At| has(self.files[at.file].diff.hunks[at.hunk].lines[at.line].get(1..).unwrap_or_default());
        let n = self.files.len();
        let order: Vec<usize> =
            (0..=n).map(|step| (self.at.file + if by > 0 { step } else { 2 * n - step }) % n.max(1)).collect();
        let mut found = None;
        for (step, file) in order.iter().enumerate() {
            let here = self.at;
            let is_wanted = |at: &At| step == n || step > 0 || if by > 0 { *at > here } else { *at < here };
            let mut fitting = in_file(*file).filter(|at| is_wanted(at) && text(at));
            found = if by > 0 { fitting.next() } else { fitting.next_back() };
            if found.is_some() {
                break;
            }
        }
        if let Some(at) = found {
            self.at = at;
        }
        found.is_some()
    }
}

fn first_change(hunk: &Hunk) -> usize {
    hunk.lines.iter().position(|line| line.starts_with(['+', '-'])).unwrap_or(0)
}
