//! How are many repositories mended by an array of jobs?
//!
//! `mimi fix --repo-list FILE --shard I/N` takes its share of the list, one repository after the other, each with its own
//! configuration, report and patch. What one of them comes to, also a bug in mimi, does not keep the next from its turn. The
//! scheduler distributes; mimi only takes its share. Part of `fix`.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use crate::base::clock::{Clock as _, SystemClock, format_utc};
use crate::base::fault::{Fault, Kind};
use crate::base::text::visible;
use crate::cli::commands::fix::{Ended, FixArgs, one};
use crate::cli::commands::fix_show::Show;
use crate::cli::context::Cx;
use crate::cli::report::list::{self, ListReport};
use crate::cli::report::target::{self, Format, Targets};
use crate::protocol::fix_report::{CheckKind, FixReport, Job};
use crate::strategy::fix_report::ended;
use crate::strategy::repo_list::{self, Done, Item, Results, Shard, stands};
use crate::tui::look::Look;

/// Arguments for many repositories.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct ListArgs {
    /// Work on every repository of this list: a line each, its path, and its check behind a tab or blank
    ///
    /// What is done is written down beside the list, in FILE.results, and skipped when this is run again, also by another
    /// share. The exit code is 0 when every repository of the list that is done so far is fixed or had nothing to fix, else 1.
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath, conflicts_with_all = ["test", "lint", "build", "patch", "detect", "json", "review"])]
    pub repo_list: Option<PathBuf>,
    /// Take only share I of N of the list, for arrays of jobs
    #[arg(long, value_name = "I/N", requires = "repo_list", value_parser = Shard::parse)]
    pub shard: Option<Shard>,
}

/// Works off a share of the list.
pub(super) fn run(cx: &Cx, args: &FixArgs, list: &Path) -> Result<(), Fault> {
    let targets = Targets::new(&args.output)?;
    let list = cx.workspace_root.join(list);
    let items = repo_list::read(&list)?;
    let shard = args.list.shard.unwrap_or(Shard::WHOLE);
    let results = Results::open(&results_of(&list), shard)?;
    let mine = repo_list::share(&items, shard);
    let base = list.parent().unwrap_or(Path::new("/")).to_path_buf();
    let mut stopped = None;
    for (at, item) in mine.iter().enumerate() {
        // Asked each time: another share may have done it meanwhile.
        if results.done().iter().any(|done| done.item == *item && stands(done)) {
            continue;
        }
        let place = format!("[{}/{}] {}", at + 1, mine.len(), item.path);
        cx.out.note_styled(Look::Bold, visible(&place));
        let (report, kind) = attempt(cx, args, item, &base);
        cx.out.note(format!("{}: {}", visible(&item.path), report.ending.word.replace('_', " ")));
        if let Some(kind) = kind.filter(|kind| matches!(kind, Kind::Interrupted | Kind::Terminated)) {
            // It has come to nothing, and is tried again.
            stopped = Some(
                Fault::new(kind, format!("stopped at {}", visible(&item.path)))
                    .hint("the same command goes on with what is left"),
            );
            break;
        }
        results.add(&Done { v: repo_list::VERSION, item: item.clone(), report })?;
    }
    let report = ListReport::new(&list, &items, &results.done());
    write(cx, &targets, &report)?;
    match stopped {
        Some(fault) => Err(fault),
        None => verdict(&report, &mine),
    }
}

fn results_of(list: &Path) -> PathBuf {
    let mut name = list.file_name().unwrap_or_default().to_owned();
    name.push(".results");
    list.with_file_name(name)
}

/// Works on one repository; whatever happens there becomes a report.
fn attempt(cx: &Cx, args: &FixArgs, item: &Item, base: &Path) -> (FixReport, Option<Kind>) {
    let folder = base.join(&item.path);
    let global = crate::cli::Global { cwd: Some(folder.clone()), ..cx.global.clone() };
    let work = || -> Result<Ended, Fault> {
        let own = Cx::new(cx.env.clone(), global)?.with_sandbox(args.sandbox, &args.allow_host);
        let mut args = FixArgs { output: Vec::new(), ..args.clone() };
        args.checks.checks.extend(item.command.clone().map(|command| (CheckKind::Test, command)));
        let mut show = Show::new(&own, &Targets::new(&[])?)?;
        one(&own, &args, &mut show)
    };
    let result = catch_unwind(AssertUnwindSafe(work));
    let result =
        result.unwrap_or_else(|_| Err(Fault::new(Kind::Bug, "a bug in mimi ended the work on this repository")));
    match result {
        Ok(Ended { report, result: Ok(()), .. }) => (report, None),
        Ok(Ended { report, result: Err(fault), .. }) => {
            cx.out.fault(&fault);
            (report, Some(fault.kind))
        }
        Err(fault) => {
            cx.out.fault(&fault);
            let kind = fault.kind;
            (without_work(&folder, fault), Some(kind))
        }
    }
}

/// Writes the report of a repository that could not even be begun with.
fn without_work(folder: &Path, fault: Fault) -> FixReport {
    let next = fault.hints.clone();
    FixReport {
        v: crate::protocol::fix_report::VERSION,
        mimi: env!("CARGO_PKG_VERSION").to_owned(),
        started_at: format_utc(SystemClock.now_ms()),
        job: Job { folder: folder.to_path_buf(), checks: Vec::new() },
        ending: ended(None, &Err(fault)),
        next,
        ..FixReport::default()
    }
}

fn write(cx: &Cx, targets: &Targets, report: &ListReport) -> Result<(), Fault> {
    for (format, path) in targets.files() {
        target::write_file(path, list::render(format, report)?.as_bytes())?;
    }
    for format in Format::every() {
        if targets.streams(format) {
            let text = list::render(format, report)?;
            if format == Format::Text { cx.out.text(&text)? } else { cx.out.command(&text)? }
        }
    }
    Ok(())
}

fn verdict(report: &ListReport, mine: &[Item]) -> Result<(), Fault> {
    let is_mine = |done: &&Done| mine.contains(&done.item);
    let failed = report.repositories.iter().filter(is_mine).filter(|done| done.report.ending.code != 0).count();
    match failed {
        0 => Ok(()),
        n => Err(Fault::new(Kind::Task, format!("{n} of {} repositories not fixed", mine.len()))
            .hint("what failed for a reason that may pass is tried again by the same command")),
    }
}
