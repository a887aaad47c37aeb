//! How does the gateway turn texts into vectors?
//!
//! As with any other request: the provider of the route, its budget, its gate, the account. What was made before comes from
//! the cache ([`vectors`]); how the texts reach the server is [`embed`]'s work. Must not mix vectors of two models that were
//! given one name: whoever compares new vectors with older ones brings a [`Witness`].

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{MutexGuard, PoisonError};

use futures_util::future::BoxFuture;
use tokio_util::sync::CancellationToken;

use crate::model::Answer;
use crate::model::embed::{self, Witness};
use crate::model::error::ModelError;
use crate::model::gateway::{Gateway, address, key};
use crate::model::guard::veil_for;
use crate::model::route::Route;
use crate::model::vectors;
use crate::protocol::task::{Class, Task};

impl Gateway {
    /// Turns texts into vectors with the model of `route`: one each, in their order, one unit long, and all of the size
    /// the model's vectors have had so far ([`Gateway::expect_size`]). Those made before are not made again.
    pub async fn embed(
        &self,
        route: &Route,
        texts: Vec<String>,
        cancel: &CancellationToken,
    ) -> Result<Vec<Vec<f32>>, ModelError> {
        self.embed_as(route, texts, None, cancel).await
    }

    /// As [`Gateway::embed`], by the model a witness knows: where the server has another one under the name meanwhile, nothing
    /// is kept and nothing returned. A server that need not be asked is not asked for the witness either.
    ///
    /// # Errors
    /// As [`Gateway::embed`].
    pub async fn embed_as(
        &self,
        route: &Route,
        texts: Vec<String>,
        witness: Option<Witness<'_>>,
        cancel: &CancellationToken,
    ) -> Result<Vec<Vec<f32>>, ModelError> {
        let texts: Vec<String> = texts.iter().map(|text| veil_for(self.secrets)(text).into_owned()).collect();
        let all = texts.clone();
        let size = self.sizes().get(&key(route)).copied();
        // Once is enough for all requests of one list.
        let is_heard = AtomicBool::new(false);
        let compute = |texts: Vec<String>, size| -> BoxFuture<'_, _> {
            let (all, is_heard) = (&all, &is_heard);
            Box::pin(async move {
                if let Some(witness) = witness.filter(|_| !is_heard.swap(true, Ordering::Relaxed)) {
                    self.hear(route, witness, cancel).await?;
                }
                let vectors = self.compute_vectors(route, &texts, size, cancel).await;
                // The cache asks for part of the texts, and in another order.
                vectors.map_err(|error| embed::renumbered(error, &texts, all))
            })
        };
        let of = vectors::Of { size, mark: witness.map_or(0, |witness| witness.mark) };
        let work = async {
            match &self.cache {
                Some(cache) => vectors::of_texts(cache, route, texts, of, &compute).await,
                None => compute(texts, size).await,
            }
        };
        let vectors = tokio::select! {
            biased;
            () = cancel.cancelled() => return Err(ModelError::Cancelled),
            vectors = work => vectors?,
        };
        if let Some(first) = vectors.first() {
            self.expect_size(route, first.len());
        }
        Ok(vectors)
    }

    /// Embeds texts past all that is kept, to see which model it is.
    ///
    /// # Errors
    /// As [`Gateway::embed`].
    pub async fn embed_anew(
        &self,
        route: &Route,
        texts: Vec<String>,
        cancel: &CancellationToken,
    ) -> Result<Vec<Vec<f32>>, ModelError> {
        let texts: Vec<String> = texts.iter().map(|text| veil_for(self.secrets)(text).into_owned()).collect();
        self.compute_vectors(route, &texts, None, cancel).await
    }

    /// Makes sure that the model is the one a witness knows.
    async fn hear(&self, route: &Route, witness: Witness<'_>, cancel: &CancellationToken) -> Result<(), ModelError> {
        let vectors = self.compute_vectors(route, &[witness.text.to_owned()], None, cancel).await?;
        if vectors.first().is_some_and(|vector| (witness.is_same)(vector)) {
            return Ok(());
        }
        let what = format!("another model than before answers as `{}`", route.model);
        Err(ModelError::Unusable { url: address(route), what })
    }

    /// Says how many numbers a vector of the model of `route` must have, because it will be compared with older ones.
    pub fn expect_size(&self, route: &Route, size: usize) {
        self.sizes().insert(key(route), size);
    }

    fn sizes(&self) -> MutexGuard<'_, HashMap<(String, String), usize>> {
        self.sizes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn compute_vectors(
        &self,
        route: &Route,
        texts: &[String],
        size: Option<usize>,
        cancel: &CancellationToken,
    ) -> Result<Vec<Vec<f32>>, ModelError> {
        let provider = self.seats.get(&route.provider)?.provider;
        let mut account = self.account(route, Task::Embed, Class::Background);
        account.sent();
        let (url, model, retry) = (address(route), route.model.clone(), self.retry);
        let (budget, gate) = (self.budget(&url), self.gate(&url));
        let vectors = embed::Job { provider: provider.as_ref(), url, model, retry, budget, gate, cancel, size };
        let vectors = vectors.run(texts).await;
        match &vectors {
            Ok(_) => account.answered(&mut Answer::default()),
            Err(error) => self.seats.doubts(&route.url)(error),
        }
        vectors
    }
}
