use std::sync::Arc;

use super::*;
use crate::protocol::changes::By;
use crate::protocol::changes::{Changed, Order, Outcome, Place, Way};
use crate::protocol::diff::FileDiff;
use crate::protocol::diff::Kind;
use crate::tui::keymap::Keymap;
use crate::tui::state::message::{Cmd, Editing, Msg, Revising};
use crate::tui::state::outside::{Given, Want};
use crate::tui::state::{Front, State};

/// A hunk of a line before, a line that goes, one that comes, at a line.
pub(in crate::tui) fn hunk(line: usize, words: &str) -> Hunk {
    Hunk {
        id: format!("{line}{words}"),
        old_start: line,
        old_lines: 2,
        new_start: line,
        new_lines: 2,
        lines: vec![format!(" before {words}"), format!("-old {words}"), format!("+new {words}")],
        words: Vec::new(),
        left_out: 0,
        is_cut: false,
    }
}

pub(in crate::tui) fn file(path: &str, hunks: Vec<Hunk>) -> FileDiff {
    FileDiff { path: path.to_owned(), added: hunks.len(), removed: hunks.len(), hunks, ..FileDiff::default() }
}

pub(in crate::tui) fn set(files: Vec<FileDiff>) -> ChangeSet {
    ChangeSet { files: files.into_iter().map(Changed::new).collect(), what: "the tree".into(), ..ChangeSet::default() }
}

pub(in crate::tui) fn state(source: Source, set: ChangeSet) -> State {
    let mut state = State::reviewing(Keymap::read(None).unwrap(), source.clone());
    state.update(given(Outcome::Loaded(source, Ok(set))));
    state
}

fn given(outcome: Outcome) -> Msg {
    Msg::Given(Given::Review(Box::new(outcome)))
}

fn two_files() -> ChangeSet {
    set(vec![file("a/x.rs", vec![hunk(1, "one"), hunk(30, "two")]), file("b.rs", vec![hunk(5, "three")])])
}

fn tree() -> State {
    state(Source::WorkTree, two_files())
}

/// Presses keys; returns what is ordered besides keeping.
fn keys(state: &mut State, names: &str) -> Vec<Order> {
    let cmds: Vec<Cmd> = names.split(' ').flat_map(|name| state.update(Msg::Key(name.parse().unwrap()))).collect();
    orders(&cmds)
}

fn orders(cmds: &[Cmd]) -> Vec<Order> {
    let order = |cmd: &Cmd| match cmd {
        Cmd::Want(Want::Review(order)) if !matches!(**order, Order::Keep(..)) => Some((**order).clone()),
        _ => None,
    };
    cmds.iter().filter_map(order).collect()
}

fn writes(state: &mut State, text: &str) {
    text.chars().for_each(|c| drop(state.update(Msg::Key(c.to_string().replace(' ', "space").parse().unwrap()))));
}

fn done(state: &mut State) -> Vec<Order> {
    orders(&state.update(given(Outcome::Done(Ok(None)))))
}

fn marks(state: &State) -> Vec<Vec<String>> {
    let review = state.review.as_ref().unwrap();
    review.files.iter().map(|file| file.pieces.iter().map(Piece::words).collect()).collect()
}

#[test]
fn accepting_needs_nothing_done_and_goes_on_to_what_is_open() {
    let mut state = tree();
    assert_eq!(keys(&mut state, "y y"), []);
    assert_eq!(marks(&state), [vec!["accepted", "accepted"], vec![""]]);
    let review = state.review.as_ref().unwrap();
    assert_eq!((review.at.file, review.progress()), (1, (2, 3)));
}

#[test]
fn rejecting_takes_the_hunk_from_the_file_one_order_after_the_other() {
    let mut state = tree();
    let first = keys(&mut state, "n");
    let expected = (vec![Place::New, Place::New], vec![Place::Old, Place::New]);
    assert!(
        matches!(&first[..], [Order::Settle { from, to, .. }] if (from.clone(), to.clone()) == expected),
        "{first:?}"
    );
    assert_eq!(keys(&mut state, "n"), [], "the first is not answered yet");
    let second = done(&mut state);
    let expected = (vec![Place::Old, Place::New], vec![Place::Old, Place::Old]);
    assert!(matches!(&second[..], [Order::Settle { from, to, .. }] if (from.clone(), to.clone()) == expected));
    assert_eq!(done(&mut state), []);
    assert_eq!(state.review.as_ref().unwrap().remarks.len(), 2, "the model is told");
}

