//! Which new line stands beside which old one?
//!
//! Of the lines that go and those that come in their place, the most similar are paired, in their order: similar is what has words
//! in common. What lies between two pairs is put side by side as it comes. Bounded: of a large change the lines are paired by
//! order alone.

use std::collections::HashMap;

/// Comparisons of a line with another; beyond that the order decides.
const MAX_COMPARED: usize = 4096;
/// Share of the words from which two lines are the same line, changed.
const SIMILAR: f64 = 0.5;

/// One row: the place of an old line, of a new one, or of both.
pub type Pair = (Option<usize>, Option<usize>);

/// Pairs old lines with new ones; every line stands in exactly one row, in its order.
pub fn pairs(old: &[&str], new: &[&str]) -> Vec<Pair> {
    if old.is_empty() || new.is_empty() || old.len() * new.len() > MAX_COMPARED {
        return by_order(0..old.len(), 0..new.len()).collect();
    }
    let (mut rows, mut at) = (Vec::new(), (0, 0));
    for (left, right) in anchors(old, new) {
        rows.extend(by_order(at.0..left, at.1..right));
        rows.push((Some(left), Some(right)));
        at = (left + 1, right + 1);
    }
    rows.extend(by_order(at.0..old.len(), at.1..new.len()));
    rows
}

fn by_order(old: std::ops::Range<usize>, new: std::ops::Range<usize>) -> impl Iterator<Item = Pair> {
    let n_rows = old.len().max(new.len());
    (0..n_rows).map(move |at| (old.clone().nth(at), new.clone().nth(at)))
}

/// Finds the pairs of similar lines that have most in common together, in order.
fn anchors(old: &[&str], new: &[&str]) -> Vec<(usize, usize)> {
    let (old, new): (Vec<_>, Vec<_>) =
        (old.iter().map(|line| words(line)).collect(), new.iter().map(|line| words(line)).collect());
    let width = new.len() + 1;
    // What the lines from there on have in common at best.
    let mut best = vec![0.0f64; (old.len() + 1) * width];
    let mut shared = vec![0.0f64; old.len() * new.len()];
    for left in (0..old.len()).rev() {
        for right in (0..new.len()).rev() {
            let likeness = likeness(&old[left], &new[right]);
            shared[left * new.len() + right] = likeness;
            let apart = best[(left + 1) * width + right].max(best[left * width + right + 1]);
            let together = if likeness >= SIMILAR { likeness + best[(left + 1) * width + right + 1] } else { 0.0 };
            best[left * width + right] = apart.max(together);
        }
    }
    let (mut found, mut left, mut right) = (Vec::new(), 0, 0);
    while left < old.len() && right < new.len() {
        let (here, likeness) = (best[left * width + right], shared[left * new.len() + right]);
        if likeness >= SIMILAR && here <= likeness + best[(left + 1) * width + right + 1] {
            found.push((left, right));
            (left, right) = (left + 1, right + 1);
        } else if here <= best[(left + 1) * width + right] {
            left += 1;
        } else {
            right += 1;
        }
    }
    found
}

/// Counts the words of a line, without its sign.
fn words(line: &str) -> HashMap<&str, usize> {
    let mut words = HashMap::new();
    let body = line.get(1..).unwrap_or_default();
    for word in body.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty()) {
        *words.entry(word).or_default() += 1;
    }
    words
}

/// Says which share of the words two lines have in common, from 0 to 1.
fn likeness(a: &HashMap<&str, usize>, b: &HashMap<&str, usize>) -> f64 {
    let n: usize = a.values().chain(b.values()).sum();
    if n == 0 {
        return 0.0;
    }
    let common: usize = a.iter().map(|(word, times)| (*times).min(b.get(word).copied().unwrap_or(0))).sum();
    2.0 * common as f64 / n as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_similar_lines_stand_beside_each_other() {
        let old = ["-let total = sum(items);", "-print(total);"];
        let new = ["+// the sum of all", "+let whole = total(items);", "+print(total, whole);"];
        let expected = [(None, Some(0)), (Some(0), Some(1)), (Some(1), Some(2))];
        let similar = ["-fn area(w: u32) -> u32 {", "-    w * w"];
        let moved = ["+/// The area.", "+fn area(w: u32, h: u32) -> u32 {", "+    w * h"];
        let table: [(&[&str], &[&str], &[Pair]); 5] = [
            (&old, &new, &expected),
            (&similar, &moved, &[(None, Some(0)), (Some(0), Some(1)), (Some(1), Some(2))]),
            (&["-a b"], &["+x y"], &[(Some(0), Some(0))]),
            (&["-}", "-a b c"], &["+a b d"], &[(Some(0), None), (Some(1), Some(0))]),
            (&[], &["+a"], &[(None, Some(0))]),
        ];
        for (old, new, expected) in table {
            assert_eq!(pairs(old, new), expected, "{old:?} {new:?}");
        }
    }

    #[test]
    fn every_line_stands_in_one_row_and_a_large_change_goes_by_order() {
        let lines: Vec<String> = (0..80).map(|n| format!("-let value_{n} = {};", n % 7)).collect();
        let all: Vec<&str> = lines.iter().map(String::as_str).collect();
        for (n_old, n_new) in [(10, 30), (60, 60), (80, 80), (1, 80)] {
            let rows = pairs(&all[..n_old], &all[80 - n_new..]);
            let left: Vec<usize> = rows.iter().filter_map(|row| row.0).collect();
            let right: Vec<usize> = rows.iter().filter_map(|row| row.1).collect();
            assert_eq!(left, (0..n_old).collect::<Vec<_>>(), "{n_old} {n_new}");
            assert_eq!(right, (0..n_new).collect::<Vec<_>>(), "{n_old} {n_new}");
        }
        assert_eq!(pairs(&all, &all).len(), 80);
    }
}
