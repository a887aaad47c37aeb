//! Are the screens in README what is drawn today?
//!
//! The real views over the real state, fed with a session that is written down here; `MIMI_UPDATE=1` (or `cargo regen`) writes them
//! anew between their marks. To add one: a row in [`SCREENS`] and `<!-- screen NAME -->`, `<!-- end -->` in README.

use std::path::PathBuf;

use mimi::protocol::diff::{FileDiff, Hunk};
use mimi::protocol::event::{Author, Event, Record};
use mimi::protocol::message::{CallId, Usage};
use mimi::protocol::op::Offer;
use mimi::protocol::plan::{Plan, PlanStep, StepStatus};
use mimi::protocol::tool::ToolOutcome;
use mimi::protocol::usage::Stats;
use mimi::tui::keymap::Keymap;
use mimi::tui::look::{Look, Theme};
use mimi::tui::state::State;
use mimi::tui::state::around::Told;
use mimi::tui::state::around::board::{Kind, Row};
use mimi::tui::state::composer::Composer;
use mimi::tui::state::item::{VerbTable, Verbs};
use mimi::tui::state::message::Msg;
use mimi::tui::state::outside::Given;
use mimi::tui::state::status::{Facts, Status};
use mimi::tui::state::transcript::Transcript;
use mimi::tui::views::Views;
use ratatui_core::buffer::Buffer;
use ratatui_core::layout::Rect;

/// Every screen: its name, its size, and how it comes about.
const SCREENS: &[Shown] = &[
    Shown { name: "panels", size: (120, 24), build: panels },
    Shown { name: "approval", size: (80, 20), build: approval },
    Shown { name: "sessions", size: (120, 12), build: sessions },
];

/// A screen that is shown.
struct Shown {
    name: &'static str,
    size: (u16, u16),
    build: fn(&mut Scene),
}

struct Scene {
    state: State,
    now_ms: u64,
}

impl Scene {
    fn new() -> Self {
        let verbs = [
            ("shell", ["Run", "Running", "Ran"]),
            ("read_file", ["Read", "Reading", "Read"]),
            ("edit_file", ["Edit", "Editing", "Edited"]),
        ];
        let verbs = verbs.map(|(name, [ask, doing, done])| {
            (name.to_owned(), Verbs { ask: ask.into(), doing: doing.into(), done: done.into() })
        });
        let facts = Facts {
            model: "qwen3-coder:30b".into(),
            server: "http://dgx:8000".into(),
            tier: "full".into(),
            branch: Some("main".into()),
            session: "0198".into(),
        };
        let status = Status { facts, ..Status::default() };
        let transcript = Transcript::new(VerbTable::from(verbs));
        let state = State::new(transcript, Composer::default(), status, Keymap::read(None).unwrap());
        Self { state, now_ms: 0 }
    }

    fn after(&mut self, ms: u64, event: Event) -> &mut Self {
        self.now_ms += ms;
        let record = Record { v: 1, seq: 1, at_ms: self.now_ms, event };
        self.state.update(Msg::Record(Box::new(record)));
        self
    }

    fn key(&mut self, name: &str) -> &mut Self {
        self.state.update(Msg::Key(name.parse().unwrap()));
        self
    }

    fn told(&mut self, told: Told) {
        self.state.update(Msg::Given(Given::Around(told)));
    }

    fn drawn(&mut self, (width, height): (u16, u16)) -> String {
        let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
        Views::new(Theme::without_colours()).draw(&self.state, &mut buffer);
        let row = |y| {
            let cells = (0..width).map(|x| buffer[(x, y)].symbol());
            cells.collect::<String>().replace('\u{a0}', " ").trim_end().to_owned()
        };
        (0..height).map(row).collect::<Vec<_>>().join("\n")
    }
}

fn call(name: &str) -> CallId {
    CallId(name.to_owned())
}

fn finished(name: &str, tool: &str, summary: &str, diffs: Vec<FileDiff>) -> Event {
    let (outcome, seen, duration_ms) = (ToolOutcome::Ok { text: String::new() }, Vec::new(), 40);
    Event::ToolFinished {
        call: call(name),
        tool: tool.into(),
        outcome,
        summary: summary.into(),
        diffs,
        seen,
        duration_ms,
    }
}

fn proposed(name: &str, tool: &str, target: &str) -> Event {
    Event::ToolProposed { call: call(name), tool: tool.into(), target: target.into(), actions: Vec::new() }
}

fn change() -> FileDiff {
    let line = |text: &str| text.to_owned();
    let hunk = Hunk {
        id: "1".into(),
        old_start: 12,
        old_lines: 3,
        new_start: 12,
        new_lines: 3,
        lines: vec![
            line(" pub fn page(number: usize, size: usize) -> Range<usize> {"),
            line("-    let start = number * size;"),
            line("+    let start = number.saturating_sub(1) * size;"),
            line("     start..start + size"),
        ],
        words: Vec::new(),
        left_out: 0,
        is_cut: false,
    };
    FileDiff { path: "src/pages.rs".into(), added: 1, removed: 1, hunks: vec![hunk], ..FileDiff::default() }
}

