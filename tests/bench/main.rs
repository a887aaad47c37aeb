//! How fast and how small is mimi, measured on the program that ships?
//!
//! `cargo bench` prints every figure beside its goal; words choose figures by name (`cargo bench -- turn memory`), and
//! `cargo bench -- --check` fails when a goal is missed. Figures come from whole runs of the binary against a scripted
//! model server in this process, so they hold what a user feels and nothing of a model's own time.
//! To add one: a function and a row in `FIGURES`.
#![allow(clippy::disallowed_methods, reason = "a bench sets up files and runs programs itself")]

mod boards;
mod chat;
mod checkpoint;
mod checks;
mod confined;
mod control;
mod edit;
mod fixing;
mod kept;
mod large_tree;
mod many;
mod memory;
mod prefix;
mod process;
mod reviewing;
mod run;
mod screen;
mod search;
mod secrets;
mod server;
mod startup;
mod stream;
mod terminal;
mod turns;
mod user;
mod vectors;

/// What a figure is measured in.
#[derive(Clone, Copy)]
enum Unit {
    Milliseconds,
    MiB,
    Bytes,
    Percent,
    PerSecond,
    MegabytesPerSecond,
}

impl Unit {
    fn show(self, value: f64) -> String {
        match self {
            Self::Milliseconds => format!("{value:.2} ms"),
            Self::MiB => format!("{value:.1} MiB"),
            Self::Bytes => format!("{value:.0} B"),
            Self::Percent => format!("{value:.2} %"),
            Self::PerSecond => format!("{value:.0} /s"),
            Self::MegabytesPerSecond => format!("{value:.0} MB/s"),
        }
    }
}

/// What a figure should be.
#[derive(Clone, Copy)]
enum Goal {
    /// Less than this.
    Below(f64),
    /// This or less.
    AtMost(f64),
    /// This or more.
    AtLeast(f64),
}

impl Goal {
    fn is_met(self, value: f64) -> bool {
        match self {
            Self::Below(limit) => value < limit,
            Self::AtMost(limit) => value <= limit,
            Self::AtLeast(limit) => value >= limit,
        }
    }

    fn show(self, unit: Unit) -> String {
        match self {
            Self::Below(limit) => format!("< {}", unit.show(limit)),
            Self::AtMost(limit) => format!("<= {}", unit.show(limit)),
            Self::AtLeast(limit) => format!(">= {}", unit.show(limit)),
        }
    }
}

/// A figure that was measured.
struct Measured {
    /// What the goal is held against.
    value: f64,
    /// Spread, counts, and whatever helps to read it.
    detail: String,
}

/// Measures one figure; the error says why it could not be.
type Measure = fn() -> Result<Measured, String>;

