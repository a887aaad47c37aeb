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
use crate::model::providers::http::{Endpoint, Http};
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
    let (sender, origin) = (http.clone(), Origin::of(endpoint));
    let service = tower::service_fn(move |factory: HttpRequestFactory| {
        let (sender, origin) = (sender.clone(), origin.clone());
        async move {
            let request = factory.build().await?;
            let response = sender.client.execute(request).await;
            let response = response.map_err(|error| boxed(sender.failed(&origin.url, &error)))?;
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

/// Reads the whole body of a successful answer, of at most `max_bytes`.
pub async fn read_whole(
    http: &Http,
    url: &str,
    mut response: reqwest::Response,
    max_bytes: usize,
) -> Result<Vec<u8>, ModelError> {
    let mut body = Vec::new();
    while let Some(bytes) = response.chunk().await.map_err(|error| http.failed(url, &error))? {
        if body.len() + bytes.len() > max_bytes {
            let what = format!("it is longer than {} MB", max_bytes >> 20);
            return Err(ModelError::Unusable { url: url.to_owned(), what });
        }
        body.extend_from_slice(&bytes);
    }
    Ok(body)
}

/// Asks for the models a server has.
pub async fn models(http: &Http, endpoint: &Endpoint) -> Result<Vec<ModelInfo>, ModelError> {
    let client = client(http, endpoint);
    let answer = in_time(http.limits.list, http, endpoint, client.models().list_byot::<Value>()).await?;
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
    let answer = in_time(http.limits.first_byte, http, endpoint, asked.create_byot::<Value, Value>(body)).await;
    let answer = answer.map_err(|error| with_model(error, model))?;
    read_vectors(&answer, texts.len()).map_err(|what| ModelError::Unusable { url: endpoint.url.clone(), what })
}

/// Reads one vector for each text; the error says what is wrong with them.
fn read_vectors(answer: &Value, n_texts: usize) -> Result<Vec<Vec<f32>>, String> {
    let rows = answer.get("data").and_then(Value::as_array).ok_or("it holds no list of vectors")?;
    if rows.len() != n_texts {
        return Err(format!("it holds {} vectors for {}", rows.len(), crate::base::text::count(n_texts, "text")));
    }
    let mut vectors: Vec<Vec<f32>> = vec![Vec::new(); n_texts];
    for (position, row) in rows.iter().enumerate() {
        let at = row.get("index").and_then(Value::as_u64).map_or(position, |index| index as usize);
        let vector =
            row.get("embedding").filter(|vector| vector.is_array()).ok_or("its vectors are no lists of numbers")?;
        let place = vectors.get_mut(at).ok_or_else(|| format!("it numbers a vector {at}"))?;
        *place = numbers(vector).ok_or("its vectors hold something that is no number")?;
    }
    match vectors.iter().position(Vec::is_empty) {
        Some(at) => Err(format!("it holds no vector for text {}", at + 1)),
        None => Ok(vectors),
    }
}

/// Reads a vector; `None` when it holds anything but numbers.
pub fn numbers(vector: &Value) -> Option<Vec<f32>> {
    vector.as_array()?.iter().map(|n| n.as_f64().map(|n| n as f32)).collect()
}

async fn in_time(
    limit: Duration,
    http: &Http,
    endpoint: &Endpoint,
    asked: impl Future<Output = Result<Value, OpenAIError>>,
) -> Result<Value, ModelError> {
    match tokio::time::timeout(limit, asked).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(unbox(http, endpoint, error)),
        Err(_) => Err(ModelError::Broken {
            url: endpoint.url.clone(),
            what: format!("nothing came within {}", crate::base::clock::format_duration(limit.as_millis() as u64)),
        }),
    }
}

fn unbox(http: &Http, endpoint: &Endpoint, error: OpenAIError) -> ModelError {
    match error {
        OpenAIError::Boxed(inner) => match inner.downcast::<ModelError>() {
            Ok(error) => *error,
            Err(other) => ModelError::Broken { url: endpoint.url.clone(), what: status::clean(&other.to_string()) },
        },
        OpenAIError::Reqwest(error) => http.failed(&endpoint.url, &error),
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
