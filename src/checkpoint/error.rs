//! What can go wrong when a file is kept, and what does the user type next?

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::base::fault::{Explain, Kind};
use crate::base::text::visible;

/// Why content could not be kept or given back.
#[derive(Debug, Error)]
pub enum CheckpointError {
    /// The folder of kept contents cannot be made.
    #[error("cannot use the checkpoint folder `{}`", show(path))]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file of the user cannot be read, so it cannot be kept.
    #[error("cannot keep `{}` as it is before changing it", show(path))]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Kept content cannot be written.
    #[error("cannot write the checkpoint `{}`", show(path))]
    Write {
        /// The file in the store.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Kept content cannot be read, or is gone.
    #[error("cannot read the checkpoint `{}`", show(path))]
    Load {
        /// The file in the store.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Kept content is not what was kept.
    #[error("the checkpoint `{}` is damaged", show(path))]
    Damaged {
        /// The file in the store.
        path: PathBuf,
    },
    /// The workspace is too large to be looked at before and after every command.
    #[error("`{}` holds more than {max} files and folders", show(path))]
    TooManyFiles {
        /// The workspace.
        path: PathBuf,
        /// The limit.
        max: usize,
    },
    /// The thread that kept something ended early.
    #[error("keeping the files ended early")]
    Ended,
    /// There is no checkpoint whose id begins so.
    #[error("there is no checkpoint `{}`", visible(prefix))]
    NotFound {
        /// What was asked for.
        prefix: String,
    },
    /// Several checkpoints have ids that begin so.
    #[error("`{}` is the beginning of {} checkpoints", visible(prefix), ids.len())]
    Ambiguous {
        /// What was asked for.
        prefix: String,
        /// Their ids.
        ids: Vec<String>,
    },
    /// The file system of the store knows no locks, so that nobody can tell what is in use.
    #[error("nothing can be deleted safely from `{}`: its file system has no locks", show(path))]
    NoLocks {
        /// The store.
        path: PathBuf,
    },
    /// A hash that is none, so that it names no content.
    #[error("`{}` is not the hash of a checkpoint", visible(hash))]
    BadHash {
        /// The hash.
        hash: String,
    },
}

fn show(path: &Path) -> String {
    visible(&path.display().to_string()).into_owned()
}

impl Explain for CheckpointError {
    fn kind(&self) -> Kind {
        match self {
            Self::NotFound { .. } | Self::Ambiguous { .. } => Kind::Usage,
            Self::Ended => Kind::Bug,
            _ => Kind::Config,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Folder { .. } => vec!["set `XDG_STATE_HOME` to a folder you can write to".to_owned()],
            Self::Write { path, source } => match source.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                    vec![format!("df -h {}", show(path.parent().unwrap_or(path)))]
                }
                _ => vec![format!("ls -ld {}", show(path.parent().unwrap_or(path)))],
            },
            Self::Read { path, .. } | Self::Load { path, .. } => vec![format!("ls -l {}", show(path))],
            Self::TooManyFiles { .. } => vec!["raise `checkpoint.max_files`, or work in a smaller folder".to_owned()],
            Self::NotFound { .. } => vec!["mimi checkpoint list".to_owned()],
            Self::Ambiguous { ids, .. } => vec![format!("one of: {}", ids.join(", "))],
            Self::Damaged { .. } | Self::BadHash { .. } | Self::Ended | Self::NoLocks { .. } => Vec::new(),
        }
    }
}
