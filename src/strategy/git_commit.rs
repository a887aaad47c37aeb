//! How are mimi's changes committed, and nothing else?
//!
//! By git's plumbing, on an index of its own: the last commit, with each changed file as it is there plus what mimi changed. Where
//! the user had changed the same file before, both changes are merged and only mimi's is committed; where they cannot be told
//! apart nothing is committed. The user's index is brought along, so that what was staged stays staged and what was not
//! stays so. Hooks do not run and commits are not signed: both start programs nobody is there to answer.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::base::clock::new_id;
use crate::base::fault::{Explain, Kind};
use crate::base::path::{PRIVATE_FILE, create_private_dir, remove_tree, write_atomic};
use crate::exec::run::{Ending, ExecError, Runner};
use crate::protocol::fix_report::Commit;
use crate::strategy::patch::{Changed, Side};
use crate::workspace::git::{Git, GitError, OVERRIDES};

/// A step of git that takes longer is ended.
const TIMEOUT: Duration = Duration::from_secs(60);
/// Mode of a repository within a repository.
const SUBMODULE: &str = "160000";
/// Files that say that git is in the middle of something a commit would end or mix with.
const UNDER_WAY: [(&str, &str); 5] = [
    ("MERGE_HEAD", "merge"),
    ("CHERRY_PICK_HEAD", "cherry-pick"),
    ("REVERT_HEAD", "revert"),
    ("rebase-merge", "rebase"),
    ("rebase-apply", "rebase"),
];

/// Why no commit was made.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// Git gave no answer.
    #[error(transparent)]
    Git(#[from] GitError),
    /// Git is in the middle of something.
    #[error("a {what} is under way in this repository")]
    UnderWay {
        /// What.
        what: &'static str,
    },
    /// The branch is there already.
    #[error("there is a branch `{name}` already")]
    BranchExists {
        /// Its name.
        name: String,
    },
    /// No branch can be called so.
    #[error("no branch can be called `{name}`")]
    BadBranch {
        /// The name.
        name: String,
    },
    /// Git does not know who commits.
    #[error("git does not know who commits here")]
    NoIdentity,
    /// The configured author is none.
    #[error("`fix.commit_author` is `{given}`, which is no name with an address")]
    BadAuthor {
        /// What it is.
        given: String,
    },
    /// The user's change of the file and mimi's lie in the same place.
    #[error("your own changes of `{path}` cannot be told from mimi's")]
    Mixed {
        /// The file.
        path: PathBuf,
    },
    /// The file is in no commit.
    #[error("`{path}` is in no commit yet, so that only all of it could be committed")]
    Untracked {
        /// The file.
        path: PathBuf,
    },
    /// The file belongs to another repository.
    #[error("`{path}` lies in a repository of its own")]
    Nested {
        /// The file.
        path: PathBuf,
    },
    /// The name cannot be handed to git.
    #[error("the name of `{path}` is not UTF-8")]
    Name {
        /// The file.
        path: PathBuf,
    },
    /// The branch moved meanwhile.
    #[error("the branch was changed by somebody else meanwhile")]
    Moved,
    /// Files for git could not be written.
    #[error("cannot write files for git")]
    Scratch(#[source] std::io::Error),
    /// Git refused.
    #[error("git {action} failed: {words}")]
    Refused {
        /// What it was to do.
        action: String,
        /// Its words.
        words: String,
    },
}

impl Explain for CommitError {
    fn kind(&self) -> Kind {
        match self {
            Self::BranchExists { .. }
            | Self::BadBranch { .. }
            | Self::UnderWay { .. }
            | Self::Git(GitError::NotRepository { .. } | GitError::NotInstalled) => Kind::Usage,
            Self::NoIdentity | Self::BadAuthor { .. } => Kind::Config,
            _ => Kind::Task,
        }
    }

    fn hints(&self) -> Vec<String> {
        let hint = match self {
            Self::Git(error) => return error.hints(),
            Self::BranchExists { name } => format!("name another: mimi fix --branch {name}-2"),
            Self::NoIdentity => "git config --global user.email YOU@EXAMPLE.ORG".to_owned(),
            Self::BadAuthor { .. } => "mimi fix --set 'fix.commit_author=mimi <mimi@example.org>'".to_owned(),
            Self::UnderWay { .. } => "git status".to_owned(),
            _ => "the changes are in the folder and in the patch".to_owned(),
        };
        vec![hint]
    }
}

impl From<ExecError> for CommitError {
    fn from(error: ExecError) -> Self {
        Self::Git(error.into())
    }
}

/// What the commit is to look like.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wish {
    /// The new branch it goes to; none for what is checked out.
    pub branch: Option<String>,
    /// `Name <address>`; empty for whom git knows.
    pub author: String,
    /// The message, whole.
    pub message: String,
}

