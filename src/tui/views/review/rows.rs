//! Which rows does a file under review have?
//!
//! What is known of the file, then hunk by hunk its lines, each with what was said about it. Only the list: how a row looks is
//! made when it is seen.

use crate::base::text::size;
use crate::protocol::changes::{By, Said};
use crate::protocol::diff::{FileDiff, Hunk, Kind, Sides};
use crate::tui::pairing;
use crate::tui::state::review::Review;
use crate::tui::state::review::file::{File, Mark};

/// One row of a file; of more than one on the screen where it is long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Row {
    /// The file's name.
    Name,
    /// Something about the file as a whole.
    About(String),
    /// The heading of a hunk.
    Heading(usize),
    /// A line of a hunk.
    Line(usize, usize),
    /// An old line beside a new one, of a hunk.
    Pair(usize, Option<usize>, Option<usize>),
    /// A line that a person wrote in the place of a hunk.
    Written(String),
    /// What was said, by its place among all that was said.
    Remark(usize),
    /// Nothing.
    Gap,
}

/// The rows of a file.
pub(super) struct Rows {
    /// The version they were made of, the file, and whether old and new are beside each other.
    pub(super) key: (u32, usize, bool),
    /// From top to bottom.
    pub(super) all: Vec<Row>,
    /// Where each hunk begins.
    starts: Vec<usize>,
}

impl Rows {
    pub(super) fn new(review: &Review, key: (u32, usize, bool)) -> Self {
        let mut rows = Self { key, all: vec![Row::Name], starts: Vec::new() };
        let Some(file) = review.file() else { return rows };
        rows.all.extend(about(file).into_iter().map(Row::About));
        let remarks: Vec<_> = review.remarks_on(&file.diff.path).collect();
        for (at, remark) in &remarks {
            if remark.hunk.is_empty() || file.diff.hunks.iter().all(|hunk| hunk.id != remark.hunk) {
                rows.all.push(Row::Remark(*at));
            }
        }
        for (at, hunk) in file.diff.hunks.iter().enumerate() {
            rows.starts.push(rows.all.len());
            rows.all.push(Row::Heading(at));
            let said: Vec<_> = remarks.iter().filter(|(_, remark)| remark.hunk == hunk.id).collect();
            rows.all.extend(
                said.iter()
                    .filter(|(_, remark)| remark.said == Said::Rejected && !remark.words.is_empty())
                    .map(|(at, _)| Row::Remark(*at)),
            );
            let lines =
                if key.2 { pairs(at, hunk) } else { (0..hunk.lines.len()).map(|line| Row::Line(at, line)).collect() };
            for row in lines {
                let comments = said.iter().filter(|(_, remark)| remark.said == Said::Comment && row.has(remark.at));
                let comments: Vec<Row> = comments.map(|(at, _)| Row::Remark(*at)).collect();
                rows.all.push(row);
                rows.all.extend(comments);
            }
            if hunk.left_out > 0 {
                rows.all.push(Row::About(format!("... {} more lines", hunk.left_out)));
            }
            if let Some(Mark::Edited(text)) = file.pieces.get(at).map(|piece| &piece.mark) {
                rows.all.push(Row::About("in its place now:".to_owned()));
                rows.all.extend(text.lines().map(|line| Row::Written(line.to_owned())));
            }
            rows.all.push(Row::Gap);
        }
        rows
    }

    /// Returns the row of a line of a hunk.
    pub(super) fn position(&self, hunk: usize, line: usize) -> usize {
        let Some(start) = self.starts.get(hunk) else { return 0 };
        let rows = self.all[*start..].iter();
        rows.take_while(|row| row.hunk().is_none_or(|other| other == hunk))
            .position(|row| row.has_of(hunk, line))
            .map_or(*start, |at| start + at)
    }
}

impl Row {
    fn has(&self, line: usize) -> bool {
        match self {
            Self::Line(_, at) => *at == line,
            Self::Pair(_, old, new) => *old == Some(line) || *new == Some(line),
            _ => false,
        }
    }

    fn has_of(&self, hunk: usize, line: usize) -> bool {
        self.hunk() == Some(hunk) && self.has(line)
    }

    fn hunk(&self) -> Option<usize> {
        match self {
            Self::Heading(hunk) | Self::Line(hunk, _) | Self::Pair(hunk, ..) => Some(*hunk),
            _ => None,
        }
    }
}

/// Says what changed besides lines, and what cannot be decided.
fn about(file: &File) -> Vec<String> {
    let diff: &FileDiff = &file.diff;
    let mut lines = Vec::new();
    match diff.kind {
        Kind::Created if diff.hunks.is_empty() && diff.binary.is_none() && diff.unified.is_empty() => {
            lines.push("new, empty".to_owned());
        }
        Kind::Created => lines.push("new".to_owned()),
        Kind::Deleted => lines.push("deleted".to_owned()),
        Kind::Renamed if diff.hunks.is_empty() => lines.push("renamed, otherwise the same".to_owned()),
        Kind::Renamed => lines.push("renamed".to_owned()),
        Kind::Changed => {}
    }
    if let Some(Sides { before: Some(before), after: Some(after) }) = diff.mode {
        lines.push(format!("mode {before:o} to {after:o}"));
    }
    if let Some(Sides { before, after }) = diff.binary {
        let sizes: Vec<String> = before.iter().chain(&after).map(|bytes| size(*bytes)).collect();
        let sizes = if sizes.is_empty() { String::new() } else { format!(", {}", sizes.join(" to ")) };
        lines.push(format!("not text{sizes}"));
    }
    if diff.hunks.is_empty() && diff.unified.starts_with("not shown") {
        lines.push(diff.unified.clone());
    }
    match &file.by {
        By::Nobody(why) => lines.push(why.clone()),
        By::File if diff.hunks.len() > 1 || diff.kind != Kind::Changed => lines.push("decided as a whole".to_owned()),
        By::File | By::Hunk => {}
    }
    let state =
        file.pieces.first().map(crate::tui::state::review::file::Piece::words).filter(|words| !words.is_empty());
    lines.extend(state.filter(|_| diff.hunks.is_empty()));
    lines
}

/// Pairs the lines that go with those that come in their place.
fn pairs(at: usize, hunk: &Hunk) -> Vec<Row> {
    let mut rows = Vec::new();
    let (mut gone, mut come): (Vec<usize>, Vec<usize>) = (Vec::new(), Vec::new());
    let settle = |gone: &mut Vec<usize>, come: &mut Vec<usize>, rows: &mut Vec<Row>| {
        let text = |lines: &[usize]| -> Vec<&str> { lines.iter().map(|line| hunk.lines[*line].as_str()).collect() };
        for (old, new) in pairing::pairs(&text(gone), &text(come)) {
            rows.push(Row::Pair(at, old.map(|old| gone[old]), new.map(|new| come[new])));
        }
        gone.clear();
        come.clear();
    };
    let mut last = ' ';
    for (line, text) in hunk.lines.iter().enumerate() {
        let sign = text.chars().next().unwrap_or(' ');
        if sign == ' ' || (sign == '-' && !come.is_empty()) {
            settle(&mut gone, &mut come, &mut rows);
        }
        match (sign, last) {
            ('-', _) | ('\\', '-') => gone.push(line),
            ('+', _) | ('\\', '+') => come.push(line),
            _ => rows.push(Row::Pair(at, Some(line), Some(line))),
        }
        last = sign;
    }
    settle(&mut gone, &mut come, &mut rows);
    rows
}
