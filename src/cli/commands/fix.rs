//! How is a failing check made to pass from the command line?
//!
//! Finds the checks (`fix_checks`), has the strategy work, and ends with one report. What is seen meanwhile is in `fix_show`, what
//! becomes of the changes in `fix_after`, many projects at once in `fix_list`.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::pin::pin;

use crate::agent::dispatch::{Approvals, allow_flags};
use crate::app::{AgentOptions, App, Bounds};
use crate::base::fault::{Fault, Kind};
use crate::base::secrets::redacted;
use crate::base::text::count;
use crate::cli::SandboxArg;
use crate::cli::commands::fix_after::{self, After, AfterArgs};
use crate::cli::commands::fix_checks::{self, BudgetArgs, ChecksArgs, GuardArgs};
use crate::cli::commands::fix_list::{self, ListArgs};
use crate::cli::commands::fix_pulse::Pulse;
use crate::cli::commands::fix_review;
use crate::cli::commands::fix_show::Show;
use crate::cli::context::{Cx, block_on};
use crate::cli::recording;
use crate::cli::report::target::{self, Format, Target, Targets};
use crate::cli::signal::Signals;
use crate::model::route::Route;
use crate::policy::rules;
use crate::protocol::fix_report::{self, FixReport};
use crate::protocol::op::Mode;
use crate::protocol::task::{Class, Task};
use crate::protocol::tool::Action;
use crate::strategy::deterministic::Sameness;
use crate::strategy::fix::{self, Bench, Ending, Job, Outcome, Progress, Worker};
use crate::strategy::fix_report::Collector;
use crate::telemetry::price::{Prices, Used};
use tokio_util::sync::CancellationToken;

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
    /// Let commands reach this host as well, on its usual ports or the one given: `crates.io`, `10.0.0.7:8443`
    #[arg(long, value_name = "HOST")]
    pub allow_host: Vec<String>,
    /// Show which checks would be run and which others there are, and stop
    #[arg(long)]
    pub detect: bool,
    /// Write the report as text, json, jsonl, markdown, sarif, junit or github, to a file or to standard output
    #[arg(long, value_name = "FORMAT[=FILE]", value_parser = target::parse)]
    pub output: Vec<Target>,
    /// Print every event as a line of JSON: `--output jsonl`
    #[arg(long)]
    pub json: bool,
    /// Tell the same work in the same bytes: without times, ids and folders
    #[arg(long)]
    pub deterministic: bool,
    /// What becomes of the changes.
    #[command(flatten)]
    pub after: AfterArgs,
    /// Many repositories.
    #[command(flatten)]
    pub list: ListArgs,
    /// Record what is exchanged with models, tools and checks to a new file, for `mimi replay`
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub record: Option<PathBuf>,
}

impl FixArgs {
    /// Returns where the report goes.
    pub(super) fn targets(&self) -> Result<Targets, Fault> {
        let json = self.json.then_some(Target { format: Format::Jsonl, file: None });
        let typed: Vec<Target> = self.output.iter().cloned().chain(json).collect();
        Targets::new(&typed)
    }
}

/// Makes the checks pass.
pub fn run(cx: &Cx, args: &FixArgs) -> Result<(), Fault> {
    if let Some(list) = &args.list.repo_list {
        return fix_list::run(cx, args, list);
    }
    let targets = args.targets()?;
    if args.detect {
        let plan = fix_checks::plan(cx, args)?;
        let job = plan.job(cx, args);
        return plan.show(cx, job, args);
    }
    let mut show = Show::new(cx, &targets)?;
    let ended = one(cx, args, &mut show)?;
    fix_after::write(cx, &targets, &ended, show)?;
    ended.result
}

/// What the work on one project has come to.
pub(super) struct Ended {
    /// All of it.
    pub(super) report: FixReport,
    /// What the process ends with.
    pub(super) result: Result<(), Fault>,
    /// The patch, where it is to be printed.
    pub(super) printed: Option<PathBuf>,
}

