//! What does it cost to find and keep what a command changed in a large workspace?

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use mimi::base::clock::SystemClock;
use mimi::checkpoint::keeper::{Keeper, Place};
use mimi::checkpoint::scan::Limits;
use mimi::checkpoint::step::{About, Cause};
use mimi::checkpoint::store::Store;

use crate::{Measured, Unit, spread};

/// Files of the workspace, in folders of fifty.
const N_FILES: usize = 50_000;
const N_IN_FOLDER: usize = 50;
/// Bytes of a file, about; sources have some thousand.
const N_LINES: usize = 40;
/// Commands that are measured, and files each of them changes.
const N_COMMANDS: usize = 9;
const N_CHANGES: usize = 3;

/// Measures the look at the workspace after a command that changed some files, everything kept when it returns; beside it the
/// look before the command, and the first one ever.
pub fn after_command() -> Result<Measured, String> {
    let root = tempfile::tempdir().map_err(|error| error.to_string())?;
    let work = root.path().canonicalize().map_err(|error| error.to_string())?.join("work");
    fill(&work).map_err(|error| error.to_string())?;
    let limits = Limits { max_paths: 200_000, max_ignored_file_bytes: 1 << 20, max_ignored_bytes: 1 << 28 };
    let store = Store::open(&root.path().join("state/checkpoints")).map_err(|error| error.to_string())?;
    let (state, clock) = (root.path().join("state"), Arc::new(SystemClock));
    let keeper = Keeper::new(Place { store, workspace: work.clone(), state, limits, clock }, "bench");
    let started = Instant::now();
    command(&keeper, &work, 0)?;
    let first_s = started.elapsed().as_secs_f64();
    let (mut before, mut after) = (Vec::new(), Vec::new());
    for n in 1..=N_COMMANDS {
        let (begin_ms, end_ms) = command(&keeper, &work, n)?;
        before.push(begin_ms);
        after.push(end_ms);
    }
    let (before, own) = (spread(before, Unit::Milliseconds)?, spread(after, Unit::Milliseconds)?);
    let detail = format!("{}; before it {:.0} ms; the first of all {first_s:.1} s", own.detail, before.value);
    Ok(Measured { detail, value: own.value })
}

/// Runs a command and returns how long the looks before and after it took, in milliseconds.
fn command(keeper: &Keeper, work: &Path, n: usize) -> Result<(f64, f64), String> {
    let about = About { turn: 1, call: None, cause: Cause::Command, what: "bench".to_owned() };
    let started = Instant::now();
    let open = keeper.begin(about).map_err(|error| error.to_string())?;
    let begin_ms = started.elapsed().as_secs_f64() * 1000.0;
    for k in 0..N_CHANGES {
        let path = place(work, (n * 7919 + k * 104_729) % N_FILES);
        std::fs::write(path, format!("changed by command {n}")).map_err(|error| error.to_string())?;
    }
    let started = Instant::now();
    let step = keeper.end(open).map_err(|error| error.to_string())?.ok_or("nothing was found")?;
    keeper.settle(&step.id);
    let end_ms = started.elapsed().as_secs_f64() * 1000.0;
    match step.deltas.len() {
        N_CHANGES => Ok((begin_ms, end_ms)),
        found => Err(format!("{found} changes found instead of {N_CHANGES}")),
    }
}

fn place(work: &Path, n: usize) -> std::path::PathBuf {
    work.join(format!("part_{}/some_folder_{}/file_{n}.rs", n / N_IN_FOLDER % 20, n / N_IN_FOLDER))
}

fn fill(work: &Path) -> std::io::Result<()> {
    for n in 0..N_FILES {
        let path = place(work, n);
        if let Some(folder) = path.parent().filter(|_| n % N_IN_FOLDER == 0) {
            std::fs::create_dir_all(folder)?;
        }
        let line = |k: usize| format!("let number_{k} = compute({n}, {k}); // a line of source {}\n", n ^ (k * 31));
        std::fs::write(path, (0..N_LINES).map(line).collect::<String>())?;
    }
    Ok(())
}
