//! What do the placeholders stand for that a model was sent, and how do they become the secrets again?
//!
//! Learned from the conversation whenever it is needed, so that a resumed session knows as much, and kept nowhere. Must not
//! guess: a placeholder nothing is known of is an error, because written into a file it would be the loss of a secret.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::Value;

use crate::base::secrets::{OPEN, find, placeholder};

/// What placeholders stand for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Veiled(BTreeMap<String, String>);

impl Veiled {
    /// Learns what [`crate::base::secrets::veil`] makes of a text.
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

/// Finds the next placeholder of [`crate::base::secrets::veil`]: where it begins and how long it is.
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
