//! Are model lists and vectors read from every server, without hidden repetitions?

use mimi::model::error::ModelError;
use mimi::model::gateway::Gateway;
use mimi::model::route::Route;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::{LIMITS, gateway_at, unchecked_route};
use crate::support::wire::WireServer;

fn at(server: &WireServer) -> (Gateway, Route) {
    (gateway_at(&server.url(), LIMITS), unchecked_route(&server.url()))
}

fn answering(status: u16, body: &Value) -> WireServer {
    let body = body.to_string();
    WireServer::serve(move |_, out| out.whole(status, "application/json", body.as_bytes()))
}

#[tokio::test]
async fn every_servers_list_of_models_is_read() {
    let table = [
        (
            json!({"object": "list", "data": [{"id": "a", "object": "model", "max_model_len": 4096, "permission": []}]}),
            Some(4096),
        ),
        (
            json!({"models": [{"name": "a"}], "data": [{"id": "a", "meta": {"n_ctx": 512, "n_ctx_train": 9999}}]}),
            Some(512),
        ),
        (json!({"object": "list", "data": [{"id": "a", "created": 1.5, "owned_by": "library"}]}), None),
        (json!({"data": [{"id": "a", "max_model_len": null}, {"broken": 1}]}), None),
    ];
    for (body, window_tokens) in table {
        let server = answering(200, &body);
        let models = at(&server).0.models("server").await.unwrap();
        assert_eq!((models.len(), models[0].id.as_str(), models[0].window_tokens), (1, "a", window_tokens), "{body}");
        assert_eq!((server.received()[0].method.as_str(), server.received()[0].path.as_str()), ("GET", "/v1/models"));
    }
    let server = answering(200, &json!({"object": "list", "data": null}));
    assert!(matches!(at(&server).0.models("server").await, Err(ModelError::Refused { .. })));
}

#[tokio::test]
async fn failures_keep_their_status_and_are_not_repeated_behind_our_back() {
    for (status, is_transient) in [(503, true), (429, true), (400, false), (401, false)] {
        let server = answering(status, &json!({"error": "no", "code": 7}));
        let error = at(&server).0.models("server").await.unwrap_err();
        assert_eq!(error.is_transient(), is_transient, "{error}");
        assert_eq!(server.received().len(), 1, "{status}");
    }
    let server =
        WireServer::serve(|_, out| out.whole(200, "text/html", b"<html><title>Welcome to nginx!</title></html>"));
    let error = at(&server).0.models("server").await.unwrap_err();
    assert!(
        matches!(&error, ModelError::Refused { source, .. } if source.0.contains("Welcome to nginx!")),
        "{error:?}"
    );
}

#[tokio::test]
async fn vectors_come_back_in_the_order_of_the_texts() {
    let server = answering(
        200,
        &json!({"data": [
        {"index": 1, "embedding": [3, 4.5]}, {"index": 0, "embedding": [1.0, -2.0]}]}),
    );
    let (gateway, route) = at(&server);
    let texts = vec!["a".to_owned(), "b".to_owned()];
    let vectors = gateway.embed(&route, texts, &CancellationToken::new()).await.unwrap();
    assert_eq!(vectors, [[1.0, -2.0], [3.0, 4.5]]);
    let body: Value = serde_json::from_slice(&server.received()[0].body).unwrap();
    assert_eq!(body, json!({"model": "m", "input": ["a", "b"], "encoding_format": "float"}));
}

#[tokio::test]
async fn vectors_that_do_not_fit_the_texts_are_refused() {
    let table = [
        json!({"data": [{"index": 0, "embedding": [1.0]}]}),
        json!({"data": [{"index": 0, "embedding": [1.0]}, {"index": 1, "embedding": [1.0, 2.0]}]}),
        json!({"data": [{"index": 0, "embedding": [1.0]}, {"index": 9, "embedding": [1.0]}]}),
        json!({"data": [{"embedding": "AAAA"}, {"embedding": "AAAA"}]}),
        json!({"data": [{"index": 0, "embedding": []}, {"index": 1, "embedding": []}]}),
        json!({}),
    ];
    for body in table {
        let server = answering(200, &body);
        let (gateway, route) = at(&server);
        let texts = vec!["a".to_owned(), "b".to_owned()];
        let error = gateway.embed(&route, texts, &CancellationToken::new()).await.unwrap_err();
        assert!(matches!(error, ModelError::Broken { .. }), "{body}: {error}");
    }
}

#[tokio::test]
async fn a_text_too_long_for_the_embedder_is_said_so() {
    let server = answering(400, &json!({"error": {"message": "the input length exceeds the context length"}}));
    let (gateway, route) = at(&server);
    let error = gateway.embed(&route, vec!["a".to_owned()], &CancellationToken::new()).await.unwrap_err();
    assert!(matches!(error, ModelError::TooLong { model, .. } if model == "m"));
}
