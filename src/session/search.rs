//! In which sessions was something said or done?
//!
//! Looks through the session files themselves, the latest first: a line is read as a record only when its bytes hold every word,
//! so that a hundred megabytes take a moment and nothing has to be kept up to date. Words may stand in any order and case.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};

use regex::RegexBuilder;
use regex::bytes::{Regex as Bytes, RegexBuilder as BytesBuilder};

use crate::protocol::event::{Author, Event, Record};
use crate::session::error::SessionError;
use crate::session::list;

/// Characters of what was said around the first word found.
const SNIPPET_CHARS: usize = 160;
/// Characters of them before the word.
const BEFORE_CHARS: usize = 40;
/// Hits of one session: the list is of sessions, and each is opened to read on.
const MAX_PER_SESSION: usize = 3;

/// A place where all words were found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// The session's file.
    pub path: PathBuf,
    /// Place of the record within the session.
    pub seq: u64,
    /// Who said it: `you`, the model's `answer`, a `call` or a `result`.
    pub who: &'static str,
    /// What was said around it, in one line.
    pub said: String,
}

/// What is looked for.
struct Words {
    /// Each as it stands in a line of JSON.
    raw: Vec<Bytes>,
    /// Each as it is said.
    plain: Vec<regex::Regex>,
}

impl Words {
    fn of(words: &str) -> Option<Self> {
        let each: Vec<&str> = words.split_whitespace().collect();
        let escaped = |word: &&str| {
            let json = serde_json::to_string(word).ok()?;
            let inner = regex::escape(json.get(1..json.len().saturating_sub(1))?);
            BytesBuilder::new(&inner).case_insensitive(true).build().ok()
        };
        let plain = |word: &&str| RegexBuilder::new(&regex::escape(word)).case_insensitive(true).build().ok();
        let words =
            Self { raw: each.iter().filter_map(escaped).collect(), plain: each.iter().filter_map(plain).collect() };
        (!words.raw.is_empty() && words.raw.len() == each.len() && words.plain.len() == each.len()).then_some(words)
    }

    fn may_stand_in(&self, line: &[u8]) -> bool {
        self.raw.iter().all(|word| word.is_match(line))
    }

    /// Returns what is around the first word; none unless all are there.
    fn around(&self, text: &str) -> Option<String> {
        let first = self.plain.first()?.find(text)?.start();
        self.plain.iter().all(|word| word.is_match(text)).then(|| {
            let before: Vec<char> = text[..first].chars().rev().take(BEFORE_CHARS).collect();
            let shown = before.into_iter().rev().chain(text[first..].chars()).take(SNIPPET_CHARS);
            shown.collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ")
        })
    }
}

/// Finds where all the words were said in one breath, in sessions of one workspace when it is given: at most `max` hits, the
/// session in which something happened last before the others. Files that cannot be read are left out.
pub fn search(folder: &Path, workspace: Option<&Path>, words: &str, max: usize) -> Result<Vec<Hit>, SessionError> {
    let Some(words) = Words::of(words) else { return Ok(Vec::new()) };
    let mut hits = Vec::new();
    for summary in list::summaries(folder, workspace)? {
        if hits.len() >= max {
            break;
        }
        hits.extend(in_session(&summary.path, &words).unwrap_or_default());
    }
    hits.truncate(max);
    Ok(hits)
}

fn in_session(path: &Path, words: &Words) -> std::io::Result<Vec<Hit>> {
    let mut input = BufReader::with_capacity(64 << 10, File::open(path)?);
    let mut line = Vec::new();
    let mut hits = Vec::new();
    while hits.len() < MAX_PER_SESSION {
        line.clear();
        if input.read_until(b'\n', &mut line)? == 0 {
            break;
        }
        if !words.may_stand_in(&line) {
            continue;
        }
        let Ok(record) = serde_json::from_slice::<Record>(&line) else { continue };
        let Some((who, text)) = said(&record.event) else { continue };
        hits.extend(words.around(&text).map(|said| Hit { path: path.to_path_buf(), seq: record.seq, who, said }));
    }
    Ok(hits)
}

/// Returns what a record says to a person; pieces of answers are repeated whole by a later record.
fn said(event: &Event) -> Option<(&'static str, String)> {
    match event {
        Event::UserMessage { author: Author::User, text } => Some(("you", text.clone())),
        Event::AssistantMessage { text, .. } => Some(("answer", text.clone())),
        Event::ToolProposed { target, .. } => Some(("call", target.clone())),
        Event::ToolFinished { outcome, .. } => Some(("result", outcome.text().to_owned())),
        _ => None,
    }
}

#[cfg(test)]
#[path = "search_tests.rs"]
mod tests;
