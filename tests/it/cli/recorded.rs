//! Does the main job, and every odd answer on its way, come to its end with what real servers sent?
//!
//! A server gives the n-th request the n-th recording; the program is the real one, and so are the project and its check. The
//! `python3` that runs the check is a stand-in that knows this one project and writes down each run.

use std::os::unix::fs::PermissionsExt as _;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

use crate::support::prefix;
use crate::support::wire::WireServer;
use crate::support::{Env, Outcome};

const CHECK: &str = "python3 test_calc.py";
const BROKEN: &str = "def add(a, b):\n    return a - b\n";
const MENDED: &str = "def add(a, b):\n    return a + b\n";
const ANSWER: &str = "Fixed `calc.py:2`: `add` subtracted, now it adds. The tests pass.";

/// Marks of calls that a person must never see raw.
const MARKUP: &[&str] = &["<function", "<parameter", "</function", "tool_call>", "\"arguments\""];

const PYTHON: &str = "#!/bin/bash
echo \"$*\" >> runs
grep -q 'return a + b' calc.py && echo OK && exit
echo 'AssertionError: -1 != 5'
exit 1
";

/// A server of one kind and the user who works with it.
struct Stage {
    env: Env,
    server: WireServer,
}

fn fixture(server: &str, file: &str) -> Vec<u8> {
    let path = format!("{}/tests/fixtures/wire/recorded/{server}/{file}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

impl Stage {
    /// Answers the n-th request with the n-th of `answers`.
    fn new(server: &'static str, answers: &[&str]) -> Self {
        let streams: Vec<Vec<u8>> = answers.iter().map(|name| fixture(server, &format!("{name}.sse"))).collect();
        let asked = AtomicUsize::new(0);
        let server = WireServer::serve(move |request, out| match request.path.as_str() {
            "/v1/models" => out.whole(200, "application/json", &fixture(server, "get_v1_models.json")),
            "/v1/chat/completions" => match streams.get(asked.fetch_add(1, Ordering::SeqCst)) {
                Some(stream) => {
                    out.begin_events();
                    stream.chunks(61).for_each(|piece| out.chunk(piece));
                    out.end();
                }
                None => out.whole(400, "application/json", b"{\"error\": \"the recording is over\"}"),
            },
            _ => out.with_headers(404, &[], b""),
        });
        let mut env = Env::new();
        let python = env.write_home("bin/python3", PYTHON);
        std::fs::set_permissions(python, std::fs::Permissions::from_mode(0o755)).unwrap();
        let path = format!("{}:{}", env.home().join("bin").display(), std::env::var("PATH").unwrap());
        env.set("PATH", path).set("MIMI_SERVER_URL", server.url());
        env.write("calc.py", BROKEN);
        env.write("test_calc.py", "from calc import add\n\nassert add(2, 3) == 5\n");
        Self { env, server }
    }

    fn fix(&self) -> Outcome {
        self.env.run(["fix", "--test", CHECK]).outcome()
    }

    /// Runs a task that may do whatever the recordings ask for.
    fn run(&self) -> Outcome {
        let rules = ["--mode", "auto", "--allow", "shell:touch EXECUTED", "--allow", &format!("shell:{CHECK}")];
        self.env.run(["run", "Fix the bug in calc.py."].iter().chain(&rules).copied()).outcome()
    }

    /// How often the check was run.
    fn n_checks(&self) -> usize {
        std::fs::read_to_string(self.env.work().join("runs")).unwrap_or_default().lines().count()
    }

    /// The messages of the last request.
    fn history(&self) -> Vec<Value> {
        self.server.requests().last().unwrap()["messages"].as_array().unwrap().clone()
    }

    /// Names of the calls in the history, in their order.
    fn calls(&self) -> Vec<String> {
        let history = self.history();
        let calls = history.iter().filter_map(|message| message["tool_calls"].as_array()).flatten();
        calls.map(|call| call["function"]["name"].as_str().unwrap().to_owned()).collect()
    }

    /// Fails when a call stands in the words somewhere: on the screen, or where the model would learn to write it so.
    #[track_caller]
    fn assert_no_markup(&self, name: &str, outcome: &Outcome) {
        for mark in MARKUP {
            assert!(!outcome.stdout.contains(mark) && !outcome.stderr.contains(mark), "{name}: {mark} in\n{outcome}");
            for message in self.history().iter().filter(|message| message["role"] == "assistant") {
                assert!(!message["content"].as_str().unwrap_or_default().contains(mark), "{name}: {mark} in {message}");
            }
        }
        prefix::check(&self.server.raw_requests());
    }
}

/// Server, what happens in it, and the answers.
const JOBS: &[(&str, &str, [&str; 4])] = &[
    ("vllm", "calls as they should be", ["fix_ok_0", "fix_ok_1", "fix_ok_2", "fix_ok_3"]),
    ("llamacpp", "calls as they should be", ["fix_ok_0", "fix_ok_1", "fix_ok_2", "fix_ok_3"]),
    ("llamacpp", "openers lost, the server made up for it", ["fix_leak_0", "fix_leak_1", "fix_leak_2", "fix_ok_3"]),
    ("llamacpp", "nothing but calls", ["fix_leak_only_0", "fix_leak_only_1", "fix_leak_only_2", "fix_ok_3"]),
];

/// The same where the calls come as words.
const LEAKED: &[(&str, &str, [&str; 4])] = &[
    ("vllm", "two openers lost", ["fix_leak_0", "fix_leak_1", "fix_leak_2", "fix_ok_3"]),
    ("vllm", "openers lost, no other words", ["fix_leak_only_0", "fix_leak_only_1", "fix_leak_only_2", "fix_ok_3"]),
    ("vllm", "naked JSON", ["fix_leak_json_0", "fix_leak_json_1", "fix_leak_json_2", "fix_ok_3"]),
    ("vllm", "JSON that lost its opener", ["fix_hermes_0", "fix_hermes_1", "fix_hermes_2", "fix_ok_3"]),
    (
        "vllm",
        "another model's parser",
        ["wrongparser_fix_ok_0", "wrongparser_fix_ok_1", "wrongparser_fix_ok_2", "fix_ok_3"],
    ),
    ("llamacpp", "naked JSON", ["fix_leak_json_0", "fix_leak_json_1", "fix_leak_json_2", "fix_ok_3"]),
];

#[test]
fn fix_runs_to_its_end() {
    for (server, name, answers) in JOBS.iter().chain(LEAKED) {
        let (stage, name) = (Stage::new(server, answers), format!("{server}, {name}"));
        let outcome = stage.fix();
        let expected = format!("fixed in 1 round: `{CHECK}` passes\n\n{ANSWER}\n");
        assert_eq!((outcome.code, &outcome.stdout), (0, &expected), "{name}:\n{outcome}");
        assert_eq!(stage.env.read("calc.py"), MENDED, "{name}");
        // Twice before, by the agent, and after.
        assert_eq!(stage.n_checks(), 4, "{name}:\n{outcome}");
        assert_eq!(stage.calls(), ["read_file", "edit_file", "shell"], "{name}");
        stage.assert_no_markup(&name, &outcome);
    }
}

#[test]
fn run_does_it_too_and_prints_the_words_alone() {
    for (server, name, answers) in JOBS.iter().chain(LEAKED) {
        let (stage, name) = (Stage::new(server, answers), format!("{server}, {name}"));
        let outcome = stage.run();
        assert_eq!(outcome.code, 0, "{name}:\n{outcome}");
        assert!(outcome.stdout.ends_with(&format!("{ANSWER}\n")), "{name}:\n{outcome}");
        assert_eq!((stage.env.read("calc.py").as_str(), stage.n_checks()), (MENDED, 1), "{name}");
        stage.assert_no_markup(&name, &outcome);
    }
}

#[test]
fn two_calls_of_one_answer_are_both_done() {
    for server in ["vllm", "llamacpp"] {
        let stage = Stage::new(server, &["two_calls_0", "two_calls_1"]);
        let outcome = stage.run().success();
        assert!(outcome.stdout.ends_with("I have read both files.\n"), "{server}:\n{outcome}");
        assert_eq!(stage.calls(), ["read_file", "read_file"], "{server}");
    }
}

#[test]
fn thoughts_are_no_words() {
    let table: [(&str, &[&str]); 4] = [
        ("vllm", &["reasoning_0", "reasoning_1"]),
        ("llamacpp", &["reasoning_0", "reasoning_1"]),
        ("vllm", &["wrongparser_reasoning_0", "reasoning_1"]),
        ("llamacpp", &["think_reasoning_hermes_0", "reasoning_1"]),
    ];
    for (server, answers) in table {
        let stage = Stage::new(server, answers);
        let outcome = stage.run().success();
        assert_eq!(outcome.stdout, "`add` in `calc.py:2` subtracts instead of adding.\n", "{answers:?}:\n{outcome}");
        assert_eq!(stage.calls(), ["read_file"], "{answers:?}");
    }
}

#[test]
fn an_answer_that_holds_nothing_is_asked_for_once_more() {
    // It cost 25 tokens, so that a call got lost; thoughts are no call.
    let (lost, empty) = ("nothing of them arrived", "Your answer was empty");
    let table: [(&str, &[&str], &str, &str); 4] = [
        ("vllm", &["empty_0", "empty_1"], lost, "Here is the answer after all.\n"),
        ("llamacpp", &["empty_0", "empty_1"], lost, "Here is the answer after all.\n"),
        ("llamacpp", &["think_empty_0", "empty_1"], lost, "Here is the answer after all.\n"),
        ("vllm", &["reasoning_only_0", "reasoning_only_1"], empty, "Now an answer.\n"),
    ];
    for (server, answers, note, expected) in table {
        let stage = Stage::new(server, answers);
        assert_eq!(stage.run().success().stdout, expected, "{server} {answers:?}");
        let history = stage.history();
        assert!(history.last().unwrap()["content"].as_str().unwrap().contains(note), "{answers:?}: {history:?}");
    }
}

#[test]
fn a_cut_answer_goes_on_where_it_stopped() {
    let table = [("vllm", "the middle, and now it is whole.\n"), ("llamacpp", "It is whole now.\n")];
    for (server, end) in table {
        let stage = Stage::new(server, &["cut_text_0", "cut_text_1"]);
        let outcome = stage.run().success();
        assert!(outcome.stdout.replace("mid\ndle", "middle").ends_with(end), "{server}:\n{outcome}");
        assert!(stage.history().last().unwrap()["content"].as_str().unwrap().contains("cut off"), "{server}");
    }
}

#[test]
fn a_failure_in_the_middle_is_tried_again_with_the_same_bytes() {
    for (first, second) in [("err_once_a_0", "err_once_b_0"), ("abort_0", "plain_0"), ("rep_0", "plain_0")] {
        let stage = Stage::new("vllm", &[first, second]);
        let outcome = stage.run().success();
        let said = if second == "plain_0" { "Hello from" } else { "The second try went through." };
        assert!(outcome.stdout.contains(said), "{first}:\n{outcome}");
        let requests = stage.server.raw_requests();
        assert_eq!((requests.len(), &requests[0] == requests.last().unwrap()), (2, true), "{first}");
    }
    let stage = Stage::new("vllm", &["err_0", "err_0"]);
    let outcome = stage.env.run(["run", "x", "--set", "model.max_retries=1"]).outcome().fails_with(4);
    assert!(outcome.stderr.contains("Internal server error"), "{outcome}");
}

#[test]
fn a_tool_that_is_not_there_is_answered_with_those_that_are() {
    let stage = Stage::new("vllm", &["unk_0", "plain_0"]);
    stage.run().success();
    let told = stage.history().last().unwrap()["content"].as_str().unwrap().to_owned();
    assert!(told.contains("`nonexistent`") && told.contains("read_file") && told.contains("shell"), "{told}");
}

#[test]
fn a_call_that_was_cut_off_is_never_run() {
    let table = [("vllm", "cut_0"), ("vllm", "cut_leak_0"), ("llamacpp", "cut_0")];
    for (server, first) in table {
        let stage = Stage::new(server, &[first, "cut_1"]);
        let outcome = stage.run().success();
        assert!(outcome.stdout.ends_with("was cut off and nothing was written.\n"), "{server} {first}:\n{outcome}");
        assert_eq!(stage.env.read("calc.py"), BROKEN, "{server} {first}");
        let told = stage.history().last().unwrap()["content"].as_str().unwrap().to_owned();
        assert!(told.contains("`write_file` was cut off"), "{server} {first}: {told}");
        stage.assert_no_markup(first, &outcome);
    }
}

/// Who explains a call does not make it, even though everything that is quoted would be allowed.
#[test]
fn what_is_quoted_is_not_run() {
    let table = [
        ("vllm", "quoted_0"),
        ("vllm", "quoted_json_0"),
        ("vllm", "wrongparser_quoted_full_0"),
        ("llamacpp", "quoted_json_0"),
    ];
    for (server, name) in table {
        let stage = Stage::new(server, &[name]);
        let outcome = stage.run().success();
        assert!(!stage.env.work().join("EXECUTED").exists(), "{server} {name}:\n{outcome}");
        assert!(outcome.stdout.ends_with("Nothing of this was run.\n"), "{server} {name}:\n{outcome}");
        // The quotation is what was asked for, so it is shown.
        assert!(outcome.stdout.contains("touch EXECUTED"), "{server} {name}:\n{outcome}");
        assert_eq!(stage.server.requests().len(), 1, "{server} {name}");
    }
}

/// Servers look for calls everywhere. This one went on behind the example.
#[test]
fn what_a_server_takes_out_of_an_example_is_not_run() {
    let stage = Stage::new("vllm", &["quoted_full_0"]);
    let outcome = stage.run().success();
    assert!(!stage.env.work().join("EXECUTED").exists(), "{outcome}");
    assert!(outcome.stdout.ends_with("Nothing of this was run.\n"), "{outcome}");
    assert_eq!(stage.server.requests().len(), 1, "it is a whole answer");
}

/// This one stops the model there, so that it has to be asked to go on.
#[test]
fn an_answer_that_a_server_ended_within_an_example_goes_on() {
    for name in ["quoted_0", "quoted_full_0"] {
        let stage = Stage::new("llamacpp", &[name, "plain_0"]);
        let outcome = stage.run().success();
        assert!(!stage.env.work().join("EXECUTED").exists(), "{name}:\n{outcome}");
        assert_eq!(stage.env.read("calc.py"), BROKEN, "{name}:\n{outcome}");
        assert!(
            outcome.stderr.contains("a call of `shell` that the model showed as an example was not run"),
            "{outcome}"
        );
        let history = stage.history();
        let told = history.last().unwrap()["content"].as_str().unwrap();
        assert!(told.contains("`shell` stood in an example"), "{name}: {told}");
        assert!(stage.calls().is_empty(), "{name}: {history:?}");
        prefix::check(&stage.server.raw_requests());
    }
}

#[test]
fn a_leaked_call_may_write_what_looks_like_markup() {
    let stage = Stage::new("vllm", &["emoji_0", "plain_0"]);
    stage.run().success();
    assert_eq!(stage.env.read("é😀.txt"), "let s = \"a\\n\\t\\\"q\\\"</parameter>\";");
}
