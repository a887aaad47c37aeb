//! How is a failing check made to pass from the command line?

use std::path::PathBuf;
use std::pin::pin;

use crate::agent::dispatch::{Approvals, allow_flags};
use crate::app::{AgentOptions, App, RecordOrder};
use crate::base::clock::format_duration;
use crate::base::fault::{Fault, Kind};
use crate::base::text::{count, visible};
use crate::cli::SandboxArg;
use crate::cli::context::{Cx, block_on};
use crate::cli::output::Style;
use crate::cli::recording;
use crate::cli::render::{Channel, Lines, json_line};
use crate::cli::signal::Signals;
use crate::policy::rules;
use crate::protocol::op::Mode;
use crate::protocol::task::{Class, Task};
use crate::protocol::tool::Action;
use crate::strategy::failure::Complaints;
use crate::strategy::fix::{self, Bench, Ending, Job, Outcome, Progress};
use crate::strategy::runner;
use tokio_util::sync::CancellationToken;

/// Failures listed for a person after each run of the check; all of them stand in `--json`.
const MAX_LISTED: usize = 10;

/// Arguments of `mimi fix`.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct FixArgs {
    /// The check, as a shell command; found from the project's files when not given
    #[arg(long = "test", value_name = "COMMAND")]
    pub test: Option<String>,
    /// Times the agent is handed the failures
    #[arg(long, value_name = "N")]
    pub max_rounds: Option<u32>,
    /// Allow what this rule covers: `shell:make *`, `write:docs/**`
    #[arg(long, value_name = "RULE")]
    pub allow: Vec<String>,
    /// Confine commands this way instead of the best that works here
    #[arg(long, value_name = "TIER", value_enum)]
    pub sandbox: Option<SandboxArg>,
    /// Show which check would be run, and stop
    #[arg(long)]
    pub detect: bool,
    /// Print every event as a line of JSON
    #[arg(long)]
    pub json: bool,
    /// Record what is exchanged with models, tools and checks to a new file, for `mimi replay`
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub record: Option<PathBuf>,
}

/// Makes the check pass.
pub fn run(cx: &Cx, args: &FixArgs) -> Result<(), Fault> {
    let app = cx.app()?;
    let job = job(&app, args)?;
    if args.detect {
        return cx.out.line(&job.command);
    }
    app.need_sandbox()?;
    let order = RecordOrder { command: "fix", job: serde_json::to_value(&job).ok(), allow: args.allow.clone() };
    let app = recording::begin(cx, app, args.record.as_ref(), order)?;
    let result = work(cx, &app, &job, args).and_then(|outcome| report(cx, &job, &outcome, args));
    recording::end(cx, &app.tape, &result);
    result
}

/// Returns the exit code of `mimi fix` with this outcome.
pub fn exit_code(outcome: &Outcome) -> u8 {
    match &outcome.ending {
        Ending::NothingToDo | Ending::Fixed => 0,
        Ending::NotFixed => Kind::Task.exit_code(),
        Ending::OutOfBudget { .. } => Kind::Budget.exit_code(),
        Ending::Refused { .. } => Kind::Denied.exit_code(),
    }
}

/// Says what is to be fixed: flags over configuration over detection.
fn job(app: &App, args: &FixArgs) -> Result<Job, Fault> {
    let fix = &app.config.fix;
    let folder = app.workspace.root().to_path_buf();
    let command = match &args.test {
        Some(command) if command.trim().is_empty() => {
            return Err(Fault::new(Kind::Usage, "the check is empty").hint("name it: mimi fix --test 'make check'"));
        }
        Some(command) => command.clone(),
        None if !fix.test_command.is_empty() => fix.test_command.clone(),
        None => runner::detect(&folder)?.command,
    };
    Ok(Job {
        command,
        folder,
        max_rounds: args.max_rounds.unwrap_or(fix.max_rounds),
        timeout_s: fix.test_timeout_s,
        spill_dir: app.spill_dir(),
    })
}

