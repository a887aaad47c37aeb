//! By which control tokens does a model fill a gap in a text, and how is a text kept from holding some of its own?
//!
//! The rows of `config/fim.yaml`. Servers read such prompts with their tokens' names turned into tokens, so that the same
//! names inside a file would end its prefix or begin another file: they are broken up before, and put back in what the
//! model fills in.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::base::yaml;

/// The tokens of one family.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fim {
    /// Which part comes first.
    pub order: Order,
    /// Stands before the prefix.
    pub prefix: String,
    /// Stands before the suffix.
    pub suffix: String,
    /// Stands before the filling; empty where the filling follows at once.
    pub middle: String,
    /// What else ends a filling.
    pub stop: Vec<String>,
}

/// Which part of a prompt comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// What stands before the gap.
    PrefixFirst,
    /// What stands behind it.
    SuffixFirst,
}

static ROWS: LazyLock<BTreeMap<String, Fim>> = LazyLock::new(|| {
    // Compiled in and parsed by a test, so a failure cannot reach a user.
    yaml::from_str(include_str!("../../config/fim.yaml")).unwrap_or_default()
});

/// Returns the tokens in the row `name`.
pub fn named(name: &str) -> Option<&'static Fim> {
    ROWS.get(name)
}

impl Fim {
    /// Writes the prompt of a gap.
    pub fn prompt(&self, prefix: &str, suffix: &str) -> String {
        let before = format!("{}{}", self.prefix, broken(prefix));
        let behind = format!("{}{}", self.suffix, broken(suffix));
        let (first, second) = match self.order {
            Order::PrefixFirst => (before, behind),
            Order::SuffixFirst => (behind, before),
        };
        format!("{first}{second}{}", self.middle)
    }
}

/// Collects what ends a filling: what the caller wants, and the tokens of the family that a text never holds.
pub fn stops(family: Option<&Fim>, wanted: &[String]) -> Vec<String> {
    let tokens = |family: &Fim| {
        let own = [&family.prefix, &family.suffix, &family.middle].map(|token| token.trim().to_owned());
        own.into_iter().filter(|token| !token.is_empty()).chain(family.stop.clone()).collect::<Vec<_>>()
    };
    wanted.iter().cloned().chain(family.map(tokens).unwrap_or_default()).collect()
}

/// Breaks up control tokens that stand in a text, by a mark behind their first character.
pub fn broken(text: &str) -> Cow<'_, str> {
    let tokens = ROWS.values().flat_map(|row| stops(Some(row), &[]));
    tokens.filter(|token| token.starts_with(['<', '['])).fold(Cow::Borrowed(text), |text, token| {
        match text.contains(&token) {
            true => Cow::Owned(text.replace(&token, &marked(&token))),
            false => text,
        }
    })
}

/// Puts back what [`broken`] broke up, where a model took it over.
pub fn mended(text: &str) -> String {
    let tokens = ROWS.values().flat_map(|row| stops(Some(row), &[]));
    tokens.fold(text.to_owned(), |text, token| text.replace(&marked(&token), &token))
}

fn marked(token: &str) -> String {
    let (first, rest) = token.split_at(token.ceil_char_boundary(1));
    format!("{first}¦{rest}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_family_gets_its_prompt() {
        let table = [
            ("qwen", "<|fim_prefix|>a(<|fim_suffix|>)<|fim_middle|>"),
            ("deepseek", "<｜fim▁begin｜>a(<｜fim▁hole｜>)<｜fim▁end｜>"),
            ("codellama", "<PRE> a( <SUF>) <MID>"),
            ("codestral", "[SUFFIX])[PREFIX]a("),
            ("seed_coder", "<[fim-suffix]>)<[fim-prefix]>a(<[fim-middle]>"),
            ("mellum", "<fim_suffix>)<fim_prefix>a(<fim_middle>"),
        ];
        for (name, expected) in table {
            assert_eq!(named(name).unwrap().prompt("a(", ")"), expected, "{name}");
        }
        assert!(named("gpt").is_none());
    }

    #[test]
    fn tokens_in_a_text_are_broken_up_and_put_back() {
        let text = "let stop = [\"<|fim_middle|>\", \"<fim_prefix>\", \"<｜fim▁end｜>\", \"[SUFFIX]\"];";
        let qwen = named("qwen").unwrap().prompt(text, text);
        for token in ["<|fim_middle|>", "<fim_prefix>", "<｜fim▁end｜>", "[SUFFIX]"] {
            let own = usize::from(token == "<|fim_middle|>");
            assert_eq!(qwen.matches(token).count(), own, "{token}: {qwen}");
        }
        assert_eq!(mended(&broken(text)), text);
        assert!(matches!(broken("if a < b && c[0] > 1 {"), Cow::Borrowed(_)));
    }

    #[test]
    fn the_table_is_sound() {
        let rows: BTreeMap<String, Fim> = yaml::from_str(include_str!("../../config/fim.yaml")).unwrap();
        for (name, row) in rows {
            assert!(!row.prefix.is_empty() && !row.suffix.is_empty() && !row.stop.is_empty(), "{name}");
            let stops = stops(Some(&row), &["\n\n".to_owned()]);
            assert_eq!(stops[0], "\n\n");
            assert!(stops.iter().skip(1).all(|stop| !stop.is_empty() && stop.trim() == stop), "{name}: {stops:?}");
        }
        assert!(stops(None, &[]).is_empty());
    }
}
