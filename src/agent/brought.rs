//! What does the user bring along with their words?
//!
//! Things they attached, and what came of commands they ran themselves. Both wait here until words are said, and go with
//! those: to the turn that runs, the next one, or one for later. Pure, as all that decides.

use std::collections::VecDeque;

use crate::agent::emit::{own_call, own_outcome, say};
use crate::agent::step::Effect;
use crate::protocol::attached::Attached;
use crate::protocol::event::{Author, Event};
use crate::protocol::message::{CallId, ToolCall};
use crate::protocol::tool::ToolReport;

/// Words of the user with what goes along.
#[derive(Debug)]
pub struct Words {
    text: String,
    attached: Vec<Attached>,
}

/// What waits for words.
#[derive(Debug, Default)]
pub struct Brought {
    attached: Vec<Attached>,
    /// Commands of the user's own, while they run, and how many there were.
    own: Vec<ToolCall>,
    n_own: u32,
}

impl Words {
    /// Says them, behind what goes along.
    pub fn say(self, out: &mut Vec<Effect>) {
        bring(self.attached, out);
        say(Author::User, self.text, out);
    }

    /// Says several in one message: some chat templates refuse two of the same role in a row. Says whether there were any.
    pub fn say_all(all: &mut VecDeque<Self>, out: &mut Vec<Effect>) -> bool {
        if all.is_empty() {
            return false;
        }
        let (texts, attached): (Vec<String>, Vec<_>) = all.drain(..).map(|words| (words.text, words.attached)).unzip();
        bring(attached.into_iter().flatten().collect(), out);
        say(Author::User, texts.join("\n\n"), out);
        true
    }
}

fn bring(attached: Vec<Attached>, out: &mut Vec<Effect>) {
    if !attached.is_empty() {
        out.push(Effect::Emit(Event::Attached { attached }));
    }
}

impl Brought {
    /// Keeps things for the next words.
    pub fn attach(&mut self, attached: Vec<Attached>) {
        self.attached.extend(attached);
    }

    /// Joins words with what waited for them.
    pub fn words(&mut self, text: String) -> Words {
        Words { text, attached: std::mem::take(&mut self.attached) }
    }

    /// Joins words that are kept for later with what waited for them.
    pub fn kept(&mut self, text: String, out: &mut Vec<Effect>) -> Words {
        out.push(Effect::Emit(Event::Queued { text: text.clone() }));
        self.words(text)
    }

    /// Makes a call of a command that the user typed.
    pub fn run(&mut self, turn: u32, command: &str) -> ToolCall {
        self.n_own += 1;
        let call = own_call(CallId::of_user(turn, self.n_own), command);
        self.own.push(call.clone());
        call
    }

    /// Says whether such a command runs.
    pub fn is_running(&self) -> bool {
        !self.own.is_empty()
    }

    /// Takes the end of such a command: what it printed waits for words. None when the call is not one of them.
    pub fn finished(&mut self, id: &CallId, report: &ToolReport) -> Option<ToolCall> {
        let at = self.own.iter().position(|call| call.id == *id)?;
        let call = self.own.remove(at);
        self.attached.push(own_outcome(&call, report));
        Some(call)
    }
}
