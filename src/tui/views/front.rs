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
use crate::tui::keymap::{Action, View};
use crate::tui::look::{Look, Theme};
use crate::tui::state::asking::Pieces;
use crate::tui::state::choices::{Choice, Choices};
use crate::tui::state::{Front, State};
use crate::tui::views::item::painted;
use crate::tui::views::{cells, clip, put};
use crate::tui::wrap::{Margin, wrap_text};

/// Rows a list takes at most.
const MAX_LIST_ROWS: usize = 12;
/// Columns of names up to which what they mean stands in a column.
const MAX_NAME_COLUMNS: usize = 36;
/// Rows of what the chosen row of a list means, where they stand below it; and of a screen that has room for them.
const MAX_NOTE_ROWS: usize = 2;
const MIN_NOTED_ROWS: usize = 6;
/// Rows of what is offered while a word is written.
const MAX_OFFER_ROWS: usize = 8;

fn title(text: &str, theme: &Theme) -> Line<'static> {
    Line::from(Span::styled(visible(text).into_owned(), theme.style(Look::Heading)))
}

/// Draws a text from one of its lines on, with how it is left and how far it is.
pub(super) fn reader(state: &State, theme: &Theme, buffer: &mut Buffer) {
    let Front::Reader { title: name, text, at } = &state.front else { return };
    let (width, height) = (usize::from(buffer.area.width), usize::from(buffer.area.height));
    let is_tight = text.lines().any(|line| visible(line).width() > width);
    let tight = if is_tight { Columns::Close } else { Columns::Kept };
    let rows: Vec<Line<'static>> =
        text.lines().skip(*at).take(height).flat_map(|line| reader_rows(&visible(line), tight, theme, width)).collect();
    let n = text.lines().count();
    let key = |action| state.keymap.key_of(View::Reader, action).unwrap_or_default();
    let far = if *at > 0 || rows.len() + 2 > height { format!("  {}/{n}", at + 1) } else { String::new() };
    let mut heading = title(name, theme);
    heading.push_span(Span::styled(format!("  {} back{far}", key(Action::Close)), theme.style(Look::Dim)));
    put(&cells::clipped(heading, width), 0, buffer);
    for (y, row) in rows.iter().enumerate().take(height) {
        put(row, clip(y) + 2, buffer);
    }
}

/// Where words stand behind a name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Columns {
    /// In a column, as written.
    Kept,
    /// Right behind it: there is no room for a column.
    Close,
}

/// Lays a line of such a text out: words behind a name in columns of their own, also where the line is broken.
fn reader_rows(line: &str, columns: Columns, theme: &Theme, width: usize) -> Vec<Line<'static>> {
    let style = theme.style(Look::Plain);
    let body = line.trim_start();
    let indent = " ".repeat(line.width() - body.width());
    let both = body.split_once("  ").filter(|_| columns == Columns::Close);
    let Some((name, words)) = both else {
        return wrap_text(body, style, width, &Margin::of(&indent, style));
    };
    let head = format!("{indent}{name}  ");
    if head.width() <= width / 2 {
        return wrap_text(words.trim_start(), style, width, &Margin::hanging(&head, style));
    }
    let mut rows = wrap_text(name, style, width, &Margin::of(&indent, style));
    rows.extend(wrap_text(words.trim_start(), style, width, &Margin::of(&format!("{indent}    "), style)));
    rows
}

/// Where rows to choose from stand: the first one's row, its place among those that fit, and how many are shown.
type Shown = (u16, usize, usize);

/// Draws a list over the lower part of an area; returns where its rows are and where what is typed goes on.
pub(super) fn list(choices: &Choices, theme: &Theme, area: Rect, buffer: &mut Buffer) -> (Shown, Position) {
    let heading = format!("{} ({}): {}", choices.title, choices.fitting().len(), choices.filter());
    let note = note_rows(choices, theme, area);
    let room = usize::from(area.height).saturating_sub(1 + note.len()).min(MAX_LIST_ROWS);
    let mut rows = vec![title(&heading, theme)];
    rows.extend(choice_rows(choices, theme, usize::from(area.width), room));
    let n = rows.len() - 1;
    rows.extend(note);
    let top = at_bottom(&rows, area, buffer);
    let column = clip(Span::raw(heading).width()).min(area.width.saturating_sub(1));
    ((top + 1, first_shown(choices, room), n), Position { x: column, y: top })
}

