//! Did the model escape its text once too often?
//!
//! One pass only: what is still escaped after it was meant so.

use crate::edit::locate::block::Block;
use crate::edit::locate::{Place, block};

/// The rung that reads `\n`, `\t`, `\r`, `\"`, `\'` and `\\` as what they stand for.
pub fn unescaped(lines: &[&str], block: &Block) -> Vec<Place> {
    let (old, new) = (unescape(&block.old.join("\n")), unescape(&block.new.join("\n")));
    match old.and_then(|old| Block::of(&old, &new.unwrap_or_else(|| block.new.join("\n")))) {
        Some(block) => block::with_look_alikes(lines, &block, block::ignoring_trailing_blanks(lines, &block)),
        None => Vec::new(),
    }
}

/// Undoes one level of escapes; `None` when there is none.
fn unescape(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let (mut chars, mut has_escape) = (text.chars(), false);
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        let rest = chars.as_str();
        let meant = match rest.chars().next() {
            Some('n') => '\n',
            Some('t') => '\t',
            Some('r') => '\r',
            Some(quote @ ('"' | '\'' | '\\')) => quote,
            _ => {
                out.push('\\');
                continue;
            }
        };
        chars.next();
        has_escape = true;
        // A carriage return belongs to a line end, which the file writes in its own way.
        if meant != '\r' {
            out.push(meant);
        }
    }
    has_escape.then_some(out)
}
