//! How does an Ollama behave, as far as a client can see?
//!
//! Plays a script over its native wire and over `/v1`, on top of the wire server. What the script says goes through the
//! parser Ollama has for Qwen3-Coder, so that a script loses calls in the ways the real one does: a call without its
//! opening tag leaks into the words, one that is not closed is swallowed, one that cannot be read fails the answer. Prompts
//! count four bytes to the token.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use mimi::model::providers::player::Player;
use mimi::model::providers::script::{Failure, Script, Turn};
use mimi::model::{Finish, StreamEvent};
use serde_json::{Map, Value, json};

use crate::support::wire::{self, Out, Received, WireServer};

const NDJSON: &str = "application/x-ndjson";
const JSON: &str = "application/json; charset=utf-8";

/// One model on its disk.
#[derive(Debug, Clone)]
pub struct Model {
    pub name: &'static str,
    /// Tokens it was trained for.
    pub trained: u64,
    pub capabilities: &'static [&'static str],
}

pub const CODER: Model = Model { name: "qwen3-coder:30b", trained: 262_144, capabilities: &["completion", "tools"] };
pub const SMALL: Model =
    Model { name: "qwen2.5-coder:1.5b", trained: 32_768, capabilities: &["completion", "tools", "insert"] };
pub const EMBEDDER: Model = Model { name: "nomic-embed-text:latest", trained: 2048, capabilities: &["embedding"] };

/// How it is set up.
#[derive(Debug, Clone)]
pub struct Setting {
    pub models: Vec<Model>,
    /// `OLLAMA_CONTEXT_LENGTH`.
    pub context_length: u64,
    /// Requests refused because the queue is full, before one is taken.
    pub full_for: usize,
    /// A version of 2024: calls have no ids, `/api/ps` tells no windows.
    pub is_old: bool,
}

impl Default for Setting {
    fn default() -> Self {
        Self { models: vec![CODER, SMALL, EMBEDDER], context_length: 32_768, full_for: 0, is_old: false }
    }
}

#[derive(Default)]
struct State {
    /// Loaded models with their windows.
    loaded: BTreeMap<String, u64>,
    /// How often a model was loaded, for the first time or anew.
    loads: usize,
    refused: usize,
    turns: usize,
}

struct Machine {
    setting: Setting,
    player: Player,
    state: Mutex<State>,
}

/// An Ollama; it stops when dropped.
pub struct OllamaServer {
    pub wire: WireServer,
    machine: Arc<Machine>,
}

impl OllamaServer {
    /// Plays the script in `yaml` as the answers of all its models.
    pub fn playing(yaml: &str) -> Self {
        Self::with(Setting::default(), yaml)
    }

    /// As [`OllamaServer::playing`], set up in another way.
    pub fn with(setting: Setting, yaml: &str) -> Self {
        let player = Player::new(Script::parse(yaml).unwrap());
        let machine = Arc::new(Machine { setting, player, state: Mutex::default() });
        let shared = machine.clone();
        let wire = WireServer::serve(move |request, out| shared.answer(request, out));
        Self { wire, machine }
    }

    /// Expects requests of sessions, to be checked when it is dropped.
    pub fn for_sessions(mut self) -> Self {
        self.wire = self.wire.for_sessions();
        self
    }

    /// Its address as Ollama's users know it.
    pub fn url(&self) -> String {
        self.wire.root_url()
    }

    /// How often a model was loaded.
    pub fn loads(&self) -> usize {
        self.machine.state().loads
    }

    /// Loads a model, as somebody else's request would.
    pub fn load(&self, model: &str) {
        let window = self.machine.setting.context_length;
        self.machine.state().loaded.insert(model.to_owned(), window);
    }
}

impl Machine {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn model(&self, name: &str) -> Option<&Model> {
        let bare = |name: &str| name.strip_suffix(":latest").unwrap_or(name).to_owned();
        self.setting.models.iter().find(|model| bare(model.name) == bare(name))
    }

