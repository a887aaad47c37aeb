//! How do cells get to the terminal with as few bytes as possible?
//!
//! Only what changed is sent: rows that moved up are scrolled by the terminal itself, blank ends of rows are erased, a style is
//! named once. Each frame is sent at once and marked as one, so that a terminal which knows the mark never shows half of it.
//! The sequences are those of ECMA-48 and xterm (`DECSTBM`, `SU`, `EL`, `SGR`, mode 2026).

use std::io::{self, Write};

use ratatui_core::buffer::{Buffer, Cell};
use ratatui_core::layout::{Position, Rect};
use ratatui_core::style::{Color, Modifier};
use ratatui_core::text::Line;
use unicode_width::UnicodeWidthStr as _;

use crate::tui::telling::{LINK_END, addresses, link};

/// Begins a frame; terminals that do not know the mode ignore it.
const BEGIN_FRAME: &str = "\x1b[?2026h";
const END_FRAME: &str = "\x1b[?2026l";
/// Rows that must have moved together before they are scrolled: for fewer, writing them is as short.
const MIN_MOVED: usize = 3;
/// Cells between two changes that are written again rather than jumped over: as long as the jump.
const MAX_BRIDGE: u16 = 4;
/// Blank cells at the end of a row that are erased rather than written.
const MIN_ERASED: u16 = 4;

/// A screen and what stands on it.
pub struct Screen<W: Write> {
    out: W,
    shown: Buffer,
    /// The next frame, while it is drawn.
    next: Buffer,
    cursor: Option<Position>,
    /// Whether anything of what stands on the screen is known.
    is_known: bool,
    /// Whether addresses become links.
    has_links: bool,
    /// Bytes sent so far.
    n_bytes: u64,
}

impl<W: Write> Screen<W> {
    /// Takes a screen of which nothing is known.
    pub fn new(out: W, area: Rect) -> Self {
        Self {
            out,
            shown: Buffer::empty(area),
            next: Buffer::empty(area),
            cursor: None,
            is_known: false,
            has_links: false,
            n_bytes: 0,
        }
    }

    /// Makes links of addresses, for terminals that know them.
    #[must_use]
    pub fn with_links(mut self, has_links: bool) -> Self {
        self.has_links = has_links;
        self
    }

    /// Returns its size.
    pub fn area(&self) -> Rect {
        self.next.area
    }

    /// Returns how many bytes were sent so far.
    pub fn n_bytes(&self) -> u64 {
        self.n_bytes
    }

    /// The screen has another size; everything is sent anew.
    pub fn resize(&mut self, area: Rect) {
        self.shown = Buffer::empty(area);
        self.next = Buffer::empty(area);
        self.forget();
    }

    /// Sends everything anew with the next frame.
    pub fn forget(&mut self) {
        self.is_known = false;
    }

    /// Draws a frame and sends what changed.
    pub fn draw(&mut self, draw: impl FnOnce(&mut Buffer) -> Option<Position>) -> io::Result<()> {
        self.next.reset();
        let cursor = draw(&mut self.next);
        let mut sent = String::new();
        if !self.is_known {
            sent.push_str("\x1b[0m\x1b[2J");
            self.shown.reset();
        }
        self.scroll(&mut sent);
        self.erase(&mut sent);
        self.cells(&mut sent);
        if self.has_links {
            self.links(&mut sent);
        }
        let has_cells = !sent.is_empty();
        if has_cells || cursor != self.cursor || !self.is_known {
            self.place_cursor(cursor, &mut sent);
        }
        self.is_known = true;
        self.cursor = cursor;
        std::mem::swap(&mut self.shown, &mut self.next);
        if sent.is_empty() {
            return Ok(());
        }
        let frame = format!("{BEGIN_FRAME}{sent}{END_FRAME}");
        self.n_bytes += frame.len() as u64;
        self.out.write_all(frame.as_bytes())?;
        self.out.flush()
    }

    fn place_cursor(&self, cursor: Option<Position>, sent: &mut String) {
        match cursor {
            Some(at) => {
                move_to(at.x, at.y, sent);
                if self.cursor.is_none() || !self.is_known {
                    sent.push_str("\x1b[?25h");
                }
            }
            None if self.cursor.is_some() || !self.is_known => sent.push_str("\x1b[?25l"),
            None => {}
        }
    }

    /// Has the terminal move rows that moved up.
    fn scroll(&mut self, sent: &mut String) {
        let Some(moved) = moved(&self.shown, &self.next) else { return };
        let Moved { top, bottom, by } = moved;
        // Rows from 1, both ends included. Setting the margins moves the cursor; cells are placed after that anyway.
        sent.push_str(&format!("\x1b[{};{bottom}r\x1b[{by}S\x1b[r", top + 1));
        for y in top..bottom {
            for x in 0..self.shown.area.width {
                let from = (y + by < bottom).then(|| self.shown.cell((x, y + by)).cloned()).flatten();
                if let Some(cell) = self.shown.cell_mut((x, y)) {
                    *cell = from.unwrap_or_default();
                }
            }
        }
    }

