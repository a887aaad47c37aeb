//! How does the model's server stand, in a few lines beside the conversation?

use crate::app::App;
use crate::cli::commands::status::facts_of;
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
    lines
}
