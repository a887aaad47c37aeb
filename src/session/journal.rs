//! How is an event written so that no crash can lose it?
//!
//! One line per event, in one write, before anybody acts on it; synced where losing it would lose work. Holds no records.
//! Surprising: nothing is ever truncated. A line torn by a crash is closed by a newline and becomes one unreadable line;
//! one torn by a failed write is spoiled first, so that an event reported as lost does not come back.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;

use crate::base::clock::Clock;
use crate::base::path::{create_private, create_private_dir, open_existing_append, remove_file, sync_parent};
use crate::base::text::count;
use crate::protocol::event::{Author, Event, Record, SCHEMA_VERSION};
use crate::session::error::SessionError;
use crate::session::header::{Header, Opened};
use crate::session::lock::{self, Lock};
use crate::session::reader::{Loaded, MAX_LINE_BYTES, load};
use crate::session::transcript::Transcript;

/// Closes a line that a failed write left half done; no JSON text followed by this can be parsed.
const SPOILER: &[u8] = b" #torn\n";

/// Where lines go: a file, or in tests something that fails.
trait Sink: Send {
    /// Writes as much as it can.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize>;
    /// Returns when all that was written is on disk.
    fn sync(&mut self) -> io::Result<()>;
}

impl Sink for File {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        io::Write::write(self, bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }
}

/// The open file of one session. Dropping it gives the session free.
pub struct Journal {
    sink: Box<dyn Sink>,
    path: PathBuf,
    header: Header,
    clock: Arc<dyn Clock>,
    next_seq: u64,
    is_torn: bool,
    /// Whether the name of the file is not on disk yet: it gets there with the first event that must not be lost.
    is_nameless: bool,
    notes: Vec<String>,
}

impl Journal {
    /// Begins a session in `folder`, which is made when missing. Nothing of it has to outlive a power cut yet.
    pub fn create(folder: &Path, header: Header, clock: Arc<dyn Clock>) -> Result<Self, SessionError> {
        let is_first = !folder.exists();
        create_private_dir(folder).map_err(|source| SessionError::Folder { path: folder.to_path_buf(), source })?;
        let path = path_of(folder, &header.id)?;
        let file = create_private(&path).map_err(|source| match source.kind() {
            io::ErrorKind::AlreadyExists => SessionError::Open { path: path.clone(), source },
            _ => SessionError::Folder { path: folder.to_path_buf(), source },
        })?;
        let first = [line(&header)?, line(&Opened::now(clock.as_ref()))?].concat();
        let begun = lock::take(&file, &path).and_then(|lock| {
            let mut journal = Self::over(Box::new(file), path.clone(), header, clock);
            journal.notes.extend(folder_note(folder));
            journal.notes.extend(lock_note(lock, folder));
            journal.is_nameless = true;
            journal.put(&first)?;
            Ok(journal)
        });
        if begun.is_err() {
            // A file without a header would only puzzle; the error is what matters.
            drop(remove_file(&path));
        }
        if is_first {
            sync_parent(folder);
        }
        begun
    }

    /// Goes on with the session at `path` and returns what it adds up to; fails when another process writes it.
    pub fn resume(path: &Path, clock: Arc<dyn Clock>) -> Result<(Self, Transcript), SessionError> {
        let file =
            open_existing_append(path).map_err(|source| SessionError::Open { path: path.to_path_buf(), source })?;
        let lock = lock::take(&file, path)?;
        let loaded = load(path)?;
        let close: &[u8] = if loaded.ends_in_newline { b"" } else { b"\n" };
        let first = [close, &line(&Opened::now(clock.as_ref()))?].concat();
        let notes = loaded_notes(&loaded);
        let mut journal = Self::over(Box::new(file), path.to_path_buf(), loaded.header, clock);
        journal.next_seq = loaded.last_seq + 1;
        journal.notes = notes;
        if let Some(folder) = path.parent() {
            journal.notes.extend(folder_note(folder));
            journal.notes.extend(lock_note(lock, folder));
        }
        journal.put(&first)?;
        journal.sync()?;
        Ok((journal, loaded.transcript))
    }

    fn over(sink: Box<dyn Sink>, path: PathBuf, header: Header, clock: Arc<dyn Clock>) -> Self {
        Self { sink, path, header, clock, next_seq: 1, is_torn: false, is_nameless: false, notes: Vec::new() }
    }

    /// Returns the place the next record will have.
    pub fn next_seq(&self) -> u64 {
        self.next_seq
    }

