//! What becomes of the changes once `mimi fix` has done its work?
//!
//! They are kept as a patch in any case, beside the sessions; on request they are written to a file, committed, or taken out of
//! the folder again. Part of `fix`. Must not change what the work has come to: a commit that cannot be made is a failure of its own.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::app::App;
use crate::base::clock::new_id;
use crate::base::fault::{Fault, Kind};
use crate::base::path::{PRIVATE_FILE, append_to, create_private_dir, remove_file, write_atomic};
use crate::base::secrets::redacted;
use crate::base::text::{first_line, visible};
use crate::checkpoint::node::Delta;
use crate::checkpoint::step::{About, Cause};
use crate::checkpoint::store::Store;
use crate::cli::commands::fix::Ended;
use crate::cli::commands::fix_review::need_terminal;
use crate::cli::commands::fix_show::Show;
use crate::cli::context::{Cx, runtime};
use crate::cli::report::target::{Format, Targets, summary_file, write_file};
use crate::cli::report::{event, markdown, render, text, words};
use crate::protocol::fix_report::{Ending, FixReport};
use crate::strategy::fix_report::ended;
use crate::strategy::git_commit::{Committer, Wish};
use crate::strategy::patch::{self, Changed};
use crate::workspace::git;

/// Characters of the first line of a commit's message; what git and hosts show of it.
const SUBJECT_CHARS: usize = 72;
/// Failures that the message of a commit names.
const MAX_NAMED: usize = 20;
/// Seconds of a day.
const DAY_S: u64 = 24 * 60 * 60;

/// What is to become of the changes.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct AfterArgs {
    /// Write what mimi changed to this file, for `git apply`
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub patch: Option<PathBuf>,
    /// Commit what mimi changed, and nothing else, where the checks pass in the end
    #[arg(long)]
    pub commit: bool,
    /// Commit it to this new branch instead, and leave what is checked out as it is
    #[arg(long, value_name = "NAME")]
    pub branch: Option<String>,
    /// Put everything back afterwards, and print the patch unless it goes to a file
    #[arg(long, conflicts_with_all = ["commit", "branch"])]
    pub dry_run: bool,
    /// Go through the changes piece by piece on the terminal, before anything else is done with them
    #[arg(long)]
    pub review: bool,
}

/// What has to be known before the work begins.
pub(super) struct After<'a> {
    app: &'a App,
    args: &'a AfterArgs,
    committer: Option<Committer>,
}

impl<'a> After<'a> {
    /// Looks whether what is wished for can be done.
    ///
    /// # Errors
    /// A commit is wished for where none can be made.
    pub(super) fn prepare(app: &'a App, args: &'a AfterArgs) -> Result<Self, Fault> {
        if args.review {
            need_terminal()?;
        }
        let mut committer = None;
        if args.commit || args.branch.is_some() {
            let (wish, state) = (wish(app, args, None), &app.dirs.state);
            let opened = runtime()?.block_on(Committer::open(&app.runner, app.workspace.root(), state, &wish));
            committer = Some(opened?);
        }
        Ok(Self { app, args, committer })
    }

    /// Does with the changes what is wished for, writes it into the report, and returns what the process ends with: where all
    /// else went well, what failed here.
    pub(super) fn settle(
        &self,
        cx: &Cx,
        deltas: &[Delta],
        report: &mut FixReport,
        result: Result<(), Fault>,
    ) -> Result<(), Fault> {
        let Err((word, fault)) = self.all(cx, deltas, report) else { return result };
        if result.is_err() {
            report.warnings.push(fault.line());
            return result;
        }
        report.next.clone_from(&fault.hints);
        let result = Err(fault);
        report.ending = Ending { word: word.to_owned(), ..ended(None, &result) };
        result
    }

