//! How are requests made that are answered in one piece: the list of models, and embeddings?
//!
//! `async-openai` makes them, with untyped bodies and below it our own HTTP service: its types refuse what local servers
//! send, its default service retries behind our back, loses the status of most errors, and its default configuration
//! would send a personal `OPENAI_API_KEY` from the environment to the team's server. None of the three is used.

use std::time::Duration;

use async_openai::Client;
use async_openai::config::Config;
use async_openai::error::OpenAIError;
use async_openai::middleware::HttpRequestFactory;
use reqwest::header::HeaderMap;
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::model::ModelInfo;
use crate::model::error::{Cause, ModelError};
use crate::model::providers::http::{Endpoint, Http, connection_failed};
use crate::model::providers::status::{self, Origin, Reply};
use crate::protocol::task::Class;

/// Largest error body that is read, in bytes.
const MAX_ERROR_BYTES: usize = 64 * 1024;

/// The configuration of `async-openai`: nothing but our endpoint.
#[derive(Debug, Clone)]
struct Address {
    endpoint: Endpoint,
    no_key: SecretString,
}

impl Config for Address {
    fn headers(&self) -> HeaderMap {
        self.endpoint.headers.clone()
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.endpoint.url)
    }

    fn query(&self) -> Vec<(&str, &str)> {
        Vec::new()
    }

    fn api_base(&self) -> &str {
        &self.endpoint.url
    }

    fn api_key(&self) -> &SecretString {
        &self.no_key
    }
}

fn client(http: &Http, endpoint: &Endpoint) -> Client<Address> {
    let address = Address { endpoint: endpoint.clone(), no_key: SecretString::from(String::new()) };
    let (reqwest, origin) = (http.client.clone(), Origin::of(endpoint));
    let service = tower::service_fn(move |factory: HttpRequestFactory| {
        let (reqwest, origin) = (reqwest.clone(), origin.clone());
        async move {
            let request = factory.build().await?;
            let response =
                reqwest.execute(request).await.map_err(|error| boxed(connection_failed(&origin.url, &error)))?;
            if response.status().is_success() {
                return Ok(response);
            }
            Err(boxed(status::from_reply(&origin, &read_reply(response).await)))
        }
    });
    Client::build(http.client.clone(), address).with_http_service(service)
}

fn boxed(error: ModelError) -> OpenAIError {
    OpenAIError::Boxed(Box::new(error))
}

/// Reads head and body of an answer that is not what was asked for; stops at a size no honest error has.
pub async fn read_reply(mut response: reqwest::Response) -> Reply {
    let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let status = response.status().as_u16();
    let retry_after = header("retry-after").and_then(|value| value.trim().parse().ok()).map(Duration::from_secs);
    let location = header("location").filter(|_| response.status().is_redirection());
    let mut body = Vec::new();
    while body.len() < MAX_ERROR_BYTES {
        match response.chunk().await {
            Ok(Some(bytes)) => body.extend_from_slice(&bytes),
            Ok(None) | Err(_) => break,
        }
    }
    body.truncate(MAX_ERROR_BYTES);
    Reply { status, retry_after, location, body: String::from_utf8_lossy(&body).into_owned() }
}

/// Asks for the models a server has.
pub async fn models(http: &Http, endpoint: &Endpoint) -> Result<Vec<ModelInfo>, ModelError> {
    let client = client(http, endpoint);
    let answer = in_time(http.limits.list, endpoint, client.models().list_byot::<Value>()).await?;
    let rows = ["data", "models"].iter().find_map(|key| answer.get(*key)?.as_array());
    let rows = rows.ok_or_else(|| not_an_api(endpoint, &answer.to_string()))?;
    Ok(rows.iter().filter_map(read_model).collect())
}

