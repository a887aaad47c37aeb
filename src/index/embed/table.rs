//! How does mimi embed without any server?
//!
//! By a table of 11,157 sub-words with a vector each, compiled in (`config/embedder/README.md`): a text's vector is the
//! sum of its sub-words' rows, each by one plus the logarithm of how often it occurs. No network, no threads, no state.

use std::sync::OnceLock;

use crate::index::embed::{Embedder, normalise};
use crate::index::error::IndexError;
use crate::index::quick_hash::QuickMap;
use crate::index::token::{self, Form};

const TABLE: &[u8] = include_bytes!("../../../config/embedder/table.bin");
const TOKENS: &str = include_str!("../../../config/embedder/tokens.txt");
const STOPWORDS: &str = include_str!("../../../config/embedder/stopwords.json");
const MAGIC: &[u8] = b"MIMIEMB1";
/// Magic, rows, dimensions.
const HEAD_BYTES: usize = 16;

/// The built-in embedder.
pub struct Table {
    rows: QuickMap<&'static str, u32>,
    stopwords: Vec<String>,
    scales: Vec<f32>,
    /// Rows one after another.
    numbers: &'static [u8],
    dimensions: usize,
}

/// Returns the table, read on first use.
pub fn table() -> Result<&'static Table, IndexError> {
    static READ: OnceLock<Result<Table, String>> = OnceLock::new();
    READ.get_or_init(|| Table::read(TABLE).ok_or_else(|| "config/embedder does not fit together".to_owned()))
        .as_ref()
        .map_err(|error| IndexError::Table(error.clone()))
}

impl Table {
    fn read(bytes: &'static [u8]) -> Option<Self> {
        let number = |at: usize| Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
        let (n_rows, dimensions) = (number(8)? as usize, number(12)? as usize);
        let scales = bytes.get(HEAD_BYTES..HEAD_BYTES + 4 * n_rows)?;
        let numbers = bytes.get(HEAD_BYTES + 4 * n_rows..)?;
        let rows: QuickMap<&str, u32> = TOKENS.lines().zip(0..).collect();
        let fits = bytes.starts_with(MAGIC) && numbers.len() == n_rows * dimensions && rows.len() == n_rows;
        let scales = scales.chunks_exact(4).map(|scale| f32::from_le_bytes([scale[0], scale[1], scale[2], scale[3]]));
        let stopwords = serde_json::from_str(STOPWORDS).ok()?;
        fits.then(|| Self { rows, stopwords, scales: scales.collect(), numbers, dimensions })
    }

    fn embed(&self, text: &str, is_left_out: impl Fn(&str) -> bool) -> Vec<f32> {
        let mut counts: QuickMap<u32, u32> = QuickMap::default();
        token::tokens(text, |word, form| {
            if form == Form::Part
                && let Some(row) = self.rows.get(word)
                && !is_left_out(word)
            {
                *counts.entry(*row).or_default() += 1;
            }
        });
        self.sum(counts.into_iter().collect())
    }

    /// Adds the rows of sub-words, each by how often it occurs.
    fn sum(&self, mut counts: Vec<(u32, u32)>) -> Vec<f32> {
        // In a fixed order, so that the same text gives the same bits.
        counts.sort_unstable();
        let mut sum = vec![0.0; self.dimensions];
        for (row, count) in counts {
            let at = row as usize;
            let factor = (1.0 + (count as f32).ln()) * self.scales[at];
            let numbers = &self.numbers[at * self.dimensions..(at + 1) * self.dimensions];
            sum.iter_mut().zip(numbers).for_each(|(sum, number)| *sum += factor * f32::from(number.cast_signed()));
        }
        normalise(&mut sum);
        sum
    }
}

impl Embedder for Table {
    fn id(&self) -> &str {
        "static-256-1"
    }

    fn dimensions(&self) -> usize {
        self.dimensions
    }

    fn document(&self, text: &str) -> Vec<f32> {
        self.embed(text, |_| false)
    }

    fn counted(&self, parts: &mut dyn Iterator<Item = (&str, u32)>) -> Option<Vec<f32>> {
        Some(self.sum(parts.filter_map(|(word, count)| Some((*self.rows.get(word)?, count))).collect()))
    }

    fn query(&self, text: &str) -> Vec<f32> {
        self.embed(text, |word| self.stopwords.iter().any(|stopword| stopword == word))
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;
    use crate::index::words::Counter;

    #[derive(Deserialize)]
    struct Sample {
        text: String,
        query: bool,
        tokens: Vec<String>,
        vector: Vec<f32>,
    }

    #[test]
    fn texts_get_the_tokens_and_vectors_they_were_trained_with() {
        let table = table().unwrap();
        let samples = include_str!("../../../tests/fixtures/index/vectors.jsonl");
        let samples: Vec<Sample> = samples.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(samples.len(), 16);
        for Sample { text, query, tokens, vector } in samples {
            let mut found = Vec::new();
            token::tokens(&text, |word, form| {
                if form == Form::Part && !(query && table.stopwords.iter().any(|stopword| stopword == word)) {
                    found.push(word.to_owned());
                }
            });
            assert_eq!(found, tokens, "{text}");
            let ours = if query { table.query(&text) } else { table.document(&text) };
            let is_near = ours.iter().zip(&vector).all(|(ours, theirs)| (ours - theirs).abs() < 1e-4);
            assert!(ours.len() == vector.len() && is_near, "{text}");
        }
    }

    #[test]
    fn a_question_lies_nearer_to_its_answer_than_to_something_else() {
        let table = table().unwrap();
        let near = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
        let question = table.query("remove expired entries from the cache");
        let answer = table.document("fn evict(&mut self) { self.map.retain(|_, item| item.deadline > now); }");
        let other = table.document("fn draw(&self, canvas: &mut Canvas) { canvas.line(self.from, self.to); }");
        assert!(near(&question, &answer) > near(&question, &other) + 0.1);
        assert_eq!(table.query("日本語"), vec![0.0; 256]);
        let text = "let line = read_line(reader, größe);";
        let mut counter = Counter::default();
        counter.add_body(text);
        assert_eq!(
            table.counted(&mut counter.parts()),
            Some(table.document(text)),
            "counted before, the same to the bit"
        );
    }
}
