//! How fast is a project indexed, and how fast is a question answered?
//!
//! A project of 10,000 files is made of this repository's own sources, the same on every machine. Half a million pieces are
//! made up and written through the same tables; who measures with them does so in a process of its own, for the memory.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use mimi::index::engine::{Index, Settling};
use mimi::index::search::Sides;
use mimi::index::search::route::Query;

use crate::process::own_cpu;
use crate::{Measured, Unit, spread};

/// Files and bytes of the project that is made up, whichever is reached first.
const N_FILES: usize = 10_000;
const MAX_BYTES: usize = 75_000_000;
/// One of so many lines is changed in each copy, so that no piece of it is that of another.
const CHANGED_LINES: usize = 12;
/// Rounds through the questions.
const N_ROUNDS: usize = 9;
/// Questions of each kind.
pub const QUESTIONS: [&str; 8] = [
    "remove expired entries from the cache",
    "how is a request sent again after a failure",
    "where are hidden characters made visible",
    "write_atomic",
    "error: cannot open the database",
    "src/db/open.rs",
    "which tests failed and why",
    "parse a unified diff",
];

/// A project with its index.
struct Project {
    folder: PathBuf,
    work: PathBuf,
    index: Index,
    n_files: usize,
    /// What indexing took, and in processor time.
    cold: (Duration, Duration),
}

/// Makes the project and indexes it, once for all figures. The folder stays until the process ends: see [`tidy_up`].
fn project() -> Result<&'static Project, String> {
    static PROJECT: OnceLock<Result<Project, String>> = OnceLock::new();
    PROJECT.get_or_init(|| make().map_err(|error| format!("{error:#}"))).as_ref().map_err(Clone::clone)
}

/// Deletes what was made; nothing that is static is dropped by itself.
static FOLDER: OnceLock<PathBuf> = OnceLock::new();

/// Deletes the project when there is one.
pub fn tidy_up() {
    if let Some(folder) = FOLDER.get() {
        drop(std::fs::remove_dir_all(folder));
    }
}

fn make() -> Result<Project, String> {
    let say = |error: std::io::Error| error.to_string();
    let folder = tempfile::tempdir().map_err(say)?.keep();
    FOLDER.get_or_init(|| folder.clone());
    let work = folder.join("work");
    let n_files = copies(&work).map_err(say)?;
    let index = Index::of(&folder.join("home/.cache/mimi"), &work).map_err(|error| error.to_string())?;
    let (started, cpu) = (Instant::now(), own_cpu());
    let settled = index.settle(&Settling::PLAIN).map_err(|error| error.to_string())?;
    let cold = (started.elapsed(), own_cpu().saturating_sub(cpu));
    if settled.updated.n_read != n_files {
        return Err(format!("{} files indexed instead of {n_files}: {:?}", settled.updated.n_read, settled.notes));
    }
    // What was written within the last seconds is looked at again until its times tell.
    std::thread::sleep(Duration::from_secs(3));
    index.settle(&Settling::PLAIN).map_err(|error| error.to_string())?;
    Ok(Project { folder, work, index, n_files, cold })
}

/// Copies this repository's sources again and again, with a remark that differs in some of the lines.
fn copies(work: &Path) -> std::io::Result<usize> {
    let sources = sources()?;
    let (mut n_files, mut n_bytes) = (0, 0);
    for copy in 0.. {
        for (path, text) in &sources {
            if n_files == N_FILES || n_bytes >= MAX_BYTES {
                return Ok(n_files);
            }
            let remark = if path.extension().is_some_and(|ending| ending == "rs") { "//" } else { "#" };
            let line = |(at, line): (usize, &str)| match at % CHANGED_LINES {
                0 => format!("{line} {remark} copy{copy}\n"),
                _ => format!("{line}\n"),
            };
            let text: String = text.lines().enumerate().map(line).collect();
            let path = work.join(format!("part{copy}")).join(path);
            std::fs::create_dir_all(path.parent().unwrap_or(work))?;
            std::fs::write(&path, &text)?;
            (n_files, n_bytes) = (n_files + 1, n_bytes + text.len());
        }
    }
    Ok(n_files)
}

/// Returns the texts of this repository with their paths.
pub fn sources() -> std::io::Result<Vec<(PathBuf, String)>> {
    let mut sources = Vec::new();
    for folder in ["src", "tests", "config", "prompts"] {
        collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &mut sources)?;
    }
    sources.sort();
    Ok(sources)
}

fn collect(folder: &Path, found: &mut Vec<(PathBuf, String)>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let is_text = path
            .extension()
            .is_some_and(|ending| ["rs", "md", "yaml", "scm", "py"].iter().any(|known| ending == *known));
        if path.is_dir() && !path.ends_with("fixtures") {
            collect(&path, found)?;
        } else if is_text {
            let relative = path.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap_or(&path).to_path_buf();
            found.push((relative, std::fs::read_to_string(&path).unwrap_or_default()));
        }
    }
    Ok(())
}

