//! Does the process connect to the servers of its configuration and to nothing else?

use mimi::config::schema::{Priority, ProviderConfig, Timeouts};
use mimi::model::error::ModelError;
use mimi::model::gateway::Gateway;
use mimi::model::providers::http::Http;
use mimi::model::settings::GatewayConfig;
use mimi::protocol::task::{Class, Task};

use super::{LIMITS, ask, config, gateway_at, outcome, quick, request, row, unchecked_route};
use crate::support::wire::WireServer;

fn gateway(config: GatewayConfig, http: &Http) -> Gateway {
    Gateway::new(config, Box::new(|_, _| Some("KEY".to_owned())), http.clone()).with_retry(quick(0))
}

/// A configuration with one more server, `dgx`.
fn with_row(url: &str, row: ProviderConfig) -> GatewayConfig {
    let mut config = config(url);
    config.providers.insert("dgx".to_owned(), row);
    config
}

/// Whoever makes the request: the guard sits where connections are opened.
#[tokio::test]
async fn what_is_not_in_the_configuration_is_not_connected_to() {
    let (server, other) = (WireServer::script("turns: []"), WireServer::script("turns: []"));
    let http = Http::new(LIMITS).unwrap();
    assert!(http.client.get(server.url()).send().await.is_err(), "nothing is open before a gateway opens it");
    let _gateway = gateway(config(&server.url()), &http);
    assert!(http.client.get(format!("{}/models", server.url())).send().await.is_ok());
    let name = other.url().replace("127.0.0.1", "localhost");
    for url in [other.url(), name, "http://no-such-host.invalid/v1".to_owned(), "https://127.0.0.1:1/v1".to_owned()] {
        let error = http.client.get(&url).send().await.unwrap_err();
        assert!(error.is_connect(), "{url}");
        let error = format!("{error:?}");
        assert!(error.contains("mimi connects only to the servers in its configuration"), "{url}: {error}");
        let secure = http.reaching("https://x").unwrap();
        assert!(secure.client.get(&url).send().await.is_err(), "{url}");
    }
    assert_eq!((server.received().len(), other.received().len()), (1, 0));
}

#[tokio::test]
async fn a_redirect_or_a_word_of_a_server_leads_nowhere() {
    let other = WireServer::script("turns: []");
    let url = other.url();
    for status in [301, 302, 303, 307, 308] {
        let target = url.clone();
        let server = WireServer::serve(move |_, out| {
            let place = format!("{target}/chat/completions");
            let headers = [
                ("location", place.as_str()),
                ("alt-svc", "h2=\":1\""),
                ("refresh", "0;url=http://x"),
                ("link", "<http://x>"),
            ];
            out.with_headers(status, &headers, b"");
        });
        let gateway = gateway_at(&server.url(), LIMITS);
        let error = outcome(&ask(&gateway, &unchecked_route(&server.url()), request("hi")).await).unwrap_err();
        assert!(
            matches!(&error, ModelError::Refused { source, .. } if source.0.contains("does not follow")),
            "{error:?}"
        );
        let listed = gateway.models("server").await;
        assert!(listed.is_err(), "{listed:?}");
    }
    assert!(other.received().is_empty());
}

#[test]
fn what_may_be_dialled_is_listed() {
    let mut config =
        with_row("http://Box:8000", ProviderConfig { proxy: "http://proxy:3128".to_owned(), ..row("https://far/v1") });
    config.providers.insert("same".to_owned(), row("http://box:8000/v1"));
    config.providers.insert("wrong".to_owned(), row("box"));
    let http = Http::new(LIMITS).unwrap();
    let listed = gateway(config, &http).may_dial();
    let line = |dial: &mimi::model::providers::egress::Dial| {
        format!("{}:{} through {}", dial.host, dial.port, dial.through.as_deref().unwrap_or("nothing"))
    };
    let listed: Vec<_> = listed.iter().map(line).collect();
    assert_eq!(listed, ["box:8000 through nothing", "far:443 through http://proxy:3128"]);
}

