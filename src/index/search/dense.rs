//! Which pieces mean what the question means?

use crate::db::work::Work;
use crate::index::error::IndexError;
use crate::index::search::Asked;
use crate::index::search::rank::Weights;
use crate::index::store::read;
use crate::index::vectors::VectorStore as _;
use crate::index::vectors::codes::Codes;

/// Returns the pieces whose texts lie nearest, with the cosine, the nearest first.
pub fn candidates(work: &Work<'_>, asked: &Asked<'_>, weights: &Weights) -> Result<Vec<(u64, f32)>, IndexError> {
    let sql = "SELECT id FROM embedder WHERE name = ?1 AND dimensions = ?2";
    let dimensions = asked.embedder.dimensions();
    let values = [asked.embedder.id().into(), (dimensions as u64).into()];
    let Some(embedder) = work.first(sql, &values, |row| row.count(0))? else { return Ok(Vec::new()) };
    let question = asked.embedder.query(&asked.query.text);
    let n = weights.candidates.vectors * if asked.query.is_narrow() { 10 } else { 1 };
    let mut found = Vec::new();
    for (text, cosine) in Codes::new(work, embedder, dimensions).nearest(&question, n)? {
        found.extend(read::chunks_of_text(work, text)?.into_iter().map(|chunk| (chunk, cosine)));
    }
    Ok(found)
}
