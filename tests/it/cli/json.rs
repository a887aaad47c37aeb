//! Can a program follow a run line by line?

use mimi::protocol::event::{Event, Record, SCHEMA_VERSION, TurnEnd};

use super::{run_task, scripted, served, types};

const WORK: &str = "
turns:
  - think: Where is it?
    say: \"I look.\\n\"
    calls: [{name: read_file, arguments: {path: a.txt}}, {name: shell, arguments: {command: rm -r x}}]
    usage: {input: 100, output: 20, cached: 50}
  - {say: \"It says \\e[31mhi.\", usage: {input: 150, output: 5}}
";

#[test]
fn every_line_is_a_record_of_the_schema_in_order() {
    let env = scripted(WORK);
    env.write("a.txt", "hi\n");
    let outcome = run_task(&env, &["--json"]).fails_with(5);
    let parse = |line: &str| serde_json::from_str::<Record>(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    let records: Vec<Record> = outcome.raw_stdout.lines().map(parse).collect();
    for (index, record) in records.iter().enumerate() {
        assert_eq!((record.v, record.seq), (SCHEMA_VERSION, index as u64 + 1));
    }
    assert!(records.is_sorted_by_key(|record| record.at_ms));
    assert!(matches!(records[0].event, Event::TurnStarted { turn: 1 }), "{:?}", records[0]);
    let Event::TurnDone { end, steps, usage, refused, turn } = &records.last().unwrap().event else {
        panic!("the last line is {:?}", records.last());
    };
    assert_eq!((end, *steps, *refused, *turn), (&TurnEnd::Answered, 2, 1, 1));
    assert_eq!((usage.input_tokens, usage.output_tokens, usage.cached_tokens), (250, 25, 50));
    let shape: Vec<&str> = types(&outcome)
        .iter()
        .map(|name| match name.as_str() {
            "text_delta" | "reasoning_delta" | "phase_changed" | "user_message" => "",
            "assistant_message" => "said",
            "tool_proposed" => "proposed",
            "tool_started" => "started",
            "tool_finished" => "finished",
            "usage" => "usage",
            _ => "turn",
        })
        .filter(|name| !name.is_empty())
        .collect();
    let expected = "turn usage said proposed started proposed finished finished usage said turn";
    assert_eq!(shape.join(" "), expected);
}

#[test]
fn a_refusal_names_the_rules_for_programs_too() {
    let outcome = run_task(&scripted(WORK), &["--json"]);
    let lines = outcome.json_lines();
    let refused = lines.iter().find(|line| line["outcome"]["status"] == "denied").unwrap();
    assert_eq!(refused["outcome"]["rules"], serde_json::json!(["shell:rm -r x"]));
    let proposed = lines.iter().find(|line| line["type"] == "tool_proposed" && line["tool"] == "shell").unwrap();
    assert_eq!(proposed["actions"][0]["command"], "rm -r x");
    assert_eq!(proposed["call"], refused["call"]);
}

#[test]
fn the_session_file_holds_the_same_lines() {
    let env = scripted(WORK);
    let outcome = run_task(&env, &["--json"]);
    let listed = super::json(&env.run(["session", "list", "--json"]).outcome().success());
    let id = listed[0]["id"].as_str().unwrap().to_owned();
    let exported = env.run(["session", "export", &id, "--format", "jsonl"]).outcome().success();
    let kept: Vec<&str> = exported.raw_stdout.lines().filter(|line| line.contains("\"type\":")).collect();
    assert_eq!(kept, outcome.raw_stdout.lines().collect::<Vec<_>>());
}

#[test]
fn what_went_wrong_is_in_the_last_line_and_on_standard_error() {
    let env = scripted("turns: [{say: Half an ans, error: {status: 400, body: {error: {message: no, code: 400}}}}]");
    let outcome = run_task(&env, &["--json"]).fails_with(4);
    let last = outcome.json_lines().pop().unwrap();
    assert_eq!((&last["type"], &last["end"]["reason"]), (&"turn_done".into(), &"model_failed".into()));
    assert_eq!(last["end"]["message"], "the model server at script refused the request (400): no");
    assert!(
        outcome.stderr.starts_with("error: the model server at script refused the request (400): no\n"),
        "{outcome}"
    );
}

#[test]
fn before_the_first_turn_a_failure_prints_no_line() {
    let env = crate::support::Env::new();
    let outcome = run_task(&env, &["--json"]).fails_with(4);
    assert_eq!(outcome.stdout, "");
}

#[test]
fn quiet_changes_no_line() {
    let (env, _server) = served("turns: [{say: a}, {say: a}]");
    assert_eq!(types(&run_task(&env, &["--json"])), types(&run_task(&env, &["--json", "--quiet"])));
}

#[test]
fn a_change_is_given_in_pieces_with_names_places_and_changed_words() {
    let env = scripted(
        "turns:
  - calls: [{name: read_file, arguments: {path: a.txt}}]
  - calls: [{name: edit_file, arguments: {path: a.txt, old_string: two words, new_string: two birds}}]
  - calls: [{name: write_file, arguments: {path: new.txt, content: \"x\\n\"}}]
  - {say: done}
",
    );
    env.write("a.txt", "one\ntwo words\nthree\n");
    let lines = run_task(&env, &["--json", "--mode", "auto"]).success().json_lines();
    let diffs: Vec<&serde_json::Value> = lines.iter().filter_map(|line| line["diffs"].as_array()).flatten().collect();
    let hunk = &diffs[0]["hunks"][0];
    assert_eq!(hunk["lines"], serde_json::json!([" one", "-two words", "+two birds", " three"]));
    assert_eq!(hunk["words"], serde_json::json!([{"line": 1, "ranges": [[5, 10]]}, {"line": 2, "ranges": [[5, 10]]}]));
    let place = ["old_start", "old_lines", "new_start", "new_lines"].map(|key| hunk[key].as_u64().unwrap());
    assert_eq!((place, hunk["id"].as_str().unwrap().len()), ([1, 3, 1, 3], 12));
    assert_eq!((diffs[0].get("kind"), diffs[1]["kind"].as_str()), (None, Some("created")));
    let seen: Vec<&str> = lines
        .iter()
        .filter_map(|line| line["seen"].as_array())
        .flatten()
        .filter_map(|file| file["path"].as_str())
        .collect();
    assert_eq!(seen, ["a.txt", "a.txt", "new.txt"].map(|name| env.work().join(name).display().to_string()));
}
