//! How are changes read for a review, and decisions carried out?
//!
//! The front end orders, this does it and says what came of it: changes from git or from what sessions kept; files put back
//! through the checkpoints, so that each decision can be undone and survives a crash; the index through git. Must not decide
//! anything, nor write where a file is not what was shown. To add a source: a variant of `protocol::changes::Source`, an arm in
//! [`Reviewing::load`] and one in [`Reviewing::revert`].

mod kept;
mod settle;
mod sides;
mod steps;
mod words;

use std::path::PathBuf;

use crate::app::App;
use crate::app::committing::staged;
use crate::base::clock::new_id;
use crate::base::fault::{Fault, Kind};
use crate::base::path::{PRIVATE_FILE, create_private_dir, remove_file, write_atomic};
use crate::checkpoint::keeper::Keeper;
use crate::edit::places;
use crate::protocol::changes::{ChangeSet, Order, Outcome, Place, Source, Way};
use crate::protocol::diff::FileDiff;
use crate::protocol::task::Class;
use crate::workspace::git::{Git, is_repository};
use crate::workspace::git_review::Between;

/// A review at work.
#[derive(Debug, Clone)]
pub struct Reviewing {
    /// The session at hand; none outside of a conversation, where the latest of the folder is meant.
    session: Option<String>,
    /// Under which name what it does to files is kept.
    steps: String,
    /// The model the person named for everything.
    model: Option<String>,
}

impl Reviewing {
    /// Prepares for a session, or for none.
    pub fn new(session: Option<&str>) -> Self {
        Self { session: session.map(str::to_owned), steps: format!("review-{}", new_id()), model: None }
    }

    /// Has messages of commits written by this model.
    #[must_use]
    pub fn with_model(self, model: Option<String>) -> Self {
        Self { model, ..self }
    }

    /// Does what is ordered.
    pub async fn carry_out(&self, app: &App, order: Order) -> Outcome {
        match order {
            Order::Peek(source) => {
                // What is wrong is said when they are read.
                let set = self.peek(app, &source).await.ok().flatten();
                Outcome::Peeked(source, set)
            }
            Order::Load(source) => {
                let set = self.load(app, &source).await;
                Outcome::Loaded(source, set.map_err(|fault| words::of_fault(&fault)))
            }
            Order::Settle { file, from, to } => {
                let keeper = self.keeper(app);
                let path = self.path(app, &file.path);
                done(move || settle::settle(&keeper?, &path, &file, &from, &to).map(|()| None)).await
            }
            Order::Revert { source, file } => {
                Outcome::Done(self.revert(app, &source, &file).await.map(Some).map_err(|fault| told(&fault)))
            }
            Order::Unrevert(step) => {
                let keeper = self.keeper(app);
                let session = self.steps.clone();
                done(move || settle::unrevert(&keeper?, &session, &step).map(|()| None)).await
            }
            Order::Stage { file, hunk, shift, way } => {
                let staged = stage(app, &file, hunk.as_ref(), shift, way).await;
                Outcome::Done(staged.map(|()| None).map_err(|fault| told(&fault)))
            }
            Order::Keep(source, kept) => {
                kept::write(app, &source, &kept);
                Outcome::Nothing
            }
            Order::WordCommit => Outcome::Worded(self.worded(app).await.map_err(|fault| told(&fault))),
            Order::Tell(source, remarks) => Outcome::Told(words::of_remarks(&source, &remarks)),
        }
    }

    /// Has the message for what is staged written.
    async fn worded(&self, app: &App) -> Result<String, Fault> {
        let staged = staged(&git(app)).await?;
        app.word_commit(&staged, (self.model.clone(), Class::Interactive), |_| {}).await
    }

    /// Reads changes.
    pub async fn load(&self, app: &App, source: &Source) -> Result<ChangeSet, Fault> {
        let mut set = match self.between(app, source) {
            Some(between) => git(app).to_decide(&between?).await?,
            None => {
                let (place, session) = (steps::Place::of(app)?, self.session(app, source)?);
                let source = source.clone();
                blocking(move || steps::changes(&place, &session, &source)).await?
            }
        };
        set.kept = kept::read(app, source);
        Ok(set)
    }

    /// Lists the files where there are many, before they are read.
    pub async fn peek(&self, app: &App, source: &Source) -> Result<Option<ChangeSet>, Fault> {
        match self.between(app, source) {
            Some(between) => Ok(git(app).peek(&between?).await?),
            None => Ok(None),
        }
    }

