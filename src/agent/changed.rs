//! Which files does the model have to be told of, because somebody else changed them?
//!
//! Looked for when a turn begins, so that what is said stands in the newest message and nothing sent before it changes.

use std::path::Path;

use crate::base::text::one_line_name;
use crate::context::prompt;
use crate::protocol::diff::FileState;
use crate::protocol::event::Event;

/// Files that are named; of more the model learns by looking.
const MAX_NAMED: usize = 20;

/// Makes the event of these changes; none when there are none.
pub fn event(root: &Path, files: Vec<FileState>) -> Option<Event> {
    if files.is_empty() {
        return None;
    }
    let name = |file: &FileState| {
        let shown = file.path.strip_prefix(root).unwrap_or(&file.path).to_string_lossy();
        let gone = if file.hash.is_none() { " (deleted)" } else { "" };
        format!("`{}`{gone}", one_line_name(&shown))
    };
    let mut names: Vec<String> = files.iter().take(MAX_NAMED).map(name).collect();
    if files.len() > MAX_NAMED {
        names.push(format!("and {} more", files.len() - MAX_NAMED));
    }
    let text = prompt::NOTE_CHANGED.render(&[&names.join(", ")]);
    Some(Event::FilesChanged { files, text })
}
