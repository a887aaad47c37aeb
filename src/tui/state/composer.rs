//! How are words written before they are sent?
//!
//! A small editor with undo and history. Large pastes are folded to a chip, `[pasted #1: 120 lines]`, that stands for them
//! until they are sent. Must not send anything itself.

use ratatui_textarea::{CursorMove, TextArea};

use crate::tui::key::{Code, Key};
use crate::tui::state::pastes::Pastes;
use crate::tui::state::vim::{Mode, Vim};

/// Lines or bytes from which a paste is folded.
const MAX_PASTE_LINES: usize = 12;
const MAX_PASTE_BYTES: usize = 2000;
/// Bytes from which words that are put back are folded too.
const MAX_WRITTEN_BYTES: usize = 64_000;
/// Entries of the history kept in memory.
const MAX_HISTORY: usize = 1000;

/// What a key deletes.
#[derive(Clone, Copy)]
enum Deletes {
    SignBefore,
    WordBefore,
    SignBehind,
    WordBehind,
}

/// The words being written.
#[derive(Debug, Clone, Default)]
pub struct Composer {
    area: TextArea<'static>,
    pastes: Pastes,
    history: Vec<String>,
    /// Where in the history the person is, and what they had written before they went there.
    at: Option<(usize, String)>,
    /// The keys of vi, where they are wanted.
    vim: Option<Vim>,
}

/// Words set aside while something else is written: with their pastes, their cursor and what can be undone.
#[derive(Debug, Clone)]
pub struct Aside {
    area: TextArea<'static>,
    pastes: Pastes,
}

impl Aside {
    /// Returns the words with what the chips stand for.
    pub fn whole(&self) -> String {
        self.pastes.unfolded(self.area.lines())
    }
}

impl Composer {
    /// Starts with a history, oldest first, and a draft.
    pub fn new(history: Vec<String>, draft: &str) -> Self {
        let mut composer = Self { history, ..Self::default() };
        composer.set(draft);
        composer
    }

    /// Writes with the keys of vi.
    #[must_use]
    pub fn with_vim(mut self) -> Self {
        self.vim = Some(Vim::default());
        self
    }

    /// Returns the mode of the keys of vi, where they are used.
    pub fn vim_mode(&self) -> Option<Mode> {
        self.vim.as_ref().map(|vim| vim.mode)
    }

    /// Esc in the keys of vi: says whether there was a mode to leave.
    pub fn leave_insert(&mut self) -> bool {
        self.vim.as_mut().is_some_and(|vim| vim.escape(&mut self.area))
    }

    /// Says whether the cursor stands right behind a sign that is no blank.
    pub fn is_in_word(&self) -> bool {
        let (line, at) = self.cursor();
        let before = at.checked_sub(1).and_then(|at| self.area.lines().get(line)?.chars().nth(at));
        before.is_some_and(|c| !c.is_whitespace())
    }

    /// Returns the lines as they stand, chips included.
    pub fn lines(&self) -> &[String] {
        self.area.lines()
    }

    /// Returns the cursor: line and character, from 0.
    pub fn cursor(&self) -> (usize, usize) {
        let cursor = self.area.cursor();
        (cursor.0, cursor.1)
    }

    /// Says whether nothing is written.
    pub fn is_empty(&self) -> bool {
        self.area.is_empty()
    }

    /// Returns the words as written, chips included.
    pub fn text(&self) -> String {
        self.area.lines().join("\n")
    }

    /// Returns the words with what the chips stand for.
    pub fn whole(&self) -> String {
        self.pastes.unfolded(self.area.lines())
    }

    /// Sets the words aside; nothing stands here then.
    pub fn set_aside(&mut self) -> Aside {
        let aside = Aside { area: std::mem::take(&mut self.area), pastes: std::mem::take(&mut self.pastes) };
        self.clear();
        aside
    }

    /// Comes back to words that were set aside, in the place of those that stand here.
    pub fn take_back(&mut self, aside: Aside) {
        self.clear();
        (self.area, self.pastes) = (aside.area, aside.pastes);
    }

