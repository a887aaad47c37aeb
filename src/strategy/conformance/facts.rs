//! How large, how fast, how far beside the calls: window, schema, prefix cache, speed, completion, embeddings?

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::base::clock::{self, format_duration};
use crate::base::text::clip_line;
use crate::context::prompt;
use crate::model::fim::Fill;
use crate::model::{Answer, Request};
use crate::protocol::profile::{Profile, Support};
use crate::strategy::answer::AnswerSchema;
use crate::strategy::conformance::Subject;
use crate::strategy::conformance::finding::{Finding, Health};
use crate::strategy::conformance::question::{Failure, ask, request};

/// Tokens below which an agent has no room: system prompt and tools take two thousand, an answer and a file each as many.
pub const SMALL_WINDOW: u64 = 8192;
/// Tokens below which long work is summarised again and again.
pub const MODEST_WINDOW: u64 = 32_768;
/// Lines of filler in the repeated prompt, about 1500 tokens: more than the largest cache block known (1056 tokens).
const PREFIX_LINES: usize = 120;
/// Share of a repeated prompt that should come from the cache.
const GOOD_SHARE: f64 = 0.5;
/// A vector counts as normalised within this.
const NORM_TOLERANCE: f32 = 0.01;
/// Longest wait for a completion or an embedding.
const PATIENCE: Duration = Duration::from_secs(30);

/// The window in which conversations must fit.
pub fn window(subject: &Subject<'_>) -> Finding {
    let tokens = subject.route.window_tokens;
    let found = format!("{tokens} tokens");
    match tokens {
        0..SMALL_WINDOW => Finding::broken("window", format!("{found}: too few for an agent")),
        SMALL_WINDOW..MODEST_WINDOW => Finding::weak("window", format!("{found}: long work will be summarised often")),
        _ => Finding::good("window", found),
    }
}

/// An answer held to a JSON schema.
pub async fn schema(subject: &Subject<'_>, profile: &mut Profile) -> Finding {
    let check = "answer by a schema";
    let schema = json!({
        "type": "object",
        "properties": {"name": {"type": "string"}, "count": {"type": "integer"}},
        "required": ["name", "count"],
        "additionalProperties": false
    });
    let asked = request(subject, prompt::DOCTOR_SCHEMA.render(&[]), Arc::from([]));
    let asked = Request { answer_schema: Some(Arc::new(schema.clone())), ..asked };
    profile.answer_schema = Support::No;
    let answer = match ask(subject, asked).await {
        Err(failure) => return Finding { health: Health::Weak, ..failure.finding(check) },
        Ok(answer) => answer,
    };
    let read = AnswerSchema::compile(&schema).map_err(|fault| fault.line());
    match read.and_then(|schema| schema.read(&answer.text)) {
        Ok(_) => {
            profile.answer_schema = Support::Yes;
            Finding::good(check, "the answer follows it")
        }
        Err(why) => Finding::weak(check, clip_line(&why, 120).into_owned()),
    }
}

/// The same long prompt twice: does the server remember it? Something new at its beginning makes the first one cold.
pub async fn prefix(subject: &Subject<'_>, profile: &mut Profile) -> Finding {
    let check = "prefix reuse";
    let words = prompt::DOCTOR_PREFIX.render(&[&clock::new_id(), &filler()]);
    let asked = || Request { max_tokens: 16, ..request(subject, words.clone(), subject.tools.clone()) };
    let (cold, warm) = match (ask(subject, asked()).await, ask(subject, asked()).await) {
        (Ok(cold), Ok(warm)) => (cold, warm),
        (Err(failure), _) | (_, Err(failure)) => return failure.finding(check),
    };
    let share = warm.usage.cached_tokens as f64 / warm.usage.input_tokens.max(1) as f64;
    let times = format!("first piece after {}, repeated {}", first_piece(&cold), first_piece(&warm));
    if warm.usage.cached_tokens > 0 {
        profile.reused_share = Some(share);
        let found = format!("{:.0} % of a repeated prompt came from the cache; {times}", share * 100.0);
        return if share >= GOOD_SHARE { Finding::good(check, found) } else { Finding::weak(check, found) };
    }
    Finding::weak(check, format!("the server reports no reuse; {times}"))
}

