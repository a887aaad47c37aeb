//! How is the same work told in the same bytes, wherever and whenever it is done?
//!
//! Folders, ids, times, durations, addresses and ports are replaced by words, in data and in what programs printed. Pieces of
//! answers and of outputs are not told, because where they are cut is chance; the whole follows in any case. Must not touch
//! what the model is sent, nor the files.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use crate::base::fault::Fault;
use crate::protocol::event::{Event, Record};
use crate::protocol::fix_report::FixReport;
use crate::strategy::runner::CheckRun;

/// The time everything happens at.
const TIME: &str = "1970-01-01T00:00:00Z";
/// What varies in any text, and the word for it.
static VARYING: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    let rows = [
        (r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "[id]"),
        (r"\b\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}([.,]\d+)?)?(Z|[+-]\d{2}:?\d{2})?", "[time]"),
        (r"\b\d+m ?\d+(\.\d+)?s\b", "[time]"),
        (r"\b\d+(\.\d+)? ?(ns|µs|us|ms|s|secs?|seconds?)\b", "[time]"),
        (r"\b0x[0-9a-fA-F]{6,}\b", "[address]"),
        (r"\b(127\.0\.0\.1|localhost|\[::1\]):\d{2,5}\b", "$1:[port]"),
    ];
    rows.iter().filter_map(|(pattern, word)| Some((Regex::new(pattern).ok()?, *word))).collect()
});

/// Tells everything without what varies.
pub struct Sameness {
    /// Folders and the words for them, the longest first.
    folders: Vec<(String, &'static str)>,
    /// Names of calls, in the order they came up.
    calls: BTreeMap<String, usize>,
}

impl Sameness {
    /// Takes the folders that are not the same everywhere, with the words for them.
    pub fn new(folders: impl IntoIterator<Item = (String, &'static str)>) -> Self {
        let mut folders: Vec<_> = folders.into_iter().filter(|(path, _)| path.len() > 1).collect();
        folders.sort_by_key(|(path, _)| std::cmp::Reverse(path.len()));
        Self { folders, calls: BTreeMap::new() }
    }

    /// Tells a text.
    pub fn text(&self, text: &str) -> String {
        let text = self.folders.iter().fold(text.to_owned(), |text, (path, word)| text.replace(path.as_str(), word));
        VARYING.iter().fold(text, |text, (pattern, word)| pattern.replace_all(&text, *word).into_owned())
    }

    /// Tells a report.
    pub fn report(&mut self, report: &FixReport) -> FixReport {
        let told = self.through(report).unwrap_or_else(|| report.clone());
        let mut told = FixReport { started_at: TIME.to_owned(), ..told };
        told.budgets.iter_mut().filter(|budget| budget.name == "seconds").for_each(|budget| budget.used = 0.0);
        told
    }

    /// Tells a record; none for a piece of something that follows whole.
    pub fn record(&mut self, record: &Record) -> Option<Record> {
        match record.event {
            Event::TextDelta { .. } | Event::ReasoningDelta { .. } | Event::ToolOutput { .. } | Event::Waiting(_) => {
                None
            }
            _ => Some(self.through(record).unwrap_or_else(|| record.clone())),
        }
    }

    /// Tells a run of a check.
    pub fn run(&mut self, run: &CheckRun) -> CheckRun {
        let mut told = CheckRun { duration_ms: 0, text: self.text(&run.text), ..run.clone() };
        for failure in &mut told.complaints.failures {
            if let Some(same) = self.through(failure) {
                *failure = same;
            }
        }
        told
    }

    /// Tells a failure.
    pub fn fault(&self, fault: &Fault) -> Fault {
        let all = |texts: &[String]| texts.iter().map(|text| self.text(text)).collect();
        Fault {
            kind: fault.kind,
            message: self.text(&fault.message),
            causes: all(&fault.causes),
            hints: all(&fault.hints),
        }
    }

    /// Takes plain data apart and puts it together again.
    fn through<T: serde::Serialize + serde::de::DeserializeOwned>(&mut self, data: &T) -> Option<T> {
        let mut value = serde_json::to_value(data).ok()?;
        self.value(&mut value);
        serde_json::from_value(value).ok()
    }

    fn value(&mut self, value: &mut Value) {
        match value {
            Value::String(text) => *text = self.text(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.value(item)),
            Value::Object(fields) => {
                let is_call = fields.contains_key("arguments") && fields.contains_key("name");
                for (key, value) in fields {
                    match value {
                        // How much the conversation takes is guessed from its text, in which all of this stands.
                        Value::Number(number) if key.ends_with("_ms") || key == "context_tokens" => *number = 0.into(),
                        Value::String(id) if key == "call" || (is_call && key == "id") => *id = self.call(id),
                        value => self.value(value),
                    }
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn call(&mut self, id: &str) -> String {
        let next = self.calls.len() + 1;
        format!("call-{}", self.calls.entry(id.to_owned()).or_insert(next))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_varies_in_texts_is_replaced() {
        let same = Sameness::new([("/home/a".to_owned(), "[home]"), ("/home/a/work".to_owned(), "[work]")]);
        let table = [
            ("in /home/a/work/x.rs and /home/a/.cache", "in [work]/x.rs and [home]/.cache"),
            ("1 passed in 0.03s", "1 passed in [time]"),
            ("finished in 12.5 seconds, 2m 03s, 15ms", "finished in [time], [time], [time]"),
            ("<Foo object at 0x7f3a2c1b>", "<Foo object at [address]>"),
            ("http://127.0.0.1:4321/v1", "http://127.0.0.1:[port]/v1"),
            ("2026-01-31T12:00:00Z 2026-01-31 12:00:00,123", "[time] [time]"),
            ("0198c2a4-1111-7222-8333-444455556666", "[id]"),
            ("5 files, s1, v1.2, a.s", "5 files, s1, v1.2, a.s"),
        ];
        for (text, expected) in table {
            assert_eq!(same.text(text), expected);
        }
    }
}
