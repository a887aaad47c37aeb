//! What did the environment say when mimi started?
//!
//! A snapshot, taken once: the only place of the project that reads the process environment. Rooms get an [`Env`], so that
//! tests say what is set instead of changing the process they share.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

/// The environment at one moment.
#[derive(Clone, Default)]
pub struct Env {
    values: BTreeMap<String, OsString>,
}

impl Env {
    /// Takes a snapshot of the process. Variables whose name is not UTF-8 cannot be meant for us and are left out.
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
    pub fn from_process() -> Self {
        let pairs = std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value)));
        Self { values: pairs.collect() }
    }

    /// Builds an environment from pairs; a later pair replaces an earlier one of the same name.
    pub fn from_pairs<N: Into<String>, V: Into<OsString>>(pairs: impl IntoIterator<Item = (N, V)>) -> Self {
        Self { values: pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect() }
    }

    /// Returns a value that is set, not empty and UTF-8. Empty counts as unset, as for most programs.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.get_os(name).and_then(OsStr::to_str)
    }

    /// Returns a value that is set and not empty, whatever its bytes; for paths.
    pub fn get_os(&self, name: &str) -> Option<&OsStr> {
        self.values.get(name).map(OsString::as_os_str).filter(|value| !value.is_empty())
    }

    /// Says whether a variable is set, empty or not. `NO_COLOR` and the like are asked this way.
    pub fn is_set(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    /// Walks all variables in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &OsStr)> {
        self.values.iter().map(|(name, value)| (name.as_str(), value.as_os_str()))
    }

    /// Walks all variables whose value is text, owned; for the environment of commands.
    pub fn texts(&self) -> impl Iterator<Item = (String, String)> {
        self.iter().filter_map(|(name, value)| Some((name.to_owned(), value.to_str()?.to_owned())))
    }

    /// Walks the variables meant for mimi: those whose name starts with `MIMI_`, empty ones left out.
    pub fn mimi(&self) -> impl Iterator<Item = (&str, &OsStr)> {
        self.iter().filter(|(name, value)| name.starts_with("MIMI_") && !value.is_empty())
    }
}

impl std::fmt::Debug for Env {
    /// Shows names only: values may be keys.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_set().entries(self.values.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStringExt as _;

    use super::*;

    #[test]
    fn empty_and_foreign_bytes_are_told_apart_from_text() {
        let odd = OsString::from_vec(vec![b'a', 0xff]);
        let env = Env::from_pairs([("A", "1".into()), ("EMPTY", OsString::new()), ("MIMI_ODD", odd.clone())]);
        assert_eq!(env.get("A"), Some("1"));
        assert_eq!((env.get("EMPTY"), env.is_set("EMPTY"), env.is_set("GONE")), (None, true, false));
        assert_eq!((env.get("MIMI_ODD"), env.get_os("MIMI_ODD")), (None, Some(odd.as_os_str())));
        assert_eq!(env.mimi().map(|(name, _)| name).collect::<Vec<_>>(), ["MIMI_ODD"]);
    }

    #[test]
    fn debug_output_names_variables_without_their_values() {
        assert_eq!(format!("{:?}", Env::from_pairs([("K", "sk-SECRET")])), "{\"K\"}");
    }
}
