//! Do texts become vectors that can be compared, in their order, whatever the server does?

use std::sync::Mutex;

use mimi::base::fault::Fault;
use mimi::model::error::ModelError;
use mimi::model::gateway::Gateway;
use mimi::model::route::Route;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::{LIMITS, gateway_at, quick, unchecked_route};
use crate::support::wire::{Out, Received, WireServer};

fn at(server: &WireServer) -> (Gateway, Route) {
    (gateway_at(&server.url(), LIMITS).with_retry(quick(2)), unchecked_route(&server.url()))
}

fn answering(status: u16, body: &Value) -> WireServer {
    let body = body.to_string();
    WireServer::serve(move |_, out| out.whole(status, "application/json", body.as_bytes()))
}

async fn embed(server: &WireServer, texts: &[&str]) -> Result<Vec<Vec<f32>>, ModelError> {
    let (gateway, route) = at(server);
    gateway.embed(&route, texts.iter().map(|text| (*text).to_owned()).collect(), &CancellationToken::new()).await
}

/// The texts of a request.
fn inputs(request: &Received) -> Vec<String> {
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    body["input"].as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}

/// Answers with a vector that tells its text: `[length, 1]`.
fn by_length(request: &Received, out: &mut Out) {
    let rows: Vec<Value> = inputs(request).iter().map(|text| json!({"embedding": [text.len(), 1]})).collect();
    out.whole(200, "application/json", json!({"data": rows}).to_string().as_bytes());
}

#[tokio::test]
async fn vectors_come_back_one_unit_long_in_the_order_of_the_texts() {
    let rows = [json!({"index": 1, "embedding": [3, 4.0]}), json!({"index": 0, "embedding": [0.0, -2.5]})];
    let server = answering(200, &json!({"data": rows}));
    assert_eq!(embed(&server, &["a", "b"]).await.unwrap(), [[0.0, -1.0], [0.6, 0.8]]);
    let body: Value = serde_json::from_slice(&server.received()[0].body).unwrap();
    assert_eq!(body, json!({"model": "m", "input": ["a", "b"], "encoding_format": "float"}));
}

#[tokio::test]
async fn many_texts_go_out_in_several_requests_and_none_for_no_text() {
    let server = WireServer::serve(by_length);
    let texts: Vec<String> = (1..=70).map(|n| "x".repeat(n)).collect();
    let (gateway, route) = at(&server);
    let vectors = gateway.embed(&route, texts, &CancellationToken::new()).await.unwrap();
    let lengths: Vec<f32> = vectors.iter().map(|vector| (vector[0] / vector[1]).round()).collect();
    assert_eq!(lengths, (1..=70).map(|n| n as f32).collect::<Vec<_>>());
    assert_eq!(server.received().iter().map(|request| inputs(request).len()).collect::<Vec<_>>(), [32, 32, 6]);
    assert!(embed(&server, &[]).await.unwrap().is_empty());
    assert_eq!(server.received().len(), 3);
}

#[tokio::test]
async fn vectors_that_make_no_sense_are_refused_and_not_asked_for_again() {
    let two = |a: Value, b: Value| json!({"data": [{"index": 0, "embedding": a}, {"index": 1, "embedding": b}]});
    let table = [
        (json!({"data": [{"embedding": [1.0]}]}), "it holds 1 vectors for 2 texts"),
        (
            json!({"data": [{"index": 0, "embedding": [1]}, {"index": 0, "embedding": [1]}]}),
            "it holds no vector for text 2",
        ),
        (json!({"data": [{"index": 0, "embedding": [1]}, {"index": 9, "embedding": [1]}]}), "it numbers a vector 9"),
        (two(json!("AAAA"), json!("AAAA")), "its vectors are no lists of numbers"),
        (two(json!([1.0]), json!([null])), "its vectors hold something that is no number"),
        (two(json!([1.0]), json!([1e99])), "its vectors hold numbers that are none"),
        (two(json!([1.0]), json!([])), "it holds no vector for text 2"),
        (two(json!([1.0]), json!([0.0])), "one of its vectors holds only zeros"),
        (json!({}), "it holds no list of vectors"),
    ];
    for (body, words) in table {
        let server = answering(200, &body);
        let fault = Fault::from(embed(&server, &["a", "b"]).await.unwrap_err());
        let expected = format!("the answer of the model server at {} cannot be used: {words}", server.url());
        assert!(fault.message.starts_with(&expected), "{body}: {fault}");
        assert_eq!(server.received().len(), 1, "{body}");
    }
    let server = answering(200, &two(json!([1.0]), json!([1.0, 2.0])));
    assert!(matches!(embed(&server, &["a", "b"]).await, Err(ModelError::VectorSize { expected: 1, found: 2, .. })));
}

