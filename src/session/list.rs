//! Which sessions are there?
//!
//! Reads the head and the tail of each file and nothing between, so that a thousand sessions list at once. Deleting is
//! here too: it finds files the same way, and leaves those a process is writing.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::base::path::{open_existing_append, remove_file};
use crate::base::text::first_line;
use crate::protocol::event::{Author, Event};
use crate::session::error::SessionError;
use crate::session::header::Header;
use crate::session::lock;
use crate::session::reader::{Line, Reader, id_of};
use crate::session::title;
use crate::session::transcript::MAX_TITLE_CHARS;

/// How far into a file the person's first words are looked for; facts about the project come before them.
const HEAD_BYTES: u64 = 512 << 10;
/// How much of the end is read first; a turn that ended has its last facts within it.
const TAIL_BYTES: u64 = 32 << 10;
/// Fewest characters of an id that are shown. The first eight of a UUIDv7 change every 65 seconds.
const MIN_SHORT_CHARS: usize = 8;
const DAY_SECONDS: u64 = 24 * 60 * 60;

/// One session in a list.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// Its id.
    pub id: String,
    /// The shortest beginning of the id that no other session has.
    #[serde(skip)]
    pub short_id: String,
    /// The name the user gave it, or the first line of the person's first words; none when nobody said anything.
    pub title: Option<String>,
    /// When it began, in milliseconds since the Unix epoch.
    pub created_ms: u64,
    /// When something last happened, in milliseconds since the Unix epoch.
    pub active_ms: u64,
    /// Turns begun.
    pub turns: u32,
    /// The folder it works in; empty when its header cannot be read.
    #[serde(with = "crate::protocol::path")]
    pub workspace: PathBuf,
    /// The model that answered last, where it is told near the end.
    pub model: Option<String>,
    /// The session it was copied from.
    pub forked_from: Option<String>,
    /// Size of its file.
    pub bytes: u64,
    /// Its file.
    #[serde(with = "crate::protocol::path")]
    pub path: PathBuf,
}

/// Lists the sessions in `folder`, the latest activity first; only those of one workspace when it is given.
///
/// A file that cannot be opened, or holds nothing of a session, is left out. A missing folder holds no sessions.
pub fn summaries(folder: &Path, workspace: Option<&Path>) -> Result<Vec<Summary>, SessionError> {
    let files = files(folder)?;
    let short = short_ids(&files);
    let mut found: Vec<Summary> = files
        .iter()
        .zip(short)
        .filter_map(|(path, short_id)| Some(Summary { short_id, ..summary(path).ok()?? }))
        .filter(|summary| workspace.is_none_or(|workspace| summary.workspace == workspace))
        .collect();
    found.sort_by(|a, b| (b.active_ms, &b.id).cmp(&(a.active_ms, &a.id)));
    Ok(found)
}

/// Returns the session of the workspace in which somebody last said something.
pub fn latest(folder: &Path, workspace: &Path) -> Result<Option<Summary>, SessionError> {
    Ok(summaries(folder, Some(workspace))?.into_iter().find(|summary| summary.title.is_some()))
}

/// Finds the one session whose id is, or begins with, `prefix`.
pub fn find(folder: &Path, prefix: &str) -> Result<PathBuf, SessionError> {
    let not_found = || SessionError::NotFound { prefix: prefix.to_owned() };
    if prefix.is_empty() {
        return Err(not_found());
    }
    let mut matching: Vec<PathBuf> =
        files(folder)?.into_iter().filter(|path| id_of(path).starts_with(prefix)).collect();
    if let Some(at) = matching.iter().position(|path| id_of(path) == prefix) {
        return Ok(matching.swap_remove(at));
    }
    if matching.len() > 1 {
        let ids = matching.iter().map(|path| id_of(path)).collect();
        return Err(SessionError::Ambiguous { prefix: prefix.to_owned(), ids });
    }
    matching.pop().ok_or_else(not_found)
}

/// Deletes one session; fails when a process is writing it.
pub fn delete(path: &Path) -> Result<(), SessionError> {
    let open = |source| SessionError::Open { path: path.to_path_buf(), source };
    let file = open_existing_append(path).map_err(open)?;
    lock::take(&file, path)?;
    title::forget(path);
    remove_file(path).map_err(open)
}

/// Deletes sessions in which nothing happened for `keep_days` before `now_ms`, and returns their ids. Zero days keep all.
///
/// Sessions in use and files that are no sessions stay, and so does what cannot be deleted. Copies that a crash cut off
/// go after a day.
pub fn prune(folder: &Path, keep_days: u64, now_ms: u64) -> Result<Vec<String>, SessionError> {
    if keep_days == 0 {
        return Ok(Vec::new());
    }
    sweep(folder, now_ms);
    let kept = Duration::from_secs(keep_days.saturating_mul(DAY_SECONDS));
    let Some(limit) = Duration::from_millis(now_ms).checked_sub(kept) else {
        return Ok(Vec::new());
    };
    let is_old = |path: &PathBuf| modified(path).is_some_and(|at| at < limit);
    let old = files(folder)?.into_iter().filter(is_old).filter(|path| matches!(summary(path), Ok(Some(_))));
    Ok(old.filter(|path| delete(path).is_ok()).map(|path| id_of(&path)).collect())
}

