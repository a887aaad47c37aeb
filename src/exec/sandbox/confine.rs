//! How does the supervisor put the walls up, and take down what it needed for them?
//!
//! Outside of the walls, with the user's own rights: it prepares masks and temporary folders, starts the inner supervisor
//! (`inside`) below bubblewrap or by itself, waits, and tidies up. The inner one holds the lifeline and reports. A line of
//! ours follows its report in any case, so that mimi learns of a sandbox that never came to be.

use std::fs::File;
use std::io::{Seek as _, Write as _};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::exec::sandbox::masks::Masks;
use crate::exec::sandbox::temporary::Temporary;
use crate::exec::sandbox::view::View;
use crate::exec::sandbox::{Access, Sandbox, Tier, bwrap, inside};

/// A command that is ready to start, and what is to be taken down after it.
pub(crate) struct Confined {
    /// The inner supervisor, below whatever confines it.
    pub(crate) command: Command,
    /// Files in memory whose numbers stand in its arguments.
    _handed_over: Vec<OwnedFd>,
    _masks: Option<Masks>,
    _temporary: Option<Temporary>,
}

/// Prepares to run `argv` in the present folder as `sandbox` says; programs and toolchains are looked for in `places`.
///
/// # Errors
/// The walls cannot be put up; the text says why, for the user.
pub(crate) fn prepare(sandbox: &Sandbox, places: &[PathBuf], argv: &[std::ffi::OsString]) -> Result<Confined, String> {
    let say = |what: &'static str| move |error: std::io::Error| format!("{what}: {error}");
    let own = std::env::current_exe().map_err(say("cannot find the mimi binary"))?;
    let cwd = std::env::current_dir().map_err(say("the folder to run in is gone"))?;
    // Entered before anybody looks which names are missing: the masks of others must not go meanwhile.
    let is_work = sandbox.access != Access::Read;
    let workspace = sandbox.workspace.canonicalize().unwrap_or_else(|_| sandbox.workspace.clone());
    let mut masks = is_work.then(|| Masks::enter(&sandbox.locks, &workspace)).flatten();
    let mut view = View::of(sandbox, places)?;
    let is_around_home = view.home.as_ref().is_some_and(|home| home.starts_with(&cwd));
    if !view.is_covered(&cwd) && !is_around_home && cwd.parent().is_some() {
        view.read.push(cwd.clone());
    }
    match sandbox.tier {
        Tier::Full => {
            match &mut masks {
                Some(masks) => masks.put(&view.absent).map_err(say("cannot protect missing names"))?,
                None => view.absent.clear(),
            }
            in_namespaces(sandbox, &view, &Start { own, cwd, argv }).map(|ready| Confined { _masks: masks, ..ready })
        }
        _ => within_walls(sandbox, &view, &Start { own, cwd, argv }),
    }
}

/// What is to be started.
struct Start<'a> {
    own: PathBuf,
    cwd: PathBuf,
    argv: &'a [std::ffi::OsString],
}

#[expect(clippy::disallowed_methods, reason = "this room starts processes")]
fn in_namespaces(sandbox: &Sandbox, view: &View, start: &Start<'_>) -> Result<Confined, String> {
    let program = sandbox.bwrap.as_ref().ok_or("no bubblewrap is named")?;
    let failed = |error: std::io::Error| format!("cannot hand over arguments: {error}");
    let walls = sandbox.has_walls.then(|| walls(view)).transpose().map_err(failed)?;
    let walls_at = walls.as_ref().map(|file| file.as_raw_fd());
    let arguments = bwrap::joined(&bwrap::arguments(sandbox, view, &start.own, &start.cwd, walls_at));
    let file = in_memory("mimi-bwrap", &arguments).map_err(failed)?;
    let mut command = Command::new(program);
    command.arg("--args").arg(file.as_raw_fd().to_string()).arg("--").arg(bwrap::INSIDE);
    command.args(inside::arguments(sandbox, None)).arg("--").args(start.argv).process_group(0);
    let handed_over = std::iter::once(file).chain(walls).collect();
    Ok(Confined { command, _handed_over: handed_over, _masks: None, _temporary: None })
}

/// Writes down what may be changed, for the second wall.
fn walls(view: &View) -> std::io::Result<OwnedFd> {
    let may_change: Vec<&Path> = view.write.iter().chain(&view.home).map(PathBuf::as_path).collect();
    in_memory("mimi-walls", &serde_json::to_vec(&may_change)?)
}

#[expect(clippy::disallowed_methods, reason = "this room starts processes")]
fn within_walls(sandbox: &Sandbox, view: &View, start: &Start<'_>) -> Result<Confined, String> {
    let failed = |error: std::io::Error| format!("cannot prepare the sandbox: {error}");
    let temporary = Temporary::below(&std::env::temp_dir()).map_err(failed)?;
    let walls = serde_json::to_vec(&(view, temporary.path())).map_err(|error| failed(error.into()))?;
    let file = in_memory("mimi-view", &walls).map_err(failed)?;
    let mut command = Command::new(&start.own);
    command.args(inside::arguments(sandbox, Some(file.as_raw_fd()))).arg("--").args(start.argv).process_group(0);
    command.env("TMPDIR", temporary.path());
    Ok(Confined { command, _handed_over: vec![file], _masks: None, _temporary: Some(temporary) })
}

/// Writes bytes to a file in memory that a child inherits under the same number.
fn in_memory(name: &str, bytes: &[u8]) -> std::io::Result<OwnedFd> {
    let mut file = File::from(memory_file(name)?);
    file.write_all(bytes)?;
    file.rewind()?;
    Ok(file.into())
}

#[cfg(target_os = "linux")]
fn memory_file(name: &str) -> std::io::Result<OwnedFd> {
    // Without CLOEXEC, on purpose: the only programs started from here are the ones meant to have it.
    Ok(rustix::fs::memfd_create(name, rustix::fs::MemfdFlags::empty())?)
}

#[cfg(not(target_os = "linux"))]
fn memory_file(_name: &str) -> std::io::Result<OwnedFd> {
    Err(std::io::ErrorKind::Unsupported.into())
}

/// Says why there is no sandbox where the command's own errors go.
pub(crate) fn complain(why: &str) {
    // Nobody reads it when mimi is gone.
    drop(writeln!(std::io::stderr(), "{why}"));
}

/// Reads what was handed over under a number.
pub(crate) fn handed_over<T: serde::de::DeserializeOwned>(number: &str) -> std::io::Result<T> {
    let is_number = number.bytes().all(|byte| byte.is_ascii_digit());
    let path = Path::new("/proc/self/fd").join(if is_number { number } else { "-" });
    Ok(serde_json::from_slice(&std::fs::read(path)?)?)
}
