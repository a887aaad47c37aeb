//! How does a session go two ways from one point?
//!
//! Copies records, byte for byte, into a new session. Reads the old file without locking it, so that a session in use can
//! be forked. The files of the workspace stay as they are.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::base::clock::Clock;
use crate::base::path::{create_private_dir, stream_atomic};
use crate::protocol::event::Event;
use crate::session::error::SessionError;
use crate::session::header::Header;
use crate::session::journal::path_of;
use crate::session::reader::{Line, Loaded, Reader, load};
use crate::session::title;

/// A copied session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fork {
    /// Its id.
    pub id: String,
    /// Its file.
    pub path: PathBuf,
    /// Records copied.
    pub records: u64,
}

/// Copies the session at `source` beside it under a fresh id: all of it, or what happened up to the end of turn
/// `up_to`. A turn that was taken back later can be named too and stands again in the copy.
pub fn fork(source: &Path, up_to: Option<u32>, clock: &dyn Clock) -> Result<Fork, SessionError> {
    let loaded = load(source)?;
    check_turn(&loaded, up_to)?;
    let mut header = Header::new(&loaded.header.workspace, clock);
    header.title = title::of(source).or(loaded.header.title);
    header.forked_from = Some(loaded.header.id);
    let folder = source.parent().unwrap_or(Path::new("."));
    create_private_dir(folder).map_err(|source| SessionError::Folder { path: folder.to_path_buf(), source })?;
    let path = path_of(folder, &header.id)?;
    let mut reader = Reader::open(source)?;
    let mut records = 0;
    let mut failed = None;
    let written = stream_atomic(&path, |out| {
        serde_json::to_writer(&mut *out, &header)?;
        out.write_all(b"\n")?;
        copy(&mut reader, up_to, out).map(|copied| records = copied).map_err(|error| match error {
            CopyError::Write(error) => error,
            // Carried around the writer, which speaks of its own failures only.
            CopyError::Read(error) => {
                failed = Some(error);
                io::ErrorKind::Other.into()
            }
        })
    });
    match (failed, written) {
        (Some(error), _) => Err(error),
        (None, Err(source)) => Err(SessionError::Write { path, source }),
        (None, Ok(())) => Ok(Fork { id: header.id, path, records }),
    }
}

fn check_turn(loaded: &Loaded, up_to: Option<u32>) -> Result<(), SessionError> {
    let last = loaded.transcript.turns;
    match up_to {
        Some(turn) if turn == 0 || turn > last => {
            Err(SessionError::NoTurn { id: loaded.header.id.clone(), turn, last })
        }
        _ => Ok(()),
    }
}

enum CopyError {
    Read(SessionError),
    Write(io::Error),
}

fn copy(reader: &mut Reader<File>, up_to: Option<u32>, out: &mut dyn Write) -> Result<u64, CopyError> {
    let mut records = 0;
    while let Some(line) = reader.next_line().map_err(CopyError::Read)? {
        let event = match &line {
            Line::Record(record) => Some(&record.event),
            Line::Unknown { .. } => None,
            Line::Header(_) | Line::Opened(_) | Line::Unreadable => continue,
        };
        if matches!((event, up_to), (Some(Event::TurnStarted { turn }), Some(last)) if *turn > last) {
            break;
        }
        out.write_all(reader.raw()).and_then(|()| out.write_all(b"\n")).map_err(CopyError::Write)?;
        records += 1;
        if matches!((event, up_to), (Some(Event::TurnDone { turn, .. }), Some(last)) if *turn >= last) {
            break;
        }
    }
    Ok(records)
}