    fn answer(&self, request: &Received, out: &mut Out) {
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        match (request.method.as_str(), request.path.as_str()) {
            ("GET", "/") => out.whole(200, "text/plain; charset=utf-8", b"Ollama is running"),
            ("GET", "/api/version") => whole(out, 200, &json!({"version": "0.13.0"})),
            ("GET", "/api/tags") => whole(out, 200, &self.tags()),
            ("GET", "/api/ps") => whole(out, 200, &self.ps()),
            ("GET", "/v1/models") => {
                let row = |model: &Model| json!({"id": model.name, "object": "model", "owned_by": "library"});
                whole(
                    out,
                    200,
                    &json!({"object": "list", "data": self.setting.models.iter().map(row).collect::<Vec<_>>()}),
                );
            }
            ("POST", "/api/show") => self.of_model(&body, out, |model, out| whole(out, 200, &show(model))),
            ("POST", "/api/chat") => self.of_model(&body, out, |_, out| self.chat(&body, out)),
            ("POST", "/api/generate") => self.of_model(&body, out, |model, out| self.generate(&body, model, out)),
            ("POST", "/api/embed") => self.of_model(&body, out, |model, out| self.embed(&body, model, out)),
            ("POST", "/v1/chat/completions") => self.openai_chat(&body, out),
            _ => out.whole(404, "text/plain", b"404 page not found"),
        }
    }

    fn tags(&self) -> Value {
        let row = |model: &Model| json!({"name": model.name, "model": model.name, "size": 1, "details": {"family": "qwen3moe"}});
        json!({"models": self.setting.models.iter().map(row).collect::<Vec<_>>()})
    }

    fn ps(&self) -> Value {
        let is_old = self.setting.is_old;
        let row = |(name, window): (&String, &u64)| {
            let mut row = json!({"name": name, "model": name, "size_vram": 1, "expires_at": "2026-08-30T10:05:00Z"});
            if !is_old {
                row["context_length"] = (*window).into();
            }
            row
        };
        json!({"models": self.state().loaded.iter().map(row).collect::<Vec<_>>()})
    }

    fn of_model(&self, body: &Value, out: &mut Out, then: impl FnOnce(&Model, &mut Out)) {
        let name = body["model"].as_str().unwrap_or_default();
        match self.model(name) {
            Some(model) => then(model, out),
            None => fail(out, 404, &format!("model '{name}' not found")),
        }
    }

    /// Loads what a request needs, anew when it wants another window than the one that is there.
    fn make_ready(&self, body: &Value) -> u64 {
        let name = self.model(body["model"].as_str().unwrap()).unwrap().name;
        let wanted = body["options"]["num_ctx"].as_u64();
        let mut state = self.state();
        let window = wanted.unwrap_or(self.setting.context_length);
        if state.loaded.get(name) != Some(&window) || body.get("shift").is_some() {
            state.loaded.insert(name.to_owned(), window);
            state.loads += 1;
        }
        window
    }

    fn chat(&self, body: &Value, out: &mut Out) {
        if self.is_full() {
            return fail(out, 503, "server busy, please try again.  maximum pending requests exceeded");
        }
        if let Some(problem) = problem(body) {
            return fail(out, 400, problem);
        }
        let window = self.make_ready(body);
        let needed = n_tokens(&body["messages"]) + n_tokens(&body["tools"]);
        if needed > window && body["truncate"] == false {
            return fail(
                out,
                400,
                "the prompt is longer than the context length currently available to the model; shorten the prompt or increase the context length",
            );
        }
        match self.player.next(&wire::seen(body)) {
            Ok(turn) => self.play(turn, needed.min(window), out),
            Err(why) => fail(out, 400, &why),
        }
    }

    fn is_full(&self) -> bool {
        let mut state = self.state();
        state.refused += 1;
        state.refused <= self.setting.full_for
    }

