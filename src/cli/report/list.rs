//! How does the work on many repositories read as one report?

use serde::Serialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::base::clock::format_duration;
use crate::base::fault::{Fault, Kind};
use crate::base::text::visible;
use crate::cli::report::target::Format;
use crate::cli::report::{github, junit, markdown, sarif, words};
use crate::protocol::notice::Notice;
use crate::strategy::repo_list::{Done, Item};

/// Version of the form.
const VERSION: u32 = 1;

/// What a list has come to so far.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ListReport {
    /// [`VERSION`].
    v: u32,
    /// The list.
    #[serde(with = "crate::protocol::path")]
    list: PathBuf,
    /// How many ended how.
    endings: BTreeMap<String, usize>,
    /// Repositories that nobody has worked on yet.
    left: Vec<Item>,
    /// What is done, in the order of the list, each with its report.
    pub repositories: Vec<Done>,
}

impl ListReport {
    /// Puts the results of all shares together, in the order of the list; results of what the list does not name any more are
    /// left out.
    pub fn new(list: &Path, items: &[Item], done: &[Done]) -> Self {
        let mut repositories = Vec::new();
        let (mut left, mut endings) = (Vec::new(), BTreeMap::new());
        for item in items {
            match done.iter().find(|done| done.item == *item) {
                Some(done) => {
                    *endings.entry(done.report.ending.word.clone()).or_insert(0) += 1;
                    repositories.push(done.clone());
                }
                None => left.push(item.clone()),
            }
        }
        Self { v: VERSION, list: list.to_path_buf(), endings, left, repositories }
    }
}

/// Writes the report in a format.
///
/// # Errors
/// A bug: plain data that cannot be written as JSON.
pub fn render(format: Format, report: &ListReport) -> Result<String, Fault> {
    let unwritable =
        |error: serde_json::Error| Fault::new(Kind::Bug, "cannot write the report as JSON").cause(error.to_string());
    Ok(match format {
        Format::Text => text(report),
        Format::Json => serde_json::to_string_pretty(report).map_err(unwritable)? + "\n",
        Format::Jsonl => {
            let lines = report.repositories.iter().map(|done| serde_json::to_string(done).map(|line| line + "\n"));
            lines.collect::<Result<String, _>>().map_err(unwritable)?
        }
        Format::Markdown => document(report),
        Format::Junit => junit::suites(report.repositories.iter().map(|done| (done.item.path.as_str(), &done.report))),
        Format::Sarif => sarif::document(&sarif_run(report))?,
        Format::Github => github::annotations(&notices(report)),
    })
}

fn text(report: &ListReport) -> String {
    let mut lines = Vec::new();
    for done in &report.repositories {
        let ending = &done.report.ending;
        let time = format_duration(done.report.duration_ms);
        lines.push(format!("{:>3}  {:<19}  {time:>7}  {}", ending.code, ending.word, done.item.path));
    }
    lines.extend(report.left.iter().map(|item| format!("  -  {:<19}  {:>7}  {}", "not_done", "", item.path)));
    let sums: Vec<String> = report.endings.iter().map(|(word, n)| format!("{n} {}", word.replace('_', " "))).collect();
    let left = if report.left.is_empty() { String::new() } else { format!("; {} not done yet", report.left.len()) };
    lines.push(format!("{}{left}", if sums.is_empty() { "nothing done".to_owned() } else { sums.join(", ") }));
    visible(&(lines.join("\n") + "\n")).into_owned()
}

fn document(report: &ListReport) -> String {
    let mut out =
        "## mimi fix: many repositories\n\n| Repository | | Code | Time |\n| --- | --- | --- | --- |\n".to_owned();
    for done in &report.repositories {
        let (ending, time) = (&done.report.ending, format_duration(done.report.duration_ms));
        let path = markdown::code(&done.item.path).replace('|', "\\|");
        out.push_str(&format!("| {path} | {} | {} | {time} |\n", ending.word.replace('_', " "), ending.code));
    }
    for item in &report.left {
        out.push_str(&format!("| {} | not done | | |\n", markdown::code(&item.path).replace('|', "\\|")));
    }
    out
}

/// Returns what still fails in all repositories, with their paths before those of the files.
fn failures(report: &ListReport) -> impl Iterator<Item = Notice> {
    report.repositories.iter().flat_map(|done| {
        done.report.at_end.failures.iter().map(|failure| {
            let mut notice = Notice::from(failure);
            let below = |file: String| if file.starts_with('/') { file } else { format!("{}/{file}", done.item.path) };
            notice.file = notice.file.map(below);
            notice
        })
    })
}

fn sarif_run(report: &ListReport) -> sarif::Run {
    let is_failed = report.repositories.iter().any(|done| done.report.ending.code != 0);
    sarif::Run {
        notices: failures(report).collect(),
        exit_code: u8::from(is_failed),
        is_done: true,
        words: String::new(),
    }
}

fn notices(report: &ListReport) -> Vec<Notice> {
    let whole = report.repositories.iter().flat_map(|done| {
        let first = github::notices(&done.report).into_iter().next();
        first.map(|notice| Notice { title: format!("{}: {}", done.item.path, words::ending(&done.report)), ..notice })
    });
    whole.chain(failures(report)).collect()
}
