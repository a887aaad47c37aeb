//! How does a question get its answer by everything there is, and how does a server's part of it come to be?
//!
//! The built-in embedder always answers. A model on a server takes part once it has covered the work tree; what it costs is one
//! short question, and when it does not answer the search goes on without it and says so. Must not make vectors of files
//! while somebody waits for an answer: that is [`Index::fill`]'s work.

use std::path::Path;
use std::time::Duration;

use serde::Serialize;

use crate::db::error::DbError;
use crate::db::work::Work;
use crate::index::embed::Embedder as _;
use crate::index::embed::server::{Model, Server, Trouble};
use crate::index::engine::Index;
use crate::index::error::IndexError;
use crate::index::fill::{self, Filled, Filling, Ground};
use crate::index::search::dense::Served;
use crate::index::search::rank::{self, Weights};
use crate::index::search::route::Query;
use crate::index::search::{self, Asked, Hit, Sides};
use crate::index::store::coverage::{self, Coverage};
use crate::index::store::read;
use crate::index::update::LOG_BYTES;
use crate::index::vectors::kept::{self, Kept};
use crate::index::vectors::{self, Choice};

/// How long a search waits for the vector of its question.
const QUESTION_TIME: Duration = Duration::from_millis(1000);
/// Below this share of texts with a vector, in hundredths, a model on a server does not take part: after a change of branch
/// it would know too little of what is searched.
const LEAST_PERCENT: u64 = 80;

/// What a search found, and how.
#[derive(Debug, Default)]
pub struct Answer {
    /// Places, the best first.
    pub hits: Vec<Hit>,
    /// The embedders that took part or could have.
    pub meaning: Vec<Meaning>,
    /// What the user should know.
    pub notes: Vec<String>,
}

/// An embedder's part in a search.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Meaning {
    /// Its name.
    pub embedder: String,
    /// Of how much of the work tree it has vectors.
    pub coverage: Coverage,
    /// Whether it took part.
    pub is_asked: bool,
}

impl Index {
    /// Searches what is in the index, with the model on a server where there is one and it is ready.
    pub fn ask(&self, query: &Query, limit: usize, sides: Sides) -> Result<Answer, IndexError> {
        self.ask_by(query, limit, sides, rank::weights()?)
    }

    /// The same with other weights, to see what they do.
    pub fn ask_by(&self, query: &Query, limit: usize, sides: Sides, weights: &Weights) -> Result<Answer, IndexError> {
        let Some(mut db) = self.reader()? else { return Ok(Answer::default()) };
        let mut answer = Answer::default();
        let has_vectors = sides != Sides::Words && !query.text.trim().is_empty();
        let served = match &self.server {
            Some(server) if has_vectors => {
                let known = db.read(|work| self.embedders(work))?;
                served(server.as_ref(), query, &known, &mut answer)?
            }
            _ => None,
        };
        let asked = Asked { query, limit, sides, embedder: self.embedder, served: served.as_ref(), weights };
        answer.hits = db.read(|work| search::search(work, &self.root(), &asked))?;
        Ok(answer)
    }

    /// Returns the models on servers with vectors of this work tree, and how far they are.
    fn embedders(&self, work: &Work<'_>) -> Result<Vec<(Kept, Coverage)>, IndexError> {
        let Some((tree, _)) = read::tree(work, &self.root())? else { return Ok(Vec::new()) };
        let mut found = Vec::new();
        for kept in kept::all(work)?.into_iter().filter(|kept| kept.name != self.embedder.id()) {
            found.extend(coverage::of(work, (kept.id, tree))?.map(|coverage| (kept, coverage)));
        }
        Ok(found)
    }

    /// Has the model on a server embed what it has not embedded yet. Nothing is done without one.
    pub fn fill(&self, patience: Duration, progress: &dyn Fn(usize, usize)) -> Result<Filled, IndexError> {
        match &self.server {
            Some(server) => fill::fill(self, &Filling { server: server.as_ref(), patience, progress }),
            None => Ok(Filled::default()),
        }
    }

    /// Returns the number the next new text will have, by which to see whether there are new ones; none without an index.
    pub fn newest_text(&self) -> Result<Option<u64>, IndexError> {
        self.reader()?.map(|mut db| db.read(coverage::next_text)).transpose()
    }

    /// Counts exactly of how much of this work tree each embedder has vectors.
    pub(super) fn covered(&self, work: &Work<'_>, tree: u64) -> Result<Vec<Covered>, IndexError> {
        let places = coverage::texts(work, tree)?;
        let of = |kept: Kept| {
            let texts: std::collections::HashSet<u64> = vectors::open(work, &kept).texts()?.into_iter().collect();
            let n_covered = places.iter().filter(|place| texts.contains(&place.text)).count() as u64;
            let (n_texts, n_vectors) = (places.len() as u64, texts.len() as u64);
            Ok(Covered {
                embedder: kept.name,
                dimensions: kept.dimensions,
                store: kept.store.name(),
                n_vectors,
                n_covered,
                n_texts,
            })
        };
        kept::all(work)?.into_iter().map(of).collect()
    }
}

