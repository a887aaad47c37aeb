//! What does it cost to change one place of a large file, and to see a change of a whole project?

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use mimi::base::pending::Pending;
use mimi::edit::diff::file_diff;
use mimi::edit::writer::Writer;
use mimi::exec::run::Runner;
use mimi::tools::ToolContext;
use mimi::tools::registry::Registry;
use mimi::workspace::Workspace;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::{Measured, Unit, spread};

/// Bytes of the file.
const N_BYTES: usize = 1_000_000;
const N_SAMPLES: usize = 25;
/// A change of a whole project: files, and lines changed in all of them.
const N_FILES: usize = 5000;
const N_LINES: usize = 200_000;

/// Measures a call of `edit_file` on a file of a megabyte as the agent makes it: judged, judged again, and carried out with
/// all that is synced to disk.
pub fn megabyte() -> Result<Measured, String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let mut text = String::new();
    let mut n = 0;
    while text.len() < N_BYTES {
        text.push_str(&format!("    let value_{n} = compute({n}, \"some words\");\n"));
        n += 1;
    }
    let path = folder.path().join("large.rs");
    std::fs::write(&path, &text).map_err(|error| error.to_string())?;
    let cx = context(folder.path())?;
    let registry = Registry::new();
    let tool = registry.get("edit_file").ok_or("no `edit_file`")?;
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string())?;
    cx.workspace.note_read(
        &path.canonicalize().map_err(|error| error.to_string())?,
        &mimi::base::hash::of_bytes(text.as_bytes()),
    );
    let mut samples = Vec::new();
    for sample in 0..N_SAMPLES {
        let line = n / 2 + sample;
        let old = format!("    let value_{line} = compute({line}, \"some words\");");
        let new = format!("    let value_{line} = compute({line}, \"other words\");");
        let arguments = json!({"path": "large.rs", "old_string": old, "new_string": new});
        let started = Instant::now();
        for _ in 0..2 {
            tool.intent(&cx, &arguments).map_err(|bad| bad.to_string())?;
        }
        let report = runtime.block_on(tool.run(&cx, arguments)).map_err(|bug| bug.to_string())?;
        samples.push(started.elapsed().as_secs_f64() * 1e3);
        if !report.outcome.is_ok() {
            return Err(report.outcome.text().to_owned());
        }
    }
    spread(samples, Unit::Milliseconds)
}

fn context(folder: &std::path::Path) -> Result<ToolContext, String> {
    Ok(ToolContext {
        workspace: Arc::new(Workspace::open(folder).map_err(|error| error.to_string())?),
        writer: Writer::new(Pending::new(folder.join("pending"))),
        runner: Runner::new(PathBuf::from("/nonexistent"), Vec::new()),
        spill_dir: folder.join("spill"),
        cache: folder.join("cache"),
        embedder: None,
        cancel: CancellationToken::new(),
        progress: tokio::sync::mpsc::channel(1).0,
        so_far: mimi::exec::so_far::SoFar::default(),
        limits: mimi::tools::Limits::default(),
        may_hold_secrets: mimi::policy::path::is_secret,
    })
}

/// Measures the diffs of a change of a whole project, with every piece and every changed word.
pub fn large_change() -> Result<Measured, String> {
    let per_file = N_LINES / N_FILES / 2;
    let before = (0..4 * per_file).map(|n| format!("    let old_{n} = compute({n});\n")).collect::<String>();
    let after: String = before
        .lines()
        .enumerate()
        .map(|(n, line)| if n % 4 == 0 { line.replace("old", "new") + "\n" } else { format!("{line}\n") })
        .collect();
    let started = Instant::now();
    let mut n_lines = 0;
    for _ in 0..N_FILES {
        let diff = file_diff("f", Some(std::hint::black_box(&before)), Some(&after));
        n_lines += diff.added + diff.removed;
    }
    let value = started.elapsed().as_secs_f64() * 1000.0;
    if n_lines != N_LINES {
        return Err(format!("{n_lines} lines changed instead of {N_LINES}"));
    }
    Ok(Measured { value, detail: format!("{N_FILES} files, {n_lines} lines") })
}
