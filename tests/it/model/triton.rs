//! Are vectors read from Triton as it really answers?
//!
//! `tests/fixtures/wire/triton` holds exchanges recorded from Triton 2.51.0 with models of ours that map a text to eight
//! numbers: its first bytes under SHA-256, each divided by 16. A request is answered only if it is, but for the order of
//! keys, the one that was recorded, so the real server has accepted every request these tests make.

use std::sync::Mutex;

use mimi::base::fault::{Fault, Kind};
use mimi::config::schema::{ProviderConfig, ProviderKind};
use mimi::model::error::ModelError;
use mimi::model::gateway::Gateway;
use mimi::model::providers::http::Http;
use mimi::model::route::Route;
use mimi::protocol::task::Task;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::{LIMITS, ask, config, outcome, quick, request};
use crate::support::wire::{Out, Received, WireServer};

/// One exchange as it was recorded.
struct Exchange {
    name: String,
    start: String,
    body: Value,
    answer: Vec<u8>,
}

fn load() -> Vec<Exchange> {
    let folder = format!("{}/tests/fixtures/wire/triton", env!("CARGO_MANIFEST_DIR"));
    let read = |file: std::fs::DirEntry| {
        let bytes = std::fs::read(file.path()).unwrap();
        let mut parts = bytes.splitn(3, |byte| *byte == b'\n');
        let mut text = || String::from_utf8(parts.next().unwrap().to_vec()).unwrap();
        let (start, body) = (text(), serde_json::from_str(&text()).unwrap_or(Value::Null));
        let name = file.path().file_stem().unwrap().display().to_string();
        Exchange { name, start, body, answer: parts.next().unwrap().to_vec() }
    };
    std::fs::read_dir(folder).unwrap().map(|file| read(file.unwrap())).collect()
}

fn find<'a>(recorded: &'a [Exchange], name: &str) -> &'a Exchange {
    recorded.iter().find(|exchange| exchange.name == name).unwrap_or_else(|| panic!("no recording {name}"))
}

/// Plays what was recorded. Each of `instead` is given once, in their order, for the next request for vectors, whatever that is.
fn replay(instead: &'static [&'static str]) -> WireServer {
    let (recorded, instead) = (load(), Mutex::new(instead.iter()));
    WireServer::serve(move |request: &Received, out: &mut Out| {
        let start = format!("{} {}", request.method, request.path);
        let next = if start.ends_with("/infer") { instead.lock().unwrap().next() } else { None };
        if let Some(name) = next {
            return out.raw(&find(&recorded, name).answer);
        }
        let body: Value = serde_json::from_slice(&request.body).unwrap_or(Value::Null);
        match recorded.iter().find(|exchange| exchange.start == start && exchange.body == body) {
            Some(exchange) => out.raw(&exchange.answer),
            None => out.whole(418, "text/plain", format!("never recorded: {start} {body}").as_bytes()),
        }
    })
}

/// A gateway with this server under the name `vectors`.
fn at(server: &WireServer, change: impl FnOnce(&mut ProviderConfig)) -> Gateway {
    let mut config = config("");
    let mut row = ProviderConfig::new(ProviderKind::Triton, server.url());
    change(&mut row);
    config.providers.insert("vectors".to_owned(), row);
    Gateway::new(config, Box::new(|_, _| None), Http::new(LIMITS).unwrap()).with_retry(quick(2))
}

async fn route(gateway: &Gateway, model: &str) -> Route {
    gateway.resolve(Task::Embed, Some(&format!("vectors/{model}"))).await.unwrap()
}

async fn embed(gateway: &Gateway, model: &str, texts: &[&str]) -> Result<Vec<Vec<f32>>, ModelError> {
    let texts = texts.iter().map(|text| (*text).to_owned()).collect();
    gateway.embed(&route(gateway, model).await, texts, &CancellationToken::new()).await
}

/// The vector of a text: what the recorded models computed, one unit long.
fn vector(text: &str) -> Vec<f32> {
    let bytes: [i8; 8] = match text {
        "eins" => [-65, -42, -71, -107, 88, -114, -59, 76],
        "zwei" => [-99, -66, 60, -4, 90, -9, -105, -13],
        "zwei 日本" => [-4, -11, 110, 78, -113, -59, 46, -52],
        "drei" => [107, 112, -30, -43, -110, -35, 23, 25],
        "vier" => [107, -117, -84, -53, 47, 33, -25, -52],
        "fünf" => [-46, 104, -104, 89, -121, 88, -25, 121],
        "packed" => [-120, -53, -118, 8, 123, 110, -116, -21],
        other => panic!("no vector is known for {other}"),
    };
    let length = bytes.iter().map(|n| f64::from(*n).powi(2)).sum::<f64>().sqrt();
    bytes.map(|n| (f64::from(n) / length) as f32).to_vec()
}