    fn play(&self, turn: &Turn, prompt_tokens: u64, out: &mut Out) {
        match &turn.error {
            Some(Failure::Word(_)) if !turn.has_content() => return,
            // It asks for no wait itself; a proxy before it may.
            Some(Failure::Reply { status, body, retry_after_s: Some(seconds) }) if !turn.has_content() => {
                let headers = [("content-type", JSON), ("retry-after", &*seconds.to_string())];
                return out.with_headers(*status, &headers, json!({"error": body}).to_string().as_bytes());
            }
            Some(Failure::Reply { status, body, .. }) if !turn.has_content() => {
                return fail(out, *status, body.as_str().unwrap_or_default());
            }
            _ => {}
        }
        let lines = self.lines(turn, prompt_tokens);
        out.begin_chunked(NDJSON);
        // Chunk boundaries fall anywhere, inside lines and characters too.
        lines.as_bytes().chunks(61).for_each(|bytes| out.chunk(bytes));
        if turn.stall {
            out.hang();
        } else if turn.drop_after.is_none() {
            out.end();
        }
    }

    /// The answer as native lines.
    fn lines(&self, turn: &Turn, prompt_tokens: u64) -> String {
        let n_turn = {
            let mut state = self.state();
            state.turns += 1;
            state.turns
        };
        let (pieces, finish) = parsed(turn);
        let mut lines = String::new();
        let mut n_calls = 0;
        for piece in &pieces {
            let message = match piece {
                Piece::Think(text) => json!({"role": "assistant", "content": "", "thinking": text}),
                Piece::Say(text) => json!({"role": "assistant", "content": text}),
                Piece::Call(name, arguments) => {
                    let mut call = json!({"function": {"index": n_calls, "name": name, "arguments": arguments}});
                    if !self.setting.is_old {
                        call["id"] = format!("call_{n_turn}_{n_calls}").into();
                    }
                    n_calls += 1;
                    json!({"role": "assistant", "content": "", "tool_calls": [call]})
                }
                Piece::Fail(error) => return lines + &format!("{}\n", json!({"error": error})),
            };
            lines += &format!("{}\n", json!({"model": "m", "message": message, "done": false}));
        }
        if let Some(Failure::Reply { body, .. }) = &turn.error {
            return lines + &format!("{}\n", json!({"error": body}));
        }
        let Some(finish) = finish else { return lines };
        let written = (turn.think.len() + turn.say.len()) as u64 / 4 + 20 * turn.calls.len() as u64;
        let (input, output) = turn.usage.map_or((prompt_tokens, written), |count| (count.input, count.output));
        let last = json!({
            "model": "m", "message": {"role": "assistant", "content": ""}, "done": true, "done_reason": reason(finish),
            "total_duration": 90_000_000, "load_duration": 20_000_000, "prompt_eval_count": input,
            "prompt_eval_duration": 50_000_000, "eval_count": output, "eval_duration": 20_000_000,
        });
        lines + &format!("{last}\n")
    }

    /// The common wire: no word of an error in the middle, and a prompt that is too long is cut without one.
    fn openai_chat(&self, body: &Value, out: &mut Out) {
        if self.model(body["model"].as_str().unwrap_or_default()).is_none() {
            let message = format!("model \"{}\" not found, try pulling it first", body["model"].as_str().unwrap_or(""));
            let error = json!({"error": {"message": message, "type": "not_found_error", "param": null, "code": null}});
            return whole(out, 404, &error);
        }
        let window = self.make_ready(body);
        let turn = match self.player.next(&wire::seen(body)) {
            Ok(turn) => turn,
            Err(why) => return whole(out, 400, &json!({"error": {"message": why, "code": null}})),
        };
        let (pieces, finish) = parsed(turn);
        let mut events = Vec::new();
        let mut has_failed = false;
        for piece in pieces {
            match piece {
                Piece::Think(text) => events.push(StreamEvent::Reasoning(text)),
                Piece::Say(text) => events.push(StreamEvent::Text(text)),
                Piece::Call(name, arguments) => {
                    let index = events.len();
                    let id = Some(format!("call_{index}"));
                    let arguments = Value::Object(arguments).to_string();
                    events.push(StreamEvent::Tool(mimi::model::ToolPiece { index, id, name: Some(name), arguments }));
                }
                Piece::Fail(_) => {
                    events.push(StreamEvent::Text(String::new()));
                    has_failed = true;
                }
            }
        }
        events.extend(finish.filter(|_| !has_failed).map(StreamEvent::Finish));
        if !has_failed {
            events.push(StreamEvent::Usage(mimi::protocol::message::Usage {
                input_tokens: n_tokens(&body["messages"]).min(window),
                output_tokens: 20,
                ..Default::default()
            }));
        }
        out.begin_events();
        out.chunk(wire::render(&events).as_bytes());
        if !has_failed {
            out.chunk(b"data: [DONE]\n\n");
        }
        out.end();
    }

