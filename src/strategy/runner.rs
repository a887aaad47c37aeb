//! How is one check run, and what does it complain of?
//!
//! Which checks a project has is said by [`crate::strategy::detect`]. Must not decide what a red check means: a check that cannot
//! be run, or does not end, is an error here; whoever changed something before may take it for a red one.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use crate::base::clock;
use crate::base::fault::{Explain, Kind};
use crate::base::path::remove_file;
use crate::exec::run::{Command, Ending, ExecError, Output, Program, Runner};
use crate::protocol::failure::{Failure, FailureKind};
use crate::strategy::detect::matching;
use crate::strategy::failure::report::{self, MAX_REPORT_BYTES};
use crate::strategy::failure::{self, Complaints};

/// Bytes of a check's output that are kept for the model.
const MAX_CHECK_BYTES: usize = 12_000;
/// Report files of one check that are read.
const MAX_REPORTS: usize = 200;
/// Python takes a compiled file for current by the second it was made in and its size, and an edit may leave both as they are.
const ENVIRONMENT: [(&str, &str); 1] = [("PYTHONDONTWRITEBYTECODE", "1")];

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
    /// A program the check needs is not there.
    #[error("the check `{command}` cannot be run: it needs `{program}`, which is not on PATH")]
    NoProgram {
        /// The check.
        command: String,
        /// The program.
        program: String,
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
            Self::NoProgram { program, .. } => {
                vec![format!("install `{program}`"), "or name another check: mimi fix --test 'COMMAND'".to_owned()]
            }
            Self::NotRunnable { .. } => vec!["name another: mimi fix --test 'COMMAND'".to_owned()],
            _ => Vec::new(),
        }
    }
}

/// What one run of the check showed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
    /// What else the user should know: a report that cannot be read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

impl CheckRun {
    /// Stands for a run that did not come to an end after something was changed, which is as bad as any failure.
    pub fn broken(error: &CheckError) -> Self {
        let failure = Failure::new(FailureKind::Setup, error.to_string());
        Self {
            is_green: false,
            ending: "no result".to_owned(),
            text: error.to_string(),
            complaints: Complaints { failures: vec![failure], n_more: 0 },
            duration_ms: 0,
            notes: Vec::new(),
        }
    }

    /// Returns how many failures it told of; one that fails without a word of what has one.
    pub fn n_failures(&self) -> usize {
        let n_told = self.complaints.failures.len() + self.complaints.n_more;
        if self.is_green { 0 } else { n_told.max(1) }
    }
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
    /// Files it writes for programs to read, as patterns.
    pub reports: &'a [String],
}

/// Runs the check once and reads what it complains of.
pub async fn run(runner: &Runner, check: &Check<'_>, cancel: CancellationToken) -> Result<CheckRun, CheckError> {
    let Check { command, folder, limit_s, spill_dir, reports } = *check;
    let job = Command {
        program: Program::Shell(command.to_owned()),
        cwd: folder.to_path_buf(),
        timeout: Duration::from_secs(limit_s),
        max_output_bytes: MAX_CHECK_BYTES,
        spill: Some(spill_dir.join(format!("check-{}.txt", clock::new_id()))),
    };
    let started = SystemTime::now();
    let output = runner
        .with_environment(&ENVIRONMENT)
        .run(job, cancel, None)
        .await
        .map_err(|source| CheckError::Start { command: command.to_owned(), source })?;
    let said = complaints(&output, folder);
    let (complaints, notes) = if reports.is_empty() { (said, Vec::new()) } else { reported(said, check, started) };
    judge(command, limit_s, &output, complaints).map(|run| CheckRun { notes, ..run })
}

/// Reads the reports that were written since `started`. Where they tell of failures, the output adds only what no report of
/// tests holds: that nothing could be compiled, for example.
fn reported(said: Complaints, check: &Check<'_>, started: SystemTime) -> (Complaints, Vec<String>) {
    let is_new = |path: &std::path::PathBuf| {
        // Clocks of file systems are coarse.
        let started = started - Duration::from_secs(2);
        path.metadata().is_ok_and(|meta| meta.is_file() && meta.modified().is_ok_and(|at| at >= started))
    };
    let files = check.reports.iter().flat_map(|pattern| matching(check.folder, pattern)).filter(is_new);
    let (mut failures, mut notes): (Vec<Failure>, _) = (Vec::new(), Vec::new());
    for file in files.take(MAX_REPORTS) {
        match read_report(&file, check.folder) {
            Ok(found) => failures.extend(found),
            Err(why) => {
                let name = file.strip_prefix(check.folder).unwrap_or(&file).display().to_string();
                notes.push(format!("the report `{name}` cannot be read: {why}"));
            }
        }
    }
    if failures.is_empty() {
        return (said, notes);
    }
    failures.extend(said.failures.into_iter().filter(|failure| failure.kind != FailureKind::Test));
    failures.sort_by_key(|failure| failure.kind);
    (Complaints { failures, n_more: 0 }, notes)
}

fn read_report(file: &Path, folder: &Path) -> Result<Vec<Failure>, String> {
    if file.metadata().is_ok_and(|meta| meta.len() > MAX_REPORT_BYTES) {
        return Err(format!("it is longer than {} MiB", MAX_REPORT_BYTES >> 20));
    }
    let bytes = std::fs::read(file).map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&bytes);
    // TAP is what a test prints, in a file.
    if text.lines().any(|line| line.starts_with("1..") || line.starts_with("TAP version")) {
        return Ok(failure::read(&text, folder).failures);
    }
    report::read(&text).map_err(|error| error.to_string())
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
        notes: Vec::new(),
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