/// Runs the job and shows its progress.
pub fn work(cx: &Cx, app: &App, job: &Job, args: &FixArgs) -> Result<Outcome, Fault> {
    let allow = args.allow.iter().cloned().chain(check_rules(job)).collect();
    let options = AgentOptions {
        task: Task::Fix,
        mode: Some(Mode::Auto),
        model: cx.global.model.clone(),
        approvals: Approvals::Nobody,
        allow,
        class: Class::Ci,
    };
    let bench = Bench { runner: &app.runner, keeper: app.keeper_of_checks(), tape: app.tape.clone() };
    block_on(async {
        let mut signals = Signals::listen()?;
        let mut lines = Lines::new(&cx.out, Channel::Progress);
        let mut broken = None;
        let cancel = CancellationToken::new();
        let result = {
            let mut fixing = pin!(fix::fix(
                job,
                &bench,
                async || Ok(app.start(options).await?.handle),
                cancel.clone(),
                |progress| {
                    if broken.is_none() {
                        broken = show(cx, job, args, &mut lines, &progress).err();
                    }
                },
            ));
            tokio::select! {
                result = &mut fixing => result,
                stop = signals.next() => {
                    cancel.cancel();
                    // Dropped, the work ends the agent and its commands too; what it changed so far stays in any case.
                    signals.last_words(fixing).await;
                    Err(stop.fault())
                }
            }
        };
        cx.out.idle();
        broken.map_or(result, Err)
    })
}

/// Lets the agent run the check itself, since that is what the user asked mimi to run, and parts of it: `cargo test NAME`.
fn check_rules(job: &Job) -> Vec<String> {
    let mut allowed =
        vec![rules::relative_rule(&Action::Execute { command: job.command.clone(), cwd: None }, &job.folder)];
    if rules::is_plain(&job.command) {
        allowed.push(format!("shell:{} *", job.command));
    }
    allowed
}

fn show(cx: &Cx, job: &Job, args: &FixArgs, lines: &mut Lines<'_>, progress: &Progress<'_>) -> Result<(), Fault> {
    if args.json {
        return match progress {
            Progress::Agent(record) => cx.out.line(json_line(record)?),
            Progress::CheckStarted { .. } => Ok(()),
            Progress::CheckDone { round, run } => cx.out.line(
                serde_json::json!({
                    "v": crate::protocol::event::SCHEMA_VERSION,
                    "type": "check_done",
                    "round": round,
                    "command": job.command,
                    "is_green": run.is_green,
                    "ending": run.ending,
                    "duration_ms": run.duration_ms,
                    "failures": run.complaints.failures,
                    "more_failures": run.complaints.n_more,
                    "output": run.text,
                })
                .to_string(),
            ),
        };
    }
    match progress {
        Progress::Agent(record) => lines.show(record)?,
        Progress::CheckStarted { .. } => {
            cx.out.busy(&format!("running {}", visible(&job.command)));
        }
        Progress::CheckDone { run, .. } => {
            cx.out.idle();
            let (style, word) = if run.is_green { (Style::Good, "passes") } else { (Style::Bad, "fails") };
            let ending = if run.is_green { String::new() } else { format!(" with {}", run.ending) };
            let time = format_duration(run.duration_ms);
            cx.out.note_styled(style, format!("check `{}` {word}{ending} ({time})", visible(&job.command)));
            show_failures(cx, &run.complaints);
        }
    }
    Ok(())
}

/// Lists what a check complains of, on the first lines.
fn show_failures(cx: &Cx, complaints: &Complaints) {
    for failure in complaints.failures.iter().take(MAX_LISTED) {
        cx.out.note_styled(Style::Dim, format!("    {}", visible(&failure.line())));
    }
    let n_left = complaints.failures.len().saturating_sub(MAX_LISTED) + complaints.n_more;
    if n_left > 0 {
        cx.out.note_styled(Style::Dim, format!("    and {n_left} more"));
    }
}

fn report(cx: &Cx, job: &Job, outcome: &Outcome, args: &FixArgs) -> Result<(), Fault> {
    let rounds = count(outcome.rounds as usize, "round");
    let still = format!("the check `{}` still fails after {rounds}", job.command);
    let output = || visible(crate::base::text::suffix(outcome.last_run.text.trim(), 2_000)).into_owned();
    let say = |text: String| if args.json { Ok(()) } else { cx.out.line(text) };
    match &outcome.ending {
        Ending::NothingToDo => say(format!("nothing to fix: `{}` passes", visible(&job.command))),
        Ending::Fixed => {
            let answer = visible(outcome.answer.trim()).into_owned();
            say(format!("fixed in {rounds}: `{}` passes\n\n{answer}", visible(&job.command)))
        }
        Ending::NotFixed => {
            Err(Fault::new(Kind::Task, still).cause(output()).hint("give it more rounds: mimi fix --max-rounds 10"))
        }
        Ending::OutOfBudget { what } => {
            Err(Fault::new(Kind::Budget, format!("{still}; stopped at a limit: {what}")).cause(output()))
        }
        Ending::Refused { rules } => {
            Err(Fault::new(Kind::Denied, format!("{still}; the agent needed an approval nobody could give"))
                .hint(format!("allow it: mimi fix {}", allow_flags(rules))))
        }
    }
}
