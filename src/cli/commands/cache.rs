//! What does `mimi cache` do?
//!
//! Shows or empties what is kept of models' answers. It can all be made again, so nothing is asked.

use clap::{Args, Subcommand};

use crate::base::fault::Fault;
use crate::base::text::{size, visible};
use crate::cli::context::Cx;
use crate::model::cache::{self, Part};

/// Show or empty the kept answers of models
#[derive(Debug, Args)]
pub struct CacheArgs {
    #[command(subcommand)]
    action: CacheAction,
}

#[derive(Debug, Subcommand)]
enum CacheAction {
    /// Show how much is kept, of which model
    Stats {
        /// Print a JSON object
        #[arg(long)]
        json: bool,
    },
    /// Delete all that is kept
    Clear {
        /// Print a JSON object
        #[arg(long)]
        json: bool,
    },
}

/// Runs `mimi cache ...`.
///
/// # Errors
/// The cache cannot be opened, read or written.
pub fn run(cx: &Cx, args: &CacheArgs) -> Result<(), Fault> {
    match args.action {
        CacheAction::Stats { json } => stats(cx, json),
        CacheAction::Clear { json } => clear(cx, json),
    }
}

fn stats(cx: &Cx, json: bool) -> Result<(), Fault> {
    let max_bytes = cx.load()?.config.cache.max_bytes();
    let path = cache::file(&cx.dirs.cache);
    let parts = cache::parts(&path)?;
    let (entries, bytes) = parts.iter().fold((0, 0), |sum, part| (sum.0 + part.entries, sum.1 + part.bytes));
    let shown = path.display().to_string();
    if json {
        let stats = serde_json::json!({
            "path": shown, "max_bytes": max_bytes, "bytes": bytes, "entries": entries, "parts": parts
        });
        return cx.out.json(&stats.to_string());
    }
    if parts.is_empty() {
        cx.out.note(format!("Nothing is kept in {}.", visible(&shown)));
        return Ok(());
    }
    parts.iter().try_for_each(|part| cx.out.line(row(part)))?;
    let of = size(max_bytes);
    cx.out.line(format!("{:>8}  {:>9}  of {of} in {}", entries, size(bytes), visible(&shown)))
}

fn row(part: &Part) -> String {
    format!("{:>8}  {:>9}  {:<7}  {}", part.entries, size(part.bytes), part.kind, visible(&part.model))
}

fn clear(cx: &Cx, json: bool) -> Result<(), Fault> {
    let path = cache::file(&cx.dirs.cache);
    let n_entries = cache::clear(&path)?;
    if json {
        return cx.out.json(&serde_json::json!({"deleted": n_entries}).to_string());
    }
    let entries = if n_entries == 1 { "entry".to_owned() } else { format!("{n_entries} entries") };
    cx.out.line(format!("deleted {entries}"))
}
