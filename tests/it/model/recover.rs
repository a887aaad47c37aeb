//! Are the calls that servers leave in the words found, and are quoted, explained, wrong and broken ones left alone?
//!
//! The corpus stands in `tests/fixtures/recover/`: a line a case, written by hand. `kind` is what a recovery is counted
//! under, or for a trap why it is one. `content` is all that the reader sees.

use std::sync::{Arc, LazyLock};
use std::time::Instant;

use mimi::model::recover::trial::{Chunks, Outcome, play};
use mimi::model::{Finish, StreamEvent};
use mimi::protocol::tool::ToolSpec;
use mimi::tools::registry::Registry;
use proptest::prelude::*;
use serde::Deserialize;
use serde_json::{Value, json};

/// A case of the corpus.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    trap: bool,
    kind: String,
    tools: Value,
    finish: String,
    text: String,
    calls: Vec<Value>,
    content: String,
    #[serde(default)]
    reasoning: Option<String>,
    #[serde(skip)]
    file: String,
}

/// Fewest cases, as a promise of the project, and least share of recoverable calls that must be recovered.
const LEAST_CASES: usize = 300;
const LEAST_SHARE: f64 = 0.97;

fn folder() -> std::path::PathBuf {
    format!("{}/tests/fixtures/recover", env!("CARGO_MANIFEST_DIR")).into()
}

fn corpus() -> Vec<Case> {
    let mut cases = Vec::new();
    let files = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = files.filter(|path| path.extension().is_some_and(|end| end == "jsonl")).collect();
    files.sort();
    for path in files {
        let file = path.file_stem().unwrap().to_string_lossy().into_owned();
        for line in std::fs::read_to_string(&path).unwrap().lines() {
            let case: Case = serde_json::from_str(line).unwrap_or_else(|error| panic!("{file}: {error}: {line}"));
            cases.push(Case { file: file.clone(), ..case });
        }
    }
    cases
}

/// Returns the tools of a case: mimi's own, behind the door or not, or a set of `tools.json`.
pub fn tools(name: &Value) -> Arc<[ToolSpec]> {
    let spec = |value: &Value| ToolSpec {
        name: value.as_str().or_else(|| value["name"].as_str()).unwrap().to_owned(),
        description: String::new(),
        parameters: value.get("parameters").cloned().unwrap_or_else(|| json!({"type": "object", "properties": {}})),
    };
    static SETS: LazyLock<Value> =
        LazyLock::new(|| serde_json::from_str(&std::fs::read_to_string(folder().join("tools.json")).unwrap()).unwrap());
    static OWN: LazyLock<Registry> = LazyLock::new(Registry::new);
    match name.as_str() {
        Some("agent") => OWN.specs(usize::MAX),
        Some("door") => OWN.specs(0),
        Some(set) => SETS[set].as_array().unwrap_or_else(|| panic!("no set `{set}`")).iter().map(spec).collect(),
        None => name.as_array().unwrap().iter().map(spec).collect(),
    }
}

fn run(case: &Case, chunks: &Chunks) -> Outcome {
    let finish = if case.finish == "length" { Finish::Length } else { Finish::Stop };
    let mut events: Vec<StreamEvent> = case.reasoning.iter().cloned().map(StreamEvent::Reasoning).collect();
    events.extend(chunks.cut(&case.text).into_iter().map(|piece| StreamEvent::Text(piece.to_owned())));
    play(tools(&case.tools), events, finish)
}

fn calls(outcome: &Outcome) -> Vec<Value> {
    let call = |call: &mimi::protocol::message::ToolCall| {
        let arguments: Value = serde_json::from_str(&call.arguments).expect("arguments are JSON");
        json!({"name": call.name, "arguments": arguments})
    };
    outcome.answer.tool_calls.iter().map(call).collect()
}

/// Says how an outcome differs from what the case expects.
fn differences(case: &Case, outcome: &Outcome) -> Vec<String> {
    let mut found = Vec::new();
    if calls(outcome) != case.calls {
        found.push(format!("calls {:#?}, expected {:#?}, dropped {:#?}", calls(outcome), case.calls, outcome.dropped));
    }
    if outcome.answer.text != case.content {
        found.push(format!("content {:?}, expected {:?}", outcome.answer.text, case.content));
    }
    if outcome.shown.concat() != outcome.answer.text {
        found.push(format!("shown {:?}, kept {:?}", outcome.shown, outcome.answer.text));
    }
    if !case.trap && !outcome.answer.stats.recovered.contains_key(&case.kind) {
        found.push(format!("counted {:?}, expected {}", outcome.answer.stats.recovered, case.kind));
    }
    found
}

