//! How does one row of a file under review look?
//!
//! In front a mark where the person is, the numbers of the line and its sign; signs say what colours say. A long line goes on in
//! the next row, to a bound: a line of a million characters is data.

use ratatui_core::style::{Modifier, Style};
use ratatui_core::text::{Line, Span};
use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr as _;

use crate::base::text::{count, prefix, visible};
use crate::protocol::changes::{Remark, Said};
use crate::protocol::diff::{Hunk, NO_END};
use crate::tui::look::{Look, Theme};
use crate::tui::state::review::Review;
use crate::tui::state::review::file::Mark;
use crate::tui::views::review::name;
use crate::tui::views::review::paint::{Paint, Painted};
use crate::tui::views::review::rows::Row;
use crate::tui::wrap::{Margin, wrap_text};

/// Bytes of a line that are shown.
const MAX_LINE_BYTES: usize = 2000;
/// Columns below which only one number stands before a line.
const NARROW: usize = 60;
const TAB: &str = "    ";

/// What it takes to draw rows.
#[derive(Clone, Copy)]
pub(super) struct Brush<'a> {
    pub(super) review: &'a Review,
    pub(super) theme: &'a Theme,
    pub(super) width: usize,
}

/// A line of a hunk with what it takes to draw it.
struct Text<'p> {
    hunk: &'p Hunk,
    paint: &'p Paint,
    at: usize,
    /// Whether what stands there was rejected or replaced.
    is_gone: bool,
}

