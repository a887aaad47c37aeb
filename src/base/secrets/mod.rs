//! Which parts of a text are secrets, and what stands in their place where others read it?
//!
//! Two kinds: what looks like a key of a known service (`config/secrets.yaml`, read by `table`) and, surest, the keys this
//! process itself has loaded ([`know`]). What is found depends on the text and those keys alone, so that a conversation is
//! rendered the same each time. [`redact`] is for eyes (exports, events, errors); [`veil`] is for models: its placeholder
//! tells secrets apart, so that [`unveil`] can put them back in what a model writes into files. Must not be used on what a
//! person approves: a command, path or host they cannot see is one they cannot judge.
//! To add a kind: a row in `config/secrets.yaml`.

pub mod example;
mod known;
pub mod stream;
mod table;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::base::hash;
pub use table::{Format, Table, TableError};

/// How every placeholder begins.
pub const OPEN: &str = "[secret: ";
/// The name of a key this process itself has loaded.
pub const OWN_KEY: &str = "own-key";

/// A secret in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Where it stands, in bytes.
    pub range: Range<usize>,
    /// Which kind it is: the name of a row, or [`OWN_KEY`].
    pub name: Arc<str>,
}

static TABLE: LazyLock<RwLock<Arc<Table>>> = LazyLock::new(|| RwLock::new(Arc::new(Table::compiled_in())));

/// Looks for the rows of a user too. They were read with [`Table::parse`].
pub fn add(formats: Vec<Format>) {
    if !formats.is_empty() {
        let mut table = TABLE.write().unwrap_or_else(PoisonError::into_inner);
        *table = Arc::new(table.with(formats));
    }
}

/// Looks for this key from now on, wherever it stands. Words too short or too common to be a key are left alone.
pub fn know(key: &str) {
    known::add(key);
}

/// Finds every secret, in the order of the text. They do not overlap.
pub fn find(text: &str) -> Vec<Found> {
    let mut found = known::find(text);
    let table = TABLE.read().unwrap_or_else(PoisonError::into_inner).clone();
    found.extend(table.find(text));
    apart(found)
}

/// Says whether what follows a text may be a secret because of words in it: `Bearer`, `password`.
fn announces(text: &str) -> bool {
    TABLE.read().unwrap_or_else(PoisonError::into_inner).clone().announces(text)
}

/// Finds only keys that this process itself has loaded.
fn find_own(text: &str) -> Vec<Found> {
    apart(known::find(text))
}

/// Joins what overlaps under the name of what begins first.
fn apart(mut found: Vec<Found>) -> Vec<Found> {
    found.sort_by_key(|one| (one.range.start, std::cmp::Reverse(one.range.end)));
    let mut out: Vec<Found> = Vec::with_capacity(found.len());
    for next in found {
        match out.last_mut() {
            Some(last) if next.range.start < last.range.end => last.range.end = last.range.end.max(next.range.end),
            _ => out.push(next),
        }
    }
    out
}

fn replaced<'a>(text: &'a str, found: &[Found], placeholder: impl Fn(&Found, &str) -> String) -> Cow<'a, str> {
    if found.is_empty() {
        return Cow::Borrowed(text);
    }
    let (mut out, mut copied) = (String::with_capacity(text.len()), 0);
    for one in found {
        out.push_str(&text[copied..one.range.start]);
        out.push_str(&placeholder(one, &text[one.range.clone()]));
        copied = one.range.end;
    }
    out.push_str(&text[copied..]);
    Cow::Owned(out)
}

/// Puts `[secret: github-token]` in the place of every secret: for what others may come to read.
pub fn redact(text: &str) -> Cow<'_, str> {
    replaced(text, &find(text), |one, _| format!("{OPEN}{}]", one.name))
}

/// Puts `[secret: github-token 1f2e3d]` in the place of every secret: for models, which can name by it which they mean.
pub fn veil(text: &str) -> Cow<'_, str> {
    replaced(text, &find(text), placeholder)
}

/// Does the same with keys that this process itself has loaded and nothing else.
pub fn veil_own(text: &str) -> Cow<'_, str> {
    replaced(text, &find_own(text), placeholder)
}

/// Names a secret so that two of a kind are told apart. Three bytes of a hash are enough for that, and say nothing of a key
/// that is worth its name.
fn placeholder(one: &Found, secret: &str) -> String {
    let hash = hash::of_bytes(secret.as_bytes());
    format!("{OPEN}{} {}]", one.name, &hash[..6])
}

/// What placeholders stand for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Veiled(BTreeMap<String, String>);

impl Veiled {
    /// Learns what [`veil`] makes of a text.
    pub fn learn(&mut self, text: &str) {
        for one in find(text) {
            let secret = &text[one.range.clone()];
            self.0.insert(placeholder(&one, secret), secret.to_owned());
        }
    }