    /// Replaces the words; the cursor goes to the end. What nobody would look through is folded as a paste is.
    pub fn set(&mut self, text: &str) {
        if text.len() > MAX_WRITTEN_BYTES {
            self.area = TextArea::default();
            return self.paste(text);
        }
        self.area = TextArea::from(text.split('\n').map(str::to_owned));
        self.area.move_cursor(CursorMove::Bottom);
        self.area.move_cursor(CursorMove::End);
    }

    /// Takes the words away, with what the chips stand for, and keeps them in the history.
    pub fn take(&mut self) -> String {
        let whole = self.whole();
        self.clear();
        if !whole.trim().is_empty() && self.history.last() != Some(&whole) {
            self.history.push(whole.clone());
            let excess = self.history.len().saturating_sub(MAX_HISTORY);
            self.history.drain(..excess);
        }
        whole
    }

    /// Forgets the words.
    pub fn clear(&mut self) {
        self.area = TextArea::default();
        if let Some(vim) = &mut self.vim {
            vim.mode = Mode::Insert;
        }
        self.pastes = Pastes::default();
        self.at = None;
    }

    /// Puts in what was pasted: as it is, or folded where it is long.
    pub fn paste(&mut self, text: &str) {
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        self.leave_chip();
        if text.lines().count() <= MAX_PASTE_LINES && text.len() <= MAX_PASTE_BYTES {
            self.area.insert_str(text);
            return;
        }
        let chip = self.pastes.fold(text);
        self.area.insert_str(chip);
    }

    /// Goes behind a chip, if the cursor stands inside of one: whatever is changed there would break it.
    fn leave_chip(&mut self) {
        let (line, at) = self.cursor();
        let chips = self.pastes.in_line(&self.area.lines()[line]);
        if let Some(chip) = chips.iter().find(|chip| chip.start < at && at < chip.end) {
            self.jump(line, chip.end);
        }
    }

    /// Deletes a chip that stands right before the cursor or behind it; says whether there was one. Whole words begin
    /// behind blanks.
    fn delete_chip(&mut self, deletes: Deletes) -> bool {
        let (line, at) = self.cursor();
        let text: Vec<char> = self.area.lines()[line].chars().collect();
        let edge = match deletes {
            Deletes::WordBefore => at - n_blanks(text[..at].iter().rev()),
            Deletes::WordBehind => at + n_blanks(text[at..].iter()),
            Deletes::SignBefore | Deletes::SignBehind => at,
        };
        let is_back = matches!(deletes, Deletes::SignBefore | Deletes::WordBefore);
        let chips = self.pastes.in_line(&self.area.lines()[line]);
        let Some(chip) = chips.into_iter().find(|chip| edge == if is_back { chip.end } else { chip.start }) else {
            return false;
        };
        let (from, to) = if is_back { (chip.start, at) } else { (at, chip.end) };
        self.jump(line, from);
        self.area.delete_str(to - from)
    }

    /// Begins a new line.
    pub fn newline(&mut self) {
        self.leave_chip();
        self.area.insert_newline();
    }

    /// Takes a key for writing and moving; says whether it meant anything.
    pub fn key(&mut self, key: Key) -> bool {
        if let (Some(c), Some(vim)) = (key.typed(), &mut self.vim)
            && vim.mode == Mode::Normal
        {
            let before = if self.pastes.is_empty() { Vec::new() } else { self.area.lines().to_vec() };
            vim.normal(&mut self.area, c);
            if self.pastes.are_broken(&before, self.area.lines()) {
                self.area.undo();
            }
            return true;
        }
        if self.move_by(key) {
            return true;
        }
        self.leave_chip();
        if let Some(c) = key.typed() {
            self.area.insert_char(c);
            return true;
        }
        let deletes = match (key.code, key.ctrl, key.alt) {
            (Code::Backspace, false, false) => Some(Deletes::SignBefore),
            (Code::Backspace, _, _) | (Code::Char('w'), true, false) => Some(Deletes::WordBefore),
            (Code::Delete, false, false) => Some(Deletes::SignBehind),
            (Code::Delete, _, _) | (Code::Char('d'), false, true) => Some(Deletes::WordBehind),
            _ => None,
        };
        if deletes.is_some_and(|deletes| self.delete_chip(deletes)) {
            return true;
        }
        match (key.code, key.ctrl, key.alt) {
            (Code::Backspace, false, false) => self.area.delete_char(),
            (Code::Backspace, _, _) | (Code::Char('w'), true, false) => self.area.delete_word(),
            (Code::Delete, false, false) => self.area.delete_next_char(),
            (Code::Delete, _, _) | (Code::Char('d'), false, true) => self.area.delete_next_word(),
            (Code::Char('u'), true, false) => self.area.delete_line_by_head(),
            (Code::Char('k'), true, false) => self.area.delete_line_by_end(),
            (Code::Char('y'), true, false) => self.area.paste(),
            (Code::Char('z'), false, true) | (Code::Char('_'), true, false) => self.area.undo(),
            (Code::Char('Z'), false, true) => self.area.redo(),
            _ => return false,
        };
        true
    }

