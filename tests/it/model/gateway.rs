//! Does an answer arrive whole in spite of failures, the same in process and on the wire?

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use mimi::base::fault::Fault;
use mimi::model::ask::Progress;
use mimi::model::error::ModelError;
use mimi::model::providers::script::Script;
use mimi::model::retry::Retry;
use mimi::protocol::message::{CallId, Message, ToolCall};
use mimi::protocol::tool::ToolSpec;
use mimi::protocol::wait::WaitState;
use tokio_util::sync::CancellationToken;

use super::{Face, LIMITS, answer, ask, brief, gateway_at, outcome, quick, request, route, unchecked_route};
use crate::support::wire::WireServer;

#[tokio::test]
async fn turns_arrive_as_the_script_says() {
    let table = [
        ("{say: Hello wörld., usage: {input: 10, output: 3, cached: 8}}", "Hello wörld. |  |  | 10+3 (8 cached)"),
        ("{think: Let me see., say: Done., chunk: 1}", "Done. | Let me see. | "),
        (
            "{calls: [{name: read_file, arguments: {path: a b, n: 2}, id: c1}, {name: list_dir}]}",
            " |  | c1:read_file{\"path\":\"a b\",\"n\":2} call_0_0_1:list_dir{}",
        ),
        ("{calls: [{name: shell, arguments: '{\"broken', id: c1}]}", " |  | c1:shell{\"broken"),
        ("{say: Too lo, finish: length}", "Too lo |  |  | cut"),
        ("{calls: [{name: write_file, arguments: '{\"path\":'}], finish: length}", " |  |  | cut in write_file"),
    ];
    for (turn, expected) in table {
        for (face, gateway) in Face::both(&format!("turns: [{turn}]")) {
            let answer = answer(&gateway, "hi").await.unwrap();
            assert_eq!(brief(&answer), expected, "{turn} {}", face.name());
        }
    }
}

#[tokio::test]
async fn text_streams_before_the_answer_is_done() {
    for (face, gateway) in Face::both("turns: [{think: abc, say: 0123456789abcdef, chunk: 4}]") {
        let route = route(&gateway).await;
        let progress = ask(&gateway, &route, request("hi")).await;
        let texts = progress.iter().filter(|p| matches!(p, Progress::Text(_))).count();
        let thoughts = progress.iter().filter(|p| matches!(p, Progress::Reasoning(_))).count();
        assert_eq!((texts, thoughts, progress.len()), (4, 1, 6), "{}", face.name());
    }
}

#[tokio::test]
async fn what_may_pass_is_asked_again_and_void_words_are_taken_back() {
    let failures = [
        ("error: {status: 503, body: {error: {message: busy}}}", false),
        ("error: {status: 500, body: oops}", false),
        ("error: {status: 429, body: slow down}", false),
        ("say: half an, error: {status: 500, body: {error: {message: crash, code: 500}}}", true),
        ("say: half an, finish: none", true),
        ("say: half an, finish: abort", true),
        ("say: half an, drop_after: 1", true),
    ];
    for (failure, shows_words) in failures {
        for (face, gateway) in Face::both(&format!("turns: [{{{failure}}}, {{{failure}}}, {{say: whole}}]")) {
            let route = route(&gateway).await;
            let progress = ask(&gateway, &route, request("hi")).await;
            assert_eq!(outcome(&progress).unwrap().text, "whole", "{failure} {}", face.name());
            let count = |is: fn(&Progress) -> bool| progress.iter().filter(|p| is(p)).count();
            assert_eq!(count(|p| matches!(p, Progress::Retrying { .. })), 2, "{failure} {}", face.name());
            let resets = if shows_words { 2 } else { 0 };
            assert_eq!(count(|p| matches!(p, Progress::Reset)), resets, "{failure} {}", face.name());
            assert_eq!(face.n_requests(), 3);
        }
    }
}

#[tokio::test]
async fn what_will_not_pass_is_asked_once() {
    let table = [
        ("{status: 400, body: {error: {message: no}}}", "refused the request (400)"),
        ("{status: 401, body: {error: Unauthorized}}", "refused the key (401)"),
        ("{status: 404, body: {error: {message: model `script` not found}}}", "has no model `script`"),
        ("{status: 400, body: {error: {message: prompt is longer than the context length}}}", "longer than the window"),
    ];
    for (failure, words) in table {
        for (face, gateway) in Face::both(&format!("turns: [{{error: {failure}}}, {{say: never}}]")) {
            let error = answer(&gateway, "hi").await.unwrap_err();
            assert!(error.to_string().contains(words), "{failure} {}: {error}", face.name());
            assert_eq!(face.n_requests(), 1);
        }
    }
}

