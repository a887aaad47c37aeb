//! How soon is what stands around a conversation on the screen, where there are many sessions?

use std::time::{Duration, Instant};

use crate::server::{Server, Turn};
use crate::startup::make_sessions;
use crate::terminal::Terminal;
use crate::user::User;
use crate::{Measured, Unit, spread};

/// What was answered in every session.
const ANSWER: &str = "the parser reads ahead";
/// Columns and rows: so low that lists stand alone, and what was found is seen in them only.
const LOW: (u16, u16) = (80, 13);
const WIDE: (u16, u16) = (120, 36);
/// Keys as xterm sends them.
const SESSIONS: &str = "\x1bOQ";
const CHECKPOINTS: &str = "\x1b[17~";
const LEVEL: &str = "\x1b[19~";
const ESCAPE: &str = "\x1b";
const N_TIMES: usize = 10;
/// After so long nothing more is printed.
const QUIET: Duration = Duration::from_millis(300);

/// Measures from the key to the list of 1000 sessions.
pub fn sessions() -> Result<Measured, String> {
    let mut desk = Desk::new(LOW)?;
    opened(&mut desk.chat, SESSIONS, "say that it is done")
}

/// Measures from the last letter of a word to the sessions in which it was said.
pub fn search() -> Result<Measured, String> {
    let mut desk = Desk::new(LOW)?;
    let mut samples = Vec::new();
    for _ in 0..N_TIMES {
        desk.chat.type_in(SESSIONS)?;
        desk.chat.wait_for("say that it is done")?;
        desk.chat.wait_for_quiet(QUIET);
        let typed = Instant::now();
        desk.chat.type_in("parser")?;
        desk.chat.wait_for(ANSWER)?;
        samples.push(typed.elapsed().as_secs_f64() * 1000.0);
        for _ in 0..2 {
            desk.chat.wait_for_quiet(QUIET);
            desk.chat.type_in(ESCAPE)?;
        }
        desk.chat.wait_for_quiet(QUIET);
    }
    spread(samples, Unit::Milliseconds)
}

/// Measures from the key to the list of checkpoints.
pub fn checkpoints() -> Result<Measured, String> {
    let mut desk = Desk::new(LOW)?;
    opened(&mut desk.chat, CHECKPOINTS, "nothing was changed")
}

/// Measures from the key to the panels beside the conversation.
pub fn panels() -> Result<Measured, String> {
    let mut desk = Desk::new(WIDE)?;
    let mut samples = Vec::new();
    for _ in 0..N_TIMES {
        let pressed = Instant::now();
        desk.chat.type_in(LEVEL)?;
        desk.chat.wait_for("running")?;
        samples.push(pressed.elapsed().as_secs_f64() * 1000.0);
        // On to the level of experts, and back to the simple one.
        for _ in 0..2 {
            desk.chat.wait_for_quiet(QUIET);
            desk.chat.type_in(LEVEL)?;
        }
        desk.chat.wait_for_quiet(QUIET);
    }
    spread(samples, Unit::Milliseconds)
}

/// Opens a list again and again until words of it are there.
fn opened(chat: &mut Terminal, key: &str, words: &str) -> Result<Measured, String> {
    let mut samples = Vec::new();
    for _ in 0..N_TIMES {
        let pressed = Instant::now();
        chat.type_in(key)?;
        chat.wait_for(words)?;
        samples.push(pressed.elapsed().as_secs_f64() * 1000.0);
        chat.wait_for_quiet(QUIET);
        chat.type_in(ESCAPE)?;
        chat.wait_for_quiet(QUIET);
    }
    spread(samples, Unit::Milliseconds)
}

/// Somebody with many sessions, in one more.
struct Desk {
    chat: Terminal,
    // Their folder goes with them, and what answers with it.
    _kept: (User, Server),
}

impl Desk {
    fn new(size: (u16, u16)) -> Result<Self, String> {
        let user = User::new("ada", "project").map_err(|error| error.to_string())?;
        make_sessions(&user, ANSWER)?;
        let server = Server::start(|_| Turn::Say(ANSWER.to_owned())).map_err(|error| error.to_string())?;
        let mut chat = Terminal::start(&user, &server.url, size, &["chat"])?;
        chat.wait_for("ask> ")?;
        chat.wait_for_quiet(QUIET);
        Ok(Self { chat, _kept: (user, server) })
    }
}
