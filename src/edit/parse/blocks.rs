//! How are SEARCH/REPLACE blocks read?
//!
//! `<<<<<<< SEARCH`, lines, `=======`, lines, `>>>>>>> REPLACE`, with the name of the file above, in or below the fence; and
//! the same with `------- SEARCH` and `+++++++ REPLACE`. A block without a name is for the file of the block before it.
//! Signs may be longer than seven; then the dividing line is as long as the opening one, so that code with a line of `=`
//! can be changed, too.

use crate::edit::EditError;
use crate::edit::change::{ChangeSet, FileChange, Hint, Replacement, What};
use crate::edit::misstated::Misstated;
use crate::edit::parse::{Lines, bare_path};
use crate::protocol::profile::EditDialect;

/// What the dialect is called in refusals.
const WHAT: &str = "block";
/// Signs a marker has at least: one less than the usual seven, because models miscount.
const MIN_SIGNS: usize = 5;
/// Lines above a block that are searched for the name of its file.
const MAX_NAME_LINES: usize = 3;

/// Says whether a text holds such blocks.
pub fn is_like(text: &str) -> bool {
    text.lines().any(|line| opening(line).is_some()) && text.lines().any(is_closing)
}

/// Reads all blocks of a text. `path` is the file meant where none is named.
pub fn parse(text: &str, path: Option<&str>) -> Result<ChangeSet, EditError> {
    let mut lines = Lines::new(text);
    let mut files: Vec<FileChange> = Vec::new();
    let mut above: Vec<&str> = Vec::new();
    let mut current: Option<String> = path.map(|path| bare_path(path).to_owned());
    while let Some(line) = lines.next() {
        let Some(n_signs) = opening(line) else {
            above.push(line);
            continue;
        };
        let first = lines.number();
        current = named(&above, current.is_none()).or(current);
        above.clear();
        let edit = block(&mut lines, n_signs, first)?;
        let Some(path) = current.clone() else {
            let why = "no file is named above it".to_owned();
            return Err(Misstated::Form { what: WHAT, line: first, why }.into());
        };
        match files.iter_mut().find(|file| file.path == path).map(|file| &mut file.what) {
            Some(What::Edit(edits)) => edits.push(edit),
            _ => files.push(FileChange { path, what: What::Edit(vec![edit]) }),
        }
    }
    Ok(ChangeSet { dialect: EditDialect::Blocks, files })
}

/// Returns how many signs the line that opens a block has.
fn opening(line: &str) -> Option<usize> {
    let line = line.trim_end();
    let line = line.strip_suffix('>').unwrap_or(line);
    let n_signs = ['<', '-'].into_iter().map(|sign| signs(line, sign)).max()?;
    let word = line.get(n_signs..)?.trim();
    (n_signs >= MIN_SIGNS && matches!(word, "SEARCH" | "ORIGINAL" | "FIND")).then_some(n_signs)
}

fn is_closing(line: &str) -> bool {
    let n_signs = signs(line, '>').max(signs(line, '+'));
    let word = line.get(n_signs..).unwrap_or_default().trim();
    n_signs >= MIN_SIGNS && matches!(word, "REPLACE" | "UPDATED" | "REPLACED" | "")
}

/// Says whether a line ends a replacement: the word may stand anywhere models put it.
fn ends(line: &str, n_signs: usize) -> bool {
    is_closing(line) && (!line.trim_end().ends_with(['>', '+']) || signs(line, '>').max(signs(line, '+')) >= n_signs)
}

fn signs(line: &str, sign: char) -> usize {
    line.chars().take_while(|c| *c == sign).count()
}

fn is_divider(line: &str, n_signs: usize) -> bool {
    let line = line.trim_end();
    let n = signs(line, '=');
    n == line.len() && (n == n_signs || n_signs <= 7 && (MIN_SIGNS..=7).contains(&n))
}

/// Reads one block from behind its opening line.
fn block(lines: &mut Lines<'_>, n_signs: usize, first: usize) -> Result<Replacement, EditError> {
    let mut parts: Vec<Vec<&str>> = vec![Vec::new()];
    let form = |line: usize, why: &str| Misstated::Form { what: WHAT, line, why: why.to_owned() };
    loop {
        let Some(line) = lines.next() else {
            let why = if parts.len() == 1 { "no `=======` follows" } else { "no `>>>>>>> REPLACE` follows" };
            return Err(form(first, why).into());
        };
        if ends(line, n_signs) && (parts.len() > 1 || !line.trim_end().ends_with(['>', '+'])) {
            break;
        }
        if opening(line).is_some() {
            return Err(
                form(lines.number(), "a block begins inside another; end the first with `>>>>>>> REPLACE`").into()
            );
        }
        match is_divider(line, n_signs) {
            true => parts.push(Vec::new()),
            false => parts.last_mut().into_iter().for_each(|part| part.push(line)),
        }
    }
    let (old, new) = match parts.as_slice() {
        [old, new] => (without_head(old), new.as_slice()),
        [_] => return Err(form(first, "there is no `=======` between what is searched and what replaces it").into()),
        _ => {
            let why = "there are several lines of `=======`; write the three marker lines with more signs than that";
            return Err(form(first, why).into());
        }
    };
    let text = |lines: &[&str]| lines.iter().map(|line| format!("{line}\n")).collect::<String>();
    Ok(Replacement::lines(text(old), text(new), Hint::default()))
}

/// Takes off `:start_line:12` and the line of dashes below it, which some agents teach.
fn without_head<'a, 'b>(old: &'b [&'a str]) -> &'b [&'a str] {
    let n_hints =
        old.iter().take_while(|line| line.starts_with(":start_line:") || line.starts_with(":end_line:")).count();
    let has_rule =
        n_hints > 0 && old.get(n_hints).is_some_and(|line| line.len() >= MIN_SIGNS && signs(line, '-') == line.len());
    &old[n_hints + usize::from(has_rule)..]
}

/// Finds the name of the file in the lines above a block, the nearest first. Where one is needed, a word without folder or
/// ending is one, too: `Makefile`.
fn named(above: &[&str], is_needed: bool) -> Option<String> {
    let lines = above.iter().rev().map(|line| line.trim());
    // Below the end of another block its closing fence and prose may stand; a name is on its own line.
    let near = lines.filter(|line| !line.is_empty()).take(MAX_NAME_LINES);
    for line in near {
        if let Some(info) = line.strip_prefix("```") {
            let last = info.split_whitespace().last().unwrap_or_default();
            let last = last.rsplit_once(':').map_or(last, |(_, path)| path);
            let last = last.strip_prefix("path=").or_else(|| last.strip_prefix("file=")).unwrap_or(last);
            if is_path(last) && (last.contains('/') || last.contains('.')) {
                return Some(bare_path(last).to_owned());
            }
            continue;
        }
        let line = line.trim_start_matches(['#', '>']).trim();
        let line = ["File:", "file:", "Path:", "path:", "Filename:", "filename:", "//"]
            .iter()
            .find_map(|label| line.strip_prefix(label))
            .unwrap_or(line);
        let name = bare_path(line);
        if is_path(name) && (name.contains('/') || name.contains('.') || is_needed) {
            return Some(name.to_owned());
        }
    }
    None
}

/// Says whether words may be a path: prose has blanks and ends in a full stop.
fn is_path(name: &str) -> bool {
    !name.is_empty() && !name.contains([' ', '\t', '`', '<', '>', '|']) && !name.ends_with(['.', ',', ';', '!', '?'])
}
