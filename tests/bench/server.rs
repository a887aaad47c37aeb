//! What does a model server without a model answer, and when did each request arrive?
//!
//! Speaks just enough HTTP and server-sent events, on plain blocking sockets, to add no time of its own. A script decides
//! each answer. Requests that offer no tools (titles, summaries) are answered and not counted as turns.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// The name of its only model.
pub const MODEL: &str = "bench-model";

/// The last word of prose. A screen that is drawn by differences shows it whole: none of its letters stood there before.
pub const THE_END: &str = "ZQXJKVW";

/// What the model does next.
pub enum Turn {
    /// Ends with these words.
    Say(String),
    /// Ends with so many words, each an event of its own, as fast as they can be sent.
    Tokens(usize),
    /// Ends with so many tokens of prose and code, each an event of its own, and then with [`THE_END`].
    Prose {
        /// How many.
        n_tokens: usize,
        /// Time between two of them.
        pause: Duration,
    },
    /// Calls a tool.
    Call {
        /// The tool.
        name: &'static str,
        /// Its arguments.
        arguments: Value,
    },
}

/// Builds the call that reads a file.
pub fn read_file(path: &str) -> Turn {
    Turn::Call { name: "read_file", arguments: json!({"path": path}) }
}

/// Builds the call that runs a command which does nothing, the only one the bench allows.
pub fn shell_true() -> Turn {
    Turn::Call { name: "shell", arguments: json!({"command": "true"}) }
}

/// Builds the call that replaces text in a file.
pub fn edit_file(path: &str, old: &str, new: &str) -> Turn {
    Turn::Call { name: "edit_file", arguments: json!({"path": path, "old_string": old, "new_string": new}) }
}

/// One turn as it passed over the wire.
#[derive(Clone)]
pub struct Exchange {
    /// When the first byte of the request was there.
    pub arrived_at: Instant,
    /// The body of the request, byte for byte.
    pub body: Vec<u8>,
    /// When the last byte of the answer was sent.
    pub answered_at: Instant,
}

/// Decides the answer to the turn of this number, from 0. Called when the request has arrived.
type Script = dyn Fn(usize) -> Turn + Send + Sync;

/// A server that is running. It stops with the process.
pub struct Server {
    /// The base URL, with `/v1`.
    pub url: String,
    exchanges: Arc<Mutex<Vec<Exchange>>>,
}

impl Server {
    /// Starts on a free port of this machine.
    pub fn start(script: impl Fn(usize) -> Turn + Send + Sync + 'static) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let url = format!("http://{}/v1", listener.local_addr()?);
        let exchanges = Arc::new(Mutex::new(Vec::new()));
        let (script, shared): (Arc<Script>, _) = (Arc::new(script), Arc::clone(&exchanges));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (script, shared) = (Arc::clone(&script), Arc::clone(&shared));
                // A client that hangs up ends its connection, which is no failure of the bench.
                std::thread::spawn(move || serve(stream, &*script, &shared));
            }
        });
        Ok(Self { url, exchanges })
    }

    /// Returns the turns so far.
    pub fn exchanges(&self) -> Vec<Exchange> {
        lock(&self.exchanges).clone()
    }
}

fn lock(exchanges: &Mutex<Vec<Exchange>>) -> MutexGuard<'_, Vec<Exchange>> {
    exchanges.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A request as read from a connection.
struct Request {
    path: String,
    arrived_at: Instant,
    body: Vec<u8>,
}

/// Answers the requests of one connection until the client closes it.
fn serve(stream: TcpStream, script: &Script, exchanges: &Mutex<Vec<Exchange>>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut stream = stream;
    while let Some(request) = read_request(&mut reader)? {
        if request.path.ends_with("/models") {
            let models =
                json!({"object": "list", "data": [{"id": MODEL, "object": "model", "max_model_len": 1_000_000}]});
            send_json(&mut stream, "200 OK", &models)?;
        } else if request.path.ends_with("/chat/completions") {
            answer_chat(&mut stream, request, script, exchanges)?;
        } else {
            send_json(&mut stream, "404 Not Found", &json!({"error": {"message": "no such page", "code": 404}}))?;
        }
    }
    Ok(())
}

fn answer_chat(
    stream: &mut TcpStream,
    request: Request,
    script: &Script,
    exchanges: &Mutex<Vec<Exchange>>,
) -> io::Result<()> {
    let asked: Value = serde_json::from_slice(&request.body)?;
    if asked.get("tools").is_none() {
        return send_answer(stream, &asked, &Turn::Say("Bench".to_owned()), 0);
    }
    let number = {
        let mut exchanges = lock(exchanges);
        let (arrived_at, body) = (request.arrived_at, request.body);
        exchanges.push(Exchange { arrived_at, body, answered_at: arrived_at });
        exchanges.len() - 1
    };
    let sent = send_answer(stream, &asked, &script(number), number);
    let now = Instant::now();
    if let Some(exchange) = lock(exchanges).get_mut(number) {
        exchange.answered_at = now;
    }
    sent
}

