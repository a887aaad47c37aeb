//! What happens inside, before the command starts?
//!
//! `mimi __inside TIER VIEW PROCESSES DOORS -- PROGRAM ARGS...`, started by the supervisor: gives up capabilities, sets limits,
//! puts up Landlock where there are no namespaces and the filter of system calls in any case, opens the doors of the network,
//! then supervises the command like any other. All of it while there is one thread only. When any of it fails nothing is
//! started.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::process::{Command, ExitCode};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::exec::sandbox::{Sandbox, Tier, confine};
use crate::exec::{doors, supervise};

/// First argument that turns mimi into the inner supervisor.
pub(crate) const ARGUMENT: &str = "__inside";

/// In place of a number where nothing is handed over.
const NOTHING: &str = "-";

/// Variables that send programs to the proxy. All of them speak HTTP to it: a client without SOCKS fails on such an address.
const PROXIED: [&str; 6] = ["http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"];
/// Besides them: what a command starts itself is reached without it, and Node reads the variables only when told to.
const UNPROXIED: [(&str, &str); 3] =
    [("no_proxy", "localhost,127.0.0.1,::1"), ("NO_PROXY", "localhost,127.0.0.1,::1"), ("NODE_USE_ENV_PROXY", "1")];

/// Returns the words before `--`.
pub(crate) fn arguments(sandbox: &Sandbox, view: Option<i32>) -> [String; 5] {
    let view = view.map_or_else(|| NOTHING.to_owned(), |number| number.to_string());
    let doors: Vec<String> = sandbox.doors.iter().map(ToString::to_string).collect();
    let doors = if doors.is_empty() { NOTHING.to_owned() } else { doors.join(",") };
    [ARGUMENT.to_owned(), sandbox.tier.name().to_owned(), view, sandbox.max_processes.to_string(), doors]
}

/// Runs with the words behind [`ARGUMENT`].
#[expect(clippy::disallowed_methods, reason = "this room starts processes")]
pub(crate) fn run(mut args: impl Iterator<Item = OsString>) -> ExitCode {
    let words: Vec<String> = args.by_ref().take(4).filter_map(|word| word.into_string().ok()).collect();
    let mut args = args.skip_while(|arg| arg == "--");
    let ([tier, view, processes, doors], Some(program)) = (words.as_slice(), args.next()) else {
        return ExitCode::from(2);
    };
    let tier = if tier == Tier::Full.name() { Tier::Full } else { Tier::Landlock };
    if let Err(why) = harden(tier, view, processes.parse().unwrap_or(0)) {
        confine::complain(&why);
        return ExitCode::FAILURE;
    }
    let mut command = Command::new(program);
    command.args(args);
    if let Err(why) = open(doors, &mut command) {
        confine::complain(&format!("the proxy cannot be reached from the sandbox: {why}"));
        return ExitCode::FAILURE;
    }
    if supervise::supervise(command).is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Opens the doors of the network and tells the command where the proxy is.
fn open(doors: &str, command: &mut Command) -> std::io::Result<()> {
    let wanted: Vec<SocketAddr> = doors.split(',').filter_map(|door| door.parse().ok()).collect();
    if wanted.is_empty() {
        return Ok(());
    }
    let proxy = format!("http://{}", doors::open(std::io::stdin(), &wanted)?);
    command.envs(PROXIED.map(|name| (name, proxy.as_str()))).envs(UNPROXIED);
    Ok(())
}

#[cfg(target_os = "linux")]
fn harden(tier: Tier, view: &str, max_processes: u64) -> Result<(), String> {
    use rustix::thread::{CapabilitySet, CapabilitySets, set_capabilities, set_no_new_privs};
    let refused = |error: rustix::io::Errno| format!("the sandbox cannot be put up: {error}");
    let walls = (view != NOTHING).then(|| confine::handed_over(view)).transpose();
    let walls: Option<(crate::exec::sandbox::view::View, std::path::PathBuf)> =
        walls.map_err(|error| format!("the sandbox cannot be read: {error}"))?;
    if tier == Tier::Landlock && walls.is_none() {
        return Err("the sandbox is not described".to_owned());
    }
    close_fds::set_fds_cloexec(3, &[]);
    set_no_new_privs(true).map_err(refused)?;
    let none = CapabilitySet::empty();
    set_capabilities(None, CapabilitySets { effective: none, permitted: none, inheritable: none }).map_err(refused)?;
    limit(tier, max_processes);
    let version = walls.map(|(view, temporary)| crate::exec::sandbox::landlock::restrict(&view, &temporary));
    crate::exec::sandbox::seccomp::apply(version.transpose()?)
}

#[cfg(not(target_os = "linux"))]
fn harden(_tier: Tier, _view: &str, _max_processes: u64) -> Result<(), String> {
    Err("the sandbox needs Linux".to_owned())
}

/// No core dumps, which hold what a program knew; and an end to fork bombs where processes are counted by themselves.
#[cfg(target_os = "linux")]
fn limit(tier: Tier, max_processes: u64) {
    let lower = |resource, to: u64| {
        let hard = getrlimit(resource).maximum.map_or(to, |hard| hard.min(to));
        // A limit that cannot be lowered is low already.
        let _ = setrlimit(resource, Rlimit { current: Some(hard), maximum: Some(hard) });
    };
    lower(Resource::Core, 0);
    if tier == Tier::Full && max_processes > 0 {
        lower(Resource::Nproc, max_processes);
    }
}
