//! By which control tokens does a model fill a gap in a text, and how is a text kept from holding some of its own?
//!
//! The rows of `config/fim.yaml`. Servers read such prompts with their tokens' names turned into tokens, so that the same
//! names inside a file would end its prefix or begin another file: they are broken up before ([`crate::base::control`]).
//! Whoever reads a filling puts them back.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::base::control::neutralise;
use crate::base::yaml;
use crate::protocol::message::Usage;

/// A gap in a text that a model is to fill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fill {
    /// The model's name on the server.
    pub model: String,
    /// What stands before the gap.
    pub prefix: String,
    /// What stands behind it.
    pub suffix: String,
    /// Upper bound of the filling.
    pub max_tokens: u32,
    /// Strings that end the filling, besides the control tokens of the model.
    pub stop: Vec<String>,
}

/// What a model filled a gap with. Asked for at temperature 0, so that the same gap is filled alike.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filling {
    /// The words that fit between prefix and suffix; may be empty.
    pub text: String,
    /// Whether it ran into `max_tokens`.
    pub is_cut: bool,
    /// Token counts; zero where the server sent none.
    pub usage: Usage,
}

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
        let before = format!("{}{}", self.prefix, neutralise(prefix));
        let behind = format!("{}{}", self.suffix, neutralise(suffix));
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

/// Returns the part of a filling before the first stop string in it.
pub fn before_stop<'a>(text: &'a str, stops: &[String]) -> &'a str {
    let end = stops.iter().filter(|stop| !stop.is_empty()).filter_map(|stop| text.find(stop.as_str())).min();
    &text[..end.unwrap_or(text.len())]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::control::is_found_in;

    #[test]
    fn a_filling_ends_before_the_first_stop_string() {
        let stops = ["<|file_sep|>".to_owned(), "\n\n".to_owned()];
        for (text, expected) in [("a + b", "a + b"), ("a\n\nb<|file_sep|>", "a"), ("<|file_sep|>a", ""), ("", "")] {
            assert_eq!(before_stop(text, &stops), expected);
        }
    }

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
    fn tokens_in_a_text_are_broken_up_whatever_family_they_are_of() {
        let text = "let stop = [\"<|fim_middle|>\", \"<fim_prefix>\", \"<｜fim▁end｜>\", \"[SUFFIX]\"];";
        let qwen = named("qwen").unwrap().prompt(text, text);
        for token in ["<|fim_middle|>", "<fim_prefix>", "<｜fim▁end｜>", "[SUFFIX]"] {
            let own = usize::from(token == "<|fim_middle|>");
            assert_eq!(qwen.matches(token).count(), own, "{token}: {qwen}");
        }
        for row in ROWS.values() {
            for token in stops(Some(row), &[]) {
                assert!(is_found_in(&token), "{token} would stay whole");
            }
        }
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
