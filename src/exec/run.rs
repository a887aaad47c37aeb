//! How is one command run, watched, cut short and reported?

use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

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
    /// File that receives the whole output when it is longer than that; created private.
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
    /// Where the whole output is, when `text` is clipped and a spill file was asked for.
    pub spilled: Option<PathBuf>,
    /// Processes it left running, which were ended.
    pub n_leftovers: usize,
    /// How long it ran.
    pub duration: Duration,
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
        source: std::io::Error,
    },
}

/// Starts commands. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Runner {
    /// The mimi binary, which is its own supervisor.
    pub supervisor: PathBuf,
    /// The environment commands get: built from an allow-list by `environment::clean`.
    pub environment: std::sync::Arc<Vec<(String, String)>>,
}

impl Runner {
    /// Runs `command` to its end; `progress` receives what it prints, with losses when nobody keeps up.
    pub async fn run(
        &self,
        command: Command,
        cancel: CancellationToken,
        progress: Option<mpsc::Sender<String>>,
    ) -> Result<Output, ExecError>;
}
