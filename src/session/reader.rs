//! What stands in a session file?
//!
//! Reads line by line and holds one line at a time. Nothing in a file is an error: a torn or foreign line is counted and
//! skipped, and so is a record of a kind this version does not know. Only the disk can fail a reader.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::protocol::event::Record;
use crate::session::error::SessionError;
use crate::session::header::{Header, Opened};
use crate::session::transcript::Transcript;

/// Longest line taken. Tools cap what they return far below; a file of garbage must not fill the memory.
pub const MAX_LINE_BYTES: usize = 64 << 20;
/// A line buffer that grew beyond this is given back after use.
const KEPT_BUFFER_BYTES: usize = 1 << 20;
/// How each line of a session file begins. JSON text inside a string has its quotes escaped, so that this cannot.
const LINE_START: &[u8] = b"{\"v\":";

/// One line of a session file.
#[derive(Debug, Clone, PartialEq)]
pub enum Line {
    /// The session's header.
    Header(Header),
    /// A process began to write.
    Opened(Opened),
    /// An event.
    Record(Box<Record>),
    /// Written by a later version: well formed, but of a kind unknown here.
    Unknown {
        /// Its place, where it has one.
        seq: Option<u64>,
    },
    /// Torn, garbage or too long.
    Unreadable,
}

/// Reads the lines of one session file.
pub struct Reader<R> {
    input: BufReader<R>,
    path: PathBuf,
    id: String,
    raw: Vec<u8>,
    start: usize,
    ends_in_newline: bool,
}

impl Reader<File> {
    /// Opens a session file.
    pub fn open(path: &Path) -> Result<Self, SessionError> {
        let file = File::open(path).map_err(|source| SessionError::Open { path: path.to_path_buf(), source })?;
        Ok(Self::new(file, path))
    }
}

impl<R: Read> Reader<R> {
    /// Reads the bytes of the session file at `path` from `input`.
    pub fn new(input: R, path: &Path) -> Self {
        let (input, path, id) = (BufReader::new(input), path.to_path_buf(), id_of(path));
        Self { input, path, id, raw: Vec::new(), start: 0, ends_in_newline: true }
    }

    /// Returns the next line, or none at the end of the file. Empty lines are skipped.
    pub fn next_line(&mut self) -> Result<Option<Line>, SessionError> {
        while self.fill().map_err(|source| SessionError::Read { path: self.path.clone(), source })? {
            if !self.raw.trim_ascii().is_empty() {
                return Ok(Some(self.parse()));
            }
        }
        Ok(None)
    }

    /// Returns the bytes of the last line, without its newline and without torn bytes before it.
    pub fn raw(&self) -> &[u8] {
        self.raw[self.start..].trim_ascii_end()
    }

    /// Says whether the last line was closed; an open one is what a crash or a full disk left.
    pub fn ends_in_newline(&self) -> bool {
        self.ends_in_newline
    }

    /// Reads one line into the buffer; a line that is too long becomes one byte that nothing can parse.
    fn fill(&mut self) -> std::io::Result<bool> {
        if self.raw.capacity() > KEPT_BUFFER_BYTES {
            self.raw = Vec::new();
        }
        self.raw.clear();
        self.start = 0;
        let limit = MAX_LINE_BYTES as u64 + 1;
        if self.input.by_ref().take(limit).read_until(b'\n', &mut self.raw)? == 0 {
            return Ok(false);
        }
        self.ends_in_newline = self.raw.ends_with(b"\n");
        if self.raw.len() > MAX_LINE_BYTES && !self.ends_in_newline {
            self.raw = vec![b'#'];
            self.ends_in_newline = skip_line(&mut self.input)?;
        }
        Ok(true)
    }

