//! How does a change look on a terminal?
//!
//! Lines that go and come under each other, or side by side where there is room for both. Words that changed within a line
//! stand out. Nothing is cut here: what is approved is what is shown, so long lines go on in the next row.

use unicode_width::UnicodeWidthChar as _;

use crate::base::text::{count, one_line_name, size, visible};
use crate::protocol::diff::{FileDiff, Hunk, Kind, NO_END, Sides, Words};
use crate::tui::look::Look;
use crate::tui::pairing;

/// A row of text in several styles.
pub type Spans = Vec<(Look, String)>;

/// Columns from which both sides stand beside each other.
const WIDE_COLUMNS: usize = 140;
const INDENT: &str = "    ";
/// Between both sides.
const RULE: &str = " │ ";
/// Columns of a line number and the blank behind it.
const NUMBER_COLUMNS: usize = 6;
const TAB_COLUMNS: usize = 4;

/// Renders the change of one file for a terminal of so many columns; none for no terminal.
pub fn view(diff: &FileDiff, columns: Option<usize>) -> Vec<Spans> {
    let mut rows: Vec<Spans> = heading(diff).into_iter().map(|text| vec![(Look::Dim, indented(&text))]).collect();
    if diff.hunks.is_empty() {
        // From a session of an earlier version.
        rows.extend(diff.unified.lines().filter(|line| is_of_a_hunk(line)).map(plain_row));
    }
    rows.extend(diff.hunks.iter().flat_map(|hunk| hunk_view(hunk, columns)));
    rows
}

/// Renders one piece of a change.
pub fn hunk_view(hunk: &Hunk, columns: Option<usize>) -> Vec<Spans> {
    let mut rows = vec![vec![(Look::Dim, indented(&header(hunk)))]];
    match columns.filter(|columns| *columns >= WIDE_COLUMNS) {
        Some(columns) => rows.extend(beside(hunk, columns)),
        None => rows.extend(lines_of(hunk).map(|line| line.row())),
    }
    if hunk.left_out > 0 {
        rows.push(vec![(Look::Dim, indented(&format!("... {} more", count(hunk.left_out, "line"))))]);
    }
    rows
}

/// Says what changed besides lines.
fn heading(diff: &FileDiff) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(from) = &diff.from {
        lines.push(format!("renamed from `{}`", one_line_name(from)));
    }
    match diff.kind {
        Kind::Deleted => lines.push("deleted".to_owned()),
        Kind::Created if diff.hunks.is_empty() && diff.unified.is_empty() => lines.push("new, empty".to_owned()),
        Kind::Created | Kind::Changed | Kind::Renamed => {}
    }
    if let Some(Sides { before, after }) = diff.mode {
        let octal = |mode: Option<u32>| mode.map_or_else(|| "none".to_owned(), |mode| format!("{mode:o}"));
        lines.push(format!("mode {} to {}", octal(before), octal(after)));
    }
    if let Some(Sides { before, after }) = diff.binary {
        let sizes: Vec<String> = before.iter().chain(&after).map(|bytes| size(*bytes)).collect();
        lines.push(format!("not text, {}", sizes.join(" to ")));
    }
    lines
}

fn is_of_a_hunk(line: &str) -> bool {
    line.starts_with([' ', '+', '-', '@', '\\']) && !line.starts_with("--- ") && !line.starts_with("+++ ")
}

fn plain_row(line: &str) -> Spans {
    vec![(sign_style(line), indented(&visible(line)))]
}

fn indented(text: &str) -> String {
    format!("{INDENT}{text}")
}

/// Names the places of a hunk as the unified format does.
fn header(hunk: &Hunk) -> String {
    let range = |start: usize, n_lines: usize| match n_lines {
        0 => format!("{},0", start - 1),
        1 => start.to_string(),
        n => format!("{start},{n}"),
    };
    format!("@@ -{} +{} @@", range(hunk.old_start, hunk.old_lines), range(hunk.new_start, hunk.new_lines))
}

/// A line of a hunk.
#[derive(Clone, Copy)]
struct Line<'a> {
    text: &'a str,
    words: &'a [(usize, usize)],
}

/// Returns the lines of a hunk. Where all of them end in a carriage return, that is how the file is, and not shown.
fn lines_of(hunk: &Hunk) -> impl Iterator<Item = Line<'_>> {
    let is_crlf = hunk.lines.iter().all(|line| line.ends_with('\r') || line == NO_END);
    hunk.lines.iter().enumerate().map(move |(at, line)| {
        let words: Option<&Words> = hunk.words.iter().find(|words| words.line == at);
        let text = if is_crlf { line.strip_suffix('\r').unwrap_or(line) } else { line };
        Line { text, words: words.map_or(&[], |words| words.ranges.as_slice()) }
    })
}

impl Line<'_> {
    fn sign(&self) -> char {
        self.text.chars().next().unwrap_or(' ')
    }

    /// Renders it behind its sign.
    fn row(&self) -> Spans {
        let mut spans = self.spans();
        if let Some(first) = spans.first_mut() {
            first.1.insert_str(0, INDENT);
        }
        spans
    }

    /// Cuts it into what is the same and what changed.
    fn spans(&self) -> Spans {
        let style = sign_style(self.text);
        let strong = match style {
            Look::Good => Look::GoodWord,
            Look::Bad => Look::BadWord,
            other => other,
        };
        let mut spans = Vec::new();
        let mut at = 0;
        for (start, end) in self.words {
            let (Some(before), Some(word)) = (self.text.get(at..*start), self.text.get(*start..*end)) else { break };
            spans.push((style, visible(before).into_owned()));
            spans.push((strong, visible(word).into_owned()));
            at = *end;
        }
        spans.push((style, visible(&self.text[at..]).into_owned()));
        spans
    }
}

