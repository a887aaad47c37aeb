//! Which key does what, and how is that changed?
//!
//! `config/keymap.yaml` names every action of every view with its keys; the user's `keymap.yaml` replaces the keys of those it
//! names. One key means one thing in a view: what contradicts is refused with its line, and nothing of the file counts then.
//! To add an action: a variant, its name, a row in the file.

use std::collections::BTreeMap;

use crate::base::text::nearest;
use crate::tui::key::Key;

/// Where a key is pressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum View {
    /// Everywhere, unless the view says otherwise.
    Everywhere,
    /// The line that is written.
    Composer,
    /// What is offered for a word that is being written; other keys write on.
    Picks,
    /// A call that waits for an answer.
    Approval,
    /// A change looked at piece by piece.
    Pieces,
    /// A list to choose from.
    List,
    /// What waits for later turns.
    Queue,
    /// A text to read.
    Reader,
    /// Changes under review.
    Review,
    /// The list of sessions.
    Sessions,
    /// The list of what was made.
    Made,
    /// The list of what fills the window.
    Context,
    /// The list of checkpoints.
    Checkpoints,
    /// The list of what runs.
    Running,
    /// A file, or anything long.
    Viewer,
    /// Words found in the conversation.
    Find,
}

/// What a key does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// Ends mimi.
    Leave,
    /// Stops what runs, or clears what is written, or leaves.
    Interrupt,
    /// Stops what runs; twice goes back to an earlier message.
    Back,
    /// Copies the last answer.
    Copy,
    /// Shows what waits for later turns.
    ShowQueue,
    /// Lists everything that waits for an answer.
    ShowAsked,
    /// Lists what may be done next.
    Suggest,
    /// Does the first of it.
    Suggestion1,
    /// Does the second of it.
    Suggestion2,
    /// Does the third of it.
    Suggestion3,
    /// Moves a row up.
    MoveUp,
    /// Moves a row down.
    MoveDown,
    /// Drops a row.
    Drop,
    /// Puts mimi into the background.
    Suspend,
    /// Draws everything anew.
    Redraw,
    /// Shows the keys of the view.
    Help,
    /// Lists everything that can be done.
    Palette,
    /// Goes to the next mode: plan, ask, auto.
    NextMode,
    /// Lists the modes to choose from.
    PickMode,
    /// Lists the models to choose from.
    PickModel,
    /// Opens or folds thoughts and results.
    ToggleDetails,
    /// Scrolls back by a page.
    PageUp,
    /// Scrolls on by a page.
    PageDown,
    /// Scrolls back by a row.
    RowUp,
    /// Scrolls on by a row.
    RowDown,
    /// To the beginning.
    Top,
    /// To the end.
    Bottom,
    /// Hands the words over; to the running turn, where one runs.
    Submit,
    /// Keeps the words for the next turn.
    Queue,
    /// Takes the last queued words back to change them.
    Unqueue,
    /// Begins a new line.
    Newline,
    /// Completes what is being written.
    Complete,
    /// Shows what was written before.
    HistoryBack,
    /// Shows what was written after that.
    HistoryForward,
    /// Searches what was written before.
    HistorySearch,
    /// Writes on in the user's editor.
    Editor,
    /// Lets the call run.
    Once,
    /// Lets calls like it run in this session.
    Session,
    /// Lets what the shown rule covers run here from now on.
    Always,
    /// Refuses.
    Deny,
    /// Refuses with a reason.
    DenyWithReason,
    /// Looks at the change piece by piece.
    Review,
    /// Takes a piece.
    Take,
    /// Leaves a piece.
    LeaveOut,
    /// Leaves a piece with a reason.
    LeaveWithReason,
    /// Changes a piece in the editor.
    EditPiece,
    /// Takes this piece and the rest.
    TakeRest,
    /// Leaves this piece and the rest.
    LeaveRest,
    /// To the next piece.
    NextPiece,
    /// To the piece before.
    PreviousPiece,
    /// To the next file.
    NextFile,
    /// To the file before.
    PreviousFile,
    /// Done.
    Done,
    /// Up in the list.
    Up,
    /// Down in the list.
    Down,
    /// Takes what is chosen.
    Choose,
    /// Goes back.
    Close,
    /// Reviews what the last turn changed.
    ReviewTurn,
    /// In a review: accept the hunk.
    Accept,
    /// In a review: reject the hunk: it goes from the file.
    Reject,
    /// In a review: reject it with a reason for the model.
    RejectWithReason,
    /// In a review: edit the hunk in the editor.
    EditHunk,
    /// In a review: edit the line here.
    EditLine,
    /// In a review: comment on the line, for the model.
    Comment,
    /// In a review: drop the comment.
    DropComment,
    /// In a review: forget all that was said.
    DropRemarks,
    /// In a review: accept what is open of the file.
    AcceptFile,
    /// In a review: reject what is open of the file.
    RejectFile,
    /// In a review: accept whatever is open.
    AcceptAll,
    /// In a review: undo the last decision.
    UndoDecision,
    /// In a review: stage the hunk.
    StageHunk,
    /// In a review: stage the file.
    StageFile,
    /// In a review: unstage it.
    Unstage,
    /// In a review: commit what is staged.
    Commit,
    /// In a review: line up.
    LineUp,
    /// In a review: line down.
    LineDown,
    /// In a review: next hunk.
    NextHunk,
    /// In a review: hunk before.
    PreviousHunk,
    /// In a review: next hunk that is open.
    NextOpen,
    /// In a review: search.
    Search,
    /// In a review: next place that was searched.
    NextMatch,
    /// In a review: place before.
    PreviousMatch,
    /// In a review: as there is room, under each other, side by side.
    ToggleShape,
    /// In a review: to the files and back.
    FileTree,
    /// In a review: hide or show the files.
    HideTree,
    /// In a review: find a file.
    PickFile,
    /// In a review: review something else.
    PickSource,
    /// In a review: read the changes anew.
    Reload,
    /// In a review: take the last turn back.
    UndoTurn,
    /// In a review: send what was said to the model, and leave.
    Send,
    /// Lists the sessions.
    Sessions,
    /// Lists what was made.
    Made,
    /// Shows what fills the window.
    Context,
    /// Lists files as they were before each call.
    Checkpoints,
    /// Lists what runs.
    Running,
    /// Finds words.
    Find,
    /// To where they are found next.
    NextFound,
    /// To where they were found before.
    PreviousFound,
    /// Shows more beside the conversation.
    NextLevel,
    /// Shows something else beside it.
    NextLayout,
    /// Goes on in a copy of a session.
    Fork,
    /// Names a session.
    Rename,
    /// Writes a session to a file.
    Export,
    /// Deletes a session.
    Delete,
    /// Puts files back.
    Restore,
    /// Ends a command.
    Kill,
    /// Puts a running command behind the turn.
    Background,
    /// Takes something out of the window.
    TakeOut,
}

