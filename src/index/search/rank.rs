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
use crate::index::search::Parts;
use crate::index::search::fuse::Candidate;
use crate::index::search::route::{Kind, Query};
use crate::index::store::read::{self, Found, Place};
use crate::index::words;

/// Definitions of one name that are looked at.
const MAX_DEFINITIONS: u64 = 100;

/// `config/ranking.yaml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Weights {
    /// Pieces taken from each side.
    pub candidates: Candidates,
    vector_weight: BTreeMap<String, f32>,
    /// What a model on a server counts for beside the built-in embedder.
    pub server_share: f32,
    /// Words found in a larger share of all pieces are left out.
    pub frequent_share: f32,
    /// So many words are never left out.
    pub rarest_words: usize,
    /// Pieces looked at for the words of one query.
    pub max_postings: usize,
    definition: Definition,
    path_overlap: f32,
    file_coherence: f32,
    same_file: f32,
    per_file: usize,
    priors: Vec<Prior>,
    vendored: f32,
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

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Definition {
    named: f32,
    file_named: f32,
    in_sentence: f32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Prior {
    factor: f32,
    #[serde(default)]
    folders: Vec<String>,
    names: Vec<String>,
}

/// Returns the weights; they are compiled in, so broken ones are a bug.
pub fn weights() -> Result<&'static Weights, IndexError> {
    static WEIGHTS: OnceLock<Result<Weights, String>> = OnceLock::new();
    let read = || yaml::from_str(include_str!("../../../config/ranking.yaml")).map_err(|error| error.to_string());
    WEIGHTS.get_or_init(read).as_ref().map_err(|error| IndexError::Table(format!("ranking.yaml: {error}")))
}

impl Weights {
    /// Returns what the vectors count for.
    pub fn vector_weight(&self, kind: Kind) -> f32 {
        self.vector_weight.get(kind.name()).copied().unwrap_or(0.5)
    }

    /// Returns what a path is multiplied by: the product of all rows it fits, unless the question itself speaks of them.
    pub fn prior(&self, path: &str, asked: &HashSet<String>) -> f32 {
        let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
        let is_asked = |word: &str| asked.contains(word.trim_end_matches('s'));
        let of = |row: &&Prior| {
            let folder = folders.split('/').find(|folder| row.folders.iter().any(|known| known == folder));
            folder.is_some_and(|folder| !is_asked(folder))
                || (row.names.iter().any(|pattern| fits(pattern, name)) && !is_asked("test"))
        };
        let factor: f32 = self.priors.iter().filter(of).map(|row| row.factor).product();
        let is_vendored = files::table().is_ok_and(|table| table.is_vendored(Path::new(path)));
        if is_vendored { factor * self.vendored } else { factor }
    }
}

/// Changes the scores of candidates by the rules, and adds what defines a name of the question.
pub fn rank(
    work: &Work<'_>,
    tree: u64,
    query: &Query,
    weights: &Weights,
    found: &mut Vec<Candidate>,
) -> Result<(), IndexError> {
    let top = found.iter().fold(0.0_f32, |top, candidate| top.max(candidate.score)).max(0.1);
    add_frames(work, tree, query, top, found)?;
    add_definitions(work, tree, query, weights, top, found)?;
    let mut files: HashMap<String, f32> = HashMap::new();
    for candidate in found.iter() {
        *files.entry(candidate.place.path.clone()).or_default() += candidate.score;
    }
    let asked: HashSet<String> = words::of_query(&query.text).into_iter().map(|(word, _)| word).collect();
    for candidate in found {
        let others = files.get(&candidate.place.path).map_or(0.0, |all| all - candidate.score);
        candidate.parts.coherence = weights.file_coherence * others;
        let overlap = overlap(&candidate.place.path, &asked);
        candidate.parts.path = (1.0 + weights.path_overlap * overlap) * weights.prior(&candidate.place.path, &asked);
        candidate.score = (candidate.score + candidate.parts.coherence) * candidate.parts.path;
    }
    Ok(())
}

/// The share of the question's words that stand in a path.
fn overlap(path: &str, asked: &HashSet<String>) -> f32 {
    let there = words::of_query(path);
    let n_same = there.iter().filter(|(word, _)| asked.contains(word)).count();
    n_same as f32 / asked.len().max(1) as f32
}

