//! While a server lets a request wait: is the user told why, and is the server spared?

use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use futures_util::StreamExt as _;
use mimi::model::ask::Progress;
use mimi::model::providers::http::Endpoint;
use mimi::model::watch::{EVERY, Site, Watch};
use mimi::protocol::server::ServerKind;
use mimi::protocol::task::Task;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::{LIMITS, ask, gateway_at, http_to, outcome, request, row};
use crate::support::wire::{Out, WireServer};

const ANSWER: &str =
    "data: {\"choices\":[{\"delta\":{\"content\":\"hi\"},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";

/// A vLLM whose answers wait until its metrics were read so many times.
fn busy_vllm(queue: &'static [u64], metrics_status: u16) -> WireServer {
    let (n_reads, was_read) = (Mutex::new(0_usize), Condvar::new());
    WireServer::serve(move |request, out| match request.path.as_str() {
        "/v1/models" => json(out, &json!({"data": [{"id": "script", "owned_by": "vllm", "max_model_len": 32768}]})),
        "/version" => json(out, &json!({"version": "0.33.0"})),
        "/metrics" if metrics_status == 200 => {
            let mut n_reads = n_reads.lock().unwrap();
            let waiting = queue.get(*n_reads).copied().unwrap_or_default();
            *n_reads += 1;
            was_read.notify_all();
            let text = format!("vllm:num_requests_running 70\nvllm:num_requests_waiting{{engine=\"0\"}} {waiting}\n");
            out.whole(200, "text/plain", text.as_bytes());
        }
        "/metrics" | "/load" => out.whole(metrics_status, "text/plain", b"no"),
        "/v1/chat/completions" => {
            out.begin_events();
            drop(was_read.wait_while(n_reads.lock().unwrap(), |n_reads| *n_reads < queue.len()).unwrap());
            out.chunk(ANSWER.as_bytes());
            out.end();
        }
        _ => out.whole(404, "application/json", b"{}"),
    })
}

fn json(out: &mut Out, body: &Value) {
    out.whole(200, "application/json", body.to_string().as_bytes());
}

/// How often a path was asked for.
fn n_asked(server: &WireServer, path: &str) -> usize {
    server.everything().iter().filter(|request| request.path == path).count()
}

#[tokio::test]
async fn a_request_in_the_queue_of_a_busy_server_is_told_its_place() {
    let server = busy_vllm(&[13, 0], 200);
    let gateway = gateway_at(&server.url(), LIMITS);
    let route = gateway.resolve(Task::Chat, None).await.unwrap();
    let progress = ask(&gateway, &route, request("hi")).await;
    let waits = progress
        .iter()
        .filter_map(|piece| if let Progress::Waiting(wait) = piece { Some(wait.to_string()) } else { None });
    let waits: Vec<String> = waits.collect();
    assert_eq!(waits[0], "queued, 12 ahead");
    assert_eq!(outcome(&progress).unwrap().text, "hi");
    assert_eq!(n_asked(&server, "/metrics"), 2);
}

#[tokio::test]
async fn a_server_that_forbids_its_metrics_is_asked_once_and_nothing_is_said_about_it() {
    for status in [401, 403, 404, 501] {
        let server = busy_vllm(&[], status);
        let http = http_to(&server.url());
        let endpoint = Endpoint::new("x", &row(&server.url()), None).unwrap();
        let site = Site { http, endpoint, kind: ServerKind::Vllm, metrics_url: String::new() };
        let watch = Watch::default();
        assert_eq!(watch.look(&site).await, None, "{status}");
        after(EVERY).await;
        assert_eq!(watch.look(&site).await, None, "{status}");
        assert_eq!(n_asked(&server, "/metrics"), 1, "{status}");
        assert!(watch.is_closed(&site.endpoint.url), "{status}");
    }
}

