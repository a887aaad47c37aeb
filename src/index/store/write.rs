//! How do documents and the map of a work tree get into the tables?
//!
//! Within one transaction of the elected writer. Small values of many rows are collected and written by [`Writer::finish`];
//! a transaction without it would leave pieces that cannot be found.

use std::collections::HashMap;

use crate::db::work::Work;
use crate::index::document::{Chunk, Document, Key};
use crate::index::error::IndexError;
use crate::index::files::Passed;
use crate::index::store::packed::{self, Packed, folded};
use crate::index::store::segment::{Changes, LENGTHS};
use crate::index::store::{WORDS_PER_STEP, short};
use crate::index::vectors::kept::{self, Kept};
use crate::index::vectors::{self, Entry};

/// What becomes of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It has this document.
    Blob(u64),
    /// It was passed over.
    Passed(Passed),
}

/// Writes within a transaction.
pub struct Writer<'w> {
    work: &'w Work<'w>,
    lengths: Changes,
    /// Vectors of the built-in embedder and the language they are of, by text.
    vectors: HashMap<u64, (&'static str, Vec<f32>)>,
    /// Names that are defined, with the documents: in order, they are written in a fraction of the time.
    defined: Vec<(u32, u64)>,
    next_text: u64,
    next_chunk: u64,
}

impl<'w> Writer<'w> {
    /// Begins.
    pub fn new(work: &'w Work<'w>) -> Result<Self, IndexError> {
        let next = |sql: &str| work.first(sql, &[], |row| row.count(0)).map(|found| found.unwrap_or_default() + 1);
        Ok(Self {
            work,
            lengths: Changes::new(LENGTHS, 1),
            vectors: HashMap::new(),
            defined: Vec::new(),
            next_text: number(work, "next_text")?.max(1),
            next_chunk: next("SELECT coalesce(max(id), 0) FROM chunk")?,
        })
    }

    /// Returns the number of a work tree, making it when it is new.
    pub fn tree(&self, root: &str, now_ms: u64) -> Result<u64, IndexError> {
        let sql = "INSERT INTO tree (root, generation, used_at_ms) VALUES (?1, 1, ?2)
            ON CONFLICT (root) DO UPDATE SET generation = generation + 1, used_at_ms = ?2";
        self.work.run(sql, &[root.into(), now_ms.into()])?;
        Ok(self
            .work
            .first("SELECT id FROM tree WHERE root = ?1", &[root.into()], |row| row.count(0))?
            .unwrap_or_default())
    }

    /// Returns how often a work tree was written.
    pub fn generation(&self, tree: u64) -> Result<u64, IndexError> {
        let sql = "SELECT generation FROM tree WHERE id = ?1";
        Ok(self.work.first(sql, &[tree.into()], |row| row.count(0))?.unwrap_or_default())
    }

    /// Returns the document with this key, if it is there.
    pub fn known(&self, key: &Key) -> Result<Option<u64>, IndexError> {
        Ok(self.work.first("SELECT id FROM blob WHERE key = ?1", &[key[..].into()], |row| row.count(0))?)
    }

    /// Keeps a document with what it says about names, and returns its number.
    pub fn put(&mut self, key: &Key, document: Document, names: &Packed) -> Result<u64, IndexError> {
        let sql =
            "INSERT INTO blob (key, language, bytes, first_chunk, n_chunks, n_definitions, n_secrets, is_vendored)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
        let values = [
            key[..].into(),
            document.language.into(),
            document.bytes.into(),
            self.next_chunk.into(),
            (document.chunks.len() as u64).into(),
            names.n_definitions.into(),
            document.n_secrets.into(),
            u64::from(document.is_vendored).into(),
        ];
        self.work.run(sql, &values)?;
        let blob = self.work.inserted().cast_unsigned();
        for chunk in document.chunks {
            self.put_chunk(blob, document.language, chunk)?;
        }
        self.put_names(blob, names)?;
        Ok(blob)
    }

    fn put_names(&mut self, blob: u64, names: &Packed) -> Result<(), IndexError> {
        if names.is_empty() {
            return Ok(());
        }
        let sql = "INSERT INTO names (blob, defs, refs, imports) VALUES (?1, ?2, ?3, ?4)";
        let [definitions, references, imports] = [&names.definitions, &names.references, &names.imports];
        let values =
            [blob.into(), definitions.as_slice().into(), references.as_slice().into(), imports.as_slice().into()];
        self.work.run(sql, &values)?;
        self.defined.extend(names.folded.iter().map(|folded| (*folded, blob)));
        Ok(())
    }

    fn put_chunk(&mut self, blob: u64, language: &'static str, chunk: Chunk) -> Result<(), IndexError> {
        let text = self.text(&chunk.text)?;
        if let Some(vector) = chunk.vector {
            let kept = self.vectors.entry(text).or_insert((language, vector));
            if kept.0 != language {
                kept.0 = "";
            }
        }
        let id = self.next_chunk;
        self.next_chunk += 1;
        let sql = "INSERT INTO chunk (id, blob, line, end_line, text) VALUES (?1, ?2, ?3, ?4, ?5)";
        self.work.run(sql, &[id.into(), blob.into(), chunk.line.into(), chunk.end_line.into(), text.into()])?;
        self.work
            .run("INSERT INTO words (rowid, text) VALUES (?1, ?2)", &[id.into(), chunk.words.text.as_str().into()])?;
        // 0 stands for a piece that is gone.
        let length = (chunk.words.n_words / WORDS_PER_STEP).clamp(1, 255) as u8;
        Ok(self.lengths.set(self.work, id, &[length])?)
    }

