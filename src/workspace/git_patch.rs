//! Which lines of which files does a patch of git touch?
//!
//! Pure: text in, values out. Lines are counted by what a hunk's heading announces, so that content which looks like a heading
//! is content. What is not understood is left out.

use crate::protocol::diff::Kind;

/// The change of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilePatch {
    /// Its path; of a file that is gone the path it had.
    pub path: String,
    /// Its path before, when it was renamed or copied.
    pub from: Option<String>,
    /// What happened to the file as a whole.
    pub kind: Kind,
    /// What sort of content it is.
    pub nature: Nature,
    /// The changed places, in the order of the file. None for what is not text.
    pub hunks: Vec<PatchHunk>,
}

/// What sort of content changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nature {
    /// Lines.
    Text,
    /// Bytes that are no text.
    Binary,
    /// The commit of another repository.
    Submodule,
    /// Where a link leads.
    Link,
}

/// One changed place with the lines around it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatchHunk {
    /// First line in the new text, from 1; without any, the line before it.
    pub new_start: usize,
    /// Lines in the new text.
    pub new_lines: usize,
    /// The line of the file git takes for the heading of the place, such as that of the function.
    pub heading: String,
    /// Its lines, each behind its sign: a blank, `-` or `+`.
    pub lines: Vec<String>,
}

impl PatchHunk {
    /// Returns the numbers of the lines that were added.
    pub fn added(&self) -> impl Iterator<Item = usize> {
        let mut number = self.new_start;
        self.lines.iter().filter_map(move |line| {
            let at = number;
            number += usize::from(!line.starts_with('-'));
            line.starts_with('+').then_some(at)
        })
    }
}

impl FilePatch {
    /// Builds the change of a file that was not there before.
    pub fn created(path: String, text: &str) -> Self {
        let lines: Vec<String> = text.lines().map(|line| format!("+{line}")).collect();
        let hunk = PatchHunk { new_start: 1, new_lines: lines.len(), heading: String::new(), lines };
        let hunks = if hunk.lines.is_empty() { Vec::new() } else { vec![hunk] };
        Self { path, from: None, kind: Kind::Created, nature: Nature::Text, hunks }
    }

    /// Returns how many lines were added and removed.
    pub fn counts(&self) -> (usize, usize) {
        let count = |sign| self.hunks.iter().flat_map(|hunk| &hunk.lines).filter(|line| line.starts_with(sign)).count();
        (count('+'), count('-'))
    }
}

/// Reads `git diff -p` with the prefixes `a/` and `b/`.
pub fn parse(text: &str) -> Vec<FilePatch> {
    let mut files: Vec<FilePatch> = Vec::new();
    let mut lines = text.split('\n').peekable();
    while let Some(line) = lines.next() {
        if let Some(names) = line.strip_prefix("diff --git ") {
            files.push(named_alike(names));
        } else if let Some(file) = files.last_mut() {
            match line.strip_prefix("@@ ").and_then(heading) {
                Some((sizes, heading)) => {
                    let hunk = hunk(sizes, heading, &mut lines);
                    // A link's target and a submodule's commit are shown as a line.
                    if file.nature == Nature::Text {
                        file.hunks.push(hunk);
                    }
                }
                None => read_header(file, line),
            }
        }
    }
    files
}

/// Begins a file of which only the two names are known. They are the same unless a later line says otherwise.
pub(super) fn named_alike(names: &str) -> FilePatch {
    let path = if names.starts_with('"') {
        quoted(names).map(|(name, _)| name)
    } else {
        // `a/NAME b/NAME`, and NAME may hold blanks.
        names.len().checked_sub(1).and_then(|len| names.get(..len / 2)).map(str::to_owned)
    };
    let path = path.as_deref().map_or(names, without_prefix).to_owned();
    FilePatch { path, from: None, kind: Kind::Changed, nature: Nature::Text, hunks: Vec::new() }
}

