//! Which programs mend without a model, and did what they did help?
//!
//! The rows of `config/fixers.yaml`. Only what is found on the machine, fits the project and is made for the failures at hand is
//! tried. Each is measured by the checks themselves: what it changed stays only where it is better than before, else all of it
//! goes back. Must not be trusted more than a model: what [`crate::strategy::fix::guard`] forbids it may not do either.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::Deserialize;

use crate::agent::keeping::{before_command, blocking};
use crate::base::fault::Fault;
use crate::base::text::{fits, shell_quoted};
use crate::base::yaml;
use crate::checkpoint::step::{About, Cause};
use crate::exec::run::{Command, Program};
use crate::protocol::failure::FailureKind;
use crate::protocol::fix_report::{CheckKind, What};
use crate::strategy::detect::{Signs, files_of};
use crate::strategy::fix::Progress;
use crate::strategy::fix::engine::{Fixing, Halt};
use crate::strategy::fix::standing::Standing;
use crate::strategy::fix::suggestions;
use crate::strategy::fix::world::{Look, World};

/// Bytes of what a fixer prints that are held.
const MAX_OUTPUT_BYTES: usize = 12_000;
/// Times the suggestions of a compiler are applied: what is behind the first errors shows only then.
const MAX_PASSES: usize = 4;
/// Files a command names.
const MAX_FILES: usize = 100;

/// One row of the table.
#[derive(Debug, Clone, Deserialize)]
pub struct Row {
    /// What it is called.
    pub name: String,
    /// By what it is known to fit a project.
    #[serde(flatten)]
    pub signs: Signs,
    /// Files of which none may be there.
    #[serde(default)]
    pub not: Vec<String>,
    /// Kinds of failures it is made for.
    pub mends: Vec<FailureKind>,
    /// The command; `{0}` is the first program, `{files}` the files the failures are in.
    pub command: String,
    /// Whose suggestions the command prints; empty for a command that changes the files itself.
    #[serde(default)]
    pub applies: Applies,
}

/// Who applies what a command finds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Applies {
    /// The command itself.
    #[default]
    Itself,
    /// We do: it prints the JSON of rustc.
    Rustc,
}

/// Reads the rows of `config/fixers.yaml`.
///
/// # Errors
/// The compiled-in table is broken.
pub fn rows() -> Result<Vec<Row>, Fault> {
    yaml::from_str(include_str!("../../../config/fixers.yaml")).map_err(|error| {
        Fault::new(crate::base::fault::Kind::Bug, "config/fixers.yaml is broken").cause(error.to_string())
    })
}

/// A fixer that can be tried.
struct Candidate {
    name: String,
    command: String,
    applies: Applies,
    root: PathBuf,
}

