//! Is a report of `mimi fix` what its schema says, with nothing besides?

use serde_json::{Value, json};

/// The schema that users get.
const SCHEMA: &str = include_str!("../../../config/fix_report.schema.json");

/// Closes every object of the schema, so that a field which is not described fails.
fn closed(schema: &mut Value) {
    if let Some(object) = schema.as_object_mut() {
        if object.contains_key("properties") {
            object.insert("additionalProperties".to_owned(), json!(false));
        }
        object.values_mut().for_each(closed);
    } else if let Some(items) = schema.as_array_mut() {
        items.iter_mut().for_each(closed);
    }
}

/// Says where a report is not as the schema says; none where it is.
pub fn problem(report: &Value) -> Option<String> {
    let mut schema: Value = serde_json::from_str(SCHEMA).unwrap();
    closed(&mut schema);
    let mut compiler = boon::Compiler::new();
    compiler.add_resource("mimi:report", schema).unwrap();
    let mut schemas = boon::Schemas::new();
    let index = compiler.compile("mimi:report", &mut schemas).unwrap();
    schemas.validate(report, index).err().map(|error| format!("{error:#}"))
}

/// Reads a report and fails unless it is as the schema says.
#[track_caller]
pub fn checked(text: &str) -> Value {
    let report: Value = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
    if let Some(problem) = problem(&report) {
        panic!("{problem}\n{text}");
    }
    report
}

#[test]
fn what_the_schema_does_not_say_is_found() {
    let good = json!({
        "v": 1, "mimi": "1", "started_at": "2026-01-31T12:00:00Z", "duration_ms": 1,
        "job": {"folder": "/x", "checks": []}, "ending": {"code": 0, "word": "fixed"},
        "steps": [{"step": "waited", "why": "x", "duration_ms": 2}],
        "at_start": {"failures": []}, "at_end": {"failures": []}, "files": [], "budgets": [], "sandbox": "none"
    });
    assert_eq!(problem(&good), None);
    let spoilt: [fn(&mut Value); 6] = [
        |value| value["new"] = json!(1),
        |value| value["steps"][0]["new"] = json!(1),
        |value| value["steps"][0]["step"] = json!("guess"),
        |value| value["ending"]["word"] = json!("perhaps"),
        |value| value["v"] = json!(2),
        |value| drop(value.as_object_mut().unwrap().remove("sandbox")),
    ];
    for spoil in spoilt {
        let mut bad = good.clone();
        spoil(&mut bad);
        assert!(problem(&bad).is_some(), "{bad}");
    }
}
