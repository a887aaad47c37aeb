//! What is said to the model when a file cannot be read or changed?
//!
//! The error says what is wrong; here it is told what would work, in terms of the tools it has.

use crate::base::fault::Explain as _;
use crate::edit::{EditError, chain};
use crate::tools::ToolContext;
use crate::tools::target::missing;

/// Line numbers named for text that is in many places.
const MAX_PLACES: usize = 20;

/// Words `error`, met on the file the model called `given`.
pub fn words(cx: &ToolContext, given: &str, error: &EditError) -> String {
    let what = chain(error);
    match error {
        EditError::Missing { .. } => missing(&cx.workspace, given),
        EditError::NotAFile { kind: "a folder", .. } => format!("{what}; list it with `list_files`"),
        EditError::Redirected { .. } => format!("{what}; name the file it leads to"),
        EditError::Changed { .. } => format!("{what}; read it again with `read_file`"),
        EditError::EmptyOld => format!("{what}; give the text to replace, or use `write_file` for the whole file"),
        EditError::NoMatch { nearest: Some(lines) } => {
            format!("{what}. The nearest lines are:\n{lines}Copy old_string from them exactly, without line numbers.")
        }
        EditError::NoMatch { nearest: None } => format!("{what}, nor anything like it; read the file again"),
        EditError::Ambiguous { lines } => {
            let places: Vec<String> = lines.iter().take(MAX_PLACES).map(ToString::to_string).collect();
            let more = if lines.len() > MAX_PLACES { ", ..." } else { "" };
            format!(
                "{what}, at lines {}{more}; add lines around it until it is unique, or set replace_all",
                places.join(", ")
            )
        }
        EditError::Elided { .. } => format!(
            "{what}. Nothing was written, because that code would be lost; write the complete content, or change the parts with \
             `edit_file`"
        ),
        EditError::Shrunk { .. } => format!(
            "{what}. Nothing was written, because code seems to be missing; write the complete content, or remove code on purpose \
             with `edit_file`"
        ),
        _ => match error.hints().first() {
            Some(hint) => format!("{what}; with `shell`: {hint}"),
            None => what,
        },
    }
}
