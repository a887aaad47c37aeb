//! In which tables is the index kept?
//!
//! One SQLite file for each repository identity, shared by its branches, worktrees and clones: a document (`blob`) is known
//! by path and content, and only the map from a work tree's paths to documents differs. Texts are not kept: they are in the
//! files. To add a table or change one: here, with a higher [`CONTENT_VERSION`]; all in them can be made again.

pub mod coverage;
pub mod frequent;
pub mod names;
pub mod packed;
pub mod read;
pub mod segment;
pub mod write;

use std::time::Duration;

use crate::db::open::{Damaged, Plan};
use crate::index::document::Key;

/// How the file is opened. Readers wait for a writer that recovers the log after a crash.
pub const PLAN: Plan = Plan {
    what: "index",
    migrations: MIGRATIONS,
    damaged: Damaged::Delete,
    patience: Duration::from_secs(5),
    // Vectors and lists of names waste less of a larger page, 3 percent of the file; and codes of vectors, which are read
    // whole, are read in a quarter of the steps.
    page_bytes: 16_384,
};

/// Version of what is in the tables: how files are cut, what words and names are. Raised whenever that
/// or a table changes; an index of an older version is deleted and built anew, one of a newer is left alone.
pub const CONTENT_VERSION: u64 = 4;

/// Words per piece, in bytes of one segment slot: lengths above are all the same to BM25.
pub const WORDS_PER_STEP: u32 = 4;

/// Returns half of a key as a number: what a text is known by. SQLite keeps it in nine bytes, a key and its row in thirty;
/// among a million texts two share it once in thirty million times, and then they share a vector.
pub fn short(key: &Key) -> i64 {
    key.first_chunk().copied().map(i64::from_le_bytes).unwrap_or_default()
}

const MIGRATIONS: &[&str] = &["
CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO meta VALUES ('content', 4), ('next_text', 1);
-- A work tree, by its root.
CREATE TABLE tree (id INTEGER PRIMARY KEY, root TEXT NOT NULL UNIQUE, generation INTEGER NOT NULL, used_at_ms INTEGER NOT NULL);
-- Its files. `stamp` tells whether one has changed; `is_racy` that it was read so soon after a change that the stamp would
-- not tell of another. A file without document was passed over, `passed` says why.
CREATE TABLE file (
    tree INTEGER NOT NULL, path TEXT NOT NULL, stamp INTEGER NOT NULL, is_racy INTEGER NOT NULL, blob INTEGER, passed INTEGER,
    PRIMARY KEY (tree, path)
) WITHOUT ROWID;
CREATE INDEX file_blob ON file(blob, tree);
-- Its folders and ignore files.
CREATE TABLE folder (
    tree INTEGER NOT NULL, path TEXT NOT NULL, stamp INTEGER NOT NULL, is_racy INTEGER NOT NULL, PRIMARY KEY (tree, path)
) WITHOUT ROWID;
-- A document: path and content. Its pieces are `n_chunks` rows of `chunk` from `first_chunk` on.
CREATE TABLE blob (
    id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, language TEXT NOT NULL, bytes INTEGER NOT NULL,
    first_chunk INTEGER NOT NULL, n_chunks INTEGER NOT NULL, n_definitions INTEGER NOT NULL,
    n_secrets INTEGER NOT NULL, is_vendored INTEGER NOT NULL
);
-- What it defines, uses and brings in; see `packed`.
CREATE TABLE names (blob INTEGER PRIMARY KEY, defs BLOB NOT NULL, refs BLOB NOT NULL, imports BLOB NOT NULL);
-- Words that stand in many pieces, with how many those were; see `frequent`.
CREATE TABLE frequent (word TEXT PRIMARY KEY, n_with INTEGER NOT NULL) WITHOUT ROWID;
-- Which documents define a name, by a hash of it in lower case: an index over names would hold each of them twice.
CREATE TABLE defined (folded INTEGER NOT NULL, blob INTEGER NOT NULL, PRIMARY KEY (folded, blob)) WITHOUT ROWID;
CREATE TABLE chunk (
    id INTEGER PRIMARY KEY, blob INTEGER NOT NULL, line INTEGER NOT NULL, end_line INTEGER NOT NULL, text INTEGER NOT NULL
);
CREATE INDEX chunk_text ON chunk(text);
-- Distinct texts of pieces: equal ones share a vector.
CREATE TABLE text (hash INTEGER PRIMARY KEY, id INTEGER NOT NULL);
-- Words by chunk. Neither texts nor counts are kept; see `words`.
CREATE VIRTUAL TABLE words USING fts5(
    text, content='', contentless_delete=1, detail=none, tokenize=\"ascii tokenchars '_~'\"
);
CREATE VIRTUAL TABLE word USING fts5vocab(words, row);
CREATE TABLE embedder (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, dimensions INTEGER NOT NULL);
-- Vectors by embedder and text, both in one number; see `vectors::codes`.
CREATE TABLE vector (id INTEGER PRIMARY KEY, code BLOB NOT NULL);
-- Small values of many rows in one: lengths of pieces (kind 0), codes of one bit a dimension (kind: the embedder).
-- Kind and number in one: by a key of two, the bytes would be read once more for each key that is compared.
CREATE TABLE segment (id INTEGER PRIMARY KEY, bytes BLOB NOT NULL);
"];
