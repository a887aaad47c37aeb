//! How does the conversation go back to an earlier message?
//!
//! Esc twice lists what the person said; choosing one takes its turn and all behind it back, with or without their files, and
//! its words stand in the composer. One turn at a time: the next one is taken back once the last is, and where that fails it
//! ends. `/undo N` goes the same way.

use crate::base::text::first_line;
use crate::protocol::event::Event;
use crate::protocol::op::Op;
use crate::tui::state::choices::{Choice, Then};
use crate::tui::state::message::Cmd;
use crate::tui::state::{Purpose, State};

/// Characters of a message in the list.
const MAX_CHARS: usize = 100;

/// Turns that are being taken back, or done again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rewinding {
    /// What takes one back.
    op: Op,
    /// Those left, the one under way included.
    left: u32,
    /// What stands in the composer then.
    text: Option<String>,
}

/// Where a conversation is to go back to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rewind {
    /// How many turns go.
    pub turns: u32,
    /// Whether their files go back too.
    pub with_files: bool,
    /// The words that come back.
    pub text: String,
}

impl State {
    /// Esc: stops what runs; with nothing to stop, twice goes back to an earlier message.
    pub(super) fn back(&mut self) -> Vec<Cmd> {
        if self.purpose != Purpose::Words || self.is_working() {
            self.may_rewind = false;
            return self.stop();
        }
        if self.composer.leave_insert() {
            return Vec::new();
        }
        if std::mem::replace(&mut self.may_rewind, true) {
            self.may_rewind = false;
            return self.list_messages();
        }
        self.hint = Some("once more to go back to an earlier message".to_owned());
        Vec::new()
    }

    fn list_messages(&mut self) -> Vec<Cmd> {
        let said = self.transcript.messages();
        if said.is_empty() {
            self.hint = Some("nothing was said that could be taken back".to_owned());
            return Vec::new();
        }
        let row = |(at, said): (usize, &crate::tui::state::transcript::Said)| {
            Choice::new(first_line(&said.text, MAX_CHARS), format!("turn {}", said.turn), Then::RewindTo(at))
        };
        let rows = said.iter().enumerate().rev().map(row).collect();
        self.choose("back to before", rows);
        Vec::new()
    }

    /// Asks what becomes of the files.
    pub(super) fn rewind_to(&mut self, at: usize) -> Vec<Cmd> {
        let said = self.transcript.messages();
        let Some(chosen) = said.get(at) else { return Vec::new() };
        let mut turns: Vec<u32> = said[at..].iter().map(|said| said.turn).collect();
        turns.extend(said.iter().filter(|said| said.turn == chosen.turn).map(|said| said.turn));
        turns.sort_unstable();
        turns.dedup();
        let turns = u32::try_from(turns.len()).unwrap_or(u32::MAX);
        let rewind = |with_files| Then::Rewind(Rewind { turns, with_files, text: chosen.text.clone() });
        let rows = vec![
            Choice::new("words and files", "the files go back too, as far as nobody else changed them", rewind(true)),
            Choice::new("words only", "the files stay as they are", rewind(false)),
        ];
        self.choose("take back", rows);
        Vec::new()
    }

    pub(super) fn rewind(&mut self, rewind: Rewind) -> Vec<Cmd> {
        let op = if rewind.with_files { Op::Undo } else { Op::Unsay };
        self.step_back(op, rewind.turns, Some(rewind.text))
    }

    /// Takes so many turns back, or does them again, one after the other.
    pub(super) fn step_back(&mut self, op: Op, turns: u32, text: Option<String>) -> Vec<Cmd> {
        self.rewinding = Some(Rewinding { op: op.clone(), left: turns, text });
        vec![Cmd::Send(op)]
    }

    /// Goes on once a turn is taken back, and ends where that failed.
    pub(super) fn go_on_rewinding(&mut self, event: &Event) -> Vec<Cmd> {
        let Some(mut rewinding) = self.rewinding.take() else { return Vec::new() };
        match event {
            Event::Undone { .. } | Event::Redone { .. } => {
                rewinding.left = rewinding.left.saturating_sub(1);
                if rewinding.left > 0 {
                    let op = rewinding.op.clone();
                    self.rewinding = Some(rewinding);
                    return vec![Cmd::Send(op)];
                }
                if let Some(text) = rewinding.text {
                    return self.put_words(&text);
                }
            }
            // Why it failed is said by this; a turn that began meanwhile ends it too.
            Event::Warning { .. } | Event::TurnStarted { .. } => {}
            _ => self.rewinding = Some(rewinding),
        }
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::event::Author;
    use crate::tui::state::tests::{keys, record, sent, state};

    fn talked() -> State {
        let mut state = state();
        for (turn, words) in [(1, "one"), (2, "two"), (2, "and that"), (3, "three")] {
            record(&mut state, Event::TurnStarted { turn });
            record(&mut state, Event::UserMessage { author: Author::User, text: words.to_owned() });
        }
        state.status.end_turn();
        state
    }

    fn undone(turn: u32) -> Event {
        Event::Undone { turn, restored: Vec::new(), conflicts: Vec::new(), checkpoint: None }
    }

    #[test]
    fn esc_twice_goes_back_turn_by_turn_and_the_words_come_back() {
        for (choice, op) in [("enter", Op::Undo), ("down enter", Op::Unsay)] {
            let mut state = talked();
            keys(&mut state, "esc esc down down");
            keys(&mut state, "enter");
            assert_eq!(sent(&keys(&mut state, choice)), [&op]);
            assert_eq!(sent(&record(&mut state, undone(3))), [&op]);
            assert!(sent(&record(&mut state, undone(2))).is_empty());
            assert_eq!(state.composer.text(), "two");
            assert_eq!(state.transcript.messages().len(), 1);
        }
    }

    #[test]
    fn more_turns_than_there_are_are_refused_once() {
        let mut state = talked();
        state.composer.set("/undo 9");
        assert_eq!(sent(&keys(&mut state, "esc enter")), [&Op::Undo]);
        assert_eq!(sent(&record(&mut state, undone(3))), [&Op::Undo]);
        let none = Event::Warning { text: "there is no turn to take back".to_owned() };
        assert!(sent(&record(&mut state, none)).is_empty());
        assert!(state.rewinding.is_none());
    }

    #[test]
    fn another_key_between_two_esc_means_something_else() {
        let mut state = talked();
        keys(&mut state, "esc x esc");
        assert_eq!(state.front, crate::tui::state::Front::Chat);
    }
}