    fn generate(&self, body: &Value, model: &Model, out: &mut Out) {
        let is_raw = body["raw"] == true;
        if body.get("suffix").is_some() && !model.capabilities.contains(&"insert") {
            return fail(out, 400, &format!("registry.ollama.ai/library/{} does not support insert", model.name));
        }
        self.make_ready(body);
        let response = if is_raw { "raw filling" } else { "filling" };
        let last = json!({
            "model": model.name, "response": response, "done": true, "done_reason": "stop",
            "prompt_eval_count": 7, "eval_count": 2,
        });
        whole(out, 200, &last);
    }

    fn embed(&self, body: &Value, model: &Model, out: &mut Out) {
        if !model.capabilities.contains(&"embedding") {
            return fail(out, 501, "this model does not support embeddings");
        }
        let texts = body["input"].as_array().unwrap();
        if body["truncate"] == false && texts.iter().any(|text| n_tokens(text) > model.trained) {
            return fail(out, 400, "the input length exceeds the context length");
        }
        self.make_ready(body);
        let vector = |text: &Value| json!([text.as_str().unwrap().len(), 0.5, -1]);
        let vectors: Vec<Value> = texts.iter().map(vector).collect();
        whole(out, 200, &json!({"model": model.name, "embeddings": vectors, "prompt_eval_count": 3}));
    }
}

fn whole(out: &mut Out, status: u16, value: &Value) {
    out.whole(status, JSON, value.to_string().as_bytes());
}

fn fail(out: &mut Out, status: u16, error: &str) {
    whole(out, status, &json!({"error": error}));
}

fn show(model: &Model) -> Value {
    json!({
        "capabilities": model.capabilities,
        "details": {"family": "qwen3moe"},
        "model_info": {"general.architecture": "qwen3moe", "qwen3moe.context_length": model.trained},
    })
}

fn n_tokens(value: &Value) -> u64 {
    value.to_string().len() as u64 / 4
}

/// What Ollama refuses in the body of a chat.
fn problem(body: &Value) -> Option<&'static str> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let has_shape = |tool: &Value| {
        tool["function"]["parameters"]["type"] == "object" && tool["function"]["parameters"]["properties"].is_object()
    };
    if !list(&body["tools"]).iter().all(has_shape) {
        return Some(
            "Unable to generate parser for this template. Automatic parser generation failed: JSON schema error at #: properties must be an object",
        );
    }
    let calls = list(&body["messages"]).iter().flat_map(|message| list(&message["tool_calls"])).collect::<Vec<_>>();
    let is_object = |call: &Value| call["function"]["arguments"].is_object();
    (!calls.iter().all(is_object)).then_some(
        "json: cannot unmarshal string into Go struct field ChatRequest.messages.tool_calls.function.arguments of type api.ToolCallFunctionArguments",
    )
}

fn reason(finish: Finish) -> &'static str {
    match finish {
        Finish::Stop => "stop",
        Finish::Length => "length",
        Finish::Aborted => "unload",
    }
}

