//! How much was used, added up by day, model, task or project?
//!
//! Reads the ledger and nothing else. Days are those of this machine's time zone.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;

use crate::db::error::DbError;
use crate::db::open::Db;
use crate::db::work::{Row, RowResult, Value, Work};
use crate::telemetry::ledger::PLAN;
use crate::telemetry::price::{Prices, Used};

/// What rows are added up by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// The day it was asked on.
    Day,
    /// The model, with its provider.
    Model,
    /// What it was for.
    Task,
    /// The folder worked in.
    Project,
}

impl By {
    /// Returns the word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Model => "model",
            Self::Task => "task",
            Self::Project => "project",
        }
    }

    fn column(self) -> &'static str {
        match self {
            Self::Day => "date(at_ms / 1000, 'unixepoch', 'localtime')",
            Self::Model => "provider || '/' || model",
            Self::Task => "task",
            Self::Project => "project",
        }
    }
}

/// From when on requests count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Since {
    /// From the first.
    Ever,
    /// From this time on, in milliseconds since 1970.
    Time(u64),
    /// From the beginning of this day on, written `2026-01-31`.
    Day(String),
}

/// The sum of some requests.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Sum {
    /// The day, model, task or project.
    pub key: String,
    /// Requests.
    pub requests: u64,
    /// Of those, answered ones.
    pub answered: u64,
    /// Tokens read.
    pub input_tokens: u64,
    /// Of those, tokens the server had in its prefix cache.
    pub cached_tokens: u64,
    /// Tokens written.
    pub output_tokens: u64,
    /// Mean time to the first piece of an answer; none when nothing came.
    pub first_token_ms: Option<u64>,
    /// Mean time in the server's queue; none when no server told.
    pub queue_ms: Option<u64>,
    /// Mean time the server read the prompt; none when no server told.
    pub prefill_ms: Option<u64>,
    /// Tokens written a second, over the requests that wrote any.
    pub tokens_per_second: Option<f64>,
    /// Times requests were sent again.
    pub retries: u64,
    /// Calls found in the words of answers, by what was wrong with them.
    pub recovered: BTreeMap<String, u64>,
    /// What it cost, as far as there are prices; none without any.
    pub cost: Option<f64>,
}

/// What was used, row by row, with the sum of all.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Report {
    /// The rows: days in their order, all else by tokens, most first.
    pub rows: Vec<Sum>,
    /// The sum of all rows; its key is empty.
    pub total: Sum,
    /// Models that were used and have no price, when others have one.
    pub without_price: Vec<String>,
    /// What the user should know about how the ledger was opened.
    pub note: Option<String>,
}

/// Adds up the requests of a ledger. No file is an empty one.
///
/// # Errors
/// The ledger cannot be opened or read, or a newer mimi wrote it.
pub fn read(path: &Path, by: By, since: &Since, prices: &Prices) -> Result<Report, DbError> {
    if !path.exists() {
        return Ok(Report::default());
    }
    let mut db = open(path)?;
    let note = db.take_note();
    let (parts, recovered) =
        db.read(|work| Ok::<_, DbError>((parts(work, by, since)?, recovered(work, by, since)?)))?;
    let mut report = Adder::new(prices).add_up(&parts, &recovered);
    if by != By::Day {
        report.rows.sort_by_key(|row| std::cmp::Reverse(row.input_tokens + row.output_tokens));
    }
    Ok(Report { note, ..report })
}

/// Opens it as usual, so that an older one is brought up to date; where nothing can be written, only to read.
fn open(path: &Path) -> Result<Db, DbError> {
    match Db::open(path, PLAN) {
        Err(error @ (DbError::Newer { .. } | DbError::Corrupt { .. })) => Err(error),
        Err(error) => Db::open_to_read(path, PLAN).map_err(|_| error),
        opened => opened,
    }
}

/// Requests of one key and one model: what has one price.
#[derive(Debug, Default)]
struct Part {
    key: String,
    provider: String,
    model: String,
    requests: u64,
    answered: u64,
    used: Used,
    first_token: Mean,
    queue: Mean,
    prefill: Mean,
    written: u64,
    writing_ms: u64,
    retries: u64,
}

/// A sum and of how many.
#[derive(Debug, Clone, Copy, Default)]
struct Mean {
    sum: u64,
    n: u64,
}

impl Mean {
    fn add(&mut self, other: Self) {
        self.sum += other.sum;
        self.n += other.n;
    }

    fn value(self) -> Option<u64> {
        self.sum.checked_div(self.n)
    }
}

/// Returns the condition for `since` and its value.
fn condition(since: &Since) -> (&'static str, Value<'_>) {
    match since {
        Since::Ever => ("?1 IS NULL", Value::Null),
        Since::Time(at_ms) => ("at_ms >= ?1", (*at_ms).into()),
        Since::Day(day) => ("at_ms >= unixepoch(?1, 'utc') * 1000", day.as_str().into()),
    }
}