fn read_header(file: &mut FilePatch, line: &str) {
    let name = |text: &str| quoted(text).map_or_else(|| text.to_owned(), |(name, _)| name);
    if line.starts_with("new file mode") {
        file.kind = Kind::Created;
    } else if line.starts_with("deleted file mode") {
        file.kind = Kind::Deleted;
    } else if let Some(from) = line.strip_prefix("rename from ").or_else(|| line.strip_prefix("copy from ")) {
        file.from = Some(name(from));
        file.kind = Kind::Renamed;
    } else if let Some(to) = line.strip_prefix("rename to ").or_else(|| line.strip_prefix("copy to ")) {
        file.path = name(to);
    } else if line.starts_with("Binary files ") || line.starts_with("GIT binary patch") {
        file.nature = Nature::Binary;
    } else if let Some(side) = line.strip_prefix("+++ ").or_else(|| line.strip_prefix("--- ")) {
        // Behind a name with blanks stands a tab.
        let side = name(side.strip_suffix('\t').unwrap_or(side));
        if side != "/dev/null" && file.from.is_none() {
            without_prefix(&side).clone_into(&mut file.path);
        }
    }
    let mode = ["new file mode ", "deleted file mode ", "old mode ", "new mode ", "index "];
    let mode = mode.iter().find_map(|start| line.strip_prefix(start)).and_then(|rest| rest.rsplit(' ').next());
    match mode {
        Some("160000") => file.nature = Nature::Submodule,
        Some("120000") => file.nature = Nature::Link,
        _ => {}
    }
}

pub(super) fn without_prefix(name: &str) -> &str {
    name.strip_prefix("a/").or_else(|| name.strip_prefix("b/")).unwrap_or(name)
}

/// Lines of both sides and the first one of the new side.
#[derive(Clone, Copy)]
struct Sizes {
    old_lines: usize,
    new_start: usize,
    new_lines: usize,
}

/// Reads `-1,2 +3,4 @@ HEADING`.
fn heading(rest: &str) -> Option<(Sizes, &str)> {
    let (ranges, heading) = rest.split_once(" @@")?;
    let (old, new) = ranges.split_once(' ')?;
    let range = |text: &str, sign: char| {
        let text = text.strip_prefix(sign)?;
        let (start, n) = text.split_once(',').unwrap_or((text, "1"));
        Some((start.parse::<usize>().ok()?, n.parse::<usize>().ok()?))
    };
    let ((_, old_lines), (new_start, new_lines)) = (range(old, '-')?, range(new, '+')?);
    Some((Sizes { old_lines, new_start, new_lines }, heading.trim()))
}

fn hunk<'t>(sizes: Sizes, heading: &str, lines: &mut std::iter::Peekable<impl Iterator<Item = &'t str>>) -> PatchHunk {
    let (mut old, mut new) = (sizes.old_lines, sizes.new_lines);
    let mut taken = Vec::new();
    while old > 0 || new > 0 || lines.peek().is_some_and(|line| line.starts_with('\\')) {
        let Some(line) = lines.next() else { break };
        match line.as_bytes().first() {
            Some(b'+') => new = new.saturating_sub(1),
            Some(b'-') => old = old.saturating_sub(1),
            // `diff.suppressBlankEmpty` leaves the sign of an empty line out.
            Some(b' ') | None => (old, new) = (old.saturating_sub(1), new.saturating_sub(1)),
            // The note about a last line that is not ended.
            Some(b'\\') => continue,
            Some(_) => break,
        }
        taken.push(if line.is_empty() { " ".to_owned() } else { line.to_owned() });
    }
    let (new_start, new_lines) = (sizes.new_start, sizes.new_lines);
    PatchHunk { new_start, new_lines, heading: heading.to_owned(), lines: taken }
}

/// Reads a name in quotes, as git writes one with special characters; returns it and what follows.
pub(super) fn quoted(text: &str) -> Option<(String, &str)> {
    let mut rest = text.strip_prefix('"')?.bytes().enumerate();
    let inside = &text[1..];
    let mut name = Vec::new();
    while let Some((at, byte)) = rest.next() {
        match byte {
            b'"' => return Some((String::from_utf8_lossy(&name).into_owned(), &inside[at + 1..])),
            b'\\' => {
                let (at, escaped) = rest.next()?;
                name.push(match escaped {
                    b'a' => 7,
                    b'b' => 8,
                    b't' => b'\t',
                    b'n' => b'\n',
                    b'v' => 11,
                    b'f' => 12,
                    b'r' => b'\r',
                    b'0'..=b'7' => {
                        rest.nth(1)?;
                        u8::from_str_radix(inside.get(at..at + 3)?, 8).ok()?
                    }
                    other => other,
                });
            }
            other => name.push(other),
        }
    }
    None
}

#[cfg(test)]
#[path = "git_patch_tests.rs"]
mod tests;
