//! Where does the conversation go on, and what is remembered from one time to the next?

use crate::app::{AgentOptions, App, Session};
use crate::base::fault::Fault;
use crate::base::path::{PRIVATE_FILE, create_private_dir, write_atomic};
use crate::config::dirs::Dirs;
use crate::tui::state::around::Next;
use crate::tui::state::around::level::Kept;

/// Starts what comes next.
pub async fn next_session(app: &App, next: &Next, options: AgentOptions) -> Result<Session, Fault> {
    match next {
        Next::New => app.start(options).await,
        Next::Session(id) => app.resume(id, options).await,
    }
}

fn place(dirs: &Dirs) -> std::path::PathBuf {
    dirs.state.join("screen.json")
}

/// Returns how much was on the screen last; the simplest where nothing is kept or can be read.
pub fn kept(dirs: &Dirs) -> Kept {
    let text = std::fs::read(place(dirs)).unwrap_or_default();
    serde_json::from_slice(&text).unwrap_or_default()
}

/// Keeps how much is on the screen. A convenience: failing to keep it is no error.
pub(super) fn keep(dirs: &Dirs, kept: Kept) {
    let Ok(text) = serde_json::to_vec(&kept) else { return };
    drop(create_private_dir(&dirs.state));
    drop(write_atomic(&place(dirs), &text, PRIVATE_FILE));
}
