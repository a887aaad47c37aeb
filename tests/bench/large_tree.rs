//! Is a tree of 200,000 small files indexed and searched in bearable time and memory?
//!
//! By the program that ships, so that its peak of memory is that of a process of its own.

use std::path::Path;
use std::process::Stdio;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use crate::process::mib;
use crate::user::{Ended, PROGRAM, User, watch};
use crate::{Measured, Unit, spread};

const N_FILES: usize = 200_000;
const FILES_OF_FOLDER: usize = 100;
const WORDS: [&str; 10] = ["cache", "retry", "parse", "token", "lock", "page", "query", "stream", "buffer", "graph"];

/// What was measured of one tree.
struct Found {
    indexing_s: f64,
    searches_ms: Vec<f64>,
    peak_mib: f64,
    detail: String,
}

fn found() -> Result<&'static Found, String> {
    static FOUND: OnceLock<Result<Found, String>> = OnceLock::new();
    FOUND.get_or_init(|| measure().map_err(|error| error.to_string())).as_ref().map_err(Clone::clone)
}

type Failed = Box<dyn std::error::Error>;

fn write(work: &Path) -> std::io::Result<()> {
    for n in 0..N_FILES {
        let folder = work.join(format!("part{}/folder{}", n / 2000, n / FILES_OF_FOLDER % 20));
        if n % FILES_OF_FOLDER == 0 {
            std::fs::create_dir_all(&folder)?;
        }
        let word = |step: usize| WORDS[n / step % WORDS.len()];
        let (does, to, into) = (word(1), word(10), word(100));
        let text = format!(
            "//! Does {does} for {to} number {n}.\n\n/// Takes a {to} and makes a {into} of it.\npub fn {does}_{to}_{n}(input: &str) -> usize {{\n    {to}_{into}(input.len() + {n})\n}}\n"
        );
        std::fs::write(folder.join(format!("{does}_{to}_{n}.rs")), text)?;
    }
    Ok(())
}

fn run(user: &User, arguments: &[&str]) -> Result<Ended, Failed> {
    let mut command = user.command(Path::new(PROGRAM));
    let child = command.args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    let ended = watch(child, Instant::now())?;
    if ended.is_success { Ok(ended) } else { Err(format!("mimi {arguments:?} failed").into()) }
}

fn measure() -> Result<Found, Failed> {
    let user = User::new("bench", "work")?;
    write(user.project())?;
    let indexing = run(&user, &["index"])?;
    // What was written within the last seconds is looked at again until its times tell.
    std::thread::sleep(Duration::from_secs(3));
    run(&user, &["index"])?;
    let (mut searches_ms, mut peak_mib) = (Vec::new(), 0.0_f64);
    for _ in 0..8 {
        // Fails when nothing is found.
        let search = run(&user, &["search", "takes a lock and makes a page of it", "-n", "1"])?;
        searches_ms.push(search.wall.as_secs_f64() * 1000.0);
        peak_mib = peak_mib.max(mib(search.peak_bytes));
    }
    let indexing_s = indexing.wall.as_secs_f64();
    let detail = format!("indexed in {indexing_s:.1} s with {:.0} MiB", mib(indexing.peak_bytes));
    Ok(Found { indexing_s, searches_ms, peak_mib, detail })
}

/// Measures the first indexing.
pub fn indexing() -> Result<Measured, String> {
    let found = found()?;
    Ok(Measured { value: N_FILES as f64 / found.indexing_s, detail: found.detail.clone() })
}

/// Measures a search when nothing has changed: every file is looked at.
pub fn search() -> Result<Measured, String> {
    spread(found()?.searches_ms.clone(), Unit::Milliseconds)
}

/// Measures the most memory such a search holds.
pub fn peak() -> Result<Measured, String> {
    let found = found()?;
    Ok(Measured { value: found.peak_mib, detail: found.detail.clone() })
}
