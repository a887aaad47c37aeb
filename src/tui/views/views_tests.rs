use super::*;
use crate::protocol::diff::{FileDiff, Hunk};
use crate::protocol::event::{Author, Event, Record};
use crate::protocol::message::CallId;
use crate::protocol::op::Offer;
use crate::tui::keymap::Keymap;
use crate::tui::state::composer::Composer;
use crate::tui::state::item::{VerbTable, Verbs};
use crate::tui::state::message::Msg;
use crate::tui::state::status::{Facts, Status};
use crate::tui::state::transcript::Transcript;
use proptest::prelude::*;

/// The keys that come along, read once.
static KEYMAP: std::sync::LazyLock<Keymap> = std::sync::LazyLock::new(|| Keymap::read(None).unwrap());

pub(super) struct Screen {
    pub(super) state: State,
    views: Views,
}

impl Screen {
    pub(super) fn new() -> Self {
        let verbs = [
            ("shell", ["Run", "Running", "Ran"]),
            ("read_file", ["Read", "Reading", "Read"]),
            ("edit_file", ["Edit", "Editing", "Edited"]),
        ];
        let verbs = verbs.map(|(name, [ask, doing, done])| {
            (name.to_owned(), Verbs { ask: ask.into(), doing: doing.into(), done: done.into() })
        });
        let verbs = VerbTable::from(verbs);
        let facts = Facts { model: "qwen3".into(), server: "dgx:8000".into(), tier: "full".into(), ..Facts::default() };
        let status = Status { facts, ..Status::default() };
        let state = State::new(Transcript::new(verbs), Composer::default(), status, KEYMAP.clone());
        Self { state, views: Views::new(Theme::without_colours()) }
    }

    pub(super) fn record(&mut self, at_ms: u64, event: Event) -> &mut Self {
        let record = Record { v: 1, seq: 0, at_ms, event };
        for cmd in self.state.update(Msg::Record(Box::new(record))) {
            if let crate::tui::state::message::Cmd::Scroll(by) = cmd {
                self.views.scroll(by, &self.state);
            }
        }
        self
    }

    pub(super) fn keys(&mut self, names: &str) -> &mut Self {
        for name in names.split(' ') {
            for cmd in self.state.update(Msg::Key(name.parse().unwrap())) {
                if let crate::tui::state::message::Cmd::Scroll(by) = cmd {
                    self.views.scroll(by, &self.state);
                }
            }
        }
        self
    }

    pub(super) fn rows(&mut self, width: u16, height: u16) -> Vec<String> {
        let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
        self.views.draw(&self.state, &mut buffer);
        (0..height).map(|y| row_of(&buffer, y)).collect()
    }

    /// Where the cursor stands.
    pub(super) fn cursor(&mut self, width: u16, height: u16) -> Option<(u16, u16)> {
        let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
        self.views.draw(&self.state, &mut buffer).map(|at| (at.x, at.y))
    }

    /// What is drawn in reverse, run by run.
    pub(super) fn marked(&mut self, width: u16, height: u16) -> Vec<String> {
        let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
        self.views.draw(&self.state, &mut buffer);
        let (mut runs, mut was_marked) = (Vec::new(), false);
        for cell in &buffer.content {
            let is_marked = cell.modifier.contains(ratatui_core::style::Modifier::REVERSED);
            match (is_marked, was_marked) {
                (true, false) => runs.push(cell.symbol().to_owned()),
                (true, true) => runs.last_mut().unwrap().push_str(cell.symbol()),
                _ => {}
            }
            was_marked = is_marked;
        }
        runs
    }

    pub(super) fn wear(&mut self, theme: Theme) {
        self.views.wear(theme);
    }

    pub(super) fn shows(&mut self, width: u16, height: u16) -> String {
        self.rows(width, height).join("\n").replace('\u{a0}', " ")
    }
}

/// What a row says; cells behind a wide sign are part of it.
fn row_of(buffer: &Buffer, y: u16) -> String {
    let (mut text, mut x) = (String::new(), 0);
    while let Some(cell) = buffer.cell((x, y)) {
        text.push_str(cell.symbol());
        x += u16::try_from(unicode_width::UnicodeWidthStr::width(cell.symbol()).max(1)).unwrap();
    }
    text.trim_end().to_owned()
}

pub(super) fn says(text: &str) -> Event {
    Event::TextDelta { text: text.to_owned() }
}

pub(super) fn person(text: &str) -> Event {
    Event::UserMessage { author: Author::User, text: text.to_owned() }
}

