//! How does the index reach the model of `routes.embed`?
//!
//! Through the gateway, on a runtime of its own, because the index waits and does not know of one. Must not be used on a
//! thread that runs tasks: there nobody may wait; `tokio::task::spawn_blocking` is for that. Ctrl-C ends it with the process, and
//! what was made until then is kept. While an agent runs, [`Beside`] has it embed what is new, on a thread of its own and after
//! everybody who waits for an answer.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use crate::base::fault::{Fault, Kind};
use crate::index::embed::server::{Server, Trouble, Witness};
use crate::index::engine::Index;
use crate::model::embed;
use crate::model::error::ModelError;
use crate::model::gateway::Gateway;
use crate::model::route::Route;
use crate::protocol::task::Task;

/// The model of `routes.embed`.
pub(super) struct GatewayEmbedder {
    gateway: Arc<Gateway>,
    /// None only while it ends.
    runtime: Option<Runtime>,
    /// Found out when it is first needed.
    route: Mutex<Option<Route>>,
    cancel: CancellationToken,
}

impl GatewayEmbedder {
    pub(super) fn new(gateway: Arc<Gateway>, cancel: CancellationToken) -> Result<Self, Fault> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| Fault::io(Kind::Bug, "cannot start the runtime", &error))?;
        Ok(Self { gateway, runtime: Some(runtime), route: Mutex::default(), cancel })
    }

    fn within<T>(
        &self,
        limit: Option<Duration>,
        work: impl Future<Output = Result<T, ModelError>>,
    ) -> Result<T, Trouble> {
        let limited = async {
            match limit {
                Some(limit) => tokio::time::timeout(limit, work).await.ok(),
                None => Some(work.await),
            }
        };
        match self.runtime.as_ref().and_then(|runtime| runtime.block_on(limited)) {
            Some(done) => done.map_err(trouble),
            None => {
                let limit_ms = limit.unwrap_or_default().as_millis();
                let message = format!("the model for vectors did not answer within {limit_ms} ms");
                Err(Trouble::plain(Fault::new(Kind::Model, message)))
            }
        }
    }

    fn route(&self, limit: Option<Duration>) -> Result<Route, Trouble> {
        let mut known = self.route.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(route) = known.as_ref() {
            return Ok(route.clone());
        }
        let route = self.within(limit, self.gateway.resolve(Task::Embed, None))?;
        Ok(known.insert(route).clone())
    }
}

impl Server for GatewayEmbedder {
    fn model(&self, limit: Option<Duration>) -> Result<String, Trouble> {
        Ok(self.route(limit)?.model)
    }

    fn embed(
        &self,
        texts: Vec<String>,
        witness: Option<&Witness>,
        limit: Option<Duration>,
    ) -> Result<Vec<Vec<f32>>, Trouble> {
        let route = self.route(limit)?;
        let is_replaced = AtomicBool::new(false);
        let is_same = |vector: &[f32]| {
            let is_same = witness.is_none_or(|witness| witness.is_same(vector));
            is_replaced.fetch_or(!is_same, Ordering::Relaxed);
            is_same
        };
        let heard =
            witness.map(|witness| embed::Witness { text: &witness.text, mark: witness.mark, is_same: &is_same });
        let done = self.within(limit, self.gateway.embed_as(&route, texts, heard, &self.cancel));
        done.map_err(|trouble| Trouble { is_replaced: is_replaced.load(Ordering::Relaxed), ..trouble })
    }

    fn embed_anew(&self, text: String, limit: Option<Duration>) -> Result<Vec<f32>, Trouble> {
        let route = self.route(limit)?;
        let vectors = self.within(limit, self.gateway.embed_anew(&route, vec![text], &self.cancel))?;
        Ok(vectors.into_iter().next().unwrap_or_default())
    }
}

impl Drop for GatewayEmbedder {
    /// A runtime that ends waits for its threads, and a task must not wait.
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

fn trouble(error: ModelError) -> Trouble {
    let too_long = match &error {
        ModelError::TextTooLong { number, .. } => number.checked_sub(1),
        _ => None,
    };
    Trouble { too_long, ..Trouble::plain(error.into()) }
}

/// Time between two looks for what is new.
const PAUSE: Duration = Duration::from_secs(30);
/// How long it waits for another process that writes, before it leaves the rest for the next look.
const PATIENCE: Duration = Duration::from_secs(10);

/// Embeds what is new for as long as it is kept. What goes wrong is said by the searches, not by it.
pub(super) struct Beside {
    is_over: Arc<(Mutex<bool>, Condvar)>,
    cancel: CancellationToken,
}

impl Beside {
    /// Begins, for the project at `root` with its index below `cache`.
    pub(super) fn begin(gateway: Arc<Gateway>, cache: PathBuf, root: PathBuf) -> Self {
        let beside = Self { is_over: Arc::default(), cancel: CancellationToken::new() };
        let (is_over, cancel) = (beside.is_over.clone(), beside.cancel.clone());
        std::thread::spawn(move || {
            let Ok(server) = GatewayEmbedder::new(gateway, cancel) else { return };
            let Ok(index) = Index::of(&cache, &root).map(|index| index.served_by(Arc::new(server))) else { return };
            let mut seen = None;
            let (lock, bell) = &*is_over;
            let mut over = lock.lock().unwrap_or_else(PoisonError::into_inner);
            while !*over {
                drop(over);
                let newest = index.newest_text().ok().flatten();
                if newest != seen && index.fill(PATIENCE, &|_, _| {}).is_ok_and(|filled| filled.notes.is_empty()) {
                    seen = newest;
                }
                over = lock.lock().unwrap_or_else(PoisonError::into_inner);
                over = bell.wait_timeout_while(over, PAUSE, |over| !*over).unwrap_or_else(PoisonError::into_inner).0;
            }
        });
        beside
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        *self.is_over.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.is_over.1.notify_all();
        self.cancel.cancel();
    }
}
