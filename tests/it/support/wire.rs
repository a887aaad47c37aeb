//! How is a model server faked on the wire?
//!
//! A real HTTP/1.1 server on 127.0.0.1 with plain threads: it plays a script over server-sent events, or does whatever a
//! test tells it to, and keeps every request. One request per connection.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use mimi::model::providers::player::{Player, Seen};
use mimi::model::providers::script::{Failure, Script, Turn};
use mimi::model::{Finish, StreamEvent};
use serde_json::{Value, json};

/// One request as it came.
#[derive(Debug, Clone)]
pub struct Received {
    pub method: String,
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Received {
    /// Returns a header by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Says whether it only asks what kind of server this is. The list of models is asked for by everybody.
    pub fn is_probe(&self) -> bool {
        mimi::model::probe::identify::PATHS.contains(&self.path.as_str())
    }
}

type Handler = dyn Fn(&Received, &mut Out) + Send + Sync;

#[derive(Default)]
struct Log {
    received: Mutex<Vec<Received>>,
    hangups: tokio::sync::watch::Sender<usize>,
    is_over: AtomicBool,
}

/// The server; it stops when dropped.
pub struct WireServer {
    port: u16,
    log: Arc<Log>,
    /// Whether what it gets are requests of sessions, checked when it is dropped.
    plays_script: bool,
}

impl WireServer {
    /// Plays `script`.
    pub fn start(script: Script) -> Self {
        let player = Player::new(script);
        let mut server = Self::serve(move |request, out| play(&player, request, out));
        server.plays_script = true;
        server
    }

    /// Plays to each conversation the turn that follows those it has had, so that many runs can share the script in `yaml`.
    pub fn replaying(yaml: &str) -> Self {
        let script = Script::parse(yaml).unwrap();
        Self::serve(move |request, out| {
            if request.path.ends_with("/models") {
                return list_models(&script, out);
            }
            if request.is_probe() {
                return out.whole(404, "application/json", b"{}");
            }
            let body: Value = serde_json::from_slice(&request.body).unwrap();
            let messages = body["messages"].as_array().unwrap();
            let n_had = messages.iter().filter(|message| message["role"] == "assistant").count();
            match script.turns.get(n_had) {
                Some(turn) => play_turn(turn, out),
                None => out.whole(400, "application/json", b"{\"error\": {\"message\": \"the script is over\"}}"),
            }
        })
    }

    /// Plays the script in `yaml`.
    pub fn script(yaml: &str) -> Self {
        Self::start(Script::parse(yaml).unwrap())
    }

    /// Expects requests that a test writes itself, also such as no agent would send.
    pub fn for_requests_by_hand(mut self) -> Self {
        self.plays_script = false;
        self
    }

    /// Sends `body` with `status` to every chat request and has one model, `m`.
    pub fn answering(status: u16, content_type: &'static str, body: impl Into<Vec<u8>>) -> Self {
        let body = body.into();
        Self::serve(move |request, out| match request.path.as_str() {
            "/v1/models" => out.whole(200, "application/json", json!({"data": [{"id": "m"}]}).to_string().as_bytes()),
            _ if request.is_probe() => out.whole(404, "application/json", b"{}"),
            _ => out.whole(status, content_type, &body),
        })
    }

    /// Does what `handler` says.
    pub fn serve(handler: impl Fn(&Received, &mut Out) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let log = Arc::new(Log::default());
        let (shared, handler): (_, Arc<Handler>) = (log.clone(), Arc::new(handler));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if shared.is_over.load(Ordering::SeqCst) {
                    return;
                }
                let (log, handler) = (shared.clone(), handler.clone());
                std::thread::spawn(move || answer(stream, &log, handler.as_ref()));
            }
        });
        Self { port, log, plays_script: false }
    }

    /// The base URL.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/v1", self.port)
    }

    /// The address without a path.
    pub fn root_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Expects requests of sessions, to be checked when it is dropped.
    pub fn for_sessions(mut self) -> Self {
        self.plays_script = true;
        self
    }

    /// Every request so far, except the questions by which the kind of a server is found out.
    pub fn received(&self) -> Vec<Received> {
        self.everything().into_iter().filter(|request| !request.is_probe()).collect()
    }

    /// Every request so far.
    pub fn everything(&self) -> Vec<Received> {
        self.log.received.lock().unwrap().clone()
    }

    /// The bodies of the chat requests so far.
    pub fn raw_requests(&self) -> Vec<Vec<u8>> {
        let is_chat = |path: &str| path.ends_with("/chat/completions") || path.ends_with("/api/chat");
        self.received().into_iter().filter(|r| is_chat(&r.path)).map(|r| r.body).collect()
    }

    /// The bodies of the chat requests so far, parsed.
    pub fn requests(&self) -> Vec<Value> {
        self.raw_requests().iter().map(|body| serde_json::from_slice(body).unwrap()).collect()
    }

    /// Waits until a client has closed a connection that was held open for it.
    pub async fn wait_for_hangup(&self) {
        let mut hangups = self.log.hangups.subscribe();
        let seen = tokio::time::timeout(Duration::from_secs(20), hangups.wait_for(|count| *count > 0)).await;
        assert!(seen.is_ok(), "the client kept its connection");
    }
}

