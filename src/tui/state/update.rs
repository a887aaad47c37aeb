//! What does each message change?
//!
//! Records, pastes and what the editor leaves; keys are in `keys`.

use std::collections::{BTreeSet, VecDeque};

use crate::protocol::event::{Event, Record, TurnEnd};
use crate::protocol::message::CallId;
use crate::protocol::op::Mode;
use crate::protocol::review::Ruling;
use crate::tui::keymap::{Keymap, View};
use crate::tui::look::Look;
use crate::tui::state::around::Around;
use crate::tui::state::asking::{Approval, Asked, Pieces, what_it_does};
use crate::tui::state::composer::{Aside, Composer};
use crate::tui::state::looking::Looking;
use crate::tui::state::message::{Cmd, Editing, Msg, Scroll};
use crate::tui::state::status::Status;
use crate::tui::state::suggesting::TurnFacts;
use crate::tui::state::transcript::Transcript;
use crate::tui::state::{Front, Purpose, State};

/// Milliseconds without a key after which what is being written is kept.
const DRAFT_REST_MS: u64 = 1000;

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
            saying: VecDeque::new(),
            rewinding: None,
            may_rewind: false,
            turn_facts: TurnFacts::default(),
            suggested: Vec::new(),
            tests: None,
            has_asked_tests: false,
            looking: Looking::default(),
            touched_ms: None,
            status,
            front: Front::Chat,
            review: None,
            is_alone: false,
            outbox: None,
            behind: None,
            files: Vec::new(),
            files_asked_ms: None,
            picks: None,
            shut_picks: None,
            found: (String::new(), Vec::new()),
            shows_details: false,
            turned: BTreeSet::new(),
            around: Around::default(),
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
            Msg::Begun => {
                let mut cmds = self.line_now();
                cmds.extend(self.ask_server(0));
                cmds
            }
            Msg::Key(key) => {
                self.touched_ms = Some(self.now_ms);
                self.has_pressed();
                let cmds = self.on_key(key);
                // Whatever the key did: words that are gone, or covered, offer nothing.
                if self.view() != View::Picks && self.picks.is_some() {
                    self.picks = None;
                }
                cmds
            }
            Msg::Paste(text) => {
                self.touched_ms = Some(self.now_ms);
                self.on_paste(&text);
                Vec::new()
            }
            Msg::Focus(has_focus) => self.on_focus(has_focus),
            Msg::Wheel(notches) => self.on_wheel(notches),
            Msg::Click(on) => self.on_click(on),
            Msg::Record(record) => self.on_record(&record),
            Msg::Tick(now_ms) => {
                self.now_ms = now_ms;
                self.refresh();
                self.keep_draft()
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
            (_, Purpose::Line(_)) => View::Composer,
            (Front::Board(board), _) => board.kind.view(),
            (Front::Viewer(_), _) => View::Viewer,
            (Front::Find, _) => View::Find,
            (Front::Queue(_), _) => View::Queue,
            (
                _,
                Purpose::Reason(_) | Purpose::PieceReason | Purpose::Answer(_) | Purpose::Yolo | Purpose::Review(_),
            ) => View::Composer,
            (Front::Review, _) => View::Review,
            (Front::Pieces(_), _) => View::Pieces,
            (Front::Chat, Purpose::Words) => match self.asked.first() {
                Some(Asked::Approval(_)) => View::Approval,
                _ if self.picks.is_some() => View::Picks,
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
        if matches!(self.view(), View::Composer | View::Picks | View::Approval) {
            self.picks = None;
            self.paste_words(text);
        } else if let Front::List(choices) = &mut self.front {
            let filter = format!("{}{}", choices.filter(), text.lines().next().unwrap_or_default());
            choices.narrow(&filter);
        }
    }

    fn on_record(&mut self, record: &Record) -> Vec<Cmd> {
        self.now_ms = self.now_ms.max(record.at_ms);
        let from_ms = self.status.turn_from_ms;
        self.status.take(record);
        self.transcript.take(record);
        self.keep_raw(record);
        let mut around = self.offer_level(record);
        around.extend(self.ask_line(record));
        around.extend(self.ask_branch(record));
        self.turn_facts.take(&record.event);
        let on = self.go_on_rewinding(&record.event);
        let more = self.on_event(&record.event);
        let told = match &record.event {
            Event::TurnDone { end: TurnEnd::Answered, .. } => self.tell_end(from_ms, "done"),
            Event::TurnDone { .. } => self.tell_end(from_ms, "stopped"),
            Event::ApprovalAsked { target, .. } => self.tell_question(target),
            Event::QuestionAsked { question, .. } => self.tell_question(&question.question),
            _ => Vec::new(),
        };
        around.into_iter().chain(on).chain(more).chain(told).collect()
    }

    fn on_event(&mut self, event: &Event) -> Vec<Cmd> {
        match event {
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
            Event::Dropped { .. } => self.reload(),
            Event::TurnDone { end, .. } => self.turn_done(end),
            Event::TurnStarted { .. } => {
                self.suggested.clear();
                Vec::new()
            }
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
        self.close_pieces(|pieces| pieces.call == *call);
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

    fn turn_done(&mut self, end: &TurnEnd) -> Vec<Cmd> {
        self.asked.clear();
        self.close_pieces(|_| true);
        if !matches!(self.purpose, Purpose::Words | Purpose::Yolo | Purpose::Line(_) | Purpose::Review(_)) {
            self.write_words();
        }
        let cmds = self.start_queued(end);
        if cmds.is_empty() { self.suggest() } else { cmds }
    }

    /// Keeps what is being written once hands rest.
    fn keep_draft(&mut self) -> Vec<Cmd> {
        if self.draft_due_ms().is_none_or(|due| due > self.now_ms) {
            return Vec::new();
        }
        self.touched_ms = None;
        vec![Cmd::KeepDraft(self.draft())]
    }

    /// When what is being written is to be kept, in milliseconds since the Unix epoch; none while it is.
    pub fn draft_due_ms(&self) -> Option<u64> {
        self.touched_ms.map(|touched| touched + DRAFT_REST_MS)
    }

    /// Returns what is being written for the model, also while something else is.
    pub fn draft(&self) -> String {
        self.aside.as_ref().map_or_else(|| self.composer.whole(), Aside::whole)
    }

    /// Says whether a turn or a command of the person's own runs.
    pub fn is_working(&self) -> bool {
        self.status.is_busy() || self.status.n_own > 0
    }

    /// Nobody asks about these pieces any more, whether they are in front or covered.
    fn close_pieces(&mut self, is_over: impl Fn(&Pieces) -> bool) {
        let is_over = |front: &Front| matches!(front, Front::Pieces(pieces) if is_over(pieces));
        if self.behind.as_deref().is_some_and(&is_over) {
            self.behind = None;
        }
        if is_over(&self.front) {
            self.front = Front::Chat;
        }
    }

    /// Puts a list or a text in front; what it covers comes back when it closes.
    pub(super) fn cover(&mut self, front: Front) {
        let before = std::mem::replace(&mut self.front, front);
        if !matches!(before, Front::Chat | Front::List(_) | Front::Reader { .. }) {
            self.behind = Some(Box::new(before));
        }
    }

    /// Goes back to what was covered.
    pub(super) fn uncover(&mut self) {
        self.front = self.behind.take().map_or(Front::Chat, |front| *front);
    }

    /// Sets the words aside and asks for others.
    pub(super) fn write_for(&mut self, purpose: Purpose) {
        if self.purpose == Purpose::Words {
            self.aside = Some(self.composer.set_aside());
        }
        self.composer.clear();
        self.purpose = purpose;
    }

    /// Comes back to the words that were set aside.
    pub(super) fn write_words(&mut self) {
        self.purpose = Purpose::Words;
        match self.aside.take() {
            Some(aside) => self.composer.take_back(aside),
            None => self.composer.clear(),
        }
    }

    /// Puts words in the place of those being written, which are found in the history then.
    pub(super) fn put_words(&mut self, words: &str) -> Vec<Cmd> {
        let is_kept = self.purpose != Purpose::Words || self.composer.is_empty() || self.composer.whole() == words;
        let cmds = if is_kept { Vec::new() } else { vec![Cmd::Remember(self.composer.take())] };
        self.composer.set(words);
        cmds
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
