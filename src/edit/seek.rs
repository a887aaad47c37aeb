//! Which characters of a file does a replacement exchange?
//!
//! First the text as it stands, then the ladder of [`locate`]. Where several places have the text, what else was said of
//! the place decides, if it leaves one; else nobody does. Finds, and leaves the writing to [`splice`].

use std::ops::Range;

use crate::edit::EditError;
use crate::edit::change::{Replacement, Unit};
use crate::edit::choice::Choice;
use crate::edit::line_ends::{LfView, to_lf, with_end};
use crate::edit::locate::{Place, Rung, Splice, locate};
use crate::edit::misstated::Misstated;
use crate::edit::nearest::nearest;
use crate::edit::replace::Extent;

/// Characters, white space aside, the new text needs before finding it counts as "already applied": a lone `}` or
/// `return` is in most files anyway.
const MIN_APPLIED_CHARS: usize = 8;

/// What is known of the file from the other replacements of a call.
#[derive(Debug, Clone, Copy, Default)]
pub struct Scope {
    /// The line after the last one that an earlier replacement touched, counted from 0.
    pub after: usize,
    /// Whether the line numbers of the call are to be believed.
    pub trusts_numbers: bool,
}

/// Characters that go and what comes instead. Offsets are those of the view with plain line feeds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// All the text that the replacement named here.
    pub place: Range<usize>,
    /// Where the change is said to be.
    pub at: usize,
    /// What of it really changes.
    pub goes: Range<usize>,
    /// What comes instead, with plain line feeds.
    pub comes: String,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sought {
    /// The place, or every one.
    Found {
        /// What changes, from top to bottom.
        spans: Vec<Span>,
        /// What had to be forgiven.
        rung: Rung,
    },
    /// The file already reads as it should.
    Applied {
        /// The line the new text starts at, counted from 1.
        line: usize,
    },
}

/// Finds the place of `wanted`.
pub fn seek(view: &LfView<'_>, wanted: &Replacement, scope: Scope) -> Result<Sought, EditError> {
    let wanted =
        Replacement { old: to_lf(&wanted.old).into_owned(), new: to_lf(&wanted.new).into_owned(), ..wanted.clone() };
    if wanted.old == wanted.new {
        return Err(EditError::Same);
    }
    let choice = Choice::new(view.text(), &wanted, scope)?;
    if wanted.old.is_empty() {
        return insert(view, &wanted, &choice);
    }
    match seek_as_is(view, &wanted, &choice) {
        Err(EditError::NoMatch { .. }) if wanted.unit == Unit::Lines => seek_trimmed(view, &wanted, &choice),
        found => found,
    }
}

/// Tries once more without the blank lines a dialect's writer put around the text to set it apart.
fn seek_trimmed(view: &LfView<'_>, wanted: &Replacement, choice: &Choice<'_>) -> Result<Sought, EditError> {
    let missed = || missed(view, wanted);
    let (mut old, mut new) = (wanted.old.as_str(), wanted.new.as_str());
    if let (Some(bare_old), Some(bare_new)) = (old.strip_prefix('\n'), new.strip_prefix('\n')) {
        (old, new) = (bare_old, bare_new);
    }
    while old.ends_with("\n\n") && new.ends_with("\n\n") {
        (old, new) = (&old[..old.len() - 1], &new[..new.len() - 1]);
    }
    if old.len() == wanted.old.len() || old.trim().is_empty() {
        return missed();
    }
    let bare = Replacement { old: old.to_owned(), new: new.to_owned(), ..wanted.clone() };
    seek_as_is(view, &bare, choice).or_else(|error| match error {
        EditError::NoMatch { .. } => missed(),
        other => Err(other),
    })
}

