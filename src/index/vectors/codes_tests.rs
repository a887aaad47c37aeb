use super::*;
use crate::db::open::Db;
use crate::index::embed::normalise;
use crate::index::store::PLAN;

const DIMENSIONS: usize = 64;

/// Numbers that look random and are the same each time.
struct Numbers(u64);

impl Numbers {
    fn vector(&mut self) -> Vec<f32> {
        let mut next = || {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 40) as f32 / (1 << 23) as f32 - 1.0
        };
        let mut vector: Vec<f32> = (0..DIMENSIONS).map(|_| next()).collect();
        normalise(&mut vector);
        vector
    }
}

fn exact(all: &[(u64, Vec<f32>)], question: &[f32], n: usize) -> Vec<u64> {
    let mut found: Vec<(u64, f32)> =
        all.iter().map(|(text, vector)| (*text, vector.iter().zip(question).map(|(a, b)| a * b).sum())).collect();
    found.sort_by(|a, b| b.1.total_cmp(&a.1));
    found.into_iter().take(n).map(|(text, _)| text).collect()
}

#[test]
fn the_nearest_are_found_nearly_as_well_as_by_looking_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let mut db = Db::open(&folder.path().join("index.db"), PLAN).unwrap();
    let mut numbers = Numbers(7);
    // More than one segment, with gaps.
    let all: Vec<(u64, Vec<f32>)> = (0..3000).map(|n| (n * 3, numbers.vector())).collect();
    db.write(|work| {
        let quantised: Vec<(u64, Quantised)> =
            all.iter().map(|(n, vector)| (*n, Quantised::of(vector).unwrap())).collect();
        let rows: Vec<(u64, &Quantised)> = quantised.iter().map(|(n, vector)| (*n, vector)).collect();
        Codes::new(work, 1, DIMENSIONS).put(&rows)
    })
    .unwrap();
    let (mut n_same, n_questions) = (0, 50);
    for _ in 0..n_questions {
        let question = numbers.vector();
        let found = db.read(|work| Codes::new(work, 1, DIMENSIONS).nearest(&question, 10)).unwrap();
        let exact = exact(&all, &question, 10);
        n_same += found.iter().filter(|(text, _)| exact.contains(text)).count();
        assert!(found.windows(2).all(|pair| pair[0].1 >= pair[1].1));
    }
    // Random vectors of 64 dimensions are the worst case: nothing lies near anything.
    assert!(n_same * 100 >= n_questions * 10 * 90, "recall@10 is {} of {}", n_same, n_questions * 10);
}

#[test]
fn what_was_removed_is_not_found_and_other_embedders_are_not_mixed_in() {
    let folder = tempfile::tempdir().unwrap();
    let mut db = Db::open(&folder.path().join("index.db"), PLAN).unwrap();
    let mut numbers = Numbers(1);
    let vector = numbers.vector();
    let kept = Quantised::of(&vector).unwrap();
    db.write(|work| {
        Codes::new(work, 1, DIMENSIONS).put(&[(5, &kept), (6, &kept)])?;
        Codes::new(work, 2, DIMENSIONS).put(&[(7, &kept)])?;
        Codes::new(work, 1, DIMENSIONS).remove(&[5, 99])
    })
    .unwrap();
    db.read(|work| {
        let codes = Codes::new(work, 1, DIMENSIONS);
        let found = codes.nearest(&vector, 10)?;
        assert_eq!(found.iter().map(|(text, _)| *text).collect::<Vec<_>>(), [6]);
        assert!((found[0].1 - 1.0).abs() < 0.02);
        assert_eq!(codes.count()?, 1);
        assert!(codes.nearest(&vector[..8], 10)?.is_empty(), "another number of dimensions");
        assert!(codes.nearest(&[0.0; DIMENSIONS], 10)?.is_empty(), "nothing known of the question");
        Ok::<_, IndexError>(())
    })
    .unwrap();
}

#[test]
fn a_vector_without_direction_is_none() {
    assert_eq!(Quantised::of(&[0.0, 0.0]), None);
    assert_eq!(Quantised::of(&[f32::INFINITY, 0.0]), None);
    assert_eq!(Quantised::of(&[0.5, -1.0]).unwrap().numbers, [64, -127]);
}
