//! What changed: in the work tree, in the index, on a branch, or in one commit?
//!
//! Compares two states the way git's own reads do here, without letting the repository run anything, and adds the files git
//! does not know yet. Must not fetch: what a shallow clone lacks is named.

use std::io::Read as _;
use std::path::Path;

use crate::base::fault::{Explain, Kind};
use crate::base::path::open_regular;
use crate::base::text::{count, nearest};
use crate::exec::run::QuietOutput;
use crate::protocol::diff;
use crate::workspace::git::{Git, GitError, Guard, PATCH, checked};
use crate::workspace::git_patch::{self, FilePatch, Nature};

/// Lines of the old text around each change: more than usual, because the reader does not have the file open.
const CONTEXT: &str = "-U5";
/// Largest untracked file that is read.
pub(super) const MAX_UNTRACKED_BYTES: u64 = 1_000_000;
/// Untracked files that are looked at: more are somebody's forgotten build folder.
const MAX_UNTRACKED: usize = 500;
/// Bytes in which a zero tells that a file is no text; git looks at as many.
const BINARY_PROBE_BYTES: usize = 8000;
/// Names of the empty tree, which every repository knows: of one that names objects by SHA-1, and by SHA-256.
const EMPTY_TREES: [&str; 2] =
    ["4b825dc642cb6eb9a060e54bf8d69288fbee4904", "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321"];

/// What is compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// The last commit and the work tree, with the files git does not know yet.
    WorkTree,
    /// The last commit and the index.
    Staged,
    /// The last commit and the index of the whole repository, wherever the folder lies in it.
    Index,
    /// What the branch changed since it left this revision.
    Base(String),
    /// One commit and its first parent.
    Commit(String),
}

/// What changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changes {
    /// The files, in git's order; those it does not know come last.
    pub files: Vec<FilePatch>,
    /// What was compared, for a person: `the staged changes`.
    pub what: String,
    /// What should be known about it.
    pub notes: Vec<String>,
    /// Files whose change is not here, each with why.
    pub left_out: Vec<LeftOut>,
}

/// A file whose change is not shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// The file.
    pub path: String,
    /// Why.
    pub why: String,
}

/// Files git does not know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Untracked {
    /// Their paths below the folder.
    pub(super) names: Vec<String>,
    /// How many more there are, in words.
    pub(super) note: Option<String>,
}

/// Why there is nothing to compare.
#[derive(Debug, thiserror::Error)]
pub enum ChangesError {
    /// Git gave no answer.
    #[error(transparent)]
    Git(#[from] GitError),
    /// There is no such revision.
    #[error("there is no revision `{revision}`")]
    Unknown {
        /// What was asked for.
        revision: String,
        /// A name that is spelled almost so.
        near: Option<String>,
        /// Whether the clone lacks older commits.
        is_shallow: bool,
    },
    /// Both have no commit in common.
    #[error("`{revision}` and HEAD have no common commit")]
    Unrelated {
        /// What was asked for.
        revision: String,
        /// Whether the clone lacks older commits.
        is_shallow: bool,
    },
    /// The commit before it was not cloned.
    #[error("the parent of `{revision}` is not in this shallow clone")]
    NoParent {
        /// What was asked for.
        revision: String,
    },
}

impl Explain for ChangesError {
    fn kind(&self) -> Kind {
        match self {
            Self::Git(GitError::UnknownRevision { .. } | GitError::BadRevision { .. }) | Self::Unknown { .. } => {
                Kind::Usage
            }
            Self::Git(error) => error.kind(),
            Self::Unrelated { .. } | Self::NoParent { .. } => Kind::Check,
        }
    }

    fn hints(&self) -> Vec<String> {
        let deepen = || "git fetch --unshallow".to_owned();
        match self {
            Self::Git(error) => error.hints(),
            Self::Unknown { near, is_shallow, .. } => {
                let near = near.as_ref().map(|near| format!("did you mean `{near}`?"));
                let all = near.is_none().then(|| "git branch --all".to_owned());
                near.into_iter().chain(all).chain(is_shallow.then(deepen)).collect()
            }
            Self::Unrelated { is_shallow, .. } => is_shallow.then(deepen).into_iter().collect(),
            Self::NoParent { .. } => vec!["git fetch --deepen 1".to_owned()],
        }
    }
}

impl Git {
    /// Returns what changed below the folder.
    ///
    /// # Errors
    /// There is no repository, the revision is unknown, or git fails.
    pub async fn changes(&self, scope: &Scope) -> Result<Changes, ChangesError> {
        let guard = self.examine().await?;
        match scope {
            Scope::WorkTree => self.work_tree(&guard).await,
            Scope::Staged => self.compared(&guard, &["--cached"], "the staged changes".to_owned()).await,
            Scope::Index => self.everywhere(&guard).await,
            Scope::Base(revision) => self.since(&guard, revision).await,
            Scope::Commit(revision) => self.of_commit(&guard, revision).await,
        }
    }

