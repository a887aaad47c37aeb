//! How fast is a project indexed, and how fast is a question answered?

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use mimi::index::engine::{Index, Settling};
use mimi::index::search::Sides;
use mimi::index::search::route::Query;

use crate::{Measured, Unit, spread};

/// Files of the project that is made up.
const N_FILES: usize = 3000;
const N_SAMPLES: usize = 9;
/// Questions of each kind.
const QUESTIONS: [&str; 8] = [
    "remove expired entries from the cache",
    "how is a request sent again after a failure",
    "where are hidden characters made visible",
    "write_atomic",
    "error: cannot open the database",
    "src/db/open.rs",
    "which tests failed and why",
    "parse a unified diff",
];

/// A project made of this repository's own sources, again and again with another remark in each line.
fn project(root: &Path) -> Result<PathBuf, String> {
    let mut sources = Vec::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut sources).map_err(|error| error.to_string())?;
    let work = root.join("work");
    for n in 0..N_FILES {
        let source = &sources[n % sources.len()];
        let copy = n / sources.len();
        let text: String = source
            .1
            .lines()
            .map(|line| if line.is_empty() { "\n".to_owned() } else { format!("{line} // {copy}\n") })
            .collect();
        let path = work.join(format!("part{copy}")).join(&source.0);
        let folder = path.parent().ok_or("a file without a folder")?;
        std::fs::create_dir_all(folder)
            .and_then(|()| std::fs::write(&path, text))
            .map_err(|error| error.to_string())?;
    }
    Ok(work)
}

fn collect(folder: &Path, found: &mut Vec<(PathBuf, String)>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, found)?;
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let relative = path.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap_or(&path).to_path_buf();
            found.push((relative, std::fs::read_to_string(&path)?));
        }
    }
    Ok(())
}

/// A project with its index in a folder that goes away with the first of the three.
fn indexed() -> Result<(tempfile::TempDir, PathBuf, Index, f64), String> {
    let root = tempfile::tempdir().map_err(|error| error.to_string())?;
    let work = project(root.path())?;
    let index = Index::of(&root.path().join("home/.cache/mimi"), &work).map_err(|error| error.to_string())?;
    let started = Instant::now();
    let settled = index.settle(&Settling::PLAIN).map_err(|error| error.to_string())?;
    let took_s = started.elapsed().as_secs_f64();
    match settled.updated.n_parsed {
        N_FILES => Ok((root, work, index, took_s)),
        found => Err(format!("{found} files indexed instead of {N_FILES}: {:?}", settled.notes)),
    }
}

/// Measures the first indexing of a project.
pub fn cold() -> Result<Measured, String> {
    let (_root, _work, index, took_s) = indexed()?;
    let status = index.status().map_err(|error| error.to_string())?.ok_or("no index")?;
    let source_mb = status.source_bytes as f64 / 1e6;
    let detail = format!("{N_FILES} files, {source_mb:.0} MB, {} pieces in {took_s:.1} s", status.n_chunks);
    Ok(Measured { value: N_FILES as f64 / took_s, detail })
}

/// Measures the size of the database beside that of the sources.
pub fn size() -> Result<Measured, String> {
    let (_root, _work, index, _) = indexed()?;
    let status = index.status().map_err(|error| error.to_string())?.ok_or("no index")?;
    let detail = format!("{:.1} MB of {:.1} MB", status.bytes as f64 / 1e6, status.source_bytes as f64 / 1e6);
    Ok(Measured { value: status.bytes as f64 * 100.0 / status.source_bytes as f64, detail })
}

/// Measures questions alone, within a process.
pub fn query() -> Result<Measured, String> {
    let (_root, _work, index, _) = indexed()?;
    let mut samples = Vec::new();
    for question in QUESTIONS.iter().cycle().take(QUESTIONS.len() * N_SAMPLES) {
        let started = Instant::now();
        let found = index.search(&Query::parse(question), 8, Sides::All).map_err(|error| error.to_string())?;
        samples.push(started.elapsed().as_secs_f64() * 1000.0);
        if found.is_empty() {
            return Err(format!("nothing found for `{question}`"));
        }
    }
    spread(samples, Unit::Milliseconds)
}

/// Measures `mimi search` from its start, nothing changed.
pub fn command() -> Result<Measured, String> {
    let (root, work, ..) = indexed()?;
    let run = |question: &str| -> Result<f64, String> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mimi"));
        command.args(["search", question]).current_dir(&work).env_clear().env("HOME", root.path().join("home"));
        let started = Instant::now();
        let output = command.output().map_err(|error| error.to_string())?;
        let took = started.elapsed().as_secs_f64() * 1000.0;
        if output.status.success() { Ok(took) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
    };
    // What was written within the last seconds is looked at again until its times tell.
    std::thread::sleep(std::time::Duration::from_secs(3));
    run(QUESTIONS[0])?;
    let samples =
        QUESTIONS.iter().cycle().take(N_SAMPLES * 2).map(|question| run(question)).collect::<Result<_, _>>()?;
    spread(samples, Unit::Milliseconds)
}
