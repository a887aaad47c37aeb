//! A server was met that has the model: how does that become a route, and which window may be counted on?
//!
//! Pure. What the configuration says comes first, then what the server says, then what is known about the family.

use std::sync::Arc;

use crate::model::error::ModelError;
use crate::model::route::Route;
use crate::model::seats::Met;
use crate::model::{ModelInfo, catalog};
use crate::protocol::server::{ServerFacts, ServerKind};

/// Tokens counted on for a model that Ollama has not loaded yet and whose Modelfile names no `num_ctx`: what it allocates
/// on a graphics card of 24 to 48 GiB, by its documentation.
const OLLAMA_WINDOW_TOKENS: u64 = 32_768;

impl Met {
    /// Completes a route to `model`. `configured` comes before what the server says, and that before what is known.
    pub fn route(&self, model: &ModelInfo, configured: Option<u64>) -> Route {
        let row = catalog::row(&model.id);
        Route {
            provider: self.seat.name.clone(),
            url: self.seat.url.clone(),
            model: model.id.clone(),
            window_tokens: configured.unwrap_or_else(|| self.window(model, row)),
            row,
            rank: None,
            profile: None,
            server: Arc::new(self.facts.clone().unwrap_or_default()),
            note: None,
        }
    }

    /// Returns the served window, never more than a refusal of the server has shown it to be.
    fn window(&self, model: &ModelInfo, row: &catalog::Row) -> u64 {
        let facts = self.facts.as_ref();
        let said = model.window_tokens.or_else(|| facts?.model(&model.id)?.window_tokens);
        let ollama = facts.filter(|facts| facts.kind == ServerKind::Ollama);
        let window = said.unwrap_or_else(|| ollama.map_or(row.window_tokens, |facts| ollama_window(facts, row)));
        self.learned.get(&model.id).map_or(window, |learned| window.min(*learned))
    }

    /// Says that the server does not have a model, and what it has.
    pub fn lacks(&self, model: &str) -> ModelError {
        let available = self.served.iter().map(|model| model.id.clone()).collect();
        ModelError::NoModel { url: self.seat.url.clone(), model: model.to_owned(), available }
    }
}

/// Returns what to count on for a model that is not in Ollama's memory yet. Ollama allocates by its own setting, often far
/// less than the model was made for, and tells once it has; models in memory show the setting.
fn ollama_window(facts: &ServerFacts, row: &catalog::Row) -> u64 {
    let in_memory = facts.models.iter().filter(|model| model.is_loaded == Some(true) && model.embedding_size.is_none());
    let shown = in_memory.filter_map(|model| model.window_tokens).max();
    row.window_tokens.min(shown.unwrap_or(OLLAMA_WINDOW_TOKENS))
}