fn plan() -> Plan {
    let step = |step: &str, status| PlanStep { step: step.into(), status };
    Plan {
        steps: vec![
            step("find what counts from zero", StepStatus::Done),
            step("count pages from one", StepStatus::InProgress),
            step("run the tests", StepStatus::Pending),
        ],
    }
}

/// What every scene begins with.
fn begin(scene: &mut Scene) {
    let said = Event::UserMessage { author: Author::User, text: "the first page is empty; mend it".into() };
    scene.after(0, Event::TurnStarted { turn: 1 }).after(0, said);
    scene.after(100, Event::ReasoningDelta { text: "Pages count from one.".into() });
    scene.after(2100, Event::TextDelta { text: "Pages count from **one** here, `page` counts from zero.".into() });
    let answer = "Pages count from **one** here, `page` counts from zero.".to_owned();
    scene.after(10, Event::AssistantMessage { text: answer, reasoning: String::new(), tool_calls: Vec::new() });
    let usage = Usage { input_tokens: 9200, output_tokens: 340, cached_tokens: 7900 };
    let stats = Stats { decode_ms: Some(4500), ..Stats::default() };
    let (context_tokens, window_tokens) = (9540, 65_536);
    scene.after(0, Event::Usage { usage, model: "qwen3-coder:30b".into(), context_tokens, window_tokens, stats });
}

fn panels(scene: &mut Scene) {
    begin(scene);
    scene.key("f8").after(0, Event::PlanUpdated { plan: plan() });
    scene
        .after(0, proposed("a", "read_file", "src/pages.rs"))
        .after(40, finished("a", "read_file", "31 lines", vec![]));
    scene.after(0, proposed("b", "edit_file", "src/pages.rs"));
    scene.after(40, finished("b", "edit_file", "+1 -1", vec![change()]));
    scene.after(0, proposed("c", "shell", "cargo test --quiet"));
    scene.after(0, Event::ToolStarted { call: call("c"), tool: "shell".into(), target: "cargo test --quiet".into() });
    scene.after(1900, Event::ToolOutput { call: call("c"), text: "running 3 tests\n".into() });
    scene.state.hint = None;
}

fn approval(scene: &mut Scene) {
    begin(scene);
    scene.after(
        0,
        Event::ApprovalAsked {
            call: call("b"),
            tool: "edit_file".into(),
            target: "src/pages.rs".into(),
            actions: Vec::new(),
            preview: Some(Box::new(change())),
            more: Vec::new(),
            why: "in the mode ask, changes are asked for".into(),
            always: Some(Offer { rule: "write:src/**".into(), also: "every file below src".into() }),
        },
    );
}

fn sessions(scene: &mut Scene) {
    let row = |id: &str, label: &str, meaning: &str, more: &str| Row {
        id: id.into(),
        label: label.into(),
        meaning: meaning.into(),
        more: more.into(),
    };
    let rows = vec![
        row("1", "the first page is empty; mend it", "2 h ago, 3 turns", "answer: `page` counts from zero"),
        row("2", "why is the page cache slow?", "3 d ago, 12 turns", "result: src/cache.rs:40: fn page(...)"),
    ];
    scene.key("f2").key("p").key("a").key("g").key("e");
    scene.told(Told::Rows { kind: Kind::Sessions, words: "page".into(), rows });
    let said = ["> the first page is empty; mend it", "Pages count from one here, `page` counts from zero."];
    let lines = said.map(|line| vec![(Look::Plain, line.to_owned())]).to_vec();
    scene.told(Told::Beside { kind: Kind::Sessions, id: "1".into(), lines });
}

#[test]
fn generated_screens_in_readme_are_what_is_drawn() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = std::fs::read_to_string(&path).unwrap();
    let mut current = readme.clone();
    for Shown { name, size, build } in SCREENS {
        let mut scene = Scene::new();
        build(&mut scene);
        let (begin, end) = (format!("<!-- screen {name} -->\n"), "<!-- end -->");
        let from = current.find(&begin).unwrap_or_else(|| panic!("README has no place for `{name}`")) + begin.len();
        let to = from + current[from..].find(end).unwrap();
        current.replace_range(from..to, &format!("```text\n{}\n```\n", scene.drawn(*size)));
    }
    if std::env::var_os("MIMI_UPDATE").is_some() {
        std::fs::write(&path, current).unwrap();
    } else {
        assert_eq!(readme, current, "README.md shows other screens; run: cargo regen");
    }
}
