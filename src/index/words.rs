//! What is the full-text table fed with?
//!
//! The words of a piece of a file, each once, separated by spaces: the tokens of its text, of its path and, heavier, of the
//! names it defines. SQLite's table keeps no counts (that would triple it), so a word that occurs often stands there a second
//! and third time with a mark behind it: see [`LEVELS`]. Must not read the table: that is `search::lexical`.

use std::rc::Rc;

use crate::index::quick_hash::QuickMap;
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

/// Counts words. Identifiers come again and again, so what one consists of is worked out once and then looked up.
#[derive(Default)]
pub struct Counter {
    /// Numbers of words, by identifier: begin and end in `numbers`.
    runs: QuickMap<Box<str>, (u32, u32)>,
    numbers: Vec<Number>,
    /// The number of each word met so far.
    known: QuickMap<Rc<str>, u32>,
    words: Vec<Counted>,
    /// Words of the piece under way, by number.
    met: Vec<u32>,
    n_words: u32,
    /// A word put together.
    word: String,
}

/// A word, and how often it stands in the piece under way.
struct Counted {
    word: Rc<str>,
    /// With what it counts for.
    count: u32,
    /// Only as a part of what stands in the text itself.
    parts: u32,
}

/// The number of a word of an identifier.
#[derive(Clone, Copy)]
struct Number {
    number: u32,
    form: Form,
}

/// Words remembered at most; then all is forgotten, which only costs time.
const MAX_KNOWN: usize = 1 << 18;

impl Counter {
    /// Adds all words of a text, each so many times.
    pub fn add(&mut self, text: &str, times: u32) {
        self.add_text(text, times, 0);
    }

    /// Adds the words of the text that is embedded too.
    pub fn add_body(&mut self, text: &str) {
        self.add_text(text, 1, 1);
    }

    fn add_text(&mut self, text: &str, times: u32, parts: u32) {
        token::runs(text, |run| {
            let (begin, end) = match self.runs.get(run) {
                Some(range) => *range,
                None => self.learn(run),
            };
            for at in begin as usize..end as usize {
                let Number { number, form } = self.numbers[at];
                self.count(number, times, if form == Form::Part { parts } else { 0 });
            }
        });
        token::foreign(text, |word| {
            let number = self.number(word);
            self.count(number, times, 0);
        });
    }

    /// Works out the words of an identifier.
    fn learn(&mut self, run: &str) -> (u32, u32) {
        let begin = self.numbers.len() as u32;
        let mut word = std::mem::take(&mut self.word);
        token::of_run(run, &mut word, |word, form| {
            let number = self.number(word);
            self.numbers.push(Number { number, form });
        });
        self.word = word;
        let range = (begin, self.numbers.len() as u32);
        self.runs.insert(run.into(), range);
        range
    }

    fn number(&mut self, word: &str) -> u32 {
        if let Some(number) = self.known.get(word) {
            return *number;
        }
        let (number, word) = (self.words.len() as u32, Rc::<str>::from(word));
        self.known.insert(Rc::clone(&word), number);
        self.words.push(Counted { word, count: 0, parts: 0 });
        number
    }

    fn count(&mut self, number: u32, times: u32, parts: u32) {
        self.n_words += times;
        let Some(counted) = self.words.get_mut(number as usize) else { return };
        if counted.count == 0 {
            if self.met.len() >= MAX_WORDS {
                return;
            }
            self.met.push(number);
        }
        counted.count += times;
        counted.parts += parts;
    }

    /// Adds the names a piece defines.
    pub fn add_names<'n>(&mut self, names: impl Iterator<Item = &'n str>) {
        names.for_each(|name| self.add(name, NAME_WEIGHT));
    }

    /// Returns the parts of identifiers of the text itself, each with how often it stands there.
    pub fn parts(&self) -> impl Iterator<Item = (&str, u32)> {
        let met = self.met.iter().filter_map(|number| self.words.get(*number as usize));
        met.filter(|counted| counted.parts > 0).map(|counted| (&*counted.word, counted.parts))
    }

    /// Writes them down and begins anew.
    pub fn take(&mut self) -> Words {
        let mut text = String::with_capacity(self.met.len() * 10);
        for number in self.met.drain(..) {
            let Some(counted) = self.words.get_mut(number as usize) else { continue };
            for (least, mark, _) in LEVELS {
                if counted.count >= least {
                    text.push_str(&counted.word);
                    text.push_str(mark);
                    text.push(' ');
                }
            }
            (counted.count, counted.parts) = (0, 0);
        }
        if self.words.len() + self.runs.len() > MAX_KNOWN {
            *self = Self { n_words: self.n_words, ..Self::default() };
        }
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

    #[test]
    fn parts_of_the_text_itself_are_told_apart_and_forgetting_changes_nothing() {
        let mut counter = Counter::default();
        let count = |counter: &mut Counter| {
            counter.add("src/other_file.rs", 1);
            counter.add_body("readFile(readLine) größe");
            let mut parts: Vec<(String, u32)> = counter.parts().map(|(word, n)| (word.to_owned(), n)).collect();
            parts.sort();
            (parts, counter.take())
        };
        let first = count(&mut counter);
        let parts: Vec<(&str, u32)> = first.0.iter().map(|(word, n)| (word.as_str(), *n)).collect();
        assert_eq!(parts, [("e", 1), ("file", 1), ("gr", 1), ("line", 1), ("read", 2)]);
        let many: String = (0..MAX_KNOWN).map(|n| format!("word{n} ")).collect();
        counter.add(&many, 1);
        assert_eq!(counter.take().n_words as usize, 3 * MAX_KNOWN);
        assert!(counter.words.is_empty(), "all is forgotten");
        assert_eq!(count(&mut counter), first);
    }
}
