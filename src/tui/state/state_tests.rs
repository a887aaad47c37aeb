use super::*;
use crate::protocol::event::{Event, Record, TurnEnd};
use crate::protocol::message::Usage;
use crate::protocol::op::{Grant, Mode, Offer, Op};
use crate::protocol::tool::Question;
use crate::tui::keymap::{self, View};
use crate::tui::slash;
use crate::tui::state::item::VerbTable;
use crate::tui::state::message::{Cmd, Msg, Scroll};
use crate::tui::state::outside::Want;

pub(super) fn state() -> State {
    let transcript = Transcript::new(VerbTable::new());
    State::new(transcript, Composer::default(), Status::default(), Keymap::read(None).unwrap())
}

/// Presses keys one after the other: names between blanks.
pub(super) fn keys(state: &mut State, names: &str) -> Vec<Cmd> {
    names.split(' ').flat_map(|name| state.update(Msg::Key(name.parse().unwrap()))).collect()
}

pub(super) fn writes(state: &mut State, text: &str) {
    text.chars().for_each(|c| drop(state.update(Msg::Key(c.to_string().parse().unwrap()))));
}

pub(super) fn record(state: &mut State, event: Event) -> Vec<Cmd> {
    let at_ms = state.now_ms;
    state.update(Msg::Record(Box::new(Record { v: 1, seq: 1, at_ms, event })))
}

pub(super) fn begin_turn(state: &mut State) {
    record(state, Event::TurnStarted { turn: 1 });
}

pub(super) fn end_turn(state: &mut State) -> Vec<Cmd> {
    record(state, Event::TurnDone { turn: 1, end: TurnEnd::Answered, steps: 1, usage: Usage::default(), refused: 0 })
}

fn id(name: &str) -> CallId {
    CallId(name.to_owned())
}

pub(super) fn asks(state: &mut State, name: &str) -> Vec<Cmd> {
    let always = Some(Offer { rule: "shell:make".to_owned(), also: String::new() });
    let event = Event::ApprovalAsked {
        call: id(name),
        tool: "shell".into(),
        target: "make".into(),
        actions: Vec::new(),
        preview: None,
        more: Vec::new(),
        why: "commands are asked".into(),
        always,
    };
    let cmds = record(state, event);
    state.update(Msg::Tick(state.now_ms + asking::TOO_SOON_MS));
    cmds
}

pub(super) fn sent(cmds: &[Cmd]) -> Vec<&Op> {
    cmds.iter().filter_map(|cmd| if let Cmd::Send(op) = cmd { Some(op) } else { None }).collect()
}

#[test]
fn words_start_a_turn_and_steer_a_running_one() {
    let mut state = state();
    writes(&mut state, "fix it");
    let cmds = keys(&mut state, "enter");
    assert_eq!(sent(&cmds), [&Op::Submit { text: "fix it".to_owned() }]);
    assert!(cmds.contains(&Cmd::Remember("fix it".to_owned())));
    begin_turn(&mut state);
    writes(&mut state, "not that");
    assert_eq!(sent(&keys(&mut state, "enter")), [&Op::Steer { text: "not that".to_owned() }]);
}

#[test]
fn queued_words_wait_for_the_end_and_can_be_taken_back() {
    let mut state = state();
    begin_turn(&mut state);
    for text in ["one", "two", "three"] {
        writes(&mut state, text);
        assert_eq!(sent(&keys(&mut state, "alt+enter")), Vec::<&Op>::new());
    }
    keys(&mut state, "alt+up");
    assert_eq!((state.composer.text().as_str(), state.queue.len()), ("three", 2));
    assert_eq!(sent(&end_turn(&mut state)), [&Op::Submit { text: "one".to_owned() }]);
    assert_eq!(state.queue, ["two"]);
}

#[test]
fn escape_stops_the_turn_first_then_clears_then_leaves() {
    let mut state = state();
    begin_turn(&mut state);
    writes(&mut state, "half");
    assert_eq!(sent(&keys(&mut state, "esc")), [&Op::Interrupt]);
    end_turn(&mut state);
    assert_eq!(keys(&mut state, "ctrl+c"), [Cmd::Remember("half".to_owned())]);
    assert_eq!(keys(&mut state, "ctrl+c"), []);
    assert!(state.hint.is_some());
    assert_eq!(keys(&mut state, "ctrl+c"), [Cmd::Leave]);
    assert_eq!(keys(&mut state, "up x ctrl+d"), [], "what is written keeps Ctrl-D from leaving");
}

#[test]
fn each_answer_to_an_approval_is_one_key() {
    let table = [
        ("y", Op::Approve { call: id("a"), grant: Grant::Once }),
        ("s", Op::Approve { call: id("a"), grant: Grant::Session }),
        ("a", Op::Approve { call: id("a"), grant: Grant::Always }),
        ("n", Op::Deny { call: id("a"), reason: None }),
        ("esc", Op::Interrupt),
    ];
    for (key, expected) in table {
        let mut state = state();
        begin_turn(&mut state);
        asks(&mut state, "a");
        assert_eq!(sent(&keys(&mut state, key)), [&expected]);
    }
}

#[test]
fn a_refusal_can_have_a_reason_and_what_was_being_written_comes_back() {
    let mut state = state();
    begin_turn(&mut state);
    writes(&mut state, "half");
    asks(&mut state, "a");
    keys(&mut state, "r");
    writes(&mut state, "use make");
    let cmds = keys(&mut state, "enter");
    assert_eq!(sent(&cmds), [&Op::Deny { call: id("a"), reason: Some("use make".to_owned()) }]);
    assert_eq!(state.composer.text(), "half");
    assert_eq!(state.view(), View::Composer);
}

