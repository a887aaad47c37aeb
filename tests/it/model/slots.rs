//! Do the requests of one user's processes keep to their number, and does a person go first?

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::future::join_all;
use mimi::model::ask::Progress;
use mimi::model::error::ModelError;
use mimi::model::gateway::Gateway;
use mimi::model::slots::{Permit, Place, Slots};
use mimi::protocol::task::Class;
use mimi::protocol::wait::WaitState;
use tokio_util::sync::CancellationToken;

use super::{LIMITS, ask, gateway_at, outcome, request, unchecked_route};
use crate::support::wire::WireServer;

const SERVER: &str = "http://box:8000/v1";

/// Slots as another process of the same tree would have them: nothing in memory is shared.
fn process(folder: &Path, tree: &str, max: u32) -> Slots {
    Slots::new(Place { folder: folder.to_owned(), tree: tree.to_owned() }, max)
}

/// Takes a slot if there is one now.
async fn now(slots: &Slots, server: &str, class: Class) -> Option<Permit> {
    tokio::time::timeout(Duration::from_millis(20), slots.take(server, class)).await.ok()
}

#[tokio::test]
async fn processes_of_one_tree_share_a_number_and_other_trees_and_servers_have_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (process(folder.path(), "tree", 3), process(folder.path(), "tree", 3));
    let first = now(&one, SERVER, Class::Interactive).await.unwrap();
    let second = now(&two, SERVER, Class::Background).await.unwrap();
    let third = now(&one, SERVER, Class::Ci).await.unwrap();
    for slots in [&one, &two] {
        assert!(now(slots, SERVER, Class::Interactive).await.is_none());
        assert!(now(slots, "http://other/v1", Class::Interactive).await.is_some());
    }
    assert!(now(&process(folder.path(), "other", 3), SERVER, Class::Interactive).await.is_some());
    drop(second);
    let again = now(&one, SERVER, Class::Interactive).await;
    assert!(again.is_some(), "what one process gives back another takes");
    drop((first, third, again));
    assert!(now(&two, SERVER, Class::Background).await.is_some());
}

#[tokio::test]
async fn a_person_goes_before_a_script_and_both_before_what_nobody_waits_for() {
    let folder = tempfile::tempdir().unwrap();
    let holder = process(folder.path(), "tree", 1);
    let held = holder.take(SERVER, Class::Background).await;
    let order = std::sync::Mutex::new(Vec::new());
    let waiter = |class: Class| {
        let (slots, order) = (process(folder.path(), "tree", 1), &order);
        async move {
            let permit = slots.take(SERVER, class).await;
            order.lock().unwrap().push(class);
            drop(permit);
        }
    };
    let give = async {
        // All three have looked, and those that may have marked that they wait.
        let marks = ["person-waits", "script-waits"];
        let tree = folder.path().join("tree");
        let is_marked = |mark: &str| {
            let names = std::fs::read_dir(&tree).unwrap().map(|entry| entry.unwrap().path());
            let file = names.into_iter().find(|path| path.to_string_lossy().ends_with(mark));
            file.is_some_and(|path| std::fs::File::open(path).unwrap().try_lock().is_err())
        };
        while !marks.iter().all(|mark| is_marked(mark)) {
            tokio::task::yield_now().await;
        }
        drop(held);
    };
    tokio::join!(waiter(Class::Background), waiter(Class::Ci), waiter(Class::Interactive), give);
    assert_eq!(*order.lock().unwrap(), [Class::Interactive, Class::Ci, Class::Background]);
}

#[tokio::test]
async fn where_files_cannot_be_locked_a_process_still_counts_its_own() {
    let file = tempfile::NamedTempFile::new().unwrap();
    // A folder below a file cannot be made.
    let slots = process(file.path(), "tree", 2);
    let held = [slots.take(SERVER, Class::Ci).await, slots.take(SERVER, Class::Background).await];
    assert!(now(&slots, SERVER, Class::Interactive).await.is_none());
    drop(held);
    assert!(now(&slots, SERVER, Class::Interactive).await.is_some());
    let unlimited = Slots::unlimited();
    let many = join_all((0..100).map(|_| unlimited.take(SERVER, Class::Background))).await;
    assert_eq!(many.len(), 100);
}

