//! How is a change carried out that a model states in a dialect of its own: several places, a diff, a patch?
//!
//! One way for all of them, whichever tool or command they came through. Everything is worked out before anything is written,
//! and several files change together or not at all. As with `edit_file`, what the model has not read as it is is shown to it
//! instead of changed; of a file it has not read `intent` tells it nothing, because policy has not spoken yet.

use std::path::Path;

use futures_util::future::BoxFuture;
use serde_json::Value;

use crate::base::path::Resolved;
use crate::base::text::{count, one_line_name};
use crate::edit::EditError;
use crate::edit::change::{ChangeSet, FileChange, What};
use crate::edit::diff::draft_diff;
use crate::edit::excerpt::Excerpt;
use crate::edit::line_ends::LfView;
use crate::edit::locate::Rung;
use crate::edit::misstated::Misstated;
use crate::edit::nearest::nearest;
use crate::edit::parse::call::stated_in;
use crate::edit::plan::{Next, check_names, plan};
use crate::edit::text_file::TextFile;
use crate::edit::together::{Step, write_together};
use crate::protocol::diff::FileDiff;
use crate::protocol::profile::EditDialect;
use crate::protocol::review::Draft;
use crate::protocol::tool::{Action, Intent, ToolReport};
use crate::tools::bad_call::BadCall;
use crate::tools::blocking::cancelled;
use crate::tools::manifest::Manifest;
use crate::tools::refusal::{bad_edit, is_slip, plain_words, words};
use crate::tools::target::{draft, read_actions};
use crate::tools::{ToolBug, ToolContext};

/// Lines shown on each side of the place a change was probably meant for.
const MARGIN: usize = 8;
/// Files whose text is shown when none of them was read; the others are only named.
const MAX_SHOWN: usize = 4;

/// One file of a change, as it is and as it should become.
struct Job<'a> {
    change: &'a FileChange,
    target: Resolved,
    /// Where it goes, when it gets another name.
    to: Option<Resolved>,
    /// What is there.
    file: Option<TextFile>,
    /// What becomes of it; none where the model has not seen the file as it is.
    next: Option<Next>,
}

impl Job<'_> {
    fn name(&self) -> String {
        one_line_name(&self.target.display()).into_owned()
    }

    /// Returns what it writes, in the order it is written: a file under a new name comes before the old one goes.
    fn paths(&self) -> Vec<&Path> {
        match &self.next {
            None | Some(Next::Same { .. }) => Vec::new(),
            Some(_) => self.to.iter().chain([&self.target]).map(|target| target.absolute.as_path()).collect(),
        }
    }

    fn text(&self) -> Option<&str> {
        self.file.as_ref().map(|file| file.text.as_str())
    }
}

/// A refusal and the path, as the model wrote it, that it is about.
type Refusal = (String, EditError);

/// Works out a change. Touches nothing.
fn jobs<'a>(cx: &ToolContext, set: &'a ChangeSet) -> Result<Vec<Job<'a>>, Refusal> {
    let resolved = |path: &str| cx.workspace.resolve(path).absolute.display().to_string();
    let first = set.files.first().map(|change| change.path.clone()).unwrap_or_default();
    check_names(&set.files, resolved).map_err(|error| (first, error))?;
    set.files.iter().map(|change| job(cx, change).map_err(|error| (change.path.clone(), error))).collect()
}

fn job<'a>(cx: &ToolContext, change: &'a FileChange) -> Result<Job<'a>, EditError> {
    let target = cx.workspace.resolve(&change.path);
    let file = match TextFile::load(&target.absolute, &one_line_name(&target.display())) {
        Ok(file) => Some(file),
        Err(EditError::Missing { .. }) => None,
        Err(error) => return Err(error),
    };
    let to = match &change.what {
        What::Move { to, .. } => Some(cx.workspace.resolve(to)),
        _ => None,
    };
    let is_unseen = file.as_ref().is_some_and(|file| !is_seen(cx, &target, file));
    let mut job = Job { change, target, to, file, next: None };
    if is_unseen {
        return Ok(job);
    }
    let next = plan(change, job.text())?;
    check(&job, &next)?;
    job.next = Some(next);
    Ok(job)
}

