//! How does one get from a definition to all that leads to it, or away from it?
//!
//! Step by step, each definition once, so that circles end. Whoever uses a name is found by the tables; what the use means is
//! asked of [`Resolver`].

use std::collections::{BTreeSet, HashMap};

use crate::base::text::count;
use crate::index::error::IndexError;
use crate::index::graph::facts::Site;
use crate::index::graph::imports::{self, Brought};
use crate::index::graph::modules::{Files, folder_of};
use crate::index::graph::resolve::{Confidence, Resolver};
use crate::index::graph::scope::is_type_like;
use crate::index::graph::world::{At, Def, World, family};
use crate::index::graph::{Call, Direction, Edge, Graph, Node, Request, Root};
use crate::index::language::{Kind, Use};
use crate::index::store::names;

/// Nodes of one graph; nobody reads more.
const MAX_NODES: usize = 2000;
/// Files of a package that are shown one by one; of a larger one the folder.
const MAX_PACKAGE: usize = 1;

/// A graph being built.
pub struct Walk<'w> {
    world: &'w World<'w>,
    resolver: Resolver<'w>,
    request: &'w Request,
    graph: Graph,
    places: HashMap<Node, usize>,
    edges: HashMap<(usize, usize), usize>,
    unsure: BTreeSet<(Node, String)>,
}

impl<'w> Walk<'w> {
    /// Begins.
    pub fn new(world: &'w World<'w>, request: &'w Request) -> Self {
        Self {
            world,
            resolver: Resolver::new(world),
            request,
            graph: Graph::default(),
            places: HashMap::new(),
            edges: HashMap::new(),
            unsure: BTreeSet::new(),
        }
    }

    /// Goes as far as was asked for.
    pub fn go(mut self, root: &Root) -> Result<Graph, IndexError> {
        let defs = self.roots(root);
        for direction in self.request.directions.clone() {
            match direction {
                Direction::Callers | Direction::Callees => self.follow(&defs, direction)?,
                Direction::Imports | Direction::Dependents => {
                    let mut paths: Vec<String> = match root {
                        Root::File(path) => vec![path.clone()],
                        Root::Symbols(symbols) => symbols.iter().map(|symbol| symbol.path.clone()).collect(),
                    };
                    paths.dedup();
                    self.files(&paths, direction)?;
                }
            }
        }
        self.graph.n_unsure = self.unsure.len();
        if self.world.is_tired() {
            self.graph.notes.push("too many files use these names; not all were read".to_owned());
        }
        if self.graph.nodes.len() >= MAX_NODES {
            self.graph.notes.push(format!("only the first {} are shown", count(MAX_NODES, "node")));
        }
        Ok(self.graph)
    }

    fn roots(&mut self, root: &Root) -> Vec<Def> {
        match root {
            Root::Symbols(symbols) => {
                let defs: Vec<Def> = symbols
                    .iter()
                    .map(|symbol| Def { path: symbol.path.as_str().into(), number: symbol.at.1 })
                    .collect();
                self.graph.roots = defs.iter().filter_map(|def| self.place(def)).collect();
                defs
            }
            Root::File(path) => {
                let place = self.file_place(path, "file");
                self.graph.roots = vec![place];
                let Some(at) = self.world.at(path) else { return Vec::new() };
                let is_followed =
                    |kind: Kind| !matches!(kind, Kind::Heading | Kind::Rule | Kind::Module | Kind::Implementation);
                (0..at.facts.definitions.len() as u32)
                    .filter(|number| is_followed(at.kind(*number)))
                    .map(|number| at.def(number))
                    .collect()
            }
        }
    }

    fn follow(&mut self, roots: &[Def], direction: Direction) -> Result<(), IndexError> {
        let mut seen: BTreeSet<Def> = roots.iter().cloned().collect();
        let mut now: Vec<Def> = roots.to_vec();
        for _ in 0..self.request.depth {
            let mut next = Vec::new();
            for def in &now {
                let found = match direction {
                    Direction::Callers => self.callers(def)?,
                    _ => self.callees(def),
                };
                for (other, confidence, line) in found {
                    let Some(target) = self.drawn(def, &other, (confidence, line, direction)) else { continue };
                    if let Some(other) = target.filter(|other| seen.insert(other.clone())) {
                        next.push(other);
                    }
                }
            }
            now = next;
            if now.is_empty() || self.graph.nodes.len() >= MAX_NODES {
                break;
            }
        }
        Ok(())
    }

