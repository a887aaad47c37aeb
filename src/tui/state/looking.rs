//! Does the person look at this terminal, and what do they point at and take along?
//!
//! Whether they look decides about notifications: as the terminal reports it, else by when a key was last pressed. The wheel
//! scrolls what is in front; a click chooses a row, or opens and folds the entry it is on. Answers and their code can be copied.

use crate::base::text::first_line;
use crate::tui::keymap::Action;
use crate::tui::look::Look;
use crate::tui::state::item::{Item, What};
use crate::tui::state::message::{Clicked, Cmd, Scroll};
use crate::tui::state::{Front, State};

/// Rows the wheel scrolls.
const WHEEL_ROWS: i32 = 3;
/// Characters of what is told.
const MAX_TOLD_CHARS: usize = 80;

/// How the person is told of something while they look elsewhere.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Looking {
    /// Milliseconds from which a turn is long; none when nothing is told.
    pub notify_after_ms: Option<u64>,
    /// Whether the terminal is in front; none where it does not say.
    has_focus: Option<bool>,
    /// When something was last pressed.
    pressed_ms: u64,
}

impl State {
    pub(super) fn on_focus(&mut self, has_focus: bool) -> Vec<Cmd> {
        self.looking.has_focus = Some(has_focus);
        Vec::new()
    }

    pub(super) fn has_pressed(&mut self) {
        self.looking.pressed_ms = self.now_ms;
    }

    fn looks_elsewhere(&self, after_ms: u64) -> bool {
        let has_rested = self.now_ms.saturating_sub(self.looking.pressed_ms) >= after_ms;
        self.looking.has_focus.map_or(has_rested, |has_focus| !has_focus)
    }

    /// Tells that a turn ended, if it was long; `from_ms` is when it began.
    pub(super) fn tell_end(&self, from_ms: Option<u64>, words: &str) -> Vec<Cmd> {
        let (Some(after_ms), Some(from_ms)) = (self.looking.notify_after_ms, from_ms) else { return Vec::new() };
        let is_long = self.now_ms.saturating_sub(from_ms) >= after_ms;
        if is_long && self.looks_elsewhere(after_ms) { vec![Cmd::Notify(words.to_owned())] } else { Vec::new() }
    }

    /// Tells that something waits for the person.
    pub(super) fn tell_question(&self, what: &str) -> Vec<Cmd> {
        let Some(after_ms) = self.looking.notify_after_ms else { return Vec::new() };
        let what = first_line(what, MAX_TOLD_CHARS);
        if self.looks_elsewhere(after_ms) { vec![Cmd::Notify(format!("waits for you: {what}"))] } else { Vec::new() }
    }

    pub(super) fn on_wheel(&mut self, notches: i32) -> Vec<Cmd> {
        match &mut self.front {
            Front::List(choices) => choices.go(notches as isize),
            Front::Reader { text, at, .. } => {
                let last = text.lines().count().saturating_sub(1);
                *at = at.saturating_add_signed((notches * WHEEL_ROWS) as isize).min(last);
            }
            Front::Board(board) => board.go(notches as isize),
            Front::Viewer(viewer) => viewer.go((notches * WHEEL_ROWS) as isize),
            Front::Chat | Front::Find => return vec![Cmd::Scroll(Scroll::Rows(notches * WHEEL_ROWS))],
            _ => {}
        }
        Vec::new()
    }

    /// Says whether a name is that of a file this conversation has to do with.
    pub fn knows_file(&self, name: &str) -> bool {
        let is_listed = || self.files.binary_search_by(|file| file.as_str().cmp(name)).is_ok();
        self.transcript.has_touched(name) || is_listed()
    }

    /// Says whether the details of an entry are open.
    pub fn is_open(&self, item: &Item) -> bool {
        self.shows_details != self.turned.contains(&item.id)
    }

