//! Is a gap in a text filled on every server, with the tokens of the model's family and none of the text's own?

use std::sync::Arc;

use mimi::base::clock::SystemClock;
use mimi::base::fault::Fault;
use mimi::model::cache::Cache;
use mimi::model::error::ModelError;
use mimi::model::fim::Fill;
use mimi::model::gateway::Gateway;
use mimi::model::providers::script::{Script, ScriptProvider};
use mimi::model::route::Route;
use mimi::protocol::task::Task;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::{LIMITS, gateway_at, unchecked_route};
use crate::support::wire::WireServer;

fn gap() -> Fill {
    Fill {
        model: String::new(),
        prefix: "fn a(".to_owned(),
        suffix: ")\n".to_owned(),
        max_tokens: 32,
        stop: vec!["\n\n".to_owned()],
    }
}

fn route_to(server: &WireServer, model: &str) -> Route {
    Route { model: model.to_owned(), ..unchecked_route(&server.url()) }
}

async fn fill(gateway: &Gateway, route: &Route) -> Result<mimi::model::fim::Filling, ModelError> {
    gateway.fill(route, gap(), &CancellationToken::new()).await
}

fn completing() -> WireServer {
    WireServer::serve(|_, out| {
        let body = json!({"choices": [{"text": "b: u8", "finish_reason": "length"}], "usage": {"prompt_tokens": 9, "completion_tokens": 3}});
        out.whole(200, "application/json", body.to_string().as_bytes());
    })
}

#[tokio::test]
async fn each_family_is_asked_by_its_own_tokens() {
    let table = [
        ("Qwen/Qwen2.5-Coder-1.5B", "<|fim_prefix|>fn a(<|fim_suffix|>)\n<|fim_middle|>", "<|endoftext|>"),
        ("bigcode/starcoder2-3b", "<fim_prefix>fn a(<fim_suffix>)\n<fim_middle>", "<file_sep>"),
        ("mistralai/Codestral-22B-v0.1", "[SUFFIX])\n[PREFIX]fn a(", "</s>"),
        (
            "deepseek-ai/deepseek-coder-6.7b-base",
            "<｜fim▁begin｜>fn a(<｜fim▁hole｜>)\n<｜fim▁end｜>",
            "<｜end▁of▁sentence｜>",
        ),
    ];
    for (model, prompt, stop) in table {
        let server = completing();
        let filling = fill(&gateway_at(&server.url(), LIMITS), &route_to(&server, model)).await.unwrap();
        assert_eq!((filling.text.as_str(), filling.is_cut), ("b: u8", true));
        assert_eq!((filling.usage.input_tokens, filling.usage.output_tokens), (9, 3));
        let received = server.received();
        assert_eq!(received[0].path, "/v1/completions");
        let sent: Value = serde_json::from_slice(&received[0].body).unwrap();
        assert_eq!((&sent["prompt"], &sent["model"], &sent["temperature"]), (&json!(prompt), &json!(model), &json!(0)));
        assert_eq!((&sent["max_tokens"], &sent["stream"]), (&json!(32), &json!(false)));
        let stops = sent["stop"].as_array().unwrap();
        assert!(stops.contains(&json!("\n\n")), "{stops:?}");
        // What is not sent is looked for in the answer.
        let family = mimi::model::catalog::row(model).fim.as_deref().and_then(mimi::model::fim::named);
        assert!(mimi::model::fim::stops(family, &[]).iter().any(|known| known == stop), "{stop}");
        assert!(stops.len() <= 4, "vLLM's Rust front end refuses more: {stops:?}");
        assert!(sent.get("suffix").is_none(), "vLLM refuses it");
    }
}

#[tokio::test]
async fn the_same_gap_is_asked_about_once() {
    let (server, folder) = (completing(), tempfile::tempdir().unwrap());
    let route = route_to(&server, "qwen2.5-coder");
    let gateway = || {
        let cache = Cache::new(folder.path().to_path_buf(), 1_000_000, Arc::new(SystemClock));
        gateway_at(&server.url(), LIMITS).with_cache(Arc::new(cache))
    };
    for _ in 0..2 {
        let gateway = gateway();
        for _ in 0..2 {
            let filling = fill(&gateway, &route).await.unwrap();
            assert_eq!((filling.text.as_str(), filling.is_cut), ("b: u8", true));
        }
    }
    assert_eq!(server.received().len(), 1);
    let others = [
        Fill { prefix: "fn a(\"".to_owned(), ..gap() },
        Fill { suffix: String::new(), ..gap() },
        Fill { max_tokens: 33, ..gap() },
        Fill { stop: Vec::new(), ..gap() },
    ];
    for (n, other) in others.into_iter().enumerate() {
        gateway().fill(&route, other, &CancellationToken::new()).await.unwrap();
        assert_eq!(server.received().len(), n + 2);
    }
}

