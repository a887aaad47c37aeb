//! What does one see of a project at a glance?
//!
//! The definitions that matter most, as their own lines, within a budget of tokens. A file is worth what the files that use its
//! names are worth (PageRank), begun at the files in play; a definition gets its share of its file. By names alone: a map need
//! not be right about every edge. The same tree, the same words: nothing here depends on order or chance.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::Read as _;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::base::path::open_regular;
use crate::base::text::{clip_line, visible};
use crate::db::work::Work;
use crate::index::engine::Index;
use crate::index::error::IndexError;
use crate::index::files;
use crate::index::language::Kind;
use crate::index::map_kept;
use crate::index::map_worth::{Name, Related, Spread, Weights, weights};
use crate::index::search::rank;
use crate::index::store::{names, read};

/// Bytes of one line shown.
const MAX_LINE_BYTES: usize = 160;
/// Lines in which the name of a definition is looked for: attributes stand above it.
const MAX_HEAD_LINES: u32 = 12;
/// So many definitions are kept for the next map of the same files.
const MAX_KEPT: usize = 4000;
/// So many definitions are tried first.
const FIRST_SHOWN: usize = 32;
/// Definitions shown of one file.
const MAX_PER_FILE: usize = 40;

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
            let ranked = self.ranked(work, tree, request)?;
            Ok(ranked.fitted(&self.place().root, request.max_tokens, weights()?))
        })
    }
}

impl Index {
    /// Returns what a map is drawn from: as it was kept, or worked out.
    fn ranked(&self, work: &Work<'_>, tree: u64, request: &Request) -> Result<Ranked, IndexError> {
        let place = self.place();
        let all = || Ranked::of(work, tree, &place.root, request);
        // A definition takes five tokens and more.
        if request.max_tokens > MAX_KEPT * 5 {
            return all();
        }
        let key = map_kept::key(work, tree, &[&request.focus, &request.names])?;
        if let Some(kept) = map_kept::read(&place.folder, &key) {
            return Ok(kept);
        }
        let ranked = all()?.best(MAX_KEPT);
        map_kept::write(&place.folder, &key, &ranked);
        Ok(ranked)
    }
}

/// One definition.
#[derive(Serialize, Deserialize)]
struct Known {
    file: usize,
    number: u32,
    name: String,
    line: u32,
    end_line: u32,
    parent: Option<u32>,
}

/// Files and definitions in the order of their worth.
#[derive(Serialize, Deserialize)]
struct Ranked {
    paths: Vec<String>,
    /// By file and line.
    known: Vec<Known>,
    /// Places in `known`, the best first.
    order: Vec<usize>,
    n_files: usize,
}

/// Reads the definitions a map may show, by file and line, and who defines and uses each name.
fn named(work: &Work<'_>, tree: u64, files: &[names::File]) -> Result<(Vec<Known>, HashMap<String, Name>), IndexError> {
    let places: HashMap<&str, usize> = files.iter().enumerate().map(|(at, file)| (file.path.as_str(), at)).collect();
    let is_shown = |kind| !matches!(kind, Kind::Implementation | Kind::Declaration | Kind::Heading | Kind::Rule);
    let mut known = Vec::new();
    let mut by_name: HashMap<String, Name> = HashMap::new();
    names::each_definition(work, tree, |row, path| {
        if let Some(file) = places.get(path.as_str()).copied().filter(|_| is_shown(row.kind)) {
            let name = by_name.entry(row.name.clone()).or_default();
            name.definers.entry(file).or_default().add(row.kind, row.parent);
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
    Ok((known, by_name))
}

impl Ranked {
    fn of(work: &Work<'_>, tree: u64, root: &Path, request: &Request) -> Result<Self, IndexError> {
        let weights = weights()?;
        let files = names::files(work, tree)?;
        let (known, by_name) = named(work, tree, &files)?;
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

    /// Keeps the best `n` definitions with what is around them.
    fn best(mut self, n: usize) -> Self {
        self.order.truncate(n);
        let mut places: BTreeMap<(u32, u32), usize> = BTreeMap::new();
        let mut wanted: HashSet<usize> = self.order.iter().copied().collect();
        for at in &self.order {
            places.clear();
            self.add_around(&self.known[*at], &mut places);
            wanted.extend(places.values());
        }
        let mut moved: HashMap<usize, usize> = HashMap::new();
        let mut known = Vec::with_capacity(wanted.len());
        for (at, found) in std::mem::take(&mut self.known).into_iter().enumerate().filter(|(at, _)| wanted.contains(at))
        {
            moved.insert(at, known.len());
            known.push(found);
        }
        self.known = known;
        self.order = self.order.iter().filter_map(|at| moved.get(at).copied()).collect();
        self
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
