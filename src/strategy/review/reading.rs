//! What does a model's answer to a review say, however it is written?
//!
//! The last list of findings in it counts, whatever stands around it. Names and values that models use for the same thing are
//! taken; what says neither where nor what is counted as unreadable. Nothing is believed here: `settle` looks at the places.

use serde_json::{Map, Value};

use crate::base::text::prefix;
use crate::protocol::notice::Severity;
use crate::strategy::answer::values;

/// Longest text of a finding that is kept.
const MAX_TEXT_BYTES: usize = 2000;

/// Names under which the list stands.
const LISTS: [&str; 5] = ["findings", "issues", "comments", "problems", "results"];
/// Names for each part of a finding, the one that was asked for first.
const FILE: [&str; 5] = ["file", "path", "filename", "file_path", "location"];
const LINE: [&str; 6] = ["line", "line_number", "lines", "start_line", "lineno", "line_start"];
const WHY: [&str; 8] = ["why", "message", "description", "issue", "comment", "body", "explanation", "title"];
const SEVERITY: [&str; 4] = ["severity", "level", "priority", "type"];
const SUGGESTION: [&str; 5] = ["suggestion", "replacement", "fix", "suggested_code", "suggested_fix"];

/// Words for severities; what is none of them is a warning.
const WORDS: [(Severity, &[&str]); 3] = [
    (Severity::Error, &["error", "critical", "blocker", "high", "bug", "major", "fatal", "severe"]),
    (Severity::Warning, &["warning", "warn", "medium", "moderate"]),
    (Severity::Note, &["note", "info", "information", "low", "minor", "nit", "style", "hint", "trivial", "suggestion"]),
];

/// A finding as the model stated it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stated {
    /// How much it matters.
    pub severity: Severity,
    /// The file, as written.
    pub file: String,
    /// The line; none when there is none, or none that is a number.
    pub line: Option<u32>,
    /// What is wrong.
    pub why: String,
    /// What should stand there.
    pub suggestion: Option<String>,
}

/// The findings of one answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reading {
    /// Those that say where and what.
    pub stated: Vec<Stated>,
    /// Those that do not.
    pub n_unreadable: usize,
}

/// Reads an answer. `Err` says why there is no list of findings in it.
pub fn read(answer: &str) -> Result<Reading, String> {
    let values = values(answer);
    let lists = values.iter().rev().find_map(list);
    let is_none = values.len() == 1 && values[0] == Value::Array(Vec::new());
    let loose: Vec<&Value> = values.iter().filter(|value| looks_like_one(value)).collect();
    let items: Vec<&Value> = match lists {
        Some(items) => items.iter().collect(),
        // The list broke off, or was never begun.
        None if !loose.is_empty() => loose,
        None if is_none => Vec::new(),
        None => return Err("there is no JSON object with `findings` in it".to_owned()),
    };
    let stated: Vec<Stated> = items.iter().filter_map(|item| one(item)).collect();
    if stated.is_empty() && !items.is_empty() {
        return Err("no finding in it has both a `file` and a `why`".to_owned());
    }
    Ok(Reading { n_unreadable: items.len() - stated.len(), stated })
}

fn list(value: &Value) -> Option<&Vec<Value>> {
    match value {
        Value::Object(fields) => LISTS.iter().find_map(|name| fields.get(*name)?.as_array()),
        Value::Array(items) => (!items.is_empty() && items.iter().all(looks_like_one)).then_some(items),
        _ => None,
    }
}

fn looks_like_one(value: &Value) -> bool {
    one(value).is_some()
}

fn one(value: &Value) -> Option<Stated> {
    let fields = value.as_object()?;
    let (file, line_of_file) = place(&text(fields, &FILE)?);
    let why = text(fields, &WHY)?;
    let severity = text(fields, &SEVERITY).map_or(Severity::Warning, |word| severity(&word));
    let line = LINE.iter().find_map(|name| fields.get(*name)).and_then(number).or(line_of_file);
    let suggestion = text(fields, &SUGGESTION).map(|text| unfenced(&text).to_owned()).filter(|text| !text.is_empty());
    Some(Stated { severity, file, line, why, suggestion })
}

fn text(fields: &Map<String, Value>, names: &[&str]) -> Option<String> {
    let found = names
        .iter()
        .find_map(|name| fields.get(*name)?.as_str().map(str::trim_end).filter(|text| !text.trim().is_empty()))?;
    Some(prefix(found, MAX_TEXT_BYTES).to_owned())
}

