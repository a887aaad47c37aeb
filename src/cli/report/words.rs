//! How does a step of a report read as a line?
//!
//! The only place that knows all kinds of steps by their words; text and Markdown take theirs from here.

use crate::base::text::count;
use crate::protocol::fix_report::{AgentRound, Budget, FixReport, Ran, Scope, Step, What};
use crate::protocol::wait::short;

/// Says what a step did. `report` knows the checks it may name.
pub fn step(step: &Step, report: &FixReport) -> String {
    match &step.what {
        What::FlakyRun(ran) => format!("check again, nothing changed: {}", went(ran, report)),
        What::Fixer { name, is_kept, before, after, .. } => {
            let kept = if *is_kept { "kept" } else { "taken back" };
            format!("{name}: {} before, {after} after; {kept}", count(*before, "failure"))
        }
        What::Agent(round) => agent(round),
        What::Rerun { scope: Scope::Failing, ran, .. } => format!("what failed, again: {}", went(ran, report)),
        What::Reproduce(ran) | What::Rerun { scope: Scope::Whole, ran, .. } => format!("check {}", went(ran, report)),
        What::Guard { file, rule, .. } => format!("taken back in {file}: {rule}"),
        What::Minimise { dropped } if dropped.is_empty() => "every change is needed".to_owned(),
        What::Minimise { dropped } => format!("dropped what was not needed: {}", dropped.join(", ")),
        What::Trouble { words } => words.clone(),
        What::Waited { why } => format!("waited: {why}"),
        What::Review { taken, left, edited } => format!("reviewed: {taken} taken, {left} left, {edited} rewritten"),
    }
}

fn went(ran: &Ran, report: &FixReport) -> String {
    let command = report.job.checks.get(ran.check).map_or("", |check| check.command.as_str());
    match ran.is_green {
        true => format!("`{command}` passes"),
        false if ran.failures == 0 => format!("`{command}` fails with {}", ran.ending),
        false => format!("`{command}` fails with {}, {}", ran.ending, count(ran.failures, "failure")),
    }
}

fn agent(round: &AgentRound) -> String {
    let mut parts = vec![
        count(round.requests as usize, "request"),
        count(round.calls as usize, "call"),
        count(round.edits as usize, "edit"),
    ];
    for (n, word) in [(round.recovered, "recovered"), (round.edits_refused, "edits refused"), (round.denied, "denied")]
    {
        if n > 0 {
            parts.push(format!("{n} {word}"));
        }
    }
    let tokens = round.usage.input_tokens + round.usage.output_tokens;
    if tokens > 0 {
        parts.push(format!("{} tokens", short(tokens)));
    }
    format!("the model, round {}: {}; {}", round.round, parts.join(", "), round.end)
}

/// Says how much of a budget was used.
pub fn budget(budget: &Budget) -> String {
    let Budget { name, used, limit } = budget;
    limit.map_or_else(|| format!("{name} {used}"), |limit| format!("{name} {used} of {limit}"))
}

/// Names the checks: `a` or `a` and `b`.
pub fn checks(report: &FixReport) -> String {
    let names: Vec<String> = report.job.checks.iter().map(|check| format!("`{}`", check.command)).collect();
    match names.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => names.concat(),
    }
}

/// Says how it ended, in one line.
pub fn ending(report: &FixReport) -> String {
    let checks = checks(report);
    let pass = if report.job.checks.len() > 1 { "pass" } else { "passes" };
    match report.ending.word.as_str() {
        "nothing_to_do" => format!("nothing to fix: {checks} {pass}"),
        "fixed" => match rounds(report) {
            0 => format!("fixed without a model: {checks} {pass}"),
            n => format!("fixed in {}: {checks} {pass}", count(n, "round")),
        },
        _ => report.ending.message.clone(),
    }
}

/// Counts the rounds in which the model worked.
fn rounds(report: &FixReport) -> usize {
    report.steps.iter().filter(|step| matches!(step.what, What::Agent(_))).count()
}
