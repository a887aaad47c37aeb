//! How busy is the server right now, without being a burden to it?
//!
//! At most one question every two seconds in the whole process, however many requests wait: a hundred clients that all
//! look would be load themselves. A server that does not let us look is not asked again and nothing is said about it.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;
use tokio::time::{Duration, Instant};

use crate::model::metrics::{self, Sample};
use crate::model::probe::fetch::{Asker, Reply};
use crate::model::providers::http::{Endpoint, Http};
use crate::protocol::server::{Load, ServerKind};

/// Time between two questions of this process, whichever servers they go to.
pub const EVERY: Duration = Duration::from_secs(2);

/// Time between two readings of a counter that show a speed.
const BETWEEN: Duration = Duration::from_millis(400);

/// One server that may be looked at.
#[derive(Clone)]
pub struct Site {
    /// The client.
    pub http: Http,
    /// Its address.
    pub endpoint: Endpoint,
    /// What it is.
    pub kind: ServerKind,
    /// Where its numbers are when not below its root.
    pub metrics_url: String,
}

impl Site {
    /// Says whether this kind of server shows anything.
    pub fn can_be_seen(&self) -> bool {
        self.kind == ServerKind::Ollama || path(self).is_some()
    }
}

/// What was seen.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Glance {
    /// How busy the server is.
    pub load: Load,
    /// The models in memory with their windows, where the server tells (Ollama).
    pub loaded: Option<Vec<Loaded>>,
}

/// A model in a server's memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    /// Its name.
    pub id: String,
    /// Tokens it was given.
    pub window_tokens: Option<u64>,
}

impl Glance {
    /// Finds a model in memory; none when it is not there or the server does not tell.
    pub fn find(&self, model: &str) -> Option<&Loaded> {
        let bare = |id: &str| id.strip_suffix(":latest").unwrap_or(id).to_owned();
        self.loaded.iter().flatten().find(|loaded| bare(&loaded.id) == bare(model))
    }
}

#[derive(Default)]
struct State {
    next: Option<Instant>,
    seen: HashMap<String, Seen>,
}

#[derive(Default, Clone)]
struct Seen {
    glance: Option<Glance>,
    is_closed: bool,
    written: Option<(Instant, f64)>,
}

/// Looks at servers, at most once every [`EVERY`].
#[derive(Default)]
pub struct Watch {
    state: Mutex<State>,
}

impl Watch {
    /// Looks, or returns what was seen last when somebody looked a moment ago. `None` when nothing is known.
    pub async fn look(&self, site: &Site) -> Option<Glance> {
        let url = &site.endpoint.url;
        {
            let mut state = self.lock();
            let seen = state.seen.entry(url.clone()).or_default().clone();
            let now = Instant::now();
            if seen.is_closed || state.next.is_some_and(|next| now < next) {
                return seen.glance;
            }
            state.next = Some(now + EVERY);
        }
        let looked = ask(site).await;
        self.keep(url, looked)
    }

    /// Looks whenever somebody looked last; for what is asked once, not while waiting.
    pub async fn look_now(&self, site: &Site) -> Option<Glance> {
        let looked = ask(site).await;
        self.keep(&site.endpoint.url, looked)
    }

    /// Looks for somebody who asks how the server is, and a second time where its speed shows only in what changes.
    pub async fn measure(&self, site: &Site, until: Instant) -> Load {
        let look = || async { tokio::time::timeout_at(until, self.look_now(site)).await.ok().flatten() };
        let Some(Glance { load, .. }) = look().await else { return Load::default() };
        let is_working = load.running.is_some_and(|running| running > 0);
        let counts = self.lock().seen.get(&site.endpoint.url).is_some_and(|seen| seen.written.is_some());
        if load.tokens_per_s.is_some() || !is_working || !counts || Instant::now() + BETWEEN >= until {
            return load;
        }
        tokio::time::sleep(BETWEEN).await;
        look().await.map_or(load, |glance| glance.load)
    }

