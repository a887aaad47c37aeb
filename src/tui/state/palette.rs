//! What can be chosen from a list, and what does choosing do?
//!
//! The palette lists every action of the view it was called from, every one that works everywhere and every slash command, each
//! with its key; choosing does it, as its key would. Modes and what was written before are chosen in the same way.

use crate::base::text::count;
use crate::protocol::op::Mode;
use crate::tui::key::Key;
use crate::tui::keymap::Action;
use crate::tui::slash;
use crate::tui::state::asking::Asked;
use crate::tui::state::choices::{Choice, Choices, Then};
use crate::tui::state::message::Cmd;
use crate::tui::state::{Front, State};

/// Every mode with what it means.
const MODES: [(Mode, &str); 4] = [
    (Mode::Plan, "reads only; everything else is refused"),
    (Mode::Ask, "reads freely, asks before writing or running"),
    (Mode::Auto, "also writes in the project and runs what is confined without asking"),
    (Mode::Yolo, "asks nothing at all; has to be confirmed"),
];

impl State {
    /// Puts a list in front.
    pub fn choose(&mut self, title: &str, all: Vec<Choice>) {
        self.cover(Front::List(Choices::new(title, all)));
    }

    pub(super) fn show_palette(&mut self) -> Vec<Cmd> {
        let actions = self.keymap.all(self.view()).into_iter().filter(|(action, _)| *action != Action::Palette);
        let actions = actions.map(|(action, key)| Choice::new(action.words(), key, Then::Act(action)));
        let commands = slash::TABLE.iter().map(|row| {
            // What needs an argument is written, for the person to go on.
            let then = if row.needs_argument() {
                Then::Write(format!("{} ", row.name))
            } else {
                Then::Say(row.name.to_owned())
            };
            Choice::new(format!("{} {}", row.name, row.argument).trim_end(), row.help, then)
        });
        let all = commands.chain(actions).collect();
        self.choose("do", all);
        Vec::new()
    }

    pub(super) fn pick_mode(&mut self) -> Vec<Cmd> {
        let now = self.status.mode;
        let rows = MODES.iter().map(|(mode, meaning)| {
            let mark = if *mode == now { " (now)" } else { "" };
            Choice::new(mode.name(), format!("{meaning}{mark}"), Then::Say(format!("/mode {}", mode.name())))
        });
        self.choose("mode", rows.collect());
        Vec::new()
    }

    pub(super) fn search_history(&mut self) {
        let size = |text: &str| match text.lines().count() {
            0 | 1 => String::new(),
            n => count(n, "line"),
        };
        let found = self.composer.written().into_iter().map(|text| Choice::writing(&text, &size(&text)));
        self.choose("written before", found.collect());
    }

    pub(super) fn on_list(&mut self, key: Option<Key>, action: Option<Action>) -> Vec<Cmd> {
        let Front::List(choices) = &mut self.front else { return Vec::new() };
        match action {
            Some(Action::Up) => choices.go(-1),
            Some(Action::Down) => choices.go(1),
            Some(Action::PageUp) => choices.go(-10),
            Some(Action::PageDown) => choices.go(10),
            Some(Action::Choose) => {
                let then = choices.chosen().map(|choice| choice.then.clone());
                self.uncover();
                return then.map_or_else(Vec::new, |then| self.follow(then));
            }
            Some(Action::Close | Action::Back | Action::Interrupt) => self.uncover(),
            _ => {
                if let Some(key) = key {
                    choices.typed(key);
                }
            }
        }
        Vec::new()
    }

    /// Lists what waits for an answer.
    pub(super) fn list_asked(&mut self) -> Vec<Cmd> {
        let row = |(at, asked): (usize, &Asked)| match asked {
            Asked::Approval(approval) => {
                let what = format!("{} {}", approval.verb, approval.what.replace('\n', " "));
                Choice::new(what, &approval.why, Then::Answer(at))
            }
            Asked::Question { question, .. } => Choice::new(&question.question, "a question", Then::Answer(at)),
        };
        let rows = self.asked.iter().enumerate().map(row).collect();
        self.choose("waiting for you", rows);
        Vec::new()
    }

    /// Puts one of those that wait in front; the others wait behind it in their order.
    fn answer_first(&mut self, at: usize) -> Vec<Cmd> {
        if at == 0 || at >= self.asked.len() {
            return Vec::new();
        }
        let asked = self.asked.remove(at);
        self.asked.insert(0, asked);
        self.turn_to_question()
    }

    /// Does what a chosen row of a list stands for.
    pub(super) fn follow(&mut self, then: Then) -> Vec<Cmd> {
        match then {
            Then::Write(words) => return self.put_words(&words),
            Then::Act(action) => return self.dispatch(None, Some(action)),
            Then::Say(line) => {
                if let Some(Ok(command)) = slash::parse(&line) {
                    return self.slash(command);
                }
            }
            Then::Tell(words) => return self.say(words),
            Then::RewindTo(at) => return self.rewind_to(at),
            Then::Rewind(rewind) => return self.rewind(rewind),
            Then::Answer(at) => return self.answer_first(at),
            Then::Review(source) => return self.open_review(&source),
            Then::ToFile(file) => self.review_file(file),
            Then::Do(cmd) => return vec![cmd],
        }
        Vec::new()
    }
}
