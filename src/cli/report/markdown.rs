//! How does a report read as a comment or a summary?
//!
//! What programs and models wrote stands in fences and code spans only, longer than what is in them: nothing of it becomes a
//! link, a picture, a mention or HTML.

use crate::base::clock::format_duration;
use crate::base::text::{count, visible};
use crate::cli::report::words;
use crate::protocol::failure::Failure;
use crate::protocol::fix_report::{FileChange, FixReport};

/// Failures that are listed.
const MAX_LISTED: usize = 20;
/// Bytes of one fence.
const MAX_FENCED_BYTES: usize = 20_000;
/// Longest document; GitHub takes comments of 65,536 characters and summaries of 1 MiB.
const MAX_BYTES: usize = 60_000;

/// Writes text as a fenced block that it cannot end.
pub fn fenced(text: &str, language: &str) -> String {
    let text = crate::base::text::clip_middle(text, MAX_FENCED_BYTES, "");
    let text = visible(&text);
    let fence = "`".repeat(longest_run(&text).max(2) + 1);
    format!("{fence}{language}\n{}\n{fence}\n", text.trim_end_matches('\n'))
}

/// Writes text as a code span that it cannot end, on one line.
pub fn code(text: &str) -> String {
    let line: String = visible(text).chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if line.trim().is_empty() {
        return String::new();
    }
    let fence = "`".repeat(longest_run(&line) + 1);
    let gap = if line.starts_with('`') || line.ends_with('`') { " " } else { "" };
    format!("{fence}{gap}{line}{gap}{fence}")
}

/// Writes words so that none of their signs means anything: for text outside of code.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in visible(text).chars() {
        match c {
            '\n' | '\r' => out.push(' '),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            // A reference of a user, and of an issue: the entity breaks both.
            '@' => out.push_str("&#64;"),
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '(' | ')' | '#' | '!' | '|' | '~' | '$' | ':' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out
}

/// A code span for a cell of a table, where a bar would end the cell.
fn cell(text: &str) -> String {
    code(text).replace('|', "\\|")
}

fn longest_run(text: &str) -> usize {
    let mut longest = 0;
    let mut run = 0;
    for c in text.chars() {
        run = if c == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    longest
}

/// Writes all of a report.
pub fn document(report: &FixReport) -> String {
    let word = report.ending.word.replace('_', " ");
    let mut parts = vec![format!("## mimi fix: {word}\n"), format!("{}\n", spans(&words::ending(report)))];
    if !report.steps.is_empty() {
        parts.push(steps(report));
    }
    if report.at_end.count() > 0 {
        let heading = format!("### Still fails: {}\n", count(report.at_end.count(), "failure"));
        parts.extend([heading, failures(&report.at_end.failures, report.at_end.count())]);
    }
    if !report.files.is_empty() {
        parts.push(files(&report.files));
    }
    if !report.answer.is_empty() {
        parts.extend(["### What the model says\n".to_owned(), fenced(&report.answer, "text")]);
    }
    parts.push(facts(report));
    if !report.next.is_empty() {
        parts.extend(["### Next\n".to_owned(), fenced(&report.next.join("\n"), "text")]);
    }
    let text = parts.join("\n");
    if text.len() <= MAX_BYTES {
        return text;
    }
    // Cut at the end of a line; a fence that is cut open ends with the document.
    let cut = crate::base::text::prefix(&text, MAX_BYTES);
    let end = cut.rfind('\n').map_or(cut.len(), |at| at + 1);
    format!("{}\n(cut)\n", &cut[..end])
}

/// Words with code in them: what stands between back-ticks is code, the rest plain words.
fn spans(text: &str) -> String {
    let mut parts = text.split('`');
    let mut out = escaped(parts.next().unwrap_or_default());
    let rest: Vec<&str> = parts.collect();
    if rest.len() % 2 == 1 {
        return escaped(text);
    }
    for pair in rest.chunks(2) {
        out.push_str(&code(pair[0]));
        out.push_str(&pair.get(1).map_or_else(String::new, |words| escaped(words)));
    }
    out
}

fn steps(report: &FixReport) -> String {
    let mut text = "| Step | Time |\n| --- | --- |\n".to_owned();
    for step in &report.steps {
        let words = cell(&words::step(step, report).replace('`', "'"));
        text.push_str(&format!("| {words} | {} |\n", format_duration(step.duration_ms)));
    }
    text
}

fn failures(failures: &[Failure], n_all: usize) -> String {
    let mut lines: Vec<String> = failures.iter().take(MAX_LISTED).map(Failure::line).collect();
    let n_left = n_all.saturating_sub(MAX_LISTED);
    if n_left > 0 {
        lines.push(format!("and {n_left} more"));
    }
    fenced(&lines.join("\n"), "text")
}

fn files(files: &[FileChange]) -> String {
    let mut text = "| File | | Added | Removed |\n| --- | --- | --- | --- |\n".to_owned();
    for file in files {
        let path = cell(&file.path);
        text.push_str(&format!("| {path} | {} | {} | {} |\n", file.kind.word(), file.added, file.removed));
    }
    text
}

fn facts(report: &FixReport) -> String {
    let mut parts = vec![format!("exit code {}", report.ending.code), format_duration(report.duration_ms)];
    if let Some(model) = &report.model {
        let tokens = model.usage.input_tokens + model.usage.output_tokens;
        parts.push(format!("{}, {tokens} tokens", code(&format!("{}/{}", model.provider, model.name))));
        parts.extend(model.cost.map(|cost| format!("cost {cost:.4}")));
    }
    parts.extend(report.budgets.iter().map(|budget| escaped(&words::budget(budget))));
    parts.extend(report.session.iter().map(|id| format!("session {}", code(id))));
    parts.extend(report.patch.iter().map(|path| format!("patch {}", code(&path.display().to_string()))));
    parts.extend(report.commit.iter().map(|commit| format!("commit {}", code(&commit.hash))));
    format!("{}\n", parts.join(" · "))
}
