//! What does the person call a session?
//!
//! A small file beside the session's own, because no line of that is ever changed: it can be named while another process writes
//! it, and named again. Without one a session is called by the person's first words.

use std::path::{Path, PathBuf};

use crate::base::path::{PRIVATE_FILE, remove_file, write_atomic};
use crate::base::text::first_line;
use crate::session::error::SessionError;
use crate::session::transcript::MAX_TITLE_CHARS;

/// Returns where the name of a session is kept.
fn place(session: &Path) -> PathBuf {
    session.with_extension("title")
}

/// Returns the name the person gave to the session at `session`, if they gave one.
pub fn of(session: &Path) -> Option<String> {
    let text = std::fs::read_to_string(place(session)).ok()?;
    Some(first_line(&text, MAX_TITLE_CHARS)).filter(|title| !title.is_empty())
}

/// Names a session; with nothing but blanks it is called by its first words again.
pub fn set(session: &Path, title: &str) -> Result<(), SessionError> {
    let path = place(session);
    let title = first_line(title, MAX_TITLE_CHARS);
    if title.is_empty() {
        forget(session);
        return Ok(());
    }
    write_atomic(&path, title.as_bytes(), PRIVATE_FILE).map_err(|source| SessionError::Write { path, source })
}

/// Forgets the name of a session, as when it is deleted.
pub(super) fn forget(session: &Path) {
    drop(remove_file(&place(session)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_line_and_can_be_taken_back() {
        let folder = tempfile::tempdir().unwrap();
        let session = folder.path().join("0198.jsonl");
        assert_eq!(of(&session), None);
        set(&session, "  the parser\nand more").unwrap();
        assert_eq!(of(&session).as_deref(), Some("the parser"));
        set(&session, " ").unwrap();
        assert_eq!(of(&session), None);
    }
}
