//! What does `mimi graph` do?
//!
//! Shows who uses a definition and what it calls, or which files bring which in.

use clap::{Args, ValueEnum};

use crate::base::fault::{Fault, Kind};
use crate::base::text::{count, one_line_name, shell_quoted};
use crate::cli::commands::index::settle;
use crate::cli::context::Cx;
use crate::index::engine::{Index, Settling};
use crate::index::graph::resolve::Confidence;
use crate::index::graph::{Direction, Graph, Request, Root, draw};
use crate::index::symbols::{Symbol, Wanted};

/// Definitions of one name that are listed.
const MAX_LISTED: usize = 20;

/// How the graph is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Lines that are indented
    Tree,
    /// For graphviz
    Dot,
    /// For Markdown, at most 60 nodes
    Mermaid,
    /// One JSON object
    Json,
}

/// The least sure edges that are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Sure {
    /// The place says what it means
    Exact,
    /// Also where only one thing in the project is called so
    Likely,
    /// Also where several are
    Name,
}

/// Show who uses a definition, what it calls, and which files bring which in
///
/// A definition is named as `name`, `Owner.name`, `path:name` or `path:line`; a file by its path. Without a direction a
/// definition shows who uses it and what it calls, a file what it brings in and what brings it in. Only sure edges are
/// shown. Exit code 1 when nothing is called so, 2 when several definitions are.
#[derive(Debug, Args)]
pub struct GraphArgs {
    /// A definition or a file
    #[arg(value_name = "SYMBOL|PATH")]
    what: String,
    /// Who uses it
    #[arg(long)]
    callers: bool,
    /// What it calls
    #[arg(long)]
    callees: bool,
    /// Which files its file brings in
    #[arg(long)]
    imports: bool,
    /// Which files bring its file in
    #[arg(long)]
    dependents: bool,
    /// Go so many steps
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=32))]
    depth: u8,
    /// Write it so
    #[arg(long, value_enum, default_value_t = Format::Tree)]
    format: Format,
    /// Show edges that are at least so sure
    #[arg(long, value_enum, default_value_t = Sure::Exact, value_name = "SURE")]
    confidence: Sure,
    /// Show all edges, however unsure
    #[arg(long, conflicts_with = "confidence")]
    all: bool,
}

impl GraphArgs {
    fn request(&self, root: &Root) -> Request {
        let asked = [
            (self.callers, Direction::Callers),
            (self.callees, Direction::Callees),
            (self.imports, Direction::Imports),
            (self.dependents, Direction::Dependents),
        ];
        let mut directions: Vec<Direction> =
            asked.iter().filter(|(is_asked, _)| *is_asked).map(|(_, direction)| *direction).collect();
        if directions.is_empty() {
            directions = match root {
                Root::Symbols(_) => vec![Direction::Callers, Direction::Callees],
                Root::File(_) => vec![Direction::Imports, Direction::Dependents],
            };
        }
        let least = match self.confidence {
            _ if self.all => Confidence::Name,
            Sure::Exact => Confidence::Exact,
            Sure::Likely => Confidence::Likely,
            Sure::Name => Confidence::Name,
        };
        Request { directions, depth: usize::from(self.depth), least }
    }
}

/// Runs `mimi graph`.
///
/// # Errors
/// The index cannot be made or read, nothing is called so, or several things are.
pub fn run(cx: &Cx, args: &GraphArgs) -> Result<(), Fault> {
    cx.load()?;
    let index = Index::of(&cx.dirs.cache, &cx.workspace_root)?;
    settle(cx, &index, Settling::PLAIN.patience)?;
    let root = root(&index, &args.what)?;
    let request = args.request(&root);
    let graph = index.graph(&root, &request)?;
    match args.format {
        Format::Tree => cx.out.text(&draw::tree(&graph, &request.directions))?,
        Format::Dot => cx.out.text(&draw::dot(&graph))?,
        Format::Mermaid => cx.out.text(&draw::mermaid(&graph))?,
        Format::Json => {
            let text = serde_json::to_string(&graph)
                .map_err(|error| Fault::new(Kind::Bug, "cannot write the graph as JSON").cause(error.to_string()))?;
            cx.out.line(text)?;
        }
    }
    notes(cx, &graph);
    Ok(())
}

fn notes(cx: &Cx, graph: &Graph) {
    for note in &graph.notes {
        cx.out.note(format!("note: {note}"));
    }
    if graph.n_unsure > 0 {
        cx.out.note(format!("{} by name alone: --all", count(graph.n_unsure, "further edge")));
    }
}

/// Finds what was named: a file whose path it is, else definitions, else a file whose path ends so.
fn root(index: &Index, what: &str) -> Result<Root, Fault> {
    let files = index.files_like(what)?;
    if let Some(path) = files.iter().find(|path| path.as_str() == what.trim_start_matches("./")) {
        return Ok(Root::File(path.clone()));
    }
    let (found, near) = index.symbols_meant(what)?;
    match (found.as_slice(), files.as_slice()) {
        ([], [path]) => Ok(Root::File(path.clone())),
        ([], []) => Err(unknown(what, near)),
        ([], files) => {
            let fault =
                Fault::new(Kind::Usage, format!("{} end in `{}`", count(files.len(), "path"), one_line_name(what)));
            Err(files
                .iter()
                .take(MAX_LISTED)
                .fold(fault, |fault, path| fault.hint(format!("mimi graph {}", shell_quoted(path)))))
        }
        (symbols, _) if is_one(symbols) => Ok(Root::Symbols(symbols.to_vec())),
        (symbols, _) => Err(several(what, symbols)),
    }
}

/// Variants of one thing, as for several systems, are one.
fn is_one(symbols: &[Symbol]) -> bool {
    symbols.windows(2).all(|pair| pair[0].path == pair[1].path && pair[0].scope == pair[1].scope)
}

fn unknown(what: &str, near: Option<String>) -> Fault {
    let fault = Fault::new(Kind::Task, format!("no definition and no file is called `{}`", one_line_name(what)));
    match near {
        Some(near) => fault.hint(format!("did you mean `{near}`?")),
        None => fault.hint(format!("mimi search {}", shell_quoted(&Wanted::read(what).name))),
    }
}

fn several(what: &str, symbols: &[Symbol]) -> Fault {
    let fault =
        Fault::new(Kind::Usage, format!("{} are called `{}`", count(symbols.len(), "definition"), one_line_name(what)));
    let fault = symbols.iter().take(MAX_LISTED).fold(fault, |fault, symbol| {
        fault.hint(format!(
            "mimi graph {}   ({} {})",
            shell_quoted(&symbol.place()),
            symbol.kind.word(),
            symbol.full_name()
        ))
    });
    if symbols.len() > MAX_LISTED { fault.cause(format!("only {MAX_LISTED} of them are listed")) } else { fault }
}