/// Measures the first indexing of a project, by the clock.
pub fn cold() -> Result<Measured, String> {
    let Project { index, n_files, cold: (took, cpu), .. } = project()?;
    let status = index.status().map_err(|error| error.to_string())?.ok_or("no index")?;
    let source_mb = status.source_bytes as f64 / 1e6;
    let detail = format!(
        "{n_files} files, {source_mb:.0} MB, {} pieces in {:.1} s, {:.1} s of processors",
        status.n_chunks,
        took.as_secs_f64(),
        cpu.as_secs_f64()
    );
    Ok(Measured { value: *n_files as f64 / took.as_secs_f64(), detail })
}

/// Measures the processor time of the first indexing, for each of two cores: what it takes where nothing else runs.
pub fn cold_cpu() -> Result<Measured, String> {
    let Project { n_files, cold: (_, cpu), .. } = project()?;
    let value = cpu.as_secs_f64() * 1000.0 / 2.0;
    Ok(Measured { value, detail: format!("{:.0} files a second", *n_files as f64 * 1000.0 / value) })
}

/// Measures the size of the database beside that of the sources.
pub fn size() -> Result<Measured, String> {
    let status = project()?.index.status().map_err(|error| error.to_string())?.ok_or("no index")?;
    let detail = format!("{:.1} MB of {:.1} MB", status.bytes as f64 / 1e6, status.source_bytes as f64 / 1e6);
    Ok(Measured { value: status.bytes as f64 * 100.0 / status.source_bytes as f64, detail })
}

/// Measures questions alone, within a process.
pub fn query() -> Result<Measured, String> {
    let Project { index, .. } = project()?;
    spread(ask(index)?, Unit::Milliseconds)
}

/// As [`query`]: the time 95 of 100 questions stay below.
pub fn query_slow() -> Result<Measured, String> {
    let Project { index, .. } = project()?;
    slow(ask(index)?)
}

/// Asks every question several times.
pub fn ask(index: &Index) -> Result<Vec<f64>, String> {
    let one = |question: &&str| {
        let started = Instant::now();
        let found = index.search(&Query::parse(question), 8, Sides::All).map_err(|error| error.to_string())?;
        if found.is_empty() {
            return Err(format!("nothing found for `{question}`"));
        }
        Ok(started.elapsed().as_secs_f64() * 1000.0)
    };
    QUESTIONS.iter().cycle().take(QUESTIONS.len() * N_ROUNDS).map(one).collect()
}

/// Returns the 95th percentile.
pub fn slow(mut samples: Vec<f64>) -> Result<Measured, String> {
    samples.sort_by(f64::total_cmp);
    let value = samples.get(samples.len() * 95 / 100).copied().ok_or("nothing was measured")?;
    Ok(Measured { value, detail: format!("of {}", samples.len()) })
}

/// Measures `mimi search` from its start, nothing changed.
pub fn command() -> Result<Measured, String> {
    let project = project()?;
    project.run(QUESTIONS[0])?;
    let samples = QUESTIONS.iter().cycle().take(QUESTIONS.len() * 3).map(|question| project.run(question));
    spread(samples.collect::<Result<_, _>>()?, Unit::Milliseconds)
}

/// Measures how much longer `mimi search` takes when a file has been edited, which it then must find.
pub fn edited() -> Result<Measured, String> {
    let project = project()?;
    let path = project.work.join("part0/src/edited.rs");
    let (mut plain, mut more) = (Vec::new(), Vec::new());
    for n in 0..15 {
        plain.push(project.run("quite another question")?);
        let word = format!("zebrafish{n}");
        std::fs::File::create(&path)
            .and_then(|mut file| writeln!(file, "//! Edited.\n\n/// Says {word}.\npub fn say() {{}}"))
            .map_err(|error| error.to_string())?;
        let begun = Instant::now();
        let shown = project.output(&word)?;
        more.push(begun.elapsed().as_secs_f64() * 1000.0);
        if !shown.contains("edited.rs") {
            return Err(format!("`{word}` was written and is not found: {shown}"));
        }
    }
    let (plain, more) = (spread(plain, Unit::Milliseconds)?, spread(more, Unit::Milliseconds)?);
    let detail = format!("{:.1} ms instead of {:.1} ms", more.value, plain.value);
    Ok(Measured { value: more.value - plain.value, detail })
}

impl Project {
    fn run(&self, question: &str) -> Result<f64, String> {
        let started = Instant::now();
        self.output(question)?;
        Ok(started.elapsed().as_secs_f64() * 1000.0)
    }

    fn output(&self, question: &str) -> Result<String, String> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mimi"));
        command.args(["search", question]).current_dir(&self.work).env_clear();
        let output = command.env("HOME", self.folder.join("home")).output().map_err(|error| error.to_string())?;
        match output.status.success() {
            true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
            false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
        }
    }
}
