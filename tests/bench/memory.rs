//! How much memory does a session take, and does a long one keep growing?

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use crate::Measured;
use crate::server::{Server, Turn, edit_file, read_file};
use crate::user::{Memory, User, memory, mib};

/// Turns of the long session.
const N_TURNS: usize = 300;
/// The turn from which growth is counted: by then everything that is made once has been made.
const FIRST: usize = 5;

/// Measures the peak of a run that reads, changes, reads again and answers.
pub fn four_turns() -> Result<Measured, String> {
    let user = project(1)?;
    let server = Server::start(|number| match number {
        0 | 2 => read_file("file_0.txt"),
        1 => edit_file("file_0.txt", "file 0 line 3\n", "file 0 line three\n"),
        _ => Turn::Say("done"),
    })
    .map_err(|error| error.to_string())?;
    let ended = user.run_task(&server.url, "change line 3", |_| {}).map_err(|error| error.to_string())?;
    let n_requests = server.exchanges().len();
    if n_requests != 4 || !ended.is_success {
        return Err(format!("{n_requests} requests instead of 4: {}", ended.stderr.trim()));
    }
    Ok(Measured { value: mib(ended.peak_bytes), detail: "4 requests".to_owned() })
}

/// Measures how much more a session holds at its 300th turn than at its first ones.
///
/// Looked at while mimi waits for the answer, when what a turn needs only for itself is freed again.
pub fn growth() -> Result<Measured, String> {
    let user = project(N_TURNS)?;
    let pid = Arc::new(AtomicU32::new(0));
    let (first, last) = (Arc::new(OnceLock::new()), Arc::new(AtomicU64::new(0)));
    let server = {
        let (pid, first, last) = (Arc::clone(&pid), Arc::clone(&first), Arc::clone(&last));
        let look = move || memory(pid.load(Ordering::SeqCst), Memory::Now).unwrap_or_default();
        Server::start(move |number| {
            if number == FIRST {
                first.get_or_init(&look);
            }
            if number >= N_TURNS {
                last.store(look(), Ordering::SeqCst);
                return Turn::Say("done");
            }
            read_file(&format!("file_{number}.txt"))
        })
        .map_err(|error| error.to_string())?
    };
    let ended = user.run_task(&server.url, "read every file", |id| pid.store(id, Ordering::SeqCst));
    let ended = ended.map_err(|error| error.to_string())?;
    let (n_requests, last) = (server.exchanges().len(), last.load(Ordering::SeqCst));
    let Some(first) = first.get().copied().filter(|first| *first > 0 && last > 0) else {
        return Err(format!("{n_requests} requests instead of {}: {}", N_TURNS + 1, ended.stderr.trim()));
    };
    let detail = format!("from {:.1} MiB; peak {:.1} MiB; {n_requests} requests", mib(first), mib(ended.peak_bytes));
    Ok(Measured { value: mib(last) - mib(first), detail })
}

/// Makes a project of small files.
fn project(n_files: usize) -> Result<User, String> {
    let make = || {
        let user = User::new("ada", "project")?;
        for file in 0..n_files {
            let lines: String = (0..20).map(|line| format!("file {file} line {line}\n")).collect();
            user.write(&format!("file_{file}.txt"), &lines)?;
        }
        Ok(user)
    };
    make().map_err(|error: std::io::Error| error.to_string())
}
