//! Is the answer of `mimi run --output-schema` always JSON that follows the schema, or an error?

use super::{run_task, scripted, served};
use crate::support::Env;

const SCHEMA: &str =
    r#"{"type":"object","required":["n"],"additionalProperties":false,"properties":{"n":{"type":"integer"}}}"#;

fn ask(env: &Env, schema: &str) -> crate::support::Outcome {
    env.write("schema.json", schema);
    run_task(env, &["--output-schema", "schema.json"])
}

#[test]
fn only_an_answer_that_follows_the_schema_is_printed() {
    let table = [
        ("good at once", r#"[{say: '{"n": 1}'}]"#, r#"{"n":1}"#),
        ("in a fence", r#"[{say: "```json\n{\"n\": 2}\n```"}]"#, r#"{"n":2}"#),
        ("after a tool", r#"[{say: Let me see., calls: [{name: list_files}]}, {say: '{"n": 3}'}]"#, r#"{"n":3}"#),
        ("no JSON first", r#"[{say: It is four.}, {say: '{"n": 4}', expect: it is not JSON}]"#, r#"{"n":4}"#),
        ("a wrong type first", r#"[{say: '{"n": "5"}'}, {say: '{"n": 5}', expect: want integer}]"#, r#"{"n":5}"#),
        ("two wrong ones", r#"[{say: '{}'}, {say: '{"n": 6, "m": 0}'}, {say: '{"n": 6}'}]"#, r#"{"n":6}"#),
    ];
    for (case, turns, expected) in table {
        let outcome = ask(&scripted(&format!("turns: {turns}")), SCHEMA);
        assert_eq!(
            (outcome.stdout.as_str(), outcome.code),
            (format!("{expected}\n").as_str(), 0),
            "{case}:\n{outcome}"
        );
    }
}

#[test]
fn the_model_is_told_the_schema_and_what_is_wrong() {
    let (env, server) = served(r#"turns: [{say: four}, {say: '{"n": 4}'}]"#);
    ask(&env, SCHEMA).success();
    let last = |at: usize| {
        let messages = server.requests()[at]["messages"].as_array().unwrap().clone();
        messages.last().unwrap()["content"].as_str().unwrap().to_owned()
    };
    assert!(last(0).contains("\n\ndo it\n\nYour final answer must be one JSON value"), "{}", last(0));
    assert!(last(0).contains(r#""required":["n"]"#), "{}", last(0));
    assert!(last(1).contains("does not follow the JSON schema: it is not JSON"), "{}", last(1));
}

#[test]
fn a_model_that_never_follows_it_ends_in_an_error() {
    let env = scripted("turns: [{say: a}, {say: b}, {say: c}, {say: '{\"n\": null}'}]");
    let outcome = ask(&env, SCHEMA).fails_with(1);
    assert_eq!(outcome.stdout, "");
    assert!(
        outcome.stderr.starts_with("error: the model's answer does not follow the schema\ncaused by: "),
        "{outcome}"
    );
    assert!(outcome.stderr.contains("want integer, but got null"), "{outcome}");
}

#[test]
fn a_schema_that_cannot_be_used_is_refused_before_anything_is_sent() {
    let table = [
        ("not JSON", "{\"type\": ", "error: the schema `schema.json` is not JSON\ncaused by: "),
        ("not a schema", "{\"type\": \"strnig\"}", "error: the answer schema is not valid\ncaused by: "),
        ("elsewhere", "{\"$ref\": \"http://127.0.0.1:1/x.json\"}", "would have to be fetched"),
        ("a file", "{\"$ref\": \"file:///etc/passwd\"}", "would have to be fetched"),
    ];
    for (case, schema, expected) in table {
        let (env, server) = served("turns: [{say: '{}'}]");
        let outcome = ask(&env, schema).fails_with(2);
        assert!(outcome.stderr.contains(expected), "{case}: {outcome}");
        assert!(server.received().is_empty(), "{case}");
    }
    let outcome = run_task(&scripted("turns: []"), &["--output-schema", "gone.json"]).fails_with(2);
    let expected = "error: cannot read the schema `gone.json`\ncaused by: No such file or directory (os error 2)\n";
    assert_eq!(outcome.stderr, expected);
}

#[test]
fn with_json_the_events_of_every_try_are_printed() {
    let env = scripted("turns: [{say: a}, {say: '{\"n\": 1}'}]");
    env.write("schema.json", SCHEMA);
    let outcome = run_task(&env, &["--output-schema", "schema.json", "--json"]).success();
    let types = super::types(&outcome);
    assert_eq!(types.iter().filter(|name| *name == "turn_done").count(), 2);
    assert_eq!((types.first().unwrap().as_str(), types.last().unwrap().as_str()), ("turn_started", "turn_done"));
}
