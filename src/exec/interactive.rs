//! How is the terminal handed to a person: to their editor or git, or to type a key nobody may see?
//!
//! Runs in the foreground with the user's own environment, unconfined: the user named the editor, or said yes to the commit.
//! Must not be reached from anything a model or a project says.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::Path;
use std::process::Command;

use rustix::termios::{
    LocalModes, OptionalActions, QueueSelector, SpecialCodeIndex, Termios, tcflush, tcgetattr, tcsetattr,
};

/// Longest line that is read without echo.
const MAX_HIDDEN_BYTES: usize = 64 * 1024;

/// Runs an editor on `file` with our terminal and waits for it. Returns its exit code, or 128 and the signal.
///
/// # Errors
/// `argv` is empty, its program cannot be started, or the name of the file is no text.
pub fn run_editor(argv: &[String], file: &Path) -> io::Result<i32> {
    let name = file.to_str().ok_or(io::ErrorKind::InvalidFilename)?.to_owned();
    run_in_foreground(&argv.iter().cloned().chain([name]).collect::<Vec<_>>(), Path::new("."))
}

/// Runs a program in `folder` with our terminal and the environment mimi was started with, as if the user had typed it. Returns
/// its exit code, or 128 and the signal.
///
/// # Errors
/// `argv` is empty or its program cannot be started.
#[expect(clippy::disallowed_methods, reason = "it needs our terminal and outlives nothing: we wait for it")]
pub fn run_in_foreground(argv: &[String], folder: &Path) -> io::Result<i32> {
    use std::os::unix::process::ExitStatusExt as _;
    let (program, arguments) = argv.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    let status = Command::new(program).args(arguments).current_dir(folder).status()?;
    Ok(status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0)))
}

/// Asks on the terminal for one line that is not shown, whatever the standard streams are.
///
/// # Errors
/// There is no terminal, or the user pressed Ctrl-C ([`io::ErrorKind::Interrupted`]).
pub fn read_hidden(prompt: &str) -> io::Result<String> {
    read_hidden_on(&File::options().read(true).write(true).open("/dev/tty")?, prompt)
}

/// As [`read_hidden`], on the terminal given.
///
/// # Errors
/// As [`read_hidden`].
pub fn read_hidden_on(mut terminal: &File, prompt: &str) -> io::Result<String> {
    let quiet = Quiet::enter(terminal)?;
    terminal.write_all(prompt.as_bytes())?;
    let line = read_line(terminal);
    drop(quiet);
    terminal.write_all(b"\n")?;
    line
}

/// How the terminal on standard input was found, to be put back after an editor that was left in the middle of a line.
pub struct Found {
    before: Termios,
}

impl Found {
    /// Looks at the terminal on standard input; none when there is none.
    pub fn now() -> Option<Self> {
        tcgetattr(io::stdin()).ok().map(|before| Self { before })
    }

    /// Puts it back. A terminal that is gone needs nothing.
    pub fn put_back(&self) {
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.before);
    }
}

/// Forgets what was typed and not yet read, so that it cannot answer a question asked later.
pub fn forget_typed() {
    let _ = tcflush(io::stdin(), QueueSelector::IFlush);
}

/// Stops this process, as Ctrl-Z does, until its shell continues it. The terminal must have been given back.
pub fn suspend() {
    // The whole group, as the terminal would: what stands beside us in a pipe stops too.
    let _ = rustix::process::kill_current_process_group(rustix::process::Signal::TSTP);
}

/// A terminal that does not show what is typed, until dropped.
struct Quiet<'a> {
    terminal: &'a File,
    before: Termios,
}

impl<'a> Quiet<'a> {
    fn enter(terminal: &'a File) -> io::Result<Self> {
        let before = tcgetattr(terminal)?;
        let mut quiet = before.clone();
        // Keys that send signals arrive as bytes: a signal would end us before the echo is back.
        quiet.local_modes &= !(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG | LocalModes::IEXTEN);
        quiet.special_codes[SpecialCodeIndex::VMIN] = 1;
        quiet.special_codes[SpecialCodeIndex::VTIME] = 0;
        tcsetattr(terminal, OptionalActions::Flush, &quiet)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Quiet<'_> {
    fn drop(&mut self) {
        let _ = tcsetattr(self.terminal, OptionalActions::Drain, &self.before);
    }
}

/// Reads bytes up to Enter, with the few editing keys people use on a line they cannot see.
fn read_line(mut terminal: &File) -> io::Result<String> {
    let mut line = Vec::new();
    let mut byte = [0];
    // One at a time: what follows Enter belongs to whoever reads next.
    while terminal.read(&mut byte)? == 1 {
        match byte[0] {
            // Ctrl-D (4) ends the input like Enter, Ctrl-C (3) gives up, Ctrl-U (21) starts again.
            b'\r' | b'\n' | 4 => break,
            3 => return Err(io::ErrorKind::Interrupted.into()),
            21 => line.clear(),
            8 | 127 => {
                line.pop();
            }
            _ if line.len() >= MAX_HIDDEN_BYTES => return Err(io::ErrorKind::InvalidInput.into()),
            byte => line.push(byte),
        }
    }
    String::from_utf8(line).map_err(|_| io::ErrorKind::InvalidData.into())
}
