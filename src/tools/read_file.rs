//! How does the model read a file?
//!
//! Numbered lines, capped, with a note how to read on. Remembers what was read, so that changes to unread files can be
//! refused. Huge files are read in windows, and those cannot be edited.

use std::fmt::Write as _;

use futures_util::future::BoxFuture;
use serde::Deserialize;
use serde_json::Value;

use crate::base::path::Resolved;
use crate::base::text::{count, one_line_name};
use crate::edit::EditError;
use crate::edit::encoding::Encoding;
use crate::edit::excerpt::push_numbered;
use crate::edit::line_ends::LfView;
use crate::edit::text_file::TextFile;
use crate::edit::window::{After, read_window};
use crate::protocol::tool::{Intent, ToolReport};
use crate::tools::bad_call::BadCall;
use crate::tools::blocking::{self, Leaving};
use crate::tools::manifest::Manifest;
use crate::tools::refusal::words;
use crate::tools::target::read_actions;
use crate::tools::{Tool, ToolBug, ToolContext, lenient, parse_arguments};

/// Lines returned when no range is asked for, and at most.
const MAX_LINES: usize = 400;
/// Bytes of lines returned: with heading and note below the 10 kB a call hands to the model.
const MAX_BYTES: usize = 9_400;

/// Reads a file or part of one.
pub struct ReadFile {
    manifest: Manifest,
}

impl ReadFile {
    /// Builds the tool.
    pub fn new(manifest: Manifest) -> Self {
        Self { manifest }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    #[serde(alias = "file_path", alias = "filepath", alias = "filename", alias = "file")]
    path: String,
    #[serde(default, alias = "start", alias = "line_start", alias = "offset", deserialize_with = "lenient::count")]
    start_line: Option<usize>,
    #[serde(default, alias = "end", alias = "line_end", deserialize_with = "lenient::count")]
    end_line: Option<usize>,
}

impl Arguments {
    /// Returns the first line wanted; models that count from 0 mean the first.
    fn first(&self) -> usize {
        self.start_line.unwrap_or(1).max(1)
    }

    /// Returns how many lines to show at most.
    fn max_lines(&self) -> usize {
        let asked = self.end_line.map_or(MAX_LINES, |end| (end + 1).saturating_sub(self.first()));
        asked.min(MAX_LINES)
    }

    fn check(&self) -> Result<(), BadCall> {
        match self.end_line {
            Some(end) if end < self.first() => Err(BadCall::Impossible(format!(
                "end_line {end} is before start_line {}; give them the other way round",
                self.first()
            ))),
            _ => Ok(()),
        }
    }
}

impl Tool for ReadFile {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    fn intent(&self, cx: &ToolContext, arguments: &Value) -> Result<Intent, BadCall> {
        let arguments: Arguments = parse_arguments(&self.manifest, arguments)?;
        arguments.check()?;
        let target = cx.workspace.resolve(&arguments.path);
        let range = match (arguments.start_line, arguments.end_line) {
            (None, None) => String::new(),
            (_, None) => format!(":{}-", arguments.first()),
            (_, Some(end)) => format!(":{}-{end}", arguments.first()),
        };
        Ok(Intent {
            target: format!("{}{range}", target.display()),
            actions: read_actions(cx, &target),
            is_parallel_safe: true,
            ..Intent::default()
        })
    }