    fn move_by(&mut self, key: Key) -> bool {
        let by = match (key.code, key.ctrl || key.alt) {
            (Code::Left | Code::Char('b'), true) if key.alt || key.code == Code::Left => CursorMove::WordBack,
            (Code::Right | Code::Char('f'), true) if key.alt || key.code == Code::Right => CursorMove::WordForward,
            (Code::Left, false) | (Code::Char('b'), true) => CursorMove::Back,
            (Code::Right, false) | (Code::Char('f'), true) => CursorMove::Forward,
            (Code::Home, false) | (Code::Char('a'), true) => CursorMove::Head,
            (Code::End, false) | (Code::Char('e'), true) => CursorMove::End,
            _ => return false,
        };
        self.area.move_cursor(by);
        true
    }

    /// Moves to a line and character.
    pub fn jump(&mut self, line: usize, character: usize) {
        let clip = |n: usize| u16::try_from(n).unwrap_or(u16::MAX);
        self.area.move_cursor(CursorMove::Jump(clip(line), clip(character)));
    }

    /// Writes in the place of what stands between a line and character and the cursor.
    pub fn replace(&mut self, from: (usize, usize), text: &str) {
        let (line, end) = self.cursor();
        if line == from.0 && end >= from.1 {
            self.jump(line, from.1);
            self.area.delete_str(end - from.1);
            self.area.insert_str(text);
        }
    }

    /// Leaves an entry of the history; returns what to come back to. One that was changed is what is being written now, and
    /// what was before it goes into the history.
    fn left(&mut self, at: usize, kept: String) -> String {
        if self.history.get(at).is_some_and(|entry| *entry == self.whole()) {
            return kept;
        }
        if !kept.trim().is_empty() {
            self.history.push(kept);
        }
        self.text()
    }

    /// Shows what was written before; says whether there was something.
    pub fn back(&mut self) -> bool {
        let (now, kept) = match self.at.take() {
            Some((at, kept)) => (at, self.left(at, kept)),
            None => (self.history.len(), self.text()),
        };
        let Some(at) = now.checked_sub(1) else {
            self.at = (now < self.history.len()).then_some((now, kept));
            return false;
        };
        let text = self.history[at].clone();
        self.set(&text);
        self.at = Some((at, kept));
        true
    }

    /// Shows what was written after that, at last what the person had begun.
    pub fn forward(&mut self) -> bool {
        let Some((at, kept)) = self.at.take() else { return false };
        let kept = self.left(at, kept);
        match self.history.get(at + 1).cloned() {
            Some(text) => {
                self.set(&text);
                self.at = Some((at + 1, kept));
            }
            None => self.set(&kept),
        }
        true
    }

    /// Returns what was written before, newest first, each once.
    pub fn written(&self) -> Vec<String> {
        let mut seen = std::collections::BTreeSet::new();
        self.history.iter().rev().filter(|entry| seen.insert(*entry)).cloned().collect()
    }
}

