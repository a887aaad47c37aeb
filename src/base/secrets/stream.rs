//! How are secrets found in records whose text comes in pieces?
//!
//! A model says `ghp_` in one piece and the rest in the next. Pieces are held back until nothing that follows can make a
//! secret of their end: a word that may go on, what a word such as `Bearer` announces, a key that has begun. Each record stays a record, with its own number; where a secret
//! lay across several, its placeholder stands in the first. Takes records as JSON, so that fields of later versions stay.

use std::collections::VecDeque;
use std::ops::Range;

use serde_json::Value;

use crate::base::secrets::{OPEN, announces, find, redact_value};

/// Kinds of records that are pieces of a text.
const PIECES: [&str; 3] = ["text_delta", "reasoning_delta", "tool_output"];
/// Bytes that are held back at most; the longest keys of a known form have a tenth.
const MAX_HELD_BYTES: usize = 32 * 1024;
/// Words that may stand between what announces a secret and its end: `machine HOST login NAME password SECRET`.
const ANNOUNCED_WORDS: usize = 6;
/// What begins a key of several lines, what begins its last line, and what ends that.
const BLOCKS: [(&str, &str, &str); 2] = [("-----BEGIN", "-----END", "-----"), ("Private-Lines:", "Private-MAC", ":")];

/// Redacts a stream of records.
#[derive(Debug, Default)]
pub struct Redactor {
    held: VecDeque<Value>,
}

impl Redactor {
    /// Takes the next record and returns those that can be shown by now.
    pub fn push(&mut self, mut record: Value) -> Vec<Value> {
        if key(&record).is_some() {
            self.held.push_back(record);
            return self.settle(settled);
        }
        let mut out = self.finish();
        redact_value(&mut record);
        out.push(record);
        out
    }

    /// Returns what was held back.
    pub fn finish(&mut self) -> Vec<Value> {
        self.settle(|text| Settled { shown: text.len(), found: text.len() })
    }

    /// Gives out records from the front as long as their text is settled, which `judge` says of the joined pieces.
    fn settle(&mut self, judge: fn(&str) -> Settled) -> Vec<Value> {
        let mut keys: Vec<(String, String)> = self.held.iter().filter_map(key).collect();
        keys.sort();
        keys.dedup();
        let mut is_ready = vec![false; self.held.len()];
        for wanted in keys {
            let own: Vec<usize> =
                (0..self.held.len()).filter(|at| key(&self.held[*at]).as_ref() == Some(&wanted)).collect();
            for at in self.redact_pieces(&own, judge) {
                is_ready[at] = true;
            }
        }
        let n_ready = is_ready.iter().take_while(|is_ready| **is_ready).count();
        // What is settled and waits behind something that is not is redacted already, which does it no harm.
        self.held.drain(..n_ready).collect()
    }

    /// Redacts the pieces of one text as far as it is settled; returns which of them are.
    fn redact_pieces(&mut self, own: &[usize], judge: fn(&str) -> Settled) -> Vec<usize> {
        let mut ranges: Vec<Range<usize>> = Vec::with_capacity(own.len());
        let mut joined = String::new();
        for at in own {
            let start = joined.len();
            joined.push_str(text(&self.held[*at]));
            ranges.push(start..joined.len());
        }
        let found = find(&joined);
        let Settled { shown, found: until } = judge(&joined);
        let found: Vec<_> = found.into_iter().filter(|one| one.range.end <= until || one.range.start < shown).collect();
        let begun = found.iter().filter(|one| one.range.end > until).map(|one| one.range.start);
        let shown = begun.fold(shown, usize::min);
        let mut ready = Vec::new();
        for (at, range) in own.iter().zip(&ranges) {
            let (mut safe, mut copied) = (String::new(), range.start);
            for one in found
                .iter()
                .filter(|one| one.range.end <= until && one.range.start < range.end && one.range.end > range.start)
            {
                safe.push_str(&joined[copied..one.range.start.max(copied)]);
                if one.range.start >= range.start {
                    safe.push_str(&format!("{OPEN}{}]", one.name));
                }
                copied = one.range.end.min(range.end);
            }
            safe.push_str(&joined[copied..range.end]);
            // Also in a piece that is still held: its beginning may be the end of a secret whose place is given out now.
            if let Some(field) = self.held[*at].get_mut("text") {
                *field = Value::String(safe);
            }
            if range.end <= shown {
                ready.push(*at);
            }
        }
        ready
    }
}

/// Says which text a record is a piece of: its kind and its call; none for whole records.
fn key(record: &Value) -> Option<(String, String)> {
    let kind = record.get("type").and_then(Value::as_str).filter(|kind| PIECES.contains(kind))?;
    record.get("text").and_then(Value::as_str)?;
    let call = record.get("call").and_then(Value::as_str).unwrap_or_default();
    Some((kind.to_owned(), call.to_owned()))
}