fn filler() -> String {
    let mut lines = String::new();
    for n in 1..=PREFIX_LINES {
        // Writing into a string cannot fail.
        let _ = writeln!(lines, "Line {n} of the list holds the value {}.", n * 7919 % 1000);
    }
    lines
}

fn first_piece(answer: &Answer) -> String {
    answer.stats.first_token_ms.map_or_else(|| "an unknown time".to_owned(), format_duration)
}

/// How soon an answer begins and how fast it comes.
pub async fn speed(subject: &Subject<'_>) -> Finding {
    let check = "speed";
    let asked = request(subject, prompt::DOCTOR_SPEED.render(&[]), Arc::from([]));
    match ask(subject, asked).await {
        Err(failure) => failure.finding(check),
        Ok(answer) => {
            let tokens = answer.usage.output_tokens;
            let rate = answer.stats.decode_ms.filter(|ms| *ms > 0 && tokens > 1).map_or_else(
                || "an unknown number of".to_owned(),
                |ms| format!("{:.0}", tokens as f64 * 1000.0 / ms as f64),
            );
            Finding::good(check, format!("first piece after {}, then {rate} tokens a second", first_piece(&answer)))
        }
    }
}

/// Completing code at a cursor.
pub async fn fill(subject: &Subject<'_>, profile: &mut Profile) -> Finding {
    let check = "fill";
    let route = match &subject.fim {
        Ok(route) => route,
        Err(why) => return Finding::weak(check, why.clone()),
    };
    let fill = Fill {
        model: route.model.clone(),
        prefix: "def add(a, b):\n    return ".to_owned(),
        suffix: "\n\n\nprint(add(1, 2))\n".to_owned(),
        max_tokens: 16,
        stop: Vec::new(),
    };
    profile.fill = Support::No;
    let cancel = CancellationToken::new();
    let asked = subject.gateway.fill(route, fill, &cancel);
    match tokio::time::timeout(PATIENCE, asked).await {
        Err(_) => Finding::weak(check, format!("{}: no answer", route.model)),
        Ok(Err(error)) => Finding { health: Health::Weak, ..Failure::from(error).finding(check) },
        Ok(Ok(filling)) if filling.text.trim().is_empty() => {
            Finding::weak(check, format!("{} filled in nothing", route.model))
        }
        Ok(Ok(filling)) => {
            profile.fill = Support::Yes;
            Finding::good(check, format!("{}: `{}`", route.model, clip_line(filling.text.trim(), 40)))
        }
    }
}

/// Vectors of two texts: their length and norm, and that different texts have different ones.
pub async fn embedding(subject: &Subject<'_>, profile: &mut Profile) -> Finding {
    let check = "embedding";
    let route = match &subject.embed {
        Ok(route) => route,
        Err(why) => return Finding::weak(check, why.clone()),
    };
    let texts = ["open a file", "close the window"].map(|text| format!("search_query: {text} {}", clock::new_id()));
    let cancel = CancellationToken::new();
    let asked = subject.gateway.embed(route, texts.to_vec(), &cancel);
    let vectors = match tokio::time::timeout(PATIENCE, asked).await {
        Err(_) => return Finding::weak(check, format!("{}: no answer", route.model)),
        Ok(Err(error)) => return Finding { health: Health::Weak, ..Failure::from(error).finding(check) },
        Ok(Ok(vectors)) => vectors,
    };
    let norm = |vector: &Vec<f32>| vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    let dimensions = vectors.first().map_or(0, Vec::len);
    profile.embedding_dimensions = Some(dimensions);
    if vectors.len() != 2 || vectors[0] == vectors[1] {
        return Finding::weak(check, format!("{}: two texts have the same vector", route.model));
    }
    let is_unit = vectors.iter().all(|vector| (norm(vector) - 1.0).abs() < NORM_TOLERANCE);
    let found = format!("{}: {dimensions} numbers, norm {:.2}", route.model, norm(&vectors[0]));
    if is_unit { Finding::good(check, found) } else { Finding::weak(check, found) }
}
