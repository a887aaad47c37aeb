//! What can be at a path, and how did that change?

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::protocol::diff::Change;

/// Permission bits of a mode; what kind of thing it is stands in the others.
pub const PERMISSIONS: u32 = 0o7777;

/// What is at a path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Node {
    /// A regular file.
    File {
        /// Hash of its content, in hex.
        hash: String,
        /// Permission bits; none where nobody looked.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mode: Option<u32>,
    },
    /// A symbolic link.
    Link {
        /// Where it leads, as it is written in it.
        #[serde(with = "crate::protocol::path")]
        target: PathBuf,
    },
    /// A folder.
    Folder {
        /// Permission bits.
        mode: u32,
    },
}

impl Node {
    /// Returns the permission bits, where it has any and they are known.
    pub fn mode(&self) -> Option<u32> {
        match self {
            Self::File { mode, .. } => *mode,
            Self::Folder { mode } => Some(*mode),
            Self::Link { .. } => None,
        }
    }

    /// Gives it other permission bits, if it has any.
    #[must_use]
    pub fn with_mode(self, mode: u32) -> Self {
        match self {
            Self::File { hash, .. } => Self::File { hash, mode: Some(mode) },
            Self::Folder { .. } => Self::Folder { mode },
            link @ Self::Link { .. } => link,
        }
    }

    /// Says whether both are the same but for their permission bits.
    pub fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::File { hash: a, .. }, Self::File { hash: b, .. }) => a == b,
            (Self::Link { target: a }, Self::Link { target: b }) => a == b,
            (Self::Folder { .. }, Self::Folder { .. }) => true,
            _ => false,
        }
    }

    /// Returns the hash of the content of a file.
    pub fn hash(&self) -> Option<&str> {
        match self {
            Self::File { hash, .. } => Some(hash),
            Self::Link { .. } | Self::Folder { .. } => None,
        }
    }
}

/// Says whether both are the same but for permission bits; nothing is like nothing.
pub fn are_alike(a: Option<&Node>, b: Option<&Node>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => a.is_like(b),
        (None, None) => true,
        _ => false,
    }
}

/// What became of one path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delta {
    /// Absolute path; links above it followed.
    #[serde(with = "crate::protocol::path")]
    pub path: PathBuf,
    /// What was there; none for nothing.
    pub before: Option<Node>,
    /// What is there; none for nothing.
    pub after: Option<Node>,
}

impl Delta {
    /// Says whether both tell the same change; permission bits that one of them does not know count for nothing.
    pub fn is_same(&self, other: &Self) -> bool {
        let are_same = |a: &Option<Node>, b: &Option<Node>| {
            let modes = [a, b].map(|node| node.as_ref().and_then(Node::mode));
            let is_mode_same = modes[0].zip(modes[1]).is_none_or(|(a, b)| a == b);
            are_alike(a.as_ref(), b.as_ref()) && is_mode_same
        };
        self.path == other.path && are_same(&self.before, &other.before) && are_same(&self.after, &other.after)
    }
}

impl From<Change> for Delta {
    fn from(change: Change) -> Self {
        let Change { path, before, after, mode } = change;
        // An edit keeps the mode of a file; of one that it made nobody looked at the mode.
        let kept = before.as_ref().and(mode);
        let before = before.map(|hash| Node::File { hash, mode });
        let after = after.map(|hash| Node::File { hash, mode: kept });
        Self { path, before, after }
    }
}
