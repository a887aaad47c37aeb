//! What becomes of what is told about the things around the conversation?
//!
//! Answers to what was asked, and records that make something worth asking again.

use crate::protocol::event::{Event, Record};
use crate::tui::state::around::keys::STILL_RUNS;
use crate::tui::state::around::level;
use crate::tui::state::around::{Ask, Next, Told};
use crate::tui::state::message::Cmd;
use crate::tui::state::outside::Want;
use crate::tui::state::{Front, State};

/// Records shown raw, as the newest of them.
const MAX_RAW: usize = 200;
/// Characters of one that are kept.
const MAX_RAW_CHARS: usize = 400;

impl State {
    pub(in crate::tui::state) fn take_told(&mut self, told: Told) -> Vec<Cmd> {
        match told {
            Told::Rows { kind, words, rows } => return self.take_rows(kind, &words, rows),
            Told::Beside { kind, id, lines } => self.take_beside(kind, &id, lines),
            Told::Forked { id } => return self.go_on_in(Next::Session(id)),
            Told::Done { words } => {
                self.hint = Some(words);
                return self.reload();
            }
            Told::File(viewer) => self.open_viewer(*viewer),
            Told::Server(lines) => {
                self.around.server = lines;
                self.around.is_asking = false;
                return self.ask_server(level::SERVER_MS);
            }
            Told::Line(line) => {
                self.around.is_lining = false;
                match line {
                    Ok(line) => self.around.line = Some(line),
                    Err(why) => {
                        // A command that fails once is not asked again, and the line that comes along is back.
                        (self.around.line, self.around.has_line) = (None, false);
                        self.hint = Some(format!("`ui.status_command`: {why}"));
                    }
                }
            }
            Told::Branch(branch) => self.status.facts.branch = branch,
            Told::Nothing => {}
        }
        Vec::new()
    }

    /// Takes a record for those who look at them raw.
    pub(in crate::tui::state) fn keep_raw(&mut self, record: &Record) {
        if !self.around.kept.shows_raw() {
            return;
        }
        if self.around.raw.len() >= MAX_RAW {
            self.around.raw.pop_front();
        }
        let text = serde_json::to_string(&record.event).unwrap_or_default();
        let text = crate::base::text::first_line(&text, MAX_RAW_CHARS);
        self.around.raw.push_back(format!("{} {text}", record.seq));
    }

    /// Has the branch looked at when it may be another: others work while the agent rests, and commands change it.
    pub(in crate::tui::state) fn ask_branch(&self, record: &Record) -> Vec<Cmd> {
        let may_differ = match &record.event {
            Event::TurnStarted { .. } => true,
            Event::ToolFinished { tool, .. } => tool == "shell" || tool == "git",
            _ => false,
        };
        if may_differ { vec![Cmd::Want(Want::Around(Ask::Branch))] } else { Vec::new() }
    }

    /// Leaves the screen to go on elsewhere. Not while a turn runs: it would be cut off.
    pub(super) fn go_on_in(&mut self, next: Next) -> Vec<Cmd> {
        if self.status.is_busy() {
            self.hint = Some(STILL_RUNS.to_owned());
            return Vec::new();
        }
        if next == Next::Session(self.status.facts.session.clone()) {
            self.front = Front::Chat;
            self.hint = Some("this is that session".to_owned());
            return Vec::new();
        }
        self.around.next = Some(next);
        self.uncover();
        vec![Cmd::Leave]
    }
}
