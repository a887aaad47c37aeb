//! How do the files under review look as a tree?

use ratatui_core::buffer::Buffer;
use ratatui_core::layout::Rect;
use ratatui_core::text::{Line, Span};
use unicode_width::UnicodeWidthStr as _;

use crate::base::text::visible;
use crate::protocol::diff::Kind;
use crate::tui::look::{Look, Theme};
use crate::tui::state::review::Review;
use crate::tui::state::review::tree::Branch;
use crate::tui::views::clip;
use crate::tui::views::review::put;

/// Columns a level is set in.
const INDENT: usize = 2;

/// Draws what is seen of the tree around the file the person is at; returns its first row that is seen.
pub(super) fn draw(review: &Review, top: usize, theme: &Theme, area: Rect, buffer: &mut Buffer) -> usize {
    let height = usize::from(area.height);
    let at = review.tree.iter().position(|row| row.file == Some(review.at.file)).unwrap_or(0);
    let top = top.min(at).max((at + 1).saturating_sub(height));
    for (y, branch) in review.tree.iter().skip(top).take(height).enumerate() {
        let row = row(review, branch, theme, usize::from(area.width));
        put(&row, Rect { y: area.y + clip(y), ..area }, buffer);
    }
    top
}

fn row(review: &Review, branch: &Branch, theme: &Theme, width: usize) -> Line<'static> {
    let is_here = branch.file == Some(review.at.file);
    let file = branch.file.and_then(|file| review.files.get(file));
    let mark = if is_here { "> " } else { "  " };
    let letter = match file.map(|file| file.diff.kind) {
        Some(Kind::Created) => "A ",
        Some(Kind::Deleted) => "D ",
        Some(Kind::Renamed) => "R ",
        Some(Kind::Changed) => "M ",
        None => "",
    };
    let state = file.map_or_else(String::new, |file| match file.progress() {
        (n, of) if n == of => " done".to_owned(),
        (n, of) => format!(" {n}/{of}"),
    });
    let (added, removed) = (format!(" +{}", branch.added), format!(" -{}", branch.removed));
    let right = added.width() + removed.width() + state.width();
    let left = format!("{mark}{}{letter}", " ".repeat(INDENT * branch.depth.min(12)));
    let room = width.saturating_sub(left.width() + right);
    let name = clipped(&visible(&branch.name), room);
    let gap = " ".repeat(room.saturating_sub(name.width()));
    let look = match (is_here, review.is_in_tree, file) {
        (true, true, _) => Look::Chosen,
        (true, ..) => Look::Bold,
        (_, _, None) => Look::Dim,
        _ => Look::Plain,
    };
    Line::from(vec![
        Span::styled(left, theme.style(Look::Dim)),
        Span::styled(name, theme.style(look)),
        Span::raw(gap),
        Span::styled(added, theme.style(Look::Good)),
        Span::styled(removed, theme.style(Look::Bad)),
        Span::styled(state, theme.style(Look::Dim)),
    ])
}

/// Cuts a name to so many columns, at its beginning: its end tells more.
fn clipped(name: &str, width: usize) -> String {
    if name.width() <= width {
        return name.to_owned();
    }
    let mut kept: Vec<char> = Vec::new();
    let mut used = 1;
    for c in name.chars().rev() {
        used += unicode_width::UnicodeWidthChar::width(c).unwrap_or(0);
        if used > width {
            break;
        }
        kept.push(c);
    }
    let end: String = kept.into_iter().rev().collect();
    if width == 0 { String::new() } else { format!("…{end}") }
}
