//! How is one question sent over HTTP, and its answer read while it comes, whatever the wire?
//!
//! Every wire hands over a finished body and a [`Reading`] that understands the bytes coming back; sending, waiting, status,
//! cancelling and the end are the same for all. No retries here, and nothing a server sends may panic. Dropping the stream
//! closes the connection, upon which all these servers stop generating.

use std::collections::VecDeque;
use std::sync::Arc;

use futures_util::stream::{self, BoxStream};
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use tokio::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

use crate::model::error::{Cause, ModelError};
use crate::model::providers::http::{Endpoint, Http};
use crate::model::providers::simple;
use crate::model::providers::status::{self, Origin};
use crate::model::route;
use crate::model::sse::EventTooLong;
use crate::model::{Provider, StreamEvent};

/// Wait for token counts after the model said why it stopped. A server that keeps the connection open must not hold a
/// complete answer back.
const GRACE: Duration = Duration::from_secs(2);
/// Largest answer that is read from a server that does not stream, in bytes.
const MAX_BODY_BYTES: usize = 64 * 1024 * 1024;

/// Understands the bytes of one answer. Any split of the same bytes must give the same events.
pub trait Reading: Send + Sync {
    /// Takes the next bytes.
    fn feed(&mut self, bytes: &[u8], out: &mut Vec<StreamEvent>) -> Result<(), EventTooLong>;

    /// Takes what the end of the bytes left without a line end.
    fn finish(&mut self, out: &mut Vec<StreamEvent>) -> Result<(), EventTooLong>;

    /// Ends the answer: the last event tells why the model stopped, or what is wrong with the stream.
    fn close(&mut self, out: &mut Vec<StreamEvent>);

    /// Reads an answer that came in one piece; `false` when the text is no answer of a model server.
    fn read_whole(&mut self, text: &str, out: &mut Vec<StreamEvent>) -> bool;

    /// Says whether a body of this type (in lower case) comes line by line.
    fn is_stream(&self, content_type: &str) -> bool {
        !content_type.contains("json") && !content_type.contains("html")
    }

    /// Says whether the model has said why it stopped; only token counts may still come.
    fn has_finished(&self) -> bool;

    /// Says whether nothing further needs to be read: the server said so, or the answer failed.
    fn is_done(&self) -> bool;
}

/// One request, ready to be sent.
pub struct Outgoing {
    /// Sends it.
    pub http: Http,
    /// Where it goes.
    pub endpoint: Endpoint,
    /// Appended to the base URL.
    pub path: &'static str,
    /// The type of answer asked for.
    pub accept: &'static str,
    /// What errors say of it.
    pub origin: Origin,
    /// Its body, or why there is none.
    pub body: Result<Vec<u8>, serde_json::Error>,
    /// Understands the answer.
    pub reading: Box<dyn Reading>,
    /// Knows which models there are, for errors about them.
    pub provider: Arc<dyn Provider>,
}

impl Outgoing {
    /// Sends it and streams the answer.
    pub fn stream(self, cancel: CancellationToken) -> BoxStream<'static, StreamEvent> {
        let exchange = Exchange {
            first_event_by: Some(Instant::now() + self.http.limits.first_byte),
            stage: Stage::Send,
            queue: VecDeque::new(),
            outgoing: self,
            cancel,
        };
        Box::pin(stream::unfold(exchange, |mut exchange| async {
            let event = exchange.next().await?;
            Some((event, exchange))
        }))
    }
}

/// Says whether an event shows that the server is at work on this request. Token counts come with empty pieces too.
fn is_sign_of_life(event: &StreamEvent) -> bool {
    !matches!(event, StreamEvent::Usage(_) | StreamEvent::Timing(_))
}

enum Stage {
    Send,
    Read(Box<reqwest::Response>),
    Over,
}

/// One request and its answer.
struct Exchange {
    outgoing: Outgoing,
    cancel: CancellationToken,
    stage: Stage,
    queue: VecDeque<StreamEvent>,
    /// When the answer must have begun; gone once it has.
    first_event_by: Option<Instant>,
}

