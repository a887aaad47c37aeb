//! Which addresses does a program hand to the kernel, and which programs does it start?
//!
//! Follows a run with `ptrace`, all its threads and children included, and notes the address of each `connect`, `sendto` and
//! `sendmsg`, and every program that one of them becomes: what no library, proxy variable or name server can hide. As strace
//! does, without needing it.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use nix::errno::Errno;
use nix::libc;
use nix::sys::ptrace::{self, Options};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use super::Run;

/// What a traced run did.
#[derive(Debug)]
pub struct Traced {
    /// Every internet address it named, whether anybody answered there or not.
    pub addresses: BTreeSet<SocketAddr>,
    /// Every program that was started, by the path the kernel knows it by, itself included.
    pub programs: BTreeSet<PathBuf>,
    /// The exit code.
    pub code: i32,
    /// Standard output and error.
    pub said: String,
}

/// Runs it to its end; none where the kernel does not let us trace (hardened containers).
#[expect(clippy::zombie_processes, reason = "the tracer waits for it")]
pub fn trace(run: &Run<'_>) -> Option<Traced> {
    let output = tempfile::NamedTempFile::new().unwrap();
    let writer = output.reopen().unwrap();
    // Waits for a line, so that it is watched before its first own instruction.
    let mut child = Command::new("/bin/sh")
        .args(["-c", "read go; exec \"$0\" \"$@\"", run.program.as_str()])
        .args(&run.arguments)
        .env_clear()
        .envs(&run.vars)
        .current_dir(&run.cwd)
        .stdin(Stdio::piped())
        .stdout(writer.try_clone().unwrap())
        .stderr(writer)
        .spawn()
        .unwrap();
    let pid = Pid::from_raw(child.id().cast_signed());
    let follow = Options::PTRACE_O_TRACECLONE | Options::PTRACE_O_TRACEFORK | Options::PTRACE_O_TRACEVFORK;
    let options = follow | Options::PTRACE_O_TRACEEXEC | Options::PTRACE_O_TRACESYSGOOD | Options::PTRACE_O_EXITKILL;
    if ptrace::seize(pid, options).is_err() {
        child.kill().unwrap();
        child.wait().unwrap();
        return None;
    }
    ptrace::interrupt(pid).unwrap();
    // What is left of the pipe after the line is the program's own input: nothing.
    child.stdin.take().unwrap().write_all(b"go\n").unwrap();
    let mut traced = follow_to_the_end(pid);
    traced.said = std::fs::read_to_string(output.path()).unwrap();
    Some(traced)
}

fn follow_to_the_end(main: Pid) -> Traced {
    let (mut addresses, mut programs, mut code) = (BTreeSet::new(), BTreeSet::new(), -1);
    // Only what this thread traces: other tests wait for children of their own.
    let own = WaitPidFlag::__WALL | WaitPidFlag::__WNOTHREAD;
    loop {
        let (pid, signal) = match waitpid(Pid::from_raw(-1), Some(own)) {
            Ok(WaitStatus::PtraceSyscall(pid)) => {
                addresses.extend(address_of_call(pid));
                (pid, None)
            }
            Ok(WaitStatus::PtraceEvent(pid, _, event)) => {
                if event == libc::PTRACE_EVENT_EXEC {
                    // What waited for the tracer became the program itself.
                    if pid == main {
                        programs.clear();
                    }
                    programs.extend(std::fs::read_link(format!("/proc/{pid}/exe")).ok());
                }
                (pid, None)
            }
            Ok(WaitStatus::Stopped(pid, signal)) => (pid, Some(signal)),
            Ok(WaitStatus::Exited(pid, ended)) => {
                code = if pid == main { ended } else { code };
                continue;
            }
            Ok(_) => continue,
            Err(Errno::ECHILD) => return Traced { addresses, programs, code, said: String::new() },
            Err(error) => panic!("cannot wait for what is traced: {error}"),
        };
        // It may have been killed meanwhile.
        match ptrace::syscall(pid, signal) {
            Ok(()) | Err(Errno::ESRCH) => {}
            Err(error) => panic!("cannot go on: {error}"),
        }
    }
}

/// Number and arguments of the system call a thread stopped at.
#[cfg(target_arch = "x86_64")]
fn registers(pid: Pid) -> Option<(i64, [u64; 6])> {
    let r = ptrace::getregs(pid).ok()?;
    Some((r.orig_rax.cast_signed(), [r.rdi, r.rsi, r.rdx, r.r10, r.r8, r.r9]))
}

/// Number and arguments of the system call a thread stopped at.
#[cfg(target_arch = "aarch64")]
fn registers(pid: Pid) -> Option<(i64, [u64; 6])> {
    let r = ptrace::getregs(pid).ok()?.regs;
    Some((r[8].cast_signed(), [r[0], r[1], r[2], r[3], r[4], r[5]]))
}

fn address_of_call(pid: Pid) -> Option<SocketAddr> {
    let (number, arguments) = registers(pid)?;
    let at = match number {
        libc::SYS_connect => arguments[1],
        libc::SYS_sendto => arguments[4],
        // The first field of a `msghdr`, and of the `mmsghdr` that begins with one, is the address.
        libc::SYS_sendmsg | libc::SYS_sendmmsg => word(pid, arguments[1])?,
        _ => return None,
    };
    if at == 0 { None } else { socket_address(&bytes(pid, at)) }
}

fn word(pid: Pid, at: u64) -> Option<u64> {
    let pointer = std::ptr::without_provenance_mut(usize::try_from(at).ok()?);
    ptrace::read(pid, pointer).ok().map(i64::cast_unsigned)
}

/// Reads as much of a `sockaddr` as there is, at most that of IPv6.
fn bytes(pid: Pid, at: u64) -> Vec<u8> {
    (0..4).map_while(|index| word(pid, at + index * 8)).flat_map(u64::to_ne_bytes).collect()
}

fn socket_address(bytes: &[u8]) -> Option<SocketAddr> {
    let family = i32::from(u16::from_ne_bytes(bytes.get(..2)?.try_into().ok()?));
    let port = u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?);
    let ip: IpAddr = match family {
        libc::AF_INET => Ipv4Addr::from(<[u8; 4]>::try_from(bytes.get(4..8)?).ok()?).into(),
        libc::AF_INET6 => Ipv6Addr::from(<[u8; 16]>::try_from(bytes.get(8..24)?).ok()?).into(),
        _ => return None,
    };
    Some(SocketAddr::new(ip, port))
}

/// A tracer that sees nothing would find every program innocent.
#[test]
fn a_connection_of_a_grandchild_is_seen() {
    let env = super::Env::new();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let script = format!("(bash -c 'exec 3<>/dev/tcp/127.0.0.1/{}'); echo done", address.port());
    if let Some(traced) = trace(&env.program("bash", ["-c", &script])) {
        assert_eq!((traced.code, traced.said.as_str()), (0, "done\n"));
        assert_eq!(traced.addresses, BTreeSet::from([address]));
        assert!(traced.programs.iter().any(|program| program.ends_with("bash")), "{:?}", traced.programs);
    }
}
