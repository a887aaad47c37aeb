//! Which files does a pattern in a command stand for?

use std::path::Path;

use globset::GlobBuilder;

use crate::policy::command::place::World;
use crate::policy::path::Names;

/// Most names in one folder, and in all, that are looked at.
const MAX_NAMES: usize = 2000;

/// Returns the words bash would put in place of the pattern; empty when no file fits, none when there are too many.
pub fn expand(world: &World<'_>, folder: &Path, pattern: &str) -> Option<Vec<String>> {
    let mut found = vec![if pattern.starts_with('/') { "/".to_owned() } else { String::new() }];
    for part in pattern.split('/').filter(|part| !part.is_empty()) {
        let mut next = Vec::new();
        for prefix in &found {
            let join = |name: &str| match prefix.as_str() {
                "" => name.to_owned(),
                "/" => format!("/{name}"),
                _ => format!("{prefix}/{name}"),
            };
            if !part.replace('\\', "").contains(['*', '?', '[']) || is_plain(part) {
                next.push(join(&unescaped(part)));
                continue;
            }
            let matcher = GlobBuilder::new(part).literal_separator(true).build().ok()?.compile_matcher();
            for (name, _) in world.disk.list(&folder.join(prefix), MAX_NAMES)? {
                // Hidden files are meant only when the pattern says so.
                if (!name.starts_with('.') || part.starts_with('.')) && matcher.is_match(&name) {
                    next.push(join(&name));
                }
            }
        }
        if next.len() > MAX_NAMES {
            return None;
        }
        found = next;
    }
    found.retain(|path| world.disk.exists(&folder.join(path)));
    Some(found)
}

/// Says whether a file with secrets could fit the pattern.
pub fn may_be_secret(pattern: &str, names: &Names) -> bool {
    let parts = || pattern.split('/').filter(|part| !is_plain(part));
    names.secret_patterns().any(|secret| {
        parts().any(|part| (part.starts_with('.') || !secret.starts_with('.')) && overlap(&atoms(part), &atoms(secret)))
    })
}

fn is_plain(part: &str) -> bool {
    atoms(part).iter().all(|atom| matches!(atom, Atom::Is(_)))
}

fn unescaped(part: &str) -> String {
    let mut out = String::new();
    let mut chars = part.chars();
    while let Some(c) = chars.next() {
        out.extend(if c == '\\' { chars.next() } else { Some(c) });
    }
    out
}

/// A piece of a pattern. Sets of characters count as any character, which only makes more overlap.
#[derive(Debug, PartialEq, Eq)]
enum Atom {
    Is(char),
    One,
    Any,
}

fn atoms(pattern: &str) -> Vec<Atom> {
    let mut atoms = Vec::new();
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' => atoms.extend(chars.next().map(|c| Atom::Is(c.to_ascii_lowercase()))),
            '*' => atoms.push(Atom::Any),
            '?' => atoms.push(Atom::One),
            '[' => {
                atoms.push(Atom::One);
                let mut is_first = true;
                while let Some(c) = chars.next() {
                    if c == '\\' {
                        chars.next();
                    } else if c == ']' && !is_first {
                        break;
                    }
                    is_first = false;
                }
            }
            _ => atoms.push(Atom::Is(c.to_ascii_lowercase())),
        }
    }
    atoms
}

/// Says whether any text fits both.
fn overlap(left: &[Atom], right: &[Atom]) -> bool {
    // reachable[j]: the pieces of `left` so far and the first j of `right` can stand for the same text.
    let mut reachable = vec![false; right.len() + 1];
    reachable[0] = true;
    for j in 0..right.len() {
        reachable[j + 1] = reachable[j] && right[j] == Atom::Any;
    }
    for atom in left {
        let before = reachable.clone();
        reachable[0] = before[0] && *atom == Atom::Any;
        for (j, other) in right.iter().enumerate() {
            reachable[j + 1] = match (atom, other) {
                (Atom::Any, _) => before[j + 1] || reachable[j] || before[j],
                (_, Atom::Any) => reachable[j] || before[j + 1] || before[j],
                (Atom::Is(a), Atom::Is(b)) => before[j] && a == b,
                _ => before[j],
            };
        }
    }
    reachable[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_patterns_overlap_when_one_text_fits_both() {
        let table = [
            ("*", "id_rsa", true),
            ("*.txt", "id_rsa", false),
            ("*.txt", "*.pem", false),
            ("*.p*", "*.pem", true),
            (".e*v", ".env", true),
            ("id_*", "id_rsa", true),
            ("[ai]d_rsa", "id_rsa", true),
            ("*a", "*b", false),
            ("a*b", "*c*", true),
            ("?????a", "id_rsa", true),
            ("????a", "id_rsa", false),
            ("*", "*", true),
            ("*.RS", "x.rs", true),
            ("", "*", true),
            ("", "a", false),
        ];
        for (left, right, expected) in table {
            assert_eq!(overlap(&atoms(left), &atoms(right)), expected, "{left} {right}");
            assert_eq!(overlap(&atoms(right), &atoms(left)), expected, "{right} {left}");
        }
    }
}