    fn text(&mut self, hash: &Key) -> Result<u64, IndexError> {
        let id = self.next_text;
        // Most texts are new, so one statement is enough for them.
        let sql = "INSERT OR IGNORE INTO text (hash, id) VALUES (?1, ?2)";
        if self.work.run(sql, &[short(hash).into(), id.into()])? > 0 {
            self.next_text += 1;
            return Ok(id);
        }
        let sql = "SELECT id FROM text WHERE hash = ?1";
        Ok(self.work.first(sql, &[short(hash).into()], |row| row.count(0))?.unwrap_or_default())
    }

    /// Says what a path of a work tree is.
    pub fn set_file(&self, tree: u64, path: &str, stamp: Stamp, outcome: Outcome) -> Result<(), IndexError> {
        let (blob, passed) = match outcome {
            Outcome::Blob(blob) => (Some(blob), None),
            Outcome::Passed(why) => (None, Some(u64::from(why.number()))),
        };
        let sql =
            "INSERT OR REPLACE INTO file (tree, path, stamp, is_racy, blob, passed) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        let is_racy = u64::from(stamp.is_racy);
        self.work
            .run(sql, &[tree.into(), path.into(), stamp.value.into(), is_racy.into(), blob.into(), passed.into()])?;
        Ok(())
    }

    /// Forgets a path of a work tree; its document stays for when it comes back.
    pub fn remove_file(&self, tree: u64, path: &str) -> Result<(), IndexError> {
        self.work.run("DELETE FROM file WHERE tree = ?1 AND path = ?2", &[tree.into(), path.into()])?;
        Ok(())
    }

    /// Replaces what is known of the folders of a work tree.
    pub fn set_folders(&self, tree: u64, gone: &[String], there: &[(String, Stamp)]) -> Result<(), IndexError> {
        for path in gone {
            self.work.run("DELETE FROM folder WHERE tree = ?1 AND path = ?2", &[tree.into(), path.as_str().into()])?;
        }
        for (path, stamp) in there {
            let sql = "INSERT OR REPLACE INTO folder (tree, path, stamp, is_racy) VALUES (?1, ?2, ?3, ?4)";
            let is_racy = u64::from(stamp.is_racy);
            self.work.run(sql, &[tree.into(), path.as_str().into(), stamp.value.into(), is_racy.into()])?;
        }
        Ok(())
    }

    /// Forgets documents.
    pub fn remove_blobs(&mut self, blobs: &[u64]) -> Result<(), IndexError> {
        for blob in blobs {
            let chunks = self.work.rows(
                "SELECT id FROM chunk WHERE blob = ?1 AND id >= (SELECT first_chunk FROM blob WHERE id = ?1)
                AND id < (SELECT first_chunk + n_chunks FROM blob WHERE id = ?1)",
                &[(*blob).into()],
                |row| row.count(0),
            )?;
            for chunk in chunks {
                self.work.run("DELETE FROM words WHERE rowid = ?1", &[chunk.into()])?;
                self.work.run("DELETE FROM chunk WHERE id = ?1", &[chunk.into()])?;
                self.lengths.set(self.work, chunk, &[0])?;
            }
            let sql = "SELECT defs FROM names WHERE blob = ?1";
            let packed = self.work.first(sql, &[(*blob).into()], |row| row.bytes(0))?.unwrap_or_default();
            for found in packed::unpack_definitions(&packed) {
                let sql = "DELETE FROM defined WHERE folded = ?1 AND blob = ?2";
                self.work.run(sql, &[folded(&found.name).into(), (*blob).into()])?;
            }
            for sql in ["DELETE FROM names WHERE blob = ?1", "DELETE FROM blob WHERE id = ?1"] {
                self.work.run(sql, &[(*blob).into()])?;
            }
        }
        Ok(())
    }

    /// Forgets texts no piece has any more, with their vectors by every embedder.
    pub fn remove_stray_texts(&mut self) -> Result<(), IndexError> {
        let sql = "SELECT id FROM text WHERE id NOT IN (SELECT text FROM chunk)";
        let strays = self.work.rows(sql, &[], |row| row.count(0))?;
        for embedder in kept::all(self.work)? {
            vectors::open(self.work, &embedder).remove(&strays)?;
        }
        self.work.run("DELETE FROM text WHERE id NOT IN (SELECT text FROM chunk)", &[])?;
        Ok(())
    }

    /// Writes what was collected, the vectors as those of `embedder`.
    pub fn finish(mut self, embedder: &Kept) -> Result<(), IndexError> {
        self.lengths.flush(self.work)?;
        self.defined.sort_unstable();
        for (folded, blob) in &self.defined {
            self.work.run("INSERT INTO defined (folded, blob) VALUES (?1, ?2)", &[(*folded).into(), (*blob).into()])?;
        }
        set_number(self.work, "next_text", self.next_text)?;
        let mut entries: Vec<Entry<'_>> =
            self.vectors.iter().map(|(text, (language, vector))| Entry { text: *text, language, vector }).collect();
        entries.sort_unstable_by_key(|entry| entry.text);
        vectors::open(self.work, embedder).put(&entries)
    }
}

/// What tells whether a file or folder has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// Times, size and number of the file, as one.
    pub value: i64,
    /// Whether it was looked at so soon after a change that another would not show.
    pub is_racy: bool,
}

/// Reads a number kept by name; 0 when it was never set.
pub fn number(work: &Work<'_>, key: &str) -> Result<u64, IndexError> {
    let found = work.first("SELECT value FROM meta WHERE key = ?1", &[key.into()], |row| row.count(0))?;
    Ok(found.unwrap_or_default())
}

/// Keeps a number by name.
pub fn set_number(work: &Work<'_>, key: &str, value: u64) -> Result<(), IndexError> {
    work.run("INSERT OR REPLACE INTO meta (key, value) VALUES (?1, ?2)", &[key.into(), value.into()])?;
    Ok(())
}
