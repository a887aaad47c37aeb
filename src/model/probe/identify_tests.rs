//! Is each server told from the others by what it really answers?

use super::*;

/// The answers of one server; every other path is not found.
fn replies(known: &[(&'static str, u16, &str)], other: (u16, &str)) -> Replies {
    let reply = |path: &str| {
        let row = known.iter().find(|row| row.0 == path);
        row.map_or_else(|| Reply::of(other.0, other.1), |(_, status, text)| Reply::of(*status, text))
    };
    PATHS.iter().map(|path| (*path, reply(path))).collect()
}

fn seen(known: &[(&'static str, u16, &str)], other: (u16, &str)) -> Option<(ServerKind, Option<String>, bool)> {
    identify(&replies(known, other)).map(|identity| (identity.kind, identity.version, identity.is_sure))
}

const NOT_FOUND: (u16, &str) = (404, r#"{"detail":"Not Found"}"#);

type Row<'a> = (&'a [(&'static str, u16, &'a str)], ServerKind, Option<&'a str>, bool);

fn check(table: &[Row<'_>]) {
    for (known, kind, version, is_sure) in table {
        let expected = Some((*kind, version.map(str::to_owned), *is_sure));
        assert_eq!(seen(known, NOT_FOUND), expected, "{known:?}");
    }
}

#[test]
fn the_servers_of_teams_are_recognised_with_their_version() {
    use ServerKind::{LlamaCpp, Ollama, Sglang, TensorRtLlm, Vllm};
    let table: [Row<'_>; 8] = [
        (
            &[
                ("/api/version", 200, r#"{"version":"0.13.2"}"#),
                ("models", 200, r#"{"object":"list","data":[{"id":"qwen3-coder:30b","owned_by":"library"}]}"#),
            ],
            Ollama,
            Some("0.13.2"),
            true,
        ),
        // Recorded from vllm-rs 0.33.0.
        (
            &[
                (
                    "models",
                    200,
                    r#"{"object":"list","data":[{"id":"qwen3-coder","object":"model","created":1795690219,"owned_by":"vllm-frontend-rs","root":"fakemodel","parent":null,"max_model_len":32768}]}"#,
                ),
                ("/version", 200, r#"{"version":"0.33.0","rust_frontend_version":"0.33.0"}"#),
            ],
            Vllm,
            Some("0.33.0"),
            true,
        ),
        (
            &[
                ("models", 200, r#"{"data":[{"id":"m","owned_by":"vllm"}]}"#),
                ("/version", 200, r#"{"version":"0.12.0"}"#),
            ],
            Vllm,
            Some("0.12.0"),
            true,
        ),
        // The same with a key that was not sent: recorded, too.
        (
            &[("models", 401, r#"{"error":"Unauthorized"}"#), ("/version", 200, r#"{"version":"0.33.0"}"#)],
            Vllm,
            Some("0.33.0"),
            false,
        ),
        // Recorded from llama-server, shortened.
        (
            &[
                (
                    "models",
                    200,
                    r#"{"models":[{"name":"replay.gguf"}],"object":"list","data":[{"id":"replay.gguf","owned_by":"llamacpp","meta":{"n_ctx":32768,"n_ctx_train":262144}}]}"#,
                ),
                (
                    "/props",
                    200,
                    r#"{"total_slots":4,"build_info":"b6700-abc","default_generation_settings":{"n_ctx":32768}}"#,
                ),
            ],
            LlamaCpp,
            Some("b6700-abc"),
            true,
        ),
        (&[("models", 200, r#"{"data":[{"id":"a","owned_by":"llamacpp"}]}"#)], LlamaCpp, None, true),
        (
            &[
                ("models", 200, r#"{"data":[{"id":"Qwen/Qwen3","owned_by":"sglang","max_model_len":131072}]}"#),
                ("/model_info", 200, r#"{"model_path":"Qwen/Qwen3","is_generation":true}"#),
            ],
            Sglang,
            None,
            true,
        ),
        (
            &[
                ("models", 200, r#"{"data":[{"id":"m","owned_by":"tensorrt_llm"}]}"#),
                ("/version", 200, r#"{"version":"1.1.0"}"#),
            ],
            TensorRtLlm,
            Some("1.1.0"),
            true,
        ),
    ];
    check(&table);
}

#[test]
fn wrappers_proxies_and_the_unknown_are_told_from_what_they_wrap() {
    use ServerKind::{LiteLlm, Nim, Openai, Triton};
    let table: [Row<'_>; 4] = [
        // NIM wraps vLLM and shows its owner.
        (
            &[
                ("models", 200, r#"{"data":[{"id":"m","owned_by":"vllm"}]}"#),
                ("/v1/metadata", 200, r#"{"version":"2.0.1","modelInfo":[]}"#),
            ],
            Nim,
            Some("2.0.1"),
            true,
        ),
        // Recorded from Triton 2.51.0.
        (
            &[("/v2", 200, r#"{"name":"triton","version":"2.51.0","extensions":["statistics"]}"#)],
            Triton,
            Some("2.51.0"),
            true,
        ),
        (
            &[
                ("models", 200, r#"{"data":[{"id":"m","owned_by":"openai"}]}"#),
                ("/health/liveliness", 200, r#""I'm alive!""#),
            ],
            LiteLlm,
            None,
            true,
        ),
        (&[("models", 200, r#"{"data":[{"id":"m"}]}"#)], Openai, None, true),
    ];
    check(&table);
}

#[test]
fn what_is_no_model_server_is_taken_for_none() {
    assert_eq!(seen(&[], (0, "")), None, "nobody there");
    assert_eq!(seen(&[], (200, "<html><title>Jenkins</title>")), None);
    assert_eq!(seen(&[], (401, r#"{"error":{"message":"Invalid API Key","code":401}}"#)), None);
    assert_eq!(seen(&[], (503, r#"{"error":{"message":"Loading model","code":503}}"#)), None);
}

#[test]
fn a_server_that_answers_in_part_is_not_remembered() {
    let list = r#"{"data":[{"id":"m"}]}"#;
    assert_eq!(seen(&[("models", 200, list)], (0, "")).map(|seen| seen.2), Some(false), "too busy to answer the rest");
    assert_eq!(seen(&[("models", 200, list)], (503, "")).map(|seen| seen.2), Some(false), "still starting");
    assert_eq!(
        seen(&[("models", 200, list)], (200, list)).map(|seen| seen.0),
        Some(ServerKind::Openai),
        "the list everywhere"
    );
}

#[test]
fn each_mark_is_asked_in_the_first_round_and_recognises_its_kind_only() {
    for (kind, title) in ServerKind::TABLE {
        assert!(mark(kind).is_none_or(|path| PATHS.contains(&path)), "{title}");
        let is_recognised = version(kind, &Value::Null).is_some();
        assert_eq!(is_recognised, kind == ServerKind::Openai, "{title} in an answer that says nothing");
    }
    assert_eq!(version(ServerKind::Vllm, &serde_json::json!({"version": "1"})), Some(Some("1".to_owned())));
}
