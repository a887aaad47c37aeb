//! Who words the message of a commit?
//!
//! An agent that only reads is shown what is staged ([`crate::strategy::commit_message`]). Must not commit: that is for a person,
//! who has seen the message.

use crate::app::{AgentOptions, App};
use crate::base::fault::{Fault, Kind};
use crate::base::text::{count, shell_quoted};
use crate::context::{estimate, opening};
use crate::model::route::Route;
use crate::policy::path::is_secret;
use crate::protocol::event::Record;
use crate::protocol::task::{Class, Task};
use crate::strategy::commit_message::{self, Material};
use crate::strategy::review::part::{self, Room};
use crate::workspace::git::{Git, GitError};
use crate::workspace::git_changes::{Changes, Scope};

/// Messages of the project shown as examples.
const N_RECENT: usize = 8;
/// Tokens that instructions and tools take in a window, as `tests/it/agent/window.rs` measures them, and some to spare.
const INSTRUCTION_TOKENS: u64 = 3_000;

impl App {
    /// Returns how large a part of a change may be for the model of this route.
    pub fn part_tokens(&self, route: &Route) -> u64 {
        let words = opening::build(&self.workspace, &self.dirs.home).0;
        let fixed_tokens = INSTRUCTION_TOKENS + estimate::text_tokens(&words) as u64;
        part::part_tokens(route.window_tokens, fixed_tokens, u64::from(self.config.model.max_output_tokens))
    }

    /// Has the message for what is staged written.
    ///
    /// # Errors
    /// No sandbox where one is wanted, no model, or the model writes nothing that can be taken.
    pub async fn word_commit(
        &self,
        changes: &Changes,
        (model, class): (Option<String>, Class),
        listen: impl FnMut(&Record),
    ) -> Result<String, Fault> {
        self.need_sandbox()?;
        let git = Git::new(&self.runner, self.workspace.root());
        let recent = match git.log(N_RECENT, None, None).await {
            Ok(commits) => commits.into_iter().map(|commit| commit.subject).collect(),
            Err(GitError::NoCommits) => Vec::new(),
            Err(error) => return Err(error.into()),
        };
        let route = self.gateway.resolve(Task::Commit, model.as_deref()).await?;
        let skip = &self.config.review.skip;
        let room = Room { part_tokens: self.part_tokens(&route), max_parts: 1, skip, is_secret };
        let parts = part::split(&changes.files, &room);
        let mut session = self.start(AgentOptions::reader(Task::Commit, model, class)).await?;
        let material = Material { changes, parts: &parts, recent: &recent };
        let written = commit_message::write(&mut session.handle, &material, &self.config.commit, listen).await;
        session.handle.close().await;
        written
    }
}

/// Reads what is staged in the whole repository, since all of it will be committed.
///
/// # Errors
/// Nothing is staged, or there are conflicts.
pub async fn staged(git: &Git) -> Result<Changes, Fault> {
    let status = git.status().await?;
    let is_conflict =
        |letters: (char, char)| letters.0 == 'U' || letters.1 == 'U' || matches!(letters, ('A', 'A') | ('D', 'D'));
    if let Some(entry) = status.entries.iter().find(|entry| is_conflict((entry.staged, entry.unstaged))) {
        return Err(Fault::new(Kind::Task, format!("`{}` has conflicts, so nothing can be committed", entry.path))
            .hint("git status"));
    }
    let staged = git.changes(&Scope::Index).await?;
    if !staged.files.is_empty() || !staged.left_out.is_empty() {
        return Ok(staged);
    }
    let fault = Fault::new(Kind::Task, "nothing is staged");
    Err(match status.entries.as_slice() {
        [] => fault.hint("nothing has changed either: git log -1"),
        [only] => fault.hint(format!("git add {}", shell_quoted(&only.path))),
        more => fault.hint("git add --patch").hint(format!("all {}: git add --all", count(more.len(), "changed file"))),
    })
}
