//! What does `mimi checkpoint` do?
//!
//! Lists what each call, check and undo changed in this workspace, compares, puts single files back, and makes room.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde::Serialize;

use crate::base::clock::{Clock as _, SystemClock, format_utc};
use crate::base::fault::{Fault, Kind};
use crate::base::path::resolve;
use crate::base::text::{count, first_line, size, visible};
use crate::checkpoint::keeper::Keeper;
use crate::checkpoint::node::{Delta, Node, are_alike};
use crate::checkpoint::prune::{self, Rules};
use crate::checkpoint::step::{About, Cause, Step, Steps};
use crate::checkpoint::store::{Shelf, Store, hash_now};
use crate::checkpoint::undo::{Left, look};
use crate::cli::context::Cx;
use crate::edit::diff::file_diff;
use crate::tui::look::Look;

/// Characters of a row that say what a call did.
const MAX_WHAT_CHARS: usize = 60;
/// Fewest characters of an id that are shown: those of UUIDv7 up to the millisecond.
const MIN_ID_CHARS: usize = 13;

/// List, show, compare, restore or prune files as they were before each call
#[derive(Debug, Clone, Args)]
pub struct CheckpointArgs {
    #[command(subcommand)]
    command: CheckpointCommand,
}

#[derive(Debug, Clone, Subcommand)]
enum CheckpointCommand {
    /// List what changed files in this workspace, the latest first
    List {
        /// Only of this session
        #[arg(long, value_name = "ID")]
        session: Option<String>,
        /// Print a JSON array
        #[arg(long)]
        json: bool,
    },
    /// Show which paths a call changed
    Show {
        /// Id of the checkpoint, or the beginning of it
        id: String,
        /// Print a JSON object
        #[arg(long)]
        json: bool,
    },
    /// Show what a call changed in them
    Diff {
        /// Id of the checkpoint, or the beginning of it
        id: String,
        /// Only these files or folders
        paths: Vec<PathBuf>,
        /// Print a JSON array
        #[arg(long)]
        json: bool,
    },
    /// Put files back as they were before a call
    Restore {
        /// Id of the checkpoint, or the beginning of it
        id: String,
        /// Only these files or folders
        paths: Vec<PathBuf>,
        /// Replace also what nobody has kept so far; it is kept then
        #[arg(long)]
        force: bool,
        /// Print a JSON object
        #[arg(long)]
        json: bool,
    },
    /// Delete what is too old or too much, as `checkpoint` in the configuration says
    Prune {
        /// Print a JSON object
        #[arg(long)]
        json: bool,
    },
}

/// Runs `mimi checkpoint ...`.
pub fn run(cx: &Cx, args: &CheckpointArgs) -> Result<(), Fault> {
    let store = Store::open(&cx.dirs.checkpoints())?;
    let steps = Steps::new(store.folder().join("steps"));
    match &args.command {
        CheckpointCommand::List { session, json } => list(cx, &steps, session.as_deref(), *json),
        CheckpointCommand::Show { id, json } => {
            let step = steps.find(id)?;
            if *json { print_json(cx, &step) } else { show(cx, &step) }
        }
        CheckpointCommand::Diff { id, paths, json } => {
            let step = steps.find(id)?;
            let deltas = chosen(cx, &step, paths)?;
            diff(cx, &store.shelf()?, &step, &deltas, *json)
        }
        CheckpointCommand::Restore { id, paths, force, json } => {
            let step = steps.find(id)?;
            let deltas = chosen(cx, &step, paths)?;
            let deltas = if *force { present(&deltas) } else { known(&steps, &step, &deltas) };
            restore(cx, &step, &deltas, *json)
        }
        CheckpointCommand::Prune { json } => {
            let app = cx.app()?;
            make_room(cx, &store, app.prune_rules(), *json)
        }
    }
}

fn print_json(cx: &Cx, value: &impl Serialize) -> Result<(), Fault> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|error| Fault::new(Kind::Bug, "cannot write it as JSON").cause(error.to_string()))?;
    cx.out.json(&text)
}

/// A row of the list.
#[derive(Serialize)]
struct Row<'s> {
    id: &'s str,
    session: &'s str,
    turn: u32,
    at_ms: u64,
    cause: Cause,
    what: &'s str,
    changed: usize,
    not_kept: usize,
}

fn row(step: &Step) -> Row<'_> {
    let Step { id, session, turn, at_ms, cause, what, deltas, skipped, .. } = step;
    let (turn, at_ms, cause) = (*turn, *at_ms, *cause);
    Row { id, session, turn, at_ms, cause, what, changed: deltas.len(), not_kept: skipped.len() }
}