    /// Says whether a server does not let us look.
    pub fn is_closed(&self, url: &str) -> bool {
        self.lock().seen.get(url).is_some_and(|seen| seen.is_closed)
    }

    fn keep(&self, url: &str, looked: Looked) -> Option<Glance> {
        let mut state = self.lock();
        let seen = state.seen.entry(url.to_owned()).or_default();
        match looked {
            Looked::Closed => (seen.is_closed, seen.glance) = (true, None),
            Looked::Nothing => seen.glance = None,
            Looked::Loaded(loaded) => seen.glance = Some(Glance { load: Load::default(), loaded: Some(loaded) }),
            Looked::Sample(sample) => {
                let now = Instant::now();
                let load = with_speed(&sample, seen.written, now);
                seen.written = sample.written.map(|written| (now, written));
                seen.glance = Some(Glance { load, loaded: None });
            }
        }
        seen.glance.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What came of looking.
enum Looked {
    Sample(Sample),
    Loaded(Vec<Loaded>),
    /// No answer this time.
    Nothing,
    /// Not allowed, or not there.
    Closed,
}

async fn ask(site: &Site) -> Looked {
    let asker = Asker::new(&site.http, &site.endpoint);
    if site.kind == ServerKind::Ollama {
        return loaded(&asker.get("/api/ps").await);
    }
    let Some(path) = path(site) else { return Looked::Closed };
    let reply = asker.get(&path).await;
    match numbers(site.kind, &reply) {
        // vLLM's count of what its front end holds needs no permission of its own.
        Looked::Closed if site.kind == ServerKind::Vllm => held(&asker.get("/load").await),
        looked => looked,
    }
}

/// Returns where a server publishes its numbers; none when it does not, or on a port that nobody named.
fn path(site: &Site) -> Option<String> {
    if !site.metrics_url.is_empty() {
        return Some(site.metrics_url.clone());
    }
    match site.kind {
        ServerKind::Vllm | ServerKind::Sglang | ServerKind::LlamaCpp => Some("/metrics".to_owned()),
        ServerKind::Nim => Some("/v1/metrics".to_owned()),
        _ => None,
    }
}

fn numbers(kind: ServerKind, reply: &Reply) -> Looked {
    match reply.status {
        200 => Looked::Sample(metrics::read(kind, &reply.text)),
        status if is_refusal(status) => Looked::Closed,
        _ => Looked::Nothing,
    }
}

fn held(reply: &Reply) -> Looked {
    match reply.json.get("server_load").and_then(Value::as_u64) {
        Some(held) => {
            Looked::Sample(Sample { load: Load { running: Some(held), ..Load::default() }, ..Sample::default() })
        }
        None if is_refusal(reply.status) || reply.is_success() => Looked::Closed,
        None => Looked::Nothing,
    }
}

fn is_refusal(status: u16) -> bool {
    matches!(status, 300..=399 | 401 | 403 | 404 | 405 | 410 | 501)
}

fn loaded(reply: &Reply) -> Looked {
    match reply.json.get("models").and_then(Value::as_array) {
        Some(rows) => Looked::Loaded(rows.iter().filter_map(loaded_model).collect()),
        None if is_refusal(reply.status) => Looked::Closed,
        None => Looked::Nothing,
    }
}

fn loaded_model(row: &Value) -> Option<Loaded> {
    let id = ["model", "name"].iter().find_map(|key| row.get(*key)?.as_str())?.to_owned();
    let window_tokens = row.get("context_length").and_then(Value::as_u64).filter(|tokens| *tokens > 0);
    Some(Loaded { id, window_tokens })
}

/// Completes the speed from two readings of the counter of tokens, where the server does not publish it.
fn with_speed(sample: &Sample, before: Option<(Instant, f64)>, now: Instant) -> Load {
    let speed = before.zip(sample.written).and_then(|((at, before), written)| {
        let seconds = now.duration_since(at).as_secs_f64();
        (seconds > 0.0 && written > before).then(|| (written - before) / seconds)
    });
    Load { tokens_per_s: sample.load.tokens_per_s.or(speed), ..sample.load }
}
