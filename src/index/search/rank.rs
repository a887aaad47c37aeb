//! Which of the candidates does somebody mean?
//!
//! Rules over names and paths, with the weights of `config/ranking.yaml`: what defines the name that is asked for, files whose
//! other pieces fit as well, paths with words of the question; less for tests, examples and other people's code. Measured on
//! commits (question: the subject; answer: the file): +.054 MRR.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;
use std::sync::OnceLock;

use serde::Deserialize;

use crate::base::text::fits;
use crate::base::yaml;
use crate::db::work::Work;
use crate::index::error::IndexError;
use crate::index::files;
use crate::index::search::fuse::Candidate;
use crate::index::search::route::{Kind, Query};
use crate::index::search::{direct, literal};
use crate::index::words;

/// `config/ranking.yaml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Weights {
    /// Pieces taken from each side.
    pub candidates: Candidates,
    vector_weight: BTreeMap<String, f32>,
    /// What a model on a server counts for beside the built-in embedder.
    pub server_share: f32,
    frequent_share: f32,
    frequent_at_least: usize,
    left_out: Vec<String>,
    /// So many words are never left out.
    pub rarest_words: usize,
    /// Pieces looked at for the words of one query.
    pub max_postings: usize,
    /// What a definition of a name of the question counts for.
    pub definition: Definition,
    literal: f32,
    path_overlap: f32,
    file_coherence: f32,
    same_file: f32,
    per_file: usize,
    priors: Vec<Prior>,
    vendored: f32,
    /// What is shown at all.
    pub shown: Shown,
}

/// Pieces taken from each side.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Candidates {
    /// By words.
    pub words: usize,
    /// By vectors.
    pub vectors: usize,
}

/// What a definition of a name of the question counts for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// In multiples of the best score.
    pub named: f32,
    /// By so much more where the file is called so.
    pub file_named: f32,
    /// By so much less where the name stands in a sentence.
    pub in_sentence: f32,
}

/// What is shown at all; one of both must be reached.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shown {
    /// Share of the question's words.
    pub share: f32,
    /// Cosine by embedder.
    pub cosine: BTreeMap<String, f32>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Prior {
    factor: f32,
    /// Whether these are tests; nobody's questions are about them unless they say so.
    #[serde(default)]
    is_tests: bool,
    #[serde(default)]
    folders: Vec<String>,
    names: Vec<String>,
}

impl Prior {
    /// Says by which word a path fits, if it does: the folder, or what a name like this says.
    fn fits<'p>(&self, path: &'p str) -> Option<&'p str> {
        let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
        let folder = folders.split('/').find(|folder| self.folders.iter().any(|known| known == folder));
        let says = if self.is_tests { "test" } else { "" };
        folder.or_else(|| self.names.iter().any(|pattern| fits(pattern, name)).then_some(says))
    }
}

/// Returns the weights; they are compiled in, so broken ones are a bug.
pub fn weights() -> Result<&'static Weights, IndexError> {
    static WEIGHTS: OnceLock<Result<Weights, String>> = OnceLock::new();
    let read = || Weights::read(include_str!("../../../config/ranking.yaml"));
    WEIGHTS.get_or_init(read).as_ref().map_err(|error| IndexError::Table(format!("ranking.yaml: {error}")))
}

impl Weights {
    /// Reads weights; the error says what is wrong with them.
    pub fn read(text: &str) -> Result<Self, String> {
        yaml::from_str(text).map_err(|error| error.to_string())
    }

    /// Says whether a path is that of a test.
    pub fn is_test(&self, path: &str) -> bool {
        self.priors.iter().any(|row| row.is_tests && row.fits(path).is_some())
    }

    /// Returns the words of a question that tell something, with how much each matters; all of them where none does.
    pub fn words(&self, question: &str) -> Vec<(String, f32)> {
        let all = words::of_query(question);
        let left_out: HashSet<String> =
            words::of_query(&self.left_out.join(" ")).into_iter().map(|row| row.0).collect();
        let told: Vec<_> = all.iter().filter(|(word, _)| !left_out.contains(word)).cloned().collect();
        if told.is_empty() { all } else { told }
    }

