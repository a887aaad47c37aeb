//! What can a model on its server really do, as `mimi doctor` measured it?

use serde::{Deserialize, Serialize};

/// How a thing that was tried came out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Support {
    /// Not tried, or without a clear result.
    #[default]
    Unknown,
    /// It works.
    Yes,
    /// It works because mimi repairs what arrives.
    Repaired,
    /// It does not work.
    No,
}

/// How a model is best told to change files.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EditDialect {
    /// By the old and the new text of one place.
    #[default]
    Replace,
    /// By the old and the new text of several places of a file.
    MultiReplace,
    /// By blocks of lines to search for and lines that replace them.
    Blocks,
    /// By a unified diff.
    UnifiedDiff,
    /// By a patch in the V4A format (`*** Begin Patch`).
    Patch,
    /// By the whole new text of the file.
    Whole,
}

impl EditDialect {
    /// Every dialect.
    pub const ALL: [Self; 6] =
        [Self::Replace, Self::MultiReplace, Self::Blocks, Self::UnifiedDiff, Self::Patch, Self::Whole];

    /// Returns the dialect to fall back on for a model that does not get along with this one; none below the simplest.
    ///
    /// All that name several places fall back on naming one, which most models write best; below that only the whole file is left.
    pub fn simpler(self) -> Option<Self> {
        match self {
            Self::MultiReplace | Self::Blocks | Self::UnifiedDiff | Self::Patch => Some(Self::Replace),
            Self::Replace => Some(Self::Whole),
            Self::Whole => None,
        }
    }
}

/// What was measured about one model on one server.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    /// When, in milliseconds since 1970.
    pub measured_at_ms: u64,
    /// The server's version at that time, where it says one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_version: Option<String>,
    /// A tool call in an answer that arrives in pieces.
    pub streamed_call: Support,
    /// A tool call in an answer that arrives whole.
    pub whole_call: Support,
    /// Two tool calls in one answer.
    pub two_calls: Support,
    /// `tool_choice: required` or its like.
    pub tool_choice: Support,
    /// An answer held to a JSON schema.
    pub answer_schema: Support,
    /// Completing code at a cursor.
    pub fill: Support,
    /// Tools the model may be offered at once; none when it coped with all that were tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_tools: Option<usize>,
    /// How it changes files best; none where that was not found out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edit_dialect: Option<EditDialect>,
    /// Length of the vectors of the model for embeddings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub embedding_dimensions: Option<usize>,
    /// Share of a repeated prompt that came from the server's cache, 0 to 1; none where the server does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reused_share: Option<f64>,
}
