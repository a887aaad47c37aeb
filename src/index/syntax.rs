//! What does a file define, use and bring in?
//!
//! Looks for the patterns of its language in its syntax tree. Broken syntax is normal: what is whole is found. Must not resolve
//! anything: which definition a name means is asked of the whole project.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use tree_sitter::{Node, ParseOptions, Parser, Tree};

use crate::index::language::{Compiled, Kind, Role, Use};
use crate::index::pattern::Capture;
use crate::index::quick_hash::QuickMap;

/// A file that takes longer is read as plain text; thousands are parsed in that time.
const PARSE_TIME: Duration = Duration::from_secs(2);
/// Names as long as this are not names.
const MAX_NAME_BYTES: usize = 200;
/// References kept of one file; beyond that it is data.
const MAX_REFERENCES: usize = 20_000;

/// Something a file defines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// First line, from 1.
    pub line: u32,
    /// Last line.
    pub end_line: u32,
    /// The definition it stands in, by its place in the list.
    pub parent: Option<u32>,
}

/// A name that is used.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reference {
    /// The name.
    pub name: String,
    /// The definition it is used in, by its place in the list.
    pub within: Option<u32>,
    /// How it is used.
    pub how: Use,
    /// The first line where it is used there.
    pub line: u32,
}

/// Something brought in from elsewhere, as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    /// The text: a path, or the whole statement where that tells more.
    pub text: String,
    /// Its line.
    pub line: u32,
}

/// What a file says about names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Symbols {
    /// In the order of the text; what contains stands before what it contains.
    pub definitions: Vec<Definition>,
    /// Each name once for each definition it is used in.
    pub references: Vec<Reference>,
    /// In the order of the text.
    pub imports: Vec<Import>,
}

impl Symbols {
    /// Returns the names of the definitions around a line, the outermost first, joined by dots.
    pub fn scope_at(&self, line: u32) -> String {
        let mut names = Vec::new();
        let mut at = self.definitions.iter().rposition(|found| found.line <= line && line <= found.end_line);
        while let Some(definition) = at.and_then(|at| self.definitions.get(at)) {
            names.push(definition.name.as_str());
            at = definition.parent.map(|parent| parent as usize);
        }
        names.reverse();
        names.join(".")
    }
}

/// Parses a text; none when it takes too long.
pub fn parse(compiled: &Compiled, text: &[u8]) -> Option<Tree> {
    parse_by(&mut Parser::new(), compiled, text)
}

