//! Which strings would a tokenizer take for control tokens, and how are they broken up so that they can be put back?
//!
//! `<|im_end|>` in a file closes the turn once the file stands in a prompt: model servers do not tell text from structure.
//! [`neutralise`] puts a visible `¦` behind the first character, `<¦|im_end|>`; where such marks stand already it adds
//! one, so that [`restore`], which takes one away, gives back every text exactly. Only the marks change, and what follows
//! an opening character never holds another one before its end, so neither can change what counts as a control string
//! elsewhere. Texts must be joined before they are neutralised, not after.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use serde_json::Value;

use crate::base::yaml;

/// What breaks a control string up: visible, rare, one token, and left alone by Unicode normalisation.
pub const MARK: char = '¦';

/// The characters control strings begin with.
const OPENERS: [char; 4] = ['<', '[', ']', '｜'];
/// Longest word of the general forms, in characters; the longest seen has 32.
const MAX_WORD_CHARS: usize = 64;

/// What follows the first character of each known control string, by that character and the first byte behind it.
struct Table(HashMap<(char, u8), Vec<String>>);

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    // Compiled in and checked by a test, so a failure cannot reach a user.
    Table::parse(include_str!("../../config/control_tokens.yaml")).unwrap_or_else(|_| Table(HashMap::new()))
});

impl Table {
    fn parse(text: &str) -> Result<Self, yaml::YamlError> {
        let families: BTreeMap<String, Vec<String>> = yaml::from_str(text)?;
        let mut tails: HashMap<(char, u8), Vec<String>> = HashMap::new();
        for row in families.values().flatten() {
            let mut chars = row.chars();
            if let (Some(opener), Some(first)) = (chars.next(), chars.as_str().bytes().next()) {
                tails.entry((opener, first)).or_default().push(chars.as_str().to_owned());
            }
        }
        Ok(Self(tails))
    }

    fn tails(&self, opener: char, rest: &str) -> &[String] {
        let first = rest.bytes().next().unwrap_or_default();
        self.0.get(&(opener, first)).map_or(&[], Vec::as_slice)
    }
}

/// How far a text goes along with a control string.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    /// It is something else.
    None,
    /// It ends before that is decided.
    Partly,
    /// It begins with one.
    Whole,
}

/// Compares what follows an opening character with everything known to follow it.
fn fit(opener: char, rest: &str) -> Fit {
    if rest.is_empty() {
        return Fit::Partly;
    }
    let listed = TABLE.tails(opener, rest).iter().map(|tail| fit_tail(tail, rest)).max().unwrap_or(Fit::None);
    listed.max(match opener {
        '<' => fit_word(rest, "|>"),
        '[' => fit_word(rest, "|]"),
        _ => Fit::None,
    })
}

/// Compares with one row of the table, in which `#` stands for a digit.
fn fit_tail(tail: &str, rest: &str) -> Fit {
    let mut rest = rest.chars();
    for wanted in tail.chars() {
        match rest.next() {
            None => return Fit::Partly,
            Some(c) if c == wanted || (wanted == '#' && c.is_ascii_digit()) => {}
            Some(_) => return Fit::None,
        }
    }
    Fit::Whole
}

/// Compares with the general form `|word` and its end.
fn fit_word(rest: &str, end: &str) -> Fit {
    let Some(inner) = rest.strip_prefix('|') else { return Fit::None };
    let is_word = |c: char| !c.is_whitespace() && !OPENERS.contains(&c) && !matches!(c, '|' | '>' | MARK);
    let word = inner.chars().take(MAX_WORD_CHARS + 1).take_while(|c| is_word(*c));
    let (word, behind) = inner.split_at(word.map(char::len_utf8).sum());
    match word.chars().count() {
        n if n > MAX_WORD_CHARS => Fit::None,
        0 if !behind.is_empty() => Fit::None,
        _ if behind.starts_with(end) => Fit::Whole,
        _ if end.starts_with(behind) => Fit::Partly,
        _ => Fit::None,
    }
}

/// One opening character of a text with the marks behind it.
struct Opening<'a> {
    opener: char,
    /// Where the marks begin.
    at: usize,
    n_marks: usize,
    /// What follows the marks.
    rest: &'a str,
}

/// Finds the first opening character at or behind `from`.
fn next_opening(text: &str, from: usize) -> Option<Opening<'_>> {
    let start = from + text[from..].find(OPENERS)?;
    let opener = text[start..].chars().next()?;
    let at = start + opener.len_utf8();
    let rest = text[at..].trim_start_matches(MARK);
    let n_marks = (text.len() - at - rest.len()) / MARK.len_utf8();
    Some(Opening { opener, at, n_marks, rest })
}

