//! How does a person change a text in their own editor?

use std::io;

use crate::base::path::{PRIVATE_FILE, create_private_dir, remove_file, write_atomic};
use crate::cli::commands::config::editor;
use crate::cli::context::Cx;
use crate::exec::interactive::run_editor;

/// Lets the person change a text in their editor, in a private file of this name.
///
/// # Errors
/// The editor cannot be started, was left with an error, or left no text.
pub async fn edited(cx: &Cx, name: &str, text: &str) -> io::Result<String> {
    let (folder, argv) = (cx.dirs.state.join("edit"), editor(cx));
    let file = folder.join(name);
    create_private_dir(&folder)?;
    write_atomic(&file, text.as_bytes(), PRIVATE_FILE)?;
    let editing = tokio::task::spawn_blocking(move || {
        let ended = run_editor(&argv, &file);
        let text = std::fs::read_to_string(&file);
        drop(remove_file(&file));
        match ended? {
            0 => text,
            code => Err(io::Error::other(format!("`{}` ended with code {code}", argv.join(" ")))),
        }
    });
    editing.await.map_err(io::Error::other)?
}
