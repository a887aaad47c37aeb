//! Does a model get along with the way it is told to change files?
//!
//! Each edit that a model states is counted by its dialect, and apart from it each that was not in the form of the dialect or
//! did not fit the file. A model for which a third of at least fifteen such calls of the last thirty days were slips, and at
//! least five, is offered the next simpler dialect from its next session on: the tools of a running session never change.
//! After thirty days in which it is not asked for the harder one it gets that back.

use std::collections::HashMap;
use std::path::Path;

use crate::db::error::DbError;
use crate::db::open::Db;
use crate::protocol::profile::EditDialect;
use crate::telemetry::ledger::PLAN;

/// Days that count.
const DAYS: u64 = 30;
/// Calls before which nothing is concluded.
const MIN_CALLS: u64 = 15;
/// Slips before which nothing is concluded.
const MIN_SLIPS: u64 = 5;
/// The part of the calls that may be slips: one in this many.
const MAX_PART: u64 = 3;

/// What is counted of each dialect: its calls, and those that were slips.
const NAMES: [(EditDialect, &str, &str); 6] = [
    (EditDialect::Replace, "edit_replace", "edit_replace_slip"),
    (EditDialect::MultiReplace, "edit_multi_replace", "edit_multi_replace_slip"),
    (EditDialect::Blocks, "edit_blocks", "edit_blocks_slip"),
    (EditDialect::UnifiedDiff, "edit_unified_diff", "edit_unified_diff_slip"),
    (EditDialect::Patch, "edit_patch", "edit_patch_slip"),
    (EditDialect::Whole, "edit_whole", "edit_whole_slip"),
];

/// How an edit was stated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stated {
    /// In the form of its dialect, and it fitted the file.
    Well,
    /// Not so.
    Badly,
}

/// Returns the names by which an edit is counted.
pub fn counters(dialect: EditDialect, stated: Stated) -> Vec<&'static str> {
    let rows = NAMES.iter().filter(|row| row.0 == dialect);
    rows.flat_map(|row| [Some(row.1), (stated == Stated::Badly).then_some(row.2)].into_iter().flatten()).collect()
}

/// Which dialects which models do not get along with, as it was when the session began.
#[derive(Debug, Clone, Default)]
pub struct Habits {
    /// Calls and slips of a model in a dialect.
    counts: HashMap<(String, EditDialect), (u64, u64)>,
    /// The dialect of every model, whatever was counted.
    certain: Option<EditDialect>,
}

impl Habits {
    /// Reads what was counted; nothing where there is no ledger, or none that can be read.
    pub fn read(path: &Path) -> Self {
        // Missing counts only mean that a model is offered what its family is known for.
        if path.exists() { Self::try_read(path).unwrap_or_default() } else { Self::default() }
    }

    fn try_read(path: &Path) -> Result<Self, DbError> {
        let sql = "SELECT model, name, sum(n) FROM counter
                   WHERE day >= date('now', 'localtime', ?1) AND name LIKE 'edit\\_%' ESCAPE '\\'
                   GROUP BY model, name";
        let since = format!("-{DAYS} days");
        let mut db = Db::open_to_read(path, PLAN)?;
        let rows = db.read(|work| {
            work.rows(sql, &[since.as_str().into()], |row| Ok((row.text(0)?, row.text(1)?, row.count(2)?)))
        })?;
        let mut counts: HashMap<(String, EditDialect), (u64, u64)> = HashMap::new();
        for (model, name, n) in rows {
            for (dialect, calls, slips) in NAMES {
                let count = counts.entry((model.clone(), dialect)).or_default();
                count.0 += if name == calls { n } else { 0 };
                count.1 += if name == slips { n } else { 0 };
            }
        }
        Ok(Self { counts, certain: None })
    }

    /// Knows that every model is offered this one: where a recorded run is played, which dialect it was is a fact.
    pub fn certain(dialect: EditDialect) -> Self {
        Self { counts: HashMap::new(), certain: Some(dialect) }
    }

    /// Returns the dialect to offer a model that would be offered `dialect`.
    pub fn offered(&self, model: &str, dialect: EditDialect) -> EditDialect {
        if let Some(certain) = self.certain {
            return certain;
        }
        let (calls, slips) = self.counts.get(&(model.to_owned(), dialect)).copied().unwrap_or_default();
        let is_bad = calls >= MIN_CALLS && slips >= MIN_SLIPS && slips * MAX_PART >= calls;
        match dialect.simpler() {
            Some(simpler) if is_bad => self.offered(model, simpler),
            _ => dialect,
        }
    }
}
