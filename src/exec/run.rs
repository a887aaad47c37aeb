//! How is one command run, watched, cut short and reported?

use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::base::fault::{Explain, Kind};
use crate::exec::capture::{Capture, Prefix, Reading, Sink};
use crate::exec::lifeline::Lifeline;
use crate::exec::proxy::Network;
use crate::exec::proxy::log::Log;
use crate::exec::report::{Report, Verdict};
use crate::exec::sandbox::{Access, Order, Sandbox, Tier};
use crate::exec::so_far::SoFar;

/// Time given to the rest of the output once the command is over. Longer only helps whoever holds the pipe open.
const DRAIN: Duration = Duration::from_millis(200);
/// Most that [`Runner::run_quiet`] keeps of standard output.
const QUIET_STDOUT_BYTES: usize = 16 * 1024 * 1024;
/// Most that it keeps of standard error.
const QUIET_STDERR_BYTES: usize = 64 * 1024;

/// One command to run.
#[derive(Debug, Clone)]
pub struct Command {
    /// What bash reads, or the program and its arguments.
    pub program: Program,
    /// Folder to run in.
    pub cwd: PathBuf,
    /// Time after which it is ended.
    pub timeout: Duration,
    /// Bytes of output kept in memory: the first third and the last two thirds of a longer output.
    pub max_output_bytes: usize,
    /// File that receives the whole output when it is longer than that; created private, must not exist.
    pub spill: Option<PathBuf>,
}

/// What is started.
#[derive(Debug, Clone)]
pub enum Program {
    /// `bash --noprofile --norc -c TEXT`.
    Shell(String),
    /// A program and its arguments, without a shell.
    Argv(Vec<String>),
}

impl Program {
    fn argv(&self) -> Vec<String> {
        match self {
            // `--`, because a text that starts with a dash is not meant as an option of bash.
            Self::Shell(text) => ["bash", "--noprofile", "--norc", "-c", "--", text].map(str::to_owned).to_vec(),
            Self::Argv(argv) => argv.clone(),
        }
    }
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// By itself, with this code.
    Exited(i32),
    /// By this signal.
    Signalled(i32),
    /// Its time was up.
    TimedOut,
    /// It was cancelled.
    Cancelled,
}

/// What a command did.
#[derive(Debug, Clone)]
pub struct Output {
    /// How it ended.
    pub ending: Ending,
    /// Standard output and error in the order they came, clipped in the middle, control sequences removed.
    pub text: String,
    /// Bytes it printed in all.
    pub total_bytes: u64,
    /// Where the whole output is, when it is longer than wanted and a spill file was asked for. Raw bytes.
    pub spilled: Option<PathBuf>,
    /// Processes it left running, which were ended.
    pub n_leftovers: usize,
    /// How long it ran.
    pub duration: Duration,
    /// What it asked of the network, where it may reach some of it.
    pub network: Log,
}

/// What a program printed for mimi itself to read.
#[derive(Debug, Clone)]
pub struct QuietOutput {
    /// How it ended.
    pub ending: Ending,
    /// Standard output as it came, at most 16 MiB.
    pub stdout: Vec<u8>,
    /// Whether there was more; the program was ended then.
    pub is_cut: bool,
    /// Standard error, at most 64 KiB.
    pub stderr: String,
}

/// Why a command could not be started.
#[derive(Debug, thiserror::Error)]
pub enum ExecError {
    /// The supervisor or program cannot be started.
    #[error("cannot start `{program}`")]
    Start {
        /// The program.
        program: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// There is no sandbox for the command, and it was not started.
    #[error("the command was not started, because it cannot be confined: {why}")]
    Unconfined {
        /// Why.
        why: String,
    },
    /// The folder to run in is missing or closed to us.
    #[error("cannot run in the folder `{folder}`")]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl Explain for ExecError {
    fn kind(&self) -> Kind {
        match self {
            Self::Unconfined { .. } => Kind::Sandbox,
            Self::Start { .. } | Self::Folder { .. } => Kind::Check,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Start { program, source } => match source.kind() {
                io::ErrorKind::NotFound => vec![format!("install it, or add its folder to PATH: command -v {program}")],
                io::ErrorKind::ArgumentListTooLong => {
                    vec!["put the long text into a file and name the file".to_owned()]
                }
                io::ErrorKind::WouldBlock => vec!["too many processes: ulimit -u".to_owned()],
                _ => vec![format!("ls -l $(command -v {program})")],
            },
            Self::Unconfined { .. } => vec!["mimi sandbox probe".to_owned()],
            Self::Folder { folder, .. } => vec![format!("ls -ld {}", folder.display())],
        }
    }
}

impl ExecError {
    /// Says why there was no sandbox, in the words that came where errors of the command would.
    fn because(self, words: impl FnOnce() -> String) -> Self {
        match self {
            Self::Unconfined { .. } => {
                let words = crate::base::text::visible(words().trim()).into_owned();
                let why = if words.is_empty() { "its supervisor said nothing".to_owned() } else { words };
                Self::Unconfined { why }
            }
            other => other,
        }
    }
}

/// Starts commands. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Runner {
    /// The mimi binary, which is its own supervisor.
    pub supervisor: PathBuf,
    /// The environment commands get: built from an allow-list by `environment::clean`.
    pub environment: Arc<Vec<(String, String)>>,
    /// What confines commands; none where nothing does.
    pub sandbox: Option<Arc<Sandbox>>,
    /// What commands reach of the network where the sandbox gives them one of their own; none: nothing.
    pub network: Option<Arc<Network>>,
}

