use std::sync::Arc;

use super::board::{Board, Kind, Row};
use super::level::{Level, Preset};
use super::viewer::Viewer;
use super::*;
use crate::protocol::event::{Author, Event, Record};
use crate::protocol::message::CallId;
use crate::protocol::op::Op;
use crate::protocol::plan::{Plan, PlanStep, StepStatus};
use crate::protocol::tool::ToolOutcome;
use crate::tui::keymap::Keymap;
use crate::tui::look::Look;
use crate::tui::state::composer::Composer;
use crate::tui::state::item::VerbTable;
use crate::tui::state::message::{Cmd, Msg, Scroll};
use crate::tui::state::outside::{Given, Want};
use crate::tui::state::status::{Facts, Pricing, Status, money};
use crate::tui::state::transcript::Transcript;
use crate::tui::state::{Front, State};

fn state() -> State {
    let facts = Facts { session: "0198-this".into(), ..Facts::default() };
    let status = Status { facts, ..Status::default() };
    let keymap = Keymap::read(None).unwrap();
    State::new(Transcript::new(VerbTable::new()), Composer::default(), status, keymap)
}

fn keys(state: &mut State, names: &str) -> Vec<Cmd> {
    names.split(' ').flat_map(|name| state.update(Msg::Key(name.parse().unwrap()))).collect()
}

fn say(state: &mut State, words: &str) -> Vec<Cmd> {
    state.composer.set(words);
    keys(state, "enter")
}

fn record(state: &mut State, event: Event) -> Vec<Cmd> {
    state.update(Msg::Record(Box::new(Record { v: 1, seq: 1, at_ms: 1, event })))
}

fn told(state: &mut State, told: Told) -> Vec<Cmd> {
    state.update(Msg::Given(Given::Around(told)))
}

fn asks(cmds: &[Cmd]) -> Vec<Ask> {
    let asked = cmds.iter().filter_map(|cmd| match cmd {
        Cmd::Want(Want::Around(ask)) => Some(ask.clone()),
        _ => None,
    });
    asked.collect()
}

fn lines(cmds: &[Cmd]) -> usize {
    asks(cmds).iter().filter(|ask| matches!(ask, Ask::Line { .. })).count()
}

fn row(id: &str, label: &str) -> Row {
    Row { id: id.into(), label: label.into(), ..Row::default() }
}

fn board(state: &State) -> &Board {
    match &state.front {
        Front::Board(board) => board,
        other => panic!("{other:?}"),
    }
}

fn sessions(state: &mut State) {
    say(state, "/sessions");
    let rows = vec![row("one", "the parser"), row("two", "the printer")];
    told(state, Told::Rows { kind: Kind::Sessions, words: String::new(), rows });
}

#[test]
fn sessions_are_searched_as_words_are_typed_and_late_answers_are_dropped() {
    let mut state = state();
    let cmds = say(&mut state, "/sessions par");
    assert_eq!(asks(&cmds), [Ask::Rows { kind: Kind::Sessions, words: "par".into() }]);
    assert_eq!(asks(&keys(&mut state, "s e")), [], "one search at a time, however quickly somebody types");
    let late = Told::Rows { kind: Kind::Sessions, words: "par".into(), rows: vec![row("old", "par")] };
    assert_eq!(asks(&told(&mut state, late)), [Ask::Rows { kind: Kind::Sessions, words: "parse".into() }]);
    assert_eq!(board(&state).rows, []);
    let rows = vec![row("one", "said in an answer only")];
    let cmds = told(&mut state, Told::Rows { kind: Kind::Sessions, words: "parse".into(), rows });
    assert_eq!(board(&state).fitting().len(), 1, "what was found outside needs no further look");
    assert_eq!(asks(&cmds), [Ask::Beside { kind: Kind::Sessions, id: "one".into() }]);
}

#[test]
fn what_is_pressed_while_a_list_is_read_holds_once_it_is_there() {
    let mut state = state();
    let asked = asks(&keys(&mut state, "f6"));
    assert_eq!(asked, [Ask::Rows { kind: Kind::Checkpoints, words: String::new() }]);
    assert!(asks(&keys(&mut state, "m a k e down enter ctrl+r")).is_empty(), "nothing is done blindly");
    let rows = vec![row("a", "edit"), row("b", "make one"), row("c", "make two")];
    let asked = asks(&told(&mut state, Told::Rows { kind: Kind::Checkpoints, words: String::new(), rows }));
    assert_eq!(asked.last(), Some(&Ask::Beside { kind: Kind::Checkpoints, id: "c".into() }));
    assert_eq!((board(&state).query.as_str(), board(&state).at), ("make", 1));
    assert_eq!(board(&state).doomed, None);
}

