//! Is Ollama spoken to in its own words: what is sent, what is read, and what is made of its errors?

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use mimi::base::fault::Fault;
use mimi::config::schema::{ProviderConfig, ProviderKind, Think};
use mimi::model::assemble::fold;
use mimi::model::error::ModelError;
use mimi::model::fim::Fill;
use mimi::model::gateway::Gateway;
use mimi::model::providers::exchange::Reading as _;
use mimi::model::providers::http::{Http, Limits};
use mimi::model::providers::ollama::body::{Forced, forces_call, render};
use mimi::model::providers::ollama::reader::Reader;
use mimi::model::providers::status::Origin;
use mimi::model::route::Route;
use mimi::model::{Answer, Request, StreamEvent, ToolChoice};
use mimi::protocol::message::{CallId, Message, ToolCall};
use mimi::protocol::task::Task;
use mimi::protocol::tool::ToolSpec;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::{LIMITS, ask, brief, config, outcome, quick, request};
use crate::support::ollama::{CODER, EMBEDDER, OllamaServer, SMALL, Setting};
use crate::support::wire::WireServer;

/// File, and what it must be read as; several keep the beginning only.
pub const STREAMS: &[(&str, &str)] = &[
    (
        "ollama-native/tool_call",
        "Ich lese – 日本. | Which file? | call_x1:read_file{\"path\":\"README.md\"} call_x2:list_dir{} | 210+30 (0 cached)",
    ),
    ("ollama-native/calls_without_ids", " |  | call_9_0:a{\"n\":1} call_9_1:a{\"n\":1} call_9_2:b{} | 210+30"),
    (
        "ollama-native/numbers_and_order",
        " |  | c1:edit{\"z\":1.0,\"a\":1e3,\"big\":12345678901234567890,\"list\":[true,null,-0.0],\"html\":\"<b> & \\\\u003c\",\"z2\":{\"y\":1,\"b\":2}} |",
    ),
    (
        "ollama-native/failed_midstream",
        "garbled: error parsing tool call: XML syntax error on line 5: element <parameter>",
    ),
    ("ollama-native/runner_stopped", "broken: an error was encountered while running the model: unexpected EOF"),
    ("ollama-native/error_only", "broken: model runner has unexpectedly stopped"),
    ("ollama-native/no_done", "broken: it ended without a finish reason"),
    ("ollama-native/cut_words", "Once upon |  |  | 210+30 (0 cached) | cut"),
    ("ollama-native/cut_behind_call", "and |  |  | 210+30 (0 cached) | cut in read_file"),
    ("ollama-native/loaded_only", "aborted"),
    ("ollama-native/unloaded", "aborted"),
    ("ollama-native/swallowed_call", " |  |  | 900+61 (0 cached)"),
    (
        "ollama-native/leaked_call",
        "I look.\n\n<function=read_file>\n<parameter=path>\nsrc/a.rs\n</parameter>\n</function>\n</tool_call> |  |  |",
    ),
    ("ollama-native/think_in_content", "Because. | \nWhy not | "),
    ("ollama-native/old_version", "Hi. |  |  | 0+2 (0 cached)"),
    ("ollama-native/words_in_last_line", "Yes. |  |  | 3+1 (0 cached)"),
    ("ollama-native/carriage_returns", "Hi there. |  | "),
    ("ollama-native/no_line_end", "Hi. |  | "),
    ("ollama-native/string_arguments", " |  | c1:a{\"n\": 1} c2:b{} c3:c{} c4:d{}"),
    ("ollama-native/duplicate_ids", " |  | call_0:a{} call_9_1:b{}"),
    ("ollama-native/null_fields", "Fine. |  | "),
    ("ollama-native/lines_behind_done", "All. |  | "),
    ("ollama-native/not_json", "broken: a line of it is not JSON"),
    ("ollama-native/overflow", "error: the request is longer than the window of ``"),
];

fn load(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/tests/fixtures/wire/{name}.ndjson", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn read(mut reader: Reader, pieces: &[&[u8]]) -> Vec<StreamEvent> {
    let mut events = Vec::new();
    for piece in pieces {
        reader.feed(piece, &mut events).unwrap();
    }
    reader.finish(&mut events).unwrap();
    reader.close(&mut events);
    events
}

