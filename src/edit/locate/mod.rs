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
mod normal;
mod numbers;

use crate::edit::EditError;
use crate::edit::locate::block::Block;

/// What had to be forgiven to find the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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

/// Climbs the ladder above exact equality. `text`, `old` and `new` have plain line feeds; `old` is not empty.
///
/// # Errors
/// [`EditError::Ambiguous`] with the first line of every place, when the first rung that finds anything finds more than one.
/// `Ok(None)` when no rung finds anything.
pub fn locate(text: &str, old: &str, new: &str) -> Result<Option<(Rung, Place)>, EditError> {
    let lines: Vec<&str> = text.split('\n').collect();
    let Some(block) = Block::of(old, new) else { return Ok(None) };
    for (rung, look) in LADDER {
        let mut places = look(&lines, &block);
        places = block::only_if_alone(&lines, &block, places);
        match places.len() {
            0 => {}
            1 => return Ok(places.pop().map(|place| (rung, place))),
            _ => return Err(EditError::Ambiguous { lines: places.iter().map(|place| place.first + 1).collect() }),
        }
    }
    Ok(None)
}

#[cfg(test)]
#[path = "locate_tests.rs"]
mod tests;
