//! What does `mimi index` do?
//!
//! Builds or updates the index of the project and says what is in it. Searches do the same by themselves; here it is seen.

use std::cell::Cell;
use std::time::{Duration, Instant};

use clap::Args;

use crate::base::fault::{Fault, Kind};
use crate::base::text::{count, size, visible};
use crate::cli::context::Cx;
use crate::config::schema::{EmbedderChoice, IndexConfig, VectorsChoice};
use crate::index::ask::Covered;
use crate::index::engine::{Index, Settling, Status};
use crate::index::fill::Filled;
use crate::index::update::Progress;
use crate::index::vectors::{Choice, Store};

/// How long to wait for another mimi that writes the same index.
const PATIENCE: Duration = Duration::from_secs(600);

/// Build or update the index that `mimi search` asks
///
/// `mimi search` keeps it up to date by itself. It lies in ~/.cache/mimi/index, never in the project, and is shared by all
/// branches, work trees and clones of a repository. Files that git or .mimiignore ignore, hidden files and files with keys
/// are left out.
#[derive(Debug, Args)]
pub struct IndexArgs {
    /// Say what is in the index, without updating it
    #[arg(long, group = "what")]
    status: bool,
    /// Look for damage in the whole index
    #[arg(long, group = "what")]
    verify: bool,
    /// Forget what no work tree has any more, and the indexes of other projects used longest ago beyond `index.max_mb`
    #[arg(long, group = "what")]
    prune: bool,
    /// Delete the index and build it anew
    #[arg(long, group = "what")]
    rebuild: bool,
    /// After updating, say in detail what is in the index
    #[arg(long, group = "what")]
    stats: bool,
    /// Print a JSON object
    #[arg(long)]
    json: bool,
}

/// Runs `mimi index`.
///
/// # Errors
/// The index cannot be made or read, or `--verify` finds damage.
pub fn run(cx: &Cx, args: &IndexArgs) -> Result<(), Fault> {
    let (index, config) = open(cx)?;
    let max_bytes = config.max_bytes();
    if args.status {
        return match index.status()? {
            Some(status) => show(cx, &status, args.json),
            None if args.json => cx.out.line("null"),
            None => {
                cx.out.note("There is no index of this project yet. `mimi index` builds it.");
                Ok(())
            }
        };
    }
    if args.verify {
        return verify(cx, &index, args.json);
    }
    if args.prune {
        return prune(cx, &index, max_bytes, args.json);
    }
    if args.rebuild {
        index.forget()?;
    }
    build(cx, &index, args)?;
    index.place().make_room(max_bytes);
    Ok(())
}

/// Loads the settings and finds the index of the project, used as they say.
pub fn open(cx: &Cx) -> Result<(Index, IndexConfig), Fault> {
    let loaded = cx.load()?;
    let config = loaded.config.index.clone();
    let vectors = match config.vectors {
        VectorsChoice::Auto => Choice::Auto,
        VectorsChoice::Codes => Choice::Only(Store::Codes),
        VectorsChoice::Vec0 => Choice::Only(Store::Vec0),
    };
    let index = Index::of(&cx.dirs.cache, &cx.workspace_root)?.keeping_vectors(vectors);
    Ok(match config.embedder {
        EmbedderChoice::Static => (index, config),
        EmbedderChoice::Server => (index.served_by(cx.app_of(loaded)?.embedder()?), config),
    })
}

fn build(cx: &Cx, index: &Index, args: &IndexArgs) -> Result<(), Fault> {
    let begun = Instant::now();
    let settled = settle(cx, index, PATIENCE)?;
    let filled = fill(cx, index)?;
    let took = begun.elapsed().as_secs_f64();
    let updated = &settled.updated;
    if args.json {
        let status = index.status()?;
        let object = serde_json::json!({
            "files_read": updated.n_read, "files_parsed": updated.n_parsed, "files_gone": updated.n_gone,
            "chunks": updated.n_chunks, "vectors": filled.n_made, "seconds": took,
            "notes": settled.notes.iter().chain(&filled.notes).collect::<Vec<_>>(), "status": status
        });
        return cx.out.line(object.to_string());
    }
    if updated.n_read + updated.n_gone == 0 {
        cx.out.line("The index is up to date.")?;
    } else {
        let rate = updated.n_read as f64 / took.max(0.001);
        let (files, gone) = (count(updated.n_read, "file"), count(updated.n_gone, "file"));
        let pieces = count(updated.n_chunks, "piece");
        cx.out.line(format!("{files} read, {gone} gone, {pieces} written in {took:.1} s ({rate:.0} files/s)."))?;
    }
    if !filled.name.is_empty() {
        let (made, n_known) = (count(filled.n_made, "vector"), filled.n_texts - filled.n_left);
        cx.out.line(format!("{made} made by `{}`: {n_known} of {}.", visible(&filled.name), filled.n_texts))?;
    }
    match index.status()?.filter(|_| args.stats) {
        Some(status) => show(cx, &status, false),
        None => Ok(()),
    }
}

