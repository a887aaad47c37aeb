//! Is every dialect of the event stream read as it was meant, wherever the network cuts it?

use mimi::model::assemble::fold;
use mimi::model::chunk::Reader;
use mimi::model::error::ModelError;
use mimi::model::providers::status::Origin;
use mimi::model::sse::Decoder;
use mimi::model::{Answer, StreamEvent};

use super::brief;
use crate::support::wire::WireServer;

pub fn read(pieces: &[&[u8]]) -> Vec<StreamEvent> {
    let (mut decoder, mut reader, mut events) = (Decoder::default(), Reader::new(Origin::default()), Vec::new());
    for piece in pieces {
        decoder.feed(piece, |event| reader.read(&event.name, &event.data, &mut events)).unwrap();
    }
    decoder.finish(|event| reader.read(&event.name, &event.data, &mut events)).unwrap();
    reader.close(&mut events);
    events
}

pub fn judge(events: &[StreamEvent]) -> String {
    match fold(events, "9") {
        Some(answer) => brief(&answer),
        None => match events.last() {
            Some(StreamEvent::Error(ModelError::Broken { what, .. })) => format!("broken: {what}"),
            Some(StreamEvent::Error(error)) => format!("error: {error}"),
            _ => "aborted".to_owned(),
        },
    }
}

/// File, and what it must be read as; several keep the beginning only.
const STREAMS: &[(&str, &str)] = &[
    (
        "vllm/tool_call",
        "Ich lese die Datei – 日本. | Look first. | chatcmpl-tool-8f:read_file{\"path\": \"src/main.rs\"} chatcmpl-tool-90:list_dir{} | 812+41 (768 cached)",
    ),
    ("vllm/keep_alive", "Hello there. |  |  | 5+4 (0 cached)"),
    ("vllm/named_choice_stop", " |  | c1:answer{\"a\":1} | 9+9 (0 cached)"),
    ("vllm/error_midstream", "error: the model server at  is not able to answer now (500 Internal Server Error)"),
    ("vllm/abort", "aborted"),
    ("vllm/length_in_call", " |  | c1:read_file{\"path\":\"a\"} | 9+64 (0 cached) | cut in write_file"),
    ("vllm-rust/tool_call", "On it. |  | call_1:run_tests{\"filter\":\"unit\",\"jobs\":2} | 100+20 (0 cached)"),
    ("sglang/tool_call", "Now. | Hm. | call_a:grep{\"pattern\": \"fn main\"} | 33+11 (0 cached)"),
    ("sglang/error_flat", "error: the model server at  is not able to answer now (503 Service Unavailable)"),
    (
        "llamacpp/tool_call",
        " | Short. | q9Zk3VhB1sXo7TdLr5Wn2YcEf8GjMpUa:edit_file{\"path\":\"a.rs\",\"line\":3} | 850+37 (800 cached)",
    ),
    (
        "llamacpp/prefill",
        "Hello from the scripted model: é, 日本, 😀. No tools were needed. |  |  | 2691+10 (0 cached)",
    ),
    ("llamacpp/timings_only", "Yes. |  |  | 10+2 (7 cached)"),
    ("llamacpp/error_then_end", "error: the model server at  is not able to answer now (500 Internal Server Error)"),
    ("llamacpp/overflow_midstream", "error: the request is longer than the window of ``"),
    (
        "ollama/tool_call",
        "Reading. | Which file? | call_x1:read_file{\"path\":\"README.md\"} call_x2:list_dir{} | 210+30 (0 cached)",
    ),
    ("ollama/failed_midstream", "broken: it ended without a finish reason"),
    ("ollama/think_in_content", "Because. | \nWhy not | "),
    ("shims/no_index_whole_calls", " |  | call_9_0:a{\"n\":1} call_9_1:b{\"n\":2} call_9_2:b{\"n\":3}"),
    ("shims/no_index_one_array", " |  | call_9_0:a{\"n\":1} call_9_1:b{\"n\":2}"),
    ("shims/same_index_new_id", " |  | c1:a{} c2:b{\"x\":1}"),
    ("shims/everything_repeated", " |  | c1:read_file{\"path\":\"a\"}"),
    ("shims/name_split", " |  | c1:read_file{\"path\":\"a\"}"),
    ("shims/cumulative", " |  | c1:a{\"path\":\"x\"}"),
    ("shims/cumulative_two", " |  | c1:a{\"p\":\"x\"}"),
    ("shims/nested_looks_cumulative", " |  | c1:a{\"a\":{\"a\":1}}"),
    ("shims/object_arguments", " |  | c1:a{\"z\":1,\"a\":[true,null]} c2:b{} c3:c{}"),
    ("shims/message_in_last_chunk", "Hi. |  | c1:a{}"),
    ("shims/bare", "No ids, no model. |  |  | 3+0 (0 cached)"),
    ("shims/both_reasoning_names", "Two. | One. | "),
    ("shims/duplicate_ids", " |  | call_0:a{} call_9_1:b{}"),
    ("shims/invalid_arguments", " |  | c1:a{\"path\": \"a"),
    ("shims/unknown_finish", "aborted"),
    ("shims/done_without_finish", "broken: it ended without a finish reason"),
    ("shims/data_after_done", "All. |  | "),
    ("shims/error_string", "broken: model runner has unexpectedly stopped"),
    ("shims/error_event", "broken: upstream timed out"),
    ("shims/not_json", "broken: a piece of it is not JSON"),
    ("shims/null_error_field", "Fine. |  | "),
];

