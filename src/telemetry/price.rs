//! What does a request cost?
//!
//! Computed when it is shown, never kept: whoever corrects a price corrects the past too. Pure.

use std::collections::BTreeMap;

use crate::base::text::fits;
use crate::config::schema::PriceConfig;

/// What was used of one model.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Used {
    /// Tokens read, those in the prefix cache included.
    pub input_tokens: u64,
    /// Of those, tokens in the prefix cache.
    pub cached_tokens: u64,
    /// Tokens written.
    pub output_tokens: u64,
    /// Time the server worked on it.
    pub busy_ms: u64,
}

/// The rows of `prices`.
#[derive(Debug, Clone, Default)]
pub struct Prices(BTreeMap<String, PriceConfig>);

impl Prices {
    /// Takes the rows of the configuration.
    pub fn new(rows: BTreeMap<String, PriceConfig>) -> Self {
        Self(rows)
    }

    /// Says whether nothing has a price.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the price of a model: of the longest name that fits, and of two of one length the one of its provider.
    fn of(&self, provider: &str, model: &str) -> Option<&PriceConfig> {
        let (model, full) = (model.to_lowercase(), format!("{provider}/{model}").to_lowercase());
        let fitting = self.0.iter().filter(|(name, _)| {
            let name = name.to_lowercase();
            fits(&name, &full) || fits(&name, &model)
        });
        fitting
            .max_by_key(|(name, _)| (name.chars().filter(|c| *c != '*').count(), name.contains('/')))
            .map(|row| row.1)
    }

    /// Returns what was used of a model costs; none when it has no price.
    pub fn cost(&self, provider: &str, model: &str, used: &Used) -> Option<f64> {
        const MILLION: f64 = 1e6;
        let price = self.of(provider, model)?;
        let cached = used.cached_tokens.min(used.input_tokens);
        let read = (used.input_tokens - cached) as f64 * price.input_per_mtok
            + cached as f64 * price.cached_per_mtok.unwrap_or(price.input_per_mtok);
        let tokens = (read + used.output_tokens as f64 * price.output_per_mtok) / MILLION;
        Some(tokens + used.busy_ms as f64 / 1000.0 * price.per_gpu_second)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prices(rows: &[(&str, PriceConfig)]) -> Prices {
        Prices::new(rows.iter().map(|(name, price)| ((*name).to_owned(), *price)).collect())
    }

    fn read_at(input_per_mtok: f64) -> PriceConfig {
        PriceConfig { input_per_mtok, ..PriceConfig::default() }
    }

    #[test]
    fn the_longest_name_that_fits_counts() {
        let prices = prices(&[
            ("*", read_at(1.0)),
            ("qwen3-coder:*", read_at(2.0)),
            ("dgx/qwen3-coder:*", read_at(3.0)),
            ("qwen3-coder:30b", read_at(4.0)),
        ]);
        let table = [
            ("dgx", "Qwen3-Coder:8b", 3.0),
            ("box", "qwen3-coder:8b", 2.0),
            ("box", "qwen3-coder:30b", 4.0),
            ("box", "llama", 1.0),
        ];
        let million = Used { input_tokens: 1_000_000, ..Used::default() };
        for (provider, model, expected) in table {
            assert_eq!(prices.cost(provider, model, &million), Some(expected), "{provider}/{model}");
        }
        assert_eq!(Prices::default().cost("dgx", "m", &million), None);
    }

    #[test]
    fn tokens_and_seconds_add_up_and_cached_ones_have_a_price_of_their_own() {
        let used = Used { input_tokens: 2_000_000, cached_tokens: 1_500_000, output_tokens: 100_000, busy_ms: 30_000 };
        let full =
            PriceConfig { input_per_mtok: 1.0, cached_per_mtok: Some(0.1), output_per_mtok: 4.0, per_gpu_second: 0.01 };
        let table = [
            (full, 0.5 + 0.15 + 0.4 + 0.3),
            (PriceConfig { cached_per_mtok: None, ..full }, 2.0 + 0.4 + 0.3),
            (PriceConfig { per_gpu_second: 0.01, ..PriceConfig::default() }, 0.3),
        ];
        for (price, expected) in table {
            let cost = prices(&[("m", price)]).cost("p", "m", &used).unwrap();
            assert!((cost - expected).abs() < 1e-9, "{cost} {expected}");
        }
    }
}
