//! How is the terminal taken and given back?
//!
//! Taken: raw, the alternate screen, pastes marked. Given back in every case: at the end, for the editor, in the background,
//! and when mimi fails. The only place that knows the crate that reads the terminal.

use std::collections::VecDeque;
use std::io::{self, Write as _};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use crossterm::event::{Event, KeyCode, KeyEventKind, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use crossterm::{execute, terminal};
use ratatui_core::layout::Rect;
use rustix::event::{PollFd, PollFlags, poll};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;

use crate::tui::answer::{Answer, Ground, Heard, QUESTION};
use crate::tui::key::{Code, Key};
use crate::tui::links::Links;
use crate::tui::telling::{self, Notify};

/// What is there already is read in this time; with none at all nothing is.
const AT_ONCE: Duration = Duration::from_millis(1);
/// Pieces of one answer of the terminal follow each other within this time, over slow lines too.
const AFTER_ALL: Duration = Duration::from_millis(500);
/// Alternate screen, pastes marked.
const TAKE: &str = "\x1b[?1049h\x1b[?2004h\x1b[0m\x1b[2J\x1b[H";
/// The same back, with margins and styles as a shell expects them.
const GIVE_BACK: &str = "\x1b[r\x1b[0m\x1b[?2026l\x1b[?1006l\x1b[?1000l\x1b[?1004l\x1b[?2004l\x1b[?25h\x1b[?1049l";
/// Takes back how keys are told apart; before the alternate screen goes, which has its own.
const GIVE_BACK_KEYS: &str = "\x1b[<u";
/// Whether that was asked for, for when mimi fails.
static HAS_NEW_KEYS: AtomicBool = AtomicBool::new(false);

/// Tells about focus, and tells keys apart that look alike. Terminals that do not know these ignore them.
const TAKE_MORE: &str = "\x1b[?1004h\x1b[>1u";
/// Reports the wheel and clicks, with places beyond column 223.
const TAKE_MOUSE: &str = "\x1b[?1000h\x1b[?1006h";

/// What the terminal is asked for beside cells and keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ways {
    /// Whether the mouse is taken.
    pub has_mouse: bool,
    /// Whether keys are told apart as kitty began it. The Linux console would print the question.
    pub has_new_keys: bool,
    /// Where names of files lead; none where words do not become links.
    pub links: Option<Links>,
    /// How it is told to notify.
    pub notify: Notify,
}

/// Something the terminal reported.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// A key.
    Key(Key),
    /// A paste.
    Paste(String),
    /// It came to the front, or went behind others.
    Focus(bool),
    /// The wheel; up when negative.
    Wheel(i32),
    /// A click: column and row.
    Click(u16, u16),
    /// Another size: columns and rows.
    Size(u16, u16),
    /// The terminal says how bright its background is.
    Ground(Ground),
}

/// The terminal, while it is ours.
pub struct Terminal {
    keys: Option<Keys>,
    sizes: Signal,
    answer: Answer,
    /// What was read and not handed out yet.
    ready: VecDeque<Input>,
    ways: Ways,
}

impl Terminal {
    /// Takes the terminal.
    pub fn take(ways: Ways) -> io::Result<Self> {
        give_back_on_panic();
        let mut terminal = Self {
            keys: None,
            sizes: signal(SignalKind::window_change())?,
            answer: Answer::default(),
            ready: VecDeque::new(),
            ways,
        };
        terminal.resume()?;
        Ok(terminal)
    }

    /// Asks how bright the background is. The answer comes among what is read, or never.
    pub fn ask_ground(&self) {
        drop(write_out(QUESTION));
    }

    /// Takes it again after [`Self::pause`].
    pub fn resume(&mut self) -> io::Result<()> {
        terminal::enable_raw_mode()?;
        write_out(TAKE)?;
        HAS_NEW_KEYS.store(self.ways.has_new_keys, Ordering::Relaxed);
        if self.ways.has_new_keys {
            write_out(TAKE_MORE)?;
        }
        if self.ways.has_mouse {
            write_out(TAKE_MOUSE)?;
        }
        self.keys = Some(Keys::listen()?);
        Ok(())
    }

    /// Gives it back for a while.
    pub fn pause(&mut self) {
        // The reader must be gone before somebody else reads.
        if let Some(keys) = self.keys.take() {
            keys.end();
        }
        give_back();
    }

    /// Tells the person something; a terminal that is gone shows itself with the next frame.
    pub fn notify(&self, text: &str) {
        drop(write_out(&self.ways.notify.say(text)));
    }

    /// Puts a text into the clipboard; says whether it is short enough for that.
    pub fn copy(&self, text: &str) -> bool {
        telling::copy(text).is_some_and(|sequence| write_out(&sequence).is_ok())
    }

    /// Returns its size; one cell where it does not say.
    pub fn size(&self) -> Rect {
        let (columns, rows) = terminal::size().unwrap_or((1, 1));
        Rect::new(0, 0, columns.max(1), rows.max(1))
    }

    /// Waits for what comes next; none when the terminal is gone.
    pub async fn next(&mut self) -> Option<Input> {
        loop {
            if let Some(input) = self.ready.pop_front() {
                return Some(input);
            }
            let keys = self.keys.as_mut()?;
            // What only looked like an answer is a key after all when nothing follows it.
            let silence = if self.answer.holds() { AFTER_ALL } else { Duration::MAX };
            tokio::select! {
                input = keys.inputs.recv() => match input? {
                    Input::Key(key) => self.hear(key),
                    other => return Some(other),
                },
                _ = self.sizes.recv() => {
                    let Rect { width, height, .. } = self.size();
                    return Some(Input::Size(width, height));
                }
                () = tokio::time::sleep(silence), if self.answer.holds() => {
                    self.ready.extend(self.answer.give_up().into_iter().map(Input::Key));
                }
            }
        }
    }