#[test]
fn the_corpus_is_recovered_and_every_trap_refused() {
    let cases = corpus();
    let (mut recovered, mut refused, mut wrong) = (0_usize, 0_usize, Vec::new());
    for case in &cases {
        let differences = differences(case, &run(case, &Chunks::Whole));
        if differences.is_empty() {
            *(if case.trap { &mut refused } else { &mut recovered }) += 1;
        } else {
            wrong.push(format!("{}: {}\n{}\n  {}", case.file, case.name, case.text, differences.join("\n  ")));
        }
    }
    let n_traps = cases.iter().filter(|case| case.trap).count();
    let n_good = cases.len() - n_traps;
    let share = recovered as f64 / n_good as f64;
    println!("corpus: {} cases; {recovered} of {n_good} recovered, {refused} of {n_traps} traps refused", cases.len());
    assert!(cases.len() >= LEAST_CASES && n_traps * 2 >= cases.len() - 1, "{} cases, {n_traps} traps", cases.len());
    assert!(refused == n_traps && share >= LEAST_SHARE && wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// What must be the same however the stream is cut. Pieces shown differ by nature; what they add up to does not.
fn essence(outcome: &Outcome) -> (Vec<Value>, String, String, Option<String>, String) {
    let answer = &outcome.answer;
    let counted = format!("{:?} {:?}", answer.stats.recovered, outcome.dropped);
    (calls(outcome), answer.text.clone(), outcome.shown.concat(), answer.cut_call.clone(), counted)
}

#[test]
fn letter_by_letter_gives_the_same() {
    for case in corpus() {
        let (whole, single) = (run(&case, &Chunks::Whole), run(&case, &Chunks::Each(1)));
        assert_eq!(essence(&single), essence(&whole), "{}: {}", case.file, case.name);
    }
}

#[test]
fn each_cut_in_two_gives_the_same() {
    for case in corpus() {
        let whole = essence(&run(&case, &Chunks::Whole));
        let length = case.text.chars().count();
        // Of long ones a part of the places, another in each.
        let step = length.div_ceil(60);
        for at in (1 + length % step.max(1)..length).step_by(step.max(1)) {
            let cut = run(&case, &Chunks::Sizes(vec![at]));
            assert_eq!(essence(&cut), whole, "{}: {} cut at {at}", case.file, case.name);
        }
    }
}

/// Pieces of which messages are made that mean a lot to somebody.
const WORDS: &[&str] = &[
    "<tool_call>",
    "</tool_call>",
    "<function=shell>",
    "<function=read_file>",
    "<function=none>",
    "</function>",
    "<parameter=command>",
    "<parameter=path>",
    "</parameter>",
    "\n",
    "\n\n",
    "```",
    "```json",
    "`",
    "> ",
    "    ",
    "- ",
    "{\"name\": \"shell\", \"arguments\": {\"command\": \"ls\"}}",
    "{\"name\": \"",
    "\"}",
    "}",
    "{",
    "[",
    "]",
    "[TOOL_CALLS]",
    "shell",
    "(command='x')",
    "words ",
    "for example:",
    "<think>",
    "</think>",
    "<example>",
    "</example>",
    "é",
    "|",
    "<",
    "/",
    "<|python_tag|>",
    "<｜tool▁call▁begin｜>",
    "function",
    "<｜tool▁sep｜>",
    "<invoke name=\"shell\">",
    "\r\n",
    "<arg_key>",
    "path",
    "</arg_key>",
    "<arg_value>",
    "</arg_value>",
    "commentary to=functions.shell ",
    "functions.shell:0",
    ";",
    "x",
];

/// A message of no family, of which only the cut is of interest.
fn message(text: &str, finish: &str) -> Case {
    Case {
        name: String::new(),
        trap: true,
        kind: String::new(),
        tools: json!("agent"),
        finish: finish.to_owned(),
        text: text.to_owned(),
        calls: Vec::new(),
        content: String::new(),
        reasoning: None,
        file: String::new(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_cut_gives_the_same(n in 0_usize..10_000, sizes in prop::collection::vec(0_usize..12, 0..60)) {
        let cases = corpus();
        let case = &cases[n % cases.len()];
        let whole = essence(&run(case, &Chunks::Whole));
        prop_assert_eq!(essence(&run(case, &Chunks::Sizes(sizes))), whole);
    }

    #[test]
    fn any_message_is_cut_any_way_with_the_same_result(
        words in prop::collection::vec(prop::sample::select(WORDS), 0..40),
        sizes in prop::collection::vec(0_usize..9, 0..80),
        is_cut in any::<bool>(),
    ) {
        let finish = if is_cut { "length" } else { "stop" };
        let case = message(&words.concat(), finish);
        let whole = essence(&run(&case, &Chunks::Whole));
        prop_assert_eq!(&essence(&run(&case, &Chunks::Each(1))), &whole);
        prop_assert_eq!(essence(&run(&case, &Chunks::Sizes(sizes))), whole);
    }

    /// Words without any mark pass unchanged.
    #[test]
    fn words_without_marks_are_untouched(text in "[a-zA-Z0-9 .,:!?\n\r\té日-]{0,200}") {
        let case = message(&text, "stop");
        let outcome = run(&case, &Chunks::Each(3));
        prop_assert_eq!(&outcome.answer.text, &case.text);
    }
}

/// The beginning of a mark may be a call by itself, which it is not everywhere.
#[test]
fn a_mark_is_waited_for_also_where_its_beginning_says_nothing() {
    for text in [
        "x{\n[TOOL_CALLS]<function=shell>",
        "{\n[TOOL_CALLS][{\"name\": \"shell\", \"arguments\": {\"command\": \"ls\"}}]",
        "x{\n[TOOL",
        "x{\n[1, 2]\n",
    ] {
        let case = message(text, "stop");
        let whole = essence(&run(&case, &Chunks::Whole));
        for size in [1, 2, 3, 5] {
            assert_eq!(essence(&run(&case, &Chunks::Each(size))), whole, "{text}");
        }
    }
}

#[test]
fn a_name_of_any_length_is_judged_alike_however_it_arrives() {
    for n in [1, 126, 127, 128, 129, 130, 300] {
        let name = "n".repeat(n);
        for text in [
            format!("<tool_call>{{\"name\": \"{name}\", \"arguments\": {{}}}}</tool_call>"),
            format!("<tool_call><function={name}></function></tool_call>"),
            format!("<tool_call>[{name}(a=1)]</tool_call>"),
            format!("<tool_call>{name}</tool_call>"),
        ] {
            let case = message(&text, "stop");
            let whole = essence(&run(&case, &Chunks::Whole));
            assert_eq!(essence(&run(&case, &Chunks::Each(1))), whole, "{n}: {}", case.text);
        }
    }
}

#[test]
fn words_are_shown_as_they_come() {
    let text = "I read the file and found the bug:\n\n- `start` is one too large\n- a < b is wrong\n\n```rust\nfn f() {}\n```\nDone";
    let case = message(text, "stop");
    let request_pieces = Chunks::Each(4).cut(text).len();
    let outcome = run(&case, &Chunks::Each(4));
    assert!(outcome.shown.len() * 4 >= request_pieces * 3, "{} of {request_pieces} pieces", outcome.shown.len());
}

#[test]
fn a_long_call_is_read_in_time_that_grows_with_its_length() {
    let body = "    println!(\"{}\", a < b && c > d); // </p> { } [ ]\n".repeat(4_000);
    let call = json!({"name": "write_file", "arguments": {"path": "a.rs", "content": body}});
    let texts = [
        format!(
            "<function=write_file>\n<parameter=path>\na.rs\n</parameter>\n<parameter=content>\n{body}\n</parameter>\n</function>"
        ),
        call.to_string(),
        format!("{{\"arguments\": {}, \"name\": \"write_file\"}}", call["arguments"]),
    ];
    for text in texts {
        let started = Instant::now();
        let events = Chunks::Each(5).cut(&text).into_iter().map(|piece| StreamEvent::Text(piece.to_owned()));
        let outcome = play(tools(&json!("agent")), events.collect(), Finish::Stop);
        println!("{} bytes in pieces of 5: {:?}", text.len(), started.elapsed());
        assert_eq!(calls(&outcome)[0]["arguments"]["content"].as_str().map(str::len), Some(body.len()));
    }
}
