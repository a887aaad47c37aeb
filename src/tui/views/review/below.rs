//! What stands below changes under review?
//!
//! The keys that matter most, a remark, or the line that is written.

use ratatui_core::buffer::Buffer;
use ratatui_core::layout::{Position, Rect};
use ratatui_core::text::{Line, Span};
use unicode_width::UnicodeWidthStr as _;

use crate::base::text::{first_line, visible};
use crate::tui::keymap::{Action, View};
use crate::tui::look::{Look, Theme};
use crate::tui::state::review::Review;
use crate::tui::state::{Purpose, State};
use crate::tui::views::review::put;
use crate::tui::views::{clip, composer};

/// The keys named below, those that matter most first.
const KEYS: &[(Action, &str)] = &[
    (Action::Accept, "accept"),
    (Action::Reject, "reject"),
    (Action::EditHunk, "edit"),
    (Action::Comment, "comment"),
    (Action::StageHunk, "stage"),
    (Action::UndoDecision, "undo"),
    (Action::NextHunk, "next hunk"),
    (Action::NextFile, "next file"),
    (Action::Search, "search"),
    (Action::FileTree, "files"),
    (Action::Send, "send"),
    (Action::Close, "back"),
];

/// The keys where there is nothing to decide.
const EMPTY_KEYS: &[(Action, &str)] =
    &[(Action::PickSource, "other changes"), (Action::Reload, "read again"), (Action::Close, "back")];

/// Draws what stands at the bottom; returns how many rows that are, and where the cursor is.
pub(super) fn draw(state: &State, review: &Review, theme: &Theme, buffer: &mut Buffer) -> (u16, Option<Position>) {
    let area = buffer.area;
    let width = usize::from(area.width);
    if matches!(state.purpose, Purpose::Review(_)) {
        let (rows, (row, column)) = composer::rows(state, theme, width);
        let n = clip(rows.len()).min(area.height / 2 + 1).min(area.height);
        let first = (row + 1).saturating_sub(usize::from(n));
        let y = area.height - n;
        for (at, line) in rows.iter().skip(first).take(usize::from(n)).enumerate() {
            put(line, Rect { y: y + clip(at), ..area }, buffer);
        }
        let position = Position { x: clip(column).min(area.width - 1), y: y + clip(row - first) };
        return (n, Some(position));
    }
    if area.height < 3 {
        return (0, None);
    }
    let back = state.keymap.key_of(View::Review, Action::Close).unwrap_or_default();
    let waits = state.asked.first().map(|_| format!("a call waits for your answer ({back} back)"));
    let line = match state.hint.clone().or(waits) {
        Some(hint) => Line::styled(visible(&first_line(&hint, width)).into_owned(), theme.style(Look::Notice)),
        None => keys(state, review, theme, width),
    };
    put(&line, Rect { y: area.height - 1, ..area }, buffer);
    (1, None)
}

fn keys(state: &State, review: &Review, theme: &Theme, width: usize) -> Line<'static> {
    let mut spans: Vec<Span<'static>> = Vec::new();
    let mut used = 0;
    let rows = if review.files.is_empty() { EMPTY_KEYS } else { KEYS };
    // All others are a key away, which is named wherever it fits.
    let help = state.keymap.key_of(View::Review, Action::Help).map(|key| (key, "keys"));
    let kept = help.as_ref().map_or(0, |(key, words)| key.width() + words.len() + 3);
    let width = if kept < width / 2 { width - kept } else { width };
    for (action, words) in rows {
        let Some(key) = state.keymap.key_of(View::Review, *action) else { continue };
        let words = match action {
            Action::Send if review.remarks.is_empty() => continue,
            _ => (*words).to_owned(),
        };
        let gap = if used > 0 { "  " } else { "" };
        used += gap.len() + key.width() + 1 + words.width();
        if used > width {
            break;
        }
        spans.push(Span::styled(format!("{gap}{key}"), theme.style(Look::Accent)));
        spans.push(Span::styled(format!(" {words}"), theme.style(Look::Dim)));
    }
    if let Some((key, words)) = help.filter(|_| used > 0) {
        spans.push(Span::styled(format!("  {key}"), theme.style(Look::Accent)));
        spans.push(Span::styled(format!(" {words}"), theme.style(Look::Dim)));
    }
    Line::from(spans)
}