fn read_model(row: &Value) -> Option<ModelInfo> {
    let id = ["id", "name", "model"].iter().find_map(|key| row.get(*key)?.as_str())?;
    // vLLM and SGLang say max_model_len, llama.cpp meta.n_ctx (never n_ctx_train, which is not what it serves).
    let window = ["max_model_len", "context_length", "context_window"].iter().find_map(|key| row.get(*key)?.as_u64());
    let window_tokens = window.or_else(|| row.get("meta")?.get("n_ctx")?.as_u64()).filter(|tokens| *tokens > 0);
    Some(ModelInfo { id: id.to_owned(), window_tokens })
}

/// Turns texts into vectors, in their order.
pub async fn embed(
    http: &Http,
    endpoint: &Endpoint,
    model: &str,
    texts: &[String],
) -> Result<Vec<Vec<f32>>, ModelError> {
    // Nobody waits for an index to grow.
    let client = client(http, &endpoint.of_class(Class::Background));
    let mut body = json!({"model": model, "input": texts, "encoding_format": "float"});
    if let Some((field, number)) = endpoint.priority_field(Class::Background) {
        body[field] = number.into();
    }
    let asked = client.embeddings();
    let answer = in_time(http.limits.first_byte, endpoint, asked.create_byot::<Value, Value>(body)).await;
    let answer = answer.map_err(|error| with_model(error, model))?;
    read_vectors(&answer, texts.len()).ok_or_else(|| ModelError::Broken {
        url: endpoint.url.clone(),
        what: format!("it holds not {} vectors of numbers", texts.len()),
    })
}

fn read_vectors(answer: &Value, expected: usize) -> Option<Vec<Vec<f32>>> {
    let rows = answer.get("data")?.as_array()?;
    let mut vectors: Vec<Vec<f32>> = vec![Vec::new(); expected];
    for (position, row) in rows.iter().enumerate() {
        let at = row.get("index").and_then(Value::as_u64).map_or(position, |index| index as usize);
        let numbers = row.get("embedding")?.as_array()?;
        *vectors.get_mut(at)? = numbers.iter().map(|n| n.as_f64().map(|n| n as f32)).collect::<Option<_>>()?;
    }
    let dimensions = vectors.first().map_or(0, Vec::len);
    let is_whole = vectors.iter().all(|vector| !vector.is_empty() && vector.len() == dimensions);
    is_whole.then_some(vectors)
}

async fn in_time(
    limit: Duration,
    endpoint: &Endpoint,
    asked: impl Future<Output = Result<Value, OpenAIError>>,
) -> Result<Value, ModelError> {
    match tokio::time::timeout(limit, asked).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(unbox(endpoint, error)),
        Err(_) => Err(ModelError::Broken {
            url: endpoint.url.clone(),
            what: format!("nothing came within {}", crate::base::clock::format_duration(limit.as_millis() as u64)),
        }),
    }
}

fn unbox(endpoint: &Endpoint, error: OpenAIError) -> ModelError {
    match error {
        OpenAIError::Boxed(inner) => match inner.downcast::<ModelError>() {
            Ok(error) => *error,
            Err(other) => ModelError::Broken { url: endpoint.url.clone(), what: status::clean(&other.to_string()) },
        },
        OpenAIError::Reqwest(error) => connection_failed(&endpoint.url, &error),
        OpenAIError::JSONDeserialize(_, body) => not_an_api(endpoint, &body),
        other => ModelError::Broken { url: endpoint.url.clone(), what: status::clean(&other.to_string()) },
    }
}

/// Reports an answer with status 200 that no model server would give: a web page, another service's JSON.
pub fn not_an_api(endpoint: &Endpoint, body: &str) -> ModelError {
    let words = status::web_page_title(body).unwrap_or_else(|| body.to_owned());
    let source = Cause(format!("it sent {}", status::clean(&words)));
    ModelError::Refused { url: endpoint.url.clone(), status: 200, source }
}

fn with_model(error: ModelError, name: &str) -> ModelError {
    match error {
        ModelError::NoModel { url, available, .. } => ModelError::NoModel { url, model: name.to_owned(), available },
        ModelError::TooLong { window_tokens, source, .. } => {
            ModelError::TooLong { model: name.to_owned(), window_tokens, source }
        }
        other => other,
    }
}
