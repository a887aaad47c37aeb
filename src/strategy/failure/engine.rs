//! How do the lines of an output find the reader that understands them?
//!
//! One set of patterns is matched against each line: the lines that begin a block, end one, or say something by themselves.
//! A block that is open takes every line until it ends.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::sync::LazyLock;

use regex::{Captures, Regex, RegexSet};

use crate::base::text;
use crate::protocol::failure::Failure;
use crate::strategy::failure::Complaints;
use crate::strategy::failure::block::{self, Block, MAX_LINES, NOTHING};
use crate::strategy::failure::readers::TABLE;
use crate::strategy::failure::wrapped;

/// Bytes of a line that are looked at; minified sources and dumps are longer.
const MAX_LINE_BYTES: usize = 4096;
/// Failures kept; the rest is counted.
const MAX_FAILURES: usize = 1000;

/// Stands for the message of a test that is only listed as failed.
pub const UNTOLD: &str = "it failed";

/// What one runner prints about what failed.
pub struct Reader {
    /// The runner's name.
    pub name: &'static str,
    /// The line that begins a block; its group `title` names it. Empty for a runner whose notes say everything.
    pub opens: &'static str,
    /// The line that ends a block, beside one that begins the next; empty when only that does.
    pub closes: &'static str,
    /// The line that counts for the blocks below it; its first group is their heading.
    pub heads: &'static str,
    /// Makes a failure of a block; none when it is no failure.
    pub read: fn(&Block) -> Option<Failure>,
    /// The line that says something by itself, kept for `settle`.
    pub notes: &'static str,
    /// Completes the failures of this reader by the notes, at the end.
    pub settle: fn(&mut Vec<Failure>, &[Note]),
    /// The reader in whose blocks this one opens none: there the other one sees the same.
    pub yields_to: &'static str,
    /// The command that runs only one test, with `{id}`; empty where there is none.
    pub rerun: &'static str,
}

/// The groups of a line that was kept, by name, and the `heading` above it.
pub type Note = BTreeMap<&'static str, String>;

/// Names of the groups that notes may have.
const GROUPS: [&str; 5] = ["id", "name", "file", "line", "message"];

struct Compiled {
    set: RegexSet,
    readers: Vec<Patterns>,
}

struct Patterns {
    opens: Option<Regex>,
    heads: Option<Regex>,
    notes: Option<Regex>,
}

static COMPILED: LazyLock<Compiled> = LazyLock::new(|| {
    let some = |text: &str| (!text.is_empty()).then(|| block::pattern(text));
    let patterns =
        |reader: &Reader| Patterns { opens: some(reader.opens), heads: some(reader.heads), notes: some(reader.notes) };
    // Four for each reader, in this order; an empty one must match nothing.
    let all = TABLE.iter().flat_map(|reader| [reader.opens, reader.closes, reader.heads, reader.notes]);
    let all = all.map(|text| if text.is_empty() { NOTHING } else { text });
    Compiled { set: RegexSet::new(all).unwrap_or_default(), readers: TABLE.iter().map(patterns).collect() }
});

/// Reads an output, line by line.
#[derive(Default)]
pub struct Reading {
    /// The folder the check ran in, with a slash at its end.
    root: String,
    /// What a runner that writes JSON has begun of a line.
    partial: String,
    readers: Vec<State>,
    findings: crate::strategy::failure::findings::Findings,
    n_more: usize,
}

#[derive(Default)]
struct State {
    open: Option<Block>,
    heading: String,
    failures: Vec<Failure>,
    /// What was found already: summaries repeat it, and loops do.
    seen: HashSet<Key>,
    notes: Vec<Note>,
}

type Key = (Option<String>, Option<String>, Option<u32>, String);

fn key(failure: &Failure) -> Key {
    (failure.id.clone(), failure.file.clone(), failure.line, failure.message.clone())
}

impl Reading {
    /// Starts reading the output of a check that ran in `root`.
    pub fn of(root: &Path) -> Self {
        Self { root: format!("{}/", root.display()), ..Self::default() }
    }

    /// Takes the next line, without its end.
    pub fn line(&mut self, line: &str) {
        match wrapped::inner(line) {
            Some(inner) => self.pieces(&inner),
            None => self.plain_line(line),
        }
    }

    /// Takes what a runner printed inside of JSON, which need not be whole lines.
    fn pieces(&mut self, inner: &str) {
        for piece in inner.split_inclusive('\n') {
            self.partial.push_str(piece);
            if let Some(line) = self.partial.strip_suffix('\n').map(str::to_owned) {
                self.partial.clear();
                self.plain_line(&line);
            }
        }
        if self.partial.len() > MAX_LINE_BYTES {
            self.partial.clear();
        }
    }

