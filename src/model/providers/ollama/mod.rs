//! How is a question put to Ollama in its own words, rather than in OpenAI's?
//!
//! The native wire is taken because only it reports errors in the middle of an answer, refuses a prompt that is too long
//! instead of dropping its beginning, and tells the window it has really allocated. `body` writes requests, `reader` reads
//! answers, `facts` asks what there is, `fill` fills gaps. Nothing here makes Ollama load a model anew unless the user asked
//! for it. To add something Ollama is asked for: a function in the file whose job it is, called by a method of [`Provider`].

pub mod body;
pub mod facts;
pub mod fill;
pub mod reader;

use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use tokio_util::sync::CancellationToken;

use crate::model::error::ModelError;
use crate::model::fim::{Fill, Filling};
use crate::model::providers::Setup;
use crate::model::providers::exchange::Outgoing;
use crate::model::providers::http::{Endpoint, Http};
use crate::model::providers::json::Asked;
use crate::model::providers::ollama::body::Forced;
use crate::model::providers::ollama::reader::Reader;
use crate::model::providers::status::Origin;
use crate::model::{ModelInfo, Provider, Request, StreamEvent};

/// An Ollama.
#[derive(Debug, Clone)]
pub struct Ollama {
    endpoint: Endpoint,
    http: Http,
    forced: Forced,
}

impl Ollama {
    /// Builds the provider of a row; fails when its address or headers are wrong.
    pub fn new(setup: &Setup<'_>) -> Result<Self, ModelError> {
        let endpoint = Endpoint::new(setup.name, setup.row, setup.key.as_ref())?;
        let forced = Forced { num_ctx: setup.row.num_ctx, think: setup.row.think };
        Ok(Self { http: setup.http.reaching(&endpoint.url)?, endpoint, forced })
    }

    /// Prepares to ask for what is there at once.
    fn ask_briefly(&self) -> Asked<'_> {
        Asked { http: &self.http, endpoint: &self.endpoint, model: "", limit: self.http.limits.list }
    }

    /// Prepares to ask for work of `model`, before which it may have to be loaded.
    fn ask_model<'a>(&'a self, model: &'a str) -> Asked<'a> {
        Asked { http: &self.http, endpoint: &self.endpoint, model, limit: self.http.limits.first_byte }
    }

    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.endpoint.url)
    }
}

impl Provider for Ollama {
    fn stream(&self, request: Request, cancel: CancellationToken) -> BoxStream<'static, StreamEvent> {
        let origin = Origin { model: request.model.clone(), ..Origin::of(&self.endpoint) };
        let reading = match body::forces_call(&request) {
            true => Reader::of_call(origin.clone()),
            false => Reader::new(origin.clone()),
        };
        let outgoing = Outgoing {
            http: self.http.clone(),
            endpoint: self.endpoint.clone(),
            path: "/api/chat",
            accept: "application/x-ndjson",
            origin,
            body: body::render(&request, self.forced),
            reading: Box::new(reading),
            provider: Arc::new(self.clone()),
        };
        outgoing.stream(cancel)
    }

    fn models(&self) -> BoxFuture<'_, Result<Vec<ModelInfo>, ModelError>> {
        facts::models(self).boxed()
    }

    fn embed(&self, model: String, texts: Vec<String>) -> BoxFuture<'_, Result<Vec<Vec<f32>>, ModelError>> {
        async move { facts::embed(self, &model, &texts).await }.boxed()
    }

    fn fill(&self, fill: Fill) -> BoxFuture<'_, Result<Filling, ModelError>> {
        async move { fill::fill(self, &fill).await }.boxed()
    }
}
