//! How is one task worked on without touching it?
//!
//! Its files are copied to a scratch folder, made a git repository there, and `mimi fix --json` works on them as a process of
//! its own, with a state folder of its own: what one task taught about a model must not change the next.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::base::fault::Fault;
use crate::base::path::{copy_tree, create_private_dir, remove_tree};
use crate::base::text::first_line;
use crate::exec::run::{Ending as Ended, QuietOutput, Runner};
use crate::strategy::eval::tally::{Counts, Tally};
use crate::strategy::eval::task::Task;
use crate::strategy::eval::{Ending, TaskResult};
use crate::tools::manifest::Effect;
use crate::tools::registry::Registry;

/// Name of the provider that plays the script of a task.
const SCRIPTED: &str = "task-script";
/// Time git may take to make a small repository.
const GIT_TIMEOUT: Duration = Duration::from_secs(30);

/// With what tasks are worked on.
#[derive(Debug, Clone)]
pub struct Workshop {
    /// Starts mimi, outside of any sandbox: what mimi starts is confined by itself.
    pub runner: Runner,
    /// The mimi program.
    pub program: PathBuf,
    /// Folder for the copies; one below it for each task.
    pub scratch: PathBuf,
    /// Whether the scripts of the tasks play the model.
    pub is_scripted: bool,
    /// The model; the configured one when none.
    pub model: Option<String>,
    /// How commands are confined; as configured when none.
    pub sandbox: Option<String>,
    /// Further settings, as `--set` takes them.
    pub set: Vec<String>,
    /// Folder for a recording of each run; none are made without.
    pub record: Option<PathBuf>,
}

/// Works on a task and says what came of it. Dropped, it ends what it started.
pub async fn run(workshop: &Workshop, task: &Task) -> TaskResult {
    let place = workshop.scratch.join(&task.name);
    let result = work(workshop, task, &place).await;
    // Copies of large projects must not add up.
    drop(remove_tree(&place));
    result.unwrap_or_else(|why| ended(task, Ending::Crashed, Some(why)))
}

/// Returns the result of a task that did not run.
pub fn ended(task: &Task, ending: Ending, why: Option<String>) -> TaskResult {
    TaskResult {
        name: task.name.clone(),
        language: task.order.language.clone(),
        ending,
        why,
        exit_code: None,
        counts: Counts::default(),
    }
}

async fn work(workshop: &Workshop, task: &Task, place: &Path) -> Result<TaskResult, String> {
    let path = workshop.runner.environment.iter().find(|(name, _)| name == "PATH").map_or("", |(_, path)| path);
    if let Some(program) = task.lacks(path) {
        return Ok(ended(task, Ending::Skipped, Some(format!("`{program}` is not installed"))));
    }
    if workshop.is_scripted && task.script.is_none() {
        return Ok(ended(task, Ending::Skipped, Some("it has no script".to_owned())));
    }
    let copy = prepare(workshop, task, place).await?;
    let started = Instant::now();
    let limit = Duration::from_secs(task.order.max_seconds);
    let runner = with_state(&workshop.runner, &place.join("state"));
    let output = runner.run_quiet(&command(workshop, task, &copy), &copy, limit).await;
    let total_ms = started.elapsed().as_millis() as u64;
    Ok(judge(task, &output.map_err(|error| Fault::from(error).line())?, total_ms))
}

async fn prepare(workshop: &Workshop, task: &Task, place: &Path) -> Result<PathBuf, String> {
    let copy = place.join(&task.name);
    let made = create_private_dir(place).and_then(|()| copy_tree(&task.repository, &copy));
    made.map_err(|error| format!("its files cannot be copied: {error}"))?;
    // A project without git is a project, too.
    for arguments in [
        &["init", "-q"][..],
        &["add", "-A"],
        &["-c", "user.name=mimi", "-c", "user.email=mimi@localhost", "commit", "-q", "--no-verify", "-m", "as it is"],
    ] {
        let argv: Vec<String> = std::iter::once("git").chain(arguments.iter().copied()).map(str::to_owned).collect();
        let done = workshop.runner.run_quiet(&argv, &copy, GIT_TIMEOUT).await;
        if !done.is_ok_and(|output| output.ending == Ended::Exited(0)) {
            break;
        }
    }
    Ok(copy)
}

