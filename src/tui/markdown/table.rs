//! How is a table laid out in a width it may not fit?
//!
//! Columns are as wide as their words where that fits; else the widest give way, and their words are broken into rows. Where
//! there is no room for columns at all, each row becomes a list of its cells.

use pulldown_cmark::Alignment;
use ratatui_core::text::{Line, Span};

use crate::tui::look::{Look, Theme};
use crate::tui::wrap::{Margin, wrap};

/// Columns a column of a table has at least.
const MIN_COLUMNS: usize = 6;
/// Between two columns.
const GAP: &str = "  ";

type Cell = Vec<Span<'static>>;

/// A table while it is read.
pub(super) struct Table {
    alignments: Vec<Alignment>,
    rows: Vec<Vec<Cell>>,
    row: Vec<Cell>,
}

impl Table {
    pub(super) fn new(alignments: Vec<Alignment>) -> Self {
        Self { alignments, rows: Vec::new(), row: Vec::new() }
    }

    pub(super) fn cell(&mut self, words: Cell) {
        self.row.push(words);
    }

    pub(super) fn end_row(&mut self) {
        let row = std::mem::take(&mut self.row);
        self.rows.push(row);
    }

    /// Lays it out; the first row is its heading.
    pub(super) fn rows(mut self, width: usize, margin: &Margin, theme: &Theme) -> Vec<Line<'static>> {
        let room = width.saturating_sub(margin.first.iter().map(Span::width).sum());
        let n_columns = self.alignments.len().max(1);
        if let Some(head) = self.rows.first_mut() {
            let bold = theme.style(Look::Bold);
            head.iter_mut().flatten().for_each(|span| span.style = bold.patch(span.style));
        }
        match widths(&self.rows, n_columns, room) {
            Some(widths) => self.columns(&widths, margin, theme),
            None => self.list(width, margin, theme),
        }
    }

    fn columns(&self, widths: &[usize], margin: &Margin, theme: &Theme) -> Vec<Line<'static>> {
        let mut all = Vec::new();
        for (at, row) in self.rows.iter().enumerate() {
            all.extend(self.row(row, widths, margin));
            if at == 0 {
                let rules: Vec<String> = widths.iter().map(|width| "─".repeat(*width)).collect();
                let rule = Span::styled(rules.join(GAP), theme.style(Look::Border));
                all.push(Line::from([margin.rest.clone(), vec![rule]].concat()));
            }
        }
        all
    }

    fn row(&self, row: &[Cell], widths: &[usize], margin: &Margin) -> Vec<Line<'static>> {
        let cells: Vec<Vec<Line<'static>>> = widths
            .iter()
            .enumerate()
            .map(|(at, width)| wrap(row.get(at).map_or(&[], Vec::as_slice), *width, &Margin::default()))
            .collect();
        let height = cells.iter().map(Vec::len).max().unwrap_or(0);
        let line = |at: usize| {
            let mut spans = margin.rest.clone();
            for (column, width) in widths.iter().enumerate() {
                if column > 0 {
                    spans.push(Span::raw(GAP));
                }
                let words = cells[column].get(at).cloned().unwrap_or_default();
                let alignment = self.alignments.get(column).copied().unwrap_or(Alignment::None);
                spans.extend(padded(words, *width, alignment));
            }
            Line::from(spans)
        };
        (0..height).map(line).collect()
    }

    /// Each row as a list of `heading: cell`.
    fn list(&self, width: usize, margin: &Margin, theme: &Theme) -> Vec<Line<'static>> {
        let Some((head, rows)) = self.rows.split_first() else { return Vec::new() };
        let item = margin.continued().with(&Margin::hanging("- ", theme.style(Look::Accent)));
        let mut all = Vec::new();
        for row in rows {
            for (at, cell) in row.iter().enumerate() {
                let mut words = head.get(at).cloned().unwrap_or_default();
                words.push(Span::raw(": "));
                words.extend(cell.iter().cloned());
                let margin = if at == 0 { item.clone() } else { item.continued() };
                all.extend(wrap(&words, width, &margin));
            }
        }
        all
    }
}

/// Says how wide each column is; none where there is no room for so many.
fn widths(rows: &[Vec<Cell>], n_columns: usize, room: usize) -> Option<Vec<usize>> {
    let wanted = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.iter().map(Span::width).sum()).max().unwrap_or(0).max(1)
    };
    let mut widths: Vec<usize> = (0..n_columns).map(wanted).collect();
    let room = room.checked_sub(GAP.len() * (n_columns - 1))?;
    while widths.iter().sum::<usize>() > room {
        let widest = widths.iter_mut().max()?;
        if *widest <= MIN_COLUMNS {
            return None;
        }
        *widest -= 1;
    }
    Some(widths)
}

fn padded(words: Line<'static>, width: usize, alignment: Alignment) -> Vec<Span<'static>> {
    let free = width.saturating_sub(words.width());
    let before = match alignment {
        Alignment::Right => free,
        Alignment::Center => free / 2,
        Alignment::Left | Alignment::None => 0,
    };
    let mut spans = vec![Span::raw(" ".repeat(before))];
    spans.extend(words.spans);
    spans.push(Span::raw(" ".repeat(free - before)));
    spans
}
