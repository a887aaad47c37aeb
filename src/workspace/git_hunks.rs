//! What does a patch of git say, hunk by hunk, in the form in which changes are judged?
//!
//! Pure: text in, values out. Everything is kept that deciding takes: both sides' lines, last lines without an end, modes, names,
//! and what a merge left undecided. Must not show a change as one that can be decided by hunk where it cannot.

use std::collections::HashSet;
use std::iter::Peekable;
use std::str::Split;

use crate::base::hash;
use crate::protocol::changes::{By, Changed};
use crate::protocol::diff::{FileDiff, Hunk, Kind, NO_END, Sides};
use crate::workspace::git_patch::{named_alike, quoted, without_prefix};

/// Characters of the name of a hunk.
const ID_CHARS: usize = 12;
/// Types of entries of a tree, in octal: a link, the commit of another repository.
const LINK: &str = "120000";
const SUBMODULE: &str = "160000";

type Lines<'t> = Peekable<Split<'t, char>>;

/// A file while its header is read.
struct Reading {
    diff: FileDiff,
    by: Option<By>,
}

/// Reads `git diff -p` with the prefixes `a/` and `b/`.
pub fn parse(text: &str) -> Vec<Changed> {
    let mut files: Vec<Reading> = Vec::new();
    let mut lines = text.split('\n').peekable();
    while let Some(line) = lines.next() {
        if let Some(names) = line.strip_prefix("diff --git ") {
            files.push(Reading { diff: FileDiff { path: named_alike(names).path, ..FileDiff::default() }, by: None });
        } else if let Some(name) = line.strip_prefix("diff --cc ").or_else(|| line.strip_prefix("diff --combined ")) {
            files.push(unmerged(name));
        } else if let Some(name) = line.strip_prefix("* Unmerged path ") {
            files.push(unmerged(name));
        } else if let Some(file) = files.last_mut() {
            match Ranges::of(line) {
                Some(ranges) => file.diff.hunks.push(hunk(&ranges, &mut lines)),
                None => file.read_header(line),
            }
        }
    }
    files.into_iter().map(Reading::finish).collect()
}

/// A file that git does not know, in full.
pub fn created(path: &str, text: &str) -> Changed {
    let mut lines: Vec<String> = text.split_inclusive('\n').map(|line| format!("+{}", unfed(line))).collect();
    let n_lines = lines.len();
    if !text.is_empty() && !text.ends_with('\n') {
        lines.push(NO_END.to_owned());
    }
    let hunk = Hunk { old_start: 1, new_start: 1, new_lines: n_lines, ..blank(lines) };
    let hunks = if n_lines == 0 { Vec::new() } else { vec![hunk] };
    let diff = FileDiff { path: path.to_owned(), kind: Kind::Created, hunks, ..FileDiff::default() };
    Reading { diff, by: Some(By::File) }.finish()
}

fn unfed(line: &str) -> &str {
    line.strip_suffix('\n').unwrap_or(line)
}

fn unmerged(name: &str) -> Reading {
    let name = quoted(name).map_or_else(|| name.to_owned(), |(name, _)| name);
    let why = "it has conflicts: settle them in the file, then stage it".to_owned();
    Reading { diff: FileDiff { path: name, ..FileDiff::default() }, by: Some(By::Nobody(why)) }
}

impl Reading {
    fn read_header(&mut self, line: &str) {
        let name = |text: &str| quoted(text).map_or_else(|| text.to_owned(), |(name, _)| name);
        let diff = &mut self.diff;
        let mode = |text: &str| u32::from_str_radix(text.trim(), 8).ok().map(|mode| mode & 0o7777);
        if let Some(rest) = line.strip_prefix("new file mode ") {
            diff.kind = Kind::Created;
            diff.mode = Some(Sides { before: None, after: mode(rest) });
        } else if let Some(rest) = line.strip_prefix("deleted file mode ") {
            diff.kind = Kind::Deleted;
            diff.mode = Some(Sides { before: mode(rest), after: None });
        } else if let Some(rest) = line.strip_prefix("old mode ") {
            diff.mode = Some(Sides { before: mode(rest), after: None });
        } else if let Some(rest) = line.strip_prefix("new mode ") {
            diff.mode.get_or_insert_default().after = mode(rest);
        } else if let Some(from) = line.strip_prefix("rename from ").or_else(|| line.strip_prefix("copy from ")) {
            diff.from = Some(name(from));
            diff.kind = if line.starts_with("copy") { Kind::Created } else { Kind::Renamed };
        } else if let Some(to) = line.strip_prefix("rename to ").or_else(|| line.strip_prefix("copy to ")) {
            diff.path = name(to);
        } else if line.starts_with("Binary files ") || line.starts_with("GIT binary patch") {
            diff.binary = Some(Sides::default());
        } else if let Some(side) = line.strip_prefix("+++ ").or_else(|| line.strip_prefix("--- ")) {
            let side = name(side.strip_suffix('\t').unwrap_or(side));
            if side != "/dev/null" && diff.from.is_none() && self.by.is_none() {
                without_prefix(&side).clone_into(&mut diff.path);
            }
        }
        self.read_nature(line);
    }

