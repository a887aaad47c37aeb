//! Into which pieces does a change fall, and how is a piece named?
//!
//! Lines that change and the three around them; changes closer than that are one piece. A piece is named by what it says, so
//! that it keeps its name when others are taken or left, and by its place in the old text where the old text has what it
//! replaces more than once. Surprising: what both texts begin and end with is set aside first, so that a small change of a
//! large file costs no more than finding it.

use std::ops::Range;
use std::time::{Duration, Instant};

use memchr::memmem;
use similar::{ChangeTag, DiffOp, DiffTag, InlineChangeOptions, TextDiff};

use crate::base::hash;
use crate::base::text::clip_line;
use crate::protocol::diff::{Hunk, NO_END, Words};

/// Lines shown around a change.
const CONTEXT: usize = 3;
/// Time spent on finding a small change; after it a coarser one is taken.
const DIFF_TIME: Duration = Duration::from_millis(300);
/// Time spent on finding changed words in one file.
const WORDS_TIME: Duration = Duration::from_millis(100);
/// Replaced lines up to which the words in them are compared; in a longer block they say little.
const MAX_WORD_LINES: usize = 60;
/// Bytes of a line that are shown.
const MAX_LINE_BYTES: usize = 8000;
/// Bytes of all lines of a file that are shown; nobody reads more of one file.
const MAX_SHOWN_BYTES: usize = 200_000;
/// Pieces a file may fall into; a change in more places than that is one.
const MAX_HUNKS: usize = 5000;
/// Bytes that are searched for places a piece could be mistaken for.
const MAX_SEARCHED_BYTES: usize = 200_000_000;
/// Bytes that are compared at once where texts are likely the same.
const BLOCK: usize = 4096;
/// Characters of the name of a piece.
const ID_CHARS: usize = 12;

/// Both texts, line by line.
pub struct Compared<'a> {
    old: Vec<&'a str>,
    new: Vec<&'a str>,
    old_text: &'a str,
    /// Changes that belong together, in the order of the file.
    groups: Vec<Vec<DiffOp>>,
    /// Lines both texts begin with, which are not in `old` and `new`.
    n_before: usize,
    words_until: Instant,
}

/// Splits text into lines with their ends: a line feed, both, or a carriage return alone.
pub fn lines(text: &str) -> Vec<&str> {
    let mut lines = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let end = line_end(rest.as_bytes());
        lines.push(&rest[..end]);
        rest = &rest[end..];
    }
    lines
}

/// Returns where the first line ends, its end included.
fn line_end(bytes: &[u8]) -> usize {
    match bytes.iter().position(|byte| matches!(byte, b'\n' | b'\r')) {
        Some(at) if bytes[at] == b'\r' && bytes.get(at + 1) == Some(&b'\n') => at + 2,
        Some(at) => at + 1,
        None => bytes.len(),
    }
}

impl<'a> Compared<'a> {
    /// Compares two texts.
    pub fn new(old_text: &'a str, new_text: &'a str) -> Self {
        let (start, end) = shared(old_text, new_text);
        let (old, new) = (lines(&old_text[start..old_text.len() - end]), lines(&new_text[start..new_text.len() - end]));
        let mut groups = TextDiff::configure().timeout(DIFF_TIME).diff_slices(&old, &new).grouped_ops(CONTEXT);
        groups.retain(|ops| ops.iter().any(|op| op.tag() != DiffTag::Equal));
        if groups.len() > MAX_HUNKS {
            groups = vec![vec![whole(&groups)]];
        }
        let n_before = n_lines(&old_text[..start]);
        Self { old, new, old_text, groups, n_before, words_until: Instant::now() + WORDS_TIME }
    }

    /// Returns lines added and lines removed.
    pub fn counts(&self) -> (usize, usize) {
        let changed = || self.groups.iter().flatten().filter(|op| op.tag() != DiffTag::Equal);
        (changed().map(|op| op.new_range().len()).sum(), changed().map(|op| op.old_range().len()).sum())
    }

    /// Returns the pieces, ready to show.
    pub fn hunks(&self) -> Vec<Hunk> {
        let mut left_bytes = MAX_SHOWN_BYTES;
        let is_searched = self.groups.len().saturating_mul(self.old_text.len()) <= MAX_SEARCHED_BYTES;
        self.groups.iter().map(|ops| self.hunk(ops, is_searched, &mut left_bytes)).collect()
    }

    /// Writes the pieces in unified format, uncut and without headings.
    pub fn unified(&self) -> String {
        let mut out = String::new();
        for ops in &self.groups {
            let (old, new) = ranges(ops);
            let (old, new) = (self.shifted(&old), self.shifted(&new));
            out.push_str(&format!("@@ -{} +{} @@\n", header_range(&old), header_range(&new)));
            for (sign, line) in ops.iter().flat_map(|op| self.signed(op)) {
                out.push(sign);
                out.push_str(line);
                if !line.ends_with('\n') {
                    out.push('\n');
                }
                if self.is_unended(line) {
                    out.push_str(NO_END);
                    out.push('\n');
                }
            }
        }
        out
    }