    /// Does all of it; a failure has a word for the report.
    fn all(&self, cx: &Cx, deltas: &[Delta], report: &mut FixReport) -> Result<(), (&'static str, Fault)> {
        let unkept = |fault: Fault| ("not_written", fault);
        let root = self.app.workspace.root();
        let changes = self.load(root, deltas).map_err(unkept)?;
        report.files = patch::counted(&changes);
        self.keep(root, &changes, report).map_err(unkept)?;
        if let Some(committer) = &self.committer
            && report.ending.code == 0
            && !changes.is_empty()
        {
            self.commit(committer, &changes, report).map_err(|fault| ("not_committed", fault))?;
        }
        if self.args.dry_run {
            self.put_back(cx, deltas, report).map_err(|fault| ("not_put_back", fault))?;
        }
        Ok(())
    }

    /// Reads what changed. Nothing is kept where nothing could be, and then nothing was changed.
    fn load(&self, root: &Path, deltas: &[Delta]) -> Result<Vec<Changed>, Fault> {
        if deltas.is_empty() {
            return Ok(Vec::new());
        }
        let store = Store::open(&self.app.dirs.checkpoints())?;
        Ok(patch::load(&store, root, deltas)?)
    }

    /// Writes the patch: always to mimi's own folder, and to the file that was named.
    fn keep(&self, root: &Path, changes: &[Changed], report: &mut FixReport) -> Result<(), Fault> {
        let prefix = git::top(root).and_then(|top| root.strip_prefix(top).ok()).unwrap_or(Path::new(""));
        let bytes = patch::write(changes, prefix);
        if let Some(path) = &self.args.patch {
            // Also an empty one: whoever applies it later need not ask.
            write_file(path, &bytes)?;
            report.patch = Some(path.clone());
        }
        if changes.is_empty() {
            return Ok(());
        }
        let folder = self.app.dirs.state.join("fixes");
        let name = format!("{}.patch", report.session.clone().unwrap_or_else(new_id));
        let path = folder.join(name);
        let written = create_private_dir(&folder).and_then(|()| write_atomic(&path, &bytes, PRIVATE_FILE));
        match written {
            Ok(()) => report.patch = Some(report.patch.take().unwrap_or(path)),
            Err(error) => {
                let why = format!("the patch is not kept in `{}`: {error}", path.display());
                report.warnings.push(why);
            }
        }
        self.tidy(&folder);
        Ok(())
    }

    /// Deletes patches older than sessions are kept.
    fn tidy(&self, folder: &Path) {
        let days = self.app.config.session.keep_days;
        let is_old = |path: &PathBuf| {
            let at = path.metadata().and_then(|meta| meta.modified());
            let age = at.ok().and_then(|at| SystemTime::now().duration_since(at).ok());
            days > 0 && age.is_some_and(|age| age > Duration::from_secs(days * DAY_S))
        };
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
        entries.filter(is_old).for_each(|path| drop(remove_file(&path)));
    }

    fn commit(&self, committer: &Committer, changes: &[Changed], report: &mut FixReport) -> Result<(), Fault> {
        // A test may be named by what must not be told.
        let wish = wish(self.app, self.args, Some(&redacted(report.clone())));
        let commit = runtime()?.block_on(committer.commit(changes, &wish)).map_err(|error| {
            let mut fault = Fault::from(error);
            fault.message = format!("the checks pass now, but nothing is committed: {}", fault.message);
            fault
        });
        report.commit = Some(commit?);
        Ok(())
    }

    /// Takes the changes out of the folder again; what somebody else changed meanwhile stays.
    fn put_back(&self, cx: &Cx, deltas: &[Delta], report: &FixReport) -> Result<(), Fault> {
        let Some(keeper) = self.app.keeper_of_checks().filter(|_| !deltas.is_empty()) else { return Ok(()) };
        let about = About { turn: 0, call: None, cause: Cause::Restore, what: "mimi fix --dry-run".to_owned() };
        let (step, done) = keeper.take_back(about, deltas)?;
        keeper.settle(&step.id);
        cx.out.note("Everything is as it was: this was a dry run.");
        if done.left.is_empty() {
            return Ok(());
        }
        let left = done.left.iter().map(|left| format!("{}: {left}", left.path.display()));
        let fault = Fault::new(Kind::Task, "not everything could be put back");
        let hint = report.patch.as_ref().map(|path| format!("git apply -R '{}'", path.display()));
        let fault = left.fold(fault, Fault::cause);
        Err(hint.into_iter().fold(fault, Fault::hint))
    }

