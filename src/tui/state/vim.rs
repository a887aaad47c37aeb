//! How do the keys of vi move and change the words being written?
//!
//! Two modes: in insert mode keys write, in normal mode they move and change. A small set that hands know: counts and registers
//! are not among them. Chosen by `ui.keys: vim`; what has a key of its own in the keymap (Enter, Ctrl keys) works in both.

use ratatui_textarea::{CursorMove, TextArea};

/// Which mode the words are in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// Keys write.
    #[default]
    Insert,
    /// Keys move and change.
    Normal,
}

/// What hands were about to do.
#[derive(Debug, Clone, Default)]
pub struct Vim {
    /// The mode.
    pub mode: Mode,
    /// The first of two keys: `d`, `c`, `g`, `y`, `r`.
    pending: Option<char>,
}

impl Vim {
    /// Goes to normal mode; says whether it was in insert mode, or in the middle of something.
    pub fn escape(&mut self, area: &mut TextArea<'static>) -> bool {
        let was_busy = self.pending.take().is_some();
        if self.mode == Mode::Insert {
            self.mode = Mode::Normal;
            area.move_cursor(CursorMove::Back);
            return true;
        }
        was_busy
    }

    /// Takes a sign in normal mode.
    pub fn normal(&mut self, area: &mut TextArea<'static>, c: char) {
        match self.pending.take() {
            Some(first) => self.second(area, first, c),
            None if matches!(c, 'd' | 'c' | 'g' | 'y' | 'r') => self.pending = Some(c),
            None => self.first(area, c),
        }
    }

    fn first(&mut self, area: &mut TextArea<'static>, c: char) {
        match c {
            'x' => drop(area.delete_next_char()),
            'X' => drop(area.delete_char()),
            'D' => drop(area.delete_line_by_end()),
            'u' => drop(area.undo()),
            'p' => put(area, Side::Behind),
            'P' => put(area, Side::Before),
            'J' => {
                area.move_cursor(CursorMove::End);
                area.delete_next_char();
                area.insert_char(' ');
            }
            'i' => self.mode = Mode::Insert,
            'a' => self.insert(area, CursorMove::Forward),
            'I' => self.insert(area, CursorMove::Head),
            'A' => self.insert(area, CursorMove::End),
            'C' => {
                area.delete_line_by_end();
                self.mode = Mode::Insert;
            }
            's' => {
                area.delete_next_char();
                self.mode = Mode::Insert;
            }
            'o' => {
                self.insert(area, CursorMove::End);
                area.insert_newline();
            }
            'O' => {
                self.insert(area, CursorMove::Head);
                area.insert_newline();
                area.move_cursor(CursorMove::Up);
            }
            'G' => area.move_cursor(CursorMove::Bottom),
            c => {
                if let Some(by) = motion(c) {
                    area.move_cursor(by);
                }
            }
        }
    }

    fn second(&mut self, area: &mut TextArea<'static>, first: char, c: char) {
        match (first, c) {
            ('g', 'g') => area.move_cursor(CursorMove::Top),
            ('r', c) => {
                area.delete_next_char();
                area.insert_char(c);
                area.move_cursor(CursorMove::Back);
            }
            ('y', 'y') => {
                let line = area.lines().get(area.cursor().0).cloned().unwrap_or_default();
                area.set_yank_text(format!("{line}\n"));
            }
            ('d', 'd') => cut_line(area),
            ('c', 'c') => {
                area.move_cursor(CursorMove::Head);
                area.delete_line_by_end();
                self.mode = Mode::Insert;
            }
            ('d' | 'c', c) => {
                // Changing a word leaves the blanks behind it, as vi does.
                let c = if first == 'c' && c == 'w' { 'e' } else { c };
                if motion(c).is_some() {
                    cut(area, c);
                    if first == 'c' {
                        self.mode = Mode::Insert;
                    }
                }
            }
            _ => {}
        }
    }

    fn insert(&mut self, area: &mut TextArea<'static>, by: CursorMove) {
        area.move_cursor(by);
        self.mode = Mode::Insert;
    }
}

