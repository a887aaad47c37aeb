//! Is a candidate any answer at all, or only the nearest of what does not fit?
//!
//! Vectors always have a nearest, so something must say when nothing is near. Two measures that do not depend on the other
//! candidates: the share of the question's words a piece holds, rare words counting more, and the cosine. One of both must
//! reach its bound in `config/ranking.yaml`; what a name, a place or a literal message led to is shown in any case.

use crate::index::search::Asked;
use crate::index::search::fuse::Candidate;

/// Leaves only what may be an answer, and notes for each the share of the words it holds.
///
/// `most` is what a piece scores by words that holds all of them once.
pub fn keep(asked: &Asked<'_>, most: f32, found: &mut Vec<Candidate>) {
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
}