/// Why a command is not waited for any longer.
enum Stop {
    Over(Option<Report>),
    Cut(Ending),
}

impl Runner {
    /// Prepares to start commands with `environment` below `supervisor`. Nothing confines them yet: [`Self::within`].
    pub fn new(supervisor: PathBuf, environment: Vec<(String, String)>) -> Self {
        Self { supervisor, environment: Arc::new(environment), sandbox: None, network: None }
    }

    /// Returns a runner whose commands are confined, where the tier does confine.
    #[must_use]
    pub fn within(&self, sandbox: Sandbox) -> Self {
        Self { sandbox: sandbox.tier.confines().then(|| Arc::new(sandbox)), ..self.clone() }
    }

    /// Returns a runner whose commands reach these hosts, where the sandbox can hold them to it.
    #[must_use]
    pub fn reaching(&self, network: Option<Arc<Network>>) -> Self {
        let is_held = self.sandbox.as_ref().is_some_and(|sandbox| sandbox.tier == Tier::Full);
        let network = network.filter(|network| is_held && !network.allowed.is_empty());
        let doors = network.as_ref().map(|network| network.allowed.doors()).unwrap_or_default();
        Self { network, ..self.changed(|sandbox| sandbox.doors = doors) }
    }

    /// Returns a runner whose commands may change this much.
    #[must_use]
    pub fn with_access(&self, access: Access) -> Self {
        self.changed(|sandbox| sandbox.access = access)
    }

    /// Returns a runner whose commands may read this too.
    #[must_use]
    pub fn with_readable(&self, path: &Path) -> Self {
        self.changed(|sandbox| sandbox.readable.push(path.to_path_buf()))
    }

