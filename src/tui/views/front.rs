//! What stands in front of the conversation, and how?
//!
//! A text to read, a list to choose from, a change piece by piece.

use ratatui_core::buffer::Buffer;
use ratatui_core::layout::{Position, Rect};
use ratatui_core::text::{Line, Span};
use unicode_width::UnicodeWidthStr as _;

use crate::base::text::{count, first_line, one_line_name, visible};
use crate::protocol::review::Ruling;
use crate::tui::diff_view;
use crate::tui::look::{Look, Theme};
use crate::tui::state::asking::Pieces;
use crate::tui::state::choices::{Choice, Choices};
use crate::tui::views::item::painted;
use crate::tui::views::{clip, put};
use crate::tui::wrap::{Margin, wrap_text};

/// Rows a list takes at most.
const MAX_LIST_ROWS: usize = 12;
/// Columns of names up to which what they mean stands in a column.
const MAX_NAME_COLUMNS: usize = 36;
/// Rows of what is offered while a word is written.
const MAX_OFFER_ROWS: usize = 8;

fn title(text: &str, theme: &Theme) -> Line<'static> {
    Line::from(Span::styled(visible(text).into_owned(), theme.style(Look::Heading)))
}

/// Draws a text from one of its lines on.
pub(super) fn reader(name: &str, text: &str, at: usize, theme: &Theme, buffer: &mut Buffer) {
    put(&title(name, theme), 0, buffer);
    let width = usize::from(buffer.area.width);
    let style = theme.style(Look::Plain);
    let shown = text.lines().skip(at).take(usize::from(buffer.area.height));
    let rows = shown.flat_map(|line| wrap_text(&visible(line), style, width, &Margin::default()));
    for (y, row) in rows.enumerate().take(usize::from(buffer.area.height)) {
        put(&row, clip(y) + 2, buffer);
    }
}

/// Where rows to choose from stand: the first one's row, its place among those that fit, and how many are shown.
type Shown = (u16, usize, usize);

/// Draws a list over the lower part of an area; returns where its rows are and where what is typed goes on.
pub(super) fn list(choices: &Choices, theme: &Theme, area: Rect, buffer: &mut Buffer) -> (Shown, Position) {
    let heading = format!("{} ({}): {}", choices.title, choices.fitting().len(), choices.filter());
    let mut rows = vec![title(&heading, theme)];
    rows.extend(choice_rows(choices, theme, area, MAX_LIST_ROWS));
    let top = at_bottom(&rows, area, buffer);
    let column = clip(Span::raw(heading).width()).min(area.width.saturating_sub(1));
    let first = first_shown(choices, area, MAX_LIST_ROWS);
    ((top + 1, first, rows.len() - 1), Position { x: column, y: top })
}

/// The first row that is shown, so that the chosen one is.
fn first_shown(choices: &Choices, area: Rect, most: usize) -> usize {
    (choices.at() + 1).saturating_sub(usize::from(area.height).saturating_sub(1).min(most))
}

/// Draws what waits for later turns, with the keys that change it.
pub(super) fn queue(queue: &[String], at: usize, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let rows = queue.iter().map(|text| Choice::writing(text, &size_of(text))).collect();
    let mut choices = Choices::new("", rows);
    choices.go(isize::try_from(at).unwrap_or(0));
    let mut rows = vec![title(&format!("for later turns ({})", queue.len()), theme)];
    rows.extend(choice_rows(&choices, theme, area, MAX_LIST_ROWS));
    at_bottom(&rows, area, buffer);
}

fn size_of(text: &str) -> String {
    match text.lines().count() {
        0 | 1 => String::new(),
        n => count(n, "line"),
    }
}

/// Draws what is offered for the word at the cursor, right above it.
pub(super) fn offer(choices: &Choices, theme: &Theme, area: Rect, buffer: &mut Buffer) -> Shown {
    let rows = choice_rows(choices, theme, area, MAX_OFFER_ROWS);
    let top = at_bottom(&rows, area, buffer);
    (top, first_shown(choices, area, MAX_OFFER_ROWS), rows.len())
}

