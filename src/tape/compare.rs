//! When are two texts of two runs the same, although clocks, folders and process numbers are not?
//!
//! Pure. What differs between any two runs is made alike on both sides first: the folders of the run, times, ids, addresses,
//! what a build tool says of its cache, and the order in which tests beside each other end. Everything else counts.

use std::sync::LazyLock;

use regex::Regex;

use crate::base::secrets::veil;
use crate::base::text::clip_line;
use crate::edit::diff::file_diff;

/// Lines of a difference that are shown.
const MAX_DIFF_LINES: usize = 24;
/// Bytes of one such line.
const MAX_LINE_BYTES: usize = 300;

/// Folders that mean the same in both runs, each with the word for it; the longer come first.
#[derive(Debug, Clone, Default)]
pub struct Places(Vec<(String, &'static str)>);

impl Places {
    /// Takes the folders of both runs. What is no folder of its own stands for nothing.
    pub fn new(folders: impl IntoIterator<Item = (String, &'static str)>) -> Self {
        let is_one = |(folder, _): &(String, &str)| folder.len() > 1;
        let mut folders: Vec<_> = folders.into_iter().filter(is_one).collect();
        folders.sort_by_key(|(folder, _)| std::cmp::Reverse(folder.len()));
        folders.dedup();
        Self(folders)
    }

    /// Makes alike what differs between any two runs.
    pub fn plain(&self, text: &str) -> String {
        static VARYING: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
            let rows = [
                (r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "[id]"),
                (r"\b\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}([.,]\d+)?)?(Z|[+-]\d{2}:?\d{2})?", "[time]"),
                (r"\bduration_ms[: ]+[\d.]+", "[time]"),
                (r"\b(\d+m ?)?\d+([.,]\d+)? ?(ns|µs|us|ms|s|sec|seconds?|milliseconds?)\b", "[time]"),
                (r"\b0x[0-9a-fA-F]{4,}\b", "[address]"),
                // What Rust, sanitizers and shells name processes and threads by.
                (r"\(\d+\) panicked at", "panicked at"),
                (r"==\d+==", "==[process]=="),
                (r"\b(pid|PID|process) \d+\b", "$1 [process]"),
            ];
            rows.into_iter().filter_map(|(pattern, word)| Some((Regex::new(pattern).ok()?, word))).collect()
        });
        let text =
            self.0.iter().fold(veil(text).into_owned(), |text, (folder, word)| text.replace(folder.as_str(), word));
        let text = VARYING.iter().fold(text, |text, (pattern, word)| pattern.replace_all(&text, *word).into_owned());
        ordered(&text)
    }
}

/// Leaves out what a build tool says of its cache, and sorts neighbouring lines of tests.
fn ordered(text: &str) -> String {
    const CHATTER: &[&str] = &[
        "Compiling ",
        "Checking ",
        "Fresh ",
        "Finished ",
        "Running ",
        "Downloading ",
        "Downloaded ",
        "Blocking waiting ",
        "Locking ",
        "Updating ",
    ];
    let is_chatter = |line: &&str| CHATTER.iter().any(|word| line.trim_start().starts_with(word));
    let mut lines: Vec<&str> = text.lines().filter(|line| !is_chatter(line)).map(str::trim_end).collect();
    let is_test = |line: &str| line.starts_with("test ") && line.contains(" ... ");
    lines.chunk_by_mut(|a, b| is_test(a) && is_test(b)).for_each(<[&str]>::sort_unstable);
    lines.join("\n")
}

/// Shows in a few lines how `now` differs from `before`; none when they are the same.
pub fn difference(places: &Places, before: &str, now: &str) -> Option<String> {
    let (before, now) = (places.plain(before), places.plain(now));
    if before.trim() == now.trim() {
        return None;
    }
    let diff = file_diff("", Some(&format!("{}\n", before.trim())), Some(&format!("{}\n", now.trim())));
    // The names of the files say nothing here.
    let lines: Vec<&str> = diff.unified.lines().skip_while(|line| !line.starts_with("@@")).collect();
    let shown = lines.iter().take(MAX_DIFF_LINES).map(|line| clip_line(line, MAX_LINE_BYTES).into_owned());
    let more = lines.len().saturating_sub(MAX_DIFF_LINES);
    let rest = (more > 0).then(|| format!("... and {more} more lines"));
    Some(shown.chain(rest).collect::<Vec<_>>().join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_between_any_two_runs_is_no_difference() {
        let places = Places::new([
            ("/ci/build/x".to_owned(), "[project]"),
            ("/tmp/copy".to_owned(), "[project]"),
            ("/".to_owned(), "[home]"),
        ]);
        let table = [
            ("in /ci/build/x/a.rs:3", "in /tmp/copy/a.rs:3", true),
            ("Ran 3 tests in 0.001s", "Ran 3 tests in 0.201s", true),
            ("# duration_ms 51.2", "# duration_ms 9.01", true),
            ("test b ... ok\ntest a ... FAILED", "test a ... FAILED\ntest b ... ok", true),
            ("   Compiling x v0.1.0\nerror: no", "error: no", true),
            ("thread 'a' (123) panicked at x", "thread 'a' (9) panicked at x", true),
            ("at 0x7f3a22 in 2026-01-31T12:00:00Z", "at 0x7f99aa in 2026-02-01T01:00:00.5Z", true),
            ("left: 3", "left: 4", false),
            ("5 s wait", "5 files", false),
        ];
        for (before, now, is_same) in table {
            assert_eq!(difference(&places, before, now).is_none(), is_same, "{before} / {now}");
        }
    }

    #[test]
    fn a_difference_is_short() {
        let lines = |word: &str| (0..100).map(|n| format!("{word} {n}\n")).collect::<String>();
        let shown = difference(&Places::default(), &lines("old"), &lines("new")).unwrap();
        assert!(shown.starts_with("@@") && shown.lines().count() == MAX_DIFF_LINES + 1, "{shown}");
        assert!(shown.ends_with("more lines"), "{shown}");
    }
}