fn text(record: &Value) -> &str {
    record.get("text").and_then(Value::as_str).unwrap_or_default()
}

/// How much of a text is settled, whatever follows.
struct Settled {
    /// What can be shown: what stands behind may be what makes the next word a secret.
    shown: usize,
    /// Where secrets end that cannot become longer.
    found: usize,
}

fn settled(text: &str) -> Settled {
    if text.len() > MAX_HELD_BYTES {
        return Settled { shown: text.len(), found: text.len() };
    }
    let is_gap = |c: char| c.is_ascii_whitespace();
    let before_word = |text: &str| text.trim_end_matches(is_gap).trim_end_matches(|c| !is_gap(c)).len();
    // A word that stands at the end may go on.
    let last = text.trim_end_matches(|c| !is_gap(c)).len();
    let first = (0..ANNOUNCED_WORDS).fold(last, |end, _| before_word(&text[..end]));
    let shown = if announces(&text[first..last]) { first } else { last };
    let open = BLOCKS.iter().filter_map(|(begin, end, tail)| {
        let at = text.rfind(begin)?;
        let length = block_end(&text[at..], end, tail);
        length.is_none_or(|length| at + length > last).then_some(at)
    });
    open.fold(Settled { shown, found: last }, |settled, at| Settled {
        shown: settled.shown.min(at),
        found: settled.found.min(at),
    })
}

/// Returns the length of the block a text begins with; none as long as it has not ended.
fn block_end(text: &str, end: &str, tail: &str) -> Option<usize> {
    let at = text.find(end)? + end.len();
    Some(at + text[at..].find(tail)? + tail.len())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::base::secrets::example::expand;

    fn stream(pieces: &[&str]) -> (Vec<Value>, String) {
        let mut redactor = Redactor::default();
        let mut out = Vec::new();
        for (seq, text) in pieces.iter().enumerate() {
            out.extend(redactor.push(json!({"seq": seq, "type": "text_delta", "text": text})));
        }
        out.extend(redactor.push(json!({"seq": pieces.len(), "type": "turn_done"})));
        out.extend(redactor.finish());
        let joined = out.iter().map(text).collect();
        (out, joined)
    }

    #[test]
    fn a_secret_is_found_however_it_is_cut() {
        for (said, name) in [
            ("use ghp_<an:36> for it, and no other one.", "github-token"),
            (
                "-----BEGIN EC PRIVATE KEY-----\n<b64:64>\n<b64:64>\n-----END EC PRIVATE KEY-----\nthat is all of it\n",
                "private-key",
            ),
            ("Private-Lines: 2\n<b64:64>\n<b64:64>\nPrivate-MAC: x and a few words more\n", "putty-key"),
            ("curl -H 'Authorization: Bearer <an:40>' x", "bearer-token"),
        ] {
            let said = expand(said);
            let whole = crate::base::secrets::redact(&said).into_owned();
            assert!(whole.contains(name), "{whole}");
            for size in [1, 2, 3, 7, 20, 1000] {
                let pieces: Vec<String> =
                    said.chars().collect::<Vec<_>>().chunks(size).map(|c| c.iter().collect()).collect();
                let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
                let (records, joined) = stream(&pieces);
                assert_eq!(joined, whole, "pieces of {size}");
                let numbers: Vec<u64> = records.iter().map(|record| record["seq"].as_u64().unwrap()).collect();
                assert_eq!(numbers, (0..=pieces.len() as u64).collect::<Vec<_>>(), "each record once and in its order");
            }
        }
    }

    #[test]
    fn pieces_are_held_no_longer_than_they_must_be() {
        let table = [
            (&["one ", "two", " three ", "hangs now\n"][..], [1, 0, 2, 1].as_slice()),
            (&["a Bearer ", "x ", "and ", "one ", "two ", "three ", "four "], &[0, 0, 0, 0, 0, 0, 7]),
        ];
        for (pieces, expected) in table {
            let mut redactor = Redactor::default();
            let mut push = |text: &&str| redactor.push(json!({"type": "text_delta", "text": text})).len();
            assert_eq!(pieces.iter().map(&mut push).collect::<Vec<_>>(), expected, "{pieces:?}");
        }
    }

    #[test]
    fn outputs_of_two_calls_at_once_are_kept_apart() {
        let key = expand("ghp_<an:36>");
        let mut redactor = Redactor::default();
        let mut out = Vec::new();
        for (call, text) in [("a", &key[..9]), ("b", "x y z w "), ("a", &key[9..])] {
            out.extend(redactor.push(json!({"type": "tool_output", "call": call, "text": text})));
        }
        out.extend(redactor.finish());
        let texts: Vec<&str> = out.iter().map(text).collect();
        assert_eq!(texts, ["[secret: github-token]", "x y z w ", ""]);
    }
}
