//! Is a difference between two searches more than chance?
//!
//! Pure. Questions are paired by their text and kind; from the pairs as many are drawn again and again, with repetition, and
//! the middle 95 % of the mean differences is the interval (paired bootstrap). The draws are the same every time.

use std::collections::HashMap;

use serde::Serialize;

use crate::index::eval::figures::{Answer, FIGURES};

/// Times all pairs are drawn anew; more changes the third digit of the interval no more.
const N_DRAWS: usize = 2000;
/// Where the draws begin.
const SEED: u64 = 20_261;

/// How a figure differs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Difference {
    /// The figure's name.
    pub figure: &'static str,
    /// The mean difference: after less before.
    pub mean: f64,
    /// The interval's lower end.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
    /// Questions both know.
    pub n: usize,
}

impl Difference {
    /// Says whether it is lower in all likelihood.
    pub fn is_worse(&self) -> bool {
        self.high < 0.0
    }
}

/// Compares all figures of two searches; empty when they have no question in common.
pub fn compare(before: &[Answer], after: &[Answer]) -> Vec<Difference> {
    let known: HashMap<(&str, &str), &Answer> =
        before.iter().map(|answer| ((answer.question.as_str(), answer.kind.as_str()), answer)).collect();
    let pairs: Vec<(&Answer, &Answer)> = after
        .iter()
        .filter_map(|after| Some((*known.get(&(after.question.as_str(), after.kind.as_str()))?, after)))
        .collect();
    if pairs.is_empty() {
        return Vec::new();
    }
    let of = |(_, name, pick): (&str, &'static str, fn(&Answer) -> f64)| {
        let deltas: Vec<f64> = pairs.iter().map(|(before, after)| pick(after) - pick(before)).collect();
        let (low, high) = interval(&deltas);
        let mean = deltas.iter().sum::<f64>() / deltas.len() as f64;
        Difference { figure: name, mean, low, high, n: deltas.len() }
    };
    FIGURES.into_iter().map(of).collect()
}

fn interval(deltas: &[f64]) -> (f64, f64) {
    let mut state = SEED;
    let mut means: Vec<f64> = (0..N_DRAWS)
        .map(|_| {
            let draw = |_| deltas[(random(&mut state) % deltas.len() as u64) as usize];
            (0..deltas.len()).map(draw).sum::<f64>() / deltas.len() as f64
        })
        .collect();
    means.sort_by(f64::total_cmp);
    (means[N_DRAWS * 25 / 1000], means[N_DRAWS * 975 / 1000 - 1])
}

/// SplitMix64.
fn random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers(values: &[f64]) -> Vec<Answer> {
        let answer = |(at, value): (usize, &f64)| Answer {
            question: format!("q{at}"),
            kind: "k".to_owned(),
            recall_1: *value,
            recall_5: *value,
            recall_10: *value,
            mrr: *value,
            ndcg_10: *value,
            tokens: None,
        };
        values.iter().enumerate().map(answer).collect()
    }

    #[test]
    fn what_is_better_for_nearly_all_is_no_chance_and_the_draws_are_the_same_every_time() {
        let before = answers(&[0.2; 40]);
        let after = answers(&[[0.5; 4].as_slice(), &[0.1]].concat().repeat(8));
        let found = compare(&before, &after);
        assert_eq!(found, compare(&before, &after));
        let mrr = found.iter().find(|difference| difference.figure == "mrr").unwrap();
        assert!((mrr.mean - 0.22).abs() < 1e-9 && mrr.low > 0.15 && mrr.high < 0.28 && mrr.n == 40, "{mrr:?}");
        assert!(compare(&after, &before).iter().all(Difference::is_worse));
    }

    #[test]
    fn chance_is_told_as_chance_and_strangers_are_not_compared() {
        let found = compare(&answers(&[0.0, 1.0, 0.0, 1.0]), &answers(&[1.0, 0.0, 0.0, 1.0]));
        assert!(found.iter().all(|difference| difference.low <= 0.0 && difference.high >= 0.0));
        assert!(found.iter().all(|difference| !difference.is_worse()));
        let mut strange = answers(&[1.0]);
        strange[0].kind = "other".to_owned();
        assert!(compare(&answers(&[1.0]), &strange).is_empty());
        let same = compare(&answers(&[0.3, 0.7]), &answers(&[0.3, 0.7]));
        assert!(same.iter().all(|difference| (difference.low, difference.high) == (0.0, 0.0)));
    }
}
