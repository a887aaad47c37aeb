//! How is a failing check made to pass from the command line?
//!
//! Finds the check, has the strategy work, and ends with one report in every form that was asked for. What is seen meanwhile
//! is in `fix_show`.

use std::cell::RefCell;
use std::path::PathBuf;
use std::pin::pin;

use crate::agent::dispatch::{Approvals, allow_flags};
use crate::app::{AgentOptions, App};
use crate::base::fault::{Fault, Kind};
use crate::base::path::append_to;
use crate::base::secrets::redacted;
use crate::base::text::{count, visible};
use crate::cli::SandboxArg;
use crate::cli::commands::fix_show::Show;
use crate::cli::context::{Cx, block_on};
use crate::cli::recording;
use crate::cli::report::target::{self, Format, Target, Targets};
use crate::cli::report::{event, markdown, render, text};
use crate::cli::signal::Signals;
use crate::policy::rules;
use crate::protocol::fix_report::{self, CheckKind, CheckSpec, FixReport};
use crate::protocol::op::Mode;
use crate::protocol::task::{Class, Task};
use crate::protocol::tool::Action;
use crate::strategy::fix::{self, Bench, Ending, Job, Outcome};
use crate::strategy::fix_report::Collector;
use crate::strategy::runner;
use crate::telemetry::price::Prices;
use tokio_util::sync::CancellationToken;

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
    /// Let commands reach this host as well, on its usual ports or the one given: `crates.io`, `10.0.0.7:8443`
    #[arg(long, value_name = "HOST")]
    pub allow_host: Vec<String>,
    /// Show which check would be run, and stop
    #[arg(long)]
    pub detect: bool,
    /// Write the report as text, json, jsonl, markdown, sarif, junit or github, to a file or to standard output
    #[arg(long, value_name = "FORMAT[=FILE]", value_parser = target::parse)]
    pub output: Vec<Target>,
    /// Print every event as a line of JSON: `--output jsonl`
    #[arg(long)]
    pub json: bool,
    /// Record what is exchanged with models, tools and checks to a new file, for `mimi replay`
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub record: Option<PathBuf>,
}

impl FixArgs {
    /// Returns where the report goes.
    fn targets(&self) -> Result<Targets, Fault> {
        let json = self.json.then_some(Target { format: Format::Jsonl, file: None });
        let typed: Vec<Target> = self.output.iter().cloned().chain(json).collect();
        Targets::new(&typed)
    }
}

/// Makes the check pass.
pub fn run(cx: &Cx, args: &FixArgs) -> Result<(), Fault> {
    let targets = args.targets()?;
    let app = cx.app()?;
    if args.detect {
        return cx.out.line(job(&app, args)?.command);
    }
    let mut show = Show::new(&cx.out, &targets)?;
    let job = job(&app, args);
    let order = recording::Order {
        command: "fix",
        job: job.as_ref().ok().and_then(|job| serde_json::to_value(job).ok()),
        allow: args.allow.clone(),
    };
    let app = recording::begin(app, args.record.as_ref(), order)?;
    let collector = RefCell::new(collector(&app, job.as_ref().ok()));
    let outcome = job.and_then(|job| {
        app.need_sandbox()?;
        let outcome = work(cx, &app, (&job, args), &collector, &mut show)?;
        Ok((job, outcome))
    });
    let (outcome, result) = match outcome {
        Ok((job, outcome)) => {
            let result = verdict(&job, &outcome);
            (Some(outcome), result)
        }
        Err(fault) => (None, Err(fault)),
    };
    let answer = outcome.as_ref().map_or("", |outcome| &outcome.answer);
    let report = collector.into_inner().finish(outcome.as_ref().map(|outcome| &outcome.ending), &result, answer);
    recording::end(cx, &app.tape, &result);
    // It goes to logs, pages and comments; what was changed is in the patch as it is.
    let report = redacted(report);
    write(cx, &targets, &report, &mut show)?;
    result
}

/// Returns the exit code of `mimi fix` with this outcome.
pub fn exit_code(job: &Job, outcome: &Outcome) -> u8 {
    verdict(job, outcome).map_or_else(|fault| fault.kind.exit_code(), |()| 0)
}

/// Begins a report.
pub fn collector(app: &App, job: Option<&Job>) -> Collector {
    let checks =
        job.map(|job| CheckSpec { kind: CheckKind::Test, command: job.command.clone(), folder: String::new() });
    let told = fix_report::Job { folder: app.workspace.root().to_path_buf(), checks: checks.into_iter().collect() };
    let prices = Prices::new(app.config.prices.clone());
    Collector::new(told, app.choice.words(), prices, app.clock().as_ref())
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

/// Runs the job, shows its progress and writes it down.
pub(super) fn work(
    cx: &Cx,
    app: &App,
    (job, args): (&Job, &FixArgs),
    collector: &RefCell<Collector>,
    show: &mut Show<'_>,
) -> Result<Outcome, Fault> {
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
    let start = async || {
        let session = app.start(options).await?;
        let route = &session.route;
        collector.borrow_mut().works_with(&session.id, &route.model, &route.provider, &route.url);
        Ok(session.handle)
    };
    block_on(async {
        let mut signals = Signals::listen()?;
        let mut broken = None;
        let cancel = CancellationToken::new();
        let result = {
            let mut fixing = pin!(fix::fix(job, &bench, start, cancel.clone(), |progress| {
                collector.borrow_mut().see(&progress);
                if broken.is_none() {
                    broken = show.show(job, &progress).err();
                }
            }));
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

/// Says whether the check passes now, and if not, why and what would help.
fn verdict(job: &Job, outcome: &Outcome) -> Result<(), Fault> {
    let rounds = count(outcome.rounds as usize, "round");
    let still = format!("the check `{}` still fails after {rounds}", job.command);
    let output = || visible(crate::base::text::suffix(outcome.last_run.text.trim(), 2_000)).into_owned();
    match &outcome.ending {
        Ending::NothingToDo | Ending::Fixed => Ok(()),
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

/// Writes the report in every form that was asked for. A failure is said by its fault, so that the text is for good ends.
fn write(cx: &Cx, targets: &Targets, report: &FixReport, show: &mut Show<'_>) -> Result<(), Fault> {
    for (format, path) in targets.files().filter(|(format, _)| *format != Format::Jsonl) {
        target::write_file(path, render(format, report)?.as_bytes())?;
    }
    show.event(event(report)?)?;
    if targets.has(Format::Github)
        && let Some(summary) = target::summary_file(&cx.env)
    {
        let written = append_to(&summary, markdown::document(report).as_bytes());
        written.map_err(|error| Fault::io(Kind::Task, format!("cannot write `{}`", summary.display()), &error))?;
    }
    for format in [Format::Json, Format::Markdown, Format::Sarif, Format::Junit, Format::Github] {
        if targets.streams(format) {
            cx.out.command(&render(format, report)?)?;
        }
    }
    match targets.streams(Format::Text) && report.ending.code == 0 {
        true => cx.out.text(&text::result(report)),
        false => Ok(()),
    }
}
