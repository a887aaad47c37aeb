//! How is a question put to a server that speaks OpenAI's chat completions, and its answer read while it comes?
//!
//! Most of the team's servers do: vLLM, SGLang, llama.cpp, Ollama, TensorRT-LLM. The request and the stream are ours
//! (`body`, `sse`, `chunk`); what is answered in one piece goes through `simple`. No retries here, and nothing a server
//! sends may panic. Dropping the stream closes the connection, upon which all these servers stop generating.

use std::collections::VecDeque;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream};
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use tokio::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

use crate::model::chunk::Reader;
use crate::model::error::{Cause, ModelError};
use crate::model::providers::http::{Endpoint, Http, connection_failed};
use crate::model::providers::status::{self, Origin};
use crate::model::providers::{Setup, body, simple};
use crate::model::sse::Decoder;
use crate::model::{ModelInfo, Provider, Request, StreamEvent};

/// Wait for token counts after the model said why it stopped. A server that keeps the connection open without `[DONE]`
/// must not hold a complete answer back.
const GRACE: Duration = Duration::from_secs(2);
/// Largest answer that is read from a server that does not stream, in bytes.
const MAX_BODY_BYTES: usize = 64 * 1024 * 1024;

/// A server that speaks chat completions.
#[derive(Debug, Clone)]
pub struct OpenAi {
    endpoint: Endpoint,
    http: Http,
    extras: body::Extras,
}

impl OpenAi {
    /// Builds the provider of a row; fails when its address or headers are wrong.
    pub fn new(setup: &Setup<'_>) -> Result<Self, ModelError> {
        let endpoint = Endpoint::new(setup.name, setup.row, setup.key.as_ref())?;
        Ok(Self { http: setup.http.reaching(&endpoint.url)?, endpoint, extras: body::Extras::default() })
    }

    /// Sends further keys that the server is known to take.
    #[must_use]
    pub fn with_extras(mut self, extras: body::Extras) -> Self {
        self.extras = extras;
        self
    }
}

impl Provider for OpenAi {
    fn stream(&self, request: Request, cancel: CancellationToken) -> BoxStream<'static, StreamEvent> {
        let exchange = Exchange::new(self.clone(), request, cancel);
        Box::pin(stream::unfold(exchange, |mut exchange| async {
            let event = exchange.next().await?;
            Some((event, exchange))
        }))
    }

    fn models(&self) -> BoxFuture<'_, Result<Vec<ModelInfo>, ModelError>> {
        simple::models(&self.http, &self.endpoint).boxed()
    }

    fn embed(&self, model: String, texts: Vec<String>) -> BoxFuture<'_, Result<Vec<Vec<f32>>, ModelError>> {
        async move { simple::embed(&self.http, &self.endpoint, &model, &texts).await }.boxed()
    }
}

/// Says whether an event shows that the server is at work on this request. Token counts come with empty pieces too.
fn is_sign_of_life(event: &StreamEvent) -> bool {
    !matches!(event, StreamEvent::Usage(_) | StreamEvent::Timing(_))
}

enum Stage {
    Send(Box<Request>),
    Read(Box<reqwest::Response>),
    Over,
}

/// One request and its answer.
struct Exchange {
    provider: OpenAi,
    cancel: CancellationToken,
    origin: Origin,
    stage: Stage,
    decoder: Decoder,
    reader: Reader,
    queue: VecDeque<StreamEvent>,
    /// When the answer must have begun; gone once it has.
    first_event_by: Option<Instant>,
}

impl Exchange {
    fn new(provider: OpenAi, request: Request, cancel: CancellationToken) -> Self {
        let origin = Origin { model: request.model.clone(), ..Origin::of(&provider.endpoint) };
        Self {
            reader: Reader::new(origin.clone()),
            first_event_by: Some(Instant::now() + provider.http.limits.first_byte),
            stage: Stage::Send(Box::new(request)),
            decoder: Decoder::default(),
            queue: VecDeque::new(),
            provider,
            cancel,
            origin,
        }
    }

    async fn next(&mut self) -> Option<StreamEvent> {
        loop {
            if let Some(event) = self.queue.pop_front() {
                return Some(event);
            }
            let cancel = self.cancel.clone();
            let is_over = matches!(self.stage, Stage::Over);
            if is_over {
                return None;
            }
            // Biased, so that a cancelled request is never sent.
            let step = tokio::select! {
                biased;
                () = cancel.cancelled() => Err(ModelError::Cancelled),
                step = self.step() => step,
            };
            if let Err(error) = step {
                self.stage = Stage::Over;
                self.queue.push_back(StreamEvent::Error(error));
            }
        }
    }

    async fn step(&mut self) -> Result<(), ModelError> {
        match std::mem::replace(&mut self.stage, Stage::Over) {
            Stage::Send(request) => {
                let response = self.send(&request).await?;
                self.accept(response).await
            }
            Stage::Read(response) => self.read(response).await,
            Stage::Over => Ok(()),
        }
    }

