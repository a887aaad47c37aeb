//! What did one request to a model cost, besides the words?

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::protocol::message::Usage;
use crate::protocol::task::{Class, Task};

/// How one answer came about. Times are measured here, except where the server told them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Stats {
    /// From sending until the first piece of the answer; none when nothing came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_token_ms: Option<u64>,
    /// From sending until the end, waits before repetitions included.
    #[serde(default)]
    pub total_ms: u64,
    /// In the server's queue, where it says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue_ms: Option<u64>,
    /// Reading the prompt, where the server says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefill_ms: Option<u64>,
    /// Writing the answer: told by the server, else from the first piece to the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decode_ms: Option<u64>,
    /// Times the request was sent again.
    #[serde(default)]
    pub retries: u32,
    /// Calls found in the words of the answer, counted by what was wrong with them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub recovered: BTreeMap<String, u32>,
}

/// One request as the usage ledger keeps it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RequestRecord {
    /// When it was sent, in milliseconds since 1970.
    pub at_ms: u64,
    /// The provider's name.
    pub provider: String,
    /// The model's name on that server.
    pub model: String,
    /// What it was for.
    pub task: Task,
    /// Who waited.
    pub class: Class,
    /// Token counts as the server reported them.
    pub usage: Usage,
    /// Times and repairs.
    pub stats: Stats,
    /// Whether an answer came.
    pub is_answered: bool,
}
