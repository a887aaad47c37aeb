//! How are changes read from git to be decided, and how does a decision get into the index?
//!
//! Reads run as everywhere in this room. What writes to the index (`apply --cached`, `add`, `reset`) starts nothing of the
//! repository's own either: its hooks, monitors and filters stay off. It runs outside of the sandbox, in which `.git` cannot be
//! written, and only when a person asks for it.

use std::path::Path;

use crate::base::text::size;
use crate::exec::run::Runner;
use crate::protocol::changes::{By, ChangeSet, Changed, Way};
use crate::protocol::diff::{FileDiff, Kind};
use crate::workspace::git::{Git, GitError, Guard, PATCH};
use crate::workspace::git_changes::{ChangesError, Untracked};
use crate::workspace::git_hunks::{created, parse};

/// From so many files on they are listed before they are read.
const MANY_FILES: usize = 200;

/// What is compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Between {
    /// The index and the work tree, with the files git does not know.
    WorkTree,
    /// The last commit and the index.
    Staged,
    /// A commit and its first parent, or the two ends of a range `a..b`, `a...b`.
    Revision(String),
}

impl Git {
    /// Reads changes to be decided, sorted by path.
    ///
    /// # Errors
    /// There is no repository, the revision is unknown, or git fails.
    pub async fn to_decide(&self, between: &Between) -> Result<ChangeSet, ChangesError> {
        let guard = self.examine().await?;
        let Ends { arguments, what } = self.ends(&guard, between).await?;
        let mut set = match between {
            Between::WorkTree => {
                let (set, untracked) = tokio::join!(self.patch(&guard, &arguments, "."), self.untracked(&guard));
                let (mut set, untracked) = (set?, untracked?);
                self.add(untracked, &mut set);
                set
            }
            Between::Staged | Between::Revision(_) => self.patch(&guard, &arguments, ".").await?,
        };
        set.files.sort_by(|a, b| a.diff.path.cmp(&b.diff.path));
        Ok(ChangeSet { what, ..set })
    }

    /// Lists the files that changed where there are many, with the lines of the first: what a person sees until all is read. None
    /// where there are few. Some may turn out to be the same, and those git does not know are not among them.
    ///
    /// # Errors
    /// As [`Git::to_decide`].
    pub async fn peek(&self, between: &Between) -> Result<Option<ChangeSet>, ChangesError> {
        let guard = self.examine().await?;
        let Ends { arguments, what } = self.ends(&guard, between).await?;
        let action = if *between == Between::WorkTree { "diff-files" } else { "diff" };
        let options = ["--raw", "-z", "--no-renames", "--ignore-submodules=dirty", "--relative"];
        let all: Vec<&str> =
            options.into_iter().chain(arguments.iter().map(String::as_str)).chain(["--", "."]).collect();
        let bytes = self.read(&guard, action, &all).await?;
        let mut files = raw(&String::from_utf8_lossy(&bytes));
        if files.len() < MANY_FILES {
            return Ok(None);
        }
        files.sort_by(|a, b| a.diff.path.cmp(&b.diff.path));
        if let Some(first) = files.first_mut() {
            let mut read = self.patch(&guard, &arguments, &first.diff.path).await?;
            if let Some(file) = read.files.pop() {
                *first = file;
            }
        }
        Ok(Some(ChangeSet { what, files, ..ChangeSet::default() }))
    }

    /// Finds the two ends of what is compared, as arguments of `git diff`, and what to call it.
    async fn ends(&self, guard: &Guard, between: &Between) -> Result<Ends, ChangesError> {
        let revision = match between {
            Between::WorkTree => return Ok(Ends { arguments: Vec::new(), what: "the working tree".to_owned() }),
            Between::Staged => {
                return Ok(Ends { arguments: vec!["--cached".to_owned()], what: "what is staged".to_owned() });
            }
            Between::Revision(revision) => revision,
        };
        let (from, to, what) = match revision.split_once("..") {
            None => {
                let (old, new) = self.parent_of(guard, revision).await?;
                (old, new, format!("commit {revision}"))
            }
            Some((from, to)) => {
                let (is_since, to) = to.strip_prefix('.').map_or((false, to), |to| (true, to));
                let named = |name: &str| if name.is_empty() { "HEAD".to_owned() } else { name.to_owned() };
                let (from, to) = (self.commit(guard, &named(from)).await?, self.commit(guard, &named(to)).await?);
                let from = if is_since { self.fork_of(guard, (&from, &to), revision).await? } else { from };
                (from, to, revision.clone())
            }
        };
        Ok(Ends { arguments: vec!["--end-of-options".to_owned(), from, to], what })
    }

    async fn patch(&self, guard: &Guard, arguments: &[String], path: &str) -> Result<ChangeSet, ChangesError> {
        let options = PATCH.iter().copied().filter(|option| *option != "--numstat");
        let all: Vec<&str> = options
            .chain(["-U3", "--find-renames"])
            .chain(arguments.iter().map(String::as_str))
            .chain(["--", path])
            .collect();
        let output = self.output(guard, "diff", &all).await?;
        let text = String::from_utf8_lossy(&output.stdout);
        let mut set = ChangeSet { files: parse(&text), ..ChangeSet::default() };
        if output.is_cut {
            // The last one was being written when reading ended.
            let last = set.files.pop().map(|file| file.diff.path.clone()).unwrap_or_default();
            set.notes.push(format!("git printed more than 16 MB: `{last}` and the files behind it are not shown"));
        }
        Ok(set)
    }