fn seek_as_is(view: &LfView<'_>, wanted: &Replacement, choice: &Choice<'_>) -> Result<Sought, EditError> {
    let text = view.text();
    let (old, new) = (wanted.old.as_str(), wanted.new.as_str());
    let mut starts = occurrences(text, old);
    let mut others = Vec::new();
    if wanted.unit == Unit::Lines {
        starts.retain(|at| is_whole(text, *at, old));
        // Lines that differ only in blanks at their ends make a place as doubtful as a second one would.
        others = if starts.is_empty() { Vec::new() } else { runs_like(text, old) };
    }
    if starts.is_empty() {
        return climb(view, wanted, choice);
    }
    if wanted.extent == Extent::All {
        let spans = without_overlaps(&starts, old.len()).into_iter().map(|at| core(text, at, wanted)).collect();
        return Ok(Sought::Found { spans, rung: Rung::Exact });
    }
    others.retain(|at| !starts.contains(at));
    let mut all: Vec<usize> = starts.iter().chain(&others).copied().collect();
    all.sort_unstable();
    let lines = line_numbers(text, &all);
    let rows: Vec<usize> = lines.iter().map(|line| line - 1).collect();
    let chosen = choice.of(&rows, line_count(old)).and_then(|row| rows.iter().position(|other| *other == row));
    match chosen.map(|at| (all[at], lines[at])) {
        Some((at, line)) if starts.contains(&at) => match is_applied_at(text, at, old, new) {
            true => Ok(Sought::Applied { line }),
            false => Ok(Sought::Found { spans: vec![core(text, at, wanted)], rung: Rung::Exact }),
        },
        _ => Err(choice.refusal(&lines)),
    }
}

/// Looks for text that was not copied exactly.
fn climb(view: &LfView<'_>, wanted: &Replacement, choice: &Choice<'_>) -> Result<Sought, EditError> {
    let ended =
        |text: &str| if text.is_empty() || text.ends_with('\n') { text.to_owned() } else { format!("{text}\n") };
    let (old, new) = match wanted.unit {
        Unit::Text => (wanted.old.clone(), wanted.new.clone()),
        Unit::Lines => (ended(&wanted.old), ended(&wanted.new)),
    };
    let n_lines = line_count(&old);
    let choose = |rows: &[usize]| choice.of(rows, n_lines);
    match locate(view.text(), &old, &new, &choose) {
        Ok(None) => missed(view, wanted),
        Err(EditError::Ambiguous { lines }) => Err(choice.refusal(&lines)),
        Err(error) => Err(error),
        Ok(Some((rung, place))) => {
            let spans = spans_of(view.text(), &place, n_lines);
            let is_there = spans.iter().all(|span| view.text()[span.goes.clone()] == span.comes);
            let line = place.splices.first().map_or(place.first, |splice| splice.first) + 1;
            Ok(if is_there { Sought::Applied { line } } else { Sought::Found { spans, rung } })
        }
    }
}

/// Says what there is instead of a text that is nowhere: its replacement, or what comes nearest.
fn missed(view: &LfView<'_>, wanted: &Replacement) -> Result<Sought, EditError> {
    let (text, new) = (view.text(), wanted.new.as_str());
    let n_chars = new.chars().filter(|c| !c.is_whitespace()).count();
    let starts = if new.is_empty() { Vec::new() } else { occurrences(text, new) };
    // A new text that is part of the old one is there whenever most of the old one is.
    if n_chars >= MIN_APPLIED_CHARS
        && !wanted.old.contains(new.trim_end_matches('\n'))
        && let [at] = starts.as_slice()
        && (wanted.unit == Unit::Text || is_whole(text, *at, new))
    {
        return Ok(Sought::Applied { line: line_number(text, *at) });
    }
    let new_at = starts.first().filter(|_| n_chars >= MIN_APPLIED_CHARS).map(|at| line_number(text, *at));
    Err(EditError::NoMatch { nearest: nearest(text, &wanted.old), new_at })
}

