//! How is a person asked: what would a call do, and which answer is meant?

use std::io;
use std::path::Path;

use crate::base::path::{PRIVATE_FILE, create_private_dir, remove_file, write_atomic};
use crate::cli::commands::config::editor;
use crate::cli::context::Cx;
use crate::exec::interactive::run_editor;
use crate::protocol::tool::{Action, Question};

/// Shows the whole command or every path, never a summary: this is what is approved. A file that is read to be written is
/// named once.
pub fn what_it_does(target: &str, actions: &[Action]) -> String {
    let is_written =
        |read: &Path| actions.iter().any(|action| matches!(action, Action::Write { path } if path == read));
    let all = actions.iter().filter_map(|action| match action {
        Action::Read { path } if is_written(path) => None,
        Action::Read { path } | Action::Write { path } => Some(path.display().to_string()),
        Action::Execute { command, .. } => Some(command.clone()),
        Action::Commit { summary } => Some(summary.clone()),
    });
    let mut all: Vec<String> = all.collect();
    all.dedup();
    if all.is_empty() { target.to_owned() } else { all.join("\n  ") }
}

/// A number chooses an option; anything else is the answer itself.
pub fn chosen(question: &Question, text: &str) -> String {
    let number: Option<usize> = text.trim().parse().ok();
    let option = number.and_then(|number| question.options.get(number.checked_sub(1)?));
    option.cloned().unwrap_or_else(|| text.to_owned())
}

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
