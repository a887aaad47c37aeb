//! What does `mimi search` do?
//!
//! Finds the places of the project that answer a question, by meaning, word and name. No server is asked unless the
//! settings name one for vectors.

use clap::Args;

use crate::base::fault::{Fault, Kind};
use crate::base::text::{clip_line, nearest, one_line_name, shell_quoted, visible};
use crate::cli::commands::index::{open, settle};
use crate::cli::context::Cx;
use crate::index::engine::{Index, Settling};
use crate::index::language;
use crate::index::search::route::{self, Query};
use crate::index::search::snippet;
use crate::index::search::{Hit, Parts, Sides};
use crate::tui::look::Look;

/// Find code by what it does, by words or by names
///
/// The question may be a sentence, a name, a path, an error message or a stack trace. `path:TEXT`, `lang:NAME` and
/// `symbol:NAME` narrow it. The index is brought up to date first. Exit code 1 when nothing is found.
#[derive(Debug, Args)]
pub struct SearchArgs {
    /// What to find
    #[arg(required = true, value_name = "QUERY")]
    query: Vec<String>,
    /// Show at most so many places
    #[arg(short = 'n', long, default_value_t = 8, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=200))]
    limit: u16,
    /// Show at most so many lines of each place
    #[arg(long, default_value_t = 8, value_name = "N", value_parser = clap::value_parser!(u16).range(0..=200))]
    lines: u16,
    /// Say where each score comes from
    #[arg(long)]
    explain: bool,
    /// Print a JSON object
    #[arg(long)]
    json: bool,
}

/// Runs `mimi search`.
///
/// # Errors
/// The index cannot be made or read, or nothing is found.
pub fn run(cx: &Cx, args: &SearchArgs) -> Result<(), Fault> {
    let question = args.query.join(" ");
    let query = Query::parse(&question);
    check(cx, &query)?;
    let (index, config) = open(cx)?;
    let settled = settle(cx, &index, Settling::PLAIN.patience)?;
    if settled.updated.n_chunks > 0 {
        index.place().make_room(config.max_bytes());
    }
    let answer = index.ask(&query, usize::from(args.limit), Sides::All)?;
    let hits = &answer.hits;
    for note in &answer.notes {
        cx.out.note(format!("note: {}", visible(note)));
    }
    if args.json {
        let lines = |hit: &Hit| snippet::lines(&index.place().root, hit, &query.text, usize::from(args.lines));
        let text = |hit: &Hit| {
            lines(hit)
                .into_iter()
                .map(|(line, text)| serde_json::json!({"line": line, "text": text}))
                .collect::<Vec<_>>()
        };
        let hits: Vec<_> = hits.iter().map(|hit| serde_json::json!({"hit": hit, "lines": text(hit)})).collect();
        let notes: Vec<&String> = settled.notes.iter().chain(&answer.notes).collect();
        let (kind, meaning) = (query.kind.name(), &answer.meaning);
        let object =
            serde_json::json!({"query": question, "kind": kind, "meaning": meaning, "notes": notes, "hits": hits});
        cx.out.line(object.to_string())?;
    } else {
        for (n, hit) in hits.iter().enumerate() {
            if n > 0 && args.lines > 0 {
                cx.out.line("")?;
            }
            show(cx, &index, hit, &query, args)?;
        }
    }
    if hits.is_empty() { Err(nothing(&question, &query)) } else { Ok(()) }
}

/// Says what of a question is not as its writer meant it.
fn check(cx: &Cx, query: &Query) -> Result<(), Fault> {
    if query.is_cut {
        let n_bytes = route::MAX_BYTES;
        cx.out.note(format!("note: the question is very long; its first and last {} bytes count", n_bytes / 2));
    }
    if query.text.trim().is_empty() && !query.is_narrow() && query.unknown_languages.is_empty() {
        return Err(
            Fault::new(Kind::Usage, "the question is empty").hint("mimi search 'where are old entries removed'")
        );
    }
    let Some(unknown) = query.unknown_languages.first() else { return Ok(()) };
    let names = language::all().iter().map(language::Language::name);
    let fault = Fault::new(Kind::Usage, format!("no language is called `{}`", visible(unknown)));
    Err(match nearest(unknown, names.clone()) {
        Some(near) => fault.hint(format!("lang:{near}")),
        None => fault.hint(format!("lang: takes {}", names.collect::<Vec<_>>().join(", "))),
    })
}

fn nothing(question: &str, query: &Query) -> Fault {
    let shown = one_line_name(clip_line(question, 80).as_ref()).into_owned();
    let fault = Fault::new(Kind::Task, format!("nothing found for `{shown}`"));
    if query.text.is_empty() && query.is_narrow() {
        return fault.cause("there is no question beside what narrows it").hint("mimi search WORDS path:FOLDER");
    }
    if query.wants_definitions {
        return fault.hint(format!("mimi search {}", shell_quoted(&query.symbols.join(" "))));
    }
    // Without a server, words of other languages are found only where they stand.
    let is_foreign = query.text.chars().filter(|c| c.is_alphabetic()).any(|c| !c.is_ascii());
    let fault = if is_foreign { fault.hint("ask in English, or with a name from the code") } else { fault };
    fault.hint("mimi index --status")
}

fn show(cx: &Cx, index: &Index, hit: &Hit, query: &Query, args: &SearchArgs) -> Result<(), Fault> {
    let place = format!("{}:{}-{}", one_line_name(&hit.path), hit.line, hit.end_line);
    let mut spans = vec![(Look::Bold, place)];
    let names: Vec<&str> = std::iter::once(hit.scope.as_str())
        .chain(hit.names.iter().map(String::as_str).take(4))
        .filter(|name| !name.is_empty())
        .collect();
    if !names.is_empty() {
        spans.push((Look::Dim, format!("  {}", visible(&names.join(", ")))));
    }
    cx.out.spans(&spans)?;
    if args.explain {
        cx.out.styled(Look::Dim, format!("      {}", explained(hit, query)))?;
    }
    for (line, text) in snippet::lines(&index.place().root, hit, &query.text, usize::from(args.lines)) {
        cx.out.spans(&[
            (Look::Dim, format!("{line:>5} ")),
            (Look::Plain, visible(&text.replace('\t', "    ")).into_owned()),
        ])?;
    }
    Ok(())
}

fn explained(hit: &Hit, query: &Query) -> String {
    let Parts { words, vector, fused, share, definition, place, literal, coherence, path } = hit.parts;
    let mut told = format!(
        "{:.3} as {}: words {words:.2} ({:.0} % of the question), meaning {vector:.2}, together {fused:.3}",
        hit.score,
        query.kind.name(),
        share * 100.0
    );
    let added = [("file", coherence), ("literal", literal), ("definition", definition), ("place", place)];
    for (name, added) in added.into_iter().filter(|(_, added)| *added > 0.0) {
        told.push_str(&format!(", {name} +{added:.3}"));
    }
    told + &format!(", path x{path:.2}")
}