fn list(cx: &Cx, steps: &Steps, session: Option<&str>, json: bool) -> Result<(), Fault> {
    let mut found = steps.in_workspace(&cx.workspace_root);
    found.retain(|step| session.is_none_or(|session| step.session.starts_with(session)));
    found.reverse();
    if json {
        return print_json(cx, &found.iter().map(row).collect::<Vec<_>>());
    }
    if found.is_empty() {
        cx.out.note("Nothing has been changed here that is still kept.");
    }
    let width = id_width(&found);
    let now_ms = SystemClock.now_ms();
    for step in &found {
        let id: String = step.id.chars().take(width).collect();
        let age = age(now_ms.saturating_sub(step.at_ms));
        let paths = count(step.deltas.len(), "path");
        let what = first_line(&visible(&step.what), MAX_WHAT_CHARS);
        cx.out.line(format!("{id}  {age:>11}  turn {:<3}  {:<7}  {paths:>9}  {what}", step.turn, step.cause.name()))?;
    }
    Ok(())
}

/// Returns how many characters tell all ids apart.
fn id_width(found: &[Step]) -> usize {
    let mut ids: Vec<&str> = found.iter().map(|step| step.id.as_str()).collect();
    ids.sort_unstable();
    let shared = |pair: &[&str]| pair[0].chars().zip(pair[1].chars()).take_while(|(a, b)| a == b).count();
    ids.windows(2).map(|pair| shared(pair) + 1).max().unwrap_or_default().max(MIN_ID_CHARS)
}

fn age(passed_ms: u64) -> String {
    match passed_ms / 60_000 {
        0 => "just now".to_owned(),
        minutes @ 1..60 => format!("{minutes} min ago"),
        minutes @ 60..1440 => format!("{} h ago", minutes / 60),
        minutes => format!("{} d ago", minutes / 1440),
    }
}

pub fn shown(step: &Step, path: &Path) -> String {
    visible(&path.strip_prefix(&step.workspace).unwrap_or(path).display().to_string()).replace('\n', "\\n")
}

fn show(cx: &Cx, step: &Step) -> Result<(), Fault> {
    cx.out.line(format!("checkpoint {}", step.id))?;
    cx.out.line(format!("session    {}, turn {}", visible(&step.session), step.turn))?;
    cx.out.line(format!("time       {}", format_utc(step.at_ms)))?;
    cx.out.line(format!("{:<10} {}", step.cause.name(), visible(&first_line(&step.what, 200))))?;
    for delta in &step.deltas {
        cx.out.line(format!("  {}  {}", mark(delta), shown(step, &delta.path)))?;
    }
    for skipped in &step.skipped {
        cx.out.line(format!("  ?  {} (not kept: {})", shown(step, &skipped.path), visible(&skipped.why)))?;
    }
    if step.has_moved_git {
        cx.out.line("  ?  .git (what git recorded is not kept: commits, branches, the stash)")?;
    }
    Ok(())
}

/// Says in a letter what became of a path: added, deleted, changed, of another kind, with other permissions.
pub fn mark(delta: &Delta) -> char {
    match (&delta.before, &delta.after) {
        (None, _) => 'A',
        (_, None) => 'D',
        (Some(before), Some(after)) if before.is_like(after) => 'P',
        (Some(before), Some(after)) if std::mem::discriminant(before) == std::mem::discriminant(after) => 'M',
        _ => 'T',
    }
}

/// Resolves a path somebody named, without following a link it may be itself.
fn named(root: &Path, path: &Path) -> PathBuf {
    match (path.parent(), path.file_name()) {
        (Some(parent), Some(name)) => resolve(root, parent).absolute.join(name),
        _ => resolve(root, path).absolute,
    }
}

/// Returns what a step did to the paths that were named, or to all.
fn chosen(cx: &Cx, step: &Step, paths: &[PathBuf]) -> Result<Vec<Delta>, Fault> {
    let mut chosen = Vec::new();
    for path in paths {
        let absolute = named(&cx.workspace_root, path);
        let before = chosen.len();
        chosen.extend(step.deltas.iter().filter(|delta| delta.path.starts_with(&absolute)).cloned());
        if chosen.len() == before {
            let name = visible(&path.display().to_string()).into_owned();
            return Err(Fault::new(Kind::Usage, format!("checkpoint {} did not change `{name}`", step.id))
                .hint(format!("mimi checkpoint show {}", step.id)));
        }
    }
    Ok(if paths.is_empty() { step.deltas.clone() } else { chosen })
}

fn diff(cx: &Cx, shelf: &Shelf<'_>, step: &Step, deltas: &[Delta], json: bool) -> Result<(), Fault> {
    let mut diffs = Vec::new();
    for delta in deltas {
        let name = shown(step, &delta.path);
        let path = &delta.path;
        match (text(shelf, path, delta.before.as_ref())?, text(shelf, path, delta.after.as_ref())?) {
            (Some(before), Some(after)) if before != after => {
                diffs.push(file_diff(&name, before.as_deref(), after.as_deref()));
            }
            _ if json => {}
            (Some(_), Some(_)) => cx.out.line(format!("{} {name}", mark(delta)))?,
            _ => cx.out.line(format!("{} {name} (no text)", mark(delta)))?,
        }
    }
    if json {
        return print_json(cx, &diffs);
    }
    for line in diffs.iter().flat_map(|diff| diff.unified.lines()) {
        let style = match line.as_bytes().first() {
            Some(b'+') => Look::Good,
            Some(b'-') => Look::Bad,
            Some(b'@') => Look::Dim,
            _ => Look::Plain,
        };
        cx.out.styled(style, visible(line))?;
    }
    Ok(())
}

