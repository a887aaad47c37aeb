//! Which pieces mean what the question means?
//!
//! By every embedder that can be asked. A model on a server knows more and covers less: texts that came after its last run
//! have vectors of the built-in embedder alone, and count by those. Cosines of two embedders cannot be compared, so that each
//! side is brought to 0..1 first.

use std::collections::HashMap;

use crate::db::work::Work;
use crate::index::error::IndexError;
use crate::index::search::Asked;
use crate::index::search::rank::Weights;
use crate::index::store::read;
use crate::index::vectors::kept::{self, Kept};
use crate::index::vectors::{self, Wanted};

/// A question as a model on a server sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct Served {
    /// Whose vectors it is compared with.
    pub kept: Kept,
    /// Its vector.
    pub question: Vec<f32>,
    /// Texts from this one on may have no vector.
    pub complete_before: u64,
}

/// Returns the pieces whose texts lie nearest, the nearest first: with the cosine where one embedder was asked, else with
/// what both say together.
pub fn candidates(work: &Work<'_>, asked: &Asked<'_>, weights: &Weights) -> Result<Vec<(u64, f32)>, IndexError> {
    let n = weights.candidates.vectors * if asked.query.is_narrow() { 10 } else { 1 };
    let language = match asked.query.languages.as_slice() {
        [only] => Some(only.as_str()),
        _ => None,
    };
    let nearest = |kept: &Kept, question: &[f32]| vectors::open(work, kept).nearest(&Wanted { question, n, language });
    let own = match kept::find(work, asked.embedder.id(), asked.embedder.dimensions())? {
        Some(kept) => nearest(&kept, &asked.embedder.query(&asked.query.text))?,
        None => Vec::new(),
    };
    let texts = match asked.served {
        Some(served) => {
            let theirs = nearest(&served.kept, &served.question)?;
            joined(&own, &theirs, weights.server_share, |text| text < served.complete_before)
        }
        None => own,
    };
    let mut found = Vec::new();
    for (text, score) in texts.into_iter().take(n) {
        found.extend(read::chunks_of_text(work, text)?.into_iter().map(|chunk| (chunk, score)));
    }
    Ok(found)
}

/// Joins two lists; `share` is what the second counts for where it could have found a text.
fn joined(own: &[(u64, f32)], theirs: &[(u64, f32)], share: f32, could_find: impl Fn(u64) -> bool) -> Vec<(u64, f32)> {
    if theirs.is_empty() {
        return own.to_vec();
    }
    let mut scores: HashMap<u64, f32> = HashMap::new();
    for (text, score) in scaled(own) {
        *scores.entry(text).or_default() += if could_find(text) { (1.0 - share) * score } else { score };
    }
    for (text, score) in scaled(theirs) {
        *scores.entry(text).or_default() += share * score;
    }
    let mut all: Vec<(u64, f32)> = scores.into_iter().collect();
    all.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    all
}

/// Brings a list, the best first, to 0..1.
fn scaled(side: &[(u64, f32)]) -> impl Iterator<Item = (u64, f32)> {
    let lowest = side.last().map_or(0.0, |(_, score)| *score);
    let span = side.first().map_or(0.0, |(_, score)| *score) - lowest;
    side.iter().map(move |(text, score)| (*text, if span > 0.0 { (score - lowest) / span } else { 1.0 }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_has_not_seen_counts_by_the_built_in_embedder_alone() {
        let (own, theirs) = ([(1, 0.9), (9, 0.8), (2, 0.5)], [(2, 0.7), (1, 0.6), (3, 0.1)]);
        let order = |all: Vec<(u64, f32)>| all.into_iter().map(|(text, _)| text).collect::<Vec<_>>();
        assert_eq!(order(joined(&own, &theirs, 0.55, |text| text < 5)), [1, 9, 2, 3]);
        assert_eq!(order(joined(&own, &theirs, 0.55, |_| true)), [1, 2, 9, 3], "it was seen, and not found near");
        assert_eq!(joined(&own, &[], 0.55, |_| true), own, "as it is without a server");
    }
}