#[tokio::test]
async fn a_server_that_stays_broken_is_given_up_after_the_configured_number() {
    for (face, gateway) in Face::both("turns: [{error: {status: 503}}, {error: {status: 503}}, {error: {status: 503}}]")
    {
        let gateway = gateway.with_retry(quick(2));
        assert!(matches!(answer(&gateway, "hi").await, Err(ModelError::Busy { .. })), "{}", face.name());
        assert_eq!(face.n_requests(), 3);
    }
}

#[tokio::test]
async fn who_has_patience_waits_for_a_busy_server_beyond_the_number_and_for_no_other() {
    let busy = "{error: {status: 503}}, ".repeat(14);
    let patient = Retry { patience: Duration::from_secs(60), ..quick(2) };
    for (face, gateway) in Face::both(&format!("turns: [{busy}{{say: at last}}]")) {
        assert!(answer(&gateway.with_retry(patient), "hi").await.is_ok(), "{}", face.name());
        assert_eq!(face.n_requests(), 15, "{}", face.name());
    }
    for (face, gateway) in Face::both("turns: [{error: {status: 401}}, {say: never}]") {
        assert!(answer(&gateway.with_retry(patient), "hi").await.is_err(), "{}", face.name());
    }
}

/// llama.cpp's own reader of its model's words gives up now and then; a second try often comes out well.
#[tokio::test]
async fn what_the_server_could_not_read_of_its_model_is_asked_again_once() {
    let grammar =
        "{error: {message: 'Unexpected empty grammar stack after accepting piece: x', type: server_error, code: 500}}";
    let peg =
        "{error: {message: 'The model produced output that does not match the expected peg-native format', code: 500}}";
    for body in [grammar, peg] {
        for before in ["", "say: half an, "] {
            let failure = format!("{{{before}error: {{status: 500, body: {body}}}}}");
            for (face, gateway) in Face::both(&format!("turns: [{failure}, {{say: whole}}]")) {
                assert_eq!(answer(&gateway, "hi").await.unwrap().text, "whole", "{}", face.name());
            }
            let busy = "{error: {status: 503}}";
            for (face, gateway) in Face::both(&format!("turns: [{busy}, {failure}, {failure}, {{say: never}}]")) {
                let error = answer(&gateway, "hi").await.unwrap_err();
                assert!(matches!(error, ModelError::Garbled { .. }), "{error:?}");
                assert_eq!(face.n_requests(), 3, "{}", face.name());
            }
        }
    }
}

#[tokio::test]
async fn who_has_waited_too_long_is_not_sent_back_to_the_queue() {
    for (face, gateway) in Face::both("turns: [{error: {status: 503}}, {say: never}]") {
        let gateway = gateway.with_retry(Retry { within: Duration::ZERO, ..quick(4) });
        assert!(answer(&gateway, "hi").await.is_err(), "{}", face.name());
    }
}

#[tokio::test]
async fn a_stream_cut_at_every_event_is_asked_again_until_whole() {
    let turn = "think: hm hm hm, say: some words, calls: [{name: shell, arguments: {command: ls -la}, id: c1}]";
    let whole = Script::parse(&format!("turns: [{{{turn}}}]")).unwrap().turns[0].events().len();
    for cut in 0..whole - 1 {
        for (face, gateway) in Face::both(&format!("turns: [{{{turn}, drop_after: {cut}}}, {{{turn}}}]")) {
            let route = route(&gateway).await;
            let progress = ask(&gateway, &route, request("hi")).await;
            let answer = outcome(&progress).unwrap();
            assert_eq!(
                brief(&answer),
                "some words | hm hm hm | c1:shell{\"command\":\"ls -la\"}",
                "{cut} {}",
                face.name()
            );
            assert_eq!(progress.iter().any(|p| matches!(p, Progress::Reset)), cut > 0, "{cut} {}", face.name());
            let after = progress.iter().rposition(|p| matches!(p, Progress::Retrying { .. })).unwrap();
            let shown: String = progress[after..]
                .iter()
                .filter_map(|p| if let Progress::Text(t) = p { Some(t.as_str()) } else { None })
                .collect();
            assert_eq!(shown, "some words", "what is shown after the last reset is the answer");
        }
    }
}

