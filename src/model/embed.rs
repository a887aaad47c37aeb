//! How do many texts become vectors of one length and one size, in their order, however the server likes to be asked?
//!
//! Cuts the texts into requests no server finds too large, repeats what may pass, finds the one text that is too long,
//! refuses numbers that are none, and makes every vector one unit long, because not every server does and distances would
//! not compare otherwise. One request at a time: whoever waits for a chat comes before vectors.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::base::clock;
use crate::model::Provider;
use crate::model::error::ModelError;
use crate::model::retry::{Budget, Retry};
use crate::model::slots::Gate;
use crate::protocol::task::Class;

/// Texts in one request: servers gain little beyond 16 to 64, and one that fails costs all of them.
pub const MAX_TEXTS: usize = 32;
/// Bytes in one request, unless a single text is longer. Far below what servers refuse (Ollama: 20 MB).
const MAX_BYTES: usize = 512 * 1024;

/// A text whose vector tells whether the model is still the one that made older vectors.
#[derive(Clone, Copy)]
pub struct Witness<'w> {
    /// The text.
    pub text: &'w str,
    /// What the older model said of it, in short: part of what kept vectors are found by.
    pub mark: u64,
    /// Says whether a vector of the text is one of the same model.
    pub is_same: &'w (dyn Fn(&[f32]) -> bool + Sync),
}

/// Who is asked for vectors, and how.
pub struct Job<'a> {
    /// Who is asked.
    pub provider: &'a dyn Provider,
    /// Its address or name, for errors.
    pub url: String,
    /// The model's name there.
    pub model: String,
    /// How often.
    pub retry: Retry,
    /// What the process may still repeat at this server.
    pub budget: Arc<Budget>,
    /// Lets each request through when this user's other requests leave room.
    pub gate: Gate,
    /// Ends it.
    pub cancel: &'a CancellationToken,
    /// Numbers in a vector, when they are to be compared with others.
    pub size: Option<usize>,
}

impl Job<'_> {
    /// Turns texts into vectors one unit long, one each, in their order.
    pub async fn run(mut self, texts: &[String]) -> Result<Vec<Vec<f32>>, ModelError> {
        let mut vectors: Vec<Vec<f32>> = Vec::with_capacity(texts.len());
        let mut batches: VecDeque<Range<usize>> = batches(texts).into();
        while let Some(batch) = batches.pop_front() {
            match self.ask(&texts[batch.clone()]).await {
                Ok(answer) => {
                    for vector in self.check(answer, batch.len())? {
                        vectors.push(vector);
                    }
                }
                // One text too long fails all of a request; the halves tell which it is, and the rest is not lost.
                Err(ModelError::TooLong { .. }) if batch.len() > 1 => {
                    let middle = batch.start + batch.len() / 2;
                    batches.push_front(middle..batch.end);
                    batches.push_front(batch.start..middle);
                }
                Err(ModelError::TooLong { model, window_tokens, source }) => {
                    let (number, n_bytes) = (batch.start + 1, texts[batch.start].len());
                    let n_texts = texts.len();
                    return Err(ModelError::TextTooLong { model, number, n_texts, n_bytes, window_tokens, source });
                }
                Err(error) => return Err(error),
            }
        }
        Ok(vectors)
    }

    /// Sends one request, and again after failures that may pass.
    async fn ask(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, ModelError> {
        let started = Instant::now();
        let mut attempt = 0;
        self.budget.earn();
        loop {
            let asked = async {
                let _permit = self.gate.take(Class::Background).await;
                self.provider.embed(self.model.clone(), texts.to_vec()).await
            };
            let answer = self.unless_cancelled(asked).await?;
            match answer {
                Err(error)
                    if error.is_transient()
                        && attempt < self.retry.max
                        && started.elapsed() < self.retry.within
                        && self.budget.spend() =>
                {
                    attempt += 1;
                    let wait = self.retry.wait(attempt, &error, clock::random_fraction());
                    self.unless_cancelled(tokio::time::sleep(wait)).await?;
                }
                answer => return answer,
            }
        }
    }

    async fn unless_cancelled<T>(&self, work: impl Future<Output = T>) -> Result<T, ModelError> {
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => Err(ModelError::Cancelled),
            done = work => Ok(done),
        }
    }

    /// Refuses what cannot be compared with other vectors, and makes the rest one unit long.
    fn check(&mut self, mut vectors: Vec<Vec<f32>>, n_texts: usize) -> Result<Vec<Vec<f32>>, ModelError> {
        let unusable = |what| ModelError::Unusable { url: self.url.clone(), what };
        if vectors.len() != n_texts {
            return Err(unusable(format!(
                "it holds {} vectors for {}",
                vectors.len(),
                crate::base::text::count(n_texts, "text")
            )));
        }
        for vector in &mut vectors {
            let expected = *self.size.get_or_insert(vector.len());
            if vector.len() != expected {
                let (url, model, found) = (self.url.clone(), self.model.clone(), vector.len());
                return Err(ModelError::VectorSize { url, model, expected, found });
            }
            normalise(vector).map_err(|what| unusable(what.to_owned()))?;
        }
        Ok(vectors)
    }
}

