//! Does this text hold a key?
//!
//! By the looks of known keys and, in assignments to something called a secret, by how random the value is. A piece of a
//! file that does is neither indexed nor sent anywhere. A miss is worse than a piece of code that cannot be found.

use std::sync::OnceLock;

use regex::bytes::{Regex, RegexSet};

use crate::index::error::IndexError;
use crate::index::files::{self, Table};

/// The patterns, compiled.
pub struct Secrets {
    any: RegexSet,
    each: Vec<Regex>,
    bits: f64,
}

/// Returns the patterns of `config/files.yaml`.
pub fn secrets() -> Result<&'static Secrets, IndexError> {
    static SECRETS: OnceLock<Result<Secrets, String>> = OnceLock::new();
    let table = files::table()?;
    SECRETS.get_or_init(|| Secrets::new(table)).as_ref().map_err(|error| IndexError::Table(error.clone()))
}

impl Secrets {
    fn new(table: &Table) -> Result<Self, String> {
        // ASCII classes: the texts are bytes of any encoding.
        let patterns: Vec<String> = table.secret_texts.iter().map(|row| format!("(?-u){}", row.pattern)).collect();
        let each = patterns.iter().map(|pattern| Regex::new(pattern)).collect::<Result<_, _>>();
        Ok(Self {
            any: RegexSet::new(&patterns).map_err(|error| format!("files.yaml: {error}"))?,
            each: each.map_err(|error| format!("files.yaml: {error}"))?,
            bits: table.secret_bits,
        })
    }

    /// Returns where keys begin and end in a text, in no order.
    pub fn find(&self, text: &[u8]) -> Vec<std::ops::Range<usize>> {
        let mut found = Vec::new();
        for at in &self.any.matches(text) {
            for captures in self.each[at].captures_iter(text) {
                let is_key = captures.get(1).is_none_or(|value| looks_random(value.as_bytes(), self.bits));
                if let (true, Some(whole)) = (is_key, captures.get(0)) {
                    found.push(whole.range());
                }
            }
        }
        found
    }
}

/// Says whether a value has many different characters, digits among them, and is not put together from words.
fn looks_random(value: &[u8], bits: f64) -> bool {
    let mut counts = [0_u32; 256];
    value.iter().for_each(|byte| counts[usize::from(*byte)] += 1);
    let all = value.len() as f64;
    let share = |count: &u32| f64::from(*count) / all;
    let entropy: f64 = counts.iter().filter(|count| **count > 0).map(|count| -share(count) * share(count).log2()).sum();
    let has = |fits: fn(&u8) -> bool| value.iter().any(fits);
    // Short values cannot have so many different characters; what matters is how far they use what they have.
    let enough = if value.len() < 16 { bits.min(all.log2() * 0.8) } else { bits };
    entropy >= enough && has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_found_and_code_about_keys_is_not() {
        let secrets = secrets().unwrap();
        // Written in two pieces, so that nobody takes this file for a leak.
        let keys = [
            ["-----BEGIN RSA PRIV", "ATE KEY-----"].concat(),
            ["aws = AKIA", "QYZ2J7RLP4XW6TQA"].concat(),
            ["ghp_", "a8Fk2LmQz9XcVbN4tRwEoP7uYiHsDgJ31Bq0"].concat(),
            ["glpat-", "x9Yz8Wv7Ut6Sr5Qp4On3"].concat(),
            ["DATABASE_URL=postgres://app:", "h4Xk92LmQz81@db/app"].concat(),
            ["api_key = \"", "q8Zr2Lw9Xc4Vb7Nm1Kj6Hg3F\""].concat(),
            ["password: '", "T7#kQ9!zLp2@vX4$wB'"].concat(),
        ];
        for key in &keys {
            assert_eq!(secrets.find(format!("x\n{key}\ny").as_bytes()).len(), 1, "{key}");
        }
        let code = [
            "let token = \"authorization_header_name\";",
            "password = get_password_from_keyring()",
            "api_key_env: DGX_API_KEY",
            "postgres://user:{password}@host/db",
            "const TOKEN_SEPARATOR: &str = \"----------------\";",
            "if secret == \"xxxxxxxxxxxxxxxxxxxxxxxx\" {",
        ];
        for text in code {
            assert!(secrets.find(text.as_bytes()).is_empty(), "{text}");
        }
    }
}