/// A repository that can be committed to.
pub struct Committer {
    runner: Runner,
    top: PathBuf,
    /// The folder worked in, below the top.
    prefix: PathBuf,
    /// Folder for files git reads; gone when this is dropped.
    scratch: PathBuf,
    head: Option<String>,
    /// The branch that is checked out.
    current: Option<String>,
}

impl Drop for Committer {
    fn drop(&mut self) {
        drop(remove_tree(&self.scratch));
    }
}

/// What git has at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    mode: String,
    hash: String,
}

/// A path and what it is to be in the commit; none for gone.
struct Placed<'c> {
    path: String,
    changed: &'c Changed,
    head: Option<Entry>,
    next: Option<Entry>,
}

impl Committer {
    /// Looks whether a commit can be made, before any work is done. `state` is a folder of mimi's own.
    ///
    /// # Errors
    /// No repository, no identity, a merge under way, or a branch that cannot be made.
    pub async fn open(runner: &Runner, folder: &Path, state: &Path, wish: &Wish) -> Result<Self, CommitError> {
        // Git's own files are closed to whatever is confined.
        let free = Runner { sandbox: None, ..runner.clone() };
        let (top, quiet) = Git::new(runner, folder).ground(&free).await?;
        let mut extra = vec![("LC_ALL".to_owned(), "C".to_owned())];
        extra.extend(author(&wish.author)?);
        let extra: Vec<(&str, &str)> = extra.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let scratch = state.join("commit").join(new_id());
        create_private_dir(&scratch).map_err(CommitError::Scratch)?;
        let prefix = folder.strip_prefix(&top).unwrap_or(Path::new("")).to_path_buf();
        let runner = quiet.with_environment(&extra);
        let mut committer = Self { runner, top, prefix, scratch, head: None, current: None };
        committer.examine(wish).await?;
        Ok(committer)
    }

    async fn examine(&mut self, wish: &Wish) -> Result<(), CommitError> {
        self.head = self.answer(&["rev-parse", "--quiet", "--verify", "HEAD^{commit}"]).await;
        let branch = self.answer(&["symbolic-ref", "--quiet", "HEAD"]).await;
        self.current = branch.and_then(|name| name.strip_prefix("refs/heads/").map(str::to_owned));
        for (file, what) in UNDER_WAY {
            let path = self.git(&["rev-parse", "--git-path", file]).await?;
            if self.top.join(line(&path)).exists() {
                return Err(CommitError::UnderWay { what });
            }
        }
        if let Some(name) = &wish.branch {
            let is_name =
                !name.starts_with('-') && self.answer(&["check-ref-format", "--branch", name]).await.is_some();
            if !is_name {
                return Err(CommitError::BadBranch { name: name.clone() });
            }
            let full = format!("refs/heads/{name}");
            if self.answer(&["rev-parse", "--quiet", "--verify", &full]).await.is_some() {
                return Err(CommitError::BranchExists { name: name.clone() });
            }
        }
        for who in ["GIT_AUTHOR_IDENT", "GIT_COMMITTER_IDENT"] {
            self.answer(&["var", who]).await.ok_or(CommitError::NoIdentity)?;
        }
        Ok(())
    }

    /// Commits the changes.
    ///
    /// # Errors
    /// They cannot be told from the user's, or git refuses; then nothing was committed.
    pub async fn commit(&self, changes: &[Changed], wish: &Wish) -> Result<Commit, CommitError> {
        let mut placed = Vec::new();
        for changed in changes {
            placed.push(self.place(changed).await?);
        }
        let tree = self.tree(&placed).await?;
        let message = self.file("message", wish.message.as_bytes())?;
        let mut arguments = vec!["commit-tree", &tree, "-F", &message];
        arguments.extend(self.head.as_deref().iter().flat_map(|head| ["-p", head]));
        let hash = line(&self.git(&arguments).await?);
        let target = wish.branch.as_ref().map_or_else(|| "HEAD".to_owned(), |name| format!("refs/heads/{name}"));
        // Only if nobody moved it: a new branch must not be there, the present one as it was.
        let old = self.head.clone().filter(|_| wish.branch.is_none()).unwrap_or_default();
        let moved = self.git(&["update-ref", "-m", "mimi fix", &target, &hash, &old]).await;
        moved.map_err(|_| CommitError::Moved)?;
        if wish.branch.is_none() {
            for one in &placed {
                self.bring_along(one).await?;
            }
        }
        Ok(Commit { hash, branch: wish.branch.clone().or_else(|| self.current.clone()) })
    }

