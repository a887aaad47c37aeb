//! How well does a model do on a folder of tasks?

use std::path::{Path, PathBuf};

use futures_util::StreamExt as _;

use crate::base::clock::{Clock as _, SystemClock, format_duration, new_id};
use crate::base::fault::{Fault, Kind};
use crate::base::path::{create_private_dir, remove_tree};
use crate::base::text::{count, visible};
use crate::cli::SandboxArg;
use crate::cli::commands::eval_search;
use crate::cli::context::{Cx, block_on};
use crate::cli::signal::{Signals, Stop};
use crate::exec::run::Runner;
use crate::strategy::eval::compare::{Comparison, compare};
use crate::strategy::eval::run::{self, Workshop};
use crate::strategy::eval::task::{self, Task};
use crate::strategy::eval::{Ending, Results, TaskResult, VERSION};
use crate::tui::look::Look;

/// Tasks worked on at once; more would make a table nobody can compare.
const MAX_JOBS: u64 = 64;

/// What is measured instead of a model.
#[derive(Debug, clap::Subcommand)]
pub enum Measure {
    /// Measure how well a search answers a file of questions
    Search(eval_search::EvalSearchArgs),
    /// Make questions for `mimi eval search` from the doc comments of a project
    Questions(eval_search::QuestionsArgs),
}

/// Arguments of `mimi eval`.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct EvalArgs {
    /// What is measured; without it a model.
    #[command(subcommand)]
    pub measure: Option<Measure>,
    /// Folder of the tasks, each a folder with a `task.yaml`; or one task
    #[arg(value_hint = clap::ValueHint::DirPath, required = true)]
    pub folder: Option<PathBuf>,
    /// Only this task; may be repeated
    #[arg(long = "task", value_name = "NAME")]
    pub tasks: Vec<String>,
    /// Let the scripts of the tasks play the model, to see whether tasks and tools work
    #[arg(long)]
    pub script: bool,
    /// Compare with an earlier result, as `--json` prints it
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub compare: Option<PathBuf>,
    /// Work on so many tasks at once
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=MAX_JOBS))]
    pub jobs: u64,
    /// Record each run to a file in this folder, for `mimi replay`
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub record: Option<PathBuf>,
    /// Confine commands this way instead of the best that works here
    #[arg(long, value_name = "TIER", value_enum)]
    pub sandbox: Option<SandboxArg>,
    /// Print the result as one JSON value
    #[arg(long)]
    pub json: bool,
}

/// Works on the tasks, or measures what was named instead.
pub fn run(cx: &Cx, args: &EvalArgs) -> Result<(), Fault> {
    match (&args.measure, &args.folder) {
        (Some(Measure::Search(args)), _) => eval_search::run(cx, args),
        (Some(Measure::Questions(args)), _) => eval_search::questions(cx, args),
        (None, Some(folder)) => tasks(cx, args, folder),
        (None, None) => Err(Fault::new(Kind::Usage, "no folder of tasks is named").hint("mimi eval DIR")),
    }
}

fn tasks(cx: &Cx, args: &EvalArgs, folder: &Path) -> Result<(), Fault> {
    if args.script && cx.global.model.is_some() {
        return Err(Fault::new(
            Kind::Usage,
            "`--script` and `--model` exclude each other: one of them plays the model",
        ));
    }
    let before = args.compare.as_deref().map(read_results).transpose()?;
    let tasks = task::choose(task::read_all(folder)?, &args.tasks)?;
    let scratch = Scratch::new()?;
    let workshop = workshop(cx, args, &scratch.0)?;
    if args.script {
        cx.out.note("the model's words come from the tasks' scripts; the tools, the edits and the checks are real");
    }
    let (tasks, stop) = block_on(work(cx, args, &workshop, &tasks))?;
    cx.out.idle();
    let model = cx.global.model.clone();
    let results = Results {
        v: VERSION,
        mimi: env!("CARGO_PKG_VERSION").to_owned(),
        at_ms: SystemClock.now_ms(),
        model,
        is_scripted: args.script,
        tasks,
    };
    let compared = before.as_ref().map(|before| compare(before, &results));
    if args.json {
        cx.out.line(json(&results, compared.as_ref())?)?;
    } else {
        table(cx, &results)?;
        if let Some(compared) = &compared {
            comparison(cx, compared)?;
        }
    }
    match stop {
        Some(stop) => Err(stop.fault()),
        None => verdict(&results, compared.as_ref()),
    }
}

