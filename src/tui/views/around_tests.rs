//! Boards, files, found words and panels on the screen: at three sizes, without colours.

use super::tests::{Screen, change, person, says};
use crate::protocol::event::Event;
use crate::protocol::message::{CallId, Usage};
use crate::protocol::plan::{Plan, PlanStep, StepStatus};
use crate::protocol::tool::ToolOutcome;
use crate::protocol::usage::Stats;
use crate::protocol::wait::{Wait, WaitState};
use crate::tui::diff_view::Spans;
use crate::tui::look::{Look, Theme};
use crate::tui::state::around::board::{Kind, Row};
use crate::tui::state::around::viewer::Viewer;
use crate::tui::state::around::{Told, level};
use crate::tui::state::message::Msg;
use crate::tui::state::outside::Given;

/// The sizes every view is looked at.
const SIZES: [(u16, u16); 3] = [(120, 36), (80, 24), (40, 12)];

fn told(screen: &mut Screen, told: Told) {
    screen.state.update(Msg::Given(Given::Around(told)));
}

fn plain(text: &str) -> Spans {
    vec![(Look::Plain, text.to_owned())]
}

fn row(id: &str, label: &str, meaning: &str, more: &str) -> Row {
    Row { id: id.into(), label: label.into(), meaning: meaning.into(), more: more.into() }
}

fn board(screen: &mut Screen, kind: Kind, key: &str, rows: Vec<Row>, beside: &str) {
    screen.keys(key);
    let id = rows[0].id.clone();
    told(screen, Told::Rows { kind, words: String::new(), rows });
    told(screen, Told::Beside { kind, id, lines: beside.lines().map(plain).collect() });
}

fn sessions(screen: &mut Screen) {
    let rows = vec![
        row("one", "the parser", "2 h ago, 3 turns, qwen3", "answer: the parser reads ahead"),
        row("two", "the printer", "3 d ago, 1 turn", ""),
    ];
    board(screen, Kind::Sessions, "f2", rows, "> fix the parser\nDone.");
}

#[test]
fn sessions_stand_beside_what_was_said_in_them() {
    let mut screen = Screen::new();
    sessions(&mut screen);
    assert_eq!(
        screen.rows(120, 10)[..5],
        [
            "sessions (2)",
            "> the parser  2 h ago, 3 turns, qwen3                  │ > fix the parser",
            "    answer: the parser reads ahead                     │ Done.",
            "  the printer  3 d ago, 1 turn                         │",
            "                                                       │",
        ]
    );
    let narrow = screen.shows(80, 24);
    let at = |words: &str| narrow.lines().position(|line| line.contains(words)).unwrap();
    assert!(at("the printer") < at("─") && at("─") < at("> fix the parser"), "{narrow}");
    let small = screen.shows(40, 12);
    assert!(small.contains("> the parser") && !small.contains("> fix"), "there is no room for both\n{small}");
    for (width, height) in SIZES {
        assert!(screen.shows(width, height).replace('\n', " ").contains("ctrl+x delete"), "{width}x{height}");
    }
}

#[test]
fn what_is_typed_stands_at_the_top_and_the_cursor_behind_it() {
    let mut screen = Screen::new();
    sessions(&mut screen);
    screen.keys("p r i n");
    let shown = screen.shows(80, 24);
    assert!(shown.starts_with("sessions (1) prin\n> the printer"), "{shown}");
    assert_eq!(screen.cursor(80, 24), Some((17, 0)));
    screen.keys("z");
    assert!(screen.shows(80, 24).contains("no session has these words"));
}

#[test]
fn a_name_is_written_below_the_list() {
    let mut screen = Screen::new();
    sessions(&mut screen);
    screen.keys("ctrl+r");
    let shown = screen.shows(80, 24);
    assert!(shown.contains("name> the parser") && shown.contains("the printer"), "{shown}");
}

#[test]
fn the_chosen_row_of_a_long_list_is_in_sight() {
    let mut screen = Screen::new();
    let rows = (0..200).map(|n| row(&n.to_string(), &format!("row {n}"), "", "")).collect();
    board(&mut screen, Kind::Checkpoints, "f6", rows, "");
    for _ in 0..15 {
        screen.keys("pagedown");
    }
    for (width, height) in SIZES {
        assert!(screen.shows(width, height).contains("> row 150"), "{width}x{height}");
    }
}