/// Brings an index up to date, showing how far it is, and says what is odd.
pub fn settle(cx: &Cx, index: &Index, patience: Duration) -> Result<crate::index::engine::Settled, Fault> {
    let begun = Instant::now();
    // A search that needs a moment shows nothing.
    let is_shown = Cell::new(false);
    let progress = |progress: Progress| {
        if is_shown.get() || begun.elapsed() > Duration::from_millis(300) {
            is_shown.set(true);
            let rate = progress.n_done as f64 / begun.elapsed().as_secs_f64().max(0.001);
            let what = format!("files, {}, {rate:.0} files/s", count(progress.n_chunks, "piece"));
            cx.out.progress(progress.n_done as u64, progress.n_files as u64, &what);
        }
    };
    let settled = index.settle(&Settling { deadline: None, patience, progress: &progress });
    cx.out.idle();
    let settled = settled?;
    for note in &settled.notes {
        cx.out.note(format!("note: {}", visible(note)));
    }
    Ok(settled)
}

/// Has the model on a server embed what is missing, showing how far it is, and says what is odd.
fn fill(cx: &Cx, index: &Index) -> Result<Filled, Fault> {
    let filled = index.fill(PATIENCE, &|n_done, n_all| {
        cx.out.progress(n_done as u64, n_all as u64, "pieces embedded");
    });
    cx.out.idle();
    let filled = filled?;
    for note in &filled.notes {
        cx.out.note(format!("note: {}", visible(note)));
    }
    Ok(filled)
}

fn show(cx: &Cx, status: &Status, is_json: bool) -> Result<(), Fault> {
    if is_json {
        let text = serde_json::to_string(status)
            .map_err(|error| Fault::new(Kind::Bug, "cannot write the status as JSON").cause(error.to_string()))?;
        return cx.out.line(text);
    }
    let share = status.bytes as f64 / status.source_bytes.max(1) as f64;
    let mut rows = vec![
        ("files", format!("{} with {}", status.n_files, size(status.source_bytes))),
        ("pieces", format!("{} of {} in all work trees", status.n_chunks, status.n_all_chunks)),
        ("definitions", status.n_definitions.to_string()),
        (
            "database",
            format!(
                "{} ({share:.2} of the source) {}",
                size(status.bytes),
                visible(&status.database.display().to_string())
            ),
        ),
    ];
    let joined = |pairs: &std::collections::BTreeMap<String, u64>| {
        let mut pairs: Vec<_> = pairs.iter().collect();
        pairs.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
        pairs.iter().map(|(name, n)| format!("{name} {n}")).collect::<Vec<_>>().join(", ")
    };
    rows.push(("languages", joined(&status.languages)));
    rows.extend(status.embedders.iter().map(|own| {
        let Covered { embedder, dimensions, store, n_vectors, n_covered, n_texts } = own;
        let embedder = visible(embedder);
        (
            "vectors",
            format!("{n_vectors} of `{embedder}` with {dimensions} numbers in {store}: {n_covered} of {n_texts} texts"),
        )
    }));
    if !status.passed.is_empty() {
        rows.push(("passed over", joined(&status.passed)));
    }
    if status.n_secrets > 0 {
        rows.push((
            "with keys",
            format!("{} left out", count(usize::try_from(status.n_secrets).unwrap_or(usize::MAX), "piece")),
        ));
    }
    rows.extend(
        status.trees.iter().filter(|_| status.trees.len() > 1).map(|tree| ("work tree", visible(tree).into_owned())),
    );
    rows.iter().try_for_each(|(name, value)| cx.out.line(format!("{name:<12} {value}")))
}

fn verify(cx: &Cx, index: &Index, is_json: bool) -> Result<(), Fault> {
    let wrong = index.verify()?;
    if is_json {
        cx.out.line(serde_json::json!({ "problems": wrong }).to_string())?;
    }
    if wrong.is_empty() {
        return if is_json { Ok(()) } else { cx.out.line("The index is sound.") };
    }
    let fault = Fault::new(Kind::Task, "the index is not sound").hint("mimi index --rebuild");
    Err(wrong.into_iter().fold(fault, |fault, problem| fault.cause(problem)))
}

fn prune(cx: &Cx, index: &Index, max_bytes: u64, is_json: bool) -> Result<(), Fault> {
    let (n_documents, n_indexes) = index.prune(max_bytes)?;
    if is_json {
        return cx.out.line(serde_json::json!({ "documents": n_documents, "indexes": n_indexes }).to_string());
    }
    let documents = count(n_documents, "document");
    cx.out.line(format!("{documents} forgotten; indexes of other projects deleted: {n_indexes}."))
}
