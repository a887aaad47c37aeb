//! How are texts turned into vectors by Triton, or by another server that speaks KServe's protocol version 2?
//!
//! Tensors have whatever names the team gave them, so a model is asked for its metadata first (`tensors`); how many texts
//! it takes at once stands in its configuration, or in its refusal. Answers come as raw numbers or as JSON (`answer`).
//! Such a server knows nothing of conversations: it refuses to chat. What was found out is kept until a request fails,
//! because models are loaded anew while mimi runs.

pub mod answer;
pub mod tensors;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream};
use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};
use tokio::time::Duration;
use tokio_util::sync::CancellationToken;

use crate::model::error::{Cause, ModelError};
use crate::model::providers::http::{Endpoint, Http};
use crate::model::providers::status::{self, Origin};
use crate::model::providers::triton::tensors::{Named, Plan};
use crate::model::providers::{Setup, simple};
use crate::model::{ModelInfo, Provider, Request, StreamEvent};

/// Says how many bytes of an answer are its JSON head; the rest are numbers. From Triton's binary tensor extension.
const HEAD_LENGTH: &str = "inference-header-content-length";
/// Largest answer that is read, in bytes: 64 vectors of 4096 numbers are one.
const MAX_BODY_BYTES: usize = 64 * 1024 * 1024;
/// Triton begins its complaints with the id of the request, which nobody gave.
const NO_ID: &str = "[request id: <id_unknown>] ";
/// Words of a refusal that is about names and shapes of tensors.
const ABOUT_TENSORS: &[&str] = &[
    "unexpected inference input",
    "unexpected inference output",
    "unexpected shape for input",
    "string elements for inference input",
    "missing required input",
    "unexpected datatype",
    "unexpected total byte size",
];

/// A server that turns texts into vectors.
#[derive(Debug, Clone)]
pub struct Triton {
    endpoint: Endpoint,
    http: Http,
    named: Named,
    plans: Arc<Mutex<HashMap<String, Plan>>>,
}

impl Triton {
    /// Builds the provider of a row; fails when its address or headers are wrong.
    pub fn new(setup: &Setup<'_>) -> Result<Self, ModelError> {
        let endpoint = Endpoint::new(setup.name, setup.row, setup.key.as_ref())?;
        let named = Named { text: setup.row.text_tensor.clone(), vector: setup.row.vector_tensor.clone() };
        Ok(Self { http: setup.http.reaching(&endpoint.url)?, endpoint, named, plans: Arc::default() })
    }

    async fn list(&self) -> Result<Vec<ModelInfo>, ModelError> {
        let post = self.http.client.post(self.url("repository/index")).body("{}");
        let index = self.json(post, "").await?;
        let rows = index.as_array().ok_or_else(|| simple::not_an_api(&self.endpoint, &index.to_string()))?;
        // A model without a state is on the disk and not loaded; one with several versions stands there several times.
        let is_ready = |row: &&Value| row.get("state").and_then(Value::as_str) == Some("READY");
        let names = rows.iter().filter(is_ready).filter_map(|row| row.get("name")?.as_str());
        let mut models: Vec<ModelInfo> = Vec::new();
        for id in names {
            if models.iter().all(|model| model.id != id) {
                models.push(ModelInfo { id: id.to_owned(), window_tokens: None });
            }
        }
        Ok(models)
    }

    async fn vectors(&self, model: &str, texts: &[String]) -> Result<Vec<Vec<f32>>, ModelError> {
        let mut vectors = Vec::with_capacity(texts.len());
        // Whether what is known of the model was found out for this call.
        let mut is_fresh = false;
        while vectors.len() < texts.len() {
            let known = self.lock().get(model).cloned();
            let plan = match known {
                Some(plan) => plan,
                None => {
                    is_fresh = true;
                    self.discover(model).await?
                }
            };
            let rest = &texts[vectors.len()..];
            let batch = &rest[..rest.len().min(plan.max_texts)];
            match self.infer(model, &plan, batch).await {
                Ok(more) => vectors.extend(more),
                Err(error) => match most_texts(&error).filter(|most| *most < batch.len()) {
                    Some(max_texts) => drop(self.lock().insert(model.to_owned(), Plan { max_texts, ..plan })),
                    None => self.reconsider(model, error, is_fresh)?,
                },
            }
        }
        Ok(vectors)
    }

    /// Forgets what is known of a model whose request failed, for it may have been loaded anew; fails with `error` when it
    /// had only just been found out, or when the failure says nothing about that.
    fn reconsider(&self, model: &str, error: ModelError, is_fresh: bool) -> Result<(), ModelError> {
        let is_about_model =
            matches!(error, ModelError::Refused { .. } | ModelError::NoModel { .. } | ModelError::Misconfigured { .. });
        if is_about_model {
            self.lock().remove(model);
        }
        if is_about_model && !is_fresh { Ok(()) } else { Err(error) }
    }

