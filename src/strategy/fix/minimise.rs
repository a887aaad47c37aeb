//! Which changes were not needed?
//!
//! First whole files, then places in files, are put back as they were at the start, one by one; where the checks still pass
//! they stay so. Takes no longer than the job allows, and what is being tried when the time is up goes back to what is known to
//! pass. Surprising: a new test of the agent's goes too, because the checks pass without it.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::checkpoint::node::{Delta, Node};
use crate::edit::diff::file_diff;
use crate::edit::review::text_after;
use crate::protocol::fix_report::What;
use crate::protocol::review::Ruling;
use crate::strategy::fix::engine::{Fixing, Halt};
use crate::strategy::fix::world::Look;

/// Changes that are tried.
const MAX_TRIALS: usize = 100;

/// What is left of the time and the trials.
struct Allowance {
    until: Instant,
    n_trials: usize,
    /// How long one trial takes.
    one: Duration,
}

impl Allowance {
    /// Says whether there is time for one more.
    fn take(&mut self) -> bool {
        let is_left = self.n_trials > 0 && Instant::now() + self.one <= self.until;
        self.n_trials -= usize::from(is_left);
        is_left
    }
}

impl Fixing<'_> {
    /// Drops what was not needed. What goes wrong meanwhile changes nothing: the checks pass.
    pub(super) async fn minimise(&mut self) {
        let since = Instant::now();
        let mut dropped = Vec::new();
        if let Err(Halt::Fault(fault)) = self.drop_changes(&mut dropped).await {
            self.trouble(format!("what is not needed could not be dropped: {}", fault.words()));
        }
        if !dropped.is_empty() {
            self.step(What::Minimise { dropped }, since);
        }
    }

    async fn drop_changes(&mut self, dropped: &mut Vec<String>) -> Result<(), Halt> {
        let one = self.standing.runs.iter().flatten().map(|run| run.duration_ms).sum();
        let time = Duration::from_secs(self.job.minimise_s);
        let mut allowance =
            Allowance { until: Instant::now() + time, n_trials: MAX_TRIALS, one: Duration::from_millis(one) };
        let changes = self.changes().await?;
        let mut needed = Vec::new();
        for delta in &changes {
            // The only change is needed: without it the checks failed.
            let is_only =
                needed.is_empty() && delta.path == changes.last().map(|last| last.path.clone()).unwrap_or_default();
            if is_only || !allowance.take() || !self.is_green_without_file(delta).await? {
                needed.push(delta.path.clone());
            } else {
                let Ok(world) = &self.world else { return Ok(()) };
                dropped.push(world.name(&delta.path));
            }
        }
        let is_alone = needed.len() == 1;
        for delta in self.changes().await? {
            self.drop_places(&delta, is_alone, &mut allowance, dropped).await?;
        }
        Ok(())
    }

    async fn changes(&mut self) -> Result<Vec<Delta>, Halt> {
        match &mut self.world {
            Ok(world) => Ok(world.changes().await?),
            Err(fault) => Err(fault.clone().into()),
        }
    }

    /// Puts a file back as it was at the start; if a check fails then, it goes back again.
    async fn is_green_without_file(&mut self, delta: &Delta) -> Result<bool, Halt> {
        let Ok(world) = &self.world else { return Ok(false) };
        let (now, base) = (world.look().await?, world.base());
        let left = world.go_to(&base, |path| path == delta.path).await?;
        let tried = if left.is_empty() { self.passes().await } else { Ok(false) };
        self.keep_if(tried, &now, delta).await
    }

    async fn keep_if(&mut self, tried: Result<bool, Halt>, before: &Look, delta: &Delta) -> Result<bool, Halt> {
        if !matches!(tried, Ok(true))
            && let Ok(world) = &self.world
        {
            world.go_to(before, |path| path == delta.path).await?;
        }
        tried
    }

    async fn passes(&mut self) -> Result<bool, Halt> {
        Ok(self.try_out().await?.is_green())
    }

    /// Leaves out one place after the other of a changed file.
    async fn drop_places(
        &mut self,
        delta: &Delta,
        is_alone: bool,
        allowance: &mut Allowance,
        dropped: &mut Vec<String>,
    ) -> Result<(), Halt> {
        let Ok(world) = &self.world else { return Ok(()) };
        let (Some(before), Some(after)) = (world.text(delta.before.as_ref()), world.text(delta.after.as_ref())) else {
            return Ok(());
        };
        let name = world.name(&delta.path);
        let hunks = file_diff(&name, Some(&before), Some(&after)).hunks;
        // All of a file was tried already, unless it is the only one.
        if hunks.len() < 2 {
            return Ok(());
        }
        let mut left: BTreeSet<usize> = BTreeSet::new();
        for (at, hunk) in hunks.iter().enumerate() {
            let is_last = is_alone && left.len() + 1 == hunks.len();
            if is_last || !allowance.take() {
                continue;
            }
            left.insert(at);
            let ruling = |own: &crate::protocol::diff::Hunk| {
                let at = hunks.iter().position(|hunk| hunk.old_start == own.old_start && hunk.id == own.id);
                if at.is_some_and(|at| left.contains(&at)) { Ruling::Leave { why: None } } else { Ruling::Take }
            };
            let text = text_after(&before, &after, &hunks, ruling);
            if self.is_green_with(&delta.path, &text).await? {
                dropped.push(format!("{name}:{}", hunk.new_start));
            } else {
                left.remove(&at);
            }
        }
        Ok(())
    }

    /// Gives a file another text; if a check fails then, it goes back to what it was.
    async fn is_green_with(&mut self, path: &Path, text: &str) -> Result<bool, Halt> {
        let Ok(world) = &self.world else { return Ok(false) };
        let now = world.look().await?;
        let Some(node @ Node::File { .. }) = world.node(&now, path) else { return Ok(false) };
        let left = world.put(path, &node, text).await?;
        let tried = if left.is_empty() { self.passes().await } else { Ok(false) };
        let delta = Delta { path: path.to_path_buf(), before: None, after: None };
        self.keep_if(tried, &now, &delta).await
    }
}
