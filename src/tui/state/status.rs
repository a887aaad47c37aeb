//! How does the work stand at this moment?
//!
//! What the status line says, drawn from the records: model, mode, what is waited for, how full the context is, how quick and
//! how busy the server is.

use std::sync::Arc;

use crate::protocol::event::{Event, Phase, Record};
use crate::protocol::message::Usage;
use crate::protocol::op::Mode;
use crate::protocol::usage::Stats;
use crate::protocol::wait::Wait;

/// Facts that do not come from records.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// The model.
    pub model: String,
    /// Where it is served.
    pub server: String,
    /// How commands are confined.
    pub tier: String,
    /// The branch checked out; none outside of git.
    pub branch: Option<String>,
    /// Names the session.
    pub session: String,
}

/// Says what an answer of a model cost; none where it has no price.
pub type Cost = dyn Fn(&str, &Usage, &Stats) -> Option<f64> + Send + Sync;

/// The prices of models, where there are any.
#[derive(Clone, Default)]
pub struct Pricing(Option<Arc<Cost>>);

impl Pricing {
    /// Prices answers so.
    pub fn new(cost: Arc<Cost>) -> Self {
        Self(Some(cost))
    }

    /// Says what an answer of a model cost; none where it has no price.
    pub fn cost(&self, model: &str, usage: &Usage, stats: &Stats) -> Option<f64> {
        self.0.as_ref().and_then(|cost| cost(model, usage, stats))
    }
}

impl std::fmt::Debug for Pricing {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(if self.0.is_some() { "Pricing(some)" } else { "Pricing(none)" })
    }
}

impl PartialEq for Pricing {
    fn eq(&self, other: &Self) -> bool {
        self.0.is_some() == other.0.is_some()
    }
}

/// Writes an amount in the currency of the prices, with as many digits as say something.
pub fn money(amount: f64) -> String {
    if amount >= 0.1 { format!("{amount:.2}") } else { format!("{amount:.4}") }
}

/// A request that failed and is sent again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retry {
    /// What failed, and which try comes next.
    pub text: String,
    /// When it is sent again, in milliseconds since the Unix epoch.
    pub until_ms: u64,
}

/// How the work stands.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Status {
    /// What does not come from records.
    pub facts: Facts,
    /// How much is done without asking.
    pub mode: Mode,
    /// Where in the loop the agent is; none between turns.
    pub phase: Option<Phase>,
    /// When the running turn began, in milliseconds since the Unix epoch; none between turns.
    pub turn_from_ms: Option<u64>,
    /// What the request waits for.
    pub wait: Option<Wait>,
    /// A request that is about to be sent again.
    pub retry: Option<Retry>,
    /// Tokens the conversation takes.
    pub context_tokens: u64,
    /// Tokens the model can take; 0 before the first answer.
    pub window_tokens: u64,
    /// What the turn took so far.
    pub usage: Usage,
    /// Tokens a second, as the last answer came.
    pub tokens_per_s: Option<f64>,
    /// Commands of the person's own that run.
    pub n_own: usize,
    /// Commands behind the turns.
    pub n_behind: usize,
    /// Tokens of the whole session, read and written.
    pub spent: Usage,
    /// What they cost, as far as they have a price; none while nothing had one.
    pub cost: Option<f64>,
    /// The prices.
    pub pricing: Pricing,
}

impl Status {
    /// Says whether a turn runs.
    pub fn is_busy(&self) -> bool {
        self.turn_from_ms.is_some()
    }

    /// Takes one record.
    pub fn take(&mut self, record: &Record) {
        match &record.event {
            Event::TurnStarted { .. } => {
                self.turn_from_ms = Some(record.at_ms);
                self.usage = Usage::default();
            }
            Event::TurnDone { .. } => self.end_turn(),
            Event::ToolStarted { call, .. } if call.is_of_user() => self.n_own += 1,
            Event::ToolFinished { call, .. } if call.is_of_user() => self.n_own = self.n_own.saturating_sub(1),
            Event::Backgrounded { .. } => self.n_behind += 1,
            Event::BackgroundEnded { .. } => self.n_behind = self.n_behind.saturating_sub(1),
            Event::PhaseChanged { phase } => self.phase = Some(*phase),
            Event::ModeChanged { mode } => self.mode = *mode,
            Event::ModelChanged { model } => self.facts.model.clone_from(model),
            Event::Usage { usage, model, context_tokens, window_tokens, stats } => {
                if let Some(cost) = self.pricing.cost(model, usage, stats) {
                    *self.cost.get_or_insert(0.0) += cost;
                }
                self.context_tokens = *context_tokens;
                self.window_tokens = *window_tokens;
                self.usage += *usage;
                self.spent += *usage;
                self.tokens_per_s = speed(usage, stats).or(self.tokens_per_s);
            }
            Event::Compacted { after_tokens, .. } => self.context_tokens = *after_tokens,
            Event::Dropped { freed_tokens, .. } => {
                self.context_tokens = self.context_tokens.saturating_sub(*freed_tokens);
            }
            _ => {}
        }
        self.wait = if let Event::Waiting(wait) = &record.event { Some(*wait) } else { None };
        self.retry = match &record.event {
            Event::Retrying { attempt, max, wait_ms, error } => {
                Some(Retry { text: format!("{error}; try {attempt} of {max}"), until_ms: record.at_ms + wait_ms })
            }
            _ => None,
        };
    }

    /// No turn runs.
    pub fn end_turn(&mut self) {
        self.turn_from_ms = None;
        self.phase = None;
        self.wait = None;
        self.retry = None;
    }

    /// Share of the context that is used, from 0 to 1; none while the window is unknown.
    pub fn fullness(&self) -> Option<f64> {
        (self.window_tokens > 0).then(|| self.context_tokens as f64 / self.window_tokens as f64)
    }

    /// Share of what was read that the server had already, from 0 to 1; none where it does not say.
    pub fn cache_share(&self) -> Option<f64> {
        let Usage { input_tokens, cached_tokens, .. } = self.usage;
        (cached_tokens > 0 && input_tokens > 0).then(|| cached_tokens as f64 / input_tokens as f64)
    }
}

fn speed(usage: &Usage, stats: &Stats) -> Option<f64> {
    let ms = stats.decode_ms.filter(|ms| *ms > 0)?;
    (usage.output_tokens > 0).then(|| usage.output_tokens as f64 * 1000.0 / ms as f64)
}
