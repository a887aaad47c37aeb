//! What does each key do on a board?

use crate::tui::key::Key;
use crate::tui::keymap::Action;
use crate::tui::state::around::board::{Board, Kind, STILL_WRITES};
use crate::tui::state::around::go::or_named;
use crate::tui::state::around::viewer::Viewer;
use crate::tui::state::around::{Ask, Next, Writing};
use crate::tui::state::message::Cmd;
use crate::tui::state::outside::Want;
use crate::tui::state::{Front, Purpose, State};

/// Said where something has to wait for the end of the turn.
pub(super) const STILL_RUNS: &str = "a turn still runs; stop it first, or wait";
/// Rows that a page of a list is.
const PAGE: isize = 10;

impl State {
    pub(in crate::tui::state) fn on_board(&mut self, key: Option<Key>, action: Option<Action>) -> Vec<Cmd> {
        let Front::Board(board) = &mut self.front else { return Vec::new() };
        if board.is_too_early(action) {
            return Vec::new();
        }
        let last = board.beside.as_ref().map_or(0, |(_, lines)| lines.len().saturating_sub(1));
        match action {
            Some(Action::Up) => board.go(-1),
            Some(Action::Down) => board.go(1),
            Some(Action::PageUp) => board.go(-PAGE),
            Some(Action::PageDown) => board.go(PAGE),
            Some(Action::RowUp) => board.beside_at = board.beside_at.saturating_sub(1),
            Some(Action::RowDown) => board.beside_at = (board.beside_at + 1).min(last),
            Some(Action::Close | Action::Interrupt) if !board.query.is_empty() => {
                board.query.clear();
                return self.narrowed();
            }
            Some(Action::Close | Action::Interrupt) => self.uncover(),
            Some(Action::Choose) => return self.choose_row(),
            Some(
                Action::Fork
                | Action::Rename
                | Action::Export
                | Action::Delete
                | Action::Restore
                | Action::Kill
                | Action::Background
                | Action::TakeOut,
            ) => return self.act_on_row(action),
            None if key.is_some_and(|key| board.typed(key)) => return self.narrowed(),
            other => return self.anywhere(other),
        }
        self.look_beside()
    }

    /// What is typed has changed.
    fn narrowed(&mut self) -> Vec<Cmd> {
        let mut cmds = self.look_beside();
        cmds.extend(self.search());
        cmds
    }

    fn board(&self) -> Option<&Board> {
        match &self.front {
            Front::Board(board) => Some(board),
            _ => None,
        }
    }

    /// Opens the chosen row.
    fn choose_row(&mut self) -> Vec<Cmd> {
        let Some((kind, row, beside)) = self.board().and_then(|board| {
            let row = board.chosen()?.clone();
            Some((board.kind, row, board.beside.clone()))
        }) else {
            return Vec::new();
        };
        if kind == Kind::Sessions {
            return self.go_on_in(Next::Session(row.id));
        }
        if let Some(path) = row.id.strip_prefix("file ").filter(|_| kind == Kind::Made) {
            return vec![Cmd::Want(Want::Around(Ask::Open { path: path.to_owned(), line: None }))];
        }
        if let Some((_, lines)) = beside {
            let title = format!("{}  {}", row.label, row.meaning);
            self.open_viewer(Viewer { title, lines, ..Viewer::default() });
        }
        Vec::new()
    }

    /// Does something with the chosen row.
    fn act_on_row(&mut self, action: Option<Action>) -> Vec<Cmd> {
        let Some(row) = self.board().and_then(|board| board.chosen().cloned()) else { return Vec::new() };
        let needs_rest = matches!(action, Some(Action::Fork | Action::Restore | Action::TakeOut));
        if needs_rest && self.status.is_busy() {
            self.hint = Some(STILL_RUNS.to_owned());
            return Vec::new();
        }
        let id = row.id;
        let ask = match action {
            Some(Action::Fork) => Ask::Fork { id, turn: None },
            Some(Action::Rename) => {
                self.write_for(Purpose::Line(Writing::Name(id)));
                self.composer.set(&row.label);
                return Vec::new();
            }
            Some(Action::Export) => {
                let name = or_named(String::new(), &id);
                self.write_for(Purpose::Line(Writing::ExportTo(id)));
                self.composer.set(&name);
                return Vec::new();
            }
            Some(Action::Delete) => {
                if !self.is_sure(&id, &format!("`{}` is deleted for good", row.label)) {
                    return Vec::new();
                }
                Ask::Delete { id }
            }
            Some(Action::Restore) => {
                let what = match self.status.n_behind {
                    0 => "files go back to how they were before this; what is there now is kept",
                    _ => STILL_WRITES,
                };
                if !self.is_sure(&id, what) {
                    return Vec::new();
                }
                Ask::Restore { id }
            }
            Some(Action::Kill) => return self.stop_call(&id),
            Some(Action::Background) => return self.put_behind(&id),
            Some(Action::TakeOut) => {
                let cost = "its text goes from the window, and the server reads what follows it again";
                if !self.is_sure(&id, cost) {
                    return Vec::new();
                }
                return self.drop_item(&id);
            }
            _ => return Vec::new(),
        };
        vec![Cmd::Want(Want::Around(ask))]
    }

    /// Says whether the same key was pressed for this row just before; else asks for that.
    fn is_sure(&mut self, id: &str, what: &str) -> bool {
        let Front::Board(board) = &mut self.front else { return false };
        if board.doomed.take().as_deref() == Some(id) {
            return true;
        }
        board.doomed = Some(id.to_owned());
        self.hint = Some(format!("once more, and {what}"));
        false
    }

    /// Takes what was written for something around the conversation.
    pub(in crate::tui::state) fn written(&mut self, writing: Writing) -> Vec<Cmd> {
        let text = self.composer.text();
        self.write_words();
        match writing {
            Writing::Find | Writing::ExportTo(_) if text.trim().is_empty() => Vec::new(),
            Writing::Find => self.find_words(&text),
            Writing::FindInFile => self.look_in_file(&text),
            Writing::Name(id) => vec![Cmd::Want(Want::Around(Ask::Rename { id, title: text }))],
            Writing::ExportTo(id) => {
                vec![Cmd::Want(Want::Around(Ask::Export { id, path: text.trim().to_owned() }))]
            }
        }
    }
}