#[track_caller]
fn assert_same(vectors: &[Vec<f32>], texts: &[&str]) {
    assert_eq!(vectors.len(), texts.len());
    for (is, text) in vectors.iter().zip(texts) {
        let is_near = is.iter().zip(vector(text)).all(|(is, expected)| (is - expected).abs() < 1e-6);
        assert!(is_near && is.len() == 8, "{text}: {is:?}, not {:?}", vector(text));
    }
}

#[tokio::test]
async fn texts_go_out_in_batches_of_what_the_model_takes_and_vectors_keep_their_order() {
    let server = replay(&[]);
    let texts = ["eins", "zwei 日本", "drei", "vier", "fünf"];
    assert_same(&embed(&at(&server, |_| {}), "small-embed", &texts).await.unwrap(), &texts);
    let n = |end: &str| server.received().iter().filter(|request| request.path.ends_with(end)).count();
    assert_eq!((n("/infer"), n("/config")), (2, 1));
}

#[tokio::test]
async fn models_without_a_batch_and_other_numbers_are_read_too() {
    let table: [(&str, &[&str]); 5] = [
        ("flat-embed", &["eins", "zwei"]),
        ("single-embed", &["eins", "zwei"]),
        ("half-embed", &["eins"]),
        ("double-embed", &["eins"]),
        ("small-embed", &["packed"]),
    ];
    for (model, texts) in table {
        let server = replay(&[]);
        assert_same(&embed(&at(&server, |_| {}), model, texts).await.unwrap(), texts);
    }
}

#[tokio::test]
async fn an_answer_in_json_is_as_good() {
    let texts = ["eins", "zwei 日本", "drei", "vier"];
    let server = replay(&["small-embed.json"]);
    assert_same(&embed(&at(&server, |_| {}), "small-embed", &texts).await.unwrap(), &texts);
}

#[tokio::test]
async fn tensors_that_cannot_be_told_apart_are_named_in_the_configuration() {
    let server = replay(&[]);
    let fault = Fault::from(embed(&at(&server, |_| {}), "two-embed", &["eins"]).await.unwrap_err());
    let url = server.url().replace("/v1", "");
    assert_eq!(
        fault.to_string(),
        format!(
            "error: `two-embed` at {url} has 2 outputs that give numbers\n\
             caused by: inputs: `text` BYTES [-1, 1]; outputs: `dense` FP32 [-1, 8], `pooled` FP32 [-1, 8]\n\
             hint: name its tensors in config.yaml: providers: {{vectors: {{text_tensor: NAME, vector_tensor: NAME}}}}"
        )
    );
    assert_eq!(fault.kind, Kind::Config);
    let gateway = at(&server, |row| row.vector_tensor = "pooled".to_owned());
    assert_same(&embed(&gateway, "two-embed", &["eins"]).await.unwrap(), &["eins"]);
    let gateway = at(&server, |row| row.text_tensor = "text".to_owned());
    let fault = Fault::from(embed(&gateway, "row-embed", &["eins"]).await.unwrap_err());
    assert!(fault.to_string().contains("missing required input(s) ['prefix']"), "{fault}");
}

#[tokio::test]
async fn every_refusal_is_sorted_with_the_servers_own_words() {
    let table: [(&[&str], &str, Kind); 9] = [
        (&["small-embed.wrong_input"; 2], "caused by: unexpected inference input 'TEXT' for model", Kind::Config),
        (&["small-embed.wrong_output"; 2], "caused by: unexpected inference output 'nope'", Kind::Config),
        (&["small-embed.wrong_shape"; 2], "caused by: unexpected shape for input 'text' for model", Kind::Config),
        (
            &["small-embed.busy"; 3],
            "is not able to answer now (503 Service Unavailable)\ncaused by: Exceeds maximum queue size",
            Kind::Model,
        ),
        (
            &["small-embed.fail"; 3],
            "not able to answer now (500 Internal Server Error)\ncaused by: the tokenizer gave up",
            Kind::Model,
        ),
        (
            &["small-embed.not_json"; 2],
            "refused the request (500)\ncaused by: failed to parse the request JSON buffer",
            Kind::Model,
        ),
        (
            &["half-embed.json"; 2],
            "refused the request (400)\ncaused by: sending FP16 data via JSON is not supported",
            Kind::Model,
        ),
        (&["small-embed.nan"], "cannot be used: its vectors hold numbers that are none (NaN or infinite)", Kind::Model),
        (&["small-embed.nan_json"], "cannot be used: its vectors hold NaN", Kind::Model),
    ];
    for (answers, words, kind) in table {
        let server = replay(answers);
        let fault = Fault::from(embed(&at(&server, |_| {}), "small-embed", &["eins"]).await.unwrap_err());
        assert!(fault.to_string().contains(words), "{answers:?}:\n{fault}");
        assert_eq!(fault.kind, kind, "{answers:?}");
        assert!(!fault.to_string().contains("id_unknown"), "{fault}");
    }
}

