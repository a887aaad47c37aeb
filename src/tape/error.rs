//! Why can a recording not be made or played, and what is to be typed then?

use std::io;
use std::path::{Path, PathBuf};

use crate::base::fault::{Explain, Kind};
use crate::base::text::{shell_quoted, visible};
use crate::tape::entry::VERSION;

/// Why a recording cannot be made or played.
#[derive(Debug, thiserror::Error)]
pub enum TapeError {
    /// There is a file of that name.
    #[error("`{}` exists already, and a recording replaces no file", show(path))]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The file cannot be made.
    #[error("cannot record to `{}`", show(path))]
    Create {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file cannot be read.
    #[error("cannot read the recording `{}`", show(path))]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// There is nothing in it.
    #[error("`{}` is empty: nothing was recorded", show(path))]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// It is another kind of file.
    #[error("`{}` is no recording of mimi", show(path))]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// A later mimi made it.
    #[error("`{}` was recorded by mimi {mimi} in format {v}, and this mimi reads up to {VERSION}", show(path))]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        v: u32,
        /// The mimi that wrote it.
        mimi: String,
    },
    /// A line in the middle makes no sense.
    #[error("line {line} of the recording `{}` cannot be read", show(path))]
    Broken {
        /// The file.
        path: PathBuf,
        /// Counts from one.
        line: usize,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// The recording holds no conversation.
    #[error("the recording `{}` holds no exchange with a model", show(path))]
    NoAgent {
        /// The file.
        path: PathBuf,
    },
}

fn show(path: &Path) -> String {
    visible(&path.display().to_string()).into_owned()
}

impl Explain for TapeError {
    fn kind(&self) -> Kind {
        match self {
            Self::Newer { .. } | Self::Broken { .. } => Kind::Config,
            _ => Kind::Usage,
        }
    }

    fn hints(&self) -> Vec<String> {
        let hint = match self {
            Self::Exists { path } => format!("name another file, or: rm {}", shell_quoted(&show(path))),
            Self::Create { path, .. } | Self::Read { path, .. } => format!("ls -l {}", shell_quoted(&show(path))),
            Self::Empty { .. } | Self::Foreign { .. } => "mimi fix --record FILE makes one".to_owned(),
            Self::Newer { mimi, .. } => format!("play it with mimi {mimi} or later"),
            Self::Broken { .. } => {
                "it was changed after it was recorded; record again: mimi fix --record FILE".to_owned()
            }
            Self::NoAgent { .. } => "the run needed no model, so there is nothing to play".to_owned(),
        };
        vec![hint]
    }
}
