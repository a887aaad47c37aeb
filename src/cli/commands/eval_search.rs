//! What do `mimi eval search` and `mimi eval questions` do?
//!
//! They let anyone measure what a change of the search is worth: figures of each part of it on questions with known answers,
//! differences with the interval of chance, and question sets made from the doc comments of any project. No model is asked.

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::base::fault::{Fault, Kind};
use crate::base::text::{count, visible};
use crate::cli::commands::eval::Scratch;
use crate::cli::context::Cx;
use crate::index::eval::build;
use crate::index::eval::compare::{Difference, compare};
use crate::index::eval::figures::{Answer, FIGURES, mean, median_tokens};
use crate::index::eval::question;
use crate::index::eval::run::{self, Asking, Measured, Part, Results, VERSION};
use crate::index::search::rank::{self, Weights};
use crate::tui::look::Look;

/// The name of the row of all kinds.
const ALL: &str = "all";

/// A part of the search.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum PartArg {
    /// A plain full-text search over whole words, for comparison
    WholeWords,
    /// Words and parts of words
    Words,
    /// Vectors alone
    Vectors,
    /// Words and vectors, without the rules of ranking
    Fused,
    /// Everything, as `mimi search` does it
    Ranked,
    /// All of these, one after the other
    All,
}

impl PartArg {
    fn parts(self) -> Vec<Part> {
        match self {
            Self::WholeWords => vec![Part::WholeWords],
            Self::Words => vec![Part::Words],
            Self::Vectors => vec![Part::Vectors],
            Self::Fused => vec![Part::Fused],
            Self::Ranked => vec![Part::Ranked],
            Self::All => Part::ALL.to_vec(),
        }
    }
}

/// Measure how well a search answers a file of questions
///
/// A line of the file: {"question": "...", "relevant": ["src/a.rs", "src/b.rs:10-20"], "kind": "..."}. Questions from doc
/// comments say "without_docs": true and are asked of a copy of the project without any. Exit code 1 when `--compare` finds
/// a part in all likelihood worse.
#[derive(Debug, clap::Args)]
pub struct EvalSearchArgs {
    /// File of questions, a JSON object a line
    #[arg(value_hint = clap::ValueHint::FilePath)]
    file: PathBuf,
    /// The project that is asked, instead of this one
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    repo: Option<PathBuf>,
    /// Ask this part of the search; may be repeated
    #[arg(long = "part", value_name = "PART", value_enum, default_value = "ranked")]
    parts: Vec<PartArg>,
    /// Rank with the weights of this file instead of those of config/ranking.yaml
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    weights: Option<PathBuf>,
    /// Compare with an earlier result, as `--json` prints it
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    compare: Option<PathBuf>,
    /// Print the result as one JSON value
    #[arg(long)]
    json: bool,
}

/// Make questions for `mimi eval search` from the doc comments of a project
///
/// The first sentence of a doc comment asks for its function, type or file. Left out: fewer than 5 or more than 40 words,
/// what stands there twice, licences, tests, vendored code.
#[derive(Debug, clap::Args)]
pub struct QuestionsArgs {
    /// The project, instead of this one
    #[arg(value_hint = clap::ValueHint::DirPath)]
    folder: Option<PathBuf>,
    /// At most so many, always the same choice
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    limit: Option<u32>,
}

/// Runs `mimi eval questions`.
///
/// # Errors
/// The project cannot be read, or has no doc comment to ask.
pub fn questions(cx: &Cx, args: &QuestionsArgs) -> Result<(), Fault> {
    let root = root(cx, args.folder.as_deref())?;
    let questions = build::build(&root, args.limit.map(|limit| limit as usize))?;
    if questions.is_empty() {
        let message = format!("no doc comment of `{}` makes a question", visible(&root.display().to_string()));
        return Err(Fault::new(Kind::Task, message).hint("mimi eval questions DIR"));
    }
    questions.iter().try_for_each(|question| cx.out.line(encoded(question)?))?;
    cx.out.note(format!("{}; mimi eval search FILE asks them", count(questions.len(), "question")));
    Ok(())
}

