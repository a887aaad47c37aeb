//! How soon can somebody type, what does a chat take while they think, and does a long one keep growing?

use std::time::{Duration, Instant};

use crate::process::{Memory, memory, mib, sleeps};
use crate::server::{Server, Turn};
use crate::terminal::Terminal;
use crate::user::User;
use crate::{Measured, Unit, spread};

/// What stands at the end of the screen when mimi waits for words.
const PROMPT: &str = "ask> ";
/// Starts that are measured, and one before them that fills the page cache.
const N_STARTS: usize = 20;
/// Chats open at once on a shared machine.
const N_CHATS: usize = 10;
/// Prompts of the long chat.
const N_PROMPTS: usize = 300;
/// The prompt from which growth is counted: by then everything that is made once has been made.
const FIRST: usize = 5;
/// The connection to the server is closed after 4 s without use, which is the last thing a start leaves behind.
const SETTLED: Duration = Duration::from_secs(5);
/// How long nobody types.
const QUIET: Duration = Duration::from_secs(2);

/// Measures from starting `mimi chat` to its prompt.
pub fn start() -> Result<Measured, String> {
    let (user, server) = desk()?;
    let mut samples = Vec::new();
    for _ in 0..=N_STARTS {
        let started = Instant::now();
        let chat = open(&user, &server)?;
        samples.push(started.elapsed().as_secs_f64() * 1000.0);
        drop(chat);
    }
    spread(samples.split_off(1), Unit::Milliseconds)
}

/// Measures what one chat holds at its prompt when it is the only one.
pub fn alone() -> Result<Measured, String> {
    let (user, server) = desk()?;
    let chat = open(&user, &server)?;
    let held = memory(chat.pid(), Memory::Proportional).ok_or("it has ended")?;
    Ok(Measured { value: mib(held), detail: "proportional share".to_owned() })
}

/// Measures what each of several chats holds, which share the program's pages.
pub fn among_ten() -> Result<Measured, String> {
    let (user, server) = desk()?;
    let chats = (0..N_CHATS).map(|_| open(&user, &server)).collect::<Result<Vec<_>, _>>()?;
    let held: Option<u64> = chats.iter().map(|chat| memory(chat.pid(), Memory::Proportional)).sum();
    let each = mib(held.ok_or("one of them has ended")?) / N_CHATS as f64;
    Ok(Measured { value: each, detail: format!("proportional share, {N_CHATS} chats") })
}

/// Counts how often a chat wakes up while nobody types. Two a second come from a thread pool below the keyring's crate, once
/// a keyring was asked; without a session bus there is none.
pub fn idle() -> Result<Measured, String> {
    let (user, server) = desk()?;
    let chat = open(&user, &server)?;
    std::thread::sleep(SETTLED);
    let before = sleeps(chat.pid());
    std::thread::sleep(QUIET);
    let n_wakes = sleeps(chat.pid()).saturating_sub(before);
    Ok(Measured { value: n_wakes as f64 / QUIET.as_secs_f64(), detail: "all threads".to_owned() })
}

/// Measures how much more a chat holds after 300 prompts than after its first ones.
pub fn growth() -> Result<Measured, String> {
    let (user, server) = desk()?;
    // Line by line each answer is printed whole, and the prompt anew.
    let mut chat = Terminal::start(&user, &server.url, (100, 30), &["chat", "--inline"])?;
    chat.wait_for(PROMPT)?;
    let mut first = 0;
    for number in 0..N_PROMPTS {
        chat.line(&format!("question {number}"))?;
        chat.wait_for(&answer(number))?;
        chat.wait_for(PROMPT)?;
        if number == FIRST {
            first = memory(chat.pid(), Memory::Now).unwrap_or_default();
        }
    }
    let last = memory(chat.pid(), Memory::Now).ok_or("it has ended")?;
    let detail = format!("from {:.1} MiB; {} requests", mib(first), server.exchanges().len());
    Ok(Measured { value: mib(last) - mib(first), detail })
}

fn answer(number: usize) -> String {
    format!("answer {number}.")
}

/// Makes somebody with a project, and a server that answers each question with its number.
fn desk() -> Result<(User, Server), String> {
    let user = User::new("ada", "project").map_err(|error| error.to_string())?;
    let server = Server::start(|number| Turn::Say(answer(number))).map_err(|error| error.to_string())?;
    Ok((user, server))
}

fn open(user: &User, server: &Server) -> Result<Terminal, String> {
    let mut chat = Terminal::chat(user, &server.url)?;
    chat.wait_for(PROMPT)?;
    Ok(chat)
}
