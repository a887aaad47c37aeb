//! What does `mimi session` do?
//!
//! Lists, shows, exports, forks and deletes session files; going on with one is a chat.

use std::io::{BufRead as _, IsTerminal as _};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};

use crate::base::clock::{Clock as _, SystemClock};
use crate::base::fault::{Fault, Kind};
use crate::base::secrets::redact;
use crate::base::text::{count, first_line, visible};
use crate::cli::commands::chat::{self, ChatArgs};
use crate::cli::context::Cx;
use crate::cli::desk::sessions;
use crate::session::export::{self, Format};
use crate::session::fork::fork;
use crate::session::list::{self, Summary};
use crate::session::reader::id_of;
use crate::session::search::{self, Hit};
use crate::session::title;

/// Longest title in the list, in characters, so that a row fits a usual terminal.
const MAX_TITLE_CHARS: usize = 50;

/// Hits shown at most.
const MAX_HITS: usize = 200;

/// List, search, show, resume, name, copy, export and delete sessions
#[derive(Debug, Clone, Args)]
pub struct SessionArgs {
    #[command(subcommand)]
    command: SessionCommand,
}

#[derive(Debug, Clone, Subcommand)]
enum SessionCommand {
    /// List the sessions of this workspace, the latest first
    List {
        /// Also list sessions of other workspaces, and those in which nobody said anything
        #[arg(long)]
        all: bool,
        /// Print a JSON array
        #[arg(long)]
        json: bool,
    },
    /// Print a session
    Show {
        /// Id of the session, or the beginning of it
        id: String,
        /// Print a JSON array of its records
        #[arg(long)]
        json: bool,
    },
    /// Go on with a session
    Resume {
        /// Id of the session, or the beginning of it; the latest of this workspace when left out
        id: Option<String>,
    },
    /// Write a session as Markdown or JSON
    Export {
        /// Id of the session, or the beginning of it
        id: String,
        /// What to write
        #[arg(long, value_enum, default_value_t = ExportFormat::Md)]
        format: ExportFormat,
        /// File to write, private to you; standard output when left out or `-`
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Copy a session, so that it can go another way
    Fork {
        /// Id of the session, or the beginning of it
        id: String,
        /// Copy what happened up to the end of this turn
        #[arg(long, value_name = "N")]
        turn: Option<u32>,
    },
    /// Name a session
    Rename {
        /// Id of the session, or the beginning of it
        id: String,
        /// Its name; nothing calls it by its first words again
        #[arg(default_value = "")]
        title: String,
    },
    /// Find the sessions in which words were said: by you, by the model, in calls and results
    Search {
        /// The words, in any order and case
        #[arg(required = true)]
        words: Vec<String>,
        /// Also search sessions of other workspaces
        #[arg(long)]
        all: bool,
        /// Print a JSON array
        #[arg(long)]
        json: bool,
    },
    /// Delete sessions
    Delete {
        /// Ids of the sessions, or their beginnings
        #[arg(required = true)]
        ids: Vec<String>,
        /// Do not ask
        #[arg(short, long)]
        yes: bool,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ExportFormat {
    /// Markdown, to read
    Md,
    /// One JSON array of records
    Json,
    /// One JSON object a line: the session file as far as it can be read
    Jsonl,
}

/// Runs `mimi session ...`.
pub fn run(cx: &Cx, args: &SessionArgs) -> Result<(), Fault> {
    let folder = cx.dirs.sessions();
    cx.know_keys();
    match &args.command {
        SessionCommand::List { all, json } => {
            let found = if *all { list::summaries(&folder, None)? } else { listed_here(cx, &folder)? };
            if *json { print_json(cx, &found) } else { print_rows(cx, &found) }
        }
        SessionCommand::Show { id, json } => {
            let format = if *json { Format::Json } else { Format::Markdown };
            print_session(cx, &list::find(&folder, id)?, format)
        }
        SessionCommand::Resume { id } => chat::run(cx, &ChatArgs::resuming(id.as_deref())),
        SessionCommand::Export { id, format, output } => {
            let format = match format {
                ExportFormat::Md => Format::Markdown,
                ExportFormat::Json => Format::Json,
                ExportFormat::Jsonl => Format::Jsonl,
            };
            let path = list::find(&folder, id)?;
            match output.as_deref().filter(|output| *output != Path::new("-")) {
                None => print_session(cx, &path, format),
                Some(output) => save_session(cx, &path, format, output),
            }
        }
        SessionCommand::Fork { id, turn } => {
            let copy = fork(&list::find(&folder, id)?, *turn, &SystemClock)?;
            cx.out.note(format!("Copied {}.", count(copy.records as usize, "record")));
            cx.out.line(copy.id)
        }
        SessionCommand::Rename { id, title } => {
            let path = list::find(&folder, id)?;
            title::set(&path, title)?;
            let name = title::of(&path).unwrap_or_else(|| "by its first words".to_owned());
            cx.out.note(format!("{} is called: {}", cell(&id_of(&path)), cell(&name)));
            Ok(())
        }
        SessionCommand::Search { words, all, json } => {
            let workspace = (!all).then_some(cx.workspace_root.as_path());
            print_hits(cx, &search::search(&folder, workspace, &words.join(" "), MAX_HITS)?, *json)
        }
        SessionCommand::Delete { ids, yes } => {
            let paths = find_all(&folder, ids)?;
            if *yes || is_confirmed(cx, paths.len())? {
                return delete(cx, &paths);
            }
            cx.out.note("Nothing deleted.");
            Ok(())
        }
    }
}

/// A place where words were found, as JSON.
#[derive(serde::Serialize)]
struct Found<'h> {
    session: String,
    seq: u64,
    who: &'h str,
    said: &'h str,
}

impl<'h> Found<'h> {
    fn of(hit: &'h Hit) -> Self {
        Self { session: id_of(&hit.path), seq: hit.seq, who: hit.who, said: &hit.said }
    }
}

fn print_hits(cx: &Cx, hits: &[Hit], json: bool) -> Result<(), Fault> {
    if json {
        let rows: Vec<Found<'_>> = hits.iter().map(Found::of).collect();
        let text = serde_json::to_string_pretty(&rows)
            .map_err(|error| Fault::new(Kind::Bug, "cannot write the hits as JSON").cause(error.to_string()))?;
        return cx.out.json(&text);
    }
    if hits.is_empty() {
        cx.out.note("Nobody said that here. `mimi session search --all` looks in other folders too.");
    }
    hits.iter()
        .try_for_each(|hit| cx.out.line(format!("{}  {:<6}  {}", cell(&id_of(&hit.path)), hit.who, cell(&hit.said))))
}

fn listed_here(cx: &Cx, folder: &Path) -> Result<Vec<Summary>, Fault> {
    let mut found = list::summaries(folder, Some(&cx.workspace_root))?;
    found.retain(|summary| summary.title.is_some());
    Ok(found)
}

fn print_json(cx: &Cx, found: &[Summary]) -> Result<(), Fault> {
    let text = serde_json::to_string_pretty(found)
        .map_err(|error| Fault::new(Kind::Bug, "cannot write the list as JSON").cause(error.to_string()))?;
    cx.out.json(&text)
}

fn print_rows(cx: &Cx, found: &[Summary]) -> Result<(), Fault> {
    if found.is_empty() {
        cx.out.note("No sessions here. `mimi session list --all` lists those of other folders.");
    }
    let now_ms = SystemClock.now_ms();
    let width = found.iter().map(|summary| summary.short_id.chars().count()).max().unwrap_or_default();
    for summary in found {
        cx.out.line(row(cx, summary, width, now_ms))?;
    }
    Ok(())
}

fn row(cx: &Cx, summary: &Summary, width: usize, now_ms: u64) -> String {
    let id = cell(&summary.short_id);
    let title = summary.title.as_deref().map_or_else(|| "(nothing said)".to_owned(), cell);
    let title = first_line(&title, MAX_TITLE_CHARS);
    let turns = count(summary.turns as usize, "turn");
    let age = age(now_ms.saturating_sub(summary.active_ms));
    let mut row = format!("{id:width$}  {age:>11}  {turns:>9}  {title}");
    if let Some(model) = &summary.model {
        row.push_str(&format!("  [{}]", cell(model)));
    }
    if summary.workspace != cx.workspace_root {
        row.push_str(&format!("  {}", cell(&summary.workspace.display().to_string())));
    }
    row
}

/// Makes text of a session fit for one cell of a row.
fn cell(text: &str) -> String {
    visible(&redact(text)).replace(['\n', '\t'], " ")
}

fn age(passed_ms: u64) -> String {
    let minutes = passed_ms / 60_000;
    match minutes {
        0 => "just now".to_owned(),
        1..60 => format!("{minutes} min ago"),
        60..1440 => format!("{} h ago", minutes / 60),
        _ => format!("{} d ago", minutes / 1440),
    }
}

/// Reads the session once before the first line of it is printed, so that a file of garbage prints an error alone.
fn print_session(cx: &Cx, path: &Path, format: Format) -> Result<(), Fault> {
    crate::session::reader::load(path)?;
    export::write(path, format, |line| cx.out.line(line))
}

fn save_session(cx: &Cx, path: &Path, format: Format, output: &Path) -> Result<(), Fault> {
    let shown = visible(&output.display().to_string()).into_owned();
    // A rename would replace a device or pipe by a file.
    if std::fs::metadata(output).is_ok_and(|meta| !meta.is_file()) {
        return Err(Fault::new(Kind::Usage, format!("`{shown}` is not a regular file"))
            .hint(format!("leave out `-o {shown}` and end the command with `> {shown}`")));
    }
    sessions::write(path, format, output)?;
    cx.out.note(format!("Wrote {shown}."));
    Ok(())
}

/// Finds all or, when one of the ids is wrong, none.
fn find_all(folder: &Path, ids: &[String]) -> Result<Vec<PathBuf>, Fault> {
    let mut paths = ids.iter().map(|id| list::find(folder, id)).collect::<Result<Vec<_>, _>>()?;
    paths.sort();
    paths.dedup();
    Ok(paths)
}

fn delete(cx: &Cx, paths: &[PathBuf]) -> Result<(), Fault> {
    for path in paths {
        sessions::delete(&cx.dirs, path)?;
        cx.out.line(format!("deleted {}", cell(&id_of(path))))?;
    }
    Ok(())
}

fn is_confirmed(cx: &Cx, n_sessions: usize) -> Result<bool, Fault> {
    let question = format!("Delete {}? This cannot be taken back. [y/N]", count(n_sessions, "session"));
    if !std::io::stdin().is_terminal() {
        return Err(Fault::new(Kind::Denied, "nobody is there to confirm the deletion")
            .hint("add `--yes` to delete without asking"));
    }
    cx.out.note(question);
    let mut answer = String::new();
    std::io::stdin()
        .lock()
        .read_line(&mut answer)
        .map_err(|error| Fault::io(Kind::Usage, "cannot read the answer", &error))?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        session: SessionArgs,
    }

    fn parse(words: &str) -> Result<SessionArgs, clap::Error> {
        Line::try_parse_from(words.split_whitespace()).map(|line| line.session)
    }

    #[test]
    fn command_lines_mean_what_they_say() {
        for good in [
            "s list --all --json",
            "s show a --json",
            "s export a --format jsonl -o x",
            "s fork a --turn 3",
            "s resume",
        ] {
            assert!(parse(good).is_ok(), "{good}");
        }
        for bad in ["s", "s delete", "s show", "s fork a --turn x", "s fork a --turn -1", "s export a --format html"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_row_stays_a_row() {
        assert_eq!(cell("a\nb\t\u{1b}[2J"), "a b \\x1b[2J");
        let ages = [(0, "just now"), (61_000, "1 min ago"), (7_200_000, "2 h ago"), (200_000_000, "2 d ago")];
        for (passed_ms, text) in ages {
            assert_eq!(age(passed_ms), text);
        }
    }
}
