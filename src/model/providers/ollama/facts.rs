//! Which models does an Ollama have, with which window, and which vectors do they make of texts?
//!
//! The window is the one Ollama has allocated for a loaded model, never the one the model was trained for: on a small
//! machine these are 4096 and 262144. A model that is not loaded has none yet. A text longer than the embedder's window is
//! refused instead of being cut without a word.

use serde_json::{Value, json};

use crate::model::ModelInfo;
use crate::model::catalog;
use crate::model::error::ModelError;
use crate::model::providers::ollama::Ollama;
use crate::model::providers::simple::numbers;

/// Lists the models it has.
pub async fn models(ollama: &Ollama) -> Result<Vec<ModelInfo>, ModelError> {
    let asked = ollama.ask_briefly();
    let (tags, loaded) = (ollama.at("/api/tags"), ollama.at("/api/ps"));
    let (tags, loaded) = futures_util::future::join(asked.get(&tags), asked.get(&loaded)).await;
    let tags = tags?;
    let rows = tags.get("models").and_then(Value::as_array);
    let rows = rows.ok_or_else(|| asked.not_understood(&tags.to_string()))?;
    // Old versions do not have it, which costs the windows only.
    let loaded = loaded.unwrap_or_default();
    let window = |id: &str| match ollama.forced.num_ctx {
        Some(forced) if !catalog::row(id).embeds => Some(forced),
        _ => allocated(&loaded, id),
    };
    Ok(rows.iter().filter_map(name).map(|id| ModelInfo { id: id.to_owned(), window_tokens: window(id) }).collect())
}

fn name(row: &Value) -> Option<&str> {
    ["name", "model"].iter().find_map(|key| row.get(*key)?.as_str())
}

/// Finds the window of the model `id` in the answer of `/api/ps`.
fn allocated(loaded: &Value, id: &str) -> Option<u64> {
    let row = loaded.get("models")?.as_array()?.iter().find(|row| name(row) == Some(id))?;
    row.get("context_length").and_then(Value::as_u64).filter(|tokens| *tokens > 0)
}

/// Turns texts into vectors, in their order.
pub async fn embed(ollama: &Ollama, model: &str, texts: &[String]) -> Result<Vec<Vec<f32>>, ModelError> {
    let asked = ollama.ask_model(model);
    let body = json!({"model": model, "truncate": false, "input": texts});
    let answer = asked.post(&ollama.at("/api/embed"), &body).await?;
    let rows = answer.get("embeddings").and_then(Value::as_array);
    let vectors = rows.and_then(|rows| rows.iter().map(numbers).collect::<Option<Vec<_>>>());
    let is_whole = |vectors: &Vec<Vec<f32>>| {
        let dimensions = vectors.first().map_or(0, Vec::len);
        vectors.len() == texts.len() && vectors.iter().all(|vector| !vector.is_empty() && vector.len() == dimensions)
    };
    vectors.filter(is_whole).ok_or_else(|| asked.broken(format!("it holds not {} vectors of numbers", texts.len())))
}
