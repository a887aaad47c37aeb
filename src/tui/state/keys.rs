//! What does each key do in each view?

use crate::protocol::changes::Source;
use crate::protocol::op::{Grant, Mode, Op};
use crate::protocol::review::Ruling;
use crate::tui::key::Key;
use crate::tui::keymap::{Action, VIEWS, View};
use crate::tui::look::Look;
use crate::tui::slash::{self, Slash};
use crate::tui::state::asking::{Asked, Pieces, TOO_SOON_MS, chosen};
use crate::tui::state::message::{Cmd, Editing, Scroll};
use crate::tui::state::outside::Want;
use crate::tui::state::{Front, Purpose, State};

impl State {
    pub(super) fn on_key(&mut self, key: Key) -> Vec<Cmd> {
        self.hint = None;
        let view = self.view();
        let action = self.keymap.action(view, key);
        if action != Some(Action::Interrupt) && action != Some(Action::Leave) {
            self.may_leave = false;
        }
        if action != Some(Action::Back) {
            self.may_rewind = false;
        }
        self.dispatch(Some(key), action)
    }

    /// Does an action where the person is; a key without one is typed.
    pub(super) fn dispatch(&mut self, key: Option<Key>, action: Option<Action>) -> Vec<Cmd> {
        match self.view() {
            View::Approval => self.on_approval(action),
            View::Pieces => self.on_pieces(action),
            View::List => self.on_list(key, action),
            View::Reader => self.on_reader(action),
            View::Review => self.on_review(action),
            View::Viewer => self.on_viewer(action),
            View::Find => self.on_find(action),
            View::Sessions | View::Made | View::Context | View::Checkpoints | View::Running => {
                self.on_board(key, action)
            }
            View::Queue => self.on_queue(action),
            View::Picks => self.on_picks(key, action),
            View::Composer | View::Everywhere => {
                let cmds = self.on_composer(key, action);
                cmds.into_iter().chain(self.look_for_picks()).collect()
            }
        }
    }

    /// What can be done from everywhere.
    pub(super) fn anywhere(&mut self, action: Option<Action>) -> Vec<Cmd> {
        match action {
            Some(Action::Interrupt) => self.interrupt(),
            Some(Action::Back) => self.back(),
            Some(Action::Copy) => self.copy(None),
            Some(Action::ShowQueue) => self.show_queue(),
            Some(Action::ShowAsked) => self.list_asked(),
            Some(Action::Suggest) => self.show_suggestions(),
            Some(Action::Suggestion1) => self.take_suggestion(0),
            Some(Action::Suggestion2) => self.take_suggestion(1),
            Some(Action::Suggestion3) => self.take_suggestion(2),
            Some(Action::Leave) => self.leave(),
            Some(Action::Suspend) => vec![Cmd::Suspend],
            Some(Action::Redraw) => vec![Cmd::Redraw],
            Some(Action::Help) => self.show_keys(),
            Some(Action::Palette) => self.show_palette(),
            Some(Action::NextMode) => self.next_mode(),
            Some(Action::ReviewTurn) => self.open_review(&Source::Turn),
            Some(Action::PickMode) => self.pick_mode(),
            Some(Action::PickModel) => vec![Cmd::Want(Want::Models)],
            Some(Action::ToggleDetails) => {
                self.shows_details = !self.shows_details;
                self.turned.clear();
                Vec::new()
            }
            Some(Action::PageUp) => vec![Cmd::Scroll(Scroll::Pages(-1))],
            Some(Action::PageDown) => vec![Cmd::Scroll(Scroll::Pages(1))],
            Some(Action::RowUp) => vec![Cmd::Scroll(Scroll::Rows(-1))],
            Some(Action::RowDown) => vec![Cmd::Scroll(Scroll::Rows(1))],
            Some(Action::Top) => vec![Cmd::Scroll(Scroll::Top)],
            Some(Action::Bottom) => vec![Cmd::Scroll(Scroll::Bottom)],
            other => self.go_around(other),
        }
    }

