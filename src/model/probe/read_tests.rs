//! Is each fact read from the field that really holds it, and left unknown where a server is silent?

use serde_json::json;

use super::*;
use crate::protocol::server::ServerKind;

fn named(ids: &[&str]) -> ServerFacts {
    let models = ids.iter().map(|id| ModelFacts { id: (*id).to_owned(), ..ModelFacts::default() }).collect();
    ServerFacts { models, ..ServerFacts::default() }
}

fn reply(json: &Value) -> Reply {
    Reply::of(200, &json.to_string())
}

#[test]
fn the_served_window_is_read_and_never_the_trained_one() {
    let table = [
        (json!({"id": "m", "max_model_len": 32768}), Some(32_768)),
        (json!({"id": "m", "meta": {"n_ctx": 8192, "n_ctx_train": 262_144}}), Some(8192)),
        (json!({"id": "m", "meta": {"n_ctx_train": 262_144}}), None),
        (json!({"id": "m", "context_length": 4096}), Some(4096)),
        (json!({"id": "m", "max_model_len": 0}), None),
        (json!({"id": "m", "max_model_len": "32768"}), None),
        (json!({"id": "m"}), None),
    ];
    for (row, expected) in table {
        let models = listed(Some(&reply(&json!({"data": [row]}))));
        assert_eq!(models[0].window_tokens, expected, "{row}");
    }
    assert!(listed(None).is_empty() && listed(Some(&Reply::of(200, "<html>"))).is_empty());
    let both = listed(Some(&reply(&json!({"models": [{"name": "a"}, {"name": "b"}], "data": [{"id": "a"}]}))));
    assert_eq!(both.len(), 1, "llama.cpp says it twice");
}

#[test]
fn ollama_tells_what_is_in_memory_with_the_window_it_allocated() {
    let mut facts = ServerFacts { kind: ServerKind::Ollama, ..ServerFacts::default() };
    ollama_tags(
        &mut facts,
        &reply(&json!({"models": [
        {"name": "qwen3-coder:30b", "model": "qwen3-coder:30b", "size": 18_556_701_140_u64},
        {"name": "nomic-embed-text:latest", "model": "nomic-embed-text:latest"},
        {"name": "qwen2.5-coder:1.5b"}]})),
    );
    let shown = json!({"capabilities": ["completion", "tools"], "parameters": "temperature 0.7\nnum_ctx                        65536\n",
        "model_info": {"general.architecture": "qwen3moe", "qwen3moe.context_length": 262_144, "qwen3moe.embedding_length": 2048}});
    ollama_show(&mut facts.models[0], &shown);
    ollama_show(
        &mut facts.models[1],
        &json!({"capabilities": ["embedding"],
        "model_info": {"nomic-bert.context_length": 2048, "nomic-bert.embedding_length": 768}}),
    );
    ollama_show(
        &mut facts.models[2],
        &json!({"capabilities": ["completion", "insert"], "model_info": {"qwen2.context_length": 32768}}),
    );
    let windows = |facts: &ServerFacts| facts.models.iter().map(|model| model.window_tokens).collect::<Vec<_>>();
    assert_eq!(windows(&facts), [Some(65_536), None, None], "what the Modelfile says, never what it was trained for");
    let loaded = json!({"models": [{"name": "qwen3-coder:30b", "model": "qwen3-coder:30b", "context_length": 32768, "size_vram": 1}]});
    ollama_loaded(&mut facts, &reply(&loaded));
    assert_eq!(windows(&facts), [Some(32_768), None, None], "allocated beats configured");
    let loaded: Vec<Option<bool>> = facts.models.iter().map(|model| model.is_loaded).collect();
    assert_eq!(loaded, [Some(true), Some(false), Some(false)]);
    let fills_in: Vec<Option<bool>> = facts.models.iter().map(|model| model.fills_in).collect();
    assert_eq!(fills_in, [Some(false), Some(false), Some(true)]);
    let sizes: Vec<Option<u64>> = facts.models.iter().map(|model| model.embedding_size).collect();
    assert_eq!(sizes, [None, Some(768), None], "only of a model for vectors");
    assert_eq!(facts.model("nomic-embed-text").map(|model| model.id.as_str()), Some("nomic-embed-text:latest"));
}