/// Checks what only the disk can tell: that the file can be written back, and that the new name is free.
fn check(job: &Job<'_>, next: &Next) -> Result<(), EditError> {
    if let (Some(file), Next::Text { text, .. }) = (&job.file, next) {
        file.check_rewrite(text)?;
    }
    if let (Some(file), Next::Gone) = (&job.file, next) {
        file.check_rewrite(&file.text)?;
    }
    match &job.to {
        Some(to) => {
            let name = one_line_name(&to.display()).into_owned();
            match std::fs::symlink_metadata(&to.absolute) {
                Ok(meta) if meta.is_dir() => Err(EditError::NotAFile { name, kind: "a folder" }),
                Ok(_) => Err(Misstated::Exists { name }.into()),
                Err(_) => Ok(()),
            }
        }
        None => Ok(()),
    }
}

/// Says whether the model has seen the file as it is; in an empty one there is nothing to see.
fn is_seen(cx: &ToolContext, target: &Resolved, file: &TextFile) -> bool {
    file.text.is_empty() || cx.workspace.seen(&target.absolute).as_ref() == Some(&file.hash)
}

/// Says what a change would touch.
pub fn intent(cx: &ToolContext, set: &ChangeSet) -> Result<Intent, BadCall> {
    let jobs = match jobs(cx, set) {
        Ok(jobs) => jobs,
        Err((path, error)) if tells_only_known(cx, &path, &error) => {
            return Err(bad_edit(cx, &path, set.dialect, &error));
        }
        // What is wrong may not be told yet: the actions are judged, and `run` says it.
        Err(_) => return Ok(unplanned(cx, set)),
    };
    let mut intent = Intent { target: target_of(&jobs), dialect: Some(set.dialect), ..Intent::default() };
    for job in &jobs {
        if job.file.is_some() {
            intent.actions.extend(read_actions(cx, &job.target));
        }
    }
    // It will only be read: `run` shows the model what stands there. Nobody need approve that as a change.
    if jobs.iter().any(|job| job.next.is_none()) {
        return Ok(intent);
    }
    let writes = jobs.iter().flat_map(Job::paths).map(|path| Action::Write { path: path.to_path_buf() });
    intent.actions.extend(writes);
    intent.drafts.extend(jobs.iter().filter_map(draft_of));
    if let [Job { file, next: Some(Next::Text { text, .. }), to: None, .. }] = jobs.as_slice() {
        let new = || Some(crate::base::hash::of_bytes(text.as_bytes()));
        intent.promised = file.as_ref().map_or_else(new, |file| file.promise(text));
    }
    Ok(intent)
}

/// Says whether a refusal tells nothing of a file that the model has not read, or that lies outside.
fn tells_only_known(cx: &ToolContext, path: &str, error: &EditError) -> bool {
    match error {
        EditError::Misstated(_) | EditError::Same | EditError::Elided { .. } => true,
        EditError::Missing { .. } => cx.workspace.resolve(path).is_inside(),
        EditError::InPart { source, .. } => tells_only_known(cx, path, source),
        // Only a file that was read is searched and measured.
        other => is_slip(other),
    }
}

fn unplanned(cx: &ToolContext, set: &ChangeSet) -> Intent {
    let mut intent = Intent { dialect: Some(set.dialect), ..Intent::default() };
    let mut names = Vec::new();
    for change in &set.files {
        let target = cx.workspace.resolve(&change.path);
        let to = match &change.what {
            What::Move { to, .. } => Some(cx.workspace.resolve(to)),
            _ => None,
        };
        names.push(target.display());
        intent.actions.extend(read_actions(cx, &target));
        intent.actions.extend(to.into_iter().chain([target]).map(|target| Action::Write { path: target.absolute }));
    }
    intent.target = names.join(", ");
    intent
}