#[tokio::test]
async fn retry_after_is_the_least_wait() {
    for (face, gateway) in Face::both("turns: [{error: {status: 503, retry_after_s: 1000}}, {say: never}]") {
        let route = route(&gateway).await;
        let cancel = CancellationToken::new();
        let mut stream = gateway.stream(&route, request("hi"), cancel.clone());
        let Some(Progress::Retrying { wait_ms, attempt: 1, max: 4, error }) = stream.next().await else {
            panic!("no retry")
        };
        assert!((60_000..60_101).contains(&wait_ms), "{wait_ms} {}", face.name());
        assert!(error.contains("503 Service Unavailable"), "{error}");
        cancel.cancel();
        assert!(
            matches!(stream.next().await, Some(Progress::Failed(ModelError::Cancelled))),
            "cancelled while waiting"
        );
        assert!(stream.next().await.is_none());
    }
}

#[tokio::test]
async fn an_interrupt_is_heard_everywhere() {
    for (face, gateway) in Face::both("turns: [{say: words, stall: true}]") {
        let route = route(&gateway).await;
        let cancel = CancellationToken::new();
        let mut stream = gateway.stream(&route, request("hi"), cancel.clone());
        assert!(matches!(stream.next().await, Some(Progress::Text(_))));
        cancel.cancel();
        let last = stream.collect::<Vec<_>>().await.pop();
        assert!(matches!(last, Some(Progress::Failed(ModelError::Cancelled))), "{}", face.name());
    }
    let cancel = CancellationToken::new();
    cancel.cancel();
    for (face, gateway) in Face::both("turns: []") {
        let route = route(&gateway).await;
        let progress: Vec<_> = gateway.stream(&route, request("hi"), cancel.clone()).collect().await;
        assert!(matches!(progress[..], [Progress::Failed(ModelError::Cancelled)]), "{}", face.name());
    }
}

#[tokio::test]
async fn a_long_silence_is_announced() {
    for (face, gateway) in Face::both("turns: [{stall: true}]") {
        let gateway = gateway.with_retry(Retry { notice: Duration::from_millis(5), ..quick(0) });
        let route = route(&gateway).await;
        let cancel = CancellationToken::new();
        let mut stream = gateway.stream(&route, request("hi"), cancel.clone());
        let first = stream.next().await;
        assert!(
            matches!(&first, Some(Progress::Waiting(wait)) if wait.state == WaitState::Silent),
            "{} {first:?}",
            face.name()
        );
    }
}

#[tokio::test]
async fn a_script_that_does_not_fit_fails_loudly() {
    let table = [
        (
            "turns: [{expect: [hi, tests], say: a}]",
            "turn 1 of the script expects `tests` in the newest message, which is",
        ),
        ("turns: []", "the script has 0 turns and all are played; asked again with: "),
    ];
    for (script, words) in table {
        for (face, gateway) in Face::both(script) {
            let fault = Fault::from(answer(&gateway, "hi there").await.unwrap_err());
            assert!(fault.causes[0].contains(words), "{} {fault}", face.name());
            assert_eq!(face.n_requests(), 1, "not repeated");
        }
    }
    for text in ["turns: [{sey: hi}]", "turns: 3", "{"] {
        let fault = Fault::from(Script::parse(text).unwrap_err());
        assert_eq!(fault.message, "cannot read the script", "{fault}");
    }
}

#[tokio::test]
async fn side_requests_take_their_own_turn() {
    let script = "turns: [{say: one}, {when: Summarise, say: summary}, {say: two}]";
    for (face, gateway) in Face::both(script) {
        let mut said = Vec::new();
        for words in ["go on", "more", "Summarise all this"] {
            said.push(answer(&gateway, words).await.unwrap().text);
        }
        assert_eq!(said, ["one", "two", "summary"], "{}", face.name());
    }
}

fn tool(name: &str) -> ToolSpec {
    let parameters = serde_json::json!({"type": "object", "properties": {"path": {"type": "string"}}});
    ToolSpec { name: name.to_owned(), description: "Reads.".to_owned(), parameters }
}