    async fn send(&self, request: &Request) -> Result<reqwest::Response, ModelError> {
        let url = &self.origin.url;
        let bytes = body::render(request, self.provider.extras).map_err(|error| ModelError::Refused {
            url: url.clone(),
            status: 0,
            source: Cause(format!("it cannot be written as JSON: {error}")),
        })?;
        let sent = self
            .provider
            .http
            .client
            .post(format!("{url}/chat/completions"))
            .headers(self.provider.endpoint.headers.clone())
            .header(CONTENT_TYPE, "application/json")
            .header(ACCEPT, "text/event-stream")
            .body(bytes)
            .send();
        let limit = self.provider.http.limits.first_byte;
        let response = tokio::time::timeout(limit, sent).await.map_err(|_| self.silent(limit))?;
        response.map_err(|error| connection_failed(url, &error))
    }

    /// Looks at status and type of the answer before reading it as a stream.
    async fn accept(&mut self, response: reqwest::Response) -> Result<(), ModelError> {
        let content_type = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let content_type = content_type.unwrap_or_default().to_ascii_lowercase();
        if !response.status().is_success() {
            return Err(self.refused(response).await);
        }
        if content_type.contains("json") || content_type.contains("html") {
            return self.read_whole(response).await;
        }
        self.stage = Stage::Read(Box::new(response));
        Ok(())
    }

    async fn refused(&self, response: reqwest::Response) -> ModelError {
        let limit = self.provider.http.limits.idle;
        let status = response.status().as_u16();
        // The status alone decides what to do, so a body that never ends only costs its words.
        let reply = tokio::time::timeout(limit, simple::read_reply(response)).await;
        let reply = reply.unwrap_or(status::Reply { status, ..status::Reply::default() });
        match status::from_reply(&self.origin, &reply) {
            ModelError::NoModel { url, model, .. } => {
                let models = self.provider.models().await.unwrap_or_default();
                let available = models.into_iter().map(|model| model.id).collect();
                ModelError::NoModel { url, model, available }
            }
            other => other,
        }
    }

    /// Reads an answer that is no stream: a proxy or server that ignores `stream: true`, or an error under status 200.
    async fn read_whole(&mut self, mut response: reqwest::Response) -> Result<(), ModelError> {
        let mut body = Vec::new();
        while body.len() < MAX_BODY_BYTES {
            let Some(bytes) = self.chunk(&mut response).await? else { break };
            body.extend_from_slice(bytes.as_ref());
        }
        let text = String::from_utf8_lossy(&body);
        let is_answer = serde_json::from_str::<serde_json::Value>(&text).is_ok_and(|value| {
            value.as_object().is_some_and(|map| map.contains_key("choices") || status::holds_error(map))
        });
        if !is_answer {
            return Err(simple::not_an_api(&self.provider.endpoint, &text));
        }
        let mut out = Vec::new();
        self.reader.read("", &text, &mut out);
        self.reader.close(&mut out);
        self.queue.extend(out);
        Ok(())
    }

    async fn read(&mut self, mut response: Box<reqwest::Response>) -> Result<(), ModelError> {
        let piece = match self.chunk(&mut response).await {
            // The model has said that it is finished; how the connection ends no longer matters.
            Err(error) if self.reader.has_finished() && !matches!(error, ModelError::Cancelled) => None,
            other => other?,
        };
        let (reader, mut out) = (&mut self.reader, Vec::new());
        let mut on_event = |event: crate::model::sse::Event<'_>| reader.read(&event.name, &event.data, &mut out);
        let decoded = match &piece {
            Some(bytes) => self.decoder.feed(bytes.as_ref(), &mut on_event),
            None => self.decoder.finish(&mut on_event),
        };
        // Some servers open with an empty piece or a count and then queue, so neither ends that wait.
        if out.iter().any(is_sign_of_life) {
            self.first_event_by = None;
        }
        self.queue.extend(out);
        decoded.map_err(|error| ModelError::Broken { url: self.origin.url.clone(), what: error.to_string() })?;
        if piece.is_none() || self.reader.is_done() {
            let mut out = Vec::new();
            self.reader.close(&mut out);
            self.queue.extend(out);
        } else {
            self.stage = Stage::Read(response);
        }
        Ok(())
    }

    /// Waits for the next bytes: until the first event as long as queue and prefill may take, then the idle timeout.
    async fn chunk(&self, response: &mut reqwest::Response) -> Result<Option<impl AsRef<[u8]> + use<>>, ModelError> {
        let limits = &self.provider.http.limits;
        let (deadline, limit) = match self.first_event_by {
            Some(by) => (by, limits.first_byte),
            None if self.reader.has_finished() => (Instant::now() + GRACE.min(limits.idle), GRACE),
            None => (Instant::now() + limits.idle, limits.idle),
        };
        let chunk = tokio::time::timeout_at(deadline, response.chunk()).await.map_err(|_| self.silent(limit))?;
        chunk.map_err(|error| connection_failed(&self.origin.url, &error))
    }

    fn silent(&self, limit: Duration) -> ModelError {
        let limit = crate::base::clock::format_duration(limit.as_millis() as u64);
        ModelError::Broken { url: self.origin.url.clone(), what: format!("nothing came for {limit}") }
    }
}
