//! Does every kind of provider keep the same promises?
//!
//! Each sentence runs over all kinds that chat, or that give vectors, each faked as its server behaves; a kind that does
//! not chat or give vectors must say so. A kind without a stage fails to compile, one without a row fails
//! [`every_kind_is_on_stage`].

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::StreamExt as _;
use mimi::base::fault::Fault;
use mimi::config::schema::{ProviderConfig, ProviderKind};
use mimi::model::ask::Progress;
use mimi::model::error::ModelError;
use mimi::model::gateway::Gateway;
use mimi::model::providers;
use mimi::model::providers::http::Http;
use mimi::model::route::Route;
use mimi::model::{Answer, Request};
use mimi::protocol::task::Task;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::{LIMITS, ask, config, outcome, quick, request};
use crate::support::ollama::OllamaServer;
use crate::support::wire::{Out, Received, WireServer};

/// Every kind that answers, and every kind that gives vectors.
const CHATS: &[ProviderKind] = &[ProviderKind::Openai, ProviderKind::Ollama, ProviderKind::Script];
const EMBEDS: &[ProviderKind] = &[ProviderKind::Openai, ProviderKind::Ollama, ProviderKind::Triton];

/// The model that all of them play, by a name the emulated Ollama has.
const MODEL: &str = "qwen3-coder:30b";
const KEY: &str = "s3cret";

enum Faked {
    Wire(WireServer),
    Ollama(OllamaServer),
    File(tempfile::TempDir),
}

/// One kind of provider, faked, and a gateway that knows it as `faked`.
struct Stage {
    kind: ProviderKind,
    faked: Faked,
    gateway: Gateway,
}

impl Stage {
    fn new(kind: ProviderKind, faked: Faked) -> Self {
        let base_url = match &faked {
            Faked::Wire(server) if kind == ProviderKind::Openai => server.url(),
            Faked::Wire(server) => server.root_url(),
            Faked::Ollama(server) => server.url(),
            Faked::File(folder) => folder.path().join("script.yaml").display().to_string(),
        };
        let row = ProviderConfig {
            api_key_env: "FAKED_KEY".to_owned(),
            headers: BTreeMap::from([("x-team".to_owned(), "core".to_owned())]),
            ..ProviderConfig::new(kind, base_url)
        };
        let mut config = config("");
        config.providers.insert("faked".to_owned(), row);
        let keys = |name: &str, variable: &str| {
            assert_eq!((name, variable), ("faked", "FAKED_KEY"));
            Some(KEY.to_owned())
        };
        let gateway = Gateway::new(config, Box::new(keys), Http::new(LIMITS).unwrap()).with_retry(quick(2));
        Self { kind, faked, gateway }
    }

    /// Plays a script of turns.
    fn chatting(kind: ProviderKind, turns: &str) -> Self {
        let script = format!("{{model: '{MODEL}', turns: {turns}}}");
        let faked = match kind {
            ProviderKind::Openai => Faked::Wire(WireServer::script(&script).for_requests_by_hand()),
            ProviderKind::Ollama => Faked::Ollama(OllamaServer::playing(&script)),
            ProviderKind::Script => {
                let folder = tempfile::tempdir().unwrap();
                std::fs::write(folder.path().join("script.yaml"), script).unwrap();
                Faked::File(folder)
            }
            ProviderKind::Triton => panic!("it does not chat"),
        };
        Self::new(kind, faked)
    }

    /// Gives vectors as `embedder` says.
    fn embedding(kind: ProviderKind, embedder: impl Fn(&[String]) -> Vectors + Send + Sync + 'static) -> Self {
        let dialect = match kind {
            ProviderKind::Openai => openai,
            ProviderKind::Ollama => ollama,
            ProviderKind::Triton => triton,
            ProviderKind::Script => panic!("it gives no vectors"),
        };
        Self::new(kind, Faked::Wire(WireServer::serve(move |request, out| dialect(request, out, &embedder))))
    }

    fn wire(&self) -> Option<&WireServer> {
        match &self.faked {
            Faked::Wire(server) => Some(server),
            Faked::Ollama(server) => Some(&server.wire),
            Faked::File(_) => None,
        }
    }

    async fn route(&self) -> Route {
        self.gateway.resolve(Task::Chat, Some(&format!("faked/{MODEL}"))).await.unwrap()
    }

