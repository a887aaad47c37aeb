//! Does a control string of a tokenizer, or a secret, leave through the door to the models?
//!
//! No: whoever builds a request neutralises what it quotes (`context::sent` does for conversations), and the gateway
//! breaks up and veils what somebody forgot. Only the system message is mimi's own from end to end and passes as it is.

use std::borrow::Cow;
use std::sync::Arc;

use crate::base::control::{guard, guard_json, is_found_in};
use crate::base::secrets::{change_json, veil, veil_own};
use crate::config::schema::InRequests;
use crate::protocol::message::{CallId, Message, ToolCall};

/// Applies `change` to the text of a message. Calls of the model keep their bytes but for control strings they hold whole.
pub fn rewritten(message: &Message, change: fn(&str) -> Cow<'_, str>) -> Message {
    match message {
        Message::System { .. } => message.clone(),
        Message::User { text, images } => Message::User { text: change(text).into_owned(), images: images.clone() },
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

/// Returns what puts placeholders in the place of secrets; of mimi's own keys in any case.
pub fn veil_for(secrets: InRequests) -> fn(&str) -> Cow<'_, str> {
    match secrets {
        InRequests::Redact | InRequests::Refuse => veil,
        InRequests::Warn | InRequests::Allow => veil_own,
    }
}

/// Puts placeholders in the place of secrets; none when the message holds none.
pub fn veiled(message: &Message, secrets: InRequests) -> Option<Message> {
    let change = veil_for(secrets);
    let is_changed = |text: &str| matches!(change(text), Cow::Owned(_));
    match message {
        Message::System { .. } => None,
        Message::User { text, images } => {
            is_changed(text).then(|| Message::User { text: change(text).into_owned(), images: images.clone() })
        }
        Message::Tool { call_id, name, text } => is_changed(text).then(|| Message::Tool {
            call_id: call_id.clone(),
            name: name.clone(),
            text: change(text).into_owned(),
        }),
        Message::Assistant { text, tool_calls } => {
            let safe = |call: &ToolCall| change_json(&call.arguments, change).into_owned();
            // Escapes may hide a secret from a look at the text, and only those that hold none keep their bytes.
            let calls: Vec<ToolCall> =
                tool_calls.iter().map(|call| ToolCall { arguments: safe(call), ..call.clone() }).collect();
            let is_changed = is_changed(text) || calls != *tool_calls;
            is_changed.then(|| Message::Assistant { text: change(text).into_owned(), tool_calls: calls })
        }
    }
}

/// Puts placeholders in the place of secrets that somebody forgot. Messages without any are handed on as they are.
pub fn all_veiled(messages: Arc<[Message]>, secrets: InRequests) -> Arc<[Message]> {
    let safe: Vec<Option<Message>> = messages.iter().map(|message| veiled(message, secrets)).collect();
    if safe.iter().all(Option::is_none) {
        return messages;
    }
    safe.into_iter().zip(messages.iter()).map(|(safe, message)| safe.unwrap_or_else(|| message.clone())).collect()
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
        Message::User { text, .. } => is_found_in(text),
        Message::Assistant { text, tool_calls } => is_found_in(text) || tool_calls.iter().any(is_in),
        Message::Tool { call_id, name, text } => is_found_in(text) || is_found_in(name) || is_found_in(&call_id.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_veiled_in_whatever_message_it_stands() {
        let key = crate::base::secrets::example::expand("ghp_<an:36>");
        let calls =
            |arguments: String| vec![ToolCall { id: CallId("c".to_owned()), name: "shell".to_owned(), arguments }];
        let plain = r#"{ "command":  "ls" }"#.to_owned();
        let messages: Arc<[Message]> = [
            Message::user(format!("use {key}")),
            Message::Assistant {
                text: "yes".to_owned(),
                tool_calls: calls(format!(r#"{{"command": "echo\n{key}"}}"#)),
            },
            Message::Assistant { text: "yes".to_owned(), tool_calls: calls(plain) },
            Message::Tool { call_id: CallId("c".to_owned()), name: "shell".to_owned(), text: format!("\n{key}\n") },
        ]
        .into();
        let sent = all_veiled(messages.clone(), InRequests::Redact);
        assert!(!format!("{sent:?}").contains(&key), "{sent:?}");
        assert_eq!(sent[2], messages[2], "what holds none keeps its bytes");
        assert!(Arc::ptr_eq(&sent, &all_veiled(sent.clone(), InRequests::Redact)), "veiling twice changes nothing");
        for open in [InRequests::Warn, InRequests::Allow] {
            assert!(Arc::ptr_eq(&messages, &all_veiled(messages.clone(), open)));
        }
    }

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
            Message::user(text()),
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