impl Brush<'_> {
    pub(super) fn row(&self, row: &Row, painted: &mut Painted) -> Vec<Line<'static>> {
        let Some(file) = self.review.file() else { return Vec::new() };
        match row {
            Row::Name => {
                self.words(Look::Bold, &format!("{}  +{} -{}", name(&file.diff), file.diff.added, file.diff.removed))
            }
            Row::About(text) => self.words(Look::Dim, &format!("  {text}")),
            Row::Written(text) => self.words(Look::Notice, &format!("    {text}")),
            Row::Gap => vec![Line::default()],
            Row::Remark(at) => self.review.remarks.get(*at).map_or_else(Vec::new, |remark| self.remark(remark)),
            Row::Heading(hunk) => self.heading(*hunk),
            Row::Line(hunk, line) => {
                let Some(found) = file.diff.hunks.get(*hunk) else { return Vec::new() };
                let paint = painted.hunk(found, self.review, self.theme);
                self.line(&Text { hunk: found, paint, at: *line, is_gone: self.is_gone(*hunk) }, *hunk)
            }
            Row::Pair(hunk, old, new) => {
                let Some(found) = file.diff.hunks.get(*hunk) else { return Vec::new() };
                let paint = painted.hunk(found, self.review, self.theme);
                let side =
                    |at: &Option<usize>| at.map(|at| Text { hunk: found, paint, at, is_gone: self.is_gone(*hunk) });
                self.pair(side(old).as_ref(), side(new).as_ref(), *hunk)
            }
        }
    }

    fn words(&self, look: Look, text: &str) -> Vec<Line<'static>> {
        wrap_text(&visible(text), self.theme.style(look), self.width, &Margin::default())
    }

    fn is_gone(&self, hunk: usize) -> bool {
        let mark = self.review.file().and_then(|file| file.pieces.get(hunk)).map(|piece| &piece.mark);
        matches!(mark, Some(Mark::Rejected | Mark::Edited(_)))
    }

    fn is_here(&self, hunk: usize, line: usize) -> bool {
        !self.review.is_in_tree && (self.review.at.hunk, self.review.at.line) == (hunk, line)
    }

    fn heading(&self, at: usize) -> Vec<Line<'static>> {
        let Some(file) = self.review.file() else { return Vec::new() };
        let (Some(hunk), Some(piece)) = (file.diff.hunks.get(at), file.pieces.get(at)) else { return Vec::new() };
        let place = format!("@@ -{},{} +{},{} @@", hunk.old_start, hunk.old_lines, hunk.new_start, hunk.new_lines);
        let (look, words) = match (&piece.mark, piece.is_decided()) {
            (_, false) => (Look::Dim, String::new()),
            (Mark::Rejected, _) => (Look::Bad, piece.words()),
            (Mark::Edited(_), _) => (Look::Notice, piece.words()),
            _ => (Look::Good, piece.words()),
        };
        let is_here = !self.review.is_in_tree && self.review.at.hunk == at;
        let place = Span::styled(place, self.theme.style(if is_here { Look::Accent } else { Look::Dim }));
        let state = if words.is_empty() { String::new() } else { format!("  [{words}]") };
        vec![Line::from(vec![place, Span::styled(state, self.theme.style(look))])]
    }

    fn remark(&self, remark: &Remark) -> Vec<Line<'static>> {
        let start = match remark.said {
            Said::Comment => "said: ",
            Said::Rejected => "rejected: ",
            Said::Edited => "edited before: ",
        };
        let words = if remark.said == Said::Edited { "" } else { remark.words.as_str() };
        let margin = Margin::hanging(&format!("    {start}"), self.theme.style(Look::Notice));
        let style = self.theme.style(Look::Notice);
        visible(words).split('\n').flat_map(|line| wrap_text(line, style, self.width, &margin)).collect()
    }

    /// Draws a line under the one before it.
    fn line(&self, text: &Text<'_>, hunk: usize) -> Vec<Line<'static>> {
        let numbers = text.numbers();
        let columns = text.number_columns();
        let shown = |number: Option<usize>| number.map_or_else(String::new, |number| number.to_string());
        let both = match self.width < NARROW {
            true => format!("{:>columns$}", shown(numbers.1.or(numbers.0))),
            false => format!("{:>columns$} {:>columns$}", shown(numbers.0), shown(numbers.1)),
        };
        let mark = if self.is_here(hunk, text.at) { ">" } else { " " };
        self.cell(text, mark, &both, self.width)
    }

    /// Draws an old line beside a new one.
    fn pair(&self, old: Option<&Text<'_>>, new: Option<&Text<'_>>, hunk: usize) -> Vec<Line<'static>> {
        let width = self.width.saturating_sub(1) / 2;
        let side = |text: Option<&Text<'_>>, is_old: bool| {
            let Some(text) = text else { return Vec::new() };
            let numbers = text.numbers();
            let number = if is_old { numbers.0 } else { numbers.1 };
            let number = number.map_or_else(String::new, |number| number.to_string());
            // A line that is the same on both sides is one place.
            let is_here = self.is_here(hunk, text.at) && (text.sign() != ' ' || is_old);
            let columns = text.number_columns();
            self.cell(text, if is_here { ">" } else { " " }, &format!("{number:>columns$}"), width)
        };
        let (left, right) = (side(old, true), side(new, false));
        let n = left.len().max(right.len());
        (0..n).map(|at| self.joined(left.get(at), right.get(at), width)).collect()
    }

    fn joined(&self, left: Option<&Line<'static>>, right: Option<&Line<'static>>, width: usize) -> Line<'static> {
        let mut spans = left.map(|line| line.spans.clone()).unwrap_or_default();
        let used: usize = spans.iter().map(Span::width).sum();
        spans.push(Span::raw(" ".repeat(width.saturating_sub(used))));
        spans.push(Span::styled("│", self.theme.style(Look::Border)));
        spans.extend(right.map(|line| line.spans.clone()).unwrap_or_default());
        Line::from(spans)
    }

    /// Draws a line into rows of so many columns.
    fn cell(&self, text: &Text<'_>, mark: &str, numbers: &str, width: usize) -> Vec<Line<'static>> {
        let sign = text.sign();
        let base = match sign {
            '+' => self.theme.style(Look::Added),
            '-' => self.theme.style(Look::Removed),
            _ => Style::new(),
        };
        let front = |mark: &str, numbers: &str, sign: char| {
            vec![
                Span::styled(mark.to_owned(), self.theme.style(Look::Accent)),
                Span::styled(format!("{numbers} "), self.theme.style(Look::Dim)),
                Span::styled(sign.to_string(), sign_style(sign, self.theme).patch(base)),
            ]
        };
        let n_front = mark.width() + numbers.width() + 2;
        let room = width.saturating_sub(n_front);
        let parts = text.parts(self.theme, base);
        let rows = broken(&parts, room.max(1));
        let blank = " ".repeat(numbers.width());
        let rows = rows.into_iter().enumerate().map(|(at, row)| {
            let mut spans = if room == 0 {
                Vec::new()
            } else if at == 0 {
                front(mark, numbers, sign)
            } else {
                front(" ", &blank, ' ')
            };
            let used: usize = row.iter().map(Span::width).sum();
            spans.extend(row);
            if base.bg.is_some() {
                spans.push(Span::styled(" ".repeat(room.saturating_sub(used)), base));
            }
            Line::from(spans)
        });
        rows.collect()
    }
}

