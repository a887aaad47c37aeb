//! Does everything that can go wrong with a server end in words that say what to do?

use std::net::TcpListener;
use std::time::Duration;

use futures_util::StreamExt as _;
use mimi::base::fault::{Fault, Kind};
use mimi::model::ask::Progress;
use mimi::model::error::ModelError;
use mimi::model::gateway::Gateway;
use mimi::model::providers::http::{Http, Limits, normalise_url};
use tokio_util::sync::CancellationToken;

use super::{LIMITS, ask, config, gateway_at, outcome, quick, request, unchecked_route};
use crate::support::wire::{Out, WireServer};

/// Asks once, without repetitions, without looking at the models first.
async fn fail(server: &WireServer, limits: Limits) -> ModelError {
    let gateway = gateway_at(&server.url(), limits).with_retry(quick(0));
    outcome(&ask(&gateway, &unchecked_route(&server.url()), request("hi")).await).unwrap_err()
}

fn soon() -> Limits {
    let short = Duration::from_millis(150);
    Limits { connect: Duration::from_secs(5), first_byte: short, idle: short, list: short }
}

#[tokio::test]
async fn nobody_at_the_address_is_said_at_once_and_not_tried_again() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("http://127.0.0.1:{port}/v1");
    let progress = ask(&gateway_at(&url, LIMITS), &unchecked_route(&url), request("hi")).await;
    assert_eq!(progress.len(), 1, "{progress:?}");
    let fault = Fault::from(outcome(&progress).unwrap_err());
    assert_eq!(fault.message, format!("cannot reach the model server at {url}"));
    assert!(fault.causes[0].to_lowercase().contains("refused"), "{fault}");
    assert_eq!(fault.kind.exit_code(), 4);
}