/// A change of some pieces, each with a line that goes and one that comes.
pub(super) fn change(pieces: &[(usize, &str, &str)]) -> FileDiff {
    let hunk = |(line, old, new): &(usize, &str, &str)| Hunk {
        id: line.to_string(),
        old_start: *line,
        old_lines: 1,
        new_start: *line,
        new_lines: 1,
        lines: vec![format!("-{old}"), format!("+{new}")],
        words: Vec::new(),
        left_out: 0,
        is_cut: false,
    };
    let hunks: Vec<Hunk> = pieces.iter().map(hunk).collect();
    FileDiff { path: "a.txt".into(), added: hunks.len(), removed: hunks.len(), hunks, ..FileDiff::default() }
}

fn asks(diff: Option<FileDiff>) -> Event {
    Event::ApprovalAsked {
        call: CallId("c".into()),
        tool: "shell".into(),
        target: "make test".into(),
        actions: Vec::new(),
        preview: diff.map(Box::new),
        more: Vec::new(),
        why: "commands are asked".into(),
        always: Some(Offer { rule: "shell:make test".into(), also: String::new() }),
    }
}

#[test]
fn a_conversation_stands_above_the_words_and_the_status_line() {
    let mut screen = Screen::new();
    screen.record(0, Event::TurnStarted { turn: 1 }).record(0, person("fix it"));
    screen.record(2000, says("I **will**.")).keys("o k");
    assert_eq!(
        screen.shows(40, 10),
        "> fix it\n\nI will.\n\n\n\n\n* analysing, 2.0s (esc stops)\nask> ok\nqwen3  ask  sandbox full  dgx:8000"
    );
}

#[test]
fn an_approval_names_what_runs_why_and_the_keys() {
    let mut screen = Screen::new();
    screen.record(0, Event::TurnStarted { turn: 1 }).record(0, person("fix it")).record(1, asks(None));
    let shown = screen.shows(60, 12);
    for expected in
        ["? Run make test", "commands are asked", "always: `shell:make test`, and nothing else", "y yes, once", "n no"]
    {
        assert!(shown.contains(expected), "{expected} in\n{shown}");
    }
    assert!(!shown.contains("piece by piece"), "{shown}");
}

#[test]
fn a_change_is_looked_at_piece_by_piece() {
    let diff = change(&[(3, "line 3", "line three"), (30, "line 30", "line thirty")]);
    let mut screen = Screen::new();
    screen.record(0, Event::TurnStarted { turn: 1 });
    screen.record(1, asks(Some(diff)));
    assert!(screen.shows(80, 40).contains("+line three"));
    screen.state.update(Msg::Tick(5000));
    screen.keys("h");
    let first = screen.shows(80, 24);
    assert!(first.contains("piece 1 of 2: a.txt") && first.contains("+line three"), "{first}");
    screen.keys("n");
    let second = screen.shows(80, 24);
    assert!(second.contains("piece 2 of 2") && second.contains("+line thirty"), "{second}");
    assert!(second.contains("2 pieces, 1 left, 1 open"), "{second}");
}

#[test]
fn scrolling_stays_where_it_is_while_more_comes_and_comes_back_to_the_end() {
    let mut screen = Screen::new();
    for n in 0..50 {
        screen.record(0, person(&format!("words {n}")));
    }
    assert!(screen.shows(40, 10).contains("words 49"));
    screen.keys("pageup pageup");
    let before = screen.rows(40, 10)[..6].to_vec();
    screen.record(0, person("more"));
    assert_eq!(screen.rows(40, 10)[..6], before[..]);
    screen.keys("ctrl+end");
    assert!(screen.shows(40, 10).contains("> more"));
    screen.keys("ctrl+home");
    assert_eq!(screen.rows(40, 10)[0], "> words 0");
    screen.keys("pagedown pagedown pagedown pagedown pagedown pagedown pagedown pagedown pagedown pagedown");
    screen.keys("pagedown pagedown pagedown pagedown pagedown pagedown pagedown pagedown pagedown pagedown");
    screen.record(0, person("last"));
    assert!(screen.shows(40, 10).contains("> last"), "at the end again, it stays there");
}

#[test]
fn details_are_folded_until_they_are_opened() {
    let mut screen = Screen::new();
    screen.record(0, Event::ReasoningDelta { text: "secret thoughts".into() }).record(3000, says("done"));
    assert!(screen.shows(40, 10).contains("thought for 3.0s"));
    assert!(!screen.shows(40, 10).contains("secret"));
    screen.keys("ctrl+o");
    assert!(screen.shows(40, 10).contains("│ secret thoughts"));
}

