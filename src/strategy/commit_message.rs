//! How is a change put into the words of a commit message?
//!
//! A model that may only read is shown what is staged; its answer is held to the style and length that were asked for, and
//! asked for again when it misses them. Must not commit: that is for the command, on a person's word.

use std::sync::LazyLock;

use regex::Regex;

use crate::agent::handle::Handle;
use crate::base::fault::{Fault, Kind};
use crate::base::text::{clip_line, is_hidden};
use crate::config::schema::{CommitConfig, CommitStyle};
use crate::context::prompt;
use crate::protocol::event::Record;
use crate::strategy::answer::{self, Wanted};
use crate::strategy::review::part::Parts;
use crate::workspace::git_changes::Changes;

/// Columns lines of the body are wrapped at, as git's own documentation advises.
const BODY_COLUMNS: usize = 72;
/// Trailers only a person can set: they sign for somebody.
const SIGNATURES: [&str; 7] =
    ["signed-off-by:", "co-authored-by:", "reviewed-by:", "acked-by:", "tested-by:", "reported-by:", "generated-by:"];
/// Files named in the list above the change; the others are counted.
const MAX_LISTED: usize = 60;

static CONVENTIONAL: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"^(?<type>[A-Za-z]+)(\((?<scope>[^()\s]+)\))?!?: (?<what>\S.*)$").ok());

/// What the model is shown.
pub struct Material<'a> {
    /// All that is staged.
    pub changes: &'a Changes,
    /// The part of it that fits.
    pub parts: &'a Parts,
    /// First lines of the last messages, newest first.
    pub recent: &'a [String],
}

/// Has the message written; a few tries, each told what is wrong with the one before.
///
/// # Errors
/// The model fails, or no answer holds what was asked for; the last one is in the causes.
pub async fn write(
    agent: &mut Handle,
    material: &Material<'_>,
    rules: &CommitConfig,
    listen: impl FnMut(&Record),
) -> Result<String, Fault> {
    let wanted = Wanted { read: |answer: &str| read(answer, rules), again: prompt::TASK_COMMIT_AGAIN };
    match answer::ask(agent, words(material, rules), wanted, listen).await? {
        (_, Some(Ok(message))) => Ok(message),
        (turn, Some(Err(why))) => {
            let said = crate::base::text::first_line(&turn.answer, 200);
            Err(Fault::new(Kind::Task, format!("the model writes no message that can be taken: {why}")).cause(said))
        }
        (turn, None) => Err(answer::end_fault(turn.end)),
    }
}

fn words(material: &Material<'_>, rules: &CommitConfig) -> String {
    let style = match rules.style {
        CommitStyle::Conventional => prompt::TASK_COMMIT_CONVENTIONAL.render(&[&rules.types.join(", ")]),
        CommitStyle::Plain => prompt::TASK_COMMIT_PLAIN.render(&[]),
    };
    let recent: Vec<String> = material.recent.iter().map(|subject| format!("- {}", clip_line(subject, 120))).collect();
    let recent = if recent.is_empty() { "- (none)".to_owned() } else { recent.join("\n") };
    let text = material.parts.parts.first().map_or("", |part| &part.text);
    prompt::TASK_COMMIT.render(&[&style, &rules.max_subject.to_string(), &recent, &files(material.changes), text])
}

/// Lists what changed, also what is not shown line by line.
fn files(changes: &Changes) -> String {
    let mut rows: Vec<String> = changes
        .files
        .iter()
        .take(MAX_LISTED)
        .map(|file| {
            let (added, removed) = file.counts();
            let kind = format!("{:?}", file.kind).to_lowercase();
            let from = file.from.as_ref().map_or_else(String::new, |from| format!(" (was {from})"));
            format!("- {kind} {}{from} +{added} -{removed}", crate::base::text::one_line_name(&file.path))
        })
        .collect();
    rows.extend(changes.left_out.iter().map(|left| format!("- {}", left.path)));
    let n_more = changes.files.len().saturating_sub(MAX_LISTED);
    rows.extend((n_more > 0).then(|| format!("- {n_more} more")));
    rows.join("\n")
}