    pub(super) fn on_composer(&mut self, key: Option<Key>, action: Option<Action>) -> Vec<Cmd> {
        match action {
            Some(Action::Submit) => return self.submit(),
            Some(Action::Queue) => return self.keep_for_later(),
            Some(Action::Unqueue) => {
                if let Some(text) = self.queue.pop() {
                    return self.put_words(&text);
                }
                return Vec::new();
            }
            Some(Action::Newline) => self.composer.newline(),
            // What was closed is offered again, with the look that follows.
            Some(Action::Complete) => self.shut_picks = None,
            Some(Action::Editor) => {
                let text = self.composer.text();
                return vec![Cmd::Edit { what: Editing::Words, text, name: "words.md".to_owned() }];
            }
            Some(Action::HistorySearch) if self.purpose == Purpose::Words => self.search_history(),
            Some(Action::HistoryBack) => self.line_up(),
            Some(Action::HistoryForward) => self.line_down(),
            None => {
                key.map(|key| self.composer.key(key));
            }
            other => return self.anywhere(other),
        }
        Vec::new()
    }

    /// Up a line where there is one, else back in the history.
    fn line_up(&mut self) {
        match self.composer.cursor() {
            (0, _) => drop(self.composer.back()),
            (line, character) => self.composer.jump(line - 1, character),
        }
    }

    fn line_down(&mut self) {
        let (line, character) = self.composer.cursor();
        if line + 1 < self.composer.lines().len() {
            self.composer.jump(line + 1, character);
        } else {
            self.composer.forward();
        }
    }

    fn submit(&mut self) -> Vec<Cmd> {
        match self.purpose.clone() {
            Purpose::Words => self.submit_words(),
            Purpose::Line(writing) => self.written(writing),
            Purpose::Reason(call) => {
                let reason = Some(self.composer.text()).filter(|text| !text.trim().is_empty());
                self.write_words();
                self.answer(Op::Deny { call, reason })
            }
            Purpose::PieceReason => {
                let why = Some(self.composer.text()).filter(|text| !text.trim().is_empty());
                self.write_words();
                self.rule(Ruling::Leave { why })
            }
            Purpose::Answer(call) => {
                let text = self.composer.text();
                let Some(Asked::Question { question, .. }) = self.asked.first() else { return Vec::new() };
                let text = chosen(question, &text);
                self.write_words();
                self.answer(Op::Answer { call, text })
            }
            Purpose::Review(noting) => self.review_written(noting),
            Purpose::Yolo => {
                let is_confirmed = self.composer.text().trim() == "yolo";
                self.write_words();
                if is_confirmed {
                    return vec![Cmd::Send(Op::SetMode { mode: Mode::Yolo })];
                }
                self.transcript.note(Look::Dim, format!("mode {} stays", self.status.mode.name()));
                Vec::new()
            }
        }
    }

    pub(super) fn slash(&mut self, slash: Slash) -> Vec<Cmd> {
        match slash {
            Slash::Quit => vec![Cmd::Leave],
            Slash::Help => {
                self.read("commands", slash::help());
                Vec::new()
            }
            Slash::Diff(source) => self.open_review(&source),
            Slash::Undo(turns) => self.step_back(Op::Undo, turns, None),
            Slash::Redo(turns) => self.step_back(Op::Redo, turns, None),
            Slash::Attach(path) => self.attach(path),
            Slash::Copy(piece) => self.copy(piece),
            Slash::Compact => vec![Cmd::Send(Op::Compact)],
            Slash::Around(go) => self.go(go),
            Slash::Mode(mode) => self.set_mode(mode),
            Slash::Plan => {
                let plan = self.transcript.plan.as_ref().map(ToString::to_string);
                if let Some(plan) = plan {
                    self.transcript.note(Look::Plain, plan.trim_end());
                }
                let mode = if self.status.mode == Mode::Plan { self.usual_mode } else { Mode::Plan };
                self.set_mode(mode)
            }
            Slash::Model(None) => vec![Cmd::Want(Want::Models)],
            Slash::Model(Some(model)) => vec![Cmd::Send(Op::SetModel { model })],
        }
    }