    fn add(&self, untracked: Untracked, set: &mut ChangeSet) {
        set.notes.extend(untracked.note);
        for name in untracked.names {
            set.files.push(untracked_file(self.folder(), &name));
        }
    }

    /// Returns what a file is in the index, or in the last commit where it was asked for what is staged.
    pub async fn old_content(&self, between: &Between, path: &str) -> Result<Vec<u8>, GitError> {
        let guard = self.examine().await?;
        let at = match between {
            Between::WorkTree => String::new(),
            Between::Staged | Between::Revision(_) => "HEAD".to_owned(),
        };
        self.read(&guard, "cat-file", &["blob", &format!("{at}:./{path}")]).await
    }

    /// Returns a file as it was in a commit.
    pub async fn content_at(&self, revision: &str, path: &str) -> Result<Vec<u8>, GitError> {
        let guard = self.examine().await?;
        self.read(&guard, "cat-file", &["blob", &format!("{revision}:./{path}")]).await
    }

    /// Puts a patch into the index, or takes it out.
    pub async fn apply_to_index(&self, patch: &Path, way: Way) -> Result<(), GitError> {
        let file = patch.display().to_string();
        let mut arguments = vec!["--cached", "--whitespace=nowarn"];
        arguments.extend((way == Way::Out).then_some("--reverse"));
        let guard = self.examine().await?;
        let below = format!("--directory={}", guard.below());
        if !guard.below().is_empty() {
            arguments.push(&below);
        }
        arguments.push(&file);
        self.unconfined().read(&guard, "apply", &arguments).await.map(drop)
    }

    /// Puts a file into the index as it is, or puts it back there as it was in the last commit.
    pub async fn stage_file(&self, diff: &FileDiff, way: Way) -> Result<(), GitError> {
        let guard = self.examine().await?;
        let mut paths = vec![diff.path.as_str()];
        paths.extend(diff.from.as_deref().filter(|_| diff.kind == Kind::Renamed));
        let (action, options) = match way {
            Way::In => ("add", ["--all", "--"].as_slice()),
            Way::Out => ("reset", ["--quiet", "--"].as_slice()),
        };
        let arguments: Vec<&str> = options.iter().copied().chain(paths).collect();
        self.unconfined().read(&guard, action, &arguments).await.map(drop)
    }

    fn unconfined(&self) -> Self {
        let runner = Runner { sandbox: None, ..self.runner().clone() };
        self.with_runner(runner)
    }
}

/// What is compared.
struct Ends {
    arguments: Vec<String>,
    what: String,
}

/// Reads `git diff --raw -z`: what happened to which file, and nothing of its lines.
fn raw(text: &str) -> Vec<Changed> {
    let mut records = text.split('\0');
    let mut files = Vec::new();
    while let (Some(head), Some(path)) = (records.next(), records.next()) {
        let kind = match head.rsplit(' ').next().and_then(|status| status.chars().next()) {
            Some('A') => Kind::Created,
            Some('D') => Kind::Deleted,
            _ => Kind::Changed,
        };
        let diff = FileDiff { path: path.to_owned(), kind, ..FileDiff::default() };
        let by = By::Nobody("it is being read".to_owned());
        files.push(Changed { diff: std::sync::Arc::new(diff), by });
    }
    files.dedup_by(|b, a| a.diff.path == b.diff.path);
    files
}

fn untracked_file(folder: &Path, name: &str) -> Changed {
    use std::io::Read as _;
    let blank = || FileDiff { path: name.to_owned(), kind: Kind::Created, ..FileDiff::default() };
    let path = folder.join(name);
    if name.ends_with('/') {
        let by = By::Nobody("it is another repository".to_owned());
        return Changed { diff: std::sync::Arc::new(blank()), by };
    }
    let is_link = path.symlink_metadata().is_ok_and(|meta| meta.is_symlink());
    if is_link {
        let target = path.read_link().unwrap_or_default();
        return created(name, &target.display().to_string());
    }
    let Ok((file, meta)) = crate::base::path::open_regular(&path) else { return Changed::new(blank()) };
    let mut bytes = Vec::new();
    let limit = crate::workspace::git_changes::MAX_UNTRACKED_BYTES;
    let is_text = meta.len() <= limit
        && file.take(limit).read_to_end(&mut bytes).is_ok()
        && !bytes.iter().take(8000).any(|byte| *byte == 0);
    if is_text {
        return created(name, &String::from_utf8_lossy(&bytes));
    }
    let sides = crate::protocol::diff::Sides { before: None, after: Some(meta.len()) };
    let mut changed = Changed::new(FileDiff { binary: Some(sides), ..blank() });
    if meta.len() > limit {
        changed.by = By::File;
        std::sync::Arc::make_mut(&mut changed.diff).unified = format!("not shown: {}", size(meta.len()));
    }
    changed
}
