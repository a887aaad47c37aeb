//! How is a file, or anything long, looked at?
//!
//! Lines with one of them chosen, which stays in sight; words in them are found; a line that names a place in a file leads there.

use crate::tui::diff_view::Spans;
use crate::tui::keymap::Action;
use crate::tui::state::around::{Ask, Writing};
use crate::tui::state::message::Cmd;
use crate::tui::state::outside::Want;
use crate::tui::state::{Front, Purpose, State};

/// Lines that a page is.
const PAGE: usize = 20;

/// Something that is looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Viewer {
    /// What it is called.
    pub title: String,
    /// What is to be known of it besides: that it is cut, or no text.
    pub note: String,
    /// Its lines.
    pub lines: Vec<Spans>,
    /// Whether lines are counted.
    pub is_numbered: bool,
    /// Which line is chosen, from 0.
    pub at: usize,
    /// What is found in it.
    pub query: String,
}

impl Viewer {
    /// Returns the words of a line.
    pub fn words(&self, at: usize) -> String {
        self.lines.get(at).into_iter().flatten().map(|(_, text)| text.as_str()).collect()
    }

    /// Chooses another line, at most the last.
    pub(in crate::tui::state) fn go(&mut self, by: isize) {
        self.at = self.at.saturating_add_signed(by).min(self.lines.len().saturating_sub(1));
    }

    /// Goes to the next line, or the one before, in which the words are; round the end.
    fn find(&mut self, is_forward: Way) -> bool {
        let (n, query) = (self.lines.len(), self.query.to_lowercase());
        if query.is_empty() {
            return false;
        }
        let way = |step: usize| match is_forward {
            Way::Here => (self.at + step) % n,
            Way::On => (self.at + 1 + step) % n,
            Way::Back => (self.at + 2 * n - 1 - step) % n,
        };
        let found = (0..n).map(way).find(|at| self.words(*at).to_lowercase().contains(&query));
        self.at = found.unwrap_or(self.at);
        found.is_some()
    }
}

/// Which way is looked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Here,
    On,
    Back,
}

/// Reads `path:line`, or a path alone.
pub fn place(words: &str) -> Option<(String, Option<usize>)> {
    let words = words.trim();
    let mut parts = words.splitn(3, ':');
    let path = parts.next().filter(|path| !path.is_empty())?;
    let line = parts.next().and_then(|line| line.trim().parse().ok());
    let path = if line.is_none() && words.contains(':') { words } else { path };
    Some((path.to_owned(), line))
}

/// Finds a place in a file that a line of results names: `src/a.rs:12: words`, or a path alone.
fn named(line: &str) -> Option<(String, Option<usize>)> {
    let (path, at) = place(line)?;
    let is_path = !path.contains(char::is_whitespace) && (path.contains('/') || path.contains('.'));
    is_path.then_some((path, at))
}

impl State {
    /// Puts something to be looked at in front; what was there is come back to.
    pub(super) fn open_viewer(&mut self, viewer: Viewer) {
        let viewer = Front::Viewer(Box::new(viewer));
        match std::mem::replace(&mut self.front, Front::Chat) {
            Front::Board(board) => {
                self.around.behind = Some(board);
                self.front = viewer;
            }
            other => {
                self.front = other;
                self.put_in_front(viewer);
            }
        }
    }

    /// Has a file come to be looked at.
    pub(super) fn open_file(&mut self, words: &str) -> Vec<Cmd> {
        let Some((path, line)) = place(words) else {
            self.hint = Some("name a file: /open src/main.rs:12".to_owned());
            return Vec::new();
        };
        vec![Cmd::Want(Want::Around(Ask::Open { path, line }))]
    }

    pub(in crate::tui::state) fn on_viewer(&mut self, action: Option<Action>) -> Vec<Cmd> {
        let Front::Viewer(viewer) = &mut self.front else { return Vec::new() };
        let last = viewer.lines.len().saturating_sub(1);
        match action {
            Some(Action::Close | Action::Interrupt) => match self.around.behind.take() {
                Some(board) => self.front = Front::Board(board),
                None => self.uncover(),
            },
            Some(Action::RowUp) => viewer.go(-1),
            Some(Action::RowDown) => viewer.go(1),
            Some(Action::PageUp) => viewer.at = viewer.at.saturating_sub(PAGE),
            Some(Action::PageDown) => viewer.at = (viewer.at + PAGE).min(last),
            Some(Action::Top) => viewer.at = 0,
            Some(Action::Bottom) => viewer.at = last,
            Some(Action::Find) => self.write_for(Purpose::Line(Writing::FindInFile)),
            Some(Action::NextFound) => return self.find_in_file(Way::On),
            Some(Action::PreviousFound) => return self.find_in_file(Way::Back),
            Some(Action::Choose) => match named(&viewer.words(viewer.at)) {
                Some((path, line)) => return vec![Cmd::Want(Want::Around(Ask::Open { path, line }))],
                None => self.hint = Some("this line names no place in a file".to_owned()),
            },
            other => return self.anywhere(other),
        }
        Vec::new()
    }

    fn find_in_file(&mut self, way: Way) -> Vec<Cmd> {
        if let Front::Viewer(viewer) = &mut self.front
            && !viewer.find(way)
        {
            let words = if viewer.query.is_empty() { "nothing is looked for" } else { "it is not in here" };
            self.hint = Some(words.to_owned());
        }
        Vec::new()
    }

    /// Looks for words in what is looked at.
    pub(super) fn look_in_file(&mut self, words: &str) -> Vec<Cmd> {
        if let Front::Viewer(viewer) = &mut self.front {
            words.trim().clone_into(&mut viewer.query);
        }
        self.find_in_file(Way::Here)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_in_files_are_read() {
        let table = [
            ("src/a.rs:12", Some(("src/a.rs", Some(12)))),
            ("src/a.rs:12:5: words", Some(("src/a.rs", Some(12)))),
            ("src/a.rs", Some(("src/a.rs", None))),
            ("a:b", Some(("a:b", None))),
            ("  ", None),
        ];
        for (words, expected) in table {
            assert_eq!(place(words), expected.map(|(path, line)| (path.to_owned(), line)), "{words}");
        }
        assert_eq!(named("3 files hold it"), None);
        assert_eq!(named("src/a.rs:3:fn main() {"), Some(("src/a.rs".to_owned(), Some(3))));
    }
}
