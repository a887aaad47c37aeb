//! What does it cost to change one place of a large file?

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use mimi::base::pending::Pending;
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
        runner: Runner { supervisor: PathBuf::from("/nonexistent"), environment: Arc::default() },
        spill_dir: folder.join("spill"),
        cancel: CancellationToken::new(),
        progress: tokio::sync::mpsc::channel(1).0,
        limits: mimi::tools::Limits::default(),
        may_hold_secrets: mimi::policy::path::is_secret,
    })
}