    /// Returns the patch where standard output is the place for it.
    pub(super) fn to_print(&self, report: &FixReport) -> Option<PathBuf> {
        report.patch.clone().filter(|_| self.args.dry_run && self.args.patch.is_none())
    }
}

/// Says what the commit is to look like. Without a report only who and where is known.
fn wish(app: &App, args: &AfterArgs, report: Option<&FixReport>) -> Wish {
    let fix = &app.config.fix;
    let message = report.map_or_else(String::new, |report| message(report, &fix.commit_trailer));
    Wish { branch: args.branch.clone(), author: fix.commit_author.clone(), message }
}

/// Writes the message of the commit: what passes now, which tests failed before, and the trailer. Nothing that a program printed
/// stands in it but names of tests and files.
fn message(report: &FixReport, trailer: &str) -> String {
    let checks = words::checks(report).replace('`', "");
    let subject = first_line(&visible(&format!("Make {checks} pass")), SUBJECT_CHARS);
    let mut lines = vec![subject];
    let named = report.at_start.failures.iter().filter_map(|failure| failure.id.as_ref().or(failure.file.as_ref()));
    let mut named: Vec<String> = named.map(|name| format!("- {}", first_line(&visible(name), 100))).collect();
    named.dedup();
    if !named.is_empty() {
        let n_left = named.len().saturating_sub(MAX_NAMED);
        named.truncate(MAX_NAMED);
        lines.extend([String::new(), "Failed before:".to_owned()]);
        lines.append(&mut named);
        lines.extend((n_left > 0).then(|| format!("- and {n_left} more")));
    }
    if !trailer.is_empty() {
        lines.extend([String::new(), trailer.to_owned()]);
    }
    lines.join("\n") + "\n"
}

/// Writes the report in every form that was asked for. A failure is said by its fault, so that the text is for good ends.
pub(super) fn write(cx: &Cx, targets: &Targets, ended: &Ended, show: Show<'_>) -> Result<(), Fault> {
    let report = &ended.report;
    for (format, path) in targets.files().filter(|(format, _)| *format != Format::Jsonl) {
        write_file(path, render(format, report)?.as_bytes())?;
    }
    show.end(event(report)?)?;
    if targets.has(Format::Github)
        && let Some(summary) = summary_file(&cx.env)
    {
        let written = append_to(&summary, markdown::document(report).as_bytes());
        written.map_err(|error| Fault::io(Kind::Task, format!("cannot write `{}`", summary.display()), &error))?;
    }
    for format in [Format::Json, Format::Markdown, Format::Sarif, Format::Junit, Format::Github] {
        if targets.streams(format) {
            cx.out.command(&render(format, report)?)?;
        }
    }
    if !targets.streams(Format::Text) {
        return Ok(());
    }
    let words = text::result(report);
    match &ended.printed {
        Some(path) => {
            cx.out.note(words.trim_end());
            print_patch(cx, path)
        }
        None if report.ending.code == 0 => cx.out.text(&words),
        None => Ok(()),
    }
}

/// Prints a patch as it is: whoever applies it needs its bytes.
fn print_patch(cx: &Cx, path: &Path) -> Result<(), Fault> {
    let bytes = std::fs::read(path)
        .map_err(|error| Fault::io(Kind::Task, format!("cannot read `{}`", path.display()), &error))?;
    cx.out.bytes(&bytes)
}