fn free() -> Reader {
    Reader::new(Origin::default())
}

fn judge(events: &[StreamEvent]) -> String {
    match fold(events, "9") {
        Some(answer) => brief(&answer),
        None => match events.last() {
            Some(StreamEvent::Error(ModelError::Broken { what, .. })) => format!("broken: {what}"),
            Some(StreamEvent::Error(ModelError::Garbled { source, .. })) => format!("garbled: {source}"),
            Some(StreamEvent::Error(error)) => format!("error: {error}"),
            _ => "aborted".to_owned(),
        },
    }
}

#[test]
fn every_answer_reads_the_same_at_every_cut() {
    for (name, expected) in STREAMS {
        let bytes = load(name);
        let whole = judge(&read(free(), &[&bytes]));
        assert!(whole.starts_with(expected), "{name}\n  is       {whole}\n  expected {expected}");
        for cut in 1..bytes.len() {
            assert_eq!(judge(&read(free(), &[&bytes[..cut], &bytes[cut..]])), whole, "{name} cut at {cut}");
        }
        assert_eq!(judge(&read(free(), &bytes.chunks(1).collect::<Vec<_>>())), whole, "{name} byte by byte");
    }
}

/// What is true of a whole answer must not be claimed of a part of it.
#[test]
fn an_answer_that_ends_early_is_none() {
    for (name, _) in STREAMS {
        let bytes = load(name);
        let whole = fold(&read(free(), &[&bytes]), "9");
        for end in 0..bytes.len() {
            let part: Option<Answer> = fold(&read(free(), &[&bytes[..end]]), "9");
            let Some(part) = part else { continue };
            let whole = whole.as_ref().unwrap_or_else(|| panic!("{name} is an answer only when cut at {end}"));
            assert_eq!((&part.text, &part.tool_calls), (&whole.text, &whole.tool_calls), "{name} ended at {end}");
        }
    }
}

#[test]
fn the_servers_own_times_are_kept() {
    let answer = fold(&read(free(), &[&load("ollama-native/tool_call")]), "9").unwrap();
    let stats = answer.stats;
    assert_eq!((stats.queue_ms, stats.prefill_ms, stats.decode_ms), (Some(42), Some(1200), Some(900)));
}

#[tokio::test]
async fn each_recording_gives_the_same_answer_over_http() {
    // As Ollama names it, as a proxy that knows no such type does, and without any.
    for content_type in ["application/x-ndjson", "application/json; charset=utf-8", "application/octet-stream"] {
        for (name, expected) in STREAMS {
            let bytes = load(name);
            let server = WireServer::serve(move |_, out| {
                out.begin_chunked(content_type);
                bytes.chunks(13).for_each(|piece| out.chunk(piece));
                out.end();
            });
            let gateway = gateway(&server.root_url(), LIMITS).with_retry(quick(0));
            match outcome(&ask(&gateway, &route_to("m"), request("hi")).await) {
                // The ids mimi gives are numbered by the gateway.
                Ok(answer) => assert!(brief(&answer).replace("call_0_0_", "call_9_").starts_with(expected), "{name}"),
                Err(error) => {
                    let start = expected.split(':').next().unwrap();
                    assert!(["error", "broken", "garbled", "aborted"].contains(&start), "{name}: {error}");
                }
            }
        }
    }
}

fn row(url: &str) -> ProviderConfig {
    ProviderConfig { api_key_env: "TEST_KEY".to_owned(), ..ProviderConfig::new(ProviderKind::Ollama, url) }
}

/// A gateway whose provider `box` is the Ollama at `url`.
fn gateway_of(row: ProviderConfig, limits: Limits) -> Gateway {
    let mut config = config("");
    config.providers.insert("box".to_owned(), row);
    config.routes = Task::ALL.iter().map(|task| (*task, "box/qwen3-coder:30b".into())).collect();
    Gateway::new(config, Box::new(|_, _| None), Http::new(limits).unwrap()).with_retry(quick(4))
}

