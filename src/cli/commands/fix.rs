//! How is a failing check made to pass from the command line?

use std::cell::RefCell;
use std::pin::pin;

use crate::agent::dispatch::{Approvals, allow_flags};
use crate::app::{AgentOptions, App, Bounds};
use crate::base::clock::format_duration;
use crate::base::fault::{Fault, Kind};
use crate::base::text::{count, visible};
use crate::cli::SandboxArg;
use crate::cli::commands::fix_checks::{self, BudgetArgs, ChecksArgs, GuardArgs};
use crate::cli::commands::fix_pulse::Pulse;
use crate::cli::context::{Cx, block_on};
use crate::cli::output::Style;
use crate::cli::render::{Channel, Lines, json_line};
use crate::cli::signal::Signals;
use crate::model::route::Route;
use crate::policy::rules;
use crate::protocol::fix_report::{Step, What};
use crate::protocol::op::Mode;
use crate::protocol::task::{Class, Task};
use crate::protocol::tool::Action;
use crate::strategy::failure::Complaints;
use crate::strategy::fix::{self, Bench, Ending, Job, Outcome, Progress, Worker};
use crate::telemetry::price::{Prices, Used};
use tokio_util::sync::CancellationToken;

/// Failures listed for a person after each run of the check; all of them stand in `--json`.
const MAX_LISTED: usize = 10;

/// Arguments of `mimi fix`.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct FixArgs {
    /// The checks.
    #[command(flatten)]
    pub checks: ChecksArgs,
    /// The limits.
    #[command(flatten)]
    pub budget: BudgetArgs,
    /// What may be changed.
    #[command(flatten)]
    pub guard: GuardArgs,
    /// Allow what this rule covers: `shell:make *`, `write:docs/**`
    #[arg(long, value_name = "RULE")]
    pub allow: Vec<String>,
    /// Confine commands this way instead of the best that works here
    #[arg(long, value_name = "TIER", value_enum)]
    pub sandbox: Option<SandboxArg>,
    /// Show which checks would be run and which others there are, and stop
    #[arg(long)]
    pub detect: bool,
    /// Print every event as a line of JSON
    #[arg(long)]
    pub json: bool,
}

/// Makes the checks pass.
pub fn run(cx: &Cx, args: &FixArgs) -> Result<(), Fault> {
    let plan = fix_checks::plan(cx, args)?;
    let job = plan.job(cx, args);
    if args.detect {
        return plan.show(cx, job, args);
    }
    let job = job?;
    plan.app.need_sandbox()?;
    let outcome = work(cx, &plan.app, &job, args)?;
    say(cx, &job, &outcome, args)?;
    verdict(&job, &outcome)
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
        bounds: Bounds { max_steps: job.limits.max_steps, max_tokens: job.limits.max_tokens },
    };
    let prices = Prices::new(app.config.prices.clone());
    let bench = Bench { runner: &app.runner, keeper: app.keeper_of_checks(), prices };
    let start = async || {
        let session = app.start(options).await?;
        need_price(job, &bench.prices, &session.route)?;
        Ok(Worker { handle: session.handle, provider: session.route.provider.clone() })
    };
    let pulse = RefCell::new(Pulse::new(app.config.fix.heartbeat_s));
    let every = pulse.borrow().every();
    block_on(async {
        let mut signals = Signals::listen()?;
        let mut lines = Lines::new(&cx.out, Channel::Progress);
        let mut broken = None;
        let cancel = CancellationToken::new();
        let result = {
            let mut fixing = pin!(fix::fix(job, &bench, start, cancel.clone(), |progress| {
                pulse.borrow_mut().see(job, &progress);
                if broken.is_none() {
                    broken = show(cx, job, args, &mut lines, &progress).err();
                }
            }));
            loop {
                tokio::select! {
                    result = &mut fixing => break result,
                    () = Pulse::next(every) => cx.out.note(pulse.borrow().words()),
                    stop = signals.next() => {
                        cancel.cancel();
                        // Dropped, the work ends the agent and its commands too; what it changed so far stays in any case.
                        let ended = signals.last_words(fixing).await;
                        let stopped = |outcome: Outcome| Outcome { ending: Ending::Failed(stop.fault()), ..outcome };
                        break ended.map_or_else(|| Err(stop.fault()), |result| result.map(stopped));
                    }
                }
            }
        };
        cx.out.idle();
        broken.map_or(result, Err)
    })
}