impl Exchange {
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
            Stage::Send => {
                let response = self.send().await?;
                self.accept(response).await
            }
            Stage::Read(response) => self.read(response).await,
            Stage::Over => Ok(()),
        }
    }

    async fn send(&mut self) -> Result<reqwest::Response, ModelError> {
        let url = self.outgoing.origin.url.clone();
        let body = std::mem::replace(&mut self.outgoing.body, Ok(Vec::new()));
        let bytes = body.map_err(|error| ModelError::Refused {
            url: url.clone(),
            status: 0,
            source: Cause(format!("it cannot be written as JSON: {error}")),
        })?;
        let sent = self
            .outgoing
            .http
            .client
            .post(format!("{url}{}", self.outgoing.path))
            .headers(self.outgoing.endpoint.headers.clone())
            .header(CONTENT_TYPE, "application/json")
            .header(ACCEPT, self.outgoing.accept)
            .body(bytes)
            .send();
        let limit = self.outgoing.http.limits.first_byte;
        let response = tokio::time::timeout(limit, sent).await.map_err(|_| self.silent(limit))?;
        response.map_err(|error| self.outgoing.http.failed(&url, &error))
    }

    /// Looks at status and type of the answer before reading it as a stream.
    async fn accept(&mut self, response: reqwest::Response) -> Result<(), ModelError> {
        let content_type = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let content_type = content_type.unwrap_or_default().to_ascii_lowercase();
        if !response.status().is_success() {
            return Err(self.refused(response).await);
        }
        if !self.outgoing.reading.is_stream(&content_type) {
            return self.read_whole(response).await;
        }
        self.stage = Stage::Read(Box::new(response));
        Ok(())
    }

    async fn refused(&self, response: reqwest::Response) -> ModelError {
        let limit = self.outgoing.http.limits.idle;
        let status = response.status().as_u16();
        // The status alone decides what to do, so a body that never ends only costs its words.
        let reply = tokio::time::timeout(limit, simple::read_reply(response)).await;
        let reply = reply.unwrap_or(status::Reply { status, ..status::Reply::default() });
        match status::from_reply(&self.outgoing.origin, &reply) {
            ModelError::NoModel { url, model, .. } => {
                let models = self.outgoing.provider.models().await.unwrap_or_default();
                let available = models.into_iter().map(|model| model.id).collect();
                ModelError::NoModel { url, model, available }
            }
            // Some servers name no number, but by now the model is loaded, so that its window can be asked for.
            ModelError::TooLong { model, window_tokens: None, source } => {
                let models = self.outgoing.provider.models().await.unwrap_or_default();
                let window_tokens = route::find(&model, &models).and_then(|found| found.window_tokens);
                ModelError::TooLong { model, window_tokens, source }
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
        let (text, mut out) = (String::from_utf8_lossy(&body), Vec::new());
        if !self.outgoing.reading.read_whole(&text, &mut out) {
            return Err(simple::not_an_api(&self.outgoing.endpoint, &text));
        }
        self.outgoing.reading.close(&mut out);
        self.queue.extend(out);
        Ok(())
    }

    async fn read(&mut self, mut response: Box<reqwest::Response>) -> Result<(), ModelError> {
        let piece = match self.chunk(&mut response).await {
            // The model has said that it is finished; how the connection ends no longer matters.
            Err(error) if self.outgoing.reading.has_finished() && !matches!(error, ModelError::Cancelled) => None,
            other => other?,
        };
        let (reading, mut out) = (&mut self.outgoing.reading, Vec::new());
        let decoded = match &piece {
            Some(bytes) => reading.feed(bytes.as_ref(), &mut out),
            None => reading.finish(&mut out),
        };
        // Some servers open with an empty piece or a count and then queue, so neither ends that wait.
        if out.iter().any(is_sign_of_life) {
            self.first_event_by = None;
        }
        let url = &self.outgoing.origin.url;
        let failed = decoded.map_err(|error| ModelError::Broken { url: url.clone(), what: error.to_string() });
        if failed.is_ok() && (piece.is_none() || reading.is_done()) {
            reading.close(&mut out);
        } else if failed.is_ok() {
            self.stage = Stage::Read(response);
        }
        self.queue.extend(out);
        failed
    }

    /// Waits for the next bytes: until the first event as long as queue and prefill may take, then the idle timeout.
    async fn chunk(&self, response: &mut reqwest::Response) -> Result<Option<impl AsRef<[u8]> + use<>>, ModelError> {
        let limits = &self.outgoing.http.limits;
        let (deadline, limit) = match self.first_event_by {
            Some(by) => (by, limits.first_byte),
            None if self.outgoing.reading.has_finished() => (Instant::now() + GRACE.min(limits.idle), GRACE),
            None => (Instant::now() + limits.idle, limits.idle),
        };
        let chunk = tokio::time::timeout_at(deadline, response.chunk()).await.map_err(|_| self.silent(limit))?;
        chunk.map_err(|error| self.outgoing.http.failed(&self.outgoing.origin.url, &error))
    }

    fn silent(&self, limit: Duration) -> ModelError {
        let limit = crate::base::clock::format_duration(limit.as_millis() as u64);
        ModelError::Broken { url: self.outgoing.origin.url.clone(), what: format!("nothing came for {limit}") }
    }
}
