//! Which piece writes the message somebody pasted?
//!
//! What is fixed in an error message is the format it was made from: the words between its numbers, paths and quoted values.
//! The best candidates are read, and one that holds such a run of words literally is most likely what printed it. Must not
//! search the whole project: that is what grep is for.

use std::collections::HashMap;
use std::path::Path;

use crate::index::search::fuse::Candidate;
use crate::index::search::snippet;

/// Candidates that are read.
const MAX_READ: usize = 120;
/// Runs of words shorter than this stand everywhere.
const MIN_BYTES: usize = 8;
/// Runs of one message that are looked for.
const MAX_RUNS: usize = 12;

/// Returns the runs of words of a message that its program holds literally, if any.
pub fn fixed_runs(message: &str) -> Vec<String> {
    let mut runs = Vec::new();
    let mut run = String::new();
    let end = |run: &mut String, runs: &mut Vec<String>| {
        let text = run.trim_matches(|c: char| !c.is_alphanumeric()).to_owned();
        run.clear();
        let has_words = text.contains(' ') || text.len() >= 2 * MIN_BYTES;
        if text.len() >= MIN_BYTES && has_words && runs.len() < MAX_RUNS && !runs.contains(&text) {
            runs.push(text);
        }
    };
    for word in outside_quotes(message).split_whitespace() {
        let is_value = word == QUOTED
            || word.chars().any(|c| c.is_ascii_digit() || "/\\{}<>=".contains(c))
            || word.trim_end_matches(['.', ',', ':', ';', ')']).contains('.');
        if is_value {
            end(&mut run, &mut runs);
            continue;
        }
        if !run.is_empty() {
            run.push(' ');
        }
        run.push_str(word);
        // Behind a colon stands a cause, another message.
        if word.ends_with(':') {
            end(&mut run, &mut runs);
        }
    }
    end(&mut run, &mut runs);
    runs
}

/// What stands in place of what was quoted.
const QUOTED: &str = "\u{1}";

/// A message with its quoted values taken out. An apostrophe within a word is none.
fn outside_quotes(message: &str) -> String {
    let mut text = String::with_capacity(message.len());
    let mut closing: Option<char> = None;
    let mut before = ' ';
    for c in message.chars() {
        match closing {
            Some(quote) if c == quote || c == '\n' => closing = None,
            Some(_) => {}
            None if matches!(c, '"' | '`') || (c == '\'' && !before.is_alphanumeric()) => {
                closing = Some(c);
                text.push_str(&format!(" {QUOTED} "));
            }
            None => text.push(c),
        }
        before = c;
    }
    text
}

/// Adds to the score of candidates that hold runs of the message: all of them `gain`, some of them their share of it.
pub fn boost(root: &Path, message: &str, gain: f32, found: &mut [Candidate]) {
    let runs = fixed_runs(message);
    let n_bytes: usize = runs.iter().map(String::len).sum();
    if runs.is_empty() {
        return;
    }
    found.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.place.chunk.cmp(&b.place.chunk)));
    let mut texts: HashMap<String, Option<String>> = HashMap::new();
    for candidate in found.iter_mut().take(MAX_READ) {
        let place = &candidate.place;
        let text = texts.entry(place.path.clone()).or_insert_with(|| snippet::read(&root.join(&place.path)));
        let Some(text) = text else { continue };
        let first = place.line.saturating_sub(1) as usize;
        let lines: Vec<&str> = text.lines().skip(first).take((place.end_line as usize).saturating_sub(first)).collect();
        let piece = lines.join("\n");
        let n_there: usize = runs.iter().filter(|run| piece.contains(run.as_str())).map(String::len).sum();
        candidate.parts.literal = gain * n_there as f32 / n_bytes as f32;
        candidate.score += candidate.parts.literal;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_fixed_in_a_message_is_what_stands_between_its_values() {
        let table: [(&str, &[&str]); 7] = [
            (
                "error: cannot open the index at /home/x/y.db: permission denied",
                &["cannot open the index at", "permission denied"],
            ),
            ("unknown field 'foo', expected one of `a` or `b`", &["unknown field", "expected one of"]),
            ("connection to 10.0.0.1:80 timed out after 30s", &["connection to", "timed out after"]),
            ("can't find the file", &["can't find the file"]),
            ("Error: x", &[]),
            ("ENOENT: no such file or directory, open 'a.txt'", &["no such file or directory, open"]),
            ("", &[]),
        ];
        for (message, expected) in table {
            assert_eq!(fixed_runs(message), expected, "{message}");
        }
        assert!(fixed_runs(&"many words that repeat, number 5; ".repeat(3000)).len() <= MAX_RUNS);
    }
}
