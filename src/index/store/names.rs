//! Which names does a work tree define, and which does each file use?
//!
//! Only reading, for whoever follows names through the project: `symbols`, `graph`, `map`. Names are as written here; whoever
//! wants them whatever their case asks `read::definitions`.

use std::ops::ControlFlow;

use crate::db::work::{Row, RowResult, Work};
use crate::index::error::IndexError;
use crate::index::language::Kind;
use crate::index::store::packed::{needle, unpack_imports, unpack_references};
use crate::index::store::write::folded;
use crate::index::syntax::{Import, Reference};

/// A file with a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its path below the root.
    pub path: String,
    /// Its document.
    pub blob: u64,
    /// The language's name; empty for plain text.
    pub language: String,
    /// Whether it is other people's code.
    pub is_vendored: bool,
}

/// A definition as the tables have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Its document.
    pub blob: u64,
    /// Its place among the definitions of the document.
    pub number: u32,
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// First line, from 1.
    pub line: u32,
    /// Last line.
    pub end_line: u32,
    /// The number of the definition it stands in.
    pub parent: Option<u32>,
}

/// The columns of a definition, as [`row`] reads them.
const COLUMNS: &str = "d.blob, d.number, d.name, d.kind, d.line, d.end_line, d.parent";

fn row(row: &Row<'_>) -> RowResult<Known> {
    let small = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
    Ok(Known {
        blob: row.count(0)?,
        number: small(row.count(1)?),
        name: row.text(2)?,
        kind: Kind::of_number(row.count(3)?).unwrap_or(Kind::Constant),
        line: small(row.count(4)?),
        end_line: small(row.count(5)?),
        parent: row.count_or_none(6)?.map(small),
    })
}

/// Returns all files of a work tree that have a document, by path.
pub fn files(work: &Work<'_>, tree: u64) -> Result<Vec<File>, IndexError> {
    let sql = "SELECT f.path, f.blob, b.language, b.is_vendored FROM file f JOIN blob b ON b.id = f.blob
        WHERE f.tree = ?1 ORDER BY f.path";
    let read = |row: &Row<'_>| {
        Ok(File { path: row.text(0)?, blob: row.count(1)?, language: row.text(2)?, is_vendored: row.count(3)? != 0 })
    };
    Ok(work.rows(sql, &[tree.into()], read)?)
}

/// Returns the definitions of a document in the order of its text; those whose names hold keys are missing.
pub fn of_blob(work: &Work<'_>, blob: u64) -> Result<Vec<Known>, IndexError> {
    let sql = format!("SELECT {COLUMNS} FROM def d WHERE d.blob = ?1 ORDER BY d.number");
    Ok(work.rows(&sql, &[blob.into()], row)?)
}

/// Returns the definitions of exactly this name, with their files.
pub fn named(work: &Work<'_>, tree: u64, name: &str, at_most: u64) -> Result<Vec<(Known, String)>, IndexError> {
    let sql = format!(
        "SELECT {COLUMNS}, f.path FROM def d JOIN file f ON f.blob = d.blob AND f.tree = ?2
        WHERE d.folded = ?1 AND d.name = ?3 ORDER BY f.path, d.number LIMIT ?4"
    );
    let values = [folded(name).into(), tree.into(), name.into(), at_most.into()];
    Ok(work.rows(&sql, &values, |found| Ok((row(found)?, found.text(7)?)))?)
}

/// Returns definitions whose names hold a text, whatever its case: first those that begin with it, the shortest first.
pub fn like(work: &Work<'_>, tree: u64, text: &str, at_most: u64) -> Result<Vec<(Known, String)>, IndexError> {
    let escaped: String =
        text.chars().flat_map(|c| matches!(c, '%' | '_' | '\\').then_some('\\').into_iter().chain([c])).collect();
    let sql = format!(
        "SELECT {COLUMNS}, f.path FROM def d JOIN file f ON f.blob = d.blob AND f.tree = ?1 JOIN blob b ON b.id = d.blob
        WHERE d.name LIKE '%' || ?2 || '%' ESCAPE '\\'
        ORDER BY d.name LIKE ?2 || '%' ESCAPE '\\' DESC, b.is_vendored, length(d.name), d.name, f.path, d.number LIMIT ?3"
    );
    let values = [tree.into(), escaped.as_str().into(), at_most.into()];
    Ok(work.rows(&sql, &values, |found| Ok((row(found)?, found.text(7)?)))?)
}

/// Returns every distinct name of the work tree; for naming what was probably meant.
pub fn all_names(work: &Work<'_>, tree: u64) -> Result<Vec<String>, IndexError> {
    let sql = "SELECT DISTINCT d.name FROM def d JOIN file f ON f.blob = d.blob AND f.tree = ?1";
    Ok(work.rows(sql, &[tree.into()], |row| row.text(0))?)
}

/// Returns the files that use a name, or whose imports mention it, by path.
pub fn users(work: &Work<'_>, tree: u64, name: &str) -> Result<Vec<String>, IndexError> {
    let sql = "SELECT f.path FROM file f JOIN blob b ON b.id = f.blob
        WHERE f.tree = ?1 AND (instr(b.refs, ?2) > 0 OR instr(b.imports, ?3) > 0) ORDER BY f.path";
    let (packed, plain) = (needle(name), name.as_bytes());
    Ok(work.rows(sql, &[tree.into(), packed.as_slice().into(), plain.into()], |row| row.text(0))?)
}

/// Shows every file of the work tree with the names it uses.
pub fn each_use(work: &Work<'_>, tree: u64, mut each: impl FnMut(String, Vec<Reference>)) -> Result<(), IndexError> {
    let sql = "SELECT f.path, b.refs FROM file f JOIN blob b ON b.id = f.blob WHERE f.tree = ?1 ORDER BY f.path";
    work.each(sql, &[tree.into()], |row| {
        each(row.text(0)?, unpack_references(row.lend(1)?));
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(())
}

/// Shows every definition of the work tree with its file.
pub fn each_definition(work: &Work<'_>, tree: u64, mut each: impl FnMut(Known, String)) -> Result<(), IndexError> {
    let sql = format!(
        "SELECT {COLUMNS}, f.path FROM file f JOIN def d ON d.blob = f.blob WHERE f.tree = ?1 ORDER BY f.path, d.number"
    );
    work.each(&sql, &[tree.into()], |found| {
        each(row(found)?, found.text(7)?);
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(())
}

/// Returns what each file of the work tree brings in, as it is written.
pub fn imports(work: &Work<'_>, tree: u64) -> Result<Vec<(String, Vec<Import>)>, IndexError> {
    let sql = "SELECT f.path, b.imports FROM file f JOIN blob b ON b.id = f.blob WHERE f.tree = ?1 ORDER BY f.path";
    Ok(work.rows(sql, &[tree.into()], |row| Ok((row.text(0)?, unpack_imports(row.lend(1)?))))?)
}