    fn request(&self) -> Request {
        Request { model: MODEL.to_owned(), ..request("hi") }
    }

    async fn progress(&self) -> Vec<Progress> {
        ask(&self.gateway, &self.route().await, self.request()).await
    }

    async fn answer(&self) -> Result<Answer, ModelError> {
        outcome(&self.progress().await)
    }

    async fn embed(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, ModelError> {
        self.gateway.embed(&self.route().await, texts.to_vec(), &CancellationToken::new()).await
    }
}

/// Runs the sentence on every kind that chats.
async fn each_chat(turns: &str, sentence: impl AsyncFn(&Stage)) {
    for kind in CHATS {
        let stage = Stage::chatting(*kind, turns);
        // Names the kind in the output of a test that fails.
        println!("{kind:?}");
        sentence(&stage).await;
    }
}

// What a server says to a list of texts: a vector each, or a refusal.
type Vectors = Result<Vec<Vec<f64>>, (u16, &'static str)>;

/// A vector that tells how long its text is.
fn vector(text: &str) -> Vec<f64> {
    vec![text.len() as f64, 1.0, -0.5]
}

fn vectors(texts: &[String]) -> Vectors {
    Ok(texts.iter().map(|text| vector(text)).collect())
}

fn texts(list: &Value) -> Vec<String> {
    list.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}

fn reply(out: &mut Out, value: &Value) {
    out.whole(200, "application/json", value.to_string().as_bytes());
}

fn refuse(out: &mut Out, status: u16, words: &str) {
    out.whole(status, "application/json", json!({"error": words}).to_string().as_bytes());
}

type Embedder = dyn Fn(&[String]) -> Vectors;

fn openai(request: &Received, out: &mut Out, embedder: &Embedder) {
    match request.path.as_str() {
        "/v1/models" => reply(out, &json!({"data": [{"id": MODEL}]})),
        "/v1/embeddings" => {
            let body: Value = serde_json::from_slice(&request.body).unwrap();
            match embedder(&texts(&body["input"])) {
                Ok(vectors) => {
                    let row = |(index, vector)| json!({"index": index, "embedding": vector});
                    // In any order: the index counts.
                    let rows: Vec<Value> = vectors.into_iter().enumerate().map(row).rev().collect();
                    reply(out, &json!({"data": rows}));
                }
                Err((status, words)) => refuse(out, status, words),
            }
        }
        _ => refuse(out, 404, "Not Found"),
    }
}

fn ollama(request: &Received, out: &mut Out, embedder: &Embedder) {
    match request.path.as_str() {
        "/api/version" => reply(out, &json!({"version": "0.13.0"})),
        "/api/tags" => reply(out, &json!({"models": [{"name": MODEL, "model": MODEL}]})),
        "/api/embed" => {
            let body: Value = serde_json::from_slice(&request.body).unwrap();
            match embedder(&texts(&body["input"])) {
                Ok(vectors) => reply(out, &json!({"model": MODEL, "embeddings": vectors})),
                Err((status, words)) => refuse(out, status, words),
            }
        }
        _ => out.whole(404, "text/plain", b"404 page not found"),
    }
}

fn triton(request: &Received, out: &mut Out, embedder: &Embedder) {
    let model = format!("/v2/models/{MODEL}");
    let tensor =
        |name: &str, datatype: &str, size: i64| json!({"name": name, "datatype": datatype, "shape": [-1, size]});
    match request.path.strip_prefix(&model).unwrap_or(&request.path) {
        "/v2" => reply(out, &json!({"name": "triton", "version": "2.51.0"})),
        "/v2/repository/index" => reply(out, &json!([{"name": MODEL, "version": "1", "state": "READY"}])),
        "" => {
            reply(out, &json!({"inputs": [tensor("text", "BYTES", 1)], "outputs": [tensor("embedding", "FP32", -1)]}));
        }
        "/config" => reply(out, &json!({"max_batch_size": 8})),
        "/infer" => {
            let body: Value = serde_json::from_slice(&request.body).unwrap();
            match embedder(&texts(&body["inputs"][0]["data"])) {
                Ok(vectors) => {
                    let shape = [vectors.len(), vectors.first().map_or(0, Vec::len)];
                    let data = vectors.concat();
                    let output = json!({"name": "embedding", "datatype": "FP32", "shape": shape, "data": data});
                    reply(out, &json!({"model_name": MODEL, "outputs": [output]}));
                }
                Err((status, words)) => refuse(out, status, words),
            }
        }
        _ => refuse(out, 404, "Not Found"),
    }
}

#[test]
fn every_kind_is_on_stage() {
    for wire in providers::TABLE {
        assert!(CHATS.contains(&wire.kind) || EMBEDS.contains(&wire.kind), "{:?} is tested nowhere", wire.kind);
    }
}

#[tokio::test]
async fn words_arrive_in_pieces_and_as_a_whole() {
    each_chat("[{say: 'Guten Tag, 日本: zwei.', chunk: 3}]", async |stage| {
        let progress = stage.progress().await;
        let pieces: Vec<&str> = progress
            .iter()
            .filter_map(|p| if let Progress::Text(text) = p { Some(text.as_str()) } else { None })
            .collect();
        assert!(pieces.len() > 2, "{pieces:?}");
        assert_eq!(pieces.concat(), "Guten Tag, 日本: zwei.");
        let answer = outcome(&progress).unwrap();
        assert_eq!((answer.text.as_str(), answer.is_cut), ("Guten Tag, 日本: zwei.", false));
    })
    .await;
}

#[tokio::test]
async fn calls_arrive_whole_in_their_order_with_ids_of_their_own() {
    let turns =
        "[{say: Look., calls: [{name: read_file, arguments: {path: a.rs, z: 1, a: [true, null]}}, {name: list_dir}]}]";
    each_chat(turns, async |stage| {
        let answer = stage.answer().await.unwrap();
        let calls: Vec<(&str, &str)> =
            answer.tool_calls.iter().map(|call| (call.name.as_str(), call.arguments.as_str())).collect();
        let arguments = r#"{"path":"a.rs","z":1,"a":[true,null]}"#;
        assert_eq!(calls, [("read_file", arguments), ("list_dir", "{}")]);
        assert!(answer.tool_calls[0].id != answer.tool_calls[1].id && !answer.tool_calls[0].id.0.is_empty());
        assert_eq!(answer.text, "Look.");
    })
    .await;
}

#[tokio::test]
async fn thoughts_are_kept_apart_from_words() {
    each_chat("[{think: Hm. Well., say: Yes.}]", async |stage| {
        let progress = stage.progress().await;
        assert!(progress.iter().any(|progress| matches!(progress, Progress::Reasoning(_))));
        let answer = outcome(&progress).unwrap();
        assert_eq!((answer.reasoning.as_str(), answer.text.as_str()), ("Hm. Well.", "Yes."));
    })
    .await;
}

#[tokio::test]
async fn tokens_are_counted_by_the_server() {
    each_chat("[{say: Yes., usage: {input: 12, output: 5}}]", async |stage| {
        let usage = stage.answer().await.unwrap().usage;
        assert_eq!((usage.input_tokens, usage.output_tokens), (12, 5));
    })
    .await;
}

#[tokio::test]
async fn an_answer_cut_by_its_length_is_told_and_a_call_it_cuts_is_never_made() {
    each_chat("[{say: 'One, two', finish: length}]", async |stage| {
        let answer = stage.answer().await.unwrap();
        assert_eq!((answer.text.as_str(), answer.is_cut), ("One, two", true));
    })
    .await;
    let turns =
        "[{calls: [{name: write_file, arguments: '{\"path\": \"a.rs\", \"content\": \"half'}], finish: length}]";
    each_chat(turns, async |stage| {
        let answer = stage.answer().await.unwrap();
        assert!(answer.tool_calls.is_empty() && answer.is_cut, "{answer:?}");
    })
    .await;
}

#[tokio::test]
async fn what_breaks_off_is_asked_again_and_what_came_is_void() {
    let broken = [
        "{say: Half, finish: none}",
        "{say: Half an answer of many words, drop_after: 2}",
        "{say: Half, finish: abort}",
        "{say: Half, error: {status: 500, body: it broke}}",
        "{error: {status: 503, body: not now}}",
    ];
    for turn in broken {
        each_chat(&format!("[{turn}, {{say: Whole.}}]"), async |stage| {
            let progress = stage.progress().await;
            let has_said = progress
                .iter()
                .take_while(|p| !matches!(p, Progress::Retrying { .. }))
                .any(|p| matches!(p, Progress::Text(_)));
            let has_reset = progress.iter().any(|progress| matches!(progress, Progress::Reset));
            assert_eq!(has_said, has_reset, "{turn}: {progress:?}");
            assert_eq!(outcome(&progress).unwrap().text, "Whole.", "{turn}");
        })
        .await;
    }
}

#[tokio::test]
async fn what_would_fail_again_is_said_at_once_in_the_servers_words() {
    let too_long = "request (9001 tokens) exceeds the available context size (8192 tokens), try increasing it";
    each_chat(&format!("[{{error: {{status: 400, body: '{too_long}'}}}}]"), async |stage| {
        let error = stage.answer().await.unwrap_err();
        assert!(
            matches!(&error, ModelError::TooLong { window_tokens: Some(8192), source, .. } if source.0 == too_long),
            "{error:?}"
        );
    })
    .await;
    each_chat("[{error: {status: 400, body: the tools make no sense}}]", async |stage| {
        let error = stage.answer().await.unwrap_err();
        assert!(
            matches!(&error, ModelError::Refused { status: 400, source, .. } if source.0 == "the tools make no sense"),
            "{error:?}"
        );
    })
    .await;
    each_chat("[{error: {status: 401, body: Unauthorized}}]", async |stage| {
        let error = stage.answer().await.unwrap_err();
        assert!(matches!(error, ModelError::Auth { status: 401, .. }), "{error:?}");
    })
    .await;
}

#[tokio::test]
async fn a_busy_server_says_how_long_to_wait() {
    for kind in CHATS {
        let stage = Stage::chatting(*kind, "[{error: {status: 503, body: busy, retry_after_s: 7}}]");
        let stage = Stage { gateway: stage.gateway.with_retry(quick(0)), ..stage };
        let error = stage.answer().await.unwrap_err();
        let expected = Some(Duration::from_secs(7));
        assert!(
            matches!(error, ModelError::Busy { retry_after, .. } if retry_after == expected),
            "{kind:?}: {error:?}"
        );
    }
}

#[tokio::test]
async fn an_interrupt_ends_the_answer_and_closes_the_connection() {
    each_chat("[{say: some words, stall: true}]", async |stage| {
        let cancel = CancellationToken::new();
        let mut stream = stage.gateway.stream(&stage.route().await, stage.request(), cancel.clone());
        assert!(matches!(stream.next().await, Some(Progress::Text(_))));
        cancel.cancel();
        let rest: Vec<Progress> = stream.collect().await;
        assert!(matches!(rest.last(), Some(Progress::Failed(ModelError::Cancelled))), "{rest:?}");
        if let Some(server) = stage.wire() {
            server.wait_for_hangup().await;
        }
    })
    .await;
}

#[tokio::test]
async fn models_are_listed_and_one_that_is_missing_is_answered_with_those() {
    let sentence = async |stage: &Stage| {
        let models = stage.gateway.models("faked").await.unwrap();
        assert!(models.iter().any(|model| model.id == MODEL), "{models:?}");
        let fault = Fault::from(stage.gateway.resolve(Task::Chat, Some("faked/gone")).await.unwrap_err());
        assert!(fault.message.ends_with("has no model `gone`"), "{fault}");
        assert!(fault.hints[0].starts_with("it serves: ") && fault.hints[0].contains(MODEL), "{fault}");
    };
    each_chat("[]", sentence).await;
    for kind in EMBEDS {
        sentence(&Stage::embedding(*kind, vectors)).await;
    }
}

#[tokio::test]
async fn key_and_headers_go_with_every_request() {
    let check = |stage: &Stage| {
        let received = stage.wire().map(WireServer::received).unwrap_or_default();
        for request in &received {
            let sent = (request.header("authorization"), request.header("x-team"));
            assert_eq!(sent, (Some("Bearer s3cret"), Some("core")), "{:?} {}", stage.kind, request.path);
        }
        assert!(stage.wire().is_none() || received.len() > 1);
    };
    each_chat("[{say: Yes.}]", async |stage| {
        stage.answer().await.unwrap();
        check(stage);
    })
    .await;
    for kind in EMBEDS {
        let stage = Stage::embedding(*kind, vectors);
        stage.embed(&["a".to_owned()]).await.unwrap();
        check(&stage);
    }
}

#[tokio::test]
async fn vectors_come_one_for_each_text_in_their_order_and_one_unit_long() {
    for kind in EMBEDS {
        let most = Arc::new(Mutex::new(0));
        let seen = most.clone();
        let stage = Stage::embedding(*kind, move |texts| {
            let mut most = seen.lock().unwrap();
            *most = texts.len().max(*most);
            vectors(texts)
        });
        let texts: Vec<String> = (1..=70).map(|n| "x".repeat(n)).collect();
        let vectors = stage.embed(&texts).await.unwrap();
        for (text, is) in texts.iter().zip(&vectors) {
            let length: f32 = is.iter().map(|number| number * number).sum();
            assert!((length - 1.0).abs() < 1e-5 && (is[0] / is[1] - text.len() as f32).abs() < 1e-3, "{kind:?} {is:?}");
        }
        assert_eq!(vectors.len(), 70, "{kind:?}");
        assert!((8..=64).contains(&*most.lock().unwrap()), "{kind:?}");
    }
}

#[tokio::test]
async fn vectors_that_make_no_sense_are_refused() {
    type Case = (fn(&[String]) -> Vectors, &'static str);
    let table: [Case; 4] = [
        (|texts| Ok(texts[1..].iter().map(|text| vector(text)).collect()), "1 vectors for 2 texts"),
        (|texts| Ok(texts.iter().map(|_| vec![1e99, 1.0]).collect()), "numbers that are none"),
        (|texts| Ok(texts.iter().map(|_| vec![0.0, 0.0]).collect()), "only zeros"),
        (|texts| Ok(texts.iter().map(|_| Vec::new()).collect()), ""),
    ];
    for kind in EMBEDS {
        for (embedder, words) in table {
            let stage = Stage::embedding(*kind, embedder);
            let error = stage.embed(&["a".to_owned(), "b".to_owned()]).await.unwrap_err();
            assert!(matches!(&error, ModelError::Unusable { what, .. } if what.contains(words)), "{kind:?}: {error}");
        }
    }
}

#[tokio::test]
async fn vectors_of_a_new_size_are_refused_and_the_old_size_named() {
    for kind in EMBEDS {
        let size = Mutex::new(vec![2, 3]);
        let stage = Stage::embedding(*kind, move |texts| {
            let size = size.lock().unwrap().pop().unwrap();
            Ok(texts.iter().map(|_| vec![1.0; size]).collect())
        });
        stage.embed(&["a".to_owned()]).await.unwrap();
        let error = stage.embed(&["a".to_owned()]).await.unwrap_err();
        assert!(matches!(error, ModelError::VectorSize { expected: 3, found: 2, .. }), "{kind:?}: {error}");
    }
}

#[tokio::test]
async fn a_text_that_is_too_long_is_told_from_its_neighbours_and_a_full_queue_waited_for() {
    for kind in EMBEDS {
        let stage = Stage::embedding(*kind, |texts| match texts.iter().any(|text| text.len() > 9) {
            true => Err((400, "the input length exceeds the context length")),
            false => vectors(texts),
        });
        let texts = ["a", "b", "much too long", "d"].map(str::to_owned);
        let error = stage.embed(&texts).await.unwrap_err();
        assert!(matches!(error, ModelError::TextTooLong { number: 3, n_texts: 4, .. }), "{kind:?}: {error}");
        let left = Mutex::new(2);
        let stage = Stage::embedding(*kind, move |texts| {
            let mut left = left.lock().unwrap();
            if *left == 0 {
                return vectors(texts);
            }
            *left -= 1;
            Err((503, "Exceeds maximum queue size"))
        });
        assert_eq!(stage.embed(&["a".to_owned()]).await.unwrap().len(), 1, "{kind:?}");
    }
}

#[tokio::test]
async fn who_cannot_chat_or_give_vectors_says_so() {
    for wire in providers::TABLE {
        if !CHATS.contains(&wire.kind) {
            let fault = Fault::from(Stage::embedding(wire.kind, vectors).answer().await.unwrap_err());
            assert!(fault.message.contains("cannot answer") && fault.hints[0].contains("routes: {chat: "), "{fault}");
        }
        if !EMBEDS.contains(&wire.kind) {
            let fault = Fault::from(Stage::chatting(wire.kind, "[]").embed(&["a".to_owned()]).await.unwrap_err());
            assert!(fault.to_string().contains("it cannot turn 1 text into vectors"), "{fault}");
        }
    }
}