#[test]
fn what_fails_is_as_if_it_had_not_been_decided_and_so_is_what_was_built_on_it() {
    let mut state = tree();
    keys(&mut state, "n n");
    state.update(given(Outcome::Done(Err("`a/x.rs` has changed since".into()))));
    assert_eq!(marks(&state), [vec!["", ""], vec![""]]);
    assert!(state.hint.as_deref().unwrap().contains("has changed since"));
    assert!(state.review.as_ref().unwrap().remarks.is_empty());
    assert_eq!(keys(&mut state, "n").len(), 1, "the next is ordered again");
}

#[test]
fn the_last_decision_is_undone_with_what_it_did() {
    let mut state = tree();
    keys(&mut state, "y n");
    assert_eq!(keys(&mut state, "z"), [], "first what is being written");
    let undone = done(&mut state);
    let expected = (vec![Place::New, Place::Old], vec![Place::New, Place::New]);
    assert!(
        matches!(&undone[..], [Order::Settle { from, to, .. }] if (from.clone(), to.clone()) == expected),
        "{undone:?}"
    );
    assert_eq!(marks(&state), [vec!["accepted", ""], vec![""]]);
    done(&mut state);
    assert_eq!(keys(&mut state, "z"), []);
    assert_eq!(marks(&state), [vec!["", ""], vec![""]]);
    keys(&mut state, "z");
    assert_eq!(state.hint.as_deref(), Some("there is nothing to undo"));
}

#[test]
fn new_and_deleted_files_and_those_without_lines_are_decided_as_a_whole() {
    let created = FileDiff { kind: Kind::Created, ..file("n.rs", vec![hunk(1, "n")]) };
    let binary = FileDiff { binary: Some(crate::protocol::diff::Sides::default()), ..file("b.bin", vec![]) };
    let mut state = state(Source::WorkTree, set(vec![binary, created]));
    for name in ["b.bin", "n.rs"] {
        let ordered = keys(&mut state, "n");
        assert!(matches!(&ordered[..], [Order::Revert { file, .. }] if file.path == name), "{ordered:?}");
        state.update(given(Outcome::Done(Ok(Some(format!("step of {name}"))))));
    }
    assert_eq!(keys(&mut state, "z"), [Order::Unrevert("step of n.rs".into())]);
}

#[test]
fn staging_says_which_hunk_and_how_far_those_above_have_moved_it() {
    let longer = Hunk { new_lines: 4, ..hunk(1, "one") };
    let mut state = state(Source::WorkTree, set(vec![file("a", vec![longer, hunk(30, "two")])]));
    let first = keys(&mut state, "s");
    assert!(
        matches!(&first[..], [Order::Stage { hunk: Some((0, Place::New)), shift: 0, way: Way::In, .. }]),
        "{first:?}"
    );
    done(&mut state);
    let second = keys(&mut state, "tab s");
    assert!(matches!(&second[..], [Order::Stage { hunk: Some((1, _)), shift: 2, way: Way::In, .. }]), "{second:?}");
    done(&mut state);
    assert_eq!(keys(&mut state, "n"), [], "what is staged is not taken from the file under its feet");
    assert!(matches!(&keys(&mut state, "u")[..], [Order::Stage { way: Way::Out, .. }]));
    done(&mut state);
    assert!(matches!(&keys(&mut state, "S")[..], [Order::Stage { hunk: None, way: Way::In, .. }]));
}

#[test]
fn of_what_is_staged_a_rejected_hunk_is_unstaged_and_of_a_commit_it_is_only_said() {
    let mut staged = state(Source::Staged, two_files());
    assert!(matches!(&keys(&mut staged, "n")[..], [Order::Stage { hunk: Some((0, _)), way: Way::Out, .. }]));
    let mut commit = state(Source::Revision("HEAD".into()), two_files());
    assert_eq!(keys(&mut commit, "n"), []);
    assert_eq!(marks(&commit)[0], ["rejected", ""]);
    done(&mut staged);
    assert_eq!(keys(&mut staged, "s"), []);
    assert_eq!(staged.hint.as_deref(), Some("it is staged already"));
    for key in ["s", "e", "C"] {
        assert_eq!(keys(&mut commit, key), []);
        assert!(commit.hint.is_some(), "{key}");
    }
}

