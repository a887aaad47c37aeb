//! Which turn of a script answers which request?
//!
//! Turns are taken in order; one with `when` waits for the request that matches it. What does not fit is an error that
//! names the turn. Shared by the script provider and the test server that plays scripts over HTTP.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::base::text;
use crate::model::providers::script::{Script, Turn};
use crate::protocol::message::Message;

/// What a request shows a script.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// The messages since the last answer, joined.
    pub newest: String,
    /// The last user message.
    pub last_user: String,
    /// The system message.
    pub system: String,
}

impl Seen {
    /// Reads a conversation.
    pub fn of(messages: &[Message]) -> Self {
        let answered = messages.iter().rposition(|message| matches!(message, Message::Assistant { .. }));
        let newest = &messages[answered.map_or(0, |at| at + 1)..];
        let find =
            |wanted: fn(&&Message) -> bool| messages.iter().rev().find(wanted).map_or("", Message::text).to_owned();
        Self {
            newest: newest.iter().map(Message::text).collect::<Vec<_>>().join("\n"),
            last_user: find(|message| matches!(message, Message::User { .. })),
            system: find(|message| matches!(message, Message::System { .. })),
        }
    }
}

/// Plays a script: hands out its turns. Shared by the provider and the test server that plays scripts over HTTP.
#[derive(Debug)]
pub struct Player {
    script: Script,
    used: Mutex<Vec<bool>>,
}

impl Player {
    /// Starts at the first turn.
    pub fn new(script: Script) -> Self {
        let used = Mutex::new(vec![false; script.turns.len()]);
        Self { script, used }
    }

    /// Returns the script.
    pub fn script(&self) -> &Script {
        &self.script
    }

    /// Returns how many turns nobody has asked for.
    pub fn unused(&self) -> usize {
        self.lock().iter().filter(|used| !**used).count()
    }

    /// Returns the turn for a request; an error tells which turn does not fit, and why.
    pub fn next(&self, seen: &Seen) -> Result<&Turn, String> {
        let at = self.take(seen).ok_or_else(|| {
            let asked = text::first_line(&seen.newest, 200);
            format!("the script has {} and all are played; asked again with: {asked}", self.length())
        })?;
        let turn = &self.script.turns[at];
        match turn.expect.as_slice().iter().find(|part| !seen.newest.contains(part.as_str())) {
            None => Ok(turn),
            Some(missing) => Err(format!(
                "turn {} of the script expects `{missing}` in the newest message, which is: {}",
                at + 1,
                text::clip_line(&seen.newest, 400)
            )),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<bool>> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn length(&self) -> String {
        text::count(self.script.turns.len(), "turn")
    }

    fn take(&self, seen: &Seen) -> Option<usize> {
        let mut used = self.lock();
        let turns = self.script.turns.iter().enumerate();
        let free: Vec<(usize, &Turn)> = turns.filter(|(at, _)| !used[*at]).collect();
        let fits = |turn: &Turn| {
            turn.when.as_ref().is_some_and(|text| seen.last_user.contains(text) || seen.system.contains(text))
        };
        let kept = free.iter().find(|(_, turn)| fits(turn));
        let at = kept.or_else(|| free.iter().find(|(_, turn)| turn.when.is_none())).map(|(at, _)| *at)?;
        used[at] = true;
        Some(at)
    }
}
