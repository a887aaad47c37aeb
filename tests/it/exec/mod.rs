//! Do commands end, stay small and leave nothing behind, whatever they try?

mod ending;
mod flood;
#[cfg(target_os = "linux")]
mod sandbox;
mod survivors;
mod waiting;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use mimi::exec::environment;
use mimi::exec::run::{Command, ExecError, Output, Program, Runner};
use mimi::tools::ToolContext;
use mimi::workspace::Workspace;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// A folder, a runner, and a mark by which every process of theirs is found in `/proc`.
pub struct Bench {
    pub folder: tempfile::TempDir,
    pub runner: Runner,
    mark: String,
}

impl Bench {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mark = mimi::base::clock::new_id();
        let home = folder.path().display().to_string();
        let path = ("PATH".to_owned(), std::env::var("PATH").unwrap());
        let vars = [path, ("HOME".to_owned(), home), ("MIMI_TEST_MARK".to_owned(), mark.clone())];
        let environment = environment::clean(vars.into_iter(), &["MIMI_TEST_MARK".to_owned()]);
        Self { folder, runner: Runner::new(supervisor(), environment), mark }
    }

    pub fn command(&self, text: &str) -> Command {
        Command {
            program: Program::Shell(text.to_owned()),
            cwd: self.folder.path().to_path_buf(),
            timeout: Duration::from_secs(30),
            max_output_bytes: 10_000,
            spill: Some(self.spill()),
        }
    }

    pub fn spill(&self) -> PathBuf {
        self.folder.path().join("spill/out.txt")
    }

    pub async fn run(&self, text: &str) -> Output {
        self.try_run(self.command(text)).await.unwrap()
    }

    pub async fn try_run(&self, command: Command) -> Result<Output, ExecError> {
        self.runner.run(command, CancellationToken::new(), None).await
    }

    /// Fails when a process of ours is still there after `time`.
    pub fn assert_nobody_left(&self, time: Duration, what: &str) {
        let until = Instant::now() + time;
        while !marked(&self.mark).is_empty() {
            assert!(Instant::now() < until, "{what}: left {:?}", marked(&self.mark));
            std::thread::yield_now();
        }
    }

    /// Returns what a tool is given, in the folder `work` of ours.
    pub fn tool_context(&self) -> ToolContext {
        let work = self.folder.path().join("work");
        std::fs::create_dir_all(&work).unwrap();
        ToolContext {
            writer: mimi::edit::writer::Writer::new(mimi::base::pending::Pending::new(
                self.folder.path().join("pending"),
            )),
            workspace: Arc::new(Workspace::open(&work).unwrap()),
            runner: self.runner.clone(),
            spill_dir: self.folder.path().join("spill"),
            cache: self.folder.path().join("cache"),
            embedder: None,
            cancel: CancellationToken::new(),
            progress: mpsc::channel(64).0,
            so_far: mimi::exec::so_far::SoFar::default(),
            limits: mimi::tools::Limits::default(),
            may_hold_secrets: mimi::policy::path::is_secret,
        }
    }

    pub fn mark(&self) -> &str {
        &self.mark
    }
}

pub fn supervisor() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_mimi"))
}

/// Returns the command lines of processes with `mark` in their environment.
pub fn marked(mark: &str) -> Vec<String> {
    let is_marked = |folder: &Path| {
        let environ = std::fs::read(folder.join("environ")).unwrap_or_default();
        environ.windows(mark.len()).any(|window| window == mark.as_bytes())
    };
    let processes = std::fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path());
    let marked = processes.filter(|folder| is_marked(folder));
    marked
        .map(|folder| std::fs::read_to_string(folder.join("cmdline")).unwrap_or_default().replace('\0', " "))
        .collect()
}
