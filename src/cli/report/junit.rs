//! How is a report written as JUnit XML?
//!
//! A suite a check: what failed at the start and passes now is a passing case, what fails now a failing one. A check of which
//! nothing single is known is one case. What XML 1.0 cannot hold is replaced.

use quick_xml::escape::escape;

use crate::base::text::visible;
use crate::protocol::failure::{Failure, FailureKind};
use crate::protocol::fix_report::{FixReport, What};

/// Writes all of a report.
pub fn document(report: &FixReport) -> String {
    let cases = cases(report);
    let n_failed = cases.iter().filter(|case| matches!(case.state, State::Failed(_))).count();
    let n_errors = cases.iter().filter(|case| matches!(case.state, State::Error(_))).count();
    let seconds = seconds(report.duration_ms);
    let counts = format!("tests=\"{}\" failures=\"{n_failed}\" errors=\"{n_errors}\"", cases.len());
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"mimi fix\" {counts} time=\"{seconds}\">\n"
    );
    let name = report.job.checks.iter().map(|check| check.command.as_str()).collect::<Vec<_>>().join("; ");
    let stamp = report.started_at.trim_end_matches('Z');
    out.push_str(&format!(
        "  <testsuite name=\"{}\" {counts} skipped=\"0\" time=\"{seconds}\" timestamp=\"{}\">\n",
        attribute(&name),
        attribute(stamp)
    ));
    out.extend(cases.iter().map(written));
    out.push_str("  </testsuite>\n</testsuites>\n");
    out
}

/// One case.
struct Case<'r> {
    name: String,
    class: &'r str,
    state: State<'r>,
}

enum State<'r> {
    Passed,
    Failed(&'r Failure),
    Error(String),
}

fn cases(report: &FixReport) -> Vec<Case<'_>> {
    let named = |failure: &Failure| failure.id.clone().unwrap_or_else(|| failure.line());
    let is_left = |failure: &&Failure| !report.at_end.failures.iter().any(|left| named(left) == named(failure));
    let passed = report.at_start.failures.iter().filter(is_left);
    let mut cases: Vec<Case<'_>> =
        passed.map(|failure| Case { name: named(failure), class: failure.kind.name(), state: State::Passed }).collect();
    cases.extend(report.at_end.failures.iter().map(|failure| Case {
        name: named(failure),
        class: failure.kind.name(),
        state: State::Failed(failure),
    }));
    let ending = &report.ending;
    if report.at_end.failures.is_empty() && ending.code != 0 {
        let name = last_command(report);
        cases.push(Case { name, class: "check", state: State::Error(ending.message.clone()) });
    } else if cases.is_empty() {
        cases.push(Case { name: last_command(report), class: "check", state: State::Passed });
    }
    cases
}

/// Returns the check that ran last.
fn last_command(report: &FixReport) -> String {
    let ran = report.steps.iter().rev().find_map(|step| match &step.what {
        What::Reproduce(ran) | What::FlakyRun(ran) | What::Rerun { ran, .. } => Some(ran.check),
        _ => None,
    });
    let check = report.job.checks.get(ran.unwrap_or_default());
    check.map_or_else(|| "check".to_owned(), |check| check.command.clone())
}

fn written(case: &Case<'_>) -> String {
    let head = format!("    <testcase name=\"{}\" classname=\"{}\"", attribute(&case.name), attribute(case.class));
    match &case.state {
        State::Passed => format!("{head}/>\n"),
        State::Failed(failure) => {
            let file = failure.file.as_ref().map_or_else(String::new, |file| format!(" file=\"{}\"", attribute(file)));
            let line = failure.line.map_or_else(String::new, |line| format!(" line=\"{line}\""));
            let tag = if failure.kind == FailureKind::Crash { "error" } else { "failure" };
            let (message, body) = (attribute(&failure.message), content(&body(failure)));
            format!(
                "{head}{file}{line}>\n      <{tag} message=\"{message}\" type=\"{}\">{body}</{tag}>\n    </testcase>\n",
                failure.kind.name()
            )
        }
        State::Error(message) => {
            format!("{head}>\n      <error message=\"{}\" type=\"check\"/>\n    </testcase>\n", attribute(message))
        }
    }
}

fn body(failure: &Failure) -> String {
    let sides = [("expected", &failure.expected), ("actual", &failure.actual)];
    let sides = sides.iter().filter_map(|(name, text)| text.as_ref().map(|text| format!("{name}: {text}")));
    let frames = failure.stack.iter().map(|frame| format!("at {}:{}", frame.file, frame.line));
    std::iter::once(failure.line()).chain(sides).chain(frames).collect::<Vec<_>>().join("\n")
}

/// Escapes an attribute; line ends are written as references, because readers turn bare ones into blanks.
fn attribute(text: &str) -> String {
    content(text).replace('\n', "&#10;").replace('\t', "&#9;")
}

/// Escapes text, and replaces what XML 1.0 has no form for.
fn content(text: &str) -> String {
    let is_told = |c: char| matches!(c, '\t' | '\n' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    let text: String = visible(text).chars().map(|c| if is_told(c) { c } else { '\u{fffd}' }).collect();
    escape(&text).into_owned()
}

fn seconds(duration_ms: u64) -> String {
    format!("{}.{:03}", duration_ms / 1000, duration_ms % 1000)
}