fn gateway(url: &str, limits: Limits) -> Gateway {
    gateway_of(row(url), limits)
}

fn route_to(model: &str) -> Route {
    Route { provider: "box".to_owned(), model: model.to_owned(), ..super::unchecked_route("http://box") }
}

fn tool(name: &str, parameters: Value) -> ToolSpec {
    ToolSpec { name: name.to_owned(), description: format!("Does {name}."), parameters }
}

/// A conversation with everything in it.
fn conversation() -> Request {
    let call = |id: &str, arguments: &str| ToolCall {
        id: CallId(id.to_owned()),
        name: "read_file".to_owned(),
        arguments: arguments.to_owned(),
    };
    let tool_calls = vec![call("c1", "{\"z\": 1.0, \"a\": 1e3}"), call("c2", "{\"path"), call("c3", "[1]")];
    let result = |id: &str| Message::Tool {
        call_id: CallId(id.to_owned()),
        name: "read_file".to_owned(),
        text: "text".to_owned(),
    };
    let messages = vec![
        Message::System { text: "s".to_owned() },
        Message::user("u"),
        Message::Assistant { text: String::new(), tool_calls },
        result("c1"),
        result("c2"),
        result("c3"),
    ];
    let tools = vec![
        tool("read_file", json!({"type": "object", "properties": {"z": {"type": "number"}}, "required": ["z"]})),
        tool("now", json!({"type": "object"})),
        tool("stop", Value::Null),
    ];
    Request { tools: Arc::from(tools), messages: messages.into(), temperature: Some(0.5), ..request("") }
}

fn body(request: &Request, forced: Forced) -> String {
    String::from_utf8(render(request, forced).unwrap()).unwrap()
}

#[test]
fn a_request_is_worded_as_ollama_wants_it_and_grows_at_its_end() {
    let expected = concat!(
        r#"{"model":"script","stream":true,"truncate":false,"options":{"num_predict":100,"temperature":0.5},"tools":["#,
        r#"{"type":"function","function":{"name":"read_file","description":"Does read_file.","parameters":{"type":"object","properties":{"z":{"type":"number"}},"required":["z"]}}},"#,
        r#"{"type":"function","function":{"name":"now","description":"Does now.","parameters":{"type":"object","properties":{}}}},"#,
        r#"{"type":"function","function":{"name":"stop","description":"Does stop.","parameters":{"type":"object","properties":{}}}}],"#,
        r#""messages":[{"role":"system","content":"s"},{"role":"user","content":"u"},{"role":"assistant","content":"","tool_calls":["#,
        r#"{"id":"c1","function":{"name":"read_file","arguments":{"z": 1.0, "a": 1e3}}},"#,
        r#"{"id":"c2","function":{"name":"read_file","arguments":{}}},{"id":"c3","function":{"name":"read_file","arguments":{}}}]},"#,
        r#"{"role":"tool","tool_name":"read_file","tool_call_id":"c1","content":"text"},"#,
        r#"{"role":"tool","tool_name":"read_file","tool_call_id":"c2","content":"text"},"#,
        r#"{"role":"tool","tool_name":"read_file","tool_call_id":"c3","content":"text"}]}"#,
    );
    assert_eq!(body(&conversation(), Forced::default()), expected);
    let bare = body(&request("hi"), Forced::default());
    assert!(!bare.contains("tools") && !bare.contains("temperature") && !bare.contains("format"), "{bare}");
}

#[test]
fn the_window_and_thinking_are_named_only_when_the_user_forces_them() {
    let plain = body(&conversation(), Forced::default());
    for word in ["num_ctx", "shift", "think", "keep_alive"] {
        assert!(!plain.contains(word), "{word}");
    }
    for (think, expected) in [
        (Think::Off, json!(false)),
        (Think::On, json!(true)),
        (Think::Low, json!("low")),
        (Think::Medium, json!("medium")),
        (Think::High, json!("high")),
    ] {
        let forced = Forced { num_ctx: Some(65_536), think: Some(think) };
        let sent: Value = serde_json::from_str(&body(&conversation(), forced)).unwrap();
        assert_eq!((&sent["think"], &sent["options"]["num_ctx"]), (&expected, &json!(65_536)));
    }
}