    /// A click: on a row of a list it chooses that, on an entry of the conversation it opens or folds what belongs to it.
    pub(super) fn on_click(&mut self, on: Clicked) -> Vec<Cmd> {
        match (&mut self.front, on) {
            (Front::List(choices), Clicked::Row(row)) => {
                choices.point(row);
                self.on_list(None, Some(Action::Choose))
            }
            (Front::Chat, Clicked::Row(row)) => {
                let Some(picks) = &mut self.picks else { return Vec::new() };
                picks.choices.point(row);
                self.on_picks(None, Some(Action::Complete))
            }
            (Front::Chat | Front::Find, Clicked::Entry(id)) => {
                if !self.turned.remove(&id) {
                    self.turned.insert(id);
                }
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    /// Copies the last answer, or one of the pieces of code in it, counted from 1.
    pub(super) fn copy(&mut self, piece: Option<u32>) -> Vec<Cmd> {
        let words = self.transcript.items().iter().rev().find_map(|item| match &item.what {
            What::Words { text, .. } => Some(text.clone()),
            _ => None,
        });
        let copied = match (words, piece) {
            (None, _) => Err("there is no answer to copy yet".to_owned()),
            (Some(text), None) => Ok(text),
            (Some(text), Some(n)) => {
                let pieces = code_of(&text);
                let found = (n as usize).checked_sub(1).and_then(|at| pieces.get(at).cloned());
                found.ok_or_else(|| match pieces.len() {
                    0 => "there is no code in the last answer".to_owned(),
                    n => format!("the last answer has {n} pieces of code: /copy 1 to /copy {n}"),
                })
            }
        };
        match copied {
            Ok(text) => vec![Cmd::Copy(text)],
            Err(wrong) => {
                self.transcript.note(Look::Notice, wrong);
                Vec::new()
            }
        }
    }
}

/// Returns what stands between fences.
fn code_of(text: &str) -> Vec<String> {
    let (mut pieces, mut open): (Vec<String>, Option<(String, String)>) = (Vec::new(), None);
    for line in text.lines() {
        let mark = line.trim_start();
        let fence: String = mark.chars().take_while(|c| *c == '`' || *c == '~').collect();
        match open.take() {
            Some((begun, code)) if fence.starts_with(&begun) => pieces.push(code),
            Some((begun, code)) => open = Some((begun, format!("{code}{line}\n"))),
            None if fence.len() >= 3 => open = Some((fence, String::new())),
            None => {}
        }
    }
    pieces.extend(open.map(|(_, code)| code));
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::event::Event;
    use crate::tui::state::message::Msg;
    use crate::tui::state::tests::{asks, begin_turn, end_turn, keys, record, state, writes};

    fn told(cmds: &[Cmd]) -> bool {
        cmds.iter().any(|cmd| matches!(cmd, Cmd::Notify(_)))
    }

    #[test]
    fn a_long_turn_is_told_of_while_the_person_looks_elsewhere() {
        for (focus, lasts, expected) in
            [(Some(false), 20_000, true), (Some(true), 20_000, false), (None, 20_000, true), (Some(false), 500, false)]
        {
            let mut state = state();
            state.looking.notify_after_ms = Some(10_000);
            if let Some(focus) = focus {
                state.update(Msg::Focus(focus));
            }
            begin_turn(&mut state);
            state.update(Msg::Tick(lasts));
            assert_eq!(told(&end_turn(&mut state)), expected, "{focus:?} {lasts}");
        }
    }

    #[test]
    fn a_question_is_told_of_at_once() {
        let mut state = state();
        state.looking.notify_after_ms = Some(10_000);
        state.update(Msg::Focus(false));
        begin_turn(&mut state);
        assert!(told(&asks(&mut state, "a")));
        state.update(Msg::Focus(true));
        assert!(!told(&asks(&mut state, "b")));
    }

    #[test]
    fn answers_and_their_code_are_copied() {
        let mut state = state();
        let text = "so:\n```rust\nlet a = 1;\n```\nand\n~~~\nb\n~~~\n";
        record(&mut state, Event::TextDelta { text: text.to_owned() });
        assert_eq!(keys(&mut state, "alt+c"), [Cmd::Copy(text.to_owned())]);
        for (line, expected) in [("/copy 1", Some("let a = 1;\n")), ("/copy 2", Some("b\n")), ("/copy 3", None)] {
            writes(&mut state, line);
            let cmds = keys(&mut state, "enter");
            let copied = cmds.iter().find_map(|cmd| if let Cmd::Copy(text) = cmd { Some(text.as_str()) } else { None });
            assert_eq!(copied, expected, "{line}");
        }
    }

    #[test]
    fn the_wheel_scrolls_and_a_click_chooses() {
        let mut state = state();
        assert_eq!(state.update(Msg::Wheel(-1)), [Cmd::Scroll(Scroll::Rows(-3))]);
        keys(&mut state, "alt+m");
        state.update(Msg::Wheel(1));
        state.update(Msg::Click(Clicked::Row(1)));
        assert_eq!(state.front, Front::Chat, "the mode was chosen");
    }

    #[test]
    fn a_click_opens_and_folds_what_it_is_on_and_the_key_all_of_it() {
        let mut state = state();
        for text in ["one", "two"] {
            record(&mut state, Event::ReasoningDelta { text: text.to_owned() });
            record(&mut state, Event::TextDelta { text: text.to_owned() });
        }
        let open = |state: &State| -> Vec<u64> {
            state.transcript.items().iter().filter(|item| state.is_open(item)).map(|item| item.id).collect()
        };
        state.update(Msg::Click(Clicked::Nothing));
        assert_eq!(open(&state), [0; 0]);
        state.update(Msg::Click(Clicked::Entry(2)));
        assert_eq!(open(&state), [2]);
        state.update(Msg::Click(Clicked::Entry(2)));
        state.update(Msg::Click(Clicked::Entry(0)));
        assert_eq!(open(&state), [0]);
        keys(&mut state, "ctrl+o");
        assert_eq!(open(&state), [0, 1, 2, 3], "the key opens all");
        state.update(Msg::Click(Clicked::Entry(0)));
        assert_eq!(open(&state), [1, 2, 3]);
    }
}
