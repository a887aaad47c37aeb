//! How does the model change part of a file?
//!
//! By naming text that is there exactly once. The file must have been read and not changed since, so that the model changes
//! what it has seen. `intent` shows the change to the person; of a file the model has not read it tells the model nothing,
//! because policy has not spoken yet. It is to be asked right before `run`: an earlier call may change what it finds.

use futures_util::future::BoxFuture;
use serde::Deserialize;
use serde_json::Value;

use crate::base::path::Resolved;
use crate::base::text::{count, one_line_name};
use crate::edit::EditError;
use crate::edit::diff::file_diff;
use crate::edit::excerpt::Excerpt;
use crate::edit::line_ends::LfView;
use crate::edit::locate::Rung;
use crate::edit::nearest::nearest;
use crate::edit::parse::call::has_dialect;
use crate::edit::replace::{Extent, Replaced, replace};
use crate::edit::text_file::TextFile;
use crate::protocol::profile::EditDialect;
use crate::protocol::tool::{Action, Intent, ToolReport};
use crate::tools::bad_call::BadCall;
use crate::tools::blocking::{self, Leaving};
use crate::tools::change::{self, stated};
use crate::tools::manifest::Manifest;
use crate::tools::refusal::{bad_edit, words};
use crate::tools::target::{draft, read_actions};
use crate::tools::{Tool, ToolBug, ToolContext, lenient, parse_arguments};

/// Lines shown on each side of the place a refused edit was probably meant for.
const EXCERPT_MARGIN: usize = 8;

/// Replaces text in a file.
pub struct EditFile {
    manifest: Manifest,
}

impl EditFile {
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
    #[serde(alias = "oldString", alias = "old_str", alias = "old_text", alias = "old", alias = "search")]
    old_string: String,
    #[serde(alias = "newString", alias = "new_str", alias = "new_text", alias = "new", alias = "replace")]
    new_string: String,
    #[serde(default, alias = "replaceAll", deserialize_with = "lenient::flag")]
    replace_all: bool,
}

impl Arguments {
    fn extent(&self) -> Extent {
        if self.replace_all { Extent::All } else { Extent::One }
    }
}

fn load(target: &Resolved) -> Result<TextFile, EditError> {
    TextFile::load(&target.absolute, &one_line_name(&target.display()))
}

/// Finds out what the call would make of the file, without doing it.
fn plan(file: &TextFile, call: &Arguments) -> Result<Replaced, EditError> {
    let replaced = replace(&file.text, &call.old_string, &call.new_string, call.extent())?;
    if let Replaced::Changed { text, .. } = &replaced {
        file.check_rewrite(text)?;
    }
    Ok(replaced)
}

/// Says whether the model has seen the file as it is; in an empty one there is nothing to see.
fn is_seen(cx: &ToolContext, target: &Resolved, file: &TextFile) -> bool {
    file.text.is_empty() || cx.workspace.seen(&target.absolute).as_ref() == Some(&file.hash)
}

impl Tool for EditFile {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    fn intent(&self, cx: &ToolContext, arguments: &Value) -> Result<Intent, BadCall> {
        if has_dialect(arguments) {
            return change::intent(cx, &stated(arguments)?);
        }
        let call: Arguments = parse_arguments(&self.manifest, arguments)?;
        let target = cx.workspace.resolve(&call.path);
        let mut actions = read_actions(cx, &target);
        actions.push(Action::Write { path: target.absolute.clone() });
        let dialect = Some(EditDialect::Replace);
        let mut intent = Intent { target: target.display(), actions, dialect, ..Intent::default() };
        let tell = |error| bad_edit(cx, &call.path, EditDialect::Replace, &error);
        match load(&target) {
            // It will only be read: `run` shows the model what stands there. Nobody need approve that as a change.
            Ok(file) if !is_seen(cx, &target, &file) => drop(intent.actions.pop()),
            Ok(file) => match plan(&file, &call) {
                Ok(Replaced::Changed { text, .. }) => {
                    intent.promised = file.promise(&text);
                    intent.drafts.push(draft(&target, Some(file.text), Some(text)));
                }
                Ok(Replaced::AlreadyApplied { .. }) => drop(intent.actions.pop()),
                Err(error) => return Err(tell(error)),
            },
            Err(error @ EditError::Missing { .. }) if target.is_inside() => return Err(tell(error)),
            Err(_) => {}
        }
        Ok(intent)
    }

