//! Does a model's answer reach the agent whole, whatever server it comes from and whatever goes wrong?

mod changes;
mod crowd;
mod egress;
mod embed;
mod errors;
mod fallback;
mod fill;
mod gateway;
mod kept_vectors;
mod kept_words;
mod meter;
mod ollama;
mod probe;
mod recorded;
mod recover;
mod routes;
mod simple;
mod slots;
mod streams;
mod suite;
mod tls;
mod triton;
mod waiting;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use mimi::config::schema::{ModelConfig, ProviderConfig, ProviderKind, ServerConfig};
use mimi::model::ask::Progress;
use mimi::model::error::ModelError;
use mimi::model::gateway::Gateway;
use mimi::model::providers::egress::Dial;
use mimi::model::providers::http::{Http, Limits};
use mimi::model::providers::script::{Script, ScriptProvider};
use mimi::model::retry::Retry;
use mimi::model::route::Route;
use mimi::model::settings::GatewayConfig;
use mimi::model::{Answer, Calls, Delivery, Request, ToolChoice};
use mimi::protocol::message::Message;
use mimi::protocol::task::{Class, Task};
use tokio_util::sync::CancellationToken;

use crate::support::wire::WireServer;

/// Waits long enough for a busy test machine and no longer.
pub const LIMITS: Limits = Limits {
    connect: Duration::from_secs(5),
    first_byte: Duration::from_secs(20),
    idle: Duration::from_secs(20),
    list: Duration::from_secs(20),
};

/// Repeats without waiting.
pub fn quick(max: u32) -> Retry {
    Retry { max, base: Duration::from_millis(1), cap: Duration::from_millis(1), ..Retry::default() }
}

pub fn config(url: &str) -> GatewayConfig {
    GatewayConfig {
        server: ServerConfig { url: url.to_owned(), model: String::new() },
        providers: BTreeMap::new(),
        search: Vec::new(),
        routes: Task::ALL.iter().map(|task| (*task, "auto/script".into())).collect(),
        model: ModelConfig {
            max_output_tokens: 100,
            window_tokens: 0,
            connect_timeout_s: 5,
            first_byte_timeout_s: 20,
            idle_timeout_s: 20,
            max_retries: 4,
            max_in_flight: 4,
        },
    }
}

pub fn row(url: &str) -> ProviderConfig {
    ProviderConfig { api_key_env: "TEST_KEY".to_owned(), ..ProviderConfig::new(ProviderKind::Openai, url) }
}

/// An HTTP client that may connect to `url`.
pub fn http_to(url: &str) -> Http {
    let http = Http::new(LIMITS).unwrap();
    http.open(Dial::of(url, ""));
    http
}

pub fn gateway_at(url: &str, limits: Limits) -> Gateway {
    Gateway::new(config(url), Box::new(|_, _| None), Http::new(limits).unwrap()).with_retry(quick(4))
}

/// The same script in process and on the wire.
pub enum Face {
    InProcess(Arc<ScriptProvider>),
    Wire(WireServer),
}

impl Face {
    pub fn both(yaml: &str) -> [(Self, Gateway); 2] {
        let provider = Arc::new(ScriptProvider::new(Script::parse(yaml).unwrap()));
        let server = WireServer::script(yaml);
        let over_wire = gateway_at(&server.url(), LIMITS);
        let in_process = Gateway::with_provider("script", provider.clone());
        [(Self::InProcess(provider), in_process), (Self::Wire(server), over_wire)]
    }

    pub fn name(&self) -> &'static str {
        match self {
            Self::InProcess(_) => "in process",
            Self::Wire(_) => "on the wire",
        }
    }

    pub fn n_requests(&self) -> usize {
        match self {
            Self::InProcess(provider) => provider.requests().len(),
            Self::Wire(server) => server.requests().len(),
        }
    }
}

pub fn request(words: &str) -> Request {
    let messages = vec![Message::System { text: "You are a test.".to_owned() }, Message::user(words)];
    Request {
        model: "script".to_owned(),
        tools: Arc::from(Vec::new()),
        messages: messages.into(),
        max_tokens: 100,
        temperature: None,
        answer_schema: None,
        delivery: Delivery::Streamed,
        tool_choice: ToolChoice::Auto,
        calls: Calls::Many,
        task: Task::Chat,
        class: Class::Interactive,
    }
}

pub async fn route(gateway: &Gateway) -> Route {
    gateway.resolve(Task::Chat, None).await.unwrap()
}

pub fn unchecked_route(url: &str) -> Route {
    Route {
        provider: "server".to_owned(),
        url: url.to_owned(),
        model: "m".to_owned(),
        window_tokens: 1000,
        row: mimi::model::catalog::row("m"),
        server: Arc::default(),
        rank: None,
        profile: None,
        note: None,
    }
}

pub async fn ask(gateway: &Gateway, route: &Route, request: Request) -> Vec<Progress> {
    gateway.stream(route, request, CancellationToken::new()).collect().await
}

/// Asks and returns the answer, or the error.
pub async fn answer(gateway: &Gateway, words: &str) -> Result<Answer, ModelError> {
    let route = route(gateway).await;
    outcome(&ask(gateway, &route, request(words)).await)
}

pub fn outcome(progress: &[Progress]) -> Result<Answer, ModelError> {
    match progress.last() {
        Some(Progress::Done(answer)) => Ok((**answer).clone()),
        Some(Progress::Failed(error)) => Err(error.clone()),
        other => panic!("a stream of progress ends with {other:?}"),
    }
}

/// Renders an answer in one line: `words | thoughts | calls | counts`.
pub fn brief(answer: &Answer) -> String {
    let calls: Vec<String> =
        answer.tool_calls.iter().map(|call| format!("{}:{}{}", call.id, call.name, call.arguments)).collect();
    let usage = answer.usage;
    let mut line = format!("{} | {} | {}", answer.text, answer.reasoning, calls.join(" "));
    if usage != mimi::protocol::message::Usage::default() {
        line += &format!(" | {}+{} ({} cached)", usage.input_tokens, usage.output_tokens, usage.cached_tokens);
    }
    match (&answer.cut_call, answer.is_cut) {
        (Some(name), _) => line + &format!(" | cut in {name}"),
        (None, true) => line + " | cut",
        (None, false) => line,
    }
}