    fn shifted(&self, range: &Range<usize>) -> Range<usize> {
        range.start + self.n_before..range.end + self.n_before
    }

    /// Says whether the line is a last one without an end.
    fn is_unended(&self, line: &str) -> bool {
        !line.ends_with(['\n', '\r'])
    }

    fn signed(&self, op: &DiffOp) -> Vec<(char, &'a str)> {
        let old = |sign: char| self.old[op.old_range()].iter().map(move |line| (sign, *line));
        let new = self.new[op.new_range()].iter().map(|line| ('+', *line));
        match op.tag() {
            DiffTag::Equal => old(' ').collect(),
            _ => old('-').chain(new).collect(),
        }
    }

    fn hunk(&self, ops: &[DiffOp], is_searched: bool, left_bytes: &mut usize) -> Hunk {
        let (old, new) = ranges(ops);
        let (at_old, at_new) = (self.shifted(&old), self.shifted(&new));
        let mut hunk = Hunk {
            id: self.id(ops, is_searched),
            old_start: at_old.start + 1,
            old_lines: old.len(),
            new_start: at_new.start + 1,
            new_lines: new.len(),
            lines: Vec::new(),
            words: Vec::new(),
            left_out: 0,
            is_cut: false,
        };
        for op in ops {
            self.show(op, &mut hunk, left_bytes);
        }
        hunk
    }

    /// Adds the lines of one change to what is shown of a hunk.
    fn show(&self, op: &DiffOp, hunk: &mut Hunk, left_bytes: &mut usize) {
        let first = hunk.lines.len();
        let signed = self.signed(op);
        let mut n_shown = 0;
        for (sign, line) in &signed {
            let whole = line.strip_suffix('\n').unwrap_or(line);
            let text = clip_line(whole, MAX_LINE_BYTES);
            hunk.is_cut |= text.len() != whole.len();
            if hunk.left_out > 0 || text.len() >= *left_bytes {
                hunk.left_out += 1;
                hunk.is_cut = true;
                continue;
            }
            *left_bytes -= text.len() + 1;
            hunk.lines.push(format!("{sign}{text}"));
            n_shown += 1;
            if self.is_unended(line) {
                hunk.lines.push(NO_END.to_owned());
            }
        }
        if op.tag() == DiffTag::Replace && n_shown == signed.len() && n_shown <= MAX_WORD_LINES {
            self.mark_words(op, first, hunk);
        }
    }

    /// Marks what differs within the lines that were replaced.
    fn mark_words(&self, op: &DiffOp, first: usize, hunk: &mut Hunk) {
        let (old, new) = (&self.old[op.old_range()], &self.new[op.new_range()]);
        // Without the notes between them the lines stand in the order they were shown in.
        let places: Vec<usize> = (first..hunk.lines.len()).filter(|at| hunk.lines[*at] != NO_END).collect();
        let words = changed_words((old, new), &places, &hunk.lines, self.words_until);
        hunk.words.extend(words);
    }

    fn id(&self, ops: &[DiffOp], is_searched: bool) -> String {
        let (old, _) = ranges(ops);
        let mut parts: Vec<String> =
            ops.iter().flat_map(|op| self.signed(op)).map(|(sign, line)| format!("{sign}{line}")).collect();
        if !is_searched || self.is_elsewhere(&old) {
            parts.push(self.shifted(&old).start.to_string());
        }
        let parts: Vec<&[u8]> = parts.iter().map(String::as_bytes).collect();
        hash::of_parts(&parts)[..ID_CHARS].to_owned()
    }

    /// Says whether the old text has these lines more than once.
    fn is_elsewhere(&self, old: &Range<usize>) -> bool {
        let lines = self.old[old.clone()].concat();
        let finder = memmem::Finder::new(&lines);
        let text = self.old_text.as_bytes();
        let Some(first) = finder.find(text).filter(|_| !lines.is_empty()) else { return false };
        finder.find(&text[first + 1..]).is_some()
    }
}

/// Finds the words that changed within the lines of a hunk that nobody has compared yet.
pub fn words(hunk: &Hunk) -> Vec<Words> {
    let until = Instant::now() + WORDS_TIME;
    let mut words = Vec::new();
    let mut at = 0;
    let sign = |at: usize| hunk.lines.get(at).and_then(|line| line.chars().next());
    while at < hunk.lines.len() {
        let first = at;
        while matches!(sign(at), Some('-')) || (at > first && sign(at) == Some('\\')) {
            at += 1;
        }
        let middle = at;
        while matches!(sign(at), Some('+')) || (at > middle && sign(at) == Some('\\')) {
            at += 1;
        }
        let places: Vec<usize> = (first..at).filter(|at| hunk.lines[*at] != NO_END).collect();
        let side = |range: Range<usize>| -> Vec<&str> {
            let lines = places.iter().filter(|at| range.contains(at));
            lines.map(|at| hunk.lines[*at].get(1..).unwrap_or_default()).collect()
        };
        let (old, new) = (side(first..middle), side(middle..at));
        if !old.is_empty() && !new.is_empty() && places.len() <= MAX_WORD_LINES {
            words.extend(changed_words((&old, &new), &places, &hunk.lines, until));
        }
        at = at.max(first + 1);
    }
    words
}

