//! Which pieces does the question name outright?
//!
//! What defines one of its names, the places of a stack trace, the file of a path. Places come first whatever the words say;
//! a definition comes high, and the rules about paths still count for it.

use std::path::Path;

use crate::index::error::IndexError;
use crate::index::search::Parts;
use crate::index::search::frames::in_common;
use crate::index::search::fuse::Candidate;
use crate::index::search::rank::{Ground, top};
use crate::index::search::route::Kind;
use crate::index::store::read::{self, Found, Place};

/// Definitions of one name that are looked at.
const MAX_DEFINITIONS: u64 = 100;
/// Files with one name that are looked at.
const MAX_FILES: u64 = 1000;
/// Files of one path that are put first; a path that fits more of them names none.
const MAX_NAMED: usize = 5;

/// Adds to the score of what defines a name of the question; `top` is the best score by words and vectors.
pub fn add_definitions(ground: &Ground<'_>, top: f32, found: &mut Vec<Candidate>) -> Result<(), IndexError> {
    let (query, weights) = (ground.query, &ground.weights.definition);
    for symbol in &query.symbols {
        for definition in read::definitions(ground.work, ground.tree, symbol, MAX_DEFINITIONS)? {
            if !query.allows(&definition.path) {
                continue;
            }
            let mut gain = top * weights.named * exactness(&definition, symbol);
            if query.kind != Kind::Symbol {
                gain *= weights.in_sentence;
            }
            let stem = Path::new(&definition.path).file_stem().map(|stem| stem.to_string_lossy().to_lowercase());
            if stem.is_some_and(|stem| stem == symbol.to_lowercase()) {
                gain *= weights.file_named;
            }
            let place = place_of(ground, definition.blob, &definition.path, definition.line)?;
            let candidate = candidate(found, place);
            // Two definitions in one piece do not make it twice as good.
            let more = (gain - candidate.parts.definition).max(0.0);
            candidate.parts.definition += more;
            candidate.score += more;
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

/// Puts the places the question names before everything else, in their order.
pub fn add_places(ground: &Ground<'_>, found: &mut Vec<Candidate>) -> Result<(), IndexError> {
    let above = top(found).max(0.1);
    let frames = &ground.query.frames;
    for (at, (path, line)) in frames.iter().enumerate() {
        for (path, blob) in files(ground, path)? {
            let place = place_of(ground, blob, &path, *line)?;
            let candidate = candidate(found, place);
            let gain = above * (2.0 - at as f32 / frames.len() as f32);
            if candidate.parts.place == 0.0 {
                candidate.parts.place = gain;
                // What else speaks for it decides between places named alike.
                candidate.score = gain + 0.001 * candidate.score;
            }
        }
    }
    Ok(())
}

/// Returns the files a path of a trace may mean: those that have most of it in common, with their documents.
fn files(ground: &Ground<'_>, path: &str) -> Result<Vec<(String, u64)>, IndexError> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let sql = "SELECT f.path, f.blob FROM file f
        WHERE f.tree = ?1 AND f.blob IS NOT NULL AND (f.path = ?2 OR f.path LIKE '%/' || ?2) ORDER BY f.path LIMIT ?3";
    let values = [ground.tree.into(), name.into(), MAX_FILES.into()];
    let rows = ground.work.rows(sql, &values, |row| Ok((row.text(0)?, row.count(1)?)))?;
    let ranked: Vec<(usize, (String, u64))> = rows
        .into_iter()
        .filter(|(found, _)| ground.query.allows(found))
        .map(|row| (in_common(path, &row.0), row))
        .filter(|(n, _)| *n > 0)
        .collect();
    let most = ranked.iter().map(|(n, _)| *n).max().unwrap_or_default();
    let mut best: Vec<(String, u64)> = ranked.into_iter().filter(|(n, _)| *n == most).map(|(_, row)| row).collect();
    // The very path, where others only end like it.
    if let Some(same) = best.iter().position(|(found, _)| found == path.trim_start_matches("./")) {
        best = vec![best.swap_remove(same)];
    }
    if best.len() > MAX_NAMED {
        best.clear();
    }
    Ok(best)
}

/// Returns the piece of a document that holds a line; where its text is not searched, the line alone.
fn place_of(ground: &Ground<'_>, blob: u64, path: &str, line: u32) -> Result<Place, IndexError> {
    let sql = "SELECT c.id, c.line, c.end_line FROM blob b JOIN chunk c ON c.id BETWEEN b.first_chunk AND b.first_chunk + b.n_chunks - 1
        WHERE b.id = ?1 AND c.line <= ?2 AND c.end_line >= ?2";
    let number = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
    let read = |row: &crate::db::work::Row<'_>| Ok((row.count(0)?, number(row.count(1)?), number(row.count(2)?)));
    let piece = ground.work.first(sql, &[blob.into(), line.into()], read)?;
    let (chunk, line, end_line) = piece.unwrap_or((0, line, line));
    Ok(Place { chunk, blob, path: path.to_owned(), line, end_line })
}

/// Returns the candidate of a place, making it when it is none yet.
fn candidate(found: &mut Vec<Candidate>, place: Place) -> &mut Candidate {
    let at = found.iter().position(|candidate| candidate.place == place).unwrap_or_else(|| {
        found.push(Candidate { place, score: 0.0, parts: Parts { path: 1.0, ..Parts::default() } });
        found.len() - 1
    });
    &mut found[at]
}
