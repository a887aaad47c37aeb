//! How fast is a stream read, and what does a fast one cost?

use std::time::Instant;

use mimi::model::providers::exchange::Reading as _;
use mimi::model::providers::ollama::reader::Reader;
use mimi::model::providers::status::Origin;
use mimi::model::recover::trial::{Chunks, play};
use mimi::model::sse::Decoder;
use mimi::model::{Finish, StreamEvent};
use mimi::tools::registry::Registry;

use crate::process::cpu_of_ended;
use crate::server::{Server, Turn};
use crate::user::User;
use crate::{Measured, Unit, spread};

/// Bytes that are decoded, and the size of the pieces in which they come, as from a socket.
const N_BYTES: usize = 32 * 1024 * 1024;
const PIECE_BYTES: usize = 8 * 1024;
const N_RUNS: usize = 5;
/// Tokens of a long answer.
const N_TOKENS: usize = 20_000;

/// Measures how many bytes a second the decoder of event streams takes.
pub fn decoder() -> Result<Measured, String> {
    let event = "data: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,\"model\":\"m\",\
                 \"choices\":[{\"index\":0,\"delta\":{\"content\":\" token\"},\"finish_reason\":null}]}\n\n";
    let stream = event.repeat(N_BYTES / event.len());
    let n_events = stream.len() / event.len();
    let mut rates = Vec::new();
    for _ in 0..N_RUNS {
        let (mut decoder, mut n_seen) = (Decoder::default(), 0);
        let started = Instant::now();
        for piece in stream.as_bytes().chunks(PIECE_BYTES) {
            decoder
                .feed(piece, |event| n_seen += usize::from(!event.data.is_empty()))
                .map_err(|error| error.to_string())?;
        }
        rates.push(stream.len() as f64 / 1e6 / started.elapsed().as_secs_f64());
        if n_seen != n_events {
            return Err(format!("{n_seen} events instead of {n_events}"));
        }
    }
    spread(rates, Unit::MegabytesPerSecond)
}

/// Measures how many bytes a second of an Ollama's answer are read: lines, JSON and events, as every token brings one.
pub fn ollama() -> Result<Measured, String> {
    let line = "{\"model\":\"qwen3-coder:30b\",\"created_at\":\"2026-08-30T10:00:00.000000001Z\",\
                \"message\":{\"role\":\"assistant\",\"content\":\" token\"},\"done\":false}\n";
    let stream = line.repeat(N_BYTES / line.len());
    let mut rates = Vec::new();
    for _ in 0..N_RUNS {
        let (mut reader, mut events, mut n_seen) = (Reader::new(Origin::default()), Vec::new(), 0);
        let started = Instant::now();
        for piece in stream.as_bytes().chunks(PIECE_BYTES) {
            reader.feed(piece, &mut events).map_err(|error| error.to_string())?;
            n_seen += events.len();
            events.clear();
        }
        rates.push(stream.len() as f64 / 1e6 / started.elapsed().as_secs_f64());
        if n_seen != stream.len() / line.len() {
            return Err(format!("{n_seen} events"));
        }
    }
    spread(rates, Unit::MegabytesPerSecond)
}

/// Measures what recovery adds to a thousand tokens of words, of code, or of calls, whichever is slowest.
pub fn recovery() -> Result<Measured, String> {
    let tools = Registry::new().specs(usize::MAX);
    let words =
        "The parser reads a line, and a < b is checked first: `start` is one too large. See the log.\n".repeat(48);
    let code =
        "```rust\n    if a[i] < b { return Some(vec![x, y]); } // <T>\n    let s = \"{}\";\n```\n{\n[x]\n".repeat(55);
    let call = "<function=search>\n<parameter=pattern>\nfn main\n</parameter>\n</function>\n</tool_call>\n".repeat(50);
    let mut slowest = 0.0_f64;
    let mut details = Vec::new();
    for (name, text) in [("words", words), ("code", code), ("calls", call)] {
        let pieces: Vec<&str> = Chunks::Each(4).cut(&text).into_iter().take(1000).collect();
        let events: Vec<StreamEvent> = pieces.iter().map(|piece| StreamEvent::Text((*piece).to_owned())).collect();
        let mut samples = Vec::new();
        for _ in 0..101 {
            let (tools, events) = (tools.clone(), events.clone());
            let started = Instant::now();
            let outcome = play(tools, events, Finish::Stop);
            samples.push(started.elapsed().as_secs_f64() * 1000.0);
            if name == "calls" && outcome.answer.tool_calls.len() < 40 {
                return Err(format!("{} calls", outcome.answer.tool_calls.len()));
            }
        }
        samples.sort_by(f64::total_cmp);
        details.push(format!("{name} {:.3} ms", samples[50]));
        slowest = slowest.max(samples[50]);
    }
    Ok(Measured { value: slowest, detail: details.join(", ") })
}

/// Measures the processor time of a run whose answer has many tokens, each an event, as fast as the server sends them.
pub fn long_answer() -> Result<Measured, String> {
    let user = User::new("ada", "project").map_err(|error| error.to_string())?;
    let server = Server::start(|_| Turn::Tokens(N_TOKENS)).map_err(|error| error.to_string())?;
    let before = cpu_of_ended();
    let ended = user.run_task(&server.url, "say much", |_| {}).map_err(|error| error.to_string())?;
    let spent = cpu_of_ended().zip(before).map(|(after, before)| after.saturating_sub(before)).ok_or("no /proc")?;
    if !ended.is_success {
        return Err(ended.stderr);
    }
    let detail = format!("wall {:.0} ms", ended.wall.as_secs_f64() * 1000.0);
    Ok(Measured { value: spent.as_secs_f64() * 1000.0, detail })
}
