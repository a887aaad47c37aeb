//! What do the places found tell about a search?
//!
//! Pure. Of one question: which share of the right places is among the first 1, 5 and 10, one over the rank of the first,
//! NDCG of the first 10 (a right place counts one over the logarithm of its rank), and how many tokens one has to read down
//! to the first right place. Of many: the mean; of tokens the median, where what was not found counts as endless.

use serde::{Deserialize, Serialize};

use crate::index::eval::question::Question;

/// Results of a search that are looked at; what comes later counts as not found.
pub const DEPTH: usize = 50;
/// The estimate of tokens: so many bytes of code are one.
pub const BYTES_PER_TOKEN: u64 = 4;

/// What came of one question.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// The question.
    pub question: String,
    /// Its kind.
    pub kind: String,
    /// Share of the right places among the first result.
    pub recall_1: f64,
    /// Share among the first five.
    pub recall_5: f64,
    /// Share among the first ten.
    pub recall_10: f64,
    /// One over the rank of the first right place; 0 when there is none.
    pub mrr: f64,
    /// Normalised discounted gain of the first ten.
    pub ndcg_10: f64,
    /// Tokens of all results down to the first right one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<u64>,
}

/// Reads a figure out of an answer.
type Pick = fn(&Answer) -> f64;

/// The figures that are means of answers, with their names in tables and in JSON.
pub const FIGURES: [(&str, &str, Pick); 5] = [
    ("R@1", "recall_1", |answer| answer.recall_1),
    ("R@5", "recall_5", |answer| answer.recall_5),
    ("R@10", "recall_10", |answer| answer.recall_10),
    ("MRR", "mrr", |answer| answer.mrr),
    ("NDCG@10", "ndcg_10", |answer| answer.ndcg_10),
];

/// A result as it is judged: where it is and its size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// The file.
    pub path: String,
    /// First line.
    pub line: u32,
    /// Last line.
    pub end_line: u32,
    /// Bytes of these lines.
    pub n_bytes: u64,
}

/// Judges what was found, the best first.
pub fn judge(question: &Question, found: &[Shown]) -> Answer {
    let rank = |met: &dyn Fn(&Shown) -> bool| found.iter().take(DEPTH).position(met).map(|at| at + 1);
    let ranks: Vec<Option<usize>> = question
        .relevant
        .iter()
        .map(|gold| rank(&|shown: &Shown| gold.is_met_by(&shown.path, shown.line, shown.end_line)))
        .collect();
    let n_gold = ranks.len().max(1) as f64;
    let recall = |n: usize| ranks.iter().flatten().filter(|rank| **rank <= n).count() as f64 / n_gold;
    let first = ranks.iter().flatten().min().copied();
    let gain = |rank: usize| 1.0 / (rank as f64 + 1.0).log2();
    let ideal: f64 = (1..=ranks.len().min(10)).map(gain).sum();
    let got: f64 = ranks.iter().flatten().filter(|rank| **rank <= 10).map(|rank| gain(*rank)).sum();
    let n_bytes = |first: usize| found.iter().take(first).map(|shown| shown.n_bytes).sum::<u64>();
    Answer {
        question: question.question.clone(),
        kind: question.kind.clone(),
        recall_1: recall(1),
        recall_5: recall(5),
        recall_10: recall(10),
        mrr: first.map_or(0.0, |first| 1.0 / first as f64),
        // Two right places in one result share a rank: not more than all.
        ndcg_10: (got / ideal.max(f64::MIN_POSITIVE)).min(1.0),
        tokens: first.map(|first| n_bytes(first).div_ceil(BYTES_PER_TOKEN)),
    }
}

/// Returns the mean of a figure.
pub fn mean<'a>(answers: impl Iterator<Item = &'a Answer>, pick: Pick) -> f64 {
    let (n, sum) = answers.fold((0_u32, 0.0), |(n, sum), answer| (n + 1, sum + pick(answer)));
    sum / f64::from(n.max(1))
}

/// Returns the median of the tokens; none when fewer than half of the questions found a right place.
pub fn median_tokens<'a>(answers: impl Iterator<Item = &'a Answer>) -> Option<u64> {
    let mut tokens: Vec<u64> = answers.map(|answer| answer.tokens.unwrap_or(u64::MAX)).collect();
    tokens.sort_unstable();
    tokens.get(tokens.len().saturating_sub(1) / 2).copied().filter(|tokens| *tokens != u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(relevant: &[&str]) -> Question {
        let relevant = relevant.iter().map(|gold| (*gold).to_owned().try_into().unwrap()).collect();
        Question { question: "q".to_owned(), relevant, kind: "k".to_owned(), without_docs: false }
    }

    fn shown(path: &str, line: u32) -> Shown {
        Shown { path: path.to_owned(), line, end_line: line + 9, n_bytes: 400 }
    }

    #[test]
    fn a_right_place_counts_by_its_rank() {
        let found: Vec<Shown> = ["x", "y", "a", "a"].iter().zip([1, 1, 1, 20]).map(|(p, l)| shown(p, l)).collect();
        let answer = judge(&question(&["a:25-26"]), &found);
        assert_eq!((answer.recall_1, answer.recall_5, answer.mrr, answer.tokens), (0.0, 1.0, 0.25, Some(400)));
        assert!((answer.ndcg_10 - 1.0 / 5.0_f64.log2()).abs() < 1e-9);
        let answer = judge(&question(&["x", "b"]), &found);
        assert_eq!((answer.recall_1, answer.recall_10, answer.mrr, answer.tokens), (0.5, 0.5, 1.0, Some(100)));
        assert!((answer.ndcg_10 - 1.0 / (1.0 + 1.0 / 3.0_f64.log2())).abs() < 1e-9);
        let answer = judge(&question(&["a:1-2", "a:3-4"]), &found[2..]);
        assert_eq!((answer.recall_1, answer.ndcg_10), (1.0, 1.0), "both stand in one result");
        let answer = judge(&question(&["b"]), &found);
        assert_eq!((answer.recall_10, answer.mrr, answer.ndcg_10, answer.tokens), (0.0, 0.0, 0.0, None));
        assert_eq!(judge(&question(&["a"]), &[]).mrr, 0.0);
    }

    #[test]
    fn what_is_not_found_makes_the_median_endless() {
        let found = [shown("a", 1)];
        let (hit, miss) = (judge(&question(&["a"]), &found), judge(&question(&["b"]), &found));
        assert_eq!(median_tokens([&hit, &hit, &miss].into_iter()), Some(100));
        assert_eq!(median_tokens([&hit, &miss, &miss].into_iter()), None);
        assert_eq!(median_tokens([].into_iter()), None);
        assert_eq!(mean([&hit, &miss].into_iter(), |answer| answer.mrr), 0.5);
        assert_eq!(mean([].into_iter(), |answer| answer.mrr), 0.0);
    }
}
