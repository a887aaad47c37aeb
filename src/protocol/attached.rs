//! What goes along with the words of a person?
//!
//! Files, parts of files, changes, sessions and images they mentioned, and what a command printed that they ran themselves.
//! Found when the words are sent, part of the conversation from then on.

use serde::{Deserialize, Serialize};

use crate::protocol::message::Image;

/// One thing that goes along.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attached {
    /// What it is, for the person: `src/a.rs, 120 lines`.
    pub label: String,
    /// What the model reads, labelled and capped.
    pub text: String,
    /// What the model sees.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<Image>,
}