/// Gives the run a state folder of its own.
fn with_state(runner: &Runner, state: &Path) -> Runner {
    let mut environment = runner.environment.to_vec();
    environment.retain(|(name, _)| name != "XDG_STATE_HOME");
    environment.push(("XDG_STATE_HOME".to_owned(), state.display().to_string()));
    Runner { environment: environment.into(), ..runner.clone() }
}

fn command(workshop: &Workshop, task: &Task, copy: &Path) -> Vec<String> {
    let order = &task.order;
    let mut argv = vec![workshop.program.display().to_string(), "fix".to_owned(), "--json".to_owned()];
    let mut add = |name: &str, value: String| argv.extend([name.to_owned(), value]);
    add("-C", copy.display().to_string());
    add("--max-rounds", order.max_rounds.to_string());
    // Kept answers would tell of an earlier model.
    add("--set", "cache.max_mb=0".to_owned());
    order.check.iter().for_each(|check| add("--test", check.clone()));
    order.allow.iter().for_each(|rule| add("--allow", rule.clone()));
    workshop.sandbox.iter().for_each(|tier| add("--sandbox", tier.clone()));
    workshop.set.iter().chain(&order.set).for_each(|set| add("--set", set.clone()));
    match (&task.script, workshop.is_scripted) {
        (Some(script), true) => {
            add("--set", format!("providers.{SCRIPTED}.kind=script"));
            add("--set", format!("providers.{SCRIPTED}.base_url={}", script.display()));
            add("--model", format!("{SCRIPTED}/script"));
        }
        _ => workshop.model.iter().for_each(|model| add("--model", model.clone())),
    }
    workshop.record.iter().for_each(|folder| {
        add("--record", folder.join(format!("{}.jsonl", task.name)).display().to_string());
    });
    argv
}

fn judge(task: &Task, output: &QuietOutput, total_ms: u64) -> TaskResult {
    let registry = Registry::new();
    let changes_files = |tool: &str| {
        registry.resolve(tool).is_some_and(|tool| {
            let effects = &tool.manifest().effects;
            effects.contains(&Effect::Write) && !effects.contains(&Effect::Execute)
        })
    };
    let Tally { mut counts, was_green, .. } = Tally::of(&String::from_utf8_lossy(&output.stdout), changes_files);
    counts.total_ms = total_ms;
    let said = last_error(&output.stderr);
    let (ending, exit_code, why) = match output.ending {
        Ended::Exited(0) if was_green == Some(true) => (Ending::NothingToFix, Some(0), None),
        Ended::Exited(0) => (Ending::Fixed, Some(0), None),
        Ended::Exited(70) => (Ending::Crashed, Some(70), said),
        Ended::Exited(code) => (Ending::NotFixed, Some(code), said),
        Ended::Signalled(signal) => (Ending::Crashed, None, Some(format!("ended by signal {signal}"))),
        Ended::TimedOut => (Ending::TimedOut, None, Some(format!("after {} s", task.order.max_seconds))),
        Ended::Cancelled => (Ending::Interrupted, None, None),
    };
    let why = if output.is_cut { Some("it printed more than can be read".to_owned()) } else { why };
    TaskResult { exit_code, counts, ..ended(task, ending, why) }
}

/// Returns the error that mimi ended with, on one line.
fn last_error(stderr: &str) -> Option<String> {
    let line = stderr.lines().rev().find_map(|line| line.strip_prefix("error: "))?;
    Some(first_line(line, 160))
}
