//! What does the full screen cost: to the processor, to the line to the terminal, and to whoever waits for a key to show?

use std::time::{Duration, Instant};

use crate::process::{Memory, cpu, memory, mib};
use crate::server::{Server, THE_END, Turn};
use crate::terminal::Terminal;
use crate::user::User;
use crate::{Measured, Unit, spread};

/// Tokens of a long answer.
const N_TOKENS: usize = 20_000;
/// Tokens of an answer at the speed of a usual server, and the time between two.
const N_SLOW: usize = 500;
const PAUSE: Duration = Duration::from_millis(10);
/// Columns and rows of a large terminal.
const LARGE: (u16, u16) = (200, 50);
/// Turns of the long conversation: a message of each side in each.
const N_TURNS: usize = 5000;
/// Keys that are typed.
const N_KEYS: usize = 100;
/// After so long nothing more is printed.
const QUIET: Duration = Duration::from_millis(300);

/// What an answer took.
struct Answer {
    cpu: Duration,
    wall: Duration,
    n_bytes: usize,
}

/// Measures the processor time of 20,000 tokens as fast as they can be sent.
pub fn flood_cpu() -> Result<Measured, String> {
    let answer = answer(&["chat"], N_TOKENS, Duration::ZERO)?;
    let detail = format!("wall {:.0} ms", answer.wall.as_secs_f64() * 1000.0);
    Ok(Measured { value: answer.cpu.as_secs_f64() * 1000.0, detail })
}

/// Measures the bytes that those send to a terminal.
pub fn flood_bytes() -> Result<Measured, String> {
    let answer = answer(&["chat"], N_TOKENS, Duration::ZERO)?;
    Ok(Measured { value: answer.n_bytes as f64, detail: format!("{} columns, {} rows", LARGE.0, LARGE.1) })
}

/// Measures the share of a core while a hundred tokens come a second.
pub fn slow_cpu() -> Result<Measured, String> {
    let answer = answer(&["chat"], N_SLOW, PAUSE)?;
    let share = answer.cpu.as_secs_f64() / answer.wall.as_secs_f64() * 100.0;
    Ok(Measured { value: share, detail: rate(&answer) })
}

/// Measures the bytes a token sends to a terminal then.
pub fn slow_bytes() -> Result<Measured, String> {
    let answer = answer(&["chat"], N_SLOW, PAUSE)?;
    Ok(Measured { value: answer.n_bytes as f64 / N_SLOW as f64, detail: rate(&answer) })
}

/// Measures the same line by line.
pub fn slow_bytes_inline() -> Result<Measured, String> {
    let answer = answer(&["chat", "--inline"], N_SLOW, PAUSE)?;
    Ok(Measured { value: answer.n_bytes as f64 / N_SLOW as f64, detail: rate(&answer) })
}

fn rate(answer: &Answer) -> String {
    format!("{:.0} tokens a second", N_SLOW as f64 / answer.wall.as_secs_f64())
}

fn answer(arguments: &[&str], n_tokens: usize, pause: Duration) -> Result<Answer, String> {
    let user = User::new("ada", "project").map_err(|error| error.to_string())?;
    let server = Server::start(move |_| Turn::Prose { n_tokens, pause }).map_err(|error| error.to_string())?;
    let mut chat = Terminal::start(&user, &server.url, LARGE, arguments)?;
    chat.wait_for("ask> ")?;
    chat.wait_for_quiet(QUIET);
    let (cpu_before, bytes_before) = (cpu(chat.pid()).ok_or("it has ended")?, chat.n_bytes());
    let started = Instant::now();
    chat.line("say much")?;
    chat.wait_for(THE_END)?;
    let wall = started.elapsed();
    chat.wait_for_quiet(QUIET);
    let spent = cpu(chat.pid()).ok_or("it has ended")?.saturating_sub(cpu_before);
    Ok(Answer { cpu: spent, wall, n_bytes: chat.n_bytes() - bytes_before })
}

/// Measures from a key to the screen in a conversation of 10,000 messages.
pub fn key() -> Result<Measured, String> {
    let (mut chat, _desk) = long_conversation()?;
    let mut samples = Vec::new();
    for _ in 0..N_KEYS {
        let pressed = Instant::now();
        chat.type_in("x")?;
        samples.push((chat.wait_for_more()? - pressed).as_secs_f64() * 1000.0);
        chat.wait_for_quiet(Duration::from_millis(50));
    }
    samples.sort_by(f64::total_cmp);
    let value = samples[N_KEYS * 95 / 100];
    let spread = spread(samples, Unit::Milliseconds)?;
    Ok(Measured { value, detail: format!("95 of 100 keys; median {:.2} ms", spread.value) })
}

/// Measures what such a conversation holds.
pub fn memory_of_long() -> Result<Measured, String> {
    let (chat, _desk) = long_conversation()?;
    let held = memory(chat.pid(), Memory::Proportional).ok_or("it has ended")?;
    Ok(Measured { value: mib(held), detail: format!("proportional share, {} messages", 2 * N_TURNS) })
}

/// Writes the session of a long conversation and goes on with it.
fn long_conversation() -> Result<(Terminal, (User, Server)), String> {
    let say = |error: std::io::Error| error.to_string();
    let user = User::new("ada", "project").map_err(say)?;
    let server = Server::start(|_| Turn::Say("done".to_owned())).map_err(say)?;
    // A real session of one turn, whose records are then repeated.
    user.run_task(&server.url, "question", |_| {}).map_err(say)?;
    let sessions = std::fs::read_dir(user.sessions()).map_err(say)?.flatten().map(|entry| entry.path());
    let path = sessions.into_iter().find(|path| path.extension().is_some_and(|end| end == "jsonl"));
    let path = path.ok_or("no session was kept")?;
    let text = std::fs::read_to_string(&path).map_err(say)?;
    let n_before = text.matches("\"seq\":").count();
    let mut whole = text;
    let (mut seq, at_ms) = (n_before, 1_800_000_000_000_u64);
    let mut add = |rest: String| {
        seq += 1;
        whole += &format!("{{\"v\":1,\"seq\":{seq},\"at_ms\":{at_ms},{rest}}}\n");
    };
    for turn in 2..N_TURNS + 2 {
        add(format!("\"type\":\"turn_started\",\"turn\":{turn}"));
        add(format!("\"type\":\"user_message\",\"author\":\"user\",\"text\":\"question {turn}: where is it?\""));
        add(format!(
            "\"type\":\"assistant_message\",\"text\":\"In `src/file{turn}.rs`, **line {turn}**.\\n\\n- one\\n- two\""
        ));
        add(format!(
            "\"type\":\"turn_done\",\"turn\":{turn},\"end\":{{\"reason\":\"answered\"}},\"steps\":1,\"usage\":{{}},\"refused\":0"
        ));
    }
    std::fs::write(&path, whole).map_err(say)?;
    let mut chat = Terminal::start(&user, &server.url, (120, 36), &["chat", "--resume"])?;
    chat.wait_for(&format!("file{}.rs", N_TURNS + 1))?;
    chat.wait_for_quiet(QUIET);
    Ok((chat, (user, server)))
}
