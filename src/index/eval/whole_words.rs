//! What would a plain full-text search answer?
//!
//! The floor everything else is measured against: BM25 (k1 1.2, b 0.75) over whole words in lower case, cut at everything
//! that is neither letter nor digit, as SQLite's `unicode61` does. It reads the very pieces, paths and names the index has,
//! so that the difference to the words of the index is the cutting of identifiers and nothing else. Kept in memory, built for
//! each measurement; no search uses it.

use std::collections::HashMap;

use crate::index::store::read::Place;

const K1: f64 = 1.2;
const B: f64 = 0.75;

/// An index of whole words.
#[derive(Default)]
pub struct WholeWords {
    places: Vec<Place>,
    lengths: Vec<f64>,
    /// Pieces by word, with how often it is there.
    postings: HashMap<String, Vec<(u32, u32)>>,
}

impl WholeWords {
    /// Adds a piece with all of its texts.
    pub fn add(&mut self, place: Place, texts: &[&str]) {
        let number = u32::try_from(self.places.len()).unwrap_or(u32::MAX);
        let mut counts: HashMap<String, u32> = HashMap::new();
        texts.iter().flat_map(|text| words(text)).for_each(|word| *counts.entry(word).or_default() += 1);
        self.lengths.push(counts.values().map(|count| f64::from(*count)).sum());
        self.places.push(place);
        for (word, count) in counts {
            self.postings.entry(word).or_default().push((number, count));
        }
    }

    /// Returns the best `n` pieces, the best first.
    pub fn search(&self, question: &str, n: usize) -> Vec<&Place> {
        let all = self.places.len() as f64;
        let mean = self.lengths.iter().sum::<f64>() / all.max(1.0);
        let mut asked: Vec<String> = words(question).collect();
        asked.sort();
        asked.dedup();
        let mut scores: HashMap<u32, f64> = HashMap::new();
        for word in &asked {
            let Some(with) = self.postings.get(word) else { continue };
            let n_with = with.len() as f64;
            let idf = (1.0 + (all - n_with + 0.5) / (n_with + 0.5)).ln();
            for (number, count) in with {
                let (length, count) = (self.lengths[*number as usize], f64::from(*count));
                let gain = count * (K1 + 1.0) / (count + K1 * (1.0 - B + B * length / mean));
                *scores.entry(*number).or_default() += idf * gain;
            }
        }
        let mut found: Vec<(u32, f64)> = scores.into_iter().collect();
        found.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        found.into_iter().take(n).map(|(number, _)| &self.places[number as usize]).collect()
    }
}

fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_words_are_found_and_parts_of_names_are_not() {
        let mut index = WholeWords::default();
        for (path, text) in
            [("a", "fn readFile() { open }"), ("b", "read the file, read it"), ("c", "other words here")]
        {
            index.add(Place { chunk: 0, blob: 0, path: path.to_owned(), line: 1, end_line: 1 }, &[text, path]);
        }
        let paths = |question: &str| -> Vec<String> {
            index.search(question, 2).iter().map(|place| place.path.clone()).collect()
        };
        assert_eq!(paths("read file"), ["b"]);
        assert_eq!(paths("readfile other"), ["a", "c"]);
        assert!(paths("nothing").is_empty() && paths("").is_empty());
    }
}
