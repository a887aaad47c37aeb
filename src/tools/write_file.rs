//! How does the model create a file or replace one whole?
//!
//! Replacing needs the file read first, and content that is plainly not whole is refused. Encoding, line ends and mode of
//! what was there are kept. What is not a text file is never replaced.

use futures_util::future::BoxFuture;
use serde::Deserialize;
use serde_json::Value;

use crate::base::hash;
use crate::base::path::Resolved;
use crate::base::text::{count, one_line_name};
use crate::edit::EditError;
use crate::edit::diff::file_diff;
use crate::edit::parse::call::has_dialect;
use crate::edit::text_file::TextFile;
use crate::edit::whole::{check_whole, in_style_of};
use crate::protocol::profile::EditDialect;
use crate::protocol::tool::{Action, Intent, ToolReport};
use crate::tools::bad_call::BadCall;
use crate::tools::blocking::{self, Leaving};
use crate::tools::change::{self, stated};
use crate::tools::manifest::Manifest;
use crate::tools::refusal::{bad_edit, words};
use crate::tools::target::draft;
use crate::tools::{Tool, ToolBug, ToolContext, parse_arguments};

/// Writes whole files.
pub struct WriteFile {
    manifest: Manifest,
}

impl WriteFile {
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
    #[serde(alias = "contents", alias = "text", alias = "file_text", alias = "file_content")]
    content: String,
}

/// Reads what is to be replaced; nothing when the file is to be created.
fn load(target: &Resolved) -> Result<Option<TextFile>, EditError> {
    match TextFile::load(&target.absolute, &one_line_name(&target.display())) {
        Ok(file) => Ok(Some(file)),
        Err(EditError::Missing { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

fn text_of(old: Option<&TextFile>) -> Option<&str> {
    old.map(|file| file.text.as_str())
}

/// Checks that the content can be written over `old`, and returns it in the style of the old file.
fn plan(old: Option<&TextFile>, call: &Arguments) -> Result<String, EditError> {
    let text = text_of(old).unwrap_or_default();
    check_whole(text, &call.content)?;
    let content = in_style_of(text, &call.content);
    if let Some(file) = old {
        file.check_rewrite(&content)?;
    }
    Ok(content)
}

impl Tool for WriteFile {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    fn intent(&self, cx: &ToolContext, arguments: &Value) -> Result<Intent, BadCall> {
        if has_dialect(arguments) {
            return change::intent(cx, &stated(arguments)?);
        }
        let call: Arguments = parse_arguments(&self.manifest, arguments)?;
        let target = cx.workspace.resolve(&call.path);
        let old = load(&target);
        let dialect = Some(EditDialect::Whole);
        let mut intent = Intent { target: target.display(), dialect, ..Intent::default() };
        match old.and_then(|old| Ok((plan(old.as_ref(), &call)?, old))) {
            Ok((content, old)) => {
                let promised = |file: &TextFile| file.promise(&content);
                intent.promised = old.as_ref().map_or_else(|| Some(hash::of_bytes(content.as_bytes())), promised);
                intent.drafts.push(draft(&target, old.map(|file| file.text), Some(content)));
            }
            // This one is about the content alone, which the model knows.
            Err(error @ EditError::Elided { .. }) => {
                return Err(bad_edit(cx, &call.path, EditDialect::Whole, &error));
            }
            Err(_) => {}
        }
        intent.actions.push(Action::Write { path: target.absolute });
        Ok(intent)
    }

    fn run<'a>(&'a self, cx: &'a ToolContext, arguments: Value) -> BoxFuture<'a, Result<ToolReport, ToolBug>> {
        if has_dialect(&arguments) {
            return change::run_later(cx, &self.manifest, stated(&arguments));
        }
        blocking::run(&self.manifest, (cx, arguments), Leaving::Never, write)
    }
}

fn write(cx: &ToolContext, call: &Arguments) -> ToolReport {
    let target = cx.workspace.resolve(&call.path);
    let result = load(&target).and_then(|old| match old.as_ref().and_then(|file| refuse_unseen(cx, &target, file)) {
        Some(refusal) => Ok(refusal),
        None => apply(cx, &target, old.as_ref(), &plan(old.as_ref(), call)?),
    });
    result.unwrap_or_else(|error| ToolReport::failed(words(cx, &call.path, &error)))
}

/// Refuses to replace content the model does not know; says nothing of it, because only writing was allowed.
fn refuse_unseen(cx: &ToolContext, target: &Resolved, file: &TextFile) -> Option<ToolReport> {
    let why = match cx.workspace.seen(&target.absolute) {
        _ if file.text.is_empty() => return None,
        Some(hash) if hash == file.hash => return None,
        Some(_) => "has changed since it was read",
        None => "exists and has not been read in this session",
    };
    let name = target.display();
    Some(ToolReport::failed(format!(
        "`{name}` {why}; nothing was written. Read it with `read_file` first, then write it or change it with `edit_file`."
    )))
}

fn apply(cx: &ToolContext, target: &Resolved, old: Option<&TextFile>, content: &str) -> Result<ToolReport, EditError> {
    let (name, before) = (target.display(), text_of(old));
    if before == Some(content) {
        return Ok(ToolReport::ok(format!("`{name}` already has this content; nothing was changed"), "unchanged"));
    }
    let hash = match old {
        Some(file) => cx.writer.rewrite(file, content)?,
        None => cx.writer.create(&target.absolute, &one_line_name(&name), content)?,
    };
    cx.workspace.note_read(&target.absolute, &hash);
    let lines = count(content.lines().count(), "line");
    let verb = if before.is_some() { "replaced" } else { "created" };
    let mut report = ToolReport::ok(format!("{verb} `{name}` ({lines})"), format!("{verb}, {lines}"));
    report.diffs.push(file_diff(&name, before, Some(content)));
    Ok(report)
}