    async fn work_tree(&self, guard: &Guard) -> Result<Changes, ChangesError> {
        let head = self.named(guard, "HEAD").await?;
        let old = match &head {
            Some(head) => head.clone(),
            None => self.empty_tree(guard).await?,
        };
        let what =
            if head.is_some() { "the changes since the last commit" } else { "all files, as there are no commits" };
        let mut changes = self.compared(guard, &["--end-of-options", &old], what.to_owned()).await?;
        self.add_untracked(guard, &mut changes).await?;
        Ok(changes)
    }

    async fn since(&self, guard: &Guard, revision: &str) -> Result<Changes, ChangesError> {
        let base = self.commit(guard, revision).await?;
        let head = self.commit(guard, "HEAD").await?;
        let start = self.fork_of(guard, (&base, &head), revision).await?;
        let what = format!("the commits since `{revision}`");
        let mut changes = self.compared(guard, &["--end-of-options", &start, &head], what).await?;
        let is_dirty = self.status().await?.entries.iter().any(|entry| (entry.staged, entry.unstaged) != ('?', '?'));
        let note = "changes that are not committed are not part of it: mimi review without --base";
        changes.notes.extend(is_dirty.then(|| note.to_owned()));
        Ok(changes)
    }

    async fn of_commit(&self, guard: &Guard, revision: &str) -> Result<Changes, ChangesError> {
        let commit = self.commit(guard, revision).await?;
        let parents = self.parents(guard, &commit).await?;
        let (old, commit) = self.parent_of(guard, revision).await?;
        let what = format!("the commit `{revision}`");
        let mut changes = self.compared(guard, &["--end-of-options", &old, &commit], what).await?;
        let note = || format!("`{revision}` merges {} commits; compared with its first parent", parents.len());
        changes.notes.extend((parents.len() > 1).then(note));
        Ok(changes)
    }

    /// Returns the hash of the first parent of a commit, or of nothing where it has none, and its own.
    pub(super) async fn parent_of(&self, guard: &Guard, revision: &str) -> Result<(String, String), ChangesError> {
        let commit = self.commit(guard, revision).await?;
        let old = match self.parents(guard, &commit).await?.first() {
            None => self.empty_tree(guard).await?,
            Some(parent) => match self.named(guard, parent).await? {
                Some(parent) => parent,
                None => return Err(ChangesError::NoParent { revision: revision.to_owned() }),
            },
        };
        Ok((old, commit))
    }

    async fn parents(&self, guard: &Guard, commit: &str) -> Result<Vec<String>, ChangesError> {
        let bytes = self.read(guard, "cat-file", &["commit", commit]).await?;
        let text = String::from_utf8_lossy(&bytes);
        let header = text.split("\n\n").next().unwrap_or_default();
        Ok(header.lines().filter_map(|line| line.strip_prefix("parent ")).map(str::to_owned).collect())
    }

    /// Returns the commit at which two others part.
    pub(super) async fn fork_of(
        &self,
        guard: &Guard,
        (one, other): (&str, &str),
        revision: &str,
    ) -> Result<String, ChangesError> {
        let Ok(bytes) = self.read(guard, "merge-base", &[one, other]).await else {
            let is_shallow = self.is_shallow(guard).await;
            return Err(ChangesError::Unrelated { revision: revision.to_owned(), is_shallow });
        };
        Ok(String::from_utf8_lossy(&bytes).lines().next().unwrap_or_default().to_owned())
    }

    /// Compares two states named by `arguments`, below the folder.
    async fn compared(&self, guard: &Guard, arguments: &[&str], what: String) -> Result<Changes, ChangesError> {
        let arguments = [arguments, &["--", "."]].concat();
        let output = self.output(guard, "diff", &options(|_| true, &arguments)).await?;
        Ok(read(&output, what))
    }

    async fn everywhere(&self, guard: &Guard) -> Result<Changes, ChangesError> {
        let arguments = options(|option| option != "--relative", &["--cached"]);
        let output = self.output(guard, "diff", &arguments).await?;
        Ok(read(&output, "the staged changes".to_owned()))
    }

    async fn add_untracked(&self, guard: &Guard, changes: &mut Changes) -> Result<(), ChangesError> {
        let untracked = self.untracked(guard).await?;
        for name in &untracked.names {
            match untracked_patch(self.folder(), name) {
                Ok(file) => changes.files.push(file),
                Err(why) => changes.left_out.push(LeftOut { path: name.clone(), why }),
            }
        }
        changes.notes.extend(untracked.note);
        Ok(())
    }