    fn hear(&mut self, key: Key) {
        match self.answer.hear(key) {
            Heard::Keys(keys) => self.ready.extend(keys.into_iter().map(Input::Key)),
            Heard::Ground(ground) => self.ready.push_back(Input::Ground(ground)),
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // The reader is left to itself: where the terminal is gone, it may never come back from reading.
        if self.keys.take().is_some() {
            give_back();
        }
    }
}

/// A thread that reads keys. The crate that reads them never returns once the terminal is gone, so it must not be called
/// where anything else happens, and only when there is something to read.
struct Keys {
    inputs: mpsc::UnboundedReceiver<Input>,
    reader: JoinHandle<()>,
    /// Written to, it ends the reader.
    wake: UnixStream,
}

impl Keys {
    fn listen() -> io::Result<Self> {
        let (wake, woken) = UnixStream::pair()?;
        let (send, inputs) = mpsc::unbounded_channel();
        let reader = std::thread::Builder::new().name("keys".to_owned()).spawn(move || read_keys(&woken, &send))?;
        Ok(Self { inputs, reader, wake })
    }

    /// Ends the reader and waits until it is gone.
    fn end(mut self) {
        if self.wake.write_all(b"x").is_ok() {
            drop(self.reader.join());
        }
    }
}

fn read_keys(woken: &UnixStream, send: &mpsc::UnboundedSender<Input>) {
    let stdin = io::stdin();
    loop {
        let mut fds = [PollFd::new(&stdin, PollFlags::IN), PollFd::new(woken, PollFlags::IN)];
        let is_interrupted = poll(&mut fds, None) == Err(rustix::io::Errno::INTR);
        if is_interrupted {
            continue;
        }
        let (keys, wake) = (fds[0].revents(), fds[1].revents());
        if !wake.is_empty() || keys.intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL) {
            return;
        }
        while crossterm::event::poll(AT_ONCE).is_ok_and(|is_there| is_there) {
            let Ok(event) = crossterm::event::read() else { return };
            if input(event).is_some_and(|input| send.send(input).is_err()) {
                return;
            }
        }
    }
}

/// Translates what the terminal reports; changes of its size come by a signal.
fn input(event: Event) -> Option<Input> {
    match event {
        Event::Key(key) if key.kind != KeyEventKind::Release => translated(key.code, key.modifiers).map(Input::Key),
        Event::Paste(text) => Some(Input::Paste(text)),
        Event::FocusGained => Some(Input::Focus(true)),
        Event::FocusLost => Some(Input::Focus(false)),
        Event::Mouse(MouseEvent { kind, column, row, .. }) => match kind {
            MouseEventKind::ScrollUp => Some(Input::Wheel(-1)),
            MouseEventKind::ScrollDown => Some(Input::Wheel(1)),
            MouseEventKind::Down(MouseButton::Left) => Some(Input::Click(column, row)),
            _ => None,
        },
        _ => None,
    }
}

/// Gives the terminal back; what cannot be written any more is nobody's loss.
fn give_back() {
    if HAS_NEW_KEYS.swap(false, Ordering::Relaxed) {
        drop(write_out(GIVE_BACK_KEYS));
    }
    drop(write_out(GIVE_BACK));
    drop(terminal::disable_raw_mode());
}

/// Gives it back before the words of a panic are written, so that they can be read.
fn give_back_on_panic() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if terminal::is_raw_mode_enabled().is_ok_and(|is_raw| is_raw) {
                give_back();
            }
            before(info);
        }));
    });
}

fn write_out(text: &str) -> io::Result<()> {
    let mut out = io::stdout();
    out.write_all(text.as_bytes())?;
    execute!(out)
}

fn translated(code: KeyCode, held: KeyModifiers) -> Option<Key> {
    let code = match code {
        KeyCode::Char(c) => Code::Char(c),
        KeyCode::Enter => Code::Enter,
        KeyCode::Esc => Code::Esc,
        KeyCode::Tab => Code::Tab,
        KeyCode::BackTab => Code::BackTab,
        KeyCode::Backspace => Code::Backspace,
        KeyCode::Delete => Code::Delete,
        KeyCode::Up => Code::Up,
        KeyCode::Down => Code::Down,
        KeyCode::Left => Code::Left,
        KeyCode::Right => Code::Right,
        KeyCode::Home => Code::Home,
        KeyCode::End => Code::End,
        KeyCode::PageUp => Code::PageUp,
        KeyCode::PageDown => Code::PageDown,
        KeyCode::F(n) => Code::F(n),
        _ => return None,
    };
    // A sign carries its shift itself, and so does the tab that goes back.
    let shift = held.contains(KeyModifiers::SHIFT) && !matches!(code, Code::Char(_) | Code::BackTab);
    Some(Key { code, ctrl: held.contains(KeyModifiers::CONTROL), alt: held.contains(KeyModifiers::ALT), shift })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_translated() {
        let none = KeyModifiers::NONE;
        let table = [
            (KeyCode::Char('a'), none, "a"),
            (KeyCode::Char('A'), KeyModifiers::SHIFT, "A"),
            (KeyCode::Char('c'), KeyModifiers::CONTROL, "ctrl+c"),
            (KeyCode::Enter, KeyModifiers::ALT, "alt+enter"),
            (KeyCode::BackTab, KeyModifiers::SHIFT, "backtab"),
            (KeyCode::F(5), none, "f5"),
        ];
        for (code, held, expected) in table {
            assert_eq!(translated(code, held).map(|key| key.to_string()).as_deref(), Some(expected));
        }
    }
}
