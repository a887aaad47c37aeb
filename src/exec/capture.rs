//! How is endless output kept in little memory without losing any of it?
//!
//! A thread reads the pipe, so that neither a slow disk nor a flood holds up the rest of mimi. Memory holds the start and the
//! end; a file receives everything. Nothing here grows with the output: not with its length, nor with that of a line.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, PipeReader, Read as _, Write as _};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use crate::base::{path, text};
use crate::exec::run::Command;

/// Bytes read at once: what a pipe holds on Linux.
const READ_BYTES: usize = 64 * 1024;
/// Longest line shown when output has to be clipped: one minified file must not push out everything else.
const MAX_LINE_BYTES: usize = 2000;
/// Longest piece shown to the person watching; of a flood they see samples.
const PROGRESS_BYTES: usize = 4096;
/// Longest escape sequence waited for at the end of a piece.
const ESCAPE_BYTES: usize = 64;
/// Most of an output that is kept on disk.
const SPILL_MAX_BYTES: u64 = 64 * 1024 * 1024;

/// Takes what a pipe yields.
pub(crate) trait Sink: Send + 'static {
    /// Takes the next bytes; breaks to close the pipe, which ends a program that writes on.
    fn take(&mut self, bytes: &[u8]) -> ControlFlow<()>;
}

/// A pipe being read on a thread of its own.
pub(crate) struct Reading<S> {
    sink: Arc<Mutex<Option<S>>>,
    done: oneshot::Receiver<()>,
}

impl<S: Sink> Reading<S> {
    /// Starts reading.
    pub(crate) fn start(pipe: PipeReader, sink: S) -> io::Result<Self> {
        let sink = Arc::new(Mutex::new(Some(sink)));
        let (finished, done) = oneshot::channel();
        let shared = Arc::clone(&sink);
        std::thread::Builder::new().name("output".to_owned()).spawn(move || {
            pump(pipe, &shared);
            let _ = finished.send(());
        })?;
        Ok(Self { sink, done })
    }

    /// Reads on for at most `time`, in case somebody out of reach holds the pipe open, and returns the sink.
    pub(crate) async fn finish(self, time: Duration) -> Option<S> {
        let _ = tokio::time::timeout(time, self.done).await;
        lock(&self.sink).take()
    }
}

impl Reading<Capture> {
    /// Lets others look at what came so far.
    pub(crate) fn peep(&self) -> Peep {
        Peep(Arc::clone(&self.sink))
    }
}

/// A look at an output that is still being read.
#[derive(Clone)]
pub(crate) struct Peep(Arc<Mutex<Option<Capture>>>);

impl Peep {
    /// Returns what a reader with little room should see; none once the reading is over.
    pub(crate) fn text(&self) -> Option<String> {
        lock(&self.0).as_mut().map(Capture::text)
    }
}

impl std::fmt::Debug for Peep {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Peep")
    }
}

