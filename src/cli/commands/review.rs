//! How is a change reviewed from the command line?

use std::collections::HashSet;
use std::pin::pin;

use tokio_util::sync::CancellationToken;

use crate::app::{AgentOptions, App};
use crate::base::fault::{Fault, Kind};
use crate::base::path::append_to;
use crate::base::text::{count, one_line_name, visible};
use crate::cli::SandboxArg;
use crate::cli::context::{Cx, block_on};
use crate::cli::render::{Channel, Lines, some_names};
use crate::cli::report::target::{self, Format, Target, Targets};
use crate::cli::signal::Signals;
use crate::config::schema::FailOn;
use crate::protocol::event::Event;
use crate::protocol::finding::Finding;
use crate::protocol::notice::Severity;
use crate::protocol::task::Task;
use crate::strategy::review::part::{self, Parts, Room};
use crate::strategy::review::report::Report;
use crate::strategy::review::{self, Outcome, Progress};
use crate::tui::look::Look;
use crate::workspace::git::Git;
use crate::workspace::git_changes::{Changes, Scope};

/// Arguments of `mimi review`.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct ReviewArgs {
    /// Review the commits since the branch left this one: `main`, `origin/main`
    #[arg(long, value_name = "REF", conflicts_with_all = ["staged", "commit"])]
    pub base: Option<String>,
    /// Review what is staged
    #[arg(long, conflicts_with = "commit")]
    pub staged: bool,
    /// Review one commit
    #[arg(long, value_name = "REV")]
    pub commit: Option<String>,
    /// Write the result as text, json, markdown, sarif or github, to a file or to standard output
    #[arg(long, value_name = "FORMAT[=FILE]", value_parser = target::parse_review)]
    pub output: Vec<Target>,
    /// End with code 1 when something of this severity or graver is found [default: review.fail_on]
    #[arg(long, value_name = "SEVERITY", value_enum)]
    pub fail_on: Option<FailOnArg>,
    /// Confine commands this way instead of the best that works here
    #[arg(long, value_name = "TIER", value_enum)]
    pub sandbox: Option<SandboxArg>,
}

/// From which severity on the command fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum FailOnArg {
    /// Errors
    Error,
    /// Warnings too
    Warning,
    /// Anything
    Note,
    /// Nothing
    Never,
}

impl From<FailOnArg> for FailOn {
    fn from(arg: FailOnArg) -> Self {
        match arg {
            FailOnArg::Error => Self::Error,
            FailOnArg::Warning => Self::Warning,
            FailOnArg::Note => Self::Note,
            FailOnArg::Never => Self::Never,
        }
    }
}

/// Reviews the change.
pub fn run(cx: &Cx, args: &ReviewArgs) -> Result<(), Fault> {
    let targets = Targets::new(&args.output)?;
    let app = cx.app()?;
    let scope = match args {
        ReviewArgs { base: Some(base), .. } => Scope::Base(base.clone()),
        ReviewArgs { commit: Some(commit), .. } => Scope::Commit(commit.clone()),
        ReviewArgs { staged: true, .. } => Scope::Staged,
        _ => Scope::WorkTree,
    };
    let done = block_on(async {
        let mut signals = Signals::listen()?;
        let cancel = CancellationToken::new();
        let mut work = pin!(work(cx, &app, &scope, cancel.clone()));
        tokio::select! {
            done = &mut work => done,
            stop = signals.next() => {
                cancel.cancel();
                signals.last_words(work).await;
                Err(stop.fault())
            }
        }
    })?;
    let verdict = verdict(&done, args.fail_on.map_or(app.config.review.fail_on, Into::into));
    write(cx, &targets, &done.report, verdict.as_ref().err())?;
    verdict
}

/// What came out, and what ended it early.
struct Done {
    report: Report,
    failure: Option<Fault>,
}

async fn work(cx: &Cx, app: &App, scope: &Scope, cancel: CancellationToken) -> Result<Done, Fault> {
    let changes = Git::new(&app.runner, app.workspace.root()).changes(scope).await?;
    let config = &app.config.review;
    let room = Room {
        part_tokens: 0,
        max_parts: config.max_parts,
        skip: &config.skip,
        is_secret: crate::policy::path::is_secret,
    };
    if !part::has_any(&changes.files, &room) {
        let Parts { left_out, .. } = part::split(&changes.files, &room);
        let left_out = changes.left_out.iter().cloned().chain(left_out).collect();
        let outcome = Outcome { left_out, ..Outcome::default() };
        return Ok(Done { report: Report::new(&changes, None, outcome), failure: None });
    }
    app.need_sandbox()?;
    let route = app.gateway.resolve(Task::Review, cx.global.model.as_deref()).await?;
    let part_tokens = app.part_tokens(&route);
    let parts = part::split(&changes.files, &Room { part_tokens, ..room });
    let model = format!("{}/{}", route.provider, route.model);
    let outcome = ask(cx, app, (&changes, parts), cancel).await?;
    let failure = outcome.failure.clone();
    Ok(Done { report: Report::new(&changes, Some(model), outcome), failure })
}

