//! What is a list whose rows can be looked into and acted on?
//!
//! Rows narrowed by what is typed, and beside them what is in the chosen one. Rows come from outside, except where everything is
//! in the transcript already: what runs, and what was made.

use crate::protocol::message::CallId;
use crate::protocol::op::Op;
use crate::tui::diff_view::Spans;
use crate::tui::key::{Code, Key};
use crate::tui::keymap::{Action, View};
use crate::tui::state::around::Ask;
use crate::tui::state::around::made;
use crate::tui::state::message::Cmd;
use crate::tui::state::outside::Want;
use crate::tui::state::{Front, State};

/// Said where files go back to how they were while a command goes on behind the turn.
pub(super) const STILL_WRITES: &str =
    "a command in the background may still write to files; the list of what runs ends it";

/// Which list it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Sessions of this project.
    Sessions,
    /// What was made: files changed, searches, plans.
    Made,
    /// What fills the window.
    Context,
    /// Files as they were before each call.
    Checkpoints,
    /// What runs now.
    Running,
}

/// One row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Row {
    /// Names it.
    pub id: String,
    /// What it is called.
    pub label: String,
    /// What else there is to know, beside it.
    pub meaning: String,
    /// A line below it, where there is one.
    pub more: String,
}

/// The list, and where the person is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Board {
    /// Which it is.
    pub kind: Kind,
    /// Its rows, as last told.
    pub rows: Vec<Row>,
    /// What the rows were looked for with, where looking is done outside.
    pub rows_of: String,
    /// Whether the rows are still to come.
    pub is_waiting: bool,
    /// What is typed.
    pub query: String,
    /// Which of those that fit is chosen, from 0.
    pub at: usize,
    /// What is in the chosen row, and which row that is.
    pub beside: Option<(String, Vec<Spans>)>,
    /// Rows of it scrolled.
    pub beside_at: usize,
    /// What was asked to be sure about: the row that goes with the same key again.
    pub doomed: Option<String>,
    /// Whether words are being looked for. One search at a time: whoever types is quicker than they are.
    pub(in crate::tui::state) is_searching: bool,
    /// What was pressed while there were no rows yet, oldest first.
    pub(super) early: Vec<Action>,
}

impl Kind {
    /// Names it for a person.
    pub fn title(self) -> &'static str {
        match self {
            Self::Sessions => "sessions",
            Self::Made => "artefacts",
            Self::Context => "context",
            Self::Checkpoints => "checkpoints",
            Self::Running => "running",
        }
    }

    /// Says what an empty list means.
    pub fn empty(self) -> &'static str {
        match self {
            Self::Sessions => "no session has these words",
            Self::Made => "no file was changed, nothing searched and nothing planned so far",
            Self::Context => "nothing was sent so far",
            Self::Checkpoints => "nothing was changed in this session that is still kept",
            Self::Running => "no command runs",
        }
    }

    /// Says which keys hold.
    pub fn view(self) -> View {
        match self {
            Self::Sessions => View::Sessions,
            Self::Made => View::Made,
            Self::Context => View::Context,
            Self::Checkpoints => View::Checkpoints,
            Self::Running => View::Running,
        }
    }

    /// Says whether its rows are in the transcript.
    fn is_at_hand(self) -> bool {
        matches!(self, Self::Made | Self::Running)
    }
}

impl Board {
    /// Opens one whose rows are still to come.
    pub fn new(kind: Kind, query: &str) -> Self {
        Self {
            kind,
            rows: Vec::new(),
            rows_of: String::new(),
            is_waiting: true,
            query: query.to_owned(),
            at: 0,
            beside: None,
            beside_at: 0,
            doomed: None,
            is_searching: false,
            early: Vec::new(),
        }
    }

    /// Keeps what was pressed before there are rows to press it on; says whether it did. What changes something waits for
    /// nobody: it would hit a row that was not seen.
    pub(super) fn is_too_early(&mut self, action: Option<Action>) -> bool {
        let waits =
            matches!(action, Some(Action::Up | Action::Down | Action::PageUp | Action::PageDown | Action::Choose));
        let is_early = self.is_waiting && self.rows.is_empty() && waits;
        self.early.extend(action.filter(|_| is_early));
        is_early
    }

    /// Returns the rows that fit what is typed; those that were looked for outside all do.
    pub fn fitting(&self) -> Vec<&Row> {
        if self.kind == Kind::Sessions && self.rows_of == self.query {
            return self.rows.iter().collect();
        }
        let query = self.query.to_lowercase();
        let fits = |row: &&Row| {
            let all = format!("{} {} {}", row.label, row.meaning, row.more).to_lowercase();
            query.split_whitespace().all(|word| all.contains(word))
        };
        self.rows.iter().filter(fits).collect()
    }

    /// Returns the row that is chosen.
    pub fn chosen(&self) -> Option<&Row> {
        self.fitting().get(self.at).copied()
    }

    /// Chooses another row, at most the last.
    pub(in crate::tui::state) fn go(&mut self, by: isize) {
        let last = self.fitting().len().saturating_sub(1);
        self.at = self.at.saturating_add_signed(by).min(last);
        (self.beside_at, self.doomed) = (0, None);
    }

    /// Takes a key for what is typed; says whether it meant anything.
    pub(super) fn typed(&mut self, key: Key) -> bool {
        match (key.typed(), key.code) {
            (Some(c), _) => self.query.push(c),
            (None, Code::Backspace) if key.ctrl || key.alt => self.query.clear(),
            (None, Code::Backspace) => drop(self.query.pop()),
            _ => return false,
        }
        (self.at, self.beside_at, self.doomed) = (0, 0, None);
        true
    }
}

