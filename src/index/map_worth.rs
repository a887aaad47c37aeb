//! What is a file worth, and what of it is each of its names?
//!
//! By the files that use its names (PageRank), begun at the files in play. Names alone tell little: one that everybody has, one
//! of the language itself, and one of a file nobody brought in count for almost nothing. The weights are `config/map.yaml`.
//! Must not know how a map looks: that is [`crate::index::map`].

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;
use std::sync::OnceLock;

use serde::Deserialize;

use crate::base::yaml;
use crate::db::work::Work;
use crate::index::error::IndexError;
use crate::index::graph::modules::folder_of;
use crate::index::graph::walk::{To, links as links_of};
use crate::index::graph::world::World;
use crate::index::language::{Kind, Use};
use crate::index::store::names;

/// Files that define a name beyond which it says nothing.
const MAX_DEFINERS: usize = 50;

/// `config/map.yaml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Weights {
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
    /// What other people's code counts for.
    pub(super) vendored: f64,
    damping: f64,
    rounds: usize,
    /// Bytes of a token of code, about.
    pub(super) token_bytes: f64,
}

/// Returns the weights; they are compiled in, so broken ones are a bug.
pub(super) fn weights() -> Result<&'static Weights, IndexError> {
    static WEIGHTS: OnceLock<Result<Weights, String>> = OnceLock::new();
    let read = || yaml::from_str(include_str!("../../config/map.yaml")).map_err(|error| error.to_string());
    WEIGHTS.get_or_init(read).as_ref().map_err(|error| IndexError::Table(format!("map.yaml: {error}")))
}

/// What a file defines under one name.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Defines {
    has_type: bool,
    has_member: bool,
}

impl Defines {
    /// Adds a definition, and what it stands in.
    pub(super) fn add(&mut self, kind: Kind, parent: Option<u32>) {
        match kind {
            Kind::Class | Kind::Type | Kind::Interface => self.has_type = true,
            _ => self.has_member |= kind == Kind::Method || parent.is_some(),
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

/// What is known of one name.
#[derive(Default)]
pub(super) struct Name {
    /// Files that define it.
    pub(super) definers: BTreeMap<usize, Defines>,
    /// Files that use it, and how often in each way.
    pub(super) users: BTreeMap<usize, Vec<(Use, f64)>>,
}

impl Name {
    /// Adds a use.
    pub(super) fn used(&mut self, file: usize, how: Use) {
        let ways = self.users.entry(file).or_default();
        match ways.iter_mut().find(|way| way.0 == how) {
            Some(way) => way.1 += 1.0,
            None => ways.push((how, 1.0)),
        }
    }
}

/// Which files know of each other. Where imports tell, a name that is used is hardly that of a file nobody brought in: most such
/// names are those of functions the language itself has.
pub(super) struct Related {
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
    /// Reads what the files bring in.
    pub(super) fn of(work: &Work<'_>, tree: u64, root: &Path, files: &[names::File]) -> Result<Self, IndexError> {
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
    matches!(name, "__init__.py" | "mod.rs" | "lib.rs") || name.starts_with("index.")
}

/// How worth is spread over files.
pub(super) struct Spread<'s> {
    /// What counts for how much.
    pub(super) weights: &'s Weights,
    /// Files in play.
    pub(super) in_play: &'s HashSet<usize>,
    /// What each file is worth by its path.
    pub(super) worth: &'s [f64],
    /// Which files know of each other.
    pub(super) related: &'s Related,
    /// Names that are asked for.
    pub(super) asked: HashSet<&'s str>,
    /// The language of each file.
    pub(super) languages: &'s [&'s str],
}

impl Spread<'_> {
    /// Returns the rank of each file, and the share of it each of its names is given.
    pub(super) fn ranks<'n>(&self, by_name: &'n HashMap<String, Name>) -> (Vec<f64>, HashMap<(usize, &'n str), f64>) {
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
