//! How does a file look?
//!
//! Its lines from the chosen one's neighbourhood, counted where that says something; words that are looked for stand out.

use ratatui_core::buffer::Buffer;
use ratatui_core::layout::Rect;
use ratatui_core::text::{Line, Span};

use crate::base::text::visible;
use crate::tui::look::{Look, Theme};
use crate::tui::state::around::viewer::Viewer;
use crate::tui::views::{board, clip, marks};

/// Draws what is looked at.
pub(super) fn draw(viewer: &Viewer, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let heading = Line::from(vec![
        Span::styled(visible(&viewer.title).into_owned(), theme.style(Look::Heading)),
        Span::styled(format!("  {}", position(viewer)), theme.style(Look::Dim)),
    ]);
    board::line(&heading, area, 0, buffer);
    let area = Rect { y: area.y + 1.min(area.height), height: area.height.saturating_sub(1), ..area };
    let numbers = if viewer.is_numbered { viewer.lines.len().max(1).to_string().len() } else { 0 };
    // The chosen line stands in the middle, but for the beginning and the end.
    let height = usize::from(area.height);
    let last_top = viewer.lines.len().saturating_sub(height);
    let top = viewer.at.saturating_sub(height / 2).min(last_top);
    let gutter = if numbers > 0 { numbers + 3 } else { 2 };
    let width = usize::from(area.width).saturating_sub(gutter).max(1);
    let mut y = 0;
    for at in top..viewer.lines.len() {
        // Long lines before the chosen one must not push it out of sight.
        let mut rows = board::laid(&viewer.lines[at], theme, width);
        if at < viewer.at {
            rows.truncate(1);
        }
        for (n, row) in rows.into_iter().enumerate() {
            if y >= height {
                break;
            }
            let mark = if at == viewer.at && n == 0 { "> " } else { "  " };
            let number = match (numbers, n) {
                (0, _) => String::new(),
                (_, 0) => format!("{:>numbers$} ", at + 1),
                _ => " ".repeat(numbers + 1),
            };
            let look = if at == viewer.at { Look::Accent } else { Look::Dim };
            let mut spans = vec![Span::styled(format!("{mark}{number}"), theme.style(look))];
            spans.extend(row.spans);
            board::line(&Line::from(spans), area, clip(y), buffer);
            y += 1;
        }
    }
    if !viewer.query.is_empty() {
        let gutter = clip(gutter).min(area.width);
        let text = Rect { x: area.x + gutter, width: area.width - gutter, ..area };
        marks::mark(&viewer.query.to_lowercase(), theme, text, buffer);
    }
}

fn position(viewer: &Viewer) -> String {
    let place = format!("{} of {}", (viewer.at + 1).min(viewer.lines.len()), viewer.lines.len());
    match viewer.note.as_str() {
        "" => place,
        note => format!("{place}  {}", visible(note)),
    }
}