/// Every view by its name in a keymap file.
pub const VIEWS: &[(&str, View)] = &[
    ("everywhere", View::Everywhere),
    ("composer", View::Composer),
    ("picks", View::Picks),
    ("approval", View::Approval),
    ("pieces", View::Pieces),
    ("list", View::List),
    ("queue", View::Queue),
    ("reader", View::Reader),
    ("review", View::Review),
    ("sessions", View::Sessions),
    ("artefacts", View::Made),
    ("context", View::Context),
    ("checkpoints", View::Checkpoints),
    ("running", View::Running),
    ("viewer", View::Viewer),
    ("find", View::Find),
];

/// Every action by its name in a keymap file, with what it does.
pub const ACTIONS: &[(&str, Action, &str)] = &[
    ("leave", Action::Leave, "leave; the session is kept"),
    ("interrupt", Action::Interrupt, "stop what runs, else clear what is written"),
    ("back", Action::Back, "stop what runs; twice: back to an earlier message"),
    ("copy", Action::Copy, "copy the last answer"),
    ("show_queue", Action::ShowQueue, "show what waits for later turns"),
    ("show_asked", Action::ShowAsked, "list all that waits for an answer"),
    ("suggest", Action::Suggest, "list what may be done next"),
    ("suggestion_1", Action::Suggestion1, "do the first of it"),
    ("suggestion_2", Action::Suggestion2, "do the second of it"),
    ("suggestion_3", Action::Suggestion3, "do the third of it"),
    ("move_up", Action::MoveUp, "move it up"),
    ("move_down", Action::MoveDown, "move it down"),
    ("drop", Action::Drop, "drop it"),
    ("suspend", Action::Suspend, "put mimi into the background"),
    ("redraw", Action::Redraw, "draw everything anew"),
    ("help", Action::Help, "show the keys of this view"),
    ("palette", Action::Palette, "list everything that can be done"),
    ("next_mode", Action::NextMode, "next mode: plan, ask, auto"),
    ("pick_mode", Action::PickMode, "choose the mode"),
    ("pick_model", Action::PickModel, "choose the model"),
    ("toggle_details", Action::ToggleDetails, "open or fold thoughts and results"),
    ("page_up", Action::PageUp, "a page back"),
    ("page_down", Action::PageDown, "a page on"),
    ("row_up", Action::RowUp, "a row back"),
    ("row_down", Action::RowDown, "a row on"),
    ("top", Action::Top, "to the beginning"),
    ("bottom", Action::Bottom, "to the end"),
    ("submit", Action::Submit, "send; to the running turn, where one runs"),
    ("queue", Action::Queue, "keep for the next turn"),
    ("unqueue", Action::Unqueue, "take back what was queued last"),
    ("newline", Action::Newline, "new line"),
    ("complete", Action::Complete, "complete what is being written"),
    ("history_back", Action::HistoryBack, "what was written before"),
    ("history_forward", Action::HistoryForward, "what was written after that"),
    ("history_search", Action::HistorySearch, "search what was written before"),
    ("editor", Action::Editor, "write on in the editor"),
    ("once", Action::Once, "yes, once"),
    ("session", Action::Session, "yes, in this session"),
    ("always", Action::Always, "yes, always here: the shown rule"),
    ("deny", Action::Deny, "no"),
    ("deny_with_reason", Action::DenyWithReason, "no, with a reason for the model"),
    ("review", Action::Review, "look at the change piece by piece"),
    ("take", Action::Take, "take this piece"),
    ("leave_out", Action::LeaveOut, "leave this piece"),
    ("leave_with_reason", Action::LeaveWithReason, "leave it with a reason for the model"),
    ("edit_piece", Action::EditPiece, "change this piece in the editor"),
    ("take_rest", Action::TakeRest, "take this piece and the rest"),
    ("leave_rest", Action::LeaveRest, "leave this piece and the rest"),
    ("next_piece", Action::NextPiece, "next piece"),
    ("previous_piece", Action::PreviousPiece, "piece before"),
    ("next_file", Action::NextFile, "next file"),
    ("previous_file", Action::PreviousFile, "file before"),
    ("done", Action::Done, "done: what is not left is taken"),
    ("up", Action::Up, "up"),
    ("down", Action::Down, "down"),
    ("choose", Action::Choose, "take what is chosen"),
    ("close", Action::Close, "go back"),
    ("review_turn", Action::ReviewTurn, "review what the last turn changed"),
    ("accept", Action::Accept, "accept the hunk"),
    ("reject", Action::Reject, "reject the hunk: it goes from the file"),
    ("reject_with_reason", Action::RejectWithReason, "reject it with a reason for the model"),
    ("edit_hunk", Action::EditHunk, "edit the hunk in the editor"),
    ("edit_line", Action::EditLine, "edit the line here"),
    ("comment", Action::Comment, "comment on the line, for the model"),
    ("drop_comment", Action::DropComment, "drop the comment"),
    ("drop_remarks", Action::DropRemarks, "forget all that was said"),
    ("accept_file", Action::AcceptFile, "accept what is open of the file"),
    ("reject_file", Action::RejectFile, "reject what is open of the file"),
    ("accept_all", Action::AcceptAll, "accept whatever is open"),
    ("undo_decision", Action::UndoDecision, "undo the last decision"),
    ("stage_hunk", Action::StageHunk, "stage the hunk"),
    ("stage_file", Action::StageFile, "stage the file"),
    ("unstage", Action::Unstage, "unstage it"),
    ("commit", Action::Commit, "commit what is staged"),
    ("line_up", Action::LineUp, "line up"),
    ("line_down", Action::LineDown, "line down"),
    ("next_hunk", Action::NextHunk, "next hunk"),
    ("previous_hunk", Action::PreviousHunk, "hunk before"),
    ("next_open", Action::NextOpen, "next hunk that is open"),
    ("search", Action::Search, "search"),
    ("next_match", Action::NextMatch, "next place that was searched"),
    ("previous_match", Action::PreviousMatch, "place before"),
    ("toggle_shape", Action::ToggleShape, "as there is room, under each other, side by side"),
    ("file_tree", Action::FileTree, "to the files and back"),
    ("hide_tree", Action::HideTree, "hide or show the files"),
    ("pick_file", Action::PickFile, "find a file"),
    ("pick_source", Action::PickSource, "review something else"),
    ("reload", Action::Reload, "read the changes anew"),
    ("undo_turn", Action::UndoTurn, "take the last turn back"),
    ("send", Action::Send, "send what was said to the model, and leave"),
    ("sessions", Action::Sessions, "sessions: search, go on with, copy, name"),
    ("artefacts", Action::Made, "artefacts: files changed, searches, plans"),
    ("context", Action::Context, "what fills the window"),
    ("checkpoints", Action::Checkpoints, "files as they were before each call"),
    ("running", Action::Running, "what runs now"),
    ("find", Action::Find, "find words"),
    ("next_found", Action::NextFound, "where they are next"),
    ("previous_found", Action::PreviousFound, "where they are before"),
    ("next_level", Action::NextLevel, "level: simple, advanced, expert"),
    ("next_layout", Action::NextLayout, "layout: chat, build, debug"),
    ("fork", Action::Fork, "go on in a copy"),
    ("rename", Action::Rename, "name it"),
    ("export", Action::Export, "write it to a file"),
    ("delete", Action::Delete, "delete it"),
    ("restore", Action::Restore, "put the files back"),
    ("kill", Action::Kill, "end it"),
    ("background", Action::Background, "put what runs into the background"),
    ("take_out", Action::TakeOut, "take it out of the window"),
];