    /// Draws an edge if it is sure enough; returns the definition to go on from.
    fn drawn(&mut self, def: &Def, other: &End, how: (Confidence, u32, Direction)) -> Option<Option<Def>> {
        let (confidence, line, by) = how;
        let here = self.place(def)?;
        if confidence > self.request.least {
            let node = self.graph.nodes[here].clone();
            self.unsure.insert((node, format!("{other:?} {line}")));
            return None;
        }
        let there = match other {
            End::Def(other) => self.place(other)?,
            End::File(path) => self.file_place(path, "file"),
        };
        let (from, to) = if by == Direction::Callers { (there, here) } else { (here, there) };
        self.edge(Edge { from, to, confidence, line, by });
        match other {
            End::Def(other) => Some(Some(other.clone())),
            End::File(_) => Some(None),
        }
    }

    fn edge(&mut self, edge: Edge) {
        match self.edges.get(&(edge.from, edge.to)) {
            Some(known) => {
                let known = &mut self.graph.edges[*known];
                known.confidence = known.confidence.min(edge.confidence);
            }
            None => {
                self.edges.insert((edge.from, edge.to), self.graph.edges.len());
                self.graph.edges.push(edge);
            }
        }
    }

    /// Returns the place of a definition among the nodes; none when its name holds keys or there are too many.
    fn place(&mut self, def: &Def) -> Option<usize> {
        let at = self.world.at(&def.path)?;
        let found = at.facts.definitions.get(def.number as usize)?;
        let is_kept = self.world.named(&found.name, family(at.language)).iter().any(|named| named.def == *def);
        if !is_kept {
            return None;
        }
        let node = Node {
            name: full_name(&at, def.number),
            kind: found.kind.word(),
            path: def.path.to_string(),
            line: found.line,
        };
        self.node(node)
    }

    fn file_place(&mut self, path: &str, kind: &'static str) -> usize {
        let path_or_none = if kind == "external" { String::new() } else { path.to_owned() };
        self.node(Node { name: path.to_owned(), kind, path: path_or_none, line: 0 }).unwrap_or_default()
    }

    fn node(&mut self, node: Node) -> Option<usize> {
        if let Some(known) = self.places.get(&node) {
            return Some(*known);
        }
        if self.graph.nodes.len() >= MAX_NODES {
            return None;
        }
        let place = self.graph.nodes.len();
        self.places.insert(node.clone(), place);
        self.graph.nodes.push(node);
        Some(place)
    }

    /// Returns who uses a definition.
    fn callers(&self, def: &Def) -> Result<Vec<(End, Confidence, u32)>, IndexError> {
        let Some(at) = self.world.at(&def.path) else { return Ok(Vec::new()) };
        let name = at.name(def.number).to_owned();
        let mut files = names::users(self.world.work, self.world.tree, &name)?;
        // What is given out by default has whatever name the other file gives it.
        let is_default = at.facts.default.as_deref() == Some(&name);
        if is_default {
            let stem = def.path.rsplit('/').next().and_then(|file| file.split('.').next()).unwrap_or_default();
            let stem = if stem == "index" { folder_of(&def.path).rsplit('/').next().unwrap_or_default() } else { stem };
            files.extend(names::users(self.world.work, self.world.tree, stem)?);
            files.sort();
            files.dedup();
        }
        let is_type = is_type_like(at.kind(def.number));
        let mut found = Vec::new();
        for path in files {
            let is_family = self.world.file(&path).is_some_and(|file| family(&file.language) == family(at.language));
            let Some(other) = is_family.then(|| self.world.at(&path)).flatten() else { continue };
            let aliases: Vec<&str> = other
                .facts
                .imports
                .iter()
                .filter(|(brought, _)| {
                    brought.name.as_deref() == Some(&name)
                        || (is_default && brought.name.as_deref().is_none_or(|name| name == "default"))
                })
                .filter_map(|(brought, _)| brought.local.first().map(String::as_str))
                .collect();
            let is_asked = |site: &&Site| {
                (site.name == name || aliases.contains(&site.name.as_str())) && (is_type || site.how != Use::Type)
            };
            for site in other.facts.sites.iter().filter(is_asked) {
                if let Some(meant) = self.resolver.resolve(&other, site).filter(|meant| meant.targets.contains(def)) {
                    found.push((user(&other, site), meant.confidence, site.line));
                }
            }
        }
        Ok(found)
    }

