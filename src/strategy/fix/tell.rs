//! What is the model told of what fails, and what does it see of the code at once?
//!
//! The failures as a list, what the checks printed, the lines around the places they name, and which files changed last; and
//! what of its own changes was taken back, and why. Everything has a cap. The sentences stand in `prompts/task`.

use std::collections::BTreeSet;
use std::path::Path;

use crate::base::text::{clip_line, clip_middle};
use crate::context::prompt;
use crate::protocol::failure::Failure;
use crate::strategy::failure::digest;
use crate::strategy::fix::engine::Fixing;
use crate::strategy::fix::guard::Breach;
use crate::workspace::git::{Compared, Git};

/// Bytes of the failures of one check as a list.
const MAX_TOLD_BYTES: usize = 6_000;
/// Bytes of the output of one check where several fail.
const MAX_OUTPUT_BYTES: usize = 6_000;
/// Bytes of code that is shown.
const MAX_CODE_BYTES: usize = 6_000;
/// Lines shown before and behind a place.
const AROUND: usize = 6;
/// Places shown.
const MAX_PLACES: usize = 8;
/// Bytes of one line of code.
const MAX_LINE_BYTES: usize = 200;
/// Largest file that is looked into.
const MAX_FILE_BYTES: u64 = 2 << 20;
/// Changed files that are named.
const MAX_CHANGED: usize = 15;

impl Fixing<'_> {
    /// Words the task of a round.
    pub(super) async fn words(&self, breaches: &[Breach]) -> String {
        let is_alone = self.standing.red().count() == 1;
        let told: Vec<String> = self
            .standing
            .red()
            .map(|(at, run)| {
                let list = digest::words(&run.complaints, MAX_TOLD_BYTES);
                let list = if list.is_empty() { String::new() } else { format!("\n{list}") };
                let output = run.text.trim();
                let output = if is_alone { output.into() } else { clip_middle(output, MAX_OUTPUT_BYTES, "") };
                prompt::TASK_FIX_CHECK.render(&[&self.job.checks[at].spec.command, &run.ending, &list, &output])
            })
            .collect();
        let told = told.join("\n\n");
        let named: Vec<String> =
            self.standing.red().map(|(at, _)| format!("`{}`", self.job.checks[at].spec.command)).collect();
        let named = named.join(" and ");
        if self.round > 1 {
            let taken = if breaches.is_empty() { String::new() } else { format!("\n{}\n", guard_words(breaches)) };
            return prompt::TASK_FIX_AGAIN.render(&[&named, &taken, &told]);
        }
        let code = self.code();
        let changed = self.changed_files().await;
        let seen = if code.is_empty() && changed.is_empty() {
            String::new()
        } else {
            format!("\n{}\n", prompt::TASK_FIX_CONTEXT.render(&[&code, &changed]))
        };
        prompt::TASK_FIX.render(&[&named, &seen, &told])
    }

    /// Shows the lines around the places that failures name.
    fn code(&self) -> String {
        let mut places: Vec<(String, u32)> = Vec::new();
        for (at, run) in self.standing.red() {
            let folder = &self.job.checks[at].spec.folder;
            let below = |file: &str| if folder.is_empty() { file.to_owned() } else { format!("{folder}/{file}") };
            let named = run.complaints.failures.iter().flat_map(places_of);
            places.extend(named.map(|(file, line)| (below(&file), line)));
        }
        let (mut out, mut seen) = (String::new(), BTreeSet::new());
        for (file, line) in places {
            let is_new =
                !seen.iter().any(|(other, at): &(String, u32)| *other == file && at.abs_diff(line) < AROUND as u32);
            if !is_new || seen.len() >= MAX_PLACES {
                continue;
            }
            let Some(excerpt) = excerpt(&self.job.folder, &file, line) else { continue };
            if out.len() + excerpt.len() > MAX_CODE_BYTES {
                break;
            }
            out.push_str(&excerpt);
            seen.insert((file, line));
        }
        out.trim_end().to_owned()
    }

    /// Names the files that differ from the last commit, or else the files of that commit.
    async fn changed_files(&self) -> String {
        let git = Git::new(self.bench.runner, &self.job.folder);
        let mut names: Vec<String> = match git.status().await {
            Ok(status) => status.entries.into_iter().map(|entry| entry.path).collect(),
            Err(_) => return String::new(),
        };
        if names.is_empty()
            && let Ok(patch) = git.diff(&Compared::Revision("HEAD~1..HEAD".to_owned()), &[]).await
        {
            names = patch.files.into_iter().map(|file| file.path).collect();
        }
        names.truncate(MAX_CHANGED);
        names.join(", ")
    }
}

/// Words what was taken back.
fn guard_words(breaches: &[Breach]) -> String {
    let lines: Vec<String> = breaches.iter().map(|breach| format!("- {}: {}", breach.file, breach.words)).collect();
    prompt::TASK_FIX_GUARD.render(&[&lines.join("\n")])
}

fn places_of(failure: &Failure) -> Vec<(String, u32)> {
    let own = failure.file.clone().zip(failure.line);
    let frames = failure.stack.iter().map(|frame| (frame.file.clone(), frame.line));
    own.into_iter().chain(frames).collect()
}

/// Shows the lines around one, numbered.
fn excerpt(folder: &Path, file: &str, line: u32) -> Option<String> {
    let path = folder.join(file).canonicalize().ok().filter(|path| path.starts_with(folder))?;
    if crate::policy::path::is_secret(&path) || path.metadata().is_ok_and(|meta| meta.len() > MAX_FILE_BYTES) {
        return None;
    }
    let text = std::fs::read_to_string(&path).ok()?;
    let line = line as usize;
    let first = line.saturating_sub(AROUND).max(1);
    let shown: Vec<String> = text
        .lines()
        .enumerate()
        .map(|(at, text)| (at + 1, text))
        .skip(first - 1)
        .take_while(|(number, _)| *number <= line + AROUND)
        .map(|(number, text)| format!("{number:>5}  {}", clip_line(text, MAX_LINE_BYTES)))
        .collect();
    (!shown.is_empty()).then(|| format!("{file}:\n{}\n", shown.join("\n")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_is_shown_around_a_line_and_nothing_outside_of_the_project() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let text: String = (1..=30).map(|n| format!("line {n}\n")).collect();
        std::fs::write(root.join("a.rs"), text).unwrap();
        std::fs::write(root.join(".env"), "secret\n").unwrap();
        let shown = excerpt(&root, "a.rs", 10).unwrap();
        assert!(shown.starts_with("a.rs:\n    4  line 4\n") && shown.ends_with("   16  line 16\n"), "{shown}");
        assert!(excerpt(&root, "a.rs", 1).unwrap().starts_with("a.rs:\n    1  line 1\n"));
        for (file, line) in [("a.rs", 99), ("b.rs", 1), (".env", 1), ("../../etc/passwd", 1)] {
            assert_eq!(excerpt(&root, file, line), None, "{file}");
        }
    }
}
