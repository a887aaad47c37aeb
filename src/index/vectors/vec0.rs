//! How are vectors measured exactly, by the rules of SQL?
//!
//! In tables of sqlite-vec, one for each number of dimensions: the embedder is what they are divided by, the language what
//! they are narrowed by. Every vector of an embedder is looked at. Surprising: rows are found by one number alone, so that it
//! holds embedder and text; and the lists of rows are read from the extension's own tables, which is why it is pinned.

use crate::db::work::Work;
use crate::index::error::IndexError;
use crate::index::vectors::{Entry, VectorStore, Wanted};

/// Vectors of one block. The best of a block are chosen by looking through it again and again, so that a large one is slow;
/// and a block takes its room also when it holds one vector.
const BLOCK: usize = 128;
/// A block is this many times as large as what is in it before all is written anew.
const GAPS: usize = 3;
/// What the extension finds at most.
const MAX_FOUND: usize = 4096;
/// Bits of a row's number that name the text.
const TEXT_BITS: u32 = 40;

/// Vectors in a table of sqlite-vec.
pub struct Vec0<'w> {
    work: &'w Work<'w>,
    embedder: u64,
    dimensions: usize,
}

impl<'w> Vec0<'w> {
    /// Opens the vectors of an embedder, by its number in the database.
    pub fn new(work: &'w Work<'w>, embedder: u64, dimensions: usize) -> Self {
        Self { work, embedder, dimensions }
    }

    fn table(&self) -> String {
        format!("vec_{}", self.dimensions)
    }

    fn exists(&self) -> Result<bool, IndexError> {
        let sql = "SELECT count(*) FROM sqlite_schema WHERE name = ?1";
        Ok(self.work.first(sql, &[self.table().as_str().into()], |row| row.count(0))? != Some(0))
    }

    fn row(&self, text: u64) -> u64 {
        self.embedder << TEXT_BITS | text
    }

    fn make(&self) -> Result<(), IndexError> {
        if !self.exists()? {
            self.work.run(
                &format!(
                    "CREATE VIRTUAL TABLE {} USING vec0(embedder INTEGER PARTITION KEY, language TEXT,
                        vector FLOAT[{}] distance_metric=cosine, chunk_size={BLOCK})",
                    self.table(),
                    self.dimensions
                ),
                &[],
            )?;
        }
        Ok(())
    }

    /// Returns the rows of this embedder.
    fn rows(&self) -> Result<Vec<u64>, IndexError> {
        let sql = format!("SELECT rowid FROM {}_rowids WHERE rowid BETWEEN ?1 AND ?2", self.table());
        Ok(self.work.rows(&sql, &[self.row(0).into(), self.row((1 << TEXT_BITS) - 1).into()], |row| row.count(0))?)
    }

    /// Writes all anew when the blocks are mostly gaps: a gap is never filled again, and a block goes only when it is empty.
    fn close_gaps(&mut self) -> Result<(), IndexError> {
        let sql = format!("SELECT count(*) FROM {}_chunks WHERE partition00 = ?1", self.table());
        let n_blocks = self.work.first(&sql, &[self.embedder.into()], |row| row.count(0))?.unwrap_or_default();
        if n_blocks as usize * BLOCK <= GAPS * self.rows()?.len() + GAPS * BLOCK {
            return Ok(());
        }
        let mut all: Vec<(u64, String, Vec<f32>)> = Vec::new();
        self.each(&mut |entry| all.push((entry.text, entry.language.to_owned(), entry.vector.to_vec())))?;
        self.clear()?;
        let entries: Vec<Entry<'_>> =
            all.iter().map(|(text, language, vector)| Entry { text: *text, language, vector }).collect();
        self.put(&entries)
    }

    fn delete(&self, row: u64) -> Result<(), IndexError> {
        self.work.run(&format!("DELETE FROM {} WHERE rowid = ?1", self.table()), &[row.into()])?;
        Ok(())
    }
}

fn bytes_of(vector: &[f32]) -> Vec<u8> {
    vector.iter().flat_map(|number| number.to_le_bytes()).collect()
}

