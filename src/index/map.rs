//! What does one see of a project at a glance?
//!
//! The definitions that matter most, as their own lines, within a budget of tokens. A file is worth what the files that use its
//! names are worth (PageRank), begun at the files in play; a definition gets its share of its file. By names alone: a map need
//! not be right about every edge. The same tree, the same words: nothing here depends on order or chance.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::Read as _;
use std::path::Path;
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

use crate::base::path::open_regular;
use crate::base::text::{clip_line, visible};
use crate::base::yaml;
use crate::db::work::Work;
use crate::index::engine::Index;
use crate::index::error::IndexError;
use crate::index::files;
use crate::index::graph::modules::folder_of;
use crate::index::graph::walk::{To, links as links_of};
use crate::index::graph::world::World;
use crate::index::language::{Kind, Use};
use crate::index::search::rank;
use crate::index::store::{names, read};

/// Files that define a name beyond which it says nothing.
const MAX_DEFINERS: usize = 50;
/// Bytes of one line shown.
const MAX_LINE_BYTES: usize = 160;
/// Lines in which the name of a definition is looked for: attributes stand above it.
const MAX_HEAD_LINES: u32 = 12;
/// So many definitions are tried first.
const FIRST_SHOWN: usize = 32;
/// Definitions shown of one file.
const MAX_PER_FILE: usize = 40;

/// `config/map.yaml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Weights {
    long_chars: usize,
    long: f64,
    private: f64,
    common_files: usize,
    common: f64,
    in_play: f64,
    asked: f64,
    unrelated: f64,
    everyday: f64,
    everyday_names: HashSet<String>,
    vendored: f64,
    damping: f64,
    rounds: usize,
    token_bytes: f64,
}

fn weights() -> Result<&'static Weights, IndexError> {
    static WEIGHTS: OnceLock<Result<Weights, String>> = OnceLock::new();
    let read = || yaml::from_str(include_str!("../../config/map.yaml")).map_err(|error| error.to_string());
    WEIGHTS.get_or_init(read).as_ref().map_err(|error| IndexError::Table(format!("map.yaml: {error}")))
}

/// What a map is to show.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// Paths below the root, of files or folders, that are in play.
    pub focus: Vec<String>,
    /// Names that are asked for.
    pub names: Vec<String>,
    /// Most tokens.
    pub max_tokens: usize,
}

/// One line of a map.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// Its number in the file.
    pub line: u32,
    /// Levels below the top of the file.
    pub depth: usize,
    /// The line, without what opens the body.
    pub text: String,
}

/// One file of a map.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Shown {
    /// Its path below the root.
    pub path: String,
    /// Its definitions that matter.
    pub lines: Vec<Line>,
}

/// A map.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Map {
    /// The files, the most important first.
    pub files: Vec<Shown>,
    /// Files with definitions in all.
    pub n_files: usize,
    /// Tokens it takes, about.
    pub n_tokens: usize,
}

impl Map {
    /// Writes it down.
    pub fn text(&self) -> String {
        let mut out = String::new();
        for file in &self.files {
            out.push_str(&visible(&file.path));
            out.push('\n');
            for line in &file.lines {
                out.push_str(&format!("{:>6} {}{}\n", line.line, "  ".repeat(line.depth), line.text));
            }
        }
        out
    }
}

impl Index {
    /// Draws the map of what is in the index.
    pub fn map(&self, request: &Request) -> Result<Map, IndexError> {
        let Some(mut db) = self.reader()? else { return Ok(Map::default()) };
        db.read(|work| {
            let Some((tree, _)) = read::tree(work, &self.root())? else { return Ok(Map::default()) };
            let ranked = Ranked::of(work, tree, &self.place().root, request)?;
            Ok(ranked.fitted(&self.place().root, request.max_tokens, weights()?))
        })
    }
}

/// One definition.
struct Known {
    file: usize,
    number: u32,
    name: String,
    line: u32,
    end_line: u32,
    parent: Option<u32>,
}

/// What a file defines under one name.
#[derive(Debug, Clone, Copy, Default)]
struct Defines {
    has_type: bool,
    has_member: bool,
    has_other: bool,
}

