//! Which tests failed, where, and why, as far as the output of a check tells?
//!
//! [`Reading`] takes the output line by line, of any length, with flat memory, and hands every line to the readers of all
//! runners at once ([`readers::TABLE`]): behind `make test` or `npm test` stands one of them, and which one only its output tells.
//! Each reader knows the lines that begin and end what it reads. Must not run anything, nor guess: what is not recognised is
//! left to the raw output. Reports in files (JUnit, SARIF) are read by [`report`].
//! To add a runner: a row of the table with a function that reads one block, and a recorded sample of its output under
//! `tests/fixtures/runners`.

pub mod block;
pub mod ctest;
pub mod digest;
pub mod dotnet;
pub mod engine;
pub mod findings;
pub mod golang;
pub mod javascript;
pub mod jvm;
pub mod phpunit;
pub mod python;
pub mod readers;
pub mod report;
pub mod rspec;
pub mod rust;
pub mod tap;
pub mod wrapped;

use std::io::{BufRead, Read as _};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::protocol::failure::Failure;
use crate::strategy::failure::engine::Reading;

/// What a check complains of.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Complaints {
    /// Each once, what causes others first.
    pub failures: Vec<Failure>,
    /// How many more there are, of which nothing was kept.
    pub n_more: usize,
}

/// Bytes of one line that are held; more of it is skipped.
const MAX_LINE_BYTES: u64 = 64 * 1024;

/// As [`read`], from a source of any length; what cannot be read ends it.
pub fn read_from(mut source: impl BufRead, root: &Path) -> Complaints {
    let (mut reading, mut line) = (Reading::of(root), Vec::new());
    loop {
        line.clear();
        match (&mut source).take(MAX_LINE_BYTES).read_until(b'\n', &mut line) {
            Ok(n) if n > 0 => {
                let text = String::from_utf8_lossy(&line);
                reading.line(text.strip_suffix('\n').unwrap_or(&text));
            }
            _ => return reading.finish(),
        }
    }
}

/// Reads the whole output of a check that ran in `root`.
pub fn read(output: &str, root: &Path) -> Complaints {
    let mut reading = Reading::of(root);
    output.lines().for_each(|line| reading.line(line));
    reading.finish()
}
