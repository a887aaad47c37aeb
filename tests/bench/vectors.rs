//! How fast and how well are half a million large vectors searched?

use std::time::Instant;

use mimi::db::open::Db;
use mimi::index::embed::normalise;
use mimi::index::error::IndexError;
use mimi::index::store::PLAN;
use mimi::index::vectors::{Choice, Entry, Store, Wanted, choose, open, product};

use crate::{Measured, Unit, spread};

const N_VECTORS: usize = 500_000;
const DIMENSIONS: usize = 768;
const N_QUESTIONS: usize = 40;
const N_HEAPS: usize = 2000;
/// Written in one transaction.
const BATCH: usize = 5000;

/// Numbers that look random and are the same each time.
struct Numbers(u64);

impl Numbers {
    fn near(&mut self, middle: &[f32], spread: f32) -> Vec<f32> {
        let mut next = || {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 40) as f32 / (1 << 23) as f32 - 1.0
        };
        let mut vector: Vec<f32> = middle.iter().map(|number| number + spread * next()).collect();
        normalise(&mut vector);
        vector
    }
}

/// What was measured of all questions.
struct Searched {
    recall: f64,
    times_ms: Vec<f64>,
    detail: String,
}

fn search() -> Result<Searched, String> {
    let root = tempfile::tempdir().map_err(|error| error.to_string())?;
    let path = root.path().join("index.db");
    let mut db = Db::open(&path, PLAN).map_err(|error| error.to_string())?;
    let (recall, times_ms, inserting_s) = searched(&mut db).map_err(|error| error.to_string())?;
    let mb = path.metadata().map_or(0, |meta| meta.len()) as f64 / 1e6;
    let rate = N_VECTORS as f64 / inserting_s;
    Ok(Searched {
        recall,
        times_ms,
        detail: format!("{N_VECTORS} x {DIMENSIONS}, {mb:.0} MB, {rate:.0} written a second"),
    })
}

fn searched(db: &mut Db) -> Result<(f64, Vec<f64>, f64), IndexError> {
    let mut numbers = Numbers(7);
    let zeros = vec![0.0; DIMENSIONS];
    let middles: Vec<Vec<f32>> = (0..N_HEAPS).map(|_| numbers.near(&zeros, 1.0)).collect();
    let questions: Vec<Vec<f32>> = (0..N_QUESTIONS).map(|at| numbers.near(&middles[at * 7], 0.05)).collect();
    let mut best: Vec<Vec<(f32, u64)>> = vec![Vec::new(); N_QUESTIONS];
    let kept = db.write(|work| choose(work, ("measured", DIMENSIONS), Choice::Only(Store::Codes), 0))?;
    let mut inserting_s = 0.0;
    for first in (0..N_VECTORS).step_by(BATCH) {
        let made: Vec<Vec<f32>> = (first..first + BATCH).map(|at| numbers.near(&middles[at % N_HEAPS], 0.06)).collect();
        for (question, best) in questions.iter().zip(&mut best) {
            best.extend(made.iter().zip(first as u64..).map(|(vector, text)| (product(vector, question), text)));
            best.sort_by(|a, b| b.0.total_cmp(&a.0));
            best.truncate(10);
        }
        let started = Instant::now();
        let entries: Vec<Entry<'_>> =
            made.iter().zip(first as u64..).map(|(vector, text)| Entry { text, language: "", vector }).collect();
        db.write(|work| open(work, &kept).put(&entries))?;
        inserting_s += started.elapsed().as_secs_f64();
    }
    let (mut n_same, mut times_ms) = (0, Vec::new());
    for (question, best) in questions.iter().zip(&best) {
        let started = Instant::now();
        let found = db.read(|work| open(work, &kept).nearest(&Wanted { question, n: 400, language: None }))?;
        times_ms.push(started.elapsed().as_secs_f64() * 1000.0);
        n_same += found.iter().take(10).filter(|(text, _)| best.iter().any(|(_, best)| best == text)).count();
    }
    Ok((n_same as f64 / (N_QUESTIONS * 10) as f64, times_ms, inserting_s))
}

/// Measures how many of the ten nearest are found.
pub fn recall() -> Result<Measured, String> {
    let Searched { recall, detail, .. } = search()?;
    Ok(Measured { value: recall * 100.0, detail })
}

/// Measures one search among them.
pub fn nearest() -> Result<Measured, String> {
    let Searched { times_ms, detail, .. } = search()?;
    let measured = spread(times_ms, Unit::Milliseconds)?;
    Ok(Measured { detail: format!("{}; {detail}", measured.detail), ..measured })
}
