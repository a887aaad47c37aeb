//! How does a report read in a terminal or a log?

use crate::base::clock::format_duration;
use crate::base::text::{count, visible};
use crate::cli::report::words;
use crate::protocol::fix_report::{Failures, FixReport};
use crate::protocol::wait::short;

/// Failures that are listed.
const MAX_LISTED: usize = 20;

/// Writes the result alone: how it ended, and the model's last words.
pub fn result(report: &FixReport) -> String {
    let answer = if report.answer.is_empty() { String::new() } else { format!("\n{}\n", report.answer) };
    visible(&format!("{}\n{answer}", words::ending(report))).into_owned()
}

/// Writes all of it.
pub fn whole(report: &FixReport) -> String {
    let mut lines = vec![
        format!("{} (exit code {}, {})", words::ending(report), report.ending.code, report.ending.word),
        String::new(),
    ];
    for step in &report.steps {
        lines.push(format!("- {} ({})", words::step(step, report), format_duration(step.duration_ms)));
    }
    list(&mut lines, "Still fails", &report.at_end);
    if !report.files.is_empty() {
        lines.push(format!("\nChanged: {}", count(report.files.len(), "file")));
        for file in &report.files {
            lines.push(format!("    {} {} +{} -{}", file.kind.word(), file.path, file.added, file.removed));
        }
    }
    lines.push(String::new());
    facts(&mut lines, report);
    if !report.answer.is_empty() {
        lines.push(format!("\n{}", report.answer));
    }
    lines.extend(report.next.iter().map(|next| format!("next: {next}")));
    visible(&(lines.join("\n") + "\n")).into_owned()
}

fn list(lines: &mut Vec<String>, heading: &str, failures: &Failures) {
    if failures.count() == 0 {
        return;
    }
    lines.push(format!("\n{heading}: {}", count(failures.count(), "failure")));
    lines.extend(failures.failures.iter().take(MAX_LISTED).map(|failure| format!("    {}", failure.line())));
    let n_left = failures.count().saturating_sub(MAX_LISTED);
    if n_left > 0 {
        lines.push(format!("    and {n_left} more"));
    }
}

/// What it took and where things are.
fn facts(lines: &mut Vec<String>, report: &FixReport) {
    if let Some(model) = &report.model {
        let usage = model.usage;
        let cost = model.cost.map_or_else(String::new, |cost| format!(", cost {cost:.4}"));
        lines.push(format!(
            "model:    {}/{}, {}, {} tokens read, {} written{cost}",
            model.provider,
            model.name,
            count(model.requests as usize, "request"),
            short(usage.input_tokens),
            short(usage.output_tokens),
        ));
    }
    let budgets: Vec<String> = report.budgets.iter().map(words::budget).collect();
    let rows = [
        ("budgets:", budgets.join(", ")),
        ("sandbox:", report.sandbox.clone()),
        ("session:", report.session.clone().unwrap_or_default()),
        ("patch:", report.patch.as_ref().map_or_else(String::new, |path| path.display().to_string())),
        ("commit:", report.commit.as_ref().map_or_else(String::new, |commit| commit.hash.clone())),
        ("took:", format_duration(report.duration_ms)),
    ];
    lines.extend(rows.iter().filter(|row| !row.1.is_empty()).map(|(name, value)| format!("{name:<9} {value}")));
    lines.extend(report.warnings.iter().map(|warning| format!("warning:  {warning}")));
}