fn pump<S: Sink>(mut pipe: PipeReader, sink: &Mutex<Option<S>>) {
    let mut buffer = vec![0; READ_BYTES];
    loop {
        let n_bytes = match pipe.read(&mut buffer) {
            Ok(0) => return,
            Ok(n_bytes) => n_bytes,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(_) => return,
        };
        let mut sink = lock(sink);
        let Some(sink) = sink.as_mut() else { return };
        if sink.take(&buffer[..n_bytes]).is_break() {
            return;
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Keeps the first bytes, unchanged, for programs that read programs.
pub(crate) struct Prefix {
    /// What was kept.
    pub(crate) bytes: Vec<u8>,
    /// Whether there was more.
    pub(crate) is_cut: bool,
    max_bytes: usize,
}

impl Prefix {
    /// Keeps up to `max_bytes`.
    pub(crate) fn new(max_bytes: usize) -> Self {
        Self { bytes: Vec::new(), is_cut: false, max_bytes }
    }
}

impl Sink for Prefix {
    fn take(&mut self, bytes: &[u8]) -> ControlFlow<()> {
        let room = self.max_bytes - self.bytes.len();
        self.bytes.extend_from_slice(&bytes[..bytes.len().min(room)]);
        self.is_cut = bytes.len() > room;
        if self.is_cut { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

/// Keeps the start and the end in memory and everything in a file, and shows pieces while they come.
pub(crate) struct Capture {
    head: Vec<u8>,
    tail: VecDeque<u8>,
    max_bytes: usize,
    total_bytes: u64,
    n_newlines: u64,
    spill: Spill,
    progress: Option<Progress>,
}

impl Capture {
    /// Prepares for the output of `command`.
    pub(crate) fn new(command: &Command, progress: Option<mpsc::Sender<String>>) -> Self {
        Self {
            head: Vec::new(),
            tail: VecDeque::new(),
            max_bytes: command.max_output_bytes,
            total_bytes: 0,
            n_newlines: 0,
            spill: command.spill.clone().map_or(Spill::Unwanted, Spill::Waiting),
            progress: progress.map(Progress::new),
        }
    }

    /// Returns how many bytes came.
    pub(crate) fn total_bytes(&self) -> u64 {
        self.total_bytes
    }

    /// Returns the file with the whole output, when there is one.
    pub(crate) fn spilled(&self) -> Option<&Path> {
        match &self.spill {
            Spill::Open { path, .. } => Some(path),
            _ => None,
        }
    }

    /// Returns what a reader with little room should see.
    pub(crate) fn text(&mut self) -> String {
        let note = self.spill.note();
        let n_kept = self.head.len() + self.tail.len();
        let (front, back) = self.tail.as_slices();
        if is_binary(&self.head) || is_binary(front) || is_binary(back) {
            return format!("[binary output of {} bytes, not shown{note}]", self.total_bytes);
        }
        if self.total_bytes == n_kept as u64 {
            let whole = [self.head.as_slice(), front, back].concat();
            return clip(&text::plain(&String::from_utf8_lossy(&whole)), self.max_bytes, &note);
        }
        let head = text::plain(&String::from_utf8_lossy(&self.head));
        let tail = text::plain(&String::from_utf8_lossy(self.tail.make_contiguous()));
        self.join(start_of(&head, self.max_bytes / 3), end_of(&tail, self.max_bytes - self.max_bytes / 3), &note)
    }

    fn join(&self, head: &str, tail: &str, note: &str) -> String {
        let n_shown = [head, tail].map(|part| part.bytes().filter(|&b| b == b'\n').count() as u64).iter().sum();
        let n_lines = self.n_newlines.saturating_sub(n_shown);
        let n_bytes = self.total_bytes.saturating_sub((head.len() + tail.len()) as u64);
        let clip_lines = |part| clip_lines(part, MAX_LINE_BYTES);
        text::join_clipped(&clip_lines(head), &text::gap_note(n_lines, n_bytes, note), &clip_lines(tail))
    }

    fn remember(&mut self, bytes: &[u8]) {
        let (head_max, tail_max) = kept_raw(self.max_bytes);
        let (first, rest) = bytes.split_at(bytes.len().min(head_max - self.head.len()));
        self.head.extend_from_slice(first);
        let rest = &rest[rest.len().saturating_sub(tail_max)..];
        let surplus = (self.tail.len() + rest.len()).saturating_sub(tail_max);
        self.tail.drain(..surplus);
        self.tail.extend(rest);
    }
}

impl Sink for Capture {
    fn take(&mut self, bytes: &[u8]) -> ControlFlow<()> {
        self.total_bytes += bytes.len() as u64;
        self.n_newlines += bytes.iter().filter(|&&byte| byte == b'\n').count() as u64;
        if self.total_bytes > self.max_bytes as u64 {
            let (front, back) = self.tail.as_slices();
            self.spill.write([self.head.as_slice(), front, back], bytes);
        }
        self.remember(bytes);
        if let Some(progress) = &mut self.progress {
            progress.show(bytes);
        }
        ControlFlow::Continue(())
    }
}

/// Raw bytes kept at both ends: twice what is shown, because colours and overwritten progress bars are taken out later.
fn kept_raw(max_bytes: usize) -> (usize, usize) {
    let head = max_bytes / 3 * 2;
    (head, max_bytes * 2 - head)
}

/// Says whether bytes are no text: a fifth of them is neither valid UTF-8 nor a control a terminal knows.
fn is_binary(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let is_odd = |c: char| c == '\u{fffd}' || (c.is_control() && !matches!(c, '\u{7}'..='\r' | '\u{1b}'));
    let n_odd = text.chars().filter(|&c| is_odd(c)).count();
    n_odd > 8 && n_odd * 5 > text.chars().count()
}

fn clip(text: &str, max_bytes: usize, note: &str) -> String {
    if text.len() <= max_bytes {
        return text.to_owned();
    }
    text::clip_middle(&clip_lines(text, MAX_LINE_BYTES), max_bytes, note).into_owned()
}

fn clip_lines(text: &str, max_bytes: usize) -> String {
    text.split_inclusive('\n')
        .map(|line| match line.strip_suffix('\n') {
            Some(body) => text::clip_line(body, max_bytes).into_owned() + "\n",
            None => text::clip_line(line, max_bytes).into_owned(),
        })
        .collect()
}

/// Returns whole lines from the start, or a piece of the first when that is too long.
fn start_of(text: &str, max_bytes: usize) -> &str {
    let start = text::prefix(text, max_bytes);
    start.rfind('\n').map_or(text::prefix(start, MAX_LINE_BYTES), |at| &start[..=at])
}

/// Returns whole lines from the end, or a piece of the last when that is too long.
fn end_of(text: &str, max_bytes: usize) -> &str {
    let end = text::suffix(text, max_bytes);
    match end.find('\n') {
        Some(at) if at + 1 < end.len() => &end[at + 1..],
        _ => text::suffix(end, MAX_LINE_BYTES),
    }
}

/// The file with the whole output.
enum Spill {
    Unwanted,
    /// Wanted once the output is longer than what is shown.
    Waiting(PathBuf),
    Open {
        path: PathBuf,
        file: File,
        n_bytes: u64,
    },
    Failed(io::Error),
}

impl Spill {
    /// Appends `bytes`; the file starts with `before`, which must be everything that came earlier.
    fn write(&mut self, before: [&[u8]; 3], bytes: &[u8]) {
        if let Self::Waiting(path) = self {
            let opened = open_spill(path).map(|file| Self::Open { path: std::mem::take(path), file, n_bytes: 0 });
            *self = opened.unwrap_or_else(Self::Failed);
            for part in before {
                self.append(part);
            }
        }
        self.append(bytes);
    }

    fn append(&mut self, bytes: &[u8]) {
        let Self::Open { file, n_bytes, .. } = self else { return };
        let room = SPILL_MAX_BYTES.saturating_sub(*n_bytes) as usize;
        let was_full = room == 0;
        *n_bytes += bytes.len() as u64;
        let mut result = file.write_all(&bytes[..bytes.len().min(room)]);
        if result.is_ok() && !was_full && bytes.len() > room {
            result = writeln!(file, "\n[... output beyond {SPILL_MAX_BYTES} bytes was not kept ...]");
        }
        if let Err(error) = result {
            *self = Self::Failed(error);
        }
    }

    /// Returns what follows the counts where text was cut.
    fn note(&self) -> String {
        match self {
            Self::Unwanted | Self::Waiting(_) => String::new(),
            Self::Open { path, n_bytes, .. } if *n_bytes > SPILL_MAX_BYTES => {
                format!("; first {} MiB in {}", SPILL_MAX_BYTES >> 20, path.display())
            }
            Self::Open { path, .. } => format!("; whole output in {}", path.display()),
            Self::Failed(error) => format!("; whole output could not be kept: {error}"),
        }
    }
}

fn open_spill(file: &Path) -> io::Result<File> {
    if let Some(folder) = file.parent() {
        path::create_private_dir(folder)?;
    }
    path::create_private(file)
}

/// Shows pieces of the output to whoever watches, as long as they keep up.
struct Progress {
    watcher: mpsc::Sender<String>,
    /// The start of a character or escape sequence whose end has not come yet.
    carried: Vec<u8>,
}

impl Progress {
    fn new(watcher: mpsc::Sender<String>) -> Self {
        Self { watcher, carried: Vec::new() }
    }

    fn show(&mut self, bytes: &[u8]) {
        let skipped = bytes.len().saturating_sub(PROGRESS_BYTES);
        if skipped > 0 {
            self.carried.clear();
        }
        self.carried.extend_from_slice(&bytes[skipped..]);
        let whole = whole_part(&self.carried);
        let piece = text::plain(&String::from_utf8_lossy(&self.carried[..whole]));
        self.carried.drain(..whole);
        if !piece.is_empty() {
            // Full: they are behind; closed: nobody watches any more. Both lose this piece and nothing else.
            drop(self.watcher.try_send(text::visible(&piece).into_owned()));
        }
    }
}

/// Returns how many bytes can be shown without cutting a character or an escape sequence in two.
fn whole_part(bytes: &[u8]) -> usize {
    let recent = bytes.len().saturating_sub(ESCAPE_BYTES);
    if let Some(at) = bytes[recent..].iter().rposition(|&byte| byte == 0x1b) {
        // Every sequence of ECMA-48 ends in a byte from `@` to `~`; the one after ESC may be its introducer.
        let is_open = !bytes[recent + at + 1..].iter().skip(1).any(|byte| (b'@'..=b'~').contains(byte));
        if is_open {
            return recent + at;
        }
    }
    let last_start = (1..=bytes.len().min(4)).map(|back| bytes.len() - back).find(|&at| bytes[at] & 0xc0 != 0x80);
    match last_start {
        Some(at) if std::str::from_utf8(&bytes[at..]).is_err_and(|error| error.error_len().is_none()) => at,
        _ => bytes.len(),
    }
}

#[cfg(test)]
#[path = "capture_tests.rs"]
mod tests;
