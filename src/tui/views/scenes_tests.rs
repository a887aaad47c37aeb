//! Which views and states are there to be looked at?
//!
//! Each scene is a session written down: keys, records and answers, as they would come. `snapshots` draws them at every size.
//! To add one: a function and a row in [`SCENES`].

use super::tests::{Screen, change, person, says};
use crate::protocol::event::{Event, Phase, TurnEnd};
use crate::protocol::message::{CallId, Usage};
use crate::protocol::op::{Mode, Offer};
use crate::protocol::plan::{Plan, PlanStep, StepStatus};
use crate::protocol::tool::{Action, Question, ToolOutcome};
use crate::protocol::usage::Stats;
use crate::protocol::wait::{Wait, WaitState};
use crate::tui::diff_view::Spans;
use crate::tui::look::Look;
use crate::tui::state::around::Told;
use crate::tui::state::around::board::{Kind, Row};
use crate::tui::state::around::viewer::Viewer;
use crate::tui::state::choices::{Choice, Choices, Then};
use crate::tui::state::composer::Composer;
use crate::tui::state::message::Msg;
use crate::tui::state::outside::Given;

#[path = "scenes_review_tests.rs"]
mod review;

/// The name of a scene's file, and what brings it about.
pub(super) type Scene = (&'static str, fn(&mut Screen));

/// Every scene.
pub(super) const SCENES: &[Scene] = &[
    ("front", front),
    ("front-long-draft", long_draft),
    ("transcript", |screen| {
        transcript(screen);
    }),
    ("transcript-open", |screen| {
        transcript(screen).keys("ctrl+o");
    }),
    ("transcript-scrolled", scrolled),
    ("transcript-markdown", markdown),
    ("transcript-scripts", scripts),
    ("streaming", streaming),
    ("thinking", thinking),
    ("calls", calls),
    ("own-command", own_command),
    ("background", background),
    ("background-list", |screen| {
        background(screen);
        screen.keys("f7");
    }),
    ("ended-failed", ended_failed),
    ("ended-otherwise", ended_otherwise),
    ("waiting-queued", |screen| waiting(screen, Wait { ahead: Some(2), ..Wait::new(WaitState::Queued) })),
    ("waiting-prefill", |screen| {
        waiting(
            screen,
            Wait { read_tokens: Some(4000), prompt_tokens: Some(9000), ..Wait::new(WaitState::Prefilling) },
        );
    }),
    ("waiting-retry", retrying),
    ("status-full", status_full),
    ("status-own-line", |screen| screen.state.around.line = Some("main * 3 files, 12:30".into())),
    ("approval-command", |screen| approval(screen, "c", "make test", 1)),
    ("approval-long-command", |screen| approval(screen, "c", &"cat src/very/long/path/to/a/file.rs | ".repeat(9), 1)),
    ("approval-change", approval_change),
    ("approval-several", approvals),
    ("approval-list", |screen| {
        approvals(screen);
        screen.keys("alt+a");
    }),
    ("approval-reason", |screen| {
        approval(screen, "c", "make test", 1);
        screen.keys("r n o t space n o w");
    }),
    ("approval-too-soon", |screen| {
        approval(screen, "c", "make test", 1);
        screen.state.update(Msg::Tick(1100));
        screen.keys("y");
    }),
    ("pieces", pieces),
    ("pieces-reason", |screen| {
        pieces(screen);
        screen.keys("r w r o n g");
    }),
    ("question", question),
    ("queued", |screen| {
        queued(screen);
    }),
    ("queue", |screen| {
        queued(screen).keys("alt+q down");
    }),
    ("suggested", |screen| {
        suggested(screen);
    }),
    ("suggestions", |screen| {
        suggested(screen).keys("ctrl+space");
    }),
    ("rewind", |screen| {
        suggested(screen).keys("esc esc");
    }),
    ("rewind-what", |screen| {
        suggested(screen).keys("esc esc enter");
    }),
    ("composer-lines", |screen| {
        screen.keys("o n e ctrl+j t w o ctrl+j ctrl+j f o u r");
    }),
    ("composer-paste", |screen| {
        screen.state.update(Msg::Paste("a line of a log\n".repeat(120)));
    }),
    ("composer-files", files),
    ("composer-commands", |screen| {
        screen.keys("/ c o");
    }),
    ("composer-vim", |screen| {
        screen.state.composer = Composer::default().with_vim();
        screen.keys("o n e esc");
    }),
    ("history", |screen| {
        screen.state.composer = Composer::new(vec!["fix the parser".into(), "now the printer\nas well".into()], "");
        screen.keys("ctrl+r");
    }),
    ("leaving", |screen| {
        screen.keys("ctrl+c");
    }),
    ("yolo", |screen| {
        screen.keys("/ m o d e space y o l o enter");
    }),
    ("modes", |screen| {
        screen.keys("alt+m");
    }),
    ("models", models),
    ("palette", |screen| {
        screen.keys("ctrl+p");
    }),
    ("palette-narrowed", |screen| {
        screen.keys("ctrl+p u n d o");
    }),
    ("palette-nothing", |screen| {
        screen.keys("ctrl+p z q x");
    }),
    ("keys", |screen| {
        screen.keys("f1");
    }),
    ("commands", |screen| {
        screen.keys("/ h e l p enter");
    }),
    ("find-words", |screen| {
        transcript(screen).keys("f3 p a");
    }),
    ("find", |screen| {
        transcript(screen).keys("f3 p a g e enter");
    }),
    ("find-nothing", |screen| {
        transcript(screen).keys("f3 z z enter");
    }),
    ("sessions", |screen| {
        sessions(screen);
    }),
    ("sessions-typed", |screen| {
        sessions(screen).keys("p a g");
    }),
    ("sessions-loading", |screen| {
        screen.keys("f2");
    }),
    ("sessions-delete", |screen| {
        sessions(screen).keys("ctrl+x");
    }),
    ("sessions-name", |screen| {
        sessions(screen).keys("ctrl+r");
    }),
    ("sessions-export", |screen| {
        sessions(screen).keys("ctrl+e");
    }),
    ("artefacts", |screen| {
        working(screen).keys("f4");
    }),
    ("artefacts-none", |screen| {
        screen.keys("f4");
    }),
    ("context", context),
    ("checkpoints", checkpoints),
    ("checkpoints-question", |screen| {
        checkpoints(screen);
        screen.record(9, asks("c", "make test"));
    }),
    ("running", |screen| {
        working(screen).keys("f7");
    }),
    ("viewer", viewer),
    ("viewer-words", |screen| {
        viewer(screen);
        screen.keys("/ l i n e space 3");
    }),
    ("viewer-found", |screen| {
        viewer(screen);
        screen.keys("/ l i n e space 3 enter");
    }),
    ("level-advanced", |screen| {
        working(screen).keys("f8");
    }),
    ("level-expert", expert),
    ("review", review::plain),
    ("review-kinds", review::kinds),
    ("review-commit-waits", |screen| review::keys(screen, "C")),
    ("review-commit", review::worded),
    ("review-unified", |screen| review::keys(screen, "v")),
    ("review-beside", |screen| review::keys(screen, "v v")),
    ("review-files", |screen| review::keys(screen, "t")),
    ("review-decided", |screen| review::keys(screen, "y n")),
    ("review-comment", |screen| review::keys(screen, "c w h y")),
    ("review-commented", |screen| review::keys(screen, "c w h y enter")),
    ("review-reason", |screen| review::keys(screen, "r t o o space m u c h")),
    ("review-line", |screen| review::keys(screen, "j i")),
    ("review-search", |screen| review::keys(screen, "/ s i z e")),
    ("review-keys", |screen| review::keys(screen, "?")),
    ("review-sources", |screen| review::keys(screen, "o")),
    ("review-nothing", review::nothing),
    ("review-reading", review::reading),
    ("review-failed", review::failed),
    ("review-question", |screen| {
        review::plain(screen);
        screen.record(9, asks("c", "make test"));
    }),
];

/// Plays a scene.
pub(super) fn scene(name: &str) -> Screen {
    let mut screen = Screen::new();
    screen.state.status.facts.branch = Some("main".into());
    let (_, play) = SCENES.iter().find(|(known, _)| *known == name).unwrap();
    play(&mut screen);
    screen
}

fn call(name: &str) -> CallId {
    CallId(name.to_owned())
}

fn plain(text: &str) -> Spans {
    vec![(Look::Plain, text.to_owned())]
}

fn told(screen: &mut Screen, told: Told) {
    screen.state.update(Msg::Given(Given::Around(told)));
}

fn front(screen: &mut Screen) {
    screen.state.transcript.note(Look::Dim, "mimi 0.1.0; f1 lists the keys, /help the commands");
}

fn long_draft(screen: &mut Screen) {
    front(screen);
    screen.state.composer = Composer::new(Vec::new(), &"a thought that takes a good while to write down, ".repeat(6));
}

fn begin(screen: &mut Screen) -> &mut Screen {
    screen.record(0, Event::TurnStarted { turn: 1 });
    screen.record(0, person("the first page is empty; mend it, and say why it was"))
}

fn proposed(name: &str, tool: &str, target: &str) -> Event {
    Event::ToolProposed { call: call(name), tool: tool.into(), target: target.into(), actions: Vec::new() }
}

fn started(name: &str, tool: &str, target: &str) -> Event {
    Event::ToolStarted { call: call(name), tool: tool.into(), target: target.into() }
}

fn finished(name: &str, tool: &str, outcome: ToolOutcome, summary: &str) -> Event {
    let diffs = if tool == "edit_file" { vec![page_change()] } else { Vec::new() };
    let (summary, tool) = (summary.to_owned(), tool.to_owned());
    Event::ToolFinished { call: call(name), tool, outcome, summary, diffs, seen: Vec::new(), duration_ms: 40 }
}

fn ok() -> ToolOutcome {
    ToolOutcome::Ok { text: String::new() }
}

fn page_change() -> crate::protocol::diff::FileDiff {
    let mut diff = change(&[(
        13,
        "    let start = number * size;",
        "    let start = number.saturating_sub(1) * size; // pages count from one",
    )]);
    diff.path = "src/pages.rs".into();
    diff
}

fn plan() -> Plan {
    let step = |step: &str, status| PlanStep { step: step.into(), status };
    let steps = vec![
        step("find what counts from zero", StepStatus::Done),
        step("count pages from one", StepStatus::InProgress),
        step("run the tests", StepStatus::Pending),
    ];
    Plan { steps }
}

/// A command behind the turn, while the turn goes on.
fn background(screen: &mut Screen) {
    begin(screen).record(0, proposed("b", "shell", "make all")).record(0, started("b", "shell", "make all"));
    screen.record(900, Event::ToolOutput { call: call("b"), text: "compiling 3 of 40\n".into() });
    screen.record(1000, finished("b", "shell", ok(), "goes on in the background"));
    screen.record(1000, Event::Backgrounded { call: call("b"), behind: call("behind-1"), command: "make all".into() });
    screen.record(2000, says("It builds; meanwhile I read the tests."));
}

fn done(end: TurnEnd) -> Event {
    Event::TurnDone { turn: 1, end, steps: 1, usage: Usage::default(), refused: 0 }
}

/// One of everything that is said and done in a turn.
fn transcript(screen: &mut Screen) -> &mut Screen {
    begin(screen).record(100, Event::ReasoningDelta { text: "Pages count from one.\nSo page 1 is empty.".into() });
    let answer = "Pages count from **one** here, and `page` counts from zero.";
    screen.record(2100, says(answer));
    let whole = Event::AssistantMessage { text: answer.into(), reasoning: String::new(), tool_calls: Vec::new() };
    screen.record(2110, whole).record(2120, Event::PlanUpdated { plan: plan() });
    screen
        .record(2130, proposed("a", "read_file", "src/pages.rs"))
        .record(2140, finished("a", "read_file", ok(), "31 lines"));
    screen
        .record(2150, proposed("b", "edit_file", "src/pages.rs"))
        .record(2160, finished("b", "edit_file", ok(), "+1 -1"));
    screen.record(2170, says("The first page shows its lines now.")).record(2200, done(TurnEnd::Answered))
}

fn scrolled(screen: &mut Screen) {
    for n in 1..80 {
        screen.record(0, person(&format!("words {n}")));
    }
    screen.rows(120, 36);
    screen.keys("pageup pageup");
}

fn markdown(screen: &mut Screen) {
    let text = "# Pages\n\nThey count from *one*, see [the manual](https://example.org/pages):\n\n1. the first\n2. the second\n   - with a part\n\n\
                > said before\n\n| page | lines |\n|---|---:|\n| first | 20 |\n| second, which has a long name | 7 |\n\n\
                ```rust\nfn page(number: usize) -> usize {\n    number.saturating_sub(1)\n}\n```\n\nDone.";
    begin(screen).record(1, says(text)).record(2, done(TurnEnd::Answered));
}

fn scripts(screen: &mut Screen) {
    screen.record(0, person("日本語の長い文章がここにあります。行の終わりで折り返されるはずです。"));
    screen.record(0, says("e\u{301}tude, שלום עולם, 👩‍👩‍👧 and a\u{1b}[31mred\u{202e}"));
    screen.keys("日 本 é");
}

fn streaming(screen: &mut Screen) {
    begin(screen).record(10, Event::PhaseChanged { phase: Phase::Act });
    screen.record(20, says("It is the *start* that is wrong:\n\n```rust\nlet start = number"));
    screen.state.update(Msg::Tick(4000));
}

fn thinking(screen: &mut Screen) {
    begin(screen).record(10, Event::PhaseChanged { phase: Phase::Plan });
    screen.record(20, Event::ReasoningDelta { text: "What counts from zero?".into() });
    screen.state.update(Msg::Tick(4000));
}

fn calls(screen: &mut Screen) {
    begin(screen);
    let text = || "no".to_owned();
    let ends = [
        ("read_file", "src/pages.rs", ok(), "31 lines"),
        (
            "shell",
            "cargo test --workspace --all-features -- --nocapture",
            ToolOutcome::Failed { text: text() },
            "exit 101",
        ),
        ("shell", "rm -rf build", ToolOutcome::Denied { text: text(), rules: Vec::new() }, "refused by a rule"),
        ("shell", "sleep 600", ToolOutcome::TimedOut { text: text() }, "after 120 s"),
        ("shell", "make", ToolOutcome::Cancelled, "stopped"),
    ];
    for (n, (tool, target, outcome, summary)) in ends.into_iter().enumerate() {
        let name = n.to_string();
        screen.record(1, proposed(&name, tool, target)).record(2, finished(&name, tool, outcome, summary));
    }
    screen.record(3, proposed("p", "read_file", "src/lib.rs")).record(3, proposed("r", "shell", "make test"));
    screen.record(4, started("r", "shell", "make test"));
    screen.record(5, Event::ToolOutput { call: call("r"), text: "one\ntwo\nthree\nfour\n".into() });
    screen.state.update(Msg::Tick(3000));
}

fn own_command(screen: &mut Screen) {
    let (name, tool, target) = ("user-1-1", "shell", "git status --short");
    screen.record(0, proposed(name, tool, target)).record(0, started(name, tool, target));
    screen.record(1, Event::ToolOutput { call: call(name), text: " M src/pages.rs\n?? notes.txt\n".into() });
    screen.state.update(Msg::Tick(1500));
}

fn ended_failed(screen: &mut Screen) {
    let message = "cannot reach the server at http://dgx:8000/v1: connection refused".to_owned();
    let hints = vec!["is it running? mimi doctor".to_owned(), "another one: mimi chat --server NAME".to_owned()];
    begin(screen).record(5, done(TurnEnd::ModelFailed { message, hints }));
}

fn ended_otherwise(screen: &mut Screen) {
    let limit = "the limit of 50 steps is reached (agent.max_steps)".to_owned();
    for end in [TurnEnd::Interrupted, TurnEnd::Limit { what: limit }, TurnEnd::Stuck { tool: "shell".into() }] {
        begin(screen).record(5, done(end));
    }
    screen.record(6, Event::Warning { text: "the server cut the prompt".into() });
}

fn waiting(screen: &mut Screen, wait: Wait) {
    begin(screen).record(10, Event::Waiting(Wait { waited_ms: 12_000, ..wait }));
    screen.state.update(Msg::Tick(12_000));
}

fn retrying(screen: &mut Screen) {
    let error = "the server at http://dgx:8000/v1 closed the connection".to_owned();
    begin(screen).record(10, Event::Retrying { attempt: 2, max: 5, wait_ms: 8000, error });
}

fn status_full(screen: &mut Screen) {
    begin(screen);
    let usage = Usage { input_tokens: 29_000, output_tokens: 1000, cached_tokens: 14_500 };
    let stats = Stats { decode_ms: Some(20_000), ..Stats::default() };
    let (context_tokens, window_tokens) = (30_000, 32_768);
    screen.record(1, Event::Usage { usage, model: "qwen3".into(), context_tokens, window_tokens, stats });
    screen.record(1, Event::ModeChanged { mode: Mode::Yolo });
    screen.state.status.facts.tier = "none".into();
}

fn asks(name: &str, command: &str) -> Event {
    let preview = (command == "edit").then(|| {
        let mut diff = change(&[(3, "line 3", "line three"), (30, "line 30", "line thirty")]);
        diff.path = "src/pages.rs".into();
        Box::new(diff)
    });
    let (tool, target, always) = match preview {
        Some(_) => ("edit_file", "src/pages.rs", None),
        None => {
            let offer = Offer { rule: "shell:make *".into(), also: "every target of make".into() };
            ("shell", command, Some(offer))
        }
    };
    let actions = match tool {
        "shell" => vec![Action::Execute { command: target.to_owned(), cwd: Some("/p".into()) }],
        _ => Vec::new(),
    };
    let (tool, target, why) = (tool.to_owned(), target.to_owned(), "in the mode ask, this is asked for".to_owned());
    Event::ApprovalAsked { call: call(name), tool, target, actions, preview, more: Vec::new(), why, always }
}

fn approval(screen: &mut Screen, name: &str, command: &str, at_ms: u64) {
    begin(screen).record(at_ms, proposed(name, "shell", command)).record(at_ms + 1000, asks(name, command));
    screen.state.update(Msg::Tick(5000));
}

fn approval_change(screen: &mut Screen) {
    begin(screen).record(1, proposed("e", "edit_file", "src/pages.rs")).record(2, asks("e", "edit"));
    screen.state.update(Msg::Tick(5000));
}

fn approvals(screen: &mut Screen) {
    approval_change(screen);
    screen.record(3, asks("c", "make test")).record(4, asks("d", "make install"));
}

fn pieces(screen: &mut Screen) {
    approval_change(screen);
    screen.keys("h n");
}

fn question(screen: &mut Screen) {
    let options = vec!["from zero, as in the code".to_owned(), "from one, as in the manual".to_owned()];
    let question = Question { question: "From which number do pages count?".into(), options };
    begin(screen).record(1, Event::QuestionAsked { call: call("q"), question });
}

fn queued(screen: &mut Screen) -> &mut Screen {
    begin(screen);
    for words in ["t h e n space t e s t", "a n d space c o m m i t", "p u s h", "r e s t"] {
        screen.keys(words).keys("alt+enter");
    }
    screen
}

fn suggested(screen: &mut Screen) -> &mut Screen {
    begin(screen);
    screen.record(1, Event::Checkpointed { turn: 1, path: "a.rs".into(), before: None, after: None, mode: None });
    screen.record(2, done(TurnEnd::Answered));
    screen.state.update(Msg::Given(Given::Tests(Some("make test".to_owned()))));
    screen
}

fn files(screen: &mut Screen) {
    let files = ["src/", "src/pages.rs", "src/parse/reader.rs", "tests/pages.rs"].map(str::to_owned).to_vec();
    screen.state.update(Msg::Given(Given::Files(files)));
    screen.keys("s e e space @ p a");
}

fn models(screen: &mut Screen) {
    let row = |name: &str, meaning: &str| Choice::new(name, meaning, Then::Say(format!("/model {name}")));
    let rows = vec![
        row("qwen3", "on dgx:8000, 32768 tokens (now)"),
        row("llama-3.3-70b-instruct", "on dgx:8001, 131072 tokens"),
    ];
    screen.state.update(Msg::Given(Given::Choices(Choices::new("model", rows))));
}

fn row(id: &str, label: &str, meaning: &str, more: &str) -> Row {
    Row { id: id.into(), label: label.into(), meaning: meaning.into(), more: more.into() }
}

fn rows(screen: &mut Screen, kind: Kind, key: &str, rows: Vec<Row>, beside: &str) {
    screen.keys(key);
    let id = rows[0].id.clone();
    told(screen, Told::Rows { kind, words: String::new(), rows });
    told(screen, Told::Beside { kind, id, lines: beside.lines().map(plain).collect() });
}

fn sessions(screen: &mut Screen) -> &mut Screen {
    let all = vec![
        row("1", "the first page is empty; mend it, and say why it was", "2 h ago, 3 turns, qwen3", ""),
        row("2", "why is the page cache slow?", "3 d ago, 12 turns", "result: src/cache.rs:40: fn page(number: usize)"),
        row("3", "a name for the parser", "9 d ago, a copy, 1 turn", ""),
    ];
    rows(screen, Kind::Sessions, "f2", all, "> the first page is empty; mend it\nPages count from one here.");
    screen
}

fn context(screen: &mut Screen) {
    let all = vec![
        row("part all", "window", "9000 of 32768 tokens, 27.5% #####", "80% came from the server's cache"),
        row("part system", "system", "1200 tokens, 3.7% #", "how mimi tells the model to work"),
        row("call c", "read_file {\"path\":\"src/parse/reader.rs\"}", "4000 tokens, 12.2% ##", ""),
    ];
    rows(screen, Kind::Context, "f5", all, "what every request begins with stays the same");
    screen.keys("down down ctrl+x");
}

fn checkpoints(screen: &mut Screen) {
    let all = vec![
        row("b", "turn 2: edit_file src/pages.rs", "1 path, 2 min ago", ""),
        row("a", "turn 1: shell make format", "12 paths, 5 min ago", ""),
    ];
    rows(
        screen,
        Kind::Checkpoints,
        "f6",
        all,
        "~ src/pages.rs\n  13 -    let start = number * size;\n  13 +    let start = number;",
    );
    screen.keys("ctrl+r");
}

/// A turn in its middle: a plan, a change, a command that runs.
fn working(screen: &mut Screen) -> &mut Screen {
    begin(screen).record(0, Event::PlanUpdated { plan: plan() });
    screen.record(0, finished("a", "edit_file", ok(), "+1 -1"));
    screen.record(0, proposed("b", "shell", "make test")).record(0, started("b", "shell", "make test"));
    screen.record(0, Event::ToolOutput { call: call("b"), text: "compiling\nrunning 12 tests\n".into() });
    screen.state.update(Msg::Tick(3000));
    screen
}

fn expert(screen: &mut Screen) {
    working(screen).keys("f8 f8");
    told(screen, Told::Server(vec![plain("vLLM 0.6 at http://dgx:8000"), plain("queue  2 running, 1 waiting")]));
    screen.record(1, says("raw words"));
}

fn viewer(screen: &mut Screen) {
    let lines = (1..=100).map(|n| plain(&format!("line {n} of a file, some of which are rather longer than others")));
    let (title, lines) = ("src/pages.rs".to_owned(), lines.collect());
    told(screen, Told::File(Box::new(Viewer { title, lines, is_numbered: true, at: 49, ..Viewer::default() })));
}