#[tokio::test]
async fn folders_of_trees_long_gone_are_deleted_and_those_in_use_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let (gone, busy) = (process(folder.path(), "gone", 1), process(folder.path(), "busy", 1));
    drop(gone.take(SERVER, Class::Ci).await);
    let _held = busy.take(SERVER, Class::Ci).await;
    let long_ago = std::time::SystemTime::now() - Duration::from_secs(30 * 24 * 3600);
    for tree in ["gone", "busy"] {
        std::fs::File::open(folder.path().join(tree)).unwrap().set_modified(long_ago).unwrap();
    }
    drop(process(folder.path(), "new", 1).take(SERVER, Class::Ci).await);
    let mut left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["busy", "new"]);
}

fn gateway(server: &WireServer, folder: &Path, max: u32) -> Gateway {
    gateway_at(&server.url(), LIMITS).with_slots(process(folder, "tree", max))
}

/// Ten requests of five processes at a server that counts how many it has at once.
#[tokio::test]
async fn a_server_never_has_more_of_them_at_once_than_are_allowed() {
    let (under_way, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (counted, highest) = (under_way.clone(), most.clone());
    let server = WireServer::serve(move |_, out| {
        highest.fetch_max(counted.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        out.begin_events();
        (0..200).for_each(|_| out.chunk(b": still reading\n\n"));
        let choice = br#"data: {"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":"stop"}]}"#;
        counted.fetch_sub(1, Ordering::SeqCst);
        out.chunk(&[&choice[..], b"\n\ndata: [DONE]\n\n"].concat());
        out.end();
    });
    let folder = tempfile::tempdir().unwrap();
    let gateways: Vec<_> = (0..5).map(|_| gateway(&server, folder.path(), 3)).collect();
    let route = unchecked_route(&server.url());
    let asked = (0..10).map(|index| ask(&gateways[index % 5], &route, request("hi")));
    for progress in join_all(asked).await {
        assert_eq!(outcome(&progress).unwrap().text, "a");
    }
    assert!((1..=3).contains(&most.load(Ordering::SeqCst)), "{most:?}");
}

#[tokio::test]
async fn a_request_that_waits_for_others_says_so_and_can_be_given_up() {
    let server = WireServer::script("turns: [{say: one, stall: true}, {say: two}]");
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (gateway(&server, folder.path(), 1), gateway(&server, folder.path(), 1));
    let route = unchecked_route(&server.url());
    let mut answering = first.stream(&route, request("hi"), CancellationToken::new());
    assert!(matches!(answering.next().await, Some(Progress::Text(_))));
    let cancel = CancellationToken::new();
    let mut waiting = second.stream(&route, request("ho"), cancel.clone());
    let Some(Progress::Waiting(wait)) = waiting.next().await else { panic!("it does not say what it waits for") };
    assert_eq!((wait.state, wait.to_string().as_str()), (WaitState::Held, "waiting for an own request to end"));
    cancel.cancel();
    assert!(matches!(waiting.next().await, Some(Progress::Failed(ModelError::Cancelled))));
    assert_eq!(server.requests().len(), 1, "it was never sent");
    drop(answering);
    assert_eq!(
        outcome(&ask(&second, &route, request("ho")).await).unwrap().text,
        "two",
        "a dropped stream gives its slot back"
    );
}

/// While a failed request waits to be sent again it is no load, and another may go.
#[tokio::test]
async fn a_request_between_two_tries_holds_no_slot() {
    let server = WireServer::script("turns: [{error: {status: 503, retry_after_s: 50}}, {say: other}]");
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (gateway(&server, folder.path(), 1), gateway(&server, folder.path(), 1));
    let route = unchecked_route(&server.url());
    let mut retrying = first.stream(&route, request("hi"), CancellationToken::new());
    assert!(matches!(retrying.next().await, Some(Progress::Retrying { .. })));
    assert_eq!(outcome(&ask(&second, &route, request("ho")).await).unwrap().text, "other");
}
