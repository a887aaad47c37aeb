//! How are texts turned into vectors by Triton, or by another server that speaks KServe's protocol version 2?
//!
//! Tensors have whatever names the team gave them, so a model is asked for its metadata first (`tensors`); how many texts
//! it takes at once stands in its configuration, or in its refusal. Answers come as raw numbers or as JSON (`answer`).
//! Such a server knows nothing of conversations: it refuses to chat. What was found out is kept until a request fails,
//! because models are loaded anew while mimi runs.
//! To add a type of number: an arm in `answer`. To add a refusal about tensors: a row in [`ABOUT_TENSORS`].

pub mod answer;
pub mod tensors;
pub mod wire;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::model::error::{Cause, ModelError};
use crate::model::providers::http::Endpoint;
use crate::model::providers::triton::tensors::{Named, Plan};
use crate::model::providers::triton::wire::{Server, encoded};
use crate::model::providers::{Setup, simple};
use crate::model::{ModelInfo, Provider, Request, StreamEvent};

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
    server: Server,
    named: Named,
    plans: Arc<Mutex<HashMap<String, Plan>>>,
}

impl Triton {
    /// Builds the provider of a row; fails when its address or headers are wrong.
    pub fn new(setup: &Setup<'_>) -> Result<Self, ModelError> {
        let endpoint = Endpoint::new(setup.name, setup.row, setup.key.as_ref())?;
        let named = Named { text: setup.row.text_tensor.clone(), vector: setup.row.vector_tensor.clone() };
        let server = Server { http: setup.http.reaching(&endpoint.url)?, endpoint };
        Ok(Self { server, named, plans: Arc::default() })
    }

    async fn list(&self) -> Result<Vec<ModelInfo>, ModelError> {
        let index = self.server.json(self.server.post("repository/index", "{}".to_owned()), "").await?;
        let rows = index.as_array().ok_or_else(|| simple::not_an_api(&self.server.endpoint, &index.to_string()))?;
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
        let metadata = self.server.json(self.server.get(&path), model).await;
        let metadata = match metadata {
            Err(ModelError::NoModel { url, model, .. }) => {
                let available = self.list().await.unwrap_or_default().into_iter().map(|model| model.id).collect();
                return Err(ModelError::NoModel { url, model, available });
            }
            other => other?,
        };
        // Other servers of the protocol have no such path; then the shapes alone have to do.
        let config = match self.server.json(self.server.get(&format!("{path}/config")), model).await {
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
        let provider = &self.server.endpoint.provider;
        ModelError::Misconfigured {
            what: format!("`{model}` at {} {what}", self.server.endpoint.url),
            hint: format!(
                "name its tensors in config.yaml: providers: {{{provider}: {{text_tensor: NAME, vector_tensor: NAME}}}}"
            ),
            source,
        }
    }

    async fn infer(&self, model: &str, plan: &Plan, texts: &[String]) -> Result<Vec<Vec<f32>>, ModelError> {
        let (path, body) = (format!("models/{}/infer", encoded(model)), plan.request(texts).to_string());
        let limit = self.server.http.limits.first_byte;
        let (head_bytes, body) = match self.server.ask(self.server.post(&path, body), model, limit).await {
            Err(ModelError::Refused { source, .. }) if is_about_tensors(&source.0) => {
                return Err(self.misfit(model, "does not take texts the way they were sent", source));
            }
            other => other?,
        };
        let unusable = |what| ModelError::Unusable { url: self.server.endpoint.url.clone(), what };
        answer::read(head_bytes, &body, &plan.vector, texts.len()).map_err(unusable)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Plan>> {
        self.plans.lock().unwrap_or_else(PoisonError::into_inner)
    }
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
        let (provider, task) = (&self.server.endpoint.provider, request.task.name());
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
    fn the_limit_of_a_batch_is_read_from_the_refusal() {
        let refused =
            |words: &str| ModelError::Refused { url: String::new(), status: 400, source: Cause(words.to_owned()) };
        assert_eq!(most_texts(&refused("inference request batch-size must be <= 8 for 'm'")), Some(8));
        assert_eq!(most_texts(&refused("inference request batch-size must be <= 0 for 'm'")), None);
        assert_eq!(most_texts(&refused("something else")), None);
        assert_eq!(most_texts(&ModelError::Cancelled), None);
    }
}
