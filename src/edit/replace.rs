//! How is one piece of text exchanged for another, in exactly the place that was meant?
//!
//! The old text must be in the file once: character for character, or as [`locate`] finds it. Must not guess: several
//! places, no place and a change that is already there are answers of their own.

use crate::edit::EditError;
use crate::edit::line_ends::{LfView, to_lf, with_end};
use crate::edit::locate::{Rung, Splice, locate};
use crate::edit::nearest::nearest;

/// Characters, white space aside, the new text needs before finding it counts as "already applied": a lone `}` or
/// `return` is in most files anyway.
const MIN_APPLIED_CHARS: usize = 8;

/// How many places are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// The only one; more are an error.
    One,
    /// Every one.
    All,
}

/// What came of a replacement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Replaced {
    /// The text changed.
    Changed {
        /// The whole new text.
        text: String,
        /// The line each change starts at in the old text, counted from 1.
        lines: Vec<usize>,
        /// What had to be forgiven to find the place.
        rung: Rung,
    },
    /// The text is already as it should become.
    AlreadyApplied {
        /// The line the new text starts at, counted from 1.
        line: usize,
    },
}

/// Exchanges `old` for `new` in `text`; both may have line feeds where the text has CRLF.
pub fn replace(text: &str, old: &str, new: &str, extent: Extent) -> Result<Replaced, EditError> {
    let (old, new) = (to_lf(old), to_lf(new));
    if old == new {
        return Err(EditError::Same);
    }
    if old.is_empty() {
        let changed = Replaced::Changed { text: new.into_owned(), lines: vec![1], rung: Rung::Exact };
        return if text.is_empty() { Ok(changed) } else { Err(EditError::EmptyOld) };
    }
    let view = LfView::new(text);
    let starts = occurrences(view.text(), &old);
    let line_of = |at: &usize| line_number(view.text(), *at);
    match (starts.as_slice(), extent) {
        ([], _) => climb(text, &view, &old, &new),
        ([start], Extent::One) if is_applied_at(view.text(), *start, &old, &new) => {
            Ok(Replaced::AlreadyApplied { line: line_of(start) })
        }
        ([_, _, ..], Extent::One) => Err(EditError::Ambiguous { lines: starts.iter().map(line_of).collect() }),
        _ => {
            let starts = without_overlaps(&starts, old.len());
            let lines = starts.iter().map(line_of).collect();
            Ok(Replaced::Changed {
                text: splice(text, &view, &starts, &Core::of(&old, &new)),
                lines,
                rung: Rung::Exact,
            })
        }
    }
}

/// Returns where `old` starts, overlapping places included: those too make a place ambiguous.
fn occurrences(text: &str, old: &str) -> Vec<usize> {
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

fn line_number(text: &str, at: usize) -> usize {
    text[..at].bytes().filter(|byte| *byte == b'\n').count() + 1
}

/// Says whether the place already reads like `new`, of which `old` is a part: a call made twice would double the rest.
fn is_applied_at(text: &str, start: usize, old: &str, new: &str) -> bool {
    new.match_indices(old).any(|(at, _)| {
        start.checked_sub(at).and_then(|from| text.get(from..)).is_some_and(|place| place.starts_with(new))
    })
}

/// Looks for text that was not copied exactly.
fn climb(original: &str, view: &LfView<'_>, old: &str, new: &str) -> Result<Replaced, EditError> {
    let Some((rung, place)) = locate(view.text(), old, new)? else { return missed(view.text(), old, new) };
    let text = splice_lines(original, view, &place.splices);
    let line = place.splices.first().map_or(place.first, |splice| splice.first) + 1;
    Ok(match text == original {
        true => Replaced::AlreadyApplied { line },
        false => Replaced::Changed { text, lines: vec![line], rung },
    })
}

/// Exchanges whole lines; everything else keeps its bytes, and a file without a final line end gets none.
fn splice_lines(original: &str, view: &LfView<'_>, splices: &[Splice]) -> String {
    let text = view.text();
    let starts: Vec<usize> = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
    let start_of = |line: usize| starts.get(line).copied();
    let (mut out, mut copied) = (String::with_capacity(original.len()), 0);
    for Splice { first, n_lines, lines } in splices {
        let (mut from, to) = (start_of(*first).unwrap_or(text.len()), start_of(first + n_lines));
        let mut new = lines.join("\n");
        match to {
            Some(_) if !lines.is_empty() => new.push('\n'),
            // At the end of a file without a final line end, the line end stands before what is added or goes.
            None if start_of(*first).is_none() => new.insert(0, '\n'),
            None if lines.is_empty() => from = from.saturating_sub(1),
            _ => {}
        }
        out.push_str(&original[copied..view.original_offset(from)]);
        out.push_str(&with_end(&new, view.end_at(from)));
        copied = view.original_offset(to.unwrap_or(text.len()));
    }
    out.push_str(&original[copied..]);
    out
}

fn missed(text: &str, old: &str, new: &str) -> Result<Replaced, EditError> {
    let n_chars = new.chars().filter(|c| !c.is_whitespace()).count();
    match occurrences(text, new).as_slice() {
        [at] if n_chars >= MIN_APPLIED_CHARS => Ok(Replaced::AlreadyApplied { line: line_number(text, *at) }),
        _ => Err(EditError::NoMatch { nearest: nearest(text, old) }),
    }
}

/// What really differs between old and new: everything around it keeps its bytes, line ends included.
struct Core<'a> {
    /// Bytes at the start that both share.
    skip: usize,
    /// Bytes of the old text after those that go.
    old_len: usize,
    /// What comes instead.
    new: &'a str,
}

impl<'a> Core<'a> {
    fn of(old: &str, new: &'a str) -> Self {
        let same = |(a, b): &(char, char)| a == b;
        let skip: usize = old.chars().zip(new.chars()).take_while(same).map(|(c, _)| c.len_utf8()).sum();
        let (old_rest, new_rest) = (&old[skip..], &new[skip..]);
        let tail = old_rest.chars().rev().zip(new_rest.chars().rev()).take_while(same);
        let tail: usize = tail.map(|(c, _)| c.len_utf8()).sum();
        Self { skip, old_len: old_rest.len() - tail, new: &new_rest[..new_rest.len() - tail] }
    }
}

fn splice(original: &str, view: &LfView<'_>, starts: &[usize], core: &Core<'_>) -> String {
    let mut out = String::with_capacity(original.len() + starts.len() * core.new.len());
    let mut copied = 0;
    for start in starts {
        let from = view.original_offset(start + core.skip);
        out.push_str(&original[copied..from]);
        out.push_str(&with_end(core.new, view.end_at(*start)));
        copied = view.original_offset(start + core.skip + core.old_len);
    }
    out.push_str(&original[copied..]);
    out
}
