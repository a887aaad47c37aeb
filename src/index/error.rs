//! What can go wrong with the index, and what does the user type next?

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::base::fault::{Explain, Kind};
use crate::base::text::visible;
use crate::db::error::DbError;

/// Why the index could not be made or asked.
#[derive(Debug, Error)]
pub enum IndexError {
    /// The database.
    #[error("cannot use the index")]
    Db(#[source] DbError),
    /// A newer mimi wrote what is there.
    #[error("the index `{}` was made by a newer mimi", visible(&path.display().to_string()))]
    Newer {
        /// The file.
        path: PathBuf,
    },
    /// The folder to be indexed cannot be read.
    #[error("cannot read the folder `{}`", visible(&path.display().to_string()))]
    Root {
        /// The folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file that elects the writer cannot be made.
    #[error("cannot lock the index at `{}`", visible(&path.display().to_string()))]
    Lock {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Another process writes the index, and what was asked for needs it alone.
    #[error("another mimi is writing the index of this project")]
    Writing,
    /// A table compiled into mimi cannot be read.
    #[error("a table of the index is broken: {0}")]
    Table(String),
}

impl From<DbError> for IndexError {
    fn from(error: DbError) -> Self {
        match error {
            DbError::Newer { path, .. } => Self::Newer { path },
            error => Self::Db(error),
        }
    }
}

impl Explain for IndexError {
    fn kind(&self) -> Kind {
        match self {
            Self::Db(error) => error.kind(),
            Self::Newer { .. } | Self::Root { .. } | Self::Lock { .. } => Kind::Config,
            Self::Writing => Kind::Task,
            Self::Table(_) => Kind::Bug,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Db(error) => error.hints(),
            Self::Newer { path } => {
                vec![format!("update mimi, or put the file away: mv {0} {0}.newer", path.display())]
            }
            Self::Root { path, .. } | Self::Lock { path, .. } => vec![format!("ls -ld {}", path.display())],
            Self::Writing => vec!["mimi index --status".to_owned()],
            Self::Table(_) => Vec::new(),
        }
    }
}

impl IndexError {
    /// Says whether the file is spoiled, so that a new one is built.
    pub fn is_corrupt(&self) -> bool {
        matches!(self, Self::Db(error) if error.is_corrupt())
    }

    /// Says whether there is no room for more.
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Db(DbError::Full { .. }))
    }
}
