//! How does a test run the real program as a user would, and read what came out?
//!
//! An [`Env`] is one user on one machine: a home and a workspace of its own, an environment built from nothing, and no
//! model server unless the test names one. Nothing of the machine the tests run on shows through, except `PATH`.
#![allow(dead_code, reason = "a harness offers more than each day's tests need")]

pub mod live;
pub mod ollama;
pub mod prefix;
pub mod pty;
pub mod report;
pub mod tls;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
pub mod trace;
pub mod wire;

use std::collections::BTreeMap;
use std::fmt;
use std::io::{Read, Write as _};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use regex::Regex;

/// The program under test.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_mimi");
/// A run that is not over by then hangs; far more than any command needs on a busy machine.
pub const LIMIT: Duration = Duration::from_secs(30);

/// One user on one machine.
pub struct Env {
    home: PathBuf,
    work: PathBuf,
    vars: BTreeMap<String, String>,
    // Last, because dropping it deletes the folders.
    _root: tempfile::TempDir,
}

/// Says whether this machine gives any sandbox. Where it gives none, such as in a container that forbids namespaces and
/// Landlock, programs run without one: all but the tests of the sandbox itself are about something else.
pub fn machine_confines() -> bool {
    static CONFINES: LazyLock<bool> = LazyLock::new(|| {
        let home = tempfile::tempdir().unwrap();
        let mut probe = std::process::Command::new(env!("CARGO_BIN_EXE_mimi"));
        probe.args(["sandbox", "probe"]).current_dir(home.path()).env("HOME", home.path());
        let confines = probe.output().unwrap().status.success();
        if !confines {
            eprintln!("this machine gives no sandbox: programs under test run without one");
        }
        confines
    });
    *CONFINES
}

impl Env {
    /// Makes a home and an empty workspace.
    pub fn new() -> Self {
        let root = tempfile::Builder::new().prefix("mimi-test-").tempdir().unwrap();
        // Canonical, so that what mimi prints is what the test expects.
        let folder = root.path().canonicalize().unwrap();
        let (home, work, tmp) = (folder.join("home"), folder.join("work"), folder.join("tmp"));
        for path in [&home, &work, &tmp] {
            std::fs::create_dir(path).unwrap();
        }
        let mut vars = BTreeMap::new();
        let fixed = [
            ("PATH", std::env::var("PATH").unwrap()),
            ("HOME", home.display().to_string()),
            ("TMPDIR", tmp.display().to_string()),
            ("USER", "tester".to_owned()),
            ("SHELL", "/bin/bash".to_owned()),
            ("LANG", "C.UTF-8".to_owned()),
            ("TZ", "UTC".to_owned()),
            ("NO_COLOR", "1".to_owned()),
            ("TERM", "xterm-256color".to_owned()),
            // Nobody listens there: a test that names no server must not find one that happens to run on this machine.
            ("MIMI_SERVER_URL", "http://127.0.0.1:1/v1".to_owned()),
            // No keyring of the person who runs the tests.
            ("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent".to_owned()),
            ("GIT_CONFIG_GLOBAL", "/dev/null".to_owned()),
            ("GIT_CONFIG_NOSYSTEM", "1".to_owned()),
            ("GIT_AUTHOR_NAME", "Tester".to_owned()),
            ("GIT_AUTHOR_EMAIL", "tester@example.org".to_owned()),
            ("GIT_AUTHOR_DATE", "2026-01-01T00:00:00Z".to_owned()),
            ("GIT_COMMITTER_NAME", "Tester".to_owned()),
            ("GIT_COMMITTER_EMAIL", "tester@example.org".to_owned()),
            ("GIT_COMMITTER_DATE", "2026-01-01T00:00:00Z".to_owned()),
        ];
        vars.extend(fixed.map(|(name, value)| (name.to_owned(), value)));
        if !machine_confines() {
            vars.insert("MIMI_SANDBOX_TIER".to_owned(), "none".to_owned());
        }
        Self { home, work, vars, _root: root }
    }

    /// Returns the home folder.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// Returns the workspace, where commands run.
    pub fn work(&self) -> &Path {
        &self.work
    }

    /// Returns the environment of commands, for a test that starts one by itself.
    pub fn vars(&self) -> &BTreeMap<String, String> {
        &self.vars
    }

    /// Sets an environment variable for every later command.
    pub fn set(&mut self, name: &str, value: impl Into<String>) -> &mut Self {
        self.vars.insert(name.to_owned(), value.into());
        self
    }

