//! What does a row of `config/secrets.yaml` say, and where in a text is it looked for?
//!
//! Keywords first, all of them in one pass, then the expressions of those rows whose keyword stands there: a text without
//! any costs one pass. An expression is compiled when it is first needed.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use regex::{Regex, RegexBuilder};
use serde::Deserialize;

use crate::base::secrets::{Found, example};
use crate::base::text::fits;
use crate::base::yaml::{self, Value};

/// How far before its keyword a secret may begin, in bytes: the longest that stand before one have 76.
const MARGIN: usize = 256;
/// Bytes a compiled expression may take; the largest here needs a fifth.
const MAX_REGEX_BYTES: usize = 8 << 20;

/// A row as it is written.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    name: String,
    keywords: Vec<String>,
    regex: String,
    #[serde(default)]
    entropy: Option<f64>,
    #[serde(default)]
    allow: Vec<String>,
    #[serde(rename = "match")]
    matching: Vec<String>,
    not_match: Vec<String>,
}

/// One kind of secret.
#[derive(Debug)]
pub struct Format {
    /// Names it.
    pub name: Arc<str>,
    keywords: Vec<String>,
    pattern: String,
    regex: OnceLock<Option<Regex>>,
    min_entropy: f64,
    allow: Vec<String>,
    /// Texts that hold one, written out.
    pub matching: Vec<String>,
    /// Texts that hold none.
    pub not_match: Vec<String>,
}

/// Why a table cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {why}")]
pub struct TableError {
    /// The line of the row, from 1.
    pub line: usize,
    /// What is wrong.
    pub why: String,
}

/// Whether the examples of rows are tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Examples {
    Tried,
    Trusted,
}

/// All kinds that are looked for.
#[derive(Debug, Default)]
pub struct Table {
    formats: Vec<Arc<Format>>,
    keywords: Option<AhoCorasick>,
    /// The rows each keyword belongs to, by its number.
    rows: Vec<usize>,
}

impl Table {
    /// Returns the rows mimi comes with.
    pub(super) fn compiled_in() -> Self {
        // Compiled in and tried by a test, so a failure cannot reach a user.
        let formats = read(include_str!("../../../config/secrets.yaml"), Examples::Trusted).unwrap_or_default();
        Self::default().with(formats)
    }

    /// Reads rows and tries their examples.
    ///
    /// # Errors
    /// The line, and what is wrong with the row that begins there.
    pub fn parse(text: &str) -> Result<Vec<Format>, TableError> {
        read(text, Examples::Tried)
    }

    /// Returns the rows.
    pub fn formats(&self) -> impl Iterator<Item = &Format> {
        self.formats.iter().map(AsRef::as_ref)
    }

    /// Returns a table that has these rows too.
    pub(super) fn with(&self, more: Vec<Format>) -> Self {
        let formats: Vec<Arc<Format>> = self.formats.iter().cloned().chain(more.into_iter().map(Arc::new)).collect();
        let words = || formats.iter().enumerate().flat_map(|(row, f)| f.keywords.iter().map(move |word| (row, word)));
        let keywords = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .kind(Some(AhoCorasickKind::DFA))
            .build(words().map(|(_, word)| word))
            .ok();
        let rows = words().map(|(row, _)| row).collect();
        Self { formats, keywords, rows }
    }

    /// Says whether a text holds a keyword of a row whose secret may stand words behind it.
    pub(super) fn announces(&self, text: &str) -> bool {
        let Some(keywords) = &self.keywords else { return false };
        let mut hits = keywords.find_overlapping_iter(text);
        hits.any(|hit| self.formats[self.rows[hit.pattern().as_usize()]].pattern.contains(r"\s"))
    }

    /// Finds what the rows describe, in no order and with overlaps.
    pub(super) fn find(&self, text: &str) -> Vec<Found> {
        let Some(keywords) = &self.keywords else { return Vec::new() };
        // Where the first keyword of each row stands.
        let mut first: Vec<Option<usize>> = vec![None; self.formats.len()];
        for hit in keywords.find_overlapping_iter(text) {
            first[self.rows[hit.pattern().as_usize()]].get_or_insert(hit.start());
        }
        let wanted = self.formats.iter().zip(first).filter_map(|(format, at)| Some((format, at?)));
        wanted.flat_map(|(format, at)| format.find(text, text.floor_char_boundary(at.saturating_sub(MARGIN)))).collect()
    }
}

