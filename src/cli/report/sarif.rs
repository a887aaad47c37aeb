//! How are notices written as SARIF 2.1.0?
//!
//! The subset that code hosts read: one run, its rules, one result a notice with one place. Paths are URIs below `SRCROOT`.

use serde_json::{Value, json};

use crate::base::fault::{Fault, Kind};
use crate::protocol::notice::{Notice, Severity};

/// The schema of the format, as its standard names it.
const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";
/// What paths are relative to.
const ROOT: &str = "SRCROOT";

/// What a run had to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// What is wrong.
    pub notices: Vec<Notice>,
    /// The exit code.
    pub exit_code: u8,
    /// Whether it did all it was to do.
    pub is_done: bool,
    /// Why it did not end well; empty where it did.
    pub words: String,
}

/// Writes the run as a document.
///
/// # Errors
/// A bug: plain data that cannot be written as JSON.
pub fn document(run: &Run) -> Result<String, Fault> {
    let mut rules: Vec<&str> = run.notices.iter().map(|notice| notice.rule.as_str()).collect();
    rules.sort_unstable();
    rules.dedup();
    let results: Vec<Value> = run.notices.iter().map(|notice| result(notice, &rules)).collect();
    let mut invocation = json!({"executionSuccessful": run.is_done, "exitCode": run.exit_code});
    if !run.words.is_empty() {
        invocation["toolExecutionNotifications"] = json!([{"level": "error", "message": {"text": run.words}}]);
    }
    let document = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "mimi",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules.iter().map(|rule| json!({"id": rule})).collect::<Vec<_>>(),
            }},
            "invocations": [invocation],
            "originalUriBaseIds": {ROOT: {"description": {"text": "the folder worked in"}}},
            "results": results,
        }],
    });
    let text = serde_json::to_string_pretty(&document);
    text.map(|text| text + "\n").map_err(|error| Fault::new(Kind::Bug, "cannot write SARIF").cause(error.to_string()))
}

fn result(notice: &Notice, rules: &[&str]) -> Value {
    let level = match notice.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    };
    let title = (notice.title != notice.message).then_some(&notice.title);
    let parts = title.into_iter().chain([&notice.message]).chain(&notice.suggestion);
    let text = parts.map(String::as_str).collect::<Vec<_>>().join("\n");
    let mut result = json!({
        "ruleId": notice.rule,
        "ruleIndex": rules.binary_search(&notice.rule.as_str()).unwrap_or_default(),
        "level": level,
        "message": {"text": text},
    });
    if let Some(file) = &notice.file {
        let mut place = json!({"artifactLocation": location(file)});
        if let Some(line) = notice.line.filter(|line| *line > 0) {
            place["region"] = json!({"startLine": line});
            if let Some(end) = notice.end_line.filter(|end| *end >= line) {
                place["region"]["endLine"] = json!(end);
            }
        }
        result["locations"] = json!([{"physicalLocation": place}]);
    }
    result
}

fn location(file: &str) -> Value {
    match file.strip_prefix('/') {
        Some(path) => json!({"uri": format!("file:///{}", uri(path))}),
        None => json!({"uri": uri(file.strip_prefix("./").unwrap_or(file)), "uriBaseId": ROOT}),
    }
}

/// Escapes a path as RFC 3986 wants it: all but unreserved characters and slashes.
fn uri(path: &str) -> String {
    let keep = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    let escape = |byte: u8| if keep(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    path.bytes().map(escape).collect()
}
