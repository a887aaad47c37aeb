//! How do changes look while they are reviewed?
//!
//! A row that says what and how far, the files as a tree where there is room, the lines of the file the person is at, a row of
//! keys. Only what is seen is laid out: a change of thousands of files costs what one screen does. To add a part of it: a file
//! here, and its place in [`Pane::draw`].

mod below;
mod files;
mod line;
mod paint;
mod rows;

use ratatui_core::buffer::Buffer;
use ratatui_core::layout::{Position, Rect};
use ratatui_core::text::{Line, Span};
use unicode_width::UnicodeWidthStr as _;

use crate::base::text::{count, one_line_name, visible};
use crate::tui::look::{Look, Theme};
use crate::tui::state::State;
use crate::tui::state::review::{Reading, Review, Shape};
use crate::tui::views::review::paint::Painted;
use crate::tui::views::review::rows::Rows;
use crate::tui::views::{cells, clip};
use crate::tui::wrap::{Margin, wrap_text};

/// Columns from which the files stand beside the lines, and what they take of them.
const TREE_FROM_COLUMNS: u16 = 100;
const MAX_TREE_COLUMNS: u16 = 40;
/// Columns of the lines from which old and new stand beside each other.
const BESIDE_FROM_COLUMNS: u16 = 110;

/// What was laid out of a review, and how far it is scrolled.
#[derive(Default)]
pub(super) struct Pane {
    rows: Option<Rows>,
    painted: Painted,
    /// The first row of the file that is seen.
    top: usize,
    /// The first row of the tree that is seen.
    tree_top: usize,
}

impl Pane {
    /// Draws everything; returns where the cursor stands, if it is to be seen.
    pub(super) fn draw(&mut self, state: &State, theme: &Theme, buffer: &mut Buffer) -> Option<Position> {
        let area = buffer.area;
        let review = state.review.as_deref()?;
        let below = below::draw(state, review, theme, buffer);
        put(&title(review, theme, usize::from(area.width)), area, buffer);
        let head = u16::from(area.height > below.0);
        let body = Rect { y: area.y + head, height: area.height.saturating_sub(below.0 + head), ..area };
        match message(review) {
            Some((look, text)) => {
                let (text, style) = (visible(&text).into_owned(), theme.style(look));
                let rows = text
                    .split('\n')
                    .flat_map(|line| wrap_text(line, style, usize::from(area.width), &Margin::default()));
                let rows: Vec<Line<'static>> = rows.collect();
                for (y, row) in rows.iter().enumerate().take(usize::from(body.height)) {
                    put(row, Rect { y: body.y + clip(y), ..body }, buffer);
                }
            }
            None => self.draw_body(review, theme, body, buffer),
        }
        below.1
    }

    fn draw_body(&mut self, review: &Review, theme: &Theme, body: Rect, buffer: &mut Buffer) {
        let is_wide = body.width >= TREE_FROM_COLUMNS && review.has_tree && review.files.len() > 1;
        let tree_columns = match (is_wide, review.is_in_tree) {
            (true, _) => (body.width / 4).min(MAX_TREE_COLUMNS),
            (false, true) => body.width,
            (false, false) => 0,
        };
        if tree_columns > 0 {
            let area = Rect { width: tree_columns, ..body };
            self.tree_top = files::draw(review, self.tree_top, theme, area, buffer);
        }
        if tree_columns >= body.width {
            return;
        }
        let rule = u16::from(tree_columns > 0);
        for y in body.y..body.y + body.height * rule {
            put(&Line::styled("│", theme.style(Look::Border)), Rect { x: tree_columns, y, ..body }, buffer);
        }
        let x = tree_columns + rule;
        self.draw_lines(review, theme, Rect { x, width: body.width - x, ..body }, buffer);
    }

