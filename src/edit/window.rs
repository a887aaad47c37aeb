//! How are a few lines of a huge file read without reading the file?
//!
//! Lines are skipped in the stream and cut while they are read, so a gigabyte without a line end costs no memory. There is
//! a limit to how far it looks: finding line ten million is a job for a program, not for a tool call.

use std::io::{self, BufRead, BufReader, Read as _};
use std::path::Path;

use crate::edit::EditError;
use crate::edit::encoding::HEAD_BYTES;
use crate::edit::excerpt::MAX_LINE_BYTES;
use crate::edit::text_file::{open_regular, refuse_binary};

/// Bytes that are looked at: some tens of milliseconds' worth.
pub const SCAN_BYTES: u64 = 64_000_000;

/// Lines out of a huge file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// The lines from the one asked for on, without ends, each cut a little beyond [`MAX_LINE_BYTES`].
    pub lines: Vec<String>,
    /// What came after the last of them.
    pub after: After,
}

/// Why a window ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum After {
    /// It has all that was asked for, this many lines in; there are more.
    More(usize),
    /// The file ended after this many lines in all.
    End(usize),
    /// The limit of what is looked at was reached after this many lines.
    ScanLimit(usize),
}

/// Reads at most `max_lines` lines, starting at line `first` (counted from 1).
pub fn read_window(path: &Path, name: &str, first: usize, max_lines: usize) -> Result<Window, EditError> {
    let (file, meta) = open_regular(path, name)?;
    let read_error = |source| EditError::Read { name: name.to_owned(), source };
    let mut reader = BufReader::with_capacity(64 * 1024, file.take(SCAN_BYTES));
    let head = reader.fill_buf().map_err(read_error)?;
    refuse_binary(&head[..head.len().min(HEAD_BYTES)], name, meta.len())?;
    if head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff") {
        // Lines of UTF-16 cannot be found byte by byte.
        return Err(EditError::TooLarge { name: name.to_owned(), size_bytes: meta.len() });
    }
    let (lines, n_seen) = collect(&mut reader, first, max_lines).map_err(read_error)?;
    let is_at_end = reader.fill_buf().map_err(read_error)?.is_empty();
    let after = match (is_at_end, reader.get_ref().limit()) {
        (true, 0) => After::ScanLimit(n_seen),
        (true, _) => After::End(n_seen),
        (false, _) => After::More(n_seen),
    };
    Ok(Window { lines, after })
}

/// Skips to the line `first` and takes `max_lines`; also returns how many lines went by in all.
fn collect(reader: &mut impl BufRead, first: usize, max_lines: usize) -> io::Result<(Vec<String>, usize)> {
    let mut n_seen = 0;
    while n_seen + 1 < first {
        if reader.skip_until(b'\n')? == 0 {
            return Ok((Vec::new(), n_seen));
        }
        n_seen += 1;
    }
    let mut lines = Vec::new();
    while lines.len() < max_lines {
        let Some(line) = next_line(reader)? else { break };
        lines.push(line);
        n_seen += 1;
    }
    Ok((lines, n_seen))
}

/// Reads a line, keeping a little more of it than is ever shown so that the reader sees it was cut.
fn next_line(reader: &mut impl BufRead) -> io::Result<Option<String>> {
    let mut bytes = Vec::new();
    reader.by_ref().take(MAX_LINE_BYTES as u64 + 64).read_until(b'\n', &mut bytes)?;
    if bytes.is_empty() {
        return Ok(None);
    }
    if bytes.pop_if(|last| *last == b'\n').is_none() {
        reader.skip_until(b'\n')?;
    }
    bytes.pop_if(|last| *last == b'\r');
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
}