impl Drop for WireServer {
    fn drop(&mut self) {
        self.log.is_over.store(true, Ordering::SeqCst);
        TcpStream::connect(("127.0.0.1", self.port)).ok();
        // A test that failed has said why.
        if self.plays_script && !std::thread::panicking() {
            crate::support::prefix::check(&self.raw_requests());
        }
    }
}

fn answer(stream: TcpStream, log: &Arc<Log>, handler: &Handler) {
    stream.set_nodelay(true).unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let Some(request) = read_request(&mut reader) else { return };
    log.received.lock().unwrap().push(request.clone());
    let mut out = Out { stream, log: log.clone() };
    handler(&request, &mut out);
}

fn read_request(reader: &mut BufReader<TcpStream>) -> Option<Received> {
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split_whitespace();
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.push((name.to_lowercase(), value.trim().to_owned()));
    }
    let length =
        headers.iter().find(|(name, _)| name == "content-length").map_or(0, |(_, value)| value.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Received { method, path, headers, body })
}

/// The answering side of one connection. A client that went away ends the answer silently.
pub struct Out {
    stream: TcpStream,
    log: Arc<Log>,
}

impl Out {
    /// Sends bytes as they are.
    pub fn raw(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).and_then(|()| self.stream.flush()).ok();
    }

    /// Sends a complete answer.
    pub fn whole(&mut self, status: u16, content_type: &str, body: &[u8]) {
        self.with_headers(status, &[("content-type", content_type)], body);
    }

    /// Sends a complete answer with headers.
    pub fn with_headers(&mut self, status: u16, headers: &[(&str, &str)], body: &[u8]) {
        let lines: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let length = body.len();
        self.raw(
            format!("HTTP/1.1 {status} X\r\n{lines}content-length: {length}\r\nconnection: close\r\n\r\n").as_bytes(),
        );
        self.raw(body);
    }

    /// Begins an event stream in chunked encoding.
    pub fn begin_events(&mut self) {
        self.begin_chunked("text/event-stream");
    }

    /// Begins an answer in chunked encoding.
    pub fn begin_chunked(&mut self, content_type: &str) {
        self.raw(format!("HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n").as_bytes());
    }

    /// Sends one chunk.
    pub fn chunk(&mut self, bytes: &[u8]) {
        self.raw(format!("{:x}\r\n", bytes.len()).as_bytes());
        self.raw(bytes);
        self.raw(b"\r\n");
    }

    /// Ends a chunked answer properly.
    pub fn end(&mut self) {
        self.raw(b"0\r\n\r\n");
    }

    /// Sends nothing more until the client closes the connection.
    pub fn hang(&mut self) {
        let mut byte = [0; 1];
        while matches!(self.stream.read(&mut byte), Ok(1)) {}
        self.log.hangups.send_modify(|count| *count += 1);
    }
}

fn play(player: &Player, request: &Received, out: &mut Out) {
    if request.path.ends_with("/models") {
        return list_models(player.script(), out);
    }
    if request.is_probe() {
        return out.whole(404, "application/json", b"{}");
    }
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    match player.next(&seen(&body)) {
        Ok(turn) => play_turn(turn, out),
        Err(why) => out.whole(400, "application/json", json!({"error": {"message": why}}).to_string().as_bytes()),
    }
}

fn list_models(script: &Script, out: &mut Out) {
    let models = json!({"object": "list", "data": [{"id": script.model, "max_model_len": script.window_tokens}]});
    out.whole(200, "application/json", models.to_string().as_bytes());
}

