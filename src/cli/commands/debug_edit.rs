//! How can an outside test suite drive the edit engine alone?
//!
//! `mimi debug edit` makes a change in files that come and go as JSON; a call may be written in any form that the engine
//! understands. `mimi debug apply-patch` does to the current folder what the V4A format's own program does, half-done work
//! included.

use std::io::Read as _;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::base::fault::{Fault, Kind};
use crate::cli::output::Out;
use crate::edit::trial::{self, Files};
use crate::edit::v4a;
use crate::tools::refusal::plain_words;

/// A line for `mimi debug edit`.
#[derive(Debug, Deserialize)]
struct Case {
    #[serde(default)]
    files: Files,
    call: Value,
}

/// Answers one line.
///
/// # Errors
/// The line is no case; why.
pub fn answer(line: &str) -> Result<Value, String> {
    let case: Case = serde_json::from_str(line).map_err(|error| error.to_string())?;
    let mut files = case.files;
    let made = trial::stated(&case.call).and_then(|set| trial::apply(&mut files, &set));
    made.map(|_| json!({ "files": files })).map_err(|error| plain_words(&error))
}

/// Applies the patch on standard input.
pub fn apply_patch(out: &Out) -> Result<(), Fault> {
    let mut bytes = Vec::new();
    std::io::stdin()
        .lock()
        .read_to_end(&mut bytes)
        .map_err(|error| Fault::io(Kind::Task, "cannot read standard input", &error))?;
    let folder = std::env::current_dir()
        .and_then(|folder| folder.canonicalize())
        .map_err(|error| Fault::io(Kind::Task, "cannot find the current folder", &error))?;
    match v4a::apply(&folder, &String::from_utf8_lossy(&bytes)) {
        Ok(said) => out.text(&said),
        // The words of the format's program, as it prints them, for suites that compare them.
        Err(words) => {
            out.note(words);
            std::process::exit(i32::from(Kind::Task.exit_code()))
        }
    }
}
