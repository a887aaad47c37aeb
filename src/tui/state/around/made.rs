//! What was made in this conversation, and what runs now?
//!
//! Read from the transcript: files that were changed, searches, plans; and the calls that have not ended.

use crate::base::clock::format_duration;
use crate::base::text::{count, first_line};
use crate::protocol::plan::StepStatus;
use crate::tui::diff_view::{self, Spans};
use crate::tui::look::Look;
use crate::tui::state::around::board::Row;
use crate::tui::state::item::{Call, CallState, Item, What};
use crate::tui::state::transcript::Transcript;

/// Tools that look for something; what they found is worth coming back to.
const SEARCHES: &[&str] = &["search", "search_code", "list_files", "code_map", "code_graph"];
/// Columns for which a change is laid out beside a list.
const COLUMNS: usize = 100;
/// Characters of a row's name.
const MAX_LABEL: usize = 120;

/// Returns what was made, the newest first: a file once, however often it was changed.
pub fn rows(transcript: &Transcript) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for item in transcript.items().iter().rev() {
        match &item.what {
            What::Call(call) if !call.diffs.is_empty() => files(transcript, call, &mut rows),
            What::Call(call) if is_search(call) => rows.push(search(call)),
            What::Plan(plan) => rows.push(Row {
                id: format!("plan {}", item.id),
                label: plan.steps.first().map_or_else(String::new, |step| first_line(&step.step, MAX_LABEL)),
                meaning: format!(
                    "plan, {} of {} done",
                    plan.steps.iter().filter(|step| step.status == StepStatus::Done).count(),
                    count(plan.steps.len(), "step")
                ),
                more: String::new(),
            }),
            _ => {}
        }
    }
    rows
}

fn files(transcript: &Transcript, call: &Call, rows: &mut Vec<Row>) {
    for diff in &call.diffs {
        let id = format!("file {}", diff.path);
        if rows.iter().any(|row| row.id == id) {
            continue;
        }
        let (added, removed, times) = changes(transcript, &diff.path);
        let times = if times > 1 { format!(" in {}", count(times, "change")) } else { String::new() };
        let label = crate::base::text::one_line_name(&diff.path).into_owned();
        rows.push(Row { id, label, meaning: format!("file, +{added} -{removed}{times}"), more: String::new() });
    }
}

/// Adds up the changes of a file.
fn changes(transcript: &Transcript, path: &str) -> (usize, usize, usize) {
    let diffs = calls(transcript).flat_map(|call| &call.diffs).filter(|diff| diff.path == path);
    diffs.fold((0, 0, 0), |(added, removed, n), diff| (added + diff.added, removed + diff.removed, n + 1))
}

fn is_search(call: &Call) -> bool {
    SEARCHES.contains(&call.tool.as_str()) && matches!(call.state, CallState::Ended { .. })
}

fn search(call: &Call) -> Row {
    let summary = match &call.state {
        CallState::Ended { summary, .. } => summary.as_str(),
        _ => "",
    };
    Row {
        id: format!("call {}", call.id),
        label: first_line(&call.target, MAX_LABEL),
        meaning: format!("search, {summary}"),
        more: String::new(),
    }
}

fn calls(transcript: &Transcript) -> impl DoubleEndedIterator<Item = &Call> {
    transcript.items().iter().filter_map(|item| match &item.what {
        What::Call(call) => Some(call.as_ref()),
        _ => None,
    })
}

/// Returns the calls that run or wait, the newest first.
pub fn running(transcript: &Transcript, now_ms: u64) -> Vec<Row> {
    let row = |call: &Call| {
        let meaning = match &call.state {
            CallState::Running { from_ms } => {
                let time = format_duration(now_ms.saturating_sub(*from_ms));
                format!("{} for {time}, {} bytes so far", call.verbs.doing.to_lowercase(), call.n_output_bytes)
            }
            CallState::Asked => "waits for your answer".to_owned(),
            CallState::Proposed => "waits its turn".to_owned(),
            CallState::Ended { .. } => return None,
        };
        Some(Row { id: call.id.to_string(), label: first_line(&call.target, MAX_LABEL), meaning, more: String::new() })
    };
    // Whatever a session that was cut off left open runs no more: only the last turn's calls are looked at.
    let from = transcript.items().iter().rposition(|item| matches!(item.what, What::Person(_))).unwrap_or(0);
    let recent = transcript.items()[from..].iter().rev();
    recent.filter_map(|item| if let What::Call(call) = &item.what { row(call) } else { None }).collect()
}

/// Returns what is in a row.
pub fn beside(transcript: &Transcript, id: &str) -> Vec<Spans> {
    match id.split_once(' ') {
        Some(("file", path)) => changed(transcript, path),
        Some(("plan", at)) => {
            transcript.items().iter().find(|item| at.parse() == Ok(item.id)).map_or_else(Vec::new, |item: &Item| {
                match &item.what {
                    What::Plan(plan) => plain(&plan.to_string()),
                    _ => Vec::new(),
                }
            })
        }
        Some(("call", id)) => calls(transcript).rfind(|call| call.id.0 == id).map_or_else(Vec::new, found),
        _ => calls(transcript).rfind(|call| call.id.0 == id).map_or_else(Vec::new, |call| {
            let mut lines = vec![vec![(Look::Bold, format!("$ {}", call.target))]];
            lines.extend(plain(call.output.trim_end()));
            lines
        }),
    }
}

fn found(call: &Call) -> Vec<Spans> {
    match &call.state {
        CallState::Ended { outcome, .. } => plain(outcome.text()),
        _ => Vec::new(),
    }
}

/// Lays out all changes of a file, the oldest first.
fn changed(transcript: &Transcript, path: &str) -> Vec<Spans> {
    let diffs = calls(transcript).flat_map(|call| &call.diffs).filter(|diff| diff.path == path);
    diffs.flat_map(|diff| diff_view::view(diff, Some(COLUMNS))).collect()
}

/// Lays out lines as they are.
pub fn plain(text: &str) -> Vec<Spans> {
    text.lines().map(|line| vec![(Look::Plain, line.to_owned())]).collect()
}
