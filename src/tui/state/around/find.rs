//! Where in this conversation were these words said?
//!
//! Entries are looked through as they are shown: what is folded is not found until it is opened. The views go from one row to
//! the next and mark the words; here is which entries have them.

use crate::tui::keymap::Action;
use crate::tui::look::Look;
use crate::tui::state::around::Writing;
use crate::tui::state::item::{Item, What, changed};
use crate::tui::state::message::{Cmd, Scroll};
use crate::tui::state::{Front, Purpose, State};

/// What is looked for in the conversation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Find {
    /// The words, in small letters.
    pub query: String,
    /// How many entries have them.
    pub n_entries: usize,
}

/// Signs by which the model marks words, and which are not shown.
const MARKS: &[char] = &['*', '`', '_'];

/// Says whether an entry may show the words, which are in small letters; looked at closely where it is laid out.
pub fn may_say(item: &Item, query: &str, state: &State) -> bool {
    let shows_details = state.is_open(item);
    let says = |text: &str| text.to_lowercase().contains(query);
    match &item.what {
        What::Person(text) | What::Note { text, .. } => says(text),
        What::Words { text, .. } => says(text) || says(&text.replace(MARKS, "")),
        What::Thought { text, .. } => shows_details && says(text),
        What::Plan(plan) => says(&plan.to_string()),
        What::Changed { files, added, removed } => says(&changed(*files, *added, *removed)),
        What::Call(call) => {
            let lines = call.diffs.iter().flat_map(|diff| &diff.hunks).flat_map(|hunk| &hunk.lines);
            says(&call.verbs.done)
                || says(&call.target)
                || says(&format!("{:?}", call.state))
                || (shows_details && says(&call.output))
                || lines.into_iter().any(|line| says(line))
        }
    }
}

impl State {
    /// Asks for the words, or looks for those that are given.
    pub(super) fn find_words(&mut self, words: &str) -> Vec<Cmd> {
        let query = words.trim().to_lowercase();
        if query.is_empty() {
            self.write_for(Purpose::Line(Writing::Find));
            return Vec::new();
        }
        let items = self.transcript.items();
        let n_entries = items.iter().filter(|item| may_say(item, &query, self)).count();
        if n_entries == 0 {
            let key = self.keymap.key_of(self.view(), Action::ToggleDetails).unwrap_or_default();
            let folded = if self.shows_details { String::new() } else { format!("; {key} opens what is folded") };
            self.hint = Some(format!("`{}` was not said here{folded}", words.trim()));
            return Vec::new();
        }
        self.around.find = Some(Find { query, n_entries });
        self.put_in_front(Front::Find);
        vec![Cmd::Scroll(Scroll::Found(0))]
    }

    pub(in crate::tui::state) fn on_find(&mut self, action: Option<Action>) -> Vec<Cmd> {
        match action {
            Some(Action::NextFound) => vec![Cmd::Scroll(Scroll::Found(1))],
            Some(Action::PreviousFound) => vec![Cmd::Scroll(Scroll::Found(-1))],
            Some(Action::Find) => self.find_words(""),
            Some(Action::Close | Action::Interrupt) => {
                self.uncover();
                Vec::new()
            }
            other => self.anywhere(other),
        }
    }

    /// Says something nobody has to remember.
    pub(super) fn note_dim(&mut self, text: impl Into<String>) {
        self.transcript.note(Look::Dim, text);
    }
}