/// Lets the clock of this test run ahead.
async fn after(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

#[tokio::test]
async fn a_process_looks_once_in_two_seconds_whatever_waits_and_wherever() {
    let servers = [busy_vllm(&[4, 3], 200), busy_vllm(&[9], 200)];
    let watch = Watch::default();
    let site = |server: &WireServer| {
        let endpoint = Endpoint::new("x", &row(&server.url()), None).unwrap();
        Site { http: http_to(&server.url()), endpoint, kind: ServerKind::Vllm, metrics_url: String::new() }
    };
    let waiting = async |server: &WireServer| watch.look(&site(server)).await.and_then(|glance| glance.load.waiting);
    assert_eq!(waiting(&servers[0]).await, Some(4));
    for _ in 0..100 {
        assert_eq!(waiting(&servers[0]).await, Some(4), "what was seen a moment ago");
        assert_eq!(waiting(&servers[1]).await, None, "nothing was seen of this one");
    }
    after(EVERY).await;
    assert_eq!(waiting(&servers[0]).await, Some(3));
    assert_eq!((n_asked(&servers[0], "/metrics"), n_asked(&servers[1], "/metrics")), (2, 0));
}

#[tokio::test]
async fn an_answer_that_begins_at_once_costs_no_look() {
    let server = busy_vllm(&[], 200);
    let gateway = gateway_at(&server.url(), LIMITS);
    let route = gateway.resolve(Task::Chat, None).await.unwrap();
    outcome(&ask(&gateway, &route, request("hi")).await).unwrap();
    assert_eq!(n_asked(&server, "/metrics"), 0);
}

/// An Ollama with these models in memory, which answers over the common wire and its own.
fn ollama(loaded: &Arc<Mutex<Value>>) -> WireServer {
    let loaded = loaded.clone();
    WireServer::serve(move |request, out| match request.path.as_str() {
        "/api/version" => json(out, &json!({"version": "0.13.2"})),
        "/v1/models" => json(out, &json!({"data": [{"id": "script", "owned_by": "library"}]})),
        "/api/tags" => json(out, &json!({"models": [{"model": "script"}, {"model": "other:7b"}]})),
        "/api/show" => json(out, &json!({"capabilities": ["completion", "tools"]})),
        "/api/ps" => json(out, &json!({"models": *loaded.lock().unwrap()})),
        "/v1/chat/completions" => {
            *loaded.lock().unwrap() = json!([{"model": "script", "context_length": 8192}]);
            out.begin_events();
            out.chunk(ANSWER.as_bytes());
            out.end();
        }
        "/api/chat" => {
            *loaded.lock().unwrap() = json!([{"model": "script", "context_length": 8192}]);
            let line = json!({"model": "script", "message": {"role": "assistant", "content": "hi"}, "done": true, "done_reason": "stop"});
            out.whole(200, "application/x-ndjson", format!("{line}\n").as_bytes());
        }
        _ => out.whole(404, "application/json", b"{}"),
    })
}

#[tokio::test]
async fn pushing_another_model_out_is_warned_about_once_and_before_it_happens() {
    let loaded = Arc::new(Mutex::new(json!([{"model": "other:7b", "context_length": 4096}])));
    let server = ollama(&loaded);
    let gateway = gateway_at(&server.url(), LIMITS);
    let route = gateway.resolve(Task::Chat, None).await.unwrap();
    let progress = ask(&gateway, &route, request("hi")).await;
    let Some(Progress::Note { text }) = progress.first() else { panic!("{progress:?}") };
    assert!(text.contains("asking `script`") && text.contains("may unload `other:7b`"), "{text}");
    let again = ask(&gateway, &route, request("hi")).await;
    assert!(!again.iter().any(|piece| matches!(piece, Progress::Note { .. })), "{again:?}");
}

#[tokio::test]
async fn the_window_of_a_model_that_was_not_in_memory_is_learned_with_its_first_answer() {
    let loaded = Arc::new(Mutex::new(json!([])));
    let server = ollama(&loaded);
    let gateway = gateway_at(&server.url(), LIMITS);
    let route = gateway.resolve(Task::Chat, None).await.unwrap();
    assert_eq!(route.window_tokens, 32_768, "a guess, for nothing is in memory");
    let mut windows = Vec::new();
    for _ in 0..2 {
        let mut stream = gateway.stream(&route, request("hi"), CancellationToken::new());
        while let Some(piece) = stream.next().await {
            assert!(!matches!(piece, Progress::Note { .. } | Progress::Failed(_)), "{piece:?}");
            windows.extend(if let Progress::Window { tokens } = piece { Some(tokens) } else { None });
        }
    }
    assert_eq!(windows, [8192]);
}
