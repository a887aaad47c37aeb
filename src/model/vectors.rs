//! How is no text turned into a vector twice?
//!
//! Each text has an entry of its own, so that a batch asks the server only for what is new. Who begins to compute claims
//! the texts in the cache file; everybody else, in this process or another, waits for the vectors to appear. A claim is
//! renewed while its owner works and runs out soon after its owner died.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;

use crate::base::clock;
use crate::db::error::DbError;
use crate::db::open::Db;
use crate::db::work::Work;
use crate::model::cache::{self, Cache, EntryKind};
use crate::model::embed;
use crate::model::error::ModelError;
use crate::model::route::Route;

/// How long a claim holds unless it is renewed: what a crash costs others at most.
const CLAIM_MS: u64 = 10_000;
/// How often claims are renewed.
const RENEWAL: Duration = Duration::from_millis(CLAIM_MS / 4);
/// Pause between two looks for what another is computing.
const PAUSE: Duration = Duration::from_millis(20);

/// Computes vectors, one each, in their order; a vector must have so many numbers when that is known.
pub type Compute<'a> =
    &'a (dyn Fn(Vec<String>, Option<usize>) -> BoxFuture<'a, Result<Vec<Vec<f32>>, ModelError>> + Sync);

/// Of which model vectors are wanted.
#[derive(Debug, Clone, Copy, Default)]
pub struct Of {
    /// How many numbers a vector must have, when that is known. Kept ones of another size are from a model that has since
    /// been replaced under its name, and are made anew.
    pub size: Option<usize>,
    /// What tells it from others of its name and size; 0 where nobody asked.
    pub mark: u64,
}