/// Adds text where none is named: to an empty file, below an anchor, or at the end.
fn insert(view: &LfView<'_>, wanted: &Replacement, choice: &Choice<'_>) -> Result<Sought, EditError> {
    let text = view.text();
    let at = match (text.is_empty(), choice.anchor()) {
        (true, _) => 0,
        (false, Some(Ok(row))) => start_of_line(text, row + 1),
        (false, Some(Err(lines))) => return Err(EditError::Ambiguous { lines }),
        (false, None) if wanted.hint.is_at_end => text.len(),
        (false, None) if wanted.hint.is_in_order => return Err(Misstated::NoContext.into()),
        (false, None) => return Err(EditError::EmptyOld),
    };
    if !text.is_empty() && text[at..].starts_with(&wanted.new) || at > 0 && text[..at].ends_with(&wanted.new) {
        return Ok(Sought::Applied { line: line_number(text, at) });
    }
    let mut comes = wanted.new.clone();
    if at > 0 && !text[..at].ends_with('\n') {
        // The file has no final line end, and gets none.
        comes = format!("\n{}", comes.strip_suffix('\n').unwrap_or(&comes));
    }
    Ok(Sought::Found { spans: vec![Span { place: at..at, at, goes: at..at, comes }], rung: Rung::Exact })
}

/// Says whether the text at `at` begins and ends with a line.
fn is_whole(text: &str, at: usize, part: &str) -> bool {
    let end = at + part.len();
    (at == 0 || text.as_bytes()[at - 1] == b'\n') && (part.ends_with('\n') || end == text.len())
}

/// Returns where lines start that are those of `old` but for blanks at their ends.
fn runs_like(text: &str, old: &str) -> Vec<usize> {
    let wanted: Vec<&str> = old.strip_suffix('\n').unwrap_or(old).split('\n').map(str::trim_end).collect();
    let mut at = 0;
    let lines: Vec<(usize, &str)> = text
        .split_inclusive('\n')
        .map(|line| {
            at += line.len();
            (at - line.len(), line.trim_end())
        })
        .collect();
    let is_like = |run: &&[(usize, &str)]| run.iter().zip(&wanted).all(|((_, line), wanted)| line == wanted);
    lines.windows(wanted.len()).filter(is_like).filter_map(|run| run.first().map(|(start, _)| *start)).collect()
}

/// Returns where `old` starts, overlapping places included: those too make a place ambiguous.
pub fn occurrences(text: &str, old: &str) -> Vec<usize> {
    let mut starts = Vec::new();
    let mut from = 0;
    let step = old.chars().next().map_or(1, char::len_utf8);
    while let Some(at) = text[from..].find(old) {
        starts.push(from + at);
        from += at + step;
    }
    starts
}

fn without_overlaps(starts: &[usize], len: usize) -> Vec<usize> {
    let mut free = 0;
    let mut kept = Vec::new();
    for start in starts {
        if *start >= free {
            kept.push(*start);
            free = start + len;
        }
    }
    kept
}

/// Returns the line `at` is in, counted from 1.
pub fn line_number(text: &str, at: usize) -> usize {
    text[..at].bytes().filter(|byte| *byte == b'\n').count() + 1
}

/// Returns the line of each of these offsets, which rise.
fn line_numbers(text: &str, offsets: &[usize]) -> Vec<usize> {
    let (mut line, mut from) = (1, 0);
    let mut lines = Vec::with_capacity(offsets.len());
    for at in offsets {
        line += text[from..*at].bytes().filter(|byte| *byte == b'\n').count();
        from = *at;
        lines.push(line);
    }
    lines
}

fn line_count(text: &str) -> usize {
    text.strip_suffix('\n').unwrap_or(text).split('\n').count()
}

fn start_of_line(text: &str, row: usize) -> usize {
    text.split_inclusive('\n').take(row).map(str::len).sum()
}

/// Says whether the place already reads like `new`, of which `old` is a part: a call made twice would double the rest.
fn is_applied_at(text: &str, start: usize, old: &str, new: &str) -> bool {
    new.match_indices(old).any(|(at, _)| {
        start.checked_sub(at).and_then(|from| text.get(from..)).is_some_and(|place| place.starts_with(new))
    })
}

