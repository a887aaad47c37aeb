//! What becomes of a file when a person takes some pieces of a change and leaves or rewrites others?
//!
//! Pure: both texts and the pieces in, the resulting text out. Everything outside the pieces is the same in both texts;
//! inside one it is the new text, the old text, or what the person wrote, whole.

use crate::edit::hunks::lines;
use crate::edit::line_ends::{LfView, to_lf, with_end};
use crate::protocol::diff::Hunk;
use crate::protocol::review::Ruling;

/// Puts together what the rulings make of `before`, of which `after` is the full change and `hunks` its pieces, all of them
/// and in order.
pub fn text_after(before: &str, after: &str, hunks: &[Hunk], ruling: impl Fn(&Hunk) -> Ruling) -> String {
    let (old, new) = (lines(before), lines(after));
    let mut out = String::with_capacity(before.len().max(after.len()));
    let mut at = 0;
    for hunk in hunks {
        let old_piece = hunk.old_start - 1..hunk.old_start - 1 + hunk.old_lines;
        let new_piece = hunk.new_start - 1..hunk.new_start - 1 + hunk.new_lines;
        out.extend(old.get(at..old_piece.start).unwrap_or_default().iter().copied());
        at = old_piece.end;
        let old_lines = old.get(old_piece).unwrap_or_default();
        let new_lines = new.get(new_piece).unwrap_or_default();
        match ruling(hunk) {
            Ruling::Take => out.extend(new_lines.iter().copied()),
            Ruling::Leave { .. } => out.extend(old_lines.iter().copied()),
            Ruling::Edit { text } => {
                out.push_str(&fitted(&text, if new_lines.is_empty() { old_lines } else { new_lines }));
            }
        }
    }
    out.extend(old.get(at..).unwrap_or_default().iter().copied());
    out
}

/// Gives text a person wrote the line ends of the lines it stands for. Editors end every file with a newline; where the
/// lines do not end with one, neither does the text.
pub(crate) fn fitted(text: &str, instead_of: &[&str]) -> String {
    let replaced = instead_of.concat();
    let end = match LfView::new(&replaced).usual_end() {
        "\n" if replaced.contains('\r') && !replaced.contains('\n') => "\r",
        end => end,
    };
    let text = to_lf(text);
    let is_ended = replaced.is_empty() || replaced.ends_with(['\n', '\r']);
    let text = match (text.strip_suffix('\n'), is_ended) {
        (Some(text), false) => text.to_owned(),
        (None, true) if !text.is_empty() => format!("{text}\n"),
        _ => text.into_owned(),
    };
    with_end(&text, end).into_owned()
}

#[cfg(test)]
#[path = "review_tests.rs"]
mod tests;