#[test]
fn a_file_shows_its_chosen_line_and_marks_what_was_found() {
    let mut screen = Screen::new();
    let lines = (1..=100).map(|n| plain(&format!("line {n} of it"))).collect();
    let viewer = Viewer { title: "src/a.rs".into(), lines, is_numbered: true, at: 49, ..Viewer::default() };
    told(&mut screen, Told::File(Box::new(viewer)));
    for (width, height) in SIZES {
        let shown = screen.shows(width, height);
        assert!(shown.contains(">  50 line 50 of it") && shown.starts_with("src/a.rs  50 of 100"), "{shown}");
    }
    screen.keys("/ 9 9 enter");
    assert!(screen.shows(40, 12).contains(">  99 line 99 of it"));
    assert_eq!(screen.marked(80, 24), ["99"]);
}

#[test]
fn found_words_are_gone_to_one_by_one_round_the_end() {
    let mut screen = Screen::new();
    for n in 0..60 {
        let text = if n % 20 == 5 { format!("the **needle** is {n}") } else { format!("hay {n}") };
        screen.record(0, person(&text));
    }
    screen.rows(40, 12);
    screen.keys("f3 n e e d l e enter");
    let shown = |screen: &mut Screen| {
        let shown = screen.shows(40, 12);
        ["is 5", "is 25", "is 45"].into_iter().filter(|words| shown.contains(words)).collect::<Vec<_>>()
    };
    assert_eq!(shown(&mut screen), ["is 45"], "the last is nearest to where one is");
    assert_eq!(screen.marked(40, 12), ["needle", " more below (ctrl+end) "]);
    let mut seen = Vec::new();
    for key in ["N", "N", "N", "n", "n"] {
        screen.keys(key);
        seen.extend(shown(&mut screen));
    }
    assert_eq!(seen, ["is 25", "is 5", "is 45", "is 5", "is 25"]);
    screen.keys("esc");
    assert_eq!(screen.marked(40, 12), [" more below (ctrl+end) "]);
}

fn working(screen: &mut Screen) {
    let step = |step: &str, status| PlanStep { step: step.into(), status };
    let plan = Plan {
        steps: vec![
            step("look", StepStatus::Done),
            step("mend the parser", StepStatus::InProgress),
            step("test", StepStatus::Pending),
        ],
    };
    let call = |id: &str| CallId(id.into());
    screen.record(0, Event::TurnStarted { turn: 1 }).record(0, person("mend it"));
    screen.record(0, Event::PlanUpdated { plan });
    screen.record(
        0,
        Event::ToolFinished {
            call: call("a"),
            tool: "edit_file".into(),
            outcome: ToolOutcome::Ok { text: String::new() },
            summary: "+1 -1".into(),
            diffs: vec![change(&[(3, "old", "new")])],
            seen: Vec::new(),
            duration_ms: 1,
        },
    );
    let (tool, target) = ("shell".to_owned(), "make test".to_owned());
    let proposed =
        Event::ToolProposed { call: call("b"), tool: tool.clone(), target: target.clone(), actions: Vec::new() };
    screen.record(0, proposed).record(0, Event::ToolStarted { call: call("b"), tool, target });
    screen.record(0, Event::ToolOutput { call: call("b"), text: "compiling\n".into() });
    screen.state.update(Msg::Tick(3000));
}

#[test]
fn panels_stand_beside_the_conversation_where_there_is_room() {
    let mut screen = Screen::new();
    working(&mut screen);
    assert!(!screen.shows(120, 36).contains("files\n"), "the simplest level has none");
    screen.keys("f8");
    let shown = screen.shows(120, 36);
    for words in
        ["│ plan", "[>] mend the parser", "│ files", "a.txt  +1 -1", "│ running", "make test", "for 3.0s", "compiling"]
    {
        assert!(shown.contains(words), "{words} in\n{shown}");
    }
    for (width, height) in [(80, 24), (40, 12)] {
        assert!(!screen.shows(width, height).contains("│ plan"), "{width}x{height}");
    }
}

#[test]
fn the_server_and_the_records_are_for_those_who_want_them() {
    let mut screen = Screen::new();
    screen.keys("f8 f8");
    told(&mut screen, Told::Server(vec![plain("vLLM 0.6 at http://dgx:8000"), plain("queue  2 running, 1 waiting")]));
    screen.record(0, says("raw words"));
    let shown = screen.shows(120, 36);
    for words in ["│ server", "2 running, 1 waiting", "│ records", "\"text_delta\""] {
        assert!(shown.contains(words), "{words} in\n{shown}");
    }
}

#[test]
fn what_was_made_is_a_list_that_opens() {
    let mut screen = Screen::new();
    working(&mut screen);
    screen.keys("f4");
    for (width, height) in SIZES {
        let shown = screen.shows(width, height);
        assert!(shown.contains("> a.txt  file, +1 -1") && shown.contains("look  plan, 1 of 3 steps done"), "{shown}");
    }
    assert!(screen.shows(120, 36).contains("+new"), "the change stands beside it");
    screen.keys("down enter");
    assert!(screen.shows(80, 24).contains("[x] look"));
}

