//! How fast and how small is mimi, measured on the program that ships?
//!
//! `cargo bench` prints every figure beside its goal; words choose figures by name (`cargo bench -- turn memory`), and
//! `cargo bench -- --check` fails when a goal is missed. Figures come from whole runs of the binary against a scripted
//! model server in this process, so they hold what a user feels and nothing of a model's own time.
//! To add one: a function and a row in `FIGURES`.
#![allow(clippy::disallowed_methods, reason = "a bench sets up files and runs programs itself")]

mod memory;
mod prefix;
mod server;
mod startup;
mod turns;
mod user;

/// What a figure is measured in.
#[derive(Clone, Copy)]
enum Unit {
    Milliseconds,
    MiB,
    Bytes,
    Percent,
}

impl Unit {
    fn show(self, value: f64) -> String {
        match self {
            Self::Milliseconds => format!("{value:.2} ms"),
            Self::MiB => format!("{value:.1} MiB"),
            Self::Bytes => format!("{value:.0} B"),
            Self::Percent => format!("{value:.2} %"),
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
    /// Only worth watching.
    Watch,
}

impl Goal {
    fn is_met(self, value: f64) -> bool {
        match self {
            Self::Below(limit) => value < limit,
            Self::AtMost(limit) => value <= limit,
            Self::AtLeast(limit) => value >= limit,
            Self::Watch => true,
        }
    }

    fn show(self, unit: Unit) -> String {
        match self {
            Self::Below(limit) => format!("< {}", unit.show(limit)),
            Self::AtMost(limit) => format!("<= {}", unit.show(limit)),
            Self::AtLeast(limit) => format!(">= {}", unit.show(limit)),
            Self::Watch => "-".to_owned(),
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
    ("startup: size of the binary", Unit::MiB, Goal::Watch, startup::binary_size),
    ("turn: time added by a read call", Unit::Milliseconds, Goal::Below(10.0), turns::read_call),
    ("turn: time added by an edit call", Unit::Milliseconds, Goal::Below(10.0), turns::edit_call),
    ("memory: peak of a run of four turns", Unit::MiB, Goal::Below(25.0), memory::four_turns),
    ("memory: growth over 300 turns", Unit::MiB, Goal::Below(10.0), memory::growth),
    ("prefix: system prompt and tools", Unit::Bytes, Goal::AtMost(8000.0), prefix::size),
    ("prefix: shared by two users", Unit::Percent, Goal::AtLeast(98.0), prefix::shared),
];

fn main() -> std::process::ExitCode {
    // Cargo adds `--bench` to what the user typed.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let (flags, words): (Vec<String>, Vec<String>) = arguments.into_iter().partition(|word| word.starts_with('-'));
    let is_wanted = |name: &str| words.is_empty() || words.iter().any(|word| name.contains(word.as_str()));
    println!("{:<42} {:>12} {:>12}  ", "figure", "goal", "measured");
    let mut n_missed = 0;
    for (name, unit, goal, measure) in FIGURES.iter().filter(|row| is_wanted(row.0)) {
        let (shown, verdict, detail) = match measure() {
            Ok(found) => {
                let verdict = match goal {
                    Goal::Watch => "-",
                    _ if goal.is_met(found.value) => "ok",
                    _ => "MISSED",
                };
                (unit.show(found.value), verdict, found.detail)
            }
            Err(why) => ("-".to_owned(), "FAILED", why),
        };
        n_missed += usize::from(matches!(verdict, "MISSED" | "FAILED"));
        println!("{name:<42} {:>12} {shown:>12}  {verdict:<6}  {detail}", goal.show(*unit));
    }
    let fails = n_missed > 0 && flags.iter().any(|flag| flag == "--check");
    if fails { std::process::ExitCode::FAILURE } else { std::process::ExitCode::SUCCESS }
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
