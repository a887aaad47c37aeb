//! Is a question that has one answer asked once, and every other one each time?

use std::path::Path;
use std::sync::Arc;

use mimi::base::clock::{Clock, SystemClock};
use mimi::model::Request;
use mimi::model::ask::Progress;
use mimi::model::cache::{self, Cache};
use mimi::model::gateway::Gateway;
use mimi::protocol::message::{Message, Usage};
use mimi::protocol::task::Task;
use tokio_util::sync::CancellationToken;

use crate::model::{LIMITS, ask, gateway_at, outcome, request, unchecked_route};
use crate::support::wire::WireServer;

const MANY: u64 = 100_000_000;

/// A gateway as a process of its own would have it.
fn gateway(server: &WireServer, folder: &Path, max_bytes: u64) -> Gateway {
    with_clock(server, folder, max_bytes, Arc::new(SystemClock))
}

fn with_clock(server: &WireServer, folder: &Path, max_bytes: u64, clock: Arc<dyn Clock>) -> Gateway {
    gateway_at(&server.url(), LIMITS).with_cache(Arc::new(Cache::new(folder.to_path_buf(), max_bytes, clock)))
}

/// Answers with the number of the request.
fn numbering() -> WireServer {
    let n_asked = std::sync::atomic::AtomicUsize::new(0);
    WireServer::serve(move |_, out| {
        let n = n_asked.fetch_add(1, std::sync::atomic::Ordering::SeqCst) + 1;
        let body = format!(
            "{{\"choices\":[{{\"message\":{{\"content\":\"answer {n}\"}},\"finish_reason\":\"stop\"}}],\
             \"usage\":{{\"prompt_tokens\":10,\"completion_tokens\":2}}}}"
        );
        out.whole(200, "application/json", body.as_bytes());
    })
}

fn title(words: &str) -> Request {
    Request { task: Task::Title, temperature: Some(0.0), ..request(words) }
}

async fn said(gateway: &Gateway, server: &WireServer, request: Request) -> String {
    let route = unchecked_route(&server.url());
    outcome(&ask(gateway, &route, request).await).unwrap().text
}

fn notes(progress: &[Progress]) -> Vec<&str> {
    let mut notes = Vec::new();
    for piece in progress {
        if let Progress::Note { text } = piece {
            notes.push(text.as_str());
        }
    }
    notes
}

#[tokio::test]
async fn a_title_asked_for_again_comes_from_the_cache_also_in_another_process() {
    let (server, folder) = (numbering(), tempfile::tempdir().unwrap());
    for _ in 0..3 {
        let gateway = gateway(&server, folder.path(), MANY);
        assert_eq!(said(&gateway, &server, title("hi")).await, "answer 1");
    }
    assert_eq!(server.raw_requests().len(), 1);
    let again = ask(&gateway(&server, folder.path(), MANY), &unchecked_route(&server.url()), title("hi")).await;
    assert!(matches!(&again[0], Progress::Text(text) if text == "answer 1"), "{again:?}");
    assert_eq!(outcome(&again).unwrap().usage, Usage::default(), "nothing was used");
    let parts = cache::parts(&cache::file(folder.path())).unwrap();
    assert_eq!((parts.len(), parts[0].entries, parts[0].kind.as_str(), parts[0].model.as_str()), (1, 1, "words", "m"));
}

#[tokio::test]
async fn whatever_is_different_in_the_request_is_another_question() {
    let (server, folder) = (numbering(), tempfile::tempdir().unwrap());
    let gateway = gateway(&server, folder.path(), MANY);
    let other_system = vec![Message::System { text: "Other.".to_owned() }, Message::user("hi")];
    let schema = Some(Arc::new(serde_json::json!({"type": "object"})));
    let different = [
        title("hi"),
        title("hi "),
        Request { max_tokens: 7, ..title("hi") },
        Request { model: "other".to_owned(), ..title("hi") },
        Request { messages: other_system.into(), ..title("hi") },
        Request { answer_schema: schema, ..title("hi") },
    ];
    for (n, request) in different.iter().chain(&different).enumerate() {
        let expected = format!("answer {}", n % different.len() + 1);
        assert_eq!(said(&gateway, &server, request.clone()).await, expected);
    }
}

#[tokio::test]
async fn conversations_and_what_is_left_to_chance_are_asked_each_time() {
    let (server, folder) = (numbering(), tempfile::tempdir().unwrap());
    let gateway = gateway(&server, folder.path(), MANY);
    let always = [
        Request { task: Task::Chat, ..title("hi") },
        Request { task: Task::Compact, ..title("hi") },
        Request { temperature: Some(0.3), ..title("hi") },
        Request { temperature: None, ..title("hi") },
        Request { tools: vec![a_tool()].into(), ..title("hi") },
    ];
    for request in always.iter().chain(&always) {
        said(&gateway, &server, request.clone()).await;
    }
    assert_eq!(server.raw_requests().len(), 2 * always.len());
}

fn a_tool() -> mimi::protocol::tool::ToolSpec {
    mimi::tools::registry::Registry::new().specs(1)[0].clone()
}

#[tokio::test]
async fn failures_and_empty_answers_are_not_kept() {
    for body in [
        "{\"error\":{\"message\":\"no\"}}",
        "{\"choices\":[{\"message\":{\"content\":\"\"},\"finish_reason\":\"stop\"}]}",
    ] {
        let server = WireServer::answering(200, "application/json", body);
        let folder = tempfile::tempdir().unwrap();
        let gateway = gateway(&server, folder.path(), MANY);
        let route = unchecked_route(&server.url());
        for _ in 0..2 {
            ask(&gateway, &route, title("hi")).await;
        }
        assert!(server.raw_requests().len() >= 2, "{body}");
        assert_eq!(cache::parts(&cache::file(folder.path())).unwrap(), []);
    }
}

