//! Which names does a work tree define, and which does each file use?
//!
//! Only reading, for whoever follows names through the project: `symbols`, `graph`, `map`. Names are as written here; whoever
//! wants them whatever their case asks `read::definitions`.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use crate::db::work::{Row, Work};
use crate::index::error::IndexError;
use crate::index::language::Kind;
use crate::index::store::packed::{folded, may_hold, needle, unpack_definitions, unpack_imports, unpack_references};
use crate::index::syntax::{Definition, Import, Reference};

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

/// Returns the definitions of a document out of their packed form; those whose names hold keys are left out.
fn unpacked(blob: u64, packed: &[u8]) -> impl Iterator<Item = Known> {
    let known = move |(number, found): (u32, Definition)| Known {
        blob,
        number,
        name: found.name,
        kind: found.kind,
        line: found.line,
        end_line: found.end_line,
        parent: found.parent,
    };
    (0..).zip(unpack_definitions(packed)).filter(|(_, found)| !found.name.is_empty()).map(known)
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
    let sql = "SELECT defs FROM names WHERE blob = ?1";
    let found = work.first(sql, &[blob.into()], |row| Ok(unpacked(blob, row.lend(0)?).collect()))?;
    Ok(found.unwrap_or_default())
}

/// Returns the definitions of exactly this name, with their files, by path.
pub fn named(work: &Work<'_>, tree: u64, name: &str, at_most: u64) -> Result<Vec<(Known, String)>, IndexError> {
    let sql = "SELECT n.blob, n.defs, f.path FROM defined d JOIN file f ON f.blob = d.blob AND f.tree = ?2
        JOIN names n ON n.blob = d.blob WHERE d.folded = ?1 ORDER BY f.path LIMIT ?3";
    let mut found = Vec::new();
    work.each(sql, &[folded(name).into(), tree.into(), at_most.into()], |row| {
        let path = row.text(2)?;
        let own = unpacked(row.count(0)?, row.lend(1)?).filter(|known| known.name == name);
        found.extend(own.map(|known| (known, path.clone())));
        Ok(ControlFlow::Continue(()))
    })?;
    found.truncate(usize::try_from(at_most).unwrap_or(usize::MAX));
    Ok(found)
}

/// Returns definitions whose names hold a text, whatever its case: first those that begin with it, the shortest first.
pub fn like(work: &Work<'_>, tree: u64, text: &str, at_most: u64) -> Result<Vec<(Known, String)>, IndexError> {
    let wanted = text.to_lowercase();
    let sql = "SELECT n.blob, n.defs, f.path, b.is_vendored FROM file f JOIN names n ON n.blob = f.blob
        JOIN blob b ON b.id = f.blob WHERE f.tree = ?1 ORDER BY f.path";
    let mut found = Vec::new();
    work.each(sql, &[tree.into()], |row| {
        if !may_hold(row.lend(1)?, &wanted) {
            return Ok(ControlFlow::Continue(()));
        }
        let (path, is_vendored) = (row.text(2)?, row.count(3)? != 0);
        for known in unpacked(row.count(0)?, row.lend(1)?) {
            let name = known.name.to_lowercase();
            if name.contains(&wanted) {
                found.push((
                    (!name.starts_with(&wanted), is_vendored, known.name.chars().count()),
                    known,
                    path.clone(),
                ));
            }
        }
        Ok(ControlFlow::Continue(()))
    })?;
    // Of equal ones, the order of paths and lines stays.
    found.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| a.1.name.cmp(&b.1.name)));
    found.truncate(usize::try_from(at_most).unwrap_or(usize::MAX));
    Ok(found.into_iter().map(|(_, known, path)| (known, path)).collect())
}

/// Returns every distinct name of the work tree, sorted; for naming what was probably meant.
pub fn all_names(work: &Work<'_>, tree: u64) -> Result<Vec<String>, IndexError> {
    let mut names = BTreeSet::new();
    each_definition(work, tree, |known, _| {
        names.insert(known.name);
    })?;
    Ok(names.into_iter().collect())
}

/// Returns the files that use a name, or whose imports mention it, by path.
pub fn users(work: &Work<'_>, tree: u64, name: &str) -> Result<Vec<String>, IndexError> {
    let sql = "SELECT f.path FROM file f JOIN names n ON n.blob = f.blob
        WHERE f.tree = ?1 AND (instr(n.refs, ?2) > 0 OR instr(n.imports, ?3) > 0) ORDER BY f.path";
    let (packed, plain) = (needle(name), name.as_bytes());
    Ok(work.rows(sql, &[tree.into(), packed.as_slice().into(), plain.into()], |row| row.text(0))?)
}

/// Shows every file of the work tree with the names it uses.
pub fn each_use(work: &Work<'_>, tree: u64, mut each: impl FnMut(String, Vec<Reference>)) -> Result<(), IndexError> {
    let sql =
        "SELECT f.path, n.refs, n.defs FROM file f JOIN names n ON n.blob = f.blob WHERE f.tree = ?1 ORDER BY f.path";
    work.each(sql, &[tree.into()], |row| {
        each(row.text(0)?, unpack_references(row.lend(1)?, row.lend(2)?));
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(())
}

/// Shows every definition of the work tree with its file.
pub fn each_definition(work: &Work<'_>, tree: u64, mut each: impl FnMut(Known, String)) -> Result<(), IndexError> {
    let sql =
        "SELECT n.blob, n.defs, f.path FROM file f JOIN names n ON n.blob = f.blob WHERE f.tree = ?1 ORDER BY f.path";
    work.each(sql, &[tree.into()], |row| {
        let path = row.text(2)?;
        unpacked(row.count(0)?, row.lend(1)?).for_each(|known| each(known, path.clone()));
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(())
}

/// Returns what each file of the work tree brings in, as it is written.
pub fn imports(work: &Work<'_>, tree: u64) -> Result<Vec<(String, Vec<Import>)>, IndexError> {
    let sql = "SELECT f.path, n.imports FROM file f JOIN names n ON n.blob = f.blob WHERE f.tree = ?1 ORDER BY f.path";
    Ok(work.rows(sql, &[tree.into()], |row| Ok((row.text(0)?, unpack_imports(row.lend(1)?))))?)
}
