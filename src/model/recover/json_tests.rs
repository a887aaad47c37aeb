use super::*;
use serde_json::json;

#[test]
fn slips_of_models_are_read_as_they_were_meant() {
    let table = [
        (r#"{"a": 1,}"#, json!({"a": 1})),
        ("{'a': True, 'b': None, 'c': [False,],}", json!({"a": true, "b": null, "c": [false]})),
        ("{a: 1, b_c: 'x'}", json!({"a": 1, "b_c": "x"})),
        ("{\"a\": \"two\nlines\tand a tab\"}", json!({"a": "two\nlines\tand a tab"})),
        (r#"{"a": "print("hi")"}"#, json!({"a": "print(\"hi\")"})),
        (r#"{"a": "x = {"k": "v"}"}"#, json!({"a": "x = {\"k\": \"v\"}"})),
        (r#"{"a": "say "yes", "no" or nothing", "b": 2}"#, json!({"a": "say \"yes\", \"no\" or nothing", "b": 2})),
        ("{'a': 'it's'}", json!({"a": "it's"})),
        (r#"{"a": "\d+\s"}"#, json!({"a": "\\d+\\s"})),
        (r#"{"a": "\u00e9\ud83d\ude00",}"#, json!({"a": "é😀"})),
        ("{\"a\": \"\"\"raw \"text\" here\"\"\"}", json!({"a": "raw \"text\" here"})),
        (r#"{a:<|"|>it "is"<|"|>,n:2}"#, json!({"a": "it \"is\"", "n": 2})),
        ("{\"a\": {\"b\": 1}</tool_call>", json!({"a": {"b": 1}})),
        ("{'n': 1_000, 'f': .5, 'p': +3}", json!({"n": 1000, "f": 0.5, "p": 3.0})),
        (r#"{"a": "x"}"#, json!({"a": "x"})),
    ];
    for (text, expected) in table {
        assert_eq!(read(text, 0).map(|read| read.value), Ok(expected), "{text}");
    }
}

#[test]
fn what_broke_off_is_never_completed() {
    let whole = "{'name': \"read\", 'arguments': {\"path\": 'a\nb', \"n\": [1, {\"k\": True}], \"s\": \"\\u00e9\"}}";
    assert!(read(whole, 0).is_ok());
    for end in 1..whole.len() {
        assert_eq!(read(&whole[..end], 0), Err(Broken::Truncated), "{}", &whole[..end]);
    }
}

#[test]
fn other_things_are_no_values() {
    for text in ["{ x }", "{\"a\" 1}", "[1 2]", "{\"a\": yes}", "}", "{\"a\": 1 b}", &"[".repeat(10_000)] {
        let found = read(text, 0);
        assert!(found.is_err(), "{text}: {found:?}");
    }
}

#[test]
fn the_end_of_the_value_is_found() {
    let text = "x {\"a\": 1} and more";
    assert_eq!(read(text, 2).unwrap().end, 10);
    assert!(read_all("{\"a\": 1}} ").unwrap().is_repaired);
    assert_eq!(read_all("{\"a\": 1} more"), Err(Broken::Malformed));
}

#[test]
fn an_object_written_as_text_is_still_one() {
    let object = json!({"path": "a"});
    let once = Value::String(object.to_string());
    let twice = Value::String(once.to_string());
    for value in [object.clone(), once, twice] {
        assert_eq!(object_of(value).map(Value::Object), Some(object.clone()));
    }
    assert_eq!(object_of(Value::Null), Some(Map::new()));
    assert_eq!(object_of(json!("{\"path\": \"a")), None);
    assert_eq!(object_of(json!([1])), None);
}