#[tokio::test]
async fn control_tokens_of_the_text_are_broken_up_on_the_way_and_put_back() {
    let server = WireServer::serve(|request, out| {
        // A model that copies what stands before the gap.
        let sent: Value = serde_json::from_slice(&request.body).unwrap();
        let prompt = sent["prompt"].as_str().unwrap().strip_prefix("<|fim_prefix|>").unwrap().to_owned();
        let copied = prompt.split("<|fim_suffix|>").next().unwrap();
        out.whole(200, "application/json", json!({"choices": [{"text": copied}]}).to_string().as_bytes());
    });
    let text = "let end = \"<|im_end|>\"; // <|fim_suffix|> and <¦|fim_middle|>";
    let gap = Fill { prefix: text.to_owned(), ..gap() };
    let gateway = gateway_at(&server.url(), LIMITS);
    let filling = gateway.fill(&route_to(&server, "qwen2.5-coder"), gap, &CancellationToken::new()).await.unwrap();
    assert_eq!(filling.text, text);
    let sent: Value = serde_json::from_slice(&server.received()[0].body).unwrap();
    assert!(!sent["prompt"].as_str().unwrap().contains("<|im_end|>"), "{sent}");
}

#[tokio::test]
async fn llama_cpp_finds_the_tokens_itself() {
    let server = WireServer::serve(|request, out| {
        let body = match request.path.as_str() {
            "/v1/models" => {
                json!({"data": [{"id": "qwen2.5-coder.gguf", "owned_by": "llamacpp", "meta": {"n_ctx": 8192}}]})
            }
            "/props" => json!({"total_slots": 1, "default_generation_settings": {"n_ctx": 8192}}),
            "/infill" => {
                json!({"content": "b: u8", "stop_type": "word", "tokens_evaluated": 9, "tokens_predicted": 3, "timings": {"cache_n": 4}})
            }
            _ => return out.whole(404, "application/json", b"{}"),
        };
        out.whole(200, "application/json", body.to_string().as_bytes());
    });
    let gateway = gateway_at(&server.url(), LIMITS);
    let route = gateway.resolve(Task::Fim, Some("qwen2.5-coder.gguf")).await.unwrap();
    let filling = fill(&gateway, &route).await.unwrap();
    assert_eq!((filling.text.as_str(), filling.is_cut, filling.usage.cached_tokens), ("b: u8", false, 4));
    let last = server.received().pop().unwrap();
    assert_eq!(last.path, "/infill");
    let sent: Value = serde_json::from_slice(&last.body).unwrap();
    assert_eq!(
        (&sent["input_prefix"], &sent["input_suffix"], &sent["n_predict"]),
        (&json!("fn a("), &json!(")\n"), &json!(32))
    );
}

#[tokio::test]
async fn what_cannot_be_filled_is_said() {
    let server = completing();
    let gateway = gateway_at(&server.url(), LIMITS);
    let error = fill(&gateway, &route_to(&server, "gpt-oss:20b")).await.unwrap_err();
    assert_eq!(Fault::from(error).causes, ["the tokens by which `gpt-oss:20b` fills a gap are not known"]);
    assert!(server.received().is_empty());
    let script = ScriptProvider::new(Script::parse("turns: []").unwrap());
    let scripted = Gateway::with_provider("script", Arc::new(script));
    let error = fill(&scripted, &route_to(&server, "m")).await.unwrap_err();
    assert_eq!(Fault::from(error).causes, ["it cannot fill gaps in a text"]);
    for (status, body, expected) in [
        (404, r#"{"error":{"message":"The model `qwen2.5-coder` does not exist."}}"#, "has no model `qwen2.5-coder`"),
        (400, r#"{"error":{"message":"maximum context length is 99 tokens"}}"#, "longer than the window"),
        (503, r#"{"error":"full"}"#, "not able to answer now"),
        (200, r#"{"choices":[]}"#, "is no model server"),
        (200, "<html>", "is no model server"),
    ] {
        let server = WireServer::answering(status, "application/json", body);
        let gateway = gateway_at(&server.url(), LIMITS);
        let error = fill(&gateway, &route_to(&server, "qwen2.5-coder")).await.unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[tokio::test]
async fn typing_on_closes_the_connection() {
    let server = WireServer::serve(|_, out| {
        out.begin_chunked("application/json");
        out.hang();
    });
    let (gateway, route) = (gateway_at(&server.url(), LIMITS), route_to(&server, "qwen2.5-coder"));
    let cancel = CancellationToken::new();
    let token = cancel.clone();
    let (filled, ()) = tokio::join!(gateway.fill(&route, gap(), &cancel), async {
        while server.received().is_empty() {
            tokio::task::yield_now().await;
        }
        token.cancel();
    });
    assert!(matches!(filled, Err(ModelError::Cancelled)));
    server.wait_for_hangup().await;
}
