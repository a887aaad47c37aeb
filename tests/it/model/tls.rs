//! Is a certificate nobody trusts refused in words that say what to do, and a proxy used only where one is named?

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use super::{LIMITS, answer, gateway_at, row};
use crate::support::wire::WireServer;
use crate::support::{Env, tls};
use mimi::base::fault::{Fault, Kind};
use mimi::config::schema::{ProviderConfig, ProviderKind};
use mimi::model::gateway::Gateway;
use mimi::model::providers::http::Http;
use mimi::protocol::task::Task;

const SCRIPT: &str = "{model: 'qwen3-coder:30b', turns: [{say: over TLS}]}";

/// Runs the program against `url`; returns what it said.
fn run(url: &str, certificates: Option<&str>) -> (i32, String) {
    let mut env = Env::new();
    env.set("MIMI_SERVER_URL", url).set("MIMI_MODEL_MAX_RETRIES", "0");
    if let Some(name) = certificates {
        env.set("SSL_CERT_FILE", tls::certificate(name));
    }
    let outcome = env.run(["run", "x"]).outcome();
    (outcome.code, outcome.to_string())
}

#[test]
fn a_certificate_of_the_teams_own_is_refused_until_it_is_named() {
    let server = WireServer::script(SCRIPT);
    let url = tls::before(&server, "localhost");
    let (code, words) = run(&url, Some("other"));
    let expected = "------- stderr -------\n\
        error: the certificate of the model server at https://127.0.0.1:[PORT]/v1 is not trusted\n\
        caused by: invalid peer certificate: UnknownIssuer\n\
        hint: if it is your team's own: export SSL_CERT_FILE=/path/to/the/team's/ca.pem\n[exit code: 4]";
    assert_eq!((code, words.as_str()), (4, expected));
    assert!(server.received().is_empty());
    assert_eq!(run(&url, Some("localhost")), (0, "over TLS\n".to_owned()));
}

#[test]
fn a_certificate_for_another_host_is_refused_although_it_is_trusted() {
    let server = WireServer::script(SCRIPT);
    let (code, words) = run(&tls::before(&server, "other"), Some("other"));
    assert!(code == 4 && words.contains("only valid for DnsName(\"other.example\")"), "{words}");
    assert!(words.contains("hint: name the server as its certificate does\n"), "{words}");
    assert!(server.received().is_empty());
}

#[tokio::test]
async fn a_server_without_tls_is_named_as_such() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("127.0.0.1:{}/v1", listener.local_addr().unwrap().port());
    std::thread::spawn(move || {
        for mut client in listener.incoming().map_while(Result::ok) {
            assert!(client.read(&mut [0; 4096]).unwrap() > 0);
            client.write_all(b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n").unwrap();
        }
    });
    let url = format!("https://{address}");
    let fault = Fault::from(gateway_at(&url, LIMITS).resolve(Task::Chat, None).await.unwrap_err());
    assert_eq!(fault.message, format!("the model server at {url} does not speak TLS"));
    assert_eq!(fault.hints, [format!("write its address as http://{address}")]);
    assert_eq!(fault.kind, Kind::Config);
}

fn through(proxy: &str) -> Gateway {
    let mut config = super::config("");
    let row = ProviderConfig { proxy: proxy.to_owned(), ..row("http://box.invalid:8000/v1") };
    config.providers.insert("box".to_owned(), row);
    config.routes.insert(Task::Chat, "box/script".into());
    Gateway::new(config, Box::new(|_, _| Some("s3cret".to_owned())), Http::new(LIMITS).unwrap())
}

#[tokio::test]
async fn a_proxy_that_is_named_is_gone_through() {
    let proxy = WireServer::script("turns: [{say: by way of the proxy}]");
    let gateway = through(proxy.url().trim_end_matches("/v1"));
    assert_eq!(answer(&gateway, "hi").await.unwrap().text, "by way of the proxy");
    let received = proxy.received();
    let paths: Vec<&str> = received.iter().map(|request| request.path.as_str()).collect();
    assert!(paths.contains(&"http://box.invalid:8000/v1/chat/completions"), "{paths:?}");
    assert!(received.iter().all(|request| request.header("host") == Some("box.invalid:8000")), "{received:?}");
}

#[tokio::test]
async fn a_proxy_that_is_not_there_is_named_in_the_error() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let error = through(&format!("http://127.0.0.1:{port}")).resolve(Task::Chat, None).await.unwrap_err();
    let fault = Fault::from(error);
    assert_eq!(fault.message, "cannot reach the model server at http://box.invalid:8000/v1");
    assert!(fault.causes[0].ends_with(&format!("through the proxy http://127.0.0.1:{port}")), "{fault}");
}

#[test]
fn only_a_row_that_names_a_proxy_uses_it() {
    let proxy = WireServer::script("{model: m, turns: [{say: by way of the proxy}]}");
    let direct = WireServer::script("{model: m, turns: [{say: direct}]}");
    let env = Env::new();
    let rows = format!(
        "providers:\n  far: {{kind: openai, base_url: 'http://box.invalid/v1', proxy: '{}'}}\n  near: {{kind: openai, base_url: '{}'}}\n",
        proxy.url().trim_end_matches("/v1"),
        direct.url()
    );
    env.write_home(".config/mimi/config.yaml", rows);
    let say = |model: &str| env.run(["run", "--model", model, "x"]).without("MIMI_SERVER_URL").outcome().success();
    assert_eq!(say("far/m").stdout, "by way of the proxy\n");
    assert_eq!((say("near/m").stdout.as_str(), proxy.requests().len()), ("direct\n", 1));
    assert_eq!(ProviderConfig::new(ProviderKind::Openai, "").proxy, "");
}
