//! In which forms can a report be had?
//!
//! One file a format, each a function from plain data to text; [`target`] says where each goes. Must not look at the world:
//! what is not in the data is not in a report. SARIF, JUnit and annotations are written of notices
//! ([`crate::protocol::notice`]), so that findings of a review take the same way as failures of a check.
//! To add one: a file here, a variant of [`target::Format`], an arm in [`render`].

pub mod github;
pub mod junit;
pub mod list;
pub mod markdown;
pub mod review;
pub mod sarif;
pub mod target;
pub mod text;
pub mod words;

use serde_json::Value;

use crate::base::fault::{Fault, Kind};
use crate::cli::report::target::Format;
use crate::protocol::fix_report::FixReport;
use crate::protocol::notice::Notice;
use crate::session::export::escape_hidden;

/// Writes a report in a format; ends with a line feed unless there is nothing to say.
///
/// # Errors
/// A bug: plain data that cannot be written as JSON.
pub fn render(format: Format, report: &FixReport) -> Result<String, Fault> {
    Ok(match format {
        Format::Text => text::whole(report),
        Format::Json => escape_hidden(&json(report)?),
        Format::Jsonl => escape_hidden(&format!("{}\n", event(report)?)),
        Format::Markdown => markdown::document(report),
        Format::Sarif => escape_hidden(&sarif::document(&sarif_run(report))?),
        Format::Junit => junit::document(report),
        Format::Github => github::annotations(&github::notices(report)),
    })
}

fn json(report: &FixReport) -> Result<String, Fault> {
    serde_json::to_string_pretty(report).map(|text| text + "\n").map_err(|error| unwritable(&error))
}

/// Returns a report as the last of a stream of events.
///
/// # Errors
/// A bug: plain data that cannot be written as JSON.
pub fn event(report: &FixReport) -> Result<Value, Fault> {
    let mut value = serde_json::to_value(report).map_err(|error| unwritable(&error))?;
    if let Some(fields) = value.as_object_mut() {
        fields.shift_insert(1, "type".to_owned(), "fix_report".into());
    }
    Ok(value)
}

fn unwritable(error: &serde_json::Error) -> Fault {
    Fault::new(Kind::Bug, "cannot write the report as JSON").cause(error.to_string())
}

fn sarif_run(report: &FixReport) -> sarif::Run {
    sarif::Run {
        notices: report.at_end.failures.iter().map(Notice::from).collect(),
        exit_code: report.ending.code,
        is_done: ran_to_its_end(report.ending.code),
        words: report.ending.message.clone(),
    }
}

/// Says whether a run with this exit code did its work, whatever came of it: no server, no sandbox or a signal kept it from
/// that.
fn ran_to_its_end(code: u8) -> bool {
    code == 0 || [Kind::Task, Kind::Budget, Kind::Flaky].iter().any(|kind| kind.exit_code() == code)
}