    fn draw_lines(&mut self, review: &Review, theme: &Theme, area: Rect, buffer: &mut Buffer) {
        let is_beside = match review.shape {
            Shape::Auto => area.width >= BESIDE_FROM_COLUMNS,
            Shape::Unified => false,
            Shape::Beside => true,
        };
        let key = (review.version, review.at.file, is_beside);
        let rows = match self.rows.take().filter(|rows| rows.key == key) {
            Some(rows) => rows,
            None => Rows::new(review, key),
        };
        let brush = line::Brush { review, theme, width: usize::from(area.width) };
        let at = rows.position(review.at.hunk, review.at.line);
        self.painted.of_file(review);
        let painted = &mut self.painted;
        let mut render = |row: usize| brush.row(&rows.all[row], painted);
        self.top = scrolled(self.top.min(rows.all.len().saturating_sub(1)), at, usize::from(area.height), &mut render);
        let mut y = area.y;
        for row in self.top..rows.all.len() {
            for line in render(row) {
                if y < area.y + area.height {
                    put(&line, Rect { y, ..area }, buffer);
                }
                y += 1;
            }
            if y >= area.y + area.height {
                break;
            }
        }
        self.rows = Some(rows);
    }
}

/// Finds the first row to be seen so that the row at `at` is, with a little around it; as near as can be to what it was.
fn scrolled(top: usize, at: usize, height: usize, render: &mut impl FnMut(usize) -> Vec<Line<'static>>) -> usize {
    let around = if height > 8 { 2 } else { 0 };
    // Back from where the person is as far as there is room.
    let mut room = height.saturating_sub(around);
    let mut first = at;
    for row in (0..=at).rev() {
        let n = if row + height < at { height } else { render(row).len() };
        if n > room {
            break;
        }
        room -= n;
        first = row;
    }
    top.min(at.saturating_sub(around)).max(first)
}

fn message(review: &Review) -> Option<(Look, String)> {
    match &review.reading {
        Reading::Failed(why) => Some((Look::Bad, why.clone())),
        Reading::Underway if review.files.is_empty() => Some((Look::Dim, "reading ...".to_owned())),
        _ if review.files.is_empty() => {
            let remarks = match review.remarks.len() {
                0 => String::new(),
                n => format!("\n{} still to be sent", count(n, "remark")),
            };
            Some((Look::Plain, format!("nothing changed: {}{remarks}", review.source.words())))
        }
        _ => None,
    }
}

/// What is reviewed and how far it is; what does not fit is left out from the end.
fn title(review: &Review, theme: &Theme, width: usize) -> Line<'static> {
    let what = if review.what.is_empty() { review.source.words() } else { review.what.clone() };
    let mut spans = vec![Span::styled(visible(&what).into_owned(), theme.style(Look::Heading))];
    if review.files.is_empty() {
        return Line::from(spans);
    }
    let ((n, of), (added, removed)) = (review.progress(), review.counts());
    let files = count(review.files.len(), "file");
    let notes = if review.notes.is_empty() { String::new() } else { format!("  ! {}", review.notes.join("; ")) };
    let remarks = review.remarks.len();
    let remarks = if remarks > 0 { format!("  {}", count(remarks, "remark")) } else { String::new() };
    let parts = [
        (Look::Bold, format!("  {n} of {of} decided")),
        (Look::Good, format!("  +{added}")),
        (Look::Bad, format!(" -{removed}")),
        (Look::Dim, format!("  {files}")),
        (Look::Notice, if review.reading == Reading::Underway { "  reading ...".to_owned() } else { String::new() }),
        (Look::Notice, remarks),
        (Look::Notice, visible(&notes).into_owned()),
    ];
    let mut used = what.width();
    for (look, text) in parts {
        used += text.width();
        if used > width {
            break;
        }
        spans.push(Span::styled(text, theme.style(look)));
    }
    Line::from(spans)
}

/// Names a file as it is called now, and as it was called before.
fn name(diff: &crate::protocol::diff::FileDiff) -> String {
    let now = visible(&one_line_name(&diff.path)).into_owned();
    match &diff.from {
        Some(from) => format!("{} -> {now}", visible(&one_line_name(from))),
        None => now,
    }
}

/// Writes a row at the left edge of an area.
fn put(row: &Line<'_>, area: Rect, buffer: &mut Buffer) {
    let all = buffer.area;
    if area.y < all.y + all.height && area.x < all.x + all.width {
        let columns = area.width.min(all.x + all.width - area.x);
        cells::write(row, Position { x: area.x, y: area.y }, columns, buffer);
    }
}

#[cfg(test)]
#[path = "review_view_tests.rs"]
mod tests;
