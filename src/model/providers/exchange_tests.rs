use std::convert::Infallible;

use super::*;
use crate::config::schema::{ProviderConfig, ProviderKind};
use crate::model::providers::Setup;
use crate::model::providers::http::Limits;
use crate::model::providers::openai::{Events, OpenAi};

const WORD: &str = "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n";
const EMPTY: &str =
    "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}],\"usage\":{\"prompt_tokens\":9}}\n\n";
const PREFILL: &str = "data: {\"choices\":[],\"prompt_progress\":{\"total\":9,\"processed\":3}}\n\n";
const COMMENT: &str = ": keep-alive\n\n";
const STOP: &str = "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";

const FIRST_S: u64 = 600;
const IDLE_S: u64 = 120;

/// An exchange whose answer has begun: each piece comes so many seconds after the one before, and nothing ends it.
fn exchange(pieces: Vec<(u64, &'static str)>) -> Exchange {
    let seconds = Duration::from_secs;
    let limits = Limits { connect: seconds(5), first_byte: seconds(FIRST_S), idle: seconds(IDLE_S), list: seconds(10) };
    let row = ProviderConfig::new(ProviderKind::Openai, "http://box/v1");
    let http = Http::new(limits).unwrap();
    let provider = OpenAi::new(&Setup { name: "box", row: &row, key: None, http: &http, server: None }).unwrap();
    let endpoint = Endpoint::new("box", &row, None).unwrap();
    let origin = Origin::of(&endpoint);
    let outgoing = Outgoing {
        http,
        path: "/chat/completions",
        accept: "text/event-stream",
        body: Ok(Vec::new()),
        reading: Box::new(Events::new(origin.clone())),
        provider: Arc::new(provider),
        endpoint,
        origin,
    };
    let body = stream::unfold(pieces.into_iter(), async |mut pieces| match pieces.next() {
        Some((after_s, piece)) => {
            let at = Instant::now() + Duration::from_secs(after_s);
            // The clock of these tests is paused, so that nothing is waited for.
            tokio::time::interval_at(at, Duration::from_secs(1)).tick().await;
            Some((Ok::<_, Infallible>(piece), pieces))
        }
        None => std::future::pending().await,
    });
    let response = http::Response::new(reqwest::Body::wrap_stream(body));
    Exchange {
        first_event_by: Some(Instant::now() + limits.first_byte),
        stage: Stage::Read(Box::new(response.into())),
        queue: VecDeque::new(),
        n_bytes: 0,
        cancel: CancellationToken::new(),
        outgoing,
    }
}

/// Reads to the end; returns the error and after how many seconds the end came.
async fn end(pieces: Vec<(u64, &'static str)>) -> (Option<String>, u64) {
    let (mut exchange, started, mut error) = (exchange(pieces), Instant::now(), None);
    while let Some(event) = exchange.next().await {
        if let StreamEvent::Error(what) = event {
            error = Some(what.to_string());
        }
    }
    (error, started.elapsed().as_secs())
}

#[tokio::test(start_paused = true)]
async fn each_clock_runs_for_what_it_is_for() {
    let comments = |n: usize| vec![(60, COMMENT); n];
    type Case = (&'static str, Vec<(u64, &'static str)>, Option<&'static str>, u64);
    let table: [Case; 9] = [
        ("nothing at all", vec![], Some("10m"), FIRST_S),
        ("comments do not hold the first clock up", comments(99), Some("10m"), FIRST_S),
        ("nor do empty pieces and counts", vec![(60, EMPTY); 99], Some("10m"), FIRST_S),
        ("a word in time stops it", [comments(9), vec![(50, WORD), (100, STOP)]].concat(), None, 692),
        (
            "word of the prompt being read stops it too",
            [vec![(590, PREFILL), (119, PREFILL), (119, WORD), (1, STOP)]].concat(),
            None,
            831,
        ),
        ("silence after a word", vec![(1, WORD)], Some("2m"), 1 + IDLE_S),
        ("comments hold the idle clock up", [vec![(1, WORD)], comments(30), vec![(60, STOP)]].concat(), None, 1863),
        ("silence after comments", [vec![(1, WORD)], comments(3)].concat(), Some("2m"), 181 + IDLE_S),
        ("an answer that is whole waits for no more than its counts", vec![(1, WORD), (1, STOP)], None, 4),
    ];
    for (what, pieces, expected, after_s) in table {
        let (error, seconds) = end(pieces).await;
        match expected {
            None => assert_eq!(error, None, "{what}"),
            Some(limit) => assert!(
                error.as_deref().is_some_and(|e| e.contains(&format!("nothing came for {limit}"))),
                "{what}: {error:?}"
            ),
        }
        assert_eq!(seconds, after_s, "{what}");
    }
}
