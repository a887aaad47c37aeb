//! How do words that were looked for stand out?
//!
//! Where they are on the screen, whatever they are part of: found in the cells, so that every view marks alike.

use ratatui_core::buffer::Buffer;
use ratatui_core::layout::Rect;

use crate::tui::look::{Look, Theme};

/// Marks the words, which are in small letters, wherever they stand in a row of an area.
pub(super) fn mark(query: &str, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    if query.is_empty() {
        return;
    }
    let style = theme.style(Look::Chosen);
    for y in area.y..area.y + area.height {
        // Each byte of the row's text in small letters, with the column it came from.
        let (mut text, mut columns) = (String::new(), Vec::new());
        for x in area.x..area.x + area.width {
            let Some(cell) = buffer.cell((x, y)) else { continue };
            let small = cell.symbol().to_lowercase();
            columns.extend(std::iter::repeat_n(x, small.len()));
            text.push_str(&small);
        }
        for (at, found) in text.match_indices(query) {
            let (first, last) = (columns[at], columns[at + found.len() - 1]);
            buffer.set_style(Rect { x: first, y, width: last - first + 1, height: 1 }, style);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui_core::style::{Modifier, Style};

    #[test]
    fn words_are_marked_in_any_case_and_behind_wide_signs() {
        let area = Rect::new(0, 0, 30, 1);
        let mut buffer = Buffer::empty(area);
        buffer.set_string(0, 0, "日本 Needle and needle", Style::new());
        mark("needle", &Theme::without_colours(), area, &mut buffer);
        let marked: Vec<u16> = (0..30).filter(|x| buffer[(*x, 0)].modifier.contains(Modifier::REVERSED)).collect();
        assert_eq!(marked, (5..11).chain(16..22).collect::<Vec<_>>());
    }
}
