//! How is a file of the user changed so that nothing is lost that nobody meant to touch?
//!
//! Reads text whatever its encoding and line ends, finds the place a change is meant for, and writes it back keeping both.
//! The only room that writes the user's files. Must not guess: a place is found exactly once or not at all ([`locate`] says what is forgiven), and a change
//! that would lose bytes is refused. Must not decide whether a file may be changed, nor know which files a session has read.
//! To add a way of stating a change: a file here that ends in [`replace::replace`] or [`writer::Writer::stage`].

pub mod change;
pub mod choice;
pub mod diff;
pub mod encoding;
pub mod excerpt;
pub mod hunks;
pub mod line_ends;
pub mod locate;
pub mod misstated;
pub mod nearest;
pub mod parse;
pub mod places;
pub mod plan;
pub mod replace;
pub mod review;
pub mod seek;
pub mod text_file;
pub mod together;
pub mod trial;
pub mod v4a;
pub mod v4a_text;
pub mod whole;
pub mod window;
pub mod writer;

use crate::base::fault::{Explain, Kind};
use crate::base::text::size;
use crate::edit::excerpt::Excerpt;
use crate::edit::misstated::Misstated;

/// Why a file cannot be read as text or changed. `name` is the file as the user or model knows it.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// Nothing is there.
    #[error("`{name}` does not exist")]
    Missing {
        /// The file.
        name: String,
    },
    /// Something is there that has no content of its own.
    #[error("`{name}` is {kind}, not a file")]
    NotAFile {
        /// The file.
        name: String,
        /// What it is, with its article.
        kind: &'static str,
    },
    /// Something above it is a file.
    #[error("nothing can be below `{above}`, because that is a file")]
    BelowAFile {
        /// What is above it.
        above: String,
    },
    /// The content is not text.
    #[error("`{name}` is {kind} ({}), not text", size(*size_bytes))]
    Binary {
        /// The file.
        name: String,
        /// What it is, with its article.
        kind: &'static str,
        /// Its length.
        size_bytes: u64,
    },
    /// The file is too long to be held whole.
    #[error("`{name}` has {}, the most that is read whole is {}", size(*size_bytes), size(text_file::MAX_TEXT_BYTES))]
    TooLarge {
        /// The file.
        name: String,
        /// Its length.
        size_bytes: u64,
    },
    /// The system would not let it be read.
    #[error("cannot read `{name}`")]
    Read {
        /// The file.
        name: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The system would not let it be written.
    #[error("cannot write `{name}`")]
    Write {
        /// The file.
        name: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Nobody may write it.
    #[error("`{name}` is read-only")]
    ReadOnly {
        /// The file.
        name: String,
    },
    /// It has other names, which a replacement would leave with the old content.
    #[error("`{name}` has {links} hard links, and a change would reach only this one")]
    HardLinked {
        /// The file.
        name: String,
        /// How many names it has.
        links: u64,
    },
    /// Its bytes do not survive being read and written.
    #[error("`{name}` is not valid {encoding}: writing it back would change bytes nobody touched")]
    Lossy {
        /// The file.
        name: String,
        /// What it nearly is.
        encoding: &'static str,
    },
    /// The new text does not fit its encoding.
    #[error("`{name}` is in {encoding}, which has no `{character}`")]
    Unencodable {
        /// The file.
        name: String,
        /// Its encoding.
        encoding: &'static str,
        /// The first character that does not fit.
        character: char,
    },
    /// Something about it besides its content would be lost.
    #[error("cannot write `{name}`: {why}")]
    NotKept {
        /// The file.
        name: String,
        /// What, and why.
        why: String,
    },
    /// A link stands where none stood when the call was judged, or leads nowhere.
    #[error("`{name}` lies behind a symbolic link that leads nowhere or was put there while this was checked")]
    Redirected {
        /// The file.
        name: String,
    },
    /// Somebody else wrote it meanwhile.
    #[error("`{name}` changed on disk meanwhile")]
    Changed {
        /// The file.
        name: String,
    },
    /// The change changes nothing.
    #[error("the old and the new text are the same")]
    Same,
    /// A change without a place.
    #[error("the old text is empty, but the file is not")]
    EmptyOld,
    /// The old text is nowhere.
    #[error("the old text is not in the file")]
    NoMatch {
        /// What comes nearest, if anything does.
        nearest: Option<Excerpt>,
        /// The first line of the new text, where that is in the file, counted from 1.
        new_at: Option<usize>,
    },
    /// The old text is in more places than one.
    #[error("the old text is in the file {} times", lines.len())]
    Ambiguous {
        /// The line each starts at.
        lines: Vec<usize>,
    },
    /// The new content leaves code out and says so.
    #[error("line {line} of the content stands for code left out: `{text}`")]
    Elided {
        /// The line, counted from 1.
        line: usize,
        /// What it says.
        text: String,
    },
    /// The new content is so much shorter that something was probably forgotten.
    #[error("the content has {new_lines} lines, the file has {old_lines}")]
    Shrunk {
        /// Lines in the file.
        old_lines: usize,
        /// Lines in the content.
        new_lines: usize,
    },
    /// The change is stated in a way that cannot be carried out.
    #[error(transparent)]
    Misstated(#[from] Misstated),
    /// Of several files that should change together some did and could not be put back.
    #[error("not all could be written, and these could not be put back: {names}")]
    HalfWritten {
        /// The files that changed.
        names: String,
        /// Why the others did not.
        #[source]
        source: Box<Self>,
    },
    /// One of several changes cannot be made.
    #[error("change {part} of {of}")]
    InPart {
        /// Which, counted from 1.
        part: usize,
        /// Of how many.
        of: usize,
        /// Why.
        #[source]
        source: Box<Self>,
    },
}

impl Explain for EditError {
    fn kind(&self) -> Kind {
        Kind::Task
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::ReadOnly { name } => vec![format!("chmod u+w '{name}'")],
            Self::HardLinked { name, .. } => vec![format!("cp -p '{name}' '{name}.new' && mv '{name}.new' '{name}'")],
            Self::TooLarge { name, .. } => vec![format!("sed -n '1,200p' '{name}'")],
            Self::Lossy { name, .. } => vec![format!("iconv -f utf-8 -t utf-8 '{name}' > /dev/null")],
            Self::InPart { source, .. } => source.hints(),
            _ => Vec::new(),
        }
    }
}

/// Renders the error with its causes on one line, for a reader who is shown nothing else.
pub fn chain(error: &EditError) -> String {
    let mut words = error.to_string();
    let mut next = std::error::Error::source(error);
    while let Some(cause) = next {
        words = format!("{words}: {cause}");
        next = cause.source();
    }
    words
}
