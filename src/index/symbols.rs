//! Which definition does somebody mean by a name?
//!
//! A person or a model writes `name`, `Owner.name`, `Owner::name`, `path:name` or `path:line`; several definitions may fit, and
//! whoever asked decides what to do with them. Must not rank by meaning: that is `search`.

use crate::base::text::nearest;
use crate::db::work::Work;
use crate::index::engine::Index;
use crate::index::error::IndexError;
use crate::index::language::Kind;
use crate::index::store::names::{self, Known};
use crate::index::store::read;

/// Definitions of one name that are looked at.
const MAX_SAME: u64 = 2000;
/// Names that hold a text that are looked at.
const MAX_LIKE: u64 = 400;

/// A definition and where it stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Symbol {
    /// The file, by its path below the root.
    pub path: String,
    /// First line, from 1.
    pub line: u32,
    /// Last line.
    pub end_line: u32,
    /// Its name.
    pub name: String,
    /// Names of the definitions around it, the outermost first, joined by dots; empty at the top of a file.
    pub scope: String,
    /// What it is.
    pub kind: Kind,
    /// Its document and its place there.
    pub(super) at: (u64, u32),
}

impl Symbol {
    /// Returns its name behind those around it: `Owner.name`.
    pub fn full_name(&self) -> String {
        if self.scope.is_empty() { self.name.clone() } else { format!("{}.{}", self.scope, self.name) }
    }

    /// Returns where it stands: `src/a.rs:12`.
    pub fn place(&self) -> String {
        format!("{}:{}", self.path, self.line)
    }

    /// Builds it of a row, the rows of its document and its path.
    pub(super) fn of(row: &Known, all: &[Known], path: &str) -> Self {
        let mut around = Vec::new();
        let mut parent = row.parent;
        while let Some(found) = parent.and_then(|number| all.iter().find(|known| known.number == number)) {
            around.push(found.name.as_str());
            parent = found.parent;
        }
        around.reverse();
        Self {
            path: path.to_owned(),
            line: row.line,
            end_line: row.end_line,
            name: row.name.clone(),
            scope: around.join("."),
            kind: row.kind,
            at: (row.blob, row.number),
        }
    }
}

/// What was written to name a definition.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wanted {
    /// A path or the end of one.
    pub path: Option<String>,
    /// A line that stands for the definition around it.
    pub line: Option<u32>,
    /// The names around it, the nearest last.
    pub owners: Vec<String>,
    /// The name; empty when a line is given.
    pub name: String,
}

impl Wanted {
    /// Reads what was written.
    pub fn read(text: &str) -> Self {
        let text = text.trim().trim_end_matches("()");
        let unified = text.replace("::", "\u{1}");
        let (path, rest) = match unified.rsplit_once(':') {
            Some((path, rest)) if !path.is_empty() && !rest.is_empty() => {
                (Some(path.replace('\u{1}', "::")), rest.to_owned())
            }
            _ => (None, unified),
        };
        if let (Some(_), Ok(line)) = (&path, rest.parse()) {
            return Self { path, line: Some(line), ..Self::default() };
        }
        let mut names: Vec<String> =
            rest.split(['\u{1}', '.', '#']).filter(|name| !name.is_empty()).map(str::to_owned).collect();
        let name = names.pop().unwrap_or_default();
        Self { path, line: None, owners: names, name }
    }

    /// Says whether a path is the one that was written, or ends in it.
    fn is_at(&self, path: &str) -> bool {
        let Some(wanted) = self.path.as_deref().map(|wanted| wanted.trim_start_matches("./")) else { return true };
        path == wanted || path.strip_suffix(wanted).is_some_and(|before| before.ends_with('/'))
    }

    fn fits(&self, symbol: &Symbol) -> bool {
        let around: Vec<&str> = symbol.scope.split('.').collect();
        self.is_at(&symbol.path)
            && self.owners.iter().rev().zip(around.iter().rev()).all(|(owner, name)| owner == name)
            && self.owners.len() <= around.len()
    }
}

/// Returns the definitions that fit, by path and line. Parts of one type (`impl` blocks) and announcements are left out where
/// there is something better.
pub fn meant(work: &Work<'_>, tree: u64, wanted: &Wanted) -> Result<Vec<Symbol>, IndexError> {
    if wanted.line.is_some() {
        return around(work, tree, wanted);
    }
    let rows = names::named(work, tree, &wanted.name, MAX_SAME)?;
    let mut found = symbols(work, &rows)?;
    found.retain(|symbol| wanted.fits(symbol));
    // `path:name` is what stands at the top of the file, where something does.
    if wanted.path.is_some() && wanted.owners.is_empty() && found.iter().any(|symbol| symbol.scope.is_empty()) {
        found.retain(|symbol| symbol.scope.is_empty());
    }
    let is_less = |symbol: &Symbol| matches!(symbol.kind, Kind::Implementation | Kind::Declaration);
    if found.iter().any(|symbol| !is_less(symbol)) {
        found.retain(|symbol| !is_less(symbol));
    }
    Ok(found)
}

