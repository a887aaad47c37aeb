//! Which lines of a result are shown?
//!
//! Read from the file as it is now. Of a long piece the lines with most words of the question, and its first line.

use std::collections::HashSet;
use std::io::Read as _;
use std::path::Path;

use crate::base::path::open_regular;
use crate::base::text::clip_line;
use crate::index::files;
use crate::index::search::Hit;
use crate::index::words;

/// Bytes of one line that are shown.
const MAX_LINE_BYTES: usize = 240;

/// One line of a result: its number and its text.
pub type Line = (u32, String);

/// Returns at most `n` lines of a result; none when the file cannot be read any more.
pub fn lines(root: &Path, hit: &Hit, question: &str, n: usize) -> Vec<Line> {
    let Some(text) = read(&root.join(&hit.path)) else { return Vec::new() };
    let first = hit.line.saturating_sub(1) as usize;
    let all: Vec<Line> = text
        .lines()
        .enumerate()
        .skip(first)
        .take((hit.end_line as usize).saturating_sub(first))
        .map(|(at, line)| (u32::try_from(at + 1).unwrap_or(u32::MAX), clip_line(line, MAX_LINE_BYTES).into_owned()))
        .collect();
    let wanted: HashSet<String> = words::of_query(question).into_iter().map(|(word, _)| word).collect();
    window(&all, &wanted, n)
}

/// Returns the `n` lines side by side that hold most of the wanted words, earlier ones first.
fn window(all: &[Line], wanted: &HashSet<String>, n: usize) -> Vec<Line> {
    let is_blank = |line: &&Line| line.1.trim().is_empty();
    let begin = all.iter().take_while(is_blank).count();
    let end = all.len() - all.iter().rev().take_while(is_blank).count();
    let all = all.get(begin..end.max(begin)).unwrap_or_default();
    if all.len() <= n {
        return all.to_vec();
    }
    let hits: Vec<usize> = all
        .iter()
        .map(|(_, line)| words::of_query(line).iter().filter(|(word, _)| wanted.contains(word)).count())
        .collect();
    let score = |at: usize| hits[at..at + n].iter().sum::<usize>();
    let best = (0..=all.len() - n).max_by_key(|at| (score(*at), std::cmp::Reverse(*at))).unwrap_or_default();
    all[best..best + n].to_vec()
}

/// Reads a file as the index would; none when it cannot be read or is too large.
pub fn read(path: &Path) -> Option<String> {
    let (file, meta) = open_regular(path).ok()?;
    let max_bytes = files::table().ok()?.max_bytes;
    if meta.len() > max_bytes {
        return None;
    }
    let mut bytes = Vec::new();
    file.take(max_bytes).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_long_piece_the_lines_that_answer_are_shown() {
        let all: Vec<Line> =
            (1..=30).map(|n| (n, if n == 20 { "retry the request".to_owned() } else { format!("line {n}") })).collect();
        let wanted = ["retry", "request"].map(str::to_owned).into();
        let shown = window(&all, &wanted, 5);
        assert_eq!(shown.len(), 5);
        assert!(shown.iter().any(|line| line.0 == 20));
        assert_eq!(window(&all[..3], &wanted, 5).len(), 3);
        assert!(window(&[(1, " ".to_owned())], &wanted, 5).is_empty());
    }
}
