//! Which words stand nearly everywhere?
//!
//! SQLite tells in how many pieces a word stands by going through all of them, which for the most frequent words of a large
//! project takes longer than the rest of a search. So those are counted now and then and kept. The counts may be old: they only
//! decide what is left out.

use std::collections::HashMap;
use std::ops::ControlFlow;

use crate::db::work::Work;
use crate::index::error::IndexError;
use crate::index::store::write::{number, set_number};

/// Words in a larger share of all pieces are kept; above what a search leaves out (`frequent_share`) nothing must be missing.
const SHARE: f32 = 0.02;
/// In a project with fewer pieces nothing is kept.
const MIN_CHUNKS: u64 = 4000;

/// Counts frequent words, when the number of pieces has changed much since it was done last.
pub fn count(work: &Work<'_>) -> Result<(), IndexError> {
    let n_chunks = work.first("SELECT count(*) FROM chunk", &[], |row| row.count(0))?.unwrap_or_default();
    let n_before = number(work, "counted")?;
    if n_chunks < MIN_CHUNKS || (n_chunks < n_before + n_before / 2 && n_chunks > n_before / 2) {
        return Ok(());
    }
    let least = (n_chunks as f32 * SHARE) as u64;
    let sql = "SELECT term, doc FROM word WHERE doc > ?1";
    let frequent = work.rows(sql, &[least.into()], |row| Ok((row.text(0)?, row.count(1)?)))?;
    work.run("DELETE FROM frequent", &[])?;
    for (word, n_with) in frequent {
        work.run("INSERT INTO frequent (word, n_with) VALUES (?1, ?2)", &[word.as_str().into(), n_with.into()])?;
    }
    set_number(work, "counted", n_chunks)
}

/// Returns in how many pieces each of some words stands; of frequent ones, stood when they were counted.
pub fn counts<'q>(work: &Work<'_>, words: impl Iterator<Item = &'q str>) -> Result<HashMap<&'q str, u64>, IndexError> {
    let mut found = HashMap::new();
    for word in words {
        let kept = work.first("SELECT n_with FROM frequent WHERE word = ?1", &[word.into()], |row| row.count(0))?;
        let n_with = match kept {
            Some(n_with) => n_with,
            None => {
                let mut n_with = 0;
                work.each("SELECT doc FROM word WHERE term = ?1", &[word.into()], |row| {
                    n_with = row.count(0)?;
                    Ok(ControlFlow::Break(()))
                })?;
                n_with
            }
        };
        if n_with > 0 {
            found.insert(word, n_with);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::open::Db;
    use crate::index::store::PLAN;

    fn add(work: &Work<'_>, ids: std::ops::Range<u64>, word: &str) {
        for id in ids {
            let sql = "INSERT INTO chunk (id, blob, line, end_line, text) VALUES (?1, 1, 1, 1, 1)";
            work.run(sql, &[id.into()]).unwrap();
            let text = format!("{word} rare{id}");
            work.run("INSERT INTO words (rowid, text) VALUES (?1, ?2)", &[id.into(), text.as_str().into()]).unwrap();
        }
    }

    #[test]
    fn frequent_words_are_counted_once_and_again_when_there_are_many_more_pieces() {
        let folder = tempfile::tempdir().unwrap();
        let mut db = Db::open(&folder.path().join("index.db"), PLAN).unwrap();
        db.write(|work| {
            let kept = |word: &str| {
                work.first("SELECT n_with FROM frequent WHERE word = ?1", &[word.into()], |row| row.count(0)).unwrap()
            };
            add(work, 1..MIN_CHUNKS, "common");
            count(work)?;
            assert_eq!(kept("common"), None, "too few pieces");
            add(work, MIN_CHUNKS..MIN_CHUNKS + 1, "common");
            count(work)?;
            assert_eq!((kept("common"), kept("rare7")), (Some(MIN_CHUNKS), None));
            add(work, 10_000..10_100, "other");
            count(work)?;
            assert_eq!(kept("other"), None, "not many more");
            let counts = counts(work, ["common", "rare7", "other", "none"].into_iter())?;
            let expected = HashMap::from([("common", MIN_CHUNKS), ("rare7", 1), ("other", 100)]);
            assert_eq!(counts, expected, "whatever is kept");
            add(work, 20_000..23_000, "other");
            count(work)?;
            assert_eq!(kept("other"), Some(3100));
            Ok::<_, IndexError>(())
        })
        .unwrap();
    }
}