/// As [`parse`], by a parser that keeps its memory from one text to the next.
pub fn parse_by(parser: &mut Parser, compiled: &Compiled, text: &[u8]) -> Option<Tree> {
    parser.set_language(&compiled.grammar).ok()?;
    let until = Instant::now() + PARSE_TIME;
    let mut stop = |_: &tree_sitter::ParseState| {
        if Instant::now() > until { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let options = ParseOptions::new().progress_callback(&mut stop);
    let tree = parser.parse_with_options(&mut |at, _| text.get(at..).unwrap_or_default(), None, Some(options));
    if tree.is_none() {
        // Else the next text would be taken for the rest of this one.
        parser.reset();
    }
    tree
}

/// Collects the names of a parsed text.
pub fn symbols(compiled: &Compiled, tree: &Tree, text: &[u8]) -> Symbols {
    let mut found = Found::default();
    compiled.patterns.each(tree, text, |captures| found.take(&compiled.roles, captures, text));
    found.finish()
}

/// What the queries gave, before it is put in order.
#[derive(Default)]
struct Found<'t> {
    /// Begin and end in bytes.
    definitions: Vec<(usize, usize, Definition)>,
    references: Vec<(usize, &'t str, Use, u32)>,
    imports: Vec<Import>,
}

impl<'t> Found<'t> {
    fn take(&mut self, roles: &[Role], captures: &[Capture<'_>], text: &'t [u8]) {
        let (mut name, mut definition) = (None, None);
        for (index, node) in captures.iter().copied() {
            match roles.get(index) {
                Some(Role::Name) => name = words(node, text),
                Some(Role::Definition(kind)) => definition = Some((*kind, node)),
                Some(Role::Reference(how)) if self.references.len() < MAX_REFERENCES => {
                    if let Some(name) = words(node, text) {
                        self.references.push((node.start_byte(), name, *how, line_of(node)));
                    }
                }
                Some(Role::Import) => {
                    let text = String::from_utf8_lossy(text.get(node.byte_range()).unwrap_or_default());
                    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
                    if !text.is_empty() && text.len() <= 4 * MAX_NAME_BYTES {
                        self.imports.push(Import { text, line: line_of(node) });
                    }
                }
                _ => {}
            }
        }
        if let (Some(name), Some((kind, node))) = (name, definition) {
            let end_line = end_line_of(node);
            let found = Definition { name: name.to_owned(), kind, line: line_of(node), end_line, parent: None };
            self.definitions.push((node.start_byte(), node.end_byte(), found));
        }
    }

    fn finish(mut self) -> Symbols {
        // What begins first, and of those what ends last. One place that two patterns found is one definition.
        self.definitions.sort_by_key(|(begin, end, _)| (*begin, std::cmp::Reverse(*end)));
        self.definitions.dedup_by(|b, a| a.0 == b.0 && a.1 == b.1 && a.2.name == b.2.name);
        let spans: Vec<(usize, usize)> = self.definitions.iter().map(|(begin, end, _)| (*begin, *end)).collect();
        let parents = parents(&spans);
        let definitions: Vec<Definition> = self
            .definitions
            .into_iter()
            .zip(&parents)
            .map(|((.., found), parent)| Definition { parent: *parent, ..found })
            .collect();
        let mut seen: QuickMap<(&str, Option<u32>, Use), u32> = QuickMap::default();
        self.references.sort_by_key(|(begin, ..)| *begin);
        for (begin, name, how, line) in &self.references {
            let within = innermost(&spans, &parents, *begin);
            // A definition names itself; that is no use of it.
            let is_own = within
                .is_some_and(|at| definitions[at as usize].line == *line && definitions[at as usize].name == *name);
            if !is_own {
                seen.entry((name, within, *how)).or_insert(*line);
            }
        }
        let mut references: Vec<Reference> = seen
            .into_iter()
            .map(|((name, within, how), line)| Reference { name: name.to_owned(), within, how, line })
            .collect();
        references.sort();
        Symbols { definitions, references, imports: self.imports }
    }
}

/// Returns for each span, sorted by begin and outermost first, the one around it.
fn parents(spans: &[(usize, usize)]) -> Vec<Option<u32>> {
    let mut open: Vec<u32> = Vec::new();
    let mut parents = Vec::with_capacity(spans.len());
    for (at, (begin, end)) in spans.iter().enumerate() {
        while open.last().is_some_and(|outer| spans[*outer as usize].1 < *end || spans[*outer as usize].1 <= *begin) {
            open.pop();
        }
        parents.push(open.last().copied());
        open.push(at as u32);
    }
    parents
}

fn innermost(spans: &[(usize, usize)], parents: &[Option<u32>], at: usize) -> Option<u32> {
    let mut candidate = spans.partition_point(|(begin, _)| *begin <= at).checked_sub(1).map(|n| n as u32);
    while let Some(n) = candidate {
        if spans[n as usize].1 > at {
            return Some(n);
        }
        candidate = parents[n as usize];
    }
    None
}

fn words<'t>(node: Node<'_>, text: &'t [u8]) -> Option<&'t str> {
    let bytes = text.get(node.byte_range()).filter(|bytes| bytes.len() <= MAX_NAME_BYTES)?;
    std::str::from_utf8(bytes).ok().map(str::trim).filter(|name| !name.is_empty() && !name.contains('\n'))
}

fn line_of(node: Node<'_>) -> u32 {
    u32::try_from(node.start_position().row + 1).unwrap_or(u32::MAX)
}

/// A node that ends with its line break ends on the line before.
fn end_line_of(node: Node<'_>) -> u32 {
    let end = node.end_position();
    let row = if end.column == 0 && end.row > node.start_position().row { end.row } else { end.row + 1 };
    u32::try_from(row).unwrap_or(u32::MAX)
}

#[cfg(test)]
#[path = "syntax_tests.rs"]
mod tests;
