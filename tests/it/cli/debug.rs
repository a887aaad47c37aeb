//! Can an outside test suite drive a component of mimi line by line?

use serde_json::{Value, json};

use crate::support::Env;

#[test]
fn recovery_answers_each_line_and_goes_on_after_a_bad_one() {
    let text = "Look:\n<function=read>\n<parameter=path>\na\n</parameter>\n</function>\n</tool_call>";
    let schema = json!({"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]});
    let wire = json!({"type": "function", "function": {"name": "read", "parameters": schema}});
    let plain = json!({"name": "read", "description": "reads", "parameters": schema});
    let lines = [
        json!({"text": text, "tools": [wire], "chunk": 1}),
        json!({"text": text, "tools": [plain], "chunk": [3, 0, 40]}),
        json!({"text": text, "tools": ["read"], "chunk": null}),
        json!({"text": text, "tools": ["read"], "finish": "length"}),
        json!({"text": text, "tools": ["other"], "id": 5}),
        json!({"text": "Hm.", "tools": ["read"], "reasoning": text}),
        json!({"text": 1}),
        json!({"text": "", "tools": ["read"], "finish": "tired"}),
        json!({"text": "", "tools": [{}]}),
        json!({"text": "", "chunk": "x"}),
    ];
    let input: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let outcome = Env::new().run(["debug", "recover"]).stdin(format!("not json\n\n{input}")).outcome().success();
    let answers = outcome.json_lines();
    assert_eq!(answers.len(), 11, "{outcome}");
    let call = json!({"content": "Look:", "calls": [{"name": "read", "arguments": {"path": "a"}}], "dropped": []});
    assert_eq!(answers[1..4], [call.clone(), call.clone(), call]);
    assert_eq!((&answers[4]["content"], &answers[4]["calls"]), (&json!("Look:"), &json!([])));
    assert_eq!(answers[4]["dropped"][0]["name"], "read");
    assert_eq!((&answers[5]["content"], &answers[5]["calls"]), (&json!(text), &json!([])));
    assert_eq!(answers[5]["dropped"][0]["why"], "no such tool is on offer");
    assert_eq!(answers[6], json!({"content": "Hm.", "calls": [], "dropped": []}));
    let errors: Vec<&Value> = [0, 7, 8, 9, 10].map(|n| &answers[n]["error"]).into();
    assert!(errors.iter().all(|error| error.is_string()), "{errors:?}");
}

#[test]
fn debugging_is_nothing_users_are_told_of() {
    let env = Env::new();
    assert!(!env.run(["--help"]).outcome().success().raw_stdout.contains("debug"));
}

#[test]
fn edits_answer_with_the_files_or_with_a_reason() {
    let lines = [
        json!({"files": {"a": "x\ny\n"}, "call": {"name": "edit_file", "arguments": {"path": "a", "old_string": "x", "new_string": "z"}}}),
        json!({"files": {"a": "x\n", "b": "1\n"}, "call": {"patch": "*** Begin Patch\n*** Delete File: b\n*** Update File: a\n@@\n-x\n+z\n*** End Patch"}}),
        json!({"files": {}, "call": "--- /dev/null\n+++ b/n\n@@ -0,0 +1 @@\n+x\n"}),
        json!({"files": {"a": "x\n"}, "call": {"path": "a", "old_string": "gone for good", "new_string": "z"}}),
        json!({"files": {"a": "x\n"}}),
    ];
    let input: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let outcome = Env::new().run(["debug", "edit"]).stdin(input).outcome().success();
    let answers = outcome.json_lines();
    assert_eq!(
        answers[..3],
        [json!({"files": {"a": "z\ny\n"}}), json!({"files": {"a": "z\n"}}), json!({"files": {"n": "x\n"}})]
    );
    assert_eq!(
        answers[3],
        json!({"error": "the old text is not in the file, nor anything like it; read the file again"})
    );
    assert!(answers[4]["error"].as_str().unwrap().contains("call"), "{outcome}");
}