/// Removes what [`crate::session::fork`] leaves when it is killed; no copy takes a day.
fn sweep(folder: &Path, now_ms: u64) {
    let limit = Duration::from_millis(now_ms).saturating_sub(Duration::from_secs(DAY_SECONDS));
    let names = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let is_cut_off = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with('.') && name.contains(".jsonl.mimi-") && modified(path).is_some_and(|at| at < limit)
    };
    for path in names.filter(is_cut_off) {
        drop(remove_file(&path));
    }
}

fn modified(path: &Path) -> Option<Duration> {
    std::fs::metadata(path).ok()?.modified().ok()?.duration_since(UNIX_EPOCH).ok()
}

/// Returns the session files in `folder` in the order of their ids, hidden ones (unfinished copies) left out.
fn files(folder: &Path) -> Result<Vec<PathBuf>, SessionError> {
    let failed = |source| SessionError::Folder { path: folder.to_path_buf(), source };
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.map_err(failed)?.path();
        let is_hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if path.extension().is_some_and(|extension| extension == "jsonl") && !is_hidden && path.is_file() {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

/// Returns for each of the sorted files the shortest beginning of its id that tells it from its neighbours.
fn short_ids(files: &[PathBuf]) -> Vec<String> {
    let ids: Vec<Vec<char>> = files.iter().map(|path| id_of(path).chars().collect()).collect();
    let shared = |a: usize, b: usize| ids[a].iter().zip(&ids[b]).take_while(|(a, b)| a == b).count();
    (0..ids.len())
        .map(|at| {
            let before = if at > 0 { shared(at - 1, at) } else { 0 };
            let after = if at + 1 < ids.len() { shared(at, at + 1) } else { 0 };
            ids[at].iter().take((before.max(after) + 1).max(MIN_SHORT_CHARS)).collect()
        })
        .collect()
}

/// Reads what a list shows of one session; none when the file holds nothing of one.
fn summary(path: &Path) -> Result<Option<Summary>, SessionError> {
    let read = |source| SessionError::Read { path: path.to_path_buf(), source };
    let file = File::open(path).map_err(|source| SessionError::Open { path: path.to_path_buf(), source })?;
    let bytes = file.metadata().map_err(read)?.len();
    let head = head(&file, path)?;
    if !head.is_session {
        return Ok(None);
    }
    let tail = tail(file, bytes).map_err(read)?;
    let last_ms = tail.at_ms.or_else(|| modified(path).map(|at| at.as_millis() as u64));
    let header = head.header.unwrap_or_else(|| Header::unknown(&id_of(path)));
    Ok(Some(Summary {
        short_id: header.id.clone(),
        title: title::of(path).or(header.title).or(head.words),
        created_ms: header.created_ms,
        // A copy is newer than what it holds.
        active_ms: header.created_ms.max(last_ms.filter(|_| head.has_events).unwrap_or_default()),
        turns: tail.turn.unwrap_or_default(),
        workspace: header.workspace,
        model: tail.model,
        forked_from: header.forked_from,
        bytes,
        path: path.to_path_buf(),
        id: header.id,
    }))
}

/// What the beginning of a file tells.
#[derive(Default)]
struct Head {
    header: Option<Header>,
    words: Option<String>,
    is_session: bool,
    has_events: bool,
}

fn head(file: &File, path: &Path) -> Result<Head, SessionError> {
    let mut reader = Reader::new(file.take(HEAD_BYTES), path);
    let mut head = Head::default();
    while let Some(line) = reader.next_line()? {
        match line {
            Line::Header(header) => head.header = Some(header),
            Line::Record(record) => {
                head.has_events = true;
                if let Event::UserMessage { author: Author::User, text } = &record.event {
                    head.words = Some(first_line(text, MAX_TITLE_CHARS));
                    break;
                }
            }
            Line::Opened(_) | Line::Unknown { .. } | Line::Unreadable => {}
        }
    }
    head.is_session = head.header.is_some() || head.has_events;
    Ok(head)
}

/// What the end of a file tells.
#[derive(Default)]
struct Tail {
    at_ms: Option<u64>,
    turn: Option<u32>,
    model: Option<String>,
}

/// The fields of a record that a list needs; all else is skipped unread.
#[derive(Deserialize)]
struct Peek {
    /// Tells records from the lines of writers.
    #[serde(rename = "seq")]
    _seq: u64,
    at_ms: u64,
    turn: Option<u32>,
    model: Option<String>,
}

/// Reads backwards, in growing steps, until a turn is found: a single turn may be long.
fn tail(mut file: File, bytes: u64) -> std::io::Result<Tail> {
    let mut length = TAIL_BYTES.min(bytes);
    loop {
        file.seek(SeekFrom::Start(bytes - length))?;
        let mut piece = Vec::new();
        (&mut file).take(length).read_to_end(&mut piece)?;
        let tail = scan(&piece);
        if tail.turn.is_some() || length == bytes {
            return Ok(tail);
        }
        length = (length * 8).min(bytes);
    }
}

fn scan(piece: &[u8]) -> Tail {
    let mut tail = Tail::default();
    for line in piece.rsplit(|byte| *byte == b'\n') {
        let Ok(peek) = serde_json::from_slice::<Peek>(line) else {
            continue;
        };
        tail.at_ms = tail.at_ms.or(Some(peek.at_ms));
        tail.turn = tail.turn.or(peek.turn);
        tail.model = tail.model.or(peek.model);
        if tail.turn.is_some() && tail.model.is_some() {
            break;
        }
    }
    tail
}
