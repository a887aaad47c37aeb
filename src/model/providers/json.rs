//! How is one JSON document asked for and answered with one, outside of chats?
//!
//! For wires whose lists, vectors and fillings are plain JSON over HTTP. Status, size and time are checked here; what the
//! documents say is the caller's affair. No retries.

use serde::Serialize;
use serde_json::Value;
use tokio::time::Duration;

use crate::base::clock::format_duration;
use crate::model::error::{Cause, ModelError};
use crate::model::providers::http::{Endpoint, Http};
use crate::model::providers::simple;
use crate::model::providers::status::{self, Origin};

/// Largest answer that is read, in bytes: a thousand vectors of 4096 numbers.
const MAX_BODY_BYTES: usize = 64 * 1024 * 1024;

/// Where a document is asked for.
pub struct Asked<'a> {
    /// Sends it.
    pub http: &'a Http,
    /// The server.
    pub endpoint: &'a Endpoint,
    /// The model it is about; empty where it is about none.
    pub model: &'a str,
    /// The whole answer has to be there within this time.
    pub limit: Duration,
}

impl Asked<'_> {
    /// Fetches the document at `url`.
    pub async fn get(&self, url: &str) -> Result<Value, ModelError> {
        self.exchange(self.http.client.get(url)).await
    }

    /// Sends `body` to `url`.
    pub async fn post(&self, url: &str, body: &(impl Serialize + Sync)) -> Result<Value, ModelError> {
        self.exchange(self.http.client.post(url).json(body)).await
    }

    async fn exchange(&self, request: reqwest::RequestBuilder) -> Result<Value, ModelError> {
        let request = request.headers(self.endpoint.headers.clone());
        let answered = tokio::time::timeout(self.limit, self.answer(request)).await;
        answered.unwrap_or_else(|_| {
            let limit = format_duration(self.limit.as_millis() as u64);
            Err(self.broken(format!("nothing came within {limit}")))
        })
    }

    async fn answer(&self, request: reqwest::RequestBuilder) -> Result<Value, ModelError> {
        let url = &self.endpoint.url;
        let mut response = request.send().await.map_err(|error| self.http.failed(url, &error))?;
        if !response.status().is_success() {
            let origin = Origin { model: self.model.to_owned(), ..Origin::of(self.endpoint) };
            return Err(status::from_reply(&origin, &simple::read_reply(response).await));
        }
        let mut body = Vec::new();
        while let Some(bytes) = response.chunk().await.map_err(|error| self.http.failed(url, &error))? {
            if body.len() + bytes.len() > MAX_BODY_BYTES {
                return Err(self.broken(format!("it is longer than {MAX_BODY_BYTES} bytes")));
            }
            body.extend_from_slice(&bytes);
        }
        serde_json::from_slice(&body).map_err(|_| self.not_understood(&String::from_utf8_lossy(&body)))
    }

    /// Reports an answer that says nothing we asked for.
    pub fn not_understood(&self, body: &str) -> ModelError {
        simple::not_an_api(self.endpoint, body)
    }

    /// Reports an answer that is wrong in itself.
    pub fn broken(&self, what: impl Into<String>) -> ModelError {
        ModelError::Broken { url: self.endpoint.url.clone(), what: what.into() }
    }

    /// Reports what the server cannot do; sending it again would not help.
    pub fn cannot(&self, why: impl Into<String>) -> ModelError {
        ModelError::Refused { url: self.endpoint.url.clone(), status: 501, source: Cause(why.into()) }
    }
}
