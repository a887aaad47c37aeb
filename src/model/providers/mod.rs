//! Which wires can a model be reached over, and which servers are known from the start?
//!
//! One row and one file per wire; the known servers are rows of `config/providers.yaml`.
//! To add a server that speaks a wire in the table: a row in `config/providers.yaml`. To add a wire: a file here that
//! implements [`Provider`], a row in [`TABLE`], a variant of [`ProviderKind`].

pub mod body;
pub mod egress;
pub mod exchange;
pub mod fill;
pub mod http;
pub mod json;
pub mod ollama;
pub mod openai;
pub mod overflow;
pub mod player;
pub mod script;
pub mod simple;
pub mod status;
pub mod triton;

use std::sync::Arc;

use secrecy::SecretString;

use crate::config::schema::{ProviderConfig, ProviderKind};
use crate::model::Provider;
use crate::model::error::{Cause, ModelError};
use crate::model::providers::http::Http;
use crate::protocol::server::ServerKind;

/// What a provider is built from.
pub struct Setup<'a> {
    /// The name its key is stored under.
    pub name: &'a str,
    /// The row of the configuration.
    pub row: &'a ProviderConfig,
    /// The key, where there is one.
    pub key: Option<SecretString>,
    /// The shared HTTP client.
    pub http: &'a Http,
    /// What the server is, where that is known.
    pub server: Option<ServerKind>,
}

/// One wire.
pub struct Wire {
    /// Its name in the configuration.
    pub kind: ProviderKind,
    /// Builds a provider that speaks it.
    pub build: fn(Setup<'_>) -> Result<Arc<dyn Provider>, ModelError>,
}

/// Every wire.
pub const TABLE: &[Wire] = &[
    Wire { kind: ProviderKind::Openai, build: |setup| Ok(Arc::new(openai::OpenAi::new(&setup)?)) },
    Wire { kind: ProviderKind::Ollama, build: |setup| Ok(Arc::new(ollama::Ollama::new(&setup)?)) },
    Wire { kind: ProviderKind::Triton, build: |setup| Ok(Arc::new(triton::Triton::new(&setup)?)) },
    Wire {
        kind: ProviderKind::Script,
        build: |setup| Ok(Arc::new(script::ScriptProvider::open(&setup.row.base_url)?)),
    },
];

/// Builds the provider of a row.
pub fn build(setup: Setup<'_>) -> Result<Arc<dyn Provider>, ModelError> {
    match TABLE.iter().find(|wire| wire.kind == setup.row.kind) {
        Some(wire) => (wire.build)(setup),
        None => Err(ModelError::Misconfigured {
            what: format!("no provider of the kind {:?} is built in", setup.row.kind),
            hint: "mimi config show providers".to_owned(),
            source: Cause(format!("it was named for {}", setup.row.base_url)),
        }),
    }
}

/// Returns the wires that a kind of server understands, the best first.
pub fn wires(kind: ServerKind) -> &'static [ProviderKind] {
    match kind {
        ServerKind::Ollama => &[ProviderKind::Ollama, ProviderKind::Openai],
        ServerKind::Triton => &[ProviderKind::Triton],
        ServerKind::Vllm
        | ServerKind::Sglang
        | ServerKind::LlamaCpp
        | ServerKind::TensorRtLlm
        | ServerKind::Nim
        | ServerKind::LiteLlm
        | ServerKind::Openai => &[ProviderKind::Openai],
    }
}