    /// Writes a file of the workspace, and its folders; an absolute path is taken as it is.
    pub fn write(&self, path: impl AsRef<Path>, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.work.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Writes a file of the home folder, and its folders.
    pub fn write_home(&self, path: impl AsRef<Path>, text: impl AsRef<[u8]>) -> PathBuf {
        self.write(self.home.join(path), text)
    }

    /// Reads a file of the workspace.
    pub fn read(&self, path: impl AsRef<Path>) -> String {
        let path = self.work.join(path);
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()))
    }

    /// Makes the workspace a git repository and commits what is in it.
    pub fn git_init(&self) {
        self.git(["init", "--quiet", "--initial-branch=main"]);
        self.git(["add", "--all"]);
        self.git(["commit", "--quiet", "--allow-empty", "--message=start"]);
    }

    /// Runs git in the workspace and returns what it printed; fails when git does.
    pub fn git<const N: usize>(&self, arguments: [&str; N]) -> String {
        let outcome = self.program("git", arguments).outcome();
        assert_eq!(outcome.code, 0, "git {arguments:?}: {outcome}");
        outcome.raw_stdout
    }

    /// Prepares a run of mimi in the workspace.
    pub fn run<I: IntoIterator<Item: Into<String>>>(&self, arguments: I) -> Run<'_> {
        self.program(PROGRAM, arguments)
    }

    /// Prepares a run of another program with the same environment.
    pub fn program<I: IntoIterator<Item: Into<String>>>(&self, program: &str, arguments: I) -> Run<'_> {
        Run {
            env: self,
            program: program.to_owned(),
            arguments: arguments.into_iter().map(Into::into).collect(),
            stdin: Vec::new(),
            vars: self.vars.clone(),
            cwd: self.work.clone(),
            limit: LIMIT,
        }
    }

    /// Replaces what differs from run to run: folders, ids, times, durations and ports.
    pub fn normalise(&self, text: &str) -> String {
        static VARYING: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
            let rows = [
                (r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "[ID]"),
                (r"\b\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?Z?", "[TIME]"),
                (r"\b(\d+m\d{2}s|\d+(\.\d+)?(ms|s))\b", "[TIME]"),
                (r"\b(127\.0\.0\.1|localhost):\d{4,5}\b", "$1:[PORT]"),
            ];
            rows.map(|(pattern, name)| (Regex::new(pattern).unwrap(), name)).into()
        });
        let text =
            text.replace(&*self.work.to_string_lossy(), "[WORK]").replace(&*self.home.to_string_lossy(), "[HOME]");
        VARYING.iter().fold(text, |text, (pattern, name)| pattern.replace_all(&text, *name).into_owned())
    }
}

/// A run that is prepared and not yet started.
pub struct Run<'e> {
    env: &'e Env,
    program: String,
    arguments: Vec<String>,
    stdin: Vec<u8>,
    vars: BTreeMap<String, String>,
    cwd: PathBuf,
    limit: Duration,
}

impl Run<'_> {
    /// Gives it this to read; nothing otherwise.
    #[must_use]
    pub fn stdin(mut self, text: impl AsRef<[u8]>) -> Self {
        self.stdin = text.as_ref().to_vec();
        self
    }

    /// Sets an environment variable for this run.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl Into<String>) -> Self {
        self.vars.insert(name.to_owned(), value.into());
        self
    }

    /// Removes an environment variable for this run.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.vars.remove(name);
        self
    }

    /// Runs in a folder of the workspace, or in an absolute one.
    #[must_use]
    pub fn cwd(mut self, folder: impl AsRef<Path>) -> Self {
        self.cwd.push(folder);
        self
    }

    /// Changes the time after which it counts as hanging.
    #[must_use]
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Starts it and waits for its end. A run that hangs is killed with all it started, and fails the test.
    pub fn outcome(self) -> Outcome {
        let deadline = Instant::now() + self.limit;
        let mut child = Command::new(&self.program)
            .args(&self.arguments)
            .env_clear()
            .envs(&self.vars)
            .current_dir(&self.cwd)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {}: {error}", self.program));
        let group = rustix::process::Pid::from_child(&child);
        let mut stdin = child.stdin.take().unwrap();
        // A program that ends without reading closes the pipe under us, which is its right.
        std::thread::spawn(move || stdin.write_all(&self.stdin));
        let (stdout, stderr) = (drain(child.stdout.take().unwrap()), drain(child.stderr.take().unwrap()));
        let (report_end, ended) = channel();
        std::thread::spawn(move || report_end.send(child.wait()));
        let left = || deadline.saturating_duration_since(Instant::now());
        let status = ended.recv_timeout(left());
        // Waiting for the pipes too finds processes that outlive the run and hold on to its output.
        let (all_stdout, all_stderr) = (collect(&stdout, left()), collect(&stderr, left()));
        let shown = format!("{} {:?}", self.program, self.arguments);
        let (Ok(status), Some(raw_stdout), Some(raw_stderr)) = (status, all_stdout, all_stderr) else {
            // It may have gone by itself meanwhile, which is as good.
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
            panic!("hung for {:?}: {shown}; what it printed is lost in its pipes", self.limit);
        };
        let status = status.unwrap();
        let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or_default());
        Outcome {
            stdout: self.env.normalise(&raw_stdout),
            stderr: self.env.normalise(&raw_stderr),
            code,
            raw_stdout,
            raw_stderr,
        }
    }
}