/// Returns the innermost definition around a line.
fn around(work: &Work<'_>, tree: u64, wanted: &Wanted) -> Result<Vec<Symbol>, IndexError> {
    let line = wanted.line.unwrap_or_default();
    let mut found = Vec::new();
    for file in names::files(work, tree)?.into_iter().filter(|file| wanted.is_at(&file.path)) {
        let all = names::of_blob(work, file.blob)?;
        let innermost = all.iter().rfind(|row| row.line <= line && line <= row.end_line);
        found.extend(innermost.map(|row| Symbol::of(row, &all, &file.path)));
    }
    Ok(found)
}

/// Adds to rows the names around them.
pub(super) fn symbols(work: &Work<'_>, rows: &[(Known, String)]) -> Result<Vec<Symbol>, IndexError> {
    rows.iter()
        .map(|(row, path)| {
            let all = if row.parent.is_some() { names::of_blob(work, row.blob)? } else { Vec::new() };
            Ok(Symbol::of(row, &all, path))
        })
        .collect()
}

impl Index {
    /// Returns the definitions that what was written may mean, and when there is none a name spelled almost so.
    pub fn symbols_meant(&self, written: &str) -> Result<(Vec<Symbol>, Option<String>), IndexError> {
        let Some(mut db) = self.reader()? else { return Ok((Vec::new(), None)) };
        db.read(|work| {
            let Some((tree, _)) = read::tree(work, &self.root())? else { return Ok((Vec::new(), None)) };
            let wanted = Wanted::read(written);
            let found = meant(work, tree, &wanted)?;
            let near = if found.is_empty() { near(work, tree, &wanted.name)? } else { None };
            Ok((found, near))
        })
    }

    /// Returns the definitions whose names hold a text, whatever its case: the best `n` first.
    pub fn symbols_like(&self, typed: &str, n: usize) -> Result<Vec<Symbol>, IndexError> {
        if typed.trim().is_empty() {
            return Ok(Vec::new());
        }
        let Some(mut db) = self.reader()? else { return Ok(Vec::new()) };
        db.read(|work| {
            let Some((tree, _)) = read::tree(work, &self.root())? else { return Ok(Vec::new()) };
            let mut rows = names::like(work, tree, typed.trim(), MAX_LIKE)?;
            let is_shown =
                |kind| !matches!(kind, Kind::Implementation | Kind::Declaration | Kind::Heading | Kind::Rule);
            rows.retain(|(row, _)| is_shown(row.kind));
            rows.truncate(n);
            symbols(work, &rows)
        })
    }
}

/// Returns a name of the project that is spelled almost so.
pub(super) fn near(work: &Work<'_>, tree: u64, name: &str) -> Result<Option<String>, IndexError> {
    let all = names::all_names(work, tree)?;
    let same = all.iter().find(|known| known.eq_ignore_ascii_case(name));
    Ok(same.map(String::as_str).or_else(|| nearest(name, all.iter().map(String::as_str))).map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_taken_apart() {
        let table = [
            ("run", None, None, "", "run"),
            ("App.run()", None, None, "App", "run"),
            ("app::App::run", None, None, "app App", "run"),
            ("src/app.rs:run", Some("src/app.rs"), None, "", "run"),
            ("src/app.rs:App::run", Some("src/app.rs"), None, "App", "run"),
            ("app.py:12", Some("app.py"), Some(12), "", ""),
            ("Map#each", None, None, "Map", "each"),
            ("", None, None, "", ""),
            (":", None, None, "", ":"),
        ];
        for (text, path, line, owners, name) in table {
            let wanted = Wanted::read(text);
            let read = (wanted.path.as_deref(), wanted.line, wanted.owners.join(" "), wanted.name);
            assert_eq!(read, (path, line, owners.to_owned(), name.to_owned()), "{text}");
        }
    }

    #[test]
    fn the_end_of_a_path_is_enough_and_half_a_name_is_not() {
        let wanted = |path: &str| Wanted { path: Some(path.to_owned()), ..Wanted::default() };
        assert!(wanted("app.rs").is_at("src/app.rs") && wanted("./src/app.rs").is_at("src/app.rs"));
        assert!(!wanted("pp.rs").is_at("src/app.rs") && !wanted("lib/app.rs").is_at("src/app.rs"));
    }
}
