//! Who ends what a command started, even when mimi is killed?
//!
//! mimi re-executes itself as `mimi __supervise --umask=22 -- PROGRAM ARGS...`; with `--confined` before the dashes an order follows on
//! the lifeline, and the command is started below an inner supervisor in a `sandbox`. Standard input is a socket whose other end only mimi
//! holds: its end of file means that mimi cancelled or died, and the report goes back through it. The command gets `/dev/null`.
//! A session of its own takes away the terminal, so opening `/dev/tty` fails at once instead of waiting for a password; a
//! child subreaper keeps daemons below us. Must stay small: no runtime, no configuration, two threads that only wait.

use std::ffi::OsString;
use std::io::{Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitOptions, WaitStatus};

use crate::base::umask;
use crate::exec::report::{Report, Verdict};
use crate::exec::sandbox::{Order, confine, inside};
use crate::exec::tree;

/// First argument that turns mimi into a supervisor.
pub const ARGUMENT: &str = "__supervise";

/// Second argument when an order for a sandbox waits on the lifeline.
pub(crate) const CONFINED: &str = "--confined";

/// Begins the word that says which permissions what the command makes does not get, in octal.
pub(crate) const UMASK: &str = "--umask=";

/// Time in which processes that outlive the command may end by themselves: `> >(tee log)` needs a moment to write, more of it on a busy machine.
const SETTLE: Duration = Duration::from_millis(150);
/// Time between SIGTERM and SIGKILL after the command ended by itself.
const GRACE_ENDED: Duration = Duration::from_millis(50);
/// The same after mimi cancelled: long enough to remove a lock file, short enough to be gone within 200 ms.
const GRACE_CANCELLED: Duration = Duration::from_millis(100);
/// Pause between two rounds of SIGKILL.
const KILL_PAUSE: Duration = Duration::from_millis(5);
/// Time after which processes that survive SIGKILL are given up: they hang in the kernel or belong to another user.
const GIVE_UP: Duration = Duration::from_secs(1);