fn n_blanks<'a>(signs: impl Iterator<Item = &'a char>) -> usize {
    signs.take_while(|sign| **sign == ' ').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(composer: &mut Composer, keys: &str) {
        for name in keys.split(' ') {
            composer.key(name.parse().unwrap());
        }
    }

    #[test]
    fn an_entry_of_the_history_that_was_changed_is_not_lost_on_the_way_back() {
        for (draft, expected) in [("", "entry!"), ("draft", "draft")] {
            let mut composer = Composer::new(vec!["entry".to_owned()], draft);
            composer.back();
            typed(&mut composer, "!");
            composer.forward();
            assert_eq!(composer.text(), expected, "behind {draft:?}");
            assert!(draft.is_empty() || composer.written().contains(&draft.to_owned()));
            composer.forward();
            assert_eq!(composer.text(), "entry!");
        }
    }

    #[test]
    fn a_chip_is_one_sign_to_whoever_writes_and_deletes() {
        let long = "line\n".repeat(20);
        let table = [
            ("left left x", format!("a{long}xb"), "what is written inside goes behind it"),
            ("left backspace", "ab".to_owned(), "deleted as a whole"),
            ("left space ctrl+w", "ab".to_owned(), "as a word"),
            ("home right delete", "ab".to_owned(), "forwards"),
            ("home right alt+d", "ab".to_owned(), "forwards as a word"),
            ("left left left ctrl+k", format!("a{long}"), "to the end of the line"),
            ("left left left ctrl+u", "b".to_owned(), "to its beginning"),
            ("left left ctrl+j", format!("a{long}\nb"), "a new line inside goes behind it"),
        ];
        for (keys, expected, why) in table {
            let mut composer = Composer::new(Vec::new(), "a");
            composer.paste(&long);
            typed(&mut composer, "b");
            for name in keys.split(' ') {
                match name {
                    "ctrl+j" => composer.newline(),
                    name => drop(composer.key(name.parse().unwrap())),
                }
            }
            assert_eq!(composer.whole(), expected, "{why}");
        }
        let mut composer = Composer::new(Vec::new(), "a").with_vim();
        composer.paste(&long);
        composer.leave_insert();
        typed(&mut composer, "h h x D");
        assert_eq!(composer.whole(), format!("a{long}"), "vi's keys do not cut it in two");
        typed(&mut composer, "d d");
        assert_eq!(composer.whole(), "", "but take it away");
    }

    #[test]
    fn words_are_written_and_corrected() {
        let table = [
            ("a b c", "abc"),
            ("a b backspace c", "ac"),
            ("a space b ctrl+w c", "a c"),
            ("a b home c", "cab"),
            ("a b left left c end d", "cabd"),
            ("a b ctrl+u c", "c"),
            ("a b backspace alt+z", "ab"),
        ];
        for (keys, expected) in table {
            let mut composer = Composer::default();
            typed(&mut composer, keys);
            assert_eq!(composer.text(), expected, "{keys}");
        }
    }

    #[test]
    fn a_long_paste_is_folded_and_sent_whole() {
        let mut composer = Composer::default();
        let long = "line\n".repeat(100);
        typed(&mut composer, "a");
        composer.paste(&long);
        assert_eq!(composer.text(), "a[pasted #1: 100 lines]");
        composer.paste("short\r\nlines");
        assert_eq!(composer.lines().last().map(String::as_str), Some("lines"));
        assert_eq!(composer.take(), format!("a{long}short\nlines"));
        assert!(composer.is_empty());
    }

    #[test]
    fn what_is_put_back_is_folded_where_it_is_huge() {
        let mut composer = Composer::default();
        let huge = "line\n".repeat(100_000);
        composer.set(&huge);
        assert!(composer.text().len() < 100);
        assert_eq!(composer.take(), huge);
        composer.set("line\n\nline");
        assert_eq!(composer.lines().len(), 3);
    }

    #[test]
    fn the_history_goes_back_and_comes_back_to_what_was_begun() {
        let mut composer = Composer::new(vec!["one".to_owned(), "two".to_owned()], "begun");
        assert!(composer.back() && composer.text() == "two");
        assert!(composer.back() && composer.text() == "one");
        assert!(!composer.back() && composer.text() == "one");
        assert!(composer.forward() && composer.text() == "two");
        assert!(composer.forward() && composer.text() == "begun");
        assert!(!composer.forward());
    }

    #[test]
    fn what_was_sent_is_found_again_once() {
        let mut composer = Composer::default();
        for text in ["fix it", "run tests", "fix it", "fix that"] {
            composer.set(text);
            composer.take();
        }
        assert_eq!(composer.written(), ["fix that", "fix it", "run tests"]);
    }
}
