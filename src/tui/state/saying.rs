//! What becomes of the words that were written?
//!
//! Words for the model, with what they mention; commands with a slash; `!` runs a command of one's own; `#` keeps a note. Words
//! leave in the order they were said: those that mention something wait until that is found, and the others wait behind them.

use crate::protocol::attached::Attached;
use crate::protocol::op::Op;
use crate::tui::look::Look;
use crate::tui::slash;
use crate::tui::state::choices::{Choice, Then};
use crate::tui::state::message::{Cmd, Scroll};
use crate::tui::state::outside::{Note, NotePlace, Want};
use crate::tui::state::{Purpose, State};

/// Files a path of which, pasted alone, is meant as an image.
const IMAGES: [&str; 5] = [".png", ".jpg", ".jpeg", ".gif", ".webp"];

impl State {
    /// Takes the words from the composer and does what they mean.
    pub(super) fn submit_words(&mut self) -> Vec<Cmd> {
        if self.composer.is_empty() {
            return Vec::new();
        }
        let text = self.composer.take();
        if text.trim().is_empty() {
            return Vec::new();
        }
        self.suggested.clear();
        let mut cmds = vec![Cmd::Remember(text.clone()), Cmd::Scroll(Scroll::Bottom)];
        cmds.extend(self.mean(text));
        cmds
    }

    fn mean(&mut self, text: String) -> Vec<Cmd> {
        if let Some(command) = own_command(&text) {
            return vec![Cmd::Send(Op::Run { command: command.to_owned() })];
        }
        if let Some(note) = note(&text) {
            return self.ask_where(note);
        }
        match slash::parse(&text) {
            None => self.say(text),
            Some(Ok(slash)) => self.slash(slash),
            Some(Err(fault)) => {
                self.transcript.note(Look::Notice, fault.to_string());
                Vec::new()
            }
        }
    }

    /// Says words to the model: to the running turn, where one runs, delivered after the running tools.
    pub(super) fn say(&mut self, text: String) -> Vec<Cmd> {
        self.saying.push_back(text);
        if self.saying.len() > 1 { Vec::new() } else { self.say_next() }
    }

    fn say_next(&mut self) -> Vec<Cmd> {
        let mut cmds = Vec::new();
        while let Some(text) = self.saying.front() {
            if brings_along(text) {
                let model = self.status.facts.model.clone();
                cmds.push(Cmd::Want(Want::Attach { text: text.clone(), model }));
                break;
            }
            cmds.extend(self.send_first());
        }
        cmds
    }

    fn send_first(&mut self) -> Option<Cmd> {
        let text = self.saying.pop_front()?;
        Some(Cmd::Send(if self.status.is_busy() { Op::Steer { text } } else { Op::Submit { text } }))
    }

    /// What words mention was found: they go with it. What was not found is said, and does not hold them up.
    pub(super) fn take_attached(&mut self, attached: Vec<Attached>, trouble: &[String]) -> Vec<Cmd> {
        trouble.iter().for_each(|wrong| self.transcript.note(Look::Notice, format!("! {wrong}")));
        let mut cmds = Vec::new();
        if !attached.is_empty() {
            cmds.push(Cmd::Send(Op::Attach { attached }));
        }
        cmds.extend(self.send_first());
        cmds.extend(self.say_next());
        cmds
    }

    /// Words cannot be sent with what they mention: they come back to be changed.
    pub(super) fn take_refused(&mut self, why: &str) -> Vec<Cmd> {
        self.transcript.note(Look::Bad, why);
        if let Some(text) = self.saying.pop_front().filter(|_| self.composer.is_empty()) {
            self.composer.set(&text);
        }
        self.say_next()
    }

    fn ask_where(&mut self, note: &str) -> Vec<Cmd> {
        let turn = self.transcript.turn();
        let row = |label: &str, meaning: &str, place| {
            let note = Note { text: note.to_owned(), place, turn };
            Choice::new(label, meaning, Then::Do(Cmd::Want(Want::Note(note))))
        };
        let rows = vec![
            row("the project", "AGENTS.md of this folder, for everybody who works on it", NotePlace::Project),
            row("me", "AGENTS.md beside your config.yaml, for all your projects", NotePlace::User),
        ];
        self.choose("note for", rows);
        Vec::new()
    }

    /// Takes what was pasted; the path of an image alone is a mention of it.
    pub(super) fn paste_words(&mut self, text: &str) {
        match self.purpose == Purpose::Words && self.composer.is_in_word() {
            false => match image_path(text) {
                Some(path) => self.composer.paste(&mention_of(&path)),
                None => self.composer.paste(text),
            },
            true => self.composer.paste(text),
        }
    }

    /// Begins a mention of a file.
    pub(super) fn attach(&mut self, path: Option<String>) -> Vec<Cmd> {
        self.composer.paste(&path.map_or_else(|| "@".to_owned(), |path| mention_of(&path)));
        self.look_for_picks()
    }
}

/// Returns the command of a line that begins with `!`.
pub fn own_command(text: &str) -> Option<&str> {
    text.trim().strip_prefix('!').map(str::trim).filter(|command| !command.is_empty())
}

/// Returns the note of a line that begins with a single `#`. Several lines are words that begin with a heading.
pub fn note(text: &str) -> Option<&str> {
    let line = text.trim();
    let note = line.strip_prefix('#').filter(|rest| !rest.starts_with('#') && !line.contains('\n'))?.trim();
    (!note.is_empty()).then_some(note)
}

/// Says whether words may mention something that goes along with them.
pub fn brings_along(text: &str) -> bool {
    text.split(|c: char| c.is_whitespace() || c == '(').any(|word| word.len() > 1 && word.starts_with('@'))
}

fn mention_of(path: &str) -> String {
    if path.contains(char::is_whitespace) { format!("@\"{path}\" ") } else { format!("@{path} ") }
}

/// Reads a path as terminals paste files that are dropped on them: quoted, with escaped blanks, or as a URL.
fn image_path(text: &str) -> Option<String> {
    let text = text.trim();
    let path = text.strip_prefix("file://").unwrap_or(text);
    let quoted = ['\'', '"'].iter().find_map(|quote| path.strip_prefix(*quote)?.strip_suffix(*quote));
    let path = quoted.map_or_else(|| path.replace("\\ ", " "), str::to_owned);
    let is_path = path.starts_with('/') || path.starts_with("~/") || path.starts_with("./");
    let is_image = IMAGES.iter().any(|end| path.to_lowercase().ends_with(end));
    (is_path && is_image && !path.contains('\n')).then_some(path)
}

#[cfg(test)]
#[path = "saying_tests.rs"]
mod tests;
