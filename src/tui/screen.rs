//! How do cells get to the terminal with as few bytes as possible?
//!
//! Only what changed is sent: rows that moved up are scrolled by the terminal itself, blank ends of rows are erased, a style is
//! named once. Each frame is sent at once and marked as one, so that a terminal which knows the mark never shows half of it.
//! The sequences are those of ECMA-48 and xterm (`DECSTBM`, `SU`, `EL`, `SGR`, mode 2026).

use std::io::{self, Write};
use std::ops::Range;

use ratatui_core::buffer::{Buffer, Cell};
use ratatui_core::layout::{Position, Rect};
use ratatui_core::style::{Color, Modifier};
use ratatui_core::text::Line;
use unicode_width::UnicodeWidthStr as _;

use crate::tui::links::Links;
use crate::tui::telling::{LINK_END, link};

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
    /// Where names of files lead, where words become links.
    links: Option<Links>,
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
            links: None,
            n_bytes: 0,
        }
    }

    /// Makes links of addresses and names of files, for terminals that know them.
    #[must_use]
    pub fn with_links(mut self, links: Option<Links>) -> Self {
        self.links = links;
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

    /// Draws a frame and sends what changed. No name is that of a file.
    pub fn draw(&mut self, draw: impl FnOnce(&mut Buffer) -> Option<Position>) -> io::Result<()> {
        self.draw_with(&|_| false, draw)
    }

    /// Draws a frame and sends what changed; `knows` says which names are those of files.
    pub fn draw_with(
        &mut self,
        knows: &dyn Fn(&str) -> bool,
        draw: impl FnOnce(&mut Buffer) -> Option<Position>,
    ) -> io::Result<()> {
        self.next.reset();
        let cursor = draw(&mut self.next);
        let mut sent = String::new();
        if !self.is_known {
            sent.push_str("\x1b[0m\x1b[2J");
            self.shown.reset();
        }
        let mut changed = self.changed();
        // What moved is looked for only where enough changed: most frames add a few words.
        if changed.len() >= MIN_MOVED && self.scroll(&mut sent) {
            changed = self.changed();
        }
        // Where links go is seen in what stood there before the rows are touched.
        let links = self.links(&changed, knows);
        self.erase(&changed, &mut sent);
        self.cells(&changed, &mut sent);
        sent.push_str(&links);
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

    /// Returns the rows that differ from what is shown.
    fn changed(&self) -> Vec<u16> {
        (0..self.next.area.height).filter(|y| cells(&self.shown, *y) != cells(&self.next, *y)).collect()
    }

    /// Has the terminal move rows that moved up; says whether any did.
    fn scroll(&mut self, sent: &mut String) -> bool {
        let Some(moved) = moved(&self.shown, &self.next) else { return false };
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
        true
    }

    /// Has the terminal blank the ends of rows that became blank.
    fn erase(&mut self, changed: &[u16], sent: &mut String) {
        let area = self.next.area;
        for y in changed.iter().copied() {
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

    /// Sends the cells that differ, all of them in rows that changed.
    fn cells(&self, changed: &[u16], sent: &mut String) {
        let mut pen = Pen::default();
        let mut at: Option<(u16, u16)> = None;
        let (shown, next) = (rows(&self.shown, changed), rows(&self.next, changed));
        for (x, row, cell) in shown.diff_iter(&next) {
            let y = changed[usize::from(row)];
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

    /// Sends what leads somewhere in rows that changed once more, as links; what leads nowhere any more loses its link.
    fn links(&self, changed: &[u16], knows: &dyn Fn(&str) -> bool) -> String {
        let mut sent = String::new();
        let Some(links) = &self.links else { return sent };
        for y in changed.iter().copied() {
            let before = if self.is_known { links.of(&signs(&self.shown, y), knows) } else { Vec::new() };
            let now = links.of(&signs(&self.next, y), knows);
            for (range, _) in before.iter().filter(|one| !now.contains(one)) {
                self.put_again(range, y, &mut sent);
            }
            // What stands there already, as a link, stays; cells near others that changed may have been written over.
            for (range, address) in now.iter().filter(|one| !before.contains(one) || self.is_touched(&one.0, y)) {
                sent.push_str(&link(address));
                self.put_again(range, y, &mut sent);
                sent.push_str(LINK_END);
            }
        }
        sent
    }

    /// Says whether any cell of a range or near it changed.
    fn is_touched(&self, range: &Range<usize>, y: u16) -> bool {
        let (was, is) = (cells(&self.shown, y), cells(&self.next, y));
        let near =
            range.start.saturating_sub(usize::from(MAX_BRIDGE))..(range.end + usize::from(MAX_BRIDGE)).min(is.len());
        was[near.clone()] != is[near]
    }

    /// Sends cells of a row once more.
    fn put_again(&self, range: &Range<usize>, y: u16, sent: &mut String) {
        let mut pen = Pen::default();
        move_to(as_row(range.start), y, sent);
        cells(&self.next, y)[range.clone()].iter().for_each(|cell| pen.put(cell, sent));
        pen.lift(sent);
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

/// The cells of a row.
fn cells(buffer: &Buffer, y: u16) -> &[Cell] {
    let width = usize::from(buffer.area.width);
    &buffer.content()[usize::from(y) * width..(usize::from(y) + 1) * width]
}

/// Some rows of a buffer, one below the other.
fn rows(buffer: &Buffer, which: &[u16]) -> Buffer {
    let area = Rect::new(0, 0, buffer.area.width, as_row(which.len()));
    Buffer { area, content: which.iter().flat_map(|y| cells(buffer, *y)).cloned().collect() }
}

fn move_to(x: u16, y: u16, sent: &mut String) {
    sent.push_str(&format!("\x1b[{};{}H", y + 1, x + 1));
}

/// Where the blank end of a row begins: behind the last sign, all of its columns.
fn end_of(buffer: &Buffer, y: u16) -> u16 {
    let row = cells(buffer, y);
    row.iter().rposition(|cell| *cell != Cell::EMPTY).map_or(0, |x| as_row(x) + columns(&row[x]))
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
    let height = usize::from(next.area.height);
    let is_same = |was: usize, is: usize| cells(shown, as_row(was)) == cells(next, as_row(is));
    let has_words = |y: usize| cells(next, as_row(y)).iter().any(|cell| cell.symbol() != " ");
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
