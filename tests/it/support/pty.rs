//! What does the person at the terminal see, and what happens when keys are pressed?
//!
//! Runs the program on a real pseudo-terminal. The text is cleaned of escape sequences, not laid out: it holds all that
//! was ever printed, in order, so a test waits for words and never for positions.

use std::fs::File;
use std::io::{Read as _, Write};
use std::os::fd::BorrowedFd;
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use portable_pty::{ChildKiller, CommandBuilder, MasterPty, PtySize};
use rustix::event::{PollFd, PollFlags, poll};

use crate::support::{Env, LIMIT, PROGRAM};

/// Keys by name, as a terminal sends them.
pub mod key {
    /// Enter.
    pub const ENTER: &str = "\r";
    /// Escape.
    pub const ESCAPE: &str = "\x1b";
    /// Tab.
    pub const TAB: &str = "\t";
    /// Backspace.
    pub const BACKSPACE: &str = "\x7f";
    /// Ctrl-C.
    pub const CTRL_C: &str = "\x03";
    /// Ctrl-D, the end of input.
    pub const CTRL_D: &str = "\x04";
    /// Arrow up.
    pub const UP: &str = "\x1b[A";
    /// Arrow down.
    pub const DOWN: &str = "\x1b[B";
}

/// A program on a terminal. Dropping it kills it.
pub struct Pty {
    writer: Box<dyn Write + Send>,
    killer: Box<dyn ChildKiller + Send + Sync>,
    output: Receiver<Vec<u8>>,
    ended: Receiver<u32>,
    raw: Vec<u8>,
    seen: usize,
    size: (u16, u16),
    // Kept open: closing it hangs up the terminal.
    master: Option<Box<dyn MasterPty + Send>>,
    // Dropped, it ends the thread that reads.
    stop_reading: Option<UnixStream>,
}

impl Pty {
    /// Starts mimi in the workspace on a terminal of 100 columns and 30 rows.
    pub fn start<I: IntoIterator<Item: Into<String>>>(env: &Env, arguments: I) -> Self {
        Self::start_program(env, PROGRAM, arguments)
    }

    /// Starts another program in the same way.
    pub fn start_program<I: IntoIterator<Item: Into<String>>>(env: &Env, program: &str, arguments: I) -> Self {
        let size = PtySize { rows: 30, cols: 100, pixel_width: 0, pixel_height: 0 };
        let pair = portable_pty::native_pty_system().openpty(size).unwrap();
        let mut command = CommandBuilder::new(program);
        command.args(arguments.into_iter().map(Into::<String>::into));
        command.env_clear();
        // Newcomers are walked through three steps; whoever tests that says so.
        command.env("MIMI_UI_WALK", "never");
        env.vars.iter().for_each(|(name, value)| command.env(name, value));
        command.cwd(env.work());
        let mut child = pair.slave.spawn_command(command).unwrap();
        // While we held it open, the end of the program would not end its output.
        drop(pair.slave);
        let reader = reader(pair.master.as_ref());
        let (stop_reading, stopped) = UnixStream::pair().unwrap();
        let (send, output) = channel();
        std::thread::spawn(move || forward(reader, &stopped, &send));
        let killer = child.clone_killer();
        let (report_end, ended) = channel();
        std::thread::spawn(move || report_end.send(child.wait().map_or(u32::MAX, |status| status.exit_code())));
        let writer = pair.master.take_writer().unwrap();
        let (master, stop_reading) = (Some(pair.master), Some(stop_reading));
        Self { writer, killer, output, ended, raw: Vec::new(), seen: 0, size: (100, 30), master, stop_reading }
    }

    /// Types text or keys.
    pub fn send(&mut self, keys: &str) -> &mut Self {
        self.writer.write_all(keys.as_bytes()).unwrap();
        self.writer.flush().unwrap();
        self
    }

    /// Types a line and presses Enter.
    pub fn line(&mut self, text: &str) -> &mut Self {
        self.send(text).send(key::ENTER)
    }