#[test]
fn what_is_offered_stands_right_above_the_words() {
    let files = ["src/", "src/calc.py", "src/cart.py"].map(str::to_owned).to_vec();
    for (width, height) in [(120, 36), (80, 24), (40, 12)] {
        let mut screen = Screen::new();
        screen.record(0, person("fix it"));
        screen.state.update(Msg::Given(crate::tui::state::outside::Given::Files(files.clone())));
        screen.keys("s e e space @ c a");
        let rows = screen.rows(width, height);
        let at = rows.iter().position(|row| row.starts_with("ask>")).unwrap();
        let above = rows[..at].iter().filter(|row| !row.starts_with('─')).rev().take(2);
        assert_eq!(above.collect::<Vec<_>>(), ["  src/cart.py", "> src/calc.py"], "{rows:#?}");
        screen.keys("down tab");
        assert!(screen.shows(width, height).contains("ask> see @src/cart.py"));
    }
}

#[test]
fn lists_show_what_is_chosen_and_how_it_is_called_at_any_width() {
    for (width, height) in [(120, 36), (80, 24), (40, 12)] {
        let mut screen = Screen::new();
        screen.keys("ctrl+p c o m p a c t");
        let shown = screen.shows(width, height);
        assert!(shown.contains("do (1): compact") && shown.contains("> /compact"), "{shown}");
        screen.keys("esc");
        screen.record(0, Event::TurnStarted { turn: 1 });
        screen.keys("o n e alt+enter t w o alt+enter alt+q");
        let shown = screen.shows(width, height);
        assert!(
            shown.contains("for later turns (2)") && shown.contains("> one") && shown.contains("d drop"),
            "{shown}"
        );
        screen.keys("J");
        assert!(screen.shows(width, height).contains("> one"), "it stays chosen where it went");
    }
}

#[test]
fn what_may_come_next_stands_above_the_words_until_something_is_written() {
    let mut screen = Screen::new();
    screen.record(0, Event::TurnStarted { turn: 1 });
    let event = Event::Checkpointed { turn: 1, path: "a.rs".into(), before: None, after: None, mode: None };
    screen.record(1, event);
    let end = crate::protocol::event::TurnEnd::Answered;
    screen.record(2, Event::TurnDone { turn: 1, end, steps: 1, usage: Default::default(), refused: 0 });
    let tests = crate::tui::state::outside::Given::Tests(Some("make test".to_owned()));
    screen.state.update(Msg::Given(tests));
    assert!(screen.shows(80, 24).contains("next:  alt+1 run the tests"), "{}", screen.shows(80, 24));
    screen.keys("x");
    assert!(!screen.shows(80, 24).contains("next:"));
}

#[test]
fn long_words_are_broken_and_the_cursor_follows() {
    let mut screen = Screen::new();
    screen.keys("x ".repeat(30).trim_end());
    let mut buffer = Buffer::empty(Rect::new(0, 0, 20, 10));
    let cursor = screen.views.draw(&screen.state, &mut buffer).unwrap();
    assert_eq!((cursor.x, cursor.y), (5, 8), "30 signs are two rows of 15, and the cursor stands behind them");
}

#[test]
fn hidden_characters_of_tools_and_models_are_shown() {
    let mut screen = Screen::new();
    screen.record(0, says("a\u{1b}[2Jb\u{202e}c")).record(0, asks(None));
    let shown = screen.shows(60, 12);
    assert!(shown.contains(r"a\x1b[2Jb\u{202e}c"), "{shown}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_size_can_be_drawn(width in 1u16..200, height in 1u16..60, details in any::<bool>()) {
        let mut screen = Screen::new();
        screen.state.shows_details = details;
        screen.record(0, Event::TurnStarted { turn: 1 }).record(0, person("fix it, please: 日本語"));
        screen.record(0, Event::ReasoningDelta { text: "hm".into() });
        screen.record(0, says("| a | b |\n|---|---|\n| 1 | 2 |\n\n- x\n  - y\n\n```\ncode\n```\n"));
        screen.rows(width, height);
        screen.record(1, asks(Some(change(&[(1, "one", "two")]))));
        screen.rows(width, height);
        screen.state.update(Msg::Tick(5000));
        screen.keys("h");
        screen.rows(width, height);
        screen.keys("q ctrl+p");
        screen.rows(width, height);
        screen.keys("esc f1");
        screen.rows(width, height);
    }
}