impl Defines {
    fn add(&mut self, kind: Kind, is_inside: bool) {
        match kind {
            Kind::Class | Kind::Type | Kind::Interface => self.has_type = true,
            Kind::Method => self.has_member = true,
            _ if is_inside => self.has_member = true,
            _ => self.has_other = true,
        }
    }

    /// Says whether a use can mean it: what stands behind a dot belongs to a type in some languages, and to a module in others.
    fn fits(self, how: Use, language: &str) -> bool {
        match how {
            Use::Type => self.has_type,
            Use::Method if matches!(language, "rust" | "java" | "csharp" | "swift") => self.has_member,
            Use::Method | Use::Call => true,
        }
    }
}

/// Files and definitions in the order of their worth.
struct Ranked {
    paths: Vec<String>,
    /// By file and line.
    known: Vec<Known>,
    /// Places in `known`, the best first.
    order: Vec<usize>,
    n_files: usize,
}

/// What is known of one name.
#[derive(Default)]
struct Name {
    /// Files that define it.
    definers: BTreeMap<usize, Defines>,
    /// Files that use it, and how often in each way.
    users: BTreeMap<usize, Vec<(Use, f64)>>,
}

impl Name {
    fn used(&mut self, file: usize, how: Use) {
        let ways = self.users.entry(file).or_default();
        match ways.iter_mut().find(|way| way.0 == how) {
            Some(way) => way.1 += 1.0,
            None => ways.push((how, 1.0)),
        }
    }
}