/// Works on one project, to its report. Fails only where there is nothing to report.
pub(super) fn one(cx: &Cx, args: &FixArgs, show: &mut Show<'_>) -> Result<Ended, Fault> {
    let plan = fix_checks::plan(cx, args)?;
    let job = plan.job(cx, args);
    let order = recording::Order {
        command: "fix",
        job: job.as_ref().ok().and_then(|job| serde_json::to_value(job).ok()),
        allow: args.allow.clone(),
    };
    let app = &recording::begin(plan.app, args.record.as_ref(), order)?;
    show.same = args.deterministic.then(|| sameness(cx, app));
    let after = After::prepare(app, &args.after)?;
    let collector = RefCell::new(collector(app, job.as_ref().ok()));
    let outcome = job.and_then(|job| {
        app.need_sandbox()?;
        let outcome = work(cx, app, (&job, args), &collector, show)?;
        Ok((job, outcome))
    });
    let (outcome, result) = match outcome {
        Ok((job, mut outcome)) => {
            if matches!(outcome.ending, Ending::Failed(_)) && !args.json {
                show.remains(&job, &outcome);
            }
            let result = verdict(&job, &outcome);
            let result = reviewed(cx, app, (&job, args), (&mut outcome, result), &collector);
            (Some(outcome), result)
        }
        Err(fault) => (None, Err(fault)),
    };
    let answer = outcome.as_ref().map_or("", |outcome| &outcome.answer);
    let ending = outcome.as_ref().map(|outcome| &outcome.ending);
    let mut report = collector.into_inner().finish(ending, &result, answer);
    let changes = outcome.as_ref().map_or(&[][..], |outcome| &outcome.changes);
    let result = after.settle(cx, changes, &mut report, result);
    let printed = after.to_print(&report);
    recording::end(cx, &app.tape, &result);
    // It goes to logs, pages and comments; what was changed is in the patch as it is.
    let report = redacted(report);
    Ok(match &mut show.same {
        Some(same) => {
            let result = result.map_err(|fault| same.fault(&fault));
            Ended { report: same.report(&report), result, printed }
        }
        None => Ended { report, result, printed },
    })
}

/// Has the person go through the changes, where that is asked for; the checks decide about what they made of them.
fn reviewed(
    cx: &Cx,
    app: &App,
    (job, args): (&Job, &FixArgs),
    (outcome, result): (&mut Outcome, Result<(), Fault>),
    collector: &RefCell<Collector>,
) -> Result<(), Fault> {
    let is_stopped = result.as_ref().is_err_and(|fault| matches!(fault.kind, Kind::Interrupted | Kind::Terminated));
    if !args.after.review || outcome.changes.is_empty() || is_stopped {
        return result;
    }
    let reviewed = fix_review::review(cx, app, job, outcome)?;
    let mut collector = collector.borrow_mut();
    collector.see(&Progress::Step(&reviewed.step));
    for (check, run) in reviewed.runs.iter().enumerate() {
        collector.see(&Progress::CheckDone { check, round: outcome.rounds, run });
    }
    match reviewed.runs.iter().find(|run| !run.is_green) {
        Some(run) => Err(Fault::new(Kind::Task, "after your review a check fails").cause(run.text.trim())),
        // What you rewrote may be what was missing.
        None if !reviewed.runs.is_empty() => Ok(()),
        None => result,
    }
}

/// Says which folders are not the same everywhere.
fn sameness(cx: &Cx, app: &App) -> Sameness {
    let folder = |path: &Path, word| (path.display().to_string(), word);
    let temporary = cx.env.get("TMPDIR").map(|path| (path.trim_end_matches('/').to_owned(), "[tmp]"));
    let own = [folder(app.workspace.root(), "[work]"), folder(&app.dirs.home, "[home]")];
    Sameness::new(own.into_iter().chain(temporary))
}

/// Returns the exit code of `mimi fix` with this outcome.
pub fn exit_code(job: &Job, outcome: &Outcome) -> u8 {
    verdict(job, outcome).map_or_else(|fault| fault.kind.exit_code(), |()| 0)
}

/// Begins a report.
pub fn collector(app: &App, job: Option<&Job>) -> Collector {
    let told =
        fix_report::Job { folder: app.workspace.root().to_path_buf(), checks: job.map(Job::specs).unwrap_or_default() };
    let prices = Prices::new(app.config.prices.clone());
    Collector::new(told, app.choice.words(), prices, app.clock().as_ref())
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
        bounds: Bounds { max_steps: job.limits.max_steps, max_tokens: job.limits.max_tokens },
    };
    let prices = Prices::new(app.config.prices.clone());
    let (keeper, tape) = (app.keeper_of_checks(), app.tape.clone());
    let bench = Bench { runner: &app.runner, keeper, prices, tape };
    let start = async || {
        let session = app.start(options).await?;
        let route = &session.route;
        collector.borrow_mut().works_with(&session.id, &route.model, &route.provider, &route.url);
        need_price(job, &bench.prices, route)?;
        Ok(Worker { provider: route.provider.clone(), handle: session.handle })
    };
    let pulse = RefCell::new(Pulse::new(if args.deterministic { 0 } else { app.config.fix.heartbeat_s }));
    let every = pulse.borrow().every();
    block_on(async {
        let mut signals = Signals::listen()?;
        let mut broken = None;
        let cancel = CancellationToken::new();
        let result = {
            let mut fixing = pin!(fix::fix(job, &bench, start, cancel.clone(), |progress| {
                collector.borrow_mut().see(&progress);
                pulse.borrow_mut().see(job, &progress);
                if broken.is_none() {
                    broken = show.show(job, &progress).err();
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