/// What an embedder has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Covered {
    /// Its name.
    pub embedder: String,
    /// Numbers of a vector.
    pub dimensions: usize,
    /// Where they are kept.
    pub store: &'static str,
    /// Vectors of all work trees.
    pub n_vectors: u64,
    /// Texts of this work tree with one.
    pub n_covered: u64,
    /// Texts of this work tree. A model on a server has none of those the built-in embedder knows no word of either.
    pub n_texts: u64,
}

/// Has the question embedded if vectors to compare it with are there.
fn served(
    server: &dyn Server,
    query: &Query,
    known: &[(Kept, Coverage)],
    answer: &mut Answer,
) -> Result<Option<Served>, IndexError> {
    let is_ready = |coverage: &Coverage| coverage.complete_before.is_some() && coverage.percent() >= LEAST_PERCENT;
    for (kept, coverage) in known {
        answer.meaning.push(Meaning { embedder: kept.name.clone(), coverage: *coverage, is_asked: false });
    }
    if !known.iter().any(|(_, coverage)| is_ready(coverage)) {
        answer.notes.push(match known {
            [] => "no model on a server has embedded this project yet: mimi index".to_owned(),
            all => all.iter().map(|(kept, coverage)| not_ready(kept, coverage)).collect::<Vec<_>>().join("; "),
        });
        return Ok(None);
    }
    let vector = || {
        let model = server.model(Some(QUESTION_TIME))?;
        let described = Model::of(&model).map_err(|error| Trouble::plain(error.into()))?;
        let mark = known.iter().find(|(kept, _)| kept.name == described.name).map_or(0, |(kept, _)| kept.mark);
        let witness = described.witness(mark);
        let vectors = server.embed(vec![described.query(&query.text)], witness.as_ref(), Some(QUESTION_TIME))?;
        Ok::<_, Trouble>((described.name, vectors.into_iter().next().unwrap_or_default()))
    };
    let (name, question) = match vector() {
        Ok(found) => found,
        Err(trouble) if trouble.is_replaced => {
            answer
                .notes
                .push("the server has another model than the one that embedded this project: mimi index".to_owned());
            return Ok(None);
        }
        Err(trouble) => {
            answer.notes.push(format!("{}; found without its model", trouble.fault.line()));
            return Ok(None);
        }
    };
    let at = known.iter().position(|(kept, _)| kept.name == name && kept.dimensions == question.len());
    let Some((at, (kept, coverage))) = at.map(|at| (at, &known[at])) else {
        answer.notes.push(format!("`{name}` has not embedded this project yet: mimi index"));
        return Ok(None);
    };
    let is_whole = question.iter().all(|number| number.is_finite());
    match coverage.complete_before.filter(|_| is_ready(coverage) && is_whole) {
        Some(complete_before) => {
            answer.meaning[at].is_asked = true;
            if coverage.percent() < 100 {
                answer.notes.push(format!("`{name}` knows {} % of the pieces: mimi index", coverage.percent()));
            }
            Ok(Some(Served { kept: kept.clone(), question, complete_before }))
        }
        None => {
            answer.notes.push(not_ready(kept, coverage));
            Ok(None)
        }
    }
}

fn not_ready(kept: &Kept, coverage: &Coverage) -> String {
    format!("`{}` knows {} % of the pieces and is not asked yet: mimi index", kept.name, coverage.percent())
}

impl Ground for Index {
    fn read<T>(&self, work: impl FnOnce(&Work<'_>) -> Result<T, IndexError>) -> Result<Option<T>, IndexError> {
        self.reader()?.map(|mut db| db.read(work)).transpose()
    }

    fn write<T>(
        &self,
        patience: Duration,
        work: impl FnOnce(&Work<'_>) -> Result<T, IndexError>,
    ) -> Result<Option<T>, IndexError> {
        let Some(elected) = self.place().elect(patience)? else { return Ok(None) };
        let mut db = self.writer(&elected, &mut Vec::new())?;
        let done = db.write(work)?;
        // Readers that are under way keep the log for now.
        drop::<Result<(), DbError>>(db.trim_log(LOG_BYTES));
        Ok(Some(done))
    }

    fn root(&self) -> &Path {
        &self.place().root
    }

    fn vectors(&self) -> Choice {
        self.vectors
    }
}