/// Reads `src/lib.rs:12`.
fn place(text: &str) -> (String, Option<u32>) {
    let text = text.trim().trim_matches('`');
    let parts = text.split_once(':').filter(|(_, rest)| rest.starts_with(|c: char| c.is_ascii_digit()));
    parts.map_or_else(|| (text.to_owned(), None), |(file, rest)| (file.to_owned(), first_number(rest)))
}

/// Reads a line that is a number, a text such as `L12-14`, or a list of two.
fn number(value: &Value) -> Option<u32> {
    match value {
        Value::Number(number) => {
            number.as_f64().filter(|number| *number >= 1.0 && *number < 1e9).map(|number| number as u32)
        }
        Value::String(text) => first_number(text),
        Value::Array(items) => items.first().and_then(number),
        _ => None,
    }
}

fn first_number(text: &str) -> Option<u32> {
    let digits = text.trim_start_matches(|c: char| !c.is_ascii_digit());
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    digits[..end].parse().ok().filter(|number| *number > 0)
}

fn severity(word: &str) -> Severity {
    let word = word.trim().to_lowercase();
    WORDS.iter().find(|(_, words)| words.contains(&word.as_str())).map_or(Severity::Warning, |row| row.0)
}

fn unfenced(text: &str) -> &str {
    let trimmed = text.trim();
    let Some(body) = trimmed.strip_prefix("```").and_then(|rest| rest.strip_suffix("```")) else {
        return text.trim_end();
    };
    body.split_once('\n').map_or(body, |(_, body)| body).trim_end()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(answer: &str) -> Result<Vec<String>, String> {
        let show = |stated: &Stated| {
            let line = stated.line.map_or_else(String::new, |line| format!(":{line}"));
            let suggestion = stated.suggestion.as_ref().map_or_else(String::new, |text| format!(" -> {text}"));
            format!("{} {}{line} {}{suggestion}", stated.severity.name(), stated.file, stated.why)
        };
        read(answer).map(|reading| reading.stated.iter().map(show).collect())
    }

    #[test]
    fn findings_are_read_however_they_are_written() {
        let table = [
            (
                "as asked",
                r#"{"findings":[{"severity":"error","file":"a.rs","line":3,"why":"w","suggestion":"x"}]}"#,
                "error a.rs:3 w -> x",
            ),
            (
                "in prose",
                "I found one:\n```json\n{\"findings\": [{\"file\": \"a\", \"line\": 1, \"why\": \"w\"},]}\n```\nDone {ok}.",
                "warning a:1 w",
            ),
            (
                "after thoughts",
                r#"<think>{"findings":[{"file":"x","why":"draft"}]}</think>{"findings":[{"file":"a","why":"w"}]}"#,
                "warning a w",
            ),
            (
                "other names",
                r#"{"issues":[{"level":"High","path":"a.rs","line_number":"12","message":"m"}]}"#,
                "error a.rs:12 m",
            ),
            ("a bare list", r#"[{"type":"nit","location":"a.rs:7","comment":"c"}]"#, "note a.rs:7 c"),
            ("lines as a range", r#"{"findings":[{"file":"a","lines":"L4-9","why":"w"}]}"#, "warning a:4 w"),
            ("lines as a pair", r#"{"findings":[{"file":"a","lines":[4,9],"why":"w"}]}"#, "warning a:4 w"),
            ("no such line", r#"{"findings":[{"file":"a","line":-1,"why":"w"}]}"#, "warning a w"),
            ("broken off", r#"{"findings":[{"file":"a","line":1,"why":"w"},{"file":"b","li"#, "warning a:1 w"),
            (
                "a fenced suggestion",
                r#"{"findings":[{"file":"a","why":"w","fix":"```rust\n  x\n```"}]}"#,
                "warning a w ->   x",
            ),
        ];
        for (case, answer, expected) in table {
            assert_eq!(shown(answer), Ok(vec![expected.to_owned()]), "{case}");
        }
    }

    #[test]
    fn nothing_found_is_told_from_nothing_said() {
        for none in [r#"{"findings": []}"#, "[]", "No problems.\n```json\n{\"findings\": []}\n```"] {
            assert_eq!(shown(none), Ok(Vec::new()), "{none}");
        }
        for said in
            ["", "All fine.", "{}", r#"{"findings": "none"}"#, r#"{"findings": [{"file": "a"}, 7]}"#, "vec![] and [1]"]
        {
            assert!(shown(said).is_err(), "{said}");
        }
    }

    #[test]
    fn unreadable_ones_are_counted() {
        let answer = r#"{"findings": [{"file": "a", "why": "w"}, {"file": "a"}, "b", {"why": "x", "line": 1}]}"#;
        let reading = read(answer).unwrap();
        assert_eq!((reading.stated.len(), reading.n_unreadable), (1, 3));
    }
}