#[test]
fn a_schema_holds_the_model_to_an_answer_or_to_a_call() {
    let schema = json!({"type": "object", "properties": {"ok": {"type": "boolean"}}});
    let answer = Request { answer_schema: Some(Arc::new(schema.clone())), ..request("hi") };
    let sent: Value = serde_json::from_str(&body(&answer, Forced::default())).unwrap();
    assert_eq!(sent["format"], schema);
    let forced = Request { tool_choice: ToolChoice::Required, ..conversation() };
    let sent: Value = serde_json::from_str(&body(&forced, Forced::default())).unwrap();
    let calls = sent["format"]["oneOf"].as_array().unwrap();
    assert_eq!(calls.len(), 3);
    assert_eq!(calls[0]["properties"]["name"], json!({"const": "read_file"}));
    assert_eq!(calls[0]["properties"]["arguments"]["required"], json!(["z"]));
    assert_eq!(calls[2]["properties"]["arguments"], json!({"type": "object", "properties": {}}));
    assert_eq!(calls[0]["required"], json!(["name", "arguments"]));
    assert!(sent["tools"].is_array() && sent.get("tool_choice").is_none(), "the prompt stays the same");
    let without_tools = Request { tool_choice: ToolChoice::Required, ..request("hi") };
    assert!(!forces_call(&without_tools));
}

#[test]
fn a_call_that_was_forced_by_a_schema_becomes_a_call() {
    let line = |content: &str, done: bool| {
        let message = json!({"role": "assistant", "content": content});
        json!({"message": message, "done": done, "done_reason": "stop"}).to_string() + "\n"
    };
    let cut = |content: &str| line(content, true).replace("\"stop\"", "\"length\"");
    let table = [
        (
            line("{\"name\": \"read_file\", \"arg", false) + &line("uments\": {\"b\": 1.0, \"a\": 2}}", true),
            " |  | call_9_0:read_file{\"b\": 1.0, \"a\": 2}",
        ),
        (line("{\"name\": \"now\"}", true), " |  | call_9_0:now{}"),
        (line("I cannot.", true), "I cannot. |  | "),
        (line("", true), " |  | "),
        (cut("{\"name\": \"write_file\", \"arguments\": {\"con"), " |  |  | cut in write_file"),
        (cut("{\"na"), " |  |  | cut in unknown"),
        // What Ollama found itself is taken as it is.
        (
            load_text("ollama-native/tool_call").replace("Ich lese – 日本", "").replace("\".\"", "\"\""),
            " | Which file? | call_x1:read_file{\"path\":\"README.md\"} call_x2:list_dir{}",
        ),
    ];
    for (lines, expected) in table {
        let whole = judge(&read(Reader::of_call(Origin::default()), &[lines.as_bytes()]));
        assert!(whole.starts_with(expected), "{lines}\n{whole}");
        let single = judge(&read(Reader::of_call(Origin::default()), &lines.as_bytes().chunks(1).collect::<Vec<_>>()));
        assert_eq!(single, whole);
    }
}

fn load_text(name: &str) -> String {
    String::from_utf8(load(name)).unwrap()
}

#[tokio::test]
async fn a_call_is_forced_over_the_wire() {
    let server = OllamaServer::playing("turns: [{say: '{\"name\": \"now\", \"arguments\": {}}'}]");
    let gateway = gateway(&server.url(), LIMITS);
    let forced = Request { tool_choice: ToolChoice::Required, model: CODER.name.to_owned(), ..conversation() };
    let answer = outcome(&ask(&gateway, &route_to(CODER.name), forced).await).unwrap();
    assert_eq!((answer.text.as_str(), answer.tool_calls[0].name.as_str()), ("", "now"));
    assert!(server.wire.requests()[0]["format"]["oneOf"].is_array());
}

