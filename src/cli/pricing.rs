//! What do the answers of a conversation cost?
//!
//! Joins the prices of the settings with the provider at hand, for whoever shows what was spent. Computes when it is shown, as
//! `mimi usage` does. Surprising: after a fall back to another server the first one's provider still names the price.

use std::sync::Arc;

use crate::app::App;
use crate::telemetry::price::{Prices, Used};
use crate::tui::state::status::Pricing;

/// Returns the prices for answers of a provider; none where the settings have none.
pub fn of(app: &App, provider: &str) -> Pricing {
    let prices = Prices::new(app.config.prices.clone());
    if prices.is_empty() {
        return Pricing::default();
    }
    let provider = provider.to_owned();
    Pricing::new(Arc::new(move |model, usage, stats| {
        let used = Used {
            input_tokens: usage.input_tokens,
            cached_tokens: usage.cached_tokens,
            output_tokens: usage.output_tokens,
            busy_ms: stats.total_ms,
        };
        prices.cost(&provider, model, &used)
    }))
}
