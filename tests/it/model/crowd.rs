//! What does a server feel of a hundred clients when it says no to all of them?

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::{BoxFuture, join_all};
use futures_util::stream::{self, BoxStream, StreamExt as _};
use mimi::model::error::{Cause, ModelError};
use mimi::model::gateway::Gateway;
use mimi::model::retry::Retry;
use mimi::model::{ModelInfo, Provider, Request, StreamEvent};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{ask, outcome, request, unchecked_route};

/// Length of the pieces of time in which requests are counted.
const BIN: Duration = Duration::from_millis(100);

/// A server that is too busy for everybody, and knows when it was asked.
struct Refusing {
    start: Instant,
    retry_after: Option<Duration>,
    asked: Mutex<Vec<Duration>>,
}

impl Refusing {
    fn new(retry_after: Option<Duration>) -> Arc<Self> {
        Arc::new(Self { start: Instant::now(), retry_after, asked: Mutex::default() })
    }

    /// Counts the requests in each piece of time.
    fn bins(&self) -> Vec<usize> {
        let asked = self.asked.lock().unwrap();
        let mut bins = Vec::new();
        for at in asked.iter() {
            let bin = (at.as_millis() / BIN.as_millis()) as usize;
            bins.resize(bins.len().max(bin + 1), 0);
            bins[bin] += 1;
        }
        bins
    }
}

impl Provider for Refusing {
    fn stream(&self, _: Request, _: CancellationToken) -> BoxStream<'static, StreamEvent> {
        self.asked.lock().unwrap().push(self.start.elapsed());
        let source = Cause("The engine is currently busy".to_owned());
        let (url, status, retry_after) = (String::new(), "503 Service Unavailable".to_owned(), self.retry_after);
        stream::iter([StreamEvent::Error(ModelError::Busy { url, status, source, retry_after })]).boxed()
    }

    fn models(&self) -> BoxFuture<'_, Result<Vec<ModelInfo>, ModelError>> {
        Box::pin(std::future::ready(Ok(Vec::new())))
    }
}

/// A hundred processes, each with one user's question, all at the same moment.
async fn crowd(server: &Arc<Refusing>) {
    let clients = (0..100).map(|_| async {
        let gateway = Gateway::with_provider("crowded", server.clone()).with_retry(Retry::default());
        let error = outcome(&ask(&gateway, &unchecked_route("http://crowded"), request("hi")).await).unwrap_err();
        assert!(matches!(error, ModelError::Busy { .. }));
    });
    join_all(clients).await;
}

/// In virtual time, so that it is about the waits and not about this machine.
#[tokio::test(start_paused = true)]
async fn a_hundred_refused_clients_do_not_come_back_together() {
    for retry_after_s in [None, Some(5)] {
        let server = Refusing::new(retry_after_s.map(Duration::from_secs));
        crowd(&server).await;
        let bins = server.bins();
        assert_eq!(bins[0].max(100), bins[0], "the first burst is everybody's first question");
        let (peak, later) = (bins[1..].iter().max().unwrap(), bins[1..].iter().sum::<usize>());
        println!(
            "Retry-After {retry_after_s:?}: peak per 100 ms after the first burst {peak}, {later} repetitions in {} s",
            bins.len() / 10
        );
        assert!(*peak <= 20, "{bins:?}");
        assert!((390..=400).contains(&later), "each is sent four times again");
    }
}

/// One process whose every request is refused: after the burst it repeats one in ten, and a little with time.
#[tokio::test(start_paused = true)]
async fn a_process_does_not_hammer_a_server_that_is_down() {
    let server = Refusing::new(None);
    let gateway = Gateway::with_provider("down", server.clone()).with_retry(Retry::default());
    let mut words = String::new();
    for _ in 0..100 {
        let failed = ask(&gateway, &unchecked_route("http://down"), request("hi")).await;
        let Err(ModelError::Busy { source, .. }) = outcome(&failed) else { panic!("{failed:?}") };
        words = source.0;
    }
    assert_eq!(words, "The engine is currently busy; not asked again, too many requests to this server failed lately");
    let (n_asked, time_s) = (server.asked.lock().unwrap().len(), server.start.elapsed().as_secs());
    let allowed = 100 + 10 + 10 + time_s as usize / 15 + 1;
    assert!((110..=allowed).contains(&n_asked), "{n_asked} in {time_s} s, {allowed} are allowed");
}