/// Places a stack trace names come first, in its order.
fn add_frames(
    work: &Work<'_>,
    tree: u64,
    query: &Query,
    top: f32,
    found: &mut Vec<Candidate>,
) -> Result<(), IndexError> {
    for (at, (path, line)) in query.frames.iter().enumerate() {
        let name = path.rsplit('/').next().unwrap_or(path);
        let sql = "SELECT f.path, b.id, b.first_chunk, b.n_chunks FROM file f JOIN blob b ON b.id = f.blob
            WHERE f.tree = ?1 AND (f.path = ?2 OR f.path LIKE '%/' || ?2) LIMIT 20";
        let read = |row: &crate::db::work::Row<'_>| Ok((row.text(0)?, row.count(1)?));
        let files = work.rows(sql, &[tree.into(), name.into()], read)?;
        let fits = |file: &&(String, u64)| path.ends_with(&file.0) || file.0.ends_with(path.trim_start_matches("./"));
        let Some((path, blob)) = files.iter().find(fits).or(files.first().filter(|_| files.len() == 1)) else {
            continue;
        };
        let place = place_of(work, *blob, path, *line)?;
        boost(found, place, top * (5.0 - at as f32 * 0.1));
    }
    Ok(())
}

fn add_definitions(
    work: &Work<'_>,
    tree: u64,
    query: &Query,
    weights: &Weights,
    top: f32,
    found: &mut Vec<Candidate>,
) -> Result<(), IndexError> {
    for symbol in &query.symbols {
        for definition in read::definitions(work, tree, symbol, MAX_DEFINITIONS)? {
            if !query.allows(&definition.path) {
                continue;
            }
            let mut gain = top * weights.definition.named * exactness(&definition, symbol);
            if query.kind != Kind::Symbol {
                gain *= weights.definition.in_sentence;
            }
            let stem = Path::new(&definition.path).file_stem().map(|stem| stem.to_string_lossy().to_lowercase());
            if stem.is_some_and(|stem| stem == symbol.to_lowercase()) {
                gain *= weights.definition.file_named;
            }
            let place = place_of(work, definition.blob, &definition.path, definition.line)?;
            boost(found, place, gain);
        }
    }
    Ok(())
}

/// The very name counts more than one in other case, a definition more than what only announces or continues it.
fn exactness(definition: &Found, symbol: &str) -> f32 {
    use crate::index::language::Kind::{Declaration, Heading, Implementation, Module};
    let case = if definition.name == symbol { 1.0 } else { 0.7 };
    let kind = if matches!(definition.kind, Declaration | Implementation | Module | Heading) { 0.6 } else { 1.0 };
    case * kind
}

/// Returns the piece of a document that holds a line; where its text is not searched, the line alone.
fn place_of(work: &Work<'_>, blob: u64, path: &str, line: u32) -> Result<Place, IndexError> {
    let sql = "SELECT c.id, c.line, c.end_line FROM blob b JOIN chunk c ON c.id BETWEEN b.first_chunk AND b.first_chunk + b.n_chunks - 1
        WHERE b.id = ?1 AND c.line <= ?2 AND c.end_line >= ?2";
    let number = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
    let read = |row: &crate::db::work::Row<'_>| Ok((row.count(0)?, number(row.count(1)?), number(row.count(2)?)));
    let piece = work.first(sql, &[blob.into(), line.into()], read)?;
    let (chunk, line, end_line) = piece.unwrap_or((0, line, line));
    Ok(Place { chunk, blob, path: path.to_owned(), line, end_line })
}

fn boost(found: &mut Vec<Candidate>, place: Place, gain: f32) {
    let same = |candidate: &&mut Candidate| candidate.place == place;
    match found.iter_mut().find(same) {
        Some(candidate) => {
            // Two definitions in one piece do not make it twice as good.
            let more = (gain - candidate.parts.definition).max(0.0);
            candidate.parts.definition += more;
            candidate.score += more;
        }
        None => found.push(Candidate {
            place,
            score: gain,
            parts: Parts { definition: gain, path: 1.0, ..Parts::default() },
        }),
    }
}

/// Lets a file fill only a little of the answer: a further piece counts less, and too many are left out.
pub fn thin(found: Vec<Candidate>, weights: &Weights) -> Vec<Candidate> {
    let mut counts: HashMap<String, usize> = HashMap::new();
    let mut kept: Vec<Candidate> = Vec::new();
    for mut candidate in found {
        let count = counts.entry(candidate.place.path.clone()).or_default();
        if *count < weights.per_file {
            candidate.score *= weights.same_file.powi(*count as i32);
            kept.push(candidate);
        }
        *count += 1;
    }
    kept.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.place.path.cmp(&b.place.path)));
    kept
}