#[test]
fn a_hunk_is_edited_in_the_editor_and_a_line_of_it_in_place() {
    let mut state = tree();
    let cmds = state.update(Msg::Key("e".parse().unwrap()));
    let what = Editing::Review(Revising::Hunk);
    assert_eq!(cmds, [Cmd::Edit { what, text: "before one\nnew one\n".into(), name: "a/x.rs".into() }]);
    let cmds = state.update(Msg::Edited { what, text: Some("before one\nmine\n".into()) });
    assert!(
        matches!(&orders(&cmds)[..], [Order::Settle { to, .. }] if to[0] == Place::Text("before one\nmine\n".into()))
    );
    done(&mut state);
    keys(&mut state, "j i");
    assert_eq!(state.composer.text(), "new two", "the line below the one that goes");
    writes(&mut state, "!");
    let ordered = keys(&mut state, "enter");
    assert!(
        matches!(&ordered[..], [Order::Settle { to, .. }] if to[1] == Place::Text("before two\nnew two!\n".into())),
        "{ordered:?}"
    );
    assert_eq!(state.front, Front::Review);
}

#[test]
fn a_line_that_goes_is_not_edited() {
    let mut state = tree();
    keys(&mut state, "i");
    assert_eq!(state.hint.as_deref(), Some("this line is not in the new text"));
}

#[test]
fn comments_stay_with_their_line_are_changed_and_dropped() {
    let mut state = tree();
    keys(&mut state, "j c");
    writes(&mut state, "why so");
    keys(&mut state, "enter");
    let said = |state: &State| {
        let remarks = &state.review.as_ref().unwrap().remarks;
        remarks.iter().map(|remark| (remark.path.clone(), remark.line, remark.words.clone())).collect::<Vec<_>>()
    };
    assert_eq!(said(&state), [("a/x.rs".to_owned(), Some(2), "why so".to_owned())]);
    keys(&mut state, "c");
    assert_eq!(state.composer.text(), "why so");
    writes(&mut state, "?");
    keys(&mut state, "enter");
    assert_eq!(said(&state)[0].2, "why so?");
    keys(&mut state, "x");
    assert_eq!(said(&state), []);
    keys(&mut state, "z");
    assert_eq!(said(&state).len(), 1, "dropping it is undone like anything else");
}

#[test]
fn what_was_said_is_worded_and_sent_when_the_review_is_left_with_it() {
    let mut state = tree();
    state.is_alone = false;
    keys(&mut state, "r");
    writes(&mut state, "no");
    keys(&mut state, "enter");
    assert_eq!(keys(&mut state, "enter"), [], "first what is being written");
    let ordered = done(&mut state);
    assert!(matches!(&ordered[..], [Order::Tell(_, remarks)] if remarks[0].words == "no"), "{ordered:?}");
    let cmds = state.update(given(Outcome::Told("in words".into())));
    assert!(cmds.contains(&Cmd::Send(crate::protocol::op::Op::Submit { text: "in words".into() })), "{cmds:?}");
    assert_eq!(state.front, Front::Chat);
    assert!(state.review.as_ref().unwrap().remarks.is_empty());
}

#[test]
fn without_a_conversation_what_was_said_is_left_for_one() {
    let mut state = tree();
    let cmds = state.update(given(Outcome::Told("in words".into())));
    assert!(cmds.contains(&Cmd::Leave));
    assert_eq!(state.outbox.as_deref(), Some("in words"));
    let mut state = tree();
    assert_eq!(state.update(Msg::Key("q".parse().unwrap())), [Cmd::Leave]);
    assert_eq!(state.outbox, None);
}

