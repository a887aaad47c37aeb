//! How is a command recorded from its options to its exit code?

use std::path::PathBuf;

use crate::app::{App, RecordOrder};
use crate::base::fault::Fault;
use crate::cli::context::Cx;
use crate::tape::Tape;

/// Records what `app` does from now on, if a file is named.
pub fn begin(cx: &Cx, app: App, file: Option<&PathBuf>, order: RecordOrder) -> Result<App, Fault> {
    match file {
        Some(file) => app.record_to(file, order, &cx.env),
        None => Ok(app),
    }
}

/// Notes how the command ended, and tells the user when the recording is not whole.
pub fn end(cx: &Cx, tape: &Tape, result: &Result<(), Fault>) {
    match result {
        Ok(()) => tape.end(0, ""),
        Err(fault) => tape.end(fault.kind.exit_code(), &fault.message),
    }
    let Some(path) = tape.path() else { return };
    match tape.trouble() {
        None => cx
            .out
            .note(format!("recorded: mimi replay {}", crate::base::text::shell_quoted(&path.display().to_string()))),
        Some(why) => cx.out.note(format!("warning: the recording `{}` is not whole: {why}", path.display())),
    }
}
