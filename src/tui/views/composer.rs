//! How do the words being written look, and where is the cursor?

use ratatui_core::text::Line;
use unicode_width::UnicodeWidthChar as _;

use crate::base::text::visible;
use crate::tui::keymap::View;
use crate::tui::look::{Look, Theme};
use crate::tui::state::around::Writing;
use crate::tui::state::message::Noting;
use crate::tui::state::{Front, Purpose, State};
use crate::tui::wrap::{Margin, wrap_text};

/// Says whether keys go to the words.
pub(super) fn has_cursor(state: &State) -> bool {
    matches!(state.view(), View::Composer | View::Picks) && !matches!(state.front, Front::List(_))
}

/// What the words are for, at their beginning.
fn prompt(state: &State) -> String {
    match &state.purpose {
        Purpose::Words => format!("{}> ", state.status.mode.name()),
        Purpose::Reason(_) | Purpose::PieceReason | Purpose::Review(Noting::Reason) => "reason> ".to_owned(),
        Purpose::Answer(_) => "answer> ".to_owned(),
        Purpose::Review(Noting::Search) => "search> ".to_owned(),
        Purpose::Review(Noting::Comment) => "comment> ".to_owned(),
        Purpose::Review(Noting::Line) => "line> ".to_owned(),
        Purpose::Review(Noting::Commit) => "commit> ".to_owned(),
        Purpose::Line(Writing::Name(_)) => "name> ".to_owned(),
        Purpose::Line(Writing::ExportTo(_)) => "write to> ".to_owned(),
        Purpose::Line(_) => "find> ".to_owned(),
        Purpose::Yolo => "type yolo to go on> ".to_owned(),
    }
}

/// Lays the words out; returns the rows with the row and column of the cursor.
pub(super) fn rows(state: &State, theme: &Theme, width: usize) -> (Vec<Line<'static>>, (usize, usize)) {
    let margin = Margin::hanging(&prompt(state), theme.style(Look::Accent));
    let (line, character) = state.composer.cursor();
    let mut rows: Vec<Line<'static>> = Vec::new();
    let mut cursor = (0, 0);
    for (at, text) in state.composer.lines().iter().enumerate() {
        let margin = if at == 0 { margin.clone() } else { margin.continued() };
        if at == line {
            let before: String = text.chars().take(character).collect();
            cursor = place(&before, width, &margin);
            cursor.0 += rows.len();
        }
        rows.extend(broken(text, theme, width, &margin));
    }
    // The cursor behind a full row stands in the next.
    while rows.len() <= cursor.0 {
        rows.push(Line::from(margin.rest.clone()));
    }
    (rows, cursor)
}

/// Breaks a line where the row is full, not between words: what is typed must not jump.
fn broken(text: &str, theme: &Theme, width: usize, margin: &Margin) -> Vec<Line<'static>> {
    let fixed = visible(text).replace(' ', "\u{a0}");
    wrap_text(&fixed, theme.style(Look::Plain), width, margin)
}

/// Finds the row and column behind a text.
fn place(before: &str, width: usize, margin: &Margin) -> (usize, usize) {
    let start: usize = margin.first.iter().map(ratatui_core::text::Span::width).sum();
    let start = if start < width { start } else { 0 };
    let (mut row, mut column) = (0, start);
    for c in visible(before).chars() {
        let columns = if c == '\t' { 4 } else { c.width().unwrap_or(0) };
        if column + columns > width && column > start {
            row += 1;
            column = start;
        }
        column += columns;
    }
    if column >= width { (row + 1, start) } else { (row, column) }
}
