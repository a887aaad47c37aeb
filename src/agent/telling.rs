//! When is the user told that something holds a secret?
//!
//! Once for each, when it first enters the conversation: with the outcome of a call or their own words. What becomes of it
//! is for `context::sent`; nothing is decided here, and what is told never holds the secret.

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::base::hash;
use crate::base::secrets::{OWN_KEY, find};
use crate::base::text::{first_line, visible};
use crate::config::schema::InRequests;
use crate::protocol::event::{Author, Event};
use crate::protocol::tool::ToolOutcome;

/// Characters of a tool's name that are shown; models make names up.
const MAX_NAME_CHARS: usize = 40;

/// What has been told.
#[derive(Debug)]
pub struct Telling {
    secrets: InRequests,
    /// Hashes of the secrets the user knows of.
    told: BTreeSet<String>,
}

impl Telling {
    /// Nothing yet.
    pub fn new(secrets: InRequests) -> Self {
        Self { secrets, told: BTreeSet::new() }
    }

    /// Returns what to tell of an event, if it brings a secret the user was not told of.
    pub fn of(&mut self, event: &Event) -> Option<String> {
        let (what, text) = match event {
            Event::UserMessage { author: Author::User, text } => ("your message".to_owned(), Cow::Borrowed(text)),
            Event::UserMessage { author: Author::Project, text } => {
                ("the project's facts".to_owned(), Cow::Borrowed(text))
            }
            Event::Attached { attached } => {
                let texts: Vec<&str> = attached.iter().map(|one| one.text.as_str()).collect();
                ("what you attached".to_owned(), Cow::Owned(texts.join("\n")))
            }
            Event::ToolFinished { tool, outcome, .. } => {
                let what = format!("the outcome of `{}`", visible(&first_line(tool, MAX_NAME_CHARS)));
                (what, Cow::Borrowed(told_text(outcome)?))
            }
            _ => return None,
        };
        let found = find(&text);
        let is_news = |told: &mut BTreeSet<String>, secret: &str| told.insert(hash::of_bytes(secret.as_bytes()));
        let mut kinds = BTreeSet::new();
        let mut is_own = false;
        for one in &found {
            if is_news(&mut self.told, &text[one.range.clone()]) {
                is_own |= &*one.name == OWN_KEY;
                kinds.insert(one.name.to_string());
            }
        }
        if kinds.is_empty() || (self.secrets == InRequests::Allow && !is_own) {
            return None;
        }
        let becomes = match self.secrets {
            InRequests::Redact => "the model gets a placeholder for it (secrets.in_requests: redact)",
            InRequests::Refuse => "it is not sent to the model (secrets.in_requests: refuse)",
            InRequests::Warn | InRequests::Allow if is_own => {
                "the model gets a placeholder for it, as it is mimi's own"
            }
            InRequests::Warn | InRequests::Allow => "it is sent to the model (secrets.in_requests: warn)",
        };
        let kinds: Vec<String> = kinds.into_iter().collect();
        Some(format!("{what} holds what looks like a secret ({}); {becomes}", kinds.join(", ")))
    }
}

fn told_text(outcome: &ToolOutcome) -> Option<&String> {
    match outcome {
        ToolOutcome::Ok { text }
        | ToolOutcome::Failed { text }
        | ToolOutcome::Denied { text, .. }
        | ToolOutcome::TimedOut { text } => Some(text),
        ToolOutcome::Cancelled => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::secrets::example::expand;

    fn said(text: String) -> Event {
        Event::UserMessage { author: Author::User, text }
    }

    #[test]
    fn each_secret_is_told_of_once_and_never_shown() {
        let (first, second) = (expand("ghp_<an:36>"), expand("npm_<an:36>"));
        for (secrets, words) in [
            (InRequests::Redact, "placeholder"),
            (InRequests::Warn, "is sent to the model"),
            (InRequests::Refuse, "is not sent"),
        ] {
            let mut telling = Telling::new(secrets);
            let told = telling.of(&said(format!("a {first} b {first}"))).unwrap();
            assert!(told.contains(words) && told.contains("your message") && told.contains("github-token"), "{told}");
            assert!(!told.contains(&first));
            assert_eq!(telling.of(&said(format!("again {first}"))), None);
            let told = telling.of(&said(format!("{first} {second}"))).unwrap();
            assert!(told.contains("npm-token") && !told.contains("github"), "{told}");
        }
        assert_eq!(Telling::new(InRequests::Allow).of(&said(first)), None);
    }
}