    fn plain_line(&mut self, line: &str) {
        let line = text::prefix(line, MAX_LINE_BYTES);
        let plain = if line.bytes().any(|byte| byte < b' ' && byte != b'\t') {
            std::borrow::Cow::Owned(text::plain(line))
        } else {
            std::borrow::Cow::Borrowed(line)
        };
        let line = plain.trim_end();
        self.readers.resize_with(TABLE.len(), State::default);
        self.n_more += usize::from(!self.findings.line(line));
        let found = COMPILED.set.matches(line);
        for (n, reader) in TABLE.iter().enumerate() {
            let is = |k: usize| found.matched(4 * n + k);
            let is_taken = is(0) && !reader.yields_to.is_empty() && self.is_open(reader.yields_to);
            let (state, patterns) = (&mut self.readers[n], &COMPILED.readers[n]);
            if is(0) || is(1) {
                self.n_more += usize::from(!state.close(reader));
            }
            if is(2)
                && let Some(heads) = &patterns.heads
                && let Some(heading) = heads.captures(line).and_then(|groups| groups.get(1))
            {
                heading.as_str().clone_into(&mut state.heading);
            }
            if is(3)
                && let Some(groups) = patterns.notes.as_ref().and_then(|notes| notes.captures(line))
                && state.notes.len() < MAX_FAILURES
            {
                let heading = state.heading.clone();
                state.notes.push(note(&groups, heading));
            }
            if is(0) && !is_taken {
                let title = patterns.opens.as_ref().and_then(|opens| opens.captures(line)?.name("title"));
                let title = title.map_or_else(String::new, |title| title.as_str().trim().to_owned());
                state.open =
                    Some(Block { title, heading: state.heading.clone(), first: line.to_owned(), lines: Vec::new() });
            } else if let Some(open) = state.open.as_mut().filter(|open| open.lines.len() < MAX_LINES) {
                open.lines.push(line.to_owned());
            }
        }
    }

    /// Names files as seen from the folder of the check.
    fn shorten(&self, failure: &mut Failure) {
        let short = |path: &mut String| {
            if let Some(rest) = path.strip_prefix(&self.root).map(str::to_owned).filter(|_| self.root.len() > 1) {
                *path = rest;
            }
        };
        failure.file.iter_mut().for_each(short);
        failure.stack.iter_mut().for_each(|frame| short(&mut frame.file));
    }

    fn is_open(&self, reader: &str) -> bool {
        TABLE.iter().zip(&self.readers).any(|(row, state)| row.name == reader && state.open.is_some())
    }

    /// Ends the output.
    pub fn finish(mut self) -> Complaints {
        let mut failures = std::mem::take(&mut self.findings).finish();
        for (state, reader) in self.readers.iter_mut().zip(&TABLE) {
            self.n_more += usize::from(!state.close(reader));
            (reader.settle)(&mut state.failures, &state.notes);
            let rerun = |failure: &Failure| {
                let id = failure.id.as_ref().filter(|_| !reader.rerun.is_empty())?;
                Some(reader.rerun.replace("{id}", &text::shell_quoted(id)))
            };
            state
                .failures
                .iter_mut()
                .for_each(|failure| failure.rerun = failure.rerun.take().or_else(|| rerun(failure)));
            failures.append(&mut state.failures);
        }
        failures.iter_mut().for_each(|failure| self.shorten(failure));
        let mut seen = HashSet::new();
        failures.retain(|failure| seen.insert(key(failure)));
        let told: HashSet<String> = failures
            .iter()
            .filter(|failure| failure.message != UNTOLD)
            .filter_map(|failure| failure.id.clone())
            .collect();
        failures
            .retain(|failure| failure.message != UNTOLD || !failure.id.as_ref().is_some_and(|id| told.contains(id)));
        failures.sort_by_key(|failure| failure.kind);
        self.n_more += failures.len().saturating_sub(MAX_FAILURES);
        failures.truncate(MAX_FAILURES);
        Complaints { failures, n_more: self.n_more }
    }
}

impl State {
    /// Reads the open block, if there is one; says whether there was room for what it holds.
    fn close(&mut self, reader: &Reader) -> bool {
        let Some(failure) = self.open.take().and_then(|block| (reader.read)(&block)) else { return true };
        let has_room = self.failures.len() < MAX_FAILURES;
        if has_room && self.seen.insert(key(&failure)) {
            self.failures.push(failure);
        }
        has_room
    }
}

fn note(groups: &Captures<'_>, heading: String) -> Note {
    let named = GROUPS.iter().filter_map(|name| Some((*name, groups.name(name)?.as_str().to_owned())));
    named.chain([("heading", heading)]).collect()
}

/// For readers whose blocks say everything.
pub fn nothing_to_settle(_: &mut Vec<Failure>, _: &[Note]) {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategy::failure::findings;

    #[test]
    fn every_pattern_holds_on_to_the_beginning_of_a_line() {
        let readers = TABLE.iter().flat_map(|row| [row.opens, row.closes, row.heads, row.notes]).map(str::to_owned);
        let findings = findings::rows().unwrap().into_iter().flat_map(|row| [row.line, row.heading]);
        for pattern in readers.chain(findings).chain([NOTHING.to_owned()]) {
            assert!(pattern.is_empty() || pattern.starts_with('^'), "{pattern}");
        }
        assert!(!Regex::new(NOTHING).unwrap().is_match(""));
    }
}