impl Fixing<'_> {
    /// Tries every fixer there is for what fails, until nothing does.
    pub(super) async fn fixers(&mut self) -> Result<(), Halt> {
        let rows = rows()?;
        let roots: BTreeSet<PathBuf> =
            self.standing.red().map(|(at, _)| self.job.folder_of(&self.job.checks[at])).collect();
        for root in roots {
            for row in &rows {
                if self.standing.is_green() {
                    return Ok(());
                }
                if let Some(candidate) = self.candidate(row, &root) {
                    self.try_fixer(&candidate).await?;
                }
            }
        }
        Ok(())
    }

    fn candidate(&self, row: &Row, root: &Path) -> Option<Candidate> {
        let is_excluded = row.not.iter().any(|entry| !files_of(root, entry).is_empty());
        if is_excluded || !row.mends.iter().any(|kind| self.kinds(root).contains(kind)) || !row.signs.fit(root) {
            return None;
        }
        let environment = &self.bench.runner.environment;
        let path = environment.iter().find(|(name, _)| name == "PATH").map_or("", |(_, value)| value);
        let (programs, missing) = row.signs.programs(root, path);
        let mut command = row.command.clone();
        if let Some(first) = programs.first() {
            command = command.replace("{0}", first);
        }
        if command.contains("{files}") {
            let files = self.files(row, root);
            if files.is_empty() {
                return None;
            }
            command = command.replace("{files}", &files.join(" "));
        }
        let (name, root) = (row.name.clone(), root.to_path_buf());
        missing.is_none().then_some(Candidate { name, command, applies: row.applies, root })
    }

    /// Returns the kinds of failures in a root; a check that says nothing of what fails is taken by what it is for.
    fn kinds(&self, root: &Path) -> BTreeSet<FailureKind> {
        let mut kinds = BTreeSet::new();
        for (at, run) in self.standing.red().filter(|(at, _)| self.job.folder_of(&self.job.checks[*at]) == root) {
            kinds.extend(run.complaints.failures.iter().map(|failure| failure.kind));
            kinds.extend(match self.job.checks[at].spec.kind {
                CheckKind::Lint => Some(FailureKind::Lint),
                CheckKind::Build => Some(FailureKind::Compile),
                CheckKind::Test => None,
            });
        }
        kinds
    }

    /// Returns the files the failures in a root are in that fit the row, quoted.
    fn files(&self, row: &Row, root: &Path) -> Vec<String> {
        let patterns: Vec<&str> =
            row.signs.files.iter().filter(|entry| entry.contains("*.")).flat_map(|entry| entry.split('|')).collect();
        let failures = self.standing.red().flat_map(|(_, run)| &run.complaints.failures);
        let names: BTreeSet<&String> = failures.filter_map(|failure| failure.file.as_ref()).collect();
        let is_one = |name: &&&String| patterns.is_empty() || patterns.iter().any(|pattern| fits(pattern, name));
        let own = names.iter().filter(is_one).filter(|name| !name.starts_with('-') && root.join(name).is_file());
        own.take(MAX_FILES).map(|name| shell_quoted(name)).collect()
    }

    async fn try_fixer(&mut self, candidate: &Candidate) -> Result<(), Halt> {
        let since = Instant::now();
        let Ok(world) = &self.world else { return Ok(()) };
        let before = world.look().await?;
        let started = self.run_fixer(candidate).await;
        if let Ok(world) = &mut self.world {
            world.take_over(&before).await?;
        }
        let tried = match started {
            Ok(()) => self.judge_fixer(candidate, &before, since).await,
            Err(halt) => Err(halt),
        };
        if tried.is_err() {
            self.go_back(&before).await;
        }
        tried
    }

    /// Keeps what a fixer did, or takes it back.
    async fn judge_fixer(&mut self, candidate: &Candidate, before: &Look, since: Instant) -> Result<(), Halt> {
        let Ok(world) = &self.world else { return Ok(()) };
        let now = world.look().await?;
        if world.between(before, &now).is_empty() {
            return Ok(());
        }
        let is_clean = self.guard_against(before).await?.is_empty();
        let (old, after) = (self.standing.measure(&self.flaky), self.try_out().await?);
        let is_kept = is_clean && after.measure(&self.flaky) < old;
        let what = What::Fixer {
            name: candidate.name.clone(),
            command: candidate.command.clone(),
            is_kept,
            before: old.failures,
            after: after.measure(&self.flaky).failures,
        };
        self.step(what, since);
        if is_kept {
            self.accept(after);
        } else {
            self.go_back(before).await;
        }
        Ok(())
    }

    /// Takes what a trial showed for what stands.
    pub(super) fn accept(&mut self, standing: Standing) {
        for (check, run) in standing.runs.iter().enumerate() {
            if let Some(run) = run {
                (self.listen)(Progress::CheckDone { check, round: self.round, run });
            }
        }
        self.standing = standing;
    }

    /// Makes everything as it was; what has to be left alone is said.
    pub(super) async fn go_back(&mut self, look: &Look) {
        let Ok(world) = &self.world else { return };
        match world.go_to(look, |_| true).await {
            Ok(left) => left.into_iter().for_each(|words| self.trouble(format!("left as it is: {words}"))),
            Err(fault) => self.trouble(format!("what was tried could not be taken back: {}", fault.words())),
        }
    }

    async fn run_fixer(&mut self, candidate: &Candidate) -> Result<(), Halt> {
        if candidate.applies == Applies::Rustc {
            return self.apply_suggestions(candidate).await;
        }
        let about = About { turn: 0, call: None, cause: Cause::Command, what: format!("fixer {}", candidate.name) };
        let open = match &self.bench.keeper {
            Some(keeper) => match before_command(keeper, about, &self.stop).await {
                None => return Err(self.halt()),
                Some(opened) => opened.ok().map(|open| (keeper.clone(), open)),
            },
            None => None,
        };
        let command = Command {
            program: Program::Shell(candidate.command.clone()),
            cwd: candidate.root.clone(),
            timeout: Duration::from_secs(self.job.timeout_s),
            max_output_bytes: MAX_OUTPUT_BYTES,
            spill: None,
        };
        let ran = self.bench.runner.run(command, self.stop.child_token(), None).await;
        if let Some((keeper, open)) = open {
            let own = keeper.clone();
            if let Ok(Some(step)) = blocking(move || own.end(open)).await {
                keeper.settle(&step.id);
            }
        }
        if let Err(error) = ran {
            self.trouble(format!("`{}` did not run: {}", candidate.name, Fault::from(error).line()));
        }
        if self.stop.is_cancelled() { Err(self.halt()) } else { Ok(()) }
    }

    async fn apply_suggestions(&mut self, candidate: &Candidate) -> Result<(), Halt> {
        let argv = ["bash", "--noprofile", "--norc", "-c", "--", &candidate.command].map(str::to_owned);
        for _ in 0..MAX_PASSES {
            let asked = self.bench.runner.run_quiet(&argv, &candidate.root, Duration::from_secs(self.job.timeout_s));
            let answer = tokio::select! {
                answer = asked => answer,
                () = self.stop.cancelled() => return Err(self.halt()),
            };
            let Ok(answer) = answer else { return Ok(()) };
            let found = suggestions::read(&String::from_utf8_lossy(&answer.stdout));
            let Ok(world) = &self.world else { return Ok(()) };
            if apply(world, &candidate.root, &found).await? == 0 {
                return Ok(());
            }
        }
        Ok(())
    }
}

/// Applies suggestions to the files below `root`; returns how many files changed.
async fn apply(world: &World, root: &Path, found: &suggestions::Found) -> Result<usize, Fault> {
    let now = world.look().await?;
    let mut n_changed = 0;
    for (name, edits) in &found.by_file {
        let Ok(path) = root.join(name).canonicalize() else { continue };
        let Some(node) = world.node(&now, &path) else { continue };
        let Some(text) = world.text(Some(&node)) else { continue };
        let changed = suggestions::apply(&text, edits);
        if changed != text {
            world.put(&path, &node, &changed).await?;
            n_changed += 1;
        }
    }
    Ok(n_changed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fixer_says_where_it_fits_and_what_it_mends() {
        for row in rows().unwrap() {
            assert!(!row.signs.files.is_empty() && !row.signs.programs.is_empty() && !row.mends.is_empty(), "{row:?}");
            assert!(!row.command.is_empty(), "{row:?}");
        }
    }
}
