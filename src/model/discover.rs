//! Which model servers answer when nobody has named one?
//!
//! Asks all candidates at once for their models and waits briefly: whoever starts mimi waits for this. What answers
//! without being a model server, and servers that want a key, are reported too, so that the user learns why they were
//! not taken.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;

use crate::model::error::{Cause, ModelError};
use crate::model::providers::http::Limits;
use crate::model::{ModelInfo, Provider};
use crate::protocol::task::Task;

/// How long a probe may take: a server on this machine connects in microseconds, one that loads a model answers late.
pub const PROBE: Limits = Limits {
    connect: Duration::from_millis(300),
    first_byte: Duration::from_millis(1500),
    idle: Duration::from_millis(1500),
    list: Duration::from_millis(1500),
};

/// A place to look.
pub struct Candidate {
    /// The provider's name.
    pub name: String,
    /// What people call it.
    pub title: String,
    /// Its base URL.
    pub url: String,
    /// Asks it; built with the limits of [`PROBE`].
    pub provider: Arc<dyn Provider>,
}

/// What a place had to say.
#[derive(Debug, Clone)]
pub struct Found {
    /// The provider's name.
    pub name: String,
    /// What people call it.
    pub title: String,
    /// Its base URL.
    pub url: String,
    /// Its models, or why it would not name them.
    pub models: Result<Vec<ModelInfo>, ModelError>,
}

impl Found {
    /// Returns its models; none when it would not name them.
    pub fn served(&self) -> &[ModelInfo] {
        self.models.as_deref().unwrap_or_default()
    }
}

/// Asks all candidates at once; the order stays.
pub async fn localhost(candidates: Vec<Candidate>) -> Vec<Found> {
    join_all(candidates.into_iter().map(ask)).await
}

async fn ask(candidate: Candidate) -> Found {
    let models = candidate.provider.models().await;
    Found { name: candidate.name, title: candidate.title, url: candidate.url, models }
}

/// Tells what was looked for and what was there, for the case that nothing could be used.
pub fn describe(found: &[Found]) -> String {
    let line = |found: &Found| {
        let state = match &found.models {
            Ok(models) if models.is_empty() => "has no models".to_owned(),
            Ok(_) => "is there".to_owned(),
            Err(ModelError::Offline { .. }) => "nobody answers".to_owned(),
            Err(ModelError::Auth { .. }) => "wants a key".to_owned(),
            Err(ModelError::Refused { .. }) => "is something else".to_owned(),
            Err(error) => error.to_string(),
        };
        format!("{} at {}: {state}", found.title, found.url)
    };
    match found {
        [] => "no place to look is configured".to_owned(),
        some => some.iter().map(line).collect::<Vec<_>>().join("; "),
    }
}

/// Says that a task has no place that could be asked.
pub(super) fn nothing_left(task: Task) -> ModelError {
    nothing_found(task, &[])
}

/// Explains in three lines how to name a server, or to do without.
pub(super) fn nothing_found(task: Task, found: &[Found]) -> ModelError {
    if let Some(Found { models: Err(error @ ModelError::Auth { .. }), .. }) =
        found.iter().find(|found| matches!(found.models, Err(ModelError::Auth { .. })))
    {
        return error.clone();
    }
    ModelError::NotConfigured {
        task: task.name().to_owned(),
        hints: vec![
            "name a server: export MIMI_SERVER_URL=http://HOST:8000/v1".to_owned(),
            "or in ~/.config/mimi/config.yaml: server: {url: \"http://HOST:8000/v1\"}".to_owned(),
            "or see mimi work without one: mimi demo".to_owned(),
        ],
        source: Cause(describe(found)),
    }
}
