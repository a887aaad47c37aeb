//! What is said to the model when a file cannot be read or changed?
//!
//! The error says what is wrong; here it is told what would work, in terms of the tools it has.

use crate::base::fault::Explain as _;
use crate::edit::excerpt::Excerpt;
use crate::edit::misstated::Misstated;
use crate::edit::{EditError, chain};
use crate::protocol::profile::EditDialect;
use crate::tools::ToolContext;
use crate::tools::bad_call::BadCall;
use crate::tools::target::missing;

/// Line numbers named for text that is in many places.
const MAX_PLACES: usize = 20;

/// Words `error`, met on the file the model called `given`.
pub fn words(cx: &ToolContext, given: &str, error: &EditError) -> String {
    match error {
        EditError::Missing { .. } => missing(&cx.workspace, given),
        other => plain_words(other),
    }
}

/// Turns `error`, met while an edit was worked out that a model states in `dialect`, into what the call is answered.
pub fn bad_edit(cx: &ToolContext, given: &str, dialect: EditDialect, error: &EditError) -> BadCall {
    let words = words(cx, given, error);
    if is_slip(error) { BadCall::Unfit { dialect, words } } else { BadCall::Impossible(words) }
}

/// Says whether an error is about the dialect: a text that was not copied well, or not in its form. What is wrong with the
/// file or its name would be wrong in every dialect.
pub fn is_slip(error: &EditError) -> bool {
    match error {
        EditError::InPart { source, .. } => is_slip(source),
        EditError::NoMatch { .. }
        | EditError::Ambiguous { .. }
        | EditError::EmptyOld
        | EditError::Same
        | EditError::Elided { .. }
        | EditError::Shrunk { .. } => true,
        EditError::Misstated(why) => !matches!(
            why,
            Misstated::Name { .. } | Misstated::Exists { .. } | Misstated::CaseOnly { .. } | Misstated::Outside { .. }
        ),
        _ => false,
    }
}

/// Words `error` for a model, without looking at the workspace.
pub fn plain_words(error: &EditError) -> String {
    let what = chain(error);
    match error {
        EditError::InPart { source, .. } => format!("{error}: {}. None of the changes was made", plain_words(source)),
        EditError::Misstated(why) => misstated(why),
        EditError::NotAFile { kind: "a folder", .. } => format!("{what}; list it with `list_files`"),
        EditError::Redirected { .. } => format!("{what}; name the file it leads to"),
        EditError::Changed { .. } => format!("{what}; read it again with `read_file`"),
        EditError::EmptyOld => format!("{what}; give the text to replace, or use `write_file` for the whole file"),
        EditError::Same => format!("{what}, so nothing would change; give the text as it should become"),
        EditError::NoMatch { nearest, new_at } => no_match(&what, nearest.as_ref(), *new_at),
        EditError::Ambiguous { lines } => {
            format!("{what}, at lines {}; add lines around it until it is unique, or set replace_all", listed(lines))
        }
        EditError::Binary { .. } => format!("{what}; change it with a program, using `shell`"),
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

fn no_match(what: &str, nearest: Option<&Excerpt>, new_at: Option<usize>) -> String {
    let new = new_at.map_or_else(String::new, |line| format!(", but the new text is, at line {line}"));
    match nearest {
        Some(lines) => {
            format!(
                "{what}{new}. The nearest lines are:\n{lines}Copy the old text from them exactly, without line numbers."
            )
        }
        None => format!("{what}{new}, nor anything like it; read the file again"),
    }
}

fn listed(lines: &[usize]) -> String {
    let places: Vec<String> = lines.iter().take(MAX_PLACES).map(ToString::to_string).collect();
    let more = if lines.len() > MAX_PLACES { ", ..." } else { "" };
    format!("{}{more}", places.join(", "))
}

/// Words what is wrong with the way a change is stated.
fn misstated(why: &Misstated) -> String {
    let way = match why {
        Misstated::Form { .. } => "correct that line and send the whole change again".to_owned(),
        Misstated::Unknown => {
            "give path, old_string and new_string, or a patch, a unified diff or SEARCH/REPLACE blocks".to_owned()
        }
        Misstated::Nothing => "name a file and what changes in it".to_owned(),
        Misstated::Name { .. } => "give a path on one line, relative to the project".to_owned(),
        Misstated::Twice { .. } => "put all changes of a file in one place".to_owned(),
        Misstated::Overlap { .. } => "join them into one".to_owned(),
        Misstated::Exists { .. } => "change it instead, or choose another name, or remove it first".to_owned(),
        Misstated::CaseOnly { from, to } => {
            format!("on some systems that is one file; rename it with `shell`: git mv -f '{from}' '{to}'")
        }
        Misstated::NoAnchor { nearest, .. } => match nearest {
            Some(lines) => format!("the nearest lines are:\n{lines}Copy the line exactly, or leave it out"),
            None => "copy a line from above the place exactly, or leave it out".to_owned(),
        },
        Misstated::AboveAnchor { .. } => "name a line above the text after `@@`, or leave it out".to_owned(),
        Misstated::NoContext => "add a line of the file before or after them".to_owned(),
        Misstated::OtherContent { .. } => "read it again, or delete it without giving its content".to_owned(),
        Misstated::Outside { .. } => "give a path inside it".to_owned(),
    };
    format!("{why}; {way}")
}