#[tokio::test]
async fn the_window_is_the_one_that_is_allocated() {
    let server = OllamaServer::playing("turns: [{say: hi}]");
    let gateway = gateway(&server.url(), LIMITS);
    let windows = |models: Vec<mimi::model::ModelInfo>| models.into_iter().map(|m| m.window_tokens).collect::<Vec<_>>();
    assert_eq!(windows(gateway.models("box").await.unwrap()), [None, None, None], "nothing is loaded");
    server.load(CODER.name);
    assert_eq!(windows(gateway.models("box").await.unwrap()), [Some(32_768), None, None]);
    let route = gateway.resolve(Task::Chat, None).await.unwrap();
    assert_eq!((route.window_tokens, route.url.as_str()), (32_768, server.url().as_str()));
    // Forced, the number is also the window of what is to be loaded.
    let forced = gateway_of(ProviderConfig { num_ctx: Some(65_536), ..row(&server.url()) }, LIMITS);
    assert_eq!(windows(forced.models("box").await.unwrap()), [Some(65_536), Some(65_536), None]);
    let old = Setting { is_old: true, ..Setting::default() };
    let old = OllamaServer::with(old, "turns: []");
    old.load(CODER.name);
    assert_eq!(windows(self::gateway(&old.url(), LIMITS).models("box").await.unwrap()), [None, None, None]);
}

#[tokio::test]
async fn no_request_makes_it_load_a_model_anew_unless_that_is_forced() {
    let server = OllamaServer::playing("turns: [{say: a}, {say: b}, {say: c}, {say: d}]");
    let (route, hi) = (route_to(CODER.name), || Request { model: CODER.name.to_owned(), ..request("hi") });
    let plain = gateway(&server.url(), LIMITS);
    for _ in 0..2 {
        outcome(&ask(&plain, &route, hi()).await).unwrap();
    }
    assert_eq!(server.loads(), 1);
    let forced = gateway_of(ProviderConfig { num_ctx: Some(65_536), ..row(&server.url()) }, LIMITS);
    outcome(&ask(&forced, &route, hi()).await).unwrap();
    outcome(&ask(&plain, &route, hi()).await).unwrap();
    assert_eq!(server.loads(), 3, "this is what the warning in providers.yaml is about");
}

#[tokio::test]
async fn calls_come_whole_with_ids_of_ollama_or_of_ours() {
    let turns = "turns: [{calls: [{name: a, arguments: {z: 1.5, b: [x]}}, {name: a, arguments: {z: 1.5, b: [x]}}]}]";
    for (is_old, first, second) in [(false, "call_1_0", "call_1_1"), (true, "call_1_0_0", "call_1_0_1")] {
        let server = OllamaServer::with(Setting { is_old, ..Setting::default() }, turns);
        let request = Request { model: CODER.name.to_owned(), ..conversation() };
        let answer = outcome(&ask(&gateway(&server.url(), LIMITS), &route_to(CODER.name), request).await).unwrap();
        let calls: Vec<(&str, &str)> =
            answer.tool_calls.iter().map(|call| (call.id.0.as_str(), call.arguments.as_str())).collect();
        let arguments = "{\"z\":1.5,\"b\":[\"x\"]}";
        assert_eq!(calls, [(first, arguments), (second, arguments)]);
    }
}

#[tokio::test]
async fn a_prompt_that_is_too_long_is_refused_and_the_window_learned() {
    let small = Setting { context_length: 4096, ..Setting::default() };
    let server = OllamaServer::with(small, "turns: [{say: hi}]");
    let long = Request { model: CODER.name.to_owned(), ..request(&"word ".repeat(5000)) };
    let error = outcome(&ask(&gateway(&server.url(), LIMITS), &route_to(CODER.name), long.clone()).await).unwrap_err();
    assert!(
        matches!(&error, ModelError::TooLong { window_tokens: Some(4096), model, .. } if model == CODER.name),
        "{error:?}"
    );
    assert_eq!(server.wire.requests().len(), 1, "not sent again");
    // The same on the common wire: an answer to a prompt whose beginning is gone, seen in its count only.
    let common = super::gateway_at(&server.wire.url(), LIMITS);
    let route = super::unchecked_route(&server.wire.url());
    let answer = outcome(&ask(&common, &route, long).await).unwrap();
    assert_eq!((answer.text.as_str(), answer.usage.input_tokens), ("hi", 4096));
}

