//! How are notices written for the logs of GitHub's workflows?
//!
//! A line that begins with `::` is a command there, whoever printed it. What goes into one is escaped as the runner takes it
//! back: per cent signs and line ends in words, colons and commas too in properties. The forms are those of the documentation of
//! workflow commands. Surprising: the runner reads commands on both streams and after blanks, so that what else is printed
//! must be kept from looking like one ([`harmless`]).

use crate::protocol::fix_report::FixReport;
use crate::protocol::notice::{Notice, Severity};

/// Annotations of one kind that a step may have; GitHub drops more.
const MAX_ANNOTATIONS: usize = 10;

/// Writes a line for each notice, at most as many as are shown.
pub fn annotations(notices: &[Notice]) -> String {
    let mut counts = [0_usize; 3];
    let shown = notices.iter().filter(|notice| {
        let count = &mut counts[notice.severity as usize];
        *count += 1;
        *count <= MAX_ANNOTATIONS
    });
    shown.map(annotation).collect()
}

fn annotation(notice: &Notice) -> String {
    let word = match notice.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "notice",
    };
    let mut properties = Vec::new();
    if let Some(file) = &notice.file {
        properties.push(format!("file={}", property(file)));
        properties.extend(notice.line.map(|line| format!("line={line}")));
        properties.extend(notice.line.and(notice.end_line).map(|line| format!("endLine={line}")));
    }
    properties.push(format!("title={}", property(&notice.title)));
    let suggestion = notice.suggestion.as_ref().map_or_else(String::new, |words| format!("\n{words}"));
    format!("::{word} {}::{}\n", properties.join(","), data(&format!("{}{suggestion}", notice.message)))
}

/// Returns what a report has to say beside the code: what still fails, and how it ended.
pub fn notices(report: &FixReport) -> Vec<Notice> {
    let ending = crate::cli::report::words::ending(report);
    let severity = if report.ending.code == 0 { Severity::Note } else { Severity::Error };
    let title = format!("mimi fix: {}", report.ending.word.replace('_', " "));
    let whole = Notice {
        severity,
        rule: report.ending.word.clone(),
        title,
        message: ending,
        file: None,
        line: None,
        end_line: None,
        suggestion: report.next.first().cloned(),
    };
    std::iter::once(whole).chain(report.at_end.failures.iter().map(Notice::from)).collect()
}

/// Escapes the words of a command.
fn data(text: &str) -> String {
    crate::base::text::visible(text).replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Escapes the value of a property.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// Puts a bar before each line the runner would take for a command.
pub fn harmless(text: &str) -> String {
    let is_command = |line: &str| {
        let line = line.trim_start();
        line.starts_with("::") || line.starts_with("##[")
    };
    if !text.split(['\n', '\r']).any(is_command) {
        return text.to_owned();
    }
    let guarded = text.split_inclusive(['\n', '\r']);
    guarded.map(|line| if is_command(line) { format!("| {line}") } else { line.to_owned() }).collect()
}
