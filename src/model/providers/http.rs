//! Which HTTP client talks to model servers, and how long does it wait?
//!
//! One client for all servers, so that connections are shared. It connects to nothing but what the configuration names
//! ([`egress`](crate::model::providers::egress)), ignores proxy variables (the servers are the team's own, and a proxy
//! would see the code) and goes through a proxy only where a row names one. It follows no redirect (the key and the code
//! would go where nobody named) and never retries by itself. It asks for plain bodies, because a server that packs an
//! answer holds its beginning back, and unpacks what comes packed all the same. The only file that builds a client. Must
//! not know what the bodies mean.

use std::sync::{Arc, Once, OnceLock};
use std::time::Duration;

use reqwest::header::{ACCEPT_ENCODING, AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret as _, SecretString};

use crate::config::schema::{ModelConfig, Priority, ProviderConfig, ProviderKind, Timeouts};
use crate::model::error::{Cause, ModelError};
use crate::model::providers::egress::{Dial, Egress};
use crate::protocol::task::Class;

/// Uvicorn, under vLLM and SGLang, closes idle connections after 5 s; a request sent into that moment would fail.
const POOL_IDLE: Duration = Duration::from_secs(4);
/// Notices a server that vanished (a laptop that slept, a VPN that dropped) long before the idle timeout does.
const KEEPALIVE: Duration = Duration::from_secs(15);
/// What the TLS library says of an answer in plain HTTP.
const NO_TLS: &str = "InvalidContentType";
/// Wait for a list of models; it is asked for at start-up and must not hold a person up.
const LIST_TIMEOUT: Duration = Duration::from_secs(10);

/// How long each stage of a request may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Until the connection stands.
    pub connect: Duration,
    /// Until the first event of an answer: queue and prefill. Comments that keep a connection open do not count.
    pub first_byte: Duration,
    /// Between two pieces of an answer, comments included.
    pub idle: Duration,
    /// For a request that is answered at once, such as the list of models.
    pub list: Duration,
}

impl From<&ModelConfig> for Limits {
    fn from(config: &ModelConfig) -> Self {
        Self {
            connect: Duration::from_secs(config.connect_timeout_s),
            first_byte: Duration::from_secs(config.first_byte_timeout_s),
            idle: Duration::from_secs(config.idle_timeout_s),
            list: LIST_TIMEOUT,
        }
    }
}

impl Limits {
    /// Puts the limits of one server in place of these.
    #[must_use]
    pub fn with(self, timeouts: Timeouts) -> Self {
        let seconds = |given: Option<u64>, known| given.map_or(known, Duration::from_secs);
        Self {
            connect: seconds(timeouts.connect_s, self.connect),
            first_byte: seconds(timeouts.first_byte_s, self.first_byte),
            idle: seconds(timeouts.idle_s, self.idle),
            list: self.list,
        }
    }
}

/// The client with its limits. Clones share connections, and what may be connected to.
///
/// Made for plain HTTP; [`Http::reaching`] makes it fit for an address. Surprising: without this difference every start
/// would read some hundred certificates of the system, which takes longer than all the rest of it.
#[derive(Debug, Clone)]
pub struct Http {
    /// The shared client.
    pub client: reqwest::Client,
    /// The client that knows the system's certificates, once an address needed it.
    secure: Arc<OnceLock<reqwest::Client>>,
    /// Leads to the server; none to connect to it directly.
    proxy: Option<Arc<str>>,
    /// How long each stage may take.
    pub limits: Limits,
    egress: Arc<Egress>,
}

impl Http {
    /// Builds the client. It reaches nothing before [`Http::open`].
    pub fn new(limits: Limits) -> Result<Self, ModelError> {
        Self::built(limits, Arc::default())
    }

    fn built(limits: Limits, egress: Arc<Egress>) -> Result<Self, ModelError> {
        install_tls();
        let client = builder(limits.connect, &egress).tls_certs_only([]).build();
        let client = client.map_err(|error| not_built(&error))?;
        Ok(Self { client, secure: Arc::default(), proxy: None, limits, egress })
    }

    /// Says what may be connected to, from now on and for all clones.
    pub fn open(&self, dials: impl IntoIterator<Item = Dial>) {
        self.egress.open(dials);
    }

    /// Lists what may be connected to.
    pub fn may_dial(&self) -> Vec<Dial> {
        self.egress.list()
    }

    /// Returns what names the proxy at this address when a connection fails; the same as before when it is empty. That
    /// connections go through it is the business of [`Egress`].
    pub fn through(&self, proxy: &str) -> Result<Self, ModelError> {
        if proxy.is_empty() {
            return Ok(self.clone());
        }
        reqwest::Proxy::all(proxy).map_err(|error| not_built(&error))?;
        let mut through = Self { proxy: Some(proxy.into()), ..self.clone() };
        // To reach the proxy itself may take certificates.
        if proxy.starts_with("https:") {
            through.client = through.secure_client()?;
        }
        Ok(through)
    }