/// Runs as a supervisor when the arguments (program name included) say so; otherwise returns none at once.
///
/// To be called first thing in `main`: before the terminal, the configuration and the runtime.
#[expect(clippy::disallowed_methods, reason = "this room starts processes")]
pub fn main_if_supervisor(args: impl Iterator<Item = OsString>) -> Option<ExitCode> {
    let mut args = args.skip(1).peekable();
    match args.next()? {
        word if word == ARGUMENT => {}
        word if word == inside::ARGUMENT => return Some(inside::run(args)),
        _ => return None,
    }
    // Whoever started mimi may have left something open; it is not the command's.
    #[cfg(target_os = "linux")]
    close_fds::set_fds_cloexec(3, &[]);
    // Its own session takes the terminal away. Fails only for a group leader, which mimi's children are not.
    let _ = rustix::process::setsid();
    if let Some(word) = args.next_if(|arg| arg.as_encoded_bytes().starts_with(UMASK.as_bytes())) {
        let mask = word.to_str().and_then(|word| u32::from_str_radix(word.strip_prefix(UMASK)?, 8).ok());
        mask.into_iter().for_each(umask::take_over);
    }
    let is_confined = args.next_if(|arg| arg == CONFINED).is_some();
    let mut args = args.skip_while(|arg| arg == "--");
    let Some(program) = args.next() else { return Some(ExitCode::from(2)) };
    let done = if is_confined {
        confine(&std::iter::once(program).chain(args).collect::<Vec<_>>())
    } else {
        let mut command = Command::new(program);
        command.args(args);
        supervise(command)
    };
    Some(if done.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Starts the inner supervisor, which holds the lifeline and reports, and waits for its end. What is said here counts only
/// when it said nothing.
fn confine(argv: &[OsString]) -> std::io::Result<()> {
    let mut lifeline = UnixStream::from(std::io::stdin().as_fd().try_clone_to_owned()?);
    shield()?;
    let order = Order::read(&lifeline)?;
    let verdict = match confine::prepare(&order, argv) {
        Err(why) => {
            confine::complain(&why);
            Verdict::Unconfined
        }
        Ok(mut confined) => match confined.command.status() {
            Err(error) => {
                confine::complain(&format!("cannot start the sandbox: {error}"));
                Verdict::Unconfined
            }
            Ok(status) => {
                // The command may have killed its supervisor, which is no way out.
                sweep();
                killed_by(status).map_or(Verdict::Unconfined, Verdict::Signalled)
            }
        },
    };
    // Fails when mimi is dead; then nobody needs it.
    drop(lifeline.write_all(Report { verdict, n_leftovers: 0 }.to_string().as_bytes()));
    Ok(())
}

/// Returns the signal that ended the inner supervisor, also as bubblewrap tells it.
fn killed_by(status: std::process::ExitStatus) -> Option<i32> {
    let told = status.code().filter(|code| (129..=192).contains(code)).map(|code| code - 128);
    status.signal().or(told)
}

/// Kills whatever has become ours because the inner supervisor is gone.
fn sweep() {
    let give_up_at = Instant::now() + GIVE_UP;
    let own = std::process::id() as i32;
    while Instant::now() < give_up_at {
        let left = tree::descendants(own);
        if left.is_empty() {
            return;
        }
        tree::kill(&left, own);
        // Reaps what is dead already, so that its children become ours.
        while matches!(rustix::process::wait(WaitOptions::NOHANG), Ok(Some(_))) {}
        std::thread::sleep(KILL_PAUSE);
    }
}

/// What the two waiting threads tell the main one.
enum Note {
    /// The other end of the lifeline is closed.
    LifelineCut,
    /// A child of ours ended; orphans become our children.
    Ended(Pid, WaitStatus),
    /// No descendant is left.
    NobodyLeft,
}

/// Runs the command and everything below it to its end, and reports on the lifeline.
pub(crate) fn supervise(mut command: Command) -> std::io::Result<()> {
    let mut lifeline = UnixStream::from(std::io::stdin().as_fd().try_clone_to_owned()?);
    shield()?;
    // The threads exist before the command does: with the user's process limit reached there would be none to watch it.
    let (start_reaping, inbox) = listen(lifeline.try_clone()?)?;
    // Its own group, so that `kill 0` in a script ends the script and not us.
    let report = match command.stdin(Stdio::null()).process_group(0).spawn() {
        Ok(child) => {
            drop(start_reaping);
            watch(&child, inbox)
        }
        Err(error) => Report { verdict: Verdict::NotStarted(error.raw_os_error().unwrap_or_default()), n_leftovers: 0 },
    };
    // Fails when mimi is dead; then nobody needs it.
    drop(lifeline.write_all(report.to_string().as_bytes()));
    Ok(())
}

/// Adopts orphans, and survives signals that were meant for the command (`pkill -f` finds us too).
///
/// A caught signal is back to its default in the programs we start; an ignored one would stay ignored there.
fn shield() -> std::io::Result<()> {
    use signal_hook::consts::{SIGALRM, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};
    #[cfg(target_os = "linux")]
    rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?;
    for signal in [SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGALRM, SIGUSR1, SIGUSR2] {
        signal_hook::flag::register(signal, Arc::new(AtomicBool::new(false)))?;
    }
    Ok(())
}

/// Starts the threads that wait. Children are reaped once the returned sender is dropped.
fn listen(lifeline: UnixStream) -> std::io::Result<(Sender<()>, Receiver<Note>)> {
    let (notes, inbox) = channel();
    let lifeline_notes = notes.clone();
    std::thread::Builder::new().spawn(move || wait_for_cut(lifeline, &lifeline_notes))?;
    let (start, started) = channel();
    std::thread::Builder::new().spawn(move || {
        let _: Result<(), _> = started.recv();
        reap(&notes);
    })?;
    Ok((start, inbox))
}

fn watch(child: &Child, inbox: Receiver<Note>) -> Report {
    let mut family = Family { command: child.id() as i32, verdict: None, is_gone: false, inbox };
    let n_leftovers = if family.command_ends() { family.end_leftovers() } else { family.end_all() };
    // Without a verdict the command hangs in the kernel; mimi has given it up as cancelled anyway.
    Report { verdict: family.verdict.unwrap_or(Verdict::Signalled(Signal::KILL.as_raw())), n_leftovers }
}

/// Waits for the end of file; mimi writes nothing on the lifeline.
fn wait_for_cut(mut lifeline: UnixStream, notes: &Sender<Note>) {
    let mut byte = [0];
    loop {
        match lifeline.read(&mut byte) {
            Ok(1..) => {}
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Ok(0) | Err(_) => break,
        }
    }
    drop(notes.send(Note::LifelineCut));
}

/// Reaps every child of ours until there is none, which is the one proof that nobody is left.
fn reap(notes: &Sender<Note>) {
    loop {
        match rustix::process::wait(WaitOptions::empty()) {
            Ok(Some((pid, status))) => {
                drop(notes.send(Note::Ended(pid, status)));
            }
            Ok(None) | Err(rustix::io::Errno::INTR) => {}
            Err(_) => break,
        }
    }
    drop(notes.send(Note::NobodyLeft));
}

/// The command and everything below it.
struct Family {
    command: i32,
    verdict: Option<Verdict>,
    is_gone: bool,
    inbox: Receiver<Note>,
}

impl Family {
    /// Waits until the command ends; says false when mimi cancelled or died before.
    fn command_ends(&mut self) -> bool {
        while self.verdict.is_none() {
            match self.inbox.recv() {
                Ok(Note::LifelineCut) | Err(_) => return false,
                Ok(note) => self.hear(&note),
            }
        }
        true
    }

    fn hear(&mut self, note: &Note) {
        match note {
            Note::Ended(pid, status) if pid.as_raw_nonzero().get() == self.command => {
                self.verdict = verdict(*status).or(self.verdict);
            }
            Note::NobodyLeft => self.is_gone = true,
            Note::Ended(..) | Note::LifelineCut => {}
        }
    }

    /// Ends what the command left running; returns how many there were.
    fn end_leftovers(&mut self) -> usize {
        self.wait(SETTLE);
        let leftovers = self.members();
        if !self.is_gone {
            self.end(&leftovers, GRACE_ENDED);
        }
        leftovers.len()
    }

    /// Ends the command and everything below it. None of it counts as left over.
    fn end_all(&mut self) -> usize {
        let members = self.members();
        self.end(&members, GRACE_CANCELLED);
        0
    }

    fn members(&self) -> Vec<tree::Process> {
        tree::descendants(std::process::id() as i32)
    }

    fn end(&mut self, members: &[tree::Process], grace: Duration) {
        for member in members {
            member.signal(Signal::TERM);
            // A stopped process acts on SIGTERM only once it continues.
            member.signal(Signal::CONT);
        }
        self.wait(grace);
        let give_up_at = Instant::now() + GIVE_UP;
        while !self.is_gone && Instant::now() < give_up_at {
            tree::kill(&self.members(), std::process::id() as i32);
            self.wait(KILL_PAUSE);
        }
    }

    /// Listens for up to `time`, less when nobody is left.
    fn wait(&mut self, time: Duration) {
        let until = Instant::now() + time;
        while !self.is_gone {
            match self.inbox.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(note) => self.hear(&note),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
            }
        }
    }
}

fn verdict(status: WaitStatus) -> Option<Verdict> {
    status.exit_status().map(Verdict::Exited).or_else(|| status.terminating_signal().map(Verdict::Signalled))
}