#[tokio::test]
async fn vectors_of_another_size_than_those_before_are_refused_and_the_expected_size_named() {
    let sizes = Mutex::new(vec![3, 2, 3]);
    let server = WireServer::serve(move |_, out| {
        let numbers = vec![1; sizes.lock().unwrap().pop().unwrap()];
        out.whole(200, "application/json", json!({"data": [{"embedding": numbers}]}).to_string().as_bytes());
    });
    let (gateway, route) = at(&server);
    let ask = async || gateway.embed(&route, vec!["a".to_owned()], &CancellationToken::new()).await;
    ask().await.unwrap();
    let fault = Fault::from(ask().await.unwrap_err());
    let url = server.url();
    assert_eq!(
        fault.to_string(),
        format!(
            "error: `m` at {url} gives vectors of 2 numbers, and 3 are expected\n\
             hint: name the model that gave vectors of 3 numbers: mimi config show routes.embed\n\
             hint: or make all vectors anew with this one"
        )
    );
    // The gateway stays usable, and whoever has an index says what it holds.
    ask().await.unwrap();
    gateway.expect_size(&route, 768);
    let server = answering(200, &json!({"data": [{"embedding": [1, 1]}]}));
    let (gateway, route) = at(&server);
    gateway.expect_size(&route, 768);
    let error = gateway.embed(&route, vec!["a".to_owned()], &CancellationToken::new()).await.unwrap_err();
    assert!(matches!(error, ModelError::VectorSize { expected: 768, found: 2, .. }), "{error}");
}

#[tokio::test]
async fn the_one_text_that_is_too_long_is_found() {
    let refusals = [
        "the input length exceeds the context length",
        "This model's maximum context length is 2048 tokens. However, you requested 9000 tokens.",
        "input (900 tokens) is too large to process. increase the physical batch size (current batch size: 512)",
    ];
    for words in refusals {
        let server = WireServer::serve(move |request, out| match inputs(request).iter().any(|text| text.len() > 9) {
            true => out.whole(500, "application/json", json!({"error": {"message": words}}).to_string().as_bytes()),
            false => by_length(request, out),
        });
        let texts = ["a", "b", "c", "d", "e", "much too long", "g"];
        let error = embed(&server, &texts).await.unwrap_err();
        assert!(matches!(error, ModelError::TextTooLong { number: 6, n_texts: 7, n_bytes: 13, .. }), "{error}");
        let fault = Fault::from(error);
        assert_eq!(fault.message, "text 6 of 7 (13 bytes) is longer than the window of `m`");
        let hint = if words.contains("2048") {
            "cut it into pieces of at most 2048 tokens"
        } else {
            "cut it into smaller pieces"
        };
        assert_eq!((fault.causes[0].as_str(), fault.hints[0].as_str()), (words, hint));
        assert!(server.received().len() <= 7);
    }
}

#[tokio::test]
async fn what_may_pass_is_asked_again_and_the_rest_is_not() {
    let failing = |status: u16, times: usize| {
        let left = Mutex::new(times);
        WireServer::serve(move |request, out| {
            let mut left = left.lock().unwrap();
            if *left == 0 {
                return by_length(request, out);
            }
            *left -= 1;
            out.whole(status, "application/json", br#"{"error":"no"}"#);
        })
    };
    for (status, times, is_answered, n_requests) in
        [(503, 2, true, 3), (503, 9, false, 3), (400, 1, false, 1), (401, 1, false, 1)]
    {
        let server = failing(status, times);
        assert_eq!(embed(&server, &["a"]).await.is_ok(), is_answered, "{status} {times}");
        assert_eq!(server.received().len(), n_requests, "{status} {times}");
    }
}

#[tokio::test]
async fn an_interrupt_ends_it_at_once() {
    let server = WireServer::serve(|_, out| out.hang());
    let (gateway, route) = at(&server);
    let cancel = CancellationToken::new();
    let asked = gateway.embed(&route, vec!["a".to_owned()], &cancel);
    let interrupted = async {
        while server.received().is_empty() {
            tokio::task::yield_now().await;
        }
        cancel.cancel();
    };
    let (outcome, ()) = tokio::join!(asked, interrupted);
    assert!(matches!(outcome, Err(ModelError::Cancelled)));
    server.wait_for_hangup().await;
}