    /// Returns in how many of all pieces a word may stand; one that stands in more is left out.
    pub fn frequent(&self, n_chunks: usize) -> usize {
        self.frequent_at_least.max((n_chunks as f32 * self.frequent_share) as usize)
    }

    /// Returns what the vectors count for.
    pub fn vector_weight(&self, kind: Kind) -> f32 {
        self.vector_weight.get(kind.name()).copied().unwrap_or(0.5)
    }

    /// Returns what a path is multiplied by: the product of all rows it fits, unless the question itself speaks of them.
    pub fn prior(&self, path: &str, asked: &HashSet<String>) -> f32 {
        let is_asked = |why: &str| words::of_query(why).iter().any(|(word, _)| asked.contains(word));
        let of = |row: &&Prior| row.fits(path).is_some_and(|why| !is_asked(why));
        let factor: f32 = self.priors.iter().filter(of).map(|row| row.factor).product();
        let is_vendored = files::table().is_ok_and(|table| table.is_vendored(Path::new(path)));
        if is_vendored { factor * self.vendored } else { factor }
    }
}

/// What the rules look at.
pub struct Ground<'g> {
    /// The transaction.
    pub work: &'g Work<'g>,
    /// The work tree.
    pub tree: u64,
    /// Its root.
    pub root: &'g Path,
    /// The question.
    pub query: &'g Query,
    /// The weights.
    pub weights: &'g Weights,
}

/// Changes the scores of candidates by the rules, and adds what defines a name of the question or is a place it names.
pub fn rank(ground: &Ground<'_>, found: &mut Vec<Candidate>) -> Result<(), IndexError> {
    let Ground { root, query, weights, .. } = ground;
    let top = top(found).max(0.1);
    let mut files: HashMap<String, f32> = HashMap::new();
    for candidate in found.iter() {
        *files.entry(candidate.place.path.clone()).or_default() += candidate.score;
    }
    for candidate in found.iter_mut() {
        let others = files.get(&candidate.place.path).map_or(0.0, |all| all - candidate.score);
        candidate.parts.coherence = weights.file_coherence * others;
        candidate.score += candidate.parts.coherence;
    }
    if query.kind == Kind::Error {
        literal::boost(root, &query.text, top * weights.literal, found);
    }
    direct::add_definitions(ground, top, found)?;
    let asked: HashSet<String> = weights.words(&query.text).into_iter().map(|(word, _)| word).collect();
    for candidate in found.iter_mut() {
        let overlap = overlap(&candidate.place.path, &asked);
        candidate.parts.path = (1.0 + weights.path_overlap * overlap) * weights.prior(&candidate.place.path, &asked);
        candidate.score *= candidate.parts.path;
    }
    direct::add_places(ground, found)
}

/// The best score there is.
pub fn top(found: &[Candidate]) -> f32 {
    found.iter().fold(0.0, |top, candidate| top.max(candidate.score))
}

/// The share of the question's words that stand in a path.
fn overlap(path: &str, asked: &HashSet<String>) -> f32 {
    let there = words::of_query(path);
    let n_same = there.iter().filter(|(word, _)| asked.contains(word)).count();
    n_same as f32 / asked.len().max(1) as f32
}

/// Lets a file fill only a little of the answer: the second piece counts a little less, a third much, and too many are left
/// out. Places the question names stay as they are.
pub fn thin(found: Vec<Candidate>, weights: &Weights) -> Vec<Candidate> {
    let mut counts: HashMap<String, usize> = HashMap::new();
    let mut kept: Vec<Candidate> = Vec::new();
    for mut candidate in found {
        let count = counts.entry(candidate.place.path.clone()).or_default();
        let is_named = candidate.parts.place > 0.0;
        if *count < weights.per_file || is_named {
            // 0, 1, 3, 6: one more is one too many the sooner the more there are.
            let times = if is_named { 0 } else { *count * (*count + 1) / 2 };
            candidate.score *= weights.same_file.powi(times as i32);
            kept.push(candidate);
        }
        *count += 1;
    }
    kept.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.place.path.cmp(&b.place.path)));
    kept
}
