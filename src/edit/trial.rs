//! What would a change make of files that are only in memory?
//!
//! For outside test suites and tables of cases: the engine with nothing around it. Every file counts as read. Must not touch
//! the disk.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use serde_json::Value;

use crate::base::text::one_line_name;
use crate::edit::EditError;
use crate::edit::change::{ChangeSet, FileChange, What};
use crate::edit::misstated::Misstated;
use crate::edit::parse::call::stated_in;
use crate::edit::parse::heredoc::{self, Command};
use crate::edit::plan::{Next, check_names, plan};

/// A byte-order mark, which is no part of the text.
const MARK: char = '\u{feff}';

/// Files by their paths.
pub type Files = BTreeMap<String, String>;

/// Reads the change that a call states: a tool's name and arguments in one of a server's forms, arguments alone, text, or a
/// shell command that is nothing but a patch.
pub fn stated(call: &Value) -> Result<ChangeSet, EditError> {
    let arguments = arguments(call);
    let command = arguments.get("command").or_else(|| arguments.get("cmd")).and_then(command_text);
    match command.as_deref().and_then(heredoc::patch_in) {
        Some(Command::Patch { folder, text }) => {
            let mut set = stated_in(&Value::String(text))?;
            if let Some(folder) = folder {
                set.put_below(&folder);
            }
            Ok(set)
        }
        _ => stated_in(&arguments),
    }
}

/// Returns a command that is written as text, or as a list of words.
fn command_text(command: &Value) -> Option<String> {
    command.as_str().map(str::to_owned).or_else(|| command.is_array().then(|| command.to_string()))
}

/// Finds the arguments in a call.
fn arguments(call: &Value) -> Value {
    let call = call.get("function").filter(|function| function.is_object()).unwrap_or(call);
    let has_name = ["name", "tool", "tool_name"].iter().any(|key| call.get(key).is_some_and(Value::is_string));
    let inner = ["arguments", "args", "parameters", "params", "input"].iter().find_map(|key| call.get(key));
    match inner.filter(|_| has_name) {
        // Arguments as servers send them: JSON in a string.
        Some(Value::String(text)) => serde_json::from_str::<Value>(text)
            .ok()
            .filter(Value::is_object)
            .unwrap_or_else(|| Value::String(text.clone())),
        Some(inner) => inner.clone(),
        None => call.clone(),
    }
}

/// Makes a change in `files`, all of it or, on an error, nothing. Returns what became of each file of the change.
pub fn apply(files: &mut Files, set: &ChangeSet) -> Result<Vec<Next>, EditError> {
    check_names(&set.files, clean)?;
    let mut after = files.clone();
    let mut outcomes = Vec::new();
    for change in &set.files {
        let path = inside(&change.path)?;
        outcomes.push(apply_one(files, &mut after, &path, change)?);
    }
    *files = after;
    Ok(outcomes)
}

fn apply_one(files: &Files, after: &mut Files, path: &str, change: &FileChange) -> Result<Next, EditError> {
    check_free(files, path)?;
    let before = files.get(path);
    let (mark, text) = match before.and_then(|text| text.strip_prefix(MARK)) {
        Some(text) => (MARK.to_string(), Some(text)),
        None => (String::new(), before.map(String::as_str)),
    };
    let next = plan(change, text)?;
    let target = match &change.what {
        What::Move { to, .. } => {
            let to = inside(to)?;
            check_free(files, &to)?;
            if files.contains_key(&to) {
                return Err(Misstated::Exists { name: one_line_name(&to).into_owned() }.into());
            }
            after.remove(path);
            to
        }
        _ => path.to_owned(),
    };
    match &next {
        Next::Text { text, .. } => drop(after.insert(target, format!("{mark}{text}"))),
        Next::Gone => drop(after.remove(path)),
        Next::Same { .. } => {}
    }
    Ok(next)
}

/// Fails where a folder is, and below what is a file.
fn check_free(files: &Files, path: &str) -> Result<(), EditError> {
    let below = format!("{path}/");
    if files.keys().any(|other| other.starts_with(&below)) {
        return Err(EditError::NotAFile { name: one_line_name(path).into_owned(), kind: "a folder" });
    }
    let mut above = Path::new(path).ancestors().skip(1).filter_map(Path::to_str);
    match above.find(|above| files.contains_key(*above)) {
        Some(above) => Err(EditError::BelowAFile { above: one_line_name(above).into_owned() }),
        None => Ok(()),
    }
}

/// Reads `.` and `..` by text alone, as far as they do not lead out.
fn clean(path: &str) -> String {
    let mut out = PathBuf::new();
    for part in Path::new(path).components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if out.file_name().is_some_and(|name| name != "..") => drop(out.pop()),
            other => out.push(other),
        }
    }
    out.to_string_lossy().into_owned()
}

fn inside(path: &str) -> Result<String, EditError> {
    let clean = clean(path);
    if clean.starts_with('/') || clean == ".." || clean.starts_with("../") || clean.is_empty() {
        return Err(Misstated::Outside { name: one_line_name(path).into_owned() }.into());
    }
    Ok(clean)
}