fn target_of(jobs: &[Job<'_>]) -> String {
    jobs.iter().map(Job::name).collect::<Vec<_>>().join(", ")
}

/// States what becomes of one file; none where nothing does.
fn draft_of(job: &Job<'_>) -> Option<Draft> {
    let before = job.text().map(str::to_owned);
    let after = match job.next.as_ref()? {
        Next::Text { text, .. } => Some(text.clone()),
        Next::Gone => None,
        Next::Same { .. } => return None,
    };
    Some(match &job.to {
        Some(to) => Draft { from: Some(job.target.display()), ..draft(to, before, after) },
        None => draft(&job.target, before, after),
    })
}

fn diff(job: &Job<'_>) -> Option<FileDiff> {
    draft_of(job).as_ref().map(draft_diff)
}

/// Reads the change that arguments state; what is wrong with it is said to the model.
pub fn stated(arguments: &Value) -> Result<ChangeSet, BadCall> {
    stated_in(arguments).map_err(|error| {
        let words = plain_words(&error);
        BadCall::Unfit { dialect: likely_dialect(arguments), words }
    })
}

/// Guesses the dialect of what could not be read, for the count of slips.
fn likely_dialect(arguments: &Value) -> EditDialect {
    let text = arguments.to_string();
    let signs = [
        ("*** ", EditDialect::Patch),
        (" SEARCH", EditDialect::Blocks),
        ("@@", EditDialect::UnifiedDiff),
        ("edits", EditDialect::MultiReplace),
    ];
    signs.iter().find(|(sign, _)| text.contains(sign)).map_or(EditDialect::Replace, |(_, dialect)| *dialect)
}

/// Makes a change on a thread of its own; it is waited for, because "cancelled" must not be said of one that still happens.
pub fn run_later<'a>(
    cx: &'a ToolContext,
    manifest: &'a Manifest,
    set: Result<ChangeSet, BadCall>,
) -> BoxFuture<'a, Result<ToolReport, ToolBug>> {
    Box::pin(async move {
        let set = match set {
            Ok(set) => set,
            Err(bad) => return Ok(ToolReport::failed(bad.to_string())),
        };
        if cx.cancel.is_cancelled() {
            return Ok(cancelled());
        }
        let own = cx.clone();
        let work = tokio::task::spawn_blocking(move || run(&own, &set));
        work.await.map_err(|source| ToolBug { tool: manifest.name.clone(), source: Box::new(source) })
    })
}

/// Makes a change.
fn run(cx: &ToolContext, set: &ChangeSet) -> ToolReport {
    let jobs = match jobs(cx, set) {
        Ok(jobs) => jobs,
        Err((path, error)) => return ToolReport::failed(words(cx, &path, &error)),
    };
    if jobs.iter().any(|job| job.next.is_none()) {
        return refuse_unseen(cx, &jobs);
    }
    let mut steps = Vec::new();
    for job in &jobs {
        steps.extend(steps_of(job));
    }
    match write_together(&cx.writer, &steps) {
        Ok(hashes) => {
            for (step, hash) in steps.iter().zip(hashes) {
                if !matches!(step, Step::Remove(_)) {
                    cx.workspace.note_read(step.path(), &hash);
                }
            }
            done(&jobs)
        }
        Err(error) => ToolReport::failed(words(cx, "", &error)),
    }
}

fn steps_of<'a>(job: &'a Job<'_>) -> Vec<Step<'a>> {
    let new = |target: &Resolved| (target.absolute.clone(), one_line_name(&target.display()).into_owned());
    match (&job.next, &job.file, &job.to) {
        (Some(Next::Text { text, .. }), Some(file), Some(to)) => {
            let (path, name) = new(to);
            vec![Step::Rename { file, path, name, text }, Step::Remove(file)]
        }
        (Some(Next::Text { text, .. }), Some(file), None) => vec![Step::Rewrite { file, text }],
        (Some(Next::Text { text, .. }), None, _) => {
            let (path, name) = new(&job.target);
            vec![Step::Create { path, name, text }]
        }
        (Some(Next::Gone), Some(file), _) => vec![Step::Remove(file)],
        _ => Vec::new(),
    }
}