    fn parse(&mut self) -> Line {
        let line = parse(self.raw(), &self.id);
        if line != Line::Unreadable {
            return line;
        }
        // Zeroes of a power cut, or a torn line nobody closed, may stand before a whole record: keep the record.
        let Some(at) = find_last(self.raw(), LINE_START).filter(|at| *at > 0) else {
            return Line::Unreadable;
        };
        let line = parse(&self.raw()[at..], &self.id);
        if line != Line::Unreadable {
            self.start = at;
        }
        line
    }
}

/// Returns the id of the session kept at `path`.
pub fn id_of(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

/// Reads on to the next newline, keeping nothing; says whether there was one.
fn skip_line(input: &mut impl BufRead) -> std::io::Result<bool> {
    loop {
        let piece = input.fill_buf()?;
        if piece.is_empty() {
            return Ok(false);
        }
        let newline = piece.iter().position(|byte| *byte == b'\n');
        let used = newline.map_or(piece.len(), |at| at + 1);
        input.consume(used);
        if newline.is_some() {
            return Ok(true);
        }
    }
}

fn find_last(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).rposition(|window| window == part)
}

fn parse(raw: &[u8], id: &str) -> Line {
    if let Ok(record) = serde_json::from_slice::<Record>(raw) {
        return Line::Record(Box::new(record));
    }
    let Ok(value) = serde_json::from_slice::<Value>(raw) else {
        return Line::Unreadable;
    };
    if let Some(header) = Header::read(&value, id) {
        return Line::Header(header);
    }
    if let Some(opened) = Opened::read(&value) {
        return Line::Opened(opened);
    }
    // Every line of every version says which version wrote it.
    if value.get("v").is_some_and(Value::is_u64) {
        return Line::Unknown { seq: value.get("seq").and_then(Value::as_u64) };
    }
    Line::Unreadable
}

/// A session as it stands in its file.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    /// Its header.
    pub header: Header,
    /// What its records add up to.
    pub transcript: Transcript,
    /// Place of the last record, of whatever version.
    pub last_seq: u64,
    /// Lines skipped because they were torn or garbage.
    pub unreadable: usize,
    /// Records skipped because a later version wrote them.
    pub unknown: usize,
    /// Whether the file ends in a closed line.
    pub ends_in_newline: bool,
}

/// Reads a whole session; fails when the file cannot be read or nothing in it is of a session.
pub fn load(path: &Path) -> Result<Loaded, SessionError> {
    let mut reader = Reader::open(path)?;
    let mut loaded = Loaded {
        header: Header::unknown(&id_of(path)),
        transcript: Transcript::default(),
        last_seq: 0,
        unreadable: 0,
        unknown: 0,
        ends_in_newline: true,
    };
    let mut is_session = false;
    while let Some(line) = reader.next_line()? {
        is_session |= matches!(line, Line::Header(_) | Line::Record(_));
        loaded.take(line);
    }
    loaded.ends_in_newline = reader.ends_in_newline();
    if is_session {
        return Ok(loaded);
    }
    let bytes = std::fs::metadata(path).map_or(0, |meta| meta.len());
    Err(SessionError::NotASession { path: path.to_path_buf(), bytes })
}

/// Gives every record of a session to `show`, in order: what a front end needs to draw the session again.
pub fn each_record(path: &Path, mut show: impl FnMut(&Record)) -> Result<(), SessionError> {
    let mut reader = Reader::open(path)?;
    while let Some(line) = reader.next_line()? {
        if let Line::Record(record) = line {
            show(&record);
        }
    }
    Ok(())
}

impl Loaded {
    fn take(&mut self, line: Line) {
        match line {
            Line::Header(header) => self.header = header,
            Line::Record(record) => {
                self.last_seq = self.last_seq.max(record.seq);
                self.transcript.apply(&record);
            }
            Line::Unknown { seq } => {
                self.last_seq = self.last_seq.max(seq.unwrap_or_default());
                self.unknown += 1;
            }
            Line::Unreadable => self.unreadable += 1,
            Line::Opened(_) => {}
        }
    }
}
