//! Where in the project does something stand?
//!
//! A regular expression, line by line, over the files the ignore rules leave. Bounded in matches, bytes and file size, and
//! says what it left out. Must not search what somebody could not have meant: binary files, links, FIFOs.

use std::ops::ControlFlow;
use std::path::Path;

use futures_util::future::BoxFuture;
use regex::{Regex, RegexBuilder};
use serde::Deserialize;
use serde_json::Value;

use crate::base::control::restore_pattern;
use crate::base::text::{count, one_line_name, prefix, suffix};
use crate::edit::EditError;
use crate::edit::text_file::TextFile;
use crate::protocol::tool::{Intent, ToolReport};
use crate::tools::bad_call::BadCall;
use crate::tools::blocking::{self, Leaving};
use crate::tools::manifest::Manifest;
use crate::tools::refusal::words;
use crate::tools::target::{missing, read_actions};
use crate::tools::{Tool, ToolBug, ToolContext, lenient, parse_arguments};
use crate::workspace::walk::{EntryKind, Walk};

/// Matches returned unless fewer are asked for.
const MAX_MATCHES: usize = 100;
/// Bytes returned: with the closing note below the 10 kB a call hands to the model.
const MAX_BYTES: usize = 9_400;
/// Bytes of one line shown, around the match.
const MAX_LINE_BYTES: usize = 300;
/// Lines of context on each side at most.
const MAX_CONTEXT: usize = 10;
/// Bytes of memory a compiled pattern may take; ten times what people write.
const MAX_PATTERN_BYTES: usize = 2_000_000;

/// Searches files.
pub struct Search {
    manifest: Manifest,
}

impl Search {
    /// Builds the tool.
    pub fn new(manifest: Manifest) -> Self {
        Self { manifest }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    #[serde(alias = "regex", alias = "query", deserialize_with = "pattern")]
    pattern: String,
    #[serde(default, alias = "directory", alias = "dir", alias = "folder", deserialize_with = "lenient::text")]
    path: Option<String>,
    #[serde(default, alias = "include", alias = "file_pattern", deserialize_with = "lenient::text")]
    glob: Option<String>,
    #[serde(default, alias = "context_lines", deserialize_with = "lenient::count")]
    context: Option<usize>,
    #[serde(default, alias = "limit", alias = "head_limit", deserialize_with = "lenient::count")]
    max_results: Option<usize>,
    #[serde(default, alias = "case_insensitive", alias = "ignoreCase", deserialize_with = "lenient::flag")]
    ignore_case: bool,
}

/// Reads a pattern written by somebody who saw control strings broken up.
fn pattern<'de, D: serde::Deserializer<'de>>(source: D) -> Result<String, D::Error> {
    String::deserialize(source).map(|pattern| restore_pattern(&pattern))
}

impl Arguments {
    fn path(&self) -> &str {
        self.path.as_deref().unwrap_or(".")
    }

    fn max_matches(&self) -> usize {
        self.max_results.unwrap_or(MAX_MATCHES).clamp(1, MAX_MATCHES)
    }

    fn regex(&self) -> Result<Regex, BadCall> {
        if self.pattern.is_empty() {
            return Err(BadCall::Impossible(
                "the pattern is empty and would match every line; use `list_files` to see the files".to_owned(),
            ));
        }
        // An escaped backslash before an `n` is a search for the two characters.
        if self.pattern.contains('\n') || self.pattern.replace(r"\\", "").contains(r"\n") {
            let text = "the pattern has a line end, but files are searched line by line; search for one of the lines";
            return Err(BadCall::Impossible(text.to_owned()));
        }
        let built =
            RegexBuilder::new(&self.pattern).case_insensitive(self.ignore_case).size_limit(MAX_PATTERN_BYTES).build();
        built.map_err(|error| {
            BadCall::Impossible(format!(
                "`{}` is not a valid regular expression: {}. To search for exactly this text, use the pattern `{}`",
                self.pattern,
                error.to_string().lines().last().unwrap_or_default().trim_start_matches("error: "),
                regex::escape(&self.pattern)
            ))
        })
    }
}

impl Tool for Search {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    fn intent(&self, cx: &ToolContext, arguments: &Value) -> Result<Intent, BadCall> {
        let call: Arguments = parse_arguments(&self.manifest, arguments)?;
        call.regex()?;
        let target = cx.workspace.resolve(call.path());
        let place = if call.path.is_some() { format!(" in {}", target.display()) } else { String::new() };
        Ok(Intent {
            target: format!("`{}`{place}", call.pattern),
            actions: read_actions(cx, &target),
            is_parallel_safe: true,
            ..Intent::default()
        })
    }