/// Gives every control string of the text the number of marks that `marks` makes of the present one.
fn rewrite(text: &str, marks: impl Fn(usize) -> usize) -> Cow<'_, str> {
    let mut out = String::new();
    let (mut copied, mut from) = (0, 0);
    while let Some(Opening { opener, at, n_marks, rest }) = next_opening(text, from) {
        from = text.len() - rest.len();
        let wanted = marks(n_marks);
        if wanted != n_marks && fit(opener, rest) == Fit::Whole {
            out.push_str(&text[copied..at]);
            out.extend(std::iter::repeat_n(MARK, wanted));
            copied = from;
        }
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(&text[copied..]);
    Cow::Owned(out)
}

/// Breaks up every control string, in a way that [`restore`] undoes for every text.
pub fn neutralise(text: &str) -> Cow<'_, str> {
    rewrite(text, |n_marks| n_marks + 1)
}

/// Puts the control strings back that [`neutralise`] broke up.
pub fn restore(text: &str) -> Cow<'_, str> {
    rewrite(text, |n_marks| n_marks.saturating_sub(1))
}

/// Breaks up only what is whole: for words of a model, which saw the marks and copies them. The same as
/// [`neutralise`] after [`restore`].
pub fn guard(text: &str) -> Cow<'_, str> {
    rewrite(text, |n_marks| n_marks.max(1))
}

/// Says whether a tokenizer would find a control string in the text.
pub fn is_found_in(text: &str) -> bool {
    matches!(guard(text), Cow::Owned(_))
}

/// Puts back what is broken up in a regular expression, where the rest of the string may be escaped with backslashes or
/// left out at its end.
pub fn restore_pattern(pattern: &str) -> String {
    let mut out = String::new();
    let (mut copied, mut from) = (0, 0);
    while let Some(Opening { opener, at, n_marks, rest }) = next_opening(pattern, from) {
        from = pattern.len() - rest.len();
        // Long enough for every row; what comes behind does not matter.
        let plain: String = rest.chars().filter(|c| *c != '\\').take(2 * MAX_WORD_CHARS).collect();
        if n_marks > 0 && fit(opener, &plain) != Fit::None {
            out.push_str(&pattern[copied..at]);
            out.extend(std::iter::repeat_n(MARK, n_marks - 1));
            copied = from;
        }
    }
    out.push_str(&pattern[copied..]);
    out
}

/// Applies a change to every text in a JSON value, names of fields included.
fn change_texts(value: &mut Value, change: fn(&str) -> Cow<'_, str>) {
    match value {
        Value::String(text) => {
            if let Cow::Owned(changed) = change(text) {
                *text = changed;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| change_texts(item, change)),
        Value::Object(fields) => {
            fields.values_mut().for_each(|field| change_texts(field, change));
            if fields.keys().any(|name| matches!(change(name), Cow::Owned(_))) {
                let renamed = std::mem::take(fields).into_iter();
                *fields = renamed.map(|(name, field)| (change(&name).into_owned(), field)).collect();
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Puts back what is broken up in the arguments of a call.
pub fn restore_value(value: &mut Value) {
    change_texts(value, restore);
}

/// Breaks up what is whole in the JSON text of a call's arguments. Text that needs none of it keeps its bytes.
pub fn guard_json(json: &str) -> Cow<'_, str> {
    // An escape may hide a character from a look at the bytes.
    let may_hide = json.contains("\\u") || json.contains("\\/");
    if !may_hide && !is_found_in(json) {
        return Cow::Borrowed(json);
    }
    let Ok(value) = serde_json::from_str::<Value>(json) else { return guard(json) };
    let mut guarded = value.clone();
    change_texts(&mut guarded, guard);
    if guarded == value { Cow::Borrowed(json) } else { Cow::Owned(guarded.to_string()) }
}

/// Puts control strings back in a text that comes in pieces.
#[derive(Debug, Clone, Default)]
pub struct Restorer {
    /// The end of what came so far, as long as it may still become a broken-up control string.
    held: String,
}

impl Restorer {
    /// Takes the next piece and returns what can be said of the text by now.
    pub fn push(&mut self, piece: &str) -> String {
        self.held.push_str(piece);
        let until = undecided(&self.held).unwrap_or(self.held.len());
        let text = std::mem::take(&mut self.held);
        text[until..].clone_into(&mut self.held);
        // Judged with what is held, because the last character of one control string may begin another; what is held
        // is not changed by that, being undecided.
        let ready = restore(&text);
        ready[..ready.len() - self.held.len()].to_owned()
    }

    /// Returns what was held back.
    pub fn finish(&mut self) -> String {
        restore(&std::mem::take(&mut self.held)).into_owned()
    }
}

/// Finds where the part of the text begins that more text may turn into a broken-up control string.
fn undecided(text: &str) -> Option<usize> {
    let mut from = 0;
    while let Some(Opening { opener, at, n_marks, rest }) = next_opening(text, from) {
        from = text.len() - rest.len();
        let is_open = if n_marks == 0 { rest.is_empty() } else { fit(opener, rest) == Fit::Partly };
        if is_open {
            return Some(at - opener.len_utf8());
        }
    }
    None
}

#[cfg(test)]
#[path = "control_tests.rs"]
mod tests;
