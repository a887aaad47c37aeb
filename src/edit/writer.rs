//! How does a changed text get into the user's file?
//!
//! Staged first, then committed: the new bytes lie on disk before any file changes, so that a full disk is found out while
//! everything can still be left as it was, and several files can change together. Writes only what the running call was
//! judged for: a path that came to lead elsewhere meanwhile is refused.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::base::hash;
use crate::base::pending::Pending;
use crate::base::swap::{After, Before, Done, Swap, SwapError};
use crate::edit::EditError;
use crate::edit::text_file::{TextFile, file_above};

/// Mode of new files before the user's umask.
const NEW_FILE: u32 = 0o666;

/// Writes the user's files.
#[derive(Debug, Clone)]
pub struct Writer {
    pending: Arc<Pending>,
    /// The files the running call was judged for; none where nobody judges.
    only: Option<Arc<[PathBuf]>>,
    /// What a person made of what the call asks for.
    ruled: Arc<[Ruled]>,
}

/// What is written instead of what a call asks for, because a person judged it piece by piece.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ruled {
    /// Absolute path, links followed.
    pub path: PathBuf,
    /// What was judged: the text asked for; none for a removal. Anything else is refused.
    pub asked: Option<String>,
    /// What is written; none to leave the file alone.
    pub text: Option<String>,
}

/// A change whose new content is on disk, beside the file. Dropped, it leaves nothing behind.
#[derive(Debug)]
pub struct Staged {
    name: String,
    step: Step,
}

#[derive(Debug)]
enum Step {
    Swap(Box<Swap>),
    /// Nothing is to be done; the hash is that of the file as it is, or of no bytes where there is none.
    Nothing(String),
}

/// A change that was made. Dropped, it is final; until then it can be taken back.
#[derive(Debug)]
pub struct Written {
    name: String,
    /// Hash of the new bytes; that of no bytes when the file was removed.
    hash: String,
    /// How to take it back; none where nothing was done.
    done: Option<Box<Done>>,
}

impl Writer {
    /// Writes temporary files down in `pending`.
    pub fn new(pending: Arc<Pending>) -> Self {
        Self { pending, only: None, ruled: Arc::default() }
    }

    /// Writes these files and no others, by absolute path with links followed.
    #[must_use]
    pub fn only(&self, paths: impl IntoIterator<Item = PathBuf>) -> Self {
        Self { only: Some(paths.into_iter().collect()), ..self.clone() }
    }

    /// Writes of these files what a person made of them.
    #[must_use]
    pub fn ruled(&self, ruled: impl IntoIterator<Item = Ruled>) -> Self {
        Self { ruled: ruled.into_iter().collect(), ..self.clone() }
    }

    /// Prepares a file to be rewritten with `text`, in its own encoding.
    pub fn stage(&self, file: &TextFile, text: &str) -> Result<Staged, EditError> {
        let text = match self.ruling(file.path(), file.name(), Some(text))? {
            Some(Ruled { text: None, .. }) => return Ok(Staged::nothing(file.name(), &file.hash)),
            Some(Ruled { text: Some(ruled), .. }) => ruled,
            None => text,
        };
        let bytes = file.check_rewrite(text)?;
        let after = After::Content { bytes: &bytes, mode: NEW_FILE };
        self.prepare(file.path(), file.name(), Before::Content(file.content()), after)
    }

    /// Prepares a new UTF-8 file, its folders included.
    pub fn stage_new(&self, path: &Path, name: &str, text: &str) -> Result<Staged, EditError> {
        let text = match self.ruling(path, name, Some(text))? {
            Some(Ruled { text: None, .. }) => return Ok(Staged::nothing(name, &hash::of_bytes(b""))),
            Some(Ruled { text: Some(ruled), .. }) => ruled,
            None => text,
        };
        let after = After::Content { bytes: text.as_bytes(), mode: NEW_FILE };
        self.prepare(path, name, Before::Nothing, after)
    }

