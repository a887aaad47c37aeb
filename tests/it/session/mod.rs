//! Do sessions survive what happens to files?

mod cut;
mod disk;
mod folder;
mod kill;
mod read;
mod resumed;
mod signals;
mod tidied;
mod two;
mod unfinished;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use mimi::base::clock::FakeClock;
use mimi::protocol::event::{Author, Event, TurnEnd};
use mimi::protocol::message::{CallId, ToolCall, Usage};
use mimi::protocol::tool::ToolOutcome;
use mimi::session::header::Header;
use mimi::session::journal::Journal;

/// When the sessions of these tests begin: 2026-01-01.
pub const BEGIN_MS: u64 = 1_767_225_600_000;

/// A folder of sessions.
pub struct Sessions {
    folder: tempfile::TempDir,
}

impl Sessions {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self) -> PathBuf {
        self.folder.path().join("sessions")
    }

    /// Begins a session of the workspace `/work/<name>` under the given id, at that many milliseconds.
    pub fn begin(&self, id: &str, name: &str, after_ms: u64) -> Journal {
        let clock = Arc::new(FakeClock::at(BEGIN_MS + after_ms));
        let mut header = Header::new(&Path::new("/work").join(name), clock.as_ref());
        header.id = id.to_owned();
        Journal::create(&self.path(), header, clock).unwrap()
    }

    /// Writes a file that is no session of ours.
    pub fn put(&self, name: &str, bytes: &[u8]) -> PathBuf {
        std::fs::create_dir_all(self.path()).unwrap();
        let path = self.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }
}

pub fn clock() -> Arc<FakeClock> {
    Arc::new(FakeClock::at(BEGIN_MS + 1_000_000))
}

pub fn user(text: &str) -> Event {
    Event::UserMessage { author: Author::User, text: text.to_owned() }
}

/// A whole turn: words, a call, its outcome, an answer.
pub fn turn(turn: u32, words: &str) -> Vec<Event> {
    let call = CallId(format!("call-{turn}"));
    let tool_calls =
        vec![ToolCall { id: call.clone(), name: "shell".into(), arguments: "{\"command\":\"ls\"}".into() }];
    let says =
        |text: &str, tool_calls| Event::AssistantMessage { text: text.into(), reasoning: String::new(), tool_calls };
    vec![
        Event::TurnStarted { turn },
        user(words),
        says("", tool_calls),
        Event::ToolFinished {
            call,
            tool: "shell".into(),
            outcome: ToolOutcome::Ok { text: format!("result {turn} äöü \u{1f980}") },
            summary: "1 line".into(),
            diffs: Vec::new(),
            seen: Vec::new(),
            duration_ms: 3,
        },
        says(&format!("answer {turn}"), Vec::new()),
        Event::TurnDone { turn, end: TurnEnd::Answered, steps: 2, usage: Usage::default(), refused: 0 },
    ]
}

pub fn write(journal: &mut Journal, events: &[Event]) {
    for event in events {
        journal.append(event).unwrap();
    }
}
