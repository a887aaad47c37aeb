//! Which files belong to the project?
//!
//! The only home of the ignore rules: `.gitignore` files (with or without a repository), `.git/info/exclude` and
//! `.mimiignore`. The user's global ignore file does not count, nor do ignore files of folders above that merely happen to be
//! there: the same tree lists the same for everybody. Links are named, never followed; the order is that of the names.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use ignore::overrides::{Override, OverrideBuilder};
use ignore::{DirEntry, WalkBuilder};

/// The project's own ignore file, for what git keeps and the model should not wade through.
pub const IGNORE_FILE: &str = ".mimiignore";

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link, whatever it leads to.
    Link,
    /// A FIFO, socket or device.
    Other,
}

/// Something met on a walk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Absolute path.
    pub path: PathBuf,
    /// Path below the folder the walk started at.
    pub relative: PathBuf,
    /// Folders between it and the start, plus one.
    pub depth: usize,
    /// What it is.
    pub kind: EntryKind,
}

/// A file pattern that is none.
#[derive(Debug, thiserror::Error)]
#[error("`{pattern}` is not a file pattern")]
pub struct BadPattern {
    /// What was given.
    pub pattern: String,
    /// What is wrong with it.
    #[source]
    source: ignore::Error,
}

impl crate::base::fault::Explain for BadPattern {
    fn kind(&self) -> crate::base::fault::Kind {
        crate::base::fault::Kind::Usage
    }
}

/// A walk to be made.
#[derive(Debug, Clone)]
pub struct Walk {
    root: PathBuf,
    start: PathBuf,
    max_depth: Option<usize>,
    pattern: Option<Override>,
}

impl Walk {
    /// Plans a walk over the folder `start` of the workspace at `root`; both absolute, links followed.
    pub fn new(root: &Path, start: &Path) -> Self {
        Self { root: root.to_path_buf(), start: start.to_path_buf(), max_depth: None, pattern: None }
    }

    /// Stays within `depth` levels below the start.
    #[must_use]
    pub fn max_depth(mut self, depth: usize) -> Self {
        self.max_depth = Some(depth);
        self
    }

    /// Passes only files that match `pattern`, read as a line of a `.gitignore` at the start; `!` turns it round.
    pub fn matching(mut self, pattern: &str) -> Result<Self, BadPattern> {
        let bad = |source| BadPattern { pattern: pattern.to_owned(), source };
        let mut builder = OverrideBuilder::new(&self.start);
        builder.add(pattern.trim_start_matches("./")).map_err(bad)?;
        self.pattern = Some(builder.build().map_err(bad)?);
        Ok(self)
    }

    /// Shows every entry to `visitor` until it breaks off; returns how many could not be read.
    ///
    /// Hidden entries are passed over, also where a pattern would match them; a start that is hidden or ignored is walked
    /// because somebody named it.
    pub fn visit(&self, visitor: &mut dyn FnMut(Entry) -> ControlFlow<()>) -> usize {
        if let Ok(below) = self.start.strip_prefix(&self.root)
            && !below.as_os_str().is_empty()
        {
            // From the root, because ignore files on the way down count too.
            let (n_unreadable, is_reached) = self.visit_from(&self.root, visitor);
            if is_reached {
                return n_unreadable;
            }
        }
        self.visit_from(&self.start, visitor).0
    }

    /// Walks from `top` down to the start and through it; also says whether the rules let it arrive there.
    fn visit_from(&self, top: &Path, visitor: &mut dyn FnMut(Entry) -> ControlFlow<()>) -> (usize, bool) {
        let (mut n_unreadable, mut is_reached) = (0, false);
        for entry in self.builder(top).build() {
            let Ok(entry) = entry else {
                n_unreadable += 1;
                continue;
            };
            let Ok(relative) = entry.path().strip_prefix(&self.start) else { continue };
            is_reached = true;
            if relative.as_os_str().is_empty() {
                continue;
            }
            let entry = to_entry(&entry, relative);
            if self.passes(&entry) && visitor(entry).is_break() {
                break;
            }
        }
        (n_unreadable, is_reached)
    }

    fn builder(&self, top: &Path) -> WalkBuilder {
        let start = self.start.clone();
        let n_above = start.strip_prefix(top).map_or(0, |below| below.components().count());
        let repository = repository_of(&self.root);
        let is_below = repository.is_some_and(|repository| repository != self.root);
        let mut builder = WalkBuilder::new(top);
        builder
            .follow_links(false)
            .hidden(true)
            .ignore(false)
            .git_global(false)
            // With it, rules of a folder end at the repository it lies in; without a repository they would not count.
            .require_git(repository.is_some())
            // What somebody named although rules exclude it is shown whole.
            .parents(is_below && !self.is_named_exception(top))
            .max_depth(self.max_depth.map(|depth| depth + n_above))
            .add_custom_ignore_filename(IGNORE_FILE)
            .current_dir(top)
            .sort_by_file_name(Ord::cmp)
            .filter_entry(move |entry| start.starts_with(entry.path()) || entry.path().starts_with(&start));
        builder
    }

    /// Says whether the walk begins at a folder of the workspace that its rules would not have led to.
    fn is_named_exception(&self, top: &Path) -> bool {
        top != self.root && top.starts_with(&self.root)
    }

    fn passes(&self, entry: &Entry) -> bool {
        let Some(pattern) = &self.pattern else { return true };
        // An entry that no line matches is "ignored" when there are lines without `!`, which is just what is wanted.
        entry.kind == EntryKind::Folder || !pattern.matched(&entry.path, false).is_ignore()
    }
}

/// Returns the top of the repository that `folder` lies in or is.
fn repository_of(folder: &Path) -> Option<&Path> {
    folder.ancestors().find(|above| above.join(".git").exists())
}

fn to_entry(entry: &DirEntry, relative: &Path) -> Entry {
    let kind = match entry.file_type() {
        Some(kind) if kind.is_dir() => EntryKind::Folder,
        Some(kind) if kind.is_file() => EntryKind::File,
        Some(kind) if kind.is_symlink() => EntryKind::Link,
        _ => EntryKind::Other,
    };
    Entry {
        path: entry.path().to_path_buf(),
        depth: relative.components().count(),
        relative: relative.to_path_buf(),
        kind,
    }
}