/// Refuses to change what the model has not seen as it is, and shows it the places, so that the next try can succeed.
fn refuse_unseen(cx: &ToolContext, jobs: &[Job<'_>]) -> ToolReport {
    let mut text = String::new();
    for (at, job) in jobs.iter().filter(|job| job.next.is_none()).enumerate() {
        let Some(file) = &job.file else { continue };
        let why = match cx.workspace.seen(&job.target.absolute) {
            None => "has not been read in this session",
            Some(_) => "has changed since it was read",
        };
        if at < MAX_SHOWN {
            cx.workspace.note_read(&job.target.absolute, &file.hash);
            text.push_str(&format!("`{}` {why}. It reads now:\n{}", job.name(), place(&file.text, &job.change.what)));
        } else {
            text.push_str(&format!("`{}` {why}; read it with `read_file`.\n", job.name()));
        }
    }
    ToolReport::failed(format!(
        "{text}Nothing was changed. Check that the change still fits and make the same call again."
    ))
}

/// Cuts out the lines around the first place a change means: where it is, else what is like it, else the start.
fn place(text: &str, what: &What) -> Excerpt {
    let old = match what {
        What::Edit(edits) | What::Move { edits, .. } => edits.first().map_or("", |edit| edit.old.as_str()),
        _ => "",
    };
    let view = LfView::new(text);
    let at = if old.is_empty() { None } else { view.text().find(old) };
    let (first, n_lines) = match (at, nearest(text, old)) {
        (Some(at), _) => (view.text()[..at].lines().count().max(1), old.lines().count()),
        (None, Some(near)) => (near.first_line, near.lines.len()),
        (None, None) => (1, 2 * MARGIN),
    };
    Excerpt::around(text, first, first + n_lines, MARGIN)
}

fn done(jobs: &[Job<'_>]) -> ToolReport {
    let lines: Vec<String> = jobs.iter().map(said).collect();
    let diffs: Vec<FileDiff> = jobs.iter().filter_map(diff).collect();
    let sum = |side: fn(&FileDiff) -> usize| diffs.iter().map(side).sum::<usize>();
    let summary = match diffs.len() {
        0 => "already applied".to_owned(),
        1 => format!("+{} -{}", sum(|diff| diff.added), sum(|diff| diff.removed)),
        n => format!("{}, +{} -{}", count(n, "file"), sum(|diff| diff.added), sum(|diff| diff.removed)),
    };
    let mut report = ToolReport::ok(lines.join("\n"), summary);
    report.diffs = diffs;
    report
}

/// Says what was done to one file.
fn said(job: &Job<'_>) -> String {
    let name = job.name();
    let counts = diff(job).map_or_else(String::new, |diff| format!(" (+{} -{})", diff.added, diff.removed));
    match (&job.next, &job.to, &job.file) {
        (Some(Next::Gone), ..) => format!("deleted `{name}`"),
        (Some(Next::Text { text, .. }), _, None) => {
            format!("created `{name}` ({})", count(text.lines().count(), "line"))
        }
        (Some(Next::Text { rung, .. }), Some(to), _) => {
            format!("moved `{name}` to `{}`{counts}{}", to.display(), note(*rung))
        }
        (Some(Next::Text { lines, rung, .. }), None, _) => match lines.as_slice() {
            [] => format!("replaced `{name}`{counts}"),
            [line] => format!("edited `{name}` at line {line}{counts}{}", note(*rung)),
            several => format!("edited `{name}` in {}{counts}{}", count(several.len(), "place"), note(*rung)),
        },
        (Some(Next::Same { line: Some(line) }), ..) => {
            format!("`{name}` already has the new text, at line {line}; nothing was changed in it")
        }
        _ => format!("`{name}` already has this content; nothing was changed in it"),
    }
}

fn note(rung: Rung) -> String {
    rung.words().map_or_else(String::new, |words| format!("; {words}"))
}
