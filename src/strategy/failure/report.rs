//! What do reports in files say about what failed: JUnit's XML, SARIF, and the JSON of cargo and ESLint?
//!
//! Programs write them for programs, so that nothing is recognised by looks: what is no such report is an error. Must not be
//! given more than [`MAX_REPORT_BYTES`]: they are held whole.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use serde_json::Value;

use crate::protocol::failure::{Failure, FailureKind};
use crate::strategy::failure::block::{clip, tidy};
use crate::strategy::failure::engine::UNTOLD;

/// Longest report that is read.
pub const MAX_REPORT_BYTES: u64 = 32 << 20;

/// Why a report cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// It is neither of the two.
    #[error("it is neither JUnit XML nor SARIF")]
    Unknown,
    /// It is broken XML.
    #[error("its XML is broken at byte {at}: {why}")]
    Xml {
        /// Bytes before the fault.
        at: u64,
        /// What is wrong.
        why: String,
    },
    /// It is broken JSON.
    #[error("its JSON is broken: {0}")]
    Json(#[from] serde_json::Error),
}

/// Reads a report of either format.
///
/// # Errors
/// It is broken, or something else.
pub fn read(text: &str) -> Result<Vec<Failure>, ReportError> {
    let text = text.trim_start_matches('\u{feff}').trim_start();
    match text.chars().next() {
        Some('<') => junit(text),
        Some('{') => sarif(text),
        _ => Err(ReportError::Unknown),
    }
}

/// A test case of JUnit that is being read.
#[derive(Default)]
struct Case {
    name: String,
    class: String,
    file: Option<String>,
    line: Option<u32>,
    failed: Option<(FailureKind, String)>,
    text: String,
}

fn junit(text: &str) -> Result<Vec<Failure>, ReportError> {
    let mut reader = Reader::from_str(text);
    let (mut failures, mut case, mut is_junit, mut is_in_failure) = (Vec::new(), Case::default(), false, false);
    loop {
        let event = reader
            .read_event()
            .map_err(|error| ReportError::Xml { at: reader.error_position(), why: error.to_string() })?;
        match event {
            Event::Start(tag) | Event::Empty(tag) if tag.name().as_ref() == "testcase" => {
                is_junit = true;
                failures.extend(std::mem::replace(&mut case, begun(&tag)).failure());
            }
            Event::Start(tag) | Event::Empty(tag) if matches!(tag.name().as_ref(), "failure" | "error") => {
                let kind = if tag.name().as_ref() == "error" { FailureKind::Crash } else { FailureKind::Test };
                case.failed = Some((kind, attribute(&tag, "message").unwrap_or_default()));
                case.text.clear();
                is_in_failure = true;
            }
            Event::End(tag) if matches!(tag.name().as_ref(), "failure" | "error") => is_in_failure = false,
            Event::Start(tag) if matches!(tag.name().as_ref(), "testsuite" | "testsuites") => is_junit = true,
            Event::Text(words) if is_in_failure => case.text.push_str(&words.xml10_content()),
            Event::CData(words) if is_in_failure => case.text.push_str(words.as_ref()),
            Event::Eof => break,
            _ => {}
        }
    }
    failures.extend(case.failure());
    if is_junit { Ok(failures) } else { Err(ReportError::Unknown) }
}

fn begun(tag: &BytesStart<'_>) -> Case {
    Case {
        name: attribute(tag, "name").unwrap_or_default(),
        class: attribute(tag, "classname").unwrap_or_default(),
        file: attribute(tag, "file").map(|file| tidy(&file)),
        line: attribute(tag, "line").and_then(|line| line.parse().ok()),
        ..Case::default()
    }
}

fn attribute(tag: &BytesStart<'_>, name: &str) -> Option<String> {
    let found = tag.try_get_attribute(name).ok().flatten()?;
    Some(found.normalized_value(quick_xml::XmlVersion::Explicit1_0).ok()?.into_owned())
}

impl Case {
    /// Makes a failure of it, if it is one. What the text below says of places is read as a log of its runner.
    fn failure(self) -> Option<Failure> {
        let (kind, message) = self.failed?;
        let first = if message.trim().is_empty() { &self.text } else { &message };
        let id = match self.class.as_str() {
            "" => self.name.clone(),
            class => format!("{class}.{}", self.name),
        };
        let first = first.lines().find(|line| !line.trim().is_empty()).unwrap_or(UNTOLD);
        let failure = Failure { id: Some(id), file: self.file, line: self.line, ..Failure::new(kind, clip(first)) };
        Some(failure)
    }
}

fn sarif(text: &str) -> Result<Vec<Failure>, ReportError> {
    let report: Value = serde_json::from_str(text)?;
    let runs = report["runs"].as_array().ok_or(ReportError::Unknown)?;
    let results = runs.iter().filter_map(|run| run["results"].as_array()).flatten();
    Ok(results.filter(|result| is_error(result)).map(finding).collect())
}

/// A result without a level is a warning by the standard; ruff leaves it out and means its findings.
fn is_error(result: &Value) -> bool {
    !matches!(result["level"].as_str(), Some("note" | "none" | "warning"))
}

fn finding(result: &Value) -> Failure {
    let place = &result["locations"][0]["physicalLocation"];
    let file = place["artifactLocation"]["uri"].as_str().map(tidy);
    Failure {
        file,
        line: place["region"]["startLine"].as_u64().and_then(|line| u32::try_from(line).ok()),
        code: result["ruleId"].as_str().map(str::to_owned),
        ..Failure::new(FailureKind::Lint, clip(result["message"]["text"].as_str().unwrap_or("it objects")))
    }
}