    /// Returns what a definition calls.
    fn callees(&self, def: &Def) -> Vec<(End, Confidence, u32)> {
        let Some(at) = self.world.at(&def.path) else { return Vec::new() };
        let is_within = |site: &&Site| {
            let mut scope = site.within;
            while let Some(number) = scope {
                if number == def.number {
                    return site.how != Use::Type;
                }
                scope = at.parent(number);
            }
            false
        };
        let mut found = Vec::new();
        for site in at.facts.sites.iter().filter(is_within) {
            if let Some(meant) = self.resolver.resolve(&at, site) {
                found.extend(meant.targets.into_iter().map(|target| (End::Def(target), meant.confidence, site.line)));
            }
        }
        found
    }

    fn files(&mut self, roots: &[String], direction: Direction) -> Result<(), IndexError> {
        let all = links(self.world)?;
        let mut seen: BTreeSet<String> = roots.iter().cloned().collect();
        let mut now: Vec<String> = roots.to_vec();
        for _ in 0..self.request.depth {
            let mut next = Vec::new();
            for path in &now {
                let package = format!("{}/", folder_of(path));
                let found = all.iter().filter(|(from, to, _)| match direction {
                    Direction::Imports => from == path,
                    _ => match to {
                        To::File(to) => to == path,
                        To::Package(to) => *to == package && is_of_package(path),
                        To::External(_) => false,
                    },
                });
                for (from, to, line) in found {
                    let (name, kind) = match to {
                        To::File(name) => (name, "file"),
                        To::Package(name) => (name, "package"),
                        To::External(name) => (name, "external"),
                    };
                    let from_place = self.file_place(from, "file");
                    // Whoever brings in the package of a file brings in the file.
                    let to_place = if direction == Direction::Dependents {
                        self.file_place(path, "file")
                    } else {
                        self.file_place(name, kind)
                    };
                    self.edge(Edge {
                        from: from_place,
                        to: to_place,
                        confidence: Confidence::Exact,
                        line: *line,
                        by: direction,
                    });
                    let other = if direction == Direction::Imports { name } else { from };
                    if kind == "file" && seen.insert(other.clone())
                        || direction == Direction::Dependents && seen.insert(other.clone())
                    {
                        next.push(other.clone());
                    }
                }
            }
            now = next;
            if now.is_empty() {
                break;
            }
        }
        if self.graph.roots.is_empty()
            || matches!(self.graph.nodes.get(self.graph.roots[0]), Some(node) if node.line > 0)
        {
            let places: Vec<usize> = roots.iter().map(|path| self.file_place(path, "file")).collect();
            let is_shown = |place: &usize| !self.graph.roots.contains(place);
            let new: Vec<usize> = places.into_iter().filter(is_shown).collect();
            self.graph.roots.extend(new);
        }
        Ok(())
    }
}

/// Returns which file brings in what, of the whole project.
pub fn links(world: &World<'_>) -> Result<Vec<(String, To, u32)>, IndexError> {
    let mut all = Vec::new();
    for (path, found) in names::imports(world.work, world.tree)? {
        let Some(language) = world.file(&path).map(|file| file.language.clone()) else { continue };
        let mut own: BTreeSet<(To, u32)> = BTreeSet::new();
        for import in found {
            for brought in imports::read(&language, &import.text) {
                own.insert((target(world, &language, &path, &brought), import.line));
            }
        }
        let mut seen = BTreeSet::new();
        let is_new = |(to, _): &(To, u32)| *to != To::File(path.clone()) && seen.insert(to.clone());
        let mut own: Vec<(To, u32)> = own.into_iter().filter(is_new).collect();
        own.sort_by_key(|(_, line)| *line);
        all.extend(own.into_iter().map(|(to, line)| (path.clone(), to, line)));
    }
    Ok(all)
}