/// Every figure: its name, unit and goal, and how it is measured.
const FIGURES: &[(&str, Unit, Goal, Measure)] = &[
    ("startup: `mimi --version`", Unit::Milliseconds, Goal::Below(10.0), startup::time),
    ("startup: peak memory of `mimi --version`", Unit::MiB, Goal::Below(12.0), startup::peak),
    ("startup: size of the binary", Unit::MiB, Goal::AtMost(42.0), startup::binary_size),
    ("startup: `mimi chat` to its first screen", Unit::Milliseconds, Goal::Below(60.0), chat::start),
    ("startup: `mimi session list` of 1000", Unit::Milliseconds, Goal::Below(100.0), startup::list),
    ("run: read, edit, run, answer", Unit::Milliseconds, Goal::Below(100.0), run::wall),
    ("run: processor time", Unit::Milliseconds, Goal::Below(100.0), run::cpu),
    ("run: peak memory", Unit::MiB, Goal::Below(25.0), run::peak),
    ("turn: time added by a read call", Unit::Milliseconds, Goal::Below(10.0), turns::read_call),
    ("turn: time added by an edit call", Unit::Milliseconds, Goal::Below(10.0), turns::edit_call),
    ("edit: one place of a 1 MB file", Unit::Milliseconds, Goal::Below(10.0), edit::megabyte),
    ("edit: diffs of 200,000 changed lines", Unit::Milliseconds, Goal::Below(2000.0), edit::large_change),
    ("review: 5000 files, 200,000 lines shown", Unit::Milliseconds, Goal::Below(300.0), reviewing::large_change),
    ("turn: time added by a shell call", Unit::Milliseconds, Goal::Below(15.0), turns::shell_call),
    ("checkpoint: 50,000 files after a command", Unit::Milliseconds, Goal::Below(300.0), checkpoint::after_command),
    ("sandbox: time added by the full tier", Unit::Milliseconds, Goal::AtMost(15.0), confined::full),
    ("sandbox: time added by landlock", Unit::Milliseconds, Goal::AtMost(15.0), confined::landlock),
    ("kept: time to hand a record over", Unit::Milliseconds, Goal::Below(1.0), kept::record),
    ("kept: an answer found", Unit::Milliseconds, Goal::Below(5.0), kept::words),
    ("kept: a hundred vectors found", Unit::Milliseconds, Goal::Below(20.0), kept::vectors),
    ("memory: growth over 300 tool calls", Unit::MiB, Goal::Below(10.0), memory::growth),
    ("memory: growth over 300 prompts of a chat", Unit::MiB, Goal::Below(10.0), chat::growth),
    ("memory: growth over 10 GB of output", Unit::MiB, Goal::Below(32.0), confined::flood),
    ("idle: memory of a chat", Unit::MiB, Goal::Below(20.0), chat::alone),
    ("idle: memory of each of ten chats", Unit::MiB, Goal::Below(12.0), chat::among_ten),
    ("idle: wake-ups of a chat", Unit::PerSecond, Goal::Below(5.0), chat::idle),
    ("screen: processor time of 20,000 tokens", Unit::Milliseconds, Goal::Below(400.0), screen::flood_cpu),
    ("screen: bytes of 20,000 tokens", Unit::Bytes, Goal::Below(200_000.0), screen::flood_bytes),
    ("screen: share of a core at 100 tokens/s", Unit::Percent, Goal::Below(3.0), screen::slow_cpu),
    ("screen: bytes a token at 100 tokens/s", Unit::Bytes, Goal::Below(60.0), screen::slow_bytes),
    ("screen: the same line by line", Unit::Bytes, Goal::Below(10.0), screen::slow_bytes_inline),
    ("screen: a key after 10,000 messages", Unit::Milliseconds, Goal::Below(16.0), screen::key),
    ("screen: memory of 10,000 messages", Unit::MiB, Goal::Below(80.0), screen::memory_of_long),
    ("screen: the list of 1000 sessions", Unit::Milliseconds, Goal::Below(100.0), boards::sessions),
    ("screen: words in 1000 sessions", Unit::Milliseconds, Goal::Below(300.0), boards::search),
    ("screen: the list of checkpoints", Unit::Milliseconds, Goal::Below(100.0), boards::checkpoints),
    ("screen: panels beside a chat", Unit::Milliseconds, Goal::Below(50.0), boards::panels),
    ("prefix: system prompt and tools", Unit::Bytes, Goal::AtMost(9000.0), prefix::size),
    ("prefix: first request", Unit::Bytes, Goal::AtMost(10_000.0), prefix::request),
    ("prefix: shared by two users", Unit::Percent, Goal::AtLeast(98.0), prefix::shared),
    ("fix: time added by mimi per round", Unit::Milliseconds, Goal::Below(150.0), fixing::round),
    ("fix: 100 MB of a check's output", Unit::Milliseconds, Goal::Below(1000.0), checks::reading),
    ("index: files a second, from nothing", Unit::PerSecond, Goal::AtLeast(1000.0), search::cold),
    ("index: 10,000 files, two processors", Unit::Milliseconds, Goal::AtMost(10_000.0), search::cold_cpu),
    ("index: database beside the sources", Unit::Percent, Goal::AtMost(70.0), search::size),
    ("search: a question, 70,000 pieces", Unit::Milliseconds, Goal::AtMost(10.0), search::query),
    ("search: 95 of 100 questions", Unit::Milliseconds, Goal::AtMost(30.0), search::query_slow),
    ("search: `mimi search`, nothing changed", Unit::Milliseconds, Goal::AtMost(60.0), search::command),
    ("search: more for an edited file", Unit::Milliseconds, Goal::AtMost(30.0), search::edited),
    ("search: a question, 500,000 pieces", Unit::Milliseconds, Goal::AtMost(25.0), many::query),
    ("search: 95 of 100 questions, 500,000", Unit::Milliseconds, Goal::AtMost(60.0), many::query_slow),
    ("search: memory with 500,000 pieces", Unit::MiB, Goal::Below(80.0), many::peak),
    ("large tree: files a second, 200,000", Unit::PerSecond, Goal::AtLeast(1000.0), large_tree::indexing),
    ("large tree: a search, nothing changed", Unit::Milliseconds, Goal::Below(1000.0), large_tree::search),
    ("large tree: memory of a search", Unit::MiB, Goal::Below(80.0), large_tree::peak),
    ("vectors: recall@10 of 500,000 x 768", Unit::Percent, Goal::AtLeast(98.0), vectors::recall),
    ("vectors: the nearest of 500,000 x 768", Unit::Milliseconds, Goal::AtMost(10.0), vectors::nearest),
    ("stream: decoder", Unit::MegabytesPerSecond, Goal::AtLeast(200.0), stream::decoder),
    ("stream: Ollama's answers", Unit::MegabytesPerSecond, Goal::AtLeast(200.0), stream::ollama),
    ("stream: recovery of 1000 tokens", Unit::Milliseconds, Goal::Below(1.0), stream::recovery),
    ("prompt: breaking up control strings", Unit::MegabytesPerSecond, Goal::AtLeast(100.0), control::breaking_up),
    ("prompt: finding secrets", Unit::MegabytesPerSecond, Goal::AtLeast(100.0), secrets::finding),
    ("stream: processor time of 20,000 tokens", Unit::Milliseconds, Goal::Below(1000.0), stream::long_answer),
];

