//! What can go wrong with a database, and what does the user type next?

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::{ErrorCode, ffi};
use thiserror::Error;

use crate::base::fault::{Explain, Kind};
use crate::base::text::visible;

/// Why something could not be kept in a database or read from it.
#[derive(Debug, Error)]
pub enum DbError {
    /// The folder or the file cannot be made.
    #[error("cannot make `{}`", show(path))]
    Make {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file is there and cannot be opened.
    #[error("cannot open the database `{}`", show(path))]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: rusqlite::Error,
    },
    /// A newer mimi wrote it.
    #[error("the database `{}` is of version {found}, this mimi knows versions up to {known}", show(path))]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// The newest version known here.
        known: i64,
    },
    /// It is no database, or its content contradicts itself.
    #[error("the database `{}` is damaged", show(path))]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        #[source]
        source: rusqlite::Error,
    },
    /// The disk, a quota or a limit of the file is reached.
    #[error("there is no room for the database `{}`", show(path))]
    Full {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        #[source]
        source: rusqlite::Error,
    },
    /// Other processes kept it locked all the time.
    #[error("the database `{}` is kept locked by another process", show(path))]
    Busy {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        #[source]
        source: rusqlite::Error,
    },
    /// Anything else.
    #[error("cannot use the database `{}`", show(path))]
    Use {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        #[source]
        source: rusqlite::Error,
    },
}

fn show(path: &Path) -> String {
    visible(&path.display().to_string()).into_owned()
}

impl DbError {
    /// Sorts an error of SQLite by what can be done about it.
    pub(crate) fn of(path: &Path, source: rusqlite::Error) -> Self {
        let path = path.to_path_buf();
        // A quota or a largest size of files that is reached, which SQLite tells from a full disk no further.
        let no_room = [ffi::SQLITE_IOERR_WRITE, ffi::SQLITE_IOERR_FSYNC, ffi::SQLITE_IOERR_SHMSIZE];
        if source.sqlite_error().is_some_and(|error| no_room.contains(&error.extended_code)) {
            return Self::Full { path, source };
        }
        match source.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Corrupt { path, source },
            Some(ErrorCode::DiskFull) => Self::Full { path, source },
            // The last: so many others come and go that the log could not be joined.
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::FileLockingProtocolFailed) => {
                Self::Busy { path, source }
            }
            Some(ErrorCode::CannotOpen) => Self::Open { path, source },
            _ => Self::Use { path, source },
        }
    }

    /// Says whether other processes were in the way, so that a later try may do.
    pub fn is_busy(&self) -> bool {
        matches!(self, Self::Busy { .. })
    }

    /// Says whether the file itself is spoiled, so that only a new one helps.
    pub fn is_corrupt(&self) -> bool {
        matches!(self, Self::Corrupt { .. })
    }
}

impl Explain for DbError {
    fn kind(&self) -> Kind {
        Kind::Config
    }

    fn hints(&self) -> Vec<String> {
        let folder = |path: &Path| show(path.parent().unwrap_or(Path::new("/")));
        vec![match self {
            Self::Make { path, .. } => format!("ls -ld {}", folder(path)),
            Self::Newer { path, .. } => format!("update mimi, or put the file away: mv {0} {0}.newer", show(path)),
            Self::Corrupt { path, .. } => format!("put the file away: mv {0} {0}.damaged", show(path)),
            Self::Full { path, .. } => format!("df -h {}", folder(path)),
            Self::Open { path, .. } | Self::Busy { path, .. } | Self::Use { path, .. } => {
                format!("ls -l {}", show(path))
            }
        }]
    }
}
