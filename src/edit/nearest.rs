//! The text is not there: what did the model probably mean?
//!
//! Lines are compared by the groups of three characters they share, which forgives a typo or another indent and costs
//! little enough for long files. Nothing is ever written on the strength of this; it is shown.

use crate::edit::excerpt::Excerpt;

/// Lines of the file that are looked at; beyond that a wrong answer late is worse than none.
const MAX_FILE_LINES: usize = 50_000;
/// Lines of the wanted text that are compared; its start places it well enough.
const MAX_WANTED_LINES: usize = 40;
/// Characters of a line that are compared.
const MAX_LINE_CHARS: usize = 200;
/// Likeness from which a place is worth showing; below it the lines shown mislead more than they help.
const MIN_LIKENESS: f64 = 0.5;

/// Returns the lines of `text` most like `wanted`, with two more on each side, if any are like it at all.
pub fn nearest(text: &str, wanted: &str) -> Option<Excerpt> {
    let wanted: Vec<Vec<u64>> = wanted.trim_matches('\n').lines().take(MAX_WANTED_LINES).map(grams).collect();
    let lines: Vec<Vec<u64>> = text.lines().take(MAX_FILE_LINES).map(grams).collect();
    if wanted.iter().all(Vec::is_empty) {
        return None;
    }
    let last_start = lines.len().saturating_sub(wanted.len());
    let (likeness, start) = (0..=last_start)
        .map(|start| (likeness(&wanted, &lines[start..]), start))
        // The first of equals: `max_by` would return the last.
        .rev()
        .max_by(|a, b| a.0.total_cmp(&b.0))?;
    (likeness >= MIN_LIKENESS).then(|| Excerpt::around(text, start + 1, start + wanted.len(), 2))
}

/// Compares the wanted lines with as many of the file; long lines weigh more than closing braces.
fn likeness(wanted: &[Vec<u64>], lines: &[Vec<u64>]) -> f64 {
    let total: usize = wanted.iter().map(Vec::len).sum();
    let shared: f64 = wanted.iter().zip(lines).map(|(a, b)| line_likeness(a, b) * a.len() as f64).sum();
    if total == 0 { 0.0 } else { shared / total as f64 }
}

/// Returns the Dice coefficient of two sorted lists: 1 for equal, 0 for nothing in common.
fn line_likeness(a: &[u64], b: &[u64]) -> f64 {
    let (mut i, mut j, mut shared) = (0, 0, 0);
    while i < a.len() && j < b.len() {
        match a[i].cmp(&b[j]) {
            std::cmp::Ordering::Less => i += 1,
            std::cmp::Ordering::Greater => j += 1,
            std::cmp::Ordering::Equal => {
                shared += 1;
                i += 1;
                j += 1;
            }
        }
    }
    if a.len() + b.len() == 0 { 0.0 } else { 2.0 * f64::from(shared) / (a.len() + b.len()) as f64 }
}

/// Returns the groups of three neighbouring characters of a trimmed line, sorted; a shorter line is one group.
fn grams(line: &str) -> Vec<u64> {
    let chars: Vec<u64> = line.trim().chars().take(MAX_LINE_CHARS).map(u64::from).collect();
    // 21 bits hold any character.
    let join = |group: &[u64]| group.iter().fold(0, |sum, c| (sum << 21) | c);
    let mut grams: Vec<u64> = match chars.len() {
        0 => Vec::new(),
        1 | 2 => vec![join(&chars)],
        _ => chars.windows(3).map(join).collect(),
    };
    grams.sort_unstable();
    grams
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_meant_lines_are_found_through_typos_and_indents() {
        let text = "fn one() {\n    let count = 1;\n}\n\nfn two() {\n    let total = 2;\n}\n";
        let table = [
            ("let coutn = 1;", Some(2)),
            ("fn two() {\n  let total = 3;\n}", Some(5)),
            ("\nfn tow() {\n", Some(5)),
            ("SELECT * FROM users", None),
            ("", None),
            ("\n\n", None),
        ];
        for (wanted, expected) in table {
            let found = nearest(text, wanted);
            let shown = found.as_ref().map(|found| found.first_line..found.first_line + found.lines.len());
            assert_eq!(shown.is_some(), expected.is_some(), "{wanted:?}: {found:?}");
            assert!(expected.is_none_or(|line| shown.is_some_and(|shown| shown.contains(&line))), "{wanted:?}");
        }
    }
}
