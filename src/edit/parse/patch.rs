//! How is a patch in the V4A format read?
//!
//! `*** Begin Patch`, sections for files, `@@` lines that name what stands above a place, and lines that start with a
//! blank, `-` or `+`. Read as the engine uses it, more forgivingly than the format's own program ([`crate::edit::v4a`]):
//! several anchors in a row, a context line without its blank, no end marker.

use crate::edit::EditError;
use crate::edit::change::{ChangeSet, FileChange, Hint, Replacement, What};
use crate::edit::misstated::Misstated;
use crate::edit::parse::{Lines, bare_path};
use crate::protocol::profile::EditDialect;

/// What the dialect is called in refusals.
const WHAT: &str = "patch";
const BEGIN: &str = "*** Begin Patch";
const END: &str = "*** End Patch";
const END_OF_FILE: &str = "*** End of File";
const ADD: &str = "*** Add File:";
const UPDATE: &str = "*** Update File:";
const DELETE: &str = "*** Delete File:";
const MOVE: &str = "*** Move File:";
const MOVE_TO: &str = "*** Move to:";

/// Says whether a text is meant as such a patch.
pub fn is_like(text: &str) -> bool {
    text.lines().any(|line| {
        let line = line.trim();
        line == BEGIN || [ADD, UPDATE, DELETE].iter().any(|marker| line.starts_with(marker))
    })
}

/// Reads a patch.
pub fn parse(text: &str) -> Result<ChangeSet, EditError> {
    let mut lines = Lines::new(text);
    // What a model says in front, fences and here-documents among it.
    while lines.peek().is_some_and(|line| !is_marker(line)) {
        lines.next();
    }
    let mut files = Vec::new();
    while let Some(line) = lines.next() {
        let line = line.trim();
        let (head, rest) = line.split_once(':').map_or((line, ""), |(head, rest)| (head, bare_path(rest)));
        match format!("{head}:").as_str() {
            ADD => files.push(FileChange { path: rest.to_owned(), what: What::Write(added(&mut lines)?) }),
            DELETE => files.push(FileChange { path: rest.to_owned(), what: What::Delete(None) }),
            UPDATE | MOVE => files.push(updated(&mut lines, rest)?),
            _ if line == BEGIN || line.is_empty() || line.starts_with("*** Environment ID:") => {}
            _ if line == END => break,
            _ => {
                let why = format!("`{}` is no section of a patch", crate::base::text::first_line(line, 60));
                return Err(Misstated::Form { what: WHAT, line: lines.number(), why }.into());
            }
        }
    }
    if files.is_empty() {
        return Err(Misstated::Nothing.into());
    }
    Ok(ChangeSet { dialect: EditDialect::Patch, files })
}

fn is_marker(line: &str) -> bool {
    let line = line.trim();
    [BEGIN, END, ADD, UPDATE, DELETE, MOVE].iter().any(|marker| line.starts_with(marker))
}

/// Says whether a line of a section is the start of what follows it. A line of the file may begin with stars, too.
fn ends_section(line: &str) -> bool {
    is_marker(line) && !line.starts_with([' ', '+', '-'])
}

/// Says whether the end marker comes next, also with blanks in front: then it is the last line, or only fences follow.
fn is_end(lines: &Lines<'_>) -> bool {
    lines.peek().is_some_and(|line| line.trim() == END)
        && lines.rest().iter().skip(1).all(|line| line.trim().is_empty() || is_tail(line))
}

/// Reads the content of a new file: lines that start with `+`. A blank line without it is taken for one that lost it.
fn added(lines: &mut Lines<'_>) -> Result<String, EditError> {
    let (mut content, mut blanks) = (String::new(), 0);
    while let Some(line) = lines.peek().filter(|line| !ends_section(line) && !is_end(lines)) {
        lines.next();
        match line.strip_prefix('+') {
            Some(line) => {
                content.push_str(&"\n".repeat(blanks));
                blanks = 0;
                content.push_str(line);
                content.push('\n');
            }
            None if line.trim().is_empty() => blanks += 1,
            None if is_tail(line) => break,
            None => {
                let why = "every line of a new file starts with `+`".to_owned();
                return Err(Misstated::Form { what: WHAT, line: lines.number(), why }.into());
            }
        }
    }
    Ok(content)
}

/// Says whether a line closes what was put around the patch: a fence or a here-document.
fn is_tail(line: &str) -> bool {
    let line = line.trim();
    line.starts_with("```") || matches!(line, "EOF" | "PATCH" | "END_PATCH" | "EOT")
}

