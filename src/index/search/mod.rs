//! Which places of the project answer this question?
//!
//! [`route`] says what kind of question it is ([`frames`] reads the places of a trace); [`lexical`] and [`dense`] give
//! candidates, [`fuse`] joins them, [`rank`] puts them in order by rules ([`direct`] and [`literal`] are two of them),
//! [`relevance`] leaves out what is no answer, [`snippet`] reads their lines. Must not write: what changed was settled before.
//! To add a rule: a weight in `config/ranking.yaml` and its lines in [`rank`]; measure it before and after.

pub mod dense;
pub mod direct;
pub mod frames;
pub mod fuse;
pub mod lexical;
pub mod literal;
pub mod rank;
pub mod relevance;
pub mod route;
pub mod snippet;

use std::path::Path;

use serde::Serialize;

use crate::db::work::Work;
use crate::index::embed::Embedder;
use crate::index::error::IndexError;
use crate::index::search::dense::Served;
use crate::index::search::fuse::Candidate;
use crate::index::search::lexical::ByWords;
use crate::index::search::rank::Weights;
use crate::index::search::route::Query;
use crate::index::store::read;

/// One result.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Hit {
    /// The file, by its path below the root.
    pub path: String,
    /// First line, from 1.
    pub line: u32,
    /// Last line.
    pub end_line: u32,
    /// Names of the definitions around it.
    pub scope: String,
    /// What is defined there.
    pub names: Vec<String>,
    /// How well it fits; only comparable within one answer.
    pub score: f32,
    /// Where the score comes from.
    pub parts: Parts,
}

/// The parts of a score.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Parts {
    /// By words, before joining; 0 where no word was found.
    pub words: f32,
    /// The cosine, before joining; 0 where it was not among the nearest.
    pub vector: f32,
    /// Both joined.
    pub fused: f32,
    /// Share of the question's words it holds, rare words counting more.
    pub share: f32,
    /// What was added for definitions.
    pub definition: f32,
    /// What was added because the question names the place.
    pub place: f32,
    /// What was added because it holds the words of a message literally.
    pub literal: f32,
    /// What was added for other pieces of the file.
    pub coherence: f32,
    /// What it was multiplied by for its path.
    pub path: f32,
}

/// Which parts of the search take part; for measuring what each is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sides {
    /// Words, vectors and rules.
    All,
    /// Words and vectors without rules.
    Fused,
    /// Words alone.
    Words,
    /// Vectors alone.
    Vectors,
}

/// What a search is asked for.
pub struct Asked<'a> {
    /// The question.
    pub query: &'a Query,
    /// Results wanted.
    pub limit: usize,
    /// Which parts take part.
    pub sides: Sides,
    /// The embedder whose vectors are compared.
    pub embedder: &'a dyn Embedder,
    /// What counts for how much.
    pub weights: &'a Weights,
    /// The question by a model on a server, whose vectors are compared too.
    pub served: Option<&'a Served>,
}

/// Searches a work tree, within one transaction.
pub fn search(work: &Work<'_>, root: &str, asked: &Asked<'_>) -> Result<Vec<Hit>, IndexError> {
    let Some((tree, _)) = read::tree(work, root)? else { return Ok(Vec::new()) };
    let weights = asked.weights;
    let has = |side| asked.sides == side || matches!(asked.sides, Sides::All | Sides::Fused);
    let words = if has(Sides::Words) { lexical::candidates(work, asked.query, weights)? } else { ByWords::default() };
    let vectors = if has(Sides::Vectors) { dense::candidates(work, asked, weights)? } else { Vec::new() };
    let alpha = match asked.sides {
        Sides::Words => 0.0,
        Sides::Vectors => 1.0,
        Sides::All | Sides::Fused => weights.vector_weight(asked.query.kind),
    };
    let live = fuse::Live { work, tree, query: asked.query };
    let mut found = fuse::fuse(&live, &words.pieces, &vectors, alpha, weights)?;
    if asked.sides == Sides::All {
        let ground = rank::Ground { work, tree, root: Path::new(root), query: asked.query, weights };
        rank::rank(&ground, &mut found)?;
        relevance::keep(asked, words.most, &mut found);
    }
    if asked.query.wants_definitions {
        found.retain(|candidate| candidate.parts.definition > 0.0);
    }
    found.sort_by(|a, b| {
        b.score.total_cmp(&a.score).then_with(|| a.place.path.cmp(&b.place.path)).then(a.place.line.cmp(&b.place.line))
    });
    let found = if asked.sides == Sides::All { rank::thin(found, weights) } else { found };
    found.into_iter().take(asked.limit).map(|candidate| hit(work, candidate)).collect()
}

fn hit(work: &Work<'_>, candidate: Candidate) -> Result<Hit, IndexError> {
    let Candidate { place, score, parts } = candidate;
    let (scope, names) = read::names_at(work, place.blob, place.line, place.end_line)?;
    Ok(Hit { path: place.path, line: place.line, end_line: place.end_line, scope, names, score, parts })
}