#[test]
fn a_session_is_gone_on_with_unless_a_turn_runs() {
    let mut state = state();
    sessions(&mut state);
    state.composer.set("a draft");
    record(&mut state, Event::TurnStarted { turn: 1 });
    assert_eq!(
        keys(&mut state, "down enter"),
        [Cmd::Want(Want::Around(Ask::Beside { kind: Kind::Sessions, id: "two".into() }))]
    );
    assert_eq!(state.around.next, None);
    state.status.end_turn();
    assert_eq!(keys(&mut state, "enter"), [Cmd::Leave]);
    assert_eq!(state.around.next, Some(Next::Session("two".into())));
    assert_eq!(state.composer.text(), "a draft");
}

#[test]
fn what_cannot_be_undone_is_asked_twice_and_another_row_begins_anew() {
    let mut state = state();
    sessions(&mut state);
    assert_eq!(keys(&mut state, "ctrl+x"), []);
    assert!(state.hint.as_deref().is_some_and(|hint| hint.contains("the parser")), "{:?}", state.hint);
    assert_eq!(asks(&keys(&mut state, "down ctrl+x")), [Ask::Beside { kind: Kind::Sessions, id: "two".into() }]);
    assert_eq!(asks(&keys(&mut state, "ctrl+x")), [Ask::Delete { id: "two".into() }]);
}

#[test]
fn a_session_is_named_exported_and_copied() {
    let mut state = state();
    sessions(&mut state);
    state.composer.set("a draft");
    keys(&mut state, "ctrl+r");
    assert_eq!(state.composer.text(), "the parser");
    let cmds = keys(&mut state, "! enter");
    assert_eq!(asks(&cmds), [Ask::Rename { id: "one".into(), title: "the parser!".into() }]);
    assert_eq!(state.composer.text(), "a draft");
    let cmds = keys(&mut state, "ctrl+e enter");
    assert_eq!(asks(&cmds), [Ask::Export { id: "one".into(), path: "session-one.md".into() }]);
    let cmds = keys(&mut state, "ctrl+f");
    assert_eq!(asks(&cmds), [Ask::Fork { id: "one".into(), turn: None }]);
    assert_eq!(told(&mut state, Told::Forked { id: "copy".into() }), [Cmd::Leave]);
    assert_eq!(state.around.next, Some(Next::Session("copy".into())));
}

#[test]
fn slash_commands_are_about_this_session() {
    let mut state = state();
    let table = [
        ("/fork 2", Ask::Fork { id: "0198-this".into(), turn: Some(2) }),
        ("/rename the parser", Ask::Rename { id: "0198-this".into(), title: "the parser".into() }),
        ("/export out.md", Ask::Export { id: "0198-this".into(), path: "out.md".into() }),
        ("/open src/a.rs:3", Ask::Open { path: "src/a.rs".into(), line: Some(3) }),
        ("/checkpoints", Ask::Rows { kind: Kind::Checkpoints, words: String::new() }),
        ("/context", Ask::Rows { kind: Kind::Context, words: String::new() }),
    ];
    for (words, expected) in table {
        state.front = Front::Chat;
        assert_eq!(asks(&say(&mut state, words)), [expected], "{words}");
    }
    state.front = Front::Chat;
    assert_eq!(say(&mut state, "/new").last(), Some(&Cmd::Leave));
}

#[test]
fn a_running_command_is_ended_and_a_result_taken_out() {
    let mut state = state();
    let call = CallId("c 1".into());
    record(&mut state, Event::TurnStarted { turn: 1 });
    record(&mut state, Event::UserMessage { author: Author::User, text: "go".into() });
    let (tool, target) = ("shell".to_owned(), "sleep 100".to_owned());
    record(
        &mut state,
        Event::ToolProposed { call: call.clone(), tool: tool.clone(), target: target.clone(), actions: Vec::new() },
    );
    record(&mut state, Event::ToolStarted { call: call.clone(), tool, target });
    record(&mut state, Event::ToolOutput { call: call.clone(), text: "one line\n".into() });
    keys(&mut state, "f7");
    assert_eq!(board(&state).rows[0].label, "sleep 100");
    assert!(board(&state).beside.as_ref().is_some_and(|(_, lines)| lines.len() == 2));
    assert_eq!(keys(&mut state, "ctrl+k"), [Cmd::Send(Op::Stop { call: call.clone() })]);
    state.status.end_turn();
    keys(&mut state, "esc f5");
    told(&mut state, Told::Rows { kind: Kind::Context, words: String::new(), rows: vec![row("call c 1", "shell")] });
    assert_eq!(keys(&mut state, "ctrl+x ctrl+x"), [Cmd::Send(Op::Drop { call: call.clone() })]);
    let cmds = record(&mut state, Event::Dropped { call, text: "x".into(), freed_tokens: 7 });
    assert_eq!(asks(&cmds), [Ask::Rows { kind: Kind::Context, words: String::new() }]);
}

