//! Whose vectors are in the index, and where?
//!
//! An embedder is known by its name, which says model, prefix and version, and by how many numbers its vectors have. One
//! whose vectors would have to be different ones has another name, so that they are made anew and never mixed.

use crate::db::work::Work;
use crate::index::error::IndexError;
use crate::index::store::coverage;
use crate::index::store::write::{number, set_number};
use crate::index::vectors::Store;

/// An embedder with vectors in the index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Its number in this index.
    pub id: u64,
    /// Its name.
    pub name: String,
    /// Numbers of a vector.
    pub dimensions: usize,
    /// Where they are.
    pub store: Store,
    /// What its model said of the text models are told apart by; 0 where nobody asked.
    pub mark: u64,
}

/// Returns an embedder; none when it has no vectors here.
pub fn find(work: &Work<'_>, name: &str, dimensions: usize) -> Result<Option<Kept>, IndexError> {
    Ok(all(work)?.into_iter().find(|kept| kept.name == name && kept.dimensions == dimensions))
}

/// Returns all embedders, the one known longest first.
pub fn all(work: &Work<'_>) -> Result<Vec<Kept>, IndexError> {
    let sql = "SELECT id, name, dimensions FROM embedder ORDER BY id";
    let rows = work.rows(sql, &[], |row| Ok((row.count(0)?, row.text(1)?, row.count(2)?)))?;
    let kept = rows.into_iter().map(|(id, name, dimensions)| {
        let store = if number(work, &key(id))? == 1 { Store::Vec0 } else { Store::Codes };
        let mark = number(work, &mark_key(id))?;
        Ok(Kept { id, name, dimensions: usize::try_from(dimensions).unwrap_or_default(), store, mark })
    });
    kept.collect()
}

/// Makes a new one. One of this name with another number of dimensions is forgotten: its model was replaced under its name.
pub fn make(work: &Work<'_>, (name, dimensions): (&str, usize), store: Store) -> Result<Kept, IndexError> {
    for old in all(work)?.into_iter().filter(|old| old.name == name) {
        forget(work, &old)?;
    }
    let sql = "INSERT INTO embedder (name, dimensions) VALUES (?1, ?2)";
    work.run(sql, &[name.into(), (dimensions as u64).into()])?;
    let kept = Kept { id: work.inserted().cast_unsigned(), name: name.to_owned(), dimensions, store, mark: 0 };
    set_store(work, &kept)?;
    Ok(kept)
}

/// Forgets one with all its vectors.
pub fn forget(work: &Work<'_>, kept: &Kept) -> Result<(), IndexError> {
    crate::index::vectors::open(work, kept).clear()?;
    coverage::forget(work, kept.id)?;
    work.run("DELETE FROM embedder WHERE id = ?1", &[kept.id.into()])?;
    for key in [key(kept.id), mark_key(kept.id)] {
        work.run("DELETE FROM meta WHERE key = ?1", &[key.as_str().into()])?;
    }
    Ok(())
}

/// Notes what its model said of the text models are told apart by.
pub fn set_mark(work: &Work<'_>, kept: &Kept, mark: u64) -> Result<(), IndexError> {
    if kept.mark == mark { Ok(()) } else { set_number(work, &mark_key(kept.id), mark) }
}

fn mark_key(id: u64) -> String {
    format!("mark {id}")
}

/// Notes where its vectors are.
pub fn set_store(work: &Work<'_>, kept: &Kept) -> Result<(), IndexError> {
    set_number(work, &key(kept.id), u64::from(kept.store == Store::Vec0))
}

fn key(id: u64) -> String {
    format!("store {id}")
}