fn read(text: &str, examples: Examples) -> Result<Vec<Format>, TableError> {
    let wrong = |line, why: String| TableError { line, why };
    let node = yaml::parse(text).map_err(|error| wrong(error.line, error.message))?;
    let items = match &node.value {
        Value::List(items) => items.as_slice(),
        Value::Null => &[],
        _ => return Err(wrong(node.line, format!("it is {}; a list of rows is expected", node.kind()))),
    };
    let mut formats = Vec::with_capacity(items.len());
    for item in items {
        let raw: Raw = yaml::from_node(item).map_err(|error| wrong(error.line, error.message))?;
        let format = Format::of(raw).map_err(|why| wrong(item.line, why))?;
        if examples == Examples::Tried {
            format.check().map_err(|why| wrong(item.line, why))?;
        }
        formats.push(format);
    }
    Ok(formats)
}

impl Format {
    fn of(raw: Raw) -> Result<Self, String> {
        let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if raw.name.is_empty() || raw.name.len() > 40 || !raw.name.chars().all(is_name) {
            return Err("`name` is made of small letters, digits and `-`".to_owned());
        }
        if raw.keywords.is_empty() || raw.keywords.iter().any(|word| word.len() < 3 || !word.is_ascii()) {
            return Err(format!("`{}` needs `keywords` of three characters or more", raw.name));
        }
        Ok(Self {
            name: raw.name.into(),
            keywords: raw.keywords,
            pattern: raw.regex,
            regex: OnceLock::new(),
            min_entropy: raw.entropy.unwrap_or_default(),
            allow: raw.allow.iter().map(|text| text.to_lowercase()).collect(),
            matching: raw.matching.iter().map(|text| example::expand(text)).collect(),
            not_match: raw.not_match.iter().map(|text| example::expand(text)).collect(),
        })
    }

    /// Tries the expression on the row's own examples.
    fn check(&self) -> Result<(), String> {
        let name = &self.name;
        compiled(&self.pattern).map_err(|why| format!("the `regex` of `{name}` cannot be used: {why}"))?;
        if self.matching.is_empty() || self.not_match.is_empty() {
            return Err(format!("`{name}` needs an example under `match` and one under `not_match`"));
        }
        let has_word = |text: &str| {
            let text = text.to_lowercase();
            self.keywords.iter().any(|word| text.contains(&word.to_lowercase()))
        };
        let is_found = |text: &String| has_word(text) && !self.find(text, 0).is_empty();
        if let Some(missed) = self.matching.iter().find(|text| !is_found(text)) {
            return Err(format!("`{name}` does not match its own example `{missed}`"));
        }
        match self.not_match.iter().find(|text| is_found(text)) {
            Some(caught) => Err(format!("`{name}` matches `{caught}`, which stands under `not_match`")),
            None => Ok(()),
        }
    }

    /// Finds secrets of this kind at or behind `from`.
    fn find(&self, text: &str, from: usize) -> Vec<Found> {
        let Some(regex) = self.regex.get_or_init(|| compiled(&self.pattern).ok()) else { return Vec::new() };
        let (mut found, mut at) = (Vec::new(), from);
        while let Some(captures) = (at <= text.len()).then(|| regex.captures_at(text, at)).flatten() {
            let Some(whole) = captures.get(0) else { break };
            let secret = captures.iter().skip(1).flatten().next().unwrap_or(whole);
            if !self.is_placeholder(secret.as_str()) {
                found.push(Found { range: secret.range(), name: self.name.clone() });
            }
            at = whole.end().max(whole.start() + 1);
            at = text.ceil_char_boundary(at);
        }
        found
    }

    fn is_placeholder(&self, secret: &str) -> bool {
        let characters: BTreeSet<char> = secret.chars().filter(char::is_ascii_alphanumeric).collect();
        let tail = secret.len().saturating_sub(12);
        let is_same =
            characters.len() < 2 || secret.get(tail..).is_some_and(|tail| tail.bytes().all(|b| b"xX*.0".contains(&b)));
        is_same
            || entropy(secret) < self.min_entropy
            || !self.allow.is_empty() && {
                let secret = secret.to_lowercase();
                self.allow.iter().any(|allowed| fits(allowed, &secret))
            }
    }
}

/// Compiles an expression whose classes are ASCII: those of Unicode are slow and stand in no key.
fn compiled(pattern: &str) -> Result<Regex, String> {
    let built = RegexBuilder::new(pattern).unicode(false).size_limit(MAX_REGEX_BYTES).build();
    built.map_err(|error| error.to_string())
}

/// Returns Shannon's entropy in bits a character.
fn entropy(text: &str) -> f64 {
    let mut counts = [0_u32; 256];
    text.bytes().for_each(|byte| counts[usize::from(byte)] += 1);
    let total = text.len().max(1) as f64;
    let share = counts.iter().filter(|count| **count > 0).map(|count| f64::from(*count) / total);
    share.map(|share| -share * share.log2()).sum()
}
