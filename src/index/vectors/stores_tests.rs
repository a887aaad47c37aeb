use std::path::Path;

use super::*;
use crate::db::open::Db;
use crate::index::document::Reader;
use crate::index::embed::table::table;
use crate::index::embed::{Embedder as _, normalise};
use crate::index::store::PLAN;

/// Cosines so near to that of the tenth are as good as it: the rest is how numbers are rounded.
const TIE: f32 = 1e-3;

/// A database in a folder that goes away with it.
struct Place {
    db: Db,
    _folder: tempfile::TempDir,
}

fn place() -> Place {
    let folder = tempfile::tempdir().unwrap();
    let db = Db::open(&folder.path().join("index.db"), PLAN).unwrap();
    db.know_vectors().unwrap();
    Place { db, _folder: folder }
}

/// Numbers that look random and are the same each time.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 40) as f32 / (1 << 23) as f32 - 1.0
    }

    fn near(&mut self, middle: &[f32], spread: f32) -> Vec<f32> {
        let mut vector: Vec<f32> = middle.iter().map(|number| number + spread * self.next()).collect();
        normalise(&mut vector);
        vector
    }

    fn vector(&mut self, dimensions: usize) -> Vec<f32> {
        self.near(&vec![0.0; dimensions], 1.0)
    }
}

fn entry(text: u64, vector: &[f32]) -> Entry<'_> {
    Entry { text, language: "rust", vector }
}

fn wanted(question: &[f32], n: usize) -> Wanted<'_> {
    Wanted { question, n, language: None }
}

/// Makes an embedder with vectors, by each store.
fn filled(place: &mut Place, store: Store, all: &[Vec<f32>]) -> Kept {
    place
        .db
        .write(|work| {
            let kept = choose(work, (store.name(), all[0].len()), Choice::Only(store), 0)?;
            let entries: Vec<Entry<'_>> =
                all.iter().enumerate().map(|(at, vector)| entry(at as u64 * 3 + 1, vector)).collect();
            open(work, &kept).put(&entries)?;
            Ok::<_, IndexError>(kept)
        })
        .unwrap()
}

/// The share of the ten nearest a store finds, over all questions.
fn recall(place: &mut Place, kept: &Kept, all: &[Vec<f32>], questions: &[Vec<f32>]) -> f64 {
    let mut n_good = 0;
    for question in questions {
        let mut cosines: Vec<f32> = all.iter().map(|vector| product(vector, question)).collect();
        let found = place.db.read(|work| open(work, kept).nearest(&wanted(question, 10))).unwrap();
        assert_eq!(found.len(), 10);
        assert!(found.windows(2).all(|pair| pair[0].1 >= pair[1].1));
        let of_found: Vec<f32> = found.iter().map(|(text, _)| cosines[(*text as usize - 1) / 3]).collect();
        cosines.sort_by(|a, b| b.total_cmp(a));
        n_good += of_found.iter().filter(|cosine| **cosine >= cosines[9] - TIE).count();
    }
    n_good as f64 / (questions.len() * 10) as f64
}

fn both_find_what_is_nearest(all: &[Vec<f32>], questions: &[Vec<f32>], least: [(Store, f64); 2]) {
    let mut place = place();
    for (store, least) in least {
        let kept = filled(&mut place, store, all);
        let recall = recall(&mut place, &kept, all, questions);
        assert!(recall >= least, "{}: {recall:.4} of {} vectors", store.name(), all.len());
    }
}

/// Sizes as of a model on a server: texts lie in heaps, questions near one of them.
#[test]
fn both_stores_find_the_nearest_of_large_vectors() {
    let mut numbers = Numbers(7);
    let middles: Vec<Vec<f32>> = (0..40).map(|_| numbers.vector(768)).collect();
    let all: Vec<Vec<f32>> = (0..2400).map(|at| numbers.near(&middles[at % 40], 0.05)).collect();
    let questions: Vec<Vec<f32>> = (0..15).map(|at| numbers.near(&middles[at], 0.04)).collect();
    both_find_what_is_nearest(&all, &questions, [(Store::Codes, 0.98), (Store::Vec0, 1.0)]);
}