#[test]
fn words_are_found_and_gone_to() {
    let mut state = state();
    for text in ["the Parser", "nothing", "parser again"] {
        record(&mut state, Event::UserMessage { author: Author::User, text: text.into() });
    }
    assert_eq!(say(&mut state, "/find PARSER").last(), Some(&Cmd::Scroll(Scroll::Found(0))));
    assert_eq!(state.around.find.as_ref().map(|find| find.n_entries), Some(2));
    assert_eq!(keys(&mut state, "n"), [Cmd::Scroll(Scroll::Found(1))]);
    assert_eq!(keys(&mut state, "N"), [Cmd::Scroll(Scroll::Found(-1))]);
    keys(&mut state, "esc");
    assert_eq!(state.front, Front::Chat);
    keys(&mut state, "f3 z z enter");
    assert_eq!(state.front, Front::Chat);
    assert!(state.hint.as_deref().is_some_and(|hint| hint.contains("`zz` was not said here")), "{:?}", state.hint);
}

#[test]
fn a_file_is_looked_through_and_its_list_come_back_to() {
    let mut state = state();
    sessions(&mut state);
    let lines = (1..60).map(|n| vec![(Look::Plain, format!("line {n}"))]);
    let lines = lines.chain([vec![(Look::Plain, "src/b.rs:7: a hit".to_owned())]]).collect();
    told(&mut state, Told::File(Box::new(Viewer { title: "a".into(), lines, ..Viewer::default() })));
    let at = |state: &State| match &state.front {
        Front::Viewer(viewer) => viewer.at,
        other => panic!("{other:?}"),
    };
    keys(&mut state, "/ 4 2 enter");
    assert_eq!(at(&state), 41);
    keys(&mut state, "n");
    assert_eq!(at(&state), 41, "there is one such line");
    let cmds = keys(&mut state, "G enter");
    assert_eq!(asks(&cmds), [Ask::Open { path: "src/b.rs".into(), line: Some(7) }]);
    keys(&mut state, "q");
    assert_eq!(board(&state).kind, Kind::Sessions);
}

#[test]
fn levels_go_round_are_remembered_and_offered_once() {
    let mut state = state();
    let step = |n: u32| PlanStep { step: n.to_string(), status: StepStatus::Pending };
    let plan = || Plan { steps: (0..4).map(step).collect() };
    let offered = record(&mut state, Event::PlanUpdated { plan: plan() });
    assert_eq!(asks(&offered).len(), 1);
    assert_eq!(asks(&record(&mut state, Event::PlanUpdated { plan: plan() })), []);
    let levels: Vec<(Level, Preset)> = (0..3)
        .map(|_| {
            let cmds = keys(&mut state, "f8");
            assert!(matches!(asks(&cmds)[0], Ask::Keep(kept) if kept == state.around.kept));
            (state.around.kept.level, state.around.kept.preset)
        })
        .collect();
    assert_eq!(
        levels,
        [(Level::Advanced, Preset::Build), (Level::Expert, Preset::Debug), (Level::Simple, Preset::Chat)]
    );
    keys(&mut state, "f9");
    assert_eq!(state.around.kept.preset, Preset::Chat, "the simplest level has one layout");
    say(&mut state, "/layout debug");
    assert_eq!((state.around.kept.level, state.around.kept.preset), (Level::Expert, Preset::Debug));
}

#[test]
fn the_server_is_asked_only_while_its_panel_is_there() {
    let mut state = state();
    assert_eq!(asks(&state.update(Msg::Begun)), []);
    let cmds = say(&mut state, "/layout debug");
    assert_eq!(asks(&cmds)[1], Ask::Server { after_ms: 0 });
    assert_eq!(asks(&told(&mut state, Told::Server(Vec::new()))), [Ask::Server { after_ms: level::SERVER_MS }]);
    say(&mut state, "/layout chat");
    assert_eq!(asks(&told(&mut state, Told::Server(Vec::new()))), []);
}

#[test]
fn the_users_line_is_asked_one_at_a_time_and_given_up_when_it_fails() {
    let mut state = state();
    assert_eq!(state.update(Msg::Begun), []);
    state.around.has_line = true;
    let cmds = state.update(Msg::Begun);
    let [Ask::Line { facts }] = &asks(&cmds)[..] else { panic!("{cmds:?}") };
    assert!(facts.contains("\"session\":\"0198-this\""), "{facts}");
    assert_eq!(lines(&record(&mut state, Event::TurnStarted { turn: 1 })), 0, "it still runs");
    told(&mut state, Told::Line(Ok("mine".into())));
    assert_eq!(state.around.line.as_deref(), Some("mine"));
    assert_eq!(lines(&record(&mut state, Event::TurnStarted { turn: 2 })), 1);
    told(&mut state, Told::Line(Err("it ended with code 1".into())));
    assert_eq!((state.around.line.clone(), state.around.has_line), (None, false));
}

