//! Do the settings make sense once every layer is in?
//!
//! What a type cannot say: names, URLs, headers and routes that refer to each other. A URL is never repeated in a message,
//! because people put passwords into URLs.

use crate::base::text::{nearest, visible};
use crate::config::error::ConfigError;
use crate::config::origin::Origins;
use crate::config::schema::{Config, Priority, ProviderConfig, ProviderKind};

/// Stands in a route for the server that is found or named by `server.url`.
pub const AUTO_PROVIDER: &str = "auto";

/// Stands in the store of keys for the server named by `server.url`.
pub const URL_PROVIDER: &str = "server";

/// Words in the name of a header that say its value is a secret.
const SECRET_HEADER_WORDS: &[&str] =
    &["authorization", "api-key", "apikey", "api_key", "token", "secret", "cookie", "password", "credential"];

/// Keys of a request's body that are in use, on whatever wire.
const RESERVED_FIELDS: &[&str] = &[
    "model",
    "stream",
    "stream_options",
    "max_tokens",
    "temperature",
    "response_format",
    "tools",
    "tool_choice",
    "messages",
    "input",
    "inputs",
    "outputs",
    "options",
    "prompt",
];

/// Returns everything that makes no sense, in the order of the schema.
pub fn problems(config: &Config, origins: &Origins) -> Vec<ConfigError> {
    let mut found: Vec<(String, String)> = Vec::new();
    if !config.server.url.is_empty() {
        found.extend(url_problem(&config.server.url).map(|problem| ("server.url".to_owned(), problem)));
    }
    for (name, row) in &config.providers {
        provider_problems(name, row, &mut found);
    }
    for (task, places) in &config.routes {
        places_problems(&format!("routes.{}", task.name()), &places.0, config, &mut found);
    }
    found
        .into_iter()
        .map(|(key, problem)| ConfigError::WrongValue { origin: origins.find_or_default(&key), key, problem })
        .collect()
}

/// Says whether a provider may have this name: it stands in key paths, routes and file names.
pub fn is_provider_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 64
        && name != AUTO_PROVIDER
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}

/// Says whether this could name a variable of the environment.
pub fn is_variable_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn provider_problems(name: &str, row: &ProviderConfig, found: &mut Vec<(String, String)>) {
    let path = format!("providers.{}", visible(name));
    if !is_provider_name(name) || name == URL_PROVIDER {
        let reserved = format!("not `{AUTO_PROVIDER}` or `{URL_PROVIDER}`");
        let problem = format!("is no name for a provider: use letters, digits, `-` and `_`, and {reserved}");
        found.push((path.clone(), problem));
    }
    let base_url_problem = match row.kind {
        ProviderKind::Openai | ProviderKind::Ollama | ProviderKind::Triton => url_problem(&row.base_url),
        ProviderKind::Script if row.base_url.is_empty() => Some("must be the path of a script".to_owned()),
        ProviderKind::Script => None,
    };
    found.extend(base_url_problem.map(|problem| (format!("{path}.base_url"), problem)));
    if !row.api_key_env.is_empty() && !is_variable_name(&row.api_key_env) {
        let problem = "must be the name of an environment variable, not the key itself".to_owned();
        found.push((format!("{path}.api_key_env"), problem));
    }
    let priority_problem = row.priority.as_ref().and_then(priority_problem);
    found.extend(priority_problem.map(|problem| (format!("{path}.priority"), problem)));
    if !row.proxy.is_empty() {
        found.extend(proxy_problem(&row.proxy).map(|problem| (format!("{path}.proxy"), problem)));
    }
    if !row.metrics_url.is_empty() {
        found.extend(url_problem(&row.metrics_url).map(|problem| (format!("{path}.metrics_url"), problem)));
    }
    for (header, value) in &row.headers {
        let problem = header_problem(header, value);
        found.extend(problem.map(|problem| (format!("{path}.headers.{}", visible(header)), problem)));
    }
}

fn priority_problem(priority: &Priority) -> Option<String> {
    let Priority { field, header, .. } = priority;
    if field.is_empty() == header.is_empty() {
        return Some("must name either the `field` of the body or the `header` that takes the number".to_owned());
    }
    if RESERVED_FIELDS.contains(&field.as_str()) {
        return Some(format!("cannot use the field `{field}`: requests use it for something else"));
    }
    if field.chars().any(|c| c.is_control() || c == '"') {
        return Some("has a `field` that is no name".to_owned());
    }
    if header.is_empty() {
        None
    } else {
        header_problem(header, "0").map(|problem| format!("has a header that {problem}"))
    }
}

fn header_problem(name: &str, value: &str) -> Option<String> {
    let lower = name.to_ascii_lowercase();
    if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_') {
        Some("is no name for a header: use letters, digits, `-` and `_`".to_owned())
    } else if SECRET_HEADER_WORDS.iter().any(|word| lower.contains(word)) {
        Some("would hold a secret: name a variable in `api_key_env`, or store the key with `mimi auth set`".to_owned())
    } else if !value.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()) {
        Some("has characters a header cannot carry".to_owned())
    } else {
        None
    }
}