impl State {
    /// Opens a board.
    pub(super) fn open_board(&mut self, kind: Kind, query: &str) -> Vec<Cmd> {
        if kind == Kind::Checkpoints && self.status.n_behind > 0 {
            self.hint = Some(STILL_WRITES.to_owned());
        }
        self.put_in_front(Front::Board(Box::new(Board::new(kind, query))));
        self.reload()
    }

    /// Puts a view in front: in the place of another of these, over anything else.
    pub(super) fn put_in_front(&mut self, front: Front) {
        match self.front {
            Front::Board(_) | Front::Viewer(_) | Front::Find => self.front = front,
            _ => self.cover(front),
        }
    }

    /// Has the rows of the board come anew.
    pub(in crate::tui::state) fn reload(&mut self) -> Vec<Cmd> {
        let Front::Board(board) = &mut self.front else { return Vec::new() };
        let (kind, words) = (board.kind, board.query.clone());
        board.is_searching = kind == Kind::Sessions;
        if kind.is_at_hand() {
            let rows = self.rows_at_hand(kind);
            return self.take_rows(kind, &words, rows);
        }
        vec![Cmd::Want(Want::Around(Ask::Rows { kind, words }))]
    }

    /// Has words looked for that are typed, unless others still are.
    pub(super) fn search(&mut self) -> Vec<Cmd> {
        let Front::Board(board) = &mut self.front else { return Vec::new() };
        if board.kind != Kind::Sessions || std::mem::replace(&mut board.is_searching, true) {
            return Vec::new();
        }
        vec![Cmd::Want(Want::Around(Ask::Rows { kind: board.kind, words: board.query.clone() }))]
    }

    /// Keeps a board true whose rows are in the transcript.
    pub(in crate::tui::state) fn refresh(&mut self) {
        let Front::Board(board) = &self.front else { return };
        if board.kind == Kind::Running {
            let (kind, words) = (board.kind, board.query.clone());
            let rows = self.rows_at_hand(kind);
            drop(self.take_rows(kind, &words, rows));
        }
    }

    fn rows_at_hand(&self, kind: Kind) -> Vec<Row> {
        match kind {
            Kind::Running => made::running(&self.transcript, self.now_ms),
            _ => made::rows(&self.transcript),
        }
    }

    pub(super) fn take_rows(&mut self, kind: Kind, words: &str, rows: Vec<Row>) -> Vec<Cmd> {
        let Front::Board(board) = &mut self.front else { return Vec::new() };
        if board.kind != kind {
            return Vec::new();
        }
        board.is_searching = false;
        // What comes late for words that have changed since is of no use; those are looked for now.
        if kind == Kind::Sessions && board.query != words {
            return self.search();
        }
        let chosen = board.chosen().map(|row| row.id.clone());
        board.rows = rows;
        (board.rows_of, board.is_waiting) = (words.to_owned(), false);
        let again = board.fitting().iter().position(|row| Some(&row.id) == chosen.as_ref());
        board.at = again.unwrap_or(board.at).min(board.fitting().len().saturating_sub(1));
        let early = std::mem::take(&mut board.early);
        let mut cmds = self.look_beside();
        for action in early {
            cmds.extend(self.on_board(None, Some(action)));
        }
        cmds
    }

    /// Has what is in the chosen row come, unless it is there.
    pub(super) fn look_beside(&mut self) -> Vec<Cmd> {
        let Front::Board(board) = &mut self.front else { return Vec::new() };
        let Some(row) = board.chosen() else {
            board.beside = None;
            return Vec::new();
        };
        let (kind, id) = (board.kind, row.id.clone());
        if kind.is_at_hand() {
            let lines = made::beside(&self.transcript, &id);
            self.take_beside(kind, &id, lines);
            return Vec::new();
        }
        if board.beside.as_ref().is_some_and(|(of, _)| *of == id) {
            return Vec::new();
        }
        vec![Cmd::Want(Want::Around(Ask::Beside { kind, id }))]
    }

    pub(super) fn take_beside(&mut self, kind: Kind, id: &str, lines: Vec<Spans>) {
        if let Front::Board(board) = &mut self.front
            && board.kind == kind
            && board.chosen().is_some_and(|row| row.id == id)
        {
            board.beside = Some((id.to_owned(), lines));
        }
    }

    /// Has the result of a call taken out of the window. The board follows when that is recorded.
    pub(super) fn drop_item(&mut self, id: &str) -> Vec<Cmd> {
        let Some(call) = id.strip_prefix("call ") else {
            self.hint = Some("only results of calls can be taken out; /compact shortens the rest".to_owned());
            return Vec::new();
        };
        vec![Cmd::Send(Op::Drop { call: CallId(call.to_owned()) })]
    }

    /// Puts a running command behind the turn.
    pub(super) fn put_behind(&mut self, id: &str) -> Vec<Cmd> {
        if !made::may_go_behind(&self.transcript, id) {
            self.hint = Some("only a command that runs can go on in the background".to_owned());
            return Vec::new();
        }
        vec![Cmd::Send(Op::Background { call: CallId(id.to_owned()) })]
    }

    /// Puts the command that began last behind the turn.
    pub(in crate::tui::state) fn put_last_behind(&mut self) -> Vec<Cmd> {
        match made::last_running(&self.transcript) {
            Some(id) => self.put_behind(&id),
            None => {
                self.hint = Some("no command runs that could go on in the background".to_owned());
                Vec::new()
            }
        }
    }

    /// Ends a running command.
    pub(super) fn stop_call(&mut self, id: &str) -> Vec<Cmd> {
        self.hint = Some("told to end".to_owned());
        vec![Cmd::Send(Op::Stop { call: CallId(id.to_owned()) })]
    }
}
