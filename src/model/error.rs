//! What went wrong at the model server, sorted by what to do about it?

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::base::fault::{Explain, Kind};

/// A failed request. The variants are what somebody does about it: only the gateway retries, only the agent compacts.
#[derive(Debug, Clone, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModelError {
    /// Nobody answers at the address.
    #[error("cannot reach the model server at {url}")]
    Offline {
        /// The base URL.
        url: String,
        /// The operating system's or TLS library's words.
        #[source]
        source: Cause,
    },
    /// Its certificate was not signed by anybody this machine trusts.
    #[error("the certificate of the model server at {url} is not trusted")]
    Untrusted {
        /// The base URL.
        url: String,
        /// The TLS library's words.
        #[source]
        source: Cause,
    },
    /// The server is busy or broke for the moment; the same request may succeed later.
    #[error("the model server at {url} is not able to answer now ({status})")]
    Busy {
        /// The base URL.
        url: String,
        /// Status line or error type.
        status: String,
        /// Its words.
        #[source]
        source: Cause,
        /// The least time it asks us to wait.
        retry_after: Option<Duration>,
    },
    /// The key is missing or wrong.
    #[error("the model server at {url} refused the key ({status})")]
    Auth {
        /// The base URL.
        url: String,
        /// 401 or 403.
        status: u16,
        /// Name of the environment variable a key would be read from.
        key_env: String,
        /// The name a key is stored under.
        provider: String,
        /// Its words, where it had any.
        #[source]
        source: Option<Cause>,
    },
    /// The server does not have the model.
    #[error("the model server at {url} has no model `{model}`")]
    NoModel {
        /// The base URL.
        url: String,
        /// The name asked for.
        model: String,
        /// The names it has.
        available: Vec<String>,
    },
    /// The request is longer than the window.
    #[error("the request is longer than the window of `{model}`")]
    TooLong {
        /// The model.
        model: String,
        /// The real window, when the server's words gave it away.
        window_tokens: Option<u64>,
        /// Its words.
        #[source]
        source: Cause,
    },
    /// The server refuses the request as wrong; sending it again would not help.
    #[error("{}", refusal(url, *status))]
    Refused {
        /// The base URL.
        url: String,
        /// The HTTP status.
        status: u16,
        /// Its words.
        #[source]
        source: Cause,
    },
    /// The answer broke off or cannot be read; the same request may succeed.
    #[error("the answer of the model server at {url} broke off: {what}")]
    Broken {
        /// The base URL.
        url: String,
        /// What is wrong with it.
        what: String,
    },
    /// The server could not read what its own model wrote; another try may come out better.
    #[error("the model server at {url} could not read what its model wrote")]
    Garbled {
        /// The base URL.
        url: String,
        /// Its words.
        #[source]
        source: Cause,
    },
    /// The answer is whole and makes no sense; the same request would bring the same.
    #[error("the answer of the model server at {url} cannot be used: {what}")]
    Unusable {
        /// The base URL.
        url: String,
        /// What is wrong with it.
        what: String,
    },
    /// One of the texts to be turned into vectors is longer than the model takes.
    #[error("text {number} of {n_texts} ({n_bytes} bytes) is longer than the window of `{model}`")]
    TextTooLong {
        /// The model.
        model: String,
        /// Counts from one.
        number: usize,
        /// Texts there were.
        n_texts: usize,
        /// The length of that text.
        n_bytes: usize,
        /// The real window, when the server's words gave it away.
        window_tokens: Option<u64>,
        /// Its words.
        #[source]
        source: Cause,
    },
    /// Vectors have another size than those they are to be compared with.
    #[error("`{model}` at {url} gives vectors of {found} numbers, and {expected} are expected")]
    VectorSize {
        /// The base URL.
        url: String,
        /// The model.
        model: String,
        /// Numbers in a vector so far: in the index, or in the first answer.
        expected: usize,
        /// Numbers in a vector now.
        found: usize,
    },
    /// Nothing is set up to carry out the task.
    #[error("no model server was found for `{task}`")]
    NotConfigured {
        /// The task.
        task: String,
        /// What to type.
        hints: Vec<String>,
        /// What was looked for, and where.
        #[source]
        source: Cause,
    },
    /// An address, header or script in the configuration is wrong; nothing was sent.
    #[error("{what}")]
    Misconfigured {
        /// What is wrong.
        what: String,
        /// What to write instead.
        hint: String,
        /// Why it is wrong.
        #[source]
        source: Cause,
    },
    /// We stopped it.
    #[error("the request was cancelled")]
    Cancelled,
}

