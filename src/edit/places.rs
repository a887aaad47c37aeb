//! What becomes of a file that was changed already when a person takes some of its hunks back?
//!
//! Pure. The file is the change with some hunks gone already; where what should stand in a hunk's place does not, somebody
//! else was there, and nothing is done. Must not search for a hunk that has moved: a guess would overwrite their work.

use crate::edit::review::fitted;
use crate::protocol::changes::Place;
use crate::protocol::diff::{FileDiff, Hunk, NO_END};

/// Why hunks cannot be exchanged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlaceError {
    /// Something else stands there.
    #[error("line {line} and those behind it are not what was shown: the file has changed since")]
    Stale {
        /// Where the hunk should be, from 1.
        line: usize,
    },
    /// The hunk is not all here.
    #[error("the hunk at line {line} is too long to be taken back by itself")]
    Cut {
        /// Where it is, from 1.
        line: usize,
    },
}

/// Returns the text in which every hunk has the lines of `to`, where now it has those of `from`. One place for each hunk.
pub fn settled(text: &str, diff: &FileDiff, from: &[Place], to: &[Place]) -> Result<String, PlaceError> {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let mut out = String::with_capacity(text.len());
    let (mut at, mut shift) = (0usize, 0isize);
    for ((hunk, from), to) in diff.hunks.iter().zip(from).zip(to) {
        let line = hunk.new_start.saturating_add_signed(shift);
        if hunk.is_cut && from != to {
            return Err(PlaceError::Cut { line });
        }
        let (was, stale) = (words(hunk, from), PlaceError::Stale { line });
        let n_lines = if hunk.is_cut { hunk.new_lines } else { was.split_inclusive('\n').count() };
        let start = line - 1;
        let (Some(before), Some(there)) = (lines.get(at..start), lines.get(start..start + n_lines)) else {
            return Err(stale);
        };
        out.extend(before.iter().copied());
        let there = there.concat();
        match hunk.is_cut {
            true => out.push_str(&there),
            false if there == was => out.push_str(&words(hunk, to)),
            false => return Err(stale),
        }
        at = start + n_lines;
        shift += n_lines.cast_signed() - hunk.new_lines.cast_signed();
    }
    out.extend(lines.get(at..).unwrap_or_default().iter().copied());
    Ok(out)
}

/// Returns the other side of a whole text, given the side that `text` is; none where the text is not what was compared, or a
/// hunk is not all here.
pub fn other_side(text: &str, diff: &FileDiff, side: &Place) -> Option<String> {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let (mut out, mut at) = (String::with_capacity(text.len()), 0);
    for hunk in &diff.hunks {
        let (old, new) = sides(hunk);
        let (have, want, start) = match side {
            Place::Old => (old, new, hunk.old_start),
            Place::New | Place::Text(_) => (new, old, hunk.new_start),
        };
        let start = start.checked_sub(1)?;
        let end = start + have.split_inclusive('\n').count();
        if hunk.is_cut || lines.get(start..end)?.concat() != have {
            return None;
        }
        out.extend(lines.get(at..start)?.iter().copied());
        out.push_str(&want);
        at = end;
    }
    out.extend(lines.get(at..)?.iter().copied());
    Some(out)
}

/// Returns what stands in a hunk's place.
fn words(hunk: &Hunk, place: &Place) -> String {
    let (old, new) = sides(hunk);
    match place {
        Place::New => new,
        Place::Old => old,
        Place::Text(text) => {
            let replaced = if new.is_empty() { old } else { new };
            let lines: Vec<&str> = replaced.split_inclusive('\n').collect();
            fitted(text, &lines)
        }
    }
}

/// Returns the old and the new lines of a hunk, each with its line feed unless it has none.
pub fn sides(hunk: &Hunk) -> (String, String) {
    let (mut old, mut new) = (String::new(), String::new());
    let mut last = ' ';
    for line in &hunk.lines {
        if line == NO_END {
            for (side, signs) in [(&mut old, [' ', '-']), (&mut new, [' ', '+'])] {
                if signs.contains(&last) && side.ends_with('\n') {
                    side.pop();
                }
            }
            continue;
        }
        let sign = line.chars().next().unwrap_or(' ');
        let text = line.get(1..).unwrap_or_default();
        for (side, other) in [(&mut old, '+'), (&mut new, '-')] {
            if sign != other {
                side.push_str(text);
                side.push('\n');
            }
        }
        last = sign;
    }
    (old, new)
}

/// Writes a hunk as a patch of git against the old text, with `place` as its new side; the old text has moved by `shift` lines.
/// None where both sides are the same.
pub fn patch(diff: &FileDiff, hunk: &Hunk, place: &Place, shift: isize) -> Option<String> {
    let (old, new) = (sides(hunk).0, words(hunk, place));
    if old == new {
        return None;
    }
    let name = |side: &str| format!("{side}/{}", diff.path);
    let start = hunk.old_start.saturating_add_signed(shift);
    let (old_lines, new_lines): (Vec<&str>, Vec<&str>) =
        (old.split_inclusive('\n').collect(), new.split_inclusive('\n').collect());
    let range = |n: usize| format!("{},{n}", if n == 0 { start - 1 } else { start });
    let mut patch = format!("--- {}\n+++ {}\n", quoted(&name("a")), quoted(&name("b")));
    patch.push_str(&format!("@@ -{} +{} @@\n", range(old_lines.len()), range(new_lines.len())));
    let head = old_lines.iter().zip(&new_lines).take_while(|(a, b)| a == b).count();
    let (old_rest, new_rest) = (&old_lines[head..], &new_lines[head..]);
    let tail = old_rest.iter().rev().zip(new_rest.iter().rev()).take_while(|(a, b)| a == b).count();
    let mut put = |sign: char, lines: &[&str]| {
        for line in lines {
            patch.push(sign);
            patch.push_str(line);
            if !line.ends_with('\n') {
                patch.push_str(&format!("\n{NO_END}\n"));
            }
        }
    };
    put(' ', &old_lines[..head]);
    put('-', &old_rest[..old_rest.len() - tail]);
    put('+', &new_rest[..new_rest.len() - tail]);
    put(' ', &old_rest[old_rest.len() - tail..]);
    Some(patch)
}

/// Writes a name as git reads it in a patch: in quotes where it has to be.
fn quoted(name: &str) -> String {
    let is_plain = name.chars().all(|c| !c.is_control() && c != '"' && c != '\\');
    if is_plain {
        // Behind a name with blanks stands a tab.
        return if name.contains(' ') { format!("{name}\t") } else { name.to_owned() };
    }
    let escaped: String = name.bytes().fold(String::new(), |mut all, byte| {
        match byte {
            b'"' | b'\\' => all.extend(['\\', char::from(byte)]),
            b' '..=b'~' => all.push(char::from(byte)),
            _ => all.push_str(&format!("\\{byte:03o}")),
        }
        all
    });
    format!("\"{escaped}\"")
}

#[cfg(test)]
#[path = "places_tests.rs"]
mod tests;