    /// Returns what reaches the same servers within other limits.
    pub fn with_limits(&self, limits: Limits) -> Result<Self, ModelError> {
        // The wait for a connection is the client's own.
        match limits.connect == self.limits.connect {
            true => Ok(Self { limits, ..self.clone() }),
            false => Ok(Self { proxy: self.proxy.clone(), ..Self::built(limits, self.egress.clone())? }),
        }
    }

    /// Returns what talks to `url`: with the system's certificates when it begins with `https:`.
    pub fn reaching(&self, url: &str) -> Result<Self, ModelError> {
        let client = if url.starts_with("https:") { self.secure_client()? } else { self.client.clone() };
        Ok(Self { client, ..self.clone() })
    }

    fn secure_client(&self) -> Result<reqwest::Client, ModelError> {
        if let Some(client) = self.secure.get() {
            return Ok(client.clone());
        }
        // Without any certificate store (slim containers) the build fails; reqwest issue 2988. With the empty one the
        // server's own certificate is what is named in the error.
        let builder = || builder(self.limits.connect, &self.egress);
        let client = builder().build().or_else(|_| builder().tls_certs_only([]).build());
        let client = client.map_err(|error| not_built(&error))?;
        Ok(self.secure.get_or_init(|| client).clone())
    }

    /// Sorts a failure of the connection to `url`. One that breaks after it stood may work next time.
    pub fn failed(&self, url: &str, error: &reqwest::Error) -> ModelError {
        let words = error_chain(error);
        let words = match self.proxy.as_deref().filter(|_| error.is_connect()) {
            Some(proxy) => format!("{words}, through the proxy {proxy}"),
            None => words,
        };
        if is_about_certificate(&words) {
            return ModelError::Untrusted { url: url.to_owned(), source: Cause(words) };
        }
        if words.contains(NO_TLS) {
            return ModelError::Misconfigured {
                what: format!("the model server at {url} does not speak TLS"),
                hint: format!("write its address as {}", url.replacen("https:", "http:", 1)),
                source: Cause(words),
            };
        }
        let was_never_connected = error.is_connect() || error.is_builder() || error.is_request() && error.is_timeout();
        match was_never_connected {
            true => ModelError::Offline { url: url.to_owned(), source: Cause(words) },
            false => ModelError::Broken { url: url.to_owned(), what: words },
        }
    }
}

fn not_built(error: &reqwest::Error) -> ModelError {
    ModelError::Misconfigured {
        what: "cannot set up the HTTP client".to_owned(),
        hint: "mimi doctor".to_owned(),
        source: Cause(error_chain(error)),
    }
}

fn builder(connect: Duration, egress: &Arc<Egress>) -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .no_proxy()
        .proxy(egress.guard())
        .dns_resolver(egress.names())
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .connect_timeout(connect)
        .default_headers(HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static("identity"))]))
        .pool_idle_timeout(POOL_IDLE)
        .tcp_keepalive(KEEPALIVE)
        .user_agent(concat!("mimi/", env!("CARGO_PKG_VERSION")))
}

/// Chooses the TLS implementation of the process, once.
fn install_tls() {
    static ONCE: Once = Once::new();
    // An error means that somebody chose already, which is as good.
    ONCE.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
}

/// The address of one server and what is sent with each request.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// The name its key is stored under.
    pub provider: String,
    /// Base URL without a slash at its end.
    pub url: String,
    /// Environment variable that would hold the key.
    pub key_env: String,
    /// Sent with each request; holds the key, marked so that it is never printed.
    pub headers: HeaderMap,
    /// The wire spoken there.
    pub kind: ProviderKind,
    /// How the server is told who waits.
    priority: Option<Priority>,
}

