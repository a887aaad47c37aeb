//! Does each task find its server and model, and does the user learn what was chosen?

use std::net::TcpListener;
use std::sync::Arc;

use mimi::base::fault::Fault;
use mimi::config::schema::ProviderConfig;
use mimi::model::error::ModelError;
use mimi::model::gateway::Gateway;
use mimi::model::providers::http::Http;
use mimi::model::providers::script::{Script, ScriptProvider};
use mimi::model::settings::GatewayConfig;
use mimi::protocol::task::Task;
use serde_json::json;

use super::{LIMITS, ask, config, outcome, request, row};
use crate::support::wire::WireServer;

/// A server with models and nothing else.
fn serving(models: &serde_json::Value) -> WireServer {
    let body = json!({"object": "list", "data": models}).to_string();
    WireServer::serve(move |_, out| out.whole(200, "application/json", body.as_bytes()))
}

fn the_box() -> WireServer {
    serving(&json!([
        {"id": "nomic-embed-text:latest"},
        {"id": "qwen2.5-coder:1.5b"},
        {"id": "qwen3-coder:30b", "max_model_len": 131_072},
    ]))
}

/// The routes of the default configuration.
fn routes(config: &mut GatewayConfig) {
    let big = "auto/qwen3-coder:30b";
    for task in Task::ALL {
        let model = match task {
            Task::Title | Task::Fim => "auto/qwen2.5-coder:1.5b",
            Task::Embed => "auto/nomic-embed-text",
            _ => big,
        };
        config.routes.insert(task, model.into());
    }
}

fn searching(places: &[(&str, &str)]) -> GatewayConfig {
    let mut config = config("");
    routes(&mut config);
    for (name, url) in places {
        let title = match *name {
            "ollama" => "Ollama",
            "vllm" => "vLLM",
            _ => "llama.cpp",
        };
        config.providers.insert((*name).to_owned(), ProviderConfig { title: title.to_owned(), ..row(url) });
        config.search.push((*name).to_owned());
    }
    config
}

fn gateway(config: GatewayConfig) -> Gateway {
    Gateway::new(config, Box::new(|_, _| None), Http::new(LIMITS).unwrap())
}

fn closed_port() -> String {
    format!("http://127.0.0.1:{}/v1", TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port())
}

#[tokio::test]
async fn the_default_routes_fit_a_box_with_the_three_models() {
    let server = the_box();
    let mut config = config(&server.url());
    routes(&mut config);
    let gateway = gateway(config);
    let table = [
        (Task::Chat, "qwen3-coder:30b", 131_072),
        (Task::Fix, "qwen3-coder:30b", 131_072),
        (Task::Title, "qwen2.5-coder:1.5b", 32_768),
        (Task::Embed, "nomic-embed-text:latest", 2048),
    ];
    for (task, model, window_tokens) in table {
        let route = gateway.resolve(task, None).await.unwrap();
        assert_eq!((route.model.as_str(), route.window_tokens, &route.note), (model, window_tokens, &None));
    }
    assert_eq!(server.received().len(), 1, "the list is asked for once");
}

#[tokio::test]
async fn with_nothing_configured_the_server_that_answers_is_found_and_named() {
    let server = the_box();
    let (nobody, url) = (closed_port(), server.url());
    let gateway = gateway(searching(&[("ollama", &nobody), ("vllm", &url)]));
    let route = gateway.resolve(Task::Chat, None).await.unwrap();
    assert_eq!((route.provider.as_str(), route.model.as_str()), ("vllm", "qwen3-coder:30b"));
    assert_eq!(route.note.unwrap(), format!("found vLLM at {url}, using qwen3-coder:30b"));
}

#[tokio::test]
async fn the_server_that_has_the_model_is_preferred_to_the_first_that_answers() {
    let (small, big) = (serving(&json!([{"id": "llama3.1:8b"}])), the_box());
    let gateway = gateway(searching(&[("ollama", &small.url()), ("llamacpp", &big.url())]));
    assert_eq!(gateway.resolve(Task::Chat, None).await.unwrap().provider, "llamacpp");
    let wanted = gateway.resolve(Task::Chat, Some("llama3.1:8b")).await.unwrap();
    assert_eq!((wanted.provider.as_str(), wanted.model.as_str()), ("ollama", "llama3.1:8b"));
    let explicit = gateway.resolve(Task::Chat, Some("llamacpp/qwen2.5-coder:1.5b")).await.unwrap();
    assert_eq!((explicit.provider.as_str(), explicit.model.as_str()), ("llamacpp", "qwen2.5-coder:1.5b"));
}

#[tokio::test]
async fn with_no_server_three_lines_say_how_to_name_one() {
    let (nobody, web) =
        (closed_port(), WireServer::serve(|_, out| out.whole(200, "text/html", b"<html><title>Jenkins</title>")));
    let error = gateway(searching(&[("ollama", &nobody), ("llamacpp", &web.url())])).resolve(Task::Chat, None).await;
    let fault = Fault::from(error.unwrap_err());
    let expected = format!(
        "error: no model server was found for `chat`\n\
         caused by: Ollama at {nobody}: nobody answers; llama.cpp at {}: is something else\n\
         hint: name a server: export MIMI_SERVER_URL=http://HOST:8000/v1\n\
         hint: or in ~/.config/mimi/config.yaml: server: {{url: \"http://HOST:8000/v1\"}}\n\
         hint: or see mimi work without one: mimi demo",
        web.url()
    );
    assert_eq!(fault.to_string(), expected);
    assert_eq!(fault.kind.exit_code(), 4);
}

