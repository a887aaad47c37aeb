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
    /// What came of commands behind the turn, for the next request whoever causes it.
    ended: Vec<Attached>,
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

/// Reads the `&` at the end of a command line as a shell does: it goes on behind.
pub fn behind_mark(command: &str) -> (&str, bool) {
    match command.trim_end().strip_suffix('&') {
        Some(rest) if !rest.ends_with(['&', '>', '\\']) && !rest.trim().is_empty() => (rest.trim_end(), true),
        _ => (command, false),
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

    /// Keeps what came of a command behind the turn.
    pub fn end(&mut self, ended: Attached) {
        self.ended.push(ended);
    }

    /// Brings what came of commands behind the turn.
    pub fn tell_ended(&mut self, out: &mut Vec<Effect>) {
        bring(std::mem::take(&mut self.ended), out);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_goes_behind_where_a_shell_would_put_it() {
        let table = [
            ("make &", "make", true),
            ("make&", "make", true),
            ("make && make test", "make && make test", false),
            ("make &&", "make &&", false),
            ("echo a \\&", "echo a \\&", false),
            ("&", "&", false),
            ("make & make test", "make & make test", false),
        ];
        for (typed, command, is_behind) in table {
            assert_eq!(behind_mark(typed), (command, is_behind), "{typed}");
        }
    }
}
