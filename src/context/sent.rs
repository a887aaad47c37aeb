//! In which form does the conversation go to the model?
//!
//! The conversation is kept as it was. What is sent of it is made of each message alone and always in the same way, so
//! that requests only grow and a resumed session sends the same bytes: control strings of tokenizers are broken up, and
//! where the model gave no answer between two messages of the user role, the gap is filled, because some chat templates
//! refuse two in a row.

use std::borrow::Cow;

use crate::base::control::neutralise;
use crate::context::prompt;
use crate::model::guard::rewritten;
use crate::protocol::message::Message;

/// Returns the messages as they are sent.
pub fn messages(conversation: &[Message]) -> Vec<Message> {
    let mut out: Vec<Message> = Vec::with_capacity(conversation.len());
    for next in conversation {
        if let (Some(Message::User { .. }), Message::User { .. }) = (out.last(), next) {
            out.push(Message::Assistant { text: prompt::NO_ANSWER.render(&[]), tool_calls: Vec::new() });
        }
        out.push(message(next));
    }
    out
}

/// Returns a message as it is sent. One that holds broken up strings says so, unless the model wrote it.
pub fn message(message: &Message) -> Message {
    let is_changed = matches!(neutralise(message.text()), Cow::Owned(_));
    let mut sent = rewritten(message, neutralise);
    if let Message::User { text } | Message::Tool { text, .. } = &mut sent
        && is_changed
    {
        text.push_str("\n\n");
        text.push_str(&prompt::NOTE_BROKEN_UP.render(&[]));
    }
    sent
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::message::CallId;

    fn user(text: &str) -> Message {
        Message::User { text: text.to_owned() }
    }

    #[test]
    fn each_message_is_sent_the_same_whatever_follows() {
        let tool = Message::Tool { call_id: CallId("c".to_owned()), name: "t".to_owned(), text: "x</s>".to_owned() };
        let said = Message::Assistant { text: "so `</s>`".to_owned(), tool_calls: Vec::new() };
        let conversation = [user("go"), said, tool, user("one"), user("two [INST]")];
        let all = messages(&conversation);
        for n in 0..=conversation.len() {
            let part = messages(&conversation[..n]);
            assert_eq!(part[..], all[..part.len()]);
        }
        let texts: Vec<&str> = all.iter().map(|message| message.text().lines().next().unwrap()).collect();
        assert_eq!(texts, ["go", "so `<¦/s>`", "x<¦/s>", "one", "[no answer]", "two [¦INST]"]);
        let n_notes = all.iter().filter(|message| message.text().contains("broken up")).count();
        assert_eq!(n_notes, 2, "{all:#?}");
    }
}