    pub(super) fn set_mode(&mut self, mode: Mode) -> Vec<Cmd> {
        if mode == Mode::Yolo {
            let text = "in this mode commands run and files change without a question, with all you may do, until the session ends";
            self.transcript.note(Look::Notice, text);
            self.write_for(Purpose::Yolo);
            return Vec::new();
        }
        if mode != Mode::Plan {
            self.usual_mode = mode;
        }
        vec![Cmd::Send(Op::SetMode { mode })]
    }

    fn next_mode(&mut self) -> Vec<Cmd> {
        let next = match self.status.mode {
            Mode::Plan => Mode::Ask,
            Mode::Ask => Mode::Auto,
            Mode::Auto | Mode::Yolo => Mode::Plan,
        };
        self.set_mode(next)
    }

    fn keep_for_later(&mut self) -> Vec<Cmd> {
        if self.purpose != Purpose::Words || self.composer.is_empty() {
            return Vec::new();
        }
        if !self.status.is_busy() {
            return self.submit();
        }
        let text = self.composer.take();
        self.queue.push(text.clone());
        vec![Cmd::Remember(text)]
    }

    /// Stops what runs: what is asked for in the composer, the turn, commands.
    pub(super) fn stop(&mut self) -> Vec<Cmd> {
        if self.purpose != Purpose::Words {
            let asks = matches!(self.purpose, Purpose::Answer(_));
            self.write_words();
            if !asks {
                return Vec::new();
            }
        }
        if self.is_working() {
            self.may_leave = false;
            return vec![Cmd::Send(Op::Interrupt)];
        }
        Vec::new()
    }

    /// Stops what is nearest: what runs, what is written, at last mimi itself.
    fn interrupt(&mut self) -> Vec<Cmd> {
        if self.purpose != Purpose::Words || self.is_working() {
            return self.stop();
        }
        if !self.composer.is_empty() {
            // Kept in the history: clearing loses nothing.
            let text = self.composer.take();
            return vec![Cmd::Remember(text)];
        }
        self.leave()
    }

    fn leave(&mut self) -> Vec<Cmd> {
        if !self.composer.is_empty() && self.purpose == Purpose::Words {
            return Vec::new();
        }
        if std::mem::replace(&mut self.may_leave, true) {
            return vec![Cmd::Leave];
        }
        self.hint = Some("once more to leave; the session is kept".to_owned());
        Vec::new()
    }

    fn on_approval(&mut self, action: Option<Action>) -> Vec<Cmd> {
        let Some(approval) = self.approval() else { return Vec::new() };
        let (call, offers_always) = (approval.call.clone(), approval.always.is_some());
        let is_answer = matches!(
            action,
            Some(
                Action::Once
                    | Action::Session
                    | Action::Always
                    | Action::Deny
                    | Action::DenyWithReason
                    | Action::Review
            )
        );
        if is_answer && self.now_ms.saturating_sub(self.asked_at_ms) < TOO_SOON_MS {
            self.hint = Some("a question appeared as you typed; press again to answer it".to_owned());
            return Vec::new();
        }
        match action {
            Some(Action::Once) => self.answer(Op::Approve { call, grant: Grant::Once }),
            Some(Action::Session) => self.answer(Op::Approve { call, grant: Grant::Session }),
            Some(Action::Always) if offers_always => self.answer(Op::Approve { call, grant: Grant::Always }),
            Some(Action::Deny) => self.answer(Op::Deny { call, reason: None }),
            Some(Action::DenyWithReason) => {
                self.write_for(Purpose::Reason(call));
                Vec::new()
            }
            Some(Action::Review) => {
                if let Some(pieces) = self.approval().and_then(Pieces::new) {
                    self.front = Front::Pieces(Box::new(pieces));
                }
                Vec::new()
            }
            other => self.anywhere(other),
        }
    }

