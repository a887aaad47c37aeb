//! What is done beside the full screen when it asks for something around the conversation?
//!
//! One file a job. Each answers with what is told ([`Told`]), and never holds up the screen: whatever touches the disk runs on a
//! thread of its own, and keys are taken meanwhile. Must not decide what is shown; that is `tui::state::around`.
//! To add an answer: a variant of `Ask` and `Told` there, an arm here.

mod checkpoints;
mod context;
mod files;
pub mod history;
mod line;
mod onward;
mod server;
pub mod sessions;

pub use onward::{kept, next_session};

use std::cell::Cell;
use std::path::PathBuf;
use std::time::Duration;

use crate::app::App;
use crate::base::fault::Fault;
use crate::base::text::visible;
use crate::model::route::Route;
use crate::tui::state::around::board::Kind;
use crate::tui::state::around::{Ask, Told};
use crate::tui::state::outside::Given;
use crate::workspace::git::head_branch;

/// What is known here of the conversation that is on the screen.
pub struct Desk<'a> {
    /// Everything put together.
    pub app: &'a App,
    /// Names the session.
    pub session: String,
    /// Which model, where.
    pub route: Route,
    /// When the user's command ran last, in milliseconds since the Unix epoch.
    pub lined_at: Cell<u64>,
}

impl Desk<'_> {
    /// Finds or does what is asked.
    pub async fn answer(&self, ask: Ask) -> Given {
        let (root, folder) = (self.app.workspace.root().to_path_buf(), self.app.dirs.sessions());
        let told = match ask {
            Ask::Rows { kind, words } => self.rows(kind, words).await,
            Ask::Beside { kind, id } => self.beside(kind, id).await,
            Ask::Fork { id, turn } => apart(move || sessions::forked(&folder, &id, turn)).await,
            Ask::Rename { id, title } => apart(move || sessions::renamed(&folder, &id, &title)).await,
            Ask::Export { id, path } => apart(move || sessions::exported(&folder, &root, &id, &path)).await,
            Ask::Delete { id } => {
                let dirs = self.app.dirs.clone();
                apart(move || sessions::deleted(&dirs, &id)).await
            }
            Ask::Restore { id } => checkpoints::restored(self.app, id).await,
            Ask::Open { path, line } => apart(move || files::opened(&root, &path, line)).await,
            Ask::Keep(kept) => {
                let dirs = self.app.dirs.clone();
                apart(move || {
                    onward::keep(&dirs, kept);
                    Ok(Told::Nothing)
                })
                .await
            }
            Ask::Branch => apart(move || Ok(Told::Branch(head_branch(&root)))).await,
            Ask::Server { after_ms } => {
                tokio::time::sleep(Duration::from_millis(after_ms)).await;
                Ok(Told::Server(server::lines(self.app).await))
            }
            Ask::Line { facts } => Ok(Told::Line(line::said(self, &facts).await)),
        };
        match told {
            Ok(told) => Given::Around(told),
            Err(fault) => Given::Failed(visible(&fault.words()).into_owned()),
        }
    }

    async fn rows(&self, kind: Kind, words: String) -> Result<Told, Fault> {
        let (root, folder) = (self.app.workspace.root().to_path_buf(), self.app.dirs.sessions());
        let of = words.clone();
        let rows = match kind {
            Kind::Sessions => apart(move || sessions::rows(&folder, &root, &of)).await?,
            Kind::Checkpoints => {
                let (folder, session) = (self.app.dirs.checkpoints(), self.session.clone());
                apart(move || checkpoints::rows(&folder, &root, &session)).await?
            }
            Kind::Context => {
                let of = self.window();
                apart(move || context::rows(&of)).await?
            }
            // Those are in the transcript.
            Kind::Made | Kind::Running => Vec::new(),
        };
        Ok(Told::Rows { kind, words, rows })
    }

    async fn beside(&self, kind: Kind, id: String) -> Result<Told, Fault> {
        let folder: PathBuf = self.app.dirs.sessions();
        let of = id.clone();
        let lines = match kind {
            Kind::Sessions => apart(move || sessions::beside(&folder, &of)).await?,
            Kind::Checkpoints => {
                let folder = self.app.dirs.checkpoints();
                apart(move || checkpoints::beside(&folder, &of)).await?
            }
            Kind::Context => {
                let window = self.window();
                apart(move || context::beside(&window, &of)).await?
            }
            Kind::Made | Kind::Running => Vec::new(),
        };
        Ok(Told::Beside { kind, id, lines })
    }

    /// What has to be known to look into the window, for another thread.
    fn window(&self) -> context::Of {
        context::Of { folder: self.app.dirs.sessions(), session: self.session.clone(), route: self.route.clone() }
    }
}

/// Runs work with the disk on a thread of its own.
async fn apart<T: Send + 'static>(work: impl FnOnce() -> Result<T, Fault> + Send + 'static) -> Result<T, Fault> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| {
        Err(Fault::new(crate::base::fault::Kind::Bug, "it was not finished").cause(error.to_string()))
    })
}

/// Says how long ago something was.
fn age(now_ms: u64, at_ms: u64) -> String {
    match now_ms.saturating_sub(at_ms) / 60_000 {
        0 => "just now".to_owned(),
        minutes @ 1..60 => format!("{minutes} min ago"),
        minutes @ 60..1440 => format!("{} h ago", minutes / 60),
        minutes => format!("{} d ago", minutes / 1440),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tools::registry::Registry;
    use crate::tui::state::around::made::SEARCHES;

    #[test]
    fn what_counts_as_a_search_is_a_tool_there_is() {
        let registry = Registry::new();
        let missing: Vec<_> = SEARCHES.iter().filter(|name| registry.get(name).is_none()).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }

    #[test]
    fn how_long_ago_something_was_is_said_in_a_word_or_two() {
        let table = [(0, "just now"), (61_000, "1 min ago"), (7_200_000, "2 h ago"), (200_000_000, "2 d ago")];
        for (passed_ms, expected) in table {
            assert_eq!(age(passed_ms, 0), expected);
        }
    }
}
