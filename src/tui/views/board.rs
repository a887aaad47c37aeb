//! How does a list look whose rows can be looked into?
//!
//! Rows on the left and what is in the chosen one on the right; under each other where the screen is narrow; the rows alone where
//! it is also low.

use ratatui_core::buffer::Buffer;
use ratatui_core::layout::{Position, Rect};
use ratatui_core::style::Style;
use ratatui_core::text::{Line, Span};

use crate::base::text::visible;
use crate::tui::diff_view::Spans;
use crate::tui::look::{Look, Theme};
use crate::tui::state::around::board::{Board, Row};
use crate::tui::views::{cells, clip};
use crate::tui::wrap::{Margin, wrap, wrap_text};

/// Columns from which both stand beside each other.
const WIDE_COLUMNS: u16 = 100;
/// Rows from which both stand under each other.
const HIGH_ROWS: u16 = 14;
/// Share of the columns that the list has beside what is in a row, in percent.
const LIST_PERCENT: u16 = 45;

/// Draws a board; returns where what is typed goes on.
pub(super) fn draw(board: &Board, theme: &Theme, area: Rect, buffer: &mut Buffer) -> Position {
    let name = format!("{} ({}) ", board.kind.title(), board.fitting().len());
    let heading = Line::from(vec![
        Span::styled(name.clone(), theme.style(Look::Heading)),
        Span::styled(visible(&board.query).into_owned(), theme.style(Look::Accent)),
    ]);
    line(&heading, area, 0, buffer);
    let column = clip(Span::raw(&name).width() + Span::raw(visible(&board.query)).width());
    let cursor = Position { x: area.x + column.min(area.width.saturating_sub(1)), y: area.y };
    let below = Rect { y: area.y + 1.min(area.height), height: area.height.saturating_sub(1), ..area };
    let (list, beside) = split(below);
    rows(board, theme, list, buffer);
    if let Some(beside) = beside {
        let rule = theme.style(Look::Border);
        if beside.x > area.x {
            for y in beside.y..beside.y + beside.height {
                buffer.set_string(beside.x, y, "│", rule);
            }
            let inner = Rect { x: beside.x + 2, width: beside.width.saturating_sub(2), ..beside };
            inside(board, theme, inner, buffer);
        } else {
            buffer.set_string(beside.x, beside.y, "─".repeat(usize::from(beside.width)), rule);
            let inner = Rect { y: beside.y + 1, height: beside.height.saturating_sub(1), ..beside };
            inside(board, theme, inner, buffer);
        }
    }
    cursor
}

/// Shares the room between the rows and what is in the chosen one.
fn split(area: Rect) -> (Rect, Option<Rect>) {
    if area.width >= WIDE_COLUMNS {
        let width = area.width / 100 * LIST_PERCENT + area.width % 100 * LIST_PERCENT / 100;
        let list = Rect { width, ..area };
        return (list, Some(Rect { x: area.x + width + 1, width: area.width - width - 1, ..area }));
    }
    if area.height >= HIGH_ROWS {
        let height = area.height / 2;
        let list = Rect { height, ..area };
        return (list, Some(Rect { y: area.y + height, height: area.height - height, ..area }));
    }
    (area, None)
}

fn rows(board: &Board, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let fitting = board.fitting();
    if fitting.is_empty() {
        let words = if board.is_waiting { "loading ..." } else { board.kind.empty() };
        let width = usize::from(area.width).max(1);
        let margin = Margin::of("  ", Style::new());
        for (y, row) in wrap_text(words, theme.style(Look::Dim), width, &margin).iter().enumerate() {
            line(row, area, clip(y), buffer);
        }
        return;
    }
    // The chosen row is in sight, whole.
    let mut laid: Vec<(usize, Line<'static>)> = Vec::new();
    for (at, row) in fitting.iter().enumerate() {
        let lines = row_lines(row, at == board.at, theme, usize::from(area.width));
        laid.extend(lines.into_iter().map(|line| (at, line)));
    }
    let end = laid.iter().rposition(|(at, _)| *at == board.at).unwrap_or(0);
    let mut first = (end + 1).saturating_sub(usize::from(area.height));
    // What is above it begins with a whole row.
    while first > 0 && first < end && laid[first].0 == laid[first - 1].0 && laid[first].0 < board.at {
        first += 1;
    }
    for (y, (_, row)) in laid.iter().skip(first).take(usize::from(area.height)).enumerate() {
        line(row, area, clip(y), buffer);
    }
}

/// Lays a row out: what there is to know of it stands behind its name, or below where there is no room.
fn row_lines(row: &Row, is_chosen: bool, theme: &Theme, width: usize) -> Vec<Line<'static>> {
    let (mark, look) = if is_chosen { ("> ", Look::Chosen) } else { ("  ", Look::Plain) };
    let shown = |text: &str| visible(text).replace(['\n', '\t'], " ");
    let name = Span::styled(format!("{mark}{}", shown(&row.label)), theme.style(look));
    let meaning = Span::styled(shown(&row.meaning), theme.style(Look::Dim));
    let mut lines = if name.width() + 2 + meaning.width() <= width || row.meaning.is_empty() {
        vec![Line::from(vec![name, Span::raw("  "), meaning])]
    } else {
        vec![Line::from(name), Line::from(vec![Span::raw("    "), meaning])]
    };
    if !row.more.is_empty() {
        lines.push(Line::styled(format!("    {}", shown(&row.more)), theme.style(Look::Quote)));
    }
    lines.into_iter().map(|line| cells::clipped(line, width)).collect()
}

/// Draws what is in the chosen row.
fn inside(board: &Board, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let Some((_, lines)) = &board.beside else { return };
    lines_in(&lines[board.beside_at.min(lines.len())..], theme, area, buffer);
}

/// Draws lines, broken where they are too long, as far as there is room.
pub(super) fn lines_in(lines: &[Spans], theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let width = usize::from(area.width).max(1);
    let rows = lines.iter().take(usize::from(area.height)).flat_map(|spans| laid(spans, theme, width));
    for (y, row) in rows.take(usize::from(area.height)).enumerate() {
        line(&row, area, clip(y), buffer);
    }
}

/// Lays a line out in as many rows as it takes.
pub(super) fn laid(spans: &Spans, theme: &Theme, width: usize) -> Vec<Line<'static>> {
    let spans: Vec<Span<'static>> =
        spans.iter().map(|(look, text)| Span::styled(visible(text).into_owned(), theme.style(*look))).collect();
    let rows = wrap(&spans, width, &Margin::default());
    if rows.is_empty() { vec![Line::default()] } else { rows }
}

/// Writes a row of an area, cut where it ends.
pub(super) fn line(row: &Line<'_>, area: Rect, y: u16, buffer: &mut Buffer) {
    if y < area.height && area.width > 0 {
        cells::write(row, Position { x: area.x, y: area.y + y }, area.width, buffer);
    }
}
