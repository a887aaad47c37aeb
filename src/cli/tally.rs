//! What did a turn take at the server, in one line?
//!
//! Adds up the answers of a turn; says nothing where the server counted nothing. The share of the cache tells whether the
//! server had to read the conversation again, the speed how busy it is.

use crate::base::clock::format_duration;
use crate::base::text::count;
use crate::protocol::message::Usage;
use crate::protocol::usage::Stats;
use crate::protocol::wait::short;
use crate::tui::state::status::money;

/// The answers of one turn.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    n_answers: usize,
    usage: Usage,
    /// Tokens written in the time that was measured.
    timed_tokens: u64,
    decode_ms: u64,
    first_token_ms: Option<u64>,
    cost: Option<f64>,
}

impl Tally {
    /// Adds one answer.
    pub fn add(&mut self, usage: &Usage, stats: &Stats) {
        self.n_answers += 1;
        self.usage += *usage;
        self.first_token_ms = self.first_token_ms.or(stats.first_token_ms);
        if let Some(ms) = stats.decode_ms.filter(|ms| *ms > 0) {
            self.decode_ms += ms;
            self.timed_tokens += usage.output_tokens;
        }
    }

    /// Adds what an answer cost, where it has a price.
    pub fn pay(&mut self, cost: Option<f64>) {
        if let Some(cost) = cost {
            *self.cost.get_or_insert(0.0) += cost;
        }
    }

    /// Returns the line; none when there is nothing to say.
    pub fn line(&self) -> Option<String> {
        let Usage { input_tokens, output_tokens, cached_tokens } = self.usage;
        if input_tokens + output_tokens == 0 {
            return None;
        }
        let cached = match cached_tokens {
            0 => String::new(),
            cached => format!(" ({} from the cache)", percent(cached as f64 / input_tokens.max(1) as f64)),
        };
        let speed = match (self.timed_tokens, self.decode_ms) {
            (0, _) | (_, 0) => String::new(),
            (tokens, ms) => format!(" at {:.0} tokens/s", tokens as f64 * 1000.0 / ms as f64),
        };
        let first = self.first_token_ms.map(|ms| format!(", first after {}", format_duration(ms)));
        Some(format!(
            "{}: {} tokens read{cached}, {} written{speed}{}{}",
            count(self.n_answers, "request"),
            short(input_tokens),
            short(output_tokens),
            first.unwrap_or_default(),
            self.cost.map_or_else(String::new, |cost| format!(", cost {}", money(cost))),
        ))
    }
}

/// Renders a share from 0 to 1 in whole percent.
pub fn percent(share: f64) -> String {
    format!("{:.0}%", share * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_is_told_in_one_line() {
        let usage = |input_tokens, output_tokens, cached_tokens| Usage { input_tokens, output_tokens, cached_tokens };
        let stats = |first_token_ms, decode_ms| Stats { first_token_ms, decode_ms, ..Stats::default() };
        let table = [
            (vec![], None),
            (vec![(usage(0, 0, 0), stats(Some(5), Some(5)))], None),
            (vec![(usage(950, 20, 0), stats(None, None))], Some("1 request: 950 tokens read, 20 written")),
            (
                vec![
                    (usage(20_000, 100, 18_000), stats(Some(812), Some(2000))),
                    (usage(21_000, 300, 20_000), stats(Some(90), Some(6000))),
                ],
                Some("2 requests: 41k tokens read (93% from the cache), 400 written at 50 tokens/s, first after 0.8s"),
            ),
            (
                // What was not timed does not count as quick.
                vec![(usage(10, 900, 0), stats(None, None)), (usage(10, 100, 0), stats(None, Some(1000)))],
                Some("2 requests: 20 tokens read, 1.0k written at 100 tokens/s"),
            ),
        ];
        for (answers, expected) in table {
            let mut tally = Tally::default();
            answers.iter().for_each(|(usage, stats)| tally.add(usage, stats));
            assert_eq!(tally.line().as_deref(), expected);
        }
    }
}