/// Reads one request; none when the client has closed the connection.
fn read_request(reader: &mut BufReader<TcpStream>) -> io::Result<Option<Request>> {
    if reader.fill_buf()?.is_empty() {
        return Ok(None);
    }
    let arrived_at = Instant::now();
    let mut first = String::new();
    reader.read_line(&mut first)?;
    let mut n_bytes = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.split_once(':') else { break };
        if name.eq_ignore_ascii_case("content-length") {
            n_bytes = value.trim().parse().map_err(io::Error::other)?;
        }
    }
    let mut body = vec![0; n_bytes];
    reader.read_exact(&mut body)?;
    let path = first.split_whitespace().nth(1).unwrap_or_default().to_owned();
    Ok(Some(Request { path, arrived_at, body }))
}

fn send_json(stream: &mut TcpStream, status: &str, value: &Value) -> io::Result<()> {
    let body = value.to_string();
    let head = format!("HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", body.len());
    stream.write_all((head + &body).as_bytes())
}

/// Sends a turn as a stream of events, or whole to a client that wants no stream.
fn send_answer(stream: &mut TcpStream, asked: &Value, turn: &Turn, number: usize) -> io::Result<()> {
    let (deltas, finish) = match turn {
        Turn::Say(text) => (vec![json!({"content": text})], "stop"),
        Turn::Tokens(n_tokens) => (vec![json!({"content": " token"}); *n_tokens], "stop"),
        Turn::Prose { n_tokens, .. } => (prose(*n_tokens), "stop"),
        Turn::Call { name, arguments } => {
            let function = json!({"name": name, "arguments": arguments.to_string()});
            let call = json!({"index": 0, "id": format!("call_{number}"), "type": "function", "function": function});
            (vec![json!({"tool_calls": [call]})], "tool_calls")
        }
    };
    let usage = json!({"prompt_tokens": 1000, "completion_tokens": 20, "total_tokens": 1020});
    let id = format!("chatcmpl-{number}");
    if asked.get("stream") != Some(&Value::Bool(true)) {
        let choice = json!({"index": 0, "message": deltas.first(), "finish_reason": finish});
        let whole = json!({"id": id, "object": "chat.completion", "created": 0, "model": MODEL, "choices": [choice], "usage": usage});
        return send_json(stream, "200 OK", &whole);
    }
    let chunk = |choices: Value, usage: Value| {
        let event = json!({"id": id, "object": "chat.completion.chunk", "created": 0, "model": MODEL, "choices": choices, "usage": usage});
        in_http_chunk(&format!("data: {event}\n\n"))
    };
    let choice = |delta: Value, finish: Value| json!([{"index": 0, "delta": delta, "finish_reason": finish}]);
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n".to_owned();
    let start = head + &chunk(choice(json!({"role": "assistant", "content": ""}), Value::Null), Value::Null);
    stream.write_all(start.as_bytes())?;
    let pause = if let Turn::Prose { pause, .. } = turn { *pause } else { Duration::ZERO };
    for delta in deltas {
        stream.write_all(chunk(choice(delta, Value::Null), Value::Null).as_bytes())?;
        if !pause.is_zero() {
            std::thread::sleep(pause);
        }
    }
    // In one piece: the client may act on any part of it, and the clock starts when all of it is sent.
    let end = [
        chunk(choice(json!({}), json!(finish)), Value::Null),
        chunk(json!([]), usage),
        in_http_chunk("data: [DONE]\n\n"),
        "0\r\n\r\n".to_owned(),
    ];
    stream.write_all(end.concat().as_bytes())
}

fn in_http_chunk(text: &str) -> String {
    format!("{:x}\r\n{text}\r\n", text.len())
}

/// Writes paragraphs, and now and then a list or a piece of code, as models do.
fn prose(n_tokens: usize) -> Vec<Value> {
    const WORDS: [&str; 12] =
        ["The ", "parser ", "reads ", "one ", "line ", "at ", "a ", "time, ", "so ", "`start` ", "is ", "right. "];
    let word = |n: usize| match n % 600 {
        0 => "\n\n```rust\n".to_owned(),
        n @ 1..=96 if n % 8 == 0 => "}\n".to_owned(),
        n @ 1..=96 => format!("let x{n} = "),
        97 => "\n```\n\n".to_owned(),
        n if n % 75 == 0 => "\n\n".to_owned(),
        n if n % 150 > 120 && n % 10 == 0 => "\n- ".to_owned(),
        n => WORDS[n % WORDS.len()].to_owned(),
    };
    let words = (1..n_tokens).map(word).chain([format!("\n\n{THE_END}")]);
    words.map(|word| json!({"content": word})).collect()
}
