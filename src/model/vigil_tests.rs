//! Is the user told what a request waits for, when it changes and no more often than the server may be asked?

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::FutureExt as _;

use super::*;
use crate::model::watch::Loaded;
use crate::protocol::server::Load;

const NOTICE: Duration = Duration::from_secs(5);

/// A server that shows these glances one after the other, the last one for ever.
fn showing(glances: Vec<Glance>) -> (Look, Arc<AtomicUsize>) {
    let n_looks = Arc::new(AtomicUsize::new(0));
    let (counted, left) = (n_looks.clone(), Mutex::new(VecDeque::from(glances)));
    let look: Look = Arc::new(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        let mut left = left.lock().unwrap();
        let glance = if left.len() > 1 { left.pop_front() } else { left.front().cloned() };
        std::future::ready(glance).boxed()
    });
    (look, n_looks)
}

fn waiting(n: u64) -> Glance {
    Glance { load: Load { waiting: Some(n), running: Some(70), ..Load::default() }, loaded: None }
}

/// Collects what is said within a time, each with the second it is said at.
async fn said(vigil: &mut Vigil, within: Duration) -> Vec<(u64, String)> {
    let start = Instant::now();
    let mut said = Vec::new();
    while let Ok(wait) = tokio::time::timeout_at(start + within, vigil.next()).await {
        said.push((start.elapsed().as_secs(), wait.to_string()));
    }
    said
}

fn words(rows: &[(u64, &str)]) -> Vec<(u64, String)> {
    rows.iter().map(|(at, text)| (*at, (*text).to_owned())).collect()
}

#[tokio::test(start_paused = true)]
async fn the_place_in_the_queue_is_told_as_it_changes() {
    let (look, n_looks) = showing([13, 13, 5, 9, 1, 0, 4].map(waiting).to_vec());
    let mut vigil = Vigil::new(Some(look), "m", NOTICE);
    let expected = words(&[
        (1, "queued, 12 ahead"),
        // Those who came later stand behind.
        (5, "queued, 4 ahead"),
        (9, "queued, next in line"),
        // Who has left the queue does not return to it.
        (11, "prefilling the prompt"),
    ]);
    assert_eq!(said(&mut vigil, Duration::from_secs(20)).await, expected);
    assert_eq!(n_looks.load(Ordering::Relaxed), 10, "once a second after sending, then every two");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_tells_nothing_is_waited_for_in_silence_at_first() {
    let mut vigil = Vigil::new(None, "m", NOTICE);
    let silent = "no answer yet: the server serves others or reads the prompt";
    assert_eq!(said(&mut vigil, Duration::from_secs(60)).await, words(&[(5, silent)]));
    let (look, _) = showing(vec![Glance { load: Load { running: Some(13), ..Load::default() }, loaded: None }]);
    let mut vigil = Vigil::new(Some(look), "m", NOTICE);
    let busy = "no answer yet, the server works on 13 requests";
    assert_eq!(said(&mut vigil, Duration::from_secs(60)).await, words(&[(5, busy)]));
}

#[tokio::test(start_paused = true)]
async fn loading_a_model_is_told_and_ends() {
    let loaded = |ids: &[&str]| {
        let models = ids.iter().map(|id| Loaded { id: (*id).to_owned(), window_tokens: None });
        Glance { loaded: Some(models.collect()), load: Load::default() }
    };
    let (look, _) = showing(vec![loaded(&[]), loaded(&["other"]), loaded(&["m"])]);
    let mut vigil = Vigil::new(Some(look), "m", NOTICE);
    let silent = "no answer yet: the server serves others or reads the prompt";
    let expected = words(&[(1, "the server is loading the model"), (5, silent)]);
    assert_eq!(said(&mut vigil, Duration::from_secs(20)).await, expected);
}

#[tokio::test(start_paused = true)]
async fn reading_the_prompt_is_told_by_the_server_itself_and_ends_the_looking() {
    let (look, n_looks) = showing(vec![waiting(1)]);
    let mut vigil = Vigil::new(Some(look), "m", NOTICE);
    let prefill = |done_tokens| StreamEvent::Prefill { done_tokens, total_tokens: 38_000 };
    assert_eq!(vigil.hear(&prefill(2048)), None, "within the first second");
    tokio::time::advance(Duration::from_millis(1500)).await;
    assert_eq!(
        vigil.hear(&prefill(12_288)).map(|wait| wait.to_string()).as_deref(),
        Some("prefilling 12k of 38k tokens")
    );
    assert_eq!(vigil.hear(&prefill(14_336)), None, "not more than once a second");
    assert_eq!(said(&mut vigil, Duration::from_secs(30)).await, []);
    assert_eq!(n_looks.load(Ordering::Relaxed), 0);
}

#[tokio::test(start_paused = true)]
async fn an_answer_ends_the_looking_and_a_pause_in_it_is_told_once() {
    let (look, n_looks) = showing(vec![waiting(3)]);
    let mut vigil = Vigil::new(Some(look), "m", NOTICE);
    vigil.hear(&StreamEvent::Text("a".to_owned()));
    assert_eq!(said(&mut vigil, Duration::from_secs(30)).await, words(&[(5, "the answer has paused")]));
    vigil.hear(&StreamEvent::Text("b".to_owned()));
    assert_eq!(said(&mut vigil, Duration::from_secs(9)).await, words(&[(5, "the answer has paused")]));
    assert_eq!(n_looks.load(Ordering::Relaxed), 0);
}
