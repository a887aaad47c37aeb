//! How is no text turned into a vector twice?
//!
//! Each text has an entry of its own, so that a batch asks the server only for what is new. Who begins to compute claims
//! the texts in the cache file; everybody else, in this process or another, waits for the vectors to appear. A claim is
//! renewed while its owner works and runs out soon after its owner died.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;

use crate::base::{clock, hash};
use crate::db::error::DbError;
use crate::db::open::Db;
use crate::db::work::Work;
use crate::model::cache::{Cache, EntryKind};
use crate::model::error::ModelError;
use crate::model::route::Route;

/// How long a claim holds unless it is renewed: what a crash costs others at most.
const CLAIM_MS: u64 = 10_000;
/// How often claims are renewed.
const RENEWAL: Duration = Duration::from_millis(CLAIM_MS / 4);
/// Pause between two looks for what another is computing.
const PAUSE: Duration = Duration::from_millis(20);

/// Computes vectors, one each, in their order.
pub type Compute<'a> = &'a (dyn Fn(Vec<String>) -> BoxFuture<'a, Result<Vec<Vec<f32>>, ModelError>> + Sync);

/// Returns the vectors of `texts`, in their order, and has only those computed that nobody has or is computing.
///
/// # Errors
/// As `compute`. Vectors that were there already are kept.
pub async fn of_texts(
    cache: &Arc<Cache>,
    route: &Route,
    texts: Vec<String>,
    compute: Compute<'_>,
) -> Result<Vec<Vec<f32>>, ModelError> {
    let keys: Vec<String> = texts.iter().map(|text| key(route, text)).collect();
    let mut batch = Batch::new(cache.clone(), route.model.clone());
    let mut open: HashMap<String, String> = keys.iter().cloned().zip(texts).collect();
    while !open.is_empty() {
        let claimed = batch.look(open.keys().cloned().collect()).await;
        open.retain(|key, _| !batch.found.contains_key(key));
        // Without a cache nobody else is computing.
        let mine: Vec<(String, String)> = match &claimed {
            Some(claimed) => claimed.iter().filter_map(|key| open.remove_entry(key)).collect(),
            None => open.drain().collect(),
        };
        if !mine.is_empty() {
            batch.compute(route, mine, compute).await?;
        } else if !open.is_empty() {
            tokio::time::sleep(PAUSE).await;
        }
    }
    let found = &batch.found;
    Ok(keys.iter().filter_map(|key| found.get(key).cloned()).collect())
}

fn key(route: &Route, text: &str) -> String {
    let parts = [EntryKind::Vector.name(), &route.provider, &route.url, &route.model, text];
    hash::of_parts(&parts.map(str::as_bytes))
}

/// The work on one list of texts.
struct Batch {
    cache: Arc<Cache>,
    model: String,
    /// Names this work in claims.
    owner: String,
    has_claims: bool,
    found: HashMap<String, Vec<f32>>,
}

impl Batch {
    fn new(cache: Arc<Cache>, model: String) -> Self {
        Self { cache, model, owner: clock::new_id(), has_claims: false, found: HashMap::new() }
    }

    /// Takes what is kept and claims what nobody computes; returns the claimed keys, none without a cache.
    async fn look(&mut self, keys: Vec<String>) -> Option<Vec<String>> {
        let owner = self.owner.clone();
        let (found, claimed) = self.cache.with(move |cache, db| look(cache, db, &keys, &owner)).await?;
        self.has_claims |= !claimed.is_empty();
        self.found.extend(found);
        Some(claimed)
    }

    /// Has texts computed and keeps their vectors.
    async fn compute(
        &mut self,
        route: &Route,
        mine: Vec<(String, String)>,
        compute: Compute<'_>,
    ) -> Result<(), ModelError> {
        let (keys, texts): (Vec<String>, Vec<String>) = mine.into_iter().unzip();
        let mut work = compute(texts);
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
        let made: Vec<(String, Vec<f32>)> = keys.into_iter().zip(vectors).collect();
        self.found.extend(made.iter().cloned());
        let (model, owner) = (self.model.clone(), self.owner.clone());
        let kept = self.cache.with(move |cache, db| {
            db.write(|work| {
                for (key, vector) in &made {
                    cache.put(work, key, (EntryKind::Vector, &model), &to_bytes(vector))?;
                }
                release(work, &owner)
            })
        });
        if kept.await.is_some() {
            self.has_claims = false;
        }
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
    /// Work that failed or was cancelled lets others go on at once.
    fn drop(&mut self) {
        if let (true, Ok(runtime)) = (self.has_claims, tokio::runtime::Handle::try_current()) {
            let (cache, owner) = (self.cache.clone(), self.owner.clone());
            runtime.spawn_blocking(move || cache.try_work(|_, db| db.write(|work| release(work, &owner))));
        }
    }
}

type Look = (Vec<(String, Vec<f32>)>, Vec<String>);

/// Reads first without writing, because most looks find everything.
fn look(cache: &Cache, db: &mut Db, keys: &[String], owner: &str) -> Result<Look, DbError> {
    let (mut found, mut stale) = (Vec::new(), Vec::new());
    let missing = db.read(|work| {
        let mut missing = Vec::new();
        for key in keys {
            match read(cache, work, key)? {
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
            match read(cache, work, key)? {
                Some((vector, _)) => found.push((key.clone(), vector)),
                None if claim(cache, work, key, owner)? => claimed.push(key.clone()),
                None => {}
            }
        }
        Ok::<_, DbError>(claimed)
    })?;
    Ok((found, claimed))
}

fn read(cache: &Cache, work: &Work<'_>, key: &str) -> Result<Option<(Vec<f32>, bool)>, DbError> {
    Ok(cache.get(work, key)?.map(|(bytes, is_stale)| (from_bytes(&bytes), is_stale)))
}

fn claim(cache: &Cache, work: &Work<'_>, key: &str, owner: &str) -> Result<bool, DbError> {
    let now_ms = cache.now_ms();
    let sql = "INSERT INTO claim (key, owner, until_ms) VALUES (?1, ?2, ?3) ON CONFLICT (key) DO UPDATE \
               SET owner = excluded.owner, until_ms = excluded.until_ms WHERE claim.until_ms < ?4";
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
