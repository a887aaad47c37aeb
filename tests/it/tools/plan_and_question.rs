//! Do plan and question reach the person?

use mimi::protocol::plan::StepStatus;
use serde_json::json;

use super::support::Bench;

#[test]
fn a_plan_is_reported_whole() {
    let bench = Bench::new(&[]);
    let steps = json!([
        {"step": "read", "status": "completed"},
        {"content": "write", "status": "in_progress"},
        {"step": "test", "status": "pending"}
    ]);
    let report = bench.call("update_plan", json!({ "steps": steps }));
    assert_eq!((report.outcome.text(), report.summary.as_str()), ("the plan is updated: 1 of 3 done", "1 of 3 done"));
    assert_eq!(report.plan.unwrap().to_string(), "[x] read\n[>] write\n[ ] test\n");
    let report = bench.call("update_plan", json!({"todos": []}));
    assert_eq!(report.plan.map(|plan| plan.steps.len()), Some(0));
}

#[test]
fn a_plan_that_is_none_is_refused() {
    let bench = Bench::new(&[]);
    let step = |status| json!({"step": "s", "status": status});
    let table = [
        (json!({"steps": [step("in_progress"), step("in_progress")]}), "2 steps are in_progress"),
        (json!({"steps": [step("soon")]}), "wrong arguments for `update_plan` at `steps[0].status`"),
        (json!({"steps": [{"step": " ", "status": "done"}]}), "step 1 is empty"),
        (json!({"steps": vec![step("pending"); 51]}), "the plan has 51 steps"),
        (json!({"steps": "read, write"}), "wrong arguments for `update_plan` at `steps`"),
    ];
    for (arguments, expected) in table {
        let told = bench.failed("update_plan", arguments.clone());
        assert!(told.starts_with(expected), "{told}");
        assert_eq!(bench.intent("update_plan", arguments).unwrap_err().to_string(), told);
    }
    assert_eq!(StepStatus::Done.mark(), "[x]");
}

#[test]
fn a_question_travels_in_the_intent() {
    let bench = Bench::new(&[]);
    let intent = bench.intent("ask_user", json!({"question": "Which?", "choices": ["a", "b"]})).unwrap();
    let question = intent.question.unwrap();
    assert_eq!((question.question.as_str(), question.options.len()), ("Which?", 2));
    assert!(bench.intent("ask_user", json!({"question": " "})).is_err());
    assert!(bench.intent("ask_user", json!({"question": "x", "options": vec!["o"; 10]})).is_err());
    assert!(bench.failed("ask_user", json!({"question": "Which?"})).starts_with("nobody can answer"));
}