#[tokio::test]
async fn a_full_queue_is_waited_for() {
    let server = replay(&["small-embed.busy", "small-embed.busy"]);
    assert_same(&embed(&at(&server, |_| {}), "small-embed", &["fünf"]).await.unwrap(), &["fünf"]);
}

#[tokio::test]
async fn a_vector_for_each_token_is_not_taken_for_one_of_the_text() {
    let server = replay(&[]);
    let fault = Fault::from(embed(&at(&server, |_| {}), "token-embed", &["eins"]).await.unwrap_err());
    assert!(fault.message.contains("it holds [3, 8] numbers for each text"), "{fault}");
}

/// Loaded anew, the model has another limit or other tensors, or is gone, while mimi remembers what it was.
#[tokio::test]
async fn a_model_that_changes_is_asked_about_again() {
    let texts = ["eins", "zwei 日本", "drei", "vier"];
    let server = replay(&["small-embed.first", "small-embed.wrong_input"]);
    let gateway = at(&server, |_| {});
    assert_same(&embed(&gateway, "small-embed", &texts).await.unwrap(), &texts);
    assert_same(&embed(&gateway, "small-embed", &texts).await.unwrap(), &texts);
    let n_asked = server.received().iter().filter(|request| request.path.ends_with("/config")).count();
    assert_eq!(n_asked, 2);
}

#[tokio::test]
async fn a_limit_is_learned_from_the_refusal_where_no_configuration_says_it() {
    let (recorded, is_refused) = (load(), Mutex::new(false));
    let server = WireServer::serve(move |request, out| {
        if request.path.ends_with("/config") {
            return out.whole(404, "application/json", br#"{"error":"no such path"}"#);
        }
        let start = format!("{} {}", request.method, request.path);
        let body: Value = serde_json::from_slice(&request.body).unwrap_or(Value::Null);
        match recorded.iter().find(|exchange| exchange.start == start && exchange.body == body) {
            Some(exchange) => out.raw(&exchange.answer),
            None if !start.ends_with("/infer") => out.whole(404, "application/json", br#"{"error":"Not Found"}"#),
            None => {
                assert!(!std::mem::replace(&mut *is_refused.lock().unwrap(), true), "{body}");
                out.raw(&find(&recorded, "small-embed.too_many").answer);
            }
        }
    });
    let texts = ["eins", "zwei 日本", "drei", "vier", "fünf"];
    assert_same(&embed(&at(&server, |_| {}), "small-embed", &texts).await.unwrap(), &texts);
}

#[tokio::test]
async fn a_model_that_is_gone_is_answered_with_those_that_are_there() {
    let server = replay(&["unknown.infer"]);
    let gateway = at(&server, |_| {});
    let mut there = route(&gateway, "small-embed").await;
    there.model = "gone-embed".to_owned();
    let error = gateway.embed(&there, vec!["eins".to_owned()], &CancellationToken::new()).await.unwrap_err();
    let fault = Fault::from(error);
    assert!(fault.message.ends_with("has no model `gone-embed`"), "{fault}");
    assert!(fault.hints[0].starts_with("it serves: double-embed, flat-embed, half-embed"), "{fault}");
    let models = gateway.models("vectors").await.unwrap();
    assert_eq!((models.len(), models[7].id.as_str()), (8, "two-embed"));
}

#[tokio::test]
async fn it_refuses_to_chat_and_says_where_to_name_another() {
    let server = replay(&[]);
    let gateway = at(&server, |_| {});
    let route = route(&gateway, "small-embed").await;
    let fault = Fault::from(outcome(&ask(&gateway, &route, request("hi")).await).unwrap_err());
    assert_eq!(
        fault.to_string(),
        "error: the provider `vectors` turns texts into vectors and cannot answer\n\
         caused by: its kind is `triton`; `script` was to do `chat`\n\
         hint: name another one in config.yaml: routes: {chat: PROVIDER/MODEL}"
    );
}

#[test]
fn the_address_may_be_written_with_any_version() {
    use mimi::model::providers::http::root_url;
    for given in ["http://box:8000", "http://box:8000/", "http://box:8000/v2", "http://box:8000/v1/"] {
        assert_eq!(root_url(given).unwrap(), "http://box:8000", "{given}");
    }
    assert_eq!(root_url("https://box/triton/v2/").unwrap(), "https://box/triton");
}