/// Returns the vectors of `texts`, in their order, and has only those computed that nobody has or is computing.
///
/// # Errors
/// As `compute`. What was computed before the error is kept.
pub async fn of_texts(
    cache: &Arc<Cache>,
    route: &Route,
    texts: Vec<String>,
    of: Of,
    compute: Compute<'_>,
) -> Result<Vec<Vec<f32>>, ModelError> {
    let keys: Vec<String> = texts.iter().map(|text| key(route, text, of.mark)).collect();
    let by_key: HashMap<&String, &String> = keys.iter().zip(&texts).collect();
    let mut batch = Batch::new(cache.clone(), route.model.clone(), of.size);
    loop {
        let open = batch.open(&keys);
        if open.is_empty() {
            return Ok(keys.iter().filter_map(|key| batch.found.get(key).cloned()).collect());
        }
        // Without a cache nobody else is computing.
        let mine = batch.look(open.clone()).await.unwrap_or(open);
        if batch.forget_mixed_sizes() {
            continue;
        }
        for keys_now in mine.chunks(embed::MAX_TEXTS) {
            let texts_now = keys_now.iter().map(|key| by_key[key].clone()).collect();
            batch.compute(route, keys_now, compute(texts_now, batch.known_size())).await.map_err(|error| {
                // Where the text stands in the list of whoever asked.
                let place = |number: usize| {
                    let late = keys_now.get(number.checked_sub(1)?)?;
                    keys.iter().position(|key| key == late)
                };
                renumber(error, place, keys.len())
            })?;
        }
        if mine.is_empty() && !batch.open(&keys).is_empty() {
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// Puts a place in the whole list into an error that names one in a part of it.
fn renumber(error: ModelError, place: impl Fn(usize) -> Option<usize>, n_all: usize) -> ModelError {
    match error {
        ModelError::TextTooLong { model, number, n_bytes, window_tokens, source, .. } => {
            let number = place(number).map_or(number, |at| at + 1);
            ModelError::TextTooLong { model, number, n_texts: n_all, n_bytes, window_tokens, source }
        }
        error => error,
    }
}

fn key(route: &Route, text: &str, mark: u64) -> String {
    let mark = mark.to_le_bytes();
    let both = [text.as_bytes(), &mark];
    cache::key_of(EntryKind::Vector, route, if mark == [0; 8] { &both[..1] } else { &both })
}

/// The work on one list of texts.
struct Batch {
    cache: Arc<Cache>,
    model: String,
    /// Names this work in claims.
    owner: String,
    has_claims: bool,
    /// Numbers in a vector; 0 when none of the kept ones is to be believed.
    size: Option<usize>,
    found: HashMap<String, Vec<f32>>,
}

impl Batch {
    fn new(cache: Arc<Cache>, model: String, size: Option<usize>) -> Self {
        Self { cache, model, owner: clock::new_id(), has_claims: false, size, found: HashMap::new() }
    }

    /// Returns the keys without a vector, each once, in their order.
    fn open(&self, keys: &[String]) -> Vec<String> {
        let mut seen = HashSet::new();
        keys.iter().filter(|key| !self.found.contains_key(*key) && seen.insert(*key)).cloned().collect()
    }

    fn known_size(&self) -> Option<usize> {
        self.size.filter(|size| *size > 0)
    }

    /// Takes what is kept and claims what nobody computes; returns the claimed keys, none without a cache.
    async fn look(&mut self, keys: Vec<String>) -> Option<Vec<String>> {
        let (owner, size) = (self.owner.clone(), self.size);
        let (found, claimed) = self.cache.with(move |cache, db| look(cache, db, &keys, (&owner, size))).await?;
        self.has_claims |= !claimed.is_empty();
        self.found.extend(found);
        Some(claimed)
    }

    /// Believes none of the kept vectors when they have different sizes; which are old is not known.
    fn forget_mixed_sizes(&mut self) -> bool {
        let mut sizes = self.found.values().map(Vec::len);
        let first = sizes.next();
        if sizes.all(|size| Some(size) == first) {
            return false;
        }
        self.found.clear();
        self.size = Some(0);
        true
    }

    /// Waits for computed vectors and keeps them.
    async fn compute(
        &mut self,
        route: &Route,
        keys: &[String],
        mut work: BoxFuture<'_, Result<Vec<Vec<f32>>, ModelError>>,
    ) -> Result<(), ModelError> {
        let vectors = loop {
            tokio::select! {
                done = &mut work => break done?,
                () = tokio::time::sleep(RENEWAL), if self.has_claims => self.renew().await,
            }
        };
        if vectors.len() != keys.len() {
            let what = format!("it sent {} vectors for {} texts", vectors.len(), keys.len());
            return Err(ModelError::Broken { url: route.url.clone(), what });
        }
        let size = vectors.first().map(Vec::len);
        self.found.retain(|_, kept| Some(kept.len()) == size);
        self.size = size;
        let made: Vec<(String, Vec<f32>)> = keys.iter().cloned().zip(vectors).collect();
        self.found.extend(made.iter().cloned());
        let model = self.model.clone();
        let keep = move |cache: &Cache, db: &mut Db| {
            db.write(|work| {
                made.iter().try_for_each(|(key, vector)| {
                    cache.put(work, key, (EntryKind::Vector, &model), &to_bytes(vector))?;
                    work.run("DELETE FROM claim WHERE key = ?1", &[key.as_str().into()]).map(drop)
                })
            })
        };
        self.cache.with(keep).await;
        Ok(())
    }

    async fn renew(&self) {
        let owner = self.owner.clone();
        let renew = move |cache: &Cache, db: &mut Db| {
            let until_ms = cache.now_ms() + CLAIM_MS;
            let sql = "UPDATE claim SET until_ms = ?2 WHERE owner = ?1";
            db.write(|work| work.run(sql, &[owner.as_str().into(), until_ms.into()]))
        };
        self.cache.with(renew).await;
    }
}

impl Drop for Batch {
    /// Work that failed or was cancelled lets others go on at once; after all was done this changes nothing.
    fn drop(&mut self) {
        if let (true, Ok(runtime)) = (self.has_claims, tokio::runtime::Handle::try_current()) {
            let (cache, owner) = (self.cache.clone(), self.owner.clone());
            runtime.spawn_blocking(move || cache.try_work(|_, db| db.write(|work| release(work, &owner))));
        }
    }
}

type Look = (Vec<(String, Vec<f32>)>, Vec<String>);

/// Reads first without writing, because most looks find everything.
fn look(cache: &Cache, db: &mut Db, keys: &[String], (owner, size): (&str, Option<usize>)) -> Result<Look, DbError> {
    let (mut found, mut stale) = (Vec::new(), Vec::new());
    let missing = db.read(|work| {
        let mut missing = Vec::new();
        for key in keys {
            match read(cache, work, key, size)? {
                Some((vector, is_stale)) => {
                    stale.extend(is_stale.then(|| key.clone()));
                    found.push((key.clone(), vector));
                }
                None => missing.push(key),
            }
        }
        Ok::<_, DbError>(missing)
    })?;
    if !stale.is_empty() {
        cache.touch(db, &stale)?;
    }
    if missing.is_empty() {
        return Ok((found, Vec::new()));
    }
    let claimed = db.write(|work| {
        let mut claimed = Vec::new();
        for key in missing {
            // It may have come while this process waited to write.
            match read(cache, work, key, size)? {
                Some((vector, _)) => found.push((key.clone(), vector)),
                None if claim(cache, work, key, owner)? => claimed.push(key.clone()),
                None => {}
            }
        }
        Ok::<_, DbError>(claimed)
    })?;
    Ok((found, claimed))
}

/// Reads a kept vector of the right size, and whether its use is to be noted.
fn read(cache: &Cache, work: &Work<'_>, key: &str, size: Option<usize>) -> Result<Option<(Vec<f32>, bool)>, DbError> {
    let kept = cache.get(work, key)?.map(|(bytes, is_stale)| (from_bytes(&bytes), is_stale));
    Ok(kept.filter(|(vector, _)| size.is_none_or(|size| vector.len() == size)))
}

fn claim(cache: &Cache, work: &Work<'_>, key: &str, owner: &str) -> Result<bool, DbError> {
    let now_ms = cache.now_ms();
    let sql = "INSERT INTO claim (key, owner, until_ms) VALUES (?1, ?2, ?3) ON CONFLICT (key) DO UPDATE \
               SET owner = excluded.owner, until_ms = excluded.until_ms WHERE claim.until_ms < ?4 OR claim.owner = excluded.owner";
    let n = work.run(sql, &[key.into(), owner.into(), (now_ms + CLAIM_MS).into(), now_ms.into()])?;
    Ok(n > 0)
}

fn release(work: &Work<'_>, owner: &str) -> Result<(), DbError> {
    work.run("DELETE FROM claim WHERE owner = ?1", &[owner.into()]).map(drop)
}

/// Four bytes a number, the lowest first, whatever the machine.
fn to_bytes(vector: &[f32]) -> Vec<u8> {
    vector.iter().flat_map(|number| number.to_le_bytes()).collect()
}

fn from_bytes(bytes: &[u8]) -> Vec<f32> {
    bytes.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_come_back_bit_for_bit() {
        let vector = [0.1, -0.0, f32::MIN_POSITIVE, f32::MAX, 1e-40];
        assert_eq!(from_bytes(&to_bytes(&vector)).map_bits(), vector.to_vec().map_bits());
    }

    trait Bits {
        fn map_bits(self) -> Vec<u32>;
    }

    impl Bits for Vec<f32> {
        fn map_bits(self) -> Vec<u32> {
            self.into_iter().map(f32::to_bits).collect()
        }
    }
}