    /// Writes an event and returns it with its place. When this returns, a crash of the process cannot lose the event;
    /// events that stand for work (prompts, results, turn ends) are then also on disk, with all before them.
    ///
    /// After an error a resumed session may lack the event; the next call tries the disk again.
    pub fn append(&mut self, event: &Event) -> Result<Record, SessionError> {
        let at_ms = self.clock.now_ms();
        let record = Record { v: SCHEMA_VERSION, seq: self.next_seq, at_ms, event: event.clone() };
        self.put(&line(&record)?)?;
        self.next_seq += 1;
        if stands_for_work(event) {
            self.sync()?;
        }
        Ok(record)
    }

    /// Returns the session's id.
    pub fn id(&self) -> &str {
        &self.header.id
    }

    /// Returns the session's header.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Returns the session's file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns what the user should know about the file, each a sentence.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    fn put(&mut self, line: &[u8]) -> Result<(), SessionError> {
        let written = if self.is_torn { self.write_whole(&[SPOILER, line].concat()) } else { self.write_whole(line) };
        written.map_err(|source| SessionError::Write { path: self.path.clone(), source })
    }

    /// Writes all bytes: in one call, unless the system takes fewer than it is given.
    fn write_whole(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut rest = bytes;
        while !rest.is_empty() {
            match self.sink.write(rest) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(n_written) => {
                    self.is_torn = true;
                    rest = &rest[n_written.min(rest.len())..];
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.is_torn = false;
        Ok(())
    }

    fn sync(&mut self) -> Result<(), SessionError> {
        self.sink.sync().map_err(|source| SessionError::Write { path: self.path.clone(), source })?;
        if std::mem::take(&mut self.is_nameless) {
            sync_parent(&self.path);
        }
        Ok(())
    }
}

/// Returns the file of the session `id`; fails when the id would lead out of the folder or hide the file.
pub fn path_of(folder: &Path, id: &str) -> Result<PathBuf, SessionError> {
    if id.is_empty() || id.starts_with('.') || id.contains(['/', '\0']) {
        return Err(SessionError::BadId { id: id.to_owned() });
    }
    Ok(folder.join(format!("{id}.jsonl")))
}

fn line(value: &impl Serialize) -> Result<Vec<u8>, SessionError> {
    let mut bytes = serde_json::to_vec(value).map_err(SessionError::Encode)?;
    if bytes.len() > MAX_LINE_BYTES {
        return Err(SessionError::TooLong { bytes: bytes.len(), max_bytes: MAX_LINE_BYTES });
    }
    bytes.write_all(b"\n").map_err(|source| SessionError::Encode(serde_json::Error::io(source)))?;
    Ok(bytes)
}

/// Events a power cut must not take: the words of the person, what was done, and where the conversation stands.
///
/// What comes between is on disk with the next of these. A sync costs up to 10 ms, more than all else mimi does in a turn.
fn stands_for_work(event: &Event) -> bool {
    matches!(
        event,
        Event::UserMessage { author: Author::User, .. }
            | Event::ToolFinished { .. }
            | Event::Backgrounded { .. }
            | Event::BackgroundEnded { .. }
            | Event::Compacted { .. }
            | Event::Undone { .. }
            | Event::Redone { .. }
            | Event::TurnDone { .. }
    )
}

/// Warns when others may enter the folder. The files themselves are private, so this is no reason to refuse.
fn folder_note(folder: &Path) -> Option<String> {
    let mode = std::fs::metadata(folder).ok()?.permissions().mode() & 0o777;
    let folder = folder.display();
    (mode & 0o077 != 0).then(|| {
        format!("Others on this machine can enter `{folder}` (mode {mode:03o}); `chmod 700 {folder}` stops that.")
    })
}

fn lock_note(lock: Lock, folder: &Path) -> Option<String> {
    (lock == Lock::Unsupported).then(|| {
        format!("The file system of `{}` has no locks: do not resume this session twice at once.", folder.display())
    })
}

fn loaded_notes(loaded: &Loaded) -> Vec<String> {
    let mut notes = Vec::new();
    if loaded.unreadable > 0 {
        notes.push(format!("{} of the session could not be read and were skipped.", count(loaded.unreadable, "line")));
    }
    if loaded.unknown > 0 {
        let events = count(loaded.unknown, "event");
        notes.push(format!("A newer mimi wrote {events} of this session, which this version skips."));
    }
    notes
}

#[cfg(test)]
#[path = "journal_tests.rs"]
mod tests;
