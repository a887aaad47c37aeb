//! How are the words seen and changed that wait for later turns?
//!
//! Words are kept with a second key while a turn runs, and each starts a turn when the one before is over. Here they are
//! listed, moved, taken back to be changed, and dropped.

use crate::protocol::event::TurnEnd;
use crate::tui::keymap::Action;
use crate::tui::state::message::Cmd;
use crate::tui::state::{Front, State};

impl State {
    pub(super) fn show_queue(&mut self) -> Vec<Cmd> {
        if self.queue.is_empty() {
            self.hint = Some("nothing waits for a later turn".to_owned());
        } else {
            self.cover(Front::Queue(0));
        }
        Vec::new()
    }

    pub(super) fn on_queue(&mut self, action: Option<Action>) -> Vec<Cmd> {
        let Front::Queue(at) = &mut self.front else { return Vec::new() };
        // It may have run empty, or shorter, while something covered it.
        let Some(last) = self.queue.len().checked_sub(1) else {
            self.uncover();
            return Vec::new();
        };
        *at = (*at).min(last);
        match action {
            Some(Action::Up) => *at = at.saturating_sub(1),
            Some(Action::Down) => *at = (*at + 1).min(last),
            Some(Action::MoveUp) if *at > 0 => {
                self.queue.swap(*at, *at - 1);
                *at -= 1;
            }
            Some(Action::MoveDown) if *at < last => {
                self.queue.swap(*at, *at + 1);
                *at += 1;
            }
            Some(Action::Drop) => {
                self.queue.remove(*at);
                *at = (*at).min(self.queue.len().saturating_sub(1));
            }
            Some(Action::Choose) => {
                let text = self.queue.remove(*at);
                // What was being written changes places with it.
                let written = self.composer.whole();
                if !written.trim().is_empty() {
                    self.queue.insert(*at, written);
                }
                self.composer.set(&text);
                self.uncover();
            }
            Some(Action::Close | Action::Back | Action::Interrupt) => self.uncover(),
            other => return self.anywhere(other),
        }
        if self.queue.is_empty() && matches!(self.front, Front::Queue(_)) {
            self.uncover();
        }
        Vec::new()
    }

    /// A turn is over: the next words that wait start one, unless the person stopped it. Then they speak first.
    pub(super) fn start_queued(&mut self, end: &TurnEnd) -> Vec<Cmd> {
        if self.queue.is_empty() || *end == TurnEnd::Interrupted {
            return Vec::new();
        }
        let text = self.queue.remove(0);
        if let Front::Queue(at) = &mut self.front {
            *at = at.saturating_sub(1);
            if self.queue.is_empty() {
                self.uncover();
            }
        }
        self.say(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::state::tests::{begin_turn, end_turn, keys, state, writes};

    fn queued() -> State {
        let mut state = state();
        begin_turn(&mut state);
        for text in ["one", "two", "three"] {
            writes(&mut state, text);
            keys(&mut state, "alt+enter");
        }
        keys(&mut state, "alt+q");
        state
    }

    #[test]
    fn what_waits_can_be_moved_dropped_and_changed() {
        let table: [(&str, &[&str], &str); 5] = [
            ("J", &["two", "one", "three"], ""),
            ("down down K", &["one", "three", "two"], ""),
            ("d", &["two", "three"], ""),
            ("down enter", &["one", "three"], "two"),
            ("d d d", &[], ""),
        ];
        for (pressed, expected, written) in table {
            let mut state = queued();
            keys(&mut state, pressed);
            assert_eq!(state.queue, expected, "{pressed}");
            assert_eq!(state.composer.text(), written, "{pressed}");
        }
    }

    #[test]
    fn a_list_that_runs_empty_closes() {
        let mut state = queued();
        keys(&mut state, "d d");
        assert!(matches!(state.front, Front::Queue(0)));
        end_turn(&mut state);
        assert_eq!(state.front, Front::Chat);
    }
}
