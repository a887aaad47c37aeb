//! What may be seen of the server a request goes to: before it is sent, while it waits, and after?
//!
//! Ties a route to the shared [`Watch`]. Ollama alone moves models in and out of memory, so it alone is asked before a
//! request, whether that would push another model out, and after the first one, which window the model was given.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::future::{BoxFuture, FutureExt as _};
use tokio::time::{Duration, Instant};

use crate::model::probe::survey::Survey;
use crate::model::route::Route;
use crate::model::vigil::Look;
use crate::model::watch::{Glance, Site, Watch};
use crate::protocol::server::ServerKind;

/// Time a look before a request may take; the request does not wait longer for it.
const BRIEF: Duration = Duration::from_millis(500);
/// A model that was asked this lately is still in memory: Ollama keeps one for 5 minutes after a request.
const IN_MEMORY: Duration = Duration::from_secs(4 * 60);

/// What one process has found out and said about models in memory.
#[derive(Default)]
pub struct Seen {
    asked: Mutex<Vec<(String, Instant)>>,
    warned: Mutex<HashSet<String>>,
    measured: Mutex<HashSet<String>>,
}

/// The view on the server of one route.
#[derive(Clone)]
pub struct Sight {
    /// Looks, for the whole process.
    pub watch: Arc<Watch>,
    /// Remembers what does not let us look.
    pub survey: Arc<Survey>,
    /// What was said already.
    pub seen: Arc<Seen>,
    /// The server.
    pub site: Site,
    /// The model.
    pub model: String,
}

impl Sight {
    /// Returns what looks at the server while a request waits; none where there is nothing to be seen.
    pub fn look(&self) -> Option<Look> {
        let url = self.site.endpoint.url.clone();
        if !self.site.can_be_seen() || self.survey.remembered(&url).is_some_and(|entry| entry.is_closed) {
            return None;
        }
        let sight = self.clone();
        Some(Arc::new(move || sight.clone().look_once().boxed()))
    }

    async fn look_once(self) -> Option<Glance> {
        let glance = self.watch.look(&self.site).await;
        if self.watch.is_closed(&self.site.endpoint.url) {
            self.survey.close_numbers(&self.site.endpoint.url);
        }
        glance
    }

    /// Returns what finds out, before a request is sent, whether the server would have to push another model out.
    pub fn before(&self) -> Option<BoxFuture<'static, Option<String>>> {
        if self.site.kind != ServerKind::Ollama || self.was_asked_lately() {
            return None;
        }
        let sight = self.clone();
        Some(async move { sight.warning().await }.boxed())
    }

    async fn warning(self) -> Option<String> {
        let glance = tokio::time::timeout(BRIEF, self.watch.look_now(&self.site)).await.ok()??;
        let text = would_unload(&self.model, &glance)?;
        lock(&self.seen.warned).insert(self.name()).then_some(text)
    }

    /// Returns what finds out, after the first answer, which window the model was really given; none when `route` has
    /// that from the server already.
    pub fn after(&self, route: &Route) -> Option<BoxFuture<'static, Option<u64>>> {
        let is_known = route.server.model(&route.model).is_some_and(|model| model.window_tokens.is_some());
        if self.site.kind != ServerKind::Ollama || is_known || !lock(&self.seen.measured).insert(self.name()) {
            return None;
        }
        let (sight, thought) = (self.clone(), route.window_tokens);
        let measure = async move {
            let glance = tokio::time::timeout(BRIEF, sight.watch.look_now(&sight.site)).await.ok()??;
            glance.find(&sight.model)?.window_tokens.filter(|tokens| *tokens != thought)
        };
        Some(measure.boxed())
    }

    fn was_asked_lately(&self) -> bool {
        let (mut asked, now, name) = (lock(&self.seen.asked), Instant::now(), self.name());
        asked.retain(|(_, at)| now - *at < IN_MEMORY);
        let is_known = asked.iter().any(|(known, _)| *known == name);
        asked.retain(|(known, _)| *known != name);
        asked.push((name, now));
        is_known
    }

    fn name(&self) -> String {
        format!("{} {}", self.site.endpoint.url, self.model)
    }
}

/// Says what loading `model` may cost others; none when it is in memory, or nothing else is.
fn would_unload(model: &str, glance: &Glance) -> Option<String> {
    if glance.find(model).is_some() {
        return None;
    }
    let others: Vec<String> = glance.loaded.iter().flatten().map(|loaded| format!("`{}`", loaded.id)).collect();
    (!others.is_empty()).then(|| {
        let others = others.join(", ");
        format!(
            "asking `{model}` makes the server load it, and for that it may unload {others}; whoever uses that has to wait. \
             Room for more models: OLLAMA_MAX_LOADED_MODELS"
        )
    })
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::watch::Loaded;

    #[test]
    fn only_a_model_that_takes_the_place_of_another_is_warned_about() {
        let loaded = |ids: &[&str]| {
            let models = ids.iter().map(|id| Loaded { id: (*id).to_owned(), window_tokens: None });
            Glance { loaded: Some(models.collect()), ..Glance::default() }
        };
        let table = [
            (loaded(&[]), None),
            (loaded(&["qwen3-coder:30b"]), None),
            (loaded(&["llama3.1:8b", "qwen3-coder:30b"]), None),
            (loaded(&["llama3.1:8b"]), Some("may unload `llama3.1:8b`")),
            (loaded(&["a", "b"]), Some("may unload `a`, `b`")),
            (Glance::default(), None),
        ];
        for (glance, expected) in table {
            let said = would_unload("qwen3-coder:30b", &glance);
            assert_eq!(said.is_some(), expected.is_some(), "{glance:?}");
            assert!(said.unwrap_or_default().contains(expected.unwrap_or_default()), "{glance:?}");
        }
        assert_eq!(would_unload("nomic-embed-text", &loaded(&["nomic-embed-text:latest"])), None);
    }
}
