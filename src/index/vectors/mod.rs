//! Which texts lie nearest to a question?
//!
//! One trait for all stores of vectors. The one that is always there ([`codes`]) keeps a bit for each dimension and eight
//! bits for the second look, in ordinary tables. What a store holds a connection to is its own affair, so that one on another
//! machine fits the trait as well.
//! To add a store: a file here with a [`VectorStore`], and the same questions as in the tests of [`codes`].

pub mod codes;

use crate::index::error::IndexError;

/// Keeps vectors of one embedder by the numbers of texts, and finds the nearest.
pub trait VectorStore {
    /// Keeps vectors; one with a number already there is replaced.
    fn put(&mut self, rows: &[(u64, &Quantised)]) -> Result<(), IndexError>;

    /// Forgets vectors; numbers it does not know are passed over.
    fn remove(&mut self, texts: &[u64]) -> Result<(), IndexError>;

    /// Returns at most `n` texts with the cosine to the question, the nearest first.
    fn nearest(&self, question: &[f32], n: usize) -> Result<Vec<(u64, f32)>, IndexError>;

    /// Returns how many there are.
    fn count(&self) -> Result<u64, IndexError>;
}

/// A vector in whole numbers of eight bits.
#[derive(Debug, Clone, PartialEq)]
pub struct Quantised {
    /// The numbers; the largest is 127.
    pub numbers: Vec<i8>,
    /// What they are multiplied by.
    pub scale: f32,
}

impl Quantised {
    /// Rounds a vector; none when all of it is zero.
    pub fn of(vector: &[f32]) -> Option<Self> {
        let largest = vector.iter().fold(0.0_f32, |largest, number| largest.max(number.abs()));
        (largest > 0.0 && largest.is_finite()).then(|| {
            let scale = largest / 127.0;
            let numbers = vector.iter().map(|number| (number / scale).round() as i8).collect();
            Self { numbers, scale }
        })
    }

    /// Returns it as bytes: the scale, little-endian, then the numbers.
    pub fn to_bytes(&self) -> Vec<u8> {
        let numbers = self.numbers.iter().map(|number| number.cast_unsigned());
        self.scale.to_le_bytes().into_iter().chain(numbers).collect()
    }

    /// Returns one bit for each dimension: whether its number is positive.
    pub fn bits(&self) -> Vec<u8> {
        bits(self.numbers.iter().map(|number| *number > 0))
    }
}

fn bits(signs: impl Iterator<Item = bool>) -> Vec<u8> {
    let signs: Vec<bool> = signs.collect();
    let byte = |eight: &[bool]| eight.iter().enumerate().map(|(at, sign)| u8::from(*sign) << at).sum();
    signs.chunks(8).map(byte).collect()
}
