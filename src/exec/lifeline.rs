//! How does mimi hold a running command, so that letting go ends it?
//!
//! The other side of `supervise`: the supervisor waits on our end of a socket, and dropping a [`Lifeline`] closes it.
//! Must therefore not kill the supervisor on drop, which would leave nobody to end the command. Only when the supervisor
//! itself is dead or stuck does mimi search for what is left.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream as StdUnixStream;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncWriteExt as _, Interest};
use tokio::net::UnixStream;
use tokio::process::{Child, Command};

use crate::base::umask;
use crate::exec::proxy::Network;
use crate::exec::proxy::log::Log;
use crate::exec::proxy::serve::Serving;
use crate::exec::report::{Report, Verdict};
use crate::exec::run::{ExecError, Runner};
use crate::exec::sandbox::Order;
use crate::exec::{doors, supervise, tree};

/// Time the supervisor has to be gone once the command ended or the lifeline was cut.
const FAREWELL: Duration = Duration::from_millis(300);
/// Time spent on what a dead supervisor left.
const SWEEP: Duration = Duration::from_millis(200);
/// Pause between two rounds of it.
const SWEEP_PAUSE: Duration = Duration::from_millis(5);

/// A running supervisor and through it a running command.
pub(crate) struct Lifeline {
    socket: UnixStream,
    supervisor: Child,
    heard: Vec<u8>,
    network: Option<Arc<Network>>,
    serving: Option<Serving>,
}

impl Lifeline {
    /// Starts `argv` in `cwd` below a supervisor, its output going where `stdout` and `stderr` lead.
    pub(crate) fn start(runner: &Runner, argv: &[String], cwd: &Path, output: [OwnedFd; 2]) -> Result<Self, ExecError> {
        if argv.is_empty() {
            let source = io::Error::new(io::ErrorKind::InvalidInput, "the command is empty");
            return Err(ExecError::Start { program: String::new(), source });
        }
        // Asked first because starting in a missing folder fails with the same words as a missing program.
        std::fs::read_dir(cwd).map_err(|source| ExecError::Folder { folder: cwd.to_path_buf(), source })?;
        Self::spawn(runner, argv, cwd, output).map_err(|source| {
            // What cannot be found here is the supervisor; the program is looked for by it and its failure is reported.
            let is_supervisor = matches!(source.kind(), io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied);
            let supervisor = runner.supervisor.display().to_string();
            let program = if is_supervisor { supervisor } else { argv.first().cloned().unwrap_or_default() };
            ExecError::Start { program, source }
        })
    }

    #[expect(clippy::disallowed_methods, reason = "this room starts processes")]
    fn spawn(runner: &Runner, argv: &[String], cwd: &Path, output: [OwnedFd; 2]) -> io::Result<Self> {
        let (ours, theirs) = StdUnixStream::pair()?;
        if let Some(sandbox) = &runner.sandbox {
            Order::new(sandbox, &runner.environment).write(&ours)?;
        }
        ours.set_nonblocking(true)?;
        let [stdout, stderr] = output;
        let mut command = std::process::Command::new(&runner.supervisor);
        // The clean environment already here: a command can read its parent's in /proc.
        command.arg0("mimi").env_clear().envs(runner.environment.iter().map(|(name, value)| (name, value)));
        // Ours is narrower than what the user wants of their programs.
        command.arg(supervise::ARGUMENT).arg(format!("{}{:o}", supervise::UMASK, umask::of_user()));
        command.args(runner.sandbox.as_ref().map(|_| supervise::CONFINED));
        command.arg("--").args(argv).current_dir(cwd);
        command.stdin(OwnedFd::from(theirs)).stdout(Stdio::from(stdout)).stderr(Stdio::from(stderr));
        let supervisor = Command::from(command).spawn()?;
        Ok(Self {
            socket: UnixStream::from_std(ours)?,
            supervisor,
            heard: Vec::new(),
            network: runner.network.clone(),
            serving: None,
        })
    }

    /// Waits for the report; none when the supervisor died without one. May be dropped and called again.
    pub(crate) async fn report(&mut self) -> Option<Report> {
        while !self.heard.contains(&b'\n') {
            match self.hear().await {
                Ok(1..) => {}
                Ok(0) | Err(_) => break,
            }
        }
        Report::parse(&self.heard)
    }

    /// Reads what comes, and answers at the doors that come with it.
    async fn hear(&mut self) -> io::Result<usize> {
        let Self { socket, heard, .. } = self;
        let (n, doors) = socket.async_io(Interest::READABLE, || doors::receive(&*socket, heard)).await?;
        if let Some(network) = self.network.take_if(|_| !doors.is_empty()) {
            self.serving = Some(Serving::start(network, doors)?);
        }
        Ok(n)
    }

    /// Returns what the command asked of the network so far.
    pub(crate) fn network_log(&self) -> Log {
        self.serving.as_ref().map(Serving::log).unwrap_or_default()
    }

    /// Lets go: the supervisor ends the command. Returns when both are gone.
    pub(crate) async fn cut(mut self) {
        drop(self.socket.shutdown().await);
        let report = tokio::time::timeout(FAREWELL, self.report()).await.ok().flatten();
        self.bury(report).await;
    }

    /// Waits until the supervisor is gone and says how the command ended, given its `report`.
    pub(crate) async fn bury(mut self, report: Option<Report>) -> Verdict {
        if report.is_none() {
            self.sweep().await;
        }
        let status = match tokio::time::timeout(FAREWELL, self.supervisor.wait()).await {
            Ok(status) => status,
            Err(_) => {
                drop(self.supervisor.start_kill());
                self.supervisor.wait().await
            }
        };
        let killed_by = status.ok().and_then(|status| status.signal());
        // Without a report the supervisor was killed, and the command with it by `sweep`.
        report.map_or(Verdict::Signalled(killed_by.unwrap_or(9)), |report| report.verdict)
    }

    /// Kills the session of a supervisor that did not do its work.
    ///
    /// Its id names no other process meanwhile: it has not been waited for, so the number stays taken.
    async fn sweep(&mut self) {
        let Some(leader) = self.supervisor.id() else { return };
        drop(self.supervisor.start_kill());
        let until = Instant::now() + SWEEP;
        loop {
            let left = tree::session_members(leader as i32);
            if left.is_empty() || Instant::now() >= until {
                return;
            }
            tree::kill(&left, leader as i32);
            tokio::time::sleep(SWEEP_PAUSE).await;
        }
    }
}