    /// Puts the secrets back. The error is a placeholder of which nothing is known.
    pub fn unveil<'a>(&self, text: &'a str) -> Result<Cow<'a, str>, String> {
        let (mut out, mut rest) = (String::new(), text);
        while let Some((at, length)) = next_placeholder(rest) {
            let name = &rest[at..at + length];
            out.push_str(&rest[..at]);
            out.push_str(self.0.get(name).ok_or_else(|| name.to_owned())?);
            rest = &rest[at + length..];
        }
        if out.is_empty() && rest.len() == text.len() {
            return Ok(Cow::Borrowed(text));
        }
        out.push_str(rest);
        Ok(Cow::Owned(out))
    }

    /// Puts them back in every text of a value. The error is a placeholder of which nothing is known.
    pub fn unveil_value(&self, value: &mut Value) -> Result<(), String> {
        match value {
            Value::String(text) => {
                if let Cow::Owned(whole) = self.unveil(text)? {
                    *text = whole;
                }
                Ok(())
            }
            Value::Array(items) => items.iter_mut().try_for_each(|item| self.unveil_value(item)),
            Value::Object(fields) => fields.values_mut().try_for_each(|field| self.unveil_value(field)),
            Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
        }
    }
}

impl Veiled {
    /// Says whether a value holds a placeholder of which something is known.
    pub fn is_in(&self, value: &Value) -> bool {
        match value {
            Value::String(text) => self.0.keys().any(|name| text.contains(name.as_str())),
            Value::Array(items) => items.iter().any(|item| self.is_in(item)),
            Value::Object(fields) => fields.values().any(|field| self.is_in(field)),
            Value::Null | Value::Bool(_) | Value::Number(_) => false,
        }
    }
}

/// Finds the next placeholder of [`veil`]: where it begins and how long it is.
fn next_placeholder(text: &str) -> Option<(usize, usize)> {
    let mut from = 0;
    while let Some(at) = text[from..].find(OPEN).map(|at| at + from) {
        let inner = &text[at + OPEN.len()..];
        let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let name = inner.find(|c| !is_name(c)).unwrap_or(inner.len());
        let hash = inner[name..].strip_prefix(' ').and_then(|hash| hash.get(..7));
        if name > 0 && hash.is_some_and(|hash| hash.ends_with(']') && hash[..6].bytes().all(|b| b.is_ascii_hexdigit()))
        {
            return Some((at, OPEN.len() + name + " ".len() + 7));
        }
        from = at + OPEN.len();
    }
    None
}

/// Redacts every text in a JSON value, names of fields included; says whether there was anything.
pub fn redact_value(value: &mut Value) -> bool {
    change(value, redact)
}

/// Redacts every text of plain data. What cannot be taken apart, which is a bug, comes back as it was.
pub fn redacted<T: Serialize + DeserializeOwned>(data: T) -> T {
    let Ok(mut value) = serde_json::to_value(&data) else { return data };
    if !redact_value(&mut value) {
        return data;
    }
    serde_json::from_value(value).unwrap_or(data)
}

/// Redacts one JSON text. One without secrets keeps its bytes; one that cannot be read is redacted as it stands.
pub fn redact_json(json: &str) -> Cow<'_, str> {
    change_json(json, redact)
}

/// Applies `change` to every text in a JSON text. One that needs no change keeps its bytes.
pub fn change_json(json: &str, change_text: fn(&str) -> Cow<'_, str>) -> Cow<'_, str> {
    let Ok(mut value) = serde_json::from_str::<Value>(json) else { return change_text(json) };
    match change(&mut value, change_text) {
        true if json.contains('\n') => Cow::Owned(format!("{value:#}")),
        true => Cow::Owned(value.to_string()),
        false => Cow::Borrowed(json),
    }
}

/// Changes every text in a value, names of fields included; says whether any changed.
fn change(value: &mut Value, veil: fn(&str) -> Cow<'_, str>) -> bool {
    match value {
        Value::String(text) => match veil(text) {
            Cow::Owned(safe) => {
                *text = safe;
                true
            }
            Cow::Borrowed(_) => false,
        },
        Value::Array(items) => items.iter_mut().fold(false, |is_changed, item| change(item, veil) | is_changed),
        Value::Object(fields) => {
            let is_changed = fields.values_mut().fold(false, |is_changed, field| change(field, veil) | is_changed);
            if !fields.keys().any(|name| matches!(veil(name), Cow::Owned(_))) {
                return is_changed;
            }
            let renamed = std::mem::take(fields).into_iter();
            *fields = renamed.map(|(name, field)| (veil(&name).into_owned(), field)).collect();
            true
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

#[cfg(test)]
#[path = "secrets_tests.rs"]
mod tests;
