//! Are model lists read from every server, without hidden repetitions?

use mimi::model::error::ModelError;
use mimi::model::gateway::Gateway;
use serde_json::{Value, json};

use super::{LIMITS, gateway_at};
use crate::support::wire::WireServer;

fn at(server: &WireServer) -> Gateway {
    gateway_at(&server.url(), LIMITS)
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
        let models = at(&server).models("server").await.unwrap();
        assert_eq!((models.len(), models[0].id.as_str(), models[0].window_tokens), (1, "a", window_tokens), "{body}");
        assert_eq!((server.received()[0].method.as_str(), server.received()[0].path.as_str()), ("GET", "/v1/models"));
    }
    let server = answering(200, &json!({"object": "list", "data": null}));
    assert!(matches!(at(&server).models("server").await, Err(ModelError::Refused { .. })));
}

#[tokio::test]
async fn failures_keep_their_status_and_are_not_repeated_behind_our_back() {
    for (status, is_transient) in [(503, true), (429, true), (400, false), (401, false)] {
        let server = answering(status, &json!({"error": "no", "code": 7}));
        let error = at(&server).models("server").await.unwrap_err();
        assert_eq!(error.is_transient(), is_transient, "{error}");
        assert_eq!(server.received().len(), 1, "{status}");
    }
    let server =
        WireServer::serve(|_, out| out.whole(200, "text/html", b"<html><title>Welcome to nginx!</title></html>"));
    let error = at(&server).models("server").await.unwrap_err();
    assert!(
        matches!(&error, ModelError::Refused { source, .. } if source.0.contains("Welcome to nginx!")),
        "{error:?}"
    );
}