/// The address at which a server lists its models; one without a path speaks a wire of its own and answers there.
fn list_url(url: &str) -> String {
    let has_path = url.split_once("://").is_some_and(|(_, rest)| rest.contains('/'));
    if has_path { format!("{url}/models") } else { url.to_owned() }
}

/// Words a refusal. With a status of success something answered that does not know what was asked: a web page, for example.
fn refusal(url: &str, status: u16) -> String {
    match status {
        200..300 => format!("what answers at {url} is no model server"),
        _ => format!("the model server at {url} refused the request ({status})"),
    }
}

/// Somebody else's words about a failure, as the source of a [`ModelError`].
#[derive(Debug, Clone, thiserror::Error, Serialize, Deserialize)]
#[error("{0}")]
pub struct Cause(pub String);

impl ModelError {
    /// Says whether the same request may succeed later.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Busy { .. } | Self::Broken { .. } | Self::Garbled { .. })
    }

    /// Adds words to those of the server, where there are any.
    #[must_use]
    pub fn with_words(mut self, words: &str) -> Self {
        if let Self::Busy { source: Cause(text), .. }
        | Self::Garbled { source: Cause(text), .. }
        | Self::Broken { what: text, .. } = &mut self
        {
            *text = format!("{text}; {words}");
        }
        self
    }
}

impl Explain for ModelError {
    fn kind(&self) -> Kind {
        match self {
            Self::Cancelled => Kind::Interrupted,
            Self::Misconfigured { .. } => Kind::Config,
            _ => Kind::Model,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Offline { url, .. } => vec![
                format!("check that the server runs: curl {}", list_url(url)),
                "name another one: export MIMI_SERVER_URL=http://HOST:PORT/v1".to_owned(),
            ],
            Self::Untrusted { source, .. } => vec![
                match source.0.as_str() {
                    words if words.contains("not valid for name") => "name the server as its certificate does",
                    words if words.contains("xpired") => {
                        "have its certificate renewed, and look at this machine's clock"
                    }
                    _ => "if it is your team's own: export SSL_CERT_FILE=/path/to/the/team's/ca.pem",
                }
                .to_owned(),
            ],
            Self::Auth { key_env, .. } if key_env.is_empty() => {
                vec!["name the variable that holds the key: `api_key_env` of the provider in config.yaml".to_owned()]
            }
            Self::Auth { key_env, provider, .. } => {
                vec![format!("export {key_env}=..."), format!("or store it: mimi auth set {provider}")]
            }
            Self::NoModel { available, model, .. } => {
                let near = crate::base::text::nearest(model, available.iter().map(String::as_str));
                let list = if available.is_empty() { "none".to_owned() } else { available.join(", ") };
                let mut hints = vec![format!("it serves: {list}")];
                hints.extend(near.filter(|name| name != model).map(|name| format!("try: --model {name}")));
                hints
            }
            Self::TextTooLong { window_tokens: Some(tokens), .. } => {
                vec![format!("cut it into pieces of at most {tokens} tokens")]
            }
            Self::TextTooLong { .. } => vec!["cut it into smaller pieces".to_owned()],
            Self::VectorSize { expected, .. } => vec![
                format!("name the model that gave vectors of {expected} numbers: mimi config show routes.embed"),
                "or make all vectors anew with this one".to_owned(),
            ],
            Self::TooLong { .. } => vec!["shorten the conversation: /compact".to_owned()],
            Self::NotConfigured { hints, .. } => hints.clone(),
            Self::Misconfigured { hint, .. } => vec![hint.clone()],
            _ => vec!["mimi doctor".to_owned()],
        }
    }
}