    /// A link's target and a submodule's commit are shown as lines, and are none.
    fn read_nature(&mut self, line: &str) {
        let starts = ["new file mode ", "deleted file mode ", "old mode ", "new mode ", "index "];
        let mode = starts.iter().find_map(|start| line.strip_prefix(start)).and_then(|rest| rest.rsplit(' ').next());
        match mode {
            Some(SUBMODULE) => self.by = Some(By::Nobody("it is the commit of another repository".to_owned())),
            Some(LINK) if self.by.is_none() => self.by = Some(By::File),
            _ => {}
        }
    }

    fn finish(mut self) -> Changed {
        let count = |hunks: &[Hunk], sign| {
            hunks.iter().flat_map(|hunk| &hunk.lines).filter(|line| line.starts_with(sign)).count()
        };
        self.diff.added = count(&self.diff.hunks, '+');
        self.diff.removed = count(&self.diff.hunks, '-');
        let mut known: HashSet<String> = HashSet::new();
        for hunk in &mut self.diff.hunks {
            let parts: Vec<&[u8]> = hunk.lines.iter().map(String::as_bytes).collect();
            let mut id = hash::of_parts(&parts);
            id.truncate(ID_CHARS);
            // The same lines in another place are another hunk.
            while !known.insert(id.clone()) {
                id.push_str(&format!("-{}", hunk.old_start));
            }
            hunk.id = id;
        }
        let mut changed = Changed::new(self.diff);
        if let Some(by) = self.by {
            changed.by = by;
        }
        changed
    }
}

/// What the heading of a hunk announces.
struct Ranges {
    /// Start and number of lines, of each old side and then the new one.
    sides: Vec<(usize, usize)>,
}

impl Ranges {
    /// Reads `@@ -1,2 +3,4 @@ HEADING`; with one more `@` for each side of a merge.
    fn of(line: &str) -> Option<Self> {
        let n_marks = line.len() - line.trim_start_matches('@').len();
        let marks = line.get(..n_marks).filter(|_| n_marks >= 2)?;
        let (ranges, _) = line.get(n_marks..)?.strip_prefix(' ')?.split_once(&format!(" {marks}"))?;
        let range = |text: &str| {
            let text = text.strip_prefix(['-', '+'])?;
            let (start, n) = text.split_once(',').unwrap_or((text, "1"));
            Some((start.parse::<usize>().ok()?, n.parse::<usize>().ok()?))
        };
        let sides: Vec<_> = ranges.split(' ').map(range).collect::<Option<_>>()?;
        (sides.len() == n_marks).then_some(Self { sides })
    }
}

/// The unified format names the line before an empty range; here it is the one behind.
fn first((start, n_lines): (usize, usize)) -> usize {
    if n_lines == 0 { start + 1 } else { start }
}

fn blank(lines: Vec<String>) -> Hunk {
    Hunk {
        id: String::new(),
        old_start: 1,
        old_lines: 0,
        new_start: 1,
        new_lines: 0,
        lines,
        words: Vec::new(),
        left_out: 0,
        is_cut: false,
    }
}

fn hunk(ranges: &Ranges, lines: &mut Lines<'_>) -> Hunk {
    let (old, new) = (ranges.sides[0], *ranges.sides.last().unwrap_or(&(1, 0)));
    let n_signs = ranges.sides.len() - 1;
    let mut left: Vec<usize> = ranges.sides.iter().map(|side| side.1).collect();
    let mut taken = Vec::new();
    while left.iter().any(|n| *n > 0) || lines.peek().is_some_and(|line| line.starts_with('\\')) {
        let Some(line) = lines.next() else { break };
        if line.starts_with('\\') {
            taken.push(NO_END.to_owned());
            continue;
        }
        let signs: String = line.chars().chain(std::iter::repeat(' ')).take(n_signs).collect();
        if signs.chars().any(|sign| !matches!(sign, ' ' | '+' | '-')) {
            break;
        }
        let is_gone = signs.contains('-');
        for (side, sign) in signs.chars().enumerate() {
            // In a merge a line that goes is there in the sides that have the sign; one that comes, where it is not.
            let is_there = if is_gone { sign == '-' } else { sign == ' ' };
            left[side] = left[side].saturating_sub(usize::from(is_there));
        }
        let last = left.len() - 1;
        left[last] = left[last].saturating_sub(usize::from(!is_gone));
        taken.push(match n_signs {
            // `diff.suppressBlankEmpty` leaves the sign of an empty line out.
            1 if line.is_empty() => " ".to_owned(),
            1 => line.to_owned(),
            _ => {
                let sign = if is_gone { '-' } else { signs.chars().find(|sign| *sign != ' ').unwrap_or(' ') };
                format!("{sign}{}", line.get(n_signs..).unwrap_or_default())
            }
        });
    }
    Hunk { old_start: first(old), old_lines: old.1, new_start: first(new), new_lines: new.1, ..blank(taken) }
}

#[cfg(test)]
#[path = "git_hunks_tests.rs"]
mod tests;
