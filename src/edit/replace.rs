//! How is one piece of text exchanged for another, in exactly the place that was meant?
//!
//! The old text must be in the file once: character for character, or as [`locate`] finds it. Must not guess: several
//! places, no place and a change that is already there are answers of their own.

use crate::edit::EditError;
use crate::edit::change::Replacement;
use crate::edit::line_ends::LfView;
use crate::edit::locate::Rung;
use crate::edit::seek::{Scope, Sought, seek, splice};

/// How many places are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// The only one; more are an error.
    One,
    /// Every one.
    All,
}

/// What came of a replacement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Replaced {
    /// The text changed.
    Changed {
        /// The whole new text.
        text: String,
        /// The line each change starts at in the old text, counted from 1.
        lines: Vec<usize>,
        /// What had to be forgiven to find the place.
        rung: Rung,
    },
    /// The text is already as it should become.
    AlreadyApplied {
        /// The line the new text starts at, counted from 1.
        line: usize,
    },
}

/// Exchanges `old` for `new` in `text`; both may have line feeds where the text has CRLF.
pub fn replace(text: &str, old: &str, new: &str, extent: Extent) -> Result<Replaced, EditError> {
    replace_one(text, &Replacement { extent, ..Replacement::text(old, new) })
}

/// Makes one replacement in `text`.
pub fn replace_one(text: &str, wanted: &Replacement) -> Result<Replaced, EditError> {
    let view = LfView::new(text);
    Ok(match seek(&view, wanted, Scope::default())? {
        Sought::Applied { line } => Replaced::AlreadyApplied { line },
        Sought::Found { spans, rung } => {
            let (text, lines) = splice(text, &view, &spans);
            Replaced::Changed { text, lines, rung }
        }
    })
}
