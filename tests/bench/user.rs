//! Who runs mimi in a measurement, and how much memory did it take?
//!
//! A [`User`] has a home and a project of their own and an environment built from nothing, so that nothing of this
//! machine's settings is measured.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

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

    /// Writes a file of the project.
    pub fn write(&self, path: &str, text: &str) -> io::Result<()> {
        std::fs::write(self.project.join(path), text)
    }

    /// Runs `mimi run TASK` against a server to its end; `started` learns the process id.
    pub fn run_task(&self, server_url: &str, task: &str, started: impl FnOnce(u32)) -> io::Result<Ended> {
        let stderr_path = self.home.join("stderr");
        let child = self
            .command(Path::new(PROGRAM))
            .args(["run", "--mode", "auto", task])
            .env("MIMI_SERVER_URL", server_url)
            // Limits would end the long sessions.
            .env("MIMI_AGENT_MAX_STEPS", "1000")
            .env("MIMI_MODEL_WINDOW_TOKENS", "1000000")
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(&stderr_path)?)
            .spawn()?;
        started(child.id());
        let (is_success, peak_bytes) = watch(child)?;
        Ok(Ended { peak_bytes, stderr: std::fs::read_to_string(stderr_path)?, is_success })
    }

    /// Prepares a program in the project, with nothing in the environment but what every login has.
    pub fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.env_clear().current_dir(&self.project).stdin(Stdio::null());
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", &self.home).env("USER", &self.name).env("LANG", "C.UTF-8").env("NO_COLOR", "1");
        command.env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent");
        command
    }
}

/// Waits for a process while looking at its memory; returns whether it succeeded, and its peak.
fn watch(mut child: Child) -> io::Result<(bool, u64)> {
    let deadline = Instant::now() + LIMIT;
    let mut peak_bytes = 0;
    loop {
        peak_bytes = peak_bytes.max(memory(child.id(), Memory::Peak).unwrap_or_default());
        if let Some(status) = child.try_wait()? {
            return Ok((status.success(), peak_bytes));
        }
        if Instant::now() > deadline {
            child.kill()?;
            child.wait()?;
            return Err(io::Error::new(io::ErrorKind::TimedOut, format!("still running after {LIMIT:?}")));
        }
        std::thread::sleep(SAMPLE_EVERY);
    }
}

/// A figure the kernel keeps of a process.
#[derive(Clone, Copy)]
pub enum Memory {
    /// What it holds now.
    Now,
    /// The most it ever held.
    Peak,
}

/// Reads a process's memory in bytes; none once it has ended.
pub fn memory(pid: u32, which: Memory) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let name = match which {
        Memory::Now => "VmRSS:",
        Memory::Peak => "VmHWM:",
    };
    let line = status.lines().find(|line| line.starts_with(name))?;
    // The kernel always says kB and means 1024 bytes.
    line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kib| kib * 1024)
}

/// Shows bytes as the tables do.
pub fn mib(bytes: u64) -> f64 {
    bytes as f64 / (1024.0 * 1024.0)
}
