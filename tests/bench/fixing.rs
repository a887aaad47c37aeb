//! What does `mimi fix` itself take of a round, without the model and the checks?
//!
//! Rounds that change a file and leave the check red. A run of many rounds less one of a single round, each less what its checks
//! took as they report it, by the number of rounds. The model answers at once.

use std::path::Path;
use std::time::Instant;

use serde_json::Value;

use crate::server::{Server, Turn, edit_file, read_file};
use crate::user::{PROGRAM, User};
use crate::{Measured, Unit, spread};

/// Rounds of the longer run.
const N_ROUNDS: usize = 11;
/// Runs of each length.
const N_RUNS: usize = 5;

/// Measures the time a round takes.
pub fn round() -> Result<Measured, String> {
    let mut samples = Vec::new();
    for _ in 0..N_RUNS {
        samples.push((own_time(N_ROUNDS)? - own_time(1)?) / (N_ROUNDS - 1) as f64);
    }
    spread(samples, Unit::Milliseconds)
}

/// Returns the milliseconds a run takes besides its checks.
fn own_time(n_rounds: usize) -> Result<f64, String> {
    let user = User::new("ada", "project").map_err(|error| error.to_string())?;
    let lines: String = (0..200).map(|line| format!("line {line}\n")).collect();
    user.write("notes.txt", &lines).map_err(|error| error.to_string())?;
    for number in 0..300 {
        user.write(&format!("{number}.txt"), "some text\n").map_err(|error| error.to_string())?;
    }
    let server = Server::start(|number| match number % 3 {
        0 => read_file("notes.txt"),
        1 => edit_file("notes.txt", &format!("line {}\n", number / 3), &format!("row {}\n", number / 3)),
        _ => Turn::Say("done".to_owned()),
    })
    .map_err(|error| error.to_string())?;
    let started_at = Instant::now();
    let output = user
        .command(Path::new(PROGRAM))
        .args(["fix", "--json", "--test", "test -e never.txt", "--max-rounds", &n_rounds.to_string()])
        .env("MIMI_SERVER_URL", &server.url)
        .output()
        .map_err(|error| error.to_string())?;
    let wall_ms = started_at.elapsed().as_secs_f64() * 1000.0;
    let text = String::from_utf8_lossy(&output.stdout);
    let events: Vec<Value> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let checks: Vec<f64> = events
        .iter()
        .filter(|event| event["type"] == "check_done")
        .filter_map(|event| event["duration_ms"].as_f64())
        .collect();
    if checks.len() != n_rounds + 1 {
        return Err(format!(
            "{} checks in {n_rounds} rounds: {}",
            checks.len(),
            String::from_utf8_lossy(&output.stderr)
        ));
    }
    Ok(wall_ms - checks.iter().sum::<f64>())
}