/// The far server does not exist: whatever comes, comes through the proxy.
#[tokio::test]
async fn a_proxy_is_used_for_the_row_that_names_it_and_for_no_other() {
    let (near, proxy) = (WireServer::script("turns: [{say: near}]"), WireServer::script("turns: [{say: far}]"));
    let through = proxy.url().replace("/v1", "");
    let far = ProviderConfig { proxy: through, ..row("http://far.invalid:8000/v1") };
    let mut config = with_row(&near.url(), far);
    config.routes.insert(Task::Fix, "dgx/script".into());
    let gateway = gateway(config, &Http::new(LIMITS).unwrap());
    for (task, words) in [(Task::Chat, "near"), (Task::Fix, "far")] {
        let route = gateway.resolve(task, None).await.unwrap();
        assert_eq!(outcome(&ask(&gateway, &route, request("hi")).await).unwrap().text, words);
    }
    let paths: Vec<String> = proxy.received().into_iter().map(|received| received.path).collect();
    assert!(paths.iter().all(|path| path.starts_with("http://far.invalid:8000/")), "{paths:?}");
    assert_eq!(paths.last().unwrap(), "http://far.invalid:8000/v1/chat/completions");
    assert!(!near.received().iter().any(|received| received.path.contains("far")));
}

fn priority(field: &str, header: &str) -> Option<Priority> {
    Some(Priority { field: field.to_owned(), header: header.to_owned(), interactive: 0, ci: 5, background: -10 })
}

#[tokio::test]
async fn a_server_is_told_who_waits_only_where_its_row_says_how() {
    let table = [
        (Class::Interactive, priority("priority", ""), r#"},"priority":0,"max_tokens""#, None),
        (Class::Ci, priority("priority", ""), r#"},"priority":5,"max_tokens""#, None),
        (Class::Background, priority("urgency", ""), r#"},"urgency":-10,"max_tokens""#, None),
        (Class::Ci, priority("", "x-dynamo-request-priority"), r#"},"max_tokens""#, Some("5")),
        (Class::Ci, None, r#"},"max_tokens""#, None),
    ];
    for (class, priority, body, header) in table {
        let server = WireServer::script("turns: [{say: a}]");
        let config = with_row(&server.url(), ProviderConfig { priority, ..row(&server.url()) });
        let gateway = gateway(config, &Http::new(LIMITS).unwrap());
        let mut request = request("hi");
        request.class = class;
        outcome(&ask(&gateway, &unchecked_route(&server.url()), request).await).unwrap();
        let received = server.received();
        let text = String::from_utf8_lossy(&received[0].body);
        assert!(text.contains(body) && text.find("priority") < text.find("messages"), "{text}");
        assert_eq!(received[0].header("x-dynamo-request-priority"), header);
    }
}

#[tokio::test]
async fn nobody_waits_for_vectors() {
    for (field, header) in [("priority", ""), ("", "x-priority")] {
        let server = WireServer::answering(200, "application/json", r#"{"data": [{"index": 0, "embedding": [1.0]}]}"#);
        let config =
            with_row(&server.url(), ProviderConfig { priority: priority(field, header), ..row(&server.url()) });
        let gateway = gateway(config, &Http::new(LIMITS).unwrap());
        let cancel = tokio_util::sync::CancellationToken::new();
        gateway.embed(&unchecked_route(&server.url()), vec!["a".to_owned()], &cancel).await.unwrap();
        let received = server.received();
        let body: serde_json::Value = serde_json::from_slice(&received[0].body).unwrap();
        let expected = (!field.is_empty()).then(|| serde_json::json!(-10));
        assert_eq!(
            (body.get("priority"), received[0].header("x-priority")),
            (expected.as_ref(), (field.is_empty()).then_some("-10"))
        );
    }
}

/// The server says nothing: the row's limit ends the wait long before the general one.
#[tokio::test]
async fn a_row_has_its_own_timeouts() {
    let server = WireServer::script("turns: [{stall: true}]");
    let timeouts = Timeouts { connect_s: Some(2), first_byte_s: Some(1), idle_s: Some(1) };
    let config = with_row(&server.url(), ProviderConfig { timeouts, ..row(&server.url()) });
    let gateway = gateway(config, &Http::new(LIMITS).unwrap());
    let error = outcome(&ask(&gateway, &unchecked_route(&server.url()), request("hi")).await).unwrap_err();
    assert!(error.to_string().ends_with("broke off: nothing came for 1.0s"), "{error}");
}
