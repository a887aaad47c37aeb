//! What change do the arguments of a call state, whichever tool they are for?
//!
//! Models use the names of other agents' tools, and put a patch where another tool takes it. Only what has one meaning is
//! read: text for text, several of them, a whole file, or a text in a dialect.

use serde_json::{Map, Value};

use crate::edit::EditError;
use crate::edit::change::{ChangeSet, FileChange, Replacement, What};
use crate::edit::misstated::Misstated;
use crate::edit::parse::{is_stated, stated};
use crate::edit::replace::Extent;
use crate::protocol::profile::EditDialect;

/// Names of arguments that mean the same, folded: lower case, without separators.
const PATH: &[&str] = &["path", "filepath", "filename", "file", "targetfile", "relativepath", "absolutepath"];
const OLD: &[&str] = &["oldstring", "oldstr", "oldtext", "old", "search", "find", "original", "oldcontent"];
const NEW: &[&str] = &["newstring", "newstr", "newtext", "new", "replace", "replacement", "updated", "newcontent"];
const ALL: &[&str] = &["replaceall", "all", "replaceeveryoccurrence"];
const EDITS: &[&str] = &["edits", "changes", "replacements", "operations", "files"];
const CONTENT: &[&str] = &["content", "contents", "filetext", "filecontent", "filecontents", "text"];
/// Names under which nothing but a dialect is given.
const TEXT: &[&str] = &["patch", "diff", "blocks", "patchtext", "udiff"];
/// Names under which a dialect may be given, and other things.
const MAYBE_TEXT: &[&str] = &["input", "text", "block", "changes", "edits"];
/// Files whose content may itself be a patch.
const PATCH_FILES: [&str; 5] = [".patch", ".diff", ".md", ".txt", ".rej"];

/// Reads the change that a call states.
///
/// # Errors
/// [`Misstated`] when the arguments state none, or one in the wrong form.
pub fn stated_in(arguments: &Value) -> Result<ChangeSet, EditError> {
    match arguments {
        Value::String(text) => stated(text, None),
        Value::Array(items) => several(items, None),
        Value::Object(fields) => stated_by(fields),
        _ => Err(Misstated::Unknown.into()),
    }
}

/// Says whether arguments hold a change in a dialect of its own, beside or instead of what the tool takes.
pub fn has_dialect(arguments: &Value) -> bool {
    let Some(fields) = arguments.as_object() else { return arguments.is_string() || arguments.is_array() };
    let edits = get(fields, EDITS)
        .is_some_and(|edits| edits.is_array() || edits.as_str().is_some_and(|text| list(text).is_some()));
    let content = text(fields, CONTENT).filter(|content| is_patch_content(text(fields, PATH), content));
    edits || content.is_some() || dialect_text(fields).is_some()
}

fn stated_by(fields: &Map<String, Value>) -> Result<ChangeSet, EditError> {
    let path = text(fields, PATH);
    if let Some(items) = get(fields, EDITS).and_then(items) {
        return several(&items, path);
    }
    if let Some(said) = dialect_text(fields) {
        return stated(said, path);
    }
    let Some(path) = path else { return Err(Misstated::Unknown.into()) };
    if let Some(content) = text(fields, CONTENT) {
        return match is_patch_content(Some(path), content) {
            true => stated(content, Some(path)),
            false => Ok(whole(vec![FileChange { path: path.to_owned(), what: What::Write(content.to_owned()) }])),
        };
    }
    let edit = replacement(fields).ok_or(Misstated::Unknown)?;
    let files = vec![FileChange { path: path.to_owned(), what: What::Edit(vec![edit]) }];
    Ok(ChangeSet { dialect: EditDialect::Replace, files })
}

/// Returns the text of a dialect among the arguments: under a name for one, or where the new text should be.
fn dialect_text(fields: &Map<String, Value>) -> Option<&str> {
    let old = text(fields, OLD).unwrap_or_default();
    let misplaced = || text(fields, NEW).filter(|new| old.is_empty() && is_stated(new));
    let has_old = fields.keys().any(|key| is_among(key, OLD));
    let named = text(fields, TEXT).or_else(|| text(fields, MAYBE_TEXT).filter(|text| is_stated(text)));
    named.filter(|_| !has_old).or_else(misplaced)
}

/// Says whether what is to be the content of a file is really a patch to be applied.
fn is_patch_content(path: Option<&str>, content: &str) -> bool {
    let start = content.trim_start();
    let is_whole = start.starts_with("*** Begin Patch") || start.starts_with("<<<<<<< SEARCH");
    is_whole && path.is_none_or(|path| !PATCH_FILES.iter().any(|ending| path.ends_with(ending)))
}

fn whole(files: Vec<FileChange>) -> ChangeSet {
    ChangeSet { dialect: EditDialect::Whole, files }
}

/// Reads a list of changes; those of one file are put together.
fn several(items: &[Value], path: Option<&str>) -> Result<ChangeSet, EditError> {
    let mut files: Vec<FileChange> = Vec::new();
    for item in items {
        let fields = item.as_object().ok_or(Misstated::Unknown)?;
        let path = text(fields, PATH).or(path).ok_or(Misstated::Unknown)?;
        let what = match (replacement(fields), text(fields, CONTENT)) {
            (Some(edit), _) => What::Edit(vec![edit]),
            (None, Some(content)) => What::Write(content.to_owned()),
            (None, None) => return Err(Misstated::Unknown.into()),
        };
        let known = files.iter_mut().find(|file| file.path == path).map(|file| &mut file.what);
        match (known, what) {
            (Some(What::Edit(edits)), What::Edit(more)) => edits.extend(more),
            (_, what) => files.push(FileChange { path: path.to_owned(), what }),
        }
    }
    if files.is_empty() {
        return Err(Misstated::Nothing.into());
    }
    if files.iter().all(|file| matches!(file.what, What::Write(_))) {
        return Ok(whole(files));
    }
    Ok(ChangeSet { dialect: EditDialect::MultiReplace, files })
}

fn replacement(fields: &Map<String, Value>) -> Option<Replacement> {
    let (old, new) = (text(fields, OLD)?, text(fields, NEW)?);
    let is_all = get(fields, ALL).is_some_and(|all| match all {
        Value::String(word) => matches!(word.trim().to_lowercase().as_str(), "true" | "yes" | "1"),
        other => other.as_bool().unwrap_or(other.as_i64() == Some(1)),
    });
    let extent = if is_all { Extent::All } else { Extent::One };
    Some(Replacement { extent, ..Replacement::text(old, new) })
}

/// Reads a list that was given as such or as text.
fn items(value: &Value) -> Option<Vec<Value>> {
    match value {
        Value::Array(items) => Some(items.clone()),
        Value::Object(_) => Some(vec![value.clone()]),
        Value::String(text) => list(text),
        _ => None,
    }
}

fn list(text: &str) -> Option<Vec<Value>> {
    serde_json::from_str(text).ok()
}

fn text<'a>(fields: &'a Map<String, Value>, names: &[&str]) -> Option<&'a str> {
    let keys = fields.iter().filter(|(key, value)| is_among(key, names) && value.is_string());
    keys.map(|(_, value)| value).next().and_then(Value::as_str)
}

fn get<'a>(fields: &'a Map<String, Value>, names: &[&str]) -> Option<&'a Value> {
    fields.iter().find(|(key, _)| is_among(key, names)).map(|(_, value)| value)
}

fn is_among(key: &str, names: &[&str]) -> bool {
    let folded: String = key.chars().filter(|c| !matches!(c, '_' | '-' | ' ')).flat_map(char::to_lowercase).collect();
    names.contains(&folded.as_str())
}