fn load(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/tests/fixtures/wire/{name}.sse", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

#[test]
fn every_dialect_reads_the_same_at_every_cut() {
    for (name, expected) in STREAMS {
        let bytes = load(name);
        let whole = judge(&read(&[&bytes]));
        assert!(whole.starts_with(expected), "{name}\n  is       {whole}\n  expected {expected}");
        for cut in 1..bytes.len() {
            assert_eq!(judge(&read(&[&bytes[..cut], &bytes[cut..]])), whole, "{name} cut at {cut}");
        }
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        assert_eq!(judge(&read(&single)), whole, "{name} byte by byte");
    }
}

#[test]
fn every_fixture_is_in_the_table() {
    let root = format!("{}/tests/fixtures/wire", env!("CARGO_MANIFEST_DIR"));
    for folder in std::fs::read_dir(root).unwrap().map(Result::unwrap).filter(|entry| entry.path().is_dir()) {
        // Those have a table of their own beside them.
        if folder.file_name() == "recorded" {
            continue;
        }
        for file in std::fs::read_dir(folder.path()).unwrap().map(Result::unwrap) {
            if file.path().extension().is_none_or(|end| end != "sse") {
                continue;
            }
            let name = format!("{}/{}", folder.file_name().display(), file.path().file_stem().unwrap().display());
            assert!(
                STREAMS.iter().chain(super::ollama::STREAMS).any(|(known, _)| *known == name),
                "{name} is tested nowhere"
            );
        }
    }
}

/// What is true of a whole answer must not be claimed of a part of it.
#[test]
fn a_stream_that_ends_early_is_never_an_answer() {
    for (name, _) in STREAMS {
        let bytes = load(name);
        let whole = fold(&read(&[&bytes]), "9");
        for end in 0..bytes.len() {
            let part: Option<Answer> = fold(&read(&[&bytes[..end]]), "9");
            let Some(part) = part else { continue };
            let whole = whole.as_ref().unwrap_or_else(|| panic!("{name} is an answer only when cut at {end}"));
            assert_eq!((&part.text, &part.tool_calls), (&whole.text, &whole.tool_calls), "{name} ended at {end}");
        }
    }
}

#[tokio::test]
async fn each_recording_gives_the_same_answer_over_http() {
    for (name, expected) in STREAMS {
        let bytes = load(name);
        let server = WireServer::serve(move |_, out| {
            out.begin_events();
            bytes.chunks(13).for_each(|piece| out.chunk(piece));
            out.end();
        });
        let gateway = super::gateway_at(&server.url(), super::LIMITS).with_retry(super::quick(0));
        let progress = super::ask(&gateway, &super::unchecked_route(&server.url()), super::request("hi")).await;
        match super::outcome(&progress) {
            // The ids mimi gives are numbered by the gateway.
            Ok(answer) => assert!(brief(&answer).replace("call_0_0_", "call_9_").starts_with(expected), "{name}"),
            Err(error) => {
                let start = expected.split(':').next().unwrap();
                assert!(["error", "broken", "aborted"].contains(&start), "{name}: {error}");
            }
        }
    }
}

#[test]
fn how_far_the_server_is_with_the_prompt_is_heard_and_how_long_it_took() {
    let events = read(&[&load("llamacpp/prefill")]);
    let prefill = events.iter().map_while(|event| match event {
        StreamEvent::Prefill { done_tokens, total_tokens } => Some((*done_tokens, *total_tokens)),
        _ => None,
    });
    assert_eq!(prefill.collect::<Vec<_>>(), [(0, 2691), (2048, 2691), (2691, 2691)]);
    let stats = fold(&events, "9").unwrap().stats;
    assert_eq!((stats.queue_ms, stats.prefill_ms, stats.decode_ms), (None, Some(99), Some(3)));
}
