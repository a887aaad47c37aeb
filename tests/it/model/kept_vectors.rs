//! Is no text ever turned into a vector twice, however many ask for it at once?

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use mimi::base::clock::{Clock, SystemClock};
use mimi::model::cache::{self, Cache};
use mimi::model::error::ModelError;
use mimi::model::gateway::Gateway;
use mimi::model::route::Route;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::model::{LIMITS, gateway_at, unchecked_route};
use crate::support::wire::{Out, Received, WireServer};

fn texts_of(request: &Received) -> Vec<String> {
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    body["input"].as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}

/// The vector of a text on the test's server.
fn vector(text: &str) -> Vec<f32> {
    vec![text.len() as f32, text.bytes().map(f32::from).sum()]
}

/// The vector as the gateway hands it out: one unit long.
fn unit(text: &str) -> Vec<f32> {
    let vector = vector(text);
    let length = vector.iter().map(|number| f64::from(*number).powi(2)).sum::<f64>().sqrt();
    vector.iter().map(|number| (f64::from(*number) / length) as f32).collect()
}

fn embed(request: &Received, out: &mut Out) {
    let rows = texts_of(request)
        .into_iter()
        .enumerate()
        .map(|(index, text)| json!({"index": index, "embedding": vector(&text)}));
    let body = json!({"data": rows.collect::<Vec<_>>()}).to_string();
    out.whole(200, "application/json", body.as_bytes());
}

/// How often the server was asked for each text.
fn counts(server: &WireServer) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for text in server.received().iter().flat_map(texts_of) {
        *counts.entry(text).or_default() += 1;
    }
    counts
}

fn with_clock(server: &WireServer, folder: &Path, clock: Arc<dyn Clock>) -> (Gateway, Route) {
    let cache = Arc::new(Cache::new(folder.to_path_buf(), 100_000_000, clock));
    (gateway_at(&server.url(), LIMITS).with_cache(cache), unchecked_route(&server.url()))
}

/// A gateway as a process of its own would have it.
fn gateway(server: &WireServer, folder: &Path) -> (Gateway, Route) {
    with_clock(server, folder, Arc::new(SystemClock))
}

async fn vectors(gateway: &(Gateway, Route), texts: &[&str]) -> Result<Vec<Vec<f32>>, ModelError> {
    let texts = texts.iter().map(|text| (*text).to_owned()).collect();
    gateway.0.embed(&gateway.1, texts, &CancellationToken::new()).await
}

#[tokio::test]
async fn only_what_is_new_is_asked_for_and_the_order_is_that_of_the_texts() {
    let (server, folder) = (WireServer::serve(embed), tempfile::tempdir().unwrap());
    let first = gateway(&server, folder.path());
    let expected = |texts: &[&str]| texts.iter().map(|text| unit(text)).collect::<Vec<_>>();
    for texts in [&["a", "bb"][..], &["bb", "ccc", "bb", "a", "ccc"], &["ccc", "a"], &[]] {
        assert_eq!(vectors(&first, texts).await.unwrap(), expected(texts));
    }
    let asked: Vec<Vec<String>> = server.received().iter().map(texts_of).map(sorted).collect();
    assert_eq!(asked, [vec!["a", "bb"], vec!["ccc"]]);
    // Another process, and another model.
    let second = gateway(&server, folder.path());
    assert_eq!(vectors(&second, &["a", "bb", "ccc"]).await.unwrap(), expected(&["a", "bb", "ccc"]));
    assert_eq!(server.received().len(), 2);
    let other = (second.0, Route { model: "other".to_owned(), ..second.1 });
    vectors(&other, &["a"]).await.unwrap();
    assert_eq!(server.received().len(), 3);
}

fn sorted(mut texts: Vec<String>) -> Vec<String> {
    texts.sort();
    texts
}

