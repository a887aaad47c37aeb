//! What do the tables say?
//!
//! Only reading; every function sees the state of one transaction.

use std::collections::HashMap;

use crate::db::work::{Row, RowResult, Work};
use crate::index::error::IndexError;
use crate::index::files::Passed;
use crate::index::language::Kind;
use crate::index::store::write::{Stamp, folded};

/// What is known of a work tree.
#[derive(Debug, Default)]
pub struct Known {
    /// Its number; none when it was never indexed.
    pub tree: Option<u64>,
    /// Raised with every change, so that a process notices another's.
    pub generation: u64,
    /// Its files by path.
    pub files: HashMap<String, KnownFile>,
    /// Its folders and ignore files by path.
    pub folders: HashMap<String, Stamp>,
}

/// What is known of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownFile {
    /// How it looked.
    pub stamp: Stamp,
    /// Its document; none when it was passed over.
    pub blob: Option<u64>,
    /// Why it was passed over.
    pub passed: Option<Passed>,
}

/// Reads what is known of a work tree.
pub fn known(work: &Work<'_>, root: &str) -> Result<Known, IndexError> {
    let Some((tree, generation)) = tree(work, root)? else { return Ok(Known::default()) };
    let stamp = |row: &Row<'_>| -> RowResult<Stamp> { Ok(Stamp { value: row.int(1)?, is_racy: row.count(2)? != 0 }) };
    let file = |row: &Row<'_>| -> RowResult<(String, KnownFile)> {
        let passed = row.count_or_none(4)?.and_then(Passed::of_number);
        Ok((row.text(0)?, KnownFile { stamp: stamp(row)?, blob: row.count_or_none(3)?, passed }))
    };
    let sql = "SELECT path, stamp, is_racy, blob, passed FROM file WHERE tree = ?1";
    let files = work.rows(sql, &[tree.into()], file)?.into_iter().collect();
    let sql = "SELECT path, stamp, is_racy FROM folder WHERE tree = ?1";
    let folders = work.rows(sql, &[tree.into()], |row| Ok((row.text(0)?, stamp(row)?)))?.into_iter().collect();
    Ok(Known { tree: Some(tree), generation, files, folders })
}

/// Returns number and generation of a work tree.
pub fn tree(work: &Work<'_>, root: &str) -> Result<Option<(u64, u64)>, IndexError> {
    let sql = "SELECT id, generation FROM tree WHERE root = ?1";
    Ok(work.first(sql, &[root.into()], |row| Ok((row.count(0)?, row.count(1)?)))?)
}

/// Where a piece stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The piece.
    pub chunk: u64,
    /// Its document.
    pub blob: u64,
    /// The file, by its path below the root.
    pub path: String,
    /// First line, from 1.
    pub line: u32,
    /// Last line.
    pub end_line: u32,
}

/// Returns where a piece stands in a work tree; none when the tree has no such file now.
pub fn place(work: &Work<'_>, tree: u64, chunk: u64) -> Result<Option<Place>, IndexError> {
    let sql = "SELECT c.blob, f.path, c.line, c.end_line FROM chunk c JOIN file f ON f.blob = c.blob AND f.tree = ?2 WHERE c.id = ?1";
    let read = |row: &Row<'_>| {
        Ok(Place { chunk, blob: row.count(0)?, path: row.text(1)?, line: line(row, 2)?, end_line: line(row, 3)? })
    };
    Ok(work.first(sql, &[chunk.into(), tree.into()], read)?)
}

/// Returns the pieces with a text, at most a few: the same licence stands in thousands of files.
pub fn chunks_of_text(work: &Work<'_>, text: u64) -> Result<Vec<u64>, IndexError> {
    Ok(work.rows("SELECT id FROM chunk WHERE text = ?1 LIMIT 8", &[text.into()], |row| row.count(0))?)
}

/// A definition and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The document.
    pub blob: u64,
    /// The file.
    pub path: String,
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// First line.
    pub line: u32,
    /// Last line.
    pub end_line: u32,
    /// The name of the definition around it.
    pub parent: Option<String>,
    /// Whether it is other people's code.
    pub is_vendored: bool,
}

/// Returns the definitions of a name in a work tree, whatever its case.
pub fn definitions(work: &Work<'_>, tree: u64, name: &str, at_most: u64) -> Result<Vec<Found>, IndexError> {
    let sql = "SELECT d.blob, f.path, d.name, d.kind, d.line, d.end_line, b.is_vendored,
            (SELECT p.name FROM def p WHERE p.blob = d.blob AND p.number = d.parent)
        FROM def d JOIN file f ON f.blob = d.blob AND f.tree = ?2 JOIN blob b ON b.id = d.blob
        WHERE d.folded = ?1 LIMIT ?3";
    let read = |row: &Row<'_>| {
        Ok(Found {
            blob: row.count(0)?,
            path: row.text(1)?,
            name: row.text(2)?,
            kind: Kind::of_number(row.count(3)?).unwrap_or(Kind::Constant),
            line: line(row, 4)?,
            end_line: line(row, 5)?,
            is_vendored: row.count(6)? != 0,
            parent: row.text_or_none(7)?,
        })
    };
    let mut found = work.rows(sql, &[folded(name).into(), tree.into(), at_most.into()], read)?;
    found.retain(|found| found.name.to_lowercase() == name.to_lowercase());
    Ok(found)
}

/// Returns the names around and in some lines of a document: the outermost scope first, then what is defined there.
pub fn names_at(work: &Work<'_>, blob: u64, line: u32, end_line: u32) -> Result<(String, Vec<String>), IndexError> {
    let sql = "SELECT name, line FROM def WHERE blob = ?1 AND line < ?2 AND end_line >= ?2 ORDER BY number";
    let around = work.rows(sql, &[blob.into(), line.into()], |row| row.text(0))?;
    let sql = "SELECT name FROM def WHERE blob = ?1 AND line BETWEEN ?2 AND ?3 ORDER BY number LIMIT 20";
    let within = work.rows(sql, &[blob.into(), line.into(), end_line.into()], |row| row.text(0))?;
    Ok((around.join("."), within))
}

fn line(row: &Row<'_>, column: usize) -> RowResult<u32> {
    row.count(column).map(|line| u32::try_from(line).unwrap_or(u32::MAX))
}
