//! How much time does mimi add to a turn: from the end of one answer to the next request on the wire?
//!
//! Reading the call, checking it, policy, the file itself, the journal on disk, and building the next request.

use std::io::Write as _;
use std::path::Path;
use std::time::Instant;

use crate::server::{Server, Turn, edit_file, read_file, shell_true};
use crate::user::User;
use crate::{Measured, Unit, spread};

/// Calls of each kind in the run that is measured.
const N_CALLS: usize = 40;
/// A file of usual length.
const N_LINES: usize = 200;
const FILE: &str = "notes.txt";

/// Measures calls that read a file.
pub fn read_call() -> Result<Measured, String> {
    gaps(|n| read_file(&format!("part_{}.txt", n % 8)))
}

/// Measures calls that change one line of a file; beside it one sync of this disk, of which such a call takes four.
pub fn edit_call() -> Result<Measured, String> {
    let sync = spread(syncs().map_err(|error| error.to_string())?, Unit::Milliseconds)?;
    let own = gaps(|n| edit_file(FILE, &format!("line {n} is old\n"), &format!("line {n} is new\n")))?;
    Ok(Measured { detail: format!("{}; one sync {:.2} ms", own.detail, sync.value), value: own.value })
}

fn syncs() -> std::io::Result<Vec<f64>> {
    let mut file = tempfile::tempfile()?;
    let mut sync = || {
        file.write_all(FILE.as_bytes())?;
        let started = Instant::now();
        file.sync_data()?;
        Ok(started.elapsed().as_secs_f64() * 1000.0)
    };
    (0..N_CALLS).map(|_| sync()).collect()
}

/// Measures calls that run a command which does nothing: bash, and the supervisor that ends what it leaves running.
pub fn shell_call() -> Result<Measured, String> {
    let user = User::new("ada", "project").map_err(|error| error.to_string())?;
    let mut floor = Vec::new();
    for _ in 0..N_CALLS {
        let started = Instant::now();
        let status = user.command(Path::new("bash")).args(["--noprofile", "--norc", "-c", "true"]).status();
        floor.push(started.elapsed().as_secs_f64() * 1000.0);
        status.map_err(|error| error.to_string())?;
    }
    let (bash, own) = (spread(floor, Unit::Milliseconds)?, gaps(|_| shell_true())?);
    Ok(Measured { detail: format!("{}; bash alone {:.2} ms", own.detail, bash.value), value: own.value })
}

fn gaps(call: fn(usize) -> Turn) -> Result<Measured, String> {
    let user = project()?;
    let server = Server::start(move |number| match number {
        // A file must have been read before it is changed, and the first turn opens files and caches.
        0 => read_file(FILE),
        1..=N_CALLS => call(number - 1),
        _ => Turn::Say("done".to_owned()),
    })
    .map_err(|error| error.to_string())?;
    let ended = user.run_task(&server.url, "work through the notes", |_| {}).map_err(|error| error.to_string())?;
    let exchanges = server.exchanges();
    if exchanges.len() != N_CALLS + 2 {
        return Err(format!("{} requests instead of {}: {}", exchanges.len(), N_CALLS + 2, ended.stderr.trim()));
    }
    if let Some(broken) = exchanges.iter().find_map(|exchange| failed_call(&exchange.body)) {
        return Err(format!("a call failed: {broken}"));
    }
    // The gap after a call belongs to it; the first call is warm-up.
    let pairs = exchanges[1..].windows(2);
    let gaps = pairs.map(|pair| pair[1].arrived_at.saturating_duration_since(pair[0].answered_at));
    spread(gaps.map(|gap| gap.as_secs_f64() * 1000.0).collect(), Unit::Milliseconds)
}

/// Returns the result of the last call in a request when it says that the call did not work, which would be quicker than
/// a call that does.
fn failed_call(body: &[u8]) -> Option<String> {
    let request: serde_json::Value = serde_json::from_slice(body).ok()?;
    let last = request.get("messages")?.as_array()?.last()?;
    let text = last.get("content")?.as_str()?;
    let is_failure =
        ["error", "denied", "refused", "not in the file", "wrong arguments"].iter().any(|word| text.contains(word));
    (last.get("role")? == "tool" && is_failure).then(|| text.chars().take(200).collect())
}

/// Makes a project with one file to change and some to read.
fn project() -> Result<User, String> {
    let lines = |word: &str| (0..N_LINES).map(|n| format!("line {n} is {word}\n")).collect::<String>();
    let make = || {
        let user = User::new("ada", "project")?;
        user.write(FILE, &lines("old"))?;
        (0..8).try_for_each(|n| user.write(&format!("part_{n}.txt"), &lines("here")))?;
        Ok(user)
    };
    make().map_err(|error: std::io::Error| error.to_string())
}
