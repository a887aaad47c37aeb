//! How does a person take only some of what `mimi fix` changed?
//!
//! On a terminal, piece by piece; what they leave goes back, what they rewrite is written, and the checks run once more where
//! anything was left or rewritten. What is no text stays as it is. Part of `fix`.

use std::io::IsTerminal as _;

use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::base::fault::{Fault, Kind};
use crate::base::hash;
use crate::base::text::{count, visible};
use crate::checkpoint::node::{Delta, Node};
use crate::checkpoint::step::{About, Cause};
use crate::checkpoint::store::Store;
use crate::cli::commands::pieces::Walk;
use crate::cli::context::{Cx, block_on};
use crate::cli::prompt::Prompt;
use crate::cli::render::{Channel, Lines};
use crate::cli::signal::Signals;
use crate::edit::diff::file_diff;
use crate::edit::review::text_after;
use crate::protocol::diff::FileDiff;
use crate::protocol::fix_report::{Step, What};
use crate::protocol::review::{HunkAnswer, Ruling};
use crate::strategy::fix::{Job, Outcome};
use crate::strategy::runner::{self, Check, CheckRun};
use crate::tui::look::Look;

/// A text file that was changed.
struct Text {
    /// Which of the changes.
    at: usize,
    before: Option<String>,
    after: Option<String>,
    diff: FileDiff,
}

/// What the person made of the changes.
pub(super) struct Reviewed {
    /// What it was, for the report.
    pub(super) step: Step,
    /// The checks, run once more; none where all was taken.
    pub(super) runs: Vec<CheckRun>,
}

/// Fails where nobody can be asked.
pub(super) fn need_terminal() -> Result<(), Fault> {
    if std::io::stdin().is_terminal() && std::io::stdout().is_terminal() {
        return Ok(());
    }
    Err(Fault::new(Kind::Usage, "`--review` needs a terminal to ask on")
        .hint("look at the patch instead: mimi fix --dry-run --patch FILE"))
}

/// Asks about each piece and brings the folder to what was said. The changes of `outcome` are those that are left.
pub(super) fn review(cx: &Cx, app: &App, job: &Job, outcome: &mut Outcome) -> Result<Reviewed, Fault> {
    let started = std::time::Instant::now();
    let store = Store::open(&app.dirs.checkpoints())?;
    let texts = texts(&store, app, &outcome.changes)?;
    let n_other = outcome.changes.len() - texts.len();
    if n_other > 0 {
        cx.out.styled(Look::Notice, format!("{} that are no text stay as they are", count(n_other, "change")))?;
    }
    let diffs: Vec<&FileDiff> = texts.iter().map(|text| &text.diff).collect();
    let answers = block_on(async {
        let (mut lines, mut prompt) =
            (Lines::new(&cx.out, Channel::Conversation), Prompt::new(&cx.dirs.history_file())?);
        let mut signals = Signals::listen()?;
        Walk { cx, lines: &mut lines, prompt: &mut prompt, signals: &mut signals }.all(&diffs).await
    })?;
    let answers =
        answers.ok_or_else(|| Fault::new(Kind::Interrupted, "interrupted; everything stays as it was changed"))?;
    let is = |wanted: fn(&Ruling) -> bool| answers.iter().filter(|answer| wanted(&answer.ruling)).count();
    let (taken, left) = (is(|r| matches!(r, Ruling::Take)), is(|r| matches!(r, Ruling::Leave { .. })));
    let edited = answers.len() - taken - left;
    let mut runs = Vec::new();
    if left + edited > 0 {
        bring_about(cx, app, &store, (&texts, &answers), &mut outcome.changes)?;
        runs = checks(cx, app, job)?;
    }
    let what = What::Review { taken, left, edited };
    Ok(Reviewed { step: Step { what, duration_ms: started.elapsed().as_millis() as u64 }, runs })
}

