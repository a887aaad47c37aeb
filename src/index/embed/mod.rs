//! How does a text become a vector that lies near those of texts with the same meaning?
//!
//! One trait for all embedders. The built-in one ([`table`]) is there at once and embeds as fast as files are read. Vectors
//! of different embedders are never compared: each is kept under its [`Embedder::id`], which names model, dimensions, prefix
//! and tokens' version. Those on servers are slow and may fail: they stand behind another trait ([`server`]).
//! To add an embedder: a file here with an [`Embedder`] and an id of its own.

pub mod server;
pub mod table;

/// Makes vectors of texts.
pub trait Embedder: Send + Sync {
    /// Returns what its vectors are kept under. Two embedders whose vectors must not be mixed have different ones.
    fn id(&self) -> &str;

    /// Returns how many numbers a vector has.
    fn dimensions(&self) -> usize;

    /// Embeds a piece of a file; of length 1, or all zero when it knows nothing of the text.
    fn document(&self, text: &str) -> Vec<f32>;

    /// As [`Embedder::document`], from the parts of the identifiers of a text, each with how often it stands there; none by
    /// an embedder that reads texts.
    fn counted(&self, _parts: &mut dyn Iterator<Item = (&str, u32)>) -> Option<Vec<f32>> {
        None
    }

    /// Embeds a question; as [`Embedder::document`].
    fn query(&self, text: &str) -> Vec<f32>;
}

/// Brings a vector to length 1; one of zeros, or with numbers that are none, becomes zeros.
pub fn normalise(vector: &mut [f32]) {
    let length = vector.iter().map(|number| number * number).sum::<f32>().sqrt();
    if length.is_finite() && length > 0.0 {
        vector.iter_mut().for_each(|number| *number /= length);
    } else {
        vector.fill(0.0);
    }
}