    /// Has the terminal blank the ends of rows that became blank.
    fn erase(&mut self, sent: &mut String) {
        let area = self.next.area;
        for y in 0..area.height {
            let blank_from = end_of(&self.next, y);
            let was = end_of(&self.shown, y);
            if was >= blank_from + MIN_ERASED {
                move_to(blank_from, y, sent);
                sent.push_str("\x1b[K");
                for x in blank_from..area.width {
                    if let Some(cell) = self.shown.cell_mut((x, y)) {
                        cell.reset();
                    }
                }
            }
        }
    }

    /// Sends the cells that differ.
    fn cells(&self, sent: &mut String) {
        let mut pen = Pen::default();
        let mut at: Option<(u16, u16)> = None;
        for (x, y, cell) in self.shown.diff(&self.next) {
            match at {
                Some((next, row)) if row == y && next == x => {}
                Some((next, row)) if row == y && next < x && x - next <= MAX_BRIDGE && self.is_plain(next, x, y) => {
                    for between in next..x {
                        if let Some(cell) = self.next.cell((between, y)) {
                            pen.put(cell, sent);
                        }
                    }
                }
                _ => move_to(x, y, sent),
            }
            pen.put(cell, sent);
            at = Some((x + columns(cell), y));
        }
        pen.lift(sent);
    }

    /// Sends the addresses of rows that changed once more, as links. They stand in few rows, and seldom change.
    fn links(&self, sent: &mut String) {
        for y in 0..self.next.area.height {
            let (was, is) = (signs(&self.shown, y), signs(&self.next, y));
            if was == is && self.is_known {
                continue;
            }
            let before = if self.is_known { addresses(&was) } else { Vec::new() };
            for range in addresses(&is) {
                // It stands there already, as a link.
                if before.contains(&range) && was[range.clone()] == is[range.clone()] {
                    continue;
                }
                let Ok(x) = u16::try_from(range.start) else { continue };
                move_to(x, y, sent);
                sent.push_str(&link(&is[range.clone()].iter().collect::<String>()));
                let mut pen = Pen::default();
                for at in range {
                    if let Some(cell) = u16::try_from(at).ok().and_then(|x| self.next.cell((x, y))) {
                        pen.put(cell, sent);
                    }
                }
                pen.lift(sent);
                sent.push_str(LINK_END);
            }
        }
    }

    /// Says whether cells are single signs, so that writing them again ends where it should.
    fn is_plain(&self, from: u16, to: u16, y: u16) -> bool {
        (from..to)
            .all(|x| self.next.cell((x, y)).is_some_and(|cell| cell.symbol().is_ascii() && cell.symbol().len() == 1))
    }
}

/// The signs of a row, one a cell; anything that is more than one sign is none of an address.
fn signs(buffer: &Buffer, y: u16) -> Vec<char> {
    let sign = |cell: &Cell| {
        let mut signs = cell.symbol().chars();
        signs.next().filter(|_| signs.next().is_none()).unwrap_or(' ')
    };
    (0..buffer.area.width).map(|x| buffer.cell((x, y)).map_or(' ', sign)).collect()
}

fn move_to(x: u16, y: u16, sent: &mut String) {
    sent.push_str(&format!("\x1b[{};{}H", y + 1, x + 1));
}

/// Where the blank end of a row begins: behind the last sign, all of its columns.
fn end_of(buffer: &Buffer, y: u16) -> u16 {
    let is_blank = |cell: &Cell| *cell == Cell::EMPTY || *cell == Cell::default();
    let cells = (0..buffer.area.width).rev().filter_map(|x| buffer.cell((x, y)).map(|cell| (x, cell)));
    let last = cells.into_iter().find(|(_, cell)| !is_blank(cell));
    last.map_or(0, |(x, cell)| x + columns(cell))
}

/// Columns that the sign of a cell takes.
fn columns(cell: &Cell) -> u16 {
    u16::try_from(cell.symbol().width().max(1)).unwrap_or(1)
}

/// Rows that moved up.
struct Moved {
    /// The first row of the part that moved.
    top: u16,
    /// The row behind it.
    bottom: u16,
    by: u16,
}

