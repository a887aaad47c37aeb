//! How does a server that speaks OpenAI's dialect fill a gap in a text?
//!
//! By a plain completion whose prompt holds the control tokens of the model's family: `suffix` is refused by vLLM and
//! SGLang and ignored by llama.cpp. llama.cpp has a wire of its own for it, which finds the tokens in the model's file.

use serde_json::{Value, json};

use crate::base::control::{neutralise, restore};
use crate::model::catalog;
use crate::model::error::ModelError;
use crate::model::fim::{self, Fill, Filling};
use crate::model::providers::http::native_url;
use crate::model::providers::json::Asked;
use crate::protocol::message::Usage;

/// Most stop strings a request may name: vLLM's Rust front end (0.33) refuses more, as OpenAI does.
const MAX_STOPS: usize = 4;

/// Fills a gap by `/completions`. Stop strings beyond the most a request may name are looked for in the answer.
pub async fn complete(asked: &Asked<'_>, fill: &Fill) -> Result<Filling, ModelError> {
    let family = catalog::row(&fill.model).fim.as_deref().and_then(fim::named);
    let family = family
        .ok_or_else(|| asked.cannot(format!("the tokens by which `{}` fills a gap are not known", fill.model)))?;
    let stops = fim::stops(Some(family), &fill.stop);
    let body = json!({
        "model": fill.model,
        "stream": false,
        // vLLM's own default is 16.
        "max_tokens": fill.max_tokens,
        "temperature": 0,
        "stop": &stops[..stops.len().min(MAX_STOPS)],
        "prompt": family.prompt(&fill.prefix, &fill.suffix),
    });
    let answer = asked.post(&format!("{}/completions", asked.endpoint.url), &body).await?;
    let choice = answer.get("choices").and_then(|choices| choices.get(0));
    let text = choice.and_then(|choice| choice.get("text")).and_then(Value::as_str);
    let text = text.ok_or_else(|| asked.not_understood(&answer.to_string()))?;
    let finish = choice.and_then(|choice| choice.get("finish_reason")).and_then(Value::as_str);
    let count = |key: &str| answer.get("usage").and_then(|usage| usage.get(key)).and_then(Value::as_u64).unwrap_or(0);
    let usage =
        Usage { input_tokens: count("prompt_tokens"), output_tokens: count("completion_tokens"), ..Usage::default() };
    let text = fim::before_stop(text, &stops);
    Ok(Filling { text: restore(text).into_owned(), is_cut: finish == Some("length"), usage })
}

/// Fills a gap by llama.cpp's `/infill`.
pub async fn infill(asked: &Asked<'_>, fill: &Fill) -> Result<Filling, ModelError> {
    let family = catalog::row(&fill.model).fim.as_deref().and_then(fim::named);
    let body = json!({
        "stream": false,
        "n_predict": fill.max_tokens,
        "temperature": 0,
        "cache_prompt": true,
        "stop": fim::stops(family, &fill.stop),
        "input_prefix": neutralise(&fill.prefix),
        "input_suffix": neutralise(&fill.suffix),
    });
    let answer = asked.post(&format!("{}/infill", native_url(&asked.endpoint.url)?), &body).await?;
    let text = answer.get("content").and_then(Value::as_str);
    let text = text.ok_or_else(|| asked.not_understood(&answer.to_string()))?;
    let count = |key: &str| answer.get(key).and_then(Value::as_u64).unwrap_or(0);
    Ok(Filling {
        text: restore(text).into_owned(),
        is_cut: answer.get("stop_type").and_then(Value::as_str) == Some("limit"),
        usage: Usage {
            input_tokens: count("tokens_evaluated"),
            output_tokens: count("tokens_predicted"),
            cached_tokens: answer.pointer("/timings/cache_n").and_then(Value::as_u64).unwrap_or(0),
        },
    })
}
