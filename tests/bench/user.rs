//! Who runs mimi in a measurement, and what did the run take?
//!
//! A [`User`] has a home and a project of their own and an environment built from nothing, so that nothing of this
//! machine's settings is measured.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::process::{Memory, memory};

/// The program as it ships.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_mimi");
/// A run that takes longer hangs.
const LIMIT: Duration = Duration::from_secs(120);
/// How often memory is looked at. The kernel keeps the peak itself, so only growth in the very last moment is lost.
const SAMPLE_EVERY: Duration = Duration::from_millis(1);

/// Somebody with a home and a project.
pub struct User {
    name: String,
    home: PathBuf,
    project: PathBuf,
    // Deletes the folders at the end.
    _root: tempfile::TempDir,
}

/// How a run went.
pub struct Ended {
    /// Most memory it held at once, shared pages included.
    pub peak_bytes: u64,
    /// From its start to its end.
    pub wall: Duration,
    /// What it printed on standard error.
    pub stderr: String,
    /// Whether it ended by itself with code 0.
    pub is_success: bool,
}

impl User {
    /// Makes a user called `name` whose project lies in `folder` below the home.
    pub fn new(name: &str, folder: &str) -> io::Result<Self> {
        let root = tempfile::Builder::new().prefix("mimi-bench-").tempdir()?;
        let home = root.path().canonicalize()?.join(name);
        let project = home.join(folder);
        std::fs::create_dir_all(&project)?;
        Ok(Self { name: name.to_owned(), home, project, _root: root })
    }

    /// Returns where this user's sessions are kept.
    pub fn sessions(&self) -> PathBuf {
        self.home.join(".local/state/mimi/sessions")
    }

    /// Returns the project.
    pub fn project(&self) -> &Path {
        &self.project
    }

    /// Writes a file of the project.
    pub fn write(&self, path: &str, text: &str) -> io::Result<()> {
        std::fs::write(self.project.join(path), text)
    }

    /// Runs `mimi run TASK` against a server to its end; `started` learns the process id.
    pub fn run_task(&self, server_url: &str, task: &str, started: impl FnOnce(u32)) -> io::Result<Ended> {
        let stderr_path = self.home.join("stderr");
        let mut command = self.command(Path::new(PROGRAM));
        command.args(["run", "--mode", "auto", "--allow", "shell:true", task]).env("MIMI_SERVER_URL", server_url);
        // Limits would end the long sessions.
        command.env("MIMI_AGENT_MAX_STEPS", "1000").env("MIMI_MODEL_WINDOW_TOKENS", "1000000");
        command.stdout(Stdio::null()).stderr(std::fs::File::create(&stderr_path)?);
        let started_at = Instant::now();
        let child = command.spawn()?;
        started(child.id());
        let ended = watch(child, started_at)?;
        Ok(Ended { stderr: std::fs::read_to_string(stderr_path)?, ..ended })
    }

    /// Prepares a program in the project, with nothing in the environment but what every login has.
    pub fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.env_clear().envs(self.environment()).current_dir(&self.project).stdin(Stdio::null());
        command
    }

    /// Returns what every login has in its environment, and nothing else.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        vec![
            ("PATH", std::env::var("PATH").unwrap_or_default()),
            ("HOME", self.home.display().to_string()),
            ("USER", self.name.clone()),
            ("LANG", "C.UTF-8".to_owned()),
            ("TERM", "xterm-256color".to_owned()),
            ("NO_COLOR", "1".to_owned()),
            ("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent".to_owned()),
        ]
    }
}

/// Waits for a process while looking at its memory; leaves what it printed empty.
pub fn watch(mut child: Child, started_at: Instant) -> io::Result<Ended> {
    let mut peak_bytes = 0;
    loop {
        peak_bytes = peak_bytes.max(memory(child.id(), Memory::Peak).unwrap_or_default());
        if let Some(status) = child.try_wait()? {
            let wall = started_at.elapsed();
            return Ok(Ended { peak_bytes, wall, stderr: String::new(), is_success: status.success() });
        }
        if started_at.elapsed() > LIMIT {
            child.kill()?;
            child.wait()?;
            return Err(io::Error::new(io::ErrorKind::TimedOut, format!("still running after {LIMIT:?}")));
        }
        std::thread::sleep(SAMPLE_EVERY);
    }
}