impl Ranked {
    fn of(work: &Work<'_>, tree: u64, root: &Path, request: &Request) -> Result<Self, IndexError> {
        let weights = weights()?;
        let files = names::files(work, tree)?;
        let places: HashMap<&str, usize> =
            files.iter().enumerate().map(|(at, file)| (file.path.as_str(), at)).collect();
        let is_shown = |kind| !matches!(kind, Kind::Implementation | Kind::Declaration | Kind::Heading | Kind::Rule);
        let mut known = Vec::new();
        let mut by_name: HashMap<String, Name> = HashMap::new();
        names::each_definition(work, tree, |row, path| {
            if let Some(file) = places.get(path.as_str()).copied().filter(|_| is_shown(row.kind)) {
                let name = by_name.entry(row.name.clone()).or_default();
                name.definers.entry(file).or_default().add(row.kind, row.parent.is_some());
                let names::Known { number, name, line, end_line, parent, .. } = row;
                known.push(Known { file, number, name, line, end_line, parent });
            }
        })?;
        names::each_use(work, tree, |path, uses| {
            let Some(file) = places.get(path.as_str()) else { return };
            for found in uses {
                if let Some(name) = by_name.get_mut(&found.name) {
                    name.used(*file, found.how);
                }
            }
        })?;
        let is_in_play = |path: &str| {
            request.focus.iter().any(|focus| {
                path == focus
                    || path.strip_prefix(focus.trim_end_matches('/')).is_some_and(|rest| rest.starts_with('/'))
                    || focus.is_empty()
            })
        };
        let in_play: HashSet<usize> = (0..files.len()).filter(|at| is_in_play(&files[*at].path)).collect();
        let priors = rank::weights()?;
        let nothing = HashSet::new();
        let worth: Vec<f64> = files
            .iter()
            .map(|file| {
                f64::from(priors.prior(&file.path, &nothing)) * if file.is_vendored { weights.vendored } else { 1.0 }
            })
            .collect();
        let related = Related::of(work, tree, root, &files)?;
        let asked = request.names.iter().map(String::as_str).collect();
        let languages: Vec<&str> = files.iter().map(|file| file.language.as_str()).collect();
        let spread =
            Spread { weights, in_play: &in_play, worth: &worth, related: &related, asked, languages: &languages };
        let (ranks, shares) = spread.ranks(&by_name);
        let mut scored: Vec<(f64, f64, usize)> = known
            .iter()
            .enumerate()
            .map(|(at, found)| {
                let share = shares.get(&(found.file, found.name.as_str())).copied().unwrap_or_default();
                (share, ranks[found.file] * worth[found.file], at)
            })
            .collect();
        scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(b.1.total_cmp(&a.1)).then(a.2.cmp(&b.2)));
        // Of one name only the first of a file: each type has its own `new`.
        let mut first: HashMap<(usize, &str), usize> = HashMap::new();
        for (at, found) in known.iter().enumerate() {
            first.entry((found.file, found.name.as_str())).or_insert(at);
        }
        scored.retain(|(.., at)| first.get(&(known[*at].file, known[*at].name.as_str())) == Some(at));
        let n_files = known.iter().map(|found| found.file).collect::<HashSet<_>>().len();
        let paths = files.into_iter().map(|file| file.path).collect();
        Ok(Self { paths, known, order: scored.into_iter().map(|(.., at)| at).collect(), n_files })
    }

    /// Shows as many definitions as fit: doubled until too many, then halved. Files are read for what is shown only.
    fn fitted(&self, root: &Path, max_tokens: usize, weights: &Weights) -> Map {
        let mut texts = Texts { root, read: HashMap::new() };
        let tokens = |map: &Map| (map.text().len() as f64 / weights.token_bytes).ceil() as usize;
        let most = self.order.len().min(max_tokens);
        let (mut low, mut high) = (0, most.min(FIRST_SHOWN));
        while high < most && tokens(&self.shown(high, &mut texts)) <= max_tokens {
            (low, high) = (high, most.min(high * 2));
        }
        while low < high {
            let middle = (low + high).div_ceil(2);
            if tokens(&self.shown(middle, &mut texts)) <= max_tokens {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        let mut map = self.shown(low, &mut texts);
        map.n_tokens = tokens(&map);
        map
    }

    /// Shows the best `n` definitions with what is around each.
    fn shown(&self, n: usize, texts: &mut Texts<'_>) -> Map {
        let mut order: Vec<usize> = Vec::new();
        let mut by_file: HashMap<usize, BTreeMap<(u32, u32), usize>> = HashMap::new();
        for at in self.order.iter().take(n) {
            let found = &self.known[*at];
            let lines = by_file.entry(found.file).or_insert_with(|| {
                order.push(found.file);
                BTreeMap::new()
            });
            if lines.len() < MAX_PER_FILE {
                lines.insert((found.line, found.number), *at);
                self.add_around(found, lines);
            }
        }
        let files = order.into_iter().filter_map(|file| {
            let shown = by_file.remove(&file)?;
            let path = self.paths.get(file)?.clone();
            let lines: Vec<Line> =
                shown.values().filter_map(|at| self.line(&path, &self.known[*at], &shown, texts)).collect();
            (!lines.is_empty()).then_some(Shown { path, lines })
        });
        Map { files: files.collect(), n_files: self.n_files, n_tokens: 0 }
    }

    fn add_around(&self, found: &Known, lines: &mut BTreeMap<(u32, u32), usize>) {
        let mut parent = found.parent;
        while let Some(number) = parent {
            // Definitions of a file stand together, in the order of their numbers.
            let Ok(at) = self.known.binary_search_by(|known| (known.file, known.number).cmp(&(found.file, number)))
            else {
                return;
            };
            let around = &self.known[at];
            lines.insert((around.line, around.number), at);
            parent = around.parent;
        }
    }

    fn line(
        &self,
        path: &str,
        found: &Known,
        shown: &BTreeMap<(u32, u32), usize>,
        texts: &mut Texts<'_>,
    ) -> Option<Line> {
        let (line, text) = texts.head(path, found)?;
        let is_around = |at: &&usize| {
            let other = &self.known[**at];
            other.number != found.number
                && other.line <= found.line
                && found.end_line <= other.end_line
                && other.number < found.number
        };
        let depth = shown.values().filter(is_around).count();
        Some(Line { line, depth, text })
    }
}

/// Which files know of each other. Where imports tell, a name that is used is hardly that of a file nobody brought in: most such
/// names are those of functions the language itself has.
struct Related {
    /// Files each file brings in.
    links: Vec<HashSet<usize>>,
    /// Folders each file brings in whole, and its own where that is a package.
    folders: Vec<HashSet<String>>,
    /// The folder of each file, with a slash behind it.
    own: Vec<String>,
    /// Whether its imports tell.
    is_told: Vec<bool>,
}

impl Related {
    fn of(work: &Work<'_>, tree: u64, root: &Path, files: &[names::File]) -> Result<Self, IndexError> {
        let world = World::new(work, tree, root)?;
        let places: HashMap<&str, usize> =
            files.iter().enumerate().map(|(at, file)| (file.path.as_str(), at)).collect();
        let own: Vec<String> = files.iter().map(|file| format!("{}/", folder_of(&file.path))).collect();
        let mut links: Vec<HashSet<usize>> = vec![HashSet::new(); files.len()];
        let mut folders: Vec<HashSet<String>> = vec![HashSet::new(); files.len()];
        for (at, file) in files.iter().enumerate() {
            if matches!(file.language.as_str(), "go" | "java") {
                folders[at].insert(own[at].clone());
            }
        }
        for (from, to, _) in links_of(&world)? {
            let Some(from) = places.get(from.as_str()) else { continue };
            match to {
                To::File(to) => links[*from].extend(places.get(to.as_str()).copied()),
                To::Package(folder) => folders[*from].extend([folder]),
                To::External(_) => {}
            }
        }
        // What a file gives out for others is that of those it brings in.
        let given: Vec<(usize, Vec<usize>)> = (0..files.len())
            .map(|at| (at, links[at].iter().copied().filter(|to| is_barrel(&files[*to].path)).collect()))
            .collect();
        for (at, barrels) in given {
            let behind: Vec<usize> = barrels.iter().flat_map(|barrel| links[*barrel].iter().copied()).collect();
            links[at].extend(behind);
        }
        let tells = ["python", "rust", "javascript", "typescript", "tsx", "go", "java", "c", "cpp"];
        let is_told = files.iter().map(|file| tells.contains(&file.language.as_str())).collect();
        Ok(Self { links, folders, own, is_told })
    }

    fn are(&self, user: usize, definer: usize) -> bool {
        !self.is_told[user] || self.links[user].contains(&definer) || self.folders[user].contains(&self.own[definer])
    }
}

/// Files that give out what others define.
fn is_barrel(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name == "__init__.py" || name.starts_with("index.")
}

/// How worth is spread over files.
struct Spread<'s> {
    weights: &'s Weights,
    in_play: &'s HashSet<usize>,
    worth: &'s [f64],
    related: &'s Related,
    asked: HashSet<&'s str>,
    languages: &'s [&'s str],
}

