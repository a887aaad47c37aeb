//! Which of a model's findings hold: does the file belong to the change, and the line to its new side?
//!
//! A line that misses the change by a little is moved to the nearest one that is in it; one that lies elsewhere is dropped, and
//! counted. Pure.

use crate::protocol::diff::Kind;
use crate::protocol::finding::Finding;
use crate::strategy::review::reading::Stated;
use crate::workspace::git_patch::FilePatch;

/// Lines by which a finding may miss the change and still be meant for it: models count badly.
const MAX_MISS: usize = 10;

/// Findings that hold, and what became of the others.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settled {
    /// Each once; the gravest first, then by file and line.
    pub findings: Vec<Finding>,
    /// Those whose line or file was set right.
    pub n_moved: usize,
    /// Those about something that is not part of the change.
    pub n_outside: usize,
    /// Those said before.
    pub n_repeated: usize,
}

/// Looks at each finding's place.
pub fn settle(stated: Vec<Stated>, files: &[FilePatch]) -> Settled {
    let mut settled = Settled::default();
    for one in stated {
        let Some(file) = file_of(&one.file, files) else {
            settled.n_outside += 1;
            continue;
        };
        let Some((line, is_moved)) = line_of(one.line, file) else {
            settled.n_outside += 1;
            continue;
        };
        let suggestion = one.suggestion.filter(|text| line.is_some() && !is_moved && !stands_there(text, line, file));
        let finding = Finding { severity: one.severity, file: file.path.clone(), line, why: one.why, suggestion };
        if settled.findings.iter_mut().any(|known| is_repeated(known, &finding)) {
            settled.n_repeated += 1;
        } else {
            settled.n_moved += usize::from(is_moved);
            settled.findings.push(finding);
        }
    }
    settled.findings.sort_by(|a, b| (a.severity, &a.file, a.line, &a.why).cmp(&(b.severity, &b.file, b.line, &b.why)));
    settled
}

/// Finds the file that is meant: by its path, its old path, or the end of its path where only one ends so.
fn file_of<'f>(name: &str, files: &'f [FilePatch]) -> Option<&'f FilePatch> {
    let name = name.trim_start_matches("./");
    let bare = name.strip_prefix("a/").or_else(|| name.strip_prefix("b/")).unwrap_or(name);
    let is_it = |file: &&FilePatch| [name, bare].contains(&file.path.as_str()) || file.from.as_deref() == Some(bare);
    if let Some(file) = files.iter().find(is_it) {
        return Some(file);
    }
    let ends = |long: &str, short: &str| long.strip_suffix(short).is_some_and(|rest| rest.ends_with('/'));
    let mut near = files.iter().filter(|file| ends(&file.path, bare) || ends(bare, &file.path));
    near.next().filter(|_| near.next().is_none())
}

/// Finds the line that is meant and says whether it is another than was named. None when it is not in the change.
fn line_of(line: Option<u32>, file: &FilePatch) -> Option<(Option<u32>, bool)> {
    let ranges = || {
        file.hunks
            .iter()
            .filter(|hunk| hunk.new_lines > 0)
            .map(|hunk| (hunk.new_start, hunk.new_start + hunk.new_lines - 1))
    };
    let has_lines = file.kind != Kind::Deleted && ranges().next().is_some();
    let Some(line) = line.filter(|_| has_lines) else { return Some((None, line.is_some())) };
    let line = line as usize;
    let miss = |(first, last): (usize, usize)| first.saturating_sub(line).max(line.saturating_sub(last));
    let (miss, (first, last)) = ranges().map(|range| (miss(range), range)).min_by_key(|(miss, _)| *miss)?;
    let within = u32::try_from(line.clamp(first, last)).ok()?;
    (miss <= MAX_MISS).then_some((Some(within), miss > 0))
}

/// Says whether a suggestion is what stands there already.
fn stands_there(suggestion: &str, line: Option<u32>, file: &FilePatch) -> bool {
    let Some(line) = line.map(|line| line as usize) else { return false };
    let hunk = file.hunks.iter().find(|hunk| (hunk.new_start..hunk.new_start + hunk.new_lines).contains(&line));
    let text = hunk.and_then(|hunk| hunk.lines.iter().filter(|text| !text.starts_with('-')).nth(line - hunk.new_start));
    text.is_some_and(|text| text[1..].trim() == suggestion.trim())
}

/// Says whether both say the same of the same place; the graver one stays.
fn is_repeated(known: &mut Finding, other: &Finding) -> bool {
    let words = |text: &str| {
        text.to_lowercase()
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let is_same = known.file == other.file && known.line == other.line && words(&known.why) == words(&other.why);
    if is_same {
        known.severity = known.severity.min(other.severity);
    }
    is_same
}

#[cfg(test)]
#[path = "settle_tests.rs"]
mod tests;