/// Reads a pipe to its end on a thread of its own, so that a full pipe never blocks the program.
fn drain(mut pipe: impl Read + Send + 'static) -> Receiver<Vec<u8>> {
    let (done, receiver) = channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        // What came before a broken pipe still counts.
        drop(pipe.read_to_end(&mut bytes));
        done.send(bytes)
    });
    receiver
}

fn collect(pipe: &Receiver<Vec<u8>>, limit: Duration) -> Option<String> {
    pipe.recv_timeout(limit).ok().map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

/// What a run did. Printed whole, it is what snapshots compare.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Standard output, normalised.
    pub stdout: String,
    /// Standard error, normalised.
    pub stderr: String,
    /// The exit code; 128 and the signal's number when a signal ended it.
    pub code: i32,
    /// Standard output byte for byte.
    pub raw_stdout: String,
    /// Standard error byte for byte.
    pub raw_stderr: String,
}

impl Outcome {
    /// Fails unless it succeeded; returns itself for more checks.
    #[track_caller]
    pub fn success(self) -> Self {
        self.fails_with(0)
    }

    /// Fails unless it ended with this code; returns itself for more checks.
    #[track_caller]
    pub fn fails_with(self, code: i32) -> Self {
        assert_eq!(self.code, code, "\n{self}");
        self
    }

    /// Reads standard output as JSON lines, not normalised.
    #[track_caller]
    pub fn json_lines(&self) -> Vec<serde_json::Value> {
        let parse = |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        self.raw_stdout.lines().map(parse).collect()
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.stdout)?;
        if !self.stderr.is_empty() {
            write!(out, "------- stderr -------\n{}", self.stderr)?;
        }
        if self.code != 0 {
            write!(out, "[exit code: {}]", self.code)?;
        }
        Ok(())
    }
}

#[test]
fn a_run_sees_its_own_machine_only() {
    let mut env = Env::new();
    env.set("KEPT", "yes");
    let script = "pwd; echo $HOME; env | grep -c ^CARGO; echo $KEPT $MORE; cat; echo took 1.5s and 2m05s >&2; exit 3";
    let outcome = env.program("bash", ["-c", script]).stdin("read\n").env("MORE", "too").outcome();
    assert_eq!(
        outcome.to_string(),
        "[WORK]\n[HOME]\n0\nyes too\nread\n------- stderr -------\ntook [TIME] and [TIME]\n[exit code: 3]"
    );
}

#[test]
fn what_varies_is_normalised() {
    let env = Env::new();
    let table = [
        ("id 0198c2a4-1111-7222-8333-444455556666.", "id [ID]."),
        ("at 2026-01-31T12:00:00Z in 0.4s, 12ms", "at [TIME] in [TIME], [TIME]"),
        ("http://127.0.0.1:41234/v1", "http://127.0.0.1:[PORT]/v1"),
        ("5 files, sha256s, v1.2", "5 files, sha256s, v1.2"),
    ];
    for (raw, expected) in table {
        assert_eq!(env.normalise(raw), expected);
    }
}

#[test]
fn a_hanging_run_is_killed_with_all_it_started() {
    let env = Env::new();
    let pid_file = env.work().join("pid");
    let script = "sleep 600 & echo $! > pid; wait";
    let run = || env.program("bash", ["-c", script]).limit(Duration::from_secs(1)).outcome();
    let failed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)).unwrap_err();
    assert!(failed.downcast_ref::<String>().unwrap().contains("hung for"));
    let child: i32 = std::fs::read_to_string(pid_file).unwrap().trim().parse().unwrap();
    // Killed at once, though its parent may take a moment to notice: a dead process has no command line any more.
    let deadline = Instant::now() + LIMIT;
    while std::fs::read(format!("/proc/{child}/cmdline")).is_ok_and(|line| !line.is_empty()) {
        assert!(Instant::now() < deadline, "process {child} survived");
        std::thread::yield_now();
    }
}
