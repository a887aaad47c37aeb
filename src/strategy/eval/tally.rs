//! What do the events of `mimi fix --json` add up to?
//!
//! Pure: lines in, counts out. Lines it does not know are passed over.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What was counted while a task was worked on.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Counts {
    /// Times the agent was handed the failures.
    pub rounds: u64,
    /// Answers of the model.
    pub requests: u64,
    /// Tokens it read.
    pub input_tokens: u64,
    /// Tokens it wrote.
    pub output_tokens: u64,
    /// Calls it made.
    pub calls: u64,
    /// Calls that were taken out of its words or repaired.
    pub recovered: u64,
    /// Calls that would change files and did not fit, or were refused.
    pub edits_refused: u64,
    /// Time the whole work took, in milliseconds.
    pub total_ms: u64,
    /// Of that, time in which the model was waited for.
    pub model_ms: u64,
    /// Of that, time calls of the model ran.
    pub tools_ms: u64,
    /// Of that, time checks ran.
    pub checks_ms: u64,
    /// Runs of the check.
    pub checks: u64,
}

impl Counts {
    /// Returns what mimi itself added to a round, on average: what is left of the time without the model, its calls and the
    /// checks. Starting and ending the process are in it.
    pub fn own_ms_per_round(&self) -> u64 {
        let others = self.model_ms + self.tools_ms + self.checks_ms;
        self.total_ms.saturating_sub(others) / self.rounds.max(1)
    }

    /// Returns the tokens read and written.
    pub fn tokens(&self) -> u64 {
        self.input_tokens + self.output_tokens
    }
}

/// What the events of one run tell.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// The counts; the total time is not among the events.
    pub counts: Counts,
    /// Whether the first run of the check passed.
    pub was_green: Option<bool>,
    /// Whether the last one did.
    pub is_green: bool,
}

impl Tally {
    /// Counts the lines of a run. `changes_files` says which tools do, by the name the model calls them.
    pub fn of(output: &str, changes_files: impl Fn(&str) -> bool) -> Self {
        let mut tally = Self::default();
        for line in output.lines() {
            let Ok(event) = serde_json::from_str::<Value>(line) else { continue };
            tally.take(&event, &changes_files);
        }
        tally
    }

    fn take(&mut self, event: &Value, changes_files: &impl Fn(&str) -> bool) {
        let counts = &mut self.counts;
        let number = |value: &Value| value.as_u64().unwrap_or_default();
        match event["type"].as_str().unwrap_or_default() {
            "turn_started" => counts.rounds += 1,
            "usage" => {
                counts.requests += 1;
                counts.input_tokens += number(&event["usage"]["input_tokens"]);
                counts.output_tokens += number(&event["usage"]["output_tokens"]);
                counts.model_ms += number(&event["stats"]["total_ms"]);
                let recovered = event["stats"]["recovered"].as_object();
                counts.recovered += recovered.map_or(0, |rows| rows.values().map(number).sum());
            }
            "tool_finished" => {
                counts.calls += 1;
                counts.tools_ms += number(&event["duration_ms"]);
                let is_done = event["outcome"]["status"] == "ok";
                let tool = event["tool"].as_str().unwrap_or_default();
                counts.edits_refused += u64::from(!is_done && changes_files(tool));
            }
            "check_done" => {
                counts.checks += 1;
                counts.checks_ms += number(&event["duration_ms"]);
                self.is_green = event["is_green"] == true;
                self.was_green.get_or_insert(self.is_green);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_add_up() {
        let output = r#"{"type":"check_done","round":0,"is_green":false,"duration_ms":100}
not an event
{"type":"turn_started","turn":1}
{"type":"usage","usage":{"input_tokens":10,"output_tokens":5},"stats":{"total_ms":300,"recovered":{"call_in_text":2}}}
{"type":"tool_finished","tool":"edit_file","outcome":{"status":"failed","text":"no"},"duration_ms":20}
{"type":"tool_finished","tool":"read_file","outcome":{"status":"failed","text":"no"},"duration_ms":1}
{"type":"usage","usage":{"input_tokens":20,"output_tokens":6},"stats":{"total_ms":200}}
{"type":"check_done","round":1,"is_green":true,"duration_ms":80}"#;
        let mut tally = Tally::of(output, |tool| tool == "edit_file");
        assert_eq!((tally.was_green, tally.is_green), (Some(false), true));
        let counts = &mut tally.counts;
        assert_eq!((counts.rounds, counts.requests, counts.tokens(), counts.calls), (1, 2, 41, 2));
        assert_eq!((counts.recovered, counts.edits_refused, counts.checks), (2, 1, 2));
        counts.total_ms = 751;
        assert_eq!(counts.own_ms_per_round(), 50);
    }
}