fn workshop(cx: &Cx, args: &EvalArgs, scratch: &Path) -> Result<Workshop, Fault> {
    let program =
        std::env::current_exe().map_err(|error| Fault::io(Kind::Bug, "cannot find the mimi binary itself", &error))?;
    let record = args.record.as_ref().map(|folder| {
        let made = create_private_dir(folder).and_then(|()| folder.canonicalize());
        made.map_err(|error| Fault::io(Kind::Usage, format!("cannot record to `{}`", folder.display()), &error))
    });
    Ok(Workshop {
        runner: Runner::new(program.clone(), cx.env.texts().collect()),
        program,
        scratch: scratch.to_path_buf(),
        is_scripted: args.script,
        model: cx.global.model.clone(),
        sandbox: args.sandbox.map(|tier| tier.name().to_owned()),
        set: cx.global.set.clone(),
        record: record.transpose()?,
    })
}

/// Works on all tasks, in their order unless several are worked on at once. A signal ends it with what there is so far.
async fn work(
    cx: &Cx,
    args: &EvalArgs,
    workshop: &Workshop,
    tasks: &[Task],
) -> Result<(Vec<TaskResult>, Option<Stop>), Fault> {
    let mut signals = Signals::listen()?;
    let mut results: Vec<Option<TaskResult>> = vec![None; tasks.len()];
    let mut stop = None;
    {
        let runs = futures_util::stream::iter(tasks.iter().enumerate().map(|(at, task)| one(cx, workshop, (at, task))));
        let mut runs = std::pin::pin!(runs.buffer_unordered(args.jobs as usize));
        loop {
            tokio::select! {
                done = runs.next() => match done {
                    Some((at, result)) => {
                        tell(cx, &result);
                        results[at] = Some(result);
                    }
                    None => break,
                },
                signal = signals.next() => {
                    stop = Some(signal);
                    break;
                }
            }
        }
    }
    let missing = |task: &Task| run::ended(task, Ending::Interrupted, None);
    let results = results.into_iter().zip(tasks).map(|(result, task)| result.unwrap_or_else(|| missing(task)));
    Ok((results.collect(), stop))
}

async fn one(cx: &Cx, workshop: &Workshop, (at, task): (usize, &Task)) -> (usize, TaskResult) {
    cx.out.busy(&format!("working on {}", task.name));
    (at, run::run(workshop, task).await)
}

fn tell(cx: &Cx, result: &TaskResult) {
    cx.out.idle();
    let why = result.why.as_ref().map(|why| format!(": {}", visible(why))).unwrap_or_default();
    let time = format_duration(result.counts.total_ms);
    cx.out.note_styled(style(result.ending), format!("{} {}{why} ({time})", result.name, result.ending.word()));
}

fn style(ending: Ending) -> Look {
    match ending {
        Ending::Fixed => Look::Good,
        Ending::Skipped | Ending::Interrupted => Look::Dim,
        _ => Look::Bad,
    }
}

/// The heads of the table's columns, and whether numbers stand in them.
const COLUMNS: [(&str, bool); 11] = [
    ("task", false),
    ("language", false),
    ("result", false),
    ("rounds", true),
    ("requests", true),
    ("tokens", true),
    ("time", true),
    ("own/round", true),
    ("recovered", true),
    ("refused", true),
    ("code", true),
];

fn row(task: &TaskResult) -> [String; 11] {
    let counts = &task.counts;
    let number = |n: u64| if task.ending.is_void() { "-".to_owned() } else { n.to_string() };
    let time = |ms: u64| if task.ending.is_void() { "-".to_owned() } else { format_duration(ms) };
    [
        visible(&task.name).into_owned(),
        visible(&task.language).into_owned(),
        task.ending.word().to_owned(),
        number(counts.rounds),
        number(counts.requests),
        number(counts.tokens()),
        time(counts.total_ms),
        time(counts.own_ms_per_round()),
        number(counts.recovered),
        number(counts.edits_refused),
        task.exit_code.map_or_else(|| "-".to_owned(), |code| code.to_string()),
    ]
}

