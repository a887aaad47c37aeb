//! Does a session go on when the server behind an address becomes another one, or loses a model?

use std::sync::{Arc, Mutex};

use mimi::base::fault::Fault;
use mimi::config::schema::{ProviderConfig, ProviderKind};
use mimi::model::error::ModelError;
use mimi::model::gateway::Gateway;
use mimi::model::providers::http::Http;
use mimi::protocol::task::Task;
use serde_json::{Value, json};

use super::{LIMITS, ask, config, outcome, quick, request};
use crate::support::wire::{Out, Received, WireServer};

const MODEL: &str = "qwen3-coder:30b";

/// What stands behind the address at the moment.
#[derive(Clone)]
struct Now {
    kind: &'static str,
    models: Vec<&'static str>,
}

/// A server that can be exchanged for another while it runs.
struct Changing {
    now: Arc<Mutex<Now>>,
    server: WireServer,
}

impl Changing {
    fn new(kind: &'static str) -> Self {
        let now = Arc::new(Mutex::new(Now { kind, models: vec![MODEL] }));
        let shared = now.clone();
        let server = WireServer::serve(move |request, out| {
            let now = shared.lock().unwrap().clone();
            answer(&now, request, out);
        });
        Self { now, server }
    }

    fn becomes(&self, kind: &'static str, models: &[&'static str]) {
        *self.now.lock().unwrap() = Now { kind, models: models.to_vec() };
    }

    /// A gateway that finds it under `server.url`.
    fn by_url(&self) -> Gateway {
        self.gateway(|config| config.server.url = self.server.root_url())
    }

    /// A gateway that knows it as `box`, of a kind the user wrote down.
    fn by_row(&self, kind: ProviderKind) -> Gateway {
        let row = ProviderConfig::new(kind, self.server.root_url());
        self.gateway(|config| {
            config.providers.insert("box".to_owned(), row);
            config.routes.insert(Task::Chat, format!("box/{MODEL}").as_str().into());
        })
    }

    fn gateway(&self, change: impl FnOnce(&mut mimi::model::settings::GatewayConfig)) -> Gateway {
        let mut config = config("");
        config.routes.insert(Task::Chat, format!("auto/{MODEL}").as_str().into());
        change(&mut config);
        Gateway::new(config, Box::new(|_, _| None), Http::new(LIMITS).unwrap()).with_retry(quick(0))
    }
}

fn reply(out: &mut Out, status: u16, value: &Value) {
    out.whole(status, "application/json", value.to_string().as_bytes());
}

fn answer(now: &Now, request: &Received, out: &mut Out) {
    let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    let wanted = body["model"].as_str().unwrap_or_default();
    let has_model = now.models.contains(&wanted);
    let rows = |row: fn(&str) -> Value| now.models.iter().map(|id| row(id)).collect::<Vec<_>>();
    let words = json!({"choices": [{"delta": {"content": now.kind}, "finish_reason": "stop"}]});
    match (now.kind, request.path.as_str()) {
        ("vllm", "/version") => reply(out, 200, &json!({"version": "0.33.0"})),
        ("vllm", "/v1/models") => {
            reply(out, 200, &json!({"data": rows(|id| json!({"id": id, "owned_by": "vllm", "max_model_len": 65536}))}));
        }
        ("vllm", "/v1/chat/completions") if has_model => {
            out.begin_events();
            out.chunk(format!("data: {words}\n\ndata: [DONE]\n\n").as_bytes());
            out.end();
        }
        ("vllm", "/v1/chat/completions") => {
            let message = format!("The model `{wanted}` does not exist.");
            reply(out, 404, &json!({"error": {"message": message, "type": "NotFoundError", "code": 404}}));
        }
        ("ollama", "/api/version") => reply(out, 200, &json!({"version": "0.13.0"})),
        ("ollama", "/api/tags") => reply(out, 200, &json!({"models": rows(|id| json!({"name": id, "model": id}))})),
        ("ollama", "/api/ps") => {
            reply(out, 200, &json!({"models": rows(|id| json!({"name": id, "model": id, "context_length": 65536}))}));
        }
        ("ollama", "/api/show") => reply(out, 200, &json!({"capabilities": ["completion", "tools"], "model_info": {}})),
        ("ollama", "/api/chat") if has_model => {
            let line =
                json!({"message": {"role": "assistant", "content": "ollama"}, "done": true, "done_reason": "stop"});
            out.whole(200, "application/x-ndjson", format!("{line}\n").as_bytes());
        }
        ("ollama", "/api/chat") => reply(out, 404, &json!({"error": format!("model '{wanted}' not found")})),
        ("triton", "/v2") => reply(out, 200, &json!({"name": "triton", "version": "2.51.0"})),
        ("triton", "/v2/repository/index") => {
            reply(out, 200, &json!(rows(|id| json!({"name": id, "version": "1", "state": "READY"}))));
        }
        ("vllm", _) => reply(out, 404, &json!({"detail": "Not Found"})),
        ("triton", _) => reply(out, 404, &json!({"error": "Not Found"})),
        _ => out.whole(404, "text/plain", b"404 page not found"),
    }
}

