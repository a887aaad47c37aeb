//! How long may fixing go on, and how much of that is used?
//!
//! Requests and tokens are counted by the agent itself, between two steps of which nothing is lost; rounds, time and cost by
//! whoever drives it. Must not stop anything: the timer cancels a token, and the others are asked.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use crate::base::clock::format_duration;
use crate::base::text::count;
use crate::protocol::event::Event;
use crate::protocol::fix_report::Budget;
use crate::telemetry::price::{Prices, Used};

/// The limits of one job. Zero means none, except for rounds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Limits {
    /// Times the agent is handed the failures; 0 for no agent at all.
    pub max_rounds: u32,
    /// Requests to the model, in all rounds.
    #[serde(default)]
    pub max_steps: u32,
    /// Tokens read and written, in all rounds.
    #[serde(default)]
    pub max_tokens: u64,
    /// Milliseconds from the start.
    #[serde(default)]
    pub max_ms: u64,
    /// Cost, in the currency of the prices.
    #[serde(default)]
    pub max_cost: f64,
}

/// What was used.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Spent {
    /// Rounds begun.
    pub rounds: u32,
    /// Requests that were answered.
    pub steps: u32,
    /// Tokens read and written.
    pub tokens: u64,
    /// What they cost, where they have a price.
    pub cost: f64,
}

impl Spent {
    /// Counts an answer of the model.
    pub fn see(&mut self, event: &Event, provider: &str, prices: &Prices) {
        let Event::Usage { usage, model, stats, .. } = event else { return };
        self.steps += 1;
        self.tokens += usage.input_tokens + usage.output_tokens;
        let used = Used {
            input_tokens: usage.input_tokens,
            cached_tokens: usage.cached_tokens,
            output_tokens: usage.output_tokens,
            busy_ms: stats.total_ms,
        };
        self.cost += prices.cost(provider, model, &used).unwrap_or_default();
    }

    /// Returns the limit on requests, tokens or cost that is reached, in words for the user.
    pub fn reached(&self, limits: &Limits) -> Option<String> {
        if limits.max_steps > 0 && self.steps >= limits.max_steps {
            return Some(format!("{} (--max-steps)", count(self.steps as usize, "model request")));
        }
        if limits.max_tokens > 0 && self.tokens >= limits.max_tokens {
            return Some(format!("{} tokens (--max-tokens {})", self.tokens, limits.max_tokens));
        }
        self.has_cost_too_much(limits).then(|| format!("a cost of {:.2} (--max-cost {})", self.cost, limits.max_cost))
    }

    /// Says whether the limit on cost is reached.
    pub fn has_cost_too_much(&self, limits: &Limits) -> bool {
        limits.max_cost > 0.0 && self.cost >= limits.max_cost
    }
}

/// Returns the words for the limit on time.
pub fn time_words(limits: &Limits) -> String {
    format!("{} (--max-time)", format_duration(limits.max_ms))
}

/// Cancels `stop` once the time is up; none without a limit.
pub fn timer(limits: &Limits, stop: &CancellationToken) -> Option<tokio::task::JoinHandle<()>> {
    let (stop, time) = (stop.clone(), Duration::from_millis(limits.max_ms));
    (limits.max_ms > 0).then(|| {
        tokio::spawn(async move {
            tokio::time::sleep(time).await;
            stop.cancel();
        })
    })
}

/// Lists what was used of each limit.
pub fn all(limits: &Limits, spent: &Spent, time: Duration) -> Vec<Budget> {
    let some = |limit: f64| (limit > 0.0).then_some(limit);
    let row = |name: &str, used: f64, limit: Option<f64>| Budget { name: name.to_owned(), used, limit };
    vec![
        row("rounds", f64::from(spent.rounds), Some(f64::from(limits.max_rounds))),
        row("steps", f64::from(spent.steps), some(f64::from(limits.max_steps))),
        row("tokens", spent.tokens as f64, some(limits.max_tokens as f64)),
        row("seconds", time.as_millis() as f64 / 1000.0, some(limits.max_ms as f64 / 1000.0)),
        row("cost", spent.cost, some(limits.max_cost)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_limit_is_reached_by_its_own_count() {
        let spent = Spent { rounds: 1, steps: 5, tokens: 1000, cost: 0.25 };
        let limits = Limits { max_rounds: 3, max_steps: 9, max_tokens: 9999, max_ms: 0, max_cost: 9.0 };
        let table = [
            (limits, None),
            (Limits { max_steps: 5, ..limits }, Some("5 model requests (--max-steps)")),
            (Limits { max_tokens: 1000, ..limits }, Some("1000 tokens (--max-tokens 1000)")),
            (Limits { max_cost: 0.25, ..limits }, Some("a cost of 0.25 (--max-cost 0.25)")),
            (Limits::default(), None),
        ];
        for (limits, expected) in table {
            assert_eq!(spent.reached(&limits).as_deref(), expected, "{limits:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_timer_cancels_when_the_time_is_up_and_not_before() {
        let stop = CancellationToken::new();
        assert!(timer(&Limits::default(), &stop).is_none());
        let limits = Limits { max_ms: 1500, ..Limits::default() };
        let timer = timer(&limits, &stop);
        tokio::time::advance(Duration::from_millis(1400)).await;
        assert!(!stop.is_cancelled());
        assert!(timer.unwrap().await.is_ok() && stop.is_cancelled());
        assert_eq!(time_words(&limits), "1.5s (--max-time)");
    }
}