#[test]
fn a_key_meant_for_something_else_approves_nothing() {
    let mut state = state();
    begin_turn(&mut state);
    asks(&mut state, "a");
    state.asked_at_ms = state.now_ms;
    assert_eq!(keys(&mut state, "y"), []);
    assert!(state.hint.is_some() && state.approval().is_some());
    state.update(Msg::Paste("y\n".to_owned()));
    assert!(state.approval().is_some(), "a paste is no answer");
}

#[test]
fn questions_come_one_after_the_other() {
    let mut state = state();
    begin_turn(&mut state);
    asks(&mut state, "a");
    asks(&mut state, "b");
    keys(&mut state, "y");
    assert_eq!(state.approval().map(|approval| &approval.call), Some(&id("b")));
    state.update(Msg::Tick(state.now_ms + asking::TOO_SOON_MS));
    assert_eq!(sent(&keys(&mut state, "n")), [&Op::Deny { call: id("b"), reason: None }]);
}

#[test]
fn all_that_waits_is_listed_and_any_of_it_can_be_answered_first() {
    let mut state = state();
    begin_turn(&mut state);
    for name in ["a", "b", "c"] {
        asks(&mut state, name);
    }
    keys(&mut state, "alt+a");
    let Front::List(choices) = &state.front else { panic!("a list") };
    assert_eq!(choices.fitting().len(), 3);
    keys(&mut state, "down down enter");
    assert_eq!(state.approval().map(|approval| &approval.call), Some(&id("c")));
    state.update(Msg::Tick(state.now_ms + asking::TOO_SOON_MS));
    assert_eq!(sent(&keys(&mut state, "n")), [&Op::Deny { call: id("c"), reason: None }]);
    assert_eq!(state.approval().map(|approval| &approval.call), Some(&id("a")));
}

#[test]
fn words_are_kept_once_hands_rest_and_only_then() {
    let mut state = state();
    writes(&mut state, "half");
    assert_eq!(state.update(Msg::Tick(999)), []);
    assert_eq!(state.update(Msg::Tick(1000)), [Cmd::KeepDraft("half".to_owned())]);
    assert_eq!(state.update(Msg::Tick(5000)), [], "once is enough");
    keys(&mut state, "enter");
    assert_eq!(state.update(Msg::Tick(6000)), [Cmd::KeepDraft(String::new())]);
}

#[test]
fn a_number_answers_with_the_option_and_words_with_themselves() {
    for (typed, expected) in [("2", "blue"), ("green", "green"), ("3", "3")] {
        let mut state = state();
        begin_turn(&mut state);
        let question = Question { question: "which?".into(), options: vec!["red".into(), "blue".into()] };
        record(&mut state, Event::QuestionAsked { call: id("q"), question });
        writes(&mut state, typed);
        let cmds = keys(&mut state, "enter");
        assert_eq!(sent(&cmds), [&Op::Answer { call: id("q"), text: expected.to_owned() }]);
    }
}

#[test]
fn the_mode_in_which_nothing_is_asked_takes_a_word_in_full() {
    for (word, expected) in [("yolo", true), ("y", false)] {
        let mut state = state();
        writes(&mut state, "/mode yolo");
        assert_eq!(sent(&keys(&mut state, "enter")), Vec::<&Op>::new());
        writes(&mut state, word);
        let cmds = keys(&mut state, "enter");
        assert_eq!(sent(&cmds) == [&Op::SetMode { mode: Mode::Yolo }], expected);
        assert_eq!(state.purpose, Purpose::Words);
    }
}

#[test]
fn what_is_chosen_in_the_palette_is_done() {
    let table = [
        ("summ", vec![Cmd::Send(Op::Compact)], ""),
        ("choose the model", vec![Cmd::Want(Want::Models)], ""),
        ("how much is done", Vec::new(), "/mode "),
        ("a page back", vec![Cmd::Scroll(Scroll::Pages(-1))], ""),
    ];
    for (typed, expected, written) in table {
        let mut state = state();
        keys(&mut state, "ctrl+p");
        writes(&mut state, typed);
        assert_eq!(keys(&mut state, "enter"), expected, "{typed}");
        assert_eq!((state.composer.text().as_str(), &state.front), (written, &Front::Chat), "{typed}");
    }
}

#[test]
fn the_palette_has_every_action_of_the_view_and_every_command() {
    let mut state = state();
    keys(&mut state, "ctrl+p");
    let Front::List(choices) = &state.front else { panic!("a list") };
    let labels: Vec<_> = choices.fitting().map(|choice| choice.label.as_str()).collect();
    for (action, _) in state.keymap.all(View::Composer) {
        assert!(action == keymap::Action::Palette || labels.contains(&action.words()), "{action:?}");
    }
    assert!(slash::TABLE.iter().all(|row| labels.iter().any(|label| label.starts_with(row.name))));
}

#[test]
fn a_list_gives_back_what_it_covered() {
    let mut state = state();
    begin_turn(&mut state);
    asks(&mut state, "a");
    keys(&mut state, "alt+m");
    assert_eq!(state.view(), View::List);
    keys(&mut state, "esc");
    assert_eq!(state.view(), View::Approval, "the question still waits");
}
