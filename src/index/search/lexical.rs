//! Which pieces hold the words of the question?
//!
//! BM25 from the lists of pieces SQLite's full-text table keeps for each word. Its own `bm25()` cannot be used: of a table
//! that keeps neither text nor places it knows no counts and returns zero for every row (a test here measures it with the SQLite
//! that comes along, 3.54.1).
//! Counts come from the marked words of [`crate::index::words`], lengths from a segment. Words found nearly everywhere are
//! left out: they cost most and tell least.

use std::ops::ControlFlow;

use crate::db::work::Work;
use crate::index::error::IndexError;
use crate::index::search::rank::Weights;
use crate::index::search::route::Query;
use crate::index::store::frequent;
use crate::index::store::segment::{self, LENGTHS};
use crate::index::words::LEVELS;

/// Words of a question that count; more stand only in pasted logs.
const MAX_WORDS: usize = 48;
/// How much the length of a piece matters to BM25; pieces are of nearly one size.
const B: f32 = 0.4;

/// What the words of a question find.
#[derive(Debug, Default)]
pub struct ByWords {
    /// The best pieces with their scores, more than are wanted: some may stand in no file any more.
    pub pieces: Vec<(u64, f32)>,
    /// What a piece of average length would score that holds every word once; words that stand nowhere count as the rarest.
    pub most: f32,
}

/// Searches for the words of a question.
pub fn candidates(work: &Work<'_>, query: &Query, weights: &Weights) -> Result<ByWords, IndexError> {
    let lengths = Lengths::read(work)?;
    if lengths.n_chunks == 0 {
        return Ok(ByWords::default());
    }
    // By the number of the piece: most have none, and adding is all that is done a hundred thousand times.
    let mut scores = vec![0.0_f32; lengths.bytes.len()];
    let mut n_left = weights.max_postings;
    let chosen = chosen(work, query, &lengths, weights)?;
    let most = chosen.iter().map(|(_, weight, n_with)| weight * lengths.idf(*n_with)).sum();
    for (word, weight, n_with) in chosen.into_iter().filter(|(_, _, n_with)| *n_with > 0) {
        if n_left == 0 {
            break;
        }
        n_left = n_left.saturating_sub(n_with);
        let idf = lengths.idf(n_with);
        let mut before = 0.0;
        for (_, mark, gain) in LEVELS {
            // Each level adds what it is more worth than the one below.
            let step = weight * idf * (gain - before);
            before = gain;
            let n_found = each_with(work, &format!("{word}{mark}"), |chunk| {
                if let Some(score) = scores.get_mut(chunk as usize) {
                    *score += step;
                }
            })?;
            if n_found == 0 {
                break;
            }
        }
    }
    let mut found: Vec<(u64, f32)> = (0..)
        .zip(scores)
        .filter_map(|(chunk, score)| Some((chunk, (score > 0.0).then_some(score)? / lengths.norm(chunk)?)))
        .collect();
    let n_kept = weights.candidates.words * if query.is_narrow() { 50 } else { 3 };
    if found.len() > n_kept {
        found.select_nth_unstable_by(n_kept, |a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        found.truncate(n_kept);
    }
    found.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    Ok(ByWords { pieces: found, most })
}

/// Returns the words worth looking up, the rarest first, with their weight and the number of pieces that hold them, which may
/// be none.
fn chosen(
    work: &Work<'_>,
    query: &Query,
    lengths: &Lengths,
    weights: &Weights,
) -> Result<Vec<(String, f32, usize)>, IndexError> {
    let mut asked = weights.words(&query.text);
    asked.truncate(MAX_WORDS);
    let counts = frequent::counts(work, asked.iter().map(|(word, _)| word.as_str()))?;
    let with = |(word, weight): &(String, f32)| {
        (word.clone(), *weight, counts.get(word.as_str()).copied().unwrap_or_default() as usize)
    };
    let mut known: Vec<(String, f32, usize)> = asked.iter().map(with).collect();
    known.sort_by_key(|(_, _, n_with)| *n_with);
    let bound = weights.frequent(lengths.n_chunks);
    let n_nowhere = known.iter().filter(|(_, _, n_with)| *n_with == 0).count();
    let is_kept = |(at, word): (usize, (String, f32, usize))| {
        (at < n_nowhere + weights.rarest_words || word.2 <= bound).then_some(word)
    };
    Ok(known.into_iter().enumerate().filter_map(is_kept).collect())
}

fn each_with(work: &Work<'_>, word: &str, mut found: impl FnMut(u64)) -> Result<usize, IndexError> {
    let mut n_found = 0;
    // In quotes nothing of a word is an operator; words hold none themselves.
    let wanted = format!("\"{word}\"");
    work.each("SELECT rowid FROM words WHERE words MATCH ?1", &[wanted.as_str().into()], |row| {
        n_found += 1;
        found(row.count(0)?);
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(n_found)
}

/// The lengths of all pieces, a byte each.
struct Lengths {
    bytes: Vec<u8>,
    n_chunks: usize,
    mean: f32,
}

impl Lengths {
    fn read(work: &Work<'_>) -> Result<Self, IndexError> {
        let mut bytes = Vec::new();
        segment::each(work, LENGTHS, |first, lengths| {
            bytes.resize(first as usize, 0);
            bytes.extend_from_slice(lengths);
        })?;
        let n_chunks = bytes.iter().filter(|length| **length > 0).count();
        let sum: u64 = bytes.iter().map(|length| u64::from(*length)).sum();
        Ok(Self { mean: sum as f32 / n_chunks.max(1) as f32, bytes, n_chunks })
    }

    /// Returns how much a word tells that stands in so many pieces.
    fn idf(&self, n_with: usize) -> f32 {
        let (all, with) = (self.n_chunks as f32, n_with as f32);
        (1.0 + (all - with + 0.5).max(0.0) / (with + 0.5)).ln()
    }

    /// Returns what a score is divided by; none for a piece that is gone.
    fn norm(&self, chunk: u64) -> Option<f32> {
        let length = self.bytes.get(usize::try_from(chunk).ok()?).copied().filter(|length| *length > 0)?;
        Some(1.0 - B + B * (f32::from(length) / self.mean))
    }
}

#[cfg(test)]
#[path = "lexical_tests.rs"]
mod tests;