/// Runs `mimi eval search`.
///
/// # Errors
/// A file cannot be read, the index cannot be made, or something got worse.
pub fn run(cx: &Cx, args: &EvalSearchArgs) -> Result<(), Fault> {
    let questions = question::read(&args.file)?;
    let before = args.compare.as_deref().map(read_results).transpose()?;
    let own = args.weights.as_deref().map(read_weights).transpose()?;
    let weights = match &own {
        Some(weights) => weights,
        None => rank::weights()?,
    };
    let root = root(cx, args.repo.as_deref())?;
    let scratch = Scratch::new()?;
    let mut parts: Vec<Part> = args.parts.iter().flat_map(|part| part.parts()).collect();
    parts.sort();
    parts.dedup();
    let begun = Instant::now();
    let is_shown = Cell::new(false);
    let progress = |n: usize, all: usize| {
        if is_shown.get() || begun.elapsed() > Duration::from_millis(300) {
            is_shown.set(true);
            cx.out.progress(n as u64, all as u64, "questions");
        }
    };
    let asking =
        Asking { cache: &cx.dirs.cache, root: &root, scratch: &scratch.0, weights, parts: &parts, progress: &progress };
    let run = run::run(&asking, &questions);
    cx.out.idle();
    let run = run?;
    run.notes.iter().for_each(|note| cx.out.note(format!("note: {}", visible(note))));
    let results = run.results;
    let compared: Vec<(Part, Vec<Difference>)> = before.iter().flat_map(|before| against(before, &results)).collect();
    if before.is_some() && compared.iter().all(|(_, differences)| differences.is_empty()) {
        return Err(Fault::new(Kind::Usage, "the earlier result has no question and part in common with this one"));
    }
    if args.json {
        cx.out.line(json(&results, &compared)?)?;
    } else {
        table(cx, &results)?;
        told(cx, &results, &compared)?;
    }
    let is_worse = |row: &&(Part, Vec<Difference>)| row.1.iter().any(|d| d.figure == "ndcg_10" && d.is_worse());
    match compared.iter().filter(is_worse).count() {
        0 => Ok(()),
        n => Err(Fault::new(Kind::Task, format!("{} got worse", count(n, "part")))),
    }
}

fn root(cx: &Cx, given: Option<&Path>) -> Result<PathBuf, Fault> {
    let folder = given.unwrap_or(&cx.workspace_root);
    let failed = |error| Fault::io(Kind::Usage, format!("cannot read the folder `{}`", folder.display()), &error);
    let root = folder.canonicalize().map_err(failed)?;
    std::fs::read_dir(&root).map_err(failed)?;
    Ok(root)
}

fn against(before: &Results, now: &Results) -> Vec<(Part, Vec<Difference>)> {
    let earlier = |part: Part| before.parts.iter().find(|earlier| earlier.part == part);
    let of = |now: &Measured| Some((now.part, compare(&earlier(now.part)?.answers, &now.answers)));
    now.parts.iter().filter_map(of).collect()
}

/// The kinds of questions, each once, in the order of their names; nothing where there is only one.
fn kinds(answers: &[Answer]) -> Vec<&str> {
    let mut kinds: Vec<&str> = answers.iter().map(|answer| answer.kind.as_str()).collect();
    kinds.sort_unstable();
    kinds.dedup();
    if kinds.len() > 1 { kinds } else { Vec::new() }
}

fn table(cx: &Cx, results: &Results) -> Result<(), Fault> {
    let names: Vec<String> = FIGURES.iter().map(|(name, ..)| format!("{name:>8}")).collect();
    cx.out
        .styled(Look::Bold, format!("{:<12} {:<10} {:>6} {} {:>7}", "part", "kind", "n", names.concat(), "tokens"))?;
    for Measured { part, answers } in &results.parts {
        for kind in std::iter::once(ALL).chain(kinds(answers)) {
            let of = || answers.iter().filter(move |answer| kind == ALL || answer.kind == kind);
            let cells: Vec<String> = FIGURES.iter().map(|(_, _, pick)| format!("{:>8.3}", mean(of(), *pick))).collect();
            let tokens = median_tokens(of()).map_or_else(|| "-".to_owned(), |tokens| tokens.to_string());
            let look = if kind == ALL { Look::Plain } else { Look::Dim };
            let kind = visible(kind);
            let n = of().count();
            let cells = cells.concat();
            cx.out.styled(look, format!("{:<12} {kind:<10} {n:>6} {cells} {tokens:>7}", part.name()))?;
        }
    }
    Ok(())
}

