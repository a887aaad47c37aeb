//! What would this shell command do?
//!
//! Two readers take the text apart ([`scan`] by bash's rules of quoting, [`tree`] by a grammar); where they disagree, or where
//! anything but plain commands stands, the line asks. Each command is then judged on its own: by [`table`] whether it only
//! looks, and by its words whether it reaches for secrets or for what only mimi may write. The rules of the user come
//! afterwards, in [`crate::policy`].
//!
//! It saves the user from needless questions and is no boundary: a program may do anything whatever its words say.
//! To add a program that runs unasked: a row in `config/programs.yaml`.

pub mod arguments;
pub mod checks;
pub mod disk;
pub mod git;
pub mod glob;
pub mod judge;
pub mod line;
pub mod place;
pub mod scan;
pub mod table;
pub mod tree;
pub mod unquote;
pub mod wrapper;

use std::ops::Range;
use std::path::PathBuf;

use crate::base::text::is_hidden;
use crate::policy::command::line::Line;
use crate::policy::command::place::World;
use crate::policy::command::scan::{Token, Word};
use crate::policy::command::table::Table;
use crate::policy::command::tree::Seen;

/// Longest text that is judged, in bytes. A longer one is a program of its own.
pub const MAX_BYTES: usize = 10_000;

/// What one command of a line may do by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It only looks.
    Looks,
    /// It may do anything; why.
    Doubt(String),
    /// It must not run; why.
    Refused(String),
}

/// One command of a line, judged.
#[derive(Debug, Clone)]
pub struct Part {
    /// Where it stands in the text.
    pub range: Range<usize>,
    /// Its words, and again with each wrapper in front taken off. The innermost comes last.
    pub layers: Vec<Vec<Word>>,
    /// How many of the layers may be named by a rule that allows: wrappers that change more than time and rank end it.
    pub n_allowable: usize,
    /// What it may do by itself, its redirections left out.
    pub standing: Standing,
    /// Why its redirections or variables alone keep it from running unasked.
    pub doubt: Option<String>,
    /// Files of the workspace it writes by redirection, absolute.
    pub writes: Vec<PathBuf>,
    /// Those elsewhere.
    pub outside: Vec<PathBuf>,
    /// Whether it stands in the line itself, not in a substitution.
    pub is_own: bool,
}

/// A line, judged command by command.
#[derive(Debug)]
pub struct Reading {
    /// Every command found, also in a line that is doubted.
    pub parts: Vec<Part>,
    /// Why the line as a whole asks.
    pub doubt: Option<String>,
}

/// Reads a command as bash would, in the folder and with the disk of `world`.
pub fn read(text: &str, world: &World<'_>) -> Reading {
    let Some(table) = Table::get() else {
        return Reading { parts: Vec::new(), doubt: Some("config/programs.yaml is broken".to_owned()) };
    };
    if text.len() > MAX_BYTES {
        let why = format!("it is longer than {MAX_BYTES} bytes");
        return Reading { parts: Vec::new(), doubt: Some(why) };
    }
    let scan = scan::scan(text, &world.home.to_string_lossy());
    let line = line::group(&scan);
    let parts = judge::parts(&line, world, table);
    let doubt = hidden(text)
        .or_else(|| line.doubts.first().map(|why| (*why).to_owned()))
        .or_else(|| disagreement(text, &scan.tokens, &line));
    Reading { parts, doubt }
}

/// Says which invisible character the text holds.
pub fn hidden(text: &str) -> Option<String> {
    let found = text.chars().find(|c| is_hidden(*c) || *c == '\u{ad}' || matches!(c, '\u{fe00}'..='\u{fe0f}'))?;
    Some(format!("it holds a character that cannot be seen (U+{:04X})", found as u32))
}

/// Says where the two readers differ.
fn disagreement(text: &str, tokens: &[Token], line: &Line) -> Option<String> {
    let (seen, tests) = match tree::see(text) {
        Seen::Plain { words, tests } => (words, tests),
        Seen::Doubt(why) => return Some(why),
    };
    let is_in_test = |range: &Range<usize>| tests.iter().any(|test| test.start <= range.start && range.end <= test.end);
    let mut own: Vec<Range<usize>> = tokens
        .iter()
        .filter_map(|token| match token {
            Token::Word(word) => Some(word.range.clone()),
            _ => None,
        })
        .filter(|range| !is_in_test(range))
        .collect();
    own.sort_by_key(|range| range.start);
    let mut seen = seen;
    seen.sort_by_key(|range| range.start);
    let has_each_test = tests.iter().all(|test| {
        line.commands.iter().any(|command| {
            command.words.first().is_some_and(|word| word.range.start == test.start)
                && command.words.last().is_some_and(|word| word.range.end == test.end)
        })
    });
    (own != seen || !has_each_test).then(|| "it can be read in more than one way".to_owned())
}

#[cfg(test)]
#[path = "command_tests.rs"]
mod tests;