/// Returns what is wrong with the address of a server, to be read after the key.
fn url_problem(url: &str) -> Option<String> {
    let lower = url.to_ascii_lowercase();
    let Some(rest) = lower.strip_prefix("http://").or_else(|| lower.strip_prefix("https://")) else {
        return Some("must start with http:// or https://, like http://dgx:8000/v1".to_owned());
    };
    if rest.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Some("must not contain spaces or control characters".to_owned());
    }
    if rest.contains(['?', '#']) {
        return Some("must end before any `?` or `#`: request paths are appended to it".to_owned());
    }
    let authority = rest.split('/').next().unwrap_or_default();
    if authority.contains('@') {
        return Some("must not hold a user or password: store the key with `mimi auth set`".to_owned());
    }
    let (host, port) = split_port(authority);
    if host.is_empty() {
        return Some("names no host".to_owned());
    }
    match port {
        Some(port) if !port.bytes().all(|byte| byte.is_ascii_digit()) || port.parse::<u16>().unwrap_or(0) == 0 => {
            Some("has a port that is not a number from 1 to 65535".to_owned())
        }
        _ => None,
    }
}

/// Splits `host:port`, where the host may be an IPv6 address in brackets.
fn split_port(authority: &str) -> (&str, Option<&str>) {
    match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, rest)) => (host, rest.strip_prefix(':').or(if rest.is_empty() { None } else { Some("x") })),
        None => authority.split_once(':').map_or((authority, None), |(host, port)| (host, Some(port))),
    }
}

/// Returns what is wrong with the address of a proxy, to be read after the key.
fn proxy_problem(url: &str) -> Option<String> {
    let lower = url.to_ascii_lowercase();
    if !lower.starts_with("http://") && !lower.starts_with("https://") {
        return Some("must start with http:// or https://, like http://proxy:3128".to_owned());
    }
    url_problem(url)
}

/// Adds what is wrong with the places of one task, each with its own place in the file.
fn places_problems(path: &str, places: &[String], config: &Config, found: &mut Vec<(String, String)>) {
    if places.is_empty() {
        found.push((path.to_owned(), "is an empty list: name at least one `provider/model`".to_owned()));
    }
    for (index, place) in places.iter().enumerate() {
        let problem = match route_problem(place, config) {
            None if places[..index].contains(place) => Some("stands in the list twice".to_owned()),
            problem => problem,
        };
        let key = if places.len() == 1 { path.to_owned() } else { format!("{path}[{index}]") };
        found.extend(problem.map(|problem| (key, problem)));
    }
}

fn route_problem(route: &str, config: &Config) -> Option<String> {
    let Some((provider, model)) =
        route.split_once('/').filter(|(provider, model)| !provider.is_empty() && !model.is_empty())
    else {
        return Some("must be `provider/model`, like `vllm/qwen3-coder` or `auto/qwen3-coder:30b`".to_owned());
    };
    if model.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Some("must not contain spaces or control characters".to_owned());
    }
    if provider == AUTO_PROVIDER || config.providers.contains_key(provider) {
        return None;
    }
    let names = config.providers.keys().map(String::as_str).chain([AUTO_PROVIDER]);
    let near = nearest(provider, names).map_or_else(String::new, |name| format!("; did you mean `{name}`?"));
    Some(format!("names the provider `{}`, which is not in `providers`{near}", visible(provider)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_http_with_a_host_and_without_secrets() {
        let good = ["http://dgx:8000/v1", "https://x", "HTTP://[::1]:80/v1", "http://10.0.0.1/", "http://a.b:65535"];
        for url in good {
            assert_eq!(url_problem(url), None, "{url}");
        }
        let bad = [
            ("", "must start"),
            ("dgx:8000", "must start"),
            ("ftp://x", "must start"),
            ("http://", "no host"),
            ("http:///v1", "no host"),
            ("http://:80", "no host"),
            ("http://u:sk-SECRET@h/v1", "user or password"),
            ("http://h/v1?key=sk-SECRET", "before any `?`"),
            ("http://h/v1#x", "before any `?`"),
            ("http://h:0", "port"),
            ("http://h:99999", "port"),
            ("http://h:a", "port"),
            ("http://h:", "port"),
            ("http://[::1]x", "port"),
            ("http://h /v1", "spaces"),
            ("http://h\n/v1", "spaces"),
        ];
        for (url, expected) in bad {
            let problem = url_problem(url).unwrap_or_default();
            assert!(problem.contains(expected) && !problem.contains("SECRET"), "{url}: {problem}");
        }
    }

    #[test]
    fn headers_that_would_hold_a_secret_are_refused() {
        for name in ["Authorization", "X-API-Key", "x-auth-token", "Cookie", "proxy-authorization", "client_secret"] {
            assert!(header_problem(name, "v").unwrap_or_default().contains("api_key_env"), "{name}");
        }
        assert_eq!(header_problem("x-team", "core tools"), None);
        assert!(header_problem("x-team", "a\r\nb: c").is_some() && header_problem("a b", "").is_some());
    }

    #[test]
    fn provider_names_fit_into_paths_and_routes() {
        for (name, good) in
            [("dgx", true), ("a-b_2", true), ("auto", false), ("", false), ("a/b", false), ("a.b", false)]
        {
            assert_eq!(is_provider_name(name), good, "{name}");
        }
    }
}
