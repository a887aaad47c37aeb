//! What may a word after `@` mean that is no file?
//!
//! Sessions of this folder by id or title, the newest first; symbols as the index has them.

use crate::app::App;
use crate::base::text::first_line;
use crate::index::symbols::Symbol;
use crate::session::list::{Summary, summaries};
use crate::tui::fuzzy;
use crate::tui::state::choices::{Choice, Then};
use crate::tui::state::picks::PickKind;

/// Rows returned at most.
const MAX_ROWS: usize = 50;
/// Columns of a title.
const MAX_TITLE_CHARS: usize = 70;

/// Finds what fits; nothing where nothing does or the place cannot be read.
pub async fn find(app: &App, kind: PickKind, typed: &str) -> Vec<Choice> {
    match kind {
        PickKind::Session => {
            let (folder, root) = (app.dirs.sessions(), app.workspace.root().to_path_buf());
            let listed = tokio::task::spawn_blocking(move || summaries(&folder, Some(&root)).unwrap_or_default());
            sessions(&listed.await.unwrap_or_default(), typed)
        }
        PickKind::Symbol => {
            let found = app.symbols(typed, MAX_ROWS).await.unwrap_or_default();
            found.iter().map(symbol).collect()
        }
    }
}

/// Names like this one may be many: the place tells them apart, and is written with it.
fn symbol(symbol: &Symbol) -> Choice {
    let meaning = format!("{}, {}:{}", symbol.kind.word(), symbol.path, symbol.line);
    Choice::new(symbol.full_name(), meaning, Then::Write(format!("@symbol:{}:{}", symbol.path, symbol.full_name())))
}

fn sessions(all: &[Summary], typed: &str) -> Vec<Choice> {
    let titled: Vec<(&Summary, &str)> =
        all.iter().filter_map(|summary| Some((summary, summary.title.as_deref()?))).collect();
    let ranked = fuzzy::rank(typed, titled.iter().map(|(summary, title)| (*title, summary.short_id.as_str())));
    let row = |at: usize| {
        let (summary, title) = titled[at];
        let then = Then::Write(format!("@session:{}", summary.short_id));
        Choice::new(&summary.short_id, first_line(title, MAX_TITLE_CHARS), then)
    };
    ranked.into_iter().take(MAX_ROWS).map(row).collect()
}
