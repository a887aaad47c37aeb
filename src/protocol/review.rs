//! What does a person say to the pieces of a change?
//!
//! Pieces nobody speaks of are taken: saying nothing approves the change as it is.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// What is said to one hunk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HunkAnswer {
    /// The file, as [`crate::protocol::diff::FileDiff::path`] names it.
    pub path: String,
    /// The hunk, by its id.
    pub hunk: String,
    /// What becomes of it.
    #[serde(flatten)]
    pub ruling: Ruling,
}

/// What becomes of a hunk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ruling", rename_all = "snake_case")]
pub enum Ruling {
    /// It is made.
    Take,
    /// It is not made.
    Leave {
        /// Why, for the model.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        why: Option<String>,
    },
    /// Something else is made of its place.
    Edit {
        /// What stands there instead of the new lines of the hunk, its context included; line ends as the file has them.
        text: String,
    },
}

/// What a call would make of one file, in full: what is judged when a change is approved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// The file as the user and the model know it.
    pub name: String,
    /// Absolute path, links followed.
    pub path: PathBuf,
    /// Its name before, when the call renames it.
    pub from: Option<String>,
    /// Its text before; none when there is no file.
    pub before: Option<String>,
    /// Its text after; none when the call removes it.
    pub after: Option<String>,
}