/// The keys that come along.
const DEFAULT: &str = include_str!("../../config/keymap.yaml");

/// A keymap file: view, action, keys.
type File = BTreeMap<String, BTreeMap<String, Vec<String>>>;

/// Which key does what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keymap {
    keys: BTreeMap<View, BTreeMap<Action, Vec<Key>>>,
}

impl Keymap {
    /// The keys that come along, with those of the user's file in the place of theirs. Fails with what is wrong.
    pub fn read(user: Option<&str>) -> Result<Self, String> {
        let mut keymap = Self { keys: BTreeMap::new() };
        keymap.add(DEFAULT)?;
        if let Some(text) = user {
            keymap.add(text)?;
        }
        keymap.check(user.unwrap_or(DEFAULT))?;
        Ok(keymap)
    }

    fn add(&mut self, text: &str) -> Result<(), String> {
        let file: File = crate::base::yaml::from_str(text).map_err(|error| error.to_string())?;
        for (view, actions) in file {
            let known = VIEWS.iter().find(|(name, _)| *name == view).map(|(_, view)| *view);
            let place = known.ok_or_else(|| unknown(text, "view", &view, VIEWS.iter().map(|(name, _)| *name)))?;
            for (action, names) in actions {
                let known = ACTIONS.iter().find(|(name, ..)| *name == action).map(|(_, action, _)| *action);
                let known =
                    known.ok_or_else(|| unknown(text, "action", &action, ACTIONS.iter().map(|(name, ..)| *name)))?;
                let keys: Result<Vec<Key>, String> = names.iter().map(|name| name.parse()).collect();
                let keys = keys.map_err(|wrong| format!("line {}: {wrong}", line_of(text, &action)))?;
                self.keys.entry(place).or_default().insert(known, keys);
            }
        }
        Ok(())
    }

