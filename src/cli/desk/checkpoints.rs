//! Which states of the files are kept, and how does one come back?

use std::path::Path;

use crate::app::App;
use crate::base::clock::{Clock as _, SystemClock};
use crate::base::fault::Fault;
use crate::base::text::{count, first_line};
use crate::checkpoint::step::{Step, Steps};
use crate::checkpoint::store::Store;
use crate::cli::commands::checkpoint::{known, mark, put_back, shown, text};
use crate::cli::desk::{age, apart};
use crate::edit::diff::file_diff;
use crate::tui::diff_view::{self, Spans};
use crate::tui::look::Look;
use crate::tui::state::around::Told;
use crate::tui::state::around::board::Row;

/// Characters of a row that say what a call did.
const MAX_WHAT_CHARS: usize = 60;
/// Files of a step whose change is laid out.
const MAX_FILES: usize = 50;
/// Columns a change is laid out for.
const COLUMNS: usize = 100;
/// Bytes of a file beyond which its change is only named.
const MAX_BYTES: usize = 1 << 20;

fn steps(folder: &Path) -> Result<(Store, Steps), Fault> {
    let store = Store::open(folder)?;
    let steps = Steps::new(store.folder().join("steps"));
    Ok((store, steps))
}

/// Returns what changed files in a session, the latest first.
pub(super) fn rows(folder: &Path, workspace: &Path, session: &str) -> Result<Vec<Row>, Fault> {
    let (_, steps) = steps(folder)?;
    let now_ms = SystemClock.now_ms();
    let mut found = steps.in_workspace(workspace);
    found.retain(|step| step.session == session);
    let row = |step: &Step| Row {
        id: step.id.clone(),
        label: format!("turn {}: {}", step.turn, first_line(&step.what, MAX_WHAT_CHARS)),
        meaning: format!("{}, {}", count(step.deltas.len(), "path"), age(now_ms, step.at_ms)),
        more: String::new(),
    };
    Ok(found.iter().rev().map(row).collect())
}

/// Returns what a step changed.
pub(super) fn beside(folder: &Path, id: &str) -> Result<Vec<Spans>, Fault> {
    let (store, steps) = steps(folder)?;
    let (step, shelf) = (steps.find(id)?, store.shelf()?);
    let mut lines = Vec::new();
    for delta in step.deltas.iter().take(MAX_FILES) {
        let name = shown(&step, &delta.path);
        lines.push(vec![(Look::Bold, format!("{} {name}", mark(delta)))]);
        let path = &delta.path;
        let both = (text(&shelf, path, delta.before.as_ref()), text(&shelf, path, delta.after.as_ref()));
        let (Ok(before), Ok(after)) = both else {
            lines.push(vec![(Look::Dim, "    what it was like is not kept any more".to_owned())]);
            continue;
        };
        if let (Some(before), Some(after)) = (before, after) {
            let is_large =
                [&before, &after].iter().any(|text| text.as_ref().is_some_and(|text| text.len() > MAX_BYTES));
            match is_large {
                true => lines.push(vec![(Look::Dim, "    too large to be shown here".to_owned())]),
                false if before == after => {}
                false => {
                    let diff = file_diff(&name, before.as_deref(), after.as_deref());
                    lines.extend(diff_view::view(&diff, Some(COLUMNS)));
                }
            }
        }
    }
    let n_more = step.deltas.len().saturating_sub(MAX_FILES);
    if n_more > 0 {
        lines.push(vec![(Look::Dim, format!("and {} more", count(n_more, "path")))]);
    }
    let left =
        step.skipped.iter().map(|left| vec![(Look::Notice, format!("? {} ({})", shown(&step, &left.path), left.why))]);
    lines.extend(left);
    Ok(lines)
}

/// Puts files back as they were before a step. What is there now is kept, and what nobody has kept so far is left alone.
pub(super) async fn restored(app: &App, id: String) -> Result<Told, Fault> {
    let folder = app.dirs.checkpoints();
    let (step, deltas) = apart(move || {
        let (_, steps) = steps(&folder)?;
        let step = steps.find(&id)?;
        let deltas = known(&steps, &step, &step.deltas);
        Ok((step, deltas))
    })
    .await?;
    let keeper = app.keeper_of(&step.session, &step.workspace)?;
    let (_, restored, left) = apart(move || put_back(&keeper, &step, &deltas)).await?;
    let mut words = format!("{} put back", count(restored.len(), "path"));
    if let Some(first) = left.first() {
        words.push_str(&format!("; {} left alone: {first}", count(left.len(), "path")));
    }
    Ok(Told::Done { words })
}
