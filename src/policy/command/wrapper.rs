//! Which command does `timeout 5 nice ls` start?

use crate::policy::command::line::assigned;
use crate::policy::command::scan::Word;
use crate::policy::command::table::{Table, Takes, Wrapper};

/// What stands behind a wrapper.
#[derive(Debug, PartialEq, Eq)]
pub enum Inner {
    /// A command, and why the wrapper itself asks.
    Command {
        /// Its words.
        words: Vec<Word>,
        /// Why it asks whatever the command is.
        doubt: Option<String>,
    },
    /// It only says what a name means.
    Lookup,
    /// None that can be made out; why that asks.
    Nothing(String),
}

/// Takes the wrapper that starts `words` off.
pub fn take_off(wrapper: &Wrapper, words: &[Word], table: &Table) -> Inner {
    let name = &words[0].text;
    let mut doubt = None;
    let mut at = 1;
    let mut operands = wrapper.operands;
    while let Some(word) = words.get(at) {
        let text = word.text.as_str();
        if !word.is_literal() {
            doubt.get_or_insert_with(|| format!("what `{name}` does is known only when it runs"));
        }
        if wrapper.lookup.has(text) {
            let rest = &words[at + 1..];
            return match rest.iter().all(|word| word.is_literal() && !word.text.starts_with('-')) {
                true => Inner::Lookup,
                false => Inner::Nothing(format!("what `{name}` does is known only when it runs")),
            };
        }
        if text == "--" {
            at += 1;
            break;
        }
        if text.starts_with('-') && text.len() > 1 || wrapper.option(text).is_some() {
            match option(wrapper, text) {
                Some(takes_next) => at += 1 + usize::from(takes_next),
                None => {
                    doubt.get_or_insert_with(|| format!("`{text}` of `{name}` is not known"));
                    at += 1;
                }
            }
        } else if wrapper.assignments && assigned(text).is_some() {
            let variable = assigned(text).map_or("", |(variable, _)| variable);
            if !table.is_harmless(variable) {
                doubt.get_or_insert_with(|| format!("it sets `{variable}`, which may change what runs"));
            }
            at += 1;
        } else if operands > 0 {
            operands -= 1;
            at += 1;
        } else {
            break;
        }
    }
    match words.get(at..) {
        Some(rest) if !rest.is_empty() => Inner::Command { words: rest.to_vec(), doubt },
        _ => Inner::Nothing(doubt.unwrap_or_else(|| format!("`{name}` starts nothing that can be seen"))),
    }
}

/// Says whether a known option takes the next word; none for options that are not known.
fn option(wrapper: &Wrapper, text: &str) -> Option<bool> {
    if text
        .strip_prefix('-')
        .is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
    {
        return wrapper.option("-#").map(|_| false);
    }
    if let Some(takes) = wrapper.option(text) {
        return Some(takes == Takes::Value);
    }
    if let Some((name, _)) = text.split_once('=').filter(|_| text.starts_with("--")) {
        return wrapper.option(name).filter(|takes| *takes != Takes::Nothing).map(|_| false);
    }
    // A value joined to its letter, or letters joined.
    let letters: Vec<char> = text.strip_prefix('-').filter(|rest| !rest.starts_with('-'))?.chars().collect();
    for (at, letter) in letters.iter().enumerate() {
        match wrapper.option(&format!("-{letter}"))? {
            Takes::Nothing | Takes::Perhaps => {}
            Takes::Value | Takes::File(_) => return Some(at + 1 == letters.len()),
        }
    }
    Some(false)
}
