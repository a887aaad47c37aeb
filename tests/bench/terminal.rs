//! How does a measurement talk with `mimi chat`?
//!
//! Runs it on a pseudo-terminal and waits for words, as a person would.

use std::io::{Read as _, Write};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize};

use crate::user::{PROGRAM, User};

/// What does not show up within this time will not.
const LIMIT: Duration = Duration::from_secs(20);
/// The question where the cursor is, and a terminal's answer.
const CURSOR: (&[u8], &[u8]) = (b"\x1b[6n", b"\x1b[1;1R");

/// A conversation. Dropping it ends the program.
pub struct Terminal {
    child: Box<dyn Child + Send + Sync>,
    writer: Box<dyn Write + Send>,
    output: Receiver<Vec<u8>>,
    /// What was printed and not yet waited for.
    fresh: Vec<u8>,
    /// How many bytes were printed.
    n_bytes: usize,
    // Kept open: closing it hangs up the terminal.
    _master: Box<dyn MasterPty + Send>,
}

impl Terminal {
    /// Starts `mimi chat` for this user against a server.
    pub fn chat(user: &User, server_url: &str) -> Result<Self, String> {
        Self::start(user, server_url, (100, 30), &["chat"])
    }

    /// Starts `mimi review-diff` for this user; nobody is asked.
    pub fn review(user: &User) -> Result<Self, String> {
        Self::start(user, "http://127.0.0.1:9/v1", (100, 30), &["review-diff"])
    }

    /// Starts mimi for this user against a server on a terminal of so many columns and rows.
    pub fn start(user: &User, server_url: &str, (cols, rows): (u16, u16), arguments: &[&str]) -> Result<Self, String> {
        let size = PtySize { rows, cols, pixel_width: 0, pixel_height: 0 };
        let say = |error: &dyn std::fmt::Display| error.to_string();
        let pair = portable_pty::native_pty_system().openpty(size).map_err(|error| say(&error))?;
        let mut command = CommandBuilder::new(PROGRAM);
        command.args(arguments);
        command.env_clear();
        user.environment().iter().for_each(|(name, value)| command.env(name, value));
        command.env("MIMI_SERVER_URL", server_url);
        command.env("MIMI_UI_WALK", "never");
        command.cwd(user.project());
        let child = pair.slave.spawn_command(command).map_err(|error| say(&error))?;
        let mut reader = pair.master.try_clone_reader().map_err(|error| say(&error))?;
        let writer = pair.master.take_writer().map_err(|error| say(&error))?;
        let (send, output) = channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(length @ 1..) = reader.read(&mut buffer) {
                if send.send(buffer[..length].to_vec()).is_err() {
                    break;
                }
            }
        });
        Ok(Self { child, writer, output, fresh: Vec::new(), n_bytes: 0, _master: pair.master })
    }

    /// Returns the id of the process.
    pub fn pid(&self) -> u32 {
        self.child.process_id().unwrap_or_default()
    }

    /// Returns how many bytes were printed and read so far.
    pub fn n_bytes(&self) -> usize {
        self.n_bytes
    }

    /// Types text as it is.
    pub fn type_in(&mut self, text: &str) -> Result<(), String> {
        self.writer.write_all(text.as_bytes()).map_err(|error| error.to_string())
    }

    /// Waits for the next thing that is printed; returns when it came.
    pub fn wait_for_more(&mut self) -> Result<Instant, String> {
        let bytes = self.output.recv_timeout(LIMIT).map_err(|_| "nothing is printed".to_owned())?;
        let now = Instant::now();
        self.n_bytes += bytes.len();
        self.fresh.clear();
        Ok(now)
    }

    /// Waits until nothing was printed for a while.
    pub fn wait_for_quiet(&mut self, quiet: Duration) {
        while let Ok(bytes) = self.output.recv_timeout(quiet) {
            self.n_bytes += bytes.len();
        }
        self.fresh.clear();
    }

    /// Types a line and presses Enter.
    pub fn line(&mut self, text: &str) -> Result<(), String> {
        self.writer.write_all(format!("{text}\r").as_bytes()).map_err(|error| error.to_string())
    }

    /// Waits until `text` shows up after what the last wait found.
    pub fn wait_for(&mut self, text: &str) -> Result<(), String> {
        let deadline = Instant::now() + LIMIT;
        loop {
            let found = self.fresh.windows(text.len()).position(|window| window == text.as_bytes());
            if let Some(at) = found {
                self.fresh.drain(..at + text.len());
                return Ok(());
            }
            let Ok(bytes) = self.output.recv_timeout(deadline.saturating_duration_since(Instant::now())) else {
                let shown = String::from_utf8_lossy(&self.fresh).escape_debug().to_string();
                return Err(format!("`{text}` did not show up: {shown}"));
            };
            if bytes.windows(CURSOR.0.len()).any(|window| window == CURSOR.0) {
                self.writer.write_all(CURSOR.1).map_err(|error| error.to_string())?;
            }
            self.n_bytes += bytes.len();
            self.fresh.extend(bytes);
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It may have ended by itself, which is as good.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