/// Returns what really differs between old and new at `at`: everything around it keeps its bytes, line ends included.
fn core(text: &str, at: usize, wanted: &Replacement) -> Span {
    let place = at..at + wanted.old.len();
    let mut new = wanted.new.clone();
    let is_line_cut = wanted.unit == Unit::Lines && place.end < text.len() && !new.is_empty() && !new.ends_with('\n');
    if is_line_cut {
        new.push('\n');
    }
    let same = |(a, b): &(char, char)| a == b;
    let old = wanted.old.as_str();
    let head: usize = old.chars().zip(new.chars()).take_while(same).map(|(c, _)| c.len_utf8()).sum();
    let (old_rest, new_rest) = (&old[head..], &new[head..]);
    let tail = old_rest.chars().rev().zip(new_rest.chars().rev()).take_while(same);
    let tail: usize = tail.map(|(c, _)| c.len_utf8()).sum();
    let comes = new_rest[..new_rest.len() - tail].to_owned();
    let shown = if wanted.unit == Unit::Lines { at + head } else { at };
    Span { at: shown, goes: at + head..place.end - tail, place, comes }
}

/// Turns exchanged lines into exchanged characters; a file without a final line end gets none.
fn spans_of(text: &str, place: &Place, n_lines: usize) -> Vec<Span> {
    let starts: Vec<usize> = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
    let start_of = |line: usize| starts.get(line).copied();
    let first = start_of(place.first).unwrap_or(text.len());
    let last = place.splices.last().map_or(0, |splice| splice.first + splice.n_lines).max(place.first + n_lines);
    let whole = first..start_of(last).unwrap_or(text.len());
    let span = |Splice { first, n_lines, lines }: &Splice| {
        let (mut from, to) = (start_of(*first).unwrap_or(text.len()), start_of(first + n_lines));
        let mut comes = lines.join("\n");
        match to {
            Some(_) if !lines.is_empty() => comes.push('\n'),
            // At the end of a file without a final line end, the line end stands before what is added or goes.
            None if start_of(*first).is_none() => comes.insert(0, '\n'),
            None if lines.is_empty() => from = from.saturating_sub(1),
            _ => {}
        }
        Span { place: whole.start.min(from)..whole.end, at: from, goes: from..to.unwrap_or(text.len()), comes }
    };
    place.splices.iter().map(span).collect()
}

/// Makes the changes, which do not overlap; what they leave out keeps its bytes. Returns the new text and the line of each.
pub fn splice(original: &str, view: &LfView<'_>, spans: &[Span]) -> (String, Vec<usize>) {
    let text = view.text();
    let mut sorted: Vec<&Span> = spans.iter().collect();
    sorted.sort_by_key(|span| span.goes.start);
    let mut out = String::with_capacity(original.len() + spans.iter().map(|span| span.comes.len()).sum::<usize>());
    let mut copied = 0;
    for span in &sorted {
        let from = view.original_offset(span.goes.start);
        out.push_str(&original[copied.min(from)..from]);
        // New lines end as the line does that they replace or follow.
        let like = if span.comes.starts_with('\n') { span.goes.start } else { span.place.start.min(span.goes.start) };
        out.push_str(&with_end(&span.comes, view.end_at(like)));
        copied = view.original_offset(span.goes.end);
    }
    out.push_str(&original[copied..]);
    let mut starts: Vec<usize> = sorted.iter().map(|span| span.at).collect();
    starts.sort_unstable();
    (out, line_numbers(text, &starts))
}

/// Fails when a change lies in text that another one names: whichever is made first, the other was not meant for what is
/// there then.
pub fn check_apart(text: &str, parts: &[Vec<Span>]) -> Result<(), EditError> {
    let meets = |a: &Span, b: &Span| match a.goes.is_empty() {
        true => b.place.start < a.goes.start && a.goes.start < b.place.end,
        false => a.goes.start < b.place.end && b.place.start < a.goes.end,
    };
    let mut all: Vec<(usize, &Span)> =
        parts.iter().enumerate().flat_map(|(part, spans)| spans.iter().map(move |span| (part, span))).collect();
    all.sort_by_key(|(_, span)| span.place.start);
    for (at, (part, span)) in all.iter().enumerate() {
        let near =
            all[at + 1..].iter().take_while(|(_, other)| other.place.start < span.place.end.max(span.goes.end + 1));
        for (_, other) in near.filter(|(other_part, _)| other_part != part) {
            if meets(span, other) || meets(other, span) {
                let line = |span: &Span| line_number(text, span.goes.start);
                return Err(Misstated::Overlap { first: line(span), second: line(other) }.into());
            }
        }
    }
    Ok(())
}
