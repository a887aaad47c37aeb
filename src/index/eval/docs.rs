//! Where do the docs of a file stand, and how does it look without them?
//!
//! A doc is the block of comments directly above a definition, the first comment of a file, what is marked as a doc wherever
//! it stands (`///`, `/** */`), and in Python the string that opens a module, class or function. Taken away, it leaves blank
//! lines, so that every line keeps its number. Must not touch remarks within code: they are part of it.

use std::path::Path;

use tree_sitter::{Node, Tree};

use crate::index::language::{self, Kind};
use crate::index::syntax::{self, Definition};

/// What a doc is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owner {
    /// A definition.
    Definition(Definition),
    /// The file.
    File,
    /// Nothing that has a name here.
    Nobody,
}

/// A doc of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doc {
    /// First line, from 0.
    pub first: usize,
    /// Last line.
    pub last: usize,
    /// What it is about.
    pub owner: Owner,
    /// Whether something must stand in its place: a body of nothing but a doc is no body without it.
    is_whole_body: bool,
}

/// What comments begin with that are docs wherever they stand.
const MARKS: [&str; 4] = ["///", "//!", "/**", "/*!"];
/// Deeper than this no doc is looked for: no code somebody wrote is.
const MAX_DEPTH: usize = 200;

/// Finds the docs of a file; empty where its syntax is not known.
pub fn docs(path: &Path, text: &str) -> Vec<Doc> {
    let Some(language) = language::of_file(path, text.as_bytes()) else { return Vec::new() };
    let Some(compiled) = language.compiled() else { return Vec::new() };
    let Some(tree) = syntax::parse(compiled, text.as_bytes()) else { return Vec::new() };
    let definitions = syntax::symbols(compiled, &tree, text.as_bytes()).definitions;
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Finder { is_comment: vec![false; lines.len()], lines, docs: Vec::new() };
    found.walk(&tree, language.name() == "python", &definitions);
    definitions.iter().for_each(|definition| found.above(definition));
    found.at_the_top();
    found.marked();
    found.docs.sort_by_key(|doc| (doc.first, doc.last));
    found.docs
}

/// Returns a text without its docs, with as many lines.
pub fn without(path: &Path, text: &str) -> String {
    let docs = docs(path, text);
    let mut lines: Vec<String> = text.split('\n').map(str::to_owned).collect();
    for doc in &docs {
        let indent: String = lines[doc.first].chars().take_while(|c| c.is_whitespace()).collect();
        lines[doc.first..=doc.last].iter_mut().for_each(String::clear);
        if doc.is_whole_body {
            lines[doc.first] = format!("{indent}pass");
        }
    }
    lines.join("\n")
}

struct Finder<'t> {
    lines: Vec<&'t str>,
    /// Lines that hold a comment and nothing else.
    is_comment: Vec<bool>,
    docs: Vec<Doc>,
}

impl Finder<'_> {
    fn line(&self, at: usize) -> &str {
        self.lines.get(at).map_or("", |line| line.trim())
    }

    /// Goes through all nodes: notes comments, and the strings that are docs in Python.
    fn walk(&mut self, tree: &Tree, is_python: bool, definitions: &[Definition]) {
        let mut cursor = tree.walk();
        let mut depth = 0;
        loop {
            let node = cursor.node();
            if node.kind().contains("comment") {
                self.note(node);
            } else if is_python && matches!(node.kind(), "module" | "function_definition" | "class_definition") {
                self.string_of(node, definitions);
            }
            if depth < MAX_DEPTH && cursor.goto_first_child() {
                depth += 1;
                continue;
            }
            while !cursor.goto_next_sibling() {
                if !cursor.goto_parent() {
                    return;
                }
                depth -= 1;
            }
        }
    }

    fn note(&mut self, node: Node<'_>) {
        let (first, last) = rows(node);
        if self.is_alone(node, first, last) {
            self.is_comment.iter_mut().take(last + 1).skip(first).for_each(|is_comment| *is_comment = true);
        }
    }

    /// Says whether nothing else stands in the lines of a node.
    fn is_alone(&self, node: Node<'_>, first: usize, last: usize) -> bool {
        let before = self.lines.get(first).and_then(|line| line.get(..node.start_position().column));
        let end = node.end_position();
        let after = if end.row == last { self.lines.get(last).and_then(|line| line.get(end.column..)) } else { None };
        before.is_none_or(|text| text.trim().is_empty()) && after.is_none_or(|text| text.trim().is_empty())
    }

    fn string_of(&mut self, node: Node<'_>, definitions: &[Definition]) {
        let body = if node.kind() == "module" { Some(node) } else { node.child_by_field_name("body") };
        let Some(body) = body else { return };
        let mut walk = body.walk();
        let mut statements = body.named_children(&mut walk).filter(|child| !child.kind().contains("comment"));
        let Some(statement) = statements.next() else { return };
        let string = if statement.kind() == "string" { Some(statement) } else { statement.named_child(0) };
        let is_string = string.is_some_and(|string| string.kind() == "string" && rows(string) == rows(statement));
        let (first, last) = rows(statement);
        if !is_string || !self.is_alone(statement, first, last) {
            return;
        }
        let is_whole_body = statements.next().is_none() && node.kind() != "module";
        let row = node.start_position().row + 1;
        let owner = match definitions.iter().find(|definition| definition.line as usize == row) {
            _ if node.kind() == "module" => Owner::File,
            Some(definition) => Owner::Definition(definition.clone()),
            None => Owner::Nobody,
        };
        self.docs.push(Doc { first, last, owner, is_whole_body });
    }

    /// Finds the comments directly above a definition; attributes and decorators may stand between.
    fn above(&mut self, definition: &Definition) {
        if matches!(definition.kind, Kind::Heading | Kind::Rule) {
            return;
        }
        let mut end = (definition.line as usize).saturating_sub(1);
        while end > 0
            && !self.is_comment[end - 1]
            && ["#[", "@", "]"].iter().any(|mark| self.line(end - 1).starts_with(mark))
        {
            end -= 1;
        }
        let mut first = end;
        while first > 0 && self.is_comment[first - 1] && !self.line(first - 1).starts_with("//!") {
            first -= 1;
        }
        let is_known = self.docs.iter().any(|doc| doc.first == first);
        if first < end && !is_known {
            let owner = Owner::Definition(definition.clone());
            self.docs.push(Doc { first, last: end - 1, owner, is_whole_body: false });
        }
    }

    /// Finds the first comment of the file, where it is not that of a definition.
    fn at_the_top(&mut self) {
        let is_skipped = |line: &&&str| line.trim().is_empty() || line.starts_with("#!") || line.starts_with("<?php");
        let mut first = self.lines.iter().take_while(is_skipped).count();
        // A licence is followed by what the file is about.
        while first < self.lines.len() && self.is_comment[first] {
            let n = self.is_comment[first..].iter().take_while(|is_comment| **is_comment).count();
            if self.docs.iter().any(|doc| doc.first == first) {
                return;
            }
            self.docs.push(Doc { first, last: first + n - 1, owner: Owner::File, is_whole_body: false });
            first += n;
            first += self.lines[first..].iter().take_while(|line| line.trim().is_empty()).count();
        }
    }

    /// Finds docs of what no query of the language names.
    fn marked(&mut self) {
        let mut at = 0;
        while at < self.lines.len() {
            let is_known = self.docs.iter().any(|doc| doc.first <= at && at <= doc.last);
            if !self.is_comment[at] || is_known || !MARKS.iter().any(|mark| self.line(at).starts_with(mark)) {
                at += 1;
                continue;
            }
            let is_block = self.line(at).starts_with("/*");
            let mut last = at;
            while last + 1 < self.lines.len()
                && self.is_comment[last + 1]
                && if is_block { !self.line(last).ends_with("*/") } else { self.line(last + 1).starts_with("//") }
            {
                last += 1;
            }
            self.docs.push(Doc { first: at, last, owner: Owner::Nobody, is_whole_body: false });
            at = last + 1;
        }
    }
}

