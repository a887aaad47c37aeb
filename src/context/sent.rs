//! In which form does the conversation go to the model?
//!
//! The conversation is kept as it was. What is sent of it is made of each message alone and always in the same way, so
//! that requests only grow and a resumed session sends the same bytes: control strings of tokenizers are broken up, a
//! placeholder stands for each secret, and where the model gave no answer between two messages of the user role, the gap is filled, because some chat templates
//! refuse two in a row.

use std::borrow::Cow;

use crate::base::control::neutralise;
use crate::base::secrets;
use crate::config::schema::InRequests;
use crate::context::prompt;
use crate::model::guard::{rewritten, veiled};
use crate::protocol::message::Message;

/// Returns the messages as they are sent.
pub fn messages(conversation: &[Message], secrets: InRequests) -> Vec<Message> {
    let mut out: Vec<Message> = Vec::with_capacity(conversation.len());
    for next in conversation {
        if let (Some(Message::User { .. }), Message::User { .. }) = (out.last(), next) {
            out.push(Message::Assistant { text: prompt::NO_ANSWER.render(&[]), tool_calls: Vec::new() });
        }
        out.push(message(next, secrets));
    }
    out
}

/// Returns a message as it is sent. One that holds broken up strings or placeholders says so, unless the model wrote it.
pub fn message(message: &Message, secrets: InRequests) -> Message {
    if let Some(withheld) = withheld(message, secrets) {
        return withheld;
    }
    let Some(mut safe) = veiled(message, secrets) else { return broken_up(message) };
    if let Message::User { text, .. } | Message::Tool { text, .. } = &mut safe {
        text.push_str("\n\n");
        text.push_str(&prompt::NOTE_SECRET.render(&[]));
    }
    broken_up(&safe)
}

/// Returns what is sent instead of a text that must not be sent because of a secret in it.
fn withheld(message: &Message, secrets: InRequests) -> Option<Message> {
    let is_others = matches!(message, Message::User { .. } | Message::Tool { .. });
    if secrets != InRequests::Refuse || !is_others {
        return None;
    }
    let mut kinds: Vec<String> = secrets::find(message.text()).iter().map(|found| found.name.to_string()).collect();
    kinds.sort();
    kinds.dedup();
    if kinds.is_empty() {
        return None;
    }
    let note = prompt::NOTE_WITHHELD.render(&[&kinds.join(", ")]);
    Some(match message {
        Message::Tool { call_id, name, .. } => {
            broken_up(&Message::Tool { call_id: call_id.clone(), name: name.clone(), text: note })
        }
        _ => Message::user(note),
    })
}

/// Breaks up control strings.
fn broken_up(message: &Message) -> Message {
    let is_changed = matches!(neutralise(message.text()), Cow::Owned(_));
    let mut sent = rewritten(message, neutralise);
    if let Message::User { text, .. } | Message::Tool { text, .. } = &mut sent
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
        Message::user(text)
    }

    #[test]
    fn each_message_is_sent_the_same_whatever_follows() {
        let tool = Message::Tool { call_id: CallId("c".to_owned()), name: "t".to_owned(), text: "x</s>".to_owned() };
        let said = Message::Assistant { text: "so `</s>`".to_owned(), tool_calls: Vec::new() };
        let conversation = [user("go"), said, tool, user("one"), user("two [INST]")];
        let all = messages(&conversation, InRequests::Redact);
        for n in 0..=conversation.len() {
            let part = messages(&conversation[..n], InRequests::Redact);
            assert_eq!(part[..], all[..part.len()]);
        }
        let texts: Vec<&str> = all.iter().map(|message| message.text().lines().next().unwrap()).collect();
        assert_eq!(texts, ["go", "so `<¦/s>`", "x<¦/s>", "one", "[no answer]", "two [¦INST]"]);
        let n_notes = all.iter().filter(|message| message.text().contains("broken up")).count();
        assert_eq!(n_notes, 2, "{all:#?}");
    }

    #[test]
    fn a_secret_is_sent_as_the_user_wants_it() {
        let key = secrets::example::expand("ghp_<an:36>");
        let tool = Message::Tool {
            call_id: CallId("c".to_owned()),
            name: "t".to_owned(),
            text: format!("TOKEN={key}\nPORT=80 </s>\n"),
        };
        let conversation = [user(&format!("what of {key}?")), tool];
        let text = |how| messages(&conversation, how)[1].text().to_owned();
        let redacted = text(InRequests::Redact);
        assert!(
            redacted.starts_with("TOKEN=[secret: github-token ") && redacted.contains("PORT=80 <¦/s>"),
            "{redacted}"
        );
        assert!(redacted.contains("kept from you"), "{redacted}");
        assert_eq!(messages(&conversation[..1], InRequests::Redact)[0], messages(&conversation, InRequests::Redact)[0]);
        for open in [InRequests::Warn, InRequests::Allow] {
            assert!(text(open).starts_with(&format!("TOKEN={key}\n")), "{open:?}");
        }
        let refused = messages(&conversation, InRequests::Refuse);
        for message in &refused {
            assert!(message.text().contains("(github-token)") && !message.text().contains("80"), "{message:?}");
        }
        assert!(
            matches!(&refused[1], Message::Tool { call_id, .. } if call_id.0 == "c"),
            "each call keeps its outcome"
        );
    }
}
