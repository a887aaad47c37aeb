//! Is a candidate any answer at all, or only the nearest of what does not fit?
//!
//! Vectors always have a nearest, so something must say when nothing is near. Two measures that do not depend on the other
//! candidates: the share of the question's words a piece holds, rare words counting more, and the cosine. One of both must
//! reach its bound in `config/ranking.yaml`; what a name, a place or a literal message led to is shown in any case.

use crate::db::work::Work;
use crate::index::error::IndexError;
use crate::index::search::Asked;
use crate::index::search::fuse::Candidate;

/// Words of a question that count, as in the search for words.
const MAX_WORDS: usize = 48;

/// Leaves only what may be an answer, and notes for each the share of the words it holds.
pub fn keep(work: &Work<'_>, asked: &Asked<'_>, found: &mut Vec<Candidate>) -> Result<(), IndexError> {
    let most = most(work, asked)?;
    let bounds = &asked.weights.shown;
    // What a model on a server says beside the built-in embedder is no cosine, and nobody measured a bound for it.
    let bound = bounds.cosine.get(asked.embedder.id()).copied().filter(|_| asked.served.is_none());
    let cosine = bound.unwrap_or(f32::MIN_POSITIVE);
    for candidate in found.iter_mut() {
        candidate.parts.share = if most > 0.0 { (candidate.parts.words / most).min(1.0) } else { 0.0 };
    }
    found.retain(|Candidate { parts, .. }| {
        parts.definition > 0.0
            || parts.place > 0.0
            || parts.literal > 0.0
            || parts.share >= bounds.share
            || parts.vector >= cosine
    });
    Ok(())
}

/// What a piece scores that holds every word of the question once; words that stand nowhere count as the rarest.
fn most(work: &Work<'_>, asked: &Asked<'_>) -> Result<f32, IndexError> {
    let n_chunks = work.first("SELECT count(*) FROM chunk", &[], |row| row.count(0))?.unwrap_or_default() as f32;
    let bound = asked.weights.frequent(n_chunks as usize) as f32;
    let mut most = 0.0;
    for (word, weight) in asked.weights.words(&asked.query.text).into_iter().take(MAX_WORDS) {
        let sql = "SELECT doc FROM word WHERE term = ?1";
        let n_with = work.first(sql, &[word.as_str().into()], |row| row.count(0))?.unwrap_or_default() as f32;
        // What is left out of the search for words is left out here.
        if n_with <= bound {
            most += weight * (1.0 + (n_chunks - n_with + 0.5) / (n_with + 0.5)).ln();
        }
    }
    Ok(most)
}
