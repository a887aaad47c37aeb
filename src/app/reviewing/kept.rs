//! How does a review that ended early go on where it was?
//!
//! What was said and accepted stands in a file for each folder and source, in mimi's own folder; what was rejected or edited
//! stands in the user's files. The file is a convenience: one that cannot be read or written is none.

use std::path::PathBuf;

use crate::app::App;
use crate::base::hash;
use crate::base::path::{PRIVATE_FILE, create_private_dir, remove_file, write_atomic};
use crate::protocol::changes::{Kept, Source};

fn path(app: &App, source: &Source) -> PathBuf {
    let source = serde_json::to_string(source).unwrap_or_default();
    let name = hash::of_parts(&[app.workspace.root().as_os_str().as_encoded_bytes(), source.as_bytes()]);
    app.dirs.state.join("reviews").join(format!("{}.json", &name[..32]))
}

/// Reads what was kept; nothing where nothing was.
pub(super) fn read(app: &App, source: &Source) -> Kept {
    let text = std::fs::read(path(app, source)).unwrap_or_default();
    serde_json::from_slice(&text).unwrap_or_default()
}

/// Keeps it; on disk when this returns.
pub(super) fn write(app: &App, source: &Source, kept: &Kept) {
    let path = path(app, source);
    if *kept == Kept::default() {
        if path.exists() {
            drop(remove_file(&path));
        }
        return;
    }
    let text = serde_json::to_vec(kept).unwrap_or_default();
    drop(path.parent().map(create_private_dir));
    drop(write_atomic(&path, &text, PRIVATE_FILE));
}
