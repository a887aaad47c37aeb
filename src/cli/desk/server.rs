//! How do the model's server and the index of the project stand, in a few lines beside the conversation?

use crate::app::App;
use crate::base::fault::Fault;
use crate::base::text::{count, size};
use crate::cli::commands::status::facts_of;
use crate::cli::desk::apart;
use crate::index::engine::{Index, Status};
use crate::tui::diff_view::Spans;
use crate::tui::look::Look;

/// Asks the servers and says what they say.
pub(super) async fn lines(app: &App) -> Vec<Spans> {
    let status = app.gateway.status().await;
    let mut lines = Vec::new();
    for server in status.servers.iter().filter(|server| server.is_named || server.facts.is_some()) {
        let (title, rows) = facts_of(server);
        lines.push(vec![(Look::Bold, title)]);
        lines.extend(
            rows.into_iter().map(|(label, text)| vec![(Look::Dim, format!("{label:<7}")), (Look::Plain, text)]),
        );
        if let Some(problem) = &server.problem {
            lines.push(vec![(Look::Notice, problem.clone())]);
        }
    }
    if lines.is_empty() {
        lines.push(vec![(Look::Notice, "no server answers".to_owned())]);
    }
    let (cache, root) = (app.dirs.cache.clone(), app.workspace.root().to_path_buf());
    let status = apart(move || Ok(Index::of(&cache, &root)?.status()?)).await;
    lines.push(vec![(Look::Bold, "index".to_owned())]);
    lines.push(index(status));
    lines
}

/// Says what is in the index: without one, how it comes about.
fn index(status: Result<Option<Status>, Fault>) -> Spans {
    match status {
        Ok(Some(status)) => {
            let (files, pieces) = (count(status.n_files as usize, "file"), count(status.n_chunks as usize, "piece"));
            let graph = count(status.n_definitions as usize, "definition");
            vec![(Look::Plain, format!("{files}, {pieces}, {graph} in the graph, {}", size(status.bytes)))]
        }
        Ok(None) => vec![(Look::Dim, "none yet: mimi index, or the first search".to_owned())],
        Err(fault) => vec![(Look::Notice, fault.line())],
    }
}
