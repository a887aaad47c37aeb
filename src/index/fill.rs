//! How do the vectors of a model on a server get into the index?
//!
//! Piece by piece, beside everything else: texts without a vector are read from the files they stand in, sent in batches
//! while nobody is kept from writing, and written in short transactions. What is done stays done, so that it can be broken
//! off at any time. A text is sent only as it was indexed, by its hash: pieces with keys never were, and never are.

use std::collections::HashSet;
use std::path::Path;
use std::time::Duration;

use crate::base::fault::Fault;
use crate::base::text::{count, prefix};
use crate::db::work::Work;
use crate::index::chunk::Lines;
use crate::index::document::{self, Key};
use crate::index::embed::server::{self, Model, Server, Trouble, Witness};
use crate::index::error::IndexError;
use crate::index::files;
use crate::index::store::coverage;
use crate::index::store::read;
use crate::index::update;
use crate::index::vectors::kept::{self, Kept};
use crate::index::vectors::{self, Choice, Entry};

/// Texts written at once: a second or two of a small server's work.
const BATCH: usize = 64;
/// A text too long for a model is halved so often.
const HALVINGS: u32 = 4;

/// How vectors are made.
pub struct Filling<'f> {
    /// Makes them.
    pub server: &'f dyn Server,
    /// How long to wait for another process that writes, each time.
    pub patience: Duration,
    /// Is told how many of how many texts have a vector.
    pub progress: &'f dyn Fn(usize, usize),
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Filled {
    /// What the vectors are kept under.
    pub name: String,
    /// Texts of this work tree.
    pub n_texts: usize,
    /// Vectors made.
    pub n_made: usize,
    /// Texts still without one.
    pub n_left: usize,
    /// Why some are left.
    pub notes: Vec<String>,
}

/// A text and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Its number.
    pub text: u64,
    /// The file.
    pub path: String,
    /// First line, from 1.
    pub line: u32,
    /// Last line.
    pub end_line: u32,
    /// The file's language.
    pub language: String,
}

/// A text as it was read again.
struct Body {
    place: Place,
    key: Key,
    text: String,
}

