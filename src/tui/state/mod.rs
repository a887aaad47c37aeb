//! What does full screen know, and what changes it?
//!
//! [`State::update`] is a function of messages: keys, records, the clock's ticks; what is to be done comes out as [`Cmd`]s. It does
//! no I/O and reads no clock. It holds no truth: built from the records of a session it shows the same transcript.

pub mod asking;
pub mod composer;
pub mod item;
mod keys;
pub mod status;
pub mod transcript;

use std::path::Path;

use crate::protocol::event::{Event, Record};
use crate::protocol::message::CallId;
use crate::protocol::op::{Mode, Op};
use crate::protocol::review::Ruling;
use crate::protocol::tool::Action as Does;
use crate::tui::key::Key;
use crate::tui::keymap::{Keymap, View};
use crate::tui::look::Look;
use crate::tui::state::asking::{Approval, Asked, Pieces};
use crate::tui::state::composer::Composer;
use crate::tui::state::status::Status;
use crate::tui::state::transcript::Transcript;

/// Something that happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Msg {
    /// A key was pressed.
    Key(Key),
    /// Text was pasted.
    Paste(String),
    /// The agent reported something.
    Record(Box<Record>),
    /// Time passed: milliseconds since the Unix epoch.
    Tick(u64),
    /// The editor was left, with the text as it is now; none when it was left with an error or did not start.
    Edited {
        /// What was edited.
        what: Editing,
        /// The text.
        text: Option<String>,
    },
    /// Something failed outside of the agent.
    Failed(String),
}

/// What is written in the user's editor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Editing {
    /// The words to be sent.
    Words,
    /// A piece of a change.
    Piece,
}

/// Something that is to be done outside.
#[derive(Debug, Clone, PartialEq)]
pub enum Cmd {
    /// The agent is asked for something.
    Send(Op),
    /// The end; the session is kept.
    Leave,
    /// Into the background.
    Suspend,
    /// Everything is drawn anew.
    Redraw,
    /// The user's editor is opened.
    Edit {
        /// What is edited.
        what: Editing,
        /// The text to begin with.
        text: String,
        /// The name of a file of that kind, for the editor's sake.
        name: String,
    },
    /// Words were sent: kept in the history.
    Remember(String),
    /// The transcript is scrolled.
    Scroll(Scroll),
}

/// How far the transcript is scrolled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scroll {
    /// By rows; back when negative.
    Rows(i32),
    /// By pages; back when negative.
    Pages(i32),
    /// To the beginning.
    Top,
    /// To the end, where it stays.
    Bottom,
}

/// What the words in the composer are for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Purpose {
    /// For the model.
    Words,
    /// Why a call is refused.
    Reason(CallId),
    /// Why a piece is left.
    PieceReason,
    /// The answer to a question of the model.
    Answer(CallId),
    /// The word that confirms the mode in which nothing is asked.
    Yolo,
    /// What to look for in the history.
    History,
}

/// What is in front.
#[derive(Debug, Clone, PartialEq)]
pub enum Front {
    /// The conversation.
    Chat,
    /// A change, piece by piece.
    Pieces(Box<Pieces>),
    /// A text to read: the keys, the commands.
    Reader {
        /// What it is called.
        title: String,
        /// Its lines.
        text: String,
        /// Rows scrolled.
        at: usize,
    },
    /// A list to choose from.
    List(Choices),
}

/// A list to choose from, narrowed by what is typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choices {
    /// What is chosen.
    pub title: String,
    /// What there is: the words that are taken, and what they mean.
    pub all: Vec<(String, String)>,
    /// What was typed.
    pub filter: String,
    /// Which of those that fit is chosen, from 0.
    pub at: usize,
}

/// All that full screen knows.
#[derive(Debug, Clone)]
pub struct State {
    /// What was said and done.
    pub transcript: Transcript,
    /// The words being written.
    pub composer: Composer,
    /// What they are for.
    pub purpose: Purpose,
    /// Words set aside while something else is asked for.
    aside: Option<String>,
    /// What waits for the person, oldest first.
    pub asked: Vec<Asked>,
    /// Words for later turns, oldest first.
    pub queue: Vec<String>,
    /// How the work stands.
    pub status: Status,
    /// What is in front.
    pub front: Front,
    /// Whether thoughts and results are open.
    pub shows_details: bool,
    /// A remark that goes with the next key.
    pub hint: Option<String>,
    /// The keys.
    pub keymap: Keymap,
    /// Milliseconds since the Unix epoch, as last told.
    pub now_ms: u64,
    /// When the question in front appeared.
    asked_at_ms: u64,
    /// Whether Ctrl-C was pressed just before.
    may_leave: bool,
    /// The mode to come back to from plan mode.
    usual_mode: Mode,
}

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
            Msg::Edited { what, text } => self.on_edited(what, text),
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
            (_, Purpose::Reason(_) | Purpose::PieceReason | Purpose::Answer(_) | Purpose::Yolo | Purpose::History) => {
                View::Composer
            }
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
    fn turn_to_question(&mut self) -> Vec<Cmd> {
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
        if !matches!(self.purpose, Purpose::Words | Purpose::Yolo | Purpose::History) {
            self.write_words();
        }
        if self.queue.is_empty() {
            return Vec::new();
        }
        vec![Cmd::Send(Op::Submit { text: self.queue.remove(0) })]
    }

    /// Sets the words aside and asks for others.
    fn write_for(&mut self, purpose: Purpose) {
        if self.purpose == Purpose::Words {
            self.aside = Some(self.composer.text());
        }
        self.composer.clear();
        self.purpose = purpose;
    }

    /// Comes back to the words that were set aside.
    fn write_words(&mut self) {
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
            _ => {}
        }
        Vec::new()
    }
}

/// Shows the whole command or every path, never a summary: this is what is approved. A file that is read to be written is
/// named once.
pub fn what_it_does(target: &str, actions: &[Does]) -> String {
    let is_written = |read: &Path| actions.iter().any(|action| matches!(action, Does::Write { path } if path == read));
    let all = actions.iter().filter_map(|action| match action {
        Does::Read { path } if is_written(path) => None,
        Does::Read { path } | Does::Write { path } => Some(path.display().to_string()),
        Does::Execute { command, .. } => Some(command.clone()),
        Does::Commit { summary } => Some(summary.clone()),
    });
    let mut all: Vec<String> = all.collect();
    all.dedup();
    if all.is_empty() { target.to_owned() } else { all.join("\n  ") }
}

#[cfg(test)]
#[path = "state_tests.rs"]
mod tests;
