//! Where is a note kept that a person writes with `#`?
//!
//! At the end of `AGENTS.md`, which every later session reads: of the project, where it is a change like any other and shows in
//! `git diff`, or of the user, beside `config.yaml`. Added in one step, so that a crash leaves the file as it was or with the note,
//! and kept as any change of the turn is.

use std::path::Path;

use crate::agent::keeping::tree_change;
use crate::app::App;
use crate::base::fault::{Fault, Kind};
use crate::base::path::{PRIVATE_FILE, create_dirs, write_atomic};
use crate::checkpoint::step::{About, Cause};
use crate::tui::state::outside::{Given, Note, NotePlace};

/// The file that is read by every session.
const NAME: &str = "AGENTS.md";
/// Bits of a new file in a project.
const SHARED_FILE: u32 = 0o644;

/// Adds a note, and keeps what the file was before, so that it goes back with the turn.
pub async fn keep(app: &App, session: &str, note: Note) -> Given {
    let (folder, mode) = match note.place {
        NotePlace::Project => (app.workspace.root().to_path_buf(), SHARED_FILE),
        NotePlace::User => (app.dirs.config.clone(), PRIVATE_FILE),
    };
    let (root, path) = (app.workspace.root().to_path_buf(), folder.join(NAME));
    // Where nothing can be kept the note is still the person's wish.
    let keeper = app.keeper_of(session, &root).ok();
    let added = tokio::task::spawn_blocking(move || {
        // Where the file is a link, what it points to is what changes.
        let target = path.canonicalize().unwrap_or_else(|_| path.clone());
        let before = keeper.as_ref().and_then(|keeper| keeper.store().keep(&target).ok());
        add(&path, &note.text, mode)?;
        let change = before.and_then(|before| before.change(&target).ok().flatten());
        let about = About { turn: note.turn, call: None, cause: Cause::Edit, what: format!("note in {NAME}") };
        let step = keeper.and_then(|keeper| keeper.note_edit(about, change.as_slice()).ok().flatten());
        Ok::<_, Fault>((path, step.map(|step| tree_change(&step, &root))))
    });
    match added.await {
        Ok(Ok((path, change))) => {
            let back = if change.is_some() { "; /undo takes it back with the turn" } else { "" };
            let said = format!("noted in {}; sessions that begin from now on read it{back}", path.display());
            Given::Noted { said, change }
        }
        Ok(Err(fault)) => Given::Failed(fault.words()),
        Err(error) => Given::Failed(format!("the note was not kept: {error}")),
    }
}

/// Adds a line to a list at the end of a file.
///
/// # Errors
/// The file cannot be read as text or written.
pub fn add(path: &Path, note: &str, mode: u32) -> Result<(), Fault> {
    let fail = |what: &str, error: &std::io::Error| {
        Fault::io(Kind::Task, format!("the note was not kept: cannot {what} `{}`", path.display()), error)
    };
    let (before, mode) = match std::fs::read_to_string(path) {
        Ok(text) => (
            text,
            path.metadata().map_or(mode, |meta| std::os::unix::fs::PermissionsExt::mode(&meta.permissions()) & 0o777),
        ),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => (String::new(), mode),
        Err(error) => return Err(fail("read", &error)),
    };
    let is_list = before.trim_end().lines().last().is_some_and(|line| line.starts_with("- "));
    let gap = match before.trim_end() {
        "" => "",
        _ if is_list => "\n",
        _ => "\n\n",
    };
    if let Some(folder) = path.parent() {
        create_dirs(folder).map_err(|error| fail("write", &error))?;
    }
    // Where the file is a link, what it points to is changed and the link stays.
    let target = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    let text = format!("{}{gap}- {note}\n", before.trim_end());
    write_atomic(&target, text.as_bytes(), mode).map_err(|error| fail("write", &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_stand_at_the_end_one_below_the_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new").join(NAME);
        for note in ["run make", "no tabs"] {
            add(&path, note, SHARED_FILE).unwrap();
        }
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "- run make\n- no tabs\n");
        std::fs::write(&path, "# Rules\n\nBe kind.\n\n").unwrap();
        add(&path, "and brief", SHARED_FILE).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "# Rules\n\nBe kind.\n\n- and brief\n");
    }

    #[test]
    fn what_is_no_text_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(NAME);
        std::fs::write(&path, [0xff, 0xfe]).unwrap();
        assert!(add(&path, "x", SHARED_FILE).is_err());
        assert_eq!(std::fs::read(&path).unwrap(), [0xff, 0xfe]);
    }
}
