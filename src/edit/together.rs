//! How do several files change all or none?
//!
//! The new bytes of all are on disk before the first file changes, so most of what can go wrong has gone wrong by then. What
//! still fails takes back what was done before it, from the last to the first.

use std::path::{Path, PathBuf};

use crate::edit::EditError;
use crate::edit::text_file::TextFile;
use crate::edit::writer::{Staged, Writer, Written};

/// One write.
#[derive(Debug)]
pub enum Step<'a> {
    /// A file gets another text.
    Rewrite {
        /// The file as it was read.
        file: &'a TextFile,
        /// The whole text.
        text: &'a str,
    },
    /// A new file.
    Create {
        /// Absolute path.
        path: PathBuf,
        /// Its name in errors.
        name: String,
        /// The whole text.
        text: &'a str,
    },
    /// A file's text under another name, stored as the file was; the file itself is removed by a step of its own.
    Rename {
        /// The file as it was read.
        file: &'a TextFile,
        /// Absolute path of the new name.
        path: PathBuf,
        /// The new name in errors.
        name: String,
        /// The whole text.
        text: &'a str,
    },
    /// A file goes.
    Remove(&'a TextFile),
}

impl Step<'_> {
    /// Returns the absolute path of what is written or goes.
    pub fn path(&self) -> &Path {
        match self {
            Self::Rewrite { file, .. } | Self::Remove(file) => file.path(),
            Self::Create { path, .. } | Self::Rename { path, .. } => path,
        }
    }

    fn stage(&self, writer: &Writer) -> Result<Staged, EditError> {
        match self {
            Self::Rewrite { file, text } => writer.stage(file, text),
            Self::Create { path, name, text } => writer.stage_new(path, name, text),
            Self::Rename { file, path, name, text } => writer.stage_renamed(file, (path, name), text),
            Self::Remove(file) => writer.stage_removal(file),
        }
    }
}

/// Makes all the writes, or none. Returns the hash of each file's new bytes.
///
/// # Errors
/// The first that failed; [`EditError::HalfWritten`] when what was done before it could not all be taken back.
pub fn write_together(writer: &Writer, steps: &[Step<'_>]) -> Result<Vec<String>, EditError> {
    let staged = steps.iter().map(|step| step.stage(writer)).collect::<Result<Vec<Staged>, EditError>>()?;
    let mut written: Vec<(usize, Written)> = Vec::with_capacity(staged.len());
    for (at, staged) in staged.into_iter().enumerate() {
        match staged.commit() {
            Ok(done) => written.push((at, done)),
            Err(error) => return Err(taken_back(written, steps, error)),
        }
    }
    Ok(written.iter().map(|(_, written)| written.hash()).collect())
}

/// Takes back what was written; what cannot be is named.
fn taken_back(written: Vec<(usize, Written)>, steps: &[Step<'_>], error: EditError) -> EditError {
    let mut left = Vec::new();
    for (at, written) in written.into_iter().rev() {
        if written.revert().is_err() {
            left.push(steps[at].path().display().to_string());
        }
    }
    match left.is_empty() {
        true => error,
        false => EditError::HalfWritten { names: left.join(", "), source: Box::new(error) },
    }
}
