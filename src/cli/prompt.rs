//! How are lines and single keys read from the person?
//!
//! Lines come from an editor with history and multi-line paste; a line that ends in a backslash goes on in the next. Keys are
//! read one at a time for approvals. Both block, so they run beside the agent's thread.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crossterm::event::{Event, KeyCode, KeyEventKind, KeyModifiers};
use rustyline::error::ReadlineError;
use rustyline::{Config, DefaultEditor};

use crate::base::fault::{Fault, Kind};
use crate::base::path::create_private_dir;
use crate::base::secrets::find;
use crate::exec::interactive::{self, Found};

/// How often a reader of keys looks whether it is still wanted.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// What was typed already is read in this time; with none at all nothing is.
const AT_ONCE: Duration = Duration::from_millis(1);
/// Lines kept in the history file.
const HISTORY_LINES: usize = 1000;

/// What the person gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// Words, possibly of several lines.
    Text(String),
    /// Ctrl-C.
    Interrupted,
    /// Ctrl-D, or the terminal is gone.
    End,
}

/// Reads lines.
pub struct Prompt {
    editor: Arc<Mutex<DefaultEditor>>,
    history: PathBuf,
    terminal: Option<Found>,
    is_reading: bool,
}

impl Drop for Prompt {
    /// An editor left in the middle of a line keeps the terminal raw and pastes bracketed; a shell expects neither.
    fn drop(&mut self) {
        if self.is_reading
            && let Some(terminal) = &self.terminal
        {
            terminal.put_back();
            drop(crossterm::execute!(std::io::stdout(), crossterm::event::DisableBracketedPaste));
            drop(std::io::stdout().write_all(b"\n"));
        }
    }
}

impl Prompt {
    /// Reads one key without waiting for Enter; [`Key::Other`] soon after `give_up` is set. Dropped before its end only to
    /// leave, as [`Prompt::line`].
    pub async fn key(&mut self, give_up: Arc<AtomicBool>) -> Result<Key, Fault> {
        self.is_reading = true;
        let key = read_key(give_up).await;
        self.is_reading = false;
        key
    }

    /// Opens the editor with the history kept in `history`; a history that cannot be read is an empty one.
    pub fn new(history: &Path) -> Result<Self, Fault> {
        let broken =
            |error: ReadlineError| Fault::new(Kind::Bug, "cannot read from the terminal").cause(error.to_string());
        let config = Config::builder().max_history_size(HISTORY_LINES).map_err(broken)?.auto_add_history(false).build();
        let terminal = Found::now();
        let mut editor = DefaultEditor::with_config(config).map_err(broken)?;
        drop(editor.load_history(history));
        let editor = Arc::new(Mutex::new(editor));
        Ok(Self { editor, history: history.to_path_buf(), terminal, is_reading: false })
    }

    /// Reads a line. Dropped before its end it goes on reading, so that no other line can be read: only to leave.
    pub async fn line(&mut self, prompt: &str) -> Result<Line, Fault> {
        let (editor, history, prompt) = (self.editor.clone(), self.history.clone(), prompt.to_owned());
        let reading = tokio::task::spawn_blocking(move || {
            let mut editor = editor.lock().unwrap_or_else(PoisonError::into_inner);
            let line = read_whole(&mut editor, &prompt);
            // Kept at once, so that a crash does not lose it. The history is a convenience: failing to keep it is no error.
            drop(history.parent().map(create_private_dir));
            drop(editor.append_history(&history));
            line
        });
        self.is_reading = true;
        let line = reading.await;
        self.is_reading = false;
        line.map_err(|error| Fault::new(Kind::Bug, "cannot read a line").cause(error.to_string()))?
    }
}

/// Reads a line and its continuations.
fn read_whole(editor: &mut DefaultEditor, prompt: &str) -> Result<Line, Fault> {
    let mut text = String::new();
    let mut prompt = prompt;
    loop {
        match editor.readline(prompt) {
            Ok(line) => {
                // The history is read by nobody but this user, and still outlives the reason why a key was typed.
                if find(&line).is_empty() {
                    drop(editor.add_history_entry(line.as_str()));
                }
                match line.strip_suffix('\\') {
                    Some(line) => {
                        text.push_str(line);
                        text.push('\n');
                        prompt = "... ";
                    }
                    None => return Ok(Line::Text(text + &line)),
                }
            }
            // A signal that came while nobody read; whoever waits for signals knows of it.
            Err(ReadlineError::Signal(_)) => {}
            Err(ReadlineError::Interrupted) => return Ok(Line::Interrupted),
            Err(ReadlineError::Eof | ReadlineError::Io(_)) => return Ok(Line::End),
            Err(error) => return Err(Fault::new(Kind::Task, "cannot read a line").cause(error.to_string())),
        }
    }
}

/// A key that matters for an approval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// A letter, in lower case.
    Char(char),
    /// Ctrl-C or Esc.
    Interrupt,
    /// Anything else.
    Other,
}

/// Forgets keys pressed before a question is shown: they were meant for something else, and must not approve anything.
pub fn forget_typed() {
    while crossterm::event::poll(AT_ONCE).is_ok_and(|is_there| is_there) {
        if crossterm::event::read().is_err() {
            break;
        }
    }
    interactive::forget_typed();
}

/// Reads one key without waiting for Enter; [`Key::Other`] soon after `give_up` is set.
///
/// # Errors
/// There is no terminal.
pub async fn read_key(give_up: Arc<AtomicBool>) -> Result<Key, Fault> {
    let reading = tokio::task::spawn_blocking(move || {
        let _raw = RawMode::enter()?;
        loop {
            let is_there = crossterm::event::poll(LOOK_EVERY)?;
            if give_up.load(Ordering::Relaxed) {
                return Ok(Key::Other);
            }
            if is_there
                && let Event::Key(key) = crossterm::event::read()?
                && key.kind == KeyEventKind::Press
            {
                return Ok(match key.code {
                    KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => Key::Interrupt,
                    KeyCode::Char(c) => Key::Char(c.to_ascii_lowercase()),
                    KeyCode::Esc => Key::Interrupt,
                    _ => Key::Other,
                });
            }
        }
    });
    let read: std::io::Result<Key> =
        reading.await.map_err(|error| Fault::new(Kind::Bug, "cannot read a key").cause(error.to_string()))?;
    read.map_err(|error| Fault::io(Kind::Task, "cannot read a key", &error))
}

/// Raw mode for as long as it lives.
struct RawMode;

impl RawMode {
    fn enter() -> std::io::Result<Self> {
        crossterm::terminal::enable_raw_mode()?;
        Ok(Self)
    }
}

impl Drop for RawMode {
    fn drop(&mut self) {
        drop(crossterm::terminal::disable_raw_mode());
    }
}