    /// Makes the terminal another size, as dragging the window does.
    pub fn resize(&mut self, columns: u16, rows: u16) -> &mut Self {
        self.size = (columns, rows);
        let size = PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 };
        self.master.as_ref().unwrap().resize(size).unwrap();
        self
    }

    /// Waits until `text` shows up after what the last wait found; fails with the whole screen when it does not.
    #[track_caller]
    pub fn wait_for(&mut self, text: &str) -> &mut Self {
        let deadline = Instant::now() + LIMIT;
        loop {
            let screen = self.screen();
            if let Some(at) = screen.get(self.seen..).and_then(|fresh| fresh.find(text)) {
                self.seen += at + text.len();
                return self;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(self.pump(left), "`{text}` never showed; the terminal says:\n{screen}\n");
        }
    }

    /// Waits for the program to end; returns its exit code.
    #[track_caller]
    pub fn wait_exit(&mut self) -> u32 {
        let deadline = Instant::now() + LIMIT;
        // Output ends with the program, and reading it to the end keeps the program from blocking on a full terminal.
        while self.pump(deadline.saturating_duration_since(Instant::now())) {}
        let code = self.ended.recv_timeout(deadline.saturating_duration_since(Instant::now()));
        code.unwrap_or_else(|_| panic!("still running; the terminal says:\n{}\n", self.screen()))
    }

    /// Returns everything printed so far, without escape sequences; a carriage return starts a new line.
    pub fn screen(&self) -> String {
        clean(&String::from_utf8_lossy(&self.raw))
    }

    /// Returns what a terminal shows now, row by row: for programs that draw.
    pub fn shown(&self) -> String {
        let mut terminal = vt100::Parser::new(self.size.1, self.size.0, 0);
        terminal.process(&self.raw);
        let rows = terminal.screen().rows(0, self.size.0).map(|row| row.trim_end().replace('\u{a0}', " "));
        rows.collect::<Vec<_>>().join("\n")
    }

    /// Takes what is printed next, if anything is within a moment.
    pub fn look(&mut self) -> &mut Self {
        self.pump(Duration::from_millis(100));
        self
    }

    /// Waits until a terminal shows `text`.
    #[track_caller]
    pub fn wait_until_shown(&mut self, text: &str) -> &mut Self {
        self.wait_until(text, |shown| shown.contains(text))
    }

    /// Waits until what a terminal shows is as wanted.
    #[track_caller]
    pub fn wait_until(&mut self, what: &str, is_so: impl Fn(&str) -> bool) -> &mut Self {
        let deadline = Instant::now() + LIMIT;
        while !is_so(&self.shown()) {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(self.pump(left), "never so: {what}; the terminal shows:\n{}\n", self.shown());
        }
        self
    }

    /// Returns everything printed so far, byte for byte: for tests of what the terminal is told.
    pub fn raw(&self) -> &[u8] {
        &self.raw
    }

    /// Closes the terminal, as when its window is closed or the connection to the machine is lost.
    pub fn hang_up(&mut self) {
        self.stop_reading = None;
        // Over when the thread that reads has let go of its copy.
        while self.output.recv().is_ok() {}
        self.writer = Box::new(std::io::sink());
        self.master = None;
    }

    /// Kills the program.
    pub fn kill(&mut self) {
        // It may have ended by itself, which is as good.
        drop(self.killer.kill());
    }

    /// Takes what is printed next; false when nothing came in time or the program closed its terminal.
    fn pump(&mut self, limit: Duration) -> bool {
        let Ok(bytes) = self.output.recv_timeout(limit) else { return false };
        // The question where the cursor is; programs wait for the answer, which a terminal would give.
        let n_questions = bytes.windows(4).filter(|window| *window == b"\x1b[6n").count();
        for _ in 0..n_questions {
            // A program that has ended needs no answer.
            drop(self.writer.write_all(b"\x1b[1;1R"));
        }
        self.raw.extend(bytes);
        true
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Copies the program's side of the terminal.
fn reader(master: &dyn MasterPty) -> File {
    let fd = master.as_raw_fd().unwrap();
    #[expect(unsafe_code, reason = "portable-pty gives no other way to its descriptor")]
    // SAFETY: the master owns the descriptor and is borrowed for longer than this.
    let fd = unsafe { BorrowedFd::borrow_raw(fd) };
    fd.try_clone_to_owned().unwrap().into()
}

/// Passes on what the terminal receives until it is closed, or the other end of `stopped` is.
fn forward(mut reader: File, stopped: &UnixStream, send: &Sender<Vec<u8>>) {
    let mut buffer = [0; 4096];
    loop {
        let mut fds = [PollFd::new(&reader, PollFlags::IN), PollFd::new(stopped, PollFlags::IN)];
        // Whoever traces others in this process gets a signal for each of their steps.
        let is_ready = match poll(&mut fds, None) {
            Err(rustix::io::Errno::INTR) => continue,
            result => result.is_ok(),
        };
        if !is_ready || !fds[1].revents().is_empty() {
            return;
        }
        match reader.read(&mut buffer) {
            Ok(length @ 1..) if send.send(buffer[..length].to_vec()).is_ok() => {}
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            _ => return,
        }
    }
}

/// Removes escape sequences and makes a carriage return start a new line.
fn clean(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    let mut chars = raw.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\x1b' => match chars.next() {
                Some('[') => while chars.next().is_some_and(|c| !('\u{40}'..='\u{7e}').contains(&c)) {},
                Some(']') => while chars.next().is_some_and(|c| c != '\x07' && c != '\u{9c}') {},
                _ => {}
            },
            '\r' if chars.peek() == Some(&'\n') => {}
            '\r' => out.push('\n'),
            c if c.is_control() && c != '\n' && c != '\t' => {}
            c => out.push(c),
        }
    }
    out
}

#[test]
fn keys_reach_the_program_and_words_come_back() {
    let env = Env::new();
    let script = "test -t 0 && printf '\\033[32mname?\\033[0m '; read name; echo \"hello $name\"; read rest";
    let mut pty = Pty::start_program(&env, "bash", ["-c", script]);
    pty.wait_for("name? ").line("ada").wait_for("hello ada").send(key::CTRL_C);
    assert_ne!(pty.wait_exit(), 0);
    let mut short = Pty::start_program(&env, "bash", ["-c", "stty size; exit 7"]);
    short.wait_for("30 100");
    assert_eq!(short.wait_exit(), 7);
}

#[test]
fn escape_sequences_are_not_words() {
    let table = [
        ("\x1b[1;32mgreen\x1b[0m", "green"),
        ("\x1b]0;title\x07text\r\n", "text\n"),
        ("\r> one\r\x1b[K> two", "\n> one\n> two"),
        ("\x1b7\x1b8a\x08b", "ab"),
    ];
    for (raw, expected) in table {
        assert_eq!(clean(raw), expected);
    }
}