impl VectorStore for Vec0<'_> {
    fn put(&mut self, entries: &[Entry<'_>]) -> Result<(), IndexError> {
        if entries.is_empty() {
            return Ok(());
        }
        self.make()?;
        let table = self.table();
        let known = format!("SELECT language, vector FROM {table} WHERE rowid = ?1");
        let insert = format!("INSERT INTO {table} (rowid, embedder, language, vector) VALUES (?1, ?2, ?3, ?4)");
        for entry in entries.iter().filter(|entry| entry.vector.len() == self.dimensions) {
            let row = self.row(entry.text);
            let bytes = bytes_of(entry.vector);
            let mut language = entry.language;
            if let Some((before, vector)) =
                self.work.first(&known, &[row.into()], |row| Ok((row.text(0)?, row.bytes(1)?)))?
            {
                if before != language {
                    language = "";
                }
                if before == language && vector == bytes {
                    continue;
                }
                self.delete(row)?;
            }
            let values = [row.into(), self.embedder.into(), language.into(), bytes.as_slice().into()];
            self.work.run(&insert, &values)?;
        }
        self.close_gaps()
    }

    fn remove(&mut self, texts: &[u64]) -> Result<(), IndexError> {
        if texts.is_empty() || !self.exists()? {
            return Ok(());
        }
        let known: std::collections::HashSet<u64> = self.rows()?.into_iter().collect();
        for row in texts.iter().map(|text| self.row(*text)).filter(|row| known.contains(row)) {
            self.delete(row)?;
        }
        self.close_gaps()
    }

    fn nearest(&self, wanted: &Wanted<'_>) -> Result<Vec<(u64, f32)>, IndexError> {
        let is_zero = wanted.question.iter().all(|number| *number == 0.0);
        if wanted.question.len() != self.dimensions || is_zero || wanted.n == 0 || !self.exists()? {
            return Ok(Vec::new());
        }
        let table = self.table();
        let sql = format!("SELECT rowid, distance FROM {table} WHERE vector MATCH ?1 AND k = ?2 AND embedder = ?3");
        let bytes = bytes_of(wanted.question);
        let values = [bytes.as_slice().into(), (wanted.n.min(MAX_FOUND) as u64).into(), self.embedder.into()];
        let text_of = |row: u64| row & ((1 << TEXT_BITS) - 1);
        let read = |row: &crate::db::work::Row<'_>| Ok((text_of(row.count(0)?), 1.0 - row.real(1)? as f32));
        let mut found = match wanted.language {
            None => self.work.rows(&sql, &values, read)?,
            Some(language) => {
                let [question, n, embedder] = values;
                let sql = format!("{sql} AND language IN (?4, '')");
                self.work.rows(&sql, &[question, n, embedder, language.into()], read)?
            }
        };
        found.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        Ok(found)
    }

    fn count(&self) -> Result<u64, IndexError> {
        if self.exists()? { Ok(self.rows()?.len() as u64) } else { Ok(0) }
    }

    fn texts(&self) -> Result<Vec<u64>, IndexError> {
        let rows = if self.exists()? { self.rows()? } else { Vec::new() };
        Ok(rows.into_iter().map(|row| row & ((1 << TEXT_BITS) - 1)).collect())
    }

    fn each(&self, show: &mut dyn FnMut(Entry<'_>)) -> Result<(), IndexError> {
        if !self.exists()? {
            return Ok(());
        }
        let sql = format!("SELECT language, vector FROM {} WHERE rowid = ?1", self.table());
        for row in self.rows()? {
            let read = |row: &crate::db::work::Row<'_>| Ok((row.text(0)?, row.bytes(1)?));
            if let Some((language, bytes)) = self.work.first(&sql, &[row.into()], read)? {
                let vector: Vec<f32> = bytes.as_chunks::<4>().0.iter().map(|four| f32::from_le_bytes(*four)).collect();
                show(Entry { text: row & ((1 << TEXT_BITS) - 1), language: &language, vector: &vector });
            }
        }
        Ok(())
    }

    fn clear(&mut self) -> Result<(), IndexError> {
        if !self.exists()? {
            return Ok(());
        }
        let own = self.rows()?;
        let sql = format!("SELECT count(*) FROM {}_rowids", self.table());
        if self.work.first(&sql, &[], |row| row.count(0))? == Some(own.len() as u64) {
            self.work.run(&format!("DROP TABLE {}", self.table()), &[])?;
            return Ok(());
        }
        own.into_iter().try_for_each(|row| self.delete(row))
    }
}
