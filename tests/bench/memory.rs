//! Does a long run keep growing?
//!
//! `chat` asks the same of a conversation.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use crate::Measured;
use crate::process::{Memory, memory, mib};
use crate::server::{Server, Turn, read_file};
use crate::user::User;

/// Turns of the long session.
const N_TURNS: usize = 300;
/// Lines of a file: all of them together are some 200,000 tokens, which is the window of a large model.
const N_LINES: usize = 100;
/// The turn from which growth is counted: by then everything that is made once has been made.
const FIRST: usize = 5;

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
                return Turn::Say("done".to_owned());
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

/// Makes a project of files.
fn project(n_files: usize) -> Result<User, String> {
    let make = || {
        let user = User::new("ada", "project")?;
        for file in 0..n_files {
            let lines: String = (0..N_LINES).map(|line| format!("file {file} line {line}\n")).collect();
            user.write(&format!("file_{file}.txt"), &lines)?;
        }
        Ok(user)
    };
    make().map_err(|error: std::io::Error| error.to_string())
}
