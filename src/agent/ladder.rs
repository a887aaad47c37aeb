//! What is tried when the model's calls cannot be read, one answer after the other?
//!
//! A pure part of the machine. First the model is told what was wrong. After two answers in a row without one call that
//! could be read it is made to call, where the server can hold it to that; then it is shown how to write a call as plain
//! text, which `model` reads; then the turn ends. One readable call, or an answer in words, and all is forgotten, except
//! that calls stay plain text once they are: the server failed at them.

use crate::model::ToolChoice;

/// Answers in a row without a readable call after which the model is made to call.
const FORCED_AFTER: u32 = 2;

/// How far things have gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rung {
    /// The model was told what was wrong, or nothing was.
    Free,
    /// It must call a tool.
    Forced,
    /// It is to write its call as plain text.
    Plain,
    /// Nothing helped.
    Over,
}

/// Counts answers whose calls could not be read.
#[derive(Debug, Clone, Default)]
pub struct Ladder {
    /// In a row.
    invalid: u32,
    /// Whether the present answer had a call that could be read, and one that could not.
    has_good: bool,
    has_bad: bool,
    /// Whether the server refused to make the model call; it will again.
    cannot_force: bool,
    /// Whether the server leaves calls in the text, where `model` reads them.
    reads_text: bool,
    /// Whether the server refused to leave them there.
    cannot_leave_text: bool,
}

impl Ladder {
    /// Starts a turn; what the server cannot do is remembered.
    pub fn start_turn(&mut self) {
        (self.invalid, self.has_good, self.has_bad) = (0, false, false);
    }

    /// Takes note of a call of the present answer.
    pub fn count_call(&mut self, is_malformed: bool) {
        self.has_bad |= is_malformed;
        self.has_good |= !is_malformed;
    }

    /// Ends an answer with calls and says where things stand.
    pub fn end_answer(&mut self) -> Rung {
        match (self.has_good, self.has_bad) {
            (false, true) => self.invalid += 1,
            _ => self.invalid = 0,
        }
        (self.has_good, self.has_bad) = (false, false);
        let rung = self.rung();
        self.reads_text |= rung == Rung::Plain && !self.cannot_leave_text;
        rung
    }

    /// Ends an answer of which nothing arrived.
    pub fn end_lost_answer(&mut self) -> Rung {
        self.count_call(true);
        self.end_answer()
    }

    /// Takes note that the server refused the present [`tool_choice`](Self::tool_choice), and says what is tried instead.
    pub fn refuse_choice(&mut self) -> Rung {
        if self.tool_choice() == ToolChoice::Text {
            (self.reads_text, self.cannot_leave_text) = (false, true);
        } else {
            self.cannot_force = true;
            self.reads_text |= self.rung() == Rung::Plain && !self.cannot_leave_text;
        }
        self.rung()
    }

    /// Takes note that the server cannot read the calls of its model. Says whether they can be had as text.
    pub fn read_as_text(&mut self) -> bool {
        self.reads_text = !self.cannot_leave_text;
        self.reads_text
    }

    /// Says whether calls come as text.
    pub fn reads_text(&self) -> bool {
        self.reads_text
    }

    /// Takes note of another server.
    pub fn change_server(&mut self) {
        *self = Self { invalid: self.invalid, ..Self::default() };
    }

    /// Says where things stand.
    pub fn rung(&self) -> Rung {
        let cannot_force = self.cannot_force || self.reads_text;
        let skipped = u32::from(cannot_force && self.invalid >= FORCED_AFTER);
        match (self.invalid + skipped).checked_sub(FORCED_AFTER) {
            None => Rung::Free,
            Some(0) => Rung::Forced,
            Some(1) => Rung::Plain,
            Some(_) => Rung::Over,
        }
    }

    /// Returns how free the model is in its next answer.
    pub fn tool_choice(&self) -> ToolChoice {
        match self.rung() {
            _ if self.reads_text => ToolChoice::Text,
            Rung::Forced => ToolChoice::Required,
            _ => ToolChoice::Auto,
        }
    }

    /// Returns how many answers in a row could not be read.
    pub fn invalid(&self) -> u32 {
        self.invalid
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Plays answers, each a string of good `g` and bad `b` calls or lost `l`; `x` is a server that refuses to force.
    fn climb(answers: &[&str]) -> Vec<Rung> {
        let mut ladder = Ladder::default();
        let mut answer = |calls: &&str| match *calls {
            "l" => ladder.end_lost_answer(),
            "x" => ladder.refuse_choice(),
            calls => {
                calls.chars().for_each(|call| ladder.count_call(call == 'b'));
                ladder.end_answer()
            }
        };
        answers.iter().map(&mut answer).collect()
    }

    #[test]
    fn each_bad_answer_in_a_row_climbs_and_a_good_call_starts_anew() {
        use Rung::{Forced, Free, Over, Plain};
        let table: [(&[&str], &[Rung]); 8] = [
            (&["b", "b", "b", "b"], &[Free, Forced, Plain, Over]),
            (&["b", "g", "b", "b"], &[Free, Free, Free, Forced]),
            (&["bbb", "bb", "gb", "b"], &[Free, Forced, Free, Free]),
            (&["l", "b", "l", "g"], &[Free, Forced, Plain, Free]),
            (&["b", "b", "x", "b"], &[Free, Forced, Plain, Over]),
            (&["b", "b", "x", "g", "b", "b"], &[Free, Forced, Plain, Free, Free, Plain]),
            (&["", "b", ""], &[Free, Free, Free]),
            (&["x", "b", "b"], &[Free, Free, Plain]),
        ];
        for (answers, expected) in table {
            assert_eq!(climb(answers), expected, "{answers:?}");
        }
    }

    #[test]
    fn the_model_is_made_to_call_on_one_rung_only() {
        let mut ladder = Ladder::default();
        let mut choices = vec![ladder.tool_choice()];
        for _ in 0..3 {
            ladder.end_lost_answer();
            choices.push(ladder.tool_choice());
        }
        assert_eq!(choices, [ToolChoice::Auto, ToolChoice::Auto, ToolChoice::Required, ToolChoice::Text]);
        ladder.start_turn();
        assert_eq!(ladder.tool_choice(), ToolChoice::Text, "what the server failed at is not tried again");
        ladder.change_server();
        assert_eq!(ladder.tool_choice(), ToolChoice::Auto);
        assert_eq!((ladder.rung(), ladder.invalid()), (Rung::Free, 0));
    }
}
