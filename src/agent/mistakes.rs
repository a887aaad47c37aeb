//! What follows when the model's answer is nothing that can be used?
//!
//! A pure part of the machine: an answer that is cut off, empty, or whose calls nobody can read leads to words for the
//! model and one more answer, or to the end of the turn. How often each is tried is bounded here; what is tried with calls
//! that cannot be read is the [`Ladder`]'s business.

use crate::agent::emit::{say, warn};
use crate::agent::ladder::{Ladder, Rung};
use crate::agent::step::{Effect, Offer};
use crate::context::prompt;
use crate::model::{FailedCall, ToolChoice};
use crate::protocol::event::{Author, TurnEnd};

/// Times a turn may be nudged on after a cut answer.
pub const MAX_NUDGES: u32 = 3;

/// Where the turn goes after an answer.
#[derive(Debug, PartialEq)]
pub enum Next {
    /// The model is asked again.
    Ask,
    /// As [`Self::Ask`], and words that wait for the running turn go along.
    AskWithSteering,
    /// The turn ends.
    End(TurnEnd),
}

/// Counts what goes wrong with answers, and knows what the server does about calls.
#[derive(Debug, Default)]
pub struct Mistakes {
    ladder: Ladder,
    offer: Offer,
    nudges: u32,
    /// Whether the last answer was empty.
    was_empty: bool,
}

impl Mistakes {
    /// Starts a turn; what the server cannot do is remembered.
    pub fn start_turn(&mut self) {
        (self.nudges, self.was_empty) = (0, false);
        self.ladder.start_turn();
    }

    /// Takes note of another server.
    pub fn meet_server(&mut self, offer: Offer) {
        self.ladder.change_server();
        self.offer = offer;
    }

    /// Returns how free the model is in its next answer.
    pub fn tool_choice(&self) -> ToolChoice {
        self.ladder.tool_choice()
    }

    /// Takes note of a call of the present answer.
    pub fn count_call(&mut self, is_malformed: bool) {
        self.ladder.count_call(is_malformed);
    }

    /// Takes note of whether the present answer is empty, and says whether the one before was.
    pub fn note_empty(&mut self, is_empty: bool) -> bool {
        std::mem::replace(&mut self.was_empty, is_empty)
    }

    /// Ends an answer with calls and says where things stand. What is done about it follows by [`Self::climb`], once
    /// whatever else is to be said has been.
    pub fn end_answer(&mut self) -> Rung {
        self.ladder.end_answer()
    }

    /// Tells the model that its answer was cut off and lets it go on, a bounded number of times.
    pub fn nudge(&mut self, note: String, out: &mut Vec<Effect>) -> Next {
        self.nudges += 1;
        if self.nudges > MAX_NUDGES {
            warn("the model's answers stay cut off", out);
            return Next::End(TurnEnd::Limit { what: format!("{MAX_NUDGES} answers cut off") });
        }
        say(Author::Mimi, note, out);
        Next::Ask
    }

    /// Asks once more for an answer that was nothing and cost nothing.
    pub fn on_empty(&self, was_empty: bool, out: &mut Vec<Effect>) -> Next {
        if was_empty {
            warn("the model's answers stay empty", out);
            return Next::End(TurnEnd::Limit { what: "2 empty answers in a row".to_owned() });
        }
        say(Author::Mimi, prompt::NOTE_EMPTY.render(&[]), out);
        Next::Ask
    }

    /// Nothing arrived of an answer that cost tokens: says so once, and then treats it as any call that cannot be read.
    pub fn on_lost_call(&mut self, tokens: u64, out: &mut Vec<Effect>) -> Next {
        let rung = self.ladder.end_lost_answer();
        if rung == Rung::Free {
            say(Author::Mimi, prompt::NOTE_LOST_CALL.render(&[&tokens.to_string()]), out);
        }
        self.climb(rung, out)
    }

    /// What the model wrote as a call could not be read as one.
    pub fn on_failed_call(&mut self, failed: &FailedCall, out: &mut Vec<Effect>) -> Next {
        let rung = self.ladder.end_lost_answer();
        if matches!(rung, Rung::Free | Rung::Forced) {
            let tools = self.offer.list.trim_end();
            say(Author::Mimi, prompt::NOTE_FAILED_CALL.render(&[&failed.tool, &failed.why, tools]), out);
        }
        self.climb(rung, out)
    }

    /// The server refuses to make the model call, or to leave its calls alone: the next thing is tried.
    pub fn on_choice_refused(&mut self, out: &mut Vec<Effect>) -> Next {
        let is_told = self.ladder.reads_text();
        let rung = self.ladder.refuse_choice();
        if is_told { self.climb_quietly(rung) } else { self.climb(rung, out) }
    }

    /// The server cannot read what its model writes: from now on the calls come as text.
    pub fn on_calls_garbled(&mut self, message: String, hints: Vec<String>, out: &mut Vec<Effect>) -> Next {
        if self.ladder.reads_text() || !self.ladder.read_as_text() {
            return Next::End(TurnEnd::ModelFailed { message, hints });
        }
        warn(&format!("{message}; from now on mimi reads its calls itself"), out);
        if !self.offer.stays_in_prompt {
            say(Author::Mimi, self.plain_calls(), out);
        }
        self.climb_quietly(Rung::Free)
    }

    /// Goes on from this rung, with the words that belong to it.
    pub fn climb(&self, rung: Rung, out: &mut Vec<Effect>) -> Next {
        if rung == Rung::Plain {
            say(Author::Mimi, self.plain_calls(), out);
        }
        self.climb_quietly(rung)
    }

    fn climb_quietly(&self, rung: Rung) -> Next {
        if rung == Rung::Over {
            let n = self.ladder.invalid();
            let what = format!("{n} answers in a row without a call that could be run; another model may do better");
            return Next::End(TurnEnd::Limit { what });
        }
        Next::AskWithSteering
    }

    /// Returns how a call is written as plain text, where a summary has just replaced the words that said so.
    pub fn said_again(&self) -> Option<String> {
        (self.ladder.reads_text() && !self.offer.stays_in_prompt).then(|| self.plain_calls())
    }

    fn plain_calls(&self) -> String {
        prompt::NOTE_PLAIN_CALLS.render(&[self.offer.list.trim_end()])
    }
}