/// Returns the text of a file as a step found or left it; an inner none where there is no file, an outer one where it is no text.
/// What an edit leaves is kept only once something else replaces it: until then it is the file itself.
pub fn text(shelf: &Shelf<'_>, path: &Path, node: Option<&Node>) -> Result<Option<Option<String>>, Fault> {
    let Some(hash) = node.and_then(Node::hash) else { return Ok(Some(None)) };
    let bytes = match shelf.load(hash) {
        Ok(bytes) => bytes,
        Err(error) => match hash_now(path) {
            Ok(Some(now)) if now == hash => std::fs::read(path).map_err(|_| error)?,
            _ => return Err(error.into()),
        },
    };
    Ok(String::from_utf8(bytes).ok().filter(|text| !text.contains('\0')).map(Some))
}

/// Takes what is there now to be what the step left, where that is kept anyway: every state some later step found or left.
pub fn known(steps: &Steps, step: &Step, deltas: &[Delta]) -> Vec<Delta> {
    let later: Vec<Step> =
        steps.in_workspace(&step.workspace).into_iter().filter(|other| other.id >= step.id).collect();
    let is_known = |path: &Path, now: Option<&Node>| {
        let states = later.iter().flat_map(|step| &step.deltas).filter(|delta| delta.path == path);
        states.into_iter().any(|delta| are_alike(delta.before.as_ref(), now) || are_alike(delta.after.as_ref(), now))
    };
    let take = |delta: &Delta| match look(&delta.path) {
        Ok(now) if is_known(&delta.path, now.as_ref()) => Delta { after: now, ..delta.clone() },
        _ => delta.clone(),
    };
    deltas.iter().map(take).collect()
}

/// Takes what is there now to be what the step left.
fn present(deltas: &[Delta]) -> Vec<Delta> {
    let take = |delta: &Delta| match look(&delta.path) {
        Ok(now) => Delta { after: now, ..delta.clone() },
        Err(_) => delta.clone(),
    };
    deltas.iter().map(take).collect()
}

/// What became of the paths.
#[derive(Serialize)]
struct Restored {
    checkpoint: String,
    restored: Vec<String>,
    conflicts: Vec<String>,
}

/// Puts paths back as they were before a step; returns what that changed, and which paths were restored and left alone.
pub fn put_back(keeper: &Keeper, step: &Step, deltas: &[Delta]) -> Result<(Step, Vec<String>, Vec<String>), Fault> {
    let about =
        About { turn: step.turn, call: None, cause: Cause::Restore, what: format!("restore before {}", step.id) };
    let (done, report) = keeper.take_back(about, deltas)?;
    keeper.settle(&done.id);
    let restored = report.restored.iter().map(|path| shown(step, path)).collect();
    let conflict = |left: &Left| format!("{}: {left}", shown(step, &left.path));
    let conflicts = report.left.iter().map(conflict).collect();
    Ok((done, restored, conflicts))
}

fn restore(cx: &Cx, step: &Step, deltas: &[Delta], json: bool) -> Result<(), Fault> {
    let app = cx.app()?;
    let keeper = app.keeper_of(&step.session, &step.workspace)?;
    let (done, restored, conflicts) = put_back(&keeper, step, deltas)?;
    let n_left = conflicts.len();
    if json {
        print_json(cx, &Restored { checkpoint: done.id, restored, conflicts })?;
    } else {
        restored.iter().try_for_each(|path| cx.out.line(format!("restored {path}")))?;
        for conflict in &conflicts {
            cx.out.styled(Look::Notice, format!("! left alone: {}", visible(conflict)))?;
        }
        if !done.deltas.is_empty() {
            cx.out.note_styled(Look::Dim, format!("to go back: mimi checkpoint restore {}", done.id));
        }
    }
    match n_left {
        0 => Ok(()),
        n => Err(Fault::new(Kind::Task, format!("{} left alone", count(n, "path"))).hint(format!(
            "replace them all the same, keeping what is there: mimi checkpoint restore --force {}",
            step.id
        ))),
    }
}

fn make_room(cx: &Cx, store: &Store, rules: Rules, json: bool) -> Result<(), Fault> {
    let pruned = prune::prune(store, rules)?;
    if json {
        return print_json(cx, &pruned);
    }
    let (contents, freed) = (count(pruned.contents, "content"), size(pruned.freed_bytes));
    let (kept, place) = (size(pruned.kept_bytes), store.folder().display().to_string());
    cx.out.line(format!("deleted {contents}, {freed}; {kept} stay in {}", visible(&place)))
}