#[tokio::test]
async fn a_gap_filled_before_is_filled_alike_without_asking() {
    let server = WireServer::serve(|_, out| {
        let body = "{\"choices\":[{\"text\":\"b: u8\",\"finish_reason\":\"length\"}],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":3}}";
        out.whole(200, "application/json", body.as_bytes());
    });
    let folder = tempfile::tempdir().unwrap();
    let route = mimi::model::route::Route { model: "qwen2.5-coder:1.5b".to_owned(), ..unchecked_route(&server.url()) };
    let gap = || mimi::model::fim::Fill {
        model: String::new(),
        prefix: "fn a(".to_owned(),
        suffix: ")".to_owned(),
        max_tokens: 32,
        stop: vec!["\n\n".to_owned()],
    };
    let different = [
        gap(),
        mimi::model::fim::Fill { prefix: "fn b(".to_owned(), ..gap() },
        mimi::model::fim::Fill { suffix: ") ".to_owned(), ..gap() },
        mimi::model::fim::Fill { max_tokens: 33, ..gap() },
        mimi::model::fim::Fill { stop: Vec::new(), ..gap() },
    ];
    for n_tokens in [9, 0] {
        let gateway = gateway(&server, folder.path(), MANY);
        for fill in &different {
            let filling = gateway.fill(&route, fill.clone(), &CancellationToken::new()).await.unwrap();
            assert_eq!((filling.text.as_str(), filling.is_cut, filling.usage.input_tokens), ("b: u8", true, n_tokens));
        }
        assert_eq!(server.received().len(), different.len());
    }
}

/// A clock that moves two hours a reading, so that each use counts as a later one.
struct Hours(std::sync::atomic::AtomicU64);

impl Clock for Hours {
    fn now_ms(&self) -> u64 {
        self.0.fetch_add(2 * 60 * 60 * 1000, std::sync::atomic::Ordering::SeqCst)
    }
}

#[tokio::test]
async fn what_was_not_used_for_longest_makes_room() {
    let (server, folder) = (numbering(), tempfile::tempdir().unwrap());
    let clock = Arc::new(Hours(std::sync::atomic::AtomicU64::new(1_700_000_000_000)));
    // Each entry counts for some 300 bytes.
    let gateway = with_clock(&server, folder.path(), 3000, clock);
    for n in 0..40 {
        said(&gateway, &server, title(&format!("title {n}"))).await;
        // Used all the time, so it stays although it is the oldest.
        said(&gateway, &server, title("title 0")).await;
    }
    assert_eq!(server.raw_requests().len(), 40);
    let parts = cache::parts(&cache::file(folder.path())).unwrap();
    assert!(parts[0].bytes <= 3000 && parts[0].entries > 5, "{parts:?}");
    said(&gateway, &server, title("title 1")).await;
    assert_eq!(server.raw_requests().len(), 41, "an old one has gone");
}

#[tokio::test]
async fn clearing_forgets_all() {
    let (server, folder) = (numbering(), tempfile::tempdir().unwrap());
    let gateway = gateway(&server, folder.path(), MANY);
    said(&gateway, &server, title("hi")).await;
    let file = cache::file(folder.path());
    assert_eq!(cache::clear(&file).unwrap(), 1);
    assert_eq!(cache::clear(&file).unwrap(), 0);
    // The gateway still has the file open and goes on with it.
    assert_eq!(said(&gateway, &server, title("hi")).await, "answer 2");
    assert_eq!(said(&gateway, &server, title("hi")).await, "answer 2");
}

#[tokio::test]
async fn a_cache_that_cannot_be_used_costs_one_warning_and_no_answer() {
    let root = tempfile::tempdir().unwrap();
    let file = root.path().join("file");
    std::fs::write(&file, "").unwrap();
    let newer = root.path().join("newer");
    std::fs::create_dir(&newer).unwrap();
    let connection = rusqlite::Connection::open(cache::file(&newer)).unwrap();
    connection.execute_batch("PRAGMA user_version = 99").unwrap();
    drop(connection);
    for (folder, expected) in [(file.join("cache"), "Not a directory"), (newer, "is of version 99")] {
        let server = numbering();
        let gateway = gateway(&server, &folder, MANY);
        let route = unchecked_route(&server.url());
        let first = ask(&gateway, &route, title("hi")).await;
        assert_eq!(outcome(&first).unwrap().text, "answer 1");
        let told = notes(&first);
        assert!(told.len() == 1 && told[0].contains(expected) && told[0].contains("hint: "), "{told:?}");
        let second = ask(&gateway, &route, title("hi")).await;
        assert_eq!(outcome(&second).unwrap().text, "answer 2");
        assert_eq!(notes(&second), [""; 0]);
    }
}

#[tokio::test]
async fn a_damaged_cache_is_built_anew_with_one_line_of_notice() {
    let (server, folder) = (numbering(), tempfile::tempdir().unwrap());
    std::fs::write(cache::file(folder.path()), "no database ".repeat(1000)).unwrap();
    let gateway = gateway(&server, folder.path(), MANY);
    let route = unchecked_route(&server.url());
    let first = ask(&gateway, &route, title("hi")).await;
    assert!(notes(&first)[0].starts_with("the response cache was damaged and is built anew: "), "{first:?}");
    assert_eq!(said(&gateway, &server, title("hi")).await, "answer 1");
    assert_eq!(server.raw_requests().len(), 1);
}
