//! What do runners that write JSON lines say in them?
//!
//! `go test -json` and cargo's `--message-format json` carry the very text they print otherwise, so that it is read alike.

use serde_json::Value;

/// Beginnings of such lines, so that no other line is parsed.
const BEGINNINGS: [&str; 4] = [r#"{"Time":"#, r#"{"Action":"#, r#"{"ImportPath":"#, r#"{"reason":"compiler-message""#];

/// Returns the text inside of a line; none for a line of another kind.
pub fn inner(line: &str) -> Option<String> {
    if !BEGINNINGS.iter().any(|beginning| line.starts_with(beginning)) {
        return None;
    }
    let value: Value = serde_json::from_str(line).ok()?;
    let text = value["Output"].as_str().or_else(|| value["message"]["rendered"].as_str());
    Some(text.unwrap_or_default().to_owned())
}
