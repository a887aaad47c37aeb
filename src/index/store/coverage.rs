//! Of how much of a work tree does an embedder have vectors?
//!
//! Counting would take longer than a search, so that it is noted when vectors were made: how many texts there were, and the
//! number of the newest. Numbers only grow; what came later is what is missing.

use serde::Serialize;

use crate::db::work::Work;
use crate::index::document::Key;
use crate::index::error::IndexError;
use crate::index::fill::Place;
use crate::index::store::short;
use crate::index::store::write::{number, set_number};

/// How many texts of a work tree have a vector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Coverage {
    /// Texts of the work tree.
    pub n_texts: u64,
    /// Those with a vector.
    pub n_covered: u64,
    /// The first text by number that may have none; none while not all had one at any time.
    #[serde(skip)]
    pub complete_before: Option<u64>,
}

impl Coverage {
    /// Returns the share of texts with a vector in hundredths, rounded down: it says 100 only of all.
    pub fn percent(&self) -> u64 {
        self.n_covered * 100 / self.n_texts.max(1)
    }
}

/// Reads what was noted of an embedder and a work tree; none when nothing was.
pub fn of(work: &Work<'_>, (embedder, tree): (u64, u64)) -> Result<Option<Coverage>, IndexError> {
    let noted = |what: &str| number(work, &format!("{what} {embedder} {tree}"));
    let (n_texts, n_left, before) = (noted("texts")?, noted("left")?, noted("before")?);
    let n_new = next_text(work)?.saturating_sub(before);
    Ok(match (n_texts, before) {
        (0, _) => None,
        (n_texts, 0) => Some(Coverage { n_texts, n_covered: n_texts - n_left.min(n_texts), complete_before: None }),
        (n_texts, before) => {
            let n_texts = n_texts.max(n_new);
            Some(Coverage { n_texts, n_covered: n_texts - n_new, complete_before: Some(before) })
        }
    })
}

/// Notes how far an embedder is: of `n_texts` it lacks `n_left`; texts from `next_text` on came later.
pub fn note(
    work: &Work<'_>,
    (embedder, tree): (u64, u64),
    (n_texts, n_left): (u64, u64),
    next_text: u64,
) -> Result<(), IndexError> {
    let note = |what: &str, value| set_number(work, &format!("{what} {embedder} {tree}"), value);
    note("texts", n_texts)?;
    note("left", n_left)?;
    // Once complete, it stays so up to there.
    if n_left == 0 { note("before", next_text) } else { Ok(()) }
}

/// Forgets what was noted of an embedder.
pub fn forget(work: &Work<'_>, embedder: u64) -> Result<(), IndexError> {
    for what in ["texts", "left", "before"] {
        work.run("DELETE FROM meta WHERE key GLOB ?1", &[format!("{what} {embedder} *").as_str().into()])?;
    }
    Ok(())
}

/// Returns the number the next new text will have.
pub fn next_text(work: &Work<'_>) -> Result<u64, IndexError> {
    Ok(number(work, "next_text")?.max(1))
}

/// Returns every text of a work tree once, with a place where it stands, by file.
pub fn texts(work: &Work<'_>, tree: u64) -> Result<Vec<Place>, IndexError> {
    let sql = "SELECT c.text, f.path, c.line, c.end_line, b.language FROM file f JOIN blob b ON b.id = f.blob
        JOIN chunk c ON c.id >= b.first_chunk AND c.id < b.first_chunk + b.n_chunks
        WHERE f.tree = ?1 ORDER BY f.path, c.id";
    let line = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
    let mut places = work.rows(sql, &[tree.into()], |row| {
        let (line, end_line) = (line(row.count(2)?), line(row.count(3)?));
        Ok(Place { text: row.count(0)?, path: row.text(1)?, line, end_line, language: row.text(4)? })
    })?;
    let mut seen = std::collections::HashSet::new();
    places.retain(|place| seen.insert(place.text));
    Ok(places)
}

/// Returns the number of a text by its hash.
pub fn text_of(work: &Work<'_>, key: &Key) -> Result<Option<u64>, IndexError> {
    Ok(work.first("SELECT id FROM text WHERE hash = ?1", &[short(key).into()], |row| row.count(0))?)
}
