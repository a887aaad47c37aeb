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

    /// Embeds texts: one vector each, in their order, all of one size and of length 1.
    fn embed(&self, texts: Vec<String>, limit: Option<Duration>) -> Result<Vec<Vec<f32>>, Trouble>;
}

/// Why there are no vectors.
#[derive(Debug)]
pub struct Trouble {
    /// What the user is told.
    pub fault: Fault,
    /// The text that is too long for the model, by its place in the list.
    pub too_long: Option<usize>,
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

    /// Returns what is sent for a question.
    pub fn query(&self, text: &str) -> String {
        format!("{}{text}", self.row.query)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
