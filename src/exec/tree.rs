//! Which processes descend from a command, and how is one signalled without ever hitting a stranger?
//!
//! Process groups do not answer this: `setsid`, `nohup` and a double fork leave them. The supervisor is a child subreaper, so
//! whatever a command starts stays below it in `/proc`. A process id is only a number that comes round again; therefore a
//! signal goes through a pidfd, after the start time has been compared once more.

use std::collections::HashSet;
use std::path::Path;

use rustix::process::{Pid, PidfdFlags, Signal, kill_process, kill_process_group, pidfd_open, pidfd_send_signal};

/// What `/proc/PID/stat` says of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Process {
    pid: i32,
    parent: i32,
    group: i32,
    session: i32,
    /// Clock ticks after boot; with the id it names one process for ever.
    started_ticks: u64,
    /// Whether it has ended and only waits to be reaped.
    is_dead: bool,
}

impl Process {
    fn read(pid: i32) -> Option<Self> {
        Self::parse(pid, &std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
    }

    /// Reads the line by its last `)`, since the name before it may hold anything (see proc_pid_stat(5)).
    fn parse(pid: i32, stat: &str) -> Option<Self> {
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_ascii_whitespace().collect();
        let number = |at: usize| fields.get(at)?.parse::<i32>().ok();
        Some(Self {
            pid,
            parent: number(1)?,
            group: number(2)?,
            session: number(3)?,
            started_ticks: fields.get(19)?.parse().ok()?,
            is_dead: matches!(fields.first(), Some(&("Z" | "X"))),
        })
    }

    /// Sends `signal` if this is still the same process. One that is gone is no error, it is the aim.
    pub(crate) fn signal(&self, signal: Signal) {
        let Some(pid) = Pid::from_raw(self.pid) else { return };
        let handle = pidfd_open(pid, PidfdFlags::empty());
        let is_same = Self::read(self.pid).is_some_and(|now| now.started_ticks == self.started_ticks);
        if !is_same {
            return;
        }
        // Errors: it is gone, or it runs as somebody else (`sudo`) and nobody but root can end it.
        let _ = match handle {
            Ok(handle) => pidfd_send_signal(handle, signal),
            Err(_) => kill_process(pid, signal),
        };
    }
}

/// Returns the living descendants of process `root`, at the moment each was looked at.
pub(crate) fn descendants(root: i32) -> Vec<Process> {
    let has_children_files = Path::new(&format!("/proc/{root}/task/{root}/children")).exists();
    let found = if has_children_files { by_children(root) } else { by_parent(root, &everyone()) };
    found.into_iter().filter(|process| !process.is_dead).collect()
}

/// Returns the living processes of session `leader`, without the leader.
pub(crate) fn session_members(leader: i32) -> Vec<Process> {
    everyone().into_iter().filter(|p| p.session == leader && p.pid != leader && !p.is_dead).collect()
}

/// Kills `processes`, and their groups at once.
///
/// A group is killed in one step in the kernel, between two forks of its members, which wins against a fork bomb where
/// killing one by one would not. `own_group` is spared.
pub(crate) fn kill(processes: &[Process], own_group: i32) {
    let groups: HashSet<i32> = processes.iter().map(|p| p.group).filter(|&group| group != own_group).collect();
    for group in groups.into_iter().filter_map(Pid::from_raw) {
        let _ = kill_process_group(group, Signal::KILL);
    }
    for process in processes {
        process.signal(Signal::KILL);
    }
}

/// Walks `/proc/PID/task/TID/children`: cost grows with the tree and not with the machine, which may run thousands.
fn by_children(root: i32) -> Vec<Process> {
    let mut found = Vec::new();
    let mut next = vec![root];
    while let Some(pid) = next.pop() {
        for child in children(pid).into_iter().filter_map(Process::read) {
            next.push(child.pid);
            found.push(child);
        }
    }
    found
}

fn children(pid: i32) -> Vec<i32> {
    let Ok(threads) = std::fs::read_dir(format!("/proc/{pid}/task")) else { return Vec::new() };
    let lists = threads.flatten().filter_map(|thread| std::fs::read_to_string(thread.path().join("children")).ok());
    lists
        .flat_map(|list| list.split_ascii_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<_>>())
        .collect()
}

/// The same from the parents of everyone, for kernels built without `CONFIG_PROC_CHILDREN`.
fn by_parent(root: i32, everyone: &[Process]) -> Vec<Process> {
    let mut found = Vec::new();
    let mut next = vec![root];
    while let Some(pid) = next.pop() {
        for child in everyone.iter().filter(|process| process.parent == pid) {
            next.push(child.pid);
            found.push(*child);
        }
    }
    found
}

fn everyone() -> Vec<Process> {
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    entries.flatten().filter_map(|entry| Process::read(entry.file_name().to_str()?.parse().ok()?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_name_cannot_forge_its_line() {
        let stat = "7 (a) R 1 1 (b) c) S 3 4 5 0 -1 4194304 1 0 0 0 0 0 0 0 20 0 1 0 777 1 1";
        let process = Process::parse(7, stat).unwrap();
        assert_eq!((process.parent, process.group, process.session, process.started_ticks), (3, 4, 5, 777));
        assert_eq!(Process::parse(7, "7 (x"), None);
    }

    #[test]
    fn both_walks_find_the_same_tree() {
        let of = |pid, parent| Process { pid, parent, group: 1, session: 1, started_ticks: 1, is_dead: false };
        let everyone = [of(1, 0), of(2, 1), of(3, 2), of(4, 3), of(5, 1), of(6, 5)];
        let mut pids: Vec<i32> = by_parent(2, &everyone).iter().map(|process| process.pid).collect();
        pids.sort_unstable();
        assert_eq!(pids, [3, 4]);
    }

    #[test]
    fn a_recycled_id_is_not_signalled() {
        let mut stranger = Process::read(std::process::id() as i32).unwrap();
        stranger.started_ticks += 1;
        stranger.signal(Signal::KILL);
    }
}
