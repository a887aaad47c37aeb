//! Is every request counted, however it ends, with what it took?

use std::sync::{Arc, Mutex};

use futures_util::StreamExt as _;
use mimi::model::ask::Progress;
use mimi::model::gateway::Gateway;
use mimi::model::meter::Meter;
use mimi::model::providers::script::{Script, ScriptProvider};
use mimi::protocol::task::Task;
use mimi::protocol::usage::RequestRecord;
use tokio_util::sync::CancellationToken;

use crate::model::{LIMITS, ask, gateway_at, outcome, quick, request, route, unchecked_route};
use crate::support::wire::WireServer;

#[derive(Default)]
struct Notebook {
    records: Mutex<Vec<RequestRecord>>,
    n_prepared: Mutex<usize>,
    trouble: Mutex<Option<String>>,
}

impl Notebook {
    fn records(&self) -> Vec<RequestRecord> {
        self.records.lock().unwrap().clone()
    }
}

impl Meter for Notebook {
    fn prepare(&self) {
        *self.n_prepared.lock().unwrap() += 1;
    }

    fn record(&self, record: RequestRecord) {
        self.records.lock().unwrap().push(record);
    }

    fn count(&self, _model: &str, _name: &'static str) {}

    fn trouble(&self) -> Option<String> {
        self.trouble.lock().unwrap().take()
    }
}

fn playing(yaml: &str) -> (Gateway, Arc<Notebook>) {
    let notebook = Arc::new(Notebook::default());
    let provider = Arc::new(ScriptProvider::new(Script::parse(yaml).unwrap()));
    let gateway = Gateway::with_provider("script", provider).with_meter(notebook.clone()).with_retry(quick(1));
    (gateway, notebook)
}

#[tokio::test]
async fn an_answer_is_counted_with_tokens_times_and_repetitions() {
    let (gateway, notebook) = playing(
        "turns: [{error: {status: 503, body: busy}}, {say: some words, usage: {input: 100, output: 7, cached: 90}}]",
    );
    let route = route(&gateway).await;
    assert_eq!(*notebook.n_prepared.lock().unwrap(), 0);
    let answer = outcome(&ask(&gateway, &route, request("hi")).await).unwrap();
    let records = notebook.records();
    let [record] = &records[..] else { panic!("{records:?}") };
    assert_eq!((record.provider.as_str(), record.model.as_str(), record.task), ("script", "script", Task::Chat));
    assert!(record.is_answered && record.at_ms > 1_700_000_000_000);
    assert_eq!((record.usage.input_tokens, record.usage.output_tokens, record.usage.cached_tokens), (100, 7, 90));
    let stats = &record.stats;
    assert_eq!(stats.retries, 1);
    assert!(
        stats.first_token_ms.is_some() && stats.decode_ms.is_some() && stats.first_token_ms.unwrap() <= stats.total_ms
    );
    assert_eq!(*stats, answer.stats, "what is kept is what the caller sees");
    assert_eq!(*notebook.n_prepared.lock().unwrap(), 1, "for both sendings");
}

#[tokio::test]
async fn what_fails_is_cancelled_or_is_no_longer_listened_to_is_counted_as_not_answered() {
    let (gateway, notebook) =
        playing("turns: [{error: {status: 400, body: no}}, {say: hello, stall: true}, {say: hello, stall: true}]");
    let route = route(&gateway).await;
    assert!(outcome(&ask(&gateway, &route, request("hi")).await).is_err());
    let cancel = CancellationToken::new();
    let mut stream = gateway.stream(&route, request("hi"), cancel.clone());
    assert!(matches!(stream.next().await, Some(Progress::Text(_))));
    cancel.cancel();
    let rest: Vec<Progress> = stream.collect().await;
    assert!(matches!(rest.last(), Some(Progress::Failed(_))));
    let mut stream = gateway.stream(&route, request("hi"), CancellationToken::new());
    assert!(matches!(stream.next().await, Some(Progress::Text(_))));
    drop(stream);
    // One that was never sent is none.
    drop(gateway.stream(&route, request("hi"), CancellationToken::new()));
    let records = notebook.records();
    let ends: Vec<(bool, bool)> = records.iter().map(|r| (r.is_answered, r.stats.first_token_ms.is_some())).collect();
    assert_eq!(ends, [(false, false), (false, true), (false, true)]);
}

#[tokio::test]
async fn trouble_with_the_keeping_is_told_before_the_end() {
    let (gateway, notebook) = playing("turns: [{say: hello}, {error: {status: 400, body: no}}]");
    let route = route(&gateway).await;
    for n in 0..2 {
        *notebook.trouble.lock().unwrap() = Some(format!("trouble {n}"));
        let progress = ask(&gateway, &route, request("hi")).await;
        let [.., Progress::Note { text }, Progress::Done(_) | Progress::Failed(_)] = &progress[..] else {
            panic!("{progress:?}")
        };
        assert_eq!(*text, format!("trouble {n}"));
    }
}

#[tokio::test]
async fn vectors_are_counted_too() {
    let body = "{\"data\":[{\"index\":0,\"embedding\":[1.0]}]}";
    for (status, is_answered) in [(200, true), (400, false)] {
        let server = WireServer::answering(status, "application/json", body);
        let notebook = Arc::new(Notebook::default());
        let gateway = gateway_at(&server.url(), LIMITS).with_meter(notebook.clone());
        let route = unchecked_route(&server.url());
        let result = gateway.embed(&route, vec!["a".to_owned()], &CancellationToken::new()).await;
        assert_eq!(result.is_ok(), is_answered);
        let records = notebook.records();
        assert_eq!((records.len(), records[0].task, records[0].is_answered), (1, Task::Embed, is_answered));
    }
}
