//! Are the numbers of each server read from what it really publishes?

use super::*;

/// Recorded from vllm-rs 0.33.0, shortened; the requests that wait were made up.
const VLLM_TEXT: &str = r#"# HELP vllm:num_requests_running Number of requests in model execution batches.
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{model_name="qwen3-coder",engine="0"} 70
vllm:num_requests_running{model_name="qwen3-coder",engine="1"} 2
vllm:num_requests_waiting{model_name="qwen3-coder",engine="0"} 13
vllm:num_requests_waiting_by_reason{model_name="qwen3-coder",engine="0",reason="capacity"} 13
vllm:kv_cache_usage_perc{model_name="qwen3-coder",engine="0"} 0.25
vllm:kv_cache_usage_perc{model_name="qwen3-coder",engine="1"} 0.5
vllm:prefix_cache_queries_total{model_name="qwen3-coder",engine="0"} 0
vllm:prefix_cache_hits_total{model_name="qwen3-coder",engine="0"} 0
vllm:prompt_tokens_total{model_name="qwen3-coder",engine="0"} 70000
vllm:prompt_tokens_cached_total{model_name="qwen3-coder",engine="0"} 63000
vllm:generation_tokens_total{model_name="qwen3-coder",engine="0"} 1410
"#;

/// Recorded from llama-server, shortened.
const LLAMA_TEXT: &str = "# TYPE llamacpp:prompt_tokens_total counter
llamacpp:prompt_tokens_total 25000
llamacpp:prompt_tokens_cached_total 75000
llamacpp:tokens_predicted_total 1470
llamacpp:predicted_tokens_seconds 48.5
llamacpp:requests_processing 2
llamacpp:requests_deferred 3
";

fn load(running: u64, waiting: u64) -> Load {
    Load { running: Some(running), waiting: Some(waiting), ..Load::default() }
}

#[test]
fn each_servers_numbers_are_read() {
    let sglang = "sglang:num_running_reqs{model_name=\"m\"} 8.0\nsglang:num_queue_reqs{model_name=\"m\"} 4\n\
        sglang:token_usage 0.75\nsglang:cache_hit_rate 0.5\nsglang:gen_throughput 310.5\n";
    let triton = "nv_inference_pending_request_count{model=\"a\",version=\"1\"} 2\nnv_inference_pending_request_count{model=\"b\",version=\"1\"} 3\n";
    let table = [
        (ServerKind::Vllm, VLLM_TEXT, Load { kv_used: Some(0.5), cache_hits: Some(0.9), ..load(72, 13) }),
        (ServerKind::Nim, VLLM_TEXT, Load { kv_used: Some(0.5), cache_hits: Some(0.9), ..load(72, 13) }),
        (ServerKind::LlamaCpp, LLAMA_TEXT, Load { cache_hits: Some(0.75), tokens_per_s: Some(48.5), ..load(2, 3) }),
        (
            ServerKind::Sglang,
            sglang,
            Load { kv_used: Some(0.75), cache_hits: Some(0.5), tokens_per_s: Some(310.5), ..load(8, 4) },
        ),
        (ServerKind::Triton, triton, Load { waiting: Some(5), ..Load::default() }),
        (ServerKind::Ollama, VLLM_TEXT, Load::default()),
    ];
    for (kind, text, expected) in table {
        assert_eq!(read(kind, text).load, expected, "{kind:?}");
    }
    assert_eq!(read(ServerKind::Vllm, VLLM_TEXT).written, Some(1410.0));
}

#[test]
fn lines_are_read_in_every_spelling_and_junk_is_passed_over() {
    let table = [
        ("a 1", Some(("a", 1.0))),
        ("a{} 2.5 1395066363000", Some(("a", 2.5))),
        ("a{x=\"}\",y=\"b c\"} 3", Some(("a", 3.0))),
        ("  a\t4e2 ", Some(("a", 400.0))),
        ("# a 1", None),
        ("a NaN", None),
        ("a +Inf", None),
        ("a{x=\"1\" 1", None),
        ("a", None),
        ("", None),
        ("<html>", None),
        ("{\"error\": 1}", None),
    ];
    for (text, expected) in table {
        assert_eq!(line(text), expected, "{text}");
    }
    assert_eq!(read(ServerKind::Vllm, "<html>not found</html>"), Sample::default());
    assert_eq!(
        read(ServerKind::Vllm, "vllm:kv_cache_usage_perc 7\nvllm:num_requests_waiting -1").load,
        Load::default()
    );
}
