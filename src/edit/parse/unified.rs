//! How is a unified diff read?
//!
//! As `diff -u` and git write it and as models do: counts may be wrong, line numbers too or left out, headers may miss where
//! the file is known. Where every count is right the numbers are kept as a hint. A diff that changes a mode, copies a file
//! or holds bytes is refused, because half of it would be lost.

use crate::edit::EditError;
use crate::edit::change::{ChangeSet, FileChange, Hint, Replacement, What};
use crate::edit::misstated::Misstated;
use crate::edit::parse::{Lines, bare_path};
use crate::protocol::profile::EditDialect;

/// What the dialect is called in refusals.
const WHAT: &str = "diff";
/// Names that tools put before the path on either side.
const SIDES: [(&str, &str); 4] = [("a/", "b/"), ("old/", "new/"), ("original/", "modified/"), ("i/", "w/")];
/// Endings of the old side's name where a copy was compared with the file.
const COPIES: [&str; 4] = [".orig", ".old", ".bak", "~"];
const NOTHING: &str = "/dev/null";

/// Says whether a text is meant as a diff.
pub fn is_like(text: &str) -> bool {
    let lines: Vec<&str> = text.lines().collect();
    let has_heads = lines.windows(2).any(|pair| pair[0].starts_with("--- ") && pair[1].starts_with("+++ "));
    let has_hunk = lines.iter().any(|line| line.starts_with("@@"));
    let has_change =
        lines.iter().any(|line| line.starts_with(['+', '-']) && !line.starts_with("+++") && !line.starts_with("---"));
    let is_git = lines.iter().any(|line| line.starts_with("diff --git "));
    is_git || has_heads || has_hunk && has_change
}

/// Reads a diff. `path` is the file meant where no header names one.
pub fn parse(text: &str, path: Option<&str>) -> Result<ChangeSet, EditError> {
    let mut lines = Lines::new(text);
    let mut files = Vec::new();
    let mut head = Head { path: path.map(|path| bare_path(path).to_owned()), ..Head::default() };
    while let Some(line) = lines.peek() {
        if line.starts_with("@@") {
            files.push(file(&head, &hunks(&mut lines)?, &lines)?);
            head = Head::default();
            continue;
        }
        lines.next();
        if let Some(rest) = line.strip_prefix("diff --git ") {
            files.extend(head.without_hunks(&lines)?);
            head = Head { path: git_path(rest), ..Head::default() };
        } else if let Some(old) =
            line.strip_prefix("--- ").filter(|_| lines.peek().is_some_and(|line| line.starts_with("+++ ")))
        {
            let new = lines.next().unwrap_or_default();
            head.old = Some(name(old));
            head.new = Some(name(&new[4..]));
        } else {
            head.read(line, lines.number())?;
        }
    }
    files.extend(head.without_hunks(&lines)?);
    if files.is_empty() {
        return Err(Misstated::Nothing.into());
    }
    Ok(ChangeSet { dialect: EditDialect::UnifiedDiff, files })
}

/// What stands above the hunks of a file.
#[derive(Debug, Default)]
struct Head {
    /// The path of git's own header, or the one given with the diff.
    path: Option<String>,
    old: Option<String>,
    new: Option<String>,
    from: Option<String>,
    to: Option<String>,
    is_new: bool,
    is_deleted: bool,
    has_mode: bool,
}

impl Head {
    fn read(&mut self, line: &str, number: usize) -> Result<(), EditError> {
        let refuse = |why: &str| Err(Misstated::Form { what: WHAT, line: number, why: why.to_owned() }.into());
        if let Some(from) = line.strip_prefix("rename from ") {
            self.from = Some(bare_path(from).to_owned());
        } else if let Some(to) = line.strip_prefix("rename to ") {
            self.to = Some(bare_path(to).to_owned());
        } else if line.starts_with("new file mode ") {
            self.is_new = true;
        } else if line.starts_with("deleted file mode ") {
            self.is_deleted = true;
        } else if line.starts_with("old mode ") || line.starts_with("new mode ") {
            self.has_mode = true;
        } else if line.starts_with("copy from ") || line.starts_with("copy to ") {
            return refuse("it copies a file, which a diff cannot do here");
        } else if line == "GIT binary patch" || line.starts_with("Binary files ") {
            return refuse("it holds bytes, not text");
        }
        Ok(())
    }