#[test]
fn many_processes_that_index_the_same_texts_ask_for_each_once() {
    const N_TEXTS: usize = 60;
    let (server, folder) = (WireServer::serve(embed), tempfile::tempdir().unwrap());
    let index = |n: usize| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let own = gateway(&server, folder.path());
        // Batches that overlap in different ways.
        for start in (0..N_TEXTS).step_by(7) {
            let names: Vec<String> = (0..20).map(|at| format!("text {}", (start + n * 3 + at) % N_TEXTS)).collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let expected: Vec<Vec<f32>> = names.iter().map(|text| unit(text)).collect();
            assert_eq!(runtime.block_on(vectors(&own, &names)).unwrap(), expected);
        }
    };
    std::thread::scope(|scope| {
        for n in 0..10 {
            let index = &index;
            scope.spawn(move || index(n));
        }
    });
    let counts = counts(&server);
    assert_eq!(counts.len(), N_TEXTS);
    assert!(counts.values().all(|n| *n == 1), "{counts:?}");
}

/// A clock that stands: claims never run out, so that who goes on was let go on.
struct Still;

impl Clock for Still {
    fn now_ms(&self) -> u64 {
        1_700_000_000_000
    }
}

#[tokio::test]
async fn who_fails_or_gives_up_lets_others_go_on() {
    let n_asked = AtomicUsize::new(0);
    let server = WireServer::serve(move |request, out| match n_asked.fetch_add(1, Ordering::SeqCst) {
        0 => out.whole(400, "application/json", b"{\"error\":{\"message\":\"not now\"}}"),
        1 => out.hang(),
        _ => embed(request, out),
    });
    let folder = tempfile::tempdir().unwrap();
    let process = || with_clock(&server, folder.path(), Arc::new(Still));
    let failed = vectors(&process(), &["a"]).await;
    assert!(failed.is_err(), "{failed:?}");
    let cancel = CancellationToken::new();
    let (gateway, route) = process();
    let given_up = async {
        let embed = gateway.embed(&route, vec!["a".to_owned()], &cancel);
        let hang_up = async {
            while server.received().len() < 2 {
                tokio::task::yield_now().await;
            }
            cancel.cancel();
        };
        tokio::join!(embed, hang_up).0
    };
    assert!(matches!(given_up.await, Err(ModelError::Cancelled)));
    assert_eq!(vectors(&process(), &["a"]).await.unwrap(), [unit("a")]);
}

/// A clock that moves by seconds at each look.
struct Seconds(AtomicU64);

impl Clock for Seconds {
    fn now_ms(&self) -> u64 {
        self.0.fetch_add(1000, Ordering::SeqCst)
    }
}

#[tokio::test]
async fn a_claim_of_a_process_that_died_runs_out() {
    let (server, folder) = (WireServer::serve(embed), tempfile::tempdir().unwrap());
    let start = 1_700_000_000_000;
    let own = with_clock(&server, folder.path(), Arc::new(Seconds(AtomicU64::new(start))));
    vectors(&own, &["a"]).await.unwrap();
    let file = cache::file(folder.path());
    let connection = rusqlite::Connection::open(&file).unwrap();
    // As if somebody had begun with this text: its entry gone, its key claimed.
    let key: String = connection.query_row("SELECT key FROM entry", [], |row| row.get(0)).unwrap();
    let sql = format!("DELETE FROM entry; INSERT INTO claim VALUES ('{key}', 'the dead', {})", start + 30_000);
    connection.execute_batch(&sql).unwrap();
    drop(connection);
    assert_eq!(vectors(&own, &["a"]).await.unwrap(), [unit("a")]);
    assert_eq!(counts(&server)["a"], 2);
    assert_eq!(crate::db::number(&file, "SELECT count(*) FROM claim"), 0);
}

#[tokio::test]
async fn without_a_usable_cache_vectors_are_made_and_the_trouble_is_told() {
    let (server, root) = (WireServer::serve(embed), tempfile::tempdir().unwrap());
    let file = root.path().join("file");
    std::fs::write(&file, "").unwrap();
    let own = gateway(&server, &file.join("cache"));
    assert_eq!(vectors(&own, &["a", "bb", "a"]).await.unwrap(), [unit("a"), unit("bb"), unit("a")]);
    let told = own.0.trouble();
    assert!(told.len() == 1 && told[0].contains("Not a directory"), "{told:?}");
    assert_eq!(own.0.trouble(), [""; 0]);
}
