//! How does a row of text get into cells without being taken apart sign by sign, and how is one cut?
//!
//! Most of what is drawn is signs of one column each, which need no search for clusters; that search is most of the work of a frame.
//! Everything else goes through the buffer's own way.

use ratatui_core::buffer::Buffer;
use ratatui_core::layout::Position;
use ratatui_core::text::{Line, Span};
use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr as _;

use crate::tui::wrap::is_plain;

/// Writes a row from a place on, over at most so many columns; what is outside of the buffer is left out.
pub(super) fn write(line: &Line<'_>, at: Position, columns: u16, buffer: &mut Buffer) {
    let (mut x, mut left) = (at.x, columns);
    for span in &line.spans {
        if left == 0 || !buffer.area.contains(Position { x, y: at.y }) {
            return;
        }
        let style = line.style.patch(span.style);
        let text = span.content.as_ref();
        let end = if is_plain(text) {
            let room = usize::from(left.min(buffer.area.right() - x));
            let first = buffer.index_of(x, at.y);
            let mut n = 0;
            for (cell, c) in buffer.content[first..first + room].iter_mut().zip(text.chars()) {
                cell.set_char(c).set_style(style);
                n += 1;
            }
            x + n
        } else {
            buffer.set_stringn(x, at.y, text, usize::from(left), style).0
        };
        left = left.saturating_sub(end.saturating_sub(x));
        x = end;
    }
}

/// Cuts a row that is too long, and shows that it was.
pub(super) fn clipped(line: Line<'static>, columns: usize) -> Line<'static> {
    if line.width() <= columns || columns == 0 {
        return line;
    }
    let (mut left, mut spans) = (columns - 1, Vec::new());
    for span in line.spans {
        let end = end_of(&span.content, left);
        left -= span.content[..end].width();
        let is_cut = end < span.content.len();
        let mark = if is_cut { "…" } else { "" };
        spans.push(Span::styled(format!("{}{mark}", &span.content[..end]), span.style));
        if is_cut {
            break;
        }
    }
    Line { spans, ..line }
}

/// Finds where so many columns of a text end, in bytes.
fn end_of(text: &str, columns: usize) -> usize {
    let mut used = 0;
    for (at, cluster) in text.grapheme_indices(true) {
        used += cluster.width();
        if used > columns {
            return at;
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use ratatui_core::layout::Rect;
    use ratatui_core::style::{Color, Style};

    use super::*;

    #[test]
    fn what_is_cut_shows_it() {
        let table =
            [("short", 5, "short"), ("longer", 5, "long…"), ("日本語", 5, "日本…"), ("ab", 1, "…"), ("ab", 0, "ab")];
        for (text, columns, expected) in table {
            let (first, rest) = text.split_at(text.chars().next().map_or(0, char::len_utf8));
            let line = Line::from(vec![Span::raw(first.to_owned()), Span::raw(rest.to_owned())]);
            assert_eq!(clipped(line, columns).to_string(), expected, "{text} at {columns}");
        }
    }

    proptest! {
        /// The quick way and the buffer's own lead to the same cells.
        #[test]
        fn cells_are_those_the_buffer_would_make(
            texts in prop::collection::vec("[a-c ─│\u{a0}日é\u{301}]{0,8}", 0..5),
            x in 0u16..12,
            columns in 0u16..14,
        ) {
            let spans = texts.iter().enumerate().map(|(n, text)| {
                let style = if n % 2 == 0 { Style::new().fg(Color::Red) } else { Style::new() };
                Span::styled(text.clone(), style)
            });
            let line = Line::from(spans.collect::<Vec<_>>());
            let area = Rect::new(0, 0, 12, 2);
            let (mut quick, mut own) = (Buffer::empty(area), Buffer::empty(area));
            write(&line, Position { x, y: 1 }, columns, &mut quick);
            if x < 12 {
                own.set_line(x, 1, &line, columns);
            }
            prop_assert_eq!(quick, own);
        }
    }
}