    /// Lists files git does not know, the first of them.
    pub(super) async fn untracked(&self, guard: &Guard) -> Result<Untracked, ChangesError> {
        let bytes = self.read(guard, "ls-files", &["--others", "--exclude-standard", "-z", "--", "."]).await?;
        let text = String::from_utf8_lossy(&bytes);
        let all: Vec<&str> = text.split('\0').filter(|name| !name.is_empty()).collect();
        let names = all.iter().take(MAX_UNTRACKED).map(|name| (*name).to_owned()).collect();
        let note = (all.len() > MAX_UNTRACKED).then(|| {
            let n = count(all.len() - MAX_UNTRACKED, "untracked file");
            format!("{n} more were not looked at; name what git should ignore in .gitignore")
        });
        Ok(Untracked { names, note })
    }

    pub(super) async fn commit(&self, guard: &Guard, revision: &str) -> Result<String, ChangesError> {
        checked(revision)?;
        if let Some(hash) = self.named(guard, revision).await? {
            return Ok(hash);
        }
        if revision == "HEAD" {
            return Err(GitError::NoCommits.into());
        }
        let format = "--format=%(refname:short)";
        let bytes = self.read(guard, "for-each-ref", &[format, "refs/heads", "refs/remotes", "refs/tags"]).await?;
        let names = String::from_utf8_lossy(&bytes).into_owned();
        let near = nearest(revision, names.lines()).map(str::to_owned);
        let is_shallow = self.is_shallow(guard).await;
        Err(ChangesError::Unknown { revision: revision.to_owned(), near, is_shallow })
    }

    /// Returns the hash of the commit this names; none when it names none.
    async fn named(&self, guard: &Guard, revision: &str) -> Result<Option<String>, ChangesError> {
        match self.commit_hash(guard, revision).await {
            Ok(hash) => Ok(Some(hash)),
            Err(GitError::UnknownRevision { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    async fn is_shallow(&self, guard: &Guard) -> bool {
        let answer = self.read(guard, "rev-parse", &["--is-shallow-repository"]).await;
        answer.is_ok_and(|bytes| bytes.starts_with(b"true"))
    }

    async fn empty_tree(&self, guard: &Guard) -> Result<String, ChangesError> {
        // An older git knows no other hash, and does not know the question either.
        let format = self.read(guard, "rev-parse", &["--show-object-format"]).await.unwrap_or_default();
        Ok(EMPTY_TREES[usize::from(format.starts_with(b"sha256"))].to_owned())
    }
}

/// Returns the options of every patch but the counts in front of it, and these arguments.
fn options<'a>(is_wanted: impl Fn(&str) -> bool, arguments: &[&'a str]) -> Vec<&'a str> {
    let options = PATCH.iter().copied().filter(|option| *option != "--numstat" && is_wanted(option));
    options.chain([CONTEXT, "--find-renames"]).chain(arguments.iter().copied()).collect()
}

fn read(output: &QuietOutput, what: String) -> Changes {
    let text = String::from_utf8_lossy(&output.stdout);
    let mut changes = Changes { files: git_patch::parse(&text), what, notes: Vec::new(), left_out: Vec::new() };
    if output.is_cut {
        // The last one was being written when reading ended.
        let last = changes.files.pop();
        let why = "git printed more than 16 MB; this file and those behind it were not read".to_owned();
        changes.left_out.extend(last.map(|file| LeftOut { path: file.path, why }));
    }
    changes
}

/// Reads a file git does not know yet. `Err` says why it is not shown.
fn untracked_patch(folder: &Path, name: &str) -> Result<FilePatch, String> {
    let path = folder.join(name);
    let blank =
        |nature| FilePatch { path: name.to_owned(), from: None, kind: diff::Kind::Created, nature, hunks: Vec::new() };
    let unreadable = |error: std::io::Error| format!("it cannot be read: {error}");
    if name.ends_with('/') {
        return Ok(blank(Nature::Submodule));
    }
    if path.symlink_metadata().map_err(unreadable)?.is_symlink() {
        return Ok(blank(Nature::Link));
    }
    let (file, meta) = open_regular(&path).map_err(unreadable)?;
    if meta.len() > MAX_UNTRACKED_BYTES {
        return Err(format!("it is new and has {}", crate::base::text::size(meta.len())));
    }
    let mut bytes = Vec::new();
    file.take(MAX_UNTRACKED_BYTES).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.iter().take(BINARY_PROBE_BYTES).any(|byte| *byte == 0) {
        return Ok(blank(Nature::Binary));
    }
    Ok(FilePatch::created(name.to_owned(), &String::from_utf8_lossy(&bytes)))
}
