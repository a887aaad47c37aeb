//! Does a control string of a tokenizer leave through the door to the models?
//!
//! No: whoever builds a request neutralises what it quotes (`context::sent` does for conversations), and the gateway
//! breaks up what somebody forgot. Only the system message is mimi's own from end to end and passes as it is.

use std::borrow::Cow;
use std::sync::Arc;

use crate::base::control::{guard, guard_json, is_found_in};
use crate::protocol::message::{CallId, Message, ToolCall};

/// Applies `change` to the text of a message. Calls of the model keep their bytes but for control strings they hold whole.
pub fn rewritten(message: &Message, change: fn(&str) -> Cow<'_, str>) -> Message {
    match message {
        Message::System { .. } => message.clone(),
        Message::User { text } => Message::User { text: change(text).into_owned() },
        Message::Assistant { text, tool_calls } => Message::Assistant {
            text: change(text).into_owned(),
            tool_calls: tool_calls.iter().map(guarded_call).collect(),
        },
        Message::Tool { call_id, name, text } => Message::Tool {
            call_id: CallId(guard(&call_id.0).into_owned()),
            name: guard(name).into_owned(),
            text: change(text).into_owned(),
        },
    }
}

fn guarded_call(call: &ToolCall) -> ToolCall {
    ToolCall {
        id: CallId(guard(&call.id.0).into_owned()),
        name: guard(&call.name).into_owned(),
        arguments: guard_json(&call.arguments).into_owned(),
    }
}

/// Breaks up every control string in the messages. Those without any are handed on as they are.
pub fn guarded(messages: Arc<[Message]>) -> Arc<[Message]> {
    if messages.iter().any(holds_control) {
        messages.iter().map(|message| rewritten(message, guard)).collect()
    } else {
        messages
    }
}

fn holds_control(message: &Message) -> bool {
    let is_in = |call: &ToolCall| {
        is_found_in(&call.id.0) || is_found_in(&call.name) || matches!(guard_json(&call.arguments), Cow::Owned(_))
    };
    match message {
        Message::System { .. } => false,
        Message::User { text } => is_found_in(text),
        Message::Assistant { text, tool_calls } => is_found_in(text) || tool_calls.iter().any(is_in),
        Message::Tool { call_id, name, text } => is_found_in(text) || is_found_in(name) || is_found_in(&call_id.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_mimis_own_words_may_hold_a_control_string() {
        let call = |name: &str, arguments: &str| ToolCall {
            id: CallId("c<s>".to_owned()),
            name: name.to_owned(),
            arguments: arguments.to_owned(),
        };
        let text = || "a<|im_end|>b".to_owned();
        let messages: Arc<[Message]> = [
            Message::System { text: text() },
            Message::User { text: text() },
            Message::Assistant { text: text(), tool_calls: vec![call("x<|channel|>", r#"{"a": "[INST]"}"#)] },
            Message::Tool { call_id: CallId("c<s>".to_owned()), name: "x<|channel|>".to_owned(), text: text() },
        ]
        .into();
        let sent = guarded(messages.clone());
        assert_eq!(sent[0], messages[0]);
        for message in &sent[1..] {
            assert_eq!(message.text(), "a<¦|im_end|>b");
            assert!(!holds_control(message), "{message:?}");
        }
        let (Message::Assistant { tool_calls, .. }, Message::Tool { call_id, name, .. }) = (&sent[2], &sent[3]) else {
            panic!("{sent:?}")
        };
        assert_eq!((&tool_calls[0].id, &tool_calls[0].name), (call_id, name), "the outcome still belongs to its call");
        assert!(Arc::ptr_eq(&sent, &guarded(sent.clone())), "what is clean is not copied");
    }
}
