//! A server misbehaves in every way there is: is each named, and does the conversation go on?

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, AtomicUsize, Ordering};

use serde_json::json;

use crate::support::Env;
use crate::support::pty::{Pty, key};
use crate::support::wire::{Out, WireServer};

const EVENTS: &str = "text/event-stream";

fn chunk(text: &str) -> Vec<u8> {
    format!("data: {}\n\n", json!({"choices": [{"delta": {"content": text}}]})).into_bytes()
}

fn whole(text: &str) -> Vec<u8> {
    let end = json!({"choices": [{"delta": {}, "finish_reason": "stop"}]});
    [chunk(text), format!("data: {end}\n\ndata: [DONE]\n\n").into_bytes()].concat()
}

fn models(out: &mut Out) {
    let list = json!({"data": [{"id": "m", "owned_by": "vllm", "max_model_len": 32768}]});
    out.whole(200, "application/json", list.to_string().as_bytes());
}

/// What a server does to a question, and the words that tell the user.
type Trouble = (fn(&mut Out), &'static str);

const TROUBLES: &[Trouble] = &[
    (|out| out.with_headers(302, &[("location", "http://127.0.0.1:9/v1")], b""), "redirect"),
    (|out| out.whole(200, "text/html", b"<html><title>Log in</title></html>"), "a web page titled `Log in`"),
    (
        |out| out.with_headers(200, &[("content-type", EVENTS), ("content-encoding", "gzip")], b"this is not gzip"),
        "broke off",
    ),
    (
        |out| {
            out.begin_chunked(EVENTS);
            let line = vec![b'x'; 1 << 20];
            (0..50).for_each(|_| out.chunk(&line));
            out.end();
        },
        "is longer than",
    ),
    (
        |out| {
            out.begin_events();
            out.chunk(&chunk("half of it"));
            out.end();
        },
        "without a finish reason",
    ),
    (
        |out| {
            out.begin_events();
            out.chunk(b"data: {\"choices\":[{\"delta\":{\"content\":\"x\"\n\n");
            out.end();
        },
        "not JSON",
    ),
    (|out| out.raw(b"SSH-2.0-OpenSSH_9.6\r\n"), "broke off"),
    (|out| out.whole(401, "application/json", b"{\"error\": \"your key has expired\"}"), "your key has expired"),
    (
        |out| {
            out.whole(
                404,
                "application/json",
                b"{\"error\": {\"message\": \"The model `m` does not exist.\", \"type\": \"NotFoundError\", \"code\": 404}}",
            );
        },
        "has no model `m`",
    ),
    (|out| out.whole(400, "application/json", b"{\"error\": {\"message\": \"bad grammar\"}}"), "bad grammar"),
    (|out| out.whole(500, "text/plain", b"it exploded"), "it exploded"),
];

#[test]
fn every_trouble_is_named_and_the_session_stays_usable() {
    let asked = AtomicUsize::new(0);
    let server = WireServer::serve(move |request, out| match request.path.as_str() {
        "/v1/models" => models(out),
        "/version" => out.whole(200, "application/json", b"{\"version\": \"0.33.0\"}"),
        "/v1/chat/completions" => {
            // Each trouble is followed by a good answer whose character the network cut in two.
            let n = asked.fetch_add(1, Ordering::SeqCst);
            match TROUBLES.get(n / 2).filter(|_| n.is_multiple_of(2)) {
                Some((act, _)) => act(out),
                None => {
                    let answer = whole(&format!("fine \u{e9}{n}"));
                    let cut = answer.iter().position(|byte| *byte == 0xc3).unwrap() + 1;
                    out.begin_events();
                    out.chunk(&answer[..cut]);
                    out.chunk(&answer[cut..]);
                    out.end();
                }
            }
        }
        _ => out.with_headers(404, &[], b""),
    });
    let mut env = Env::new();
    env.set("MIMI_SERVER_URL", server.url()).set("MIMI_MODEL_MAX_RETRIES", "0");
    let mut pty = Pty::start(&env, ["chat", "--inline"]);
    pty.wait_for("ask> ");
    for (n, (_, words)) in TROUBLES.iter().enumerate() {
        pty.line(&format!("question {n}")).wait_for("error: ").wait_for(words).wait_for("ask> ");
        pty.line("again").wait_for(&format!("fine \u{e9}{}", 2 * n + 1)).wait_for("ask> ");
    }
    pty.send(key::CTRL_D);
    assert_eq!(pty.wait_exit(), 0);
}

/// A server that answers with a name, or with the status it is set to.
struct Named {
    wire: WireServer,
    status: Arc<AtomicU16>,
}

impl Named {
    fn new(name: &'static str) -> Self {
        let status = Arc::new(AtomicU16::new(200));
        let now = status.clone();
        let wire = WireServer::serve(move |request, out| match (now.load(Ordering::SeqCst), request.path.as_str()) {
            (200, "/v1/models") => models(out),
            (200, "/v1/chat/completions") => out.whole(200, EVENTS, &whole(&format!("this is {name}"))),
            (200, _) => out.whole(404, "application/json", b"{}"),
            (status, _) => out.whole(status, "application/json", b"{\"error\": {\"message\": \"not now\"}}"),
        });
        Self { wire, status }
    }
}

#[test]
fn the_next_server_of_the_list_takes_over_in_the_middle_of_a_chat_and_after_a_resume() {
    let (first, second) = (Named::new("first"), Named::new("second"));
    let mut env = Env::new();
    env.set("MIMI_MODEL_MAX_RETRIES", "0");
    env.write_home(
        ".config/mimi/config.yaml",
        format!(
            "providers: {{one: {{kind: openai, base_url: '{}'}}, two: {{kind: openai, base_url: '{}'}}}}\nroutes: {{chat: [one/m, two/m]}}\n",
            first.wire.url(),
            second.wire.url()
        ),
    );
    let mut pty = Pty::start(&env, ["chat", "--inline"]);
    pty.wait_for("ask> ").line("hello").wait_for("this is first").wait_for("ask> ");
    first.status.store(503, Ordering::SeqCst);
    pty.line("hello").wait_for("not now; going on with `m` at").wait_for("this is second").wait_for("ask> ");
    pty.send(key::CTRL_D);
    assert_eq!(pty.wait_exit(), 0);
    first.status.store(200, Ordering::SeqCst);
    let mut pty = Pty::start(&env, ["chat", "--inline", "--resume"]);
    pty.wait_for("ask> ").line("hello").wait_for("this is first").wait_for("ask> ");
    first.status.store(503, Ordering::SeqCst);
    pty.line("hello").wait_for("going on with `m` at").wait_for("this is second").wait_for("ask> ");
    pty.send(key::CTRL_D);
    assert_eq!(pty.wait_exit(), 0);
}

#[test]
fn a_model_chosen_by_hand_on_a_named_server_is_found_there_again() {
    let (first, second) = (Named::new("first"), Named::new("second"));
    let mut env = Env::new();
    env.set("MIMI_SERVER_URL", first.wire.url());
    env.write_home(
        ".config/mimi/config.yaml",
        format!("providers: {{two: {{kind: openai, base_url: '{}'}}}}\n", second.wire.url()),
    );
    let mut pty = Pty::start(&env, ["chat", "--inline"]);
    pty.wait_for("ask> ").line("/model two/m").wait_for("ask> ").line("hello").wait_for("this is second");
    pty.wait_for("ask> ").send(key::CTRL_D);
    assert_eq!(pty.wait_exit(), 0);
    let mut pty = Pty::start(&env, ["chat", "--inline", "--resume"]);
    pty.wait_for("ask> ").line("hello").wait_for("this is second");
}

#[test]
fn escape_ends_the_wait_for_another_try() {
    let named = Named::new("it");
    let mut env = Env::new();
    env.set("MIMI_SERVER_URL", named.wire.url()).set("MIMI_MODEL_MAX_RETRIES", "9");
    let mut pty = Pty::start(&env, ["chat", "--inline"]);
    pty.wait_for("ask> ");
    named.status.store(503, Ordering::SeqCst);
    pty.line("hello").wait_for("try 1 of 9").send(key::CTRL_C).wait_for("interrupted").wait_for("ask> ");
    named.status.store(200, Ordering::SeqCst);
    pty.line("hello").wait_for("this is it");
}