    fn run<'a>(&'a self, cx: &'a ToolContext, arguments: Value) -> BoxFuture<'a, Result<ToolReport, ToolBug>> {
        blocking::run(&self.manifest, (cx, arguments), Leaving::Behind, read)
    }
}

fn read(cx: &ToolContext, arguments: &Arguments) -> ToolReport {
    if let Err(bad) = arguments.check() {
        return ToolReport::failed(bad.to_string());
    }
    let target = cx.workspace.resolve(&arguments.path);
    let name = one_line_name(&target.display()).into_owned();
    let shown = match TextFile::load(&target.absolute, &name) {
        Ok(file) => read_whole(cx, &target, &file, arguments),
        Err(EditError::TooLarge { .. }) => read_part(&target, &name, arguments),
        Err(error) => Err(error),
    };
    match shown {
        Ok(report) => report,
        Err(error) => ToolReport::failed(words(cx, &arguments.path, &error)),
    }
}

fn read_whole(cx: &ToolContext, at: &Resolved, file: &TextFile, call: &Arguments) -> Result<ToolReport, EditError> {
    cx.workspace.note_read(&at.absolute, &file.hash);
    let name = one_line_name(&at.display()).into_owned();
    let total = file.text.lines().count();
    if total == 0 {
        return Ok(ToolReport::ok(format!("`{name}` is empty"), "empty"));
    }
    if call.first() > total {
        let text = format!("`{name}` has {}; there is no line {}", count(total, "line"), call.first());
        return Ok(ToolReport::failed(text));
    }
    let page = Page::of(file.text.lines().skip(call.first() - 1).take(call.max_lines()), call.first());
    let facts = facts(file);
    let mut text = format!("{name}, lines {}-{} of {total}{facts}:\n{}", call.first(), page.last, page.text);
    if page.last < total {
        let _ = write!(text, "[{} more; read on with start_line {}]", count(total - page.last, "line"), page.last + 1);
    } else if !file.text.ends_with('\n') {
        text.push_str("[no newline at the end of the file]");
    }
    Ok(ToolReport::ok(text, count(page.n_lines(), "line")))
}

/// Names what is out of the ordinary about a file's bytes.
fn facts(file: &TextFile) -> String {
    let mut facts = String::new();
    if file.encoding != Encoding::Utf8 {
        let _ = write!(facts, ", {}", file.encoding.label());
    }
    if file.is_lossy {
        facts.push_str(", some bytes are not valid and shown as \u{fffd}");
    }
    if let Some(ends) = LfView::new(&file.text).label() {
        let _ = write!(facts, ", {ends}");
    }
    facts
}

fn read_part(at: &Resolved, name: &str, call: &Arguments) -> Result<ToolReport, EditError> {
    let window = read_window(&at.absolute, name, call.first(), call.max_lines())?;
    if window.lines.is_empty() {
        return Ok(ToolReport::failed(match window.after {
            After::ScanLimit(n) => format!(
                "line {} of `{name}` is further in than is read here ({}); with `shell`: sed -n '{},{}p' '{name}'",
                call.first(),
                count(n, "line"),
                call.first(),
                call.first() + call.max_lines() - 1
            ),
            After::End(n) | After::More(n) => {
                format!("`{name}` has {}; there is no line {}", count(n, "line"), call.first())
            }
        }));
    }
    let page = Page::of(window.lines.iter().map(String::as_str), call.first());
    let is_cut = page.n_lines() < window.lines.len();
    let more = match window.after {
        After::End(n) if !is_cut => format!("[end of the file, {}]", count(n, "line")),
        _ => format!("[more lines follow, not counted; read on with start_line {}]", page.last + 1),
    };
    let text = format!("{name}, lines {}-{} of a file too long to edit:\n{}{more}", call.first(), page.last, page.text);
    Ok(ToolReport::ok(text, count(page.n_lines(), "line")))
}

/// As many numbered lines as fit.
struct Page {
    text: String,
    first: usize,
    last: usize,
}

impl Page {
    fn of<'a>(lines: impl Iterator<Item = &'a str>, first: usize) -> Self {
        let mut page = Self { text: String::new(), first, last: first };
        for (index, line) in lines.enumerate() {
            let end = page.text.len();
            push_numbered(&mut page.text, first + index, line);
            if page.text.len() > MAX_BYTES && index > 0 {
                page.text.truncate(end);
                break;
            }
            page.last = first + index;
        }
        page
    }

    fn n_lines(&self) -> usize {
        self.last + 1 - self.first
    }
}
