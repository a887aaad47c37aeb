//! Is a model that calls tools wrongly told what is wrong, and does the run go on?

use super::{run_task, served, told};

#[test]
fn the_model_is_told_what_is_wrong_with_a_call_and_the_run_goes_on() {
    let table = [
        (
            "{name: frobnicate, arguments: {a: 1}}",
            "There is no tool `frobnicate`, so nothing was run. The tools are: read_file, edit_file, write_file, shell, search",
        ),
        (
            "{name: read_file, arguments: '{\"path\": \"a.tx'}",
            "Received: {\"path\": \"a.tx\nIt takes: path (string), start_line? (integer)",
        ),
        (
            "{name: read_file, arguments: '[1]'}",
            "`read_file` was not run, because its arguments are not one JSON object",
        ),
        ("{name: read_file, arguments: {}}", "missing field `path`"),
        ("{name: list_files, arguments: {speed: 9}}", "unknown field `speed`"),
        (
            "{name: read_file, arguments: {path: null}}",
            "because of wrong arguments at `path`: invalid type: null, expected a string. It takes: path (string)",
        ),
        ("{name: read_file, arguments: {path: a.txt, start_line: many}}", "is not a count"),
        (
            "{name: read_file, arguments: {path: a.txt, start_line: 9, end_line: 2}}",
            "end_line 2 is before start_line 9",
        ),
        ("{name: edit_file, arguments: {path: a.txt, old_string: zzz, new_string: y}}", "has not been read"),
        ("{name: search, arguments: {pattern: '('}}", "unclosed group"),
    ];
    for (call, expected) in table {
        let (env, server) = served(&format!("turns: [{{calls: [{call}]}}, {{say: I see.}}]"));
        env.write("a.txt", "hi\n");
        let outcome = run_task(&env, &["--mode", "auto"]);
        assert_eq!((outcome.stdout.as_str(), outcome.code), ("I see.\n", 0), "{call}\n{outcome}");
        assert!(outcome.stderr.starts_with("x "), "{call}\n{outcome}");
        let told = told(&server);
        assert!(told.len() == 1 && told[0].contains(expected), "{call}\n{told:?}");
        assert_eq!(env.read("a.txt"), "hi\n");
    }
}

#[test]
fn slips_that_are_plain_are_read_past() {
    let table = [
        "{name: ReadFile, arguments: {file_path: a.txt}}",
        "{name: functions.read_file, arguments: {path: a.txt, start_line: \"1\", end_line: null}}",
        "{name: more_tools, arguments: {tool: read_file, arguments: {path: a.txt}}}",
    ];
    for call in table {
        let (env, server) = served(&format!("turns: [{{calls: [{call}]}}, {{say: I see.}}]"));
        env.write("a.txt", "hi\n");
        run_task(&env, &[]).success();
        assert_eq!(told(&server), ["a.txt, lines 1-1 of 1:\n    1\thi\n"], "{call}");
    }
}

#[test]
fn every_call_is_answered_in_order_good_or_bad() {
    let (env, server) = served(
        "turns:
  - calls:
      - {name: frobnicate}
      - {name: read_file, arguments: {path: a.txt}}
      - {name: read_file, arguments: '{'}
      - {name: shell, arguments: {command: make}}
      - {name: read_file, arguments: {path: b.txt}}
  - {say: I see.}
",
    );
    env.write("a.txt", "first\n");
    env.write("b.txt", "second\n");
    run_task(&env, &[]).fails_with(5);
    let told = told(&server);
    let parts = ["no tool `frobnicate`", "first", "not one JSON object", "was refused", "second"];
    assert_eq!(told.len(), parts.len(), "{told:?}");
    for (text, part) in told.iter().zip(parts) {
        assert!(text.contains(part), "{part}: {text}");
    }
    // What was sent back as history is valid JSON in every call, or servers would refuse the conversation.
    let requests = server.requests();
    let messages = requests[1]["messages"].as_array().unwrap();
    let answer = messages.iter().find(|message| message["role"] == "assistant").unwrap();
    let calls = answer["tool_calls"].as_array().unwrap();
    assert_eq!(calls.len(), 5);
    for call in calls {
        serde_json::from_str::<serde_json::Value>(call["function"]["arguments"].as_str().unwrap()).unwrap();
    }
}
