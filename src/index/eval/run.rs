//! How are the questions of a file asked of a project?
//!
//! Of the project's own index, or, where questions come from doc comments, of an index of a copy without docs in a scratch
//! folder. Every [`Part`] of the search is asked the same questions, so that each can be told apart from the others.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::base::path::{create_dirs, write_in_place};
use crate::index::engine::{Index, Settling};
use crate::index::error::IndexError;
use crate::index::eval::build::each_file;
use crate::index::eval::docs;
use crate::index::eval::figures::{Answer, DEPTH, Shown, judge};
use crate::index::eval::question::{EvalError, Question};
use crate::index::eval::whole_words::WholeWords;
use crate::index::search::Sides;
use crate::index::search::rank::Weights;
use crate::index::search::route::Query;
use crate::index::store::read::{self, Place};

/// Version of the results as JSON.
pub const VERSION: u32 = 1;

/// A part of the search that is measured by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// A plain full-text search over whole words; not part of mimi, but the floor.
    WholeWords,
    /// Words and parts of words.
    Words,
    /// Vectors alone.
    Vectors,
    /// Words and vectors together, without rules.
    Fused,
    /// Everything, as `mimi search` does it.
    Ranked,
}

impl Part {
    /// All parts, each better than those before it if all is well.
    pub const ALL: [Self; 5] = [Self::WholeWords, Self::Words, Self::Vectors, Self::Fused, Self::Ranked];

    /// Returns its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::WholeWords => "whole-words",
            Self::Words => "words",
            Self::Vectors => "vectors",
            Self::Fused => "fused",
            Self::Ranked => "ranked",
        }
    }

    fn sides(self) -> Option<Sides> {
        match self {
            Self::WholeWords => None,
            Self::Words => Some(Sides::Words),
            Self::Vectors => Some(Sides::Vectors),
            Self::Fused => Some(Sides::Fused),
            Self::Ranked => Some(Sides::All),
        }
    }
}

/// What one part answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// The part.
    pub part: Part,
    /// One for each question, in their order.
    pub answers: Vec<Answer>,
}

/// What came of a file of questions; what `--json` prints and `--compare` reads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Results {
    /// [`VERSION`] of the writer.
    pub v: u32,
    /// Version of mimi.
    pub mimi: String,
    /// The parts, in the order they were asked for.
    pub parts: Vec<Measured>,
}

/// How questions are to be asked.
pub struct Asking<'a> {
    /// The cache folder of the index.
    pub cache: &'a Path,
    /// The project.
    pub root: &'a Path,
    /// An empty folder for a copy without docs and its index.
    pub scratch: &'a Path,
    /// The weights.
    pub weights: &'a Weights,
    /// The parts.
    pub parts: &'a [Part],
    /// Is told how many of all questions have been asked.
    pub progress: &'a dyn Fn(usize, usize),
}

/// What is said beside the figures, and the figures.
pub struct Run {
    /// The figures.
    pub results: Results,
    /// What the user should know, each once.
    pub notes: Vec<String>,
}

/// Asks all questions.
pub fn run(asking: &Asking<'_>, questions: &[Question]) -> Result<Run, EvalError> {
    let mut notes = Vec::new();
    let mut answers: BTreeMap<(Part, usize), Answer> = BTreeMap::new();
    let mut n_asked = 0;
    let n_all = questions.len() * asking.parts.len();
    let mut is_anything_there = false;
    for without_docs in [false, true] {
        let some: Vec<(usize, &Question)> =
            questions.iter().enumerate().filter(|(_, question)| question.without_docs == without_docs).collect();
        if some.is_empty() {
            continue;
        }
        let mut corpus = if without_docs { Corpus::copy(asking)? } else { Corpus::plain(asking)? };
        notes.append(&mut corpus.notes);
        let n_gone = some.iter().filter(|(_, question)| !corpus.has(question)).count();
        is_anything_there |= n_gone < some.len();
        if n_gone > 0 {
            notes.push(format!("of {n_gone} questions no right file is in the index; they count as not answered"));
        }
        for part in asking.parts {
            let floor = if *part == Part::WholeWords { Some(corpus.whole_words()?) } else { None };
            for (at, question) in &some {
                let found = corpus.ask(question, *part, floor.as_ref(), asking.weights)?;
                answers.insert((*part, *at), judge(question, &found));
                n_asked += 1;
                (asking.progress)(n_asked, n_all);
            }
        }
    }
    if !is_anything_there {
        return Err(EvalError::Elsewhere { root: asking.root.to_owned() });
    }
    let of = |part: Part, n| (0..n).filter_map(|at| answers.get(&(part, at)).cloned()).collect();
    let measured = |part: &Part| Measured { part: *part, answers: of(*part, questions.len()) };
    let parts = asking.parts.iter().map(measured).collect();
    Ok(Run { results: Results { v: VERSION, mimi: env!("CARGO_PKG_VERSION").to_owned(), parts }, notes })
}

/// What is searched, with the texts of its files.
struct Corpus {
    index: Index,
    root: PathBuf,
    texts: HashMap<String, Vec<u64>>,
    paths: HashSet<String>,
    notes: Vec<String>,
}

