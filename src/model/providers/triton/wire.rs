//! How is one document of the protocol asked for, and a refusal understood?
//!
//! Status, size and time are checked here; what the documents say is for the callers. No retries.

use reqwest::header::CONTENT_TYPE;
use serde_json::Value;
use tokio::time::Duration;

use crate::model::error::ModelError;
use crate::model::providers::http::{Endpoint, Http};
use crate::model::providers::simple;
use crate::model::providers::status::{self, Origin};

/// Says how many bytes of an answer are its JSON head; the rest are numbers. From Triton's binary tensor extension.
const HEAD_LENGTH: &str = "inference-header-content-length";
/// Largest answer that is read, in bytes. As raw numbers, 64 vectors of 4096 take one megabyte, in JSON up to four.
const MAX_BODY_BYTES: usize = 64 * 1024 * 1024;
/// Triton begins its complaints with the id of the request, which nobody gave.
const NO_ID: &str = "[request id: <id_unknown>] ";

/// A server of the protocol.
#[derive(Debug, Clone)]
pub struct Server {
    /// Its address.
    pub endpoint: Endpoint,
    /// Reaches it.
    pub http: Http,
}

impl Server {
    /// Begins a request for a document.
    pub fn get(&self, path: &str) -> reqwest::RequestBuilder {
        self.http.client.get(self.url(path))
    }

    /// Begins a request that says something.
    pub fn post(&self, path: &str, body: String) -> reqwest::RequestBuilder {
        self.http.client.post(self.url(path)).header(CONTENT_TYPE, "application/json").body(body)
    }

    /// Sends a request and reads its answer as JSON. `model` is what it is about, for errors.
    pub async fn json(&self, request: reqwest::RequestBuilder, model: &str) -> Result<Value, ModelError> {
        let (_, body) = self.ask(request, model, self.http.limits.list).await?;
        serde_json::from_slice(&body).map_err(|_| simple::not_an_api(&self.endpoint, &String::from_utf8_lossy(&body)))
    }

    /// Sends a request and reads its whole answer, with the length of its head where it has one.
    pub async fn ask(
        &self,
        request: reqwest::RequestBuilder,
        model: &str,
        limit: Duration,
    ) -> Result<(Option<usize>, Vec<u8>), ModelError> {
        let url = &self.endpoint.url;
        let exchange = async {
            let sent = request.headers(self.endpoint.headers.clone()).send().await;
            let response = sent.map_err(|error| self.http.failed(url, &error))?;
            if !response.status().is_success() {
                let mut reply = simple::read_reply(response).await;
                reply.body = reply.body.replace(NO_ID, "");
                let origin = Origin { model: model.to_owned(), ..Origin::of(&self.endpoint) };
                return Err(status::from_reply(&origin, &reply));
            }
            let head = response.headers().get(HEAD_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
            Ok((head, simple::read_whole(&self.http, url, response, MAX_BODY_BYTES).await?))
        };
        let silent = |_| {
            let limit = crate::base::clock::format_duration(limit.as_millis() as u64);
            ModelError::Broken { url: url.clone(), what: format!("nothing came within {limit}") }
        };
        tokio::time::timeout(limit, exchange).await.map_err(silent)?
    }

    fn url(&self, path: &str) -> String {
        format!("{}/v2/{path}", self.endpoint.url)
    }
}

/// Writes a model's name so that it is one step of a path.
pub fn encoded(model: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:".contains(&byte);
    let step = |byte: u8| if is_plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    model.bytes().map(step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stays_one_step_of_the_path() {
        assert_eq!(encoded("nomic-embed-text:v1.5"), "nomic-embed-text:v1.5");
        assert_eq!(encoded("team/../é model"), "team%2F..%2F%C3%A9%20model");
    }
}
