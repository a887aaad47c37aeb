//! Which colours have the lines of a file under review, read within the whole file?
//!
//! A hunk alone does not say that it lies in a string or a comment that began above. So the colours of both sides are found from
//! the whole file, outside and when the file is first seen; until they come, or where they cannot be had, a hunk is read by itself.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::protocol::diff::Kind;
use crate::tui::diff_view::Spans;
use crate::tui::state::message::Cmd;
use crate::tui::state::outside::Want;
use crate::tui::state::review::Reading;
use crate::tui::state::{Front, State};

/// Files whose colours are kept at once.
const MAX_KEPT: usize = 64;

/// The coloured lines of a file, those in its hunks, by their numbers from 1 on each side.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Colours {
    /// Of the old text.
    pub old: BTreeMap<usize, Spans>,
    /// Of the new text.
    pub new: BTreeMap<usize, Spans>,
}

impl State {
    /// Has the colours of the file come that the person is at, once.
    pub(in crate::tui::state) fn ask_colours(&mut self) -> Option<Cmd> {
        let review = self.review.as_mut().filter(|_| self.front == Front::Review)?;
        let file = review.files.get(review.at.file)?;
        // What is new or gone is whole in its hunk.
        let is_part = matches!(file.diff.kind, Kind::Changed | Kind::Renamed) && !file.diff.hunks.is_empty();
        if review.reading != Reading::Done || !is_part || review.colours.contains_key(&file.diff.path) {
            return None;
        }
        if review.colours.len() >= MAX_KEPT {
            review.colours.clear();
        }
        review.colours.insert(file.diff.path.clone(), None);
        Some(Cmd::Want(Want::Colours { source: review.source.clone(), file: file.diff.clone() }))
    }

    /// Takes the colours of a file, if it is still under review.
    pub(in crate::tui::state) fn take_colours(&mut self, path: &str, colours: Colours) {
        if let Some(place) = self.review.as_mut().and_then(|review| review.colours.get_mut(path)) {
            *place = Some(Arc::new(colours));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::changes::Source;
    use crate::tui::look::Look;
    use crate::tui::state::message::Msg;
    use crate::tui::state::outside::Given;
    use crate::tui::state::review::tests::{file, hunk, set, state};

    fn asked(cmds: &[Cmd]) -> Vec<&str> {
        let asked = cmds.iter().filter_map(|cmd| match cmd {
            Cmd::Want(Want::Colours { file, .. }) => Some(file.path.as_str()),
            _ => None,
        });
        asked.collect()
    }

    #[test]
    fn the_colours_of_a_file_are_asked_for_when_it_is_seen_and_once() {
        let files = vec![file("a.rs", vec![hunk(1, "one")]), file("b.rs", vec![hunk(5, "two")])];
        let mut state = state(Source::WorkTree, set(files));
        let mut press = |key: &str| state.update(Msg::Key(key.parse().unwrap()));
        assert!(asked(&press("j")).is_empty(), "the first was asked for when it was read");
        assert_eq!(asked(&press("]")), ["b.rs"]);
        assert!(asked(&press("[")).is_empty());
        let new = BTreeMap::from([(1, vec![(Look::Comment, "new one".to_owned())])]);
        let colours = Colours { new, ..Colours::default() };
        state.update(Msg::Given(Given::Colours { path: "a.rs".to_owned(), colours: colours.clone() }));
        let review = state.review.as_ref().unwrap();
        assert_eq!(review.colours["a.rs"].as_deref(), Some(&colours));
        assert_eq!(review.colours["b.rs"], None);
        state.update(Msg::Given(Given::Colours { path: "gone.rs".to_owned(), colours: Colours::default() }));
        assert_eq!(state.review.as_ref().unwrap().colours.len(), 2);
    }
}
