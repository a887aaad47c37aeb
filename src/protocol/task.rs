//! What is a model being asked to do? Each task may have a model of its own.

use serde::{Deserialize, Serialize};

/// A kind of work that `routes` in the configuration maps to a provider and a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// Talking with a person.
    Chat,
    /// Turning a failing check green.
    Fix,
    /// Planning without acting.
    Plan,
    /// Judging a change.
    Review,
    /// Summarising a long conversation.
    Compact,
    /// Naming a session.
    Title,
    /// Wording a commit message.
    Commit,
    /// Completing code at a cursor.
    Fim,
    /// Turning text into vectors.
    Embed,
    /// Looking at images.
    Vision,
}

impl Task {
    /// Every task, in the order of the configuration file.
    pub const ALL: [Self; 10] = [
        Self::Chat,
        Self::Fix,
        Self::Plan,
        Self::Review,
        Self::Compact,
        Self::Title,
        Self::Commit,
        Self::Fim,
        Self::Embed,
        Self::Vision,
    ];

    /// Returns the name used in configuration files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Fix => "fix",
            Self::Plan => "plan",
            Self::Review => "review",
            Self::Compact => "compact",
            Self::Title => "title",
            Self::Commit => "commit",
            Self::Fim => "fim",
            Self::Embed => "embed",
            Self::Vision => "vision",
        }
    }
}

/// Whose turn it is when a server is busy: who waits for an answer comes before what nobody watches.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// A person waits.
    #[default]
    Interactive,
    /// A script waits.
    Ci,
    /// Nobody waits: indexing, titles.
    Background,
}

impl Class {
    /// Returns the name used in files and tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Interactive => "interactive",
            Self::Ci => "ci",
            Self::Background => "background",
        }
    }
}