fn sign_style(line: &str) -> Look {
    match line.as_bytes().first() {
        Some(b'+') => Look::Good,
        Some(b'-') => Look::Bad,
        Some(b'@' | b'\\') => Look::Dim,
        _ => Look::Plain,
    }
}

/// One side of a row: the number of the line, and the line.
type Side<'a> = (Option<usize>, Line<'a>);

/// Puts the old lines of a hunk beside the new ones.
fn beside(hunk: &Hunk, columns: usize) -> Vec<Spans> {
    let width = (columns - INDENT.len() - RULE.chars().count()) / 2;
    let mut rows = Vec::new();
    for (left, right) in pairs(hunk) {
        let (left, right) = (cell(left, width), cell(right, width));
        for at in 0..left.len().max(right.len()) {
            let mut row = vec![(Look::Plain, INDENT.to_owned())];
            row.extend(padded(left.get(at).cloned().unwrap_or_default(), width));
            row.push((Look::Dim, RULE.to_owned()));
            row.extend(right.get(at).cloned().unwrap_or_default());
            rows.push(row);
        }
    }
    rows
}

/// Pairs the lines that go with those that come in their place.
fn pairs(hunk: &Hunk) -> Vec<(Option<Side<'_>>, Option<Side<'_>>)> {
    let (mut old, mut new) = (hunk.old_start, hunk.new_start);
    let mut pairs = Vec::new();
    let (mut gone, mut come): (Vec<Side<'_>>, Vec<Side<'_>>) = (Vec::new(), Vec::new());
    let mut last = ' ';
    for line in lines_of(hunk) {
        let sign = line.sign();
        if sign == ' ' || (sign == '-' && !come.is_empty()) {
            settle(&mut gone, &mut come, &mut pairs);
        }
        match (sign, last) {
            ('-', _) => gone.push((Some(old), line)),
            ('+', _) => come.push((Some(new), line)),
            ('\\', '-') => gone.push((None, line)),
            ('\\', '+') => come.push((None, line)),
            ('\\', _) => pairs.push((Some((None, line)), Some((None, line)))),
            _ => pairs.push((Some((Some(old), line)), Some((Some(new), line)))),
        }
        old += usize::from(matches!(sign, '-' | ' '));
        new += usize::from(matches!(sign, '+' | ' '));
        last = sign;
    }
    settle(&mut gone, &mut come, &mut pairs);
    pairs
}

fn settle<'a>(
    gone: &mut Vec<Side<'a>>,
    come: &mut Vec<Side<'a>>,
    pairs: &mut Vec<(Option<Side<'a>>, Option<Side<'a>>)>,
) {
    let (gone, come) = (std::mem::take(gone), std::mem::take(come));
    let text = |side: &[Side<'a>]| -> Vec<&'a str> { side.iter().map(|(_, line)| line.text).collect() };
    let found = pairing::pairs(&text(&gone), &text(&come));
    pairs.extend(found.into_iter().map(|(old, new)| (old.map(|old| gone[old]), new.map(|new| come[new]))));
}

/// Renders one side into rows of at most `width` columns.
fn cell(side: Option<Side<'_>>, width: usize) -> Vec<Spans> {
    let Some((number, line)) = side else { return Vec::new() };
    let number = number.map_or_else(String::new, |number| number.to_string());
    let rows = wrapped(&line.spans(), width.saturating_sub(NUMBER_COLUMNS).max(1));
    let numbers = std::iter::once(number).chain(std::iter::repeat(String::new()));
    let numbered = rows.into_iter().zip(numbers).map(|(mut row, number)| {
        row.insert(0, (Look::Dim, format!("{number:>width$} ", width = NUMBER_COLUMNS - 1)));
        row
    });
    numbered.collect()
}

/// Breaks a line into rows.
fn wrapped(spans: &Spans, width: usize) -> Vec<Spans> {
    let mut rows = vec![Spans::new()];
    let mut at = 0;
    for (style, text) in spans {
        let mut piece = String::new();
        for c in text.chars() {
            let n_columns = if c == '\t' { TAB_COLUMNS - at % TAB_COLUMNS } else { c.width().unwrap_or(0) };
            if at + n_columns > width && at > 0 {
                push(&mut rows, *style, std::mem::take(&mut piece));
                rows.push(Spans::new());
                at = 0;
            }
            match c {
                '\t' => piece.extend(std::iter::repeat_n(' ', n_columns)),
                c => piece.push(c),
            }
            at += n_columns;
        }
        push(&mut rows, *style, piece);
    }
    rows
}

fn push(rows: &mut [Spans], style: Look, text: String) {
    if let Some(row) = rows.last_mut().filter(|_| !text.is_empty()) {
        row.push((style, text));
    }
}

fn padded(mut row: Spans, width: usize) -> Spans {
    let n_columns: usize = row.iter().flat_map(|(_, text)| text.chars()).map(|c| c.width().unwrap_or(0)).sum();
    row.push((Look::Plain, " ".repeat(width.saturating_sub(n_columns))));
    row
}
