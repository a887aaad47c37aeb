//! Who calls this, what does it call, and which files bring which in?
//!
//! The tables hold names; here they are followed: [`facts`] reads a file in full, [`scope`] and [`resolve`] find what a name
//! means, [`walk`] goes from one definition to the next, [`draw`] shows it. Nothing is kept: what is followed is read again,
//! about a millisecond a file. Must not draw by default what it is not sure of.
//! To add a language: `config/graph/<name>.scm`, an arm in [`imports`] and one in [`modules`], rows in `tests/fixtures/graph`.

pub mod aliases;
pub mod arguments;
pub mod draw;
pub mod facts;
pub mod imports;
pub mod modules;
pub mod queries;
pub mod resolve;
pub mod scope;
pub mod typed;
pub mod walk;
pub mod world;

use serde::Serialize;

use crate::index::engine::Index;
use crate::index::error::IndexError;
use crate::index::graph::resolve::Confidence;
use crate::index::graph::walk::Walk;
use crate::index::graph::world::World;
use crate::index::store::read;
use crate::index::symbols::Symbol;

/// Which way edges are followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Who calls or uses it.
    Callers,
    /// What it calls.
    Callees,
    /// Which files a file brings in.
    Imports,
    /// Which files bring a file in.
    Dependents,
}

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Request {
    /// Ways to go.
    pub directions: Vec<Direction>,
    /// Steps from the root.
    pub depth: usize,
    /// The least sure edges that are drawn.
    pub least: Confidence,
}

/// Where a graph begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Root {
    /// At definitions.
    Symbols(Vec<Symbol>),
    /// At a file.
    File(String),
}

/// A definition, a file, or something from elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Node {
    /// Its full name; of a file the path.
    pub name: String,
    /// What it is: a kind of definition, `file`, `package` or `external`.
    pub kind: &'static str,
    /// The file; empty for what is from elsewhere.
    pub path: String,
    /// Its line, from 1; 0 for a file.
    pub line: u32,
}

/// One thing uses another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Edge {
    /// The user, by its place among the nodes.
    pub from: usize,
    /// What is used.
    pub to: usize,
    /// How sure it is.
    pub confidence: Confidence,
    /// The first line where it is used.
    pub line: u32,
    /// The way it was found by.
    pub by: Direction,
}

/// A call, and what it means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Its line.
    pub line: u32,
    /// The name that is called.
    pub name: String,
    /// What is meant; nothing where it is nothing of the project.
    pub targets: Vec<Node>,
    /// How sure it is.
    pub confidence: Confidence,
}

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Graph {
    /// Definitions and files.
    pub nodes: Vec<Node>,
    /// Uses.
    pub edges: Vec<Edge>,
    /// Where it begins, by places among the nodes.
    pub roots: Vec<usize>,
    /// Uses that are not sure enough to be drawn.
    pub n_unsure: usize,
    /// What whoever reads it should know.
    pub notes: Vec<String>,
}

impl Index {
    /// Follows names from a root.
    pub fn graph(&self, root: &Root, request: &Request) -> Result<Graph, IndexError> {
        let Some(mut db) = self.reader()? else { return Ok(Graph::default()) };
        db.read(|work| {
            let Some((tree, _)) = read::tree(work, &self.root())? else { return Ok(Graph::default()) };
            let world = World::new(work, tree, &self.place().root)?;
            let graph = Walk::new(&world, request).go(root)?;
            world.take_trouble().map_or(Ok(graph), Err)
        })
    }

    /// Returns every call of a file with what it means, in the order of its lines.
    pub fn calls(&self, path: &str) -> Result<Vec<Call>, IndexError> {
        let Some(mut db) = self.reader()? else { return Ok(Vec::new()) };
        db.read(|work| {
            let Some((tree, _)) = read::tree(work, &self.root())? else { return Ok(Vec::new()) };
            let world = World::new(work, tree, &self.place().root)?;
            Ok(walk::calls(&world, path))
        })
    }

    /// Returns the files of the index whose path is, or ends in, what was written.
    pub fn files_like(&self, written: &str) -> Result<Vec<String>, IndexError> {
        let Some(mut db) = self.reader()? else { return Ok(Vec::new()) };
        db.read(|work| {
            let Some((tree, _)) = read::tree(work, &self.root())? else { return Ok(Vec::new()) };
            let written = written.trim_start_matches("./");
            let files = crate::index::store::names::files(work, tree)?;
            let is_it =
                |path: &str| path == written || path.strip_suffix(written).is_some_and(|before| before.ends_with('/'));
            let mut found: Vec<String> = files.into_iter().map(|file| file.path).filter(|path| is_it(path)).collect();
            if found.iter().any(|path| path == written) {
                found.retain(|path| path == written);
            }
            Ok(found)
        })
    }
}