    /// Returns what goes to the supervisor before a confined command, for whoever starts one by themselves; none without a
    /// sandbox.
    pub fn order(&self) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        let order = Order::new(self.sandbox.as_ref()?, &self.environment);
        order.write(&mut bytes).ok().map(|()| bytes)
    }

    fn changed(&self, change: impl FnOnce(&mut Sandbox)) -> Self {
        let sandbox = self.sandbox.as_deref().cloned().map(|mut sandbox| {
            change(&mut sandbox);
            Arc::new(sandbox)
        });
        Self { sandbox, ..self.clone() }
    }

    /// Returns a runner whose commands also see `extra`, which replaces variables of the same name.
    #[must_use]
    pub fn with_environment(&self, extra: &[(&str, &str)]) -> Self {
        let is_kept = |name: &str| extra.iter().all(|(replaced, _)| *replaced != name);
        let kept = self.environment.iter().filter(|(name, _)| is_kept(name)).cloned();
        let added = extra.iter().map(|&(name, value)| (name.to_owned(), value.to_owned()));
        Self { environment: Arc::new(kept.chain(added).collect()), ..self.clone() }
    }

    /// Runs `command` to its end; `progress` receives what it prints, with losses when nobody keeps up.
    ///
    /// Dropping the future ends the command too.
    pub async fn run(
        &self,
        command: Command,
        cancel: CancellationToken,
        progress: Option<mpsc::Sender<String>>,
    ) -> Result<Output, ExecError> {
        self.run_seen(command, cancel, progress, &SoFar::default()).await
    }

    /// Runs `command` as [`Self::run`] does; what it printed so far can be looked at through `so_far` until it ends.
    pub async fn run_seen(
        &self,
        command: Command,
        cancel: CancellationToken,
        progress: Option<mpsc::Sender<String>>,
        so_far: &SoFar,
    ) -> Result<Output, ExecError> {
        let argv = command.program.argv();
        let program = argv.first().cloned().unwrap_or_default();
        let started_at = Instant::now();
        let failed = |source| ExecError::Start { program: program.clone(), source };
        // One pipe for both keeps the order of what was printed.
        let (reader, writer) = io::pipe().map_err(failed)?;
        let output = [writer.try_clone().map_err(failed)?.into(), writer.into()];
        let mut lifeline = Lifeline::start(self, &argv, &command.cwd, output)?;
        let reading = Reading::start(reader, Capture::new(&command, progress)).map_err(failed)?;
        so_far.watch(Some(reading.peep()));
        let stop = tokio::select! {
            report = lifeline.report() => Stop::Over(report),
            () = cancel.cancelled() => Stop::Cut(Ending::Cancelled),
            () = tokio::time::sleep(command.timeout) => Stop::Cut(Ending::TimedOut),
        };
        let network = lifeline.network_log();
        let settled = settle(lifeline, stop, &program).await;
        so_far.watch(None);
        let capture = reading.finish(DRAIN).await;
        let mut capture = capture.unwrap_or_else(|| Capture::new(&command, None));
        let (ending, n_leftovers) = settled.map_err(|error| error.because(|| capture.text()))?;
        Ok(Output {
            ending,
            text: capture.text(),
            total_bytes: capture.total_bytes(),
            spilled: capture.spilled().map(Path::to_path_buf),
            n_leftovers,
            duration: started_at.elapsed(),
            network,
        })
    }

    /// Runs a program for its standard output, bytes unchanged. Dropping the future ends it.
    pub async fn run_quiet(&self, argv: &[String], cwd: &Path, timeout: Duration) -> Result<QuietOutput, ExecError> {
        let program = argv.first().cloned().unwrap_or_default();
        let failed = |source| ExecError::Start { program: program.clone(), source };
        let (stdout, out) = pipe_into(Prefix::new(QUIET_STDOUT_BYTES)).map_err(failed)?;
        let (stderr, err) = pipe_into(Prefix::new(QUIET_STDERR_BYTES)).map_err(failed)?;
        // What mimi asks for itself needs nobody.
        let mut lifeline = Lifeline::start(&self.reaching(None), argv, cwd, [out, err])?;
        let stop = tokio::select! {
            report = lifeline.report() => Stop::Over(report),
            () = tokio::time::sleep(timeout) => Stop::Cut(Ending::TimedOut),
        };
        let settled = settle(lifeline, stop, &program).await;
        let stdout = stdout.finish(DRAIN).await.unwrap_or_else(|| Prefix::new(0));
        let stderr = stderr.finish(DRAIN).await.unwrap_or_else(|| Prefix::new(0));
        let stderr = String::from_utf8_lossy(&stderr.bytes).into_owned();
        let (ending, _) = settled.map_err(|error| error.because(|| stderr.clone()))?;
        Ok(QuietOutput { ending, is_cut: stdout.is_cut, stdout: stdout.bytes, stderr })
    }
}

fn pipe_into<S: Sink>(sink: S) -> io::Result<(Reading<S>, OwnedFd)> {
    let (reader, writer) = io::pipe()?;
    Ok((Reading::start(reader, sink)?, writer.into()))
}

/// Ends what is to be ended and returns how it ended, with the number of processes left over.
async fn settle(lifeline: Lifeline, stop: Stop, program: &str) -> Result<(Ending, usize), ExecError> {
    let report = match stop {
        Stop::Over(report) => report,
        Stop::Cut(ending) => {
            lifeline.cut().await;
            return Ok((ending, 0));
        }
    };
    let n_leftovers = report.map_or(0, |report| report.n_leftovers);
    match lifeline.bury(report).await {
        Verdict::Exited(code) => Ok((Ending::Exited(code), n_leftovers)),
        Verdict::Signalled(signal) => Ok((Ending::Signalled(signal), n_leftovers)),
        Verdict::Unconfined => Err(ExecError::Unconfined { why: String::new() }),
        Verdict::NotStarted(errno) => {
            let source = io::Error::from_raw_os_error(errno);
            Err(ExecError::Start { program: program.to_owned(), source })
        }
    }
}
