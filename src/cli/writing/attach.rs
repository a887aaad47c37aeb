//! What does the screen get for what words mention?

use crate::app::App;
use crate::protocol::fix_report::CheckKind;
use crate::strategy::detect;
use crate::tui::state::outside::Given;

/// Finds what words mention.
pub async fn gather(app: &App, text: &str, model: &str) -> Given {
    match app.gather(text, Some(model).filter(|model| !model.is_empty())).await {
        Ok(gathered) => Given::Attached { attached: gathered.attached, trouble: gathered.trouble },
        Err(fault) => Given::Refused(fault.words()),
    }
}

/// Finds the command that runs the tests of the project; only what can run here is offered.
pub async fn tests(app: &App, path: &str) -> Given {
    let (root, path) = (app.workspace.root().to_path_buf(), path.to_owned());
    let found = tokio::task::spawn_blocking(move || {
        let detected = detect::detect(&root, &path).ok()?;
        let of_root = detected.of_kind(CheckKind::Test).into_iter().find(|found| found.missing.is_none());
        of_root.filter(|found| found.root == root).map(|found| found.command.clone())
    });
    Given::Tests(found.await.ok().flatten())
}