impl Corpus {
    /// The project as it is.
    fn plain(asking: &Asking<'_>) -> Result<Self, EvalError> {
        Self::of(Index::of(asking.cache, asking.root)?)
    }

    /// A copy of what the index would read of the project, without docs.
    fn copy(asking: &Asking<'_>) -> Result<Self, EvalError> {
        let (root, cache) = (asking.scratch.join("project"), asking.scratch.join("cache"));
        let mut failed = None;
        let mut write = |path: &str, bytes: &[u8]| {
            let text = docs::without(Path::new(path), &String::from_utf8_lossy(bytes));
            let whole = root.join(path);
            let made = whole.parent().map_or(Ok(()), create_dirs);
            let written = made.and_then(|()| write_in_place(&whole, text.as_bytes()));
            if let Err(source) = written {
                failed.get_or_insert(EvalError::File { path: whole, source });
            }
        };
        create_dirs(&root).map_err(|source| EvalError::File { path: root.clone(), source })?;
        each_file(asking.root, &mut write)?;
        match failed {
            Some(error) => Err(error),
            None => Self::of(Index::of(&cache, &root)?),
        }
    }

    fn of(index: Index) -> Result<Self, EvalError> {
        let notes = index.settle(&Settling::PLAIN)?.notes;
        let paths = index.read_tree(Vec::new(), |work, tree| {
            let sql = "SELECT path FROM file WHERE tree = ?1 AND blob IS NOT NULL";
            Ok(work.rows(sql, &[tree.into()], |row| row.text(0))?)
        })?;
        let root = index.place().root.clone();
        Ok(Self { index, root, texts: HashMap::new(), paths: paths.into_iter().collect(), notes })
    }

    fn has(&self, question: &Question) -> bool {
        question.relevant.iter().any(|gold| self.paths.contains(&gold.path))
    }

    fn ask(
        &mut self,
        question: &Question,
        part: Part,
        floor: Option<&WholeWords>,
        weights: &Weights,
    ) -> Result<Vec<Shown>, IndexError> {
        let found: Vec<(String, u32, u32)> = match (part.sides(), floor) {
            (Some(sides), _) => {
                let hits = self.index.ask_by(&Query::parse(&question.question), DEPTH, sides, weights)?.hits;
                hits.into_iter().map(|hit| (hit.path, hit.line, hit.end_line)).collect()
            }
            (None, Some(floor)) => {
                let places = floor.search(&question.question, DEPTH).into_iter();
                places.map(|place| (place.path.clone(), place.line, place.end_line)).collect()
            }
            (None, None) => Vec::new(),
        };
        let shown = |(path, line, end_line): (String, u32, u32)| {
            let n_bytes = self.n_bytes(&path, line, end_line);
            Shown { path, line, end_line, n_bytes }
        };
        Ok(found.into_iter().map(shown).collect())
    }

    /// The size of some lines of a file.
    fn n_bytes(&mut self, path: &str, line: u32, end_line: u32) -> u64 {
        if !self.texts.contains_key(path) {
            let bytes = std::fs::read(self.root.join(path)).unwrap_or_default();
            let ends = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at as u64 + 1);
            let ends = std::iter::once(0).chain(ends).chain([bytes.len() as u64]).collect();
            self.texts.insert(path.to_owned(), ends);
        }
        let ends = self.texts.get(path).map(Vec::as_slice).unwrap_or_default();
        let at = |line: u32| ends.get(line as usize).or(ends.last()).copied().unwrap_or_default();
        at(end_line).saturating_sub(at(line.saturating_sub(1)))
    }

    /// Reads all pieces with paths and names as the index does.
    fn whole_words(&self) -> Result<WholeWords, IndexError> {
        let places = self.index.read_tree(Vec::new(), |work, tree| {
            let sql = "SELECT c.id, c.blob, f.path, c.line, c.end_line FROM file f JOIN chunk c ON c.blob = f.blob
                WHERE f.tree = ?1 ORDER BY f.path, c.line";
            let line = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
            let rows = work.rows(sql, &[tree.into()], |row| {
                let (line, end_line) = (line(row.count(3)?), line(row.count(4)?));
                Ok(Place { chunk: row.count(0)?, blob: row.count(1)?, path: row.text(2)?, line, end_line })
            })?;
            let named = |place: Place| {
                let (scope, names) = read::names_at(work, place.blob, place.line, place.end_line)?;
                Ok::<_, IndexError>((place, scope, names.join(" ")))
            };
            rows.into_iter().map(named).collect::<Result<Vec<_>, _>>()
        })?;
        let mut index = WholeWords::default();
        let mut open: (String, String) = Default::default();
        for (place, scope, names) in places {
            if open.0 != place.path {
                let bytes = std::fs::read(self.root.join(&place.path)).unwrap_or_default();
                open = (place.path.clone(), String::from_utf8_lossy(&bytes).into_owned());
            }
            let (first, n) = (place.line.saturating_sub(1), place.end_line + 1 - place.line.max(1));
            let body: Vec<&str> = open.1.lines().skip(first as usize).take(n as usize).collect();
            let path = place.path.clone();
            index.add(place, &[&body.join("\n"), &path, &scope, &names, &names]);
        }
        Ok(index)
    }
}