#[tokio::test]
async fn a_server_that_wants_a_key_is_worth_saying() {
    let locked = WireServer::serve(|_, out| out.whole(401, "application/json", br#"{"error":"Unauthorized"}"#));
    let error = gateway(searching(&[("vllm", &locked.url())])).resolve(Task::Chat, None).await.unwrap_err();
    assert!(Fault::from(error).hints[0].contains("export TEST_KEY="));
}

#[tokio::test]
async fn a_stand_in_is_announced_but_never_taken_for_what_was_named() {
    let server = serving(
        &json!([{"id": "nomic-embed-text"}, {"id": "llama3.1:8b", "meta": {"n_ctx": 8192, "n_ctx_train": 131_072}}]),
    );
    let mut config = config(&server.url());
    routes(&mut config);
    let asked = gateway(config.clone());
    let route = asked.resolve(Task::Chat, None).await.unwrap();
    assert_eq!((route.model.as_str(), route.window_tokens), ("llama3.1:8b", 8192));
    let note = format!("`qwen3-coder:30b` is not served at {}, using `llama3.1:8b` for chat", server.url());
    assert_eq!(route.note, Some(note));
    let error = asked.resolve(Task::Chat, Some("llama3.1:7b")).await.unwrap_err();
    let fault = Fault::from(error);
    assert_eq!(fault.hints, ["it serves: nomic-embed-text, llama3.1:8b", "try: --model llama3.1:8b"]);
    config.server.model = "qwen9".to_owned();
    let error = gateway(config).resolve(Task::Fix, None).await.unwrap_err();
    assert!(matches!(error, ModelError::NoModel { model, .. } if model == "qwen9"), "a model the user set is literal");
}

#[tokio::test]
async fn settings_win_over_what_the_server_says() {
    let server = the_box();
    let mut config = config(&server.url());
    routes(&mut config);
    config.model.window_tokens = 5000;
    config.server.model = "qwen2.5-coder:1.5b".to_owned();
    let gateway = gateway(config);
    let route = gateway.resolve(Task::Plan, None).await.unwrap();
    assert_eq!((route.model.as_str(), route.window_tokens), ("qwen2.5-coder:1.5b", 5000));
    assert_eq!(gateway.resolve(Task::Compact, None).await.unwrap().model, "qwen3-coder:30b");
}

#[tokio::test]
async fn wrong_names_and_addresses_are_configuration_errors() {
    let mut unknown = searching(&[("vllm", "http://127.0.0.1:1/v1")]);
    unknown.routes.insert(Task::Chat, "vlm/qwen".into());
    let fault = Fault::from(gateway(unknown).resolve(Task::Chat, None).await.unwrap_err());
    assert_eq!(
        fault.to_string(),
        "error: there is no provider `vlm`\ncaused by: there are: vllm\nhint: did you mean `vllm`?"
    );
    let fault = Fault::from(gateway(config("dgx:8000")).resolve(Task::Chat, None).await.unwrap_err());
    assert!(fault.hints[0].contains("http://HOST:8000/v1"), "{fault}");
    assert_eq!(fault.kind.exit_code(), 3);
}

#[tokio::test]
async fn a_named_provider_of_the_same_address_lends_its_key_and_headers() {
    let server = the_box();
    let mut config = config(&server.url());
    let mut named = row(&server.url());
    named.headers.insert("x-team".to_owned(), "core".to_owned());
    config.providers.insert("dgx".to_owned(), named);
    let keys = Box::new(|_: &str, variable: &str| Some(format!("from {variable}")));
    let gateway = Gateway::new(config, keys, Http::new(LIMITS).unwrap());
    gateway.resolve(Task::Chat, None).await.unwrap();
    let received = server.received();
    assert_eq!(received[0].header("x-team"), Some("core"));
    assert_eq!(received[0].header("authorization"), Some("Bearer from TEST_KEY"));
}

#[tokio::test]
async fn a_script_in_a_file_is_a_provider_like_any_other() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("demo.yaml");
    std::fs::write(&path, "model: tiny\nturns: [{say: one}, {say: two}]\n").unwrap();
    let mut config = config("");
    let kind = mimi::config::schema::ProviderKind::Script;
    config.providers.insert("demo".to_owned(), ProviderConfig { kind, ..row(path.to_str().unwrap()) });
    config.routes.insert(Task::Chat, "demo/tiny".into());
    let gateway = gateway(config);
    for expected in ["one", "two"] {
        let route = gateway.resolve(Task::Chat, None).await.unwrap();
        assert_eq!((route.provider.as_str(), route.model.as_str()), ("demo", "tiny"));
        assert_eq!(outcome(&ask(&gateway, &route, request("hi")).await).unwrap().text, expected);
    }
    let missing = ScriptProvider::open("/nowhere/demo.yaml").unwrap_err();
    assert_eq!(
        Fault::from(missing).to_string().lines().next(),
        Some("error: cannot read the script /nowhere/demo.yaml")
    );
}

#[tokio::test]
async fn a_gateway_with_one_provider_takes_its_model_or_says_what_it_has() {
    let script = Script::parse("model: tiny\nwindow_tokens: 4096\nturns: []").unwrap();
    let gateway = Gateway::with_provider("demo", Arc::new(ScriptProvider::new(script)));
    for wanted in [None, Some("tiny"), Some("demo/tiny")] {
        let route = gateway.resolve(Task::Review, wanted).await.unwrap();
        assert_eq!((route.model.as_str(), route.window_tokens, route.note), ("tiny", 4096, None));
    }
    assert!(matches!(gateway.resolve(Task::Chat, Some("huge")).await, Err(ModelError::NoModel { .. })));
}
