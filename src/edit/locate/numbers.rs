//! Did the model copy the line numbers along that `read_file` shows?

use crate::edit::locate::block::Block;
use crate::edit::locate::{Place, block, indent};

/// What stands between a number and its line: the tab of `read_file`, and the signs of other tools that models know.
const SEPARATORS: [&str; 5] = ["\t", "→", "| ", "|", ": "];

/// The rung that takes line numbers off. Every line of the old text must carry one, and they must count up by one.
pub fn without_line_numbers(lines: &[&str], block: &Block) -> Vec<Place> {
    let Some(old) = strip(&block.old) else { return Vec::new() };
    let new = strip_some(&block.new);
    let bare = Block { old, new };
    if bare.old.iter().all(|line| line.trim().is_empty()) {
        return Vec::new();
    }
    let found = block::ignoring_trailing_blanks(lines, &bare);
    let found = if found.is_empty() { indent::with_another_indent(lines, &bare) } else { found };
    block::with_look_alikes(lines, &bare, found)
}

/// Takes the numbers off when every line has one and they follow each other.
fn strip(lines: &[String]) -> Option<Vec<String>> {
    let numbered: Vec<(u64, &str)> = lines.iter().map(|line| split(line)).collect::<Option<_>>()?;
    let counts_up = numbered.windows(2).all(|pair| pair[0].0 + 1 == pair[1].0);
    counts_up.then(|| numbered.into_iter().map(|(_, line)| line.to_owned()).collect())
}

/// Takes the numbers off new lines: those that have one lose it, if all that are not blank have one.
fn strip_some(lines: &[String]) -> Vec<String> {
    let has_number = |line: &String| line.trim().is_empty() || split(line).is_some();
    if !lines.iter().all(has_number) {
        return lines.to_vec();
    }
    lines.iter().map(|line| split(line).map_or_else(|| line.clone(), |(_, rest)| rest.to_owned())).collect()
}

fn split(line: &str) -> Option<(u64, &str)> {
    let start = line.trim_start();
    let digits = start.len() - start.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, rest) = start.split_at(digits);
    let number = number.parse().ok()?;
    // An empty line may have lost its tab.
    if rest.trim().is_empty() && !rest.starts_with('\t') {
        return Some((number, ""));
    }
    SEPARATORS.iter().find_map(|separator| rest.strip_prefix(separator)).map(|line| (number, line))
}