#[tokio::test]
async fn each_request_starts_with_all_bytes_of_the_one_before() {
    let server = WireServer::script("turns: [{say: a}, {say: b}, {say: c}, {say: d}]").for_requests_by_hand();
    let gateway = gateway_at(&server.url(), LIMITS);
    let mut asked = request("start \"quoted\" \u{1f600}");
    asked.tools = Arc::from([tool("read_file"), tool("list_dir")]);
    asked.temperature = Some(0.7);
    let call = |id: &str, arguments: &str| ToolCall {
        id: CallId(id.to_owned()),
        name: "read_file".to_owned(),
        arguments: arguments.to_owned(),
    };
    let more: [Vec<Message>; 3] = [
        vec![
            Message::Assistant {
                text: String::new(),
                tool_calls: vec![call("c1", "{ \"path\" :\"a\"}"), call("c2", "{\"bro")],
            },
            Message::Tool { call_id: CallId("c1".into()), name: "read_file".into(), text: "content".into() },
            Message::Tool { call_id: CallId("c2".into()), name: "read_file".into(), text: "not JSON".into() },
        ],
        vec![Message::Assistant { text: "Done.".into(), tool_calls: vec![] }, Message::user("thanks")],
        vec![Message::Assistant { text: String::new(), tool_calls: vec![] }, Message::user("?")],
    ];
    let mut messages = asked.messages.to_vec();
    for step in std::iter::once(Vec::new()).chain(more) {
        messages.extend(step);
        asked.messages = messages.clone().into();
        outcome(&ask(&gateway, &unchecked_route(&server.url()), asked.clone()).await).unwrap();
    }
    let bodies = server.raw_requests();
    for pair in bodies.windows(2) {
        let kept = pair[0].strip_suffix(b"]}").expect("messages come last");
        assert!(pair[1].starts_with(kept), "{}", String::from_utf8_lossy(&pair[1]));
    }
    let text = String::from_utf8(bodies[0].clone()).unwrap();
    let expected = r#"{"model":"script","stream":true,"stream_options":{"include_usage":true},"max_tokens":100,"temperature":0.7,"tools":[{"type":"function","function":{"name":"read_file","description":"Reads.","parameters":{"type":"object","properties":{"path":{"type":"string"}}}}},"#;
    assert!(text.starts_with(expected), "{text}");
    let last = &server.requests()[3]["messages"];
    assert_eq!(last[2]["content"], serde_json::Value::Null);
    assert_eq!(last[2]["tool_calls"][0]["function"]["arguments"], "{ \"path\" :\"a\"}", "byte for byte");
    assert_eq!(
        last[2]["tool_calls"][1]["function"]["arguments"], "{}",
        "invalid JSON would poison every later request"
    );
    assert_eq!(last[3], serde_json::json!({"role": "tool", "tool_call_id": "c1", "content": "content"}));
    assert_eq!(last[7]["content"], "", "no call and no words: some servers refuse null here");
}

#[tokio::test]
async fn an_answer_schema_is_sent_and_no_tools_means_no_key() {
    let server = WireServer::script("turns: [{say: '{}'}]");
    let gateway = gateway_at(&server.url(), LIMITS);
    let mut asked = request("title?");
    asked.answer_schema = Some(Arc::new(serde_json::json!({"type": "object"})));
    outcome(&ask(&gateway, &unchecked_route(&server.url()), asked).await).unwrap();
    let body = &server.requests()[0];
    assert_eq!(body["response_format"]["json_schema"]["schema"]["type"], "object");
    assert!(body.get("tools").is_none() && body.get("temperature").is_none());
}

#[tokio::test]
async fn ids_mimi_gives_never_repeat() {
    let turn = "{calls: [{name: a}, {name: b}]}";
    for (face, gateway) in Face::both(&format!("turns: [{turn}, {turn}, {turn}]")) {
        let mut ids = Vec::new();
        for _ in 0..3 {
            ids.extend(answer(&gateway, "hi").await.unwrap().tool_calls.into_iter().map(|call| call.id.0));
        }
        let unique: std::collections::BTreeSet<_> = ids.iter().collect();
        assert_eq!(unique.len(), 6, "{} {ids:?}", face.name());
    }
}