fn began(state: &mut State, call: &str) {
    let call = CallId(call.into());
    let (tool, target) = ("shell".to_owned(), "make".to_owned());
    record(
        state,
        Event::ToolProposed { call: call.clone(), tool: tool.clone(), target: target.clone(), actions: Vec::new() },
    );
    record(state, Event::ToolStarted { call, tool, target });
}

/// As the agent reports that a command went behind the turn.
fn went_behind(state: &mut State, call: &str, behind: &str) {
    let outcome = ToolOutcome::Ok { text: String::new() };
    let (call, tool, summary) = (CallId(call.into()), "shell".to_owned(), "goes on in the background".to_owned());
    let finished = Event::ToolFinished {
        call: call.clone(),
        tool,
        outcome,
        summary,
        diffs: Vec::new(),
        seen: Vec::new(),
        duration_ms: 1,
    };
    record(state, finished);
    record(state, Event::Backgrounded { call, behind: CallId(behind.into()), command: "make".to_owned() });
}

#[test]
fn what_runs_goes_behind_the_turn_from_its_list_from_anywhere_and_by_a_command() {
    let background = |call: &str| Cmd::Send(Op::Background { call: CallId(call.into()) });
    let mut state = state();
    assert_eq!(keys(&mut state, "alt+z"), []);
    assert!(state.hint.as_deref().is_some_and(|hint| hint.contains("no command runs")));
    record(&mut state, Event::UserMessage { author: Author::User, text: "build".to_owned() });
    began(&mut state, "c1");
    assert_eq!(keys(&mut state, "f7 ctrl+b"), [background("c1")]);
    keys(&mut state, "esc");
    assert_eq!(keys(&mut state, "alt+z"), [background("c1")]);
    assert!(say(&mut state, "/background").contains(&background("c1")));
}

#[test]
fn a_command_behind_the_turn_stays_in_the_list_until_it_ends_whatever_is_said_meanwhile() {
    let mut state = state();
    record(&mut state, Event::UserMessage { author: Author::User, text: "build".to_owned() });
    began(&mut state, "c1");
    went_behind(&mut state, "c1", "behind-1");
    record(&mut state, Event::UserMessage { author: Author::User, text: "and more".to_owned() });
    record(&mut state, Event::ToolOutput { call: CallId("behind-1".into()), text: "half way\n".into() });
    assert_eq!(state.status.n_behind, 1);
    keys(&mut state, "f7");
    assert!(board(&state).rows[0].meaning.starts_with("in the background for"), "{:?}", board(&state).rows);
    assert_eq!(keys(&mut state, "ctrl+k"), [Cmd::Send(Op::Stop { call: CallId("behind-1".into()) })]);
    keys(&mut state, "esc");
    say(&mut state, "/checkpoints");
    assert_eq!(state.hint.as_deref(), Some(super::board::STILL_WRITES), "what is put back may be written again");
    let ended = Event::BackgroundEnded {
        behind: CallId("behind-1".into()),
        outcome: ToolOutcome::Cancelled,
        summary: "cancelled".to_owned(),
        duration_ms: 5,
    };
    record(&mut state, ended);
    keys(&mut state, "f7");
    assert_eq!((board(&state).rows.len(), state.status.n_behind), (0, 0));
}

#[test]
fn what_is_spent_is_told_in_money_where_there_are_prices() {
    let mut state = state();
    let usage = crate::protocol::message::Usage { input_tokens: 1000, output_tokens: 100, cached_tokens: 0 };
    let answered = |model: &str| Event::Usage {
        usage,
        model: model.to_owned(),
        context_tokens: 1,
        window_tokens: 2,
        stats: crate::protocol::usage::Stats::default(),
    };
    record(&mut state, answered("known"));
    assert_eq!(state.status.cost, None);
    state.status.pricing =
        Pricing::new(Arc::new(|model, usage, _| (model == "known").then(|| usage.input_tokens as f64 / 1000.0 * 0.25)));
    record(&mut state, answered("known"));
    record(&mut state, answered("unknown"));
    record(&mut state, answered("known"));
    assert_eq!(state.status.cost, Some(0.5));
    assert_eq!((money(0.5).as_str(), money(0.0123).as_str(), money(12.0).as_str()), ("0.50", "0.0123", "12.00"));
}
