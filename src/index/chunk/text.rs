//! Where does a text without known syntax fall apart?
//!
//! At blank lines that are followed by a line as far to the left as any: paragraphs, sections, top-level blocks of code in a
//! language mimi has no grammar for. As many as fit are one piece.

use crate::index::chunk::{Lines, Piece, TARGET_BYTES, pieces};

/// Cuts a text.
pub fn cut(text: &[u8], lines: &Lines) -> Vec<Piece> {
    let line = |n: usize| text.get(lines.begin(n)..lines.begin(n + 1)).unwrap_or_default();
    let is_blank = |n: usize| line(n).iter().all(u8::is_ascii_whitespace);
    let begins_block = |n: &usize| {
        *n > 0
            && is_blank(n - 1)
            && line(*n).first().is_some_and(|byte| !byte.is_ascii_whitespace() && !b"})]".contains(byte))
    };
    let blocks: Vec<usize> = (0..lines.count()).filter(begins_block).collect();
    let mut begins = Vec::new();
    let mut open = 0;
    for (at, block) in blocks.iter().enumerate() {
        let end = blocks.get(at + 1).copied().unwrap_or(lines.count());
        if lines.begin(end) - lines.begin(open) > TARGET_BYTES {
            begins.push(*block);
            open = *block;
        }
    }
    pieces(lines, begins)
}