#[tokio::test]
async fn what_passes_is_asked_again_and_what_lasts_is_said() {
    let hi = || Request { model: CODER.name.to_owned(), ..request("hi") };
    let busy = OllamaServer::with(Setting { full_for: 2, ..Setting::default() }, "turns: [{say: at last}]");
    let answer = outcome(&ask(&gateway(&busy.url(), LIMITS), &route_to(CODER.name), hi()).await).unwrap();
    assert_eq!((answer.text.as_str(), busy.wire.requests().len()), ("at last", 3));
    let full = OllamaServer::with(Setting { full_for: 9, ..Setting::default() }, "turns: []");
    let gateway_once = |url: &str| gateway(url, LIMITS).with_retry(quick(0));
    let error = outcome(&ask(&gateway_once(&full.url()), &route_to(CODER.name), hi()).await).unwrap_err();
    let fault = Fault::from(error);
    assert_eq!(fault.causes, ["server busy, please try again. maximum pending requests exceeded"]);
    // In the middle of an answer, with and without words of the error.
    for turns in [
        "turns: [{say: 'half <tool_call> <function=a> </tool_call>'}, {say: whole}]",
        "turns: [{say: half, error: {status: 500, body: model runner has unexpectedly stopped}}, {say: whole}]",
        "turns: [{say: half, drop_after: 1}, {say: whole}]",
        "turns: [{say: '', finish: abort}, {say: whole}]",
    ] {
        let server = OllamaServer::playing(turns);
        let answer = outcome(&ask(&gateway(&server.url(), LIMITS), &route_to(CODER.name), hi()).await).unwrap();
        assert_eq!((answer.text.as_str(), server.wire.requests().len()), ("whole", 2), "{turns}");
    }
}

