//! What does `mimi usage` do?
//!
//! Prints the sums of the usage ledger as a table or as JSON. The ledger is on this machine and stays there.

use clap::{Args, ValueEnum};

use crate::base::clock::{Clock as _, SystemClock, format_duration, is_day, parse_duration};
use crate::base::fault::{Fault, Kind};
use crate::base::text::visible;
use crate::cli::context::Cx;
use crate::cli::output::Style;
use crate::telemetry::price::Prices;
use crate::telemetry::report::{self, By, Report, Since, Sum};

/// Show what requests to models took and cost
///
/// Counted on this machine, for you alone. Costs are shown when the configuration names `prices`.
#[derive(Debug, Args)]
pub struct UsageArgs {
    /// Add up by
    #[arg(long, value_enum, default_value_t = ByArg::Day)]
    by: ByArg,
    /// Count from this day or this long ago: `2026-01-31`, `7d`, `12h`
    #[arg(long, value_name = "WHEN", value_parser = parse_since)]
    since: Option<SinceArg>,
    /// Print a JSON array of the rows
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ByArg {
    /// Day
    Day,
    /// Model, with its provider
    Model,
    /// What it was for
    Task,
    /// Folder worked in
    Project,
}

impl From<ByArg> for By {
    fn from(by: ByArg) -> Self {
        match by {
            ByArg::Day => Self::Day,
            ByArg::Model => Self::Model,
            ByArg::Task => Self::Task,
            ByArg::Project => Self::Project,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum SinceArg {
    Day(String),
    Ago(u64),
}

fn parse_since(text: &str) -> Result<SinceArg, String> {
    if is_day(text) {
        return Ok(SinceArg::Day(text.to_owned()));
    }
    let ago = parse_duration(text).map(SinceArg::Ago);
    ago.ok_or_else(|| "write a day as `2026-01-31`, or how long ago as `7d` or `12h`".to_owned())
}

/// Runs `mimi usage`.
///
/// # Errors
/// The ledger cannot be opened or read.
pub fn run(cx: &Cx, args: &UsageArgs) -> Result<(), Fault> {
    let since = match &args.since {
        None => Since::Ever,
        Some(SinceArg::Day(day)) => Since::Day(day.clone()),
        Some(SinceArg::Ago(ago_ms)) => Since::Time(SystemClock.now_ms().saturating_sub(*ago_ms)),
    };
    let prices = Prices::new(cx.load()?.config.prices);
    let report = report::read(&cx.dirs.ledger_file(), args.by.into(), &since, &prices)?;
    if let Some(note) = &report.note {
        cx.out.note(format!("warning: {}", visible(note)));
    }
    if args.json {
        let rows = serde_json::to_string_pretty(&report.rows)
            .map_err(|error| Fault::new(Kind::Bug, "cannot write the rows as JSON").cause(error.to_string()))?;
        return cx.out.json(&rows);
    }
    if report.rows.is_empty() {
        let when = if args.since.is_some() { " since then" } else { " yet" };
        cx.out.note(format!("No requests{when}. What `mimi chat`, `run` and `fix` ask of models is counted here."));
        return Ok(());
    }
    print(cx, args.by, &report, !prices.is_empty())
}

fn print(cx: &Cx, by: ByArg, report: &Report, has_prices: bool) -> Result<(), Fault> {
    let name = By::from(by).name();
    let columns: Vec<&Column> = COLUMNS.iter().filter(|column| (column.is_shown)(&report.total, has_prices)).collect();
    let total = Sum { key: "total".to_owned(), ..report.total.clone() };
    let shown = report.rows.iter().chain((report.rows.len() > 1).then_some(&total));
    let mut rows = vec![head(name, &columns)];
    rows.extend(shown.map(|sum| cells(sum, &columns)));
    let width = |at: usize| rows.iter().map(|row| row[at].chars().count()).max().unwrap_or_default();
    let widths: Vec<usize> = (0..=columns.len()).map(width).collect();
    for (n, row) in rows.iter().enumerate() {
        let style = if n == 0 { Style::Bold } else { Style::Plain };
        cx.out.styled(style, line(row, &widths))?;
    }
    if !report.without_price.is_empty() {
        let names: Vec<_> = report.without_price.iter().map(|name| visible(name)).collect();
        cx.out.note(format!("Without a price, so not in the cost: {}.", names.join(", ")));
    }
    Ok(())
}

/// A column of numbers.
struct Column {
    title: &'static str,
    /// Whether it says anything, by the sum of all rows and whether there are prices.
    is_shown: fn(&Sum, bool) -> bool,
    cell: fn(&Sum) -> String,
}

const COLUMNS: &[Column] = &[
    Column { title: "requests", is_shown: |_, _| true, cell: |sum| sum.requests.to_string() },
    Column {
        title: "failed",
        is_shown: |total, _| total.answered < total.requests,
        cell: |sum| (sum.requests - sum.answered).to_string(),
    },
    Column { title: "retries", is_shown: |total, _| total.retries > 0, cell: |sum| sum.retries.to_string() },
    Column {
        title: "recovered",
        is_shown: |total, _| !total.recovered.is_empty(),
        cell: |sum| sum.recovered.values().sum::<u64>().to_string(),
    },
    Column { title: "tokens in", is_shown: |_, _| true, cell: |sum| tokens(sum.input_tokens) },
    Column { title: "cached", is_shown: |total, _| total.cached_tokens > 0, cell: cached_share },
    Column { title: "tokens out", is_shown: |_, _| true, cell: |sum| tokens(sum.output_tokens) },
    Column {
        title: "queue",
        is_shown: |total, _| total.queue_ms.is_some(),
        cell: |sum| sum.queue_ms.map_or_else(none, format_duration),
    },
    Column {
        title: "prefill",
        is_shown: |total, _| total.prefill_ms.is_some(),
        cell: |sum| sum.prefill_ms.map_or_else(none, format_duration),
    },
    Column {
        title: "first token",
        is_shown: |_, _| true,
        cell: |sum| sum.first_token_ms.map_or_else(none, format_duration),
    },
    Column {
        title: "tokens/s",
        is_shown: |_, _| true,
        cell: |sum| sum.tokens_per_second.map_or_else(none, |rate| format!("{rate:.0}")),
    },
    Column {
        title: "cost",
        is_shown: |_, has_prices| has_prices,
        cell: |sum| sum.cost.map_or_else(none, |cost| format!("{cost:.2}")),
    },
];

fn none() -> String {
    "-".to_owned()
}

fn head(name: &str, columns: &[&Column]) -> Vec<String> {
    std::iter::once(name).chain(columns.iter().map(|column| column.title)).map(str::to_owned).collect()
}

fn cells(sum: &Sum, columns: &[&Column]) -> Vec<String> {
    let key = visible(&sum.key).replace(['\n', '\t'], " ");
    std::iter::once(key).chain(columns.iter().map(|column| (column.cell)(sum))).collect()
}

/// Names stand to the left, numbers to the right.
fn line(row: &[String], widths: &[usize]) -> String {
    let cells = row.iter().zip(widths).enumerate();
    let padded =
        cells.map(|(at, (cell, &width))| if at == 0 { format!("{cell:<width$}") } else { format!("{cell:>width$}") });
    padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
}

fn cached_share(sum: &Sum) -> String {
    match sum.input_tokens {
        0 => none(),
        all => format!("{:.0}%", sum.cached_tokens.min(all) as f64 * 100.0 / all as f64),
    }
}

fn tokens(n: u64) -> String {
    match n {
        0..10_000 => n.to_string(),
        10_000..10_000_000 => format!("{:.0}k", n as f64 / 1e3),
        _ => format!("{:.1}M", n as f64 / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_times_ago_are_read_and_all_else_is_refused() {
        assert_eq!(parse_since("2026-01-31"), Ok(SinceArg::Day("2026-01-31".to_owned())));
        assert_eq!(parse_since("7d"), Ok(SinceArg::Ago(604_800_000)));
        for bad in ["2026-02-30", "yesterday", "", "7", "-7d", "2026-01-31T00:00:00Z"] {
            assert!(parse_since(bad).unwrap_err().contains("2026-01-31"), "{bad}");
        }
    }

    #[test]
    fn numbers_stay_short() {
        for (n, text) in [(0, "0"), (9999, "9999"), (10_000, "10k"), (1_234_567, "1235k"), (12_345_678, "12.3M")] {
            assert_eq!(tokens(n), text);
        }
    }
}