#[test]
fn words_are_found_in_all_files_and_round_again() {
    let mut state = tree();
    keys(&mut state, "/");
    writes(&mut state, "new t");
    keys(&mut state, "enter");
    let at = |state: &State| (state.review.as_ref().unwrap().at.file, state.review.as_ref().unwrap().at.hunk);
    assert_eq!(at(&state), (0, 1));
    keys(&mut state, ">");
    assert_eq!(at(&state), (1, 0));
    keys(&mut state, ">");
    assert_eq!(at(&state), (0, 1));
    keys(&mut state, "<");
    assert_eq!(at(&state), (1, 0));
    keys(&mut state, "/");
    writes(&mut state, "nowhere");
    keys(&mut state, "enter");
    assert_eq!(state.hint.as_deref(), Some("`nowhere` is nowhere"));
}

#[test]
fn a_review_goes_on_where_it_was_left() {
    let mut first = tree();
    keys(&mut first, "y n c");
    writes(&mut first, "x");
    keys(&mut first, "enter");
    let kept = first.review.as_ref().unwrap().kept();
    // The second hunk is gone from the file.
    let files = vec![file("a/x.rs", vec![hunk(1, "one")]), file("b.rs", vec![hunk(5, "three")])];
    let again = state(Source::WorkTree, ChangeSet { kept, ..set(files) });
    assert_eq!(marks(&again), [vec!["accepted"], vec![""]]);
    assert_eq!(again.review.as_ref().unwrap().remarks.len(), 2);
    // What came back is to be decided anew.
    let back = state(Source::WorkTree, ChangeSet { kept: first.review.as_ref().unwrap().kept(), ..two_files() });
    assert_eq!(marks(&back)[0], ["accepted", ""]);
}

#[test]
fn files_become_a_tree_in_which_lonely_folders_are_one_row() {
    let paths = ["a/b/c/x.rs", "a/b/c/y.rs", "a/b/d.rs", "a.rs", "z/w/v.rs"];
    let mut paths = paths.map(|path| file(path, vec![hunk(1, path)])).to_vec();
    paths.sort_by(|a, b| a.path.cmp(&b.path));
    let state = state(Source::WorkTree, set(paths));
    let rows: Vec<String> = state
        .review
        .as_ref()
        .unwrap()
        .tree
        .iter()
        .map(|row| format!("{}{}", " ".repeat(row.depth), row.name))
        .collect();
    assert_eq!(rows, ["a.rs", "a/b/", " c/", "  x.rs", "  y.rs", " d.rs", "z/w/", " v.rs"]);
}

#[test]
fn what_cannot_be_decided_says_why() {
    let mut changes = two_files();
    changes.files[0] = Changed { diff: Arc::clone(&changes.files[0].diff), by: By::Nobody("it has conflicts".into()) };
    let mut state = state(Source::WorkTree, changes);
    for key in ["n", "e"] {
        assert_eq!(keys(&mut state, key), [], "{key}");
        assert_eq!(state.hint.as_deref(), Some("it has conflicts"), "{key}");
    }
}

#[test]
fn nothing_is_decided_while_the_changes_are_being_read() {
    let mut state = tree();
    assert_eq!(keys(&mut state, "R"), [Order::Load(Source::WorkTree)], "what is shown stays until then");
    assert_eq!(keys(&mut state, "n"), []);
    assert_eq!(state.hint.as_deref(), Some("the changes are being read"));
}

#[test]
fn any_keys_on_any_changes_leave_a_place_that_is_there() {
    use proptest::prelude::*;
    let names = [
        "j", "k", "tab", "backtab", "]", "[", "y", "n", "a", "d", "A", "s", "S", "u", "z", "g", "G", "space", "t", "v",
        "x", "pagedown", "b",
    ];
    let sets = [
        Vec::new(),
        vec![file("a", vec![])],
        vec![file("a", vec![hunk(1, "a")]), file("b", vec![]), file("c", vec![hunk(1, "c"), hunk(9, "d")])],
    ];
    proptest!(ProptestConfig::with_cases(64), |(which in 0..3usize, pressed in prop::collection::vec((0..names.len(), any::<bool>()), 1..60))| {
        let mut state = state(Source::WorkTree, set(sets[which].clone()));
        for (key, answers) in pressed {
            keys(&mut state, names[key]);
            if answers {
                done(&mut state);
            }
            let review = state.review.as_ref().unwrap();
            let n_lines = review.hunk().map_or(1, |hunk| hunk.lines.len());
            prop_assert!(review.files.is_empty() || review.piece().is_some());
            prop_assert!(review.at.line < n_lines.max(1));
        }
    });
}
