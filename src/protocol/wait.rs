//! What does a request wait for, and how is that said in a few words?
//!
//! Plain data, and one way of wording it for every front end. Each report replaces the one before.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a request waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WaitState {
    /// It is not sent yet: other requests of this user are under way, as many as are allowed.
    Held,
    /// The server works on others first.
    Queued,
    /// The server brings the model into memory.
    Loading,
    /// The server reads the prompt.
    Prefilling,
    /// Nothing has come yet, and the server does not say why.
    Silent,
    /// The answer began and has paused.
    Paused,
}

/// How a request stands at the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wait {
    /// What it waits for.
    pub state: WaitState,
    /// Since it was sent; for a pause, since the last piece of the answer.
    pub waited_ms: u64,
    /// Requests that are served before it, where the server tells. An estimate: servers tell how many wait, not which.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ahead: Option<u64>,
    /// Requests the server works on, where it tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub running: Option<u64>,
    /// Tokens of the prompt that were read so far, where the server tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_tokens: Option<u64>,
    /// Tokens of the prompt: as the server counts them, else as they are estimated here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt_tokens: Option<u64>,
}

impl Wait {
    /// Builds a report that knows nothing but the state.
    pub fn new(state: WaitState) -> Self {
        Self { state, waited_ms: 0, ahead: None, running: None, read_tokens: None, prompt_tokens: None }
    }

    /// Says whether two reports differ in more than the time that passed.
    pub fn says_more_than(&self, other: Option<&Self>) -> bool {
        other.is_none_or(|other| Self { waited_ms: 0, ..*self } != Self { waited_ms: 0, ..*other })
    }
}

impl fmt::Display for Wait {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.state, self.ahead, self.running) {
            (WaitState::Queued, Some(0), _) => out.write_str("queued, next in line"),
            (WaitState::Queued, Some(ahead), _) => write!(out, "queued, {ahead} ahead"),
            (WaitState::Queued, None, _) => out.write_str("queued"),
            (WaitState::Held, ..) => out.write_str("waiting for an own request to end"),
            (WaitState::Loading, ..) => out.write_str("the server is loading the model"),
            (WaitState::Prefilling, ..) => self.write_prefilling(out),
            (WaitState::Silent, _, Some(running)) if running > 1 => {
                write!(out, "no answer yet, the server works on {running} requests")
            }
            (WaitState::Silent, ..) => out.write_str("no answer yet: the server serves others or reads the prompt"),
            (WaitState::Paused, ..) => out.write_str("the answer has paused"),
        }
    }
}

impl Wait {
    fn write_prefilling(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.read_tokens, self.prompt_tokens) {
            (Some(read), Some(all)) => write!(out, "prefilling {} of {} tokens", short(read), short(all)),
            (None, Some(all)) => write!(out, "prefilling {} tokens", short(all)),
            (_, None) => out.write_str("prefilling the prompt"),
        }
    }
}

/// Renders a number of tokens in at most four signs: `950`, `1.2k`, `38k`, `1.0M`.
pub fn short(tokens: u64) -> String {
    let tenths = |unit: u64| (tokens + unit / 20) * 10 / unit;
    match tokens {
        0..1000 => tokens.to_string(),
        1000..9950 => format!("{}.{}k", tenths(1000) / 10, tenths(1000) % 10),
        9950..999_500 => format!("{}k", (tokens + 500) / 1000),
        _ => format!("{}.{}M", tenths(1_000_000) / 10, tenths(1_000_000) % 10),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_state_is_said_in_a_few_words() {
        let wait = |state| Wait::new(state);
        let table = [
            (Wait { ahead: Some(12), ..wait(WaitState::Queued) }, "queued, 12 ahead"),
            (Wait { ahead: Some(0), ..wait(WaitState::Queued) }, "queued, next in line"),
            (wait(WaitState::Queued), "queued"),
            (Wait { prompt_tokens: Some(38_123), ..wait(WaitState::Prefilling) }, "prefilling 38k tokens"),
            (
                Wait { read_tokens: Some(12_288), prompt_tokens: Some(38_123), ..wait(WaitState::Prefilling) },
                "prefilling 12k of 38k tokens",
            ),
            (wait(WaitState::Prefilling), "prefilling the prompt"),
            (wait(WaitState::Held), "waiting for an own request to end"),
            (wait(WaitState::Loading), "the server is loading the model"),
            (Wait { running: Some(13), ..wait(WaitState::Silent) }, "no answer yet, the server works on 13 requests"),
            (wait(WaitState::Silent), "no answer yet: the server serves others or reads the prompt"),
            (wait(WaitState::Paused), "the answer has paused"),
        ];
        for (wait, expected) in table {
            assert_eq!(wait.to_string(), expected);
            let later = Wait { waited_ms: 9000, ..wait };
            assert!(!later.says_more_than(Some(&wait)) && wait.says_more_than(None), "{expected}");
        }
    }

    #[test]
    fn numbers_of_tokens_are_short_and_rounded() {
        let table =
            [(0, "0"), (999, "999"), (1000, "1.0k"), (1250, "1.3k"), (9949, "9.9k"), (9950, "10k"), (38_499, "38k")];
        let large = [(999_499, "999k"), (999_500, "1.0M"), (1_250_000, "1.3M")];
        for (tokens, expected) in table.into_iter().chain(large) {
            assert_eq!(short(tokens), expected, "{tokens}");
        }
    }
}