    /// Returns what a header without hunks means: a new name, an empty file, a file that goes.
    fn without_hunks(&self, lines: &Lines<'_>) -> Result<Option<FileChange>, EditError> {
        if let (Some(from), Some(to)) = (&self.from, &self.to) {
            let what = What::Move { to: to.clone(), edits: Vec::new() };
            return Ok(Some(FileChange { path: from.clone(), what }));
        }
        let why = match (&self.path, self.old.is_some()) {
            (Some(path), _) if self.is_new => {
                return Ok(Some(FileChange { path: path.clone(), what: What::Create(String::new()) }));
            }
            (Some(path), _) if self.is_deleted => {
                return Ok(Some(FileChange { path: path.clone(), what: What::Delete(None) }));
            }
            _ if self.has_mode => "it changes the mode of a file",
            (_, true) => "there is no hunk (`@@`) below the names",
            _ => return Ok(None),
        };
        Err(Misstated::Form { what: WHAT, line: lines.number(), why: why.to_owned() }.into())
    }
}

/// Reads the name in a header: without the time behind a tab, and without quotes.
fn name(given: &str) -> String {
    let given = given.split('\t').next().unwrap_or(given).trim_end();
    match given.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(quoted) => unquoted(quoted),
        None => given.to_owned(),
    }
}

/// Undoes git's quoting of names: backslashes, `\n`, `\t` and bytes in octal.
fn unquoted(quoted: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), quoted.as_bytes());
    while let Some((first, after)) = rest.split_first() {
        let octal = |digits: &[u8]| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok();
        let (byte, n_read) = match (first, after.first()) {
            (b'\\', Some(b'n')) => (b'\n', 2),
            (b'\\', Some(b't')) => (b'\t', 2),
            (b'\\', Some(b'0'..=b'7')) if after.len() >= 3 => (octal(&after[..3]).unwrap_or(b'?'), 4),
            (b'\\', Some(other)) => (*other, 2),
            _ => (*first, 1),
        };
        bytes.push(byte);
        rest = &rest[n_read..];
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Reads the path of `diff --git a/x b/x`, where both sides name the same file.
fn git_path(rest: &str) -> Option<String> {
    let half = rest.len() / 2;
    let (old, new) = (rest.get(..half)?, rest.get(half + 1..)?);
    let (old, new) = (old.strip_prefix("a/")?, new.strip_prefix("b/")?);
    (old == new).then(|| new.to_owned())
}

/// Takes off what tools put before the two names; only where both sides have it.
fn bare_sides<'a>(old: &'a str, new: &'a str) -> (&'a str, &'a str) {
    for (left, right) in SIDES {
        let bare_old = if old == NOTHING { Some(old) } else { old.strip_prefix(left) };
        let bare_new = if new == NOTHING { Some(new) } else { new.strip_prefix(right) };
        if let (Some(old), Some(new)) = (bare_old, bare_new) {
            return (old, new);
        }
    }
    (old, new)
}

fn file(head: &Head, hunks: &[Hunk], lines: &Lines<'_>) -> Result<FileChange, EditError> {
    let refuse = |why: String| Err(Misstated::Form { what: WHAT, line: lines.number(), why }.into());
    if head.has_mode {
        return refuse("it changes the mode of a file".to_owned());
    }
    let joined = |side: fn(&Hunk) -> &str| hunks.iter().map(side).collect::<String>();
    let (old, new) = match (&head.old, &head.new) {
        (Some(old), Some(new)) => bare_sides(old, new),
        _ => match &head.path {
            Some(path) if head.is_new => (NOTHING, path.as_str()),
            Some(path) => (path.as_str(), path.as_str()),
            None => {
                return refuse("no file is named above the hunk; put `--- a/path` and `+++ b/path` there".to_owned());
            }
        },
    };
    let (old, new) = (bare_path(old), bare_path(new));
    // A copy that was compared with the file itself.
    let old = if COPIES.iter().any(|ending| old.strip_suffix(ending) == Some(new)) { new } else { old };
    let edits = || replacements(hunks);
    let (path, what) = match (old, new) {
        (NOTHING, NOTHING) => return refuse("both sides are `/dev/null`".to_owned()),
        (NOTHING, new) => (new, What::Create(joined(|hunk| &hunk.new))),
        (old, NOTHING) => (old, What::Delete(Some(joined(|hunk| &hunk.old)))),
        (old, new) if head.from.as_deref() == Some(old) && head.to.as_deref() == Some(new) => {
            (old, What::Move { to: new.to_owned(), edits: edits() })
        }
        (old, new) if old == new => (new, What::Edit(edits())),
        (old, new) => {
            let why =
                format!("it names two files, `{old}` and `{new}`; to rename one say `rename from` and `rename to`");
            return refuse(why);
        }
    };
    Ok(FileChange { path: path.to_owned(), what })
}

/// A hunk as it was read.
#[derive(Debug, Default)]
struct Hunk {
    old: String,
    new: String,
    start: Option<usize>,
    has_right_counts: bool,
}