/// Finds what differs between replaced lines; `places` are theirs in `shown`, the old ones first.
fn changed_words((old, new): (&[&str], &[&str]), places: &[usize], shown: &[String], until: Instant) -> Vec<Words> {
    if Instant::now() >= until {
        return Vec::new();
    }
    let diff = TextDiff::configure().timeout(WORDS_TIME).diff_slices(old, new);
    let mut options = InlineChangeOptions::new();
    options.semantic_cleanup(true);
    let whole = DiffOp::Replace { old_index: 0, old_len: old.len(), new_index: 0, new_len: new.len() };
    let changes = diff.iter_inline_changes_with_options_deadline(&whole, options, Some(until));
    let mut words = Vec::new();
    for (change, line) in changes.filter(|change| change.tag() != ChangeTag::Equal).zip(places) {
        let ranges = marked(change.values(), shown[*line].trim_end_matches('\r').len());
        if !ranges.is_empty() {
            words.push(Words { line: *line, ranges });
        }
    }
    words
}

/// Returns how many bytes both texts begin with and end with, less the lines shown around a change, in whole lines.
fn shared(old: &str, new: &str) -> (usize, usize) {
    let (a, b) = (old.as_bytes(), new.as_bytes());
    let even = a.chunks(BLOCK).zip(b.chunks(BLOCK)).take_while(|(x, y)| x == y).map(|(x, _)| x.len()).sum::<usize>();
    let start = even + a[even..].iter().zip(&b[even..]).take_while(|(x, y)| x == y).count();
    let start = back_over_lines(&a[..start], CONTEXT + 1);
    let (a, b) = (&a[start..], &b[start..]);
    let even = a.rchunks(BLOCK).zip(b.rchunks(BLOCK)).take_while(|(x, y)| x == y).map(|(x, _)| x.len()).sum::<usize>();
    let (left, right) = (&a[..a.len() - even], &b[..b.len() - even]);
    let end = even + left.iter().rev().zip(right.iter().rev()).take_while(|(x, y)| x == y).count();
    (start, forth_over_lines(&a[a.len() - end..], CONTEXT + 1))
}

/// Leaves out the last `n` line feeds; what is left ends behind one.
fn back_over_lines(bytes: &[u8], n: usize) -> usize {
    let feeds = bytes.iter().enumerate().rev().filter(|(_, byte)| **byte == b'\n');
    feeds.map(|(at, _)| at + 1).nth(n).unwrap_or(0)
}

/// Leaves out the first `n` line feeds; returns the length of what is left, which begins behind one.
fn forth_over_lines(bytes: &[u8], n: usize) -> usize {
    let feeds = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
    feeds.map(|(at, _)| bytes.len() - at - 1).nth(n).unwrap_or(0)
}

fn n_lines(text: &str) -> usize {
    let bytes = text.as_bytes();
    let is_end = |(at, byte): &(usize, &u8)| match byte {
        b'\n' => true,
        b'\r' => bytes.get(at + 1) != Some(&b'\n'),
        _ => false,
    };
    bytes.iter().enumerate().filter(is_end).count()
}

fn ranges(ops: &[DiffOp]) -> (Range<usize>, Range<usize>) {
    match (ops.first(), ops.last()) {
        (Some(first), Some(last)) => {
            (first.old_range().start..last.old_range().end, first.new_range().start..last.new_range().end)
        }
        _ => (0..0, 0..0),
    }
}

/// Makes one change of many.
fn whole(groups: &[Vec<DiffOp>]) -> DiffOp {
    let ops: Vec<DiffOp> = groups.iter().flatten().copied().collect();
    let (old, new) = ranges(&ops);
    DiffOp::Replace { old_index: old.start, old_len: old.len(), new_index: new.start, new_len: new.len() }
}

/// Writes a range as the unified format does: an empty one begins at the line before it.
fn header_range(range: &Range<usize>) -> String {
    match range.len() {
        0 => format!("{},0", range.start),
        1 => format!("{}", range.start + 1),
        n => format!("{},{n}", range.start + 1),
    }
}

/// Returns where emphasised values lie in a line of `n_bytes` behind its sign; nothing where all of it is.
fn marked(values: &[(bool, &str)], n_bytes: usize) -> Vec<(usize, usize)> {
    let mut ranges: Vec<(usize, usize)> = Vec::new();
    let mut at = 1;
    for (is_marked, value) in values {
        let end = (at + value.len()).min(n_bytes);
        if *is_marked && at < end {
            match ranges.last_mut() {
                Some(last) if last.1 == at => last.1 = end,
                _ => ranges.push((at, end)),
            }
        }
        at = end;
    }
    if ranges == [(1, n_bytes)] { Vec::new() } else { ranges }
}