#[test]
fn what_runs_is_shown_with_the_end_of_what_it_printed() {
    let mut screen = Screen::new();
    working(&mut screen);
    screen.keys("f7");
    let shown = screen.shows(120, 36);
    for words in ["running (1)", "> make test  running for 3.0s", "$ make test", "compiling", "ctrl+k end it"] {
        assert!(shown.contains(words), "{words} in\n{shown}");
    }
}

#[test]
fn the_window_is_shown_part_by_part() {
    let mut screen = Screen::new();
    let rows = vec![
        row("part all", "window", "9000 of 32768 tokens, 27.5% #####", "80% came from the server's cache"),
        row("call c", "read_file {\"path\":\"a.rs\"}", "4000 tokens, 12.2% ##", ""),
    ];
    board(&mut screen, Kind::Context, "f5", rows, "text");
    screen.keys("down ctrl+x");
    let shown = screen.shows(80, 24).replace('\n', " ");
    for words in ["context (2)", "27.5% #####", "> read_file", "the server reads what follows it again"] {
        assert!(shown.contains(words), "{words} in\n{shown}");
    }
}

#[test]
fn the_users_own_line_takes_the_place_of_the_status_line() {
    let mut screen = Screen::new();
    screen.state.around.line = Some("mine \u{1b}[31m".into());
    let shown = screen.shows(80, 24);
    assert!(shown.ends_with("mine \\x1b[31m"), "{shown}");
}

#[test]
fn every_view_can_be_drawn_at_any_size_with_any_theme() {
    let sizes = [(1, 1), (2, 1), (1, 5), (3, 3), (7, 4), (20, 6), (99, 13), (100, 14), (101, 9), (400, 200)];
    for theme in ["dark", "light", "contrast", "none"] {
        for keys in ["f2", "f3 e enter", "f4", "f5", "f6", "f7", "f8", "f8 f8", "f4 enter"] {
            let mut screen = Screen::new();
            screen.wear(Theme::named(theme).unwrap());
            working(&mut screen);
            screen.record(0, says("日本語 and \u{5e9}\u{5dc}\u{5d5}\u{5dd}, e\u{301}"));
            screen.keys(keys);
            told(&mut screen, Told::Server(vec![plain(&"x".repeat(500)); 50]));
            for kind in [Kind::Sessions, Kind::Context, Kind::Checkpoints] {
                let rows = (0..9).map(|n| row(&n.to_string(), "日本語 label", &"y".repeat(300), "more")).collect();
                told(&mut screen, Told::Rows { kind, words: String::new(), rows });
                told(&mut screen, Told::Beside { kind, id: "0".into(), lines: vec![plain(&"z".repeat(900)); 90] });
            }
            for (width, height) in sizes {
                screen.rows(width, height);
            }
        }
    }
    assert!(level::LEVELS.iter().all(|(name, level, _)| level.name() == *name));
}

#[test]
fn the_status_line_says_what_matters_most_first_and_drops_the_rest_by_width() {
    let mut screen = Screen::new();
    screen.state.status.facts.branch = Some("main".into());
    screen.record(0, Event::TurnStarted { turn: 1 });
    let usage = Usage { input_tokens: 9000, output_tokens: 1000, cached_tokens: 4500 };
    let stats = Stats { decode_ms: Some(20_000), ..Stats::default() };
    let (model, context_tokens, window_tokens) = ("qwen3".to_owned(), 10_000, 20_000);
    screen.record(0, Event::Usage { usage, model, context_tokens, window_tokens, stats });
    let wait = Wait { ahead: Some(2), ..Wait::new(WaitState::Queued) };
    screen.record(0, Event::Waiting(wait));
    let line = |screen: &mut Screen, width| screen.rows(width, 24).pop().unwrap();
    assert_eq!(
        line(&mut screen, 160),
        "qwen3  ask  queued, 2 ahead  context 10k of 20k (50%)  sandbox full  cache 50%  50 tokens/s  main  10k tokens in all  dgx:8000"
    );
    assert_eq!(line(&mut screen, 80), "qwen3  ask  queued, 2 ahead  context 10k of 20k (50%)  sandbox full  cache 50%");
    assert_eq!(line(&mut screen, 40), "qwen3  ask  queued, 2 ahead  context 50%");
    for width in 1..200 {
        assert!(line(&mut screen, width).chars().count() <= usize::from(width));
    }
}
