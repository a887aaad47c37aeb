//! Is it the same text, but for quotes, dashes and blanks that look alike?
//!
//! Models write typographic characters where code has plain ones, and the reverse. Lines that change are written as the
//! model wrote them; lines that do not keep the file's characters.

use std::borrow::Cow;

use crate::edit::locate::Place;
use crate::edit::locate::block::Block;

/// The rung that reads typographic characters as plain ones, on both sides.
pub fn with_plain_punctuation(lines: &[&str], block: &Block) -> Vec<Place> {
    block.places(lines, |old, line| plain(old.trim_end()) == plain(line.trim_end()))
}

/// Writes each look-alike as the plain character.
pub fn plain(line: &str) -> Cow<'_, str> {
    if line.is_ascii() {
        return Cow::Borrowed(line);
    }
    let mut out = String::with_capacity(line.len());
    for c in line.chars() {
        match c {
            '\u{2018}' | '\u{2019}' | '\u{201a}' | '\u{201b}' | '\u{2032}' => out.push('\''),
            '\u{201c}' | '\u{201d}' | '\u{201e}' | '\u{201f}' | '\u{2033}' => out.push('"'),
            '\u{2010}'..='\u{2015}' | '\u{2212}' => out.push('-'),
            '\u{2026}' => out.push_str("..."),
            '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => out.push(' '),
            other => out.push(other),
        }
    }
    Cow::Owned(out)
}