/// Says how the parts differ from each other, and from before.
fn told(cx: &Cx, results: &Results, compared: &[(Part, Vec<Difference>)]) -> Result<(), Fault> {
    for pair in results.parts.windows(2) {
        let differences = compare(&pair[0].answers, &pair[1].answers);
        line(cx, &format!("{} less {}", pair[1].part.name(), pair[0].part.name()), &differences)?;
    }
    compared.iter().try_for_each(|(part, differences)| line(cx, &format!("{} less before", part.name()), differences))
}

fn line(cx: &Cx, what: &str, differences: &[Difference]) -> Result<(), Fault> {
    let name = |figure: &str| FIGURES.iter().find(|row| row.1 == figure).map_or("", |row| row.0);
    let shown = differences.iter().filter(|difference| ["recall_10", "mrr", "ndcg_10"].contains(&difference.figure));
    let cells: Vec<String> =
        shown.map(|d| format!("{} {:+.3} [{:+.3}, {:+.3}]", name(d.figure), d.mean, d.low, d.high)).collect();
    let look = if differences.iter().any(Difference::is_worse) { Look::Bad } else { Look::Plain };
    cx.out.styled(look, format!("{what}: {}", cells.join("  ")))
}

fn encoded(value: &impl serde::Serialize) -> Result<String, Fault> {
    serde_json::to_string(value)
        .map_err(|error| Fault::new(Kind::Bug, "cannot write the result as JSON").cause(error.to_string()))
}

fn json(results: &Results, compared: &[(Part, Vec<Difference>)]) -> Result<String, Fault> {
    let figures = |answers: &[Answer], kind: &str| {
        let of = || answers.iter().filter(|answer| kind == ALL || answer.kind == kind);
        let means = FIGURES.iter().map(|(_, name, pick)| ((*name).to_owned(), mean(of(), *pick).into()));
        let mut object: serde_json::Map<String, serde_json::Value> = means.collect();
        object.insert("n".to_owned(), of().count().into());
        object.insert("median_tokens".to_owned(), median_tokens(of()).into());
        serde_json::Value::Object(object)
    };
    let bug =
        |error: serde_json::Error| Fault::new(Kind::Bug, "cannot write the result as JSON").cause(error.to_string());
    let mut value = serde_json::to_value(results).map_err(bug)?;
    for (at, Measured { answers, .. }) in results.parts.iter().enumerate() {
        let by_kind = kinds(answers).into_iter().map(|kind| (kind.to_owned(), figures(answers, kind)));
        value["parts"][at]["kinds"] = serde_json::Value::Object(by_kind.collect());
        value["parts"][at]["figures"] = figures(answers, ALL);
    }
    if !compared.is_empty() {
        let parts = compared
            .iter()
            .map(|(part, differences)| serde_json::json!({"part": part.name(), "differences": differences}));
        value["compared"] = parts.collect();
    }
    encoded(&value)
}

fn read_results(path: &Path) -> Result<Results, Fault> {
    let name = visible(&path.display().to_string()).into_owned();
    let hint = "mimi eval search FILE --json > BEFORE makes one";
    let text = std::fs::read_to_string(path)
        .map_err(|error| Fault::io(Kind::Usage, format!("cannot read the result `{name}`"), &error))?;
    let results: Results = serde_json::from_str(&text).map_err(|error| {
        let message = format!("`{name}` is no result of mimi eval search");
        Fault::new(Kind::Usage, message).cause(error.to_string()).hint(hint)
    })?;
    if results.v > VERSION {
        let mimi = visible(&results.mimi).into_owned();
        return Err(Fault::new(Kind::Config, format!("`{name}` was made by a later mimi ({mimi})")).hint(hint));
    }
    Ok(results)
}

fn read_weights(path: &Path) -> Result<Weights, Fault> {
    let name = visible(&path.display().to_string()).into_owned();
    let text = std::fs::read_to_string(path)
        .map_err(|error| Fault::io(Kind::Usage, format!("cannot read the weights `{name}`"), &error))?;
    Weights::read(&text).map_err(|why| Fault::new(Kind::Usage, format!("`{name}` are no weights")).cause(why))
}
