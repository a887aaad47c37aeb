//! How does Ollama fill a gap in a text?
//!
//! By `/api/generate`, whose `suffix` the model's template turns into the right tokens. A model whose template has no place
//! for it may know the tokens nevertheless; they are then written into the prompt here, past the template.

use serde_json::{Value, json};

use crate::base::control::{neutralise, restore};
use crate::model::catalog;
use crate::model::error::ModelError;
use crate::model::fim::{self, Fim};
use crate::model::fim::{Fill, Filling};
use crate::model::providers::ollama::Ollama;
use crate::protocol::message::Usage;

/// What Ollama says of a model whose template has no place for a suffix.
const NO_INSERT: &str = "does not support insert";

/// Fills the gap between prefix and suffix.
pub async fn fill(ollama: &Ollama, fill: &Fill) -> Result<Filling, ModelError> {
    let family = catalog::row(&fill.model).fim.as_deref().and_then(fim::named);
    let url = ollama.at("/api/generate");
    let asked = ollama.ask_model(&fill.model);
    let (prefix, suffix) = (neutralise(&fill.prefix), neutralise(&fill.suffix));
    let inserted = asked.post(&url, &body(ollama, fill, family, &json!({"prompt": prefix, "suffix": suffix}))).await;
    let answer = match (inserted, family) {
        (Err(ModelError::Refused { source, .. }), Some(family)) if source.0.contains(NO_INSERT) => {
            let prompt = family.prompt(&fill.prefix, &fill.suffix);
            asked.post(&url, &body(ollama, fill, Some(family), &json!({"prompt": prompt, "raw": true}))).await?
        }
        (answer, _) => answer?,
    };
    let text = answer.get("response").and_then(Value::as_str);
    let text = text.ok_or_else(|| asked.not_understood(&answer.to_string()))?;
    let count = |key: &str| answer.get(key).and_then(Value::as_u64).unwrap_or(0);
    Ok(Filling {
        text: restore(text).into_owned(),
        is_cut: answer.get("done_reason").and_then(Value::as_str) == Some("length"),
        usage: Usage {
            input_tokens: count("prompt_eval_count"),
            output_tokens: count("eval_count"),
            ..Usage::default()
        },
    })
}

/// Completes `words` (prompt and suffix) to a request.
fn body(ollama: &Ollama, fill: &Fill, family: Option<&Fim>, words: &Value) -> Value {
    let mut options = json!({"temperature": 0, "num_predict": fill.max_tokens});
    let stops = fim::stops(family, &fill.stop);
    // A list replaces the one of the model, so that none is better than an empty one.
    if !stops.is_empty() {
        options["stop"] = stops.into();
    }
    if let Some(num_ctx) = ollama.forced.num_ctx {
        options["num_ctx"] = num_ctx.into();
    }
    let mut body = json!({"model": fill.model, "stream": false, "truncate": false, "options": options});
    for (key, value) in words.as_object().into_iter().flatten() {
        body[key] = value.clone();
    }
    body
}