fn sign_style(sign: char, theme: &Theme) -> Style {
    match sign {
        '+' => theme.style(Look::Good),
        '-' => theme.style(Look::Bad),
        _ => theme.style(Look::Dim),
    }
}

impl Text<'_> {
    fn line(&self) -> &str {
        &self.hunk.lines[self.at]
    }

    fn sign(&self) -> char {
        self.line().chars().next().filter(|sign| matches!(sign, '+' | '-')).unwrap_or(' ')
    }

    /// The numbers in the old and in the new text.
    fn numbers(&self) -> (Option<usize>, Option<usize>) {
        if self.line() == NO_END {
            return (None, None);
        }
        let number = self.hunk.number(self.at);
        match self.sign() {
            '-' => (Some(number), None),
            '+' => (None, Some(number)),
            _ => {
                let before = &self.hunk.lines[..self.at];
                let old = before.iter().filter(|line| line.starts_with([' ', '-'])).count();
                (Some(self.hunk.old_start + old), Some(number))
            }
        }
    }

    fn number_columns(&self) -> usize {
        let last = (self.hunk.old_start + self.hunk.old_lines).max(self.hunk.new_start + self.hunk.new_lines);
        last.to_string().len().max(3)
    }

    /// Cuts the line into pieces of one style each.
    fn parts(&self, theme: &Theme, base: Style) -> Vec<(String, Style)> {
        let strong = match self.sign() {
            '+' => theme.style(Look::GoodWord),
            '-' => theme.style(Look::BadWord),
            _ => Style::new(),
        };
        let none = Vec::new();
        let words = self.paint.words.get(&self.at).unwrap_or(&none);
        let mut parts = Vec::new();
        // The sign is the first byte of the line, and no part of the spans.
        let mut at = 1;
        for (look, text) in self.paint.lines.get(self.at).map(Vec::as_slice).unwrap_or_default() {
            let mut style = base.patch(theme.style(*look));
            if self.is_gone {
                style = style.add_modifier(Modifier::DIM);
            }
            for (piece, is_word) in cut(text, at, words) {
                parts.push((piece, if is_word { style.patch(strong) } else { style }));
            }
            at += text.len();
            if at > MAX_LINE_BYTES {
                let left = self.line().len().saturating_sub(MAX_LINE_BYTES);
                parts.push((format!(" ... {} more", count(left, "byte")), theme.style(Look::Notice)));
                break;
            }
        }
        parts
    }
}

/// Cuts a text that begins at a byte of its line where words begin and end; bounded, and with hidden characters shown.
fn cut(text: &str, start: usize, words: &[(usize, usize)]) -> Vec<(String, bool)> {
    let text = prefix(text, MAX_LINE_BYTES.saturating_sub(start));
    let mut pieces = Vec::new();
    let mut at = 0;
    let shown = |text: &str| visible(text.trim_end_matches('\r')).into_owned();
    for (from, to) in words {
        let (from, to) = (from.saturating_sub(start).min(text.len()), to.saturating_sub(start).min(text.len()));
        let (Some(before), Some(word)) = (text.get(at..from.max(at)), text.get(from.max(at)..to.max(at))) else {
            break;
        };
        pieces.push((shown(before), false));
        pieces.push((shown(word), true));
        at = to.max(at);
    }
    pieces.push((shown(text.get(at..).unwrap_or_default()), false));
    pieces.retain(|(text, _)| !text.is_empty());
    pieces
}

/// Breaks pieces into rows wherever a row is full: code is not broken between words.
fn broken(parts: &[(String, Style)], width: usize) -> Vec<Vec<Span<'static>>> {
    let mut rows: Vec<Vec<Span<'static>>> = vec![Vec::new()];
    let mut used = 0;
    for (text, style) in parts {
        let mut piece = String::new();
        for sign in text.graphemes(true) {
            let sign = if sign == "\t" { TAB } else { sign };
            if used + sign.width() > width && used > 0 {
                push(&mut rows, std::mem::take(&mut piece), *style);
                rows.push(Vec::new());
                used = 0;
            }
            piece.push_str(sign);
            used += sign.width();
        }
        push(&mut rows, piece, *style);
    }
    rows
}

fn push(rows: &mut [Vec<Span<'static>>], text: String, style: Style) {
    if let Some(row) = rows.last_mut().filter(|_| !text.is_empty()) {
        row.push(Span::styled(text, style));
    }
}
