//! Does this text hold a key?
//!
//! By the forms of known keys, those this process has loaded among them ([`crate::base::secrets`]), and, in assignments to
//! something called a secret, by how random the value is. A piece of a file that does is neither indexed nor sent anywhere.
//! A miss is worse than a piece of code that cannot be found.

use std::ops::Range;
use std::sync::OnceLock;

use regex::Regex;

use crate::base::secrets;
use crate::index::error::IndexError;
use crate::index::files;

/// What finds keys.
pub struct Secrets {
    assignment: Regex,
    bits: f64,
}

/// Returns it, with the expression of `config/files.yaml`.
pub fn secrets() -> Result<&'static Secrets, IndexError> {
    static SECRETS: OnceLock<Result<Secrets, String>> = OnceLock::new();
    let table = &files::table()?.secret_assignment;
    let read = || {
        let assignment =
            Regex::new(&format!("(?-u:{})", table.pattern)).map_err(|error| format!("files.yaml: {error}"))?;
        Ok(Secrets { assignment, bits: table.bits })
    };
    SECRETS.get_or_init(read).as_ref().map_err(|error: &String| IndexError::Table(error.clone()))
}

impl Secrets {
    /// Returns where keys begin and end in a text, in no order.
    pub fn find(&self, text: &str) -> Vec<Range<usize>> {
        let mut found: Vec<Range<usize>> = secrets::find(text).into_iter().map(|found| found.range).collect();
        for captures in self.assignment.captures_iter(text) {
            if let Some(value) = captures.get(1).filter(|value| looks_random(value.as_str().as_bytes(), self.bits)) {
                found.push(value.range());
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
    entropy >= bits && has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_found_and_code_about_keys_is_not() {
        let secrets = secrets().unwrap();
        // Written in two pieces, so that nobody takes this file for a leak.
        let keys = [
            [
                "-----BEGIN RSA PRIV",
                "ATE KEY-----\nMIIEpAIBAAKCAQEAx7Qm2Lw9Xc4Vb7Nm1Kj6Hg3Fq8Zr2Lw9Xc4Vb7Nm1Kj6Hg3F\n-----END RSA PRIV",
                "ATE KEY-----",
            ]
            .concat(),
            ["aws = AKIA", "QYZ2J7RLP4XW6TQA"].concat(),
            ["ghp_", "a8Fk2LmQz9XcVbN4tRwEoP7uYiHsDgJ31Bq0"].concat(),
            ["glpat-", "x9Yz8Wv7Ut6Sr5Qp4On3"].concat(),
            ["DATABASE_URL=postgres://app:", "h4Xk92LmQz81@db/app"].concat(),
            ["api_key = \"", "q8Zr2Lw9Xc4Vb7Nm1Kj6Hg3F\""].concat(),
            ["password: '", "T7#kQ9!zLp2@vX4$wB'"].concat(),
        ];
        for key in &keys {
            assert!(!secrets.find(&format!("x\n{key}\ny")).is_empty(), "{key}");
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
            assert!(secrets.find(text).is_empty(), "{text}");
        }
    }
}