/// One turn of a session: finds out who answers, and asks.
async fn turn(gateway: &Gateway) -> Result<String, ModelError> {
    let route = gateway.resolve(Task::Chat, None).await?;
    let request = mimi::model::Request { model: route.model.clone(), ..request("hi") };
    outcome(&ask(gateway, &route, request).await).map(|answer| answer.text)
}

#[tokio::test]
async fn a_server_that_becomes_another_costs_one_turn_at_most() {
    for (before, after) in [("vllm", "ollama"), ("ollama", "vllm")] {
        let changing = Changing::new(before);
        let gateway = changing.by_url();
        assert_eq!(turn(&gateway).await.unwrap(), before);
        changing.becomes(after, &[MODEL]);
        if let Err(error) = turn(&gateway).await {
            let fault = Fault::from(error);
            assert!(fault.to_string().contains("refused the request (404)") && !fault.hints.is_empty(), "{fault}");
        }
        assert_eq!(turn(&gateway).await.unwrap(), after);
    }
}

#[tokio::test]
async fn a_kind_that_was_written_down_and_is_wrong_is_named_with_the_right_one() {
    let table = [
        (ProviderKind::Ollama, "vllm", "the provider `box` is of the kind `ollama`, but vLLM answers there", "openai"),
        (
            ProviderKind::Openai,
            "triton",
            "the provider `box` is of the kind `openai`, but Triton answers there",
            "triton",
        ),
        (ProviderKind::Triton, "vllm", "the provider `box` is of the kind `triton`, but vLLM answers there", "openai"),
        (
            ProviderKind::Triton,
            "ollama",
            "the provider `box` is of the kind `triton`, but Ollama answers there",
            "ollama",
        ),
    ];
    for (written, server, message, right) in table {
        let changing = Changing::new(server);
        let fault = Fault::from(turn(&changing.by_row(written)).await.unwrap_err());
        assert_eq!(fault.message, message);
        assert_eq!(fault.hints, [format!("in config.yaml: providers: {{box: {{kind: {right}}}}}")]);
        assert_eq!(fault.kind.exit_code(), 3);
    }
    // Ollama speaks the common dialect too.
    let changing = Changing::new("ollama");
    assert!(changing.by_row(ProviderKind::Openai).resolve(Task::Chat, None).await.is_ok());
}

#[tokio::test]
async fn a_kind_that_was_written_down_and_becomes_wrong_is_named_too() {
    for (written, before, after) in [(ProviderKind::Ollama, "ollama", "vllm"), (ProviderKind::Openai, "vllm", "triton")]
    {
        let changing = Changing::new(before);
        let gateway = changing.by_row(written);
        assert_eq!(turn(&gateway).await.unwrap(), before);
        changing.becomes(after, &[MODEL]);
        assert!(matches!(turn(&gateway).await, Err(ModelError::Refused { .. } | ModelError::Misconfigured { .. })));
        let fault = Fault::from(turn(&gateway).await.unwrap_err());
        assert!(fault.message.contains("is of the kind") && fault.message.ends_with("answers there"), "{fault}");
        changing.becomes(before, &[MODEL]);
        assert_eq!(turn(&gateway).await.unwrap(), before, "the session goes on");
    }
}

#[tokio::test]
async fn a_model_that_disappears_is_named_with_those_left_and_a_stand_in_is_taken_next() {
    for kind in ["vllm", "ollama"] {
        let changing = Changing::new(kind);
        let gateway = changing.by_url();
        assert_eq!(turn(&gateway).await.unwrap(), kind);
        changing.becomes(kind, &["llama3.1:8b"]);
        let fault = Fault::from(turn(&gateway).await.unwrap_err());
        assert!(fault.message.ends_with(&format!("has no model `{MODEL}`")), "{fault}");
        assert_eq!(fault.hints[0], "it serves: llama3.1:8b");
        let route = gateway.resolve(Task::Chat, None).await.unwrap();
        assert_eq!(route.model, "llama3.1:8b");
        assert!(route.note.unwrap().contains(&format!("`{MODEL}` is not served at")));
        assert_eq!(turn(&gateway).await.unwrap(), kind);
        changing.becomes(kind, &[]);
        assert!(turn(&gateway).await.is_err());
        changing.becomes(kind, &[MODEL]);
        assert_eq!(turn(&gateway).await.unwrap(), kind, "it is back");
    }
}
