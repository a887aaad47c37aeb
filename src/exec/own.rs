//! What can others learn from mimi's own process and files?
//!
//! It holds keys in its memory. No core is written when it dies, and no other process of this user may look into it, which
//! covers `/proc/PID/environ` and `/proc/PID/mem`. Both are given up by `exec`, so that what mimi starts is as usual. Under a
//! debugger that was there before, the second is left alone: it has seen everything already. Files it makes are its user's alone.

use rustix::process::{Resource, Rlimit, setrlimit};

use crate::base::umask;

/// Closes this process. To be called first thing.
pub fn close() {
    umask::make_private();
    // A limit that cannot be lowered is low already.
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    #[cfg(target_os = "linux")]
    if !is_traced() {
        let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
    }
}

#[cfg(target_os = "linux")]
fn is_traced() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().find_map(|line| line.strip_prefix("TracerPid:")).is_some_and(|pid| pid.trim() != "0")
}