/// Takes the message out of an answer and holds it to the rules. `Err` says what is wrong with it.
pub fn read(answer: &str, rules: &CommitConfig) -> Result<String, String> {
    let clean: String = answer.chars().filter(|c| !is_hidden(*c)).map(|c| if c == '\t' { ' ' } else { c }).collect();
    // Set below, all in one paragraph, as git wants them.
    let is_trailer = |line: &str| rules.trailers.iter().any(|trailer| trailer == line);
    let mut lines = bare(&clean).lines().map(str::trim_end).filter(|line| !is_signature(line) && !is_trailer(line));
    let subject = lines.by_ref().map(subject_of).find(|line| !line.is_empty()).unwrap_or_default();
    check_subject(&subject, rules)?;
    let body = lines.map(wrapped).collect::<Vec<_>>().join("\n");
    Ok(join(&subject, body.trim_matches('\n'), &rules.trailers))
}

/// Says what is wrong with the first line of a message.
pub fn check_subject(subject: &str, rules: &CommitConfig) -> Result<(), String> {
    if subject.is_empty() {
        return Err("there is no first line".to_owned());
    }
    let (n, max) = (subject.chars().count(), rules.max_subject);
    if n > max {
        return Err(format!("its first line has {n} characters, at most {max} are allowed"));
    }
    if rules.style == CommitStyle::Plain {
        return Ok(());
    }
    let found = CONVENTIONAL.as_ref().and_then(|pattern| pattern.captures(subject));
    let known = rules.types.join(", ");
    match found.as_ref().and_then(|found| found.name("type")) {
        None => Err(format!("its first line is not `type: words` or `type(scope): words`, with a type of {known}")),
        Some(found) if !rules.types.iter().any(|known| known == found.as_str()) => {
            Err(format!("`{}` is none of the types {known}", found.as_str()))
        }
        Some(_) => Ok(()),
    }
}

fn join(subject: &str, body: &str, trailers: &[String]) -> String {
    let body = (!body.trim().is_empty()).then(|| body.to_owned());
    let trailers = (!trailers.is_empty()).then(|| trailers.join("\n"));
    let parts: Vec<String> = std::iter::once(subject.to_owned()).chain(body).chain(trailers).collect();
    parts.join("\n\n") + "\n"
}

/// Takes thoughts, fences and introductions away.
fn bare(answer: &str) -> &str {
    let answer = answer.rsplit_once("</think>").map_or(answer, |(_, rest)| rest).trim();
    if let Some((before, rest)) = answer.split_once("```") {
        // What stands before the fence is an introduction, unless it is the message itself.
        let is_introduction = before.trim().is_empty() || before.trim_end().ends_with(':');
        if let (true, Some((_, inside))) = (is_introduction, rest.split_once('\n')) {
            return inside.split_once("```").map_or(inside, |(inside, _)| inside).trim();
        }
    }
    match answer.split_once('\n') {
        Some((first, rest)) if first.trim_end().ends_with(':') && first.to_lowercase().contains("message") => {
            rest.trim()
        }
        _ => answer,
    }
}

/// Takes away what models put around a first line.
fn subject_of(line: &str) -> String {
    let line = line.trim().trim_start_matches("# ");
    let line = line.strip_prefix("Subject:").unwrap_or(line).trim();
    let line = line.trim_matches(['"', '`', '*']).trim();
    let is_cut = line.ends_with("..");
    if is_cut { line.to_owned() } else { line.trim_end_matches('.').to_owned() }
}

fn is_signature(line: &str) -> bool {
    let line = line.trim_start().to_lowercase();
    SIGNATURES.iter().any(|start| line.starts_with(start))
}

/// Wraps a line of the body; what begins a list goes on below its words.
fn wrapped(line: &str) -> String {
    if line.chars().count() <= BODY_COLUMNS {
        return line.to_owned();
    }
    let text = line.trim_start();
    let mut indent = " ".repeat(line.len() - text.len());
    let first_indent = indent.clone();
    if text.starts_with("- ") || text.starts_with("* ") {
        indent.push_str("  ");
    }
    let (mut lines, mut row) = (Vec::new(), first_indent);
    for word in text.split_whitespace() {
        let is_begun = !row.trim().is_empty();
        if is_begun && row.chars().count() + 1 + word.chars().count() > BODY_COLUMNS {
            lines.push(std::mem::replace(&mut row, indent.clone()));
        } else if is_begun {
            row.push(' ');
        }
        row.push_str(word);
    }
    lines.push(row);
    lines.join("\n")
}

#[cfg(test)]
#[path = "commit_message_tests.rs"]
mod tests;