    /// Says which key means two things in one view, and where the file says so.
    fn check(&self, text: &str) -> Result<(), String> {
        for (view, actions) in &self.keys {
            let mut taken: BTreeMap<Key, Action> = BTreeMap::new();
            for (action, keys) in actions {
                for key in keys {
                    if let Some(other) = taken.insert(*key, *action) {
                        let view = VIEWS.iter().find(|(_, known)| known == view).map_or("", |(name, _)| name);
                        let named = [*action, other].into_iter().find(|action| has_line(text, action.name()));
                        let line = named.map_or(1, |action| line_of(text, action.name()));
                        let (one, two) = (other.name(), action.name());
                        return Err(format!("line {line}: `{key}` means both `{one}` and `{two}` in `{view}`"));
                    }
                }
            }
        }
        Ok(())
    }

    /// Says what a key does in a view; what holds everywhere comes last.
    pub fn action(&self, view: View, key: Key) -> Option<Action> {
        let find = |view| {
            let actions = self.keys.get(&view)?;
            actions.iter().find(|(_, keys)| keys.contains(&key)).map(|(action, _)| *action)
        };
        find(view).or_else(|| find(View::Everywhere))
    }

    /// Names the first key of an action; nothing when it has none.
    pub fn key_of(&self, view: View, action: Action) -> Option<String> {
        let find = |view| self.keys.get(&view)?.get(&action)?.first();
        find(view).or_else(|| find(View::Everywhere)).map(ToString::to_string)
    }