/// Fails where a limit on the cost could not be kept, because the model has no price.
fn need_price(job: &Job, prices: &Prices, route: &Route) -> Result<(), Fault> {
    let has_price = prices.cost(&route.provider, &route.model, &Used::default()).is_some();
    if job.limits.max_cost == 0.0 || has_price {
        return Ok(());
    }
    let name = format!("{}/{}", route.provider, route.model);
    Err(Fault::new(Kind::Config, format!("--max-cost cannot be kept: `{name}` has no price"))
        .hint(format!("give it one: prices: {{\"{name}\": {{input_per_mtok: 0.10, output_per_mtok: 0.40}}}}")))
}

/// Lets the agent run the checks itself, since that is what the user asked mimi to run, and parts of them: `cargo test NAME`.
fn check_rules(job: &Job) -> Vec<String> {
    let mut allowed = Vec::new();
    for check in &job.checks {
        let command = &check.spec.command;
        let cwd = (!check.spec.folder.is_empty()).then(|| job.folder_of(check));
        allowed.push(rules::relative_rule(&Action::Execute { command: command.clone(), cwd }, &job.folder));
        if rules::is_plain(command) {
            allowed.push(format!("shell:{command} *"));
        }
    }
    allowed
}

fn show(cx: &Cx, job: &Job, args: &FixArgs, lines: &mut Lines<'_>, progress: &Progress<'_>) -> Result<(), Fault> {
    if args.json {
        return match progress {
            Progress::Agent(record) => cx.out.line(json_line(record)?),
            Progress::CheckStarted { .. } | Progress::Step(_) | Progress::Budget(_) => Ok(()),
            Progress::CheckDone { check, round, run } => cx.out.line(
                serde_json::json!({
                    "v": crate::protocol::event::SCHEMA_VERSION,
                    "type": "check_done",
                    "round": round,
                    "check": check,
                    "command": command(job, *check),
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
        Progress::CheckStarted { check, .. } => {
            cx.out.busy(&format!("running {}", visible(command(job, *check))));
        }
        Progress::Step(step) => show_step(cx, job, step),
        Progress::Budget(_) => {}
        Progress::CheckDone { check, run, .. } => {
            cx.out.idle();
            let (style, word) = if run.is_green { (Style::Good, "passes") } else { (Style::Bad, "fails") };
            let ending = if run.is_green { String::new() } else { format!(" with {}", run.ending) };
            let time = format_duration(run.duration_ms);
            cx.out.note_styled(style, format!("check `{}` {word}{ending} ({time})", visible(command(job, *check))));
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

fn command(job: &Job, check: usize) -> &str {
    job.checks.get(check).map_or("", |check| &check.spec.command)
}

/// Says what a step did that nothing else says.
fn show_step(cx: &Cx, job: &Job, step: &Step) {
    let note = |style, text: String| {
        cx.out.idle();
        cx.out.note_styled(style, text);
    };
    match &step.what {
        What::FlakyRun(ran) if ran.is_green => {
            note(
                Style::Notice,
                format!("once more, with nothing changed: `{}` passes", visible(command(job, ran.check))),
            );
        }
        What::Fixer { name, is_kept, before, after, .. } => {
            let word = if *is_kept { "kept" } else { "taken back" };
            note(Style::Plain, format!("fixer {name}: {} before, {after} after: {word}", count(*before, "failure")));
        }
        What::Guard { file, rule, .. } => {
            note(Style::Notice, format!("taken back: {}: {}", visible(file), visible(rule)));
        }
        What::Minimise { dropped } => {
            note(Style::Plain, format!("not needed and dropped: {}", visible(&dropped.join(", "))));
        }
        What::Trouble { words } => note(Style::Notice, format!("warning: {}", visible(words))),
        _ => {}
    }
}

/// Prints the result of work that went well.
fn say(cx: &Cx, job: &Job, outcome: &Outcome, args: &FixArgs) -> Result<(), Fault> {
    let pass = if job.checks.len() == 1 { "passes" } else { "pass" };
    let checks = visible(&job.words()).into_owned();
    match &outcome.ending {
        _ if args.json => Ok(()),
        Ending::NothingToDo => cx.out.line(format!("nothing to fix: {checks} {pass}")),
        Ending::Fixed if outcome.rounds == 0 => cx.out.line(format!("fixed without a model: {checks} {pass}")),
        Ending::Fixed => {
            let (rounds, answer) = (count(outcome.rounds as usize, "round"), visible(outcome.answer.trim()));
            cx.out.line(format!("fixed in {rounds}: {checks} {pass}\n\n{answer}"))
        }
        Ending::Failed(_) => {
            remains(cx, job, outcome);
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Says what is left where the work was broken off.
fn remains(cx: &Cx, job: &Job, outcome: &Outcome) {
    for (at, run) in outcome.runs.iter().enumerate() {
        let Some(run) = run.as_ref().filter(|run| !run.is_green) else { continue };
        let failures = count(run.n_failures(), "failure");
        cx.out.note(format!("still failing: `{}`: {failures}", visible(command(job, at))));
    }
}

/// Says whether the checks pass now, and if not, why and what would help.
fn verdict(job: &Job, outcome: &Outcome) -> Result<(), Fault> {
    let rounds = count(outcome.rounds as usize, "round");
    let (noun, verb) = if job.checks.len() == 1 { ("check", "fails") } else { ("checks", "fail") };
    let still = format!("the {noun} {} still {verb} after {rounds}", job.words());
    let output = || outcome.last_run().map_or("", |run| crate::base::text::suffix(run.text.trim(), 2_000)).to_owned();
    match &outcome.ending {
        Ending::NothingToDo | Ending::Fixed => Ok(()),
        Ending::NotFixed if job.limits.max_rounds == 0 => {
            let without = format!("the {noun} {} still {verb}; no model was asked (--max-rounds 0)", job.words());
            Err(Fault::new(Kind::Task, without).cause(output()))
        }
        Ending::NotFixed => {
            Err(Fault::new(Kind::Task, still).cause(output()).hint("give it more rounds: mimi fix --max-rounds 10"))
        }
        Ending::Flaky { tests } => {
            let what = if tests.is_empty() { String::new() } else { format!(": {}", tests.join(", ")) };
            Err(Fault::new(Kind::Flaky, format!("only flaky failures in {}{what}", job.words()))
                .cause("it failed and passed with nothing changed in between"))
        }
        Ending::BuildBroken => Err(Fault::new(
            Kind::Check,
            format!("{} cannot be run: the project did not build before, and does not after {rounds}", job.words()),
        )
        .cause(output())
        .hint("give it more rounds: mimi fix --max-rounds 10")),
        Ending::OutOfBudget { what, has_progress } => {
            let kind = if *has_progress { Kind::Budget } else { Kind::Task };
            Err(Fault::new(kind, format!("{still}; stopped at a limit: {what}")).cause(output()))
        }
        Ending::Refused { rules } => {
            Err(Fault::new(Kind::Denied, format!("{still}; the agent needed an approval nobody could give"))
                .hint(format!("allow it: mimi fix {}", allow_flags(rules))))
        }
        Ending::Failed(fault) => Err(fault.clone()),
    }
}
