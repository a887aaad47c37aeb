//! Which commands does a line start?
//!
//! Groups the pieces of a text into simple commands. Words of bash's grammar (`if`, `for`, `{`, ...) are stepped over: they
//! make the line one that asks, but the commands behind them are still seen by rules that refuse.

use std::ops::Range;

use crate::policy::command::scan::{Lead, Scan, Token, Word};

/// Most commands in a line that is judged one by one.
pub const MAX_COMMANDS: usize = 50;

/// Words that are grammar where a command may begin.
const GRAMMAR: &[&str] = &[
    "if", "then", "else", "elif", "fi", "do", "done", "while", "until", "for", "select", "case", "esac", "in",
    "function", "coproc", "{", "}", "!", "[[", "]]",
];

/// One command with its words.
#[derive(Debug, Clone, Default)]
pub struct Simple {
    /// `NAME=value` in front.
    pub assignments: Vec<Word>,
    /// The program and its arguments.
    pub words: Vec<Word>,
    /// Files that are read or written by redirection.
    pub leads: Vec<(Lead, Word)>,
    /// Whether its input comes from the command before.
    pub is_fed: bool,
    /// How many substitutions around it: 0 for the line itself.
    pub depth: usize,
    /// Index of the command in whose words it stands, for substitutions.
    pub outer: Option<usize>,
}

impl Simple {
    /// Returns the part of the text from the first word to the last.
    pub fn range(&self) -> Range<usize> {
        let words = || self.assignments.iter().chain(&self.words).chain(self.leads.iter().map(|(_, word)| word));
        let start = words().map(|word| word.range.start).min().unwrap_or_default();
        let end = words().map(|word| word.range.end).max().unwrap_or_default();
        start..end
    }
}

/// A text as commands.
#[derive(Debug, Default)]
pub struct Line {
    /// Every command, those in substitutions behind the one they stand in.
    pub commands: Vec<Simple>,
    /// Why nothing of it may run without a question.
    pub doubts: Vec<&'static str>,
}

/// Groups what was read.
pub fn group(scan: &Scan) -> Line {
    let mut line = Line::default();
    add(scan, 0, None, &mut line);
    if line.commands.len() > MAX_COMMANDS {
        line.doubts.push("it has too many commands to judge one by one");
    }
    line
}

fn add(scan: &Scan, depth: usize, outer: Option<usize>, line: &mut Line) {
    line.doubts.extend(&scan.doubts);
    let mut current = Simple { depth, outer, ..Simple::default() };
    // Which command the words before a place belong to, to know where a substitution stands.
    let mut owners = Vec::with_capacity(scan.tokens.len());
    let mut lead = None;
    for token in &scan.tokens {
        owners.push(line.commands.len());
        match token {
            Token::Lead(kind) => lead = Some(*kind),
            Token::Word(word) => match lead.take() {
                Some(kind) => current.leads.push((kind, word.clone())),
                None => take_word(word, &mut current, line),
            },
            Token::Then | Token::Pipe | Token::Other(_) => {
                if lead.take().is_some() {
                    line.doubts.push("a redirection leads nowhere");
                }
                if let Token::Other(_) = token {
                    line.doubts.push("it does more than run commands one after the other");
                }
                let is_fed = *token == Token::Pipe;
                let next = Simple { depth, outer, is_fed, ..Simple::default() };
                end(std::mem::replace(&mut current, next), line);
            }
        }
    }
    end(current, line);
    for (at, nested) in &scan.nested {
        line.doubts.push("it holds a substitution");
        // The word of a substitution is pushed after what is inside of it.
        // It always stands before what is in it, so that following owners ends; a substitution alone in a line has none.
        let owner = owners.get(*at).copied().or(line.commands.len().checked_sub(1));
        add(nested, depth + 1, owner.filter(|owner| *owner < line.commands.len()), line);
    }
}

fn take_word(word: &Word, current: &mut Simple, line: &mut Line) {
    if current.words.is_empty() {
        if !word.is_quoted && GRAMMAR.contains(&word.text.as_str()) {
            line.doubts.push("it has control flow");
            return;
        }
        if assigned(&word.text).is_some() {
            current.assignments.push(word.clone());
            return;
        }
    }
    current.words.push(word.clone());
}

fn end(command: Simple, line: &mut Line) {
    if !command.words.is_empty() || !command.assignments.is_empty() || !command.leads.is_empty() {
        line.commands.push(command);
    }
}

/// Returns the name and value of an assignment; `+=` and subscripts count, quotes in the name do not matter here because
/// what is taken for an assignment wrongly asks.
pub fn assigned(text: &str) -> Option<(&str, &str)> {
    let (name, value) = text.split_once('=')?;
    let bare = name.strip_suffix('+').unwrap_or(name);
    let bare = bare.split('[').next().unwrap_or_default();
    let is_name =
        bare.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && !bare.starts_with(|c: char| c.is_ascii_digit());
    (is_name && !bare.is_empty()).then_some((name, value))
}
