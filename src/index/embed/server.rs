//! How does a model on a server take part in the search?
//!
//! Behind a trait whoever knows servers implements: this room talks to none. Its vectors are made by [`crate::index::fill`]
//! and kept beside those of the built-in embedder. What a model wants before a text is a row in `config/embedders.yaml`, and
//! part of the name its vectors are kept under, so that what does not belong together never meets.

use std::sync::OnceLock;
use std::time::Duration;

use serde::Deserialize;

use crate::base::fault::Fault;
use crate::base::text::fits;
use crate::base::yaml;
use crate::index::error::IndexError;

/// Version of what is sent for a piece: its text alone. Raised when that changes.
const FORM: u32 = 1;

/// Makes vectors on a server. It takes its time and may fail; it must send nothing but the texts it is given.
pub trait Server: Send + Sync {
    /// Finds out which model embeds, within `limit`.
    fn model(&self, limit: Option<Duration>) -> Result<String, Trouble>;

    /// Embeds texts: one vector each, in their order, all of one size and of length 1; by the model a witness knows, where
    /// there is one, and by no other.
    fn embed(
        &self,
        texts: Vec<String>,
        witness: Option<&Witness>,
        limit: Option<Duration>,
    ) -> Result<Vec<Vec<f32>>, Trouble>;

    /// Embeds a text past all that is kept anywhere, to see which model it is now.
    fn embed_anew(&self, text: String, limit: Option<Duration>) -> Result<Vec<f32>, Trouble>;
}

/// A text whose vector tells whether a model is still the one whose vectors are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witness {
    /// The text, as it is sent.
    pub text: String,
    /// What the model said of it: [`mark`].
    pub mark: u64,
}

impl Witness {
    /// Says whether a vector of the text is of the same model. The same model says nearly the same on another machine or by
    /// another driver; of two models about half of the bits differ.
    pub fn is_same(&self, vector: &[f32]) -> bool {
        let n_bits = vector.len().min(MARK_BITS) as u32;
        (self.mark ^ mark(vector)).count_ones() * 8 <= n_bits
    }
}

/// Bits of a mark beside the highest, which is always set.
const MARK_BITS: usize = 48;

/// Says in a number which parts of a vector lie above their mean; never 0.
pub fn mark(vector: &[f32]) -> u64 {
    let mean = vector.iter().sum::<f32>() / vector.len().max(1) as f32;
    let step = (vector.len() / MARK_BITS).max(1);
    let bits = vector.iter().step_by(step).take(MARK_BITS);
    bits.enumerate().fold(1 << MARK_BITS, |mark, (at, number)| mark | u64::from(*number > mean) << at)
}

/// Why there are no vectors.
#[derive(Debug)]
pub struct Trouble {
    /// What the user is told.
    pub fault: Fault,
    /// The text that is too long for the model, by its place in the list.
    pub too_long: Option<usize>,
    /// Whether the server has another model under this name than a witness knows.
    pub is_replaced: bool,
}

impl Trouble {
    /// Trouble that is nothing special.
    pub fn plain(fault: Fault) -> Self {
        Self { fault, too_long: None, is_replaced: false }
    }
}

/// A model and what it wants before texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Model {
    /// What its vectors are kept under, but for their size.
    pub name: String,
    row: Row,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    #[serde(rename = "match")]
    pattern: String,
    document: String,
    query: String,
}

fn table() -> Result<&'static [Row], IndexError> {
    static TABLE: OnceLock<Result<Vec<Row>, String>> = OnceLock::new();
    let read = || yaml::from_str(include_str!("../../../config/embedders.yaml")).map_err(|error| error.to_string());
    let table: &Result<Vec<Row>, String> = TABLE.get_or_init(read);
    table.as_deref().map_err(|error| IndexError::Table(format!("embedders.yaml: {error}")))
}

impl Model {
    /// Describes a model by its name on the server.
    pub fn of(model: &str) -> Result<Self, IndexError> {
        // To Ollama both are one.
        let plain = model.strip_suffix(":latest").unwrap_or(model);
        let row = table()?.iter().find(|row| fits(&row.pattern, &plain.to_lowercase()));
        let row = row.ok_or_else(|| IndexError::Table("embedders.yaml: no row for any model".to_owned()))?.clone();
        let prefixes = match (row.document.trim_end(), row.query.trim_end()) {
            ("", "") => String::new(),
            (document, query) => format!(" [{document}|{query}]"),
        };
        Ok(Self { name: format!("{plain}{prefixes} {FORM}"), row })
    }

    /// Returns what is sent for a piece of a file.
    pub fn document(&self, text: &str) -> String {
        format!("{}{text}", self.row.document)
    }

    /// Returns the witness of the model that said this of its text; none where nobody asked it.
    pub fn witness(&self, mark: u64) -> Option<Witness> {
        (mark != 0).then(|| Witness { text: self.probe(), mark })
    }

    /// Returns the text by whose vector models are told apart.
    pub fn probe(&self) -> String {
        self.query("size")
    }

    /// Returns what is sent for a question.
    pub fn query(&self, text: &str) -> String {
        format!("{}{text}", self.row.query)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_is_known_by_what_it_says_of_one_text_and_another_of_its_size_is_not_it() {
        let wave = |step: f32| (0..768).map(|at| (at as f32 * step).sin()).collect::<Vec<f32>>();
        let (one, other) = (wave(1.7), wave(2.9));
        let witness = Witness { text: String::new(), mark: mark(&one) };
        let noisy: Vec<f32> = one.iter().zip(&other).map(|(one, other)| one + other * 0.01).collect();
        assert!(witness.is_same(&one) && witness.is_same(&noisy) && !witness.is_same(&other));
        let few = Witness { text: String::new(), mark: mark(&[0.1, 3.0, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1]) };
        assert!(!few.is_same(&[0.1, 0.1, 0.1, 3.0, 0.1, 0.1, 0.1, 0.1]));
        assert!(mark(&[]) != 0 && i64::try_from(mark(&one)).is_ok());
    }

    #[test]
    fn a_model_gets_its_prefixes_and_a_name_that_tells_them() {
        let table = [
            ("nomic-embed-text:latest", "nomic-embed-text [search_document:|search_query:] 1", "search_query: x"),
            ("nomic-embed-text", "nomic-embed-text [search_document:|search_query:] 1", "search_query: x"),
            ("intfloat/e5-large-v2", "intfloat/e5-large-v2 [passage:|query:] 1", "query: x"),
            ("text-embedding-3-small", "text-embedding-3-small 1", "x"),
        ];
        for (model, name, query) in table {
            let described = Model::of(model).unwrap();
            assert_eq!((described.name.as_str(), described.query("x").as_str()), (name, query));
        }
        assert_eq!(Model::of("nomic-embed-text").unwrap().document("x"), "search_document: x");
    }
}
