//! Which texts lie nearest to a question?
//!
//! One trait for all stores of vectors. [`vec0`] looks at every vector and measures exactly: for projects of a usual size.
//! [`codes`] keeps a bit for each dimension and six or eight for a second look: a quarter of the room at most, and quick
//! with a million texts. Which of them holds the vectors of an embedder stands in the index ([`Kept`]); [`choose`] changes
//! it. Vectors of different embedders never meet. What a store holds a connection to is its own affair, so that a server of
//! databases fits the trait as well: nothing here expects that what it keeps and what the index keeps change at one moment.
//! To add a store: a file here with a [`VectorStore`], a variant of [`Store`], a row in the tests of both together.

pub mod codes;
pub mod differing;
pub mod kept;
pub mod near;
pub mod rounded;
pub mod vec0;

use crate::db::work::Work;
use crate::index::error::IndexError;
use crate::index::vectors::kept::Kept;

/// Numbers of all vectors together up to which each of them is looked at: 4,096 texts of 256 dimensions. A few milliseconds
/// and 4 MB; ten times as many would take longer than the rest of a search.
const MAX_NUMBERS: u64 = 1 << 20;

/// A vector to be kept.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Entry<'e> {
    /// The text, by its number in the index.
    pub text: u64,
    /// The language of all files with it; empty when there are several or none.
    pub language: &'e str,
    /// Its numbers, of length 1.
    pub vector: &'e [f32],
}

/// What is searched for.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'w> {
    /// The vector of the question, of length 1.
    pub question: &'w [f32],
    /// How many are wanted.
    pub n: usize,
    /// The one language that is asked for.
    pub language: Option<&'w str>,
}

/// Keeps vectors of one embedder by the numbers of texts, and finds the nearest.
///
/// An implementation may be behind or ahead of the index: numbers it has and the index has not are passed over by whoever
/// asks, and what it lacks is put again. It must not answer with vectors of another embedder.
pub trait VectorStore {
    /// Keeps vectors; one with a number already there is replaced. To put the same again changes nothing.
    fn put(&mut self, entries: &[Entry<'_>]) -> Result<(), IndexError>;

    /// Forgets vectors; numbers it does not know are passed over.
    fn remove(&mut self, texts: &[u64]) -> Result<(), IndexError>;

    /// Returns at most so many texts as are wanted with the cosine to the question, the nearest first. A store that does not
    /// know languages answers with all.
    fn nearest(&self, wanted: &Wanted<'_>) -> Result<Vec<(u64, f32)>, IndexError>;

    /// Returns how many there are.
    fn count(&self) -> Result<u64, IndexError>;

    /// Returns the texts that have one, in no order.
    fn texts(&self) -> Result<Vec<u64>, IndexError>;

    /// Shows all it keeps, as exactly as it keeps them.
    fn each(&self, show: &mut dyn FnMut(Entry<'_>)) -> Result<(), IndexError>;

    /// Forgets all.
    fn clear(&mut self) -> Result<(), IndexError>;
}

/// Which store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Store {
    /// [`codes::Codes`].
    Codes,
    /// [`vec0::Vec0`].
    Vec0,
}

impl Store {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Codes, Self::Vec0];

    /// Returns its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Codes => "codes",
            Self::Vec0 => "vec0",
        }
    }
}

/// Which store is wanted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Choice {
    /// The one there is; for what is new, as [`Choice::Auto`].
    #[default]
    Keep,
    /// Exact while the project is small.
    Auto,
    /// This one.
    Only(Store),
}

/// Opens the vectors of an embedder.
pub fn open<'w>(work: &'w Work<'w>, kept: &Kept) -> Box<dyn VectorStore + 'w> {
    match kept.store {
        Store::Codes => Box::new(codes::Codes::new(work, kept.id, kept.dimensions)),
        Store::Vec0 => Box::new(vec0::Vec0::new(work, kept.id, kept.dimensions)),
    }
}

/// Decides where the vectors of an embedder are kept when `n_new` texts will soon come to those there are, and moves its
/// vectors there.
pub fn choose(
    work: &Work<'_>,
    (name, dimensions): (&str, usize),
    choice: Choice,
    n_new: u64,
) -> Result<Kept, IndexError> {
    let known = kept::find(work, name, dimensions)?;
    let wanted = match (choice, &known) {
        (Choice::Only(store), _) => store,
        // What has outgrown the exact store does not go back: it was rounded.
        (Choice::Keep, Some(known)) => known.store,
        (Choice::Auto, Some(known)) if known.store == Store::Codes => Store::Codes,
        _ => {
            let n_texts = work.first("SELECT count(*) FROM text", &[], |row| row.count(0))?.unwrap_or_default() + n_new;
            if n_texts * dimensions as u64 <= MAX_NUMBERS { Store::Vec0 } else { Store::Codes }
        }
    };
    match known {
        Some(known) if known.store == wanted => Ok(known),
        Some(known) => move_to(work, &known, wanted),
        None => kept::make(work, (name, dimensions), wanted),
    }
}

fn move_to(work: &Work<'_>, from: &Kept, store: Store) -> Result<Kept, IndexError> {
    let to = Kept { store, ..from.clone() };
    let mut all: Vec<(u64, String, Vec<f32>)> = Vec::new();
    let mut old = open(work, from);
    old.each(&mut |entry| all.push((entry.text, entry.language.to_owned(), entry.vector.to_vec())))?;
    old.clear()?;
    let entries: Vec<Entry<'_>> =
        all.iter().map(|(text, language, vector)| Entry { text: *text, language, vector }).collect();
    open(work, &to).put(&entries)?;
    kept::set_store(work, &to)?;
    Ok(to)
}

/// The product of two vectors.
pub fn product(one: &[f32], other: &[f32]) -> f32 {
    one.iter().zip(other).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
#[path = "stores_tests.rs"]
mod tests;