/// Returns where something brought in lies.
fn target(world: &World<'_>, language: &str, from: &str, brought: &Brought) -> To {
    let modules = &world.modules;
    let named = brought.name.as_deref().unwrap_or_default();
    let files = match language {
        "rust" => {
            let mut parts: Vec<String> = brought.module.split("::").map(str::to_owned).collect();
            parts.extend(brought.name.clone());
            modules.rust_prefix(from, &parts).map_or(Files::Elsewhere, |(file, _)| Files::Here(vec![file]))
        }
        "csharp" if brought.is_star => Files::Here(namespace(world, &brought.module)),
        "kotlin" | "scala" if !brought.is_star => packaged(world, brought),
        "php" | "csharp" => {
            let classes = world.named(named, language);
            let paths: BTreeSet<String> = classes
                .iter()
                .filter(|named| is_type_like(named.kind))
                .map(|named| named.def.path.to_string())
                .collect();
            if paths.len() == 1 {
                Files::Here(paths.into_iter().collect())
            } else {
                modules.find(language, from, &brought.module)
            }
        }
        "java" | "python" if brought.name.is_some() => {
            let separator = if brought.module.ends_with('.') { "" } else { "." };
            match modules.find(language, from, &format!("{}{separator}{named}", brought.module)) {
                Files::Here(files) if files.len() == 1 => Files::Here(files),
                _ => modules.find(language, from, &brought.module),
            }
        }
        _ => modules.find(language, from, &brought.module),
    };
    match files {
        Files::Here(files) if files.is_empty() => To::External(brought.module.clone()),
        Files::Here(files) if files.len() <= MAX_PACKAGE && language != "go" => {
            files.into_iter().next().map_or_else(|| To::External(brought.module.clone()), To::File)
        }
        Files::Here(files) => To::Package(format!("{}/", folder_of(&files[0]))),
        Files::Elsewhere if language == "rust" => {
            To::External(brought.module.split("::").next().unwrap_or_default().to_owned())
        }
        Files::Elsewhere if brought.module.is_empty() => To::External(named.to_owned()),
        Files::Elsewhere => To::External(brought.module.clone()),
    }
}

/// Languages that bring in folders.
fn is_of_package(path: &str) -> bool {
    [".go", ".java", ".cs", ".kt", ".scala"].iter().any(|ending| path.ends_with(ending))
}

/// Returns the files in which a namespace of C# is written.
fn namespace(world: &World<'_>, name: &str) -> Vec<String> {
    let named = world.named(name, "csharp").into_iter().filter(|named| named.kind == Kind::Module);
    named.map(|named| named.def.path.to_string()).collect::<BTreeSet<_>>().into_iter().collect()
}

/// Returns the file of what a package gives out, where files lie in folders called like the end of their packages.
fn packaged(world: &World<'_>, brought: &Brought) -> Files {
    let named = world.named(brought.name.as_deref().unwrap_or_default(), "jvm").into_iter();
    let last = brought.module.rsplit('.').next().unwrap_or_default();
    let is_there = |path: &str| folder_of(path).rsplit('/').next() == Some(last);
    let paths: BTreeSet<String> = named
        .filter(|named| named.is_top && is_there(&named.def.path))
        .map(|named| named.def.path.to_string())
        .collect();
    Files::Here(if paths.len() == 1 { paths.into_iter().collect() } else { Vec::new() })
}

/// Returns every call of a file with what it means.
pub fn calls(world: &World<'_>, path: &str) -> Vec<Call> {
    let Some(at) = world.at(path) else { return Vec::new() };
    let resolver = Resolver::new(world);
    let node = |def: &Def| {
        let at = world.at(&def.path)?;
        let found = at.facts.definitions.get(def.number as usize)?;
        Some(Node {
            name: full_name(&at, def.number),
            kind: found.kind.word(),
            path: def.path.to_string(),
            line: found.line,
        })
    };
    let one = |site: &Site| {
        let meant = resolver.resolve(&at, site);
        let targets = meant.iter().flat_map(|meant| &meant.targets).filter_map(node).collect();
        let confidence = meant.map_or(Confidence::Name, |meant| meant.confidence);
        Call { line: site.line, name: site.name.clone(), targets, confidence }
    };
    at.facts.sites.iter().filter(|site| site.how != Use::Type).map(one).collect()
}

/// What a file brings in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum To {
    /// A file of the project.
    File(String),
    /// All of a folder, which ends in a slash.
    Package(String),
    /// Something from elsewhere.
    External(String),
}

/// Who uses something: a definition, or a file outside of any.
#[derive(Debug, Clone, PartialEq, Eq)]
enum End {
    Def(Def),
    File(String),
}

/// Returns the function around a use; where there is none the type, and else the file.
fn user(at: &At, site: &Site) -> End {
    let mut scope = site.within;
    while let Some(number) = scope {
        if !matches!(at.kind(number), Kind::Module | Kind::Implementation | Kind::Heading) {
            return End::Def(at.def(number));
        }
        scope = at.parent(number);
    }
    End::File(at.path.to_string())
}

/// Returns the name of a definition behind those around it.
pub fn full_name(at: &At, number: u32) -> String {
    let mut names = vec![at.name(number).to_owned()];
    if let Some(owner) = at.facts.more.get(number as usize).and_then(|more| more.owner.as_ref()) {
        names.extend(owner.iter().rev().cloned());
    }
    let mut parent = at.parent(number);
    while let Some(around) = parent {
        names.push(at.name(around).to_owned());
        parent = at.parent(around);
    }
    names.reverse();
    names.join(".")
}