    /// Answers the question in front and turns to the next.
    fn answer(&mut self, op: Op) -> Vec<Cmd> {
        let mut cmds = vec![Cmd::Send(op)];
        self.front = Front::Chat;
        if !self.asked.is_empty() {
            self.asked.remove(0);
        }
        if !self.asked.is_empty() {
            cmds.extend(self.turn_to_question());
        }
        cmds
    }

    fn rule(&mut self, ruling: Ruling) -> Vec<Cmd> {
        let Front::Pieces(pieces) = &mut self.front else { return Vec::new() };
        pieces.rule(ruling);
        Vec::new()
    }

    fn on_pieces(&mut self, action: Option<Action>) -> Vec<Cmd> {
        let Front::Pieces(pieces) = &mut self.front else { return Vec::new() };
        match action {
            Some(Action::Take) => return self.rule(Ruling::Take),
            Some(Action::LeaveOut) => return self.rule(Ruling::Leave { why: None }),
            Some(Action::LeaveWithReason) => self.write_for(Purpose::PieceReason),
            Some(Action::EditPiece) => {
                let name = pieces.shown().0.path.clone();
                if let Some(text) = pieces.editable() {
                    return vec![Cmd::Edit { what: Editing::Piece, text, name }];
                }
                self.hint = Some("this piece cannot be edited: it is not all here, or the file goes".to_owned());
            }
            Some(Action::TakeRest) => pieces.rule_rest(&Ruling::Take),
            Some(Action::LeaveRest) => pieces.rule_rest(&Ruling::Leave { why: None }),
            Some(Action::NextPiece) => pieces.go(1),
            Some(Action::PreviousPiece) => pieces.go(-1),
            Some(Action::NextFile) => pieces.go_file(1),
            Some(Action::PreviousFile) => pieces.go_file(-1),
            Some(Action::Done) => {
                let (call, answers) = (pieces.call.clone(), pieces.answers());
                return self.answer(Op::Review { call, answers });
            }
            // Back to the question: nothing is decided.
            Some(Action::Close) => self.front = Front::Chat,
            other => return self.anywhere(other),
        }
        Vec::new()
    }

    /// Opens a text to read.
    fn read(&mut self, title: &str, text: String) {
        self.cover(Front::Reader { title: title.to_owned(), text, at: 0 });
    }

    fn show_keys(&mut self) -> Vec<Cmd> {
        let view = self.view();
        let name = VIEWS.iter().find(|(_, known)| *known == view).map_or("", |(name, _)| name);
        let rows = self.keymap.rows(view).into_iter().map(|(action, keys)| format!("{keys:<23}  {}", action.words()));
        let text = rows.collect::<Vec<_>>().join("\n");
        self.read(&format!("keys: {name}"), text);
        Vec::new()
    }

    fn on_reader(&mut self, action: Option<Action>) -> Vec<Cmd> {
        let Front::Reader { text, at, .. } = &mut self.front else { return Vec::new() };
        let last = text.lines().count().saturating_sub(1);
        match action {
            Some(Action::Close | Action::Back | Action::Interrupt) => self.uncover(),
            Some(Action::RowUp) => *at = at.saturating_sub(1),
            Some(Action::RowDown) => *at = (*at + 1).min(last),
            Some(Action::PageUp) => *at = at.saturating_sub(10),
            Some(Action::PageDown) => *at = (*at + 10).min(last),
            Some(Action::Top) => *at = 0,
            Some(Action::Bottom) => *at = last,
            other => return self.anywhere(other),
        }
        Vec::new()
    }
}