fn table(cx: &Cx, results: &Results) -> Result<(), Fault> {
    let heads = COLUMNS.map(|(head, _)| head.to_owned());
    let rows: Vec<[String; 11]> = results.tasks.iter().map(row).collect();
    let width = |at: usize| std::iter::once(&heads).chain(&rows).map(|row| row[at].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..COLUMNS.len()).map(width).collect();
    let line = |row: &[String; 11]| {
        let cell = |(at, text): (usize, &String)| {
            let width = widths[at];
            if COLUMNS[at].1 { format!("{text:>width$}") } else { format!("{text:<width$}") }
        };
        row.iter().enumerate().map(cell).collect::<Vec<_>>().join("  ")
    };
    cx.out.styled(Look::Bold, line(&heads).trim_end())?;
    for (task, row) in results.tasks.iter().zip(&rows) {
        cx.out.styled(style(task.ending), line(row).trim_end())?;
    }
    let (fixed, told) = (results.count(Ending::Fixed), results.n_told());
    let void = results.tasks.len() - told;
    let rest = if void > 0 { format!(", {void} not run") } else { String::new() };
    let by = if results.is_scripted { " by the scripts" } else { "" };
    cx.out.line(format!("{fixed} of {told} fixed{by}{rest}"))
}

fn comparison(cx: &Cx, compared: &Comparison) -> Result<(), Fault> {
    let parts = [
        ("worse", Look::Bad, &compared.worse),
        ("better", Look::Good, &compared.better),
        ("other numbers", Look::Plain, &compared.numbers),
        ("not compared", Look::Dim, &compared.alone),
    ];
    for (name, style, lines) in parts {
        for line in lines {
            cx.out.styled(style, format!("{name}: {}", visible(line)))?;
        }
    }
    if *compared == Comparison::default() { cx.out.line("the same as before") } else { Ok(()) }
}

fn json(results: &Results, compared: Option<&Comparison>) -> Result<String, Fault> {
    let encode =
        |error: serde_json::Error| Fault::new(Kind::Bug, "cannot write the result as JSON").cause(error.to_string());
    let mut value = serde_json::to_value(results).map_err(encode)?;
    let own: Vec<u64> = results.tasks.iter().map(|task| task.counts.own_ms_per_round()).collect();
    if let Some(tasks) = value["tasks"].as_array_mut() {
        tasks.iter_mut().zip(own).for_each(|(task, own)| task["own_ms_per_round"] = own.into());
    }
    value["fixed"] = results.count(Ending::Fixed).into();
    value["ran"] = results.n_told().into();
    if let Some(told) = compared {
        value["compared"] = serde_json::json!({
            "better": told.better, "worse": told.worse, "numbers": told.numbers, "not_compared": told.alone,
        });
    }
    serde_json::to_string_pretty(&value).map_err(encode)
}

/// Says whether the command succeeded. Compared with an earlier result, what was not fixed then may be unfixed now.
fn verdict(results: &Results, compared: Option<&Comparison>) -> Result<(), Fault> {
    let (fixed, told) = (results.count(Ending::Fixed), results.n_told());
    if told == 0 {
        let fault = Fault::new(Kind::Check, "no task could be run here");
        return Err(results.tasks.iter().filter_map(|task| task.why.clone()).take(1).fold(fault, Fault::cause));
    }
    match compared {
        Some(compared) if compared.worse.is_empty() => Ok(()),
        Some(compared) => Err(Fault::new(Kind::Task, format!("{} got worse", count(compared.worse.len(), "task")))),
        None if fixed == told => Ok(()),
        None => Err(Fault::new(Kind::Task, format!("{} not fixed", count(told - fixed, "task")))),
    }
}

fn read_results(path: &Path) -> Result<Results, Fault> {
    let name = path.display();
    let text = std::fs::read_to_string(path)
        .map_err(|error| Fault::io(Kind::Usage, format!("cannot read the result `{name}`"), &error))?;
    let hint = "mimi eval DIR --json > FILE makes one";
    let results: Results = serde_json::from_str(&text).map_err(|error| {
        Fault::new(Kind::Usage, format!("`{name}` is no result of mimi eval")).cause(error.to_string()).hint(hint)
    })?;
    if results.v > VERSION {
        let mimi = visible(&results.mimi).into_owned();
        return Err(Fault::new(Kind::Config, format!("`{name}` was made by a later mimi ({mimi})")).hint(hint));
    }
    Ok(results)
}

/// The folder of the copies, gone when the command is over.
pub struct Scratch(pub PathBuf);

impl Scratch {
    /// Makes an empty private folder.
    pub fn new() -> Result<Self, Fault> {
        let folder = std::env::temp_dir().join(format!("mimi-eval-{}", new_id()));
        create_private_dir(&folder)
            .map_err(|error| Fault::io(Kind::Task, format!("cannot make `{}`", folder.display()), &error))?;
        Ok(Self(folder.canonicalize().unwrap_or(folder)))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed lies where the system clears up.
        drop(remove_tree(&self.0));
    }
}