/// Where something is put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Before,
    Behind,
}

fn motion(c: char) -> Option<CursorMove> {
    Some(match c {
        'h' => CursorMove::Back,
        'l' | ' ' => CursorMove::Forward,
        'j' => CursorMove::Down,
        'k' => CursorMove::Up,
        'w' | 'W' => CursorMove::WordForward,
        'b' | 'B' => CursorMove::WordBack,
        'e' | 'E' => CursorMove::WordEnd,
        '0' | '^' => CursorMove::Head,
        '$' => CursorMove::End,
        _ => return None,
    })
}

/// Cuts from the cursor to where a motion leads.
fn cut(area: &mut TextArea<'static>, c: char) {
    let Some(by) = motion(c) else { return };
    area.start_selection();
    area.move_cursor(by);
    // The end of a word is on its last sign, and that goes too.
    if matches!(c, 'e' | 'E') {
        area.move_cursor(CursorMove::Forward);
    }
    area.cut();
    area.cancel_selection();
}

fn cut_line(area: &mut TextArea<'static>) {
    let (row, n) = (area.cursor().0, area.lines().len());
    let line = area.lines().get(row).cloned().unwrap_or_default();
    area.move_cursor(CursorMove::Head);
    area.delete_line_by_end();
    if row + 1 < n {
        area.delete_next_char();
    } else if row > 0 {
        area.delete_char();
        area.move_cursor(CursorMove::Head);
    }
    area.set_yank_text(format!("{line}\n"));
}

/// Puts back what was cut: whole lines below or above, else behind or before the cursor.
fn put(area: &mut TextArea<'static>, side: Side) {
    let is_behind = side == Side::Behind;
    let text = area.yank_text();
    match text.strip_suffix('\n') {
        Some(line) if is_behind => {
            area.move_cursor(CursorMove::End);
            area.insert_str(format!("\n{line}"));
        }
        Some(_) => {
            area.move_cursor(CursorMove::Head);
            area.insert_str(&text);
            area.move_cursor(CursorMove::Up);
        }
        None => {
            if is_behind {
                area.move_cursor(CursorMove::Forward);
            }
            area.insert_str(&text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pressed(text: &str, keys: &str) -> (String, Mode) {
        let mut area = TextArea::from(text.split('\n').map(str::to_owned));
        let mut vim = Vim { mode: Mode::Normal, pending: None };
        for c in keys.chars() {
            match vim.mode {
                _ if c == '~' => drop(vim.escape(&mut area)),
                Mode::Normal => vim.normal(&mut area, c),
                Mode::Insert => area.insert_char(c),
            }
        }
        (area.lines().join("\n"), vim.mode)
    }

    #[test]
    fn keys_do_what_hands_expect() {
        let table = [
            ("one two", "x", "ne two"),
            ("one two", "wx", "one wo"),
            ("one two", "dw", "two"),
            ("one two", "wD", "one "),
            ("one two", "$bd0", "two"),
            ("one two", "cwx~", "x two"),
            ("one two", "ccx~", "x"),
            ("one\ntwo\nthree", "jdd", "one\nthree"),
            ("one\ntwo", "jddP", "two\none"),
            ("one\ntwo", "ddp", "two\none"),
            ("one", "yyp", "one\none"),
            ("one", "ddd", ""),
            ("one two", "wiX~", "one Xtwo"),
            ("one", "AX~", "oneX"),
            ("one", "oX~", "one\nX"),
            ("one", "OX~", "X\none"),
            ("one", "rX", "Xne"),
            ("one two", "dwu", "one two"),
            ("one\ntwo", "GIX~", "one\nXtwo"),
            ("one\ntwo", "GggIX~", "Xone\ntwo"),
            ("one\ntwo", "J", "one two"),
        ];
        for (text, keys, expected) in table {
            assert_eq!(pressed(text, keys).0, expected, "{keys} on {text:?}");
        }
        assert_eq!(pressed("one", "i").1, Mode::Insert);
        assert_eq!(pressed("one", "d~x").0, "ne", "esc takes back the first of two keys");
    }
}