    fn run<'a>(&'a self, cx: &'a ToolContext, arguments: Value) -> BoxFuture<'a, Result<ToolReport, ToolBug>> {
        blocking::run(&self.manifest, (cx, arguments), Leaving::Behind, search)
    }
}

fn search(cx: &ToolContext, call: &Arguments) -> ToolReport {
    let regex = match call.regex() {
        Ok(regex) => regex,
        Err(bad) => return ToolReport::failed(bad.to_string()),
    };
    let mut hits = Hits::new(call);
    let target = cx.workspace.resolve(call.path());
    if target.absolute.is_dir() {
        let walk = Walk::new(cx.workspace.root(), &target.absolute);
        let walk = match call.glob.as_deref().map_or(Ok(walk.clone()), |glob| walk.matching(glob)) {
            Ok(walk) => walk,
            Err(error) => return ToolReport::failed(format!("{error}; write it like `*.rs` or `src/**/*.{{ts,tsx}}`")),
        };
        hits.n_unreadable += walk.visit(&mut |entry| {
            if cx.cancel.is_cancelled() {
                return ControlFlow::Break(());
            }
            let name = entry.path.strip_prefix(cx.workspace.root()).unwrap_or(&entry.path);
            if entry.kind == EntryKind::File && (cx.may_hold_secrets)(name) {
                hits.n_secret += 1;
            } else if entry.kind == EntryKind::File {
                // A file that cannot be read as text is counted there and no reason to stop.
                drop(hits.search_file(&regex, &entry.path, name));
            }
            if hits.is_full { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
    } else if let Err(error) = hits.search_file(&regex, &target.absolute, Path::new(&target.display())) {
        return ToolReport::failed(match error {
            EditError::Missing { .. } => missing(&cx.workspace, call.path()),
            error => words(cx, call.path(), &error),
        });
    }
    if cx.cancel.is_cancelled() { blocking::cancelled() } else { hits.report(call) }
}

/// What was found so far.
struct Hits {
    text: String,
    context: usize,
    max_matches: usize,
    n_matches: usize,
    n_files: usize,
    n_searched: usize,
    n_too_large: usize,
    n_secret: usize,
    n_unreadable: usize,
    is_full: bool,
}

impl Hits {
    fn new(call: &Arguments) -> Self {
        Self {
            text: String::new(),
            context: call.context.unwrap_or(0).min(MAX_CONTEXT),
            max_matches: call.max_matches(),
            n_matches: 0,
            n_files: 0,
            n_searched: 0,
            n_too_large: 0,
            n_secret: 0,
            n_unreadable: 0,
            is_full: false,
        }
    }

    fn search_file(&mut self, regex: &Regex, path: &Path, name: &Path) -> Result<(), EditError> {
        let name = name.to_string_lossy();
        let file = TextFile::load(path, &one_line_name(&name)).inspect_err(|error| match error {
            EditError::Binary { .. } => {}
            EditError::TooLarge { .. } => self.n_too_large += 1,
            _ => self.n_unreadable += 1,
        })?;
        self.n_searched += 1;
        let lines: Vec<&str> = file.text.lines().collect();
        let found: Vec<usize> = (0..lines.len()).filter(|at| regex.is_match(lines[*at])).collect();
        if !found.is_empty() {
            self.push_file(regex, &name, (&lines, &found));
        }
        Ok(())
    }

    /// Appends the matches of one file, as many as fit, under its name.
    fn push_file(&mut self, regex: &Regex, name: &str, (lines, found): (&[&str], &[usize])) {
        let mut next = 0;
        for (index, at) in found.iter().enumerate() {
            let end = self.text.len();
            if index == 0 {
                self.text.push_str(&format!("{}\n", one_line_name(name)));
            }
            let from = at.saturating_sub(self.context).max(next);
            if self.context > 0 && index > 0 && from > next {
                self.text.push_str("   --\n");
            }
            let until =
                found.get(index + 1).copied().unwrap_or(lines.len()).min(at + 1 + self.context).min(lines.len());
            for (number, line) in lines.iter().enumerate().take(until).skip(from) {
                self.push_line(regex, number + 1, line, if number == *at { ':' } else { '-' });
            }
            if self.n_matches == self.max_matches || self.text.len() > MAX_BYTES {
                self.text.truncate(end);
                self.is_full = true;
                return;
            }
            self.n_matches += 1;
            self.n_files += usize::from(index == 0);
            next = until;
        }
    }

    fn push_line(&mut self, regex: &Regex, number: usize, line: &str, mark: char) {
        let shown = if line.len() <= MAX_LINE_BYTES { line.to_owned() } else { around_match(regex, line) };
        self.text.push_str(&format!("{number:>5}{mark} {shown}\n"));
    }

    fn report(self, call: &Arguments) -> ToolReport {
        let mut notes = Vec::new();
        if self.is_full {
            notes.push("there are more; narrow the search with path, glob or a longer pattern".to_owned());
        }
        if self.n_too_large > 0 {
            notes.push(format!("{} too large to search", count(self.n_too_large, "file")));
        }
        if self.n_secret > 0 {
            notes.push(format!("{} not searched, for they may hold secrets", count(self.n_secret, "file")));
        }
        if self.n_unreadable > 0 {
            notes.push(format!("{} not readable", count(self.n_unreadable, "entry").replace("entrys", "entries")));
        }
        let notes = if notes.is_empty() { String::new() } else { format!("; {}", notes.join("; ")) };
        if self.n_matches == 0 {
            let (pattern, searched) = (&call.pattern, count(self.n_searched, "file"));
            return ToolReport::ok(format!("no line matches `{pattern}` in {searched}{notes}"), "no matches");
        }
        let matches = format!(
            "{} in {}",
            count(self.n_matches, "match").replace("matchs", "matches"),
            count(self.n_files, "file")
        );
        ToolReport::ok(format!("{}[{matches}{notes}]", self.text), matches)
    }
}

/// Cuts a long line to the part around its first match.
fn around_match(regex: &Regex, line: &str) -> String {
    let at = regex.find(line).map_or(0, |found| found.start());
    let before = suffix(&line[..at], MAX_LINE_BYTES / 4);
    let after = prefix(&line[at..], MAX_LINE_BYTES - before.len());
    let left = if before.len() < at { "..." } else { "" };
    let right = if at + after.len() < line.len() { "..." } else { "" };
    format!("{left}{before}{after}{right}")
}