#[test]
fn llama_cpp_serves_a_window_for_each_slot() {
    let mut facts = named(&["replay.gguf"]);
    facts.models[0].window_tokens = Some(131_072);
    let props = json!({"total_slots": 4, "default_generation_settings": {"n_ctx": 32768}});
    llama_props(&mut facts, Some(&reply(&props)));
    assert_eq!((facts.slots, facts.models[0].window_tokens), (Some(4), Some(32_768)));
    let before = facts.clone();
    llama_props(&mut facts, Some(&Reply::of(401, &props.to_string())));
    llama_props(&mut facts, None);
    assert_eq!(facts, before);
}

#[test]
fn the_others_tell_in_their_own_fields() {
    let mut facts = named(&["m"]);
    sglang(
        &mut facts,
        &json!({"version": "0.5.23", "tool_call_parser": "qwen3_coder", "context_length": 65536, "max_running_requests": 48}),
    );
    assert_eq!((facts.version.as_deref(), facts.tool_parser.as_deref()), (Some("0.5.23"), Some("qwen3_coder")));
    assert_eq!((facts.slots, facts.models[0].window_tokens), (Some(48), Some(65_536)));
    sglang(&mut facts, &json!({"context_length": null, "tool_call_parser": null}));
    assert_eq!((facts.tool_parser.as_deref(), facts.models[0].window_tokens), (None, Some(65_536)));

    let mut facts = named(&["coder", "embed"]);
    let info = json!({"data": [
        {"model_name": "coder", "model_info": {"max_input_tokens": 131_072, "max_tokens": 8192}},
        {"model_name": "embed", "model_info": {"max_input_tokens": 2048, "output_vector_size": 768}},
        {"model_name": "unheard of"}]});
    lite_llm(&mut facts, &reply(&info));
    assert_eq!((facts.models[0].window_tokens, facts.models[1].embedding_size), (Some(131_072), Some(768)));

    // Recorded from Triton 2.51.0.
    assert_eq!(
        triton_names(&json!([{"name": "nomic-embed-text", "version": "1", "state": "READY"},
        {"name": "nomic-embed-text", "version": "2", "state": "READY"}, {"name": "broken", "state": "UNAVAILABLE"}])),
        ["nomic-embed-text"]
    );
    let meta = json!({"name": "nomic-embed-text", "inputs": [{"name": "text", "datatype": "BYTES", "shape": [-1, 1]}],
        "outputs": [{"name": "embedding", "datatype": "FP32", "shape": [-1, 768]}]});
    assert_eq!(triton_model("nomic-embed-text", &meta).embedding_size, Some(768));
    assert_eq!(triton_model("m", &json!({"error": "unknown model"})).embedding_size, None);
}

#[test]
fn what_makes_no_sense_leaves_all_unknown() {
    for junk in [
        json!(null),
        json!([]),
        json!({"data": {}}),
        json!({"models": "x"}),
        json!({"data": [1, {"id": 3}]}),
        json!("text"),
    ] {
        let before = named(&["m"]);
        let mut facts = before.clone();
        let junk = reply(&junk);
        ollama_loaded(&mut facts, &junk);
        llama_props(&mut facts, Some(&junk));
        sglang(&mut facts, &junk.json);
        lite_llm(&mut facts, &junk);
        ollama_show(&mut facts.models[0], &junk.json);
        assert_eq!(facts, before, "{junk:?}");
        assert!(listed(Some(&junk)).is_empty() && triton_names(&junk.json).is_empty());
    }
}
