//! Is every request of every scripted session built so that servers find it in their prefix cache, and accept it?
//!
//! [`check`] looks at the bodies of all chat requests one server got, byte for byte. The wire server and the agent's stage
//! call it when they are dropped, so each test that talks to them checks it.

use mimi::context::prompt;
use serde_json::Value;

/// What stands for a tool's result that a request for a summary leaves out.
const LEFT_OUT: &str = "[left out to make room]";

struct Seen<'b> {
    body: &'b [u8],
    value: Value,
}

/// Checks the bodies in the order they came. Requests without tools are none of an agent and only have to be sound.
pub fn check(bodies: &[Vec<u8>]) {
    let mut earlier: Vec<Seen<'_>> = Vec::new();
    for body in bodies {
        let value: Value = serde_json::from_slice(body).unwrap();
        let Some(tools) = value.get("tools") else { continue };
        assert!(!tools.as_array().unwrap().is_empty(), "vLLM refuses an empty list of tools");
        check_shape(&value);
        let seen = Seen { body, value };
        // The first may continue a session of another server; a conversation without an answer is a new one.
        let is_shortened = is_shortened(&seen.value) || is_lighter(&earlier, &seen.value);
        if !earlier.is_empty() && n_answers(&seen.value) > 0 && !is_shortened {
            let grown = earlier.iter().rev().any(|before| extends(before, &seen));
            assert!(grown, "no earlier request is the start of this one:\n{}", String::from_utf8_lossy(body));
        }
        earlier.push(seen);
    }
}

/// Says whether `next` is `before` with at most one answer and what followed it.
fn extends(before: &Seen<'_>, next: &Seen<'_>) -> bool {
    // Another model has another cache, and a window found to be smaller bounds the answers anew: only there may the
    // part before the messages differ.
    let is_new_cache = before.value["model"] != next.value["model"] || is_summary(&next.value);
    let bodies = (unforced(before.body), unforced(next.body));
    let (old, new) =
        if is_new_cache { (messages_bytes(&bodies.0), messages_bytes(&bodies.1)) } else { (&*bodies.0, &*bodies.1) };
    let Some(open) = old.strip_suffix(b"]}") else { return false };
    let n_new = n_answers(&next.value) - n_answers(&before.value).min(n_answers(&next.value));
    new.strip_prefix(open).is_some_and(|rest| rest.starts_with(b",") || rest == b"]}") && n_new <= 1
}

/// Takes away what makes the model call a tool, or has its calls left alone: it stands behind the messages and changes nothing before it.
fn unforced(body: &[u8]) -> Vec<u8> {
    let choices: [&[u8]; 2] = [b",\"tool_choice\":\"required\"}", b",\"tool_choice\":\"none\"}"];
    let schema = br#"],"format":{"oneOf":"#;
    if let Some(at) = body.windows(schema.len()).rposition(|window| window == schema) {
        return [&body[..=at], b"}"].concat();
    }
    match choices.iter().find_map(|choice| body.strip_suffix(*choice)) {
        Some(open) => [open, b"}"].concat(),
        None => body.to_vec(),
    }
}

fn messages_bytes(body: &[u8]) -> &[u8] {
    let key = b"\"messages\":";
    let at = body.windows(key.len()).position(|window| window == key).unwrap();
    &body[at..]
}

fn messages(value: &Value) -> &[Value] {
    value["messages"].as_array().unwrap()
}

fn n_answers(value: &Value) -> usize {
    messages(value).iter().filter(|message| message["role"] == "assistant").count()
}

fn is_summary(value: &Value) -> bool {
    messages(value).last().is_some_and(|last| last["content"] == prompt::COMPACT.text.trim_end())
}

/// Says whether more results are left out than ever before: the user had one taken out, which is where a prefix may change.
fn is_lighter(earlier: &[Seen<'_>], value: &Value) -> bool {
    let most = earlier.iter().filter(|seen| !is_summary(&seen.value)).map(|seen| n_left_out(&seen.value)).max();
    n_left_out(value) > most.unwrap_or(0)
}

fn n_left_out(value: &Value) -> usize {
    messages(value).iter().filter(|message| message["role"] == "tool" && message["content"] == LEFT_OUT).count()
}

fn is_shortened(value: &Value) -> bool {
    is_summary(value) && messages(value).iter().any(|message| message["content"] == LEFT_OUT)
}

/// Roles in order, one outcome for each call behind it, arguments that are JSON objects.
fn check_shape(value: &Value) {
    let messages = messages(value);
    assert_eq!(messages[0]["role"], "system");
    assert_eq!(messages[1]["role"], "user", "{:?}", messages[1]);
    let mut open: Vec<&str> = Vec::new();
    for message in &messages[1..] {
        // With images the words are the last of several parts.
        let parts = message["content"].as_array();
        let content = parts.map_or(&message["content"], |parts| &parts.last().unwrap()["text"]).as_str();
        match message["role"].as_str().unwrap() {
            "tool" => {
                assert!(!open.is_empty(), "an outcome without a call: {message}");
                assert_eq!(message["tool_call_id"], open.remove(0), "outcomes in the order of the calls");
                assert!(content.is_some_and(|text| !text.is_empty()), "an outcome without words: {message}");
            }
            role => {
                assert!(open.is_empty(), "calls without an outcome: {open:?}");
                assert!(["user", "assistant"].contains(&role), "{message}");
                let calls = message.get("tool_calls").map_or(&[][..], |calls| calls.as_array().unwrap());
                assert!(
                    content.is_some_and(|text| !text.is_empty()) || !calls.is_empty(),
                    "it says nothing: {message}"
                );
                for call in calls {
                    // As text on OpenAI's wire, as an object on Ollama's.
                    let arguments = &call["function"]["arguments"];
                    let parsed = arguments.as_str().map(|text| serde_json::from_str::<Value>(text).unwrap());
                    assert!(parsed.as_ref().unwrap_or(arguments).is_object(), "{arguments}");
                    open.push(call["id"].as_str().unwrap());
                }
            }
        }
    }
    assert!(open.is_empty(), "calls without an outcome: {open:?}");
}

#[test]
fn a_changed_byte_in_the_middle_is_found() {
    let body = |user: &str, rest: &str| {
        format!(r#"{{"model":"m","tools":[{{}}],"messages":[{{"role":"system","content":"s"}},{{"role":"user","content":"{user}"}}{rest}]}}"#)
            .into_bytes()
    };
    let answer = r#",{"role":"assistant","content":"a"},{"role":"user","content":"more"}"#;
    let two = format!("{answer}{answer}");
    let is_fine = |bodies: Vec<Vec<u8>>| std::panic::catch_unwind(|| check(&bodies)).is_ok();
    assert!(is_fine(vec![body("go", ""), body("go", answer)]));
    assert!(is_fine(vec![body("go", ""), body("other", ""), body("go", answer), body("other", answer)]));
    assert!(!is_fine(vec![body("go", ""), body("gone", answer)]));
    assert!(!is_fine(vec![body("go", ""), body("go", &two)]), "an answer was put in unseen");
    let orphan = r#",{"role":"tool","tool_call_id":"x","content":"a"}"#;
    assert!(!is_fine(vec![body("go", orphan)]));
}
