//! Which permissions do new files get: mimi's own, and the user's?
//!
//! mimi's own are for its user alone, whatever the umask was at the start: from then on it is 077, which holds for every file
//! of every library in this process. Files in the user's project, and all that commands make, get what the user's own umask
//! gives: other people and servers work with them.

use std::fs::File;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::OnceLock;

use rustix::fs::Mode;

/// What is taken away from everything mimi makes for itself.
const PRIVATE: u32 = 0o077;
/// A usual umask, where the system does not tell it.
const USUAL: u32 = 0o022;

static USERS: OnceLock<u32> = OnceLock::new();

/// Makes everything new private from now on and remembers what the user's umask was. To be called once, before anything is
/// made.
pub fn make_private() {
    let before = rustix::process::umask(Mode::from_raw_mode(PRIVATE)).as_raw_mode();
    // A second call finds our own.
    let _: Result<(), u32> = USERS.set(before & 0o777);
}

/// Takes this umask over: for a process that runs somebody else's programs.
pub fn take_over(users: u32) {
    rustix::process::umask(Mode::from_raw_mode(users & 0o777));
}

/// Returns the umask of whoever started mimi.
pub fn of_user() -> u32 {
    *USERS.get_or_init(|| {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("Umask:"));
        line.and_then(|mask| u32::from_str_radix(mask.trim(), 8).ok()).unwrap_or(USUAL)
    })
}

/// Gives a new file of the user's the permissions their umask leaves of `mode`.
pub fn apply(file: &File, mode: u32) -> io::Result<()> {
    file.set_permissions(std::fs::Permissions::from_mode(mode & !of_user()))
}

/// Creates the missing folders of a path of the user's, with the permissions their umask leaves.
pub fn create_dirs(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        create_dirs(parent)?;
    }
    match std::fs::create_dir(path) {
        Ok(()) => std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o777 & !of_user())),
        // Somebody else was quicker, which is as good.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        Err(error) => Err(error),
    }
}