    /// Lists the actions of a view and those of everywhere, each with its keys; also those without any.
    pub fn all(&self, view: View) -> Vec<(Action, String)> {
        let of = |view| self.keys.get(&view).into_iter().flatten();
        let mut all: Vec<(Action, String)> = Vec::new();
        for (action, keys) in of(view).chain(of(View::Everywhere)) {
            if !all.iter().any(|(known, _)| known == action) {
                all.push((*action, keys.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")));
            }
        }
        all
    }

    /// Lists the actions of a view with their keys, then those of everywhere.
    pub fn rows(&self, view: View) -> Vec<(Action, String)> {
        let of = |view| self.keys.get(&view).into_iter().flatten();
        let all = of(view).chain(of(View::Everywhere).filter(|_| view != View::Everywhere));
        let shown = all.filter(|(_, keys)| !keys.is_empty());
        shown
            .map(|(action, keys)| (*action, keys.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")))
            .collect()
    }
}

impl Action {
    /// Says what it does, for the list of keys.
    pub fn words(self) -> &'static str {
        ACTIONS.iter().find(|(_, action, _)| *action == self).map_or("", |(_, _, words)| words)
    }

    /// Names it as files do.
    pub fn name(self) -> &'static str {
        ACTIONS.iter().find(|(_, action, _)| *action == self).map_or("", |(name, _, _)| name)
    }
}

fn unknown<'a>(text: &str, what: &str, name: &str, known: impl Iterator<Item = &'a str>) -> String {
    let near = nearest(name, known).map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
    format!("line {}: there is no {what} `{name}`{near}", line_of(text, name))
}

fn is_line_of(line: &str, name: &str) -> bool {
    line.trim_start().strip_prefix(name).is_some_and(|rest| rest.trim_start().starts_with(':'))
}

fn has_line(text: &str, name: &str) -> bool {
    text.lines().any(|line| is_line_of(line, name))
}

/// Finds the line an action stands in, counted from 1.
fn line_of(text: &str, name: &str) -> usize {
    text.lines().position(|line| is_line_of(line, name)).map_or(1, |at| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> Key {
        name.parse().unwrap()
    }

    #[test]
    fn the_keys_that_come_along_contradict_nowhere() {
        let keymap = Keymap::read(None).unwrap();
        assert_eq!(keymap.action(View::Composer, key("enter")), Some(Action::Submit));
        assert_eq!(keymap.action(View::Approval, key("y")), Some(Action::Once));
        assert_eq!(keymap.action(View::Composer, key("y")), None);
        assert_eq!(keymap.action(View::Approval, key("ctrl+c")), Some(Action::Interrupt));
    }

    #[test]
    fn every_action_has_a_row_in_the_file_and_a_name_of_its_own() {
        let keymap = Keymap::read(None).unwrap();
        let named: Vec<Action> = keymap.keys.values().flat_map(BTreeMap::keys).copied().collect();
        for (name, action, words) in ACTIONS {
            assert!(named.contains(action), "`{name}` stands in no view of config/keymap.yaml");
            assert!(!words.is_empty(), "{name}");
        }
        let mut names: Vec<_> = ACTIONS.iter().map(|(name, ..)| name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ACTIONS.len());
    }

    #[test]
    fn the_users_file_replaces_the_keys_of_what_it_names() {
        let keymap = Keymap::read(Some("composer:\n  submit: [ctrl+s]\n  newline: [enter]\n")).unwrap();
        assert_eq!(keymap.action(View::Composer, key("ctrl+s")), Some(Action::Submit));
        assert_eq!(keymap.action(View::Composer, key("enter")), Some(Action::Newline));
        assert_eq!(keymap.action(View::Approval, key("y")), Some(Action::Once));
    }

    #[test]
    fn what_is_wrong_with_a_keymap_is_said() {
        let table = [
            ("composer:\n  submit: [ctrl+j]\n", "line 2: `ctrl+j` means both `submit` and `newline` in `composer`"),
            ("composer:\n  queue: [entr]\n", "line 2: there is no key `entr`"),
            ("composer:\n  sumbit: [f5]\n", "line 2: there is no action `sumbit`; did you mean `submit`?"),
            ("composr: {}\n", "line 1: there is no view `composr`; did you mean `composer`?"),
        ];
        for (text, expected) in table {
            let wrong = Keymap::read(Some(text)).unwrap_err();
            assert!(wrong.contains(expected), "{text}: {wrong}");
        }
    }
}
