use super::*;
use serde_json::json;

fn fitted(property: &Value, value: &Value, origin: Origin) -> Value {
    let schema =
        json!({"type": "object", "properties": {"v": property}, "required": ["v"], "additionalProperties": false});
    let given = json!({"v": value});
    fit(&schema, given.as_object().unwrap().clone(), origin).unwrap()["v"].clone()
}

#[test]
fn values_drift_back_to_their_type() {
    let (text, count, flag) = (json!({"type": "string"}), json!({"type": "integer"}), json!({"type": "boolean"}));
    let (list, object) = (json!({"type": "array", "items": {"type": "string"}}), json!({"type": "object"}));
    let choice = json!({"type": "string", "enum": ["in_progress", "done"]});
    let either = json!({"anyOf": [{"type": "integer"}, {"type": "null"}]});
    let counts = json!({"type": "array", "items": {"type": "integer"}});
    let table = [
        (&count, json!("10"), json!(10)),
        (&count, json!(" 10.0\n"), json!(10)),
        (&count, json!(10.0), json!(10)),
        (&count, json!("ten"), json!("ten")),
        (&json!({"type": "number"}), json!("0.5"), json!(0.5)),
        (&flag, json!("True"), json!(true)),
        (&flag, json!("yes"), json!(true)),
        (&flag, json!(0), json!(false)),
        (&flag, json!("maybe"), json!("maybe")),
        (&text, json!("{\"a\": 1}"), json!("{\"a\": 1}")),
        (&text, json!("10"), json!("10")),
        (&text, json!(10), json!("10")),
        (&text, json!({"a": 1}), json!("{\n  \"a\": 1\n}")),
        (&list, json!("one"), json!(["one"])),
        (&list, json!("[\"a\", \"b\"]"), json!(["a", "b"])),
        (&list, json!("['a',]"), json!(["a"])),
        (&list, json!([1]), json!(["1"])),
        (&counts, json!(["1", 2]), json!([1, 2])),
        (&counts, json!("3"), json!([3])),
        (&object, json!("{'a': True}"), json!({"a": true})),
        (&choice, json!("In Progress"), json!("in_progress")),
        (&choice, json!("DONE"), json!("done")),
        (&choice, json!("later"), json!("later")),
        (&either, json!("7"), json!(7)),
        (&either, json!(null), json!(null)),
    ];
    for (property, value, expected) in table {
        assert_eq!(fitted(property, &value, Origin::Json), expected, "{property} {value}");
    }
}

#[test]
fn what_is_left_out_in_words_is_left_out() {
    let schema = json!({
        "type": "object",
        "properties": {"a": {"type": "string"}, "n": {"type": "integer"}, "s": {"type": "string"}},
        "required": ["a"], "additionalProperties": false,
    });
    let fit = |given: Value, origin| fit(&schema, given.as_object().unwrap().clone(), origin).map(Value::Object);
    let table = [
        (json!({"a": "x", "n": null, "s": null}), Origin::Json, Ok(json!({"a": "x"}))),
        (json!({"a": "", "n": "null", "s": "null"}), Origin::Json, Ok(json!({"a": "", "s": "null"}))),
        (json!({"a": "null", "n": "", "s": "undefined"}), Origin::Tags, Ok(json!({"a": "null"}))),
        (json!({"a": "x", "more": 1}), Origin::Json, Ok(json!({"a": "x"}))),
        (json!({"n": 1}), Origin::Json, Err("`a` is missing".to_owned())),
    ];
    for (given, origin, expected) in table {
        assert_eq!(fit(given.clone(), origin), expected, "{given}");
    }
}

#[test]
fn a_call_of_nothing_known_is_no_call() {
    let schema = json!({"type": "object", "properties": {"depth": {"type": "integer"}}, "additionalProperties": false});
    let given = json!({"type": "object", "properties": {}});
    assert!(fit(&schema, given.as_object().unwrap().clone(), Origin::Json).is_err());
    assert_eq!(fit(&schema, Map::new(), Origin::Json), Ok(Map::new()));
}

#[test]
fn arguments_beside_an_inner_call_are_gathered_into_it() {
    let schema = json!({
        "type": "object", "additionalProperties": false,
        "properties": {"tool": {"type": "string"}, "arguments": {"type": "object"}},
    });
    let given = json!({"tool": "list_files", "path": "src"});
    let expected = json!({"tool": "list_files", "arguments": {"path": "src"}});
    assert_eq!(fit(&schema, given.as_object().unwrap().clone(), Origin::Json).map(Value::Object), Ok(expected));
}

#[test]
fn what_stands_inside_lists_and_objects_is_fitted_too() {
    let schema = json!({"type": "array", "items": {
        "type": "object", "required": ["step", "status"], "additionalProperties": false,
        "properties": {"step": {"type": "string"}, "status": {"type": "string", "enum": ["pending", "done"]}},
    }});
    let value = json!("[{\"step\": \"Look\", \"status\": \"Done\", \"id\": 1}]");
    assert_eq!(fitted(&schema, &value, Origin::Tags), json!([{"step": "Look", "status": "done"}]));
}
