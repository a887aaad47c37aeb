//! Which secrets does this process itself hold?
//!
//! The keys of model servers, as they are loaded. Found in whatever form they may be written: as they are, and as JSON and
//! URLs escape them. Process-wide, because what must not leave through any door cannot be handed to each of them.

use std::sync::{Arc, PoisonError, RwLock};

use aho_corasick::{AhoCorasick, MatchKind};

use crate::base::secrets::{Found, OWN_KEY};

/// Shorter words stand in too many texts by chance.
const MIN_KEY_BYTES: usize = 8;

/// What people write where a server wants a key and looks at none.
const NO_KEYS: &[&str] =
    &["password", "no-key-required", "sk-no-key-required", "not-needed", "localhost", "lm-studio", "placeholder"];

#[derive(Default)]
struct Known {
    forms: Vec<String>,
    finder: Option<AhoCorasick>,
}

static KNOWN: RwLock<Option<Arc<Known>>> = RwLock::new(None);

/// Says whether a key is one that can be looked for.
fn is_telling(key: &str) -> bool {
    key.len() >= MIN_KEY_BYTES
        && !NO_KEYS.contains(&key.to_lowercase().as_str())
        && key.bytes().collect::<std::collections::BTreeSet<u8>>().len() > 3
}

/// Returns how a key is written in plain text, in JSON and in an address.
fn forms(key: &str) -> Vec<String> {
    let json = key.replace('\\', "\\\\").replace('"', "\\\"");
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let encode = |byte: u8| if is_plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    let url: String = key.bytes().map(encode).collect();
    let mut forms = vec![key.to_owned(), json, url];
    forms.sort();
    forms.dedup();
    forms
}

/// Adds a key.
pub(super) fn add(key: &str) {
    let key = key.trim();
    let mut known = KNOWN.write().unwrap_or_else(PoisonError::into_inner);
    let has = |form: &String| known.as_ref().is_some_and(|known| known.forms.contains(form));
    if !is_telling(key) || has(&key.to_owned()) {
        return;
    }
    let mut all = known.as_ref().map(|known| known.forms.clone()).unwrap_or_default();
    all.extend(forms(key));
    let finder = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(&all).ok();
    *known = Some(Arc::new(Known { forms: all, finder }));
}

/// Finds them.
pub(super) fn find(text: &str) -> Vec<Found> {
    let known = KNOWN.read().unwrap_or_else(PoisonError::into_inner).clone();
    let Some(finder) = known.as_ref().and_then(|known| known.finder.as_ref()) else { return Vec::new() };
    finder.find_iter(text).map(|hit| Found { range: hit.range(), name: OWN_KEY.into() }).collect()
}