/// First and last row; a node that ends with its line break ends on the row before.
fn rows(node: Node<'_>) -> (usize, usize) {
    let (first, end) = (node.start_position().row, node.end_position());
    (first, if end.column == 0 && end.row > first { end.row - 1 } else { end.row })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owners(path: &str, text: &str) -> Vec<(String, usize, usize)> {
        let name = |owner: &Owner| match owner {
            Owner::Definition(definition) => definition.name.clone(),
            Owner::File => "FILE".to_owned(),
            Owner::Nobody => "-".to_owned(),
        };
        docs(Path::new(path), text).iter().map(|doc| (name(&doc.owner), doc.first + 1, doc.last + 1)).collect()
    }

    fn known(rows: &[(&str, usize, usize)]) -> Vec<(String, usize, usize)> {
        rows.iter().map(|(name, first, last)| ((*name).to_owned(), *first, *last)).collect()
    }

    #[test]
    fn docs_are_found_with_what_they_are_about() {
        let rust = "//! About the file.\n//! More.\n\n/// Opens.\n/// More.\n#[inline]\nfn open() {\n    // Stays.\n    go();\n}\n\nstruct A {\n    /// A field.\n    b: u8,\n}\n";
        assert_eq!(owners("a.rs", rust), known(&[("FILE", 1, 2), ("open", 4, 5), ("-", 13, 13)]));
        let go = "// Copyright.\n\n// Package a does.\npackage a\n\n// Open opens.\nfunc Open() {}\n\n// Alone.\n\nfunc B() {}\n";
        assert_eq!(owners("a.go", go), known(&[("FILE", 1, 1), ("FILE", 3, 3), ("Open", 6, 6)]));
        let java = "/* Licence. */\npackage a;\n\n/**\n * Keeps.\n */\nclass Keep {\n  /** Adds. */\n  @Override\n  void add() {}\n}\n";
        assert_eq!(owners("a/Keep.java", java), known(&[("FILE", 1, 1), ("Keep", 4, 6), ("add", 8, 8)]));
        let python = "#!/usr/bin/env python3\n\"\"\"About.\"\"\"\nimport os\n\n@cached\ndef f(a,\n      b):\n    '''Finds.\n\n    More.\n    '''\n    return a\n\nclass C:\n    \"\"\"Holds.\"\"\"\n";
        assert_eq!(owners("a.py", python), known(&[("FILE", 2, 2), ("f", 8, 11), ("C", 15, 15)]));
        assert!(owners("a.txt", "# x\n").is_empty() && owners("a.md", "# Title\n\ntext\n").is_empty());
    }

    #[test]
    fn without_docs_a_text_has_as_many_lines_and_still_parses() {
        let python = "class C:\n    \"\"\"Holds.\n\n    More.\"\"\"\n\ndef f():\n    'Finds.'\n    return 1\n";
        assert_eq!(without(Path::new("a.py"), python), "class C:\n    pass\n\n\n\ndef f():\n\n    return 1\n");
        let rust = "/// Opens.\r\nfn open() {} // stays\r\n\n/** Two\n lines. */ fn b() {}\n";
        assert_eq!(without(Path::new("a.rs"), rust), "\nfn open() {} // stays\r\n\n/** Two\n lines. */ fn b() {}\n");
        assert_eq!(without(Path::new("a.unknown"), "# x"), "# x");
    }
}