    fn run<'a>(&'a self, cx: &'a ToolContext, arguments: Value) -> BoxFuture<'a, Result<ToolReport, ToolBug>> {
        if has_dialect(&arguments) {
            return change::run_later(cx, &self.manifest, stated(&arguments));
        }
        blocking::run(&self.manifest, (cx, arguments), Leaving::Never, edit)
    }
}

fn edit(cx: &ToolContext, call: &Arguments) -> ToolReport {
    let target = cx.workspace.resolve(&call.path);
    let result = load(&target).and_then(|file| {
        if !is_seen(cx, &target, &file) {
            return Ok(refuse_unseen(cx, &target, &file, call));
        }
        match plan(&file, call)? {
            Replaced::Changed { text, lines, rung } => apply(cx, &target, &file, (&text, &lines, rung)),
            Replaced::AlreadyApplied { line } => {
                let name = target.display();
                let text = format!("`{name}` already has the new text, at line {line}; nothing was changed");
                Ok(ToolReport::ok(text, "already applied"))
            }
        }
    });
    result.unwrap_or_else(|error| ToolReport::failed(words(cx, &call.path, &error)))
}

/// Writes the changed text; `lines` are the places that changed, `rung` is what was forgiven to find them.
fn apply(
    cx: &ToolContext,
    target: &Resolved,
    file: &TextFile,
    (text, lines, rung): (&str, &[usize], Rung),
) -> Result<ToolReport, EditError> {
    let name = target.display();
    let hash = cx.writer.rewrite(file, text)?;
    cx.workspace.note_read(&target.absolute, &hash);
    let diff = file_diff(&name, Some(&file.text), Some(text));
    let summary = format!("+{} -{}", diff.added, diff.removed);
    let places = match lines {
        [line] => format!("at line {line}"),
        _ => format!("in {}", count(lines.len(), "place")),
    };
    let note = rung.words().map_or_else(String::new, |words| format!("; {words}"));
    let mut report = ToolReport::ok(format!("edited `{name}` {places} ({summary}){note}"), summary);
    report.diffs.push(diff);
    Ok(report)
}

/// Refuses to change what the model has not seen as it is, and shows it the place, so that the next try can succeed.
fn refuse_unseen(cx: &ToolContext, target: &Resolved, file: &TextFile, call: &Arguments) -> ToolReport {
    let why = match cx.workspace.seen(&target.absolute) {
        None => "has not been read in this session",
        Some(_) => "has changed since it was read",
    };
    cx.workspace.note_read(&target.absolute, &file.hash);
    ToolReport::failed(format!(
        "`{}` {why}; nothing was changed. It reads now:\n{}Check that the edit still fits and call `edit_file` again.",
        target.display(),
        place(&file.text, &call.old_string)
    ))
}

/// Cuts out the lines around the place that `old` means: where it is, else what is like it, else the start.
fn place(text: &str, old: &str) -> Excerpt {
    let view = LfView::new(text);
    let at = if old.is_empty() { None } else { view.text().find(old) };
    let (first, n_lines) = match (at, nearest(text, old)) {
        (Some(at), _) => (view.text()[..at].lines().count().max(1), old.lines().count()),
        (None, Some(near)) => (near.first_line, near.lines.len()),
        (None, None) => (1, 2 * EXCERPT_MARGIN),
    };
    Excerpt::around(text, first, first + n_lines, EXCERPT_MARGIN)
}
