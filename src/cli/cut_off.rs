//! Which session did a lost terminal end?
//!
//! Noted when a conversation is told to end or its terminal goes away, so that `mimi` alone offers to go on with it. Looked at once:
//! whoever says no is not asked again. The session itself needs none of this; it is kept either way.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use serde::{Deserialize, Serialize};

use crate::base::clock::{Clock as _, SystemClock, format_duration};
use crate::base::fault::Fault;
use crate::base::path::{PRIVATE_FILE, create_private_dir, remove_file, write_atomic};
use crate::base::text::visible;
use crate::cli::context::Cx;
use crate::cli::prompt::{Key, forget_typed, read_key};
use crate::config::dirs::Dirs;
use crate::session::list;

/// After this time nobody is asked any more, in milliseconds: a week.
const MAX_AGE_MS: u64 = 7 * 24 * 60 * 60 * 1000;

/// A session that was cut off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct CutOff {
    session: String,
    #[serde(with = "crate::protocol::path")]
    workspace: PathBuf,
    at_ms: u64,
}

fn place(dirs: &Dirs) -> PathBuf {
    dirs.state.join("cut-off.json")
}

/// Notes that a session was cut off. A convenience: failing to note it is no error.
pub fn note(dirs: &Dirs, session: &str, workspace: &Path) {
    let (session, workspace) = (session.to_owned(), workspace.to_path_buf());
    let cut = CutOff { session, workspace, at_ms: SystemClock.now_ms() };
    let Ok(text) = serde_json::to_vec(&cut) else { return };
    drop(create_private_dir(&dirs.state));
    drop(write_atomic(&place(dirs), &text, PRIVATE_FILE));
}

/// Returns the session of this folder that was cut off and is still there, and forgets the note.
fn taken(dirs: &Dirs, workspace: &Path) -> Option<(CutOff, String)> {
    let text = std::fs::read(place(dirs)).ok()?;
    let cut: CutOff = serde_json::from_slice(&text).ok()?;
    if cut.workspace != workspace {
        return None;
    }
    drop(remove_file(&place(dirs)));
    let is_recent = SystemClock.now_ms().saturating_sub(cut.at_ms) < MAX_AGE_MS;
    let sessions = list::summaries(&dirs.sessions(), Some(workspace)).ok().filter(|_| is_recent)?;
    let title = sessions.into_iter().find(|summary| summary.id == cut.session)?.title?;
    Some((cut, title))
}

/// Offers to go on with the session that a lost terminal ended here; returns it when the person wants that.
pub async fn offered(cx: &Cx) -> Result<Option<String>, Fault> {
    let Some((cut, title)) = taken(&cx.dirs, &cx.workspace_root) else { return Ok(None) };
    let ago = format_duration(SystemClock.now_ms().saturating_sub(cut.at_ms));
    forget_typed();
    cx.out.note(visible(&format!("the terminal of this session went away {ago} ago: {title}")));
    cx.out.note("Go on with it? [Y/n]");
    Ok(match read_key(Arc::new(AtomicBool::new(false))).await? {
        Key::Char('n') | Key::Interrupt => None,
        Key::Char(_) | Key::Other => Some(cut.session),
    })
}