/// What leaves Ollama.
#[derive(Debug, Clone, PartialEq)]
enum Piece {
    Think(String),
    Say(String),
    Call(String, Map<String, Value>),
    Fail(String),
}

/// Sends a turn through Ollama's parser.
fn parsed(turn: &Turn) -> (Vec<Piece>, Option<Finish>) {
    let (mut pieces, mut said, mut finish) = (Vec::new(), String::new(), None);
    let mut calls: BTreeMap<usize, (String, String)> = BTreeMap::new();
    for event in turn.events() {
        match event {
            StreamEvent::Reasoning(text) => pieces.push(Piece::Think(text)),
            StreamEvent::Text(text) => said += &text,
            StreamEvent::Tool(piece) => {
                let call = calls.entry(piece.index).or_default();
                call.0.extend(piece.name);
                call.1 += &piece.arguments;
            }
            StreamEvent::Finish(reason) => finish = Some(reason),
            _ => {}
        }
    }
    pieces.extend(qwen3_coder(&said));
    // A call that the end of the answer cuts off never leaves the parser.
    let whole = |(name, arguments): (String, String)| Some(Piece::Call(name, serde_json::from_str(&arguments).ok()?));
    pieces.extend(calls.into_values().filter_map(whole));
    (pieces, finish)
}

/// Ollama's parser for Qwen3-Coder, as far as its mistakes go.
fn qwen3_coder(said: &str) -> Vec<Piece> {
    let (mut pieces, mut rest) = (Vec::new(), said);
    while let Some((before, behind)) = rest.split_once("<tool_call>") {
        pieces.extend(words(before.trim_end()));
        // Not closed: kept for more that never comes.
        let Some((inner, after)) = behind.split_once("</tool_call>") else { return pieces };
        match call(inner) {
            Some((name, arguments)) => pieces.push(Piece::Call(name, arguments)),
            None => {
                pieces.push(Piece::Fail(
                    "error parsing tool call: XML syntax error on line 3: unexpected EOF".to_owned(),
                ));
                return pieces;
            }
        }
        rest = after;
    }
    pieces.extend(words(rest));
    pieces
}

fn words(text: &str) -> Vec<Piece> {
    let letters: Vec<char> = text.chars().collect();
    letters.chunks(5).map(|letters| Piece::Say(letters.iter().collect())).collect()
}

fn call(inner: &str) -> Option<(String, Map<String, Value>)> {
    let (name, mut rest) = inner.trim().strip_prefix("<function=")?.split_once('>')?;
    let mut arguments = Map::new();
    while let Some((key, behind)) = rest.trim_start().strip_prefix("<parameter=").and_then(|rest| rest.split_once('>'))
    {
        let (value, after) = behind.split_once("</parameter>")?;
        arguments.insert(key.to_owned(), value.trim_matches('\n').into());
        rest = after;
    }
    (rest.trim() == "</function>").then(|| (name.to_owned(), arguments))
}

#[test]
fn it_loses_calls_as_the_real_one_does() {
    let call = "<function=read_file>\n<parameter=path>\na.rs\n</parameter>\n</function>\n";
    let path = || Map::from_iter([("path".to_owned(), Value::from("a.rs"))]);
    let read = Piece::Call("read_file".to_owned(), path());
    let table = [
        (format!("Go.\n<tool_call>\n{call}</tool_call>"), vec![Piece::Say("Go.".to_owned()), read]),
        (format!("<tool_call>\n{call}"), vec![]),
        (
            "<tool_call>\n<function=a>\n<parameter=b>\n</function>\n</tool_call>".to_owned(),
            vec![Piece::Fail("error parsing tool call: XML syntax error on line 3: unexpected EOF".to_owned())],
        ),
    ];
    for (said, expected) in table {
        assert_eq!(qwen3_coder(&said), expected, "{said}");
    }
    let leaked = format!("{call}</tool_call>");
    let said: String = qwen3_coder(&leaked)
        .into_iter()
        .map(|piece| match piece {
            Piece::Say(text) => text,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(said, leaked);
}