fn replacements(hunks: &[Hunk]) -> Vec<Replacement> {
    let are_right = hunks.iter().all(|hunk| hunk.has_right_counts);
    let hint = |hunk: &Hunk| Hint {
        line: hunk.start.filter(|_| are_right && !hunk.old.is_empty()),
        is_in_order: true,
        ..Hint::default()
    };
    hunks.iter().map(|hunk| Replacement::lines(&hunk.old, &hunk.new, hint(hunk))).collect()
}

fn hunks(lines: &mut Lines<'_>) -> Result<Vec<Hunk>, EditError> {
    let mut hunks = Vec::new();
    while let Some(line) = lines.peek().filter(|line| line.starts_with("@@")) {
        lines.next();
        hunks.push(hunk(lines, line)?);
    }
    Ok(hunks)
}

fn hunk(lines: &mut Lines<'_>, head: &str) -> Result<Hunk, EditError> {
    let range = Range::read(head);
    let first = lines.number();
    let (mut hunk, mut n_old, mut n_new) = (Hunk::default(), 0, 0);
    let mut last = ' ';
    while let Some(line) = lines.peek() {
        let is_full = range.is_some_and(|range| n_old >= range.n_old && n_new >= range.n_new);
        if ends_hunk(lines, line, is_full) {
            break;
        }
        lines.next();
        let mark = line.chars().next().unwrap_or(' ');
        let rest = line.get(1..).unwrap_or_default();
        match mark {
            '\\' => {
                // `\ No newline at end of file` is said of the line above.
                let old = (last != '+').then_some(&mut hunk.old);
                let new = (last != '-').then_some(&mut hunk.new);
                for side in old.into_iter().chain(new) {
                    side.truncate(side.strip_suffix('\n').map_or(side.len(), str::len));
                }
            }
            '+' => push_line(&mut hunk.new, rest, &mut n_new),
            '-' => push_line(&mut hunk.old, rest, &mut n_old),
            _ => {
                // A blank line that lost its blank, or a context line that did.
                let rest = if mark == ' ' { rest } else { line };
                push_line(&mut hunk.old, rest, &mut n_old);
                push_line(&mut hunk.new, rest, &mut n_new);
            }
        }
        last = mark;
    }
    if hunk.old == hunk.new {
        let why = if hunk.old.is_empty() { "the hunk has no lines" } else { "the hunk changes nothing" };
        return Err(Misstated::Form { what: WHAT, line: first, why: why.to_owned() }.into());
    }
    hunk.start = range.map(|range| range.start);
    hunk.has_right_counts = range.is_some_and(|range| (range.n_old, range.n_new) == (n_old, n_new));
    Ok(hunk)
}

/// Says whether a line stands below the hunk: another hunk, another file, or the end of what was put around the diff.
fn ends_hunk(lines: &Lines<'_>, line: &str, is_full: bool) -> bool {
    let is_head = line.starts_with("--- ") && lines.peek_at(1).is_some_and(|next| next.starts_with("+++ "));
    let is_really_head = is_head && (is_full || lines.peek_at(2).is_some_and(|next| next.starts_with("@@")));
    let is_rest_blank = || {
        let mut ahead = 0;
        while lines.peek_at(ahead).is_some_and(|line| line.trim().is_empty() && !line.starts_with(' ')) {
            ahead += 1;
        }
        lines
            .peek_at(ahead)
            .is_none_or(|line| line.starts_with("@@") || line.starts_with("diff --git ") || line.starts_with("```"))
    };
    line.starts_with("@@")
        || line.starts_with("diff --git ")
        || line.starts_with("```")
        || is_really_head
        || line == "-- " && is_full
        || line.is_empty() && is_full && is_rest_blank()
}

fn push_line(side: &mut String, line: &str, n_lines: &mut usize) {
    side.push_str(line);
    side.push('\n');
    *n_lines += 1;
}

/// The numbers of a hunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Range {
    start: usize,
    n_old: usize,
    n_new: usize,
}

impl Range {
    /// Reads `@@ -12,3 +12,4 @@`; none when there are no numbers.
    fn read(head: &str) -> Option<Self> {
        let rest = head.trim_start_matches('@').trim_start();
        let (old, rest) = rest.strip_prefix('-')?.split_once(' ')?;
        let new = rest.trim_start().strip_prefix('+')?;
        let new = &new[..new.find(|c: char| !c.is_ascii_digit() && c != ',').unwrap_or(new.len())];
        let pair = |text: &str| {
            let (start, n) = text.split_once(',').unwrap_or((text, "1"));
            Some((start.parse::<usize>().ok()?, n.parse::<usize>().ok()?))
        };
        let ((start, n_old), (_, n_new)) = (pair(old)?, pair(new)?);
        Some(Self { start, n_old, n_new })
    }
}
