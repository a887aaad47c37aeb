//! When is a failed request sent again, and when is it better left alone?
//!
//! Waits are spread by full jitter, so that a hundred clients of one server do not return together, and never shorter than
//! the server asks. A [`Budget`] bounds what a process may repeat at one server altogether: one that is down gets a few
//! tries, not the tries of every request. Must not send anything.

use std::sync::{Mutex, PoisonError};

use tokio::time::{Duration, Instant};

use crate::model::error::ModelError;

/// Longest wait a server may impose by `Retry-After`.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(60);

/// When and how often a request is sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// Times a request is sent again.
    pub max: u32,
    /// Upper bound of the first wait; doubles each time.
    pub base: Duration,
    /// Upper bound of every wait.
    pub cap: Duration,
    /// No repetition after this time since the request was first sent: who waited that long in a queue has helped to
    /// fill it, and sending again would make it longer.
    pub within: Duration,
    /// After how long without a sign of life the user is told; again after every such time.
    pub notice: Duration,
    /// Time for which a busy server is asked again whatever the other bounds say, since the request was first sent: for work
    /// that nobody watches, whose own time is bounded.
    pub patience: Duration,
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            max: 4,
            // A hundred clients that were refused together come back at about three in a tenth of a second, five when the
            // second tries of some join the first tries of others: `tests/it/model/crowd.rs` prints it.
            base: Duration::from_secs(3),
            cap: Duration::from_secs(30),
            within: Duration::from_secs(600),
            notice: Duration::from_secs(5),
            patience: Duration::ZERO,
        }
    }
}

impl Retry {
    /// Returns how long to wait before repetition number `attempt`, which counts from one. `fraction` is random.
    pub fn wait(&self, attempt: u32, error: &ModelError, fraction: f64) -> Duration {
        let ceiling = self.base.saturating_mul(1 << attempt.saturating_sub(1).min(20)).min(self.cap);
        let asked = match error {
            ModelError::Busy { retry_after: Some(least), .. } => (*least).min(MAX_RETRY_AFTER),
            _ => Duration::ZERO,
        };
        // The jitter comes on top of what the server asks for: all its clients were told the same number.
        asked + ceiling.mul_f64(fraction)
    }
}

/// Repetitions a process may ask of one server before it has earned any.
const BURST: f64 = 10.0;
/// Repetitions that one request earns: a tenth, as in the retry budgets of Finagle and Envoy.
const EARNED: f64 = 0.1;
/// Repetitions that a second earns: one in a quarter of a minute, for a person who tries by hand.
const EARNED_PER_S: f64 = 1.0 / 15.0;

/// What counts as one repetition: ten tenths add up to a little less.
const WHOLE: f64 = 1.0 - 1e-9;

/// What a process may still repeat at one server: a bucket of tokens, one a repetition.
#[derive(Debug)]
pub struct Budget(Mutex<Bucket>);

#[derive(Debug)]
struct Bucket {
    tokens: f64,
    filled: Instant,
}

impl Default for Budget {
    fn default() -> Self {
        Self(Mutex::new(Bucket { tokens: BURST, filled: Instant::now() }))
    }
}

impl Budget {
    /// Notes that a request is sent for the first time.
    pub fn earn(&self) {
        self.change(|tokens| (tokens + EARNED, true));
    }

    /// Takes one repetition; `false` when none is left.
    pub fn spend(&self) -> bool {
        self.change(|tokens| if tokens >= WHOLE { (tokens - 1.0, true) } else { (tokens, false) })
    }

    fn change(&self, change: impl FnOnce(f64) -> (f64, bool)) -> bool {
        let mut bucket = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let earned = now.duration_since(bucket.filled).as_secs_f64() * EARNED_PER_S;
        let (tokens, is_done) = change((bucket.tokens + earned).min(BURST));
        *bucket = Bucket { tokens: tokens.min(BURST), filled: now };
        is_done
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::error::Cause;

    #[test]
    fn waits_grow_to_a_cap_and_never_fall_below_what_the_server_asks() {
        let retry = Retry { base: Duration::from_millis(500), ..Retry::default() };
        let busy = |retry_after_s: Option<u64>| ModelError::Busy {
            url: String::new(),
            status: "503".to_owned(),
            source: Cause(String::new()),
            retry_after: retry_after_s.map(Duration::from_secs),
        };
        let table = [
            (1, None, 1.0, 500),
            (2, None, 1.0, 1000),
            (3, None, 0.5, 1000),
            (9, None, 1.0, 30_000),
            (99, None, 0.0, 0),
            (1, Some(7), 0.0, 7000),
            (1, Some(7), 1.0, 7500),
            (1, Some(9999), 0.0, 60_000),
        ];
        for (attempt, retry_after_s, fraction, expected_ms) in table {
            let wait = retry.wait(attempt, &busy(retry_after_s), fraction);
            assert_eq!(wait.as_millis(), expected_ms, "{attempt} {retry_after_s:?} {fraction}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_budget_allows_a_burst_then_a_tenth_and_a_little_with_time() {
        let budget = Budget::default();
        let spent = |budget: &Budget| (0..100).take_while(|_| budget.spend()).count();
        assert_eq!(spent(&budget), 10);
        (0..100).for_each(|_| budget.earn());
        assert_eq!(spent(&budget), 10, "a tenth of a hundred");
        tokio::time::advance(Duration::from_secs(46)).await;
        assert_eq!(spent(&budget), 3);
        tokio::time::advance(Duration::from_secs(10_000)).await;
        assert_eq!(spent(&budget), 10, "never more than the burst");
    }
}
