//! How is this project's check run, and which one is it?

use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::time::Duration;

use serde::Deserialize;
use tokio_util::sync::CancellationToken;

use crate::base::clock;
use crate::base::fault::{Explain, Kind};
use crate::base::path::remove_file;
use crate::exec::run::{Command, Ending, ExecError, Output, Program, Runner};
use crate::strategy::failure::{self, Complaints};

/// Bytes of a check's output that are kept for the model.
const MAX_CHECK_BYTES: usize = 12_000;

/// One row of `config/runners.yaml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// What the runner is called.
    pub name: String,
    /// Files that must exist.
    pub files: Vec<String>,
    /// Text the first of them must contain.
    #[serde(default)]
    pub needs: Option<String>,
    /// The check.
    pub command: String,
}

/// Why a check could not be run.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// No row fits the project.
    #[error("no check was found in `{folder}`")]
    NotFound {
        /// The folder.
        folder: String,
    },
    /// The program of the check is not there, or cannot be started.
    #[error("the check `{command}` cannot be run: {why}")]
    NotRunnable {
        /// The check.
        command: String,
        /// Why.
        why: String,
    },
    /// The check was ended because it took too long.
    #[error("the check `{command}` did not end within {limit_s} seconds")]
    TooSlow {
        /// The check.
        command: String,
        /// The limit.
        limit_s: u64,
    },
    /// The supervisor could not be started.
    #[error("the check `{command}` cannot be started")]
    Start {
        /// The check.
        command: String,
        /// Why.
        #[source]
        source: ExecError,
    },
    /// The compiled-in table is broken.
    #[error("config/runners.yaml is broken: {0}")]
    Table(String),
    /// The user interrupted.
    #[error("the check was interrupted")]
    Interrupted,
}

impl Explain for CheckError {
    fn kind(&self) -> Kind {
        match self {
            Self::Interrupted => Kind::Interrupted,
            Self::Table(_) => Kind::Bug,
            _ => Kind::Check,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::NotFound { .. } => vec!["name it: mimi fix --test 'make check'".to_owned()],
            Self::TooSlow { .. } => vec!["give it longer: mimi fix --set fix.test_timeout_s=3600".to_owned()],
            Self::NotRunnable { .. } => vec!["name another: mimi fix --test 'COMMAND'".to_owned()],
            _ => Vec::new(),
        }
    }
}

/// Finds the check of the project in `folder`.
pub fn detect(folder: &Path) -> Result<Row, CheckError> {
    let rows: Vec<Row> = crate::base::yaml::from_str(include_str!("../../config/runners.yaml"))
        .map_err(|error| CheckError::Table(error.to_string()))?;
    rows.into_iter()
        .find(|row| fits(row, folder))
        .ok_or_else(|| CheckError::NotFound { folder: folder.display().to_string() })
}

fn fits(row: &Row, folder: &Path) -> bool {
    let exist = row.files.iter().all(|file| folder.join(file).is_file());
    let contains = |text: &String| {
        let first = row.files.first().map(|file| folder.join(file));
        first.and_then(|file| std::fs::read_to_string(file).ok()).is_some_and(|content| content.contains(text))
    };
    exist && row.needs.as_ref().is_none_or(contains)
}

/// What one run of the check showed.
#[derive(Debug, Clone)]
pub struct CheckRun {
    /// Whether it passed.
    pub is_green: bool,
    /// How it ended, in words.
    pub ending: String,
    /// What it printed, clipped.
    pub text: String,
    /// What it complains of; nothing when it passed.
    pub complaints: Complaints,
    /// How long it took.
    pub duration_ms: u64,
}

/// One run of a check.
#[derive(Debug, Clone)]
pub struct Check<'a> {
    /// The check, as bash reads it.
    pub command: &'a str,
    /// Folder it runs in.
    pub folder: &'a Path,
    /// Seconds it may take.
    pub limit_s: u64,
    /// Folder for an output that is too long to be held; the file is gone once it is read.
    pub spill_dir: &'a Path,
}

/// Runs the check once and reads what it complains of.
pub async fn run(runner: &Runner, check: &Check<'_>, cancel: CancellationToken) -> Result<CheckRun, CheckError> {
    let Check { command, folder, limit_s, spill_dir } = *check;
    let job = Command {
        program: Program::Shell(command.to_owned()),
        cwd: folder.to_path_buf(),
        timeout: Duration::from_secs(limit_s),
        max_output_bytes: MAX_CHECK_BYTES,
        spill: Some(spill_dir.join(format!("check-{}.txt", clock::new_id()))),
    };
    let output = runner
        .run(job, cancel, None)
        .await
        .map_err(|source| CheckError::Start { command: command.to_owned(), source })?;
    let complaints = complaints(&output, folder);
    judge(command, limit_s, &output, complaints)
}

/// Reads the whole output, also where only its ends are held.
fn complaints(output: &Output, folder: &Path) -> Complaints {
    let Some(spilled) = &output.spilled else { return failure::read(&output.text, folder) };
    let read = File::open(spilled).map(|file| failure::read_from(BufReader::new(file), folder));
    drop(remove_file(spilled));
    read.unwrap_or_else(|_| failure::read(&output.text, folder))
}

fn judge(command: &str, limit_s: u64, output: &Output, complaints: Complaints) -> Result<CheckRun, CheckError> {
    let not_runnable = |why: &str| CheckError::NotRunnable { command: command.to_owned(), why: why.to_owned() };
    let ending = match output.ending {
        Ending::TimedOut => return Err(CheckError::TooSlow { command: command.to_owned(), limit_s }),
        Ending::Cancelled => return Err(CheckError::Interrupted),
        // bash's own codes: 126 found but not executable, 127 not found.
        Ending::Exited(126) => return Err(not_runnable("it is not executable")),
        Ending::Exited(127) => return Err(not_runnable(&missing_program(&output.text))),
        Ending::Exited(code) => format!("exit code {code}"),
        Ending::Signalled(signal) => format!("signal {signal}"),
    };
    Ok(CheckRun {
        is_green: output.ending == Ending::Exited(0),
        ending,
        complaints: if output.ending == Ending::Exited(0) { Complaints::default() } else { complaints },
        text: told(output),
        duration_ms: output.duration.as_millis() as u64,
    })
}

/// What the check printed, and what it could not reach, which may be why it fails.
fn told(output: &Output) -> String {
    let newline = if output.text.is_empty() || output.text.ends_with('\n') { "" } else { "\n" };
    match output.network.notes() {
        notes if notes.is_empty() => output.text.clone(),
        notes => format!("{}{newline}{notes}", output.text),
    }
}

fn missing_program(output: &str) -> String {
    let names_it = |line: &&str| line.contains("not found") || line.contains("No such file");
    let line = output.lines().rev().find(names_it);
    line.map_or_else(|| "a program of it was not found".to_owned(), |line| line.trim().to_owned())
}
