//! What was made in this conversation, and what runs now?
//!
//! Read from the transcript: files that were changed, searches, plans; and the calls that have not ended.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::clock::format_duration;
use crate::base::text::{count, first_line};
use crate::protocol::plan::StepStatus;
use crate::tui::diff_view::{self, Spans};
use crate::tui::look::Look;
use crate::tui::state::around::board::Row;
use crate::tui::state::item::{Call, CallState, Item, What};
use crate::tui::state::transcript::Transcript;

/// Tools that look for something; what they found is worth coming back to.
pub const SEARCHES: &[&str] = &["search", "search_code", "list_files", "repo_map"];
/// The tool whose commands can go on behind the turn.
const SHELL: &str = "shell";
/// Columns for which a change is laid out beside a list.
const COLUMNS: usize = 100;
/// Characters of a row's name.
const MAX_LABEL: usize = 120;

/// Returns what was made, the newest first: a file once, however often it was changed.
pub fn rows(transcript: &Transcript) -> Vec<Row> {
    let changes = changes(transcript);
    let mut named: BTreeSet<&str> = BTreeSet::new();
    let mut rows: Vec<Row> = Vec::new();
    for item in transcript.items().iter().rev() {
        match &item.what {
            What::Call(call) if !call.diffs.is_empty() => {
                let new = call.diffs.iter().map(|diff| diff.path.as_str()).filter(|path| named.insert(*path));
                rows.extend(new.map(|path| file(path, changes.get(path).copied().unwrap_or_default())));
            }
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

/// Lines added, lines removed, times.
type Change = (usize, usize, usize);

fn file(path: &str, (added, removed, times): Change) -> Row {
    let times = if times > 1 { format!(" in {}", count(times, "change")) } else { String::new() };
    let label = crate::base::text::one_line_name(path).into_owned();
    let meaning = format!("file, +{added} -{removed}{times}");
    Row { id: format!("file {path}"), label, meaning, more: String::new() }
}

/// Adds up the changes of each file.
fn changes(transcript: &Transcript) -> BTreeMap<&str, Change> {
    let mut changes: BTreeMap<&str, Change> = BTreeMap::new();
    for diff in calls(transcript).flat_map(|call| &call.diffs) {
        let (added, removed, times) = changes.entry(&diff.path).or_default();
        (*added, *removed, *times) = (*added + diff.added, *removed + diff.removed, *times + 1);
    }
    changes
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
            CallState::Behind { from_ms } => {
                let time = format_duration(now_ms.saturating_sub(*from_ms));
                format!("in the background for {time}, {} bytes so far", call.n_output_bytes)
            }
            CallState::Asked => "waits for your answer".to_owned(),
            CallState::Proposed => "waits its turn".to_owned(),
            CallState::Ended { .. } => return None,
        };
        Some(Row { id: call.id.to_string(), label: first_line(&call.target, MAX_LABEL), meaning, more: String::new() })
    };
    // Whatever a session that was cut off left open runs no more: only the last turn's calls are looked at.
    let from = transcript.items().iter().rposition(|item| matches!(item.what, What::Person(_))).unwrap_or(0);
    let recent = transcript.items()[from..].iter().rev().filter_map(|item| match &item.what {
        What::Call(call) if !matches!(call.state, CallState::Behind { .. }) => row(call),
        _ => None,
    });
    recent.chain(transcript.behind().filter_map(row)).collect()
}

/// Says whether a call is a command that runs and is not behind the turn.
pub fn may_go_behind(transcript: &Transcript, id: &str) -> bool {
    calls(transcript).rfind(|call| call.id.0 == id).is_some_and(runs)
}

fn runs(call: &Call) -> bool {
    matches!(call.state, CallState::Running { .. }) && call.tool == SHELL
}

/// Names the call that began last and could go on behind the turn.
pub fn last_running(transcript: &Transcript) -> Option<String> {
    calls(transcript).rfind(|call| runs(call)).map(|call| call.id.to_string())
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