/// The rows around the one that is chosen.
fn choice_rows(choices: &Choices, theme: &Theme, area: Rect, most: usize) -> Vec<Line<'static>> {
    let room = usize::from(area.height).saturating_sub(1).min(most);
    let first = first_shown(choices, area, most);
    let shown: Vec<(usize, &Choice)> = choices.fitting().enumerate().skip(first).take(room).collect();
    // What they mean stands in a column, where the names leave room for one.
    let described = shown.iter().filter(|(_, choice)| !choice.meaning.is_empty());
    let column = described.map(|(_, choice)| choice.label.width()).max().unwrap_or(0).min(MAX_NAME_COLUMNS);
    let row = |(at, choice): (usize, &Choice)| {
        let (mark, look) = if at == choices.at() { ("> ", Look::Chosen) } else { ("  ", Look::Plain) };
        let words = visible(&first_line(&choice.label, usize::from(area.width))).into_owned();
        Line::from(vec![
            Span::styled(format!("{mark}{words}"), theme.style(look)),
            Span::raw(" ".repeat(2 + column.saturating_sub(words.width()))),
            Span::styled(visible(&first_line(&choice.meaning, 200)).into_owned(), theme.style(Look::Dim)),
        ])
    };
    shown.into_iter().map(row).collect()
}

/// Puts rows over the end of an area; returns the first one's place.
fn at_bottom(rows: &[Line<'_>], area: Rect, buffer: &mut Buffer) -> u16 {
    let top = area.y + area.height.saturating_sub(clip(rows.len()));
    for (y, row) in (top..area.y + area.height).zip(rows) {
        blank(y, area, buffer);
        put(row, y, buffer);
    }
    top
}

fn blank(y: u16, area: Rect, buffer: &mut Buffer) {
    for x in area.x..area.x + area.width {
        if let Some(cell) = buffer.cell_mut((x, y)) {
            cell.reset();
        }
    }
}

/// Draws a change: its files, and the piece that is judged.
pub(super) fn pieces(pieces: &Pieces, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let width = usize::from(area.width);
    let (at, n) = pieces.position();
    let (diff, hunk) = pieces.shown();
    let mut rows = vec![title(&format!("piece {} of {n}: {}", at + 1, one_line_name(&diff.path)), theme)];
    rows.extend(files(pieces, theme));
    rows.push(Line::default());
    let said = rows.len();
    let file = pieces.diffs.iter().position(|other| std::ptr::eq(other, diff)).unwrap_or(0);
    rows.push(ruling_row(pieces.ruling(file, hunk), theme));
    rows.extend(
        diff_view::hunk_view(&diff.hunks[hunk], Some(width)).iter().flat_map(|spans| painted(spans, theme, width)),
    );
    if rows.len() > usize::from(area.height) {
        // The list of files gives way to the piece.
        rows.drain(1..said);
    }
    for (y, row) in rows.iter().enumerate().take(usize::from(area.height)) {
        put(row, area.y + clip(y), buffer);
    }
}

/// One row a file: how many of its pieces are taken and left.
fn files(pieces: &Pieces, theme: &Theme) -> Vec<Line<'static>> {
    let (shown, _) = pieces.shown();
    let row = |(file, diff): (usize, &crate::protocol::diff::FileDiff)| {
        let rulings: Vec<_> = (0..diff.hunks.len()).map(|hunk| pieces.ruling(file, hunk)).collect();
        let n_left = rulings.iter().filter(|ruling| matches!(ruling, Some(Ruling::Leave { .. }))).count();
        let n_open = rulings.iter().filter(|ruling| ruling.is_none()).count();
        let mark = if std::ptr::eq(diff, shown) { "> " } else { "  " };
        let name = visible(&one_line_name(&diff.path)).into_owned();
        let text = format!(
            "{mark}{name}  +{} -{}  {}, {n_left} left, {n_open} open",
            diff.added,
            diff.removed,
            count(diff.hunks.len(), "piece")
        );
        let look = if std::ptr::eq(diff, shown) { Look::Bold } else { Look::Dim };
        Line::from(Span::styled(text, theme.style(look)))
    };
    pieces.diffs.iter().enumerate().map(row).collect()
}

fn ruling_row(ruling: Option<&Ruling>, theme: &Theme) -> Line<'static> {
    let (look, text) = match ruling {
        None => (Look::Dim, "not judged yet; what is not left is taken".to_owned()),
        Some(Ruling::Take) => (Look::Good, "taken".to_owned()),
        Some(Ruling::Leave { why: None }) => (Look::Bad, "left".to_owned()),
        Some(Ruling::Leave { why: Some(why) }) => (Look::Bad, format!("left: {}", visible(why))),
        Some(Ruling::Edit { .. }) => (Look::Notice, "edited".to_owned()),
    };
    Line::from(Span::styled(text, theme.style(look)))
}