async fn ask(
    cx: &Cx,
    app: &App,
    (changes, parts): (&Changes, Parts),
    cancel: CancellationToken,
) -> Result<Outcome, Fault> {
    // Whatever the change says, nothing is written or run for it.
    let options = AgentOptions::reader(Task::Review, cx.global.model.clone(), cx.class());
    let mut lines = Lines::new(&cx.out, Channel::Progress);
    let (mut told, mut broken) = (HashSet::new(), None);
    let start = async || Ok(app.start(options.clone()).await?.handle);
    let outcome = review::review(changes, parts, start, cancel, |progress| {
        if broken.is_none() {
            broken = show(cx, &mut lines, &mut told, progress).err();
        }
    })
    .await;
    cx.out.idle();
    broken.map_or(Ok(outcome), Err)
}

fn show(cx: &Cx, lines: &mut Lines<'_>, told: &mut HashSet<String>, progress: Progress<'_>) -> Result<(), Fault> {
    match progress {
        Progress::Part { number, of, files } => {
            let names: Vec<String> = files.iter().map(|name| one_line_name(name).into_owned()).collect();
            let which = if of > 1 { format!(" part {number} of {of}:") } else { String::new() };
            cx.out.note_styled(Look::Dim, visible(&format!("reviewing{which} {}", some_names(&names, names.len()))));
            Ok(())
        }
        // The answer is JSON, and each part's agent has the same to warn of.
        Progress::Agent(record) => match &record.event {
            Event::TextDelta { .. } => Ok(()),
            Event::Warning { text } if !told.insert(text.clone()) => Ok(()),
            _ => lines.show(record),
        },
    }
}

/// Says whether the command fails, and by what.
fn verdict(done: &Done, fail_on: FailOn) -> Result<(), Fault> {
    if let Some(failure) = &done.failure {
        return Err(failure.clone());
    }
    match fail_on.severity().map(|severity| (severity, done.report.reaching(severity))) {
        Some((severity, n)) if n > 0 => {
            let graver = if severity == Severity::Error { "" } else { " or graver" };
            let what = format!("{} of severity `{}`{graver}", count(n, "finding"), severity.name());
            Err(Fault::new(Kind::Task, what).hint("to end with code 0 all the same: --fail-on never"))
        }
        _ => Ok(()),
    }
}

/// Writes the report in every form that was asked for.
fn write(cx: &Cx, targets: &Targets, report: &Report, fault: Option<&Fault>) -> Result<(), Fault> {
    let render = |format| crate::cli::report::review::render(format, report, fault);
    for (format, path) in targets.files() {
        target::write_file(path, render(format)?.as_bytes())?;
    }
    if targets.has(Format::Github)
        && let Some(summary) = target::summary_file(&cx.env)
    {
        let written = append_to(&summary, render(Format::Markdown)?.as_bytes());
        written.map_err(|error| Fault::io(Kind::Task, format!("cannot write `{}`", summary.display()), &error))?;
    }
    for format in [Format::Json, Format::Markdown, Format::Sarif, Format::Github] {
        if targets.streams(format) {
            cx.out.command(&render(format)?)?;
        }
    }
    if !targets.streams(Format::Text) {
        return Ok(());
    }
    report.findings.iter().try_for_each(|finding| finding_lines(cx, finding))?;
    report.remarks().iter().for_each(|remark| cx.out.note_styled(Look::Notice, format!("! {}", visible(remark))));
    cx.out.line(visible(&report.summary()))
}

fn finding_lines(cx: &Cx, finding: &Finding) -> Result<(), Fault> {
    let style = match finding.severity {
        Severity::Error => Look::Bad,
        Severity::Warning => Look::Notice,
        Severity::Note => Look::Dim,
    };
    let why = crate::cli::report::review::why(finding);
    cx.out.spans(&[
        (Look::Bold, format!("{}: ", visible(&one_line_name(&finding.place())))),
        (style, finding.severity.name().to_owned()),
        (Look::Plain, format!(": {}", visible(&why))),
    ])?;
    let suggestion = finding.suggestion.as_deref().unwrap_or_default();
    suggestion.lines().try_for_each(|line| cx.out.styled(Look::Good, format!("    {}", visible(line))))
}