#[tokio::test]
async fn every_status_is_sorted_with_the_servers_own_words() {
    let table: [(u16, &str, &str, &str); 7] = [
        (
            400,
            "application/json",
            r#"{"error":{"message":"When using `tool_choice`, `tools` must be set.","code":400}}"#,
            "caused by: When using `tool_choice`, `tools` must be set.",
        ),
        (401, "application/json", r#"{"error":"Unauthorized"}"#, "refused the key (401)"),
        (
            404,
            "application/json",
            r#"{"error":{"message":"The model `m2` does not exist.","code":404}}"#,
            "hint: it serves: m",
        ),
        (
            502,
            "text/html",
            "<html><head><title>502 Bad Gateway</title></head></html>",
            "a web page titled `502 Bad Gateway`",
        ),
        (200, "text/html", "<!DOCTYPE html><title>Router login</title>", "it sent a web page titled `Router login`"),
        (200, "application/json", r#"{"status":"ok"}"#, "it sent {\"status\":\"ok\"}"),
        (200, "application/json", r#"{"error":"it broke"}"#, "broke off: it broke"),
    ];
    for (status, content_type, body, expected) in table {
        let server = WireServer::answering(status, content_type, body);
        let fault = Fault::from(fail(&server, LIMITS).await);
        assert!(fault.to_string().contains(expected), "{status} {body}:\n{fault}");
        assert_eq!(fault.kind, Kind::Model);
        assert_eq!(server.raw_requests().len(), 1);
    }
}

#[tokio::test]
async fn a_whole_json_answer_is_as_good_as_a_stream() {
    let body = r#"{"choices":[{"message":{"role":"assistant","content":"Hi.","refusal":null,"function_call":null,"tool_calls":[]},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":2}}"#;
    let server = WireServer::answering(200, "application/json; charset=utf-8", body);
    let gateway = gateway_at(&server.url(), LIMITS);
    let answer = outcome(&ask(&gateway, &unchecked_route(&server.url()), request("hi")).await).unwrap();
    assert_eq!((answer.text.as_str(), answer.usage.input_tokens), ("Hi.", 3));
}

#[tokio::test]
async fn a_redirect_to_another_host_is_refused_and_nothing_reaches_that_host() {
    let elsewhere = WireServer::script("turns: [{say: stolen}]");
    let target = format!("{}/chat/completions", elsewhere.url());
    let location = target.clone();
    let server = WireServer::serve(move |_, out| out.with_headers(307, &[("location", &location)], b""));
    let fault = Fault::from(fail(&server, LIMITS).await);
    assert!(fault.to_string().contains(&target), "{fault}");
    assert!(elsewhere.received().is_empty());
}

type Stage = (&'static str, fn(&mut Out));

#[tokio::test]
async fn silence_at_any_stage_ends_in_time() {
    let handlers: [Stage; 5] = [
        ("no answer at all", |out| out.hang()),
        ("headers that never end", |out| {
            out.raw(b"HTTP/1.1 200 OK\r\nx-slow: ");
            out.hang();
        }),
        ("a stream without events", |out| {
            out.begin_events();
            out.chunk(b": keep-alive\n\n");
            out.hang();
        }),
        ("a stream that stops in the middle", |out| {
            out.begin_events();
            out.chunk(b"data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n");
            out.hang();
        }),
        ("a body of JSON that never ends", |out| {
            out.raw(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{");
            out.hang();
        }),
    ];
    for (stage, handler) in handlers {
        let server = WireServer::serve(move |_, out| handler(out));
        let error = fail(&server, soon()).await;
        assert!(
            matches!(&error, ModelError::Broken { what, .. } if what.contains("nothing came for")),
            "{stage}: {error}"
        );
        server.wait_for_hangup().await;
    }
}

#[tokio::test]
async fn an_error_body_that_never_ends_only_costs_its_words() {
    let server = WireServer::serve(|_, out| {
        out.raw(b"HTTP/1.1 503 X\r\ncontent-length: 99\r\n\r\nhalf");
        out.hang();
    });
    assert!(matches!(fail(&server, soon()).await, ModelError::Busy { .. }));
}

#[tokio::test]
async fn an_answer_is_not_held_back_by_a_connection_that_stays_open() {
    let server = WireServer::serve(|_, out| {
        out.begin_events();
        out.chunk(b"data: {\"choices\":[{\"delta\":{\"content\":\"all\"},\"finish_reason\":\"stop\"}]}\n\n");
        out.hang();
    });
    let gateway = gateway_at(&server.url(), soon());
    let answer = outcome(&ask(&gateway, &unchecked_route(&server.url()), request("hi")).await).unwrap();
    assert_eq!(answer.text, "all");
}

#[tokio::test]
async fn what_is_no_http_is_reported_and_a_flood_is_cut_off() {
    let server = WireServer::serve(|_, out| out.raw(b"SSH-2.0-OpenSSH_9.2\r\n"));
    assert!(matches!(fail(&server, LIMITS).await, ModelError::Broken { .. }));
    let server = WireServer::serve(|_, out| {
        out.begin_events();
        let junk = vec![b'x'; 1024 * 1024];
        (0..40).for_each(|_| out.chunk(&junk));
    });
    let error = fail(&server, LIMITS).await;
    assert!(error.to_string().contains("cannot be used: a piece of it is longer than 16777216 bytes"), "{error}");
}

#[tokio::test]
async fn an_interrupt_closes_the_connection_at_once() {
    let server = WireServer::script("turns: [{say: some words, stall: true}]");
    let gateway = gateway_at(&server.url(), LIMITS);
    let cancel = CancellationToken::new();
    let mut stream = gateway.stream(&unchecked_route(&server.url()), request("hi"), cancel.clone());
    assert!(matches!(stream.next().await, Some(Progress::Text(_))));
    cancel.cancel();
    let rest: Vec<Progress> = stream.collect().await;
    assert!(matches!(rest.last(), Some(Progress::Failed(ModelError::Cancelled))), "{rest:?}");
    server.wait_for_hangup().await;
}

#[tokio::test]
async fn a_dropped_stream_closes_the_connection_too() {
    let server = WireServer::script("turns: [{say: some words, stall: true}]");
    let gateway = gateway_at(&server.url(), LIMITS);
    let mut stream = gateway.stream(&unchecked_route(&server.url()), request("hi"), CancellationToken::new());
    assert!(matches!(stream.next().await, Some(Progress::Text(_))));
    drop(stream);
    server.wait_for_hangup().await;
}

#[tokio::test]
async fn a_key_is_sent_only_where_there_is_one_and_never_printed() {
    let server = WireServer::script("turns: [{say: a}, {say: b}]");
    for key in [None, Some("s3cret")] {
        let keys = Box::new(move |provider: &str, variable: &str| {
            assert_eq!((provider, variable), ("server", "MIMI_API_KEY"));
            key.map(str::to_owned)
        });
        let gateway = Gateway::new(config(&server.url()), keys, Http::new(LIMITS).unwrap());
        let route = gateway.resolve(mimi::protocol::task::Task::Chat, None).await.unwrap();
        outcome(&ask(&gateway, &route, request("hi")).await).unwrap();
        let received = server.received();
        let last = &received[received.len() - 2..];
        let expected = key.map(|key| format!("Bearer {key}"));
        assert!(last.iter().all(|request| request.header("authorization") == expected.as_deref()), "{last:?}");
    }
}

#[test]
fn addresses_are_completed_or_refused_with_an_example() {
    let table = [
        ("http://dgx:8000", Ok("http://dgx:8000/v1")),
        ("http://dgx:8000/", Ok("http://dgx:8000/v1")),
        ("http://dgx:8000/v1/", Ok("http://dgx:8000/v1")),
        ("https://box/llm/v1", Ok("https://box/llm/v1")),
        ("dgx:8000", Err("starts with http")),
        ("ftp://dgx", Err("starts with http")),
        ("", Err("not a URL")),
        ("http://user:pw@dgx/v1", Err("does not belong in the URL")),
    ];
    for (given, expected) in table {
        match (normalise_url(given), expected) {
            (Ok(url), Ok(wanted)) => assert_eq!(url, wanted),
            (Err(error), Err(words)) => {
                let fault = Fault::from(error);
                assert!(fault.to_string().contains(words) && !fault.to_string().contains("pw"), "{fault}");
                assert_eq!(fault.kind, Kind::Config);
            }
            (is, _) => panic!("{given}: {is:?}"),
        }
    }
}

/// Runs itself again with proxy variables set, because a test must not change its own environment.
#[tokio::test]
async fn proxy_variables_are_ignored() {
    const URL: &str = "MIMI_TEST_SERVER_FOR_PROXY";
    if let Ok(url) = std::env::var(URL) {
        let gateway = gateway_at(&url, LIMITS);
        outcome(&ask(&gateway, &unchecked_route(&url), request("hi")).await).unwrap();
        return;
    }
    let server = WireServer::script("turns: [{say: direct}]");
    let proxy = WireServer::answering(502, "text/plain", "a proxy saw the request");
    let address = proxy.url().replace("/v1", "");
    let status = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "model::errors::proxy_variables_are_ignored"])
        .env(URL, server.url())
        .envs(["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"].map(|name| (name, address.as_str())))
        .env_remove("NO_PROXY")
        .env_remove("no_proxy")
        .output()
        .unwrap();
    assert!(status.status.success(), "{}", String::from_utf8_lossy(&status.stdout));
    assert_eq!((server.raw_requests().len(), proxy.received().len()), (1, 0));
}
