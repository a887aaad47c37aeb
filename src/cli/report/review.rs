//! In which forms can a review be had?
//!
//! Pure: from the report to text. What a model wrote may repeat what the change told it to, so in Markdown it is words without
//! any sign that means something, and suggestions stand in fences.

use crate::base::fault::{Fault, Kind};
use crate::base::text::visible;
use crate::cli::report::target::Format;
use crate::cli::report::{github, markdown, sarif};
use crate::protocol::finding::Finding;
use crate::protocol::notice::{Notice, Severity};
use crate::strategy::review::report::Report;

/// Writes a review in a format; `fault` is what the command ends with. Forms it has not give nothing.
///
/// # Errors
/// A bug: plain data that cannot be written as JSON.
pub fn render(format: Format, report: &Report, fault: Option<&Fault>) -> Result<String, Fault> {
    Ok(match format {
        Format::Text => text(report),
        Format::Json => {
            let text = serde_json::to_string_pretty(report).map(|text| text + "\n");
            text.map_err(|error| Fault::new(Kind::Bug, "cannot write the review as JSON").cause(error.to_string()))?
        }
        Format::Markdown => document(report),
        Format::Sarif => sarif::document(&sarif::Run {
            notices: report.findings.iter().map(Notice::from).collect(),
            exit_code: fault.map_or(0, |fault| fault.kind.exit_code()),
            is_done: report.failure.is_none(),
            words: report.failure.clone().unwrap_or_default(),
        })?,
        Format::Github => github::annotations(&notices(report)),
        Format::Jsonl | Format::Junit => String::new(),
    })
}

/// Writes a line each, as compilers do.
pub fn text(report: &Report) -> String {
    let lines = report.findings.iter().map(|finding| {
        let suggestion = finding.suggestion.as_deref().unwrap_or_default().lines();
        let suggestion: String = suggestion.map(|line| format!("    {line}\n")).collect();
        format!("{}: {}: {}\n{suggestion}", finding.place(), finding.severity.name(), why(finding))
    });
    let remarks = report.remarks().into_iter().map(|remark| format!("! {remark}\n"));
    let all: String = lines.chain(remarks).collect();
    visible(&format!("{all}{}\n", report.summary())).into_owned()
}

/// Returns what is wrong on one line.
pub fn why(finding: &Finding) -> String {
    finding.why.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn notices(report: &Report) -> Vec<Notice> {
    let whole = |severity, title: &str, message: String| Notice {
        severity,
        rule: "review".to_owned(),
        title: title.to_owned(),
        message,
        file: None,
        line: None,
        end_line: None,
        suggestion: None,
    };
    let failure =
        report.failure.iter().map(|failure| whole(Severity::Error, "mimi review ended early", failure.clone()));
    let sum = std::iter::once(whole(Severity::Note, "mimi review", report.summary()));
    sum.chain(failure).chain(report.findings.iter().map(Notice::from)).collect()
}

fn document(report: &Report) -> String {
    let mut parts = vec![format!("## mimi review\n\n{}\n", markdown::escaped(&report.summary()))];
    for finding in &report.findings {
        let (severity, place) = (finding.severity.name(), markdown::code(&finding.place()));
        parts.push(format!("- **{severity}** {place} {}\n", markdown::escaped(&why(finding))));
        let suggestion = finding.suggestion.as_ref().map(|text| markdown::fenced(text, "suggestion"));
        // Inside of the item.
        let lines = suggestion.iter().flat_map(|text| text.lines()).map(|line| format!("  {line}\n"));
        parts.extend(suggestion.is_some().then(|| lines.collect()));
    }
    let remarks: String = report.remarks().iter().map(|remark| format!("- {}\n", markdown::escaped(remark))).collect();
    parts.extend((!remarks.is_empty()).then(|| format!("Besides:\n\n{remarks}")));
    parts.extend(report.failure.iter().map(|failure| format!("Ended early: {}\n", markdown::escaped(failure))));
    parts.join("\n")
}
