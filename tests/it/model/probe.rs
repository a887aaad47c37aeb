//! Does mimi know what it talks to, without asking more than it must and without ever failing for it?

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use mimi::base::clock::Clock;
use mimi::model::gateway::Gateway;
use mimi::model::probe::book::{Book, CHECK_AFTER, MAX_AGE};
use mimi::model::probe::survey::Survey;
use mimi::model::providers::egress::Dial;
use mimi::model::providers::http::{Endpoint, Http};
use mimi::protocol::server::{ServerFacts, ServerKind};
use mimi::protocol::task::Task;
use serde_json::{Value, json};

use super::{LIMITS, config, gateway_at, row};
use crate::support::wire::{Out, Received, WireServer};

/// What a server answers, by path.
type Paths = Vec<(&'static str, Value)>;

fn serve(paths: &Arc<Mutex<Paths>>) -> WireServer {
    let paths = paths.clone();
    WireServer::serve(move |request, out| answer(&paths.lock().unwrap(), request, out))
}

fn answer(paths: &Paths, request: &Received, out: &mut Out) {
    match paths.first() {
        Some(("", what)) if what == "closed" => return,
        Some(("", _)) => return out.whole(502, "text/html", b"<html><title>502 Bad Gateway</title>"),
        _ => {}
    }
    match paths.iter().find(|(path, _)| *path == request.path) {
        Some((_, body)) => out.whole(200, "application/json", body.to_string().as_bytes()),
        None => out.whole(404, "application/json", b"{\"detail\": \"Not Found\"}"),
    }
}

fn fixed(paths: Paths) -> WireServer {
    serve(&Arc::new(Mutex::new(paths)))
}

fn vllm(version: &str, window: u64) -> Paths {
    vec![
        ("/v1/models", json!({"data": [{"id": "m", "owned_by": "vllm", "max_model_len": window}]})),
        ("/version", json!({"version": version})),
    ]
}

fn ollama() -> Paths {
    vec![
        ("/api/version", json!({"version": "0.13.2"})),
        ("/v1/models", json!({"data": [{"id": "m", "owned_by": "library"}]})),
        ("/api/tags", json!({"models": [{"name": "m", "model": "m"}]})),
        ("/api/show", json!({"capabilities": ["completion", "tools"]})),
        ("/api/ps", json!({"models": [{"name": "m", "model": "m", "context_length": 16384}]})),
    ]
}

/// A clock that stands still until it is moved.
#[derive(Default)]
struct Hand(AtomicUsize);

impl Hand {
    fn pass(&self, time: std::time::Duration) {
        self.0.fetch_add(time.as_millis() as usize, Ordering::SeqCst);
    }
}

impl Clock for Hand {
    fn now_ms(&self) -> u64 {
        self.0.load(Ordering::SeqCst) as u64
    }
}

/// A survey with a clock of its own, and the server it asks.
struct Case {
    survey: Survey,
    clock: Arc<Hand>,
    paths: Arc<Mutex<Paths>>,
    server: WireServer,
    http: Http,
}

impl Case {
    fn new(paths: Paths) -> Self {
        let paths = Arc::new(Mutex::new(paths));
        let clock = Arc::new(Hand::default());
        let survey = Survey::new(Book::in_memory(), clock.clone());
        let (server, http) = (serve(&paths), Http::new(LIMITS).unwrap());
        http.open(Dial::of(&server.url(), ""));
        Self { survey, clock, server, paths, http }
    }

    fn becomes(&self, paths: Paths) {
        *self.paths.lock().unwrap() = paths;
    }

    async fn facts(&self) -> Option<ServerFacts> {
        let endpoint = Endpoint::new("x", &row(&self.server.url()), None).unwrap();
        self.survey.facts(&self.http, &endpoint).await.map(|known| known.facts)
    }

    fn n_asked(&self) -> usize {
        self.server.everything().len()
    }
}

#[tokio::test]
async fn a_server_is_asked_once_and_then_only_whether_it_is_still_the_same() {
    let case = Case::new(vllm("0.33.0", 32_768));
    let first = case.facts().await.unwrap();
    assert_eq!((first.kind, first.version.as_deref()), (ServerKind::Vllm, Some("0.33.0")));
    let n_probe = case.n_asked();
    assert_eq!(case.facts().await.unwrap(), first);
    assert_eq!(case.n_asked(), n_probe, "nothing is asked within a minute");
    case.clock.pass(CHECK_AFTER);
    assert_eq!(case.facts().await.unwrap(), first);
    assert_eq!(case.n_asked(), n_probe + 1, "one question tells that it is the same");
    case.clock.pass(MAX_AGE);
    case.facts().await.unwrap();
    assert_eq!(case.n_asked(), n_probe + 1 + n_probe, "after a day all is asked again");
}

#[tokio::test]
async fn a_server_that_becomes_another_is_noticed() {
    let case = Case::new(vllm("0.33.0", 32_768));
    case.facts().await.unwrap();
    case.survey.learn_window(&case.server.url(), "m", 9000);
    for (paths, kind, version) in
        [(vllm("0.34.0", 65_536), ServerKind::Vllm, "0.34.0"), (ollama(), ServerKind::Ollama, "0.13.2")]
    {
        case.becomes(paths);
        case.clock.pass(CHECK_AFTER);
        let facts = case.facts().await.unwrap();
        assert_eq!((facts.kind, facts.version.as_deref()), (kind, Some(version)));
        let entry = case.survey.remembered(&case.server.url()).unwrap();
        assert!(entry.learned.is_empty(), "what was learned of the old one is void");
    }
    let window = case.facts().await.unwrap().models[0].window_tokens;
    assert_eq!(window, Some(16_384), "what Ollama allocated");
}

#[tokio::test]
async fn ollama_is_asked_again_what_is_in_memory() {
    let case = Case::new(ollama());
    case.facts().await.unwrap();
    let mut paths = ollama();
    paths.last_mut().unwrap().1 = json!({"models": []});
    case.becomes(paths);
    case.clock.pass(CHECK_AFTER);
    assert_eq!(case.facts().await.unwrap().models[0].is_loaded, Some(false));
}

#[tokio::test]
async fn a_server_that_does_not_answer_keeps_its_facts_and_nobody_is_nothing() {
    let case = Case::new(vllm("0.33.0", 32_768));
    let facts = case.facts().await.unwrap();
    // An answer that cannot be one: the connection closes without a word, as of a server that goes down, or a proxy says
    // that nobody is behind it.
    for paths in [vec![("", json!("closed"))], vec![("", json!("bad gateway"))]] {
        case.becomes(paths);
        for wait in [CHECK_AFTER, MAX_AGE] {
            case.clock.pass(wait);
            assert_eq!(case.facts().await.as_ref(), Some(&facts));
        }
    }
    let nobody = Case::new(vec![("", json!("closed"))]);
    assert_eq!(nobody.facts().await, None);
    let web_page = Case::new(Vec::new());
    assert_eq!(web_page.facts().await, None);
}

#[tokio::test]
async fn the_window_that_counts_is_the_served_one() {
    let table = [
        (vllm("0.33.0", 32_768), 32_768),
        (ollama(), 16_384),
        (
            vec![
                (
                    "/v1/models",
                    json!({"data": [{"id": "m", "owned_by": "llamacpp", "meta": {"n_ctx": 8192, "n_ctx_train": 262_144}}]}),
                ),
                ("/props", json!({"total_slots": 4, "default_generation_settings": {"n_ctx": 8192}})),
            ],
            8192,
        ),
    ];
    for (paths, expected) in table {
        let server = fixed(paths);
        let gateway = gateway_at(&server.url(), LIMITS);
        let route = gateway.resolve(Task::Chat, Some("m")).await.unwrap();
        assert_eq!(route.window_tokens, expected);
        gateway.learn_window(&route, 5000);
        assert_eq!(gateway.resolve(Task::Chat, Some("m")).await.unwrap().window_tokens, 5000, "learned from a refusal");
    }
}

#[tokio::test]
async fn a_model_ollama_has_not_loaded_is_not_counted_on_with_what_it_was_trained_for() {
    let mut paths = ollama();
    for (path, body) in &mut paths {
        let text = body.to_string().replace("\"m\"", "\"qwen3-coder:30b\"");
        *body = if *path == "/api/ps" { json!({"models": []}) } else { serde_json::from_str(&text).unwrap() };
    }
    let server = fixed(paths);
    let route = gateway_at(&server.url(), LIMITS).resolve(Task::Chat, None).await.unwrap();
    assert_eq!((route.model.as_str(), route.window_tokens), ("qwen3-coder:30b", 32_768));
    assert_eq!(route.server.kind, ServerKind::Ollama);
}

#[tokio::test]
async fn what_was_found_serves_the_next_process_and_no_more_than_the_list_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let server = fixed(vllm("0.33.0", 32_768));
    let gateway = || {
        let file = folder.path().join("servers.json");
        Gateway::remembering(config(&server.url()), Box::new(|_, _| None), Http::new(LIMITS).unwrap(), file)
    };
    let route = gateway().resolve(Task::Chat, Some("m")).await.unwrap();
    let n_first = server.everything().len();
    let again = gateway().resolve(Task::Chat, Some("m")).await.unwrap();
    assert_eq!(again, route);
    let asked: Vec<String> = server.everything()[n_first..].iter().map(|request| request.path.clone()).collect();
    assert_eq!(asked, ["/v1/models"]);
}

#[tokio::test]
async fn another_list_of_models_than_remembered_is_looked_into_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let paths = Arc::new(Mutex::new(vllm("0.33.0", 32_768)));
    let server = serve(&paths);
    let gateway = || {
        let file = folder.path().join("servers.json");
        Gateway::remembering(config(&server.url()), Box::new(|_, _| None), Http::new(LIMITS).unwrap(), file)
    };
    assert_eq!(gateway().resolve(Task::Chat, None).await.unwrap().server.kind, ServerKind::Vllm);
    *paths.lock().unwrap() = vec![
        ("/v1/models", json!({"data": [{"id": "other", "owned_by": "llamacpp"}]})),
        ("/props", json!({"total_slots": 1, "default_generation_settings": {"n_ctx": 4096}})),
    ];
    let route = gateway().resolve(Task::Chat, None).await.unwrap();
    assert_eq!((route.server.kind, route.window_tokens, route.model.as_str()), (ServerKind::LlamaCpp, 4096, "other"));
}
