//! How does a test act on a program while it runs: read part of its output, send it a signal, kill it?
//!
//! Reading blocks, so a watchdog ends a program that says nothing for too long; the test then fails on what is missing.

use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use crate::support::{LIMIT, Run};

/// A running program. Dropping it kills it with all it started.
pub struct Live {
    child: Child,
    stdout: BufReader<ChildStdout>,
    stderr: PathBuf,
    read: Vec<u8>,
    _watchdog: Sender<()>,
}

impl Run<'_> {
    /// Starts it without waiting for its end; nothing to read for it, standard error goes to a file of the home.
    pub fn start(self) -> Live {
        let stderr = self.env.home().join("stderr");
        let mut child = Command::new(&self.program)
            .args(&self.arguments)
            .env_clear()
            .envs(&self.vars)
            .current_dir(&self.cwd)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(&stderr).unwrap())
            .process_group(0)
            .spawn()
            .unwrap();
        let stdout = BufReader::with_capacity(64, child.stdout.take().unwrap());
        let (pid, limit) = (Pid::from_child(&child), self.limit);
        let (watchdog, ended) = channel::<()>();
        std::thread::spawn(move || {
            if ended.recv_timeout(limit) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
                let _ = kill_process_group(pid, Signal::KILL);
            }
        });
        Live { child, stdout, stderr, read: Vec::new(), _watchdog: watchdog }
    }
}

impl Live {
    /// Reads so many bytes of its output; fewer when it ends before, or when it says `last`, after which nothing comes.
    pub fn read_bytes(&mut self, n_bytes: usize, last: &str) {
        let is_last = |read: &[u8]| {
            let line = read.split(|byte| *byte == b'\n').rev().nth(1).unwrap_or_default();
            read.ends_with(b"\n") && String::from_utf8_lossy(line).contains(last)
        };
        while self.read.len() < n_bytes && !is_last(&self.read) {
            let mut line = Vec::new();
            let missing = (n_bytes - self.read.len()) as u64;
            if (&mut self.stdout).take(missing).read_until(b'\n', &mut line).unwrap() == 0 {
                return;
            }
            self.read.extend(line);
        }
    }

    /// Reads until a line of its output contains `text`.
    #[track_caller]
    pub fn wait_for(&mut self, text: &str) -> &mut Self {
        loop {
            let mut line = Vec::new();
            let n_bytes = self.stdout.read_until(b'\n', &mut line).unwrap();
            self.read.extend(&line);
            if String::from_utf8_lossy(&line).contains(text) {
                return self;
            }
            assert!(n_bytes > 0, "`{text}` never came; it said:\n{}\n{}", self.output(), self.stderr());
        }
    }

    /// Sends it a signal, and only it.
    pub fn signal(&self, signal: Signal) -> &Self {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
        self
    }

    /// Kills it, and only it, and reads what it had printed before.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.stdout.read_to_end(&mut self.read).unwrap();
    }

    /// Waits for its end; returns its exit code and the time that took.
    pub fn wait_exit(&mut self) -> (i32, Duration) {
        let since = Instant::now();
        self.stdout.read_to_end(&mut self.read).unwrap();
        let status = self.child.wait().unwrap();
        (status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or_default()), since.elapsed())
    }

    /// Returns what it printed so far.
    pub fn output(&self) -> String {
        String::from_utf8_lossy(&self.read).into_owned()
    }

    /// Returns what it printed so far on standard error.
    pub fn stderr(&self) -> String {
        std::fs::read_to_string(&self.stderr).unwrap_or_default()
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        let _ = kill_process_group(Pid::from_child(&self.child), Signal::KILL);
        drop(self.child.wait());
    }
}

/// Returns the command lines of living processes whose environment names `folder`, such as the home of one user.
pub fn processes_of(folder: &Path) -> Vec<String> {
    let mark = format!("={}", folder.display());
    crate::exec::marked(&mark)
}

/// Fails when processes of `folder` are still there after `time`.
#[track_caller]
pub fn assert_nobody_left(folder: &Path, time: Duration) {
    let deadline = Instant::now() + time;
    loop {
        let left = processes_of(folder);
        if left.is_empty() {
            return;
        }
        assert!(Instant::now() < deadline, "left: {left:?}");
        std::thread::yield_now();
    }
}

/// How long a program may take before a test gives it up.
pub const PATIENCE: Duration = LIMIT;