    /// Asks how a model is to be asked.
    async fn discover(&self, model: &str) -> Result<Plan, ModelError> {
        let path = format!("models/{}", encoded(model));
        let metadata = self.json(self.http.client.get(self.url(&path)), model).await;
        let metadata = match metadata {
            Err(ModelError::NoModel { url, model, .. }) => {
                let available = self.list().await.unwrap_or_default().into_iter().map(|model| model.id).collect();
                return Err(ModelError::NoModel { url, model, available });
            }
            other => other?,
        };
        // Other servers of the protocol have no such path; then the shapes alone have to do.
        let config = match self.json(self.http.client.get(self.url(&format!("{path}/config"))), model).await {
            Err(error @ (ModelError::Offline { .. } | ModelError::Busy { .. } | ModelError::Broken { .. })) => {
                return Err(error);
            }
            other => other.ok(),
        };
        let plan = tensors::plan(&metadata, config.as_ref(), &self.named);
        let plan = plan.map_err(|trouble| self.misfit(model, &trouble, Cause(tensors::describe(&metadata))))?;
        self.lock().insert(model.to_owned(), plan.clone());
        Ok(plan)
    }

    fn misfit(&self, model: &str, what: &str, source: Cause) -> ModelError {
        let provider = &self.endpoint.provider;
        ModelError::Misconfigured {
            what: format!("`{model}` at {} {what}", self.endpoint.url),
            hint: format!(
                "name its tensors in config.yaml: providers: {{{provider}: {{text_tensor: NAME, vector_tensor: NAME}}}}"
            ),
            source,
        }
    }

    async fn infer(&self, model: &str, plan: &Plan, texts: &[String]) -> Result<Vec<Vec<f32>>, ModelError> {
        let request = self.http.client.post(self.url(&format!("models/{}/infer", encoded(model))));
        let request = request.header(CONTENT_TYPE, "application/json").body(plan.request(texts).to_string());
        let (head_bytes, body) = match self.ask(request, model, self.http.limits.first_byte).await {
            Err(ModelError::Refused { source, .. }) if is_about_tensors(&source.0) => {
                return Err(self.misfit(model, "does not take texts the way they were sent", source));
            }
            other => other?,
        };
        let unusable = |what| ModelError::Unusable { url: self.endpoint.url.clone(), what };
        answer::read(head_bytes, &body, &plan.vector, texts.len()).map_err(unusable)
    }

    async fn json(&self, request: reqwest::RequestBuilder, model: &str) -> Result<Value, ModelError> {
        let (_, body) = self.ask(request, model, self.http.limits.list).await?;
        serde_json::from_slice(&body).map_err(|_| simple::not_an_api(&self.endpoint, &String::from_utf8_lossy(&body)))
    }

    /// Sends a request and reads its whole answer, with the length of its head where it has one.
    async fn ask(
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

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Plan>> {
        self.plans.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes a model's name so that it is one step of a path.
fn encoded(model: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:".contains(&byte);
    let step = |byte: u8| if is_plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    model.bytes().map(step).collect()
}

/// Returns how many texts a model takes at once when its refusal says so: `batch-size must be <= 8 for 'm'`.
fn most_texts(error: &ModelError) -> Option<usize> {
    let ModelError::Refused { source, .. } = error else { return None };
    let (_, rest) = source.0.split_once("batch-size must be <= ")?;
    rest.split(' ').next()?.parse().ok().filter(|most| *most > 0)
}

fn is_about_tensors(words: &str) -> bool {
    ABOUT_TENSORS.iter().any(|part| words.contains(part))
}

impl Provider for Triton {
    fn stream(&self, request: Request, _cancel: CancellationToken) -> BoxStream<'static, StreamEvent> {
        let (provider, task) = (&self.endpoint.provider, request.task.name());
        let error = ModelError::Misconfigured {
            what: format!("the provider `{provider}` turns texts into vectors and cannot answer"),
            hint: format!("name another one in config.yaml: routes: {{{task}: PROVIDER/MODEL}}"),
            source: Cause(format!("its kind is `triton`; `{}` was to do `{task}`", request.model)),
        };
        Box::pin(stream::iter([StreamEvent::Error(error)]))
    }

    fn models(&self) -> BoxFuture<'_, Result<Vec<ModelInfo>, ModelError>> {
        self.list().boxed()
    }

    fn embed(&self, model: String, texts: Vec<String>) -> BoxFuture<'_, Result<Vec<Vec<f32>>, ModelError>> {
        async move { self.vectors(&model, &texts).await }.boxed()
    }
}

/// What a request for vectors looks like.
impl Plan {
    fn request(&self, texts: &[String]) -> Value {
        json!({
            "inputs": [{"name": self.text, "shape": self.shape(texts.len()), "datatype": "BYTES", "data": texts}],
            "outputs": [{"name": self.vector, "parameters": {"binary_data": true}}],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stays_one_step_of_the_path() {
        assert_eq!(encoded("nomic-embed-text:v1.5"), "nomic-embed-text:v1.5");
        assert_eq!(encoded("team/../é model"), "team%2F..%2F%C3%A9%20model");
    }

    #[test]
    fn the_limit_of_a_batch_is_read_from_the_refusal() {
        let refused =
            |words: &str| ModelError::Refused { url: String::new(), status: 400, source: Cause(words.to_owned()) };
        assert_eq!(most_texts(&refused("inference request batch-size must be <= 8 for 'm'")), Some(8));
        assert_eq!(most_texts(&refused("inference request batch-size must be <= 0 for 'm'")), None);
        assert_eq!(most_texts(&refused("something else")), None);
        assert_eq!(most_texts(&ModelError::Cancelled), None);
    }
}