/// The first row that is shown, so that the chosen one is.
fn first_shown(choices: &Choices, room: usize) -> usize {
    (choices.at() + 1).saturating_sub(room)
}

/// What the chosen row means, where its row has no room for it; and that nothing fits, where nothing does.
fn note_rows(choices: &Choices, theme: &Theme, area: Rect) -> Vec<Line<'static>> {
    let width = usize::from(area.width);
    let text = match choices.chosen() {
        None => "nothing fits".to_owned(),
        Some(chosen) => {
            let name = chosen.label.width().max(name_columns(choices.fitting(), width));
            let is_cut = 4 + name + chosen.meaning.width() > width;
            if !is_cut || chosen.meaning.is_empty() || usize::from(area.height) < MIN_NOTED_ROWS {
                return Vec::new();
            }
            first_line(&chosen.meaning, 200)
        }
    };
    let margin = Margin::of("  ", theme.style(Look::Dim));
    let mut rows = wrap_text(&visible(&text), theme.style(Look::Dim), width, &margin);
    rows.truncate(MAX_NOTE_ROWS);
    rows
}

/// Columns of names, behind which stands what they mean.
fn name_columns<'a>(shown: impl Iterator<Item = &'a Choice>, width: usize) -> usize {
    let described = shown.filter(|choice| !choice.meaning.is_empty());
    described.map(|choice| choice.label.width()).max().unwrap_or(0).min(MAX_NAME_COLUMNS).min(width / 2)
}

/// Draws what waits for later turns, with the keys that change it.
pub(super) fn queue(queue: &[String], at: usize, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let rows = queue.iter().map(|text| Choice::writing(text, &size_of(text))).collect();
    let mut choices = Choices::new("", rows);
    choices.go(isize::try_from(at).unwrap_or(0));
    let mut rows = vec![title(&format!("for later turns ({})", queue.len()), theme)];
    let room = usize::from(area.height).saturating_sub(1).min(MAX_LIST_ROWS);
    rows.extend(choice_rows(&choices, theme, usize::from(area.width), room));
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
    let room = usize::from(area.height).saturating_sub(1).min(MAX_OFFER_ROWS);
    let rows = choice_rows(choices, theme, usize::from(area.width), room);
    let top = at_bottom(&rows, area, buffer);
    (top, first_shown(choices, room), rows.len())
}

/// The rows around the one that is chosen.
fn choice_rows(choices: &Choices, theme: &Theme, width: usize, room: usize) -> Vec<Line<'static>> {
    let first = first_shown(choices, room);
    let shown: Vec<(usize, &Choice)> = choices.fitting().enumerate().skip(first).take(room).collect();
    // What they mean stands in a column, where the names leave room for one.
    let column = name_columns(shown.iter().map(|(_, choice)| *choice), width);
    let row = |(at, choice): (usize, &Choice)| {
        let (mark, look) = if at == choices.at() { ("> ", Look::Chosen) } else { ("  ", Look::Plain) };
        let words = visible(&first_line(&choice.label, width)).into_owned();
        let line = Line::from(vec![
            Span::styled(format!("{mark}{words}"), theme.style(look)),
            Span::raw(" ".repeat(2 + column.saturating_sub(words.width()))),
            Span::styled(visible(&first_line(&choice.meaning, 200)).into_owned(), theme.style(Look::Dim)),
        ]);
        // What stands behind a name that fills the row is no loss.
        let blank = if choice.meaning.is_empty() { Line::from(line.spans[..1].to_vec()) } else { line };
        cells::clipped(blank, width)
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
    rows.extend(files(pieces, theme).into_iter().map(|line| cells::clipped(line, width)));
    rows.push(Line::default());
    let said = rows.len();
    let file = pieces.diffs.iter().position(|other| std::ptr::eq(other, diff)).unwrap_or(0);
    let (look, words) = ruling_words(pieces.ruling(file, hunk));
    rows.extend(wrap_text(&words, theme.style(look), width, &Margin::default()));
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

fn ruling_words(ruling: Option<&Ruling>) -> (Look, String) {
    match ruling {
        None => (Look::Dim, "not judged yet; what is not left is taken".to_owned()),
        Some(Ruling::Take) => (Look::Good, "taken".to_owned()),
        Some(Ruling::Leave { why: None }) => (Look::Bad, "left".to_owned()),
        Some(Ruling::Leave { why: Some(why) }) => (Look::Bad, format!("left: {}", visible(why))),
        Some(Ruling::Edit { .. }) => (Look::Notice, "edited".to_owned()),
    }
}
