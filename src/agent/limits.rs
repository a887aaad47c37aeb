//! When has a turn gone on long enough?

use std::collections::HashMap;

use crate::base::text::count;
use crate::protocol::message::{ToolCall, Usage};
use crate::protocol::tool::ToolOutcome;

/// The bounds of one turn, and of all turns together. Zero means no bound, except for the steps of a turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Model requests.
    pub max_steps: u32,
    /// Tokens read and written.
    pub max_tokens: u64,
    /// Seconds.
    pub max_seconds: u64,
    /// Times the same call may fail in the same way.
    pub max_same_failures: u32,
    /// Model requests in all turns.
    pub all_steps: u32,
    /// Tokens read and written in all turns.
    pub all_tokens: u64,
}

impl Limits {
    /// Returns the bound that a turn of this length has reached, in words for the user.
    pub fn reached(&self, steps: u32, usage: &Usage) -> Option<String> {
        if steps >= self.max_steps {
            return Some(format!("{} in one turn (agent.max_steps)", count(self.max_steps as usize, "model request")));
        }
        self.tokens_reached(usage)
    }

    /// Returns the bound on tokens when it is reached, in words for the user.
    pub fn tokens_reached(&self, usage: &Usage) -> Option<String> {
        let tokens = usage.input_tokens + usage.output_tokens;
        if self.max_tokens > 0 && tokens >= self.max_tokens {
            return Some(format!("{tokens} tokens in one turn (agent.max_tokens is {})", self.max_tokens));
        }
        None
    }

    /// Returns the bound that all turns together have reached, in words for the user.
    pub fn reached_in_all(&self, steps: u32, usage: &Usage) -> Option<String> {
        if self.all_steps > 0 && steps >= self.all_steps {
            return Some(format!("{} in all (--max-steps)", count(steps as usize, "model request")));
        }
        let tokens = usage.input_tokens + usage.output_tokens;
        (self.all_tokens > 0 && tokens >= self.all_tokens)
            .then(|| format!("{tokens} tokens in all (--max-tokens is {})", self.all_tokens))
    }

    /// Returns the words for the time bound.
    pub fn time_words(&self) -> String {
        format!("{} in one turn (agent.max_seconds)", count(self.max_seconds as usize, "second"))
    }
}

/// Notices that the model does the same failing thing again and again.
#[derive(Debug, Clone, Default)]
pub struct Repetition {
    failures: HashMap<u64, u32>,
}

impl Repetition {
    /// Counts an outcome; returns how often this call has failed in this way.
    pub fn count(&mut self, call: &ToolCall, outcome: &ToolOutcome) -> u32 {
        if outcome.is_ok() || matches!(outcome, ToolOutcome::Cancelled) {
            return 0;
        }
        let count = self.failures.entry(signature(call, outcome)).or_default();
        *count += 1;
        *count
    }
}

fn signature(call: &ToolCall, outcome: &ToolOutcome) -> u64 {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};
    let mut hasher = DefaultHasher::new();
    (&call.name, &call.arguments, outcome.text()).hash(&mut hasher);
    hasher.finish()
}
