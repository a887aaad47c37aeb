//! What do the tables say?
//!
//! Only reading; every function sees the state of one transaction.

use std::ops::ControlFlow;

use crate::db::work::{Row, RowResult, Work};
use crate::index::error::IndexError;
use crate::index::files::Passed;
use crate::index::language::Kind;
use crate::index::store::packed::{self, folded};
use crate::index::store::write::Stamp;
use crate::index::syntax::Definition;

/// What is known of a work tree.
#[derive(Debug, Default)]
pub struct Known {
    /// Its number; none when it was never indexed.
    pub tree: Option<u64>,
    /// Raised with every change, so that a process notices another's.
    pub generation: u64,
    /// Its files, sorted by path: a map would take longer to make than all of it takes to look through.
    pub files: Vec<(String, KnownFile)>,
    /// Its folders and ignore files, sorted by path.
    pub folders: Vec<(String, Stamp)>,
}

impl Known {
    /// Returns what is known of a file.
    pub fn file(&self, path: &str) -> Option<&KnownFile> {
        find(&self.files, path)
    }

    /// Returns how a folder or an ignore file looked.
    pub fn folder(&self, path: &str) -> Option<&Stamp> {
        find(&self.folders, path)
    }
}

fn find<'k, T>(sorted: &'k [(String, T)], path: &str) -> Option<&'k T> {
    let at = sorted.binary_search_by(|(known, _)| known.as_str().cmp(path)).ok()?;
    sorted.get(at).map(|(_, found)| found)
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
    let sql = "SELECT path, stamp, is_racy, blob, passed FROM file WHERE tree = ?1 ORDER BY path";
    let files = work.rows(sql, &[tree.into()], file)?;
    let sql = "SELECT path, stamp, is_racy FROM folder WHERE tree = ?1 ORDER BY path";
    let folders = work.rows(sql, &[tree.into()], |row| Ok((row.text(0)?, stamp(row)?)))?;
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

/// Documents that are looked through for one name; a name as common tells nothing.
const MAX_DEFINING: u64 = 500;

/// Returns the definitions of a name in a work tree, whatever its case.
pub fn definitions(work: &Work<'_>, tree: u64, name: &str, at_most: u64) -> Result<Vec<Found>, IndexError> {
    let wanted = name.to_lowercase();
    let sql =
        "SELECT f.path, n.blob, n.defs, b.is_vendored FROM defined d JOIN file f ON f.blob = d.blob AND f.tree = ?2
        JOIN names n ON n.blob = d.blob JOIN blob b ON b.id = d.blob WHERE d.folded = ?1 LIMIT ?3";
    let values = [folded(name).into(), tree.into(), MAX_DEFINING.into()];
    let mut found = Vec::new();
    work.each(sql, &values, |row| {
        let (path, blob, is_vendored) = (row.text(0)?, row.count(1)?, row.count(3)? != 0);
        let all = packed::unpack_definitions(row.lend(2)?);
        for own in all.iter().filter(|own| own.name.to_lowercase() == wanted) {
            found.push(Found {
                blob,
                path: path.clone(),
                name: own.name.clone(),
                kind: own.kind,
                line: own.line,
                end_line: own.end_line,
                parent: own.parent.and_then(|parent| Some(all.get(parent as usize)?.name.clone())),
                is_vendored,
            });
        }
        Ok(if found.len() as u64 >= at_most { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    })?;
    found.truncate(usize::try_from(at_most).unwrap_or(usize::MAX));
    Ok(found)
}

/// Returns what a document defines, in the order of its text; what lay beside keys has an empty name.
pub fn definitions_of(work: &Work<'_>, blob: u64) -> Result<Vec<Definition>, IndexError> {
    let sql = "SELECT defs FROM names WHERE blob = ?1";
    let found = work.first(sql, &[blob.into()], |row| Ok(packed::unpack_definitions(row.lend(0)?)))?;
    Ok(found.unwrap_or_default())
}

/// Names shown of one piece.
const MAX_NAMES: usize = 20;

/// Returns the names around and in some lines of a document: the outermost scope first, then what is defined there.
pub fn names_at(work: &Work<'_>, blob: u64, line: u32, end_line: u32) -> Result<(String, Vec<String>), IndexError> {
    let all = definitions_of(work, blob)?;
    let named = || all.iter().filter(|own| !own.name.is_empty());
    let around: Vec<&str> =
        named().filter(|own| own.line < line && own.end_line >= line).map(|own| own.name.as_str()).collect();
    let within = named().filter(|own| (line..=end_line).contains(&own.line)).take(MAX_NAMES);
    Ok((around.join("."), within.map(|own| own.name.clone()).collect()))
}

fn line(row: &Row<'_>, column: usize) -> RowResult<u32> {
    row.count(column).map(|line| u32::try_from(line).unwrap_or(u32::MAX))
}