fn main() -> std::process::ExitCode {
    // Cargo adds `--bench` to what the user typed.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    if let [word, folder] = arguments.as_slice()
        && word == many::CHILD
    {
        let asked = many::child(std::path::Path::new(folder));
        return asked.map_or_else(|why| fail(&why), |()| std::process::ExitCode::SUCCESS);
    }
    let (flags, words): (Vec<String>, Vec<String>) = arguments.into_iter().partition(|word| word.starts_with('-'));
    let is_wanted = |name: &str| words.is_empty() || words.iter().any(|word| name.contains(word.as_str()));
    println!("{:<42} {:>12} {:>12}  ", "figure", "goal", "measured");
    let mut n_missed = 0;
    for (name, unit, goal, measure) in FIGURES.iter().filter(|row| is_wanted(row.0)) {
        let (shown, verdict, detail) = match measure() {
            Ok(found) => {
                let verdict = if goal.is_met(found.value) { "ok" } else { "MISSED" };
                (unit.show(found.value), verdict, found.detail)
            }
            Err(why) => ("-".to_owned(), "FAILED", why),
        };
        n_missed += usize::from(matches!(verdict, "MISSED" | "FAILED"));
        println!("{name:<42} {:>12} {shown:>12}  {verdict:<6}  {detail}", goal.show(*unit));
    }
    search::tidy_up();
    many::tidy_up();
    let fails = n_missed > 0 && flags.iter().any(|flag| flag == "--check");
    if fails { std::process::ExitCode::FAILURE } else { std::process::ExitCode::SUCCESS }
}

fn fail(why: &str) -> std::process::ExitCode {
    eprintln!("error: {why}");
    std::process::ExitCode::FAILURE
}

/// Sorts samples and returns their median, and a note with the other percentiles.
fn spread(mut samples: Vec<f64>, unit: Unit) -> Result<Measured, String> {
    samples.sort_by(f64::total_cmp);
    let at = |percent: usize| samples.get((samples.len().saturating_sub(1) * percent).div_ceil(100)).copied();
    let (Some(median), Some(p95), Some(most)) = (at(50), at(95), at(100)) else {
        return Err("nothing was measured".to_owned());
    };
    let detail = format!("median of {}; p95 {}, max {}", samples.len(), unit.show(p95), unit.show(most));
    Ok(Measured { value: median, detail })
}