    /// Finds out what a path is to be in the commit.
    async fn place<'c>(&self, changed: &'c Changed) -> Result<Placed<'c>, CommitError> {
        let full = self.prefix.join(&changed.path);
        let path = full.to_str().ok_or_else(|| CommitError::Name { path: full.clone() })?.to_owned();
        self.refuse_nested(&full)?;
        let head = match &self.head {
            Some(head) => entry(&self.git(&["ls-tree", "-z", head, "--", &path]).await?),
            None => None,
        };
        if head.as_ref().is_some_and(|head| head.mode == SUBMODULE) {
            return Err(CommitError::Nested { path: full });
        }
        let before = self.hashed(&path, changed.before.as_ref()).await?;
        let after = self.hashed(&path, changed.after.as_ref()).await?;
        let next = if hash(&head) == hash(&before) {
            after
        } else {
            Some(self.merged(&path, [head.as_ref(), before.as_ref(), after.as_ref()]).await?)
        };
        Ok(Placed { path, changed, head, next })
    }

    /// Refuses what lies in a repository below this one.
    fn refuse_nested(&self, path: &Path) -> Result<(), CommitError> {
        let above = path.ancestors().skip(1).filter(|folder| !folder.as_os_str().is_empty());
        match above.into_iter().any(|folder| self.top.join(folder).join(".git").exists()) {
            true => Err(CommitError::Nested { path: path.to_path_buf() }),
            false => Ok(()),
        }
    }

    /// Hands a content to git, as it would stand in a commit.
    async fn hashed(&self, path: &str, side: Option<&Side>) -> Result<Option<Entry>, CommitError> {
        let Some(side) = side else { return Ok(None) };
        let file = self.file("content", &side.bytes)?;
        let mode = format!("{:06o}", side.mode);
        let as_it_is = mode.starts_with("12");
        let like = format!("--path={path}");
        let how = if as_it_is { "--no-filters" } else { like.as_str() };
        let hash = line(&self.git(&["hash-object", "-w", how, "--", &file]).await?);
        Ok(Some(Entry { mode, hash }))
    }

    /// Puts what changed from `base` to `theirs` into `ours`.
    async fn merged(&self, path: &str, [ours, base, theirs]: [Option<&Entry>; 3]) -> Result<Entry, CommitError> {
        let mixed = || CommitError::Mixed { path: path.into() };
        let ours = ours.ok_or_else(|| CommitError::Untracked { path: path.into() })?;
        let (base, theirs) = (base.ok_or_else(mixed)?, theirs.ok_or_else(mixed)?);
        let mut files = Vec::new();
        for (name, entry) in [("ours", ours), ("base", base), ("theirs", theirs)] {
            let content = self.git(&["cat-file", "blob", &entry.hash]).await?;
            files.push(self.file(name, &content)?);
        }
        let merged = self.git(&["merge-file", "-p", "--quiet", &files[0], &files[1], &files[2]]).await;
        let merged = self.file("merged", &merged.map_err(|_| mixed())?)?;
        let hash = line(&self.git(&["hash-object", "-w", "--no-filters", "--", &merged]).await?);
        let mode = if base.mode == theirs.mode { &ours.mode } else { &theirs.mode };
        Ok(Entry { mode: mode.clone(), hash })
    }

    /// Writes the tree of the last commit with the changes in it, on an index of its own.
    async fn tree(&self, placed: &[Placed<'_>]) -> Result<String, CommitError> {
        let index = self.scratch.join("index").display().to_string();
        let own = Self {
            runner: self.runner.with_environment(&[("GIT_INDEX_FILE", &index)]),
            top: self.top.clone(),
            prefix: self.prefix.clone(),
            scratch: self.scratch.join("tree"),
            head: None,
            current: None,
        };
        own.git(&["read-tree", self.head.as_deref().unwrap_or("--empty")]).await?;
        for one in placed {
            own.set(&one.path, one.next.as_ref()).await?;
        }
        Ok(line(&own.git(&["write-tree"]).await?))
    }

    async fn set(&self, path: &str, entry: Option<&Entry>) -> Result<(), CommitError> {
        match entry {
            Some(Entry { mode, hash }) => {
                let row = format!("{mode},{hash},{path}");
                self.git(&["update-index", "--add", "--replace", "--cacheinfo", &row]).await?;
            }
            None => drop(self.git(&["update-index", "--force-remove", "--", path]).await?),
        }
        Ok(())
    }

    /// Puts a change that is committed into the user's index too, beside what they have staged of that file.
    async fn bring_along(&self, placed: &Placed<'_>) -> Result<(), CommitError> {
        let staged = entry(&self.git(&["ls-files", "--stage", "-z", "--", &placed.path]).await?);
        if staged == placed.head {
            return self.set(&placed.path, placed.next.as_ref()).await;
        }
        // What is staged there and cannot be merged stays as it is.
        let sides = [staged.as_ref(), placed.head.as_ref(), placed.next.as_ref()];
        match self.merged(&placed.changed.path.to_string_lossy(), sides).await {
            Ok(merged) => self.set(&placed.path, Some(&merged)).await,
            Err(CommitError::Mixed { .. } | CommitError::Untracked { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn file(&self, name: &str, bytes: &[u8]) -> Result<String, CommitError> {
        let path = self.scratch.join(name);
        write_atomic(&path, bytes, PRIVATE_FILE).map_err(CommitError::Scratch)?;
        Ok(path.display().to_string())
    }

    /// Asks a question that may have no answer.
    async fn answer(&self, arguments: &[&str]) -> Option<String> {
        self.git(arguments).await.ok().map(|bytes| line(&bytes))
    }

    async fn git(&self, arguments: &[&str]) -> Result<Vec<u8>, CommitError> {
        let overrides = OVERRIDES.iter().filter(|setting| !setting.starts_with("core.attributesFile"));
        let fixed = ["git", "--no-pager", "--literal-pathspecs"].into_iter();
        let argv = fixed.chain(overrides.flat_map(|setting| ["-c", setting])).chain(arguments.iter().copied());
        let argv: Vec<String> = argv.map(str::to_owned).collect();
        let output = self.runner.run_quiet(&argv, &self.top, TIMEOUT).await?;
        if output.ending == Ending::Exited(0) && !output.is_cut {
            return Ok(output.stdout);
        }
        let action = arguments.first().map_or("", |action| action).to_owned();
        let words = output.stderr.trim();
        let words =
            if words.is_empty() { format!("{:?}", output.ending) } else { crate::base::text::first_line(words, 300) };
        Err(CommitError::Refused { action, words })
    }
}

fn hash(entry: &Option<Entry>) -> Option<&str> {
    entry.as_ref().map(|entry| entry.hash.as_str())
}

fn line(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim_end_matches('\n').to_owned()
}

/// Reads the first row of `ls-tree -z` or `ls-files --stage -z`: the mode first, the hash third or second.
fn entry(bytes: &[u8]) -> Option<Entry> {
    let text = String::from_utf8_lossy(bytes);
    let (facts, _) = text.split('\0').next()?.split_once('\t')?;
    let words: Vec<&str> = facts.split(' ').collect();
    let hash = words.iter().skip(1).find(|word| word.len() >= 40)?;
    Some(Entry { mode: words.first()?.to_string(), hash: (*hash).to_owned() })
}

/// Turns `Name <address>` into what git reads, for the author, and for whoever commits too where git knows nobody.
fn author(given: &str) -> Result<Vec<(String, String)>, CommitError> {
    if given.trim().is_empty() {
        return Ok(Vec::new());
    }
    let bad = || CommitError::BadAuthor { given: given.to_owned() };
    let (name, rest) = given.split_once('<').ok_or_else(bad)?;
    let mail = rest.trim().strip_suffix('>').ok_or_else(bad)?;
    let name = name.trim();
    let is_plain = |text: &str| !text.is_empty() && !text.contains(['<', '>', '\n']);
    if !is_plain(name) || !is_plain(mail) {
        return Err(bad());
    }
    let row = |who: &str, what: &str, value: &str| (format!("GIT_{who}_{what}"), value.to_owned());
    let who = ["AUTHOR", "COMMITTER"].into_iter();
    Ok(who.flat_map(|who| [row(who, "NAME", name), row(who, "EMAIL", mail)]).collect())
}