/// Numbers the text that was too long as the caller does, who named `all`, of which `part` was asked about.
pub fn renumbered(error: ModelError, part: &[String], all: &[String]) -> ModelError {
    match error {
        ModelError::TextTooLong { model, number, n_bytes, window_tokens, source, .. } => {
            let text = part.get(number.saturating_sub(1));
            let at = text.and_then(|text| all.iter().position(|other| other == text));
            let (number, n_texts) = (at.map_or(number, |at| at + 1), all.len());
            ModelError::TextTooLong { model, number, n_texts, n_bytes, window_tokens, source }
        }
        other => other,
    }
}

/// Cuts the texts into requests, in their order.
fn batches(texts: &[String]) -> Vec<Range<usize>> {
    let mut batches: Vec<Range<usize>> = Vec::new();
    let mut n_bytes = 0;
    for (at, text) in texts.iter().enumerate() {
        match batches.last_mut() {
            Some(batch) if batch.len() < MAX_TEXTS && n_bytes + text.len() <= MAX_BYTES => {
                batch.end = at + 1;
                n_bytes += text.len();
            }
            _ => {
                batches.push(at..at + 1);
                n_bytes = text.len();
            }
        }
    }
    batches
}

/// Makes a vector one unit long. One of zeros alone points nowhere: a server gives it whose model is not loaded whole.
fn normalise(vector: &mut [f32]) -> Result<(), &'static str> {
    if vector.iter().any(|number| !number.is_finite()) {
        return Err("its vectors hold numbers that are none (NaN or infinite)");
    }
    let length = vector.iter().map(|number| f64::from(*number).powi(2)).sum::<f64>().sqrt();
    if length == 0.0 {
        return Err("one of its vectors holds only zeros");
    }
    vector.iter_mut().for_each(|number| *number = (f64::from(*number) / length) as f32);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_into_requests_by_number_and_bytes() {
        let of = |sizes: &[usize]| sizes.iter().map(|size| "x".repeat(*size)).collect::<Vec<_>>();
        assert!(batches(&[]).is_empty());
        assert_eq!(batches(&of(&[1; 70])), [0..32, 32..64, 64..70]);
        assert_eq!(batches(&of(&[300_000, 300_000, 1, 600_000, 1])), [0..1, 1..3, 3..4, 4..5]);
    }

    #[test]
    fn a_vector_becomes_one_unit_long_or_is_refused() {
        let mut vector = [3.0f32, -4.0];
        normalise(&mut vector).unwrap();
        assert_eq!(vector, [0.6, -0.8]);
        let mut large = [3e38f32, 3e38];
        normalise(&mut large).unwrap();
        assert!((large[0] - 0.5f32.sqrt()).abs() < 1e-6, "{large:?}");
        for bad in [[f32::NAN, 1.0], [f32::INFINITY, 1.0], [0.0, 0.0]] {
            assert!(normalise(&mut bad.clone()).is_err(), "{bad:?}");
        }
    }
}