    /// Says what git compares for a source, where it is git that knows; fails where there is no repository.
    fn between(&self, app: &App, source: &Source) -> Option<Result<Between, Fault>> {
        let between = match source {
            Source::Turn | Source::Session(_) => return None,
            Source::WorkTree => Between::WorkTree,
            Source::Staged => Between::Staged,
            Source::Revision(revision) => Between::Revision(revision.clone()),
        };
        if is_repository(app.workspace.root()) {
            return Some(Ok(between));
        }
        let folder = app.workspace.root().display();
        Some(Err(Fault::new(Kind::Check, format!("`{folder}` is not in a git repository"))
            .hint("mimi review-diff --turn")
            .hint("git init")))
    }

    /// Finds the session whose changes are meant.
    fn session(&self, app: &App, source: &Source) -> Result<String, Fault> {
        let named = match source {
            Source::Session(Some(id)) => {
                let path = crate::session::list::find(&app.dirs.sessions(), id)?;
                return Ok(crate::session::reader::id_of(&path));
            }
            _ => self.session.clone(),
        };
        match named {
            Some(id) => Ok(id),
            None => {
                let latest = crate::session::list::latest(&app.dirs.sessions(), app.workspace.root())?;
                latest.map(|summary| summary.id).ok_or_else(|| {
                    Fault::new(Kind::Usage, "there is no session of this folder yet").hint("mimi review-diff")
                })
            }
        }
    }

    async fn revert(&self, app: &App, source: &Source, file: &FileDiff) -> Result<String, Fault> {
        let was = match self.between(app, source) {
            Some(between) => {
                let (between, name) = (between?, file.from.as_deref().unwrap_or(&file.path));
                let is_new = file.kind == crate::protocol::diff::Kind::Created;
                let content = if is_new { None } else { Some(git(app).old_content(&between, name).await?) };
                settle::Was::Content(content)
            }
            None => {
                let (place, session) = (steps::Place::of(app)?, self.session(app, source)?);
                let (source, path) = (source.clone(), self.path(app, &file.path));
                settle::Was::Node(blocking(move || steps::was(&place, &session, &source, &path)).await?)
            }
        };
        let keeper = self.keeper(app)?;
        let paths = (self.path(app, &file.path), file.from.as_ref().map(|from| self.path(app, from)));
        let file = file.clone();
        blocking(move || settle::revert(&keeper, paths, &file, was)).await
    }

    fn keeper(&self, app: &App) -> Result<Keeper, Fault> {
        Ok(app.keeper_of(&self.steps, app.workspace.root())?)
    }

    /// Returns the absolute path of a file; where it is a link, that of the link.
    fn path(&self, app: &App, name: &str) -> PathBuf {
        let path = app.workspace.root().join(name);
        match (path.parent().map(std::path::Path::canonicalize), path.file_name()) {
            (Some(Ok(folder)), Some(name)) => folder.join(name),
            _ => path,
        }
    }
}

fn git(app: &App) -> Git {
    Git::new(&app.runner, app.workspace.root())
}

/// Puts a hunk or a file into the index, or takes it out.
async fn stage(app: &App, file: &FileDiff, hunk: Option<&(usize, Place)>, shift: isize, way: Way) -> Result<(), Fault> {
    let Some((at, place)) = hunk else { return Ok(git(app).stage_file(file, way).await?) };
    let found = file.hunks.get(*at).filter(|hunk| !hunk.is_cut);
    let patch = found.and_then(|hunk| places::patch(file, hunk, place, shift));
    let patch = patch.ok_or_else(|| Fault::new(Kind::Task, "there is nothing here that can be staged by itself"))?;
    let folder = app.dirs.state.join("edit");
    let path = folder.join(format!("hunk-{}.patch", new_id()));
    create_private_dir(&folder)
        .and_then(|()| write_atomic(&path, patch.as_bytes(), PRIVATE_FILE))
        .map_err(|error| Fault::io(Kind::Task, format!("cannot write `{}`", path.display()), &error))?;
    let applied = git(app).apply_to_index(&path, way).await;
    drop(remove_file(&path));
    Ok(applied?)
}

fn told(fault: &Fault) -> String {
    words::of_fault(fault)
}

async fn done(work: impl FnOnce() -> Result<Option<String>, Fault> + Send + 'static) -> Outcome {
    Outcome::Done(blocking(work).await.map_err(|fault| told(&fault)))
}

/// Does what waits for the disk on a thread of its own.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Fault> + Send + 'static) -> Result<T, Fault> {
    let ended = tokio::task::spawn_blocking(work).await;
    ended.unwrap_or_else(|error| Err(Fault::new(Kind::Bug, "what was being done broke off").cause(error.to_string())))
}