impl Spread<'_> {
    /// Returns the rank of each file, and the share of it each of its names is given.
    fn ranks<'n>(&self, by_name: &'n HashMap<String, Name>) -> (Vec<f64>, HashMap<(usize, &'n str), f64>) {
        let mut names: Vec<(&String, &Name)> =
            by_name.iter().filter(|(_, name)| name.definers.len() <= MAX_DEFINERS).collect();
        // Sums of floating-point numbers depend on their order.
        names.sort_by_key(|(name, _)| *name);
        let mut edges: Vec<(usize, usize, f64, &str)> = Vec::new();
        for (name, known) in names {
            let weight = self.name_weight(name, known.definers.len()) * self.own_share(known);
            for (user, ways) in &known.users {
                let from_play = if self.in_play.contains(user) { self.weights.in_play } else { 1.0 };
                for (definer, defines) in known.definers.iter().filter(|(definer, _)| *definer != user) {
                    let fits = |way: &&(Use, f64)| defines.fits(way.0, self.languages[*user]);
                    let n: f64 = ways.iter().filter(fits).map(|way| way.1).sum();
                    if n > 0.0 {
                        let near = if self.related.are(*user, *definer) { 1.0 } else { self.weights.unrelated };
                        let worth = weight * n.sqrt() * from_play * near * self.worth[*definer];
                        edges.push((*user, *definer, worth, name));
                    }
                }
            }
        }
        let ranks = self.page_rank(&edges);
        let mut out = vec![0.0; self.worth.len()];
        edges.iter().for_each(|(user, _, weight, _)| out[*user] += weight);
        let mut shares: HashMap<(usize, &str), f64> = HashMap::new();
        for (user, definer, weight, name) in edges {
            *shares.entry((definer, name)).or_default() += ranks[user] * weight / out[user].max(f64::MIN_POSITIVE);
        }
        (ranks, shares)
    }

    /// Returns the share of the files that use a name which bring in one that defines it: most uses of `iter` in a project
    /// with an `iter` of its own mean that of the language.
    fn own_share(&self, known: &Name) -> f64 {
        let is_near = |user: &usize| known.definers.keys().any(|definer| self.related.are(*user, *definer));
        let is_other = |user: &&usize| !known.definers.contains_key(user);
        let n_users = known.users.keys().filter(is_other).count();
        let n_near = known.users.keys().filter(is_other).filter(|user| is_near(user)).count();
        n_near as f64 / n_users.max(1) as f64
    }

    fn name_weight(&self, name: &str, n_definers: usize) -> f64 {
        let weights = self.weights;
        let mut weight = 1.0;
        let is_mixed =
            name.contains('_') || (name.chars().any(char::is_uppercase) && name.chars().any(char::is_lowercase));
        if is_mixed && name.chars().count() >= weights.long_chars {
            weight *= weights.long;
        }
        if name.starts_with('_') {
            weight *= weights.private;
        }
        if n_definers > weights.common_files {
            weight *= weights.common;
        }
        if self.weights.everyday_names.contains(name) {
            weight *= self.weights.everyday;
        }
        if self.asked.contains(name) {
            weight *= weights.asked;
        }
        weight
    }

    fn page_rank(&self, edges: &[(usize, usize, f64, &str)]) -> Vec<f64> {
        let n = self.worth.len();
        let mut start: Vec<f64> = self.worth.to_vec();
        if !self.in_play.is_empty() {
            // A little for all, so that what is in play but used by nobody does not leave the rest without an order.
            start.iter_mut().for_each(|worth| *worth *= 0.1 / n as f64);
            let share = 1.0 / self.in_play.len() as f64;
            self.in_play.iter().for_each(|at| start[*at] += share);
        }
        let sum: f64 = start.iter().sum::<f64>().max(f64::MIN_POSITIVE);
        start.iter_mut().for_each(|worth| *worth /= sum);
        let mut out = vec![0.0; n];
        edges.iter().for_each(|(user, _, weight, _)| out[*user] += weight);
        let mut rank = start.clone();
        for _ in 0..self.weights.rounds {
            let mut next: Vec<f64> = vec![0.0; n];
            for (user, definer, weight, _) in edges {
                next[*definer] += rank[*user] * weight / out[*user].max(f64::MIN_POSITIVE);
            }
            // What files without uses have is begun anew.
            let lost: f64 = (0..n).filter(|at| out[*at] == 0.0).map(|at| rank[at]).sum();
            for at in 0..n {
                next[at] =
                    self.weights.damping * (next[at] + lost * start[at]) + (1.0 - self.weights.damping) * start[at];
            }
            rank = next;
        }
        rank
    }
}

