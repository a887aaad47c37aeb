//! What can go wrong with a session, and what does the user type next?

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::base::fault::{Explain, Kind};
use crate::base::text::visible;
use crate::session::reader::id_of;

/// Why something could not be done with a session.
#[derive(Debug, Error)]
pub enum SessionError {
    /// The folder of the session files cannot be made or read.
    #[error("cannot use the session folder `{}`", show(path))]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A session file cannot be opened, made or removed.
    #[error("cannot open the session file `{}`", show(path))]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A session file cannot be read to its end.
    #[error("cannot read the session file `{}`", show(path))]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// An event was not written; the session goes on, but without it a resumed one will lack it.
    #[error("cannot write to the session file `{}`", show(path))]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// An event is longer than a reader would take.
    #[error("an event of {bytes} bytes is too long for a session file (at most {max_bytes})")]
    TooLong {
        /// Its length.
        bytes: usize,
        /// The limit.
        max_bytes: usize,
    },
    /// An event has no JSON form.
    #[error("cannot write an event as JSON")]
    Encode(#[source] serde_json::Error),
    /// Another process writes the session.
    #[error("session `{id}` is in use by {holder}")]
    InUse {
        /// The session.
        id: String,
        /// The process, in words.
        holder: String,
    },
    /// An id that cannot be the name of a file.
    #[error("`{}` cannot be a session id", visible(id))]
    BadId {
        /// The id.
        id: String,
    },
    /// No session has such an id.
    #[error("there is no session `{}`", visible(prefix))]
    NotFound {
        /// What was asked for.
        prefix: String,
    },
    /// Several sessions have such an id.
    #[error("`{}` could be any of {} sessions: {}", visible(prefix), ids.len(), sample(ids))]
    Ambiguous {
        /// What was asked for.
        prefix: String,
        /// The sessions, oldest first.
        ids: Vec<String>,
    },
    /// The file holds nothing of a session.
    #[error("`{}` holds no session: it has {bytes} bytes and no readable record", show(path))]
    NotASession {
        /// The file.
        path: PathBuf,
        /// Its size.
        bytes: u64,
    },
    /// The session has no such turn.
    #[error("session `{id}` has no turn {turn}; it has {}", crate::base::text::count(*last as usize, "turn"))]
    NoTurn {
        /// The session.
        id: String,
        /// What was asked for.
        turn: u32,
        /// The last turn it has.
        last: u32,
    },
    /// There is no turn to take back.
    #[error("there is no turn to take back")]
    NothingToUndo,
    /// Nothing was taken back, or something was said since.
    #[error("there is nothing to do again: no turn was taken back since the last words")]
    NothingToRedo,
    /// The last turn has become part of a summary.
    #[error("turn {turn} cannot be taken back: it has become part of a summary")]
    Summarised {
        /// The turn.
        turn: u32,
    },
}

fn show(path: &Path) -> String {
    visible(&path.display().to_string()).into_owned()
}

/// Makes a name one word of a command that can be pasted.
fn word(name: &str) -> String {
    let name = visible(name);
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+@".contains(c);
    if !name.is_empty() && name.chars().all(is_plain) {
        return name.into_owned();
    }
    format!("'{}'", name.replace('\'', "'\\''"))
}

/// Names up to five ids; more would hide the sentence.
fn sample(ids: &[String]) -> String {
    let named: Vec<String> = ids.iter().rev().take(5).map(|id| visible(id).into_owned()).collect();
    let more = if ids.len() > named.len() { ", ..." } else { "" };
    format!("{}{more}", named.join(", "))
}

impl SessionError {
    /// Says whether the disk or a quota is full, which the user can change while the session goes on.
    pub fn is_disk_full(&self) -> bool {
        let (Self::Folder { source, .. } | Self::Open { source, .. } | Self::Write { source, .. }) = self else {
            return false;
        };
        matches!(source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
    }
}

impl Explain for SessionError {
    fn kind(&self) -> Kind {
        match self {
            Self::Folder { .. } | Self::Open { .. } | Self::Read { .. } | Self::Write { .. } => Kind::Config,
            Self::TooLong { .. } | Self::Encode(_) => Kind::Bug,
            _ => Kind::Usage,
        }
    }

    fn hints(&self) -> Vec<String> {
        let hint = match self {
            Self::Folder { path, .. } | Self::Write { path, .. } if self.is_disk_full() => {
                format!("df -h {}", word(&path.parent().unwrap_or(path).display().to_string()))
            }
            Self::Folder { .. } => "set `XDG_STATE_HOME` to a folder you can write to".to_owned(),
            Self::Open { path, .. } | Self::Read { path, .. } | Self::Write { path, .. } => {
                format!("ls -l {}", word(&path.display().to_string()))
            }
            Self::InUse { id, .. } => format!("mimi session fork {}", word(id)),
            Self::BadId { .. } | Self::NotFound { .. } => "mimi session list --all".to_owned(),
            Self::Ambiguous { .. } => "give more characters of the id; `mimi session list --all` shows them".to_owned(),
            Self::NotASession { path, .. } => format!("mimi session delete {}", word(&id_of(path))),
            Self::NoTurn { id, .. } => format!("mimi session show {}", word(id)),
            Self::TooLong { .. }
            | Self::Encode(_)
            | Self::NothingToUndo
            | Self::NothingToRedo
            | Self::Summarised { .. } => {
                return Vec::new();
            }
        };
        vec![hint]
    }
}