#[tokio::test]
async fn every_refusal_says_what_to_do() {
    let table = [
        (404, r#"{"error":"model 'm' not found"}"#, "has no model `m`"),
        (404, r#"{"error":"model \"m\" not found, try pulling it first"}"#, "has no model `m`"),
        (400, r#"{"error":"registry.ollama.ai/library/m does not support tools"}"#, "does not support tools"),
        (
            400,
            r#"{"error":"invalid think value: \"on\" (must be \"high\", \"medium\", \"low\", true, or false)"}"#,
            "invalid think value",
        ),
        (499, r#"{"error":"request cancelled"}"#, "not able to answer now (499"),
        (
            500,
            r#"{"error":"llama runner process has terminated: exit status 2"}"#,
            "llama runner process has terminated",
        ),
        (
            404,
            "404 page not found",
            "is it Ollama? any other server is of the kind `openai`, with a base URL that ends in /v1",
        ),
        (200, r#"{"object":"list"}"#, "is no model server"),
        (200, "<html><title>Router</title>", "a web page titled `Router`"),
    ];
    for (status, body, expected) in table {
        let content_type = if body.starts_with('<') { "text/html" } else { "application/json" };
        let body = body.to_owned();
        let server = WireServer::serve(move |_, out| out.whole(status, content_type, body.as_bytes()));
        let gateway = gateway(&server.root_url(), LIMITS).with_retry(quick(0));
        let request = Request { model: "m".to_owned(), ..request("hi") };
        let error = outcome(&ask(&gateway, &route_to("m"), request).await).unwrap_err();
        let fault = Fault::from(error).to_string();
        assert!(fault.contains(expected), "{fault}");
    }
    let server = OllamaServer::playing("turns: []");
    let request = Request { model: "qwen3-coder:31b".to_owned(), ..request("hi") };
    let error = outcome(&ask(&gateway(&server.url(), LIMITS), &route_to("x"), request).await).unwrap_err();
    assert_eq!(Fault::from(error).hints.last().unwrap(), "try: --model qwen3-coder:30b");
}

#[tokio::test]
async fn waits_end_at_their_limits() {
    let short = Duration::from_millis(150);
    let soon = Limits { connect: Duration::from_secs(5), first_byte: short, idle: short, list: short };
    let line = b"{\"message\":{\"role\":\"assistant\",\"content\":\"half\"},\"done\":false}\n";
    for n_lines in [0, 1] {
        let server = WireServer::serve(move |_, out| {
            out.begin_chunked("application/x-ndjson");
            (0..n_lines).for_each(|_| out.chunk(line));
            out.hang();
        });
        let gateway = gateway(&server.root_url(), soon).with_retry(quick(0));
        let error = outcome(&ask(&gateway, &route_to("m"), request("hi")).await).unwrap_err();
        assert!(error.to_string().contains("nothing came for"), "{error}");
        server.wait_for_hangup().await;
    }
}

#[tokio::test]
async fn cancelling_closes_the_connection() {
    let server = OllamaServer::playing("turns: [{say: Half of it, stall: true}]");
    let cancel = CancellationToken::new();
    let hi = Request { model: CODER.name.to_owned(), ..request("hi") };
    let gateway = gateway(&server.url(), LIMITS);
    let mut progress = gateway.stream(&route_to(CODER.name), hi, cancel.clone());
    progress.next().await.unwrap();
    cancel.cancel();
    let rest: Vec<_> = progress.collect().await;
    assert!(matches!(outcome(&rest), Err(ModelError::Cancelled)));
    server.wire.wait_for_hangup().await;
}

#[tokio::test]
async fn a_line_without_end_breaks_the_answer_off() {
    let server = WireServer::serve(|_, out| {
        out.begin_chunked("application/x-ndjson");
        let block = vec![b'x'; 1024 * 1024];
        (0..50).for_each(|_| out.chunk(&block));
        out.end();
    });
    let gateway = gateway(&server.root_url(), LIMITS).with_retry(quick(0));
    let error = outcome(&ask(&gateway, &route_to("m"), request("hi")).await).unwrap_err();
    assert!(error.to_string().contains("longer than 16777216 bytes"), "{error}");
}

#[tokio::test]
async fn vectors_come_in_the_order_of_the_texts_and_no_text_is_cut() {
    let server = OllamaServer::playing("turns: []");
    let (gateway, route) = (gateway(&server.url(), LIMITS), route_to(EMBEDDER.name));
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    let cancel = CancellationToken::new();
    let vectors = gateway.embed(&route, texts(&["a", "bcd"]), &cancel).await.unwrap();
    // One unit long: the server's [1, 0.5, -1] and [3, 0.5, -1].
    let expected: [[f32; 3]; 2] = [[2.0 / 3.0, 1.0 / 3.0, -2.0 / 3.0], [6.0, 1.0, -2.0].map(|n| n / 41.0f32.sqrt())];
    let is_near = |(a, b): (&f32, &f32)| (a - b).abs() < 1e-6;
    assert!(vectors.iter().flatten().zip(expected.iter().flatten()).all(is_near), "{vectors:?}");
    let sent: Value = serde_json::from_slice(&server.wire.received()[0].body).unwrap();
    assert_eq!(sent, json!({"model": EMBEDDER.name, "truncate": false, "input": ["a", "bcd"]}));
    let error = gateway.embed(&route, texts(&["a", &"long ".repeat(3000)]), &cancel).await.unwrap_err();
    assert!(matches!(&error, ModelError::TextTooLong { model, .. } if model == EMBEDDER.name), "{error:?}");
    let error = gateway.embed(&route_to(CODER.name), texts(&["a"]), &cancel).await.unwrap_err();
    assert_eq!(Fault::from(error).causes, ["this model does not support embeddings"]);
    for body in [
        json!({"embeddings": [[1.0]]}),
        json!({"embeddings": [[1.0], [1.0, 2.0]]}),
        json!({"embeddings": [[1.0], ["x"]]}),
        json!({"embeddings": [[], []]}),
        json!({"embedding": [1.0]}),
    ] {
        let server = WireServer::serve(move |_, out| out.whole(200, "application/json", body.to_string().as_bytes()));
        let gateway = self::gateway(&server.root_url(), LIMITS);
        let error = gateway.embed(&route, texts(&["a", "b"]), &cancel).await.unwrap_err();
        assert!(matches!(error, ModelError::Unusable { .. } | ModelError::VectorSize { .. }), "{error}");
    }
}

/// A gap with its sides.
fn gap(prefix: &str, suffix: &str) -> Fill {
    Fill {
        model: String::new(),
        prefix: prefix.to_owned(),
        suffix: suffix.to_owned(),
        max_tokens: 64,
        stop: vec!["\n\n".to_owned()],
    }
}

#[tokio::test]
async fn a_gap_is_filled_by_the_template_or_past_it() {
    let server = OllamaServer::playing("turns: []");
    let (gateway, cancel) = (gateway(&server.url(), LIMITS), CancellationToken::new());
    let filling = gateway.fill(&route_to(SMALL.name), gap("fn a(", ")"), &cancel).await.unwrap();
    assert_eq!((filling.text.as_str(), filling.is_cut, filling.usage.output_tokens), ("filling", false, 2));
    let sent = |n: usize| serde_json::from_slice::<Value>(&server.wire.received()[n].body).unwrap();
    let first = sent(0);
    assert_eq!((&first["prompt"], &first["suffix"], &first["stream"]), (&json!("fn a("), &json!(")"), &json!(false)));
    assert_eq!((&first["options"]["temperature"], &first["options"]["num_predict"]), (&json!(0), &json!(64)));
    let stops = first["options"]["stop"].as_array().unwrap();
    assert!(stops.contains(&json!("\n\n")) && stops.contains(&json!("<|file_sep|>")), "{stops:?}");
    // A template without a place for it, for a model that knows the tokens all the same.
    let filling = gateway.fill(&route_to(CODER.name), gap("fn a(", ")"), &cancel).await.unwrap();
    assert_eq!(filling.text, "raw filling");
    let raw = sent(2);
    assert_eq!(raw["prompt"], "<|fim_prefix|>fn a(<|fim_suffix|>)<|fim_middle|>");
    assert!(raw["raw"] == true && raw.get("suffix").is_none());
    let error = gateway.fill(&route_to(EMBEDDER.name), gap("a", "b"), &cancel).await.unwrap_err();
    assert!(Fault::from(error).causes[0].contains("does not support insert"));
    cancel.cancel();
    let error = gateway.fill(&route_to(SMALL.name), gap("a", "b"), &cancel).await.unwrap_err();
    assert!(matches!(error, ModelError::Cancelled));
}

/// The path of the last question to a model; how the server is gets asked on the side.
fn last_path(server: &OllamaServer) -> String {
    let posted = server.wire.received().into_iter().rfind(|request| request.method == "POST");
    posted.unwrap().path
}

#[tokio::test]
async fn any_address_of_an_ollama_is_enough() {
    for path in ["", "/", "/v1", "/v1/"] {
        let server = OllamaServer::playing("turns: [{say: hi}]");
        let gateway = super::gateway_at(&format!("{}{path}", server.url()), LIMITS);
        let route = gateway.resolve(Task::Chat, Some(CODER.name)).await.unwrap();
        let hi = Request { model: CODER.name.to_owned(), ..request("hi") };
        assert_eq!(outcome(&ask(&gateway, &route, hi).await).unwrap().text, "hi");
        assert_eq!(last_path(&server), "/api/chat", "{path}");
    }
}

#[tokio::test]
async fn whoever_names_the_common_wire_keeps_it() {
    let server = OllamaServer::playing("turns: [{say: hi}]");
    let row = ProviderConfig { kind: ProviderKind::Openai, ..row(&server.wire.url()) };
    let gateway = gateway_of(row, LIMITS);
    let route = gateway.resolve(Task::Chat, None).await.unwrap();
    let hi = Request { model: CODER.name.to_owned(), ..request("hi") };
    assert_eq!(outcome(&ask(&gateway, &route, hi).await).unwrap().text, "hi");
    assert_eq!(last_path(&server), "/v1/chat/completions");
}

#[tokio::test]
async fn a_forced_window_counts_from_the_first_request_on() {
    let server = OllamaServer::playing("turns: []");
    server.load(CODER.name);
    let gateway = gateway_of(ProviderConfig { num_ctx: Some(65_536), ..row(&server.url()) }, LIMITS);
    assert_eq!(gateway.resolve(Task::Chat, None).await.unwrap().window_tokens, 65_536);
}
