//! In which dialects did the model state its edits, and how well?
//!
//! Counted once a call, however often it is judged, and handed out at the end of the turn. Decides nothing: what a model is
//! offered follows from the counts when a session begins.

use std::collections::HashMap;

use crate::protocol::message::{CallId, Message};
use crate::protocol::profile::EditDialect;
use crate::protocol::tool::Intent;
use crate::telemetry::dialects::{Stated, counters};
use crate::tools::bad_call::BadCall;
use crate::tools::registry::tool_for;

/// The edits of a turn.
#[derive(Debug, Default)]
pub struct Tally {
    edits: HashMap<CallId, (EditDialect, Stated)>,
}

impl Tally {
    /// Takes note of a call that was judged, if it states an edit.
    pub fn note(&mut self, call: &CallId, intent: &Result<Intent, BadCall>) {
        let stated = match intent {
            Ok(intent) => intent.dialect.map(|dialect| (dialect, Stated::Well)),
            Err(BadCall::Unfit { dialect, .. }) => Some((*dialect, Stated::Badly)),
            Err(_) => None,
        };
        if let Some(stated) = stated {
            self.edits.insert(call.clone(), stated);
        }
    }

    /// Takes the names to count, one for each edit and a second for each slip.
    pub fn take(&mut self) -> Vec<&'static str> {
        self.edits.drain().flat_map(|(_, (dialect, stated))| counters(dialect, stated)).collect()
    }
}

/// Returns the dialect that a session goes on in: the one its calls were in, so that what is sent first stays the same. None
/// where it had no edits yet. `wanted` is the dialect it would have begun in.
pub fn kept_dialect(messages: &[Message], wanted: EditDialect) -> Option<EditDialect> {
    let calls = || {
        messages.iter().flat_map(|message| match message {
            Message::Assistant { tool_calls, .. } => tool_calls.as_slice(),
            _ => &[],
        })
    };
    let chain = std::iter::successors(Some(wanted), |dialect| dialect.simpler());
    // Whole files are written in every dialect.
    let mut named = chain.filter(|dialect| *dialect != EditDialect::Whole);
    named.find(|dialect| calls().any(|call| call.name == tool_for(*dialect)))
}
