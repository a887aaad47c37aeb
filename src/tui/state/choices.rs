//! How is one thing chosen of many?
//!
//! A list that is narrowed by what is typed, the best fitting first. What is chosen is done by whoever opened the list: each
//! row says what it stands for ([`Then`]). Must not do it itself. To offer something to choose from: rows and
//! [`crate::tui::state::State::choose`]; rows that are found outside come as [`crate::tui::state::outside::Given::Choices`].

use crate::protocol::changes::Source;
use crate::tui::fuzzy;
use crate::tui::key::{Code, Key};
use crate::tui::keymap::Action;
use crate::tui::state::message::Cmd;
use crate::tui::state::rewinding::Rewind;

/// A list to choose from, narrowed by what is typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choices {
    /// What is chosen.
    pub title: String,
    all: Vec<Choice>,
    filter: String,
    /// Places of those that fit, best first.
    fitting: Vec<usize>,
    at: usize,
}

/// One row of a list to choose from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// What it is called.
    pub label: String,
    /// What it means, beside it.
    pub meaning: String,
    /// What happens when it is chosen.
    pub then: Then,
}

/// What happens when a row of a list is chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Then {
    /// Words stand in the composer, in the place of those that stood there.
    Write(String),
    /// An action of the view behind the list, as if its key were pressed.
    Act(Action),
    /// A line as if it were written and sent: a slash command.
    Say(String),
    /// Words for the model.
    Tell(String),
    /// The conversation goes back to before this of the messages that still stand: what becomes of the files is asked.
    RewindTo(usize),
    /// The conversation goes back.
    Rewind(Rewind),
    /// The question that waits in this place comes to the front.
    Answer(usize),
    /// Changes are reviewed.
    Review(Source),
    /// The review goes to one of its files.
    ToFile(usize),
    /// Something is done outside.
    Do(Cmd),
}

impl Choice {
    /// A row that stands for something.
    pub fn new(label: impl Into<String>, meaning: impl Into<String>, then: Then) -> Self {
        Self { label: label.into(), meaning: meaning.into(), then }
    }

    /// A row whose words are written when it is chosen.
    pub fn writing(words: &str, meaning: &str) -> Self {
        Self::new(words, meaning, Then::Write(words.to_owned()))
    }
}

impl Choices {
    /// Starts with all of them, the first one chosen.
    pub fn new(title: &str, all: Vec<Choice>) -> Self {
        let fitting = (0..all.len()).collect();
        Self { title: title.to_owned(), all, filter: String::new(), fitting, at: 0 }
    }

    /// Returns those that fit, best first.
    pub fn fitting(&self) -> impl ExactSizeIterator<Item = &Choice> {
        self.fitting.iter().map(|at| &self.all[*at])
    }

    /// Which of those that fit is chosen, from 0.
    pub fn at(&self) -> usize {
        self.at
    }

    /// Returns what was typed.
    pub fn filter(&self) -> &str {
        &self.filter
    }

    /// Returns the row that is chosen; none where nothing fits.
    pub fn chosen(&self) -> Option<&Choice> {
        self.fitting().nth(self.at)
    }

    /// Narrows the list to what fits; the best one is chosen.
    pub fn narrow(&mut self, filter: &str) {
        filter.clone_into(&mut self.filter);
        self.fitting = fuzzy::rank(filter, self.all.iter().map(|choice| (&*choice.label, &*choice.meaning)));
        self.at = 0;
    }

    /// Goes so many rows down, or up; not beyond the ends.
    pub fn go(&mut self, by: isize) {
        self.at = self.at.saturating_add_signed(by).min(self.fitting.len().saturating_sub(1));
    }

    /// Chooses a row of those that fit, by its place from 0.
    pub fn point(&mut self, at: usize) {
        self.at = at.min(self.fitting.len().saturating_sub(1));
    }

    /// Takes a key for narrowing.
    pub fn typed(&mut self, key: Key) {
        let mut filter = self.filter.clone();
        match (key.typed(), key.code) {
            (Some(c), _) => filter.push(c),
            (None, Code::Backspace) if key.ctrl || key.alt => filter.clear(),
            (None, Code::Char('u')) if key.ctrl => filter.clear(),
            (None, Code::Backspace) => drop(filter.pop()),
            _ => return,
        }
        self.narrow(&filter);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_narrows_and_taking_it_back_widens() {
        let rows = ["/undo", "/redo", "/quit"].map(|name| Choice::writing(name, ""));
        let mut choices = Choices::new("commands", rows.to_vec());
        choices.go(5);
        assert_eq!(choices.chosen().map(|choice| choice.label.as_str()), Some("/quit"));
        for c in ["d", "o"] {
            choices.typed(c.parse().unwrap());
        }
        assert_eq!((choices.fitting().len(), choices.at()), (2, 0));
        choices.typed("z".parse().unwrap());
        assert_eq!(choices.chosen(), None);
        choices.typed("backspace".parse().unwrap());
        assert_eq!(choices.fitting().len(), 2);
    }
}