/// Finds the part of the screen that moved up, if it pays to scroll it.
fn moved(shown: &Buffer, next: &Buffer) -> Option<Moved> {
    let (height, width) = (usize::from(next.area.height), usize::from(next.area.width));
    let row = |buffer: &'_ Buffer, y: usize| -> Vec<Cell> { buffer.content()[y * width..(y + 1) * width].to_vec() };
    let is_same = |was: usize, is: usize| {
        shown.content()[was * width..(was + 1) * width] == next.content()[is * width..(is + 1) * width]
    };
    let has_words = |y: usize| row(next, y).iter().any(|cell| cell.symbol() != " ");
    // The first row that changed begins the part; below it everything may have moved.
    let top = (0..height).find(|y| !is_same(*y, *y))?;
    let mut best: Option<(usize, Moved)> = None;
    for by in 1..height.saturating_sub(top) {
        let n = (top..height - by).take_while(|y| is_same(y + by, *y)).count();
        let with_words = (top..top + n).filter(|y| has_words(*y)).count();
        if with_words >= MIN_MOVED && best.as_ref().is_none_or(|(most, _)| with_words > *most) {
            let (top, bottom, by) = (as_row(top), as_row(top + n + by), as_row(by));
            best = Some((with_words, Moved { top, bottom, by }));
        }
    }
    best.map(|(_, moved)| moved)
}

fn as_row(y: usize) -> u16 {
    u16::try_from(y).unwrap_or(u16::MAX)
}

/// The style the terminal writes in at the moment.
#[derive(Default)]
struct Pen {
    fg: Option<Color>,
    bg: Option<Color>,
    modifier: Modifier,
    is_set: bool,
}

impl Pen {
    fn put(&mut self, cell: &Cell, sent: &mut String) {
        self.write(cell.symbol(), (cell.fg, cell.bg), cell.modifier, sent);
    }

    fn write(&mut self, text: &str, (fg, bg): (Color, Color), modifier: Modifier, sent: &mut String) {
        if fg == Color::Reset && bg == Color::Reset && modifier.is_empty() {
            self.lift(sent);
        } else if !self.is_set || self.fg != Some(fg) || self.bg != Some(bg) || self.modifier != modifier {
            *self = Self { fg: Some(fg), bg: Some(bg), modifier, is_set: true };
            sent.push_str("\x1b[0");
            modifiers(modifier, sent);
            colour(fg, 30, sent);
            colour(bg, 40, sent);
            sent.push('m');
        }
        sent.push_str(text);
    }

    /// Writes on as a fresh terminal would.
    fn lift(&mut self, sent: &mut String) {
        if std::mem::take(&mut self.is_set) {
            sent.push_str("\x1b[0m");
        }
        *self = Self::default();
    }
}

/// Renders a row for a terminal that is not ours any more: with its colours, without its place.
pub fn printed(row: &Line<'_>) -> String {
    let (mut pen, mut sent) = (Pen::default(), String::new());
    for span in &row.spans {
        let style = row.style.patch(span.style);
        let colours = (style.fg.unwrap_or(Color::Reset), style.bg.unwrap_or(Color::Reset));
        pen.write(&span.content, colours, style.add_modifier, &mut sent);
    }
    pen.lift(&mut sent);
    sent
}

fn modifiers(modifier: Modifier, sent: &mut String) {
    let codes = [
        (Modifier::BOLD, ";1"),
        (Modifier::DIM, ";2"),
        (Modifier::ITALIC, ";3"),
        (Modifier::UNDERLINED, ";4"),
        (Modifier::REVERSED, ";7"),
        (Modifier::CROSSED_OUT, ";9"),
    ];
    codes.iter().filter(|(one, _)| modifier.contains(*one)).for_each(|(_, code)| sent.push_str(code));
}

/// Names a colour; `base` is 30 for what is written and 40 for what is behind it.
fn colour(colour: Color, base: u8, sent: &mut String) {
    let plain = |n: u8| format!(";{}", base + n);
    let bright = |n: u8| format!(";{}", base + 60 + n);
    let code = match colour {
        Color::Reset => return,
        Color::Black => plain(0),
        Color::Red => plain(1),
        Color::Green => plain(2),
        Color::Yellow => plain(3),
        Color::Blue => plain(4),
        Color::Magenta => plain(5),
        Color::Cyan => plain(6),
        Color::Gray => plain(7),
        Color::DarkGray => bright(0),
        Color::LightRed => bright(1),
        Color::LightGreen => bright(2),
        Color::LightYellow => bright(3),
        Color::LightBlue => bright(4),
        Color::LightMagenta => bright(5),
        Color::LightCyan => bright(6),
        Color::White => bright(7),
        Color::Indexed(n) => format!(";{};5;{n}", base + 8),
        Color::Rgb(r, g, b) => format!(";{};2;{r};{g};{b}", base + 8),
    };
    sent.push_str(&code);
}

#[cfg(test)]
#[path = "screen_tests.rs"]
mod tests;