/// Texts of files, each read once.
struct Texts<'t> {
    root: &'t Path,
    read: HashMap<String, Vec<String>>,
}

impl Texts<'_> {
    /// Returns the line that names a definition, and its number.
    fn head(&mut self, path: &str, found: &Known) -> Option<(u32, String)> {
        let root = self.root;
        let lines = self.read.entry(path.to_owned()).or_insert_with(|| read_lines(&root.join(path)));
        let last = found.end_line.min(found.line + MAX_HEAD_LINES);
        let at = (found.line..=last)
            .find(|line| lines.get(*line as usize - 1).is_some_and(|text| text.contains(&found.name)))?;
        let text = lines.get(at as usize - 1)?.trim();
        let text = text.trim_end_matches(['{', ':', '(']).trim_end();
        Some((at, visible(&clip_line(text, MAX_LINE_BYTES)).into_owned()))
    }
}

fn read_lines(path: &Path) -> Vec<String> {
    let Ok((file, _)) = open_regular(path) else { return Vec::new() };
    let max_bytes = files::table().map_or(0, |table| table.max_bytes);
    let mut bytes = Vec::new();
    if file.take(max_bytes).read_to_end(&mut bytes).is_err() {
        return Vec::new();
    }
    String::from_utf8_lossy(&bytes).lines().map(str::to_owned).collect()
}