fn parts(work: &Work<'_>, by: By, since: &Since) -> Result<Vec<Part>, DbError> {
    let (key, (condition, value)) = (by.column(), condition(since));
    // The server is busy with a request while it reads and writes; where it does not tell, all time but the queue counts.
    let sql = format!(
        "SELECT {key}, provider, model, count(*), sum(is_answered),
                sum(input_tokens), sum(cached_tokens), sum(output_tokens),
                sum(CASE WHEN prefill_ms IS NULL OR decode_ms IS NULL THEN max(total_ms - coalesce(queue_ms, 0), 0)
                    ELSE prefill_ms + decode_ms END),
                coalesce(sum(first_token_ms), 0), count(first_token_ms), coalesce(sum(queue_ms), 0), count(queue_ms),
                coalesce(sum(prefill_ms), 0), count(prefill_ms),
                coalesce(sum(output_tokens) FILTER (WHERE decode_ms > 0), 0), coalesce(sum(decode_ms) FILTER (WHERE output_tokens > 0), 0),
                sum(retries)
         FROM request WHERE {condition} GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
    );
    work.rows(&sql, &[value], part)
}

fn part(row: &Row<'_>) -> RowResult<Part> {
    let mean = |at: usize| RowResult::Ok(Mean { sum: row.count(at)?, n: row.count(at + 1)? });
    Ok(Part {
        key: row.text(0)?,
        provider: row.text(1)?,
        model: row.text(2)?,
        requests: row.count(3)?,
        answered: row.count(4)?,
        used: Used {
            input_tokens: row.count(5)?,
            cached_tokens: row.count(6)?,
            output_tokens: row.count(7)?,
            busy_ms: row.count(8)?,
        },
        first_token: mean(9)?,
        queue: mean(11)?,
        prefill: mean(13)?,
        written: row.count(15)?,
        writing_ms: row.count(16)?,
        retries: row.count(17)?,
    })
}

/// Returns key, kind and number of recovered calls.
fn recovered(work: &Work<'_>, by: By, since: &Since) -> Result<Vec<(String, String, u64)>, DbError> {
    let (key, (condition, value)) = (by.column(), condition(since));
    let sql = format!(
        "SELECT {key}, kind, sum(n) FROM recovered JOIN request ON request.id = request
         WHERE {condition} GROUP BY 1, 2 ORDER BY 1, 2"
    );
    work.rows(&sql, &[value], |row| Ok((row.text(0)?, row.text(1)?, row.count(2)?)))
}

/// Sums under construction.
struct Adder<'a> {
    prices: &'a Prices,
    means: BTreeMap<String, Part>,
    sums: BTreeMap<String, Sum>,
    without_price: Vec<String>,
}

/// The key of the sum of all; no day, model, task or project is called so.
const TOTAL: &str = "";

impl<'a> Adder<'a> {
    fn new(prices: &'a Prices) -> Self {
        Self { prices, means: BTreeMap::new(), sums: BTreeMap::new(), without_price: Vec::new() }
    }

    fn add_up(mut self, parts: &[Part], recovered: &[(String, String, u64)]) -> Report {
        for part in parts {
            let cost = self.prices.cost(&part.provider, &part.model, &part.used);
            if cost.is_none() && !self.prices.is_empty() {
                self.without_price.push(format!("{}/{}", part.provider, part.model));
            }
            for key in [part.key.as_str(), TOTAL] {
                self.add(key, part, cost);
            }
        }
        for (key, kind, n) in recovered {
            for key in [key.as_str(), TOTAL] {
                *self.sums.entry(key.to_owned()).or_default().recovered.entry(kind.clone()).or_default() += n;
            }
        }
        self.finish()
    }

    fn add(&mut self, key: &str, part: &Part, cost: Option<f64>) {
        let sum = self.sums.entry(key.to_owned()).or_default();
        sum.requests += part.requests;
        sum.answered += part.answered;
        sum.input_tokens += part.used.input_tokens;
        sum.cached_tokens += part.used.cached_tokens;
        sum.output_tokens += part.used.output_tokens;
        sum.retries += part.retries;
        if let Some(cost) = cost {
            *sum.cost.get_or_insert_default() += cost;
        }
        let means = self.means.entry(key.to_owned()).or_default();
        means.first_token.add(part.first_token);
        means.queue.add(part.queue);
        means.prefill.add(part.prefill);
        means.written += part.written;
        means.writing_ms += part.writing_ms;
    }

    fn finish(mut self) -> Report {
        for (key, sum) in &mut self.sums {
            let Some(means) = self.means.get(key) else { continue };
            sum.key.clone_from(key);
            sum.first_token_ms = means.first_token.value();
            sum.queue_ms = means.queue.value();
            sum.prefill_ms = means.prefill.value();
            sum.tokens_per_second =
                (means.writing_ms > 0).then(|| means.written as f64 * 1000.0 / means.writing_ms as f64);
        }
        let total = self.sums.remove(TOTAL).unwrap_or_default();
        self.without_price.sort();
        self.without_price.dedup();
        let (rows, without_price) = (self.sums.into_values().collect(), self.without_price);
        Report { rows, total, without_price, note: None }
    }
}
