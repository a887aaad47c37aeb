//! Does the next server of a task's list take over when the first cannot serve, and hand back when it can?

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use mimi::model::error::ModelError;
use mimi::model::gateway::Gateway;
use mimi::model::providers::http::Http;
use mimi::protocol::task::Task;
use serde_json::json;

use super::{LIMITS, ask, config, outcome, quick, request, row};
use crate::support::wire::{WireServer, render};
use mimi::config::schema::Places;
use mimi::model::{Finish, StreamEvent};

/// A server that answers with its name, or with the status it is set to.
struct Server {
    wire: WireServer,
    status: Arc<AtomicU16>,
}

impl Server {
    fn new(name: &'static str, window: u64) -> Self {
        let status = Arc::new(AtomicU16::new(200));
        let state = status.clone();
        let wire = WireServer::serve(move |request, out| {
            let status = state.load(Ordering::SeqCst);
            if status != 200 {
                return out.whole(status, "application/json", b"{\"error\": {\"message\": \"not now\"}}");
            }
            if request.path.ends_with("/models") {
                let models = json!({"data": [{"id": "m", "max_model_len": window}]});
                return out.whole(200, "application/json", models.to_string().as_bytes());
            }
            if !request.path.ends_with("/chat/completions") {
                return out.whole(404, "application/json", b"{}");
            }
            let events = [StreamEvent::Text(name.to_owned()), StreamEvent::Finish(Finish::Stop)];
            out.whole(200, "text/event-stream", render(&events).as_bytes());
        });
        Self { wire, status }
    }

    fn becomes(&self, status: u16) {
        self.status.store(status, Ordering::SeqCst);
    }
}

/// A gateway whose chats go to these servers, in this order.
fn gateway(servers: &[&Server]) -> Gateway {
    let mut config = config("");
    for (at, server) in servers.iter().enumerate() {
        config.providers.insert(format!("s{at}"), row(&server.wire.url()));
    }
    let places = (0..servers.len()).map(|at| format!("s{at}/m")).collect();
    config.routes.insert(Task::Chat, Places(places));
    let http = Http::new(LIMITS).unwrap();
    Gateway::new(config, Box::new(|_, _| None), http).with_retry(quick(1)).with_rest(Duration::ZERO)
}

/// Asks once as a turn does: with whatever takes over until somebody answers.
async fn said(gateway: &Gateway, route: &mut mimi::model::route::Route) -> Result<String, ModelError> {
    loop {
        match outcome(&ask(gateway, route, request("hi")).await) {
            Ok(answer) => return Ok(answer.text),
            Err(error) => match gateway.fall_back(Task::Chat, route, &error, 100).await {
                Some(found) => *route = found,
                None => return Err(error),
            },
        }
    }
}

#[tokio::test]
async fn the_next_takes_over_in_the_middle_of_a_session_and_the_first_is_taken_again_when_it_serves() {
    let (first, second) = (Server::new("first", 32_768), Server::new("second", 32_768));
    let gateway = gateway(&[&first, &second]);
    let mut route = gateway.resolve(Task::Chat, None).await.unwrap();
    assert_eq!((said(&gateway, &mut route).await.unwrap().as_str(), route.rank), ("first", Some(0)));
    first.becomes(503);
    assert_eq!((said(&gateway, &mut route).await.unwrap().as_str(), route.rank), ("second", Some(1)));
    assert!(gateway.preferred_again(Task::Chat, &route).await.is_none(), "it is still down");
    first.becomes(200);
    route = gateway.preferred_again(Task::Chat, &route).await.unwrap();
    assert_eq!((said(&gateway, &mut route).await.unwrap().as_str(), route.rank), ("first", Some(0)));
    assert!(gateway.preferred_again(Task::Chat, &route).await.is_none(), "nothing is better than the first");
}

#[tokio::test]
async fn a_server_that_is_down_from_the_start_is_passed_over_with_a_word() {
    let (first, second) = (Server::new("first", 32_768), Server::new("second", 32_768));
    first.becomes(503);
    let gateway = gateway(&[&first, &second]);
    let route = gateway.resolve(Task::Chat, None).await.unwrap();
    assert_eq!(route.rank, Some(1));
    let note = route.note.unwrap();
    assert!(note.contains("not able to answer now") && note.contains(&second.wire.url()), "{note}");
    second.becomes(503);
    let gateway = self::gateway(&[&first, &second]);
    assert!(matches!(gateway.resolve(Task::Chat, None).await, Err(ModelError::Busy { .. })));
}

#[tokio::test]
async fn a_refused_request_or_key_moves_nothing() {
    for status in [400, 401, 403] {
        let (first, second) = (Server::new("first", 32_768), Server::new("second", 32_768));
        let gateway = gateway(&[&first, &second]);
        let mut route = gateway.resolve(Task::Chat, None).await.unwrap();
        first.becomes(status);
        assert!(said(&gateway, &mut route).await.is_err(), "{status}");
        assert_eq!(second.wire.received().iter().filter(|request| request.path.ends_with("completions")).count(), 0);
    }
}

#[tokio::test]
async fn a_window_that_is_too_small_for_the_request_takes_nothing_over() {
    let (first, small, large) = (Server::new("first", 32_768), Server::new("small", 64), Server::new("large", 16_384));
    let gateway = gateway(&[&first, &small, &large]);
    let mut route = gateway.resolve(Task::Chat, None).await.unwrap();
    first.becomes(503);
    assert_eq!((said(&gateway, &mut route).await.unwrap().as_str(), route.rank), ("large", Some(2)));
}

#[tokio::test]
async fn whoever_names_a_model_is_not_moved() {
    let (first, second) = (Server::new("first", 32_768), Server::new("second", 32_768));
    let gateway = gateway(&[&first, &second]);
    let mut route = gateway.resolve(Task::Chat, Some("s0/m")).await.unwrap();
    first.becomes(503);
    assert!(said(&gateway, &mut route).await.is_err());
    assert_eq!(route.rank, None);
}
