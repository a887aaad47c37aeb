//! Which commands lead away from the conversation?
//!
//! What is typed with a slash, and what a key does from everywhere; both end here.

use crate::tui::keymap::Action;
use crate::tui::state::State;
use crate::tui::state::around::board::Kind;
use crate::tui::state::around::keys::STILL_RUNS;
use crate::tui::state::around::level::{Level, Preset};
use crate::tui::state::around::{Ask, Next};
use crate::tui::state::message::Cmd;
use crate::tui::state::outside::Want;

/// Somewhere to go, or something to do there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Go {
    /// To a list, narrowed to words.
    Board(Kind, String),
    /// On in a new session.
    New,
    /// On in a copy of this one, up to the end of a turn.
    Fork(Option<u32>),
    /// This session gets a name.
    Rename(String),
    /// This session becomes a file.
    Export(String),
    /// To words said before.
    Find(String),
    /// To a file.
    Open(String),
    /// To a level, or the next.
    Level(Option<Level>),
    /// To a layout, or the next.
    Preset(Option<Preset>),
    /// Nowhere: what runs goes behind the turn.
    Behind,
}

impl State {
    /// Goes there.
    pub(in crate::tui::state) fn go(&mut self, go: Go) -> Vec<Cmd> {
        let id = self.status.facts.session.clone();
        let ask = match go {
            Go::Board(kind, words) => return self.open_board(kind, &words),
            Go::New => return self.go_on_in(Next::New),
            Go::Find(words) => return self.find_words(&words),
            Go::Open(words) => return self.open_file(&words),
            Go::Level(level) => return self.set_level(level),
            Go::Preset(preset) => return self.set_preset(preset),
            Go::Behind => return self.put_last_behind(),
            Go::Fork(_) if self.status.is_busy() => {
                self.hint = Some(STILL_RUNS.to_owned());
                return Vec::new();
            }
            Go::Fork(turn) => Ask::Fork { id, turn },
            Go::Rename(title) => Ask::Rename { id, title },
            Go::Export(path) => Ask::Export { path: or_named(path, &id), id },
        };
        vec![Cmd::Want(Want::Around(ask))]
    }

    /// Goes where a key leads from everywhere.
    pub(in crate::tui::state) fn go_around(&mut self, action: Option<Action>) -> Vec<Cmd> {
        let board = |kind| Go::Board(kind, String::new());
        let go = match action {
            Some(Action::Sessions) => board(Kind::Sessions),
            Some(Action::Made) => board(Kind::Made),
            Some(Action::Context) => board(Kind::Context),
            Some(Action::Checkpoints) => board(Kind::Checkpoints),
            Some(Action::Running) => board(Kind::Running),
            Some(Action::Find) => Go::Find(String::new()),
            Some(Action::Background) => Go::Behind,
            Some(Action::NextLevel) => Go::Level(None),
            Some(Action::NextLayout) => Go::Preset(None),
            _ => return Vec::new(),
        };
        self.go(go)
    }
}

/// Names the file of an exported session where nobody did.
pub(super) fn or_named(path: String, id: &str) -> String {
    if path.is_empty() { format!("session-{}.md", crate::base::text::prefix(id, 13)) } else { path }
}
