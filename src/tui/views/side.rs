//! What stands beside the conversation?
//!
//! Panels for those who want them, where the screen is wide enough: plan, files and running commands; or the server and the records
//! as they come. They take nothing from a narrow screen.

use ratatui_core::buffer::Buffer;
use ratatui_core::layout::Rect;

use crate::base::text::first_line;
use crate::tui::diff_view::Spans;
use crate::tui::look::{Look, Theme};
use crate::tui::state::State;
use crate::tui::state::around::level::Preset;
use crate::tui::state::around::made;
use crate::tui::views::board;

/// Columns of a screen from which there is room beside the conversation.
const MIN_COLUMNS: u16 = 100;
/// Columns of the panels at most.
const MAX_COLUMNS: u16 = 60;
/// Rows of a screen from which panels say anything.
const MIN_ROWS: u16 = 10;

/// Shares the room between the conversation and what stands beside it.
pub(super) fn split(state: &State, area: Rect) -> (Rect, Option<Rect>) {
    if state.around.kept.preset == Preset::Chat || area.width < MIN_COLUMNS || area.height < MIN_ROWS {
        return (area, None);
    }
    let width = (area.width / 3).min(MAX_COLUMNS);
    let chat = Rect { width: area.width - width - 1, ..area };
    (chat, Some(Rect { x: area.x + chat.width + 1, width, ..area }))
}

/// Draws the panels, one below the other.
pub(super) fn draw(state: &State, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    for y in area.y..area.y + area.height {
        buffer.set_string(area.x - 1, y, "│", theme.style(Look::Border));
    }
    let inner = Rect { x: area.x + 1, width: area.width.saturating_sub(1), ..area };
    let panels = match state.around.kept.preset {
        Preset::Debug => vec![("server", server(state)), ("records", raw(state, inner))],
        _ => vec![("plan", plan(state)), ("files", files(state)), ("running", running(state))],
    };
    let room = usize::from(area.height);
    let wanted: Vec<usize> = panels.iter().map(|(_, lines)| lines.len() + 2).collect();
    let mut y = 0;
    for (at, (name, lines)) in panels.iter().enumerate() {
        // What the panels below want is left to them, but each has at least three rows.
        let below: usize = wanted[at + 1..].iter().map(|rows| (*rows).min(5)).sum();
        let height = wanted[at].min(room.saturating_sub(y + below).max(3)).min(room.saturating_sub(y));
        if height < 2 {
            break;
        }
        let title = vec![(Look::Heading, (*name).to_owned())];
        let panel = |from: usize, rows: usize| Rect {
            y: inner.y + crate::tui::views::clip(y + from),
            height: crate::tui::views::clip(rows),
            ..inner
        };
        board::lines_in(&[title], theme, panel(0, 1), buffer);
        board::lines_in(lines, theme, panel(1, height - 2), buffer);
        y += height;
    }
}

fn said(text: &str) -> Vec<Spans> {
    vec![vec![(Look::Dim, text.to_owned())]]
}

fn plan(state: &State) -> Vec<Spans> {
    match &state.transcript.plan {
        Some(plan) => made::plain(plan.to_string().trim_end()),
        None => said("none"),
    }
}

fn files(state: &State) -> Vec<Spans> {
    let rows = made::rows(&state.transcript);
    let files = rows.iter().filter_map(|row| {
        let change = row.meaning.strip_prefix("file, ")?;
        Some(vec![(Look::Plain, row.label.clone()), (Look::Dim, format!("  {change}"))])
    });
    let files: Vec<Spans> = files.collect();
    if files.is_empty() { said("none changed") } else { files }
}

fn running(state: &State) -> Vec<Spans> {
    let rows = made::running(&state.transcript, state.now_ms);
    if rows.is_empty() {
        return said("nothing");
    }
    let each = rows.iter().flat_map(|row| {
        let last = made::beside(&state.transcript, &row.id).into_iter().skip(1).last();
        [Some(vec![(Look::Accent, row.label.clone())]), Some(vec![(Look::Dim, row.meaning.clone())]), last]
    });
    each.flatten().collect()
}

fn server(state: &State) -> Vec<Spans> {
    if state.around.server.is_empty() { said("...") } else { state.around.server.clone() }
}

/// The newest records that fit, the newest last.
fn raw(state: &State, area: Rect) -> Vec<Spans> {
    let n = usize::from(area.height).saturating_sub(state.around.server.len() + 6).max(1);
    let raw = &state.around.raw;
    let shown = raw.iter().skip(raw.len().saturating_sub(n));
    shown.map(|line| vec![(Look::Dim, first_line(line, usize::from(area.width)))]).collect()
}
