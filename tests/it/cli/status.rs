//! Does `mimi status` show how the servers are, in one screen and in no time, whatever they are?

use std::net::TcpListener;

use serde_json::{Value, json};

use crate::support::Env;
use crate::support::wire::WireServer;

/// A vLLM with numbers of a busy hour, a model of its own and one with a long name.
fn vllm() -> WireServer {
    let models = json!({"data": [
        {"id": "qwen3-coder:30b", "owned_by": "vllm", "max_model_len": 131_072},
        {"id": "hf.co/unsloth/Qwen3-Coder-30B-A3B-Instruct-GGUF:Q4_K_M", "max_model_len": 32768}]});
    let metrics = "vllm:num_requests_running 70\nvllm:num_requests_waiting 13\nvllm:kv_cache_usage_perc 0.455\n\
        vllm:prefix_cache_queries_total 1000\nvllm:prefix_cache_hits_total 900\n";
    WireServer::serve(move |request, out| match request.path.as_str() {
        "/v1/models" => out.whole(200, "application/json", models.to_string().as_bytes()),
        "/version" => out.whole(200, "application/json", b"{\"version\": \"0.33.0\"}"),
        "/metrics" => out.whole(200, "text/plain", metrics.as_bytes()),
        _ => out.whole(404, "application/json", b"{}"),
    })
}

fn closed_port() -> String {
    format!("http://127.0.0.1:{}/v1", TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port())
}

fn user_at(url: &str) -> Env {
    let mut env = Env::new();
    env.set("MIMI_SERVER_URL", url);
    env
}

#[test]
fn one_screen_says_what_a_server_is_serves_and_does() {
    let server = vllm();
    let outcome = user_at(&server.url()).run(["status"]).outcome().success();
    let expected = "vLLM 0.33.0 (python) at http://127.0.0.1:[PORT]/v1
  queue   70 running, 13 waiting
  cache   46% of the KV cache in use, 90% of prompt tokens found in it
  models  qwen3-coder:30b                131072 tokens
          hf.co/unsloth/Qwen3-Coder-30B-A3B-Instruct-GGUF:Q4_K_M
                                         32768 tokens
";
    assert!(outcome.stdout.starts_with(expected), "{outcome}");
    assert!(outcome.stdout.contains("qwen3-coder:30b at server, 131072 tokens"), "{outcome}");
    assert!(outcome.stdout.contains("stands in for qwen2.5-coder:1.5b"), "{outcome}");
    assert!(outcome.stdout.contains("has no model `nomic-embed-text`"), "{outcome}");
    let too_wide: Vec<&str> = outcome.raw_stdout.lines().filter(|line| line.chars().count() > 80).collect();
    assert!(too_wide.is_empty(), "{too_wide:?}");
}

#[test]
fn everything_is_there_for_programs_too() {
    let server = vllm();
    let outcome = user_at(&server.url()).run(["status", "--json"]).outcome().success();
    let all: Value = serde_json::from_str(&outcome.raw_stdout).unwrap();
    assert_eq!(all["servers"][0]["facts"]["kind"], "vllm");
    assert_eq!(all["servers"][0]["load"], json!({"running": 70, "waiting": 13, "kv_used": 0.455, "cache_hits": 0.9}));
    assert_eq!(all["servers"][0]["facts"]["models"][0]["window_tokens"], 131_072);
    let chat = &all["routes"][0];
    assert_eq!((&chat["task"], &chat["model"]), (&json!("chat"), &json!("qwen3-coder:30b")));
}

#[test]
fn nobody_there_is_said_and_is_a_failure_of_the_server() {
    let outcome = user_at(&closed_port()).run(["status"]).outcome().fails_with(4);
    assert!(outcome.stdout.contains("cannot reach the model server at"), "{outcome}");
    assert!(outcome.stderr.contains("hint: check that the server runs"), "{outcome}");
    let json = user_at(&closed_port()).run(["status", "--json"]).outcome().fails_with(4);
    let all: Value = serde_json::from_str(&json.raw_stdout).unwrap();
    assert!(all["servers"][0]["problem"].as_str().unwrap().contains("cannot reach"), "{json}");
    assert_eq!(all["servers"][0].get("facts"), None);
}

#[test]
fn a_server_that_never_answers_holds_nobody_up() {
    let server = WireServer::serve(|_, out| out.hang());
    let env = user_at(&server.url());
    let outcome = env.run(["status"]).outcome().fails_with(4);
    assert!(outcome.stdout.contains("it does not answer in time"), "{outcome}");
}

#[test]
fn servers_that_somebody_wrote_down_are_shown_beside_the_one_that_is_set() {
    let server = vllm();
    let env = user_at(&closed_port());
    let row = format!(
        "providers: {{dgx: {{kind: openai, base_url: \"{}\"}}}}\nroutes: {{chat: dgx/qwen3-coder:30b}}\n",
        server.url()
    );
    env.write_home(".config/mimi/config.yaml", row);
    let outcome = env.run(["status"]).outcome().success();
    assert!(outcome.stdout.contains("qwen3-coder:30b at dgx, 131072 tokens"), "{outcome}");
    assert!(outcome.stdout.contains("vLLM 0.33.0 (python) at"), "{outcome}");
}