/// Reads the changes that are of text.
fn texts(store: &Store, app: &App, changes: &[Delta]) -> Result<Vec<Text>, Fault> {
    let shelf = store.shelf()?;
    let side = |node: Option<&Node>| -> Result<Option<Option<String>>, Fault> {
        let Some(node) = node else { return Ok(Some(None)) };
        let Some(hash) = node.hash() else { return Ok(None) };
        Ok(String::from_utf8(shelf.load(hash)?).ok().filter(|text| !text.contains('\0')).map(Some))
    };
    let mut texts = Vec::new();
    for (at, delta) in changes.iter().enumerate() {
        let (Some(before), Some(after)) = (side(delta.before.as_ref())?, side(delta.after.as_ref())?) else { continue };
        let name = delta.path.strip_prefix(app.workspace.root()).unwrap_or(&delta.path).display().to_string();
        let diff = file_diff(&name, before.as_deref(), after.as_deref());
        if !diff.hunks.is_empty() {
            texts.push(Text { at, before, after, diff });
        }
    }
    Ok(texts)
}

/// Makes of each file what was said of its pieces.
fn bring_about(
    cx: &Cx,
    app: &App,
    store: &Store,
    (texts, answers): (&[Text], &[HunkAnswer]),
    changes: &mut Vec<Delta>,
) -> Result<(), Fault> {
    let mut back = Vec::new();
    for text in texts {
        let ruling = |hunk: &crate::protocol::diff::Hunk| {
            let said = answers.iter().find(|answer| answer.path == text.diff.path && answer.hunk == hunk.id);
            said.map_or(Ruling::Take, |answer| answer.ruling.clone())
        };
        let (before, after) = (text.before.as_deref().unwrap_or_default(), text.after.as_deref().unwrap_or_default());
        let wanted = text_after(before, after, &text.diff.hunks, ruling);
        if wanted == after {
            continue;
        }
        let change = &mut changes[text.at];
        let target = if wanted == before { change.before.clone() } else { Some(written(store, &wanted, change)?) };
        back.push(Delta { path: change.path.clone(), before: target.clone(), after: change.after.clone() });
        change.after = target;
    }
    changes.retain(|change| change.before != change.after);
    let Some(keeper) = app.keeper_of_checks() else { return Ok(()) };
    let about = About { turn: 0, call: None, cause: Cause::Restore, what: "mimi fix --review".to_owned() };
    let (step, done) = keeper.take_back(about, &back)?;
    keeper.settle(&step.id);
    for left in &done.left {
        cx.out.styled(Look::Notice, visible(&format!("! left alone: {}: {left}", left.path.display())))?;
    }
    Ok(())
}

/// Keeps a text as what a file is to be.
fn written(store: &Store, text: &str, change: &Delta) -> Result<Node, Fault> {
    let mode = change.after.as_ref().or(change.before.as_ref()).and_then(Node::mode);
    Ok(Node::File { hash: hash::to_hex(&store.put(text.as_bytes())?), mode })
}

/// Runs the checks once more.
fn checks(cx: &Cx, app: &App, job: &Job) -> Result<Vec<CheckRun>, Fault> {
    block_on(async {
        let mut signals = Signals::listen()?;
        let cancel = CancellationToken::new();
        let mut runs = Vec::new();
        for check in &job.checks {
            let folder = job.folder_of(check);
            let command = check.spec.command.as_str();
            cx.out.busy(&format!("running {}", visible(command)));
            let now = Check {
                command,
                folder: &folder,
                limit_s: job.timeout_s,
                spill_dir: &job.spill_dir,
                reports: &check.reports,
            };
            let run = tokio::select! {
                run = runner::run(&app.runner, &now, cancel.child_token()) => run?,
                stop = signals.next() => return Err(stop.fault()),
            };
            cx.out.idle();
            let (style, word) = if run.is_green { (Look::Good, "passes") } else { (Look::Bad, "fails") };
            cx.out.styled(style, format!("check `{}` {word} after your review", visible(command)))?;
            runs.push(run);
        }
        Ok(runs)
    })
}
