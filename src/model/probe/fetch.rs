//! How is one small question put to a server that may not know the path, may hang, or may send anything?
//!
//! Every failure is an answer too: a [`Reply`] without a status. Bounded in time and size; follows no redirect.

use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use crate::model::providers::http::{Endpoint, Http};

/// Time for all questions of one probe: whoever starts mimi waits for them, once for each server.
pub const WHOLE: Duration = Duration::from_millis(2000);
/// Largest answer that is read, in bytes: lists of models and metrics are far below.
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// What came back.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reply {
    /// The HTTP status; 0 when nothing came in time.
    pub status: u16,
    /// The body, when it is JSON.
    pub json: Value,
    /// The body as text.
    pub text: String,
}

impl Reply {
    /// Says whether a server answered at all.
    pub fn is_answer(&self) -> bool {
        self.status != 0
    }

    /// Says whether the server knew the path.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Builds a reply, for tests and tables.
    pub fn of(status: u16, text: &str) -> Self {
        Self { status, json: serde_json::from_str(text).unwrap_or_default(), text: text.to_owned() }
    }
}

/// Puts questions to one server until its time is up.
pub struct Asker<'a> {
    http: &'a Http,
    endpoint: &'a Endpoint,
    until: Instant,
}

impl<'a> Asker<'a> {
    /// Begins; all questions together have [`WHOLE`].
    pub fn new(http: &'a Http, endpoint: &'a Endpoint) -> Self {
        Self { http, endpoint, until: Instant::now() + WHOLE }
    }

    /// Asks for a path: below the root of the server when it begins with a slash, else below its base URL. A whole URL is
    /// asked without the key and headers, which are for this server.
    pub async fn get(&self, path: &str) -> Reply {
        let request = self.http.client.get(self.address(path));
        self.send(if path.contains("://") { request } else { request.headers(self.endpoint.headers.clone()) }).await
    }

    /// Posts JSON to a path.
    pub async fn post(&self, path: &str, body: &Value) -> Reply {
        let request = self.http.client.post(self.address(path)).headers(self.endpoint.headers.clone());
        self.send(request.json(body)).await
    }

    fn address(&self, path: &str) -> String {
        if path.contains("://") {
            path.to_owned()
        } else if path.starts_with('/') {
            root(&self.endpoint.url).to_owned() + path
        } else {
            format!("{}/{path}", api(&self.endpoint.url))
        }
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Reply {
        let answer = async {
            let response = request.send().await.ok()?;
            Some((response.status().as_u16(), read(response).await))
        };
        match tokio::time::timeout_at(self.until, answer).await {
            Ok(Some((status, text))) => Reply::of(status, &text),
            Ok(None) | Err(_) => Reply::default(),
        }
    }
}

async fn read(mut response: reqwest::Response) -> String {
    let mut body = Vec::new();
    while body.len() < MAX_BYTES {
        match response.chunk().await {
            Ok(Some(bytes)) => body.extend_from_slice(&bytes),
            Ok(None) | Err(_) => break,
        }
    }
    String::from_utf8_lossy(&body).into_owned()
}

/// Returns where the common dialect lies: at the base URL, and below `/v1` of one that names only a host, as rows of servers
/// with a dialect of their own do.
fn api(base: &str) -> String {
    let base = base.trim_end_matches('/');
    let has_path = base.split_once("://").is_some_and(|(_, rest)| rest.contains('/'));
    if has_path { base.to_owned() } else { format!("{base}/v1") }
}

/// Returns where a server's own paths begin: the base URL without the place of one of its dialects.
pub fn root(base: &str) -> &str {
    let base = base.trim_end_matches('/');
    ["/v1", "/v2", "/api"].iter().find_map(|dialect| base.strip_suffix(dialect)).unwrap_or(base)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_common_dialect_lies_below_v1_where_no_path_is_named() {
        let table = [
            ("http://box:8000/v1", "http://box:8000/v1"),
            ("http://box:11434/", "http://box:11434/v1"),
            ("http://box/openai", "http://box/openai"),
        ];
        for (base, expected) in table {
            assert_eq!(api(base), expected);
        }
    }

    #[test]
    fn a_servers_own_paths_lie_beside_the_common_dialect() {
        let table = [
            ("http://box:8000/v1", "http://box:8000", "http://box:8000/v1"),
            ("http://box:11434", "http://box:11434", "http://box:11434/v1"),
            ("http://box:11434/api", "http://box:11434", "http://box:11434/api"),
            ("http://box/llm/v1/", "http://box/llm", "http://box/llm/v1"),
            ("http://box/openai", "http://box/openai", "http://box/openai"),
        ];
        for (base, own, common) in table {
            assert_eq!((root(base), api(base).as_str()), (own, common));
        }
    }
}