/// A hunk while it is read.
#[derive(Default)]
struct Hunk {
    anchors: Vec<String>,
    old: String,
    new: String,
    is_at_end: bool,
}

impl Hunk {
    fn has_lines(&self) -> bool {
        !self.old.is_empty() || !self.new.is_empty()
    }

    fn push(&mut self, line: &str) {
        let (mark, rest) = match line.chars().next() {
            Some(mark @ (' ' | '+' | '-')) => (mark, &line[1..]),
            // A context line whose blank was forgotten.
            _ => (' ', line),
        };
        for side in
            [(mark != '+').then_some(&mut self.old), (mark != '-').then_some(&mut self.new)].into_iter().flatten()
        {
            side.push_str(rest);
            side.push('\n');
        }
    }

    fn replacement(self) -> Replacement {
        // Lines that are only added, with nothing said of the place, go to the end: so the format has it.
        let is_at_end = self.is_at_end || self.old.is_empty() && self.anchors.is_empty();
        let hint = Hint { anchors: self.anchors, line: None, is_at_end, is_in_order: true };
        Replacement::lines(self.old, self.new, hint)
    }
}

fn updated(lines: &mut Lines<'_>, path: &str) -> Result<FileChange, EditError> {
    let first = lines.number();
    let (mut path, mut to) = (path.to_owned(), None);
    if let Some((from, new)) = path.clone().split_once(" -> ") {
        (path, to) = (bare_path(from).to_owned(), Some(bare_path(new).to_owned()));
    }
    if let Some(new) = lines.peek().and_then(|line| line.trim().strip_prefix(MOVE_TO)) {
        to = Some(bare_path(new).to_owned());
        lines.next();
    }
    let edits = hunks(lines)?;
    let what = match to {
        Some(to) if to != path => What::Move { to, edits },
        _ if edits.is_empty() => {
            let why = format!("the section for `{path}` has no changes");
            return Err(Misstated::Form { what: WHAT, line: first, why }.into());
        }
        _ => What::Edit(edits),
    };
    Ok(FileChange { path, what })
}

fn hunks(lines: &mut Lines<'_>) -> Result<Vec<Replacement>, EditError> {
    let (mut hunks, mut hunk) = (Vec::new(), Hunk::default());
    while let Some(line) = lines.peek().filter(|line| !ends_section(line) && !is_end(lines)) {
        lines.next();
        if line.starts_with("@@") {
            if hunk.has_lines() {
                hunks.push(std::mem::take(&mut hunk).replacement());
            }
            hunk.anchors.extend(anchor(line));
        } else if line.trim() == END_OF_FILE {
            hunk.is_at_end = true;
            if hunk.has_lines() {
                hunks.push(std::mem::take(&mut hunk).replacement());
            }
        } else if line.starts_with("\\ ") || is_tail(line) && hunk.has_lines() {
            // Of a diff, or of what stands around the patch.
        } else if line.is_empty() && (!hunk.has_lines() || is_gap(lines)) {
            // A blank line that sets things apart; one that is context has a blank.
        } else {
            hunk.push(line);
        }
    }
    if hunk.has_lines() {
        hunks.push(hunk.replacement());
    } else if !hunk.anchors.is_empty() {
        let why = "there are no lines after `@@`".to_owned();
        return Err(Misstated::Form { what: WHAT, line: lines.number(), why }.into());
    }
    Ok(hunks)
}

/// Says whether only blank lines are left before the next marker.
fn is_gap(lines: &Lines<'_>) -> bool {
    let mut ahead = 0;
    while lines.peek_at(ahead).is_some_and(|line| line.trim().is_empty()) {
        ahead += 1;
    }
    lines.peek_at(ahead).is_none_or(|line| ends_section(line) || line.starts_with("@@") || is_tail(line))
}

/// Returns what a `@@` line names; none when it names nothing, or lines by numbers as diffs do.
fn anchor(line: &str) -> Option<String> {
    let rest = line.trim_start_matches('@');
    let rest = rest.strip_suffix("@@").unwrap_or(rest).trim();
    let is_range = rest.starts_with('-') && rest.contains('+') && rest.chars().all(|c| "-+, 0123456789".contains(c));
    let named = match rest.split_once("@@") {
        // `@@ -1,2 +1,3 @@ heading`: the heading was cut from somewhere above and proves nothing.
        Some(_) => "",
        None if is_range || rest == "..." => "",
        None => rest,
    };
    (!named.is_empty()).then(|| named.to_owned())
}
