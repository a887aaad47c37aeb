//! How does a review lead to a commit?
//!
//! The message is written in the composer. A model words it meanwhile; whoever types first wins, and nothing is committed before
//! the person hands the message over. Must not commit: that is done outside, on the terminal itself.

use crate::protocol::changes::{Order, Source};
use crate::tui::keymap::{Action, View};
use crate::tui::state::message::{Cmd, Hand, Noting};
use crate::tui::state::review::Wording;
use crate::tui::state::review::keys::order;
use crate::tui::state::{Purpose, State};

impl State {
    /// Asks for the message of a commit, and has a model write one.
    pub(super) fn begin_commit(&mut self) -> Vec<Cmd> {
        if self.waits_with(Action::Commit) {
            return Vec::new();
        }
        let now_ms = self.now_ms;
        let Some(review) = &mut self.review else { return Vec::new() };
        if matches!(review.source, Source::Revision(_)) {
            self.hint = Some("this is committed".to_owned());
            return Vec::new();
        }
        let is_asked = matches!(review.wording, Wording::Underway { .. });
        if !is_asked {
            review.wording = Wording::Underway { from_ms: now_ms };
        }
        self.note_for(Noting::Commit, "");
        // One that is on its way from before is waited for.
        if is_asked { Vec::new() } else { vec![order(Order::WordCommit)] }
    }

    /// Takes what a model wrote, unless the person has written something themselves.
    pub(super) fn take_worded(&mut self, worded: Result<String, String>) {
        let Some(review) = &mut self.review else { return };
        review.wording = Wording::Rests;
        let is_asked = self.purpose == Purpose::Review(Noting::Commit);
        match worded {
            Ok(message) if is_asked && self.composer.is_empty() => self.composer.set(message.trim_end()),
            Ok(_) => {}
            Err(why) => review.wording = Wording::Failed(why),
        }
    }

    /// Has what is staged committed with this message.
    pub(super) fn commit_written(&mut self, message: &str) -> Vec<Cmd> {
        if message.trim().is_empty() {
            self.hint = Some("the message is empty, so nothing is committed".to_owned());
            return Vec::new();
        }
        vec![Cmd::Hand(Hand::Commit(format!("{}\n", message.trim_end())))]
    }

    /// Says how far the message is, for whoever waits for it.
    pub fn wording(&self) -> Option<String> {
        let review = self.review.as_ref().filter(|_| self.purpose == Purpose::Review(Noting::Commit))?;
        Some(match &review.wording {
            Wording::Underway { from_ms } if self.composer.is_empty() => {
                let time = crate::base::clock::format_duration(self.now_ms.saturating_sub(*from_ms));
                format!("a message is being written ({time}); type your own instead")
            }
            Wording::Failed(why) if self.composer.is_empty() => format!("no message was written: {why}"),
            _ => {
                let key = |action| self.keymap.key_of(View::Composer, action).unwrap_or_default();
                let (hand, edit, leave) = (key(Action::Submit), key(Action::Editor), key(Action::Back));
                format!("{hand} commits what is staged; {edit} edits the message; {leave} commits nothing")
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::changes::Outcome;
    use crate::tui::state::message::Msg;
    use crate::tui::state::outside::{Given, Want};
    use crate::tui::state::review::tests::{file, hunk, set, state as review};

    fn state() -> State {
        review(Source::Staged, set(vec![file("a.rs", vec![hunk(1, "one")])]))
    }

    fn keys(state: &mut State, names: &str) -> Vec<Cmd> {
        names.split(' ').flat_map(|name| state.update(Msg::Key(name.parse().unwrap()))).collect()
    }

    fn worded(state: &mut State, worded: Result<&str, &str>) -> Vec<Cmd> {
        let worded = worded.map(str::to_owned).map_err(str::to_owned);
        state.update(Msg::Given(Given::Review(Box::new(Outcome::Worded(worded)))))
    }

    #[test]
    fn a_message_comes_while_nothing_is_typed_and_is_committed_by_hand_alone() {
        let mut state = state();
        assert!(keys(&mut state, "C").contains(&order(Order::WordCommit)));
        assert!(state.wording().is_some_and(|said| said.contains("is being written")));
        assert!(
            worded(&mut state, Ok("fix: one\n\nbody\n"))
                .iter()
                .all(|cmd| matches!(cmd, Cmd::Want(Want::Colours { .. })))
        );
        assert_eq!(state.composer.text(), "fix: one\n\nbody");
        assert!(state.wording().is_some_and(|said| said.contains("enter commits")));
        assert_eq!(keys(&mut state, "enter"), [Cmd::Hand(Hand::Commit("fix: one\n\nbody\n".to_owned()))]);
    }

    #[test]
    fn what_the_person_types_is_not_replaced_and_leaving_commits_nothing() {
        let mut state = state();
        keys(&mut state, "C m i n e");
        worded(&mut state, Ok("theirs"));
        assert_eq!(state.composer.text(), "mine");
        assert_eq!(keys(&mut state, "esc"), []);
        assert_eq!(state.wording(), None);
        worded(&mut state, Ok("late"));
        assert_eq!(state.composer.text(), "");
    }

    #[test]
    fn without_a_message_it_is_said_why_and_an_empty_one_commits_nothing() {
        let mut state = state();
        keys(&mut state, "C");
        worded(&mut state, Err("no server answers"));
        assert_eq!(state.wording().as_deref(), Some("no message was written: no server answers"));
        assert_eq!(keys(&mut state, "enter"), []);
        assert!(state.hint.as_deref().is_some_and(|hint| hint.contains("nothing is committed")));
        assert!(keys(&mut state, "C").contains(&order(Order::WordCommit)), "it may be asked for again");
        let mut done = review(Source::Revision("HEAD".to_owned()), set(vec![file("a.rs", vec![hunk(1, "one")])]));
        assert!(!keys(&mut done, "C").contains(&order(Order::WordCommit)));
    }
}
