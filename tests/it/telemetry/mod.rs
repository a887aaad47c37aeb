//! Is what requests took kept, added up and priced right, whatever happens to the file?

mod ledger;
mod report;

use std::collections::BTreeMap;
use std::path::Path;

use mimi::protocol::message::Usage;
use mimi::protocol::task::{Class, Task};
use mimi::protocol::usage::{RequestRecord, Stats};
use mimi::telemetry::ledger::{Ledger, Place};

/// Noon of a day, in UTC.
pub(crate) const NOON_MS: u64 = 1_767_268_800_000;

pub(crate) fn ledger(path: &Path, project: &str) -> Ledger {
    Ledger::new(Place { path: path.to_path_buf(), project: project.to_owned(), keep_days: 0 })
}

/// One answered request of a thousand tokens read, nine hundred of them cached, and fifty written in half a second.
pub(crate) fn record(at_ms: u64, model: &str) -> RequestRecord {
    RequestRecord {
        at_ms,
        provider: "dgx".to_owned(),
        model: model.to_owned(),
        task: Task::Chat,
        class: Class::Interactive,
        usage: Usage { input_tokens: 1000, output_tokens: 50, cached_tokens: 900 },
        stats: Stats { first_token_ms: Some(200), total_ms: 700, decode_ms: Some(500), ..Stats::default() },
        is_answered: true,
    }
}

pub(crate) fn recovering(record: RequestRecord, kinds: &[(&str, u32)]) -> RequestRecord {
    let recovered: BTreeMap<String, u32> = kinds.iter().map(|(kind, n)| ((*kind).to_owned(), *n)).collect();
    RequestRecord { stats: Stats { recovered, ..record.stats }, ..record }
}