/// Reads from a request body what a script looks at.
pub fn seen(body: &Value) -> Seen {
    let messages = body["messages"].as_array().unwrap();
    let text = |message: &Value| message["content"].as_str().unwrap_or_default().to_owned();
    let last = |role: &str| messages.iter().rev().find(|m| m["role"] == role).map(text).unwrap_or_default();
    let answered = messages.iter().rposition(|message| message["role"] == "assistant");
    let newest: Vec<String> = messages[answered.map_or(0, |at| at + 1)..].iter().map(text).collect();
    Seen { newest: newest.join("\n"), last_user: last("user"), system: last("system") }
}

fn play_turn(turn: &Turn, out: &mut Out) {
    match &turn.error {
        // Nobody there: the connection closes without a word.
        Some(Failure::Word(_)) if !turn.has_content() => return,
        Some(Failure::Reply { status, body, retry_after_s }) if !turn.has_content() => {
            let text = body.as_str().map_or_else(|| body.to_string(), str::to_owned);
            let seconds = retry_after_s.unwrap_or_default().to_string();
            let headers = [("content-type", "application/json"), ("retry-after", seconds.as_str())];
            let headers = if retry_after_s.is_some() { &headers[..] } else { &headers[..1] };
            return out.with_headers(*status, headers, text.as_bytes());
        }
        _ => {}
    }
    out.begin_events();
    let mut sse = render(&turn.events());
    if let Some(Failure::Reply { body, .. }) = &turn.error {
        sse.push_str(&format!("data: {body}\n\n"));
    }
    // Chunk boundaries fall anywhere, inside lines and characters too.
    sse.as_bytes().chunks(61).for_each(|bytes| out.chunk(bytes));
    if turn.stall {
        out.hang();
    } else if turn.drop_after.is_none() && turn.error.is_none() {
        out.chunk(b"data: [DONE]\n\n");
        out.end();
    }
}

/// Renders events as an OpenAI-compatible server would stream them.
pub fn render(events: &[StreamEvent]) -> String {
    let has_calls = events.iter().any(|event| matches!(event, StreamEvent::Tool(_)));
    let (mut sse, mut usage) = (line(&choice(&json!({"role": "assistant", "content": ""}), None)), String::new());
    for event in events {
        let chunk = match event {
            StreamEvent::Text(text) => choice(&json!({"content": text}), None),
            StreamEvent::Reasoning(text) => choice(&json!({"reasoning": text}), None),
            StreamEvent::Tool(piece) => choice(&json!({"tool_calls": [call(piece)]}), None),
            StreamEvent::Finish(finish) => choice(&json!({}), Some(reason(*finish, has_calls))),
            StreamEvent::Usage(counts) => {
                usage = line(&json!({"choices": [], "usage": {
                    "prompt_tokens": counts.input_tokens, "completion_tokens": counts.output_tokens,
                    "prompt_tokens_details": {"cached_tokens": counts.cached_tokens}}}));
                continue;
            }
            StreamEvent::Prefill { done_tokens, total_tokens } => {
                json!({"choices": [], "prompt_progress": {"processed": done_tokens, "total": total_tokens}})
            }
            StreamEvent::Timing(_) | StreamEvent::Error(_) => continue,
        };
        sse.push_str(&line(&chunk));
    }
    sse + &usage
}

fn reason(finish: Finish, has_calls: bool) -> &'static str {
    match finish {
        Finish::Stop if has_calls => "tool_calls",
        Finish::Stop => "stop",
        Finish::Length => "length",
        Finish::Aborted => "abort",
    }
}

fn call(piece: &mimi::model::ToolPiece) -> Value {
    let mut call = json!({"index": piece.index, "function": {"arguments": piece.arguments}});
    if let Some(name) = &piece.name {
        call["function"]["name"] = name.clone().into();
        call["type"] = "function".into();
    }
    if let Some(id) = &piece.id {
        call["id"] = id.clone().into();
    }
    call
}

fn choice(delta: &Value, finish_reason: Option<&str>) -> Value {
    json!({"id": "x", "object": "chat.completion.chunk", "choices": [{"index": 0, "delta": delta, "finish_reason": finish_reason}]})
}

fn line(value: &Value) -> String {
    format!("data: {value}\n\n")
}