    /// Prepares `text` to be written to a new path, in the encoding and with the mode of `file`. Its name is the second part.
    pub fn stage_renamed(&self, file: &TextFile, to: (&Path, &str), text: &str) -> Result<Staged, EditError> {
        let text = match self.ruling(to.0, to.1, Some(text))? {
            Some(Ruled { text: None, .. }) => return Ok(Staged::nothing(to.1, &hash::of_bytes(b""))),
            Some(Ruled { text: Some(ruled), .. }) => ruled,
            None => text,
        };
        let bytes = file.check_rewrite(text)?;
        let after = After::Content { bytes: &bytes, mode: file.mode() };
        self.prepare(to.0, to.1, Before::Nothing, after)
    }

    /// Prepares a file to be removed.
    pub fn stage_removal(&self, file: &TextFile) -> Result<Staged, EditError> {
        if self.ruling(file.path(), file.name(), None)?.is_some() {
            return Ok(Staged::nothing(file.name(), &file.hash));
        }
        self.prepare(file.path(), file.name(), Before::Content(file.content()), After::Nothing)
    }

    /// Rewrites a file with `text`, in its own encoding, and returns the hash of the new bytes.
    pub fn rewrite(&self, file: &TextFile, text: &str) -> Result<String, EditError> {
        self.stage(file, text)?.commit().map(|written| written.hash())
    }

    /// Writes a new UTF-8 file, its folders included, and returns the hash of its bytes.
    pub fn create(&self, path: &Path, name: &str, text: &str) -> Result<String, EditError> {
        self.stage_new(path, name, text)?.commit().map(|written| written.hash())
    }

    /// Finds what a person made of this change; fails when they judged another one.
    fn ruling(&self, path: &Path, name: &str, asked: Option<&str>) -> Result<Option<&Ruled>, EditError> {
        match self.ruled.iter().find(|ruled| ruled.path == path) {
            Some(ruled) if ruled.asked.as_deref() != asked => Err(EditError::Changed { name: name.to_owned() }),
            found => Ok(found),
        }
    }

    fn prepare(&self, path: &Path, name: &str, before: Before, after: After<'_>) -> Result<Staged, EditError> {
        let name = name.to_owned();
        if self.only.as_ref().is_some_and(|only| !only.iter().any(|allowed| allowed == path)) {
            return Err(EditError::Redirected { name });
        }
        match Swap::prepare(path, before, after, &self.pending) {
            Ok(swap) => Ok(Staged { name, step: Step::Swap(Box::new(swap)) }),
            Err(SwapError::System(source)) => Err(match file_above(path, &name) {
                Some(above) => EditError::BelowAFile { above },
                None => EditError::Write { name, source },
            }),
            Err(error) => Err(worded(name, error)),
        }
    }
}

impl Staged {
    fn nothing(name: &str, hash: &str) -> Self {
        Self { name: name.to_owned(), step: Step::Nothing(hash.to_owned()) }
    }

    /// Makes the change, if the file still is what it was when it was read.
    pub fn commit(self) -> Result<Written, EditError> {
        let Self { name, step } = self;
        let swap = match step {
            Step::Nothing(hash) => return Ok(Written { name, hash, done: None }),
            Step::Swap(swap) => swap,
        };
        match swap.commit() {
            Ok(done) => {
                let hash = done.hash().map_or_else(|| hash::of_bytes(b""), str::to_owned);
                Ok(Written { name, hash, done: Some(Box::new(done)) })
            }
            Err(error) => Err(worded(name, error)),
        }
    }
}

impl Written {
    /// Returns the hash of the new bytes; that of no bytes when the file was removed.
    pub fn hash(&self) -> String {
        self.hash.clone()
    }

    /// Puts the file back as it was; fails when somebody has changed it since, and the change then stands.
    pub fn revert(self) -> Result<(), EditError> {
        let Self { name, done, .. } = self;
        done.map_or(Ok(()), |done| done.revert()).map_err(|error| worded(name, error))
    }
}

fn worded(name: String, error: SwapError) -> EditError {
    match error {
        SwapError::Changed => EditError::Changed { name },
        SwapError::Link => EditError::Redirected { name },
        SwapError::ReadOnly => EditError::ReadOnly { name },
        SwapError::HardLinked(links) => EditError::HardLinked { name, links },
        SwapError::NotAFile(kind) => EditError::NotAFile { name, kind },
        SwapError::Attribute(error) => EditError::NotKept { name, why: error.to_string() },
        SwapError::System(source) => EditError::Write { name, source },
    }
}