/// This room itself, cut and embedded as any project is; the questions are those its files open with.
#[test]
fn both_stores_find_the_nearest_of_a_real_project() {
    let mut reader = Reader::new(table().unwrap()).unwrap();
    let (mut all, mut questions) = (Vec::new(), Vec::new());
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    if !folders[0].join("index").exists() {
        // Where the rooms are compiled from another folder.
        folders = vec![Path::new(file!()).ancestors().nth(3).unwrap().to_path_buf()];
    }
    // A part of it: nothing is optimised here.
    let mut n_files = 0;
    while let Some(folder) = folders.pop() {
        let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        for path in paths {
            n_files += 1;
            if path.is_dir() {
                folders.push(path);
            } else if n_files % 2 == 0 && path.extension().is_some_and(|ending| ending == "rs") {
                let bytes = std::fs::read(&path).unwrap();
                let text = String::from_utf8_lossy(&bytes);
                questions.extend(text.strip_prefix("//! ").and_then(|rest| rest.lines().next()).map(str::to_owned));
                // Plain text is cut without a grammar, which this test is not about.
                let document = reader.read(Path::new("a.txt"), &bytes);
                all.extend(document.chunks.into_iter().filter_map(|chunk| chunk.vector));
            }
        }
    }
    assert!(all.len() > 1000 && questions.len() > 100, "{} {}", all.len(), questions.len());
    let questions: Vec<Vec<f32>> = questions.iter().step_by(4).map(|text| table().unwrap().query(text)).collect();
    both_find_what_is_nearest(&all, &questions, [(Store::Codes, 0.98), (Store::Vec0, 1.0)]);
}

#[test]
fn what_was_put_replaced_and_removed_is_found_so_and_embedders_never_meet() {
    let mut numbers = Numbers(1);
    let [one, two, far] = [0; 3].map(|_| numbers.vector(64));
    for store in Store::ALL {
        let mut place = place();
        let done = place.db.write(|work| {
            let own = kept::make(work, ("own", 64), store)?;
            let other = kept::make(work, ("other", 64), store)?;
            let mut vectors = open(work, &own);
            vectors.put(&[entry(5, &one), entry(6, &one), entry(7, &far)])?;
            open(work, &other).put(&[entry(6, &two), entry(8, &one)])?;
            vectors.put(&[entry(6, &two), entry(6, &two)])?;
            vectors.remove(&[5, 99])?;
            let found = vectors.nearest(&wanted(&two, 10))?;
            assert_eq!(found.iter().map(|(text, _)| *text).collect::<Vec<_>>(), [6, 7], "{store:?}");
            assert!((found[0].1 - 1.0).abs() < 0.02, "{store:?}: {found:?}");
            assert_eq!((vectors.count()?, open(work, &other).count()?), (2, 2));
            assert!(vectors.nearest(&wanted(&two[..8], 10))?.is_empty(), "another number of dimensions");
            assert!(vectors.nearest(&wanted(&[0.0; 64], 10))?.is_empty(), "nothing known of the question");
            let mut texts = Vec::new();
            vectors.each(&mut |entry| texts.push((entry.text, product(entry.vector, &two) > 0.99)))?;
            texts.sort_unstable();
            assert_eq!(texts, [(6, true), (7, false)], "{store:?}");
            vectors.clear()?;
            assert_eq!((vectors.count()?, open(work, &other).count()?), (0, 2), "{store:?}");
            open(work, &other).clear()?;
            assert!(open(work, &other).nearest(&wanted(&one, 10))?.is_empty());
            vectors.put(&[entry(1, &one)])?;
            assert_eq!(vectors.count()?, 1, "{store:?}: it goes on after all was forgotten");
            Ok::<_, IndexError>(())
        });
        done.unwrap();
    }
}

#[test]
fn a_language_narrows_the_exact_store_and_hides_no_text_that_stands_in_several() {
    let mut numbers = Numbers(3);
    let [one, two, three] = [0; 3].map(|_| numbers.vector(32));
    let mut place = place();
    let done = place.db.write(|work| {
        let kept = kept::make(work, ("own", 32), Store::Vec0)?;
        let mut vectors = open(work, &kept);
        let of = |text, language, vector| Entry { text, language, vector };
        vectors.put(&[of(1, "rust", &one), of(2, "python", &two), of(3, "python", &three)])?;
        vectors.put(&[of(3, "rust", &three)])?;
        let mut found: Vec<u64> = vectors
            .nearest(&Wanted { question: &one, n: 10, language: Some("rust") })?
            .into_iter()
            .map(|(text, _)| text)
            .collect();
        found.sort_unstable();
        assert_eq!(found, [1, 3]);
        Ok::<_, IndexError>(())
    });
    done.unwrap();
}

