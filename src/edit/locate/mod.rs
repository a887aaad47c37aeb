//! Where is the text that a model means, when it did not copy it exactly?
//!
//! A ladder: each rung forgives one known way in which models miscopy, and is climbed only when all below it found nothing.
//! A rung that finds one place decides, if no other place looks like it; one that finds several is an error. Nothing here measures likeness: text is equal
//! under a stated rule or it is not, so that no edit lands in a place that was not meant. Works on whole lines of text with
//! plain line feeds; knows nothing of files.
//! To add a rung: a variant of [`Rung`], a row in [`LADDER`], and cases in `locate_tests.rs`.

mod block;
mod elision;
mod escape;
mod indent;
pub mod normal;
mod numbers;

use crate::edit::EditError;
use crate::edit::locate::block::Block;

/// What had to be forgiven to find the text, from little to much.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rung {
    /// Nothing; at most the kind of line ends.
    Exact,
    /// Blanks at the ends of lines.
    TrailingBlanks,
    /// Line numbers copied along from `read_file`.
    LineNumbers,
    /// All lines indented by the same amount more or less, or with tabs for spaces.
    Indent,
    /// Typographic quotes, dashes and blanks where the file has plain ones, or the reverse.
    Punctuation,
    /// `\n`, `\t`, `\"` written out instead of what they stand for.
    Escapes,
    /// `...` lines that stand for lines left out.
    Elision,
}

impl Rung {
    /// Says what was forgiven, for the model and the person; none when nothing was.
    pub fn words(self) -> Option<&'static str> {
        match self {
            Self::Exact => None,
            Self::TrailingBlanks => Some("blanks at line ends were ignored"),
            Self::LineNumbers => Some("line numbers were left out"),
            Self::Indent => Some("the indentation was adjusted to the file's"),
            Self::Punctuation => Some("typographic characters were read as plain ones"),
            Self::Escapes => Some("escaped characters were read as what they stand for"),
            Self::Elision => Some("lines of `...` stand for the lines of the file between"),
        }
    }
}

/// One change: lines of the file that go, and what comes instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Splice {
    /// First line that goes, counted from 0.
    pub first: usize,
    /// Lines that go.
    pub n_lines: usize,
    /// Lines that come.
    pub lines: Vec<String>,
}

/// A place that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The first line of the text that was meant, counted from 0.
    pub first: usize,
    /// The changes in it, from top to bottom; lines that old and new share are in none.
    pub splices: Vec<Splice>,
    /// Whether the change can be made there: not where the place only looks like it, or new lines cannot be indented so.
    pub is_possible: bool,
}

/// One way of looking. Returns every place it finds.
type Look = fn(&[&str], &Block) -> Vec<Place>;

/// The rungs above exact equality, in the order they are climbed.
const LADDER: [(Rung, Look); 6] = [
    (Rung::TrailingBlanks, block::ignoring_trailing_blanks),
    (Rung::LineNumbers, numbers::without_line_numbers),
    (Rung::Indent, indent::with_another_indent),
    (Rung::Punctuation, normal::with_plain_punctuation),
    (Rung::Escapes, escape::unescaped),
    (Rung::Elision, elision::around_elisions),
];

/// Climbs the ladder above exact equality. `text`, `old` and `new` have plain line feeds; `old` is not empty. `choose` is
/// given the first lines, counted from 0, of all that the first rung with any finds, and returns the one that is meant.
///
/// # Errors
/// [`EditError::Ambiguous`] with the first line of every place, when none of them is chosen.
/// `Ok(None)` when no rung finds anything.
pub fn locate(
    text: &str,
    old: &str,
    new: &str,
    choose: &dyn Fn(&[usize]) -> Option<usize>,
) -> Result<Option<(Rung, Place)>, EditError> {
    let lines: Vec<&str> = text.split('\n').collect();
    let Some(block) = Block::of(old, new) else { return Ok(None) };
    for (rung, look) in LADDER {
        let places = block::with_look_alikes(&lines, &block, look(&lines, &block));
        let rows: Vec<usize> = places.iter().map(|place| place.first).collect();
        if rows.is_empty() {
            continue;
        }
        let chosen = choose(&rows);
        return match places.into_iter().find(|place| Some(place.first) == chosen) {
            Some(place) if place.is_possible => Ok(Some((rung, place))),
            Some(_) if rows.len() == 1 => continue,
            _ => Err(EditError::Ambiguous { lines: rows.iter().map(|row| row + 1).collect() }),
        };
    }
    Ok(None)
}

#[cfg(test)]
#[path = "locate_tests.rs"]
mod tests;