/// What it works on: reads the index, and writes it when this process may.
pub trait Ground {
    /// Reads.
    fn read<T>(&self, work: impl FnOnce(&Work<'_>) -> Result<T, IndexError>) -> Result<Option<T>, IndexError>;

    /// Writes; none when another process writes and goes on longer than `patience`.
    fn write<T>(
        &self,
        patience: Duration,
        work: impl FnOnce(&Work<'_>) -> Result<T, IndexError>,
    ) -> Result<Option<T>, IndexError>;

    /// Folder of the work tree.
    fn root(&self) -> &Path;

    /// Where vectors are to be kept.
    fn vectors(&self) -> Choice;
}

/// Makes the vectors that are missing. Trouble with the server is a note; what was made before it is kept.
pub fn fill(ground: &impl Ground, filling: &Filling<'_>) -> Result<Filled, IndexError> {
    let mut filled = Filled::default();
    let (model, first) = match introduce(filling.server) {
        Ok(found) => found?,
        Err(trouble) => {
            filled.notes.push(told(&trouble.fault));
            return Ok(filled);
        }
    };
    filled.name.clone_from(&model.name);
    let dimensions = first.len();
    let Some(mark) = settle_mark(ground, (&model, &first), filling.patience, &mut filled.notes)? else {
        return Ok(filled);
    };
    let witness = model.witness(mark);
    let root = ground.root().to_string_lossy().into_owned();
    let Some(Some((places, next_text))) = ground.read(|work| {
        let Some((tree, _)) = read::tree(work, &root)? else { return Ok(None) };
        Ok(Some((coverage::texts(work, tree)?, coverage::next_text(work)?)))
    })?
    else {
        return Ok(filled);
    };
    let known = ground.read(|work| match kept::find(work, &model.name, dimensions)? {
        Some(kept) => vectors::open(work, &kept).texts(),
        None => Ok(Vec::new()),
    })?;
    let known: HashSet<u64> = known.unwrap_or_default().into_iter().collect();
    filled.n_texts = places.len();
    let todo: Vec<Place> = places.into_iter().filter(|place| !known.contains(&place.text)).collect();
    filled.n_left = todo.len();
    let mut work =
        Batches { ground, filling, model: &model, dimensions, witness: witness.as_ref(), filled: &mut filled };
    work.run(&todo)?;
    let (n_texts, n_left) = (filled.n_texts, filled.n_left);
    ground.write(filling.patience, |work| {
        let (Some((tree, _)), Some(kept)) = (read::tree(work, &root)?, kept::find(work, &model.name, dimensions)?)
        else {
            return Ok(());
        };
        kept::set_mark(work, &kept, mark)?;
        coverage::note(work, (kept.id, tree), (n_texts as u64, n_left as u64), next_text)
    })?;
    Ok(filled)
}

/// Returns what the model is known by from now on. Vectors of another one of its name and size are forgotten first; none when
/// another process writes meanwhile.
fn settle_mark(
    ground: &impl Ground,
    (model, first): (&Model, &[f32]),
    patience: Duration,
    notes: &mut Vec<String>,
) -> Result<Option<u64>, IndexError> {
    let now = server::mark(first);
    let known = ground.read(|work| kept::find(work, &model.name, first.len()))?.flatten();
    let Some(kept) = known.filter(|kept| kept.mark != 0) else { return Ok(Some(now)) };
    if model.witness(kept.mark).is_none_or(|witness| witness.is_same(first)) {
        return Ok(Some(kept.mark));
    }
    let forgotten = ground.write(patience, |work| kept::forget(work, &kept))?;
    notes.push(match forgotten {
        Some(()) => format!("`{}` is another model than before; all is embedded anew", model.name),
        None => "another mimi is writing the index; its vectors come later".to_owned(),
    });
    Ok(forgotten.map(|()| now))
}

/// Asks which model embeds and how it embeds the text models are told apart by.
fn introduce(server: &dyn Server) -> Result<Result<(Model, Vec<f32>), IndexError>, Trouble> {
    let model = match Model::of(&server.model(None)?) {
        Ok(model) => model,
        Err(error) => return Ok(Err(error)),
    };
    let first = server.embed_anew(model.probe(), None)?;
    check(std::slice::from_ref(&first), 1, first.len())?;
    Ok(Ok((model, first)))
}

/// Refuses what cannot be compared, whatever the server's own room let through.
fn check(vectors: &[Vec<f32>], n_texts: usize, dimensions: usize) -> Result<(), Trouble> {
    let is_whole = |vector: &Vec<f32>| {
        vector.len() == dimensions && vector.iter().all(|number| number.is_finite()) && vector.iter().any(|n| *n != 0.0)
    };
    if dimensions > 0 && vectors.len() == n_texts && vectors.iter().all(is_whole) {
        return Ok(());
    }
    let fault = Fault::new(
        crate::base::fault::Kind::Model,
        format!("the server for vectors gave what cannot be compared ({dimensions} numbers were expected)"),
    );
    Err(Trouble::plain(fault))
}

fn told(fault: &Fault) -> String {
    format!("{}; the search goes on without its vectors", fault.line())
}

struct Batches<'b, 'f, G: Ground> {
    ground: &'b G,
    filling: &'b Filling<'f>,
    model: &'b Model,
    dimensions: usize,
    witness: Option<&'b Witness>,
    filled: &'b mut Filled,
}

impl<G: Ground> Batches<'_, '_, G> {
    fn run(&mut self, todo: &[Place]) -> Result<(), IndexError> {
        let n_before = self.filled.n_texts - todo.len();
        for batch in todo.chunks(BATCH) {
            (self.filling.progress)(n_before + self.filled.n_made, self.filled.n_texts);
            let bodies = self.as_indexed(bodies(self.ground.root(), batch))?;
            if bodies.is_empty() {
                continue;
            }
            let vectors = match self.embed(&bodies) {
                Ok(vectors) => vectors,
                Err(trouble) => {
                    self.filled.notes.push(told(&trouble.fault));
                    return Ok(());
                }
            };
            let Some(n_written) = self.write(&bodies, &vectors, todo.len())? else {
                self.filled
                    .notes
                    .push("another mimi is writing the index; the rest of the vectors comes later".to_owned());
                return Ok(());
            };
            self.filled.n_made += n_written;
            self.filled.n_left -= n_written;
        }
        if self.filled.n_left > 0 {
            let n = count(self.filled.n_left, "piece");
            self.filled.notes.push(format!("{n} changed since and have no vector of `{}` yet", self.model.name));
        }
        Ok(())
    }

    /// Keeps what was indexed just so: nothing else leaves this machine.
    fn as_indexed(&self, mut bodies: Vec<Body>) -> Result<Vec<Body>, IndexError> {
        let known = self.ground.read(|work| {
            let keys = bodies.iter().map(|body| coverage::text_of(work, &body.key));
            keys.collect::<Result<Vec<_>, _>>()
        })?;
        let mut known = known.unwrap_or_default().into_iter();
        bodies.retain(|body| known.next().flatten() == Some(body.place.text));
        Ok(bodies)
    }

    /// Embeds; what is too long for the model is cut until it fits.
    fn embed(&self, bodies: &[Body]) -> Result<Vec<Vec<f32>>, Trouble> {
        let mut texts: Vec<String> = bodies.iter().map(|body| self.model.document(&body.text)).collect();
        let mut n_cut = 0;
        loop {
            match self.filling.server.embed(texts.clone(), self.witness, None) {
                Ok(vectors) => {
                    check(&vectors, texts.len(), self.dimensions)?;
                    return Ok(vectors);
                }
                Err(Trouble { too_long: Some(at), .. })
                    if n_cut < HALVINGS as usize * texts.len() && texts.get(at).is_some_and(|text| text.len() > 64) =>
                {
                    n_cut += 1;
                    let half = prefix(&texts[at], texts[at].len() / 2).to_owned();
                    texts[at] = half;
                }
                Err(trouble) => return Err(trouble),
            }
        }
    }

    fn write(&self, bodies: &[Body], vectors: &[Vec<f32>], n_new: usize) -> Result<Option<usize>, IndexError> {
        self.ground.write(self.filling.patience, |work| {
            let name = (self.model.name.as_str(), self.dimensions);
            let kept: Kept = vectors::choose(work, name, self.ground.vectors(), n_new as u64)?;
            let mut entries = Vec::with_capacity(bodies.len());
            for (body, vector) in bodies.iter().zip(vectors) {
                // Forgotten meanwhile, it would be a vector without a text.
                if coverage::text_of(work, &body.key)? == Some(body.place.text) {
                    entries.push(Entry { text: body.place.text, language: &body.place.language, vector });
                }
            }
            vectors::open(work, &kept).put(&entries)?;
            Ok(entries.len())
        })
    }
}

/// Reads texts again from where they stand. What is no longer as it was indexed is left for the next time.
fn bodies(root: &Path, places: &[Place]) -> Vec<Body> {
    let mut found = Vec::new();
    let Ok(table) = files::table() else { return found };
    for of_file in places.chunk_by(|a, b| a.path == b.path) {
        let Ok((bytes, ..)) = update::read_file(&root.join(&of_file[0].path), table.max_bytes) else { continue };
        let whole = String::from_utf8_lossy(&bytes);
        let lines = Lines::of(whole.as_bytes());
        for place in of_file {
            let Some(text) = lines.between(place.line, place.end_line).and_then(|range| whole.get(range)) else {
                continue;
            };
            let key = document::text_key(text);
            found.push(Body { place: place.clone(), key, text: text.to_owned() });
        }
    }
    found
}