impl Endpoint {
    /// Checks a row of the configuration; `key` goes into the `Authorization` header, which is left out without one.
    pub fn new(provider: &str, row: &ProviderConfig, key: Option<&SecretString>) -> Result<Self, ModelError> {
        let url = base_url(row)?;
        let mut headers = HeaderMap::new();
        for (name, value) in &row.headers {
            let pair = HeaderName::try_from(name.as_str()).ok().zip(HeaderValue::try_from(value.as_str()).ok());
            let (name, value) = pair.ok_or_else(|| wrong(format!("`{name}` is no HTTP header"), &row.base_url))?;
            headers.insert(name, value);
        }
        if let Some(key) = key.map(|key| key.expose_secret().trim()).filter(|key| !key.is_empty()) {
            let mut value = HeaderValue::try_from(format!("Bearer {key}")).map_err(|_| {
                wrong(format!("the key in {} has signs no header can hold", row.api_key_env), &row.base_url)
            })?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        let (provider, key_env, priority) = (provider.to_owned(), row.api_key_env.clone(), row.priority.clone());
        Ok(Self { provider, url, key_env, headers, kind: row.kind, priority })
    }

    /// Returns the endpoint for a request of a class: with the header, where the server wants one, that says who waits.
    #[must_use]
    pub fn of_class(&self, class: Class) -> Self {
        let mut endpoint = self.clone();
        if let Some(priority) = &self.priority
            && let Ok(name) = HeaderName::try_from(priority.header.as_str())
        {
            endpoint.headers.insert(name, HeaderValue::from(priority.of(class)));
        }
        endpoint
    }

    /// Returns the key and number that tell who waits, where the server wants them in the body.
    pub fn priority_field(&self, class: Class) -> Option<(&str, i32)> {
        let priority = self.priority.as_ref().filter(|priority| !priority.field.is_empty())?;
        Some((&priority.field, priority.of(class)))
    }
}

/// Returns the address that the paths of a row's wire are appended to.
pub fn base_url(row: &ProviderConfig) -> Result<String, ModelError> {
    match row.kind {
        ProviderKind::Openai => normalise_url(&row.base_url),
        ProviderKind::Ollama => native_url(&row.base_url),
        ProviderKind::Triton => root_url(&row.base_url),
        ProviderKind::Script => Ok(row.base_url.clone()),
    }
}

/// Checks a base URL and takes away the version people write at its end out of habit.
pub fn root_url(given: &str) -> Result<String, ModelError> {
    let url = normalise_url(given)?;
    let root = ["/v1", "/v2"].iter().find_map(|version| url.strip_suffix(version)).unwrap_or(&url);
    Ok(root.trim_end_matches('/').to_owned())
}

/// Checks a base URL and completes it: without a path it gets `/v1`, where all servers keep their OpenAI dialect.
pub fn normalise_url(given: &str) -> Result<String, ModelError> {
    let url = parse_url(given)?;
    let text = url.as_str().trim_end_matches('/');
    Ok(if url.path() == "/" { format!("{text}/v1") } else { text.to_owned() })
}

/// Checks a base URL and cuts off where a server keeps one of its dialects: what is left leads to all of them.
pub fn native_url(given: &str) -> Result<String, ModelError> {
    let url = parse_url(given)?;
    let text = url.as_str().trim_end_matches('/');
    let root = ["/v1", "/api"].iter().find_map(|dialect| text.strip_suffix(dialect));
    Ok(root.unwrap_or(text).trim_end_matches('/').to_owned())
}

fn parse_url(given: &str) -> Result<reqwest::Url, ModelError> {
    let url = reqwest::Url::parse(given.trim()).map_err(|error| wrong(format!("not a URL ({error})"), given))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err(wrong("a model server's address starts with http:// or https://".to_owned(), given));
    }
    if !url.username().is_empty() || url.password().is_some() {
        // The address is printed in errors; a secret in it would be, too. Not even this error shows it.
        return Err(wrong("a key or password does not belong in the URL: use `api_key_env`".to_owned(), "it"));
    }
    Ok(url)
}

/// Says whether a base URL points at this machine.
pub fn is_loopback(url: &str) -> bool {
    reqwest::Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned)).is_some_and(|host| {
        host == "localhost"
            || host.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
    })
}

fn wrong(why: String, given: &str) -> ModelError {
    ModelError::Misconfigured {
        what: format!("the address of the model server is wrong: {given}"),
        hint: "write it like this: http://HOST:8000/v1".to_owned(),
        source: Cause(why),
    }
}

/// Says whether the words of the TLS library are about the server's certificate.
fn is_about_certificate(words: &str) -> bool {
    words.contains("invalid peer certificate")
}

/// Renders an error with its causes, outermost dropped where it only repeats the URL.
fn error_chain(error: &reqwest::Error) -> String {
    let mut words = Vec::new();
    let mut next = std::error::Error::source(error);
    while let Some(cause) = next {
        words.push(cause.to_string());
        next = cause.source();
    }
    // The innermost cause is the operating system's; the layers above say `client error (Connect)` and the like.
    let text = match words.as_slice() {
        [] => error.to_string(),
        [only] => only.clone(),
        [.., inner] => inner.clone(),
    };
    crate::model::providers::status::clean(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_of_a_server_leads_to_all_its_dialects() {
        let table = [
            ("http://dgx:11434", "http://dgx:11434/v1", "http://dgx:11434"),
            ("http://dgx:11434/", "http://dgx:11434/v1", "http://dgx:11434"),
            ("http://dgx:11434/v1", "http://dgx:11434/v1", "http://dgx:11434"),
            (" http://dgx:11434/v1/ ", "http://dgx:11434/v1", "http://dgx:11434"),
            ("http://dgx:11434/api", "http://dgx:11434/api", "http://dgx:11434"),
            ("https://box/ollama/v1", "https://box/ollama/v1", "https://box/ollama"),
            ("https://box/ollama", "https://box/ollama", "https://box/ollama"),
        ];
        for (given, openai, native) in table {
            assert_eq!((normalise_url(given).unwrap().as_str(), native_url(given).unwrap().as_str()), (openai, native));
        }
        assert!(native_url("dgx:11434").is_err() && native_url("http://u:p@dgx").is_err());
    }

    #[test]
    fn certificates_are_read_only_for_an_address_that_needs_them() {
        let second = Duration::from_secs(1);
        let http = Http::new(Limits { connect: second, first_byte: second, idle: second, list: second }).unwrap();
        let _plain = http.reaching("http://box:8000/v1").unwrap();
        assert!(http.secure.get().is_none());
        let _secure = http.reaching("https://box/v1").unwrap();
        assert!(http.secure.get().is_some(), "clones share what was built");
    }
}
