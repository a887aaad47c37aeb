//! How is a question put to a server that speaks OpenAI's chat completions, and its answer read?
//!
//! Most of the team's servers do: vLLM, SGLang, llama.cpp, TensorRT-LLM, and Ollama beside its own wire. The request and
//! the stream are ours (`body`, `sse`, `chunk`, and `exchange` for what all wires share); what is answered in one piece
//! goes through `simple`.

use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use tokio_util::sync::CancellationToken;

use crate::model::chunk::Reader;
use crate::model::error::ModelError;
use crate::model::fim::{Fill, Filling};
use crate::model::providers::exchange::{Outgoing, Reading};
use crate::model::providers::http::{Endpoint, Http};
use crate::model::providers::json::Asked;
use crate::model::providers::status::{self, Origin};
use crate::model::providers::{Setup, body, fill, simple};
use crate::model::sse::{Decoder, Event, EventTooLong};
use crate::model::{ModelInfo, Provider, Request, StreamEvent};

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
        let extras = body::Extras::of(setup.server);
        Ok(Self { http: setup.http.reaching(&endpoint.url)?, endpoint, extras })
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
        let origin = Origin { model: request.model.clone(), ..Origin::of(&self.endpoint) };
        let reading = Events::new(origin.clone());
        let outgoing = Outgoing {
            http: self.http.clone(),
            endpoint: self.endpoint.of_class(request.class),
            path: "/chat/completions",
            accept: "text/event-stream",
            origin,
            body: body::render(&request, self.extras, self.endpoint.priority_field(request.class)),
            reading: Box::new(reading),
            provider: Arc::new(self.clone()),
        };
        outgoing.stream(cancel)
    }

    fn models(&self) -> BoxFuture<'_, Result<Vec<ModelInfo>, ModelError>> {
        simple::models(&self.http, &self.endpoint).boxed()
    }

    fn embed(&self, model: String, texts: Vec<String>) -> BoxFuture<'_, Result<Vec<Vec<f32>>, ModelError>> {
        async move { simple::embed(&self.http, &self.endpoint, &model, &texts).await }.boxed()
    }

    fn fill(&self, fill: Fill) -> BoxFuture<'_, Result<Filling, ModelError>> {
        async move {
            let limit = self.http.limits.first_byte;
            let asked = Asked { http: &self.http, endpoint: &self.endpoint, model: &fill.model, limit };
            match self.extras.infill {
                true => fill::infill(&asked, &fill).await,
                false => fill::complete(&asked, &fill).await,
            }
        }
        .boxed()
    }
}

/// Reads server-sent events of chat completions.
pub struct Events {
    decoder: Decoder,
    reader: Reader,
}

impl Events {
    /// Starts reading an answer of `origin`.
    pub fn new(origin: Origin) -> Self {
        Self { decoder: Decoder::default(), reader: Reader::new(origin) }
    }
}

impl Reading for Events {
    fn feed(&mut self, bytes: &[u8], out: &mut Vec<StreamEvent>) -> Result<(), EventTooLong> {
        let reader = &mut self.reader;
        self.decoder.feed(bytes, |event: Event<'_>| reader.read_event(&event, out))
    }

    fn finish(&mut self, out: &mut Vec<StreamEvent>) -> Result<(), EventTooLong> {
        let reader = &mut self.reader;
        self.decoder.finish(|event: Event<'_>| reader.read_event(&event, out))
    }

    fn close(&mut self, out: &mut Vec<StreamEvent>) {
        self.reader.close(out);
    }

    fn read_whole(&mut self, text: &str, out: &mut Vec<StreamEvent>) -> bool {
        let is_answer = serde_json::from_str::<serde_json::Value>(text).is_ok_and(|value| {
            value.as_object().is_some_and(|map| map.contains_key("choices") || status::holds_error(map))
        });
        if is_answer {
            self.reader.read("", text, out);
        }
        is_answer
    }

    fn has_finished(&self) -> bool {
        self.reader.has_finished()
    }

    fn is_done(&self) -> bool {
        self.reader.is_done()
    }
}
