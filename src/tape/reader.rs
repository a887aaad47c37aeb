//! What stands in a recording, and is it one at all?
//!
//! A line that was torn by the end of the run is the end of the recording and no error; one in the middle is.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;

use serde_json::Value;

use crate::tape::entry::{Entry, Head, MAGIC, VERSION};
use crate::tape::error::TapeError;

/// A recording that was read.
#[derive(Debug, Clone)]
pub struct Recording {
    /// The first line.
    pub head: Head,
    /// All others, without those of kinds this version does not know.
    pub entries: Vec<Entry>,
    /// Lines of kinds this version does not know.
    pub n_unknown: usize,
    /// Whether its last line was torn.
    pub is_torn: bool,
}

impl Recording {
    /// Reads the recording at `path`.
    pub fn read(path: &Path) -> Result<Self, TapeError> {
        let read = |source| TapeError::Read { path: path.to_path_buf(), source };
        let mut input = BufReader::new(File::open(path).map_err(read)?);
        let mut first = Vec::new();
        input.read_until(b'\n', &mut first).map_err(read)?;
        let head = head(path, &first)?;
        let mut recording = Self { head, entries: Vec::new(), n_unknown: 0, is_torn: false };
        let (mut raw, mut number) = (Vec::new(), 1);
        loop {
            raw.clear();
            if input.read_until(b'\n', &mut raw).map_err(read)? == 0 {
                return Ok(recording);
            }
            number += 1;
            match serde_json::from_slice::<Entry>(&raw) {
                Ok(Entry::Unknown) => recording.n_unknown += 1,
                Ok(entry) => recording.entries.push(entry),
                // The newline is the last byte of each write.
                Err(_) if !raw.ends_with(b"\n") => recording.is_torn = true,
                Err(source) => return Err(TapeError::Broken { path: path.to_path_buf(), line: number, source }),
            }
        }
    }
}

fn head(path: &Path, first: &[u8]) -> Result<Head, TapeError> {
    let path = path.to_path_buf();
    if first.trim_ascii().is_empty() {
        return Err(TapeError::Empty { path });
    }
    let Ok(value) = serde_json::from_slice::<Value>(first) else { return Err(TapeError::Foreign { path }) };
    if value["type"] != MAGIC {
        return Err(TapeError::Foreign { path });
    }
    let v = u32::try_from(value["v"].as_u64().unwrap_or_default()).unwrap_or(u32::MAX);
    if v > VERSION {
        let mimi = value["mimi"].as_str().unwrap_or("of another version").to_owned();
        return Err(TapeError::Newer { path, v, mimi });
    }
    serde_json::from_value(value).map_err(|source| TapeError::Broken { path, line: 1, source })
}
