//! What is the full-text table fed with?
//!
//! The words of a piece of a file, each once, separated by spaces: the tokens of its text, of its path and, heavier, of the
//! names it defines. SQLite's table keeps no counts (that would triple it), so a word that occurs often stands there a second
//! and third time with a mark behind it: see [`LEVELS`]. Must not read the table: that is `search::lexical`.

use std::collections::HashMap;
use std::fmt::Write as _;

use crate::index::token::{self, Form};

/// How often a word occurs, by the marks behind it, and what BM25 (k1 = 1.2, length as average) gives for about so many.
pub const LEVELS: [(u32, &str, f32); 3] = [(1, "", 1.0), (2, "~", 1.45), (4, "~~", 1.85)];
/// What a name counts for in the piece that defines it, besides being written there; measured: +.021 NDCG@10.
const NAME_WEIGHT: u32 = 2;
/// Words of one piece that are kept: beyond that it is data.
const MAX_WORDS: usize = 1500;

/// The words of one piece.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Words {
    /// What the full-text table is given.
    pub text: String,
    /// How many words there are, with repetitions: the length BM25 speaks of.
    pub n_words: u32,
}

/// Counts words.
#[derive(Default)]
pub struct Counter {
    counts: HashMap<String, u32>,
    n_words: u32,
}

impl Counter {
    /// Adds all words of a text, each so many times.
    pub fn add(&mut self, text: &str, times: u32) {
        let Self { counts, n_words } = self;
        let mut add = |word: &str| {
            *n_words += times;
            if let Some(count) = counts.get_mut(word) {
                *count += times;
            } else if counts.len() < MAX_WORDS {
                counts.insert(word.to_owned(), times);
            }
        };
        token::tokens(text, |word, _| add(word));
        token::foreign(text, add);
    }

    /// Adds the names a piece defines.
    pub fn add_names<'n>(&mut self, names: impl Iterator<Item = &'n str>) {
        names.for_each(|name| self.add(name, NAME_WEIGHT));
    }

    /// Writes them down and begins anew.
    pub fn take(&mut self) -> Words {
        let mut text = String::with_capacity(self.counts.len() * 8);
        for (word, count) in &self.counts {
            for (least, mark, _) in LEVELS {
                if *count >= least {
                    // Writing to a string cannot fail.
                    let _ = write!(text, "{word}{mark} ");
                }
            }
        }
        self.counts.clear();
        Words { text, n_words: std::mem::take(&mut self.n_words) }
    }
}

/// Returns the words of a query, each once, with how much it matters: the whole of an identifier more than its parts.
pub fn of_query(text: &str) -> Vec<(String, f32)> {
    let mut found: Vec<(String, f32)> = Vec::new();
    let mut add = |word: &str, weight: f32| {
        if !found.iter().any(|(known, _)| known == word) {
            found.push((word.to_owned(), weight));
        }
    };
    token::tokens(text, |word, form| add(word, if form == Form::Whole { 1.5 } else { 1.0 }));
    token::foreign(text, |word| add(word, 1.0));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_stands_there_as_often_as_its_count_has_levels() {
        let mut counter = Counter::default();
        counter.add("one two two readFile four four four four Größe", 1);
        counter.add_names(["one"].into_iter());
        let words = counter.take();
        let mut found: Vec<&str> = words.text.split_whitespace().collect();
        found.sort_unstable();
        let expected =
            ["e", "file", "four", "four~", "four~~", "gr", "größe", "one", "one~", "read", "readfile", "two", "two~"];
        assert_eq!(found, expected);
        assert_eq!(words.n_words, 15);
        assert_eq!(counter.take(), Words::default());
    }
}
