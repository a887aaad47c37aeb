//! What does it cost that requests are counted, and what is gained where an answer is kept?

use std::sync::Arc;
use std::time::Instant;

use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use mimi::base::clock::SystemClock;
use mimi::model::ask::Progress;
use mimi::model::cache::Cache;
use mimi::model::error::ModelError;
use mimi::model::gateway::Gateway;
use mimi::model::route::Route;
use mimi::model::{Calls, Finish, ModelInfo, Provider, Request, StreamEvent, ToolChoice};
use mimi::protocol::message::{Message, Usage};
use mimi::protocol::task::{Class, Task};
use mimi::protocol::usage::{RequestRecord, Stats};
use mimi::telemetry::ledger::{Ledger, Place};
use tokio_util::sync::CancellationToken;

use crate::{Measured, Unit, spread};

const N_RECORDS: usize = 200;
const N_LOOKUPS: usize = 200;
/// Entries that are there already, and numbers in a vector of usual length.
const N_ENTRIES: usize = 2000;
const N_NUMBERS: usize = 768;
/// Texts asked for at once.
const N_BATCH: usize = 100;

/// Measures how long a turn is held up by keeping what its request took; beside it the time until it is in the file.
pub fn record() -> Result<Measured, String> {
    let root = tempfile::tempdir().map_err(|error| error.to_string())?;
    let place = Place { path: root.path().join("usage.db"), project: "/work".to_owned(), keep_days: 0 };
    let ledger = Ledger::new(place);
    ledger.prepare();
    ledger.flush();
    let (mut held, mut written) = (Vec::new(), Vec::new());
    for _ in 0..N_RECORDS {
        let record = a_record();
        let started = Instant::now();
        ledger.record(record);
        held.push(started.elapsed().as_secs_f64() * 1000.0);
        ledger.flush();
        written.push(started.elapsed().as_secs_f64() * 1000.0);
    }
    if let Some(trouble) = ledger.trouble() {
        return Err(trouble);
    }
    let written = spread(written, Unit::Milliseconds)?;
    let own = spread(held, Unit::Milliseconds)?;
    Ok(Measured { detail: format!("{}; in the file after {:.2} ms", own.detail, written.value), value: own.value })
}

fn a_record() -> RequestRecord {
    RequestRecord {
        at_ms: 1_767_268_800_000,
        provider: "dgx".to_owned(),
        model: "qwen3-coder:30b".to_owned(),
        task: Task::Chat,
        class: Class::Interactive,
        usage: Usage { input_tokens: 30_000, output_tokens: 500, cached_tokens: 29_000 },
        stats: Stats { first_token_ms: Some(400), total_ms: 5000, decode_ms: Some(4600), ..Stats::default() },
        is_answered: true,
    }
}

/// Answers at once, and counts.
struct Instantly;

impl Provider for Instantly {
    fn stream(&self, _request: Request, _cancel: CancellationToken) -> BoxStream<'static, StreamEvent> {
        let events = [StreamEvent::Text("a title".to_owned()), StreamEvent::Finish(Finish::Stop)];
        futures_util::stream::iter(events).boxed()
    }

    fn models(&self) -> BoxFuture<'_, Result<Vec<ModelInfo>, ModelError>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn embed(&self, _model: String, texts: Vec<String>) -> BoxFuture<'_, Result<Vec<Vec<f32>>, ModelError>> {
        Box::pin(async move { Ok(texts.iter().map(|_| vec![0.5; N_NUMBERS]).collect()) })
    }
}

/// Measures finding a kept answer among others.
pub fn words() -> Result<Measured, String> {
    with_cache(async |gateway, route| {
        for n in 0..N_ENTRIES / 10 {
            ask(gateway, route, n).await?;
        }
        let mut samples = Vec::new();
        for n in 0..N_LOOKUPS {
            let started = Instant::now();
            ask(gateway, route, n % (N_ENTRIES / 10)).await?;
            samples.push(started.elapsed().as_secs_f64() * 1000.0);
        }
        spread(samples, Unit::Milliseconds)
    })
}

async fn ask(gateway: &Gateway, route: &Route, n: usize) -> Result<(), String> {
    let request = Request {
        model: route.model.clone(),
        tools: Vec::new().into(),
        messages: vec![Message::user(format!("name session {n}"))].into(),
        max_tokens: 20,
        temperature: Some(0.0),
        answer_schema: None,
        delivery: mimi::model::Delivery::Streamed,
        tool_choice: ToolChoice::Auto,
        calls: Calls::Many,
        task: Task::Title,
        class: Class::Background,
    };
    match gateway.stream(route, request, CancellationToken::new()).collect::<Vec<_>>().await.last() {
        Some(Progress::Done(_)) => Ok(()),
        other => Err(format!("{other:?}")),
    }
}

/// Measures finding the kept vectors of a batch of texts.
pub fn vectors() -> Result<Measured, String> {
    with_cache(async |gateway, route| {
        let texts = |from: usize| (from..from + N_BATCH).map(|n| format!("text {n}")).collect::<Vec<_>>();
        let cancel = CancellationToken::new();
        let mut made = Vec::new();
        for from in (0..N_ENTRIES).step_by(N_BATCH) {
            let started = Instant::now();
            gateway.embed(route, texts(from), &cancel).await.map_err(|error| error.to_string())?;
            made.push(started.elapsed().as_secs_f64() * 1000.0);
        }
        let mut samples = Vec::new();
        for n in 0..N_LOOKUPS {
            let from = n * N_BATCH % N_ENTRIES;
            let started = Instant::now();
            gateway.embed(route, texts(from), &cancel).await.map_err(|error| error.to_string())?;
            samples.push(started.elapsed().as_secs_f64() * 1000.0);
        }
        let (made, own) = (spread(made, Unit::Milliseconds)?, spread(samples, Unit::Milliseconds)?);
        Ok(Measured { detail: format!("{}; kept in {:.2} ms", own.detail, made.value), value: own.value })
    })
}

fn with_cache(measure: impl AsyncFnOnce(&Gateway, &Route) -> Result<Measured, String>) -> Result<Measured, String> {
    let root = tempfile::tempdir().map_err(|error| error.to_string())?;
    let cache = Arc::new(Cache::new(root.path().to_path_buf(), 100_000_000, Arc::new(SystemClock)));
    let gateway = Gateway::with_provider("bench", Arc::new(Instantly)).with_cache(cache);
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string())?;
    runtime.block_on(async {
        let route = gateway.resolve(Task::Title, None).await.map_err(|error| error.to_string())?;
        let measured = measure(&gateway, &route).await?;
        match gateway.trouble().pop() {
            Some(trouble) => Err(trouble),
            None => Ok(measured),
        }
    })
}
