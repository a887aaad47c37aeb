//! How busy is a server, by the numbers it publishes?
//!
//! Reads the text format of Prometheus, as far as these servers use it: a name, labels that are added up, a value. The
//! table holds each server's names. Pure; what cannot be read leaves the fact unknown.
//! To add a server: a row in [`TABLE`].

use std::collections::BTreeMap;

use crate::protocol::server::{Load, ServerKind};

/// Under which names a kind of server publishes what. Of several names the first that is there counts.
#[derive(Debug, Clone, Copy)]
pub struct Names {
    /// Who.
    pub kind: ServerKind,
    /// Requests it works on.
    pub running: &'static [&'static str],
    /// Requests that wait.
    pub waiting: &'static [&'static str],
    /// Part of the KV cache in use, 0 to 1.
    pub kv_used: &'static [&'static str],
    /// Part of the prompts found in the cache: 0 to 1 as it is, or two counters.
    pub cache: &'static [Share],
    /// Tokens written a second, over all requests.
    pub speed: &'static [&'static str],
    /// Counts all tokens ever written; two readings give the speed.
    pub written: &'static [&'static str],
}

/// How the share of the prefix cache is published.
#[derive(Debug, Clone, Copy)]
pub enum Share {
    /// As a number from 0 to 1.
    Ready(&'static str),
    /// Tokens found, and all tokens asked for.
    OfAll(&'static str, &'static str),
    /// Tokens found, and the tokens that were not.
    OfRest(&'static str, &'static str),
}

/// vLLM's names; NIM shows them, too.
const VLLM: Names = Names {
    kind: ServerKind::Vllm,
    running: &["vllm:num_requests_running"],
    waiting: &["vllm:num_requests_waiting"],
    kv_used: &["vllm:kv_cache_usage_perc", "vllm:gpu_cache_usage_perc"],
    cache: &[
        Share::OfAll("vllm:prefix_cache_hits_total", "vllm:prefix_cache_queries_total"),
        Share::OfAll("vllm:prompt_tokens_cached_total", "vllm:prompt_tokens_total"),
        Share::OfAll("vllm:gpu_prefix_cache_hits_total", "vllm:gpu_prefix_cache_queries_total"),
    ],
    speed: &[],
    written: &["vllm:generation_tokens_total"],
};

/// Every server that publishes numbers.
pub const TABLE: [Names; 5] = [
    VLLM,
    Names { kind: ServerKind::Nim, ..VLLM },
    Names {
        kind: ServerKind::Sglang,
        running: &["sglang:num_running_reqs"],
        waiting: &["sglang:num_queue_reqs"],
        kv_used: &["sglang:token_usage"],
        cache: &[Share::Ready("sglang:cache_hit_rate")],
        speed: &["sglang:gen_throughput"],
        written: &["sglang:generation_tokens_total"],
    },
    Names {
        kind: ServerKind::LlamaCpp,
        running: &["llamacpp:requests_processing"],
        waiting: &["llamacpp:requests_deferred"],
        kv_used: &["llamacpp:kv_cache_usage_ratio"],
        // Its count of prompt tokens leaves out what came from the cache.
        cache: &[Share::OfRest("llamacpp:prompt_tokens_cached_total", "llamacpp:prompt_tokens_total")],
        speed: &["llamacpp:predicted_tokens_seconds"],
        written: &["llamacpp:tokens_predicted_total"],
    },
    Names {
        kind: ServerKind::Triton,
        running: &[],
        waiting: &["nv_inference_pending_request_count"],
        kv_used: &[],
        cache: &[],
        speed: &[],
        written: &[],
    },
];

/// What was read at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Sample {
    /// How busy it is.
    pub load: Load,
    /// All tokens it ever wrote.
    pub written: Option<f64>,
}

/// Reads what a kind of server published.
pub fn read(kind: ServerKind, text: &str) -> Sample {
    let Some(names) = TABLE.iter().find(|names| names.kind == kind) else { return Sample::default() };
    let values = values(text);
    let first = |names: &[&str]| names.iter().find_map(|name| values.get(name).map(|value| value.sum));
    let count = |names: &[&str]| first(names).filter(|value| *value >= 0.0).map(|value| value as u64);
    // Of several engines the fullest is the one that counts.
    let fullest = |names: &[&str]| names.iter().find_map(|name| values.get(name).map(|value| value.max));
    let load = Load {
        running: count(names.running),
        waiting: count(names.waiting),
        kv_used: fullest(names.kv_used).and_then(share),
        cache_hits: names.cache.iter().find_map(|name| name.read(&values)),
        tokens_per_s: first(names.speed).filter(|speed| *speed > 0.0),
    };
    Sample { load, written: first(names.written) }
}

/// One name over all its labels.
#[derive(Debug, Clone, Copy)]
struct Value {
    sum: f64,
    max: f64,
}

fn values(text: &str) -> BTreeMap<&str, Value> {
    let mut values = BTreeMap::new();
    for (name, number) in text.lines().filter_map(line) {
        let value = values.entry(name).or_insert(Value { sum: 0.0, max: f64::NEG_INFINITY });
        value.sum += number;
        value.max = value.max.max(number);
    }
    values
}

/// Reads `name{labels} value [time]`. A label's value may hold anything, so the labels end at the last brace.
fn line(line: &str) -> Option<(&str, f64)> {
    let line = line.trim();
    let name_end = line.find(['{', ' ', '\t'])?;
    let (name, rest) = line.split_at(name_end);
    let rest = if rest.starts_with('{') { &rest[rest.rfind('}')? + 1..] } else { rest };
    let number: f64 = rest.split_whitespace().next()?.parse().ok()?;
    (!name.is_empty() && !name.starts_with('#') && number.is_finite()).then_some((name, number))
}

impl Share {
    fn read(&self, values: &BTreeMap<&str, Value>) -> Option<f64> {
        let sum = |name: &str| values.get(name).map(|value| value.sum);
        match self {
            Self::Ready(name) => sum(name).and_then(share),
            Self::OfAll(found, all) => part(sum(found)?, sum(all)?),
            Self::OfRest(found, rest) => part(sum(found)?, sum(found)? + sum(rest)?),
        }
    }
}

fn part(found: f64, all: f64) -> Option<f64> {
    if all > 0.0 { share(found / all) } else { None }
}

fn share(value: f64) -> Option<f64> {
    (0.0..=1.0).contains(&value).then_some(value)
}

#[cfg(test)]
#[path = "metrics_tests.rs"]
mod tests;
