//! What does each message change?
//!
//! Records, pastes and what the editor leaves; keys are in `keys`.

use crate::protocol::event::{Event, Record};
use crate::protocol::message::CallId;
use crate::protocol::op::{Mode, Op};
use crate::protocol::review::Ruling;
use crate::tui::keymap::{Keymap, View};
use crate::tui::look::Look;
use crate::tui::state::asking::{Approval, Asked, what_it_does};
use crate::tui::state::composer::Composer;
use crate::tui::state::status::Status;
use crate::tui::state::transcript::Transcript;
use crate::tui::state::{Cmd, Editing, Front, Msg, Purpose, Scroll, State};

impl State {
    /// Starts with an empty conversation.
    pub fn new(transcript: Transcript, composer: Composer, status: Status, keymap: Keymap) -> Self {
        Self {
            usual_mode: if status.mode == Mode::Plan { Mode::Ask } else { status.mode },
            transcript,
            composer,
            purpose: Purpose::Words,
            aside: None,
            asked: Vec::new(),
            queue: Vec::new(),
            status,
            front: Front::Chat,
            review: None,
            is_alone: false,
            outbox: None,
            files: Vec::new(),
            shows_details: false,
            hint: None,
            keymap,
            now_ms: 0,
            asked_at_ms: 0,
            may_leave: false,
        }
    }

    /// Takes what happened; returns what is to be done.
    pub fn update(&mut self, msg: Msg) -> Vec<Cmd> {
        match msg {
            Msg::Key(key) => self.on_key(key),
            Msg::Paste(text) => {
                self.on_paste(&text);
                Vec::new()
            }
            Msg::Record(record) => self.on_record(&record),
            Msg::Tick(now_ms) => {
                self.now_ms = now_ms;
                Vec::new()
            }
            Msg::Begin => self.begin_review(),
            Msg::Given(given) => self.take_given(given),
            Msg::Edited { what, text } => self.on_edited(what, text),
            Msg::Failed(text) if self.front == Front::Review => {
                self.hint = Some(text);
                Vec::new()
            }
            Msg::Failed(text) => {
                self.transcript.note(Look::Bad, text);
                Vec::new()
            }
        }
    }

    /// Takes a record of the past: it is shown, and nothing is asked or done about it.
    pub fn recall(&mut self, record: &Record) {
        self.now_ms = self.now_ms.max(record.at_ms);
        self.transcript.take(record);
        self.status.take(record);
        self.status.end_turn();
    }

    /// Says which keys hold now.
    pub fn view(&self) -> View {
        match (&self.front, &self.purpose) {
            (Front::Reader { .. }, _) => View::Reader,
            (Front::List(_), _) => View::List,
            (
                _,
                Purpose::Reason(_) | Purpose::PieceReason | Purpose::Answer(_) | Purpose::Yolo | Purpose::Review(_),
            ) => View::Composer,
            (Front::Review, _) => View::Review,
            (Front::Pieces(_), _) => View::Pieces,
            (Front::Chat, Purpose::Words) => match self.asked.first() {
                Some(Asked::Approval(_)) => View::Approval,
                _ => View::Composer,
            },
        }
    }

    /// Returns the approval that is in front.
    pub fn approval(&self) -> Option<&Approval> {
        match self.asked.first() {
            Some(Asked::Approval(approval)) => Some(approval),
            _ => None,
        }
    }

    fn on_paste(&mut self, text: &str) {
        // What is pasted over a question was meant for something else, and must not answer it.
        if matches!(self.view(), View::Composer | View::Approval) {
            self.composer.paste(text);
        } else if let Front::List(choices) = &mut self.front {
            choices.filter.push_str(text.lines().next().unwrap_or_default());
        }
    }

    fn on_record(&mut self, record: &Record) -> Vec<Cmd> {
        self.now_ms = self.now_ms.max(record.at_ms);
        self.status.take(record);
        self.transcript.take(record);
        match &record.event {
            Event::ApprovalAsked { call, tool, target, actions, preview, more, why, always } => {
                let approval = Approval {
                    call: call.clone(),
                    verb: self.transcript.verbs_of(tool).ask,
                    what: what_it_does(target, actions),
                    why: why.clone(),
                    previews: preview.as_deref().into_iter().chain(more).cloned().collect(),
                    always: always.clone(),
                };
                self.ask(Asked::Approval(Box::new(approval)))
            }
            Event::QuestionAsked { call, question } => {
                self.ask(Asked::Question { call: call.clone(), question: question.clone() })
            }
            Event::ToolStarted { call, .. } | Event::ToolFinished { call, .. } => self.answered(call),
            Event::TurnDone { .. } => self.turn_done(),
            _ => Vec::new(),
        }
    }

    fn ask(&mut self, asked: Asked) -> Vec<Cmd> {
        self.asked.push(asked);
        if self.asked.len() == 1 { self.turn_to_question() } else { Vec::new() }
    }

    /// Puts the oldest question in front.
    pub(super) fn turn_to_question(&mut self) -> Vec<Cmd> {
        self.asked_at_ms = self.now_ms;
        if let Some(Asked::Question { call, .. }) = self.asked.first() {
            let call = call.clone();
            self.write_for(Purpose::Answer(call));
        }
        // The change to be judged stands at the end.
        vec![Cmd::Scroll(Scroll::Bottom)]
    }

    /// A call does not wait any more, whoever saw to that.
    fn answered(&mut self, call: &CallId) -> Vec<Cmd> {
        let Some(at) = self.asked.iter().position(|asked| asked.call() == call) else { return Vec::new() };
        self.asked.remove(at);
        if matches!(&self.front, Front::Pieces(pieces) if pieces.call == *call) {
            self.front = Front::Chat;
        }
        let is_for_it = match &self.purpose {
            Purpose::Reason(other) | Purpose::Answer(other) => other == call,
            Purpose::PieceReason => true,
            _ => false,
        };
        if is_for_it {
            self.write_words();
        }
        if at == 0 && !self.asked.is_empty() { self.turn_to_question() } else { Vec::new() }
    }

    fn turn_done(&mut self) -> Vec<Cmd> {
        self.asked.clear();
        if matches!(self.front, Front::Pieces(_)) {
            self.front = Front::Chat;
        }
        if !matches!(self.purpose, Purpose::Words | Purpose::Yolo | Purpose::Review(_)) {
            self.write_words();
        }
        if self.queue.is_empty() {
            return Vec::new();
        }
        vec![Cmd::Send(Op::Submit { text: self.queue.remove(0) })]
    }

    /// Sets the words aside and asks for others.
    pub(super) fn write_for(&mut self, purpose: Purpose) {
        if self.purpose == Purpose::Words {
            self.aside = Some(self.composer.text());
        }
        self.composer.clear();
        self.purpose = purpose;
    }

    /// Comes back to the words that were set aside.
    pub(super) fn write_words(&mut self) {
        self.purpose = Purpose::Words;
        match self.aside.take() {
            Some(text) => self.composer.set(&text),
            None => self.composer.clear(),
        }
    }

    fn on_edited(&mut self, what: Editing, text: Option<String>) -> Vec<Cmd> {
        match (what, text, &mut self.front) {
            (Editing::Words, Some(text), _) => self.composer.set(text.trim_end_matches('\n')),
            (Editing::Piece, Some(text), Front::Pieces(pieces)) => pieces.rule(Ruling::Edit { text }),
            (Editing::Review(what), Some(text), _) => return self.review_edited(what, text),
            _ => {}
        }
        Vec::new()
    }
}
