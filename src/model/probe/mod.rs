//! What is behind an address: which server, which version, which models with which windows?
//!
//! Asks a handful of paths at once, judges by what comes back, then asks what only that kind of server answers. Takes
//! two seconds at the very most and never fails a start: who does not answer is simply not known. What is found is kept
//! in a [`book::Book`], so that a normal start pays nothing. Only paths below the configured address are asked.
//! To add a kind of server: a variant of `ServerKind`, a row in [`identify`], a reader in [`read`].

pub mod book;
pub mod fetch;
pub mod identify;
pub mod read;
pub mod survey;

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::model::probe::fetch::{Asker, Reply};
use crate::model::probe::identify::Replies;
use crate::model::providers::http::{Endpoint, Http};
use crate::protocol::server::{ModelFacts, ServerFacts, ServerKind};

/// Most models that are asked about one by one; the list itself has them all.
const MAX_ASKED_MODELS: usize = 32;

/// What a probe found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// What is there.
    pub facts: ServerFacts,
    /// Whether that may be remembered: a server that is still loading or wants a key shows too little of itself.
    pub is_sure: bool,
}

/// Finds out all about the server at `endpoint`; `None` when nobody answers.
pub async fn probe(http: &Http, endpoint: &Endpoint) -> Option<Found> {
    let asker = Asker::new(http, endpoint);
    let replies = first_round(&asker).await;
    let identity = identify::identify(&replies)?;
    let mut facts = ServerFacts {
        kind: identity.kind,
        version: identity.version,
        front_end: identity.front_end,
        models: read::listed(replies.get("models")),
        ..ServerFacts::default()
    };
    match facts.kind {
        ServerKind::Ollama => ollama(&asker, &mut facts).await,
        ServerKind::LlamaCpp => llama_cpp(&asker, &mut facts, replies.get("/props")).await,
        ServerKind::Sglang => read::sglang(&mut facts, &asker.get("/server_info").await.or_else_of(&asker).await),
        ServerKind::LiteLlm => read::lite_llm(&mut facts, &asker.get("/v1/model/info").await),
        ServerKind::Triton => triton(&asker, &mut facts).await,
        ServerKind::Vllm | ServerKind::Nim | ServerKind::TensorRtLlm | ServerKind::Openai => {}
    }
    Some(Found { facts, is_sure: identity.is_sure })
}

/// Asks one cheap path that only this kind of server answers; says whether it is still what it was. `None` when nobody
/// answers: then nothing new is known.
pub async fn is_same(http: &Http, endpoint: &Endpoint, facts: &ServerFacts) -> Option<bool> {
    let asker = Asker::new(http, endpoint);
    let path = identify::mark(facts.kind)?;
    let reply = asker.get(path).await;
    // A proxy without a server behind it, or a key that is missing, say nothing of the server.
    if !reply.is_answer() || reply.status >= 500 || matches!(reply.status, 401 | 403) {
        return None;
    }
    Some(identify::version(facts.kind, &reply.json).is_some_and(|version| version == facts.version))
}

/// Refreshes which models are in memory, and with which windows; only Ollama moves them about.
pub async fn refresh(http: &Http, endpoint: &Endpoint, facts: &mut ServerFacts) {
    if facts.kind == ServerKind::Ollama {
        read::ollama_loaded(facts, &Asker::new(http, endpoint).get("/api/ps").await);
    }
}

async fn first_round(asker: &Asker<'_>) -> Replies {
    let asked = identify::PATHS.iter().map(|path| async move { (*path, asker.get(path).await) });
    join_all(asked).await.into_iter().collect()
}

async fn ollama(asker: &Asker<'_>, facts: &mut ServerFacts) {
    let (tags, loaded) = tokio::join!(asker.get("/api/tags"), asker.get("/api/ps"));
    read::ollama_tags(facts, &tags);
    let asked = facts.models.iter().take(MAX_ASKED_MODELS).map(|model| show(asker, model.clone()));
    let shown: Vec<ModelFacts> = join_all(asked).await;
    for (model, shown) in facts.models.iter_mut().zip(shown) {
        *model = shown;
    }
    read::ollama_loaded(facts, &loaded);
}

async fn show(asker: &Asker<'_>, mut model: ModelFacts) -> ModelFacts {
    let reply = asker.post("/api/show", &json!({"model": model.id})).await;
    read::ollama_show(&mut model, &reply.json);
    model
}

async fn llama_cpp(asker: &Asker<'_>, facts: &mut ServerFacts, props: Option<&Reply>) {
    read::llama_props(facts, props);
    // Refused as incomplete by a model that can fill in (older releases say 400), and as not supported by one that
    // cannot; neither costs anything.
    let reply = asker.post("/infill", &json!({})).await;
    let fills_in = match reply.status {
        400 => Some(true),
        500 if reply.json.to_string().contains("input_suffix") => Some(true),
        501 => Some(false),
        _ => None,
    };
    facts.models.iter_mut().for_each(|model| model.fills_in = fills_in);
}

async fn triton(asker: &Asker<'_>, facts: &mut ServerFacts) {
    let index = asker.post("/v2/repository/index", &json!({})).await;
    let names = read::triton_names(&index.json);
    let asked = names.into_iter().take(MAX_ASKED_MODELS).map(|name| async move {
        let meta = asker.get(&format!("/v2/models/{name}")).await;
        read::triton_model(&name, &meta.json)
    });
    facts.models = join_all(asked).await;
}

impl Reply {
    /// Asks SGLang's older path when the newer one is not there.
    async fn or_else_of(self, asker: &Asker<'_>) -> Value {
        if self.is_success() { self.json } else { asker.get("/get_server_info").await.json }
    }
}
