//! What does a small piece of work take in all, from starting mimi to its end?
//!
//! A run of four turns: read, edit, run, answer. The model's own time is nothing here, so what is left is mimi's.

use crate::process::{cpu_of_ended, mib};
use crate::server::{Server, Turn, edit_file, read_file, shell_true};
use crate::user::{Ended, User};
use crate::{Measured, Unit, spread};

/// Runs that are measured, after one that fills the page cache.
const N_RUNS: usize = 20;

/// Measures how long a run takes.
pub fn wall() -> Result<Measured, String> {
    let walls = runs()?.iter().map(|ended| ended.wall.as_secs_f64() * 1000.0).collect();
    spread(walls, Unit::Milliseconds)
}

/// Measures the processor time of a run, commands included.
pub fn cpu() -> Result<Measured, String> {
    let before = cpu_of_ended();
    let n_runs = (0..N_RUNS).map(|_| four_turns()).collect::<Result<Vec<_>, _>>()?.len();
    let spent = cpu_of_ended().zip(before).map(|(after, before)| after.saturating_sub(before)).ok_or("no /proc")?;
    Ok(Measured { value: spent.as_secs_f64() * 1000.0 / n_runs as f64, detail: format!("mean of {n_runs}") })
}

/// Measures the most memory a run holds at once.
pub fn peak() -> Result<Measured, String> {
    let peaks = runs()?.iter().map(|ended| mib(ended.peak_bytes)).collect();
    spread(peaks, Unit::MiB)
}

fn runs() -> Result<Vec<Ended>, String> {
    (0..=N_RUNS).map(|_| four_turns()).skip(1).collect()
}

fn four_turns() -> Result<Ended, String> {
    let user = User::new("ada", "project").map_err(|error| error.to_string())?;
    let lines: String = (0..200).map(|line| format!("line {line}\n")).collect();
    user.write("notes.txt", &lines).map_err(|error| error.to_string())?;
    let server = Server::start(|number| match number {
        0 => read_file("notes.txt"),
        1 => edit_file("notes.txt", "line 3\n", "line three\n"),
        2 => shell_true(),
        _ => Turn::Say("done".to_owned()),
    })
    .map_err(|error| error.to_string())?;
    let ended = user.run_task(&server.url, "change line 3", |_| {}).map_err(|error| error.to_string())?;
    let n_requests = server.exchanges().len();
    if n_requests != 4 || !ended.is_success {
        return Err(format!("{n_requests} requests instead of 4: {}", ended.stderr.trim()));
    }
    Ok(ended)
}
