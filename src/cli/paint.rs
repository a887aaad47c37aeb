//! What do the views know of code and of changed words?
//!
//! Joins the grammars of `index` and the comparison of `edit` to the looks of `tui`, which knows neither.

use crate::edit::hunks;
use crate::index::highlight::{Part, parts};
use crate::tui::diff_view::Spans;
use crate::tui::look::{Look, Skills};

/// What is known here.
pub const SKILLS: Skills = Skills { code, words: hunks::words };

fn code(name: &str, text: &str) -> Vec<Spans> {
    let lines = text.split('\n');
    match parts(name, text) {
        Some(parts) => lines.zip(parts).map(|(line, parts)| spans(line, &parts)).collect(),
        None => lines.map(|line| vec![(Look::Plain, line.to_owned())]).collect(),
    }
}

fn spans(line: &str, parts: &[(std::ops::Range<usize>, Part)]) -> Spans {
    let mut spans = Spans::new();
    let mut at = 0;
    for (range, part) in parts {
        if at < range.start {
            spans.push((Look::Plain, line[at..range.start].to_owned()));
        }
        spans.push((look(*part), line[range.clone()].to_owned()));
        at = range.end;
    }
    if at < line.len() || spans.is_empty() {
        spans.push((Look::Plain, line[at..].to_owned()));
    }
    spans
}

fn look(part: Part) -> Look {
    match part {
        Part::Keyword => Look::Keyword,
        Part::String => Look::String,
        Part::Number => Look::Number,
        Part::Comment => Look::Comment,
        Part::Type => Look::Type,
        Part::Function => Look::Function,
    }
}