#[test]
fn what_is_written_again_and_again_takes_no_more_room() {
    let mut numbers = Numbers(11);
    let mut place = place();
    let done = place.db.write(|work| {
        let kept = kept::make(work, ("own", 16), Store::Vec0)?;
        let mut vectors = open(work, &kept);
        for _ in 0..12 {
            let made: Vec<Vec<f32>> = (0..300).map(|_| numbers.vector(16)).collect();
            let entries: Vec<Entry<'_>> = made.iter().zip(1..).map(|(vector, text)| entry(text, vector)).collect();
            vectors.put(&entries)?;
            vectors.put(&entries)?;
            assert_eq!(vectors.nearest(&wanted(&made[7], 1))?[0].0, 8);
        }
        let n_blocks = work.first("SELECT count(*) FROM vec_16_chunks", &[], |row| row.count(0))?;
        assert!(n_blocks <= Some(10), "{n_blocks:?} blocks of 128 for 300 vectors");
        assert_eq!(vectors.count()?, 300);
        Ok::<_, IndexError>(())
    });
    done.unwrap();
}

#[test]
fn the_store_follows_the_size_until_somebody_decides() {
    let mut numbers = Numbers(5);
    let vectors: Vec<Vec<f32>> = (0..20).map(|_| numbers.vector(256)).collect();
    let mut place = place();
    let name = ("model", 256);
    let done = place.db.write(|work| {
        let kept = choose(work, name, Choice::Auto, 100)?;
        assert_eq!(kept.store, Store::Vec0);
        let entries: Vec<Entry<'_>> = vectors.iter().enumerate().map(|(at, vector)| entry(at as u64, vector)).collect();
        open(work, &kept).put(&entries)?;
        assert_eq!(choose(work, name, Choice::Keep, 1_000_000)?.store, Store::Vec0);
        let table = [
            (Choice::Auto, 4096, Store::Vec0),
            (Choice::Auto, 5000, Store::Codes),
            (Choice::Auto, 0, Store::Codes),
            (Choice::Only(Store::Vec0), 5000, Store::Vec0),
            (Choice::Only(Store::Codes), 0, Store::Codes),
        ];
        for (choice, n_new, expected) in table {
            let kept = choose(work, name, choice, n_new)?;
            assert_eq!(kept.store, expected, "{choice:?} {n_new}");
            assert_eq!(kept::find(work, "model", 256)?, Some(kept.clone()));
            assert_eq!(open(work, &kept).count()?, 20, "{choice:?} {n_new}: all were moved");
            assert_eq!(open(work, &kept).nearest(&wanted(&vectors[7], 1))?[0].0, 7);
        }
        let other = choose(work, ("model", 128), Choice::Auto, 0)?;
        assert_eq!(kept::all(work)?, [other], "a model replaced under its name is forgotten");
        Ok::<_, IndexError>(())
    });
    done.unwrap();
}

/// Far apart, so that there are many rows of zeros between them to be looked through.
#[test]
fn two_threads_find_what_one_finds_and_one_alone_sees_what_it_is_just_writing() {
    let mut numbers = Numbers(13);
    let vectors: Vec<Vec<f32>> = (0..600).map(|_| numbers.vector(768)).collect();
    let entries: Vec<Entry<'_>> = vectors.iter().zip(1..).map(|(vector, at)| entry(at * 150, vector)).collect();
    let question = wanted(&vectors[400], 20);
    let mut place = place();
    let (kept, alone) = place
        .db
        .write(|work| {
            let kept = kept::make(work, ("own", 768), Store::Codes)?;
            open(work, &kept).put(&entries)?;
            let alone = open(work, &kept).nearest(&question)?;
            Ok::<_, IndexError>((kept, alone))
        })
        .unwrap();
    assert_eq!((alone.len(), alone[0].0), (20, 401 * 150));
    let by_two = place.db.read(|work| open(work, &kept).nearest(&question)).unwrap();
    assert_eq!(alone, by_two);
}
